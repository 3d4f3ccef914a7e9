"""What a new revision changes, in its readers' words."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.case import revised
from mailrouter.case.note import Note, Sections, Statement, Status, Vendor, Vulnerability

THEN = datetime(2026, 3, 2, 9, tzinfo=UTC)
STATED = Statement("We are not affected.", THEN, "signed", THEN, "AB" * 20, "1" * 64)
ACME = Vendor(
    1, "Acme", "answered", "Unknown", (Status(1, "Unknown", ""),), THEN, None, STATED, "", (),
)  # fmt: skip
BETA = replace(ACME, id=2, name="Beta", statement=None)
FLAW = Vulnerability(1, "A flaw", "", "", "", "", "", "")
NOTE = Note(123456, Sections("t", "o", "d", "i", "s", "a"), (FLAW,), (ACME, BETA), None)


def of_acme(**changed: object) -> Note:
    return replace(NOTE, vendors=(replace(ACME, **changed), BETA))  # type: ignore[arg-type]


def of_flaw(**changed: object) -> Note:
    return replace(NOTE, vulnerabilities=(replace(FLAW, **changed),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (NOTE, []),
        (of_acme(progress="non-responsive", notified_at=None, updated_at=THEN), []),
        (replace(NOTE, sections=replace(NOTE.sections, overview="other words")), []),
        (replace(NOTE, vendors=(ACME, replace(BETA, statement=STATED))), ["Statement of Beta added"]),
        (of_acme(statement=replace(STATED, text="We are.", sha256="2" * 64)), ["Statement of Acme updated"]),
        (of_acme(statement=None), ["Statement of Acme removed"]),
        (of_acme(status="Affected", statuses=(Status(1, "Affected", ""),)), ["Status of Acme updated"]),
        (of_acme(statuses=(Status(1, "Unknown", "3.2"),)), ["Status of Acme updated"]),
        (of_acme(addendum="We saw it."), ["Addendum on Acme added"]),
        (of_acme(links=("https://acme.example/",)), ["Addendum on Acme added"]),
        (replace(NOTE, vendors=(ACME, BETA, replace(BETA, id=3, name="Gamma"))), ["Gamma added"]),
        (replace(NOTE, vendors=(BETA,)), [revised.HIDDEN]),
        (replace(NOTE, vendors=()), [revised.HIDDEN]),
        (of_flaw(cve="CVE-2026-1"), ["CVE-2026-1 added"]),
        (of_flaw(cwe="CWE-79", cvss="AV:N"), ["CWE of VU#123456.1 added", "CVSS score of VU#123456.1 added"]),
        (of_flaw(text="More."), ["Description of VU#123456.1 updated"]),
        (replace(NOTE, vulnerabilities=(FLAW, replace(FLAW, number=2))), ["VU#123456.2 added"]),
        (replace(NOTE, public_at=THEN), []),  # with the note
    ],
)
def test_each_change_has_its_words(after: Note, words: list[str]) -> None:
    assert revised.changes(NOTE, after) == words


def test_a_date_that_was_known_before_the_note_is_corrected() -> None:
    assert revised.changes(replace(NOTE, public_at=THEN), NOTE) == ["Date Public corrected"]


def test_another_cve_id_names_the_one_it_replaces() -> None:
    assert revised.changes(of_flaw(cve="CVE-2026-1"), of_flaw(cve="CVE-2026-2")) == ["CVE-2026-2 replaces CVE-2026-1"]
    assert revised.changes(of_flaw(cve="CVE-2026-1"), NOTE) == ["CVE-2026-1 removed"]


@given(st.lists(st.sampled_from([ACME, BETA, replace(ACME, id=3, name="Hidden AG")]), unique_by=lambda v: v.id))
def test_who_is_in_it_no_more_is_not_named(before: list[Vendor]) -> None:
    after = [one for one in before if one.name != "Hidden AG"]
    words = revised.changes(replace(NOTE, vendors=tuple(before)), replace(NOTE, vendors=tuple(after)))
    assert words == ([revised.HIDDEN] if len(after) < len(before) else [])


def test_a_line_names_nobody_who_was_in_it_once() -> None:
    why = "Statement of Acme added; Status of Beta updated; Status of Acme updated"
    gone = replace(NOTE, vendors=(BETA,))
    assert revised.without(why, [NOTE], NOTE) == why
    assert revised.without(why, [NOTE], gone) == f"{revised.HIDDEN}; Status of Beta updated"
    assert revised.without(why, [], gone) == why, "nobody was in it before"
