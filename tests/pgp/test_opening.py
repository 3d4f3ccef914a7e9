"""Whole mails through the real gpg: what stays good, what covers a part, whose it is, and what is kept."""

import base64
import quopri
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailrouter.mail.pgpmime import Opened, Verdict
from mailrouter.pgp import PublicKey
from tests.pgp import mails
from tests.pgp.forge import FORGER, armor, subpacket
from tests.pgp.keys import Keymaker
from tests.pgp.mails import TEXT, Open, nothing_proved

# ---- baselines: these stay good ----------------------------------------------------------------------------


@pytest.mark.row("P01")
def test_a_detached_signature_is_good(opened: Open, keymaker: Keymaker) -> None:
    signature = keymaker.sign(mails.ENTITY, keymaker.vendor)
    got = opened(mails.signed(signature))
    assert (got.verdict, got.reason, got.covers, got.form) == (Verdict.GOOD, "", "all", "mime")
    assert got.fingerprint == keymaker.vendor.fingerprint
    assert (got.signed_bytes, got.content, got.content_is_entity) == (mails.ENTITY, mails.ENTITY, True)
    assert got.signature.replace(b"\r\n", b"\n").strip() == signature.strip()
    assert re.fullmatch(r"[A-Za-z0-9+/]{27}", got.signature_id)
    assert got.signed_at is not None
    assert abs(got.signed_at - datetime.now(UTC)) < timedelta(minutes=5)
    assert (got.encrypted, got.decrypted, got.stale) == (False, "none", False)


@pytest.mark.row("P02")
@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_one_cleartext_block_is_good_and_shown_as_gpg_printed_it(
    opened: Open, keymaker: Keymaker, ending: bytes
) -> None:
    block = keymaker.sign(TEXT, keymaker.vendor, mode="--clear-sign").replace(b"\n", ending)
    got = opened(mails.text(b"\r\n" + block + b" \r\n", more=b"Content-Type: text/plain; charset=iso-8859-1\r\n"))
    assert (got.verdict, got.covers, got.form) == (Verdict.GOOD, "all", "cleartext")
    assert (got.content or b"").replace(b"\r\n", b"\n") == TEXT
    assert (got.content_is_entity, got.charset, got.signed_bytes) == (False, "iso-8859-1", block)


@pytest.mark.row("P02")
@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
def test_a_transfer_encoding_hides_no_block(opened: Open, keymaker: Keymaker, encoding: str) -> None:
    block = keymaker.sign(TEXT, keymaker.vendor, mode="--clear-sign")
    body = base64.encodebytes(block) if encoding == "base64" else quopri.encodestring(block)
    more = b"Content-Type: text/plain\r\nContent-Transfer-Encoding: " + encoding.encode() + b"\r\n"
    assert opened(mails.text(body, more=more)).verdict is Verdict.GOOD


@pytest.mark.row("P03")
def test_one_message_encrypted_and_signed(opened: Open, keymaker: Keymaker) -> None:
    message = keymaker.encrypt(mails.ENTITY, keymaker.cert, keymaker.eve, signer=keymaker.vendor)
    got = opened(mails.encrypted(message))
    assert (got.verdict, got.covers, got.form) == (Verdict.GOOD, "all", "message")
    assert (got.encrypted, got.decrypted, got.content, got.content_is_entity) == (True, "ok", mails.ENTITY, True)
    assert got.fingerprint == keymaker.vendor.fingerprint


@pytest.mark.row("P03")
def test_signed_as_mime_then_encrypted(opened: Open, keymaker: Keymaker) -> None:
    inner = mails.signed(keymaker.sign(mails.ENTITY, keymaker.vendor), head=b"")
    got = opened(mails.encrypted(keymaker.encrypt(inner, keymaker.cert)))
    assert (got.verdict, got.covers, got.form) == (Verdict.GOOD, "all", "mime")
    assert (got.encrypted, got.decrypted, got.content) == (True, "ok", mails.ENTITY)
    assert (got.signed_bytes, bool(got.signature)) == (mails.ENTITY, True)


@pytest.mark.row("P03")
@pytest.mark.parametrize("clear_signed", [False, True])
def test_one_armored_block_encrypted_and_signed(opened: Open, keymaker: Keymaker, clear_signed: bool) -> None:
    if clear_signed:
        message = keymaker.encrypt(keymaker.sign(TEXT, keymaker.vendor, mode="--clear-sign"), keymaker.cert)
    else:
        message = keymaker.encrypt(TEXT, keymaker.cert, signer=keymaker.vendor)
    got = opened(mails.text(message))
    assert (got.verdict, got.covers, got.decrypted) == (Verdict.GOOD, "all", "ok")
    assert (got.content, got.content_is_entity) == (TEXT, False)


def test_a_signed_message_without_encryption_is_good(opened: Open, keymaker: Keymaker) -> None:
    got = opened(mails.text(keymaker.sign(TEXT, keymaker.vendor, mode="--sign")))
    assert (got.verdict, got.covers, got.form, got.encrypted) == (Verdict.GOOD, "all", "message", False)
    assert got.content == TEXT


@pytest.mark.row("P04")
@pytest.mark.parametrize(
    "entity",
    [
        b"Content-Type: text/plain\r\n\r\ntrailing blanks   \r\n\t\r\n",
        b"Content-Type: text/plain\r\n\r\nno final newline",
        b"Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nfran=C3=A7ais =\r\n=2E\r\n",
        b'Content-Type: multipart/mixed; boundary="i"\r\n\r\n--i\r\n\r\none\r\n--i\r\n\r\n<p>two\r\n--i--\r\n',
        b"Content-Type: text/plain\r\n\r\n\r\n\r\n",
        b"\r\nno headers",
    ],
)
def test_whatever_the_entity_its_raw_slice_is_verified(opened: Open, keymaker: Keymaker, entity: bytes) -> None:
    got = opened(mails.signed(keymaker.sign(entity, keymaker.vendor), entity))
    assert (got.verdict, got.signed_bytes) == (Verdict.GOOD, entity)


@pytest.mark.row("P05")
def test_a_signing_subkey_proves_the_primary_key(opened: Open, keymaker: Keymaker) -> None:
    owner, subkey = keymaker.subkeyed
    got = opened(mails.signed(keymaker.sign(mails.ENTITY, f"{subkey}!")), owner)
    assert (got.verdict, got.fingerprint, got.issuer) == (Verdict.GOOD, owner.fingerprint, subkey)


@pytest.mark.row("P06")
@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_line_endings_on_the_way_change_nothing(opened: Open, keymaker: Keymaker, ending: bytes) -> None:
    raw = mails.signed(keymaker.sign(mails.ENTITY, keymaker.vendor)).replace(b"\r\n", b"\n").replace(b"\n", ending)
    got = opened(raw)
    assert (got.verdict, got.signed_bytes) == (Verdict.GOOD, mails.ENTITY)


# ---- who: the real signer, never the From ------------------------------------------------------------------


@pytest.mark.row("P50")
@pytest.mark.row("P51")
@pytest.mark.row("P52")
@pytest.mark.row("P53")
@pytest.mark.parametrize(
    "sender",
    [
        b"From: psirt@vendor.example\r\n",
        b'From: "psirt@vendor.example" <eve@eve.example>\r\n',
        b"From: psirt@vendor.example <eve@eve.example>\r\n",
        b'From: "psirt@vendor.example                                " <eve@eve.example>\r\n',
        b"From:\r\n",
        b"",
        b"From: Vendor PSIRT\r\n",
        b"From: psirt@vendor.example\r\nFrom: eve@eve.example\r\n",
        b"From: eve@eve.example\r\nFrom: psirt@vendor.example\r\n",
        b"From: psirt@vendor.example, eve@eve.example\r\n",
        b"From: eve@eve.example\r\nSender: psirt@vendor.example\r\n",
    ],
)
def test_the_proved_fingerprint_is_the_signers_whatever_the_from(
    opened: Open, keymaker: Keymaker, sender: bytes
) -> None:
    raw = mails.signed(keymaker.sign(mails.ENTITY, keymaker.eve), head=sender + b"Subject: VU#123456\r\n")
    got = opened(raw, registry=(keymaker.eve.public,))
    assert (got.verdict, got.fingerprint) == (Verdict.GOOD, keymaker.eve.fingerprint)


def test_a_key_nobody_knows_is_named_and_proves_nothing(opened: Open, keymaker: Keymaker) -> None:
    got = opened(mails.signed(keymaker.sign(mails.ENTITY, keymaker.eve)))
    assert (got.verdict, got.fingerprint, got.issuer) == (Verdict.UNKNOWN_KEY, "", keymaker.eve.fingerprint)
    assert nothing_proved(got)


def test_a_key_found_for_another_issuer_helps_nobody(opened: Open, keymaker: Keymaker) -> None:
    got = opened(mails.signed(keymaker.sign(mails.ENTITY, keymaker.eve)), registry=(keymaker.cert.public,))
    assert got.verdict is Verdict.UNKNOWN_KEY


def test_an_unknown_key_inside_an_encrypted_mail(opened: Open, keymaker: Keymaker) -> None:
    raw = mails.encrypted(keymaker.encrypt(mails.ENTITY, keymaker.cert, signer=keymaker.eve))
    unknown, known = opened(raw), opened(raw, registry=(keymaker.eve.public,))
    assert (unknown.verdict, unknown.decrypted, unknown.content) == (Verdict.UNKNOWN_KEY, "ok", mails.ENTITY)
    assert (known.verdict, known.fingerprint) == (Verdict.GOOD, keymaker.eve.fingerprint)


# ---- parts -------------------------------------------------------------------------------------------------


@pytest.mark.row("P40")
@pytest.mark.row("P43")
@pytest.mark.row("P45")
@pytest.mark.row("P80")
@pytest.mark.parametrize("way", ["part", "alternative", "attachment", "text", "footer", "forwarded"])
def test_what_covers_a_part_is_good_for_that_part_only(opened: Open, keymaker: Keymaker, way: str) -> None:
    whole = mails.signed(keymaker.sign(mails.ENTITY, keymaker.vendor), head=b"")
    block = keymaker.sign(TEXT, keymaker.vendor, mode="--clear-sign")
    other = b"Content-Type: text/html\r\n\r\n<p>EVIL"
    raw = {
        "part": mails.mixed(other, whole),
        "alternative": mails.mixed(b"\r\n" + block, other, kind=b"alternative"),
        "attachment": mails.mixed(other, b"Content-Disposition: attachment\r\n" + whole),
        "text": mails.text(b"EVIL\r\n" + block),
        "footer": mails.signed(keymaker.sign(mails.ENTITY, keymaker.vendor), epilogue=b"EVIL"),
        "forwarded": mails.mixed(other, b"Content-Type: message/rfc822\r\n\r\n" + mails.HEAD + whole),
    }[way]
    got = opened(raw)
    assert (got.verdict, got.covers, got.content) == (Verdict.GOOD, "part", None)


def test_a_returned_letter_is_not_opened(opened: Open, keymaker: Keymaker) -> None:
    letter = b"Content-Type: message/rfc822\r\n\r\n" + mails.signed(keymaker.sign(mails.ENTITY, keymaker.vendor))
    assert opened(mails.mixed(b"\r\nfailed", letter, kind=b"report")) == Opened()


# ---- headers inside, and what can be verified outside ------------------------------------------------------


LEGACY_HEADERS = (
    b"Content-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\n"
    b'Content-Type: text/rfc822-headers; protected-headers="v1"\r\n\r\n'
    b"Subject: VU#1 =?utf-8?q?gr=C3=BCn?=\r\n\r\n--i\r\n\r\nx\r\n--i--\r\n"
)


@pytest.mark.parametrize(
    "entity",
    [
        b'Content-Type: text/plain; hp="cipher"\r\nSubject: VU#1 =?utf-8?q?gr=C3=BCn?=\r\n\r\nx',
        b'Content-Type: text/plain; protected-headers="v1"\r\nSubject: VU#1 =?utf-8?q?gr=C3=BCn?=\r\n\r\nx',
        LEGACY_HEADERS,
    ],
)
@pytest.mark.parametrize("way", ["encrypted", "signed", "both"])
def test_the_protected_subject(opened: Open, keymaker: Keymaker, entity: bytes, way: str) -> None:
    detached = mails.signed(keymaker.sign(entity, keymaker.vendor), entity, head=b"" if way == "both" else mails.HEAD)
    raw = {
        "encrypted": mails.encrypted(keymaker.encrypt(entity, keymaker.cert)),
        "signed": detached,
        "both": mails.encrypted(keymaker.encrypt(detached, keymaker.cert)),
    }[way]
    assert opened(raw).protected_subject == "VU#1 grün"


def test_a_badly_signed_subject_protects_nothing(opened: Open, keymaker: Keymaker) -> None:
    entity = b'Content-Type: text/plain; hp="clear"\r\nSubject: VU#2\r\n\r\nx'
    assert opened(mails.signed(keymaker.sign(b"other", keymaker.vendor), entity)).protected_subject is None


@pytest.mark.parametrize("form", ["mime", "cleartext"])
def test_anybody_can_verify_what_is_kept(opened: Open, keymaker: Keymaker, tmp_path: Path, form: str) -> None:
    if form == "mime":
        got = opened(mails.signed(keymaker.sign(mails.ENTITY, keymaker.vendor)))
        (tmp_path / "statement").write_bytes(got.signed_bytes)
        (tmp_path / "statement.asc").write_bytes(got.signature)
        files = ["statement.asc", "statement"]
    else:
        got = opened(mails.text(keymaker.sign(TEXT, keymaker.vendor, mode="--clear-sign")))
        (tmp_path / "statement.asc").write_bytes(got.signed_bytes)
        files = ["statement.asc"]
    command = ["gpg", "--homedir", str(keymaker.home), "--verify", *files]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, timeout=60)
    assert (done.returncode, got.form) == (0, form)


@pytest.mark.parametrize("size", range(3))
@pytest.mark.parametrize("form", ["mime", "cleartext"])
def test_armor_without_a_checksum_is_as_good_and_what_is_kept_has_one(
    opened: Open, keymaker: Keymaker, form: str, size: int
) -> None:
    """As RFC 9580 wants it; what others verify with an old gpg must be readable for it."""
    key = PublicKey(FORGER.fingerprint, FORGER.certificate(b"PSIRT"))
    length = b"x" * size  # of the signature: in a third of all cases base64 needs no padding
    if form == "mime":
        signature = FORGER.signature(mails.ENTITY, 0, subpacket(28, length))
        got = opened(mails.signed(armor("SIGNATURE", signature)), key)
        kept = got.signature
    else:
        signature = FORGER.signature(TEXT.rstrip(b"\n").replace(b"\n", b"\r\n"), 1, subpacket(28, length))
        block = b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n" + TEXT.replace(b"\n-", b"\n- -")
        got = opened(mails.text(block + armor("SIGNATURE", signature)), key)
        kept = got.signed_bytes
    assert got.verdict is Verdict.GOOD
    assert re.search(rb"\n=[A-Za-z0-9+/]{4}\r?\n-----END PGP SIGNATURE-----", kept)
