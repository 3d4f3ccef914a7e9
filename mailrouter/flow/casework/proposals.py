"""An analyst decides about what a mail says: takes it as said, or refuses it. All that are named, or none."""

from collections.abc import Sequence

from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.case.model import Case
from mailrouter.flow import act
from mailrouter.flow.actor import Actor, case_held, note
from mailrouter.flow.afterwards import revising
from mailrouter.flow.casework import taking
from mailrouter.store import cases, messages, proposals
from mailrouter.store.proposals import Proposal
from mailrouter.tools import Tools


def take(tools: Tools, actor: Actor, ids: Sequence[int]) -> list[Proposal]:
    """Each has the effect that ordering it by hand would have; `Illegal` for what is decided, or cannot be recorded."""
    tools.own_key()  # letters that follow name it; outside the transaction, it may have to be made
    with tools.db.write() as tx:
        held = _held(tx, ids)
        for one in taking.in_order(_all(tx, ids)):
            taking.still_open(one)
            fresh = proposals.get(tx, one.id)  # why not is taken together with what it is the reason of
            if fresh.is_open:
                doing = act.Doing(tx, tools, tools.now(), tools.now(), actor.name, held[one.case_id])
                taking.take(doing, fresh, **({"by_mail": dict(actor.by_mail)} if actor.by_mail else {}))
                doing.later.write(tx)
        for case in held.values():
            revising.look(tx, tools, case, f"proposal:{min(ids)}", actor.name)
        return _all(tx, ids)


def _all(tx: Connection, ids: Sequence[int]) -> list[Proposal]:
    return [proposals.get(tx, number) for number in dict.fromkeys(ids)]


def take_message(tools: Tools, actor: Actor, message_id: int) -> list[Proposal]:
    """All that is open of one mail; `NotFound` when nothing is."""
    with tools.db.read() as tx:
        ids = open_ids(tx, message_id)
    return take(tools, actor, ids)


def open_ids(tx: Connection, message_id: int) -> list[int]:
    """Of one mail; `NotFound` when there is none."""
    messages.get(tx, message_id)
    found = [one.id for one in proposals.of_messages(tx, [message_id]) if one.is_open]
    if not found:
        raise faults.NotFound(f"nothing that message {message_id} says is open")
    return found


def refuse(tools: Tools, actor: Actor, ids: Sequence[int], why: str) -> list[Proposal]:
    """They do not mean it so, or it is not to be recorded; the journal says why."""
    with tools.db.write() as tx:
        held = _held(tx, ids)
        for one in _all(tx, ids):
            taking.still_open(one)
            proposals.decide(tx, one.id, proposals.REFUSED, actor.name, tools.now())
            told = {"proposal": one.id, "participant": one.participant_id, "what": one.what, "sha256": one.sha256}
            note(tx, tools, actor, "proposal.refused", held[one.case_id], **told, why=why)
        return _all(tx, ids)


def _held(tx: Connection, ids: Sequence[int]) -> dict[int, Case]:
    """The cases they belong to, locked in the order in which all verbs lock them; none was merged meanwhile."""
    held = cases.lock(tx, {proposals.get(tx, number).case_id for number in ids})
    return {case.id: case_held(tx, case.vu) for case in held.values()}
