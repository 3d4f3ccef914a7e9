"""The 45-day clock: planned publication, moved to a working day; and what letters say of it."""

from datetime import datetime, timedelta

from mailrouter.case.model import Case
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


def words(case: Case, planned: str) -> dict[str, str]:
    """What letters say of publication: our plan; or since when the world knows, and what became of the embargo."""
    known = _known(case)
    if not known:
        plan = (
            f"For this case we plan to publish on {planned}. Please tell us if you need another date, and why. We may"
            " publish earlier if the vulnerability is exploited or becomes public."
        )
        return {"publication": plan, "when": f"Planned publication: {planned}"}
    still = f"We plan to publish on {planned}, and may do so earlier."
    over = {"EXITED": "The embargo has ended.", "ACTIVE": still, "REVISE": still}
    said = f"{known} {over.get(case.embargo, 'There is no embargo.')}"
    return {"publication": said, "when": said}


def _known(case: Case) -> str:
    since = (
        ("The vulnerability has been public", case.public_at),
        ("An exploit has been public", case.exploit_public_at),
        ("Attacks have been seen", case.attacks_at),
    )
    return " ".join(f"{what} since {at:%Y-%m-%d}." for what, at in since if at is not None)
