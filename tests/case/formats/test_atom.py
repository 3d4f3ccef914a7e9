"""The feed, read by a stock reader: whatever notes hold, it is XML, and an entry's id stays."""

from dataclasses import replace
from datetime import timedelta

import feedparser
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.case import note
from mailrouter.case.formats import atom, paths
from tests.case import notes


def read(*editions, publisher=notes.OURS):
    found = feedparser.parse(atom.feed(editions, publisher))
    assert not found.bozo
    assert found.version == "atom10"
    return found


def test_an_entry():
    found = read(notes.FIRST)
    assert found.feed.title == "CERT Example: Vulnerability Notes"
    assert found.feed.id == "https://notes.cert.example/vuls/atom.xml"
    [entry] = found.entries
    assert entry.title == "VU#123456: A flaw in many parsers"
    assert entry.id == entry.link == "https://notes.cert.example/vuls/id/123456"
    assert entry.published == entry.updated == found.feed.updated == "2026-03-02T09:00:00Z"
    assert entry.summary == "Parsers do not check a length."


def test_the_last_revised_comes_first_and_keeps_its_id():
    later = note.Revised(2, notes.NOW + timedelta(days=9), "a statement")
    revised = replace(notes.FIRST, history=(*notes.FIRST.history, later))
    other = notes.edition(vu=654321)
    found = read(other, revised)
    assert [entry.title[:9] for entry in found.entries] == ["VU#123456", "VU#654321"]
    assert found.entries[0].id == read(notes.FIRST).entries[0].id
    assert found.entries[0].updated == found.feed.updated == "2026-03-11T09:00:00Z"
    assert found.entries[0].published == "2026-03-02T09:00:00Z"


def test_a_feed_of_nothing():
    assert read().entries == []
    assert read().feed.updated == "1970-01-01T00:00:00Z"


def test_without_an_address_of_the_site():
    found = read(notes.FIRST, publisher=notes.NOWHERE)
    assert found.feed.id == "tag:cert.example,2026:vuls/atom.xml"
    assert found.entries[0].id == "tag:cert.example,2026:vuls/id/123456"


@given(st.lists(notes.editions(), max_size=2))
def test_a_stock_reader_reads_any_notes(editions):
    newest = sorted(editions, key=lambda one: (one.updated_at, one.note.vu), reverse=True)
    found = read(*editions)
    assert [one.id for one in found.entries] == [f"{notes.OURS.url}/{paths.page(one.note.vu)}" for one in newest]
    assert all(one.title.startswith("VU#") for one in found.entries)


def test_a_megabyte_is_cut():
    loud = notes.edition(sections=replace(notes.SECTIONS, overview="]]>\x00<b>&" * 200_000))
    assert len(read(loud).entries[0].summary) <= 2000
