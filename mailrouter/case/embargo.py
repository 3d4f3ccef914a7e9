"""The 45-day clock: planned publication, moved to a working day."""

from datetime import datetime, timedelta

from mailrouter.case.policy import Policy

SATURDAY = 5


def planned_publication(first_contact: datetime, policy: Policy) -> datetime:
    """45 days after the first contact (seeds 003, step 4), moved to a working day; an exact instant, UTC."""
    return working_day(first_contact + timedelta(days=policy.embargo_days))


def replanned(first_contact: datetime, policy: Policy, now: datetime) -> datetime:
    """The same by another number of days; never in the past: then it is the next working day from now."""
    return max(planned_publication(first_contact, policy), working_day(now))


def working_day(instant: datetime) -> datetime:
    """The instant itself, or the same time on the Monday after it. Public holidays are nobody's business here."""
    while instant.weekday() >= SATURDAY:
        instant += timedelta(days=1)
    return instant
