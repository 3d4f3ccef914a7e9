"""A case is closed, and opened again: what is still open is said before, and who wrote meanwhile afterwards."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.case import lifecycle
from mailrouter.case.model import Case, DeadlineKind, Waiting
from mailrouter.flow import act
from mailrouter.flow.actor import Actor, case_held, done_by, note
from mailrouter.flow.casework import standings
from mailrouter.flow.embargo import ending
from mailrouter.flow.timing import publication
from mailrouter.store import cases, messages, outbox, proposals, statements
from mailrouter.store.messages import Message
from mailrouter.tools import Tools


def close(tools: Tools, actor: Actor, vu: int, why: str, *, end_embargo: bool = False, anyway: bool = False) -> Case:
    """No clock runs any more. `Illegal` while the embargo is active, unless the analyst ends it with the case; and
    while something is open, unless it is closed `anyway`.
    """
    tools.own_key()  # letters name it; outside the transaction, it may have to be made
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        state = _moved(tx, case, "close", "case.closed")
        _may_close(tx, case, end_embargo=end_embargo, anyway=anyway)
        doing = act.Doing(tx, tools, tools.now(), tools.now(), actor.name, case)
        ending.end(doing, case, why)
        cases.change(tx, case.id, state=state, closed_at=tools.now())
        for participant in (p for p in cases.participants_of(tx, [case.id]) if p.takes_part):
            act.nobodys_turn(doing, participant, "case closed")
            standings.follow_rm(doing, participant, lifecycle.DONE_WITH)
        cases.close_clocks(tx, case.id, tuple(DeadlineKind), tools.now(), "case closed")
        note(tx, tools, actor, "case.closed", case, why=why)
        return cases.get(tx, case.id)


def _moved(tx: Connection, case: Case, verb: str, kind: str) -> str:
    """The state after the move; whoever comes second hears who was first."""
    try:
        return lifecycle.move(lifecycle.CASE, verb, case.state)
    except faults.Illegal as refused:
        by = done_by(tx, case, kind)
        raise faults.Illegal(f"{refused}{f'; it was done{by}' if by else ''}") from None


def _may_close(tx: Connection, case: Case, *, end_embargo: bool, anyway: bool) -> None:
    if case.embargo in lifecycle.EMBARGO["terminate"] and not end_embargo:
        state = case.embargo.lower()
        raise faults.Illegal(f"the embargo of VU#{case.vu} is {state}; `--end-embargo` ends it with the case")
    still = still_open(tx, case)
    if still and not anyway:
        raise faults.Illegal(f"in VU#{case.vu} there is still open: {', '.join(still)}; `--anyway` closes it")


def still_open(tx: Connection, case: Case) -> list[str]:
    """What somebody still has to do in a case, counted, in words."""
    everyone = cases.participants_of(tx, [case.id])
    counted = (
        (outbox.held(tx, case.id), "letter", "held"),
        (sum(one.waiting_on is Waiting.US for one in everyone), "participant", "waiting on us"),
        (sum(one.state == "held" for one in statements.of_case(tx, case.id)), "statement", "held"),
        (len(proposals.listed(tx, case.id)), "proposal", "undecided"),
    )
    return [f"{number} {what}{'' if number == 1 else 's'} {how}" for number, what, how in counted if number]


def reopen(tools: Tools, actor: Actor, vu: int, why: str) -> tuple[Case, Sequence[Message]]:
    """Open again; nobody's turn until somebody writes. With it, what people wrote since it was closed."""
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        state = _moved(tx, case, "reopen", "case.reopened")
        cases.change(tx, case.id, state=state, closed_at=None)
        publication.goes_on(tx, replace(case, state=state), tools.settings.policy)
        note(tx, tools, actor, "case.reopened", case, why=why)
        return cases.get(tx, case.id), _since(tx, case)


def _since(tx: Connection, case: Case) -> list[Message]:
    return [
        one
        for one in messages.of_case(tx, case.id)
        if one.mail_id is not None and one.kind == "person" and case.closed_at and one.received_at > case.closed_at
    ]
