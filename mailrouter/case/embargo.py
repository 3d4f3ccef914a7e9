"""The 45-day clock: planned publication, moved to a working day; and what letters say of it."""

from datetime import datetime, timedelta
from string import Template

from mailrouter.case.model import Case
from mailrouter.case.policy import Policy

SATURDAY = 5

_PLANNED = (
    "For this case we plan to publish on $planned. Please tell us if you need another date, and why. We may"
    " publish earlier if the vulnerability is exploited or becomes public."
)
_SHORTLY = "Planned publication: $planned"
_STILL = "We plan to publish on $planned, and may do so earlier."
_OVER = "The embargo has ended."
_NONE = "There is no embargo."
_PUBLIC = "The vulnerability has been public since $since."
_EXPLOIT = "An exploit has been public since $since."
_ATTACKS = "Attacks have been seen since $since."
SENTENCES = (_PLANNED, _SHORTLY, _STILL, _OVER, _NONE, _PUBLIC, _EXPLOIT, _ATTACKS)  # that letters may hold


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
        return {name: Template(text).substitute(planned=planned) for name, text in _PLANS.items()}
    ends = {"EXITED": _OVER, "ACTIVE": _STILL, "REVISE": _STILL}.get(case.embargo, _NONE)
    said = f"{known} {Template(ends).substitute(planned=planned)}"
    return {"publication": said, "when": said}


_PLANS = {"publication": _PLANNED, "when": _SHORTLY}


def _known(case: Case) -> str:
    known = ((_PUBLIC, case.public_at), (_EXPLOIT, case.exploit_public_at), (_ATTACKS, case.attacks_at))
    return " ".join(Template(what).substitute(since=f"{at:%Y-%m-%d}") for what, at in known if at is not None)
