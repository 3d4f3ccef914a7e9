"""What one participant wrote, passed on to others of the case: under its pseudonym, encrypted, with its consent.

Promises: the sender's headers never leave; no file leaves that may say who made it, unless a person means that; who
agreed to it and how stands in the row and, as a hash, in the journal; a question that is passed on makes it its
recipient's turn. What leaves is searched once more when it is sealed (flow/leaking/).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.case import lifecycle
from mailrouter.case.model import Case, Participant
from mailrouter.flow import act, leaking, letters
from mailrouter.flow.actor import Actor, case_held, note, still_going_on, taking_part
from mailrouter.flow.casework import write
from mailrouter.flow.filing import carrying, look
from mailrouter.flow.filing.carrying import Carried
from mailrouter.mail import confirmation, patches
from mailrouter.mail.entity import Attachment
from mailrouter.store import cases, messages, queues, relays
from mailrouter.tools import Tools

LETTER = "relay"
ASKS = "Please tell us what you can say to it; they wait for an answer."
INFORMS = "It is for your information; no answer is needed."
NO_CONSENT = (
    "message {0} is passed on only with its sender's consent: ask for it (`mailrouter message reply {0}`), then say"
    " --consent-message ID, or --consent 'how they agreed'"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be passed on, and how its sender agreed."""

    attach: Sequence[str] = ()  # names or numbers of the mail's files
    only_text: bool = False
    quotes: bool = False  # what the mail itself quotes, too
    text: str = ""  # instead of the mail's own: an analyst edited it
    note: str = ""  # an analyst's line to the recipients
    asks: bool = True
    consent: str = ""
    consent_message: int | None = None
    as_it_is: Sequence[str] = ()  # files that may leave as they came
    why: str = ""  # and why they may
    strip_patches: bool = False
    again: bool = False  # though it was passed on to them before
    names_ok: bool = False


@dataclass(frozen=True, slots=True)
class Parcel:
    """What would leave: to whom, under whose pseudonym, the text and the files; and what it would tell of others."""

    case: Case
    sender: Participant
    recipients: tuple[Participant, ...]
    text: str
    files: tuple[Carried, ...]
    tells: leaking.Preview


def packed(tools: Tools, message_id: int, whom: Sequence[str], wanted: Wanted) -> Parcel:
    """The parcel as it would leave now; nothing is changed. `Illegal` or `Refused` says why it cannot leave."""
    seen = look.at(tools, message_id)
    with tools.db.read() as tx:
        case, sender = _whose(tx, seen.message)
        recipients = _recipients(tx, case, sender, whom)
        _agreed(tx, seen.message, wanted)
    text = _text(seen, wanted)
    files = carrying.ready(_chosen(seen, wanted), wanted.as_it_is, strip_patches=wanted.strip_patches)
    with tools.db.read() as tx:
        ids = [one.organisation_id for one in recipients]
        files = carrying.renamed(tx, tools, case.id, ids, files)
        tells = leaking.preview(tx, tools, case.id, ids, f"{wanted.note}\n{text}", _searched(files))
    return Parcel(case, sender, tuple(recipients), text, tuple(files), tells)


def _searched(files: Sequence[Carried]) -> list[Attachment]:
    """A file of which somebody said that it may leave as it is needs no second word that it cannot be looked into."""
    return [one.file if not one.as_it_is else replace(one.file, content=b"") for one in files]


def relay(tools: Tools, actor: Actor, message_id: int, whom: Sequence[str], wanted: Wanted) -> list[int]:
    """Pass it on, one mail to each; returns the letters' ids. All or nothing."""
    tools.own_key()  # outside the transaction: it may have to be made
    parcel = packed(tools, message_id, whom, wanted)
    if parcel.tells.found and not wanted.names_ok:
        raise faults.Illegal(f"it would tell its recipient of others: {parcel.tells.words}; {leaking.MEANT}")
    with tools.db.write() as tx:
        case = case_held(tx, parcel.case.vu)
        _, sender = _whose(tx, messages.get(tx, message_id))
        if sender.id != parcel.sender.id or case.id != parcel.case.id:
            raise faults.Illegal(f"message {message_id} was filed elsewhere this moment; look at it again")
        recipients = _recipients(tx, case, sender, whom)
        _not_before(tx, case, message_id, recipients, again=wanted.again)
        consent = _agreed(tx, messages.get(tx, message_id), wanted)
        fresh = replace(parcel, case=case)
        queues.done_for_message(tx, message_id, actor.name, tools.now())
        return [_send(tx, tools, actor, fresh, one, message_id, wanted, consent) for one in recipients]


# ---- may it be passed on --------------------------------------------------------------------------------------------


def _whose(tx: Connection, message: messages.Message) -> tuple[Case, Participant]:
    if message.direction != "in" or message.mail_id is None:
        raise faults.Illegal(
            f"message {message.id} is no mail that came in; `mailrouter case write` tells what it says"
        )
    if message.case_id is None or message.participant_id is None:
        raise faults.Illegal(
            f"message {message.id} is not filed with a case and participant; `mailrouter message route` files it"
        )
    return cases.get(tx, message.case_id), cases.participant(tx, message.participant_id)


def _recipients(tx: Connection, case: Case, sender: Participant, whom: Sequence[str]) -> list[Participant]:
    still_going_on(case)
    chosen = list(dict.fromkeys(taking_part(tx, case, name) for name in whom))
    for one in chosen:
        if one.id == sender.id:
            raise faults.Illegal(f"{one.pseudonym} wrote it; `mailrouter message reply` answers them")
        if not one.takes_part:
            raise faults.Illegal(f"{one.pseudonym} has left VU#{case.vu}: nothing is sent to them any more")
    return chosen


def _not_before(tx: Connection, case: Case, message_id: int, whom: Sequence[Participant], *, again: bool) -> None:
    before = relays.passed_on(tx, message_id)
    known = next((one for one in whom if one.id in before), None)
    if known is not None and not again:
        raise faults.Illegal(
            f"message {message_id} was passed on to {known.pseudonym} before, by letter {before[known.id]};"
            " --again passes it on once more"
        )


def _agreed(tx: Connection, message: messages.Message, wanted: Wanted) -> str:
    """How its sender agreed, as the row keeps it: `message:ID`, or an analyst's words."""
    if wanted.consent_message is None:
        if not wanted.consent.strip():
            raise faults.Illegal(NO_CONSENT.format(message.id))
        return wanted.consent
    said = messages.get(tx, wanted.consent_message)
    if said.direction != "in" or said.participant_id != message.participant_id:
        raise faults.Illegal(
            f"message {said.id} is not by who wrote message {message.id}: it holds no consent of theirs"
        )
    return f"message:{said.id}"


# ---- what leaves ----------------------------------------------------------------------------------------------------


def _text(seen: look.Look, wanted: Wanted) -> str:
    own = wanted.text or (seen.text if wanted.quotes else seen.new)
    if not wanted.text and (seen.trouble or seen.message.decrypted == "partial"):
        raise faults.Illegal(
            f"message {seen.message.id} could not be opened as a whole; --file gives the text that is passed on"
        )
    if not own.strip() and not wanted.attach:
        raise faults.Illegal(f"there is no new text in message {seen.message.id}; --file gives one, --attach a file")
    return patches.stripped(own) if wanted.strip_patches else own


def _chosen(seen: look.Look, wanted: Wanted) -> list[tuple[int, look.File]]:
    if seen.files and not wanted.attach and not wanted.only_text:
        raise faults.Refused(
            f"message {seen.message.id} has {len(seen.files)} attachments: say --only-text, or which go along"
            " (--attach NAME or its number; `mailrouter message show` lists them)"
        )
    if unknown := [name for name in wanted.as_it_is if name not in wanted.attach]:
        raise faults.Refused(f"--as-it-is {unknown[0]!r}: --attach names no such file")
    if wanted.as_it_is and not wanted.why:
        raise faults.Refused("--as-it-is and --why go together: say why the file may leave as it is")
    return carrying.chosen(seen.files, wanted.attach)


def _send(
    tx: Connection, tools: Tools, actor: Actor, parcel: Parcel, to: Participant, message_id: int, wanted: Wanted,
    consent: str,
) -> int:  # fmt: skip
    order = letters.Order(
        LETTER, _values(parcel, wanted), asks=wanted.asks, confidential=True, only_encrypted=True,
        thread=write.thread(tx, parcel.case, to), attachments=[one.file for one in parcel.files],
    )  # fmt: skip
    letter_id = letters.to_participant(tx, tools, parcel.case, to, order, tools.now())
    assert letter_id is not None  # a person's letter has no step that could exist
    _record(tx, tools, actor, parcel, to, message_id, letter_id, wanted, consent)
    if to.progress in lifecycle.PROGRESS["contact"]:
        cases.change_participant(tx, to.id, progress="contacted")
    if wanted.asks:  # what they wait for from us, they wait for still
        act.asked(act.Doing(tx, tools, tools.now(), tools.now(), actor.name, parcel.case), to, letter_id)
    return letter_id


def _values(parcel: Parcel, wanted: Wanted) -> dict[str, str]:
    return {
        "pseudonym": parcel.sender.pseudonym, "wanted": ASKS if wanted.asks else INFORMS, "note": wanted.note,
        "files": ", ".join(one.file.name for one in parcel.files),
        "quoted": confirmation.barred(parcel.text) if parcel.text.strip() else "",
    }  # fmt: skip


def _record(
    tx: Connection, tools: Tools, actor: Actor, parcel: Parcel, to: Participant, message_id: int, letter_id: int,
    wanted: Wanted, consent: str,
) -> None:  # fmt: skip
    rows = [one.row() for one in parcel.files]
    relays.add(tx, {
        "message_id": message_id, "participant_id": to.id, "letter_id": letter_id, "made_at": tools.now(),
        "files": json.dumps(rows) if rows else "", "consent": consent, "made_by": actor.name,
    })  # fmt: skip
    told: dict[str, object] = {
        "message": message_id, "letter": letter_id, "participant": to.id, "sender": parcel.sender.id,
        "consent": consent if wanted.consent_message else f"sha256:{sha256(consent.encode()).hexdigest()}",
        "files": [one["left"] for one in rows],
    }  # fmt: skip
    if wanted.as_it_is:
        told |= {"as_it_is": [one.row()["left"] for one in parcel.files if one.as_it_is], "why": wanted.why}
    note(tx, tools, actor, "relayed", parcel.case, **told)
