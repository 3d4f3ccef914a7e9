"""The 45-day clock: planned publication, moved to a working day."""

from datetime import datetime, timedelta

from mailrouter.case.policy import Policy

SATURDAY = 5


def planned_publication(first_contact: datetime, policy: Policy) -> datetime:
    """45 days after the first contact (seeds 003, step 4), moved to a working day; an exact instant, UTC."""
    planned = first_contact + timedelta(days=policy.embargo_days)
    while planned.weekday() >= SATURDAY:
        planned += timedelta(days=1)
    return planned
