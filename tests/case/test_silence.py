"""When a silent vendor counts as non-responsive: both rules, cell by cell, and whatever may have happened."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.case import plan, silence
from mailrouter.case.actions import Finish, Notice, Postpone, Progress
from mailrouter.case.events import FellDue
from mailrouter.case.model import DeadlineKind, Participant, Waiting
from mailrouter.case.policy import Policy
from mailrouter.case.silence import Attempt, Tried
from tests.case.people import DAY, NOW, VENDOR, fell_due, in_state, instants, waiting

POLICY = Policy()
GONE = DeadlineKind.NON_RESPONSIVE
A, B, C = "a@v.example", "b@v.example", "c@v.example"


def tried(*attempts: tuple[str, float], known: str = A) -> Tried:
    """Letters that left so many days after the start, and the addresses that take mail."""
    return Tried([Attempt(address, NOW + day * DAY) for address, day in attempts], frozenset(known.split()))


def heard(day: float, fix: float | None = None) -> Participant:
    """Was in contact: its last sign of life, and the date it gave."""
    return replace(VENDOR, last_heard_at=NOW + day * DAY, fix_expected_at=None if fix is None else NOW + fix * DAY)


# ---- never answered -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "holds"),
    [
        (tried(), None),
        (tried((A, 0)), None),
        (tried((A, 0), (A, 3)), 14),
        (tried((A, 0), (A, 14)), 14),
        (tried((A, 0), (A, 20)), 20),
        (tried((A, 2), (A, 3)), 16),
        (tried((A, 0), (A, 3), known=f"{A} {B}"), None),  # the other one was never tried
        (tried((A, 0), (B, 3), known=f"{A} {B}"), 14),
        (tried((A, 0), (A, 14), (B, 28), known=f"{A} {B}"), 28),
        (tried((A, 0), (B, 28), known=f"{A} {B} {C}"), 28),  # two are enough
        (tried((A, 0), (B, 3), known=B), 14),  # the first takes no mail any more
        (tried((A, 0), (A, 3), known=""), 14),
    ],
)
def test_never_answered(what: Tried, holds: float | None) -> None:
    since = silence.holds_from(VENDOR, what, POLICY)
    assert since == (None if holds is None else NOW + holds * DAY)


# ---- was in contact once --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "what", "holds"),
    [
        (heard(0), tried((A, 1), (A, 15)), 42),  # no date: six weeks after its last reply
        (heard(0), tried((A, 1)), None),
        (heard(0), tried((A, -3), (A, 0)), None),  # what it answered was no attempt
        (heard(0), tried((A, -3), (A, 1), (A, 50)), 50),
        (heard(0, fix=20), tried((A, 1), (A, 15)), 20),  # the date it gave
        (heard(0, fix=5), tried((A, 1), (A, 3)), 14),  # but two weeks in any case
        (heard(0, fix=90), tried((A, 1), (A, 15)), 90),
        (heard(0, fix=-5), tried((A, 1), (A, 3)), 14),
        (heard(0), tried((A, 1), (A, 2), known=f"{A} {B}"), 42),  # one address does: it answered there
    ],
)
def test_was_in_contact(who: Participant, what: Tried, holds: float | None) -> None:
    since = silence.holds_from(who, what, POLICY)
    assert since == (None if holds is None else NOW + holds * DAY)


def test_the_numbers_are_the_policys() -> None:
    own = Policy(non_responsive_days=3, non_responsive_attempts=3, non_responsive_weeks=1)
    assert silence.holds_from(VENDOR, tried((A, 0), (A, 1), (A, 5)), own) == NOW + 5 * DAY
    assert silence.holds_from(heard(0), tried((A, 1), (A, 2), (A, 3)), own) == NOW + 7 * DAY


# ---- what the clock does --------------------------------------------------------------------------------------------


def due(who: Participant, what: Tried, state: str = "open") -> FellDue:
    return replace(fell_due(GONE, participant=who, case=in_state(state)), tried=what)


def test_it_holds_the_fact_is_recorded_and_the_analyst_told() -> None:
    finished, fact, told = plan.after(due(VENDOR, tried((A, 0), (A, 3))), POLICY, NOW + 14 * DAY)
    assert (finished, fact) == (Finish(2, "non-responsive"), Progress(VENDOR, "non-responsive"))
    assert isinstance(told, Notice)
    assert (told.once, told.participant, VENDOR.name in told.why) == ("non-responsive:11:letter:1:1", VENDOR, False)
    assert "downstream" in told.why
    assert "before publication" in told.why


@pytest.mark.parametrize("progress", ["contacted", "acknowledged", "answered"])
def test_whatever_was_before(progress: str) -> None:
    who = replace(VENDOR, progress=progress)
    assert Progress(who, "non-responsive") in plan.after(due(who, tried((A, 0), (A, 3))), POLICY, NOW + 14 * DAY)


@pytest.mark.parametrize(
    ("progress", "does"),
    [("disputed", Finish), ("suspected", Finish), ("non-responsive", Finish), ("undeliverable", Postpone)],
)
def test_what_says_more_than_silence_stays(progress: str, does: type) -> None:
    who = replace(VENDOR, progress=progress)
    [order] = plan.after(due(who, tried((A, 0), (A, 3))), POLICY, NOW + 14 * DAY)
    assert isinstance(order, does)


@pytest.mark.parametrize("on", list(Waiting))
@pytest.mark.parametrize("since", ["letter:1", "letter:8", None])
@pytest.mark.parametrize("state", ["open", "closed", "published"])
def test_only_of_this_silence_in_an_open_case(on: Waiting, since: str | None, state: str) -> None:
    orders = plan.after(due(waiting(on, since), tried((A, 0), (A, 3)), state), POLICY, NOW + 14 * DAY)
    assert (len(orders) > 1) == (on is Waiting.THEM and since == "letter:1" and state == "open")


attempts = st.lists(st.tuples(st.sampled_from((A, B, C)), st.floats(0, 200)), max_size=6)
known = st.sampled_from(["", A, f"{A} {B}", f"{A} {B} {C}"])
people = st.just(VENDOR) | st.builds(heard, st.floats(0, 200), st.none() | st.floats(-100, 400))


@given(people, attempts, known, instants)
def test_a_row_that_comes_too_early_is_put_off_to_when_it_could_hold(
    who: Participant, sent: list[tuple[str, float]], addresses: str, at: datetime
) -> None:
    facts = tried(*sorted(sent, key=lambda one: one[1]), known=addresses)
    orders = plan.after(due(who, facts), POLICY, at)
    holds = silence.holds_from(who, facts, POLICY)
    if holds is not None and holds <= at:
        assert len(orders) == 3
        return
    [put_off] = orders
    assert isinstance(put_off, Postpone)
    assert put_off.due_at > at
    if holds is not None:
        assert len(plan.after(due(who, facts), POLICY, put_off.due_at)) == 3


@given(people, attempts, known)
def test_never_before_two_weeks_of_silence_and_two_attempts(
    who: Participant, sent: list[tuple[str, float]], addresses: str
) -> None:
    facts = tried(*sorted(sent, key=lambda one: one[1]), known=addresses)
    holds = silence.holds_from(who, facts, POLICY)
    if holds is None:
        return
    since = [one for one in facts.attempts if who.last_heard_at is None or one.at > who.last_heard_at]
    assert len([one for one in since if one.at <= holds]) >= 2
    assert holds >= (who.last_heard_at or since[0].at) + timedelta(days=14)
