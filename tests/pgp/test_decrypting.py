"""What is decrypted, and what leaves no plaintext behind (testbook P34, P100-P110)."""

import pytest

from mailrouter.mail.pgpmime import Opened, Verdict
from tests.pgp import mails
from tests.pgp.forge import armor, packet
from tests.pgp.keys import Keymaker
from tests.pgp.mails import Open

# ---- decryption --------------------------------------------------------------------------------------------


def test_encrypted_and_not_signed(opened: Open, keymaker: Keymaker) -> None:
    got = opened(mails.encrypted(keymaker.encrypt(mails.ENTITY, keymaker.cert)))
    assert (got.verdict, got.covers, got.decrypted, got.content) == (Verdict.NONE, "none", "ok", mails.ENTITY)


def test_encrypted_with_a_hidden_recipient(opened: Open, keymaker: Keymaker) -> None:
    got = opened(mails.encrypted(keymaker.encrypt(mails.ENTITY, keymaker.cert, more=("--throw-keyids",))))
    assert (got.decrypted, got.content) == ("ok", mails.ENTITY)


def failed(got: Opened) -> bool:
    """No plaintext was kept, and nothing is said to be signed."""
    return (got.decrypted, got.content, got.encrypted, got.signed_bytes) == (
        "fail",
        None,
        True,
        b"",
    ) and got.reason != ""


def test_encrypted_to_somebody_else(opened: Open, keymaker: Keymaker) -> None:
    assert failed(opened(mails.encrypted(keymaker.encrypt(mails.ENTITY, keymaker.eve, signer=keymaker.vendor))))


@pytest.mark.row("P100")
@pytest.mark.row("P101")
def test_altered_or_cut_off_ciphertext_leaves_no_plaintext(opened: Open, keymaker: Keymaker) -> None:
    to = ("--recipient", keymaker.cert.fingerprint, "-z", "0")
    message = keymaker.gpg(*to, "--encrypt", given=mails.ENTITY)
    for place in (-1, -20, -40):
        flipped = bytearray(message)
        flipped[place] ^= 1
        assert failed(opened(mails.encrypted(armor("MESSAGE", bytes(flipped)))))
    assert failed(opened(mails.encrypted(armor("MESSAGE", message[:-22]))))


@pytest.mark.row("P34")
@pytest.mark.row("P103")
@pytest.mark.row("P108")
@pytest.mark.parametrize("way", ["clear literal", "empty", "downgraded", "literal after", "password", "garbage"])
def test_what_only_looks_encrypted(opened: Open, keymaker: Keymaker, way: str) -> None:
    message = keymaker.gpg("--recipient", keymaker.cert.fingerprint, "--encrypt", given=mails.ENTITY)
    literal = packet(11, b"b\0\0\0\0\0" + mails.ENTITY)
    session_key = message[: 2 + message[1]]
    made = {
        "clear literal": literal,
        "empty": session_key + packet(18, b"\x01"),
        "downgraded": session_key + packet(9, message[2 + message[1] + 3 :]),
        "literal after": message + literal,
        "password": keymaker.gpg("--passphrase", "x", "--symmetric", given=mails.ENTITY),
        "garbage": b"\x84\x03abc",
    }[way]
    assert failed(opened(mails.encrypted(armor("MESSAGE", made))))


@pytest.mark.row("P110")
def test_a_bomb_is_not_unpacked(opened: Open, keymaker: Keymaker) -> None:
    bomb = keymaker.encrypt(bytes(60_000_000), keymaker.cert, more=("--compress-algo", "zlib"))
    assert len(bomb) < 200_000
    assert failed(opened(mails.encrypted(bomb)))


@pytest.mark.row("P105")
def test_an_encrypted_part_beside_plain_parts_is_partial(opened: Open, keymaker: Keymaker) -> None:
    part = mails.encrypted(keymaker.encrypt(mails.ENTITY, keymaker.cert, signer=keymaker.vendor), head=b"")
    got = opened(mails.mixed(b'Content-Type: text/html\r\n\r\n<img src="http://x/', part))
    assert (got.verdict, got.covers, got.decrypted) == (Verdict.GOOD, "part", "partial")
    assert got.content == mails.ENTITY


@pytest.mark.row("P106")
def test_what_was_encrypted_in_a_forwarded_mail_is_not_opened(opened: Open, keymaker: Keymaker) -> None:
    inner = mails.encrypted(keymaker.encrypt(mails.ENTITY, keymaker.cert))
    assert opened(mails.mixed(b"\r\nlook", b"Content-Type: message/rfc822\r\n\r\n" + inner)) == Opened()
