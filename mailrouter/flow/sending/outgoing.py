"""Outgoing letters by hand: hold one, let it go, try it again; and the brake on all of them.

Promises: what a person did to a letter stands in the journal, in the transaction that did it; a letter that is being
sent this moment, or has been sent, is not touched.
"""

import shlex
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.flow.actor import Actor, need_analyst, note
from mailrouter.flow.letters import NEVER
from mailrouter.store import cases, contacts, messages, outbox, queues
from mailrouter.store.outbox import Letter
from mailrouter.tools import Tools


@dataclass(frozen=True, slots=True)
class Move:
    """What an order does to a letter: from which states, to which, and how the journal calls it."""

    verb: str
    done: str
    states: tuple[str, ...]
    to: str


HOLD = Move("held", "letter.held", ("queued",), "held")
RELEASE = Move("released", "letter.released", ("held",), "queued")
RETRY = Move("tried again", "letter.retried", ("failed", "held", "queued"), "queued")


def hold(tools: Tools, actor: Actor, letter_id: int, why: str = "") -> Letter:
    """It does not leave until it is released. `Illegal` unless it is queued and not being sent this moment."""
    return _move(tools, actor, letter_id, HOLD, why or f"held by {actor.name}")


def release(tools: Tools, actor: Actor, letter_id: int) -> Letter:
    """A held letter leaves now. What held it is looked at again: a confidential one without a key is held once more."""
    return _move(tools, actor, letter_id, RELEASE)


def release_despite(tools: Tools, actor: Actor, letter_id: int, why: str) -> Letter:
    """A held letter leaves now, whatever it tells of others: an analyst read it and says why that is meant.

    `Illegal` for anybody else, and for an order by mail: the mail may be old, and what it was about another letter.
    """
    need_analyst(actor, "letting a letter go that tells of others")
    if actor.by_mail:
        raise faults.Illegal("only a command lets a letter go that tells of others: `mailrouter outbox release`")
    return _move(tools, actor, letter_id, RELEASE, why, despite=f"{actor.name}: {why}")


def retry(tools: Tools, actor: Actor, letter_id: int) -> Letter:
    """A failed, held or waiting letter is tried now, with the same bytes as before."""
    return _move(tools, actor, letter_id, RETRY)


def _move(tools: Tools, actor: Actor, letter_id: int, move: Move, why: str = "", despite: str = "") -> Letter:
    now = tools.now()
    with tools.db.write() as tx:
        letter = outbox.get(tx, letter_id)
        case = cases.lock(tx, [letter.case_id])[letter.case_id] if letter.case_id else None
        values = _leaving(tx, letter, now) if move.to == "queued" else {}
        values |= {"despite": despite} if despite else {}
        if not outbox.by_hand(tx, letter_id, move.states, now, state=move.to, why=why, **values):
            raise faults.Illegal(_why_not(outbox.get(tx, letter_id), move))
        queues.done_for_letter(tx, letter_id, actor.name, now)
        said = ({"why": why} if why else {}) | ({"despite": "leak"} if despite else {})
        note(tx, tools, actor, move.done, case, letter=letter_id, was=letter.state, **said)
        return outbox.get(tx, letter_id)


def _leaving(tx: Connection, letter: Letter, now: datetime) -> dict[str, object]:
    """Due now. A letter that was made for nobody goes to the contact there is by now."""
    if letter.recipient:
        return {"next_attempt_at": now}
    if letter.participant_id is None:
        raise faults.Illegal(f"letter {letter.id} has no recipient")
    participant = cases.participant(tx, letter.participant_id)
    address = contacts.address_for(tx, participant.organisation_id)
    if address is None:
        whose = shlex.quote(participant.name)
        raise faults.Illegal(f"{NEVER}: `mailrouter vendor add-contact {whose} --email …` adds one")
    shown = messages.of_letter(tx, letter.id)
    if shown is not None:
        messages.replace(tx, shown.id, {"recipient": address})
    return {"next_attempt_at": now, "recipient": address}


def _why_not(letter: Letter, move: Move) -> str:
    if letter.state in move.states:
        return f"letter {letter.id} is being sent this moment; ask again in a minute"
    return f"letter {letter.id} is {letter.state} and cannot be {move.verb}"


def brake(tools: Tools, actor: Actor, *, on: bool, why: str = "") -> bool:
    """Stop all letters, or let them go again; False if it was so already."""
    with tools.db.write() as tx:
        if outbox.paused(tx) == on:
            return False
        outbox.brake(tx, on=on)
        note(tx, tools, actor, "outbox.paused" if on else "outbox.resumed", **({"why": why} if why else {}))
        return True
