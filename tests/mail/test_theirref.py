"""Their own reference, out of their subjects."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.mail import compose, theirref

FOUND = {
    "[ACME-4411] Re: VU#123456": "ACME-4411",
    "Re: [VU#123456] [ACME-4411] Vulnerability report, please read": "ACME-4411",
    "RE: [EXTERNAL] [VU#123456] Vulnerability report - (INC0012345)": "INC0012345",
    "ACME-SR-2026-17: Re: [VU#123456] Vulnerability report": "ACME-SR-2026-17",
    "Case #4411 opened: VU#123456": "4411",
    "Case#00442211 has been created (VU#123456)": "00442211",
    "VU#123456 [ ref:_00D3000ABC._5003000XYZ:ref ]": "ref:_00D3000ABC._5003000XYZ:ref",
    "Re: VU#123456 ref:_00D3000ABC._5003000XYZ:ref": "ref:_00D3000ABC._5003000XYZ:ref",
    "[Ticket#2026112210000017] VU#123456": "2026112210000017",
    "[Ticket: ABC-17] VU#123456": "ABC-17",
    "[JIRA] (PSIRT-991) VU#123456": "PSIRT-991",
    "VU#123456 Re: Support Ticket No. 88123": "",  # no sign behind the label: could be any words
    "VU#123456 support ticket number: 88123": "88123",
    "[SEC#1234] [VU#123456] hello": "SEC#1234",
    "AW: VU#123456, Ihre Anfrage [#778899]": "",
    "Re: VU#123456 [acme.example #778899]": "",
    "Re: [VU#123456.2] PSIRT-0042 your report on CVE-2026-1234": "PSIRT-0042",
    "msrc case: 88123 VU#123456": "88123",
}
NONE = [
    "", "Re: [VU#123456] Vulnerability report, please read", "[EXTERNAL] Re: [VU#123456] x", "*** SPAM *** VU#123456",
    "[SPAM 5.1] VU#123456", "Fwd: (CVE-2026-12345) VU#123456", "CVE-2026-12345 and CWE-79 in VU#123456",
    "VU#123456 (2026-12-01)", "VU#123456 [2/3]", "VU#123456 fixed in [3.2.1]", "VU#123456 [v2]", "VU#123456 (2)",
    "VRF#26-11-BCDFG", "[VRF#26-11-BCDFG]", "VU#123456 UTF-8 SHA-256 RFC-5322", "[TLP:AMBER] VU#123456",
    "VU#123456 [2026]", "VU#123456 statement", "[statement-2026-17] VU#123456", "VU#123456 KW-47",
    "[GHSA-1234-5678-9abc]",
    "VU#123456 (123456789)", "VU# 123456 [VU 123456-1]",
]  # fmt: skip


@pytest.mark.parametrize("subject", FOUND)
def test_found(subject: str) -> None:
    assert theirref.proposed(subject) == FOUND[subject]


@pytest.mark.parametrize("subject", NONE)
def test_none(subject: str) -> None:
    assert theirref.proposed(subject) == ""


def test_what_is_recorded_and_what_is_ours_is_not_proposed() -> None:
    subject = "[ACME-4411] Re: [VU#123456] Overflow in LIB-2026"
    assert theirref.proposed(subject, known="acme-4411") == ""
    assert theirref.proposed("[ACME-9] [ACME-4411] VU#123456", known="ACME-4411") == ""  # it stands there, still
    assert theirref.proposed("[ACME-9922] VU#123456", known="ACME-4411") == "ACME-9922"
    assert theirref.proposed("Re: VU#123456 Overflow in LIB-2026", ours="Overflow in LIB-2026") == ""


@given(st.text(), st.text(max_size=10))
def test_whatever_it_is_it_can_stand_in_our_subjects(subject: str, known: str) -> None:
    found = theirref.proposed(subject, known)
    assert not found or (f"[{found}]" in compose.subject("x", "VU#123456", found) and found in subject)


@given(st.from_regex(r"[A-Z]{3,6}-[0-9]{4,8}", fullmatch=True))
def test_a_bracketed_number_of_theirs_is_found(number: str) -> None:
    assert theirref.proposed(f"Re: [VU#123456] [{number}] Report") in (number, "")


@pytest.mark.parametrize("subject", ["[" * 100_000, "ref:" * 50_000, "A-" * 100_000, "case #" * 50_000, "(1" * 90_000])
def test_hostile_subjects_cost_no_more_than_their_length(subject: str) -> None:
    theirref.proposed(subject)
