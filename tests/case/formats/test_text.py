"""A note as plain text: everything of it is there, and nobody's words pass for another's."""

from dataclasses import replace

import pytest
from hypothesis import given

from mailrouter.case import note
from mailrouter.case.formats import lines, text
from tests.case import notes

PLAIN = """\
TLP:CLEAR

VU#123456: A flaw in many parsers
=================================

Overview
--------

Parsers do not check a length.
"""
ACME = """\
ACME: Affected
--------------

What happened: has answered
Notified: 2026-01-16   Statement Date: 2026-03-02   Updated: 2026-02-28
CVE-2026-12345: Affected; fixed in 2.4

| We fixed this in 2.4.
|
| Please update.

Verified by the signature of key 89AB CDEF 0123 4567 89AB CDEF 0123 4567
89AB CDEF on 2026-03-02. SHA-256 of this text:
"""


def test_a_plain_note():
    shown = text.of(notes.FIRST, notes.OURS)
    assert shown.startswith(PLAIN)
    assert ACME in shown
    assert "  - Silent Ltd: contacted on 2026-01-16, no answer\n" in shown
    assert "https://notes.cert.example/vuls/id/123456\n" in shown
    assert all(len(line) <= lines.WIDTH for line in shown.split("\n"))


def test_a_note_that_is_no_edition_is_a_draft():
    shown = text.of(notes.NOTE, notes.OURS, draft="revision 1, draft 3")
    assert shown.startswith("DRAFT, not published. TLP:AMBER. revision 1, draft 3\n")
    assert "Document Revision" not in shown
    assert text.of(notes.NOTE, notes.OURS).startswith(text.DRAFT)
    assert text.of(notes.FIRST, notes.OURS, draft="revision 2, draft 1").startswith(text.DRAFT)


@given(notes.editions())
def test_any_note_is_one_text(edition):
    shown = text.of(edition, notes.OURS)
    assert shown.encode("utf-8").decode("utf-8") == shown
    assert shown.splitlines() == shown[:-1].split("\n")
    no_line_of_a_vendor_stands_outside_its_fence(edition, shown)
    every_vendor_and_every_id_is_named(edition, " ".join(shown.split()))


def no_line_of_a_vendor_stands_outside_its_fence(edition, shown):
    fenced = [lines.fenced(one.statement.text) for one in edition.note.vendors if one.statement]
    assert all(one in shown for one in fenced)
    assert sum(line.startswith("|") for line in shown.split("\n")) >= sum(one.count("\n") + 1 for one in fenced)


def every_vendor_and_every_id_is_named(edition, shown):
    assert all(lines.one(one.name) in shown for one in edition.note.vendors if len(one.name) < 30)
    assert all(one.cve in shown for one in edition.note.vulnerabilities)
    assert shown.count(note.NO_STATEMENT) <= sum(one.statement is None for one in edition.note.vendors)


def test_many_silent_vendors_are_a_list():
    silent = tuple(replace(notes.SILENT, id=one, name=f"Vendor {one:03}") for one in range(121))
    shown = text.of(notes.edition(vendors=silent), notes.OURS)
    assert "121 vendors: 121 Unknown." in shown
    assert shown.count(note.NO_STATEMENT) == 0
    assert shown.count("contacted on 2026-01-16, no answer") == 121


def test_a_megabyte_of_statement():
    said = replace(notes.STATEMENT, text="</p> ]]> \x00 " * 80_000)
    shown = text.of(notes.edition(vendors=(replace(notes.ACME, statement=said),)), notes.OURS)
    assert len(shown) > 1_000_000


@pytest.mark.parametrize("empty", ["", " \n "])
def test_an_empty_impact_is_said_to_be_unknown(empty):
    assert note.IMPACT_UNKNOWN in text.of(
        notes.edition(sections=replace(notes.SECTIONS, impact=empty)), notes.OURS
    )  # fmt: skip
