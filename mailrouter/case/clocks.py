"""The clocks that are no participant's: a report waits for our decision, a case for its planned publication.

Each tells a person, once; nothing happens by itself.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from mailrouter.case import embargoclocks
from mailrouter.case.actions import Actions, Finish, Notice
from mailrouter.case.events import CaseDue, ReportDue
from mailrouter.case.model import DeadlineKind
from mailrouter.case.policy import Policy

DECIDED = ("ACCEPTED", "INVALID", "DEFERRED", "CLOSED")


def due(event: CaseDue | ReportDue, policy: Policy, at: datetime) -> Actions:
    """What such a deadline asks for at the moment it is looked at."""
    return _decision(event) if isinstance(event, ReportDue) else _RULES[event.deadline.kind](event, policy, at)


def _publication(event: CaseDue, _policy: Policy, _at: datetime) -> Actions:
    case, deadline = event.case, event.deadline
    if not case.is_open:
        return [Finish(deadline.id, f"case {case.state}")]
    if case.planned_at is None or case.planned_at > deadline.due_at:
        return [Finish(deadline.id, "another date was agreed")]
    once = f"publication:{case.id}:{deadline.since}:{deadline.rung}"
    return [Finish(deadline.id, "analyst told"), Notice(case.queue, "the planned publication date has come", once)]


def _decision(event: ReportDue) -> Actions:
    report, deadline = event.report, event.deadline
    if report.rm in DECIDED:
        return [Finish(deadline.id, "decided")]
    asked = deadline.since.startswith("letter:")
    waits = "was asked about, and nobody has answered" if asked else "waits for a decision"
    why = f"{report.vrf} {waits}: `mailrouter report show {report.vrf}`"
    once = f"decision:{report.id}:{deadline.since}:{deadline.rung}"
    return [Finish(deadline.id, "triage told"), Notice("triage", why, once, report_id=report.id)]


_RULES: Mapping[DeadlineKind, Callable[[CaseDue, Policy, datetime], Actions]] = {
    DeadlineKind.PUBLICATION: _publication,
    DeadlineKind.EMBARGO: embargoclocks.ended,
    DeadlineKind.TERMS: embargoclocks.lapsed,
}
