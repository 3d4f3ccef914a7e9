"""Our own keys and letters through python-gnupg, and keys other people give us."""

import subprocess
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailrouter.faults import NotFound, Refused
from mailrouter.mail.pgpmime import Verdict
from mailrouter.pgp import MICALG, Pgp, PublicKey, packets
from mailrouter.pgp.keyring import Keyrings
from tests.pgp import mails
from tests.pgp.forge import FORGER, armor, packet
from tests.pgp.keys import Keymaker


@pytest.fixture
def fresh() -> Iterator[Pgp]:
    """A house without a key."""
    with tempfile.TemporaryDirectory(prefix="mro", dir="/tmp") as folder:
        made = Pgp(Path(folder) / "g", Path(folder) / "k")
        yield made
        made.close()


# ---- our own -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["CERT", "Zürcher CERT", "1 (x) & y; $HOME"])
def test_a_new_key_signs_and_encrypts_at_once(fresh: Pgp, name: str) -> None:
    assert fresh.own_keys() == ()
    key = fresh.make_key(name, "cert@cert.example")
    assert (key.can_sign, key.can_encrypt, key.expires, key.state) == (True, True, None, "valid")
    assert (key.user_ids, len(key.subkeys), key.key_ids[0]) == (
        (f"{name} <cert@cert.example>",),
        1,
        key.fingerprint[-16:],
    )
    assert fresh.own_keys() == (key,)
    assert fresh.signing_key() == key
    signed = mails.signed(fresh.sign_detached(mails.ENTITY))
    got = fresh.open(signed, [key.public], lambda issuer: (), datetime.now(UTC))
    assert (got.verdict, got.fingerprint) == (Verdict.GOOD, key.fingerprint)


@pytest.mark.parametrize("name", ["", "two\nlines", "x\n%echo hi", "a <b", "a" * 201])
def test_a_name_gpg_could_misread_makes_no_key(fresh: Pgp, name: str) -> None:
    with pytest.raises(Refused):
        fresh.make_key(name, "cert@cert.example")
    assert fresh.own_keys() == ()


def test_without_a_key_nothing_can_be_signed(fresh: Pgp) -> None:
    with pytest.raises(Refused, match="no key of ours that can sign"):
        fresh.sign_detached(b"x")
    with pytest.raises(NotFound):
        fresh.export("A" * 40)


def test_the_newest_key_signs_unless_one_is_named(fresh: Pgp) -> None:
    first, second = fresh.make_key("Old", "cert@cert.example"), fresh.make_key("New", "cert@cert.example")
    assert fresh.signing_key() == fresh.own_keys()[-1]
    named = Pgp(fresh._home, fresh._keyrings.folder, key=first.fingerprint)
    assert named.signing_key() == first
    assert {key.fingerprint for key in fresh.own_keys()} == {first.fingerprint, second.fingerprint}


def test_the_exported_key_is_public_and_one(fresh: Pgp) -> None:
    key = fresh.make_key("CERT", "cert@cert.example")
    exported = fresh.export()
    assert exported.startswith(b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n")
    assert fresh.import_public(exported).fingerprint == key.fingerprint


def test_the_hash_of_a_signature_is_the_one_we_say(fresh: Pgp) -> None:
    fresh.make_key("CERT", "cert@cert.example")
    signature = packets.dearmor(fresh.sign_detached(b"x"), b"SIGNATURE")
    assert (MICALG, next(packets.packets(signature)).body[3]) == ("pgp-sha512", 10)


def test_armor_says_nothing_about_us(fresh: Pgp, keymaker: Keymaker) -> None:
    fresh.make_key("CERT", "cert@cert.example")
    for armored in (fresh.sign_detached(b"x"), fresh.encrypt(b"x", [keymaker.vendor.public])):
        assert b"Version" not in armored
        assert b"Comment" not in armored


@pytest.mark.row("P120")
@pytest.mark.row("P122")
@pytest.mark.parametrize("sign", [True, False])
def test_a_letter_can_be_opened_by_its_recipients_alone(fresh: Pgp, keymaker: Keymaker, sign: bool) -> None:
    ours = fresh.make_key("CERT", "cert@cert.example")
    twin = keymaker.make("Vendor PSIRT", "psirt@vendor.example", "--yes", born="20210101T000000")
    message = fresh.encrypt(mails.ENTITY, [keymaker.vendor.public, ours.public], sign=sign)
    named = set(packets.recipients(packets.dearmor(message, b"MESSAGE")))
    subkeys = {packets.keys_of(key.data)[1].fingerprint[-16:] for key in (keymaker.vendor.public, ours.public)}
    assert named == subkeys
    assert packets.keys_of(twin.public.data)[1].fingerprint[-16:] not in named
    assert keymaker.gpg("--decrypt", given=message, check=False) == mails.ENTITY
    got = fresh.open(mails.encrypted(message), (), lambda issuer: (), datetime.now(UTC))
    assert (got.decrypted, got.verdict) == ("ok", Verdict.GOOD if sign else Verdict.NONE)
    listed = keymaker.gpg("--list-packets", given=message).decode()
    assert 'name=""' in listed


@pytest.mark.row("P121")
@pytest.mark.parametrize("trouble", ["expired", "revoked", "sign only", "nobody"])
def test_a_recipient_who_cannot_read_gets_nothing(fresh: Pgp, keymaker: Keymaker, trouble: str) -> None:
    fresh.make_key("CERT", "cert@cert.example")
    key = {
        "expired": [keymaker.expired.public],
        "revoked": [keymaker.revoked.public],
        "sign only": [PublicKey(FORGER.fingerprint, FORGER.certificate(b"x"))],
        "nobody": [],
    }[trouble]
    with pytest.raises(Refused, match="recipient"):
        fresh.encrypt(b"secret", [*key])
    with pytest.raises(Refused, match="recipient"):
        fresh.encrypt(b"secret", [*key, keymaker.vendor.public] if key else [])


def test_an_analysts_own_folder_of_keys_stays_theirs(fresh: Pgp, keymaker: Keymaker) -> None:
    """A GNUPGHOME that also holds other people's public keys: those are not ours."""
    ours = fresh.make_key("CERT", "cert@cert.example")
    fresh._gpg().import_keys(keymaker.armored(keymaker.eve.fingerprint))
    assert [key.fingerprint for key in fresh.own_keys()] == [ours.fingerprint]


# ---- given to us ---------------------------------------------------------------------------------------------


def test_a_key_is_read_and_cleaned(pgp: Pgp, keymaker: Keymaker) -> None:
    owner = keymaker.make("Known", "known@vendor.example")
    keymaker.gpg("--local-user", keymaker.eve.fingerprint, "--quick-sign-key", owner.fingerprint)
    given = keymaker.armored(owner.fingerprint)
    key = pgp.import_public(b"Dear CERT,\n\nour key:\n" + given + b"\nBye\n")
    assert (key.fingerprint, key.user_ids) == (owner.fingerprint, ("Known <known@vendor.example>",))
    assert (key.created, key.expires) == (datetime(2020, 1, 1, tzinfo=UTC), None)
    assert (key.can_sign, key.can_encrypt, len(key.subkeys)) == (True, True, 1)
    signatures = [p for p in packets.packets(key.data) if p.tag == packets.SIGNATURE]
    assert (len(signatures), len(key.data) < len(given)) == (2, True)
    assert pgp.import_public(key.data) == key


def test_an_expired_subkey_is_kept_so_that_it_can_be_named(pgp: Pgp, keymaker: Keymaker) -> None:
    owner = keymaker.make("Rotates", "rotates@vendor.example")
    at = ("--faked-system-time", "20200102T000000")
    keymaker.gpg(*at, "--quick-add-key", owner.fingerprint, "ed25519", "sign", "20200201T000000")
    assert len(pgp.import_public(keymaker.armored(owner.fingerprint)).subkeys) == 2


@pytest.mark.row("P115")
@pytest.mark.row("P116")
@pytest.mark.row("P118")
@pytest.mark.parametrize(
    ("given", "why"),
    [
        (lambda k: k.secret(k.eve.fingerprint), "this is a secret key; only the public key may be given"),
        (lambda k: k.armored(k.eve.fingerprint) + k.secret(k.eve.fingerprint), "this is a secret key"),
        (lambda k: b"", "there is no OpenPGP public key"),
        (lambda k: b"\xff\xfe not a key", "there is no OpenPGP public key"),
        (
            lambda k: b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nbroken\n-----END PGP PUBLIC KEY BLOCK-----\n",
            "no OpenPGP",
        ),
        (lambda k: k.sign(b"x", k.eve), "there is no OpenPGP public key"),
        (lambda k: armor("PUBLIC KEY BLOCK", b""), "there are 0 keys in this file; exactly one is wanted"),
        (lambda k: k.armored(k.eve.fingerprint, k.vendor.fingerprint), "there are 2 keys in this file; exactly one"),
        (lambda k: k.armored(k.eve.fingerprint) + k.armored(k.vendor.fingerprint), "there are 2 keys"),
        (lambda k: k.armored(k.expired.fingerprint), "has expired"),
        (lambda k: k.armored(k.revoked.fingerprint), "was revoked"),
        (lambda k: k.armored(k.rsa1024.fingerprint), "is too weak: DSA, or RSA with less than 2048 bits"),
        (lambda k: packet(6, FORGER.key_body), "no valid user id of its own"),
        (
            lambda k: packet(6, FORGER.key_body) + packet(13, b"Vendor <psirt@vendor.example>"),
            "no valid user id of its own",
        ),
        (lambda k: packet(6, b"\x06" + FORGER.key_body[1:]), "no valid user id of its own, or is of a kind"),
        (lambda k: k.armored(k.eve.fingerprint) + bytes(300_000), "the key file is larger than 256 kB"),
        (
            lambda k: FORGER.certificate(b"x") + packet(14, b"\x04") * 20_000,
            "OpenPGP public key in this file, or it is dam",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_refused_and_why(pgp: Pgp, keymaker: Keymaker, given: object, why: str) -> None:
    with pytest.raises(Refused, match=why) as refusal:
        pgp.import_public(given(keymaker))  # type: ignore[operator]  # each takes the keymaker
    assert "\n" not in str(refusal.value)


def test_looking_at_a_key_leaves_nothing_behind(pgp: Pgp, keymaker: Keymaker, monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(prefix="mrt", dir="/tmp") as ours:  # others look at keys beside us
        monkeypatch.setattr(tempfile, "tempdir", ours)
        pgp.import_public(keymaker.armored(keymaker.eve.fingerprint))
        assert list(Path(ours).iterdir()) == []
    assert keymaker.eve.fingerprint not in {key.fingerprint for key in pgp.own_keys()}


# ---- keyring files -------------------------------------------------------------------------------------------


def test_a_keyring_is_named_by_what_is_in_it(tmp_path: Path, keymaker: Keymaker) -> None:
    rings, vendor, eve = Keyrings(tmp_path), keymaker.vendor.public, keymaker.eve.public
    assert rings.file([vendor, eve]) == rings.file([eve, vendor, eve])
    assert rings.file([vendor]) != rings.file([eve])
    assert sorted(tmp_path.iterdir()) == sorted(Path(rings.file(keys)) for keys in ([vendor, eve], [vendor], [eve]))


def test_a_keyring_that_gpg_emptied_is_written_again(tmp_path: Path, keymaker: Keymaker) -> None:
    rings = Keyrings(tmp_path)
    path = Path(rings.file([keymaker.vendor.public]))
    path.write_bytes(b"")
    assert Path(rings.file([keymaker.vendor.public])).read_bytes() == keymaker.vendor.public.data


def test_gpg_reads_certificates_in_a_row_as_a_keyring(tmp_path: Path, keymaker: Keymaker) -> None:
    path = Keyrings(tmp_path).file([keymaker.vendor.public, keymaker.eve.public, keymaker.rsa1024.public])
    command = [
        "gpg",
        "--homedir",
        str(tmp_path),
        "--no-default-keyring",
        "--keyring",
        path,
        "--with-colons",
        "--list-keys",
    ]
    listed = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout.decode()
    assert sum(line.startswith("pub:") for line in listed.splitlines()) == 3
