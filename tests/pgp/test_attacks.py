"""Signatures gpg would be talked into, by what it is made to print or by what is beside them (P10-P32)."""

import re

import pytest

from mailrouter.mail.pgpmime import Verdict
from mailrouter.pgp import PublicKey
from tests.pgp import mails
from tests.pgp.forge import FORGER, armor, notation, packet, subpacket
from tests.pgp.keys import Keymaker
from tests.pgp.mails import TEXT, Open, nothing_proved

# ---- G: what gpg is made to print --------------------------------------------------------------------------

FAKE = b"\n[GNUPG:] NEWSIG\n[GNUPG:] GOODSIG 0000000000000000 x\n[GNUPG:] VALIDSIG " + b"A" * 40
BREAKS = ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x1e", "\x85", "\u2028", "\u2029"]


def imitation(fingerprint: str, line_break: str) -> bytes:
    """Status lines of a good signature by somebody else, each after that line break."""
    valid = f"VALIDSIG {fingerprint} 2026-01-01 1767225600 0 4 0 22 8 00 {fingerprint}"
    lines = ["x", f"[GNUPG:] GOODSIG {fingerprint[-16:]} x", f"[GNUPG:] {valid}", ""]
    return line_break.join(lines).encode()


@pytest.mark.row("P10")
def test_a_file_name_that_imitates_status_lines_is_no_signature(opened: Open) -> None:
    literal = packet(11, b"b" + bytes([len(FAKE)]) + FAKE + b"\0\0\0\0" + TEXT)
    got = opened(mails.text(armor("MESSAGE", literal)))
    assert (got.verdict, got.covers, got.fingerprint, got.content) == (Verdict.NONE, "none", "", None)


@pytest.mark.row("P11")
@pytest.mark.parametrize("line_break", BREAKS, ids=ascii)
def test_an_unknown_key_that_imitates_status_lines(opened: Open, keymaker: Keymaker, line_break: str) -> None:
    signers_uid = subpacket(28, imitation(keymaker.vendor.fingerprint, line_break))
    got = opened(mails.signed(armor("SIGNATURE", FORGER.signature(mails.ENTITY, 0, signers_uid))))
    assert nothing_proved(got)
    assert got.fingerprint == ""


@pytest.mark.row("P12")
@pytest.mark.parametrize(
    "tail", [b"\n[GNUPG:] ", b"\n[GNUPG:] VALIDSIG", b"\n[GNUPG:] NEWSIG \xff\xfe", b"\n[GNUPG", b"\n"]
)
def test_an_imitation_nobody_can_parse(opened: Open, tail: bytes) -> None:
    got = opened(mails.signed(armor("SIGNATURE", FORGER.signature(mails.ENTITY, 0, subpacket(28, FAKE + tail)))))
    assert nothing_proved(got)


@pytest.mark.row("P13")
@pytest.mark.row("P14")
@pytest.mark.parametrize(
    "user_id",
    [
        *(imitation("A" * 40, line_break) for line_break in BREAKS),
        b"Eve [GNUPG:] VALIDSIG " + b"A" * 40,
        b"\xff\xfe\x00%0A",
    ],
)
def test_a_user_id_that_imitates_status_lines_proves_its_own_key(opened: Open, user_id: bytes) -> None:
    key = PublicKey(FORGER.fingerprint, FORGER.certificate(user_id))
    signature = FORGER.signature(mails.ENTITY, 0, subpacket(28, user_id))
    got = opened(mails.signed(armor("SIGNATURE", signature)), registry=(key,))
    assert (got.verdict, got.fingerprint) == (Verdict.GOOD, FORGER.fingerprint)


@pytest.mark.row("P15")
@pytest.mark.row("P16")
@pytest.mark.parametrize(
    "extra",
    [
        notation(b"x@y", b"a\n[GNUPG:] VALIDSIG " + b"B" * 40),
        notation(b"x\n[GNUPG:] GOODSIG y@z", b"v"),
        notation(b"x@y", b"\x1b[31mred\x1b[0m" * 800),
        notation(b"x@y", b"%" * 60_000),
        subpacket(26, b"http://127.0.0.1:9/policy\n[GNUPG:] GOODSIG"),
        subpacket(24, b"hkp://127.0.0.1:9/\nx"),
        subpacket(20, b"\x80\0\0\0\xff\xff\xff\xffshort"),
    ],
    ids=["value", "name", "escapes", "60kB", "policy", "keyserver", "truncated"],
)
def test_notations_and_addresses_in_a_signature_have_no_weight(opened: Open, extra: bytes) -> None:
    key = PublicKey(FORGER.fingerprint, FORGER.certificate(b"Eve <eve@eve.example>"))
    got = opened(mails.signed(armor("SIGNATURE", FORGER.signature(mails.ENTITY, 0, extra))), registry=(key,))
    assert got.verdict in {Verdict.GOOD, Verdict.BAD, Verdict.UNSUPPORTED}
    assert got.fingerprint in {FORGER.fingerprint, ""}


@pytest.mark.row("P17")
@pytest.mark.row("P18")
@pytest.mark.row("P19")
@pytest.mark.row("P20")
@pytest.mark.parametrize("pair", ["malicious+good", "good+good", "bad+good", "good+bad", "twice", "unknown+good"])
def test_several_signatures_are_invalid(opened: Open, keymaker: Keymaker, pair: str) -> None:
    good = keymaker.gpg("--local-user", keymaker.vendor.fingerprint, "--detach-sign", given=mails.ENTITY)
    eve = keymaker.gpg("--local-user", keymaker.eve.fingerprint, "--detach-sign", given=mails.ENTITY)
    bad = keymaker.gpg("--local-user", keymaker.eve.fingerprint, "--detach-sign", given=b"other")
    malicious = FORGER.signature(mails.ENTITY, 0, subpacket(28, imitation(keymaker.vendor.fingerprint, "\n")))
    made = {
        "malicious+good": malicious + good, "good+good": good + eve, "bad+good": bad + good, "good+bad": good + bad,
        "twice": good + good, "unknown+good": malicious + good,
    }[pair]  # fmt: skip
    forged = PublicKey(FORGER.fingerprint, FORGER.certificate(b"Eve"))
    known = [keymaker.vendor, keymaker.eve, *([forged] if pair.startswith("malicious") else [])]
    got = opened(mails.signed(armor("SIGNATURE", made)), *known)
    assert nothing_proved(got)
    assert (got.verdict, got.fingerprint) == (Verdict.BAD, "")
    if pair == "good+good":
        assert {keymaker.vendor.fingerprint, keymaker.eve.fingerprint} <= set(re.findall("[0-9A-F]{40}", got.reason))


@pytest.mark.row("P18")
@pytest.mark.parametrize("mode", ["--clear-sign", "--sign"])
def test_two_signatures_in_one_block_are_invalid(opened: Open, keymaker: Keymaker, mode: str) -> None:
    block = keymaker.sign(TEXT, keymaker.vendor, keymaker.eve, mode=mode)
    assert nothing_proved(opened(mails.text(block), keymaker.vendor, keymaker.eve))


@pytest.mark.row("P18")
def test_two_signatures_inside_an_encrypted_message_are_invalid(opened: Open, keymaker: Keymaker) -> None:
    message = keymaker.encrypt(
        TEXT, keymaker.cert, signer=keymaker.vendor, more=("--local-user", keymaker.eve.fingerprint)
    )
    got = opened(mails.text(message), keymaker.vendor, keymaker.eve)
    assert (got.verdict, got.decrypted, got.fingerprint) == (Verdict.BAD, "ok", "")


# ---- composition -------------------------------------------------------------------------------------------


@pytest.mark.row("P25")
@pytest.mark.row("P26")
@pytest.mark.row("P27")
@pytest.mark.parametrize("order", ["appended", "prepended", "two literals"])
def test_another_text_beside_the_signed_one(opened: Open, keymaker: Keymaker, order: str) -> None:
    signed = keymaker.gpg("--local-user", keymaker.vendor.fingerprint, "-z", "0", "--sign", given=TEXT)
    literal = packet(11, b"b\0\0\0\0\0EVIL")
    made = {"appended": signed + literal, "prepended": literal + signed, "two literals": literal + literal}[order]
    assert nothing_proved(opened(mails.text(armor("MESSAGE", made))))


@pytest.mark.row("P28")
@pytest.mark.parametrize("swapped", [False, True])
def test_two_armored_messages_are_invalid(opened: Open, keymaker: Keymaker, swapped: bool) -> None:
    blocks = [keymaker.sign(TEXT, who, mode="--sign") for who in (keymaker.vendor, keymaker.eve)]
    body = b"".join(reversed(blocks) if swapped else blocks)
    assert nothing_proved(opened(mails.text(body), keymaker.vendor, keymaker.eve))


@pytest.mark.row("P29")
@pytest.mark.row("P30")
@pytest.mark.parametrize(
    "content",
    [packet(10, b"PGP"), b"", packet(11, b"b\0\0\0\0\0EVIL"), packet(8, b"\0"), b"\x88\x03", b"garbage"],
    ids=["marker", "empty", "literal", "compressed", "cut off", "garbage"],
)
@pytest.mark.parametrize("form", ["cleartext", "mime"])
def test_a_signature_that_is_none(opened: Open, content: bytes, form: str) -> None:
    signature = armor("SIGNATURE", content)
    block = b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nevil\n" + signature
    assert nothing_proved(opened(mails.text(block) if form == "cleartext" else mails.signed(signature)))


@pytest.mark.row("P30")
@pytest.mark.row("P31")
@pytest.mark.parametrize("mode", ["--sign", "--clear-sign"])
def test_a_whole_signed_message_is_no_detached_signature(opened: Open, keymaker: Keymaker, mode: str) -> None:
    assert nothing_proved(opened(mails.signed(keymaker.sign(TEXT, keymaker.vendor, mode=mode))))


@pytest.mark.row("P32")
@pytest.mark.parametrize("kind", [0x02, 0x10, 0x13, 0x18, 0x40])
def test_signatures_of_other_kinds_sign_no_mail(opened: Open, kind: int) -> None:
    key = PublicKey(FORGER.fingerprint, FORGER.certificate(b"Eve"))
    got = opened(mails.signed(armor("SIGNATURE", FORGER.signature(mails.ENTITY, kind))), key)
    assert (nothing_proved(got), got.verdict) == (True, Verdict.UNSUPPORTED)


@pytest.mark.row("P32")
@pytest.mark.parametrize("version", [3, 5, 6, 255])
def test_signatures_of_other_versions(opened: Open, version: int) -> None:
    got = opened(mails.signed(armor("SIGNATURE", FORGER.signature(mails.ENTITY, version=version))))
    assert (nothing_proved(got), got.verdict) == (True, Verdict.UNSUPPORTED)


def test_an_altered_text_is_bad(opened: Open, keymaker: Keymaker) -> None:
    signature = keymaker.sign(mails.ENTITY, keymaker.vendor)
    got = opened(mails.signed(signature, mails.ENTITY.replace(b"not ", b"")))
    assert (got.verdict, got.covers, nothing_proved(got)) == (Verdict.BAD, "all", True)
