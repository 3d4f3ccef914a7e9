"""The clocks that are no participant's: a report waits for our decision, a case for all that comes before and after its
publication.

Each rule looks at the case as it is now: a date that has moved puts the clock off, and what does not apply any more
ends it. So a row that was set too early, or by a migration, does no harm.
"""

import shlex
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from mailrouter.case import approvalclock, calendar, closeclock, embargoclocks, followup, recordclock
from mailrouter.case.actions import Actions, Again, Finish, Notice, Postpone, ShowDraft, Write
from mailrouter.case.calendar import Before
from mailrouter.case.events import CaseDue, ReportDue
from mailrouter.case.model import DeadlineKind, Participant
from mailrouter.case.policy import Policy

DECIDED = ("ACCEPTED", "INVALID", "DEFERRED", "CLOSED")
REMINDER, ALERT = "publication-reminder", "downstream-alert"  # letters

Rule = Callable[[CaseDue, Policy, datetime], Actions]


def due(event: CaseDue | ReportDue, policy: Policy, at: datetime) -> Actions:
    """What such a deadline asks for at the moment it is looked at, however late that is."""
    return _decision(event) if isinstance(event, ReportDue) else _RULES[event.deadline.kind](event, policy, at)


def _decision(event: ReportDue) -> Actions:
    report, deadline = event.report, event.deadline
    if report.rm in DECIDED:
        return [Finish(deadline.id, "decided")]
    asked = deadline.since.startswith("letter:")
    waits = "was asked about, and nobody has answered" if asked else "waits for a decision"
    why = f"{report.vrf} {waits}: `mailrouter report show {report.vrf}`"
    once = f"decision:{report.id}:{deadline.since}:{deadline.rung}"
    return [Finish(deadline.id, "triage told"), Notice("triage", why, once, report_id=report.id)]


def _publication(event: CaseDue, _policy: Policy, at: datetime) -> Actions:
    case, deadline = event.case, event.deadline
    if over := calendar.over(case):
        return [Finish(deadline.id, over)]
    assert case.planned_at is not None  # else it would be over
    if at < case.planned_at:
        return [Postpone(deadline.id, case.planned_at)]
    return [Finish(deadline.id, "analyst told"), _told(event, "the planned publication date has come")]


# ---- before publication ----------------------------------------------------------------------------------------------


def _before(rule: Callable[[CaseDue, Before, Policy, datetime], Actions]) -> Rule:
    """What has a place before the planned date, and none once that has come."""

    def looked_at(event: CaseDue, policy: Policy, at: datetime) -> Actions:
        over = calendar.over(event.case)
        if over or event.case.planned_at is None:
            return [Finish(event.deadline.id, over)]
        if at >= event.case.planned_at:
            return [Finish(event.deadline.id, "the planned date has come")]
        return rule(event, calendar.before(event.case.planned_at, policy), policy, at)

    return looked_at


def _draft(event: CaseDue, before: Before, _policy: Policy, at: datetime) -> Actions:
    """Two weeks ahead it is to be written; on its date it is shown, if an analyst said so; a week ahead is the last
    call. Who joins later is shown it by a person's order.
    """
    if at < before.write_at:
        return [Postpone(event.deadline.id, before.write_at)]
    drafted, case = event.drafted, event.case
    if drafted is None:
        return _not_written(event, before, at)
    if at < before.share_at:
        return [Postpone(event.deadline.id, before.share_at)]
    unseen = [one for one in event.participants if calendar.sees_draft(one) and one.id not in drafted.shown_some]
    if not unseen:
        return [Finish(event.deadline.id, "shown")]
    if case.share_ordered_by and not drafted.shown_some:
        shown: Actions = [Finish(event.deadline.id, "shown"), ShowDraft(tuple(unseen), drafted.revision_id)]
        return [*shown, *_again(event, before, at)]
    why = f"{drafted.name} of the note was not shown to {_names(unseen)}: `mailrouter note share {case.vu}`"
    return _call(event, before, at, f"{why}{_last(before, at)}")


def _not_written(event: CaseDue, before: Before, at: datetime) -> Actions:
    what = "is to be written" if at < before.share_at else "is to be shown now, and is not written"
    how = f"`mailrouter note write {event.case.vu}`, then `mailrouter note share {event.case.vu}`"
    return _call(event, before, at, f"the draft of the note {what}: {how}{_last(before, at)}")


def _call(event: CaseDue, before: Before, at: datetime, why: str) -> Actions:
    """The analyst is told, and again when the next instant comes."""
    return [Finish(event.deadline.id, "analyst told"), _told(event, why), *_again(event, before, at)]


def _again(event: CaseDue, before: Before, at: datetime) -> Actions:
    following = next((one for one in (before.share_at, before.latest_at) if at < one), None)
    return [Again(event.deadline, following)] if following else []


def _last(before: Before, at: datetime) -> str:
    return f"; publication is planned for {before.planned_at:%Y-%m-%d}" if at >= before.latest_at else ""


def _alert(event: CaseDue, before: Before, policy: Policy, at: datetime) -> Actions:
    """Who depends on a vendor that has not answered learns so in time (DOMAIN.md, process 8)."""
    if at < before.share_at:
        return [Postpone(event.deadline.id, before.share_at)]
    below = calendar.below_silent(event.participants)
    if not below:
        return [Finish(event.deadline.id, "no downstream vendor below a silent one")]
    told = [one for one in below if one.progress not in calendar.UNTOLD]
    orders = _letters(event, told, ALERT, before, policy, at)
    untold = [one for one in below if one.progress in calendar.UNTOLD]
    return [*orders, _untold(event, before, untold)] if untold else orders


def _untold(event: CaseDue, before: Before, untold: Sequence[Participant]) -> Notice:
    names = " ".join(shlex.quote(one.name) for one in untold)
    why = f"downstream vendors that were not contacted yet: `mailrouter case notify {event.case.vu} {names}`"
    return Notice(event.case.queue, why, f"alert:{event.case.id}:{before.planned_at:%Y-%m-%d}")


def _reminder(event: CaseDue, before: Before, policy: Policy, at: datetime) -> Actions:
    """Who never answered is told that we publish."""
    if at < before.remind_at:
        return [Postpone(event.deadline.id, before.remind_at)]
    silent = [one for one in event.participants if calendar.is_silent(one, reachable=one.id in event.reachable)]
    return _letters(event, silent, REMINDER, before, policy, at)


def _letters(
    event: CaseDue, to: Sequence[Participant], letter: str, before: Before, policy: Policy, at: datetime
) -> Actions:
    """One to each who has none yet; who got another automatic letter lately, once they have had peace. Who has none
    before the date gets no letter of ours by itself (DOMAIN.md, process 5: never two), and a person hears of that.
    """
    free_at = {one.id: followup.gap_ends(one, policy, at) for one in to if one.id not in event.told}
    now = [one for one in to if free_at.get(one.id, before.planned_at) <= at]
    waits = [instant for instant in free_at.values() if at < instant < before.planned_at]
    if waits and not now:
        return [Postpone(event.deadline.id, min(waits))]
    late = [_no_letter(event, one, letter, before) for one in to if before.planned_at <= free_at.get(one.id, at)]
    done = Finish(event.deadline.id, f"letters: {len(now)}" if now else "nobody is to be written to")
    written = [Write(one, letter, event.deadline.since, event.deadline.rung) for one in now]
    return [done, *written, *late, *([Again(event.deadline, min(waits))] if waits else [])]


def _no_letter(event: CaseDue, one: Participant, letter: str, before: Before) -> Notice:
    case, date = event.case, f"{before.planned_at:%Y-%m-%d}"
    how = f"if it must know, `mailrouter case write {case.vu} {shlex.quote(one.name)}`"
    why = f"gets no {letter} before {date}: another automatic letter went to it too lately; {how}"
    return Notice(case.queue, why, f"no-{letter}:{case.id}:{one.id}:{date}", one)


def _told(event: CaseDue, why: str) -> Notice:
    deadline = event.deadline
    once = f"{deadline.kind}:{event.case.id}:{deadline.since}:{deadline.rung}"
    return Notice(event.case.queue, why, once)


MOST_NAMED = 5


def _names(some: Collection[Participant]) -> str:
    named = ", ".join([one.name for one in some][:MOST_NAMED])
    return named + (f" and {len(some) - MOST_NAMED} more" if len(some) > MOST_NAMED else "")


_RULES: Mapping[DeadlineKind, Rule] = {
    DeadlineKind.PUBLICATION: _publication,
    DeadlineKind.DRAFT: _before(_draft),
    DeadlineKind.ALERT: _before(_alert),
    DeadlineKind.REMINDER: _before(_reminder),
    DeadlineKind.EMBARGO: embargoclocks.ended,
    DeadlineKind.TERMS: embargoclocks.lapsed,
    DeadlineKind.RECORD: recordclock.due,
    DeadlineKind.APPROVAL: approvalclock.due,
    DeadlineKind.CLOSE: closeclock.looked_at,
}
