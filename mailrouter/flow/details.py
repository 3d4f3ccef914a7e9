"""The details of a case on their way to one participant: who may have them now, and the letter that carries them.

Promises: they leave encrypted to a usable pinned key, or in clear by recorded consent, as one letter for each
participant and version, however often the way becomes free (its step). What a person ordered and could not leave is
`promised`, and follows in the transaction that pins a key or records a consent.
"""

from datetime import datetime

from sqlalchemy import Connection

from mailrouter.case import contacting
from mailrouter.case.contacting import Carries
from mailrouter.case.model import Case, Participant
from mailrouter.flow import cleartext, letters
from mailrouter.store import cases, contacts, descriptions, outbox
from mailrouter.store.contacts import PinnedKey
from mailrouter.store.descriptions import Description
from mailrouter.tools import Tools

LETTER, FIRST = "details", "notification"


def carries(participant: Participant, keys: list[PinnedKey], now: datetime, *, described: bool = True) -> Carries:
    """What a letter to them may carry now. `keys`: all that were ever pinned to them."""
    return contacting.carries(
        described=described,
        key=any(key.usable(now) for key in keys),
        consent=cleartext.consents(participant, [key for key in keys if key.can_encrypt]),
    )


def values(newest: Description | None, replaces: int = 0) -> dict[str, str]:
    """What a letter says of the description; empty without one."""
    if newest is None:
        return {"details": "", "version": "", "files": "", "replaces": ""}
    files = len(newest.attached)
    return {
        "details": newest.text, "version": f"{newest.version}, of {letters.day(newest.made_at)}",
        "files": str(files or ""), "replaces": str(replaces or ""),
    }  # fmt: skip


def send(
    tx: Connection, tools: Tools, case: Case, participant: Participant, newest: Description, now: datetime
) -> int | None:
    """Queue the letter, in the thread of the first one; None if this version was sent before."""
    order = letters.Order(
        LETTER, values(newest, participant.described), asks=True, confidential=True,
        step=f"{participant.id}:{LETTER}:{newest.id}", thread=_thread(tx, participant), kept=newest.files,
    )  # fmt: skip
    letter_id = letters.to_participant(tx, tools, case, participant, order, now)
    if letter_id is not None:
        had = {"described": newest.version, "promised": newest.version}
        cases.change_participant(tx, participant.id, **had)
    return letter_id


def _thread(tx: Connection, participant: Participant) -> letters.Thread:
    first = outbox.of_step(tx, first_step(participant))
    while first is not None and (instead := outbox.copy_of(tx, first.id)):
        first = instead
    return letters.Thread(first.message_id, (first.message_id,)) if first else letters.Thread()


def first_step(participant: Participant) -> str:
    """The step of the first letter to them."""
    return f"{participant.id}:{FIRST}"


# ---- what was promised -----------------------------------------------------------------------------------------------


def follow(tx: Connection, tools: Tools, case: Case, participant_id: int, now: datetime) -> int | None:
    """What they were promised leaves, if they can read it now; call with the case locked."""
    participant = cases.participant(tx, participant_id)
    if participant.promised <= participant.described or not participant.takes_part or not case.is_open:
        return None
    keys = contacts.keys_of(tx, [participant.organisation_id], retired=True)
    if carries(participant, keys, now) not in contacting.DETAILED:
        return None
    newest = descriptions.newest(tx, case.id)
    assert newest is not None  # a version of it was promised
    return send(tx, tools, case, participant, newest, now)


def hold_owed(tx: Connection, organisation_id: int) -> list[tuple[Case, int]]:
    """The cases that owe an organisation details, locked, each with its participant there."""
    owed = dict(cases.promised_to(tx, organisation_id))
    return [(case, owed[case.id]) for case in cases.lock(tx, owed).values()]
