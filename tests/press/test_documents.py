"""What the site holds besides pages: stock readers read every document of it, and the validators find nothing."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import feedparser
import pytest

from mailrouter.case.formats import paths
from mailrouter.press import site
from tests.press import notes

EDITIONS = {"five": notes.FIVE, "crowd": notes.crowd()}


@pytest.fixture(params=EDITIONS)
def edition(request):
    return EDITIONS[request.param]


def test_the_advisory_is_valid_and_stands_at_both_addresses(csaf_judge, edition):
    files = site.of_edition(edition, notes.PUBLISHER)
    advisory = files[paths.csaf(edition)]
    assert advisory == files[f"{paths.json(edition.note.vu)}csaf/index.json"]
    assert csaf_judge.findings(json.loads(advisory)) == []


def test_every_document_is_json_and_names_this_note(edition):
    files = site.of_edition(edition, notes.PUBLISHER)
    documents = {path: json.loads(raw) for path, raw in files.items() if path.endswith(".json")}
    assert len(documents) >= 6
    assert [path for path in documents if str(edition.note.vu) not in files[path].decode() and documents[path]] == [
        f"{paths.json(edition.note.vu)}vendors/vuls/index.json"  # it names vulnerabilities, by their CVE IDs
    ]


@pytest.mark.parametrize(("source", "assigner", "ours"), [
    ("reserved", "", True), ("typed in", "", False), ("vendor", "ACME", False), ("vendor", "", False),
])  # fmt: skip
def test_only_of_an_id_that_we_reserved_there_is_a_record_of_ours(source, assigner, ours):
    edition = next(iter(EDITIONS.values()))
    [one, *_] = edition.note.vulnerabilities
    flaw = replace(one, cve="CVE-2026-12345", cve_source=source, assigner=assigner)
    shown = replace(edition, note=replace(edition.note, vulnerabilities=(flaw,)))
    assert ("vuls/cve/CVE-2026-12345.json" in site.of_edition(shown, notes.PUBLISHER)) == ours


def test_the_feed_s_entries_lead_to_pages(edition):
    everything = site.of_all([edition], notes.PUBLISHER, b"", datetime(2027, 1, 1, tzinfo=UTC))
    [entry] = feedparser.parse(everything[paths.FEED]).entries
    page = entry.link.removeprefix(f"{notes.PUBLISHER.url}/")
    assert f"{page}/index.html" in site.of_edition(edition, notes.PUBLISHER)
