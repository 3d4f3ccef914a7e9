"""A case is closed, and opened again: what is still open is said before, and who wrote meanwhile afterwards."""

from collections.abc import Sequence

from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.case import lifecycle
from mailrouter.case.model import Case
from mailrouter.flow import act, undone
from mailrouter.flow.actor import Actor, case_held, done_by, note
from mailrouter.flow.embargo import ending
from mailrouter.store import cases, messages
from mailrouter.store.messages import Message
from mailrouter.tools import Tools


def close(tools: Tools, actor: Actor, vu: int, why: str, *, end_embargo: bool = False, anyway: bool = False) -> Case:
    """No clock runs any more. `Illegal` while the embargo is active, unless the analyst ends it with the case; and
    while something is open, unless it is closed `anyway`.
    """
    tools.own_key()  # letters name it; outside the transaction, it may have to be made
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        _moved(tx, case, "close", "case.closed")
        _may_close(tx, case, end_embargo=end_embargo, anyway=anyway)
        doing = act.Doing(tx, tools, tools.now(), tools.now(), actor.name, case)
        ending.end(doing, case, why)
        act.closed(doing, case)
        doing.later.write(tx)
        note(tx, tools, actor, "case.closed", case, why=why)
        return cases.get(tx, case.id)


def _moved(tx: Connection, case: Case, verb: str, kind: str) -> None:
    """`Illegal` when the table does not allow it; whoever comes second hears who was first."""
    try:
        lifecycle.move(lifecycle.CASE, verb, case.state)
    except faults.Illegal as refused:
        by = done_by(tx, case, kind)
        raise faults.Illegal(f"{refused}{f'; it was done{by}' if by else ''}") from None


def _may_close(tx: Connection, case: Case, *, end_embargo: bool, anyway: bool) -> None:
    if case.embargo in lifecycle.EMBARGO["terminate"] and not end_embargo:
        state = case.embargo.lower()
        raise faults.Illegal(f"the embargo of VU#{case.vu} is {state}; `--end-embargo` ends it with the case")
    still = undone.still_open(tx, case)
    if still and not anyway:
        raise faults.Illegal(f"in VU#{case.vu} there is still open: {', '.join(still)}; `--anyway` closes it")


def reopen(tools: Tools, actor: Actor, vu: int, why: str) -> tuple[Case, Sequence[Message]]:
    """Open again; nobody's turn until somebody writes. With it, what people wrote since it was closed."""
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        _moved(tx, case, "resume" if case.published_at else "reopen", "case.reopened")
        doing = act.Doing(tx, tools, tools.now(), tools.now(), actor.name, case)
        act.goes_on(doing, case)
        doing.later.write(tx)
        note(tx, tools, actor, "case.reopened", case, why=why)
        return cases.get(tx, case.id), _since(tx, case)


def _since(tx: Connection, case: Case) -> list[Message]:
    return [
        one
        for one in messages.of_case(tx, case.id)
        if one.mail_id is not None and one.kind == "person" and case.closed_at and one.received_at > case.closed_at
    ]
