"""After publication: who is told, what rests, when the case closes by itself, and what opens it again."""

import pytest

from mailrouter.case.model import Case, DeadlineKind
from mailrouter.case.note import Edition, Note, Revised, Sections, Vulnerability
from mailrouter.faults import Illegal
from mailrouter.flow import act, undone
from mailrouter.flow.afterwards import revising, telling
from mailrouter.flow.casework import closing, contacting, coordinate, joining, leaving, standings, write
from mailrouter.flow.casework.write import Draft
from mailrouter.flow.composing import facts, writing
from mailrouter.flow.cves import assigning
from mailrouter.flow.filing import statements
from mailrouter.store import cases, notes, vulnerabilities
from mailrouter.store.notes import Revision
from tests.flow.prepared import Shelf
from tests.flow.world import PSIRT, VENDOR, VU, MakeWorld, World

ACME, ACME_PSIRT = "Acme", "psirt@acme.example"
JO = "jo@finder.example"
SECTIONS = Sections("A flaw", "It is one.", "More of it.", "All of it.", "Update.", "Thanks to Jo.")


@pytest.fixture
def house(worlds: MakeWorld, shelf: Shelf) -> World:
    """Two vendors written to, one of whom answered and waits on us, a third that was not, and a hidden reporter."""
    return shelf.prepared(worlds(IDENTITY__NOTES_URL="https://notes.example/"), _written_to)


def _written_to(world: World) -> None:
    world.organisation(VENDOR, PSIRT, domain="vendor.example")
    world.organisation(ACME, ACME_PSIRT, domain="acme.example")
    world.organisation("Beta", "psirt@beta.example")
    world.case(VENDOR, ACME)
    coordinate.add_vendor(world.tools, world.alice, VU, "Beta")
    joining.add(world.tools, world.alice, VU, JO, "reporter", anonymous=True)
    world.deliver()
    world.feed(world.mail(ACME_PSIRT, body="We need the proof of concept.\r\n"))


def case(house: World) -> Case:
    with house.look() as tx:
        return cases.by_vu(tx, VU)


FLAW = Vulnerability(1, "A flaw", "CVE-2026-12345", "reserved", "", "", "", "")
NOTE = Note(VU, SECTIONS, (FLAW,), (), None)


def publish(house: World, number: int = 1, why: str = "First published", note: Note = NOTE) -> Edition:
    """As the release of a decided revision does, twice, since it may be killed in between."""
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


# ---- what comes late -------------------------------------------------------------------------------------------------


def written(house: World) -> list[Revision]:
    """Every draft of every revision, oldest first."""
    with house.look() as tx:
        return notes.of_case(tx, cases.by_vu(tx, VU).id)[::-1]


def proposed(house: World) -> list[str]:
    """The notices about revisions that wait."""
    found = [shown.item for shown in house.queue("alice") if (shown.item.once or "").startswith("revision:")]
    return [one.why.partition(" is proposed: ")[2].partition("; `")[0] for one in found]


def status(house: World, whom: str, said: str, **more: str) -> None:
    standings.ordered(
        house.tools, house.alice, VU, whom, lambda doing, one: standings.set_status(doing, one, said, **more)
    )


@pytest.fixture
def noted(house: World) -> World:
    """Published with all that is known."""
    with house.writing() as tx:
        one = cases.by_vu(tx, VU)
        fresh = facts.gather(tx, house.tools, one, SECTIONS)
    publish(house, note=fresh)
    return house


def test_a_late_statement_is_proposed_once_it_is_approved(noted: World) -> None:
    noted.pin(VENDOR, noted.keymaker.vendor)
    got = noted.fed(noted.signed("== VENDOR STATEMENT VU#123456 ==\nNot us.\n== END ==\n", f"VU#{VU} statement"))
    assert got.why == "statement; the case is published"
    assert len(written(noted)) == 1, "nobody has read it yet"
    assert "1 statement not approved" in still(noted)
    statements.approve(noted.tools, noted.alice, VU, VENDOR)
    _, draft = written(noted)
    assert (draft.number, draft.draft, draft.why, draft.decided_at) == (2, 1, "Statement of Vendor added", None)
    assert proposed(noted) == ["Statement of Vendor added"]
    statements.approve(noted.tools, noted.alice, VU, VENDOR)
    assert len(written(noted)) == 2, "the same statement proposes once"


def test_several_causes_are_one_revision_and_one_notice(noted: World) -> None:
    status(noted, ACME, "Affected", fixed_in="3.2")
    status(noted, VENDOR, "Not Affected")
    coordinate.set_participant(noted.tools, noted.alice, VU, ACME, anonymous=True)
    last = written(noted)[-1]
    assert (last.number, last.draft) == (2, 3)
    assert last.why == "Vendor information updated; Status of Vendor updated", "nobody reads of Acme any more"
    assert [one.name for one in last.note.vendors] == ["Beta", VENDOR]
    assert len(proposed(noted)) == 1
    assert f"{last.name} undecided" in still(noted)


def test_what_readers_would_not_see_proposes_nothing(noted: World) -> None:
    coordinate.set_participant(noted.tools, noted.alice, VU, ACME, their_ref="A-1")
    noted.feed(noted.mail(PSIRT, body="Thank you.\r\n"))
    assert (len(written(noted)), proposed(noted)) == (1, [])


def test_what_a_signed_answer_says_is_taken_and_proposed_after_publication_too(noted: World) -> None:
    noted.pin(VENDOR, noted.keymaker.vendor)
    noted.feed(noted.signed(f"VU#{VU}\nAffected: yes\nFixed in: 3.2\n", f"Re: VU#{VU}"))
    assert written(noted)[-1].why == "Status of Vendor updated"
    assert written(noted)[-1].cause.startswith("message:")


def still(house: World) -> list[str]:
    with house.look() as tx:
        return undone.still_open(tx, cases.by_vu(tx, VU))


def test_a_text_that_was_held_before_their_statement_stands_keeps_nothing_open(noted: World) -> None:
    noted.pin(VENDOR, noted.keymaker.vendor)
    noted.feed(noted.mail(PSIRT, f"VU#{VU} statement", f"VU#{VU}: we are not affected.\n"))
    assert "1 statement held" in still(noted)
    noted.day(1)
    noted.feed(noted.signed(f"VU#{VU}: we are not affected.\n", f"VU#{VU} statement"))
    assert [what for what in still(noted) if "held" in what] == []


# ---- its end ---------------------------------------------------------------------------------------------------------


def test_it_closes_by_itself_when_nothing_is_open_and_opens_when_somebody_writes(noted: World) -> None:
    noted.day(14)
    noted.beat(everything=True)
    [told] = [shown.item.why for shown in noted.queue("alice") if (shown.item.once or "").startswith("close:")]
    assert told.endswith("still open: 1 participant waiting on us")
    write.write(noted.tools, noted.alice, VU, [ACME], Draft("You have it.", asks=False))
    noted.day(16)
    noted.beat(everything=True)
    assert case(noted).state == "closed"
    assert [e.data["why"] for e in noted.journal() if e.kind == "case.closed"] == ["published, and nothing is open"]
    assert (case(noted).closed_at, noted.participant(ACME).rm) == (noted.clock(), "RECEIVED")
    noted.feed(noted.mail(ACME_PSIRT, body="One more thing.\r\n"))
    assert (case(noted).state, noted.turn(ACME)) == ("published", "us")
    assert [d.kind for d in noted.clocks() if d.done_at is None and d.participant_id is None] == [DeadlineKind.CLOSE]
    assert noted.breaks() == []


def test_a_change_in_a_closed_case_opens_it_and_is_proposed(noted: World) -> None:
    closing.close(noted.tools, noted.alice, VU, "enough", anyway=True)
    status(noted, VENDOR, "Affected")
    assert (case(noted).state, len(proposed(noted))) == ("published", 1)


# ---- what else changes it --------------------------------------------------------------------------------------------


def test_an_id_a_weakness_and_one_more_vulnerability_are_proposed(noted: World) -> None:
    assigning.describe(noted.tools, noted.alice, VU, None, assigning.Problem(cwe="CWE-79"))
    coordinate.add_vulnerability(noted.tools, noted.alice, VU, "Another one")
    assert written(noted)[-1].why == "CWE of VU#123456.1 added; VU#123456.2 added"


def test_an_addendum_is_proposed(noted: World) -> None:
    writing.addendum(noted.tools, noted.alice, VU, ACME, "We saw it.", [])
    draft = revising.after(noted.tools, noted.alice, VU, "addendum")
    assert draft is not None
    assert draft.why == "Addendum on Acme added"
    assert revising.after(noted.tools, noted.alice, VU, "addendum") is None


def test_another_title_is_the_first_vulnerabilitys_too_while_that_has_the_same(noted: World) -> None:
    coordinate.entitle(noted.tools, noted.alice, VU, "A better name")
    assert case(noted).title == "A better name"
    assert written(noted)[-1].note.vulnerabilities[0].title == "A better name"
    assert all("better" not in str(e.data) for e in noted.journal() if e.kind == "case.title")


def test_who_is_hidden_after_publication_stands_in_no_line_of_the_history(noted: World) -> None:
    status(noted, ACME, "Affected")
    with noted.writing() as tx:
        notes.decide(tx, written(noted)[-1].id, "alice", noted.clock())
        for one in notes.not_released(tx):
            notes.release(tx, one.id, noted.clock())
    coordinate.set_participant(noted.tools, noted.alice, VU, ACME, anonymous=True)
    draft = written(noted)[-1]
    assert (draft.number, draft.why) == (3, "Vendor information updated")
    with noted.look() as tx:
        edition = notes.edition(tx, draft, noted.clock())
    assert [one.why for one in edition.history] == ["First published"] + ["Vendor information updated"] * 2


def test_a_letter_that_names_who_the_note_names_leaves(noted: World) -> None:
    publish(noted, 2, "Statement of Acme added")
    noted.deliver()
    assert {letter.state for letter in noted.letters("revised")} == {"sent"}


def test_it_does_not_close_before_its_cve_records_are_public(noted: World) -> None:
    with noted.writing() as tx:
        [flaw] = vulnerabilities.of_case(tx, case(noted).id)
        vulnerabilities.change(tx, flaw.id, cve="CVE-2026-1002", cve_source="vendor")
    assert "1 CVE record not public" in still(noted)
    with noted.writing() as tx:
        vulnerabilities.change(tx, flaw.id, record_at=noted.clock())
    assert still(noted) == ["1 participant waiting on us"]
