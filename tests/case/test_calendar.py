"""When what comes before a publication comes: tables, and anything Hypothesis makes of dates and numbers."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.case import calendar
from mailrouter.case.policy import Policy
from tests.case.people import CASE, NOW, VENDOR, instants

DAY = timedelta(days=1)
planned_dates = instants.map(lambda instant: instant + timedelta(days=3000))
policies = st.builds(Policy, draft_days=st.integers(0, 60), reminder_days=st.integers(0, 60))


@pytest.mark.parametrize(
    ("planned", "draft_days", "write", "share", "latest", "remind"),
    [
        ("04-16", 10, "04-02", "04-06", "04-09", "04-13"),  # a Thursday: nothing is in the way
        ("04-15", 10, "04-01", "04-06", "04-08", "04-13"),  # shared on a Sunday, reminded on one: the Monday after
        ("04-16", 14, "04-02", "04-02", "04-09", "04-13"),
        ("04-16", 30, "04-02", "04-02", "04-09", "04-13"),  # beyond the bounds
        ("04-16", 2, "04-02", "04-09", "04-09", "04-13"),
        ("04-18", 10, "04-06", "04-08", "04-10", "04-15"),  # a Saturday, agreed: the last week begins on the Friday
        ("04-18", 7, "04-06", "04-10", "04-10", "04-15"),
    ],
)  # fmt: skip
def test_counted_back_on_working_days(
    planned: str, draft_days: int, write: str, share: str, latest: str, remind: str
) -> None:
    at = {name: datetime.fromisoformat(f"2026-{day}T09:30+00:00") for name, day in (
        ("planned", planned), ("write", write), ("share", share), ("latest", latest), ("remind", remind)
    )}  # fmt: skip
    found = calendar.before(at["planned"], Policy(draft_days=draft_days))
    expected = calendar.Before(at["write"], at["share"], at["latest"], at["remind"], at["planned"])
    assert found == expected


@given(planned_dates, policies)
def test_nothing_comes_after_the_publication_and_a_draft_is_shown_in_time(planned: datetime, policy: Policy) -> None:
    found = calendar.before(planned, policy)
    assert found.write_at <= found.share_at <= found.latest_at < found.planned_at
    assert found.remind_at <= found.planned_at
    assert timedelta(days=7) <= planned - found.share_at <= timedelta(days=14)
    for instant in (found.write_at, found.share_at, found.latest_at, found.remind_at):
        assert instant.weekday() < 5
        assert instant.timetz() == planned.timetz()


@given(planned_dates, policies)
def test_a_date_that_moves_by_a_week_takes_everything_along(planned: datetime, policy: Policy) -> None:
    one, other = calendar.before(planned, policy), calendar.before(planned + 7 * DAY, policy)
    assert other.share_at - one.share_at == other.write_at - one.write_at == other.remind_at - one.remind_at == 7 * DAY


@pytest.mark.parametrize(("days", "used"), [(0, 7), (6, 7), (7, 7), (10, 10), (14, 14), (15, 14)])
def test_a_number_beyond_its_bounds_is_bounded_and_that_is_said(days: int, used: int) -> None:
    policy = Policy(draft_days=days)
    assert calendar.draft_days(policy) == used
    assert calendar.bounded(policy) == (
        "" if days == used else f"draft_days {days} counts as {used}: a draft is shown 14 to 7 days ahead"
    )


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, "no date is planned"),
        ({"planned_at": NOW}, ""),
        ({"planned_at": NOW, "state": "closed"}, "case closed"),
        ({"planned_at": NOW, "published_at": NOW}, "published"),
        ({"planned_at": NOW, "not_published_at": NOW}, "not to be published"),
    ],
)
def test_when_nothing_is_to_come(changes: dict[str, object], why: str) -> None:
    assert calendar.over(replace(CASE, **changes)) == why  # type: ignore[arg-type]  # any column


@pytest.mark.parametrize(
    ("changes", "silent", "sees"),
    [
        ({}, True, True),
        ({"progress": "acknowledged"}, True, True),
        ({"progress": "non-responsive"}, True, True),
        ({"progress": "undeliverable"}, False, True),
        ({"progress": "answered"}, False, True),
        ({"progress": "disputed"}, False, True),
        ({"progress": "not contacted"}, False, False),
        ({"progress": "suspected"}, False, False),
        ({"roles": ("downstream",)}, True, True),
        ({"roles": ("reporter",), "progress": "not contacted"}, False, True),
        ({"roles": ("coordinator",), "progress": "contacted"}, False, True),
        ({"left_at": NOW}, False, False),
    ],
)
def test_who_is_silent_and_who_sees_the_draft(changes: dict[str, object], *, silent: bool, sees: bool) -> None:
    one = replace(VENDOR, **changes)  # type: ignore[arg-type]  # any column
    assert calendar.is_silent(one, reachable=False) == silent
    assert calendar.sees_draft(one) == sees
