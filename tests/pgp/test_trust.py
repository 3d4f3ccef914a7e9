"""Signatures that are right and not to be trusted: by time, by key, by algorithm (testbook P65-P77)."""

from datetime import UTC, datetime, timedelta

import pytest

from mailrouter.mail.pgpmime import Verdict
from mailrouter.pgp import PublicKey
from tests.pgp import mails
from tests.pgp.forge import FORGER, armor, subpacket
from tests.pgp.keys import Keymaker
from tests.pgp.mails import Open, nothing_proved

# ---- time, trust, algorithm --------------------------------------------------------------------------------


def at(moment: str) -> tuple[str, ...]:
    """Sign as if it were then."""
    return ("--faked-system-time", moment, "--ignore-time-conflict")


@pytest.mark.row("P65")
def test_signed_before_the_key_expired(opened: Open, keymaker: Keymaker) -> None:
    signature = keymaker.sign(mails.ENTITY, keymaker.expired, more=at("20200115T000000"))
    got = opened(mails.signed(signature), keymaker.expired)
    assert (got.verdict, nothing_proved(got)) == (Verdict.EXPIRED_KEY, True)


@pytest.mark.row("P66")
def test_signed_after_the_key_expired(opened: Open) -> None:
    lived_a_day = subpacket(9, (86_400).to_bytes(4, "big"))
    key = PublicKey(FORGER.fingerprint, FORGER.certificate(b"Eve", lived_a_day))
    signature = FORGER.signature(mails.ENTITY, at=FORGER.created + 10 * 86_400)
    got = opened(mails.signed(armor("SIGNATURE", signature)), key)
    assert (got.verdict, nothing_proved(got)) == (Verdict.EXPIRED_KEY, True)


@pytest.mark.row("P67")
@pytest.mark.parametrize("older", [True, False])
def test_signed_by_a_revoked_key(opened: Open, keymaker: Keymaker, older: bool) -> None:
    address = f"revoked-{older}@vendor.example"
    owner = keymaker.make("Revoked", address)
    signature = keymaker.sign(mails.ENTITY, owner, more=at("20200115T000000") if older else ())
    got = opened(mails.signed(signature), keymaker.revoke(owner))
    assert (got.verdict, nothing_proved(got)) == (Verdict.REVOKED_KEY, True)


@pytest.mark.row("P68")
@pytest.mark.parametrize("way", ["revoked", "expired"])
def test_signed_by_a_subkey_that_is_no_more(opened: Open, keymaker: Keymaker, way: str) -> None:
    owner = keymaker.make("Sub", f"{way}-sub@vendor.example", encrypts=False)
    expires = "20200201T000000" if way == "expired" else "never"
    keymaker.gpg(*at("20200102T000000"), "--quick-add-key", owner.fingerprint, "ed25519", "sign", expires)
    listed = keymaker.gpg("--with-colons", "--list-keys", owner.fingerprint).decode().splitlines()
    subkey = [line.split(":")[9] for line in listed if line.startswith("fpr")][-1]
    signature = keymaker.sign(mails.ENTITY, f"{subkey}!", more=at("20200115T000000"))
    if way == "revoked":
        orders = b"key 1\nrevkey\ny\n0\n\ny\nsave\n"
        keymaker.gpg("--command-fd", "0", "--edit-key", owner.fingerprint, given=orders)
    got = opened(mails.signed(signature), keymaker.public(owner.fingerprint))
    assert got.verdict is {"revoked": Verdict.REVOKED_KEY, "expired": Verdict.EXPIRED_KEY}[way]
    assert nothing_proved(got)


@pytest.mark.row("P69")
def test_an_expired_signature(opened: Open, keymaker: Keymaker) -> None:
    signature = keymaker.sign(
        mails.ENTITY, keymaker.vendor, more=(*at("20200115T000000"), "--default-sig-expire", "2d")
    )
    got = opened(mails.signed(signature))
    assert (got.verdict, nothing_proved(got)) == (Verdict.EXPIRED_SIGNATURE, True)


@pytest.mark.row("P70")
def test_dated_in_the_future(opened: Open, keymaker: Keymaker) -> None:
    signature = keymaker.sign(mails.ENTITY, keymaker.vendor)
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    got = opened(mails.signed(signature), now=hour_ago)
    assert (got.verdict, nothing_proved(got)) == (Verdict.BAD, True)
    assert "future" in got.reason
    assert opened(mails.signed(signature), now=datetime.now(UTC) - timedelta(minutes=5)).verdict is Verdict.GOOD


@pytest.mark.row("P71")
def test_older_than_its_key(opened: Open) -> None:
    key = PublicKey(FORGER.fingerprint, FORGER.certificate(b"Eve"))
    got = opened(mails.signed(armor("SIGNATURE", FORGER.signature(mails.ENTITY, at=FORGER.created - 86_400))), key)
    assert nothing_proved(got)


@pytest.mark.row("P72")
@pytest.mark.parametrize(("days", "stale"), [(29, False), (31, True), (400, True)])
def test_old_signatures_are_good_and_stale(opened: Open, keymaker: Keymaker, days: int, stale: bool) -> None:
    got = opened(
        mails.signed(keymaker.sign(mails.ENTITY, keymaker.vendor)), now=datetime.now(UTC) + timedelta(days=days)
    )
    assert (got.verdict, got.stale) == (Verdict.GOOD, stale)


@pytest.mark.row("P73")
@pytest.mark.parametrize(
    ("digest", "good"), [("SHA1", False), ("RIPEMD160", False), ("SHA224", False), ("SHA256", True)]
)
def test_weak_hashes(opened: Open, keymaker: Keymaker, digest: str, good: bool) -> None:
    got = opened(mails.signed(keymaker.sign(mails.ENTITY, keymaker.vendor, more=("--digest-algo", digest))))
    assert got.verdict is (Verdict.GOOD if good else Verdict.UNSUPPORTED)
    assert good or nothing_proved(got)


@pytest.mark.row("P74")
@pytest.mark.parametrize(
    ("algorithm", "good"), [("rsa1024", False), ("dsa1024", False), ("rsa2048", True), ("nistp256", True)]
)
def test_weak_keys(opened: Open, keymaker: Keymaker, algorithm: str, good: bool) -> None:
    owner = keymaker.make("Some", f"{algorithm}@vendor.example", algorithm=algorithm, usage="sign", encrypts=False)
    got = opened(mails.signed(keymaker.sign(mails.ENTITY, owner)), owner)
    assert got.verdict is (Verdict.GOOD if good else Verdict.UNSUPPORTED)
    assert good or nothing_proved(got)


@pytest.mark.row("P76")
def test_an_issuer_that_is_only_claimed(opened: Open, keymaker: Keymaker) -> None:
    claimed = subpacket(33, b"\x04" + bytes.fromhex(keymaker.vendor.fingerprint))
    got = opened(mails.signed(armor("SIGNATURE", FORGER.signature(mails.ENTITY, 0, claimed))))
    assert nothing_proved(got)
    assert got.fingerprint == ""


@pytest.mark.row("P77")
def test_a_critical_subpacket_nobody_knows(opened: Open) -> None:
    key = PublicKey(FORGER.fingerprint, FORGER.certificate(b"Eve"))
    got = opened(mails.signed(armor("SIGNATURE", FORGER.signature(mails.ENTITY, 0, subpacket(0x80 | 99, b"x")))), key)
    assert nothing_proved(got)
