"""Two weeks of silence (seeds 002, 004), and ours.

Rung 1 falls due `follow_up_days` after the first unanswered letter, rung n+1 as long after rung n's letter was made;
after the last rung the analyst is told. Beside the ladder runs the clock after which a vendor counts as
non-responsive (silence.py). When they wait on us, the analyst is reminded instead and nobody else is nagged.
"""

from datetime import datetime, timedelta
from string import Template

from mailrouter.case import calendar, lifecycle, silence
from mailrouter.case.actions import Actions, Close, Finish, Notice, Postpone, Progress, Set, Turn, Write
from mailrouter.case.events import FellDue
from mailrouter.case.model import DeadlineKind, Participant, Waiting
from mailrouter.case.policy import Policy
from mailrouter.case.silence import Tried

A_DAY = timedelta(days=1)
BEFORE = (DeadlineKind.ANSWER, DeadlineKind.WAIT, DeadlineKind.NON_RESPONSIVE)  # clocks of what was before


def opens(participant: Participant, letter: str, policy: Policy, made_at: datetime, *, clock_runs: bool) -> Actions:
    """A letter that asks was made: their turn. Only the first unanswered letter starts the clocks.

    `clock_runs`: a rung of this silence is still to come. After the last one, a person's new letter begins anew.
    """
    if participant.waiting_on is Waiting.THEM and clock_runs:
        return []
    return [Close(participant, BEFORE, "written to"), *asks_again(participant, letter, policy, made_at)]


def asks_again(participant: Participant, since: str, policy: Policy, at: datetime) -> Actions:
    """Their turn, and both clocks of their silence, counted from `at`."""
    clocks: Actions = [Set(participant, DeadlineKind.FOLLOW_UP, since, 1, at + policy.silence)]
    if participant.is_vendor:
        gone_at = silence.look_again(participant, Tried(), policy, at)
        clocks.append(Set(participant, DeadlineKind.NON_RESPONSIVE, since, 1, gone_at))
    return [Turn(participant, Waiting.THEM, since), *clocks]


def words(participant: Participant) -> dict[str, str]:
    """What a follow-up says of how long they have been silent; who has told us that they have our letter, has it."""
    if participant.progress == "acknowledged" and participant.last_heard_at is not None:
        return {"heard": Template(_HAVE_IT).substitute(day=f"{participant.last_heard_at:%Y-%m-%d}"), "perhaps": ""}
    return {"heard": _SILENT, "perhaps": _PERHAPS}


_HAVE_IT = "You told us on $day that you have it; we have not heard more since."
_SILENT = "We have not heard from you since."
_PERHAPS = (
    "Perhaps our letter did not reach the right person; if so, please pass this one on, or tell us whom to write to."
)
SENTENCES = (_HAVE_IT, _SILENT, _PERHAPS)  # that letters may hold


def rung_letter(participant: Participant, rung: int) -> str:
    """The text of a rung, 1 being the first; the second serves every rung beyond it. Who is no vendor is asked what
    only our letter says.
    """
    return f"follow-up-{min(rung, 2)}" if participant.is_vendor else "follow-up-other"


def due(event: FellDue, policy: Policy, at: datetime) -> Actions:
    """What a deadline asks for at the moment it is looked at, however late that is."""
    reason_gone = _reason_gone(event)
    if reason_gone:
        return [Finish(event.deadline.id, reason_gone)]
    match event.deadline.kind:
        case DeadlineKind.FOLLOW_UP:
            return _silence(event, policy, at)
        case DeadlineKind.ANSWER:
            return _remind(event, "waits for our answer")
        case DeadlineKind.WAIT:
            return [Turn(event.participant, Waiting.NOBODY, None), *_remind(event, "the date to wait for has come")]
        case DeadlineKind.NON_RESPONSIVE:
            return _gone(event, policy, at)
    raise ValueError(f"no participant's clock: {event.deadline.kind}")


def moved(event: FellDue, before: Policy, after: Policy, now: datetime) -> datetime:
    """When an open deadline of a participant falls due once the numbers are others; never before now."""
    deadline = event.deadline
    if deadline.kind is DeadlineKind.NON_RESPONSIVE:
        holds = silence.look_again(event.participant, event.tried, after, now)
        return max(holds, now)
    by = {
        DeadlineKind.FOLLOW_UP: after.silence - before.silence,
        DeadlineKind.ANSWER: timedelta(days=after.answer_days - before.answer_days),
    }.get(deadline.kind)
    return max(deadline.due_at + by, now) if by else deadline.due_at


def _reason_gone(event: FellDue) -> str:
    """Why nothing is to be done any more; '' when the reason still holds."""
    if not _still_asked(event):
        return f"case {event.case.state}"
    if (
        event.participant.waiting_on is not _WAITS_FOR[event.deadline.kind]
        or event.participant.since != event.deadline.since
    ):
        return "answered"
    return ""


def _still_asked(event: FellDue) -> bool:
    """Nobody is followed up once the note is published; who waits on us waits on."""
    case = event.case
    return case.goes_on if event.deadline.kind is DeadlineKind.ANSWER else case.is_open


_WAITS_FOR = {
    DeadlineKind.FOLLOW_UP: Waiting.THEM,
    DeadlineKind.NON_RESPONSIVE: Waiting.THEM,
    DeadlineKind.ANSWER: Waiting.US,
    DeadlineKind.WAIT: Waiting.NOBODY,
}


def _silence(event: FellDue, policy: Policy, at: datetime) -> Actions:
    deadline, participant = event.deadline, event.participant
    free_at = _silent_for_long(event, policy, at)
    if deadline.rung <= policy.follow_ups:  # else nothing is written to them
        free_at = max(free_at, gap_ends(participant, policy, at), _reminder_goes_first(event, policy, at))
    if free_at > at:
        return [Postpone(deadline.id, free_at)]
    if deadline.rung > policy.follow_ups:
        why = f"no answer; {policy.follow_ups} follow-ups are out"
        return [Finish(deadline.id, "analyst told"), Notice(event.case.queue, why, _once(event), participant)]
    return [
        Finish(deadline.id, f"follow-up {deadline.rung}"),
        Write(participant, rung_letter(participant, deadline.rung), deadline.since, deadline.rung),
        Set(participant, DeadlineKind.FOLLOW_UP, deadline.since, deadline.rung + 1, at + policy.silence),
    ]


GONE = "counts as non-responsive: alert its downstream vendors; it is reminded before publication"


def _gone(event: FellDue, policy: Policy, at: datetime) -> Actions:
    """By both rules (DOMAIN.md, process 5). A row that is looked at too early is put off to when it could hold."""
    participant, tried = event.participant, event.tried
    if participant.progress == silence.NO_WAY:
        return [Postpone(event.deadline.id, at + A_DAY)]
    if participant.progress not in lifecycle.PROGRESS["give up"]:
        return [Finish(event.deadline.id, participant.progress)]
    holds = silence.holds_from(participant, tried, policy)
    if holds is None or holds > at:
        return [Postpone(event.deadline.id, silence.look_again(participant, tried, policy, at))]
    told = Notice(event.case.queue, GONE, _once(event), participant)
    return [Finish(event.deadline.id, silence.NON_RESPONSIVE), Progress(participant, silence.NON_RESPONSIVE), told]


def gap_ends(participant: Participant, policy: Policy, at: datetime) -> datetime:
    """When another automatic letter may go. One from a future that a clock was wrong about holds up none."""
    last, gap = participant.last_automatic_at, timedelta(days=policy.letter_gap_days)
    return at if last is None or last > at + gap else last + gap


def _reminder_goes_first(event: FellDue, policy: Policy, at: datetime) -> datetime:
    """Around the reminder before publication no rung is written: the later step wins."""
    case, gap = event.case, timedelta(days=policy.letter_gap_days)
    silent = calendar.is_silent(event.participant, reachable=bool(event.tried.addresses))
    if not silent or calendar.over(case) or case.planned_at is None or at >= case.planned_at:
        return at
    remind_at = calendar.before(case.planned_at, policy).remind_at
    return remind_at + gap if abs(remind_at - at) < gap else at


def _silent_for_long(event: FellDue, policy: Policy, at: datetime) -> datetime:
    """Nobody is reminded of a letter that is held here; one that left late has its two weeks from then on."""
    if event.deadline.rung > 1:
        return at
    if event.held:
        return at + A_DAY
    counted_from = event.deadline.due_at - policy.silence
    late = event.left_at is not None and counted_from + A_DAY < event.left_at <= at
    return event.left_at + policy.silence if late and event.left_at else at


def _remind(event: FellDue, why: str) -> Actions:
    told = Notice(event.case.queue, why, _once(event), event.participant)
    return [Finish(event.deadline.id, "analyst told"), told]


def _once(event: FellDue) -> str:
    deadline = event.deadline
    return f"{deadline.kind}:{deadline.participant_id}:{deadline.since}:{deadline.rung}"
