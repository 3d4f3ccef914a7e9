"""A case's own numbers: what they move, and what they leave alone; and our planned publication as a clock."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from mailrouter import faults
from mailrouter.case.policy import of_case, own
from mailrouter.flow.casework import closing, contacting, standings, write
from mailrouter.flow.casework.write import Draft
from mailrouter.flow.timing import casepolicy, remind
from mailrouter.store import cases
from tests.flow.world import PSIRT, VENDOR, VU, World
from tests.servers.clock import START

DAY = timedelta(days=1)


def change(world: World, **given: object) -> casepolicy.Changed:
    """As `case policy VU KEY=VALUE…`; None takes back."""
    return casepolicy.change(world.tools, world.alice, VU, {k: "" if v is None else str(v) for k, v in given.items()})


def publication(world: World) -> list[tuple[str, int, datetime, bool]]:
    return [(d.since, d.rung, d.due_at, d.done_at is None) for d in world.clocks() if d.kind == "publication"]


def test_our_date_is_a_clock_from_the_first_letter_that_left(world: World) -> None:
    world.organisation(VENDOR, PSIRT)
    world.case(VENDOR)
    assert publication(world) == []
    world.day(1)
    world.deliver()
    planned = START + 46 * DAY  # a Friday
    assert publication(world) == [("letter:1", 1, planned, True)]
    assert world.participant().first_contact_at == START + DAY
    world.day(45.9)
    assert "publication" not in [done.kind for done in world.beat(everything=True)]
    world.day(46)
    assert [d.does for d in world.beat(everything=True) if d.kind == "publication"] == ["notice to the analyst"]
    assert "the planned publication date has come" in world.notices()


def test_a_number_of_its_own_is_in_force_at_once_and_only_there(world: World) -> None:
    world.vendor_case()
    world.organisation("Other", "o@other.example")
    world.case("Other", vu=654321)
    changed = change(world, follow_up_days=7, follow_ups=1)
    assert own(changed.case) == {"follow_up_days": 7, "follow_ups": 1}
    assert of_case(world.tools.settings.policy, changed.case).follow_up_days == 7
    assert [(m.kind, m.was, m.due_at) for m in changed.moved] == [("follow-up", START + 14 * DAY, START + 7 * DAY)]
    does = {}
    for number in (7, 14):
        world.day(number)
        does[number] = sorted((d.vu, d.does) for d in world.beat() if d.vu)
    told = "notice to the analyst"
    assert does == {7: [(VU, "letter follow-up-1")], 14: [(VU, told), (654321, "letter follow-up-1")]}
    [entry] = [e for e in world.journal() if e.kind == "case.policy"]
    assert (entry.data["old"], entry.data["new"]) == ({}, {"follow_up_days": 7, "follow_ups": 1})
    assert world.breaks() == []


def test_taken_back_the_houses_number_counts_again(world: World) -> None:
    world.vendor_case()
    change(world, follow_up_days=7)
    changed = change(world, follow_up_days=None, letter_gap_days=0)
    assert own(changed.case) == {"letter_gap_days": 0}
    assert [d.due_at for d in world.deadlines()] == [START + 14 * DAY]
    assert change(world, letter_gap_days=None).case.policy == ""


def test_nothing_is_moved_into_the_past(world: World) -> None:
    world.vendor_case()
    world.day(10)
    [moved] = change(world, follow_up_days=3).moved
    assert moved.due_at == world.clock()
    assert [done.does for done in world.beat()] == ["letter follow-up-1"]


def test_our_own_clock_and_that_of_silence_move_too(world: World) -> None:
    world.vendor_case()
    world.day(1)
    assert {m.kind: m.due_at for m in change(world, non_responsive_days=20).moved} == {
        "non-responsive": START + 20 * DAY
    }
    world.feed(world.mail(PSIRT))
    assert [(m.kind, m.due_at) for m in change(world, answer_days=5).moved] == [("answer", START + 6 * DAY)]


def test_another_number_of_days_plans_another_date(world: World) -> None:
    world.vendor_case()
    changed = change(world, embargo_days=90)
    planned = datetime(2026, 6, 1, 9, tzinfo=UTC)  # 31 May is a Sunday
    assert (changed.case.planned_at, changed.planned_was) == (planned, START + 45 * DAY)
    assert publication(world) == [("letter:1", 1, planned, True)]
    assert changed.case.embargo_ends_at == START + 45 * DAY  # what was agreed is what was agreed
    [entry] = [e for e in world.journal() if e.kind == "publication.planned"]
    assert entry.data["planned"] == planned.isoformat()
    world.day(45)
    assert [d for d in world.beat(everything=True) if d.kind == "publication"] == []
    change(world, embargo_days=30)
    assert publication(world)[0][2] == world.clock()  # 30 days are over: now, at the earliest
    world.beat(everything=True)
    change(world, embargo_days=None)
    change(world, embargo_days=60)
    assert [(rung, open_) for _, rung, _, open_ in publication(world)] == [(1, False), (2, True)]


def test_before_anybody_was_written_to_there_is_no_date(world: World) -> None:
    world.organisation(VENDOR, PSIRT)
    world.case(VENDOR, notify=False)
    assert change(world, embargo_days=60).case.planned_at is None
    contacting.notify(world.tools, world.alice, VU, without_details=True)
    assert " 60 days after" in world.letters("notification")[0].body.replace("\n", " ")
    change(world, embargo_days=61)
    world.deliver()
    with world.look() as tx:
        assert cases.by_vu(tx, VU).planned_at == START + 63 * DAY  # the 61st is a Saturday


def test_a_case_that_is_public_keeps_its_date(world: World) -> None:
    world.vendor_case()
    with world.writing() as tx:
        cases.change(tx, cases.by_vu(tx, VU).id, public_at=world.clock())
    assert change(world, embargo_days=90).case.planned_at == START + 45 * DAY


REFUSED = (
    ({"follow_up_days": "0"}, "follow_up_days = '0' for this case: give a whole number from 1 to 100000"),
    ({"follow_up_days": "1.5"}, "give a whole number from 1 to 100000"),
    ({"follow_ups": "-1"}, "give a whole number from 0 to 100000"),
    ({"follow_up_day": "1"}, "did you mean follow_up_days?"),
    ({"approvals": "0"}, "no number that one case may have of its own; there are embargo_days, follow_up_days"),
    ({"digest_at": "08:00"}, "no number that one case may have of its own"),
    ({"nonsense": ""}, "no number that one case may have of its own"),
)


def test_a_number_is_checked_as_in_the_settings(world: World) -> None:
    world.vendor_case()
    before = world.journal()
    for given, said in REFUSED:
        with pytest.raises(faults.Refused) as refused:
            casepolicy.change(world.tools, world.alice, VU, {"answer_days": "9", **given})
        assert said in str(refused.value)
    assert world.journal() == before


def test_a_closed_case_has_no_clocks_to_move(world: World) -> None:
    world.vendor_case()
    closing.close(world.tools, world.alice, VU, "over", end_embargo=True, anyway=True)
    assert [row[3] for row in publication(world)] == [False]
    with pytest.raises(faults.Illegal, match="VU#123456 is closed"):
        change(world, follow_up_days=7)
    closing.reopen(world.tools, world.alice, VU, "not over")
    assert publication(world)[-1][1:] == (2, START + 45 * DAY, True)


# ---- non-responsive, over weeks -------------------------------------------------------------------------------------


def gone(world: World) -> tuple[str, bool]:
    """What is recorded, and whether the analyst was told."""
    return world.participant().progress, any("counts as non-responsive" in why for why in world.notices())


def test_never_answered_with_one_address(world: World) -> None:
    world.vendor_case()
    world.day(14)
    world.beat(everything=True)
    world.deliver()  # the follow-up leaves: two attempts, two weeks
    assert gone(world) == ("contacted", False)
    world.day(15)
    assert [d.kind for d in world.beat(everything=True)] == ["non-responsive"]
    assert gone(world) == ("non-responsive", True)
    [entry] = [e for e in world.journal() if e.kind == "participant.progress"]
    assert (entry.data["was"], entry.data["progress"]) == ("contacted", "non-responsive")
    assert [d for d in world.clocks() if d.kind == "non-responsive" and d.done_at is None] == []
    world.feed(world.mail(PSIRT))
    assert world.participant().progress == "answered"
    assert [e.data["progress"] for e in world.journal() if e.kind == "participant.progress"] == ["non-responsive"]


def test_never_answered_with_two_addresses_wants_both_tried(world: World) -> None:
    world.organisation(VENDOR, PSIRT, "cto@vendor.example")
    world.case(VENDOR)
    world.deliver()
    for number in (14, 15, 16, 27):
        world.day(number)
        world.beat(everything=True)
        world.deliver()
    assert gone(world) == ("contacted", False)
    for number in (28, 29):
        world.day(number)
        world.beat(everything=True)
        world.deliver()
    assert gone(world) == ("non-responsive", True)


def test_was_in_contact_and_gave_a_date(world: World) -> None:
    world.vendor_case()
    world.day(2)
    world.feed(world.mail(PSIRT))
    with world.writing() as tx:
        cases.change_participant(tx, world.participant().id, fix_expected_at=START + 30 * DAY)
    world.day(2.1)
    write.write(world.tools, world.alice, VU, [VENDOR], Draft("When will it be fixed?"))
    world.deliver()
    for number in (16, 29.9, 30):
        world.day(number)
        world.beat(everything=True)
        world.deliver()
        assert gone(world) == (("answered", False) if number < 30 else ("non-responsive", True))


def test_another_date_for_the_fix_moves_the_clock(world: World) -> None:
    world.vendor_case()
    world.day(2)
    world.feed(world.mail(PSIRT))
    world.day(2.1)
    write.write(world.tools, world.alice, VU, [VENDOR], Draft("When will it be fixed?"))
    world.deliver()

    def due() -> datetime:
        [row] = [d.due_at for d in world.clocks() if d.kind == "non-responsive" and d.done_at is None]
        return row

    assert due() == START + 44 * DAY  # six weeks after its answer
    for date, moved in ((START + 20 * DAY, 20), (START + 90 * DAY, 90), (None, 44), (START + 10 * DAY, 16)):
        verb = partial(standings.expect_fix, at=date)
        standings.ordered(world.tools, world.alice, VU, VENDOR, verb)
        assert due() == START + moved * DAY


def test_what_is_to_come_is_told_as_the_beat_will_do_it(world: World) -> None:
    world.vendor_case()
    with world.look() as tx:
        case = cases.by_vu(tx, VU)
        told = remind.foretell_case(tx, case, world.tools.settings.policy, world.clock())
    assert [(t.kind, t.does, t.due_at) for t in told] == [
        ("follow-up", "letter follow-up-1", START + 14 * DAY),
        ("non-responsive", "nothing before something else happens", START + 14 * DAY),
        ("draft", "notice to the analyst", START + 31 * DAY),
        ("alert", "nothing: no downstream vendor below a silent one", START + 35 * DAY),
        ("reminder", "letter publication-reminder to Vendor", START + 42 * DAY),
        ("embargo", "notice to the analyst", START + 45 * DAY),
        ("publication", "notice to the analyst", START + 45 * DAY),
    ]
    assert remind.foretell(world.tools, START + 100 * DAY) != []
    assert world.follow_ups() == []
