"""The clock at the end of a published case: it closes by itself when nothing is open, and else says once what is."""

from datetime import datetime, timedelta

from mailrouter.case.actions import Actions, CloseCase, Finish, Notice, Postpone
from mailrouter.case.events import CaseDue
from mailrouter.case.policy import Policy

A_DAY = timedelta(days=1)
CLOSED = "published, and nothing is open"


def looked_at(event: CaseDue, _policy: Policy, at: datetime) -> Actions:
    """Looked at every day from its date on."""
    case, deadline = event.case, event.deadline
    if case.state != "published":
        return [Finish(deadline.id, f"case {case.state}")]
    if event.still_open:
        why = f"it is published, and does not close by itself: still open: {', '.join(event.still_open)}"
        once = f"close:{case.id}:{deadline.since}:{deadline.rung}"
        return [Postpone(deadline.id, at + A_DAY), Notice(case.queue, why, once)]
    return [Finish(deadline.id, "closed"), CloseCase(CLOSED)]
