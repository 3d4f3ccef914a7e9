"""Two weeks of silence (seeds 002, 004), and ours.

Rung 1 falls due `follow_up_days` after the first unanswered letter, rung n+1 as long after rung n's letter was made;
after the last rung the analyst is told. When they wait on us, the analyst is reminded instead and nobody else is
nagged.
"""

from datetime import datetime, timedelta

from mailrouter.case.actions import Actions, Close, Finish, Notice, Postpone, Set, Turn, Write
from mailrouter.case.events import FellDue
from mailrouter.case.model import DeadlineKind, Participant, Waiting
from mailrouter.case.policy import Policy

A_DAY = timedelta(days=1)


def opens(participant: Participant, letter: str, policy: Policy, made_at: datetime, *, clock_runs: bool) -> Actions:
    """A letter that asks was made: their turn. Only the first unanswered letter starts the clock.

    `clock_runs`: a rung of this silence is still to come. After the last one, a person's new letter begins anew.
    """
    if participant.waiting_on is Waiting.THEM and clock_runs:
        return []
    return [
        Close(participant, (DeadlineKind.ANSWER, DeadlineKind.WAIT), "written to"),
        Turn(participant, Waiting.THEM, letter),
        Set(participant, DeadlineKind.FOLLOW_UP, letter, 1, made_at + policy.silence),
    ]


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
    raise ValueError(f"no participant's clock: {event.deadline.kind}")


def _reason_gone(event: FellDue) -> str:
    """Why nothing is to be done any more; '' when the reason still holds."""
    if not event.case.is_open:
        return "case closed"
    if (
        event.participant.waiting_on is not _WAITS_FOR[event.deadline.kind]
        or event.participant.since != event.deadline.since
    ):
        return "answered"
    return ""


_WAITS_FOR = {
    DeadlineKind.FOLLOW_UP: Waiting.THEM,
    DeadlineKind.ANSWER: Waiting.US,
    DeadlineKind.WAIT: Waiting.NOBODY,
}


def _silence(event: FellDue, policy: Policy, at: datetime) -> Actions:
    deadline, participant = event.deadline, event.participant
    free_at = max(gap_ends(participant, policy, at), _silent_for_long(event, policy, at))
    if free_at > at:
        return [Postpone(deadline.id, free_at)]
    if deadline.rung > policy.follow_ups:
        why = f"no answer; {policy.follow_ups} follow-ups are out"
        return [Finish(deadline.id, "analyst told"), Notice(event.case.queue, why, _once(event), participant)]
    return [
        Finish(deadline.id, f"follow-up {deadline.rung}"),
        Write(participant, f"follow-up-{min(deadline.rung, 2)}", deadline.since, deadline.rung),
        Set(participant, DeadlineKind.FOLLOW_UP, deadline.since, deadline.rung + 1, at + policy.silence),
    ]


def gap_ends(participant: Participant, policy: Policy, at: datetime) -> datetime:
    """When another automatic letter may go. One from a future that a clock was wrong about holds up none."""
    last, gap = participant.last_automatic_at, timedelta(days=policy.letter_gap_days)
    return at if last is None or last > at + gap else last + gap


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
