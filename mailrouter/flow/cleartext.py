"""Consent to clear text: who may get what is confidential unencrypted, since when, and who says so.

Promises: it is given and withdrawn for one participant of one case, and each time stands in the journal. It opens no
letter that is held: the analyst is told which could leave now. Who has a usable key gets letters encrypted all the same
(flow/sealing.py).
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from mailrouter.case.model import Case, Participant
from mailrouter.flow.actor import Actor, case_held, need_analyst, note, taking_part
from mailrouter.store import cases, outbox, queues
from mailrouter.tools import Tools


def decide(tools: Tools, actor: Actor, vu: int, whom: str, *, allowed: bool, why: str) -> Participant:
    """An analyst's word: they agreed, or do so no longer. `Illegal` for anybody else."""
    need_analyst(actor, "recording a consent to clear text")
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        participant = taking_part(tx, case, whom)
        record(tx, participant, actor.name if allowed else "", tools.now(), allowed=allowed)
        note(tx, tools, actor, "participant.clear-text", case, participant=participant.id, allowed=allowed, why=why)
        return cases.participant(tx, participant.id)


def record(tx: Connection, participant: Participant, by: str, now: datetime, *, allowed: bool) -> None:
    """From now on, or no longer. Letters that are not sealed yet are held or leave by it."""
    cases.change_participant(tx, participant.id, clear_text_at=now if allowed else None, clear_text_by=by)


def tell_of_held(tx: Connection, case: Case, participant: Participant, message_id: int, now: datetime) -> None:
    """The case's analyst hears which letters waited for this consent; nothing leaves by itself."""
    held = outbox.waiting_for_a_key(tx, participant.id)
    if held:
        why = f"{participant.name} consents to clear text (message {message_id}); {release(held)}"
        about = {"case_id": case.id, "participant_id": participant.id}
        queues.add_notice(tx, case.queue, why, now, once=f"clear-text:{message_id}", **about)


def release(held: Sequence[int]) -> str:
    """Which letters are held, at least one, and the command that lets them go."""
    ids = [str(one) for one in held]
    return f"held: letter {', '.join(ids)}; `mailrouter outbox release {' '.join(ids)}`"
