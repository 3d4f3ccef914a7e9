"""Two weeks of silence, and ours: what a deadline asks for when it is looked at."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.case import followup, plan
from mailrouter.case.actions import Close, Finish, Notice, Postpone, Set, Turn, Write
from mailrouter.case.model import DeadlineKind, Waiting
from mailrouter.case.policy import Policy
from tests.case.people import CASE, DAY, NOW, VENDOR, fell_due, in_state, instants, waiting

POLICY = Policy()
FOLLOW_UP, ANSWER, WAIT = DeadlineKind.FOLLOW_UP, DeadlineKind.ANSWER, DeadlineKind.WAIT
GONE = DeadlineKind.NON_RESPONSIVE


# ---- letters that ask -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("on", [Waiting.US, Waiting.NOBODY])
def test_a_letter_that_asks_starts_the_clock(on: Waiting) -> None:
    who = waiting(on, "mail:3")
    assert followup.opens(who, "letter:8", POLICY, NOW, clock_runs=False) == [
        Close(who, (ANSWER, WAIT, GONE), "written to"),
        Turn(who, Waiting.THEM, "letter:8"),
        Set(who, FOLLOW_UP, "letter:8", 1, NOW + 14 * DAY),
        Set(who, GONE, "letter:8", 1, NOW + 14 * DAY),
    ]


def test_a_second_letter_in_between_moves_nothing() -> None:
    assert followup.opens(VENDOR, "letter:8", POLICY, NOW + 5 * DAY, clock_runs=True) == []


def test_after_the_last_rung_a_persons_letter_begins_anew() -> None:
    orders = followup.opens(VENDOR, "letter:8", POLICY, NOW, clock_runs=False)
    assert orders[2] == Set(VENDOR, FOLLOW_UP, "letter:8", 1, NOW + 14 * DAY)


# ---- rungs ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rung", "letter"), [(1, "follow-up-1"), (2, "follow-up-2")])
def test_a_rung_writes_and_sets_the_next(rung: int, letter: str) -> None:
    assert plan.after(fell_due(rung=rung), POLICY, NOW) == [
        Finish(2, f"follow-up {rung}"),
        Write(VENDOR, letter, "letter:1", rung),
        Set(VENDOR, FOLLOW_UP, "letter:1", rung + 1, NOW + 14 * DAY),
    ]


def test_a_longer_ladder_repeats_the_last_letter() -> None:
    orders = plan.after(fell_due(rung=4), Policy(follow_ups=4), NOW)
    assert orders[1] == Write(VENDOR, "follow-up-2", "letter:1", 4)


@pytest.mark.parametrize("rungs", [0, 1, 2, 5])
def test_after_the_last_rung_the_analyst_is_told_once(rungs: int) -> None:
    [finished, told] = plan.after(fell_due(rung=rungs + 1), Policy(follow_ups=rungs), NOW)
    assert finished == Finish(2, "analyst told")
    why = f"no answer; {rungs} follow-ups are out"
    assert told == Notice("analyst:3", why, f"follow-up:11:letter:1:{rungs + 1}", VENDOR)


@pytest.mark.row("R16")
@given(late=st.timedeltas(timedelta(0), timedelta(days=4000)), rung=st.integers(1, 2))
def test_however_late_one_letter_goes_and_the_next_is_a_silence_away(late: timedelta, rung: int) -> None:
    orders = plan.after(fell_due(rung=rung), POLICY, NOW + late)
    assert [type(order) for order in orders] == [Finish, Write, Set]
    last = orders[-1]
    assert isinstance(last, Set)
    assert last.due_at == NOW + late + 14 * DAY


# ---- never two automatic letters within four days -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days_ago", "does"), [(0, Postpone), (3.99, Postpone), (4, Finish), (4.01, Finish), (400, Finish)]
)
def test_automatic_letters_keep_their_distance(days_ago: float, does: type) -> None:
    last = NOW - timedelta(days=days_ago)
    orders = plan.after(fell_due(participant=waiting(Waiting.THEM, "letter:1", last_automatic_at=last)), POLICY, NOW)
    assert type(orders[0]) is does
    if does is Postpone:
        assert orders == [Postpone(2, last + 4 * DAY)]


@given(instants, instants)
def test_a_postponed_rung_is_due_when_the_distance_is_kept(last: datetime, at: datetime) -> None:
    who = waiting(Waiting.THEM, "letter:1", last_automatic_at=last)
    orders = plan.after(fell_due(participant=who), POLICY, at)
    if isinstance(orders[0], Postpone):
        assert orders[0].due_at > at
        assert not isinstance(plan.after(fell_due(participant=who), POLICY, orders[0].due_at)[0], Postpone)


def test_no_distance_is_kept_when_none_is_wanted() -> None:
    who = waiting(Waiting.THEM, "letter:1", last_automatic_at=NOW)
    assert isinstance(plan.after(fell_due(participant=who), Policy(letter_gap_days=0), NOW)[1], Write)


def test_a_letter_from_a_future_the_clock_was_wrong_about_holds_up_none() -> None:
    who = waiting(Waiting.THEM, "letter:1", last_automatic_at=NOW + 365 * DAY)
    assert isinstance(plan.after(fell_due(participant=who), POLICY, NOW)[1], Write)


# ---- a letter that left late, or not at all -------------------------------------------------------------------------


def test_nobody_is_reminded_of_a_letter_that_is_held_here() -> None:
    held = replace(fell_due(), held=True)
    assert plan.after(held, POLICY, NOW) == [Postpone(2, NOW + DAY)]


@pytest.mark.parametrize(("days_ago", "due_in"), [(14, 0), (13.5, 0), (12, 2), (0.5, 13.5)])
def test_a_letter_that_was_held_for_days_has_its_two_weeks(days_ago: float, due_in: float) -> None:
    orders = plan.after(replace(fell_due(), left_at=NOW - timedelta(days=days_ago)), POLICY, NOW)
    if due_in:
        assert orders == [Postpone(2, NOW + timedelta(days=due_in))]
    else:
        assert isinstance(orders[1], Write)


def test_then_it_is_reminded_of() -> None:
    late = replace(fell_due(), left_at=NOW - DAY)
    [put_off] = plan.after(late, POLICY, NOW)
    assert isinstance(put_off, Postpone)
    then = replace(late, deadline=replace(late.deadline, due_at=put_off.due_at))
    assert isinstance(plan.after(then, POLICY, put_off.due_at)[1], Write)


# ---- our own silence, and agreed waiting ----------------------------------------------------------------------------


def test_who_waits_on_us_has_the_analyst_reminded_and_gets_no_letter() -> None:
    who = waiting(Waiting.US, "mail:9")
    assert plan.after(fell_due(ANSWER, participant=who, since="mail:9"), POLICY, NOW) == [
        Finish(2, "analyst told"),
        Notice("analyst:3", "waits for our answer", "answer:11:mail:9:1", who),
    ]


def test_an_agreed_date_that_has_come_reminds_the_analyst() -> None:
    who = waiting(Waiting.NOBODY, "wait:x")
    turn, finished, told = plan.after(fell_due(WAIT, participant=who, since="wait:x"), POLICY, NOW)
    assert turn == Turn(who, Waiting.NOBODY, None)
    assert finished == Finish(2, "analyst told")
    assert isinstance(told, Notice)
    assert told.why == "the date to wait for has come"


# ---- the reason has gone --------------------------------------------------------------------------------------------

RIGHT = {FOLLOW_UP: Waiting.THEM, ANSWER: Waiting.US, WAIT: Waiting.NOBODY}


@pytest.mark.parametrize("kind", [FOLLOW_UP, ANSWER, WAIT])
@pytest.mark.parametrize("on", list(Waiting))
@pytest.mark.parametrize("since", ["letter:1", "letter:8", None])
@pytest.mark.parametrize("state", ["open", "closed", "published"])
def test_only_the_silence_it_was_set_for_is_acted_upon_and_after_publication_only_ours(
    kind: DeadlineKind, on: Waiting, since: str | None, state: str
) -> None:
    orders = plan.after(fell_due(kind, participant=waiting(on, since), case=in_state(state)), POLICY, NOW)
    runs = state == "open" or (state == "published" and kind is ANSWER)
    holds = on is RIGHT[kind] and since == "letter:1" and runs
    assert (len(orders) > 1) == holds
    if not holds:
        assert orders == [Finish(2, "answered" if runs else f"case {state}")]


@given(st.sampled_from((FOLLOW_UP, ANSWER, WAIT)), st.sampled_from(Waiting), st.integers(1, 9), instants)
def test_every_due_row_is_finished_or_put_off_and_at_most_one_person_hears_of_it(
    kind: DeadlineKind, on: Waiting, rung: int, at: datetime
) -> None:
    orders = plan.after(fell_due(kind, rung, waiting(on, "letter:1")), POLICY, at)
    assert sum(isinstance(order, Finish | Postpone) for order in orders) == 1
    assert sum(isinstance(order, Write | Notice) for order in orders) <= 1
    assert CASE.is_open


@pytest.mark.parametrize(
    ("roles", "rung", "letter"),
    [
        (("vendor",), 1, "follow-up-1"),
        (("vendor", "reporter"), 2, "follow-up-2"),
        (("downstream",), 99, "follow-up-2"),
        (("reporter",), 1, "follow-up-other"),
        (("coordinator",), 2, "follow-up-other"),
    ],
)
def test_every_rung_has_a_letter_and_only_vendors_are_asked_what_vendors_are(
    roles: tuple[str, ...], rung: int, letter: str
) -> None:
    assert followup.rung_letter(replace(VENDOR, roles=roles), rung) == letter
