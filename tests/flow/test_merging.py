"""One case goes on in another: nothing is lost, its number leads there, and nobody gains anything by it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from mailrouter import faults
from mailrouter.case.model import Case, Participant
from mailrouter.case.note import Sections
from mailrouter.faults import Illegal
from mailrouter.flow.actor import Actor
from mailrouter.flow.casework import (
    closing,
    contacting,
    coordinate,
    leaving,
    merging,
    proposals,
    publicity,
    standings,
    write,
)
from mailrouter.flow.casework.write import Draft
from mailrouter.flow.composing import writing
from mailrouter.flow.filing import file
from mailrouter.flow.timing import remind
from mailrouter.store import cases, journal, notes, views, vulnerabilities
from mailrouter.store import proposals as stored
from mailrouter.store.proposals import Proposal
from tests.flow.prepared import Shelf
from tests.flow.world import PSIRT, VENDOR, VU, World

INTO = 654321
ACME, ACME_PSIRT = "Acme", "psirt@acme.example"


@pytest.fixture
def house(world: World, shelf: Shelf) -> World:
    """Two vendors, each written to in a case of its own, the second three days later."""
    return shelf.prepared(world, _two_cases)


def _two_cases(world: World) -> None:
    world.organisation(VENDOR, PSIRT, domain="vendor.example")
    world.organisation(ACME, ACME_PSIRT, domain="acme.example")
    world.case(VENDOR)
    world.deliver()
    world.clock.forward(days=3)
    world.case(ACME, vu=INTO)
    world.deliver()


def case(house: World, vu: int = INTO) -> Case:
    """As it stands."""
    with house.look() as tx:
        return cases.by_vu(tx, vu)


def merge(house: World) -> Case:
    """The first into the second."""
    return merging.merge(house.tools, house.alice, VU, INTO, "the same flaw, twice")


def names(house: World, vu: int = INTO) -> dict[str, Participant]:
    """Who takes part."""
    with house.look() as tx:
        everyone = cases.participants_of(tx, [cases.by_vu(tx, vu).id])
    return {one.name: one for one in everyone if one.takes_part}


@pytest.mark.row("A08")
def test_who_took_part_goes_on_in_the_other_case_with_what_is_theirs(house: World) -> None:
    got = house.fed(house.mail(PSIRT))
    before, old = house.participant(), case(house, VU)
    clocks = {(d.kind, d.since, d.due_at) for d in house.deadlines() if d.participant_id == before.id}
    into = merge(house)
    assert set(names(house)) == {VENDOR, ACME}
    after = names(house)[VENDOR]
    assert (after.id, after.waiting_on, after.since, after.rm) == (before.id, "us", before.since, "RECEIVED")
    assert {(d.kind, d.since, d.due_at) for d in house.deadlines(INTO) if d.participant_id == after.id} == clocks
    assert house.deadlines(VU) == []
    assert got.id in {m.id for m in house.messages(INTO)}
    assert [shown.vu for shown in house.queue("alice") if shown.item.kind == "mail"] == [INTO]
    assert (into.first_contact_at, into.planned_at) == (old.first_contact_at, old.planned_at), "the shorter date"
    assert (into.embargo, into.embargo_ends_at) == ("ACTIVE", old.embargo_ends_at)
    former = case(house, VU)
    assert (former.state, former.merged_into_id, former.embargo) == ("merged", into.id, "EXITED")
    assert [e.kind for e in house.journal(VU)][-2:] == ["embargo", "case.merged"]
    assert "case.merged-from" in {e.kind for e in house.journal(INTO)}
    assert (len(house.letters()), len(house.sent())) == (2, 2), "nobody is told anything by it"
    assert house.books().accepted == 1
    assert house.breaks() == []


@pytest.mark.row("A08")
def test_the_old_number_threads_and_addresses_lead_to_the_case_that_goes_on(house: World) -> None:
    [asked] = house.sent_to(PSIRT)
    merge(house)
    headers = (f"In-Reply-To: {asked['Message-ID']}",)
    ways = [
        house.mail(PSIRT, f"Re: VU#{VU}"),
        house.mail(PSIRT, "no number", "Yes.\r\n", *headers),
        house.mail(PSIRT, f"VU#{VU} and the new one, VU#{INTO}"),
        house.mail(PSIRT, "to your address", to=(asked["Reply-To"],)),
    ]
    got = [house.fed(mail) for mail in ways]
    into = case(house).id
    assert [(m.place, m.case_id, m.participant_id) for m in got] == [("filed", into, names(house)[VENDOR].id)] * 4
    assert names(house)[VENDOR].waiting_on == "us"
    stranger = house.fed(house.mail("eve@eve.example", f"VU#{VU}"))
    assert (stranger.place, stranger.case_id, stranger.suggested_vu) == ("review", None, INTO)
    with house.look() as tx:
        assert [m.id for m in views.case_file(tx, INTO).elsewhere] == [stranger.id]


def test_who_is_in_both_is_one_and_the_open_turn_goes_on(house: World) -> None:
    coordinate.add_vendor(house.tools, house.alice, INTO, VENDOR, anonymous=True)
    [asked] = house.sent_to(PSIRT)
    house.feed(house.mail(PSIRT))
    former, same = house.participant(), house.participant(vu=INTO)
    write.write(house.tools, house.alice, VU, [VENDOR], Draft("One more question."))
    theirs = house.participant()
    merge(house)
    now = names(house)[VENDOR]
    assert (now.id, now.anonymous, now.progress, now.rm) == (same.id, True, "answered", "RECEIVED")
    assert (now.waiting_on, now.since) == ("them", theirs.since)
    clocks = [d for d in house.deadlines(INTO) if d.participant_id == now.id]
    assert [(d.kind, d.rung, d.since) for d in clocks if d.kind == "follow-up"] == [("follow-up", 1, theirs.since)]
    assert names(house, VU) == {}
    again = house.fed(house.mail(PSIRT, "to the old address", to=(asked["Reply-To"],)))
    assert (again.place, again.participant_id) == ("filed", same.id)
    assert names(house)[VENDOR].waiting_on == "us"
    letter_of = {m.participant_id for m in house.messages(INTO)}
    assert former.id not in letter_of
    house.day(40)
    house.beat()
    assert house.follow_ups() == [] or all(le.participant_id != former.id for le in house.follow_ups())


def test_what_it_is_about_and_what_was_said_of_it_goes_along(house: World) -> None:
    standings.ordered(
        house.tools, house.alice, VU, VENDOR, lambda doing, one: standings.set_status(doing, one, "Affected")
    )
    merge(house)
    with house.look() as tx:
        about = vulnerabilities.of_case(tx, case(house).id)
        said = vulnerabilities.statuses(tx, [case(house).id])
    assert [one.number for one in about] == [1, 2]
    assert [(one.participant_id, one.number, one.status) for one in said] == [(names(house)[VENDOR].id, 2, "Affected")]


def test_what_is_public_of_the_one_is_public_of_both(house: World) -> None:
    publicity.mark(house.tools, house.alice, VU, "public", house.clock() - timedelta(days=1), "a blog")
    into = merge(house)
    assert (into.public_at, into.embargo) == (house.clock() - timedelta(days=1), "EXITED")


def test_an_embargo_that_one_case_had_goes_on_in_the_other(house: World) -> None:
    third = 222222
    coordinate.open_case(house.tools, house.alice, "Another", third)
    old = case(house, VU)
    into = merging.merge(house.tools, house.alice, VU, third, "the same")
    assert (into.embargo, into.embargo_ends_at, into.planned_at) == ("ACTIVE", old.embargo_ends_at, old.planned_at)
    with house.look() as tx:
        assert [d.kind for d in cases.deadlines_of(tx, into.id) if d.participant_id is None] == [
            "draft", "alert", "reminder", "publication", "embargo",
        ]  # fmt: skip


def test_no_circle_no_closed_case_and_nothing_more_is_done_with_the_old_one(house: World) -> None:
    with pytest.raises(Illegal, match="cannot be merged into itself"):
        merging.merge(house.tools, house.alice, VU, VU, "x")
    merge(house)
    bob = Actor("bob")
    gone = rf"VU#{VU} was merged into VU#{INTO}, by alice on .*: it goes on there"
    for refused in (
        lambda: merging.merge(house.tools, bob, INTO, VU, "back"),
        lambda: merging.merge(house.tools, bob, VU, INTO, "again"),
        lambda: closing.close(house.tools, bob, VU, "x"),
        lambda: closing.reopen(house.tools, bob, VU, "x"),
        lambda: coordinate.add_vendor(house.tools, bob, VU, ACME),
        lambda: write.write(house.tools, bob, VU, [VENDOR], Draft("x")),
        lambda: contacting.notify(house.tools, bob, VU),
    ):
        with pytest.raises(Illegal, match=gone):
            refused()
    third = 222222
    coordinate.open_case(house.tools, house.alice, "Another", third)
    closing.close(house.tools, house.alice, third, "a mistake")
    with pytest.raises(Illegal, match=rf"VU#{third} is closed, by alice on .*: open cases merge"):
        merging.merge(house.tools, house.alice, INTO, third, "x")


def test_a_chain_of_merges_leads_to_its_end(house: World) -> None:
    third = 222222
    coordinate.open_case(house.tools, house.alice, "Another", third)
    merge(house)
    merging.merge(house.tools, house.alice, INTO, third, "all the same")
    got = house.fed(house.mail(PSIRT, f"Re: VU#{VU}"))
    assert (got.place, got.case_id) == ("filed", case(house, third).id)
    assert case(house, VU).merged_into_id == case(house, third).id


def test_who_left_the_one_and_not_the_other_is_decided_first(house: World) -> None:
    coordinate.add_vendor(house.tools, house.alice, INTO, VENDOR)
    leaving.remove(house.tools, house.alice, INTO, VENDOR, "ships it not")
    with pytest.raises(Illegal, match=f"{VENDOR} takes part in one of the two cases and left the other"):
        merge(house)
    assert case(house, VU).state == "open"


def test_of_two_who_end_a_case_at_once_one_wins_and_the_other_is_told(house: World) -> None:
    nodes = {"ann": house.node("ann"), "ben": house.node("ben")}

    def end(name: str) -> str:
        try:
            if name == "ann":
                merging.merge(nodes[name], Actor(name), VU, INTO, "the same")
            else:
                closing.close(nodes[name], Actor(name), VU, "done", end_embargo=True, anyway=True)
        except faults.Illegal as told:
            return str(told)
        return ""

    with ThreadPoolExecutor(2) as pool:
        told = [answer for answer in pool.map(end, nodes) if answer]
    assert len(told) == 1
    assert "by ann on" in told[0] or "by ben on" in told[0]
    assert house.breaks() == []


def test_a_clock_of_the_old_case_writes_nothing(house: World) -> None:
    merge(house)
    house.day(60)
    house.beat()
    assert all(letter.case_id != case(house, VU).id for letter in house.letters())
    assert [letter.recipient for letter in house.follow_ups()] == [PSIRT, ACME_PSIRT]


def test_a_mail_that_was_filed_with_the_one_and_then_the_other_says_each_thing_once(house: World) -> None:
    coordinate.add_vendor(house.tools, house.alice, INTO, VENDOR)
    with house.writing() as tx:
        vulnerabilities.add(tx, case(house, VU).id, "another", house.clock())  # what is said of the case stays so
    got = house.fed(house.mail(PSIRT, body="Affected: yes\r\nFixed in: 3.2\r\n"))
    proposals.take(house.tools, house.alice, [_said(house)[0].id])
    file.route(house.tools, house.alice, got.id, INTO)
    here = [one for one in _said(house) if one.vu == INTO]
    merge(house)
    mine = [one for one in _said(house) if one.participant_id == names(house)[VENDOR].id]
    assert [(one.id, one.what, one.outcome) for one in mine] == [(one.id, one.what, "") for one in here]
    assert {one.outcome for one in _said(house) if one not in mine} == {"taken", "overtaken"}
    assert proposals.take_message(house.tools, house.alice, got.id)
    assert house.breaks() == []


def test_what_is_said_of_no_vulnerability_there_is_means_none_of_the_other_cases(house: World) -> None:
    house.feed(house.mail(PSIRT, body="Affected (.1): yes\r\nAffected (.2): no\r\n"))
    merge(house)
    assert [one.vulnerability for one in _said(house)] == [2, 3]


def test_what_is_taken_while_the_cases_are_merged_is_taken_or_refused_by_name(house: World) -> None:
    house.feed(house.mail(PSIRT, body="Affected: yes\r\n"))
    ann, ben = house.node("ann"), house.node("ben")
    with ThreadPoolExecutor(2) as pool:
        merged = pool.submit(merging.merge, ann, Actor("ann"), VU, INTO, "the same")
        taken = pool.submit(proposals.take, ben, Actor("ben"), [_said(house)[0].id])
        assert merged.result().vu == INTO
        try:
            assert taken.result()[0].outcome == "taken"
        except faults.Illegal as told:
            assert f"VU#{VU} was merged into VU#{INTO}, by ann on" in str(told)  # noqa: PT017 - either may be first


def _said(house: World) -> list[Proposal]:
    with house.look() as tx:
        return stored.listed(tx, everything=True)


def test_a_clock_of_a_mail_that_was_with_both_runs_once(house: World) -> None:
    coordinate.add_vendor(house.tools, house.alice, INTO, VENDOR)
    first, other = house.fed(house.mail(PSIRT)), house.fed(house.mail(PSIRT))
    file.route(house.tools, house.alice, first.id, INTO)
    assert house.turn() == "us", "the other one waits"
    [item] = [shown.item for shown in house.queue("alice") if shown.item.message_id == first.id]
    file.done(house.tools, house.alice, item.id)
    before = house.participant()
    assert (before.since, house.turn(vu=INTO)) == (house.participant(vu=INTO).since or before.since, "nobody")
    [due] = [d.due_at for d in house.deadlines() if d.kind == "answer"]
    merge(house)
    now = names(house)[VENDOR]
    clocks = [d for d in house.deadlines(INTO) if d.participant_id == now.id]
    assert (now.waiting_on, now.since, other.case_id) == ("us", before.since, case(house, VU).id)
    assert [(d.kind, d.since, d.due_at) for d in clocks] == [("answer", before.since, due)]
    assert house.deadlines(VU) == []


def test_a_beat_that_waited_for_the_merge_leaves_its_row_to_the_next(house: World) -> None:
    """Its page was read before; it holds the old case only."""
    [row] = [d for d in house.deadlines() if d.kind == "follow-up"]
    merge(house)
    house.day(60)
    assert remind._one(house.tools, row, house.clock(), "mailrouter") is None
    assert house.follow_ups() == []
    assert house.beat()


def test_what_a_merge_changes_of_the_dates_stands_in_the_journal(house: World) -> None:
    old, into = case(house, VU), case(house)
    merge(house)
    told = {row.kind: row.data for row in house.journal(INTO) if row.kind in ("publication.planned", "embargo")}
    planned, embargo = told["publication.planned"], told["embargo"]
    assert [planned["planned"], planned["before"]] == _shown(old.planned_at, into.planned_at)
    first = [planned["first_contact"], planned["first_contact_before"]]
    assert first == _shown(old.first_contact_at, into.first_contact_at)
    assert [embargo["ends_at"], embargo["before"]] == _shown(old.embargo_ends_at, into.embargo_ends_at)
    assert embargo["states"] == ["ACTIVE"]


def _shown(*instants: datetime | None) -> list[str]:
    assert all(instants)
    return [str(journal._instant(one)) for one in instants]


# ---- notes -----------------------------------------------------------------------------------------------------------

SECTIONS = Sections("A flaw", "It is one.", "More of it.", "All of it.", "Update.", "Thanks.")


def drafts(house: World, vu: int) -> list[tuple[int, int, int]]:
    """Number, draft, and the VU# it says."""
    with house.look() as tx:
        return [(one.number, one.draft, one.note.vu) for one in notes.of_case(tx, cases.by_vu(tx, vu).id)]


def test_drafts_go_along_and_say_the_number_they_have_now(house: World) -> None:
    writing.write(house.tools, house.alice, VU, SECTIONS)
    merge(house)
    assert (drafts(house, VU), drafts(house, INTO)) == ([], [(1, 2, INTO), (1, 1, VU)])
    assert [e.data["drafts"] for e in house.journal(INTO) if e.kind == "case.merged-from"] == ["moved"]


def test_where_both_have_drafts_the_old_ones_stay_with_their_number(house: World) -> None:
    for vu in (VU, INTO):
        writing.write(house.tools, house.alice, vu, SECTIONS)
    merge(house)
    assert (drafts(house, VU), drafts(house, INTO)) == ([(1, 1, VU)], [(1, 1, INTO)])


@pytest.mark.parametrize("vu", [VU, INTO])
def test_a_published_number_stays(house: World, vu: int) -> None:
    with house.writing() as tx:
        cases.change(tx, cases.by_vu(tx, vu).id, published_at=house.clock(), state="published")
    with pytest.raises(Illegal, match=f"the note on VU#{vu} is published.*case add-vendor"):
        merge(house)


def test_what_we_say_of_a_vendor_goes_along_unless_something_is_said(house: World) -> None:
    coordinate.add_vendor(house.tools, house.alice, INTO, VENDOR)
    writing.addendum(house.tools, house.alice, VU, VENDOR, "We saw it.", [])
    merge(house)
    with house.look() as tx:
        found = notes.added(tx, case(house).id)
    assert [(one, added.text) for one, added in found.items()] == [(names(house)[VENDOR].id, "We saw it.")]


def test_an_earlier_first_contact_is_in_the_journal(house: World) -> None:
    old, into = case(house, VU), case(house)
    merge(house)
    [told] = [e.data for e in house.journal(INTO) if e.kind == "case.first-contact"]
    assert old.first_contact_at is not None
    assert into.first_contact_at is not None
    assert told["first_contact"] == old.first_contact_at.isoformat()
    assert told["before"] == into.first_contact_at.isoformat()
