"""What is kept of a proof: the key in the form it had, gpg's version, and the signed message without its encryption."""

import subprocess
from hashlib import sha256
from pathlib import Path

import pytest

from mailrouter.mail.pgpmime import Verdict
from mailrouter.pgp import Pgp
from mailrouter.pgp.packets import armored, dearmor
from tests.pgp import mails
from tests.pgp.keys import Keymaker
from tests.pgp.mails import TEXT, Open


def anybody(folder: Path, keymaker: Keymaker, proof: bytes) -> tuple[int, bytes]:
    """What plain gpg says of it in an empty home with the vendor's public key: its exit status, and the text."""
    home = folder / "anybody"
    home.mkdir(mode=0o700)
    gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--trust-model", "always"]
    subprocess.run([*gpg, "--import"], input=keymaker.vendor.public.data, check=True, timeout=60)
    done = subprocess.run([*gpg, "--decrypt"], input=proof, capture_output=True, check=False, timeout=60)
    return done.returncode, done.stdout


def test_a_proof_names_the_very_key_and_the_gpg(opened: Open, keymaker: Keymaker) -> None:
    got = opened(mails.signed(keymaker.sign(mails.ENTITY, keymaker.vendor)))
    version = keymaker.gpg("--version").split()[2].decode()
    assert (got.verdict, got.gpg) == (Verdict.GOOD, version)
    assert got.certificate == sha256(keymaker.vendor.public.data).hexdigest()


def test_a_key_looked_up_by_its_issuer_is_named_too(opened: Open, keymaker: Keymaker) -> None:
    raw = mails.signed(keymaker.sign(mails.ENTITY, keymaker.eve))
    got = opened(raw, registry=(keymaker.eve.public,))
    assert got.certificate == sha256(keymaker.eve.public.data).hexdigest()


def test_an_expired_key_is_named_and_what_proved_nothing_is_not(opened: Open, keymaker: Keymaker) -> None:
    past = ("--faked-system-time", "20200115T000000")
    expired = opened(mails.signed(keymaker.sign(mails.ENTITY, keymaker.expired, more=past)), keymaker.expired)
    assert (expired.verdict, bool(expired.certificate), bool(expired.gpg)) == (Verdict.EXPIRED_KEY, True, True)
    unknown = opened(mails.signed(keymaker.sign(mails.ENTITY, keymaker.eve)))
    assert (unknown.verdict, unknown.certificate, bool(unknown.gpg)) == (Verdict.UNKNOWN_KEY, "", True)
    malformed = opened(mails.signed(b"no signature"))
    assert (malformed.certificate, malformed.gpg) == ("", ""), "gpg was not asked"
    assert opened(mails.text(b"plain")).gpg == ""


@pytest.mark.parametrize("compression", ["none", "zlib", "bzip2"])
def test_signed_and_encrypted_in_one_step_can_be_proved_without_the_encryption(
    pgp: Pgp, opened: Open, keymaker: Keymaker, tmp_path: Path, compression: str
) -> None:
    more = ("--compress-algo", compression)
    raw = mails.encrypted(keymaker.encrypt(mails.ENTITY, keymaker.cert, signer=keymaker.vendor, more=more))
    got = opened(raw)
    assert (got.form, got.signed_bytes) == ("message", mails.ENTITY)
    assert anybody(tmp_path, keymaker, pgp.unwrapped(raw)) == (0, mails.ENTITY)


def test_an_armored_block_of_the_same_and_one_for_a_hidden_recipient(
    pgp: Pgp, keymaker: Keymaker, tmp_path: Path
) -> None:
    block = keymaker.encrypt(TEXT, keymaker.cert, signer=keymaker.vendor, more=("--throw-keyids",))
    assert anybody(tmp_path, keymaker, pgp.unwrapped(mails.text(block))) == (0, TEXT)


def test_a_signed_message_that_is_not_encrypted_is_its_own_proof(pgp: Pgp, keymaker: Keymaker, tmp_path: Path) -> None:
    block = keymaker.sign(TEXT, keymaker.vendor, mode="--sign")
    proof = pgp.unwrapped(mails.text(block))
    assert dearmor(proof, b"MESSAGE") == dearmor(block, b"MESSAGE")
    assert anybody(tmp_path, keymaker, proof) == (0, TEXT)


@pytest.mark.row("P100")
def test_nothing_is_unwrapped_of_what_is_not_for_us_or_was_altered(pgp: Pgp, keymaker: Keymaker) -> None:
    theirs = keymaker.encrypt(TEXT, keymaker.eve, signer=keymaker.vendor)
    message = bytearray(dearmor(keymaker.encrypt(TEXT, keymaker.cert, signer=keymaker.vendor), b"MESSAGE"))
    message[-30] ^= 1
    for raw in (
        mails.encrypted(theirs), mails.text(armored(bytes(message), b"MESSAGE")), mails.encrypted(b"garbage"),
        mails.signed(keymaker.sign(mails.ENTITY, keymaker.vendor)), b"Subject: x\r\n\r\nplain\r\n",
    ):  # fmt: skip
        assert pgp.unwrapped(raw) == b""


@pytest.mark.parametrize("length", [1, 47, 48, 49, 1000])
def test_armor_of_any_length_is_read_back(keymaker: Keymaker, length: int) -> None:
    content = b"\xcb" + bytes(length)
    assert dearmor(armored(content, b"MESSAGE"), b"MESSAGE") == content
    assert keymaker.gpg("--dearmor", given=armored(content, b"MESSAGE")) == content
