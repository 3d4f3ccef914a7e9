"""Consent to clear text: who may get what is confidential unencrypted, since when, and who says so.

Promises: it is given and withdrawn for one participant of one case, and each time stands in the journal. It opens no
letter that is held: the analyst is told which could leave now. The details that were promised follow by themselves only
if the mail was signed, authenticated or vouched for, or a person recorded the consent: of a mail that only claims to be
theirs, the analyst is told how to send them. Who has a usable key gets letters encrypted all the same
(flow/sending/sealing.py).
"""

import shlex
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from mailrouter.case.model import Case, Participant
from mailrouter.store import cases, outbox, queues
from mailrouter.store.contacts import PinnedKey


def consents(participant: Participant, encrypting: list[PinnedKey]) -> bool:
    """Whether confidential letters to them may leave unencrypted: not if they have given us a key since, whatever has
    become of it.
    """
    since = participant.clear_text_at
    return since is not None and all(key.pinned_at <= since for key in encrypting)


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


def tell_of_promised(tx: Connection, case: Case, participant: Participant, message_id: int, now: datetime) -> None:
    """The case's analyst hears that details wait for their word, since anybody could have written the consent."""
    fresh = cases.participant(tx, participant.id)
    if fresh.promised <= fresh.described or not fresh.takes_part:
        return
    why = (
        f"{fresh.name} consents to clear text (message {message_id}), and nothing proves that they wrote it: no details"
        f" were sent; if you take it for theirs: `mailrouter case details VU#{case.vu} {shlex.quote(fresh.name)}`"
    )
    about = {"case_id": case.id, "participant_id": fresh.id}
    queues.add_notice(tx, case.queue, why, now, once=f"clear-text:{message_id}:details", **about)


def release(held: Sequence[int]) -> str:
    """Which letters are held, at least one, and the command that lets them go."""
    ids = [str(one) for one in held]
    return f"held: letter {', '.join(ids)}; `mailrouter outbox release {' '.join(ids)}`"
