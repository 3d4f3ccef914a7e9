"""What comes before a publication, and when: counted back from the planned instant, on working days.

The draft of the note is shown 14 to 7 days ahead (seeds 003: "one to two weeks"), whatever the policy says; downstream
vendors are alerted on the same day; who is silent is reminded last. Nothing lies after the publication.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailrouter.case import embargo
from mailrouter.case.lifecycle import PROGRESS
from mailrouter.case.model import Case, Participant
from mailrouter.case.policy import Policy

EARLIEST, LATEST = 14, 7  # days ahead in which a draft is shown
A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Before:
    """The instants before one publication, in their order but for `remind_at`, whose number is free."""

    write_at: datetime  # the draft is to be written
    share_at: datetime  # it is shown, and downstream vendors are alerted
    latest_at: datetime  # the last day on which it may be shown for the first time
    remind_at: datetime  # who is silent is told that we publish
    planned_at: datetime


def before(planned: datetime, policy: Policy) -> Before:
    """All of them; the policy is the case's own."""
    latest = _working(planned - LATEST * A_DAY, planned - LATEST * A_DAY)
    share = _working(planned - draft_days(policy) * A_DAY, latest)
    write = _working(planned - EARLIEST * A_DAY, share)
    return Before(write, share, latest, _working(planned - policy.reminder_days * A_DAY, planned), planned)


def draft_days(policy: Policy) -> int:
    """`draft_days` within its bounds."""
    return min(max(policy.draft_days, LATEST), EARLIEST)


def bounded(policy: Policy) -> str:
    """What is said of a number beyond its bounds; '' when it is within."""
    used = draft_days(policy)
    what = f"draft_days {policy.draft_days} counts as {used}: a draft is shown {EARLIEST} to {LATEST} days ahead"
    return "" if used == policy.draft_days else what


def _working(instant: datetime, bound: datetime) -> datetime:
    """The instant, or the same time on the next working day; never beyond the bound: then the working day before."""
    day = min(embargo.working_day(instant), bound)
    while day.weekday() >= embargo.SATURDAY:
        day -= A_DAY
    return day


def over(case: Case) -> str:
    """Why nothing is to come before a publication of this case; '' when something may."""
    if not case.is_open:
        return f"case {case.state}"
    if case.published_at is not None:
        return "published"
    if case.not_published_at is not None:
        return "not to be published"
    return "" if case.planned_at is not None else "no date is planned"


# ---- whom it concerns ------------------------------------------------------------------------------------------------

UNTOLD = frozenset(PROGRESS["contact"])  # progress of who was never written to
SILENT = frozenset({"contacted", "acknowledged", "undeliverable", "non-responsive"})


def is_silent(one: Participant, *, reachable: bool) -> bool:
    """A vendor that was written to, and has not said a word of what we asked. Who no address reaches cannot be told."""
    told = one.is_vendor and one.takes_part and one.progress in SILENT
    return told and (reachable or one.progress != "undeliverable")


def below_silent(everyone: Collection[Participant]) -> list[Participant]:
    """Downstream vendors that take part, if somebody else, who is not downstream alone, has not answered."""
    silent = {one.id for one in everyone if "vendor" in one.roles and is_silent(one, reachable=True)}
    return [one for one in everyone if "downstream" in one.roles and one.takes_part and silent - {one.id}]


def sees_draft(one: Participant) -> bool:
    """Whether a draft of the note is shown to them: all who take part, vendors once they were written to."""
    return one.takes_part and not (one.is_vendor and one.progress in UNTOLD)
