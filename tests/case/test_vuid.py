"""The one grammar of VU# and VRF# numbers: DOMAIN.md "Subjects and numbers", testbook S20."""
# ruff: noqa: RUF001  (look-alike and full-width characters are what is tested)

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.case import vuid
from mailrouter.case.vuid import VuId
from mailrouter.faults import Refused

FOUND = [
    ("VU#123456", ["VU#123456"]),
    ("vu#123456", ["VU#123456"]),
    ("Vu#123456", ["VU#123456"]),
    ("Re: AW: Fwd: [VU#123456] news", ["VU#123456"]),
    ("Re:VU#123456:news", ["VU#123456"]),
    ("VU # 123456", ["VU#123456"]),
    ("VU  #  123456", ["VU#123456"]),
    ("VU   #123456", []),
    ("VU#   123456", []),
    ("VU#123456.1", ["VU#123456.1"]),
    ("VU#123456.1234", ["VU#123456.1234"]),
    ("VU#123456.12345", ["VU#123456"]),
    ("VU#123456.0", ["VU#123456"]),
    ("VU#123456.", ["VU#123456"]),
    ("VU#123", ["VU#123"]),
    ("VU#12", []),
    ("VU#1234567", ["VU#1234567"]),
    ("VU#12345678", []),
    ("VU#0001", []),
    ("VU#012345", []),
    ("VU#-123456", []),
    ("VU#+123456", []),
    ("VU-123456", []),
    ("VU 123456", []),
    ("VU123456", []),
    ("#123456", []),
    ("XVU#123456", []),
    ("9VU#123456", []),
    ("_VU#123456", ["VU#123456"]),
    ("éVU#123456", ["VU#123456"]),
    ("VU#123456x", ["VU#123456"]),
    ("VU#123456VU#234567", ["VU#123456"]),
    ("[VU#111111][VU#222222]", ["VU#111111", "VU#222222"]),
    ("VU#222222 VU#111111 VU#222222", ["VU#222222", "VU#111111"]),
    ("VU#111111\tVU#222222", ["VU#111111", "VU#222222"]),
    ("VU#111111\n VU#222222", ["VU#111111", "VU#222222"]),
    ("VU#１２３４５６", ["VU#123456"]),
    ("ＶＵ＃１２３４５６", ["VU#123456"]),
    ("VU﹟123456", ["VU#123456"]),
    ("V\u200bU\u200d#\u206012\u00ad34\ufeff56", ["VU#123456"]),
    ("\u202eVU#123456\u202c", ["VU#123456"]),
    ("VU#\u2066123456\u2069", ["VU#123456"]),
    ("VU\x00#1\x0823\x7f456", ["VU#123456"]),
    ("VU#\ufe0f123456", ["VU#123456"]),
    ("VU\u00a0#\u2003123456", ["VU#123456"]),
    ("VÚ#123456", []),
    ("VU\u0301#123456", []),
    ("VU#١٢٣٤٥٦", []),
    ("VU#" + "1" * 1_000_000, []),
    ("", []),
]


@pytest.mark.row("S20")
@pytest.mark.parametrize(("text", "expected"), FOUND, ids=[repr(text[:30]) for text, _ in FOUND])
def test_find(text, expected):
    assert [str(vu) for vu in vuid.find(text)] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("VRF#25-01-BCDFG", ["VRF#25-01-BCDFG"]),
        ("Re: [vrf#25-12-zzzzz]", ["VRF#25-12-ZZZZZ"]),
        ("VRF # 25-01-BCDFG", ["VRF#25-01-BCDFG"]),
        ("ＶＲＦ＃25-01-BCDFG", ["VRF#25-01-BCDFG"]),
        ("VRF#25-13-BCDFG", []),
        ("VRF#25-00-BCDFG", []),
        ("VRF#25-01-BCDFA", []),
        ("VRF#25-01-BCDF", []),
        ("VRF#25-01-BCDFGH", []),
        ("VRF#25-01-BCDFG1", []),
        ("XVRF#25-01-BCDFG", []),
        ("VRF#25-01-BCDFG VRF#25-02-BCDFG VRF#25-01-bcdfg", ["VRF#25-01-BCDFG", "VRF#25-02-BCDFG"]),
    ],
)
def test_find_vrf(text, expected):
    assert list(vuid.find_vrf(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("VU-123456", ["VU#123456"]),
        ("VU 123456", ["VU#123456"]),
        ("vu123456", ["VU#123456"]),
        ("VU: 123456", ["VU#123456"]),
        ("VU\u2013123456", ["VU#123456"]),
        ("VU No. 123456", ["VU#123456"]),
        ("VU 123", []),  # too short to be meant
        ("VU#123456", []),  # found exactly, no hint needed
        ("VU#123456, VU-123456", []),
        ("VU#123456 or VU-654321", ["VU#654321"]),
        ("DEJAVU 123456", []),
    ],
)
def test_hints_only(text, expected):
    assert [str(vu) for vu in vuid.hints_only(text)] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("VU#123456", VuId(123456)),
        ("123456", VuId(123456)),
        (" vu#123456 ", VuId(123456)),
        ("VU# 123456".replace(" ", ""), VuId(123456)),
        ("123456.2", VuId(123456, 2)),
    ],
)
def test_argument(text, expected):
    assert vuid.parse_argument(text) == expected


@pytest.mark.parametrize(
    "text", ["", "VU#", "12", "012345", "-1", "VU-123456", "1e5", "123456 7", "１２３４５６", "VU#123456\nx"]
)
def test_argument_refused(text):
    with pytest.raises(Refused, match="a VU# is written VU#123456 or 123456"):
        vuid.parse_argument(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("next steps", "[VU#123456] next steps"),
        ("[VU#123456] next steps", "[VU#123456] next steps"),
        ("Re: [VU#123456] next steps", "[VU#123456] Re: next steps"),
        ("[vu#123456][ VU#123456 ] x", "[VU#123456] x"),
        ("about VU#123456", "[VU#123456] about VU#123456"),
        ("[VU#999999] other", "[VU#123456] [VU#999999] other"),
        ("a\r\nBcc: x@evil.example", "[VU#123456] a Bcc: x@evil.example"),
        ("", "[VU#123456]"),
    ],
)
def test_subject(text, expected):
    assert vuid.subject(VuId(123456), text) == expected


def test_subject_names_the_case_not_the_vulnerability():
    assert vuid.subject(VuId(123456, 3), "x") == "[VU#123456] x"


numbers = st.integers(100, 9_999_999)


@given(numbers, st.text(max_size=200))
def test_what_we_put_into_a_subject_is_found_again(number, text):
    line = vuid.subject(VuId(number), text)
    assert vuid.find(line)[0] == VuId(number)
    assert vuid.subject(VuId(number), line) == line
    assert len(line.splitlines()) == 1


@given(st.text(), numbers, st.text())
def test_a_number_set_off_by_blanks_is_found_in_any_text(before, number, after):
    assert VuId(number) in vuid.find(f"{before} VU#{number} {after}")


@given(st.text(alphabet="VUvu#0123456789. \u200b\u0301Ｖ＃１\x00\t[]", max_size=60))
def test_folding_in_pieces_finds_what_plain_nfkc_finds(text):
    # The rule as DOMAIN.md words it, applied to the whole text at once, quadratic as it may be.
    blanks = text.replace("\t", " ")
    whole = unicodedata.normalize("NFKC", blanks).replace("\u200b", "").replace("\x00", "")
    assert vuid.find(text) == vuid.find(whole)


@given(st.text())
def test_nothing_raises_and_results_are_canonical(text):
    for vu in vuid.find(text):
        assert vuid.parse_argument(str(vu)) == vu
    assert not set(vuid.hints_only(text)) & {vu.case for vu in vuid.find(text)}
    vuid.find_vrf(text)


HOSTILE = {
    "marks": "\u0315\u0300" * 16_384,
    "expanding": "\ufdfa" * 21_845,
    "digits": "VU#" + "1" * 65_533,
    "almost": "VU#" * 21_845,
    "blanks": "VU" + " " * 65_534,
    "many": "VU#1234567 " * 5_957,
    "unseen": "VU#1" + "\u200b" * 21_000 + "23456",
}


@pytest.mark.row("S20")
@pytest.mark.parametrize("name", HOSTILE)
def test_linear_time(name):
    """Twice the text makes at most about twice the steps (5 ms for 64 KB is measured by hand; steps do not flicker)."""
    text = HOSTILE[name]

    def steps(what: str) -> int:
        counted = 0

        def count(_frame, _event, _arg):
            nonlocal counted
            counted += 1

        sys.setprofile(count)
        try:
            vuid.find(what), vuid.find_vrf(what), vuid.hints_only(what)
        finally:
            sys.setprofile(None)
        return counted

    assert steps(text) <= 2.2 * steps(text[: len(text) // 2]) + 100
