"""Our date: so many days after the first contact, moved to a working day; always the same time of day, UTC."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.case import embargo
from mailrouter.case.model import Case
from mailrouter.case.policy import Policy
from tests.case.people import CASE, DAY, NOW, instants

MORNING = "2026-03-02 09:00 UTC"
PLANNED = datetime(2026, 4, 16, 9, tzinfo=UTC)
policies = st.builds(Policy, embargo_days=st.integers(1, 100_000))


@pytest.mark.parametrize(
    ("contact", "days", "planned"),
    [
        ("2026-03-02T09:00+00:00", 45, "2026-04-16T09:00+00:00"),  # a Thursday
        ("2026-03-04T09:00+00:00", 45, "2026-04-20T09:00+00:00"),  # a Saturday
        ("2026-03-05T09:00+00:00", 45, "2026-04-20T09:00+00:00"),  # a Sunday
        ("2028-01-15T23:59+00:00", 45, "2028-02-29T23:59+00:00"),  # the day that only leap years have
        ("2028-02-29T12:00+00:00", 365, "2029-02-28T12:00+00:00"),
        ("2026-11-30T00:00+00:00", 45, "2027-01-14T00:00+00:00"),
        ("2026-03-27T23:30+00:00", 3, "2026-03-30T23:30+00:00"),  # clocks of Europe change in between: UTC does not
        ("2026-02-27T18:00-05:00", 1, "2026-03-02T18:00-05:00"),  # 23:00 UTC: a Saturday all the same
    ],
)
def test_planned(contact: str, days: int, planned: str) -> None:
    found = embargo.planned_publication(datetime.fromisoformat(contact), Policy(embargo_days=days))
    assert found == datetime.fromisoformat(planned)


@given(instants, policies)
def test_a_working_day_never_early_and_at_most_two_days_late(contact: datetime, policy: Policy) -> None:
    planned = embargo.planned_publication(contact, policy)
    assert planned.weekday() < embargo.SATURDAY
    assert timedelta(0) <= planned - contact - policy.embargo_days * DAY <= 2 * DAY
    assert planned.timetz() == contact.timetz()


@given(instants, policies, instants)
def test_replanned_never_into_the_past(contact: datetime, policy: Policy, now: datetime) -> None:
    again = embargo.replanned(contact, policy, now)
    assert again >= now
    assert again.weekday() < embargo.SATURDAY
    assert again == embargo.planned_publication(contact, policy) or again - now <= 2 * DAY


def test_the_zone_of_whoever_reads_moves_nothing() -> None:
    contact = datetime(2026, 3, 28, 1, tzinfo=UTC)
    abroad = contact.astimezone(timezone(timedelta(hours=1)))
    assert embargo.planned_publication(contact, Policy()) == embargo.planned_publication(abroad, Policy())


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ({"public_at": NOW, "embargo": "EXITED"},
         "The vulnerability has been public since 2026-03-02 09:00 UTC. The embargo has ended."),
        ({"public_at": NOW, "embargo": "NONE"},
         "The vulnerability has been public since 2026-03-02 09:00 UTC. There is no embargo."),
        ({"exploit_public_at": NOW + DAY, "embargo": "EXITED"},
         "An exploit has been public since 2026-03-03 09:00 UTC. The embargo has ended."),
        ({"attacks_at": NOW, "embargo": "EXITED"},
         "Attacks have been seen since 2026-03-02 09:00 UTC. The embargo has ended."),
        ({"attacks_at": NOW},  # they should end it, and nobody has
         f"Attacks have been seen since {MORNING}. We plan to publish on 2026-04-16 09:00 UTC, and may do so earlier."),
    ],
)  # fmt: skip
def test_what_the_world_knows_stands_in_letters_in_place_of_our_plan(known: dict[str, Any], said: str) -> None:
    assert _said(replace(CASE, planned_at=PLANNED, **known)) == (said, said)


def test_until_then_letters_give_our_plan() -> None:
    words = embargo.words(replace(CASE, planned_at=PLANNED))
    assert words["when"] == "Planned publication: 2026-04-16 09:00 UTC"
    assert "we plan to publish on 2026-04-16 09:00 UTC." in words["publication"]


def _said(case: Case) -> tuple[str, str]:
    words = embargo.words(case)
    return words["publication"], words["when"]


@pytest.mark.parametrize(
    ("at", "zone", "said"),
    [
        ("2026-12-31T14:00+00:00", "UTC", "2026-12-31 14:00 UTC"),
        ("2026-12-31T14:00+00:00", "Europe/Berlin", "2026-12-31 14:00 UTC (15:00 Europe/Berlin)"),
        ("2026-12-31T23:30+00:00", "Europe/Berlin", "2026-12-31 23:30 UTC (00:30 on 2027-01-01 Europe/Berlin)"),
        ("2026-07-01T14:00+00:00", "Asia/Kathmandu", "2026-07-01 14:00 UTC (19:45 Asia/Kathmandu)"),
        ("2026-03-29T00:30+00:00", "Europe/Berlin", "2026-03-29 00:30 UTC (01:30 Europe/Berlin)"),
        ("2026-03-29T01:30+00:00", "Europe/Berlin", "2026-03-29 01:30 UTC (03:30 Europe/Berlin)"),
    ],
)
def test_an_instant_is_exact_in_utc_and_in_the_zone_it_was_given_in(at: str, zone: str, said: str) -> None:
    assert embargo.instant(datetime.fromisoformat(at), zone) == said


@pytest.mark.parametrize(
    ("columns", "kept"),
    [({}, True), ({"embargo": "EXITED"}, False), ({"public_at": NOW}, False), ({"embargo": "NONE"}, True)],
)
def test_nobody_is_asked_to_keep_what_is_free(columns: dict[str, Any], kept: bool) -> None:
    said = embargo.words(replace(CASE, **columns))["keep"]
    assert (said == "Please keep the details confidential until we publish.") == kept
