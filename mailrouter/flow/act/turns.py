"""Orders about where a participant stands: when they were heard, how far they are, whose turn it is, which clocks run.

Promises: an automatic letter that a closed clock had queued is withdrawn with it.
"""

from mailrouter.case import actions as do
from mailrouter.case import casestate
from mailrouter.flow.act.doing import Doing, write
from mailrouter.store import cases, outbox


def heard(doing: Doing, action: do.Heard) -> None:
    """They are silent no longer."""
    doing.later.heard[action.participant.id] = {"last_heard_at": doing.now, "progress": action.progress}


def progress(doing: Doing, action: do.Progress) -> None:
    """How far they are."""
    participant = action.participant
    cases.change_participant(doing.tx, participant.id, progress=action.progress)
    told = {"participant": participant.id, "progress": action.progress, "was": participant.progress, "at": doing.at}
    write(doing, doing.case, "participant.progress", **told)


def informed(doing: Doing, action: do.Informed) -> None:
    """They know of it, from now on."""
    fresh = cases.participant(doing.tx, action.participant.id)
    columns = casestate.informed(fresh, doing.now)
    if columns:
        cases.change_participant(doing.tx, fresh.id, **columns)
        write(doing, doing.case, "participant.informed", participant=fresh.id, **columns)


def turn(doing: Doing, action: do.Turn) -> None:
    """Whose turn it is, since what."""
    cases.change_participant(
        doing.tx, action.participant.id, waiting_on=str(action.waiting_on), since=action.since, wait_until=None
    )
    write(
        doing,
        doing.case,
        "turn",
        participant=action.participant.id,
        waiting_on=str(action.waiting_on),
        since=action.since,
    )


def close_clocks(doing: Doing, action: do.Close) -> None:
    """Some of their clocks, and the automatic letters these queued."""
    cases.close_deadlines(doing.tx, action.participant.id, action.kinds, doing.now, action.outcome)
    for letter_id in outbox.withdraw_automatic(doing.tx, action.participant.id, action.outcome):
        write(doing, doing.case, "letter.withdrawn", letter=letter_id, outcome=action.outcome)


def set_clock(doing: Doing, action: do.Set) -> None:
    """It runs until it falls due or is closed."""
    cases.set_deadline(
        doing.tx,
        {
            "case_id": action.participant.case_id, "participant_id": action.participant.id, "kind": str(action.kind),
            "since": action.since, "rung": action.rung, "due_at": action.due_at,
        },
    )  # fmt: skip


def finish_clock(doing: Doing, action: do.Finish) -> None:
    """It fell due, and what follows was done."""
    cases.finish_deadline(doing.tx, action.deadline_id, doing.now, action.outcome)


def postpone_clock(doing: Doing, action: do.Postpone) -> None:
    """It was looked at too early."""
    cases.postpone(doing.tx, action.deadline_id, action.due_at)


def again(doing: Doing, action: do.Again) -> None:
    """The case's clock, which is done, falls due once more."""
    deadline = action.deadline
    assert deadline.case_id is not None
    cases.set_clock(doing.tx, deadline.case_id, deadline.kind, deadline.since, action.due_at)
