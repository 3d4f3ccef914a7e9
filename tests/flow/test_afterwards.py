"""After publication: who is told, what rests, when the case closes by itself, and what opens it again."""

import pytest

from mailrouter.case.model import Case, DeadlineKind
from mailrouter.case.note import Edition, Note, Revised, Sections, Vulnerability
from mailrouter.faults import Illegal
from mailrouter.flow import act
from mailrouter.flow.afterwards import telling
from mailrouter.flow.casework import contacting, coordinate, joining, leaving, write
from mailrouter.flow.casework.write import Draft
from mailrouter.store import cases, notes
from tests.flow.world import PSIRT, VENDOR, VU, MakeWorld, World

ACME, ACME_PSIRT = "Acme", "psirt@acme.example"
JO = "jo@finder.example"
SECTIONS = Sections("A flaw", "It is one.", "More of it.", "All of it.", "Update.", "Thanks to Jo.")


@pytest.fixture
def house(worlds: MakeWorld) -> World:
    """Two vendors written to, one of whom answered and waits on us, a third that was not, and a hidden reporter."""
    world = worlds(IDENTITY__NOTES_URL="https://notes.example/")
    world.organisation(VENDOR, PSIRT, domain="vendor.example")
    world.organisation(ACME, ACME_PSIRT, domain="acme.example")
    world.organisation("Beta", "psirt@beta.example")
    world.case(VENDOR, ACME)
    coordinate.add_vendor(world.tools, world.alice, VU, "Beta")
    joining.add(world.tools, world.alice, VU, JO, "reporter", anonymous=True)
    world.deliver()
    world.feed(world.mail(ACME_PSIRT, body="We need the proof of concept.\r\n"))
    return world


def case(house: World) -> Case:
    with house.look() as tx:
        return cases.by_vu(tx, VU)


def publish(house: World, number: int = 1, why: str = "First published") -> Edition:
    """As the release of a decided revision does, twice, since it may be killed in between."""
    note = Note(VU, SECTIONS, (Vulnerability(1, "A flaw", "CVE-2026-12345", "reserved", "", "", "", ""),), (), None)
    with house.writing() as tx:
        one = cases.by_vu(tx, VU)
        made = notes.make(tx, one.id, note, "", house.clock(), by="alice", written_by="alice", why=why)
        notes.decide(tx, made.id, "alice", house.clock())
        notes.release(tx, made.id, house.clock())
        cases.change(tx, one.id, state="published", published_at=one.published_at or house.clock(), embargo="EXITED")
        history = tuple(Revised(n, house.clock(), why) for n in range(1, number + 1))
        edition = Edition(note, history)
        for _ in range(2):
            doing = act.Doing(tx, house.tools, house.clock(), house.clock(), "alice", cases.by_vu(tx, VU))
            telling.published(doing, one, edition)
    return edition


def flat(text: str) -> str:
    return " ".join(text.split())


# ---- who is told -----------------------------------------------------------------------------------------------------


def test_everybody_who_was_written_to_is_told_once_and_nobody_else(house: World) -> None:
    publish(house)
    told = {letter.recipient: flat(letter.body) for letter in house.letters("published")}
    assert set(told) == {PSIRT, ACME_PSIRT, JO}, "Beta was never written to, and learns of no case by this"
    for body in told.values():
        assert "TLP:CLEAR" in body
        assert "Note: https://notes.example/vuls/id/123456 Revision: 1 Published: 2026-03-02" in body
        assert "CVE IDs: CVE-2026-12345" in body
    assert "Thank you for your report" in told[JO]
    assert "Thank you for working with us" in told[ACME_PSIRT]
    assert "Thank you" not in told[PSIRT], "it never said a word"
    house.deliver()
    assert [letter.state for letter in house.letters("published")] == ["sent"] * 3
    assert [e.data["revision"] for e in house.journal() if "revision" in e.data] == [1] * 3
    assert house.breaks() == []


def test_of_a_later_revision_they_hear_what_changed(house: World) -> None:
    publish(house)
    publish(house, 2, "The fixed version is named")
    bodies = [flat(letter.body) for letter in house.letters("revised")]
    assert len(bodies) == 3
    assert all("Revision: 2" in one and "What changed: The fixed version is named" in one for one in bodies)
    assert len(house.letters("published")) == 3


def test_who_left_and_who_cannot_be_reached_is_not_told(house: World) -> None:
    leaving.remove(house.tools, house.alice, VU, ACME, "ships it not")
    with house.writing() as tx:
        cases.change_participant(tx, house.participant().id, progress=cases.UNDELIVERABLE)
    publish(house)
    assert [letter.recipient for letter in house.letters("published")] == [JO]


# ---- what rests ------------------------------------------------------------------------------------------------------


def test_nobody_is_followed_up_any_more_and_who_waits_on_us_waits_on(house: World) -> None:
    publish(house)
    assert (house.turn(), house.turn(ACME)) == ("nobody", "us")
    assert {d.kind for d in house.clocks() if d.done_at is None} == {DeadlineKind.ANSWER, DeadlineKind.CLOSE}
    house.day(60)
    house.beat()
    assert house.follow_ups() == []
    assert house.turn(ACME) == "us"


def test_their_mail_counts_and_our_letters_ask_without_a_clock(house: World) -> None:
    publish(house)
    got = house.fed(house.mail(PSIRT, body="One thing is wrong in it.\r\n"))
    assert (got.why, house.turn()) == ("answer; the case is published", "us")
    assert house.participant().progress == "answered"
    write.write(house.tools, house.alice, VU, [VENDOR], Draft("Which one?"))
    assert house.turn() == "nobody"
    assert [d.kind for d in house.deadlines() if d.participant_id == house.participant().id] == []
    [asked] = house.letters("write")
    assert "TLP:CLEAR" in asked.body
    write.write(house.tools, house.alice, VU, [VENDOR], Draft("In confidence.", confidential=True))
    assert "TLP:AMBER" in house.letters("write")[-1].body
    refused = "is published: nobody is asked any more; `mailrouter case write 123456 WHOM` tells them of the note"
    with pytest.raises(Illegal, match=refused):
        contacting.notify(house.tools, house.alice, VU, ["Beta"], without_details=True)
