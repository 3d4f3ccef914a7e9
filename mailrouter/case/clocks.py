"""The clocks that are no participant's: a report waits for our decision, a case for its planned publication.

Each tells a person, once; nothing happens by itself.
"""

from mailrouter.case.actions import Actions, Finish, Notice
from mailrouter.case.events import CaseDue, ReportDue

DECIDED = ("ACCEPTED", "INVALID", "DEFERRED", "CLOSED")


def due(event: CaseDue | ReportDue) -> Actions:
    """What such a deadline asks for at the moment it is looked at."""
    return _decision(event) if isinstance(event, ReportDue) else _publication(event)


def _publication(event: CaseDue) -> Actions:
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
