"""The status grammar and its tables, without gpg: only what is expected to the letter is good."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.mail.pgpmime import Verdict
from mailrouter.pgp import status
from mailrouter.pgp.status import Garbage, Judged, Surprise

KEY, PRIMARY, ID = "A" * 40, "B" * 40, "A" * 16
VALID = f"VALIDSIG {KEY} 2026-01-01 1767225600 0 4 0 22 10 00 {PRIMARY}"
GOOD = ["NEWSIG psirt@vendor.example", f"SIG_ID {'x' * 27} 2026-01-01 1767225600", f"GOODSIG {ID} Vendor <x@y>", VALID]
ERRSIG = f"ERRSIG {ID} 22 10 00 1767225600"
BEFORE = [f"ENC_TO {ID} 18 0", f"DECRYPTION_KEY {KEY} {PRIMARY} u", "BEGIN_DECRYPTION", "DECRYPTION_INFO 2 9 0"]
PLAINTEXT = ["PLAINTEXT 62 1767225600 name", "PLAINTEXT_LENGTH 9"]
AFTER = ["DECRYPTION_OKAY", "GOODMDC", "END_DECRYPTION"]


def lines(*said: str) -> bytes:
    """As gpg writes them."""
    return b"".join(b"[GNUPG:] " + line.encode() + b"\n" for line in said)


def judge(*said: str, code: int = 0) -> Judged:
    """The verdict on a detached signature."""
    return status.signature(status.read(lines(*said)), code)


def test_everything_a_good_signature_says_is_kept() -> None:
    got = judge(*GOOD)
    assert got == Judged(
        Verdict.GOOD, "", PRIMARY, KEY, KEY, datetime(2026, 1, 1, tzinfo=UTC), "x" * 27, 22
    )  # fmt: skip


@pytest.mark.parametrize(
    ("said", "code", "verdict"),
    [
        (GOOD, 0, Verdict.GOOD),
        (GOOD, 1, Verdict.BAD),
        (GOOD, 2, Verdict.BAD),
        ([*GOOD, "FAILURE gpg-exit 33554433"], 0, Verdict.BAD),
        ([*GOOD, "KEYEXPIRED 1735776000"], 0, Verdict.GOOD),
        ([GOOD[0], f"EXPKEYSIG {ID} x", VALID], 0, Verdict.EXPIRED_KEY),
        ([GOOD[0], f"REVKEYSIG {ID} x", VALID], 0, Verdict.REVOKED_KEY),
        ([GOOD[0], f"EXPSIG {ID} x", VALID], 1, Verdict.EXPIRED_SIGNATURE),
        ([GOOD[0], f"BADSIG {ID} x", "FAILURE gpg-exit 33554433"], 1, Verdict.BAD),
        ([GOOD[0], f"{ERRSIG} 9 {KEY}", f"NO_PUBKEY {ID}"], 2, Verdict.UNKNOWN_KEY),
        ([GOOD[0], f"{ERRSIG} 9 -", f"NO_PUBKEY {ID}"], 2, Verdict.UNKNOWN_KEY),
        ([GOOD[0], f"{ERRSIG} 4"], 2, Verdict.UNSUPPORTED),
        ([GOOD[0], f"{ERRSIG} 5 {KEY}"], 2, Verdict.UNSUPPORTED),
        ([GOOD[0], f"{ERRSIG} 39 {KEY}"], 2, Verdict.BAD),
        ([GOOD[0], f"{ERRSIG} 12345 {KEY}"], 2, Verdict.BAD),
        (GOOD * 2, 0, Verdict.BAD),
        ([*GOOD, GOOD[0], f"BADSIG {ID} x"], 1, Verdict.BAD),
        ([GOOD[2], VALID], 0, Verdict.BAD),
        ([GOOD[0], VALID, GOOD[2]], 0, Verdict.BAD),
        ([*GOOD, VALID], 0, Verdict.BAD),
        ([*GOOD[:2], VALID], 0, Verdict.BAD),
        (GOOD[:3], 0, Verdict.BAD),
        ([*GOOD, f"BADSIG {ID} x"], 0, Verdict.BAD),
        ([*GOOD, "NODATA 1"], 0, Verdict.BAD),
        ([*GOOD, "UNEXPECTED 0"], 0, Verdict.BAD),
        ([*GOOD, "BADARMOR"], 0, Verdict.BAD),
        ([*GOOD, "KEYREVOKED"], 0, Verdict.BAD),
        ([*GOOD, "ERROR verify.leave 1"], 0, Verdict.BAD),
        (["NODATA 2", "FAILURE verify 4294967295"], 2, Verdict.BAD),
        ([*GOOD[:3], VALID.replace(" 10 00 ", " 2 00 ")], 0, Verdict.UNSUPPORTED),
        ([*GOOD[:3], VALID.replace(" 10 00 ", " 10 1F ")], 0, Verdict.UNSUPPORTED),
    ],
)
def test_one_signature(said: list[str], code: int, verdict: Verdict) -> None:
    got = judge(*said, code=code)
    assert got.verdict is verdict
    assert (got.reason == "") == (verdict is Verdict.GOOD)


@pytest.mark.row("P12")
@pytest.mark.parametrize(
    "line",
    [
        "HELLO", "", " ", "GOODSIG", "GOODSIG AAAA x", "goodsig " + ID + " x", f"GOODSIG  {ID} x", f"GOODSIG {ID} a\rb",
        f"GOODSIG {ID} a\x00b", VALID + " ", VALID + " more", VALID.lower(), VALID.replace(" 4 0 ", " 3 0 "),
        VALID.replace(PRIMARY, "B" * 39), VALID.replace(PRIMARY, "B" * 64), "BEGIN_DECRYPTION now", "NEWSIG\tx",
        f"ENC_TO {ID}", "DECRYPTION_INFO two nine", "VALIDSIG\u2028" + VALID[9:], "TRUST_NEVER",
    ],
    ids=ascii,
)  # fmt: skip
def test_a_line_that_is_in_no_grammar_is_a_surprise(line: str) -> None:
    with pytest.raises(Surprise):
        status.read(lines(*GOOD, line))


@pytest.mark.row("R18")
@pytest.mark.parametrize(
    "printed",
    [b"", b"\n", b"[GNUPG:] NEWSIG", b"gpg: out of memory\n", b"[GNUPG:] NEWSIG\nSegmentation fault\n", b"\0\0\0\n",
     b"[GNUPG:]NEWSIG\n", b" [GNUPG:] NEWSIG\n", lines(*GOOD)[:-1], lines(*GOOD) + b"\n", lines(*GOOD) + b"[GNUPG"],
)  # fmt: skip
def test_what_is_no_status_at_all_is_garbage(printed: bytes) -> None:
    with pytest.raises(Garbage):
        status.read(printed)


@pytest.mark.row("P11")
@pytest.mark.parametrize("line_break", ["\x85", "\u2028", "\u2029", "\x1c", "\x0b", "\x0c", "\r"], ids=ascii)
def test_only_lf_ends_a_line(line_break: str) -> None:
    uid = f"x{line_break}[GNUPG:] {VALID}{line_break}".strip("\r")
    try:
        read = status.read(lines("NEWSIG", f"{ERRSIG} 9 {KEY}", f"NO_PUBKEY {ID}", f"NEWSIG {uid}"))
    except Surprise:
        return
    assert [line.keyword for line in read] == ["NEWSIG", "ERRSIG", "NO_PUBKEY", "NEWSIG"]


@pytest.mark.parametrize(
    ("said", "code", "whole"),
    [
        ([*BEFORE, *PLAINTEXT, *AFTER], 0, True),
        ([*BEFORE, *PLAINTEXT, *GOOD, *AFTER], 0, True),
        ([*BEFORE, *PLAINTEXT, GOOD[0], f"{ERRSIG} 9 {KEY}", f"NO_PUBKEY {ID}", *AFTER], 2, True),
        ([f"ENC_TO {ID} 1 0", f"NO_SECKEY {ID}", *BEFORE, *PLAINTEXT, *AFTER], 0, True),
        ([*BEFORE[:3], "DECRYPTION_INFO 0 9 2", *PLAINTEXT, *AFTER], 0, True),
        ([*BEFORE[:3], "DECRYPTION_INFO 0 9", *PLAINTEXT, *AFTER], 0, False),
        ([*BEFORE[:3], "DECRYPTION_INFO 0 9 0", *PLAINTEXT, *AFTER], 0, False),
        ([*BEFORE, *PLAINTEXT, *AFTER], 2, False),
        ([*BEFORE, *PLAINTEXT, *AFTER, "FAILURE gpg-exit 1"], 2, False),
        ([*BEFORE, *PLAINTEXT, *PLAINTEXT, *AFTER], 0, False),
        ([*BEFORE, *AFTER], 0, False),
        ([*BEFORE, *PLAINTEXT, *AFTER[:1], *AFTER[2:]], 0, False),
        ([*BEFORE, *PLAINTEXT, "BADMDC", *AFTER], 0, False),
        ([*BEFORE, *PLAINTEXT, "DECRYPTION_FAILED", "END_DECRYPTION"], 2, False),
        ([*BEFORE, *PLAINTEXT, *AFTER, *PLAINTEXT], 0, False),
        ([*BEFORE, *PLAINTEXT, *AFTER, *GOOD], 0, False),
        ([*GOOD, *BEFORE, *PLAINTEXT, *AFTER], 0, False),
        ([*PLAINTEXT, *BEFORE, *AFTER], 0, False),
        (BEFORE[2:] + PLAINTEXT + AFTER, 0, False),
        ([*PLAINTEXT, *GOOD], 0, False),
        ([*AFTER], 0, False),
        (["NODATA 1"], 2, False),
    ],
)
def test_decrypted_whole_or_not_at_all(said: list[str], code: int, whole: bool) -> None:
    assert (status.decrypted(status.read(lines(*said)), code) is not None) == whole


@pytest.mark.parametrize(
    ("said", "trouble"),
    [
        (["ERROR pkdecrypt_failed 67108875"], True),
        (["ERROR pkdecrypt_failed 67108949"], True),
        (["ERROR pkdecrypt_failed 117473366"], True),
        (["BAD_PASSPHRASE " + ID], True),
        (["MISSING_PASSPHRASE"], True),
        (["ERROR pkdecrypt_failed 67108881"], False),
        (["ERROR add_keyblock_resource"], False),
        ([f"NO_SECKEY {ID}"], False),
    ],
)
def test_whose_fault_a_failure_is(said: list[str], trouble: bool) -> None:
    assert status.our_trouble(status.read(lines(*said))) == trouble


PIECES = [
    *GOOD, *BEFORE, *PLAINTEXT, *AFTER, f"BADSIG {ID} x", f"EXPSIG {ID} x", f"EXPKEYSIG {ID} x", f"REVKEYSIG {ID} x",
    f"{ERRSIG} 9 {KEY}", f"NO_PUBKEY {ID}", "NODATA 1", "UNEXPECTED 0", "BADARMOR", "FAILURE verify 1", "KEYREVOKED",
    "ERROR verify.leave 1", f"KEY_CONSIDERED {PRIMARY} 0", VALID.replace(PRIMARY, "C" * 40),
]  # fmt: skip


def oracle(said: list[str], code: int) -> bool:
    """Condition 2 in the plainest words."""
    words = [line.split(" ")[0] for line in said]
    forbidden = {"BADSIG", "ERRSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG", "KEYREVOKED", "NO_PUBKEY", "NODATA",
                 "UNEXPECTED", "FAILURE", "ERROR", "BADARMOR"}  # fmt: skip
    wanted = [word for word in words if word in {"NEWSIG", "GOODSIG", "VALIDSIG"}]
    return code == 0 and wanted == ["NEWSIG", "GOODSIG", "VALIDSIG"] and not forbidden & set(words)


@pytest.mark.row("P130")
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=12), st.sampled_from([0, 0, 0, 1, 2]))
def test_no_stream_is_good_unless_the_plain_rules_agree(said: list[str], code: int) -> None:
    assert judge(*said, code=code).verdict is not Verdict.GOOD or oracle(said, code)


@pytest.mark.row("P130")
@given(st.data())
def test_no_mutated_stream_is_good_for_another_key(data: st.DataObject) -> None:
    stream = bytearray(lines(*GOOD))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(stream) - 1))
        stream[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        got = status.signature(status.read(bytes(stream)), 0)
    except (Garbage, Surprise):
        return
    assert got.verdict is not Verdict.GOOD or f" {got.fingerprint}\n".encode() in stream
