"""Orders about the case as a whole: it closes, and it goes on again.

Promises: who takes part has nothing open with us in a closed case, and has done with the report; in one that goes on
again their dealing with it begins anew, since the table of RM has no way out of CLOSED.
"""

from dataclasses import replace
from datetime import timedelta

from mailrouter.case import actions as do
from mailrouter.case import lifecycle
from mailrouter.case.model import Case, DeadlineKind, Participant, Waiting
from mailrouter.case.policy import of_case
from mailrouter.flow import publication
from mailrouter.flow.act import turns
from mailrouter.flow.act.doing import Doing, write
from mailrouter.store import cases, cves, vulnerabilities


def close(doing: Doing, action: do.CloseCase) -> None:
    """By itself."""
    assert doing.case is not None
    closed(doing, doing.case)
    write(doing, doing.case, "case.closed", why=action.why)


def closed(doing: Doing, case: Case) -> None:
    """No clock runs any more; the journal is the caller's. `Illegal` when it may not be closed."""
    state = lifecycle.move(lifecycle.CASE, "close", case.state)
    cases.change(doing.tx, case.id, state=state, closed_at=doing.now)
    for one in _taking_part(doing, case):
        turns.close_clocks(doing, do.Close(one, do.ALL_CLOCKS, "case closed"))
        turns.turn(doing, do.Turn(one, Waiting.NOBODY, None))
        rm(doing, one, lifecycle.follow(lifecycle.REPORT, lifecycle.DONE_WITH, one.rm))
    cases.close_clocks(doing.tx, case.id, tuple(DeadlineKind), doing.now, "case closed")
    cves.give_up_reserving(doing.tx, case.id, doing.now)


def reopen(doing: Doing, action: do.Reopen) -> None:
    """By itself; once, however many wrote at the same time."""
    assert doing.case is not None
    case = cases.get(doing.tx, doing.case.id)
    if case.state == "closed":
        goes_on(doing, case)
        message = {"message": doing.mail.message_id} if doing.mail else {}
        write(doing, case, "case.reopened", why=action.why, **message)


def goes_on(doing: Doing, case: Case) -> None:
    """As open, or as published, if it was; the journal is the caller's. `Illegal` when it is not closed."""
    verb = "resume" if case.published_at is not None else "reopen"
    state = lifecycle.move(lifecycle.CASE, verb, case.state)
    cases.change(doing.tx, case.id, state=state, closed_at=None)
    for one in _taking_part(doing, case):
        anew(doing, one)
    if state == "published":
        comes_to_its_end(doing, case, "reopened")
    else:
        publication.goes_on(doing.tx, replace(case, state=state), doing.tools.settings.policy)


def comes_to_its_end(doing: Doing, case: Case, since: str) -> None:
    """From now on, `policy.close_days` until it is looked whether anything is open."""
    days = of_case(doing.tools.settings.policy, case).close_days
    cases.set_clock(doing.tx, case.id, DeadlineKind.CLOSE, since, doing.now + timedelta(days=days))


def anew(doing: Doing, one: Participant) -> None:
    """Who had done with the report has received it again; what they say of it is what they last said."""
    if one.rm == "CLOSED":
        said = {s.status for s in vulnerabilities.statuses(doing.tx, [one.case_id]) if s.participant_id == one.id}
        rm(doing, one, lifecycle.anew(said, reported=one.is_reporter))


def rm(doing: Doing, one: Participant, way: list[str]) -> None:
    """Report management goes this way, if it is one."""
    if len(way) > 1:
        cases.change_participant(doing.tx, one.id, rm=way[-1])
        write(doing, doing.case, "participant.rm", participant=one.id, states=way)


def _taking_part(doing: Doing, case: Case) -> list[Participant]:
    return [one for one in cases.participants_of(doing.tx, [case.id]) if one.takes_part]
