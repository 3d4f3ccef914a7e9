"""CVE IDs out of text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter import faults
from mailrouter.case import cveid


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("CVE-2026-12345", "CVE-2026-12345"), (" cve-1999-0001 ", "CVE-1999-0001"), ("CVE-2026-" + "1" * 19,) * 2],
)
def test_what_is_one(typed: str, meant: str) -> None:
    assert cveid.read(typed) == meant


@pytest.mark.parametrize(
    "typed",
    ["", "2026-12345", "CVE-2026-123", "CVE-1998-1234", "CVE-2026-" + "1" * 20, "CVE-२०२६-1234", "CVE-2026-1234x"],
)
def test_what_is_none(typed: str) -> None:
    with pytest.raises(faults.Refused):
        cveid.read(typed)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("We assigned CVE-2026-12345.", ("CVE-2026-12345",)),
        ("cve-2026-1234, CVE-2026-1234 and (CVE-2025-99999)", ("CVE-2026-1234", "CVE-2025-99999")),
        ("XCVE-2026-1234 CVE-2026-1234x CVE-2026-12", ()),
        ("https://www.cve.org/CVERecord?id=CVE-2026-1234", ("CVE-2026-1234",)),
    ],
)
def test_where_they_stand_in_a_text(text: str, found: tuple[str, ...]) -> None:
    assert cveid.find(text) == found


@given(st.text())
def test_whatever_is_found_is_one(text: str) -> None:
    assert all(cveid.read(one) == one for one in cveid.find(text))


@pytest.mark.parametrize(("typed", "meant"), [("CWE-79", "CWE-79"), ("787", "CWE-787"), ("cwe-1", "CWE-1")])
def test_weaknesses(typed: str, meant: str) -> None:
    assert cveid.read_cwe(typed) == meant


@pytest.mark.parametrize("typed", ["", "CWE-0", "CWE-", "XSS", "CWE-100000"])
def test_no_weakness(typed: str) -> None:
    with pytest.raises(faults.Refused):
        cveid.read_cwe(typed)
