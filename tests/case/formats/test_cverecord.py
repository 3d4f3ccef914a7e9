"""CVE records of notes: valid whatever the note holds, and saying what it says."""

import json
from dataclasses import replace
from typing import Any

import pytest
from cvelib.cve_api import CveRecord
from hypothesis import given, settings
from hypothesis import strategies as st

from mailrouter import cve
from mailrouter.case import cvss, note
from mailrouter.case.formats import cverecord
from tests.case import notes
from tests.case.notes import ACME, FIRST, FLAW, NOTE, NOWHERE, OURS

ADDRESS = "https://notes.cert.example/vuls/id/123456"


def made(edition: note.Edition = FIRST, flaw: note.Vulnerability = FLAW) -> dict[str, Any]:
    return cverecord.container(edition, flaw, OURS)


@given(edition=notes.editions(), ours=st.sampled_from([OURS, NOWHERE]), org=st.sampled_from(["", "cert", "x" * 40]))
@settings(max_examples=60)
def test_every_note_makes_valid_records(edition: note.Edition, ours: Any, org: str) -> None:
    for flaw in edition.note.vulnerabilities:
        cve.check(cverecord.container(edition, flaw, ours))
        if flaw.cve:
            whole = cverecord.record(edition, flaw, ours, org)
            CveRecord.validate(json.loads(json.dumps(whole)), CveRecord.Schemas.V5_SCHEMA)


@given(edition=notes.editions())
@settings(max_examples=40)
def test_the_same_edition_is_the_same_record(edition: note.Edition) -> None:
    for flaw in edition.note.vulnerabilities:
        assert made(edition, flaw) == made(edition, flaw)


def test_what_it_says() -> None:
    record = made()
    assert record["title"] == "Length not checked"
    assert record["descriptions"] == [{"lang": "en", "value": "A length is not checked."}]
    [weakness] = record["problemTypes"][0]["descriptions"]
    assert (weakness["cweId"], weakness["description"][:29]) == ("CWE-79", "CWE-79 Improper Neutralizatio")
    assert [one["url"] for one in record["references"]] == [
        ADDRESS, "https://acme.example/advisory", "https://example.org/paper",
    ]  # fmt: skip
    assert record["metrics"] == [
        {"format": "CVSS", "cvssV3_1": {"version": "3.1", "vectorString": FLAW.cvss, "baseScore": 9.8,
                                        "baseSeverity": "CRITICAL"}}
    ]  # fmt: skip
    assert record["datePublic"] == "2026-03-02T09:00:00.000Z"
    assert record["credits"] == [{"lang": "en", "value": "Thanks to Ann.", "type": "other"}]
    assert [one["vendor"] for one in record["affected"]] == ["ACME", "Silent Ltd"]


@pytest.mark.parametrize(
    ("status", "fixed_in", "told"),
    [
        ("Affected", "2.4", {"defaultStatus": "unaffected", "versions": [
            {"version": "0", "status": "affected", "versionType": "custom", "lessThan": "2.4"}]}),
        ("Affected", "v1.2.3-rc1", {"defaultStatus": "unaffected", "versions": [
            {"version": "0", "status": "affected", "versionType": "custom", "lessThan": "v1.2.3-rc1"}]}),
        ("Affected", "2.4 and later", {"defaultStatus": "affected", "versions": [
            {"version": "2.4 and later", "status": "unaffected"}]}),
        ("Affected", "", {"defaultStatus": "affected"}),
        ("Not Affected", "2.4", {"defaultStatus": "unaffected"}),
        ("Unknown", "", {"defaultStatus": "unknown"}),
    ],
)  # fmt: skip
def test_what_is_affected(status: str, fixed_in: str, told: dict[str, Any]) -> None:
    vendor = replace(ACME, statuses=(note.Status(1, status, fixed_in),))
    edition = replace(FIRST, note=replace(NOTE, vendors=(vendor,)))
    assert made(edition)["affected"] == [{"vendor": "ACME", "product": "n/a", **told}]


def test_what_is_long_is_cut_and_what_is_no_address_left_out() -> None:
    flaw = replace(FLAW, title="t" * 300, text="x" * 5000)
    links = ("javascript:alert(1)", "https://acme.example/ä", "https://acme.example/" + "a" * 2048, ADDRESS)
    edition = replace(FIRST, note=replace(NOTE, vendors=(replace(ACME, name="A" * 600, links=links),)))
    record = made(edition, flaw)
    assert (len(record["title"]), len(record["descriptions"][0]["value"])) == (256, 4096)
    assert len(record["affected"][0]["vendor"]) == 512
    assert [one["url"] for one in record["references"]] == [ADDRESS, "https://example.org/paper"]
    cve.check(record)


def test_nothing_is_said_of_what_nobody_knows() -> None:
    flaw = replace(FLAW, text="", cwe="", cvss="nonsense")
    bare = replace(NOTE, vendors=(), sections=replace(NOTE.sections, acknowledgements="", references=()))
    record = cverecord.container(replace(FIRST, note=bare), flaw, NOWHERE)
    assert not {"problemTypes", "metrics", "credits"} & set(record)
    assert record["descriptions"][0]["value"] == "Parsers do not check a length."
    assert record["references"] == [{"url": "https://www.cve.org/CVERecord?id=CVE-2026-12345"}]
    cve.check(record)


def test_a_crowd() -> None:
    edition = notes.crowded()
    record = made(edition, edition.note.vulnerabilities[2])
    assert len(record["affected"]) == 121
    cve.check(record)


def test_a_vector_in_any_order_is_written_as_its_version_wants_it() -> None:
    shuffled = "CVSS:4.0/VC:H/AV:N/AC:L/AT:N/PR:N/UI:N/VI:H/VA:H/SC:N/SI:N/E:A/SA:N"
    [metric] = made(flaw=replace(FLAW, cvss=shuffled))["metrics"]
    assert metric["cvssV4_0"]["vectorString"].startswith("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/")
    assert metric["cvssV4_0"]["version"] == "4.0"
    assert metric["cvssV4_0"]["baseSeverity"] == "CRITICAL"


@pytest.mark.parametrize(
    ("tenths", "word"),
    [(0, "None"), (1, "Low"), (39, "Low"), (40, "Medium"), (70, "High"), (89, "High"), (90, "Critical")],
)
def test_severities(tenths: int, word: str) -> None:
    assert cvss.severity(tenths) == word
