"""The facts and drafts of a note: who is in it, with which words, and that a draft never changes."""

from dataclasses import replace
from functools import partial

import pytest

from mailrouter.case import notetext
from mailrouter.case.note import Note, Sections, from_json, to_json
from mailrouter.faults import Illegal, NotFound, Refused
from mailrouter.flow.casework import coordinate, describe, publicity, standings, vouching
from mailrouter.flow.composing import facts, writing
from mailrouter.flow.filing import statements as filing
from mailrouter.store import cases, contacts, notes
from mailrouter.store.notes import Revision
from tests.flow.prepared import Shelf
from tests.flow.world import DAY, PSIRT, VENDOR, VU, World
from tests.servers.clock import START

SECTIONS = Sections("Overflow in everything", "It overflows.", "At length.", "Bad.", "Update.", "Thanks to Jo.")
STATEMENT = f"VU#{VU}: we are <b>not</b> affected & *never* were.\n"


@pytest.fixture
def house(world: World, shelf: Shelf) -> World:
    """Vendor, with a key; Zeta, hidden; Acme, only suspected; Bolt, not written to; Gone, who left."""
    return shelf.prepared(world, _five)


def _five(world: World) -> None:
    world.vendor_case(key=True)
    for name in ("Zeta", "acme", "Bolt", "Gone"):
        world.organisation(name, f"psirt@{name.lower()}.example")
    coordinate.add_vendor(world.tools, world.alice, VU, "Zeta", anonymous=True)
    coordinate.add_vendor(world.tools, world.alice, VU, "acme", suspected=True)
    coordinate.add_vendor(world.tools, world.alice, VU, "Bolt")
    coordinate.add_vendor(world.tools, world.alice, VU, "Gone")
    with world.writing() as tx:
        gone = next(p for p in cases.participants_of(tx, [1]) if p.name == "Gone")
        cases.change_participant(tx, gone.id, left_at=START)


def gathered(world: World) -> Note:
    with world.look() as tx:
        return facts.gather(tx, world.tools, cases.by_vu(tx, VU), SECTIONS)


def written(world: World, sections: Sections = SECTIONS, why: str = "") -> Revision:
    return writing.write(world.tools, world.alice, VU, sections, why)


def states(world: World, vendor: str, status: str, why: str = "", fixed_in: str = "") -> None:
    order = partial(standings.set_status, status=status, why=why, fixed_in=fixed_in)
    standings.ordered(world.tools, world.alice, VU, vendor, order)


def decided(world: World, one: Revision) -> None:
    with world.writing() as tx:
        notes.decide(tx, one.id, "alice", world.clock())


# ---- facts -----------------------------------------------------------------------------------------------------------


def test_who_is_named_in_which_order(house: World) -> None:
    note = gathered(house)
    assert [(one.name, one.progress, one.status) for one in note.vendors] == [
        ("Bolt", "not contacted", "Unknown"), (VENDOR, "contacted", "Unknown"),
    ]  # fmt: skip
    assert [(s.number, s.status) for s in note.vendors[0].statuses] == [(1, "Unknown")]
    assert (note.vendors[0].notified_at, note.vendors[1].notified_at) == (None, START)
    assert "Zeta" not in to_json(note)
    assert from_json(to_json(note)) == note


def test_a_statement_is_in_it_once_it_is_approved_with_its_proof(house: World) -> None:
    house.feed(house.signed(STATEMENT, f"VU#{VU} statement"))
    assert gathered(house).vendors[1].statement is None
    filing.approve(house.tools, house.alice, VU, VENDOR)
    said = gathered(house).vendors[1].statement
    [kept] = house.statements()
    assert said is not None
    assert (said.text, said.proof, said.fingerprint) == (
        STATEMENT.rstrip(),
        "signed",
        house.keymaker.vendor.fingerprint,
    )
    assert (said.sha256, said.made_at, said.proved_at) == (kept.sha256, kept.made_at, kept.made_at)
    house.day(2)
    house.feed(house.signed(f"VU#{VU}: another word.\n", f"VU#{VU} statement"))
    assert gathered(house).vendors[1].statement == said, "what stands now nobody approved: till then the one before"
    filing.withdraw(house.tools, house.alice, VU, VENDOR, "they asked for it")
    assert gathered(house).vendors[1].statement is None
    house.day(3)
    house.feed(house.signed(f"VU#{VU}: a third word.\n", f"VU#{VU} statement"))
    assert gathered(house).vendors[1].statement is None, "what stood before one that was withdrawn does not come back"


def test_a_vouched_one_says_how_and_when(house: World) -> None:
    house.feed(house.mail(PSIRT, f"VU#{VU} statement", STATEMENT))
    ben = replace(house.alice, name="ben", analyst_id=house.analyst("ben").id)
    call = vouching.Call("+1 555 0100", "Jo Doe", "their site says so")
    asked = vouching.by_telephone(house.tools, house.alice, VU, VENDOR, call)
    house.day(3)
    vouching.agree(house.tools, ben, VU, VENDOR, asked.statement.sha256)
    filing.approve(house.tools, house.alice, VU, VENDOR)
    said = gathered(house).vendors[1].statement
    assert said is not None
    assert (said.proof, said.fingerprint, said.proved_at) == ("telephone", "", START + 3 * DAY)


LATIN = (
    b"Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\nVU#123456: gr\xfc\xdfe\r\n"
)
JAPANESE = (
    b"Content-Type: text/plain; charset=iso-2022-jp\r\n\r\nVU#123456 " + "影響なし".encode("iso-2022-jp") + b"\r\n"
)
NOTHING = b"Content-Type: text/plain; charset=utf-8\r\n\r\nVU#123456 a\xff\x07b\r\n"


@pytest.mark.parametrize(
    ("entity", "shown"),
    [(LATIN, "VU#123456: grüße"), (JAPANESE, "VU#123456 影響なし"), (NOTHING, "VU#123456 a\ufffd\ufffdb")],
    ids=["latin", "japanese", "neither"],
)
def test_words_are_read_in_the_characters_their_mail_names(house: World, entity: bytes, shown: str) -> None:
    house.feed(house.signed("", f"VU#{VU} statement", content=entity))
    filing.approve(house.tools, house.alice, VU, VENDOR)
    said = gathered(house).vendors[1].statement
    assert said is not None
    assert said.text == shown


def test_statuses_addenda_and_dates(house: World) -> None:
    states(house, VENDOR, "Affected", "all of them", "7.1")
    house.day(1)
    links = ["https://vendor.example/a", "https://vendor.example/a"]
    writing.addendum(house.tools, house.alice, VU, VENDOR, "Seen *in the wild*.\n", links)
    publicity.mark(house.tools, house.alice, VU, "public", START, "a blog")
    note = gathered(house)
    vendor = note.vendors[1]
    assert (vendor.status, vendor.statuses[0].fixed_in) == ("Affected", "7.1")
    assert "all of them" not in to_json(note), "nobody approved why: it is no statement"
    assert (vendor.addendum, vendor.links) == ("Seen *in the wild*.", ("https://vendor.example/a",))
    assert (vendor.updated_at, note.public_at) == (START + DAY, START)
    for text, whose, link, fault, said in (
        ("<b>", VENDOR, "https://a.example", Refused, "the addendum: line 1: raw HTML"),
        ("x", VENDOR, "http://a.example", Refused, "is no https address"),
        ("x", "Nobody", "https://a.example", NotFound, "takes no part"),
    ):
        with pytest.raises(fault, match=said):
            writing.addendum(house.tools, house.alice, VU, whose, text, [link])


# ---- drafts ----------------------------------------------------------------------------------------------------------


def test_each_change_is_a_draft_with_the_facts_of_its_moment(house: World) -> None:
    first = written(house)
    with pytest.raises(Illegal, match="nothing changed since revision 1, draft 1"):
        written(house)
    with pytest.raises(Illegal, match="nothing changed since revision 1, draft 1"):
        writing.refresh(house.tools, house.alice, VU)
    house.feed(house.signed(STATEMENT, f"VU#{VU} statement"))
    filing.approve(house.tools, house.alice, VU, VENDOR)
    ben = replace(house.alice, name="ben", analyst_id=house.analyst("ben").id)
    second, changed = writing.refresh(house.tools, ben, VU)
    assert (second.number, second.draft, second.made_by, second.written_by) == (1, 2, "ben", "alice")
    assert f"+ {VENDOR}: statement | {STATEMENT.strip()}" in changed
    assert f"- {VENDOR}: no statement" in changed
    with house.look() as tx:
        assert notes.get(tx, first.id).note == first.note
        assert [one.draft for one in notes.of_case(tx, 1)] == [2, 1]
    third = written(house, replace(SECTIONS, solution="None."))
    assert (third.written_by, third.why) == ("alice", writing.FIRST)
    drafted = [entry.data for entry in house.journal() if entry.kind == "note.drafted"]
    assert [(data["revision"], data["draft"]) for data in drafted] == [(1, 1), (1, 2), (1, 3)]
    assert drafted[-1]["sha256"] == third.sha256


def test_a_later_revision_says_why(house: World) -> None:
    decided(house, written(house))
    with pytest.raises(Refused, match="say --why there is another revision"):
        written(house, replace(SECTIONS, solution="None."))
    second = written(house, replace(SECTIONS, solution="None."), "Solution corrected")
    assert (second.number, second.draft, second.why) == (2, 1, "Solution corrected")
    third = written(house, replace(SECTIONS, solution="Some."))
    assert (third.number, third.draft, third.why) == (2, 2, "Solution corrected")


def proposed(world: World, why: str, cause: str) -> Revision | None:
    with world.writing() as tx:
        return writing.propose(tx, world.tools, cases.by_vu(tx, VU), why=why, cause=cause, by="mailrouter")


def test_one_cause_proposes_one_draft(house: World) -> None:
    assert proposed(house, "a statement", "statement:1") is None, "there is no note"
    decided(house, written(house))
    assert proposed(house, "a statement", "statement:1") is None, "and nothing to say"
    house.feed(house.signed(STATEMENT, f"VU#{VU} statement"))
    filing.approve(house.tools, house.alice, VU, VENDOR)
    first = proposed(house, "Statement of Vendor", "statement:1")
    assert first is not None
    assert (first.number, first.draft, first.cause, first.made_by) == (2, 1, "statement:1", "mailrouter")
    assert (first.written_by, first.why) == ("alice", "Statement of Vendor")
    assert proposed(house, "again", "statement:1") == first
    states(house, "Bolt", "Not Affected")
    second = proposed(house, "Status of Bolt", "status:1")
    assert second is not None
    assert (second.number, second.draft, second.why) == (2, 2, "Statement of Vendor; Status of Bolt")


def test_a_file_to_begin_with(house: World) -> None:
    describe.describe(house.tools, house.alice, VU, "# Overflow\n<script> in ```\n![x](y)\n====\n")
    with house.writing() as tx:
        case = cases.by_vu(tx, VU)
        assert writing.HIDDEN not in writing.template(tx, case)
        for name, more in (("Jo [the] Doe", {"credit": True}), ("Kim", {"credit": True, "anonymous": True})):
            cases.add_participant(tx, case.id, contacts.add(tx, name).id, "reporter", **more)
        text = writing.template(tx, case)
    assert "Thanks to Jo \\[the] Doe for reporting" in text
    assert writing.HIDDEN in text
    assert "Kim" not in text
    found = notetext.parse(text)
    assert found.title == "A flaw in everything"
    assert written(house, found).note.sections == found
