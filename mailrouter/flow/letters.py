"""Letters as rows: filled, addressed to one recipient, with Message-ID and time fixed; nothing is sent from here."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.case import embargo, followup, noted
from mailrouter.case.actions import Write
from mailrouter.case.model import Case, Participant, Report
from mailrouter.case.policy import of_case
from mailrouter.mail import compose, texts
from mailrouter.mail.entity import Attachment
from mailrouter.store import analysts, contacts, files, messages, outbox, queues, terms
from mailrouter.store.analysts import Analyst
from mailrouter.tools import Tools

NEVER = "no contact of theirs takes mail"


@dataclass(frozen=True, slots=True)
class Thread:
    """What a letter answers; ids with angle brackets."""

    in_reply_to: str = ""
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """A letter to be made."""

    name: str
    values: Mapping[str, str]
    asks: bool = False
    confidential: bool = False
    only_encrypted: bool = False  # not even with the recipient's consent to clear text
    signer: str = ""  # fingerprint of the key of ours that must sign it; '' : the one that signs when it is sealed
    step: str | None = None  # the same step is one letter
    thread: Thread = Thread()
    attachments: Sequence[Attachment] = ()
    kept: str = ""  # what goes along and is in store/files.py already: ASCII JSON, as the row holds it
    recipient: str = ""  # '' : the participant's first contact


def to_participant(
    tx: Connection, tools: Tools, case: Case, participant: Participant, order: Order, now: datetime
) -> int | None:
    """Queue a letter in a case; None if this step's letter exists. Without a deliverable contact it is held."""
    address = order.recipient or contacts.address_for(tx, participant.organisation_id)
    told = about(tx, tools, case, participant, confidential=order.confidential)
    filled = tools.texts[order.name].fill(ours(tools) | told | dict(order.values))
    subject = compose.subject(filled.subject, f"VU#{case.vu}", participant.their_ref)
    row = _row(tx, tools, order, filled, subject, now) | {
        "case_id": case.id, "participant_id": participant.id, "analyst_id": case.analyst_id, "recipient": address or "",
        "state": "queued" if address else "held", "why": "" if address else NEVER,
    }  # fmt: skip
    letter_id = outbox.queue(tx, row)
    if letter_id is not None:
        messages.add(tx, _message(tools, row, letter_id))
        if not address:
            _nowhere_to_send(tx, case, participant, letter_id, now)
    return letter_id


def _nowhere_to_send(tx: Connection, case: Case, participant: Participant, letter_id: int, now: datetime) -> None:
    why = f"letter {letter_id} is held: {NEVER}"
    about = {"case_id": case.id, "participant_id": participant.id}
    queues.add_notice(tx, case.queue, why, now, once=f"letter:{letter_id}:held", **about)


def again(tx: Connection, tools: Tools, participant: Participant, letter_id: int, now: datetime) -> int | None:
    """The same letter to the contact there is now, once; held when there is none. None if that was done before."""
    came_back = outbox.get(tx, letter_id)
    address = contacts.address_for(tx, participant.organisation_id)
    row = {name: getattr(came_back, name) for name in _SAME} | {
        "step": outbox.again_step(letter_id), "message_id": _new_id(tools), "made_at": now, "next_attempt_at": now,
        "recipient": address or "", "state": "queued" if address else "held", "why": "" if address else NEVER,
    }  # fmt: skip
    made = outbox.queue(tx, row)
    if made is not None:
        messages.add(tx, _message(tools, row, made))
    return made


_SAME = (  # what a letter says and how it may leave; not who is to have it
    "case_id", "participant_id", "analyst_id", "name", "subject", "body", "attachments", "in_reply_to",
    "reference_ids", "automatic", "confidential", "only_encrypted", "signer", "asks",
)  # fmt: skip


def to_staff(tx: Connection, tools: Tools, address: str, order: Order, now: datetime) -> int | None:
    """Queue a notice to an analyst or the operator."""
    return outbox.queue(tx, _notice(tx, tools, address, order, now))


def to_analyst(
    tx: Connection, tools: Tools, analyst: Analyst, order: Order, now: datetime, *, about_item_id: int | None
) -> int | None:
    """Queue a notice that this analyst may answer, if it is about one item; None if this step's letter exists."""
    row = _notice(tx, tools, analyst.address, order, now)
    return outbox.queue(tx, row | {"analyst_id": analyst.id, "about_item_id": about_item_id})


def _notice(tx: Connection, tools: Tools, address: str, order: Order, now: datetime) -> dict[str, object]:
    filled = tools.texts[order.name].fill(_who_we_are(tools) | dict(order.values))
    return _row(tx, tools, order, filled, compose.subject(filled.subject), now) | {"recipient": address}


def to_anybody(tx: Connection, tools: Tools, report: Report, order: Order, now: datetime) -> int | None:
    """Queue a letter to `order.recipient` that tells of us, of the number their mail was given, and of nothing else;
    None if this step's letter exists.
    """
    filled = tools.texts[order.name].fill(_who_we_are(tools) | {"vrf": report.vrf} | dict(order.values))
    return _about_report(tx, tools, report, order, filled, order.recipient, now)


def to_reporter(tx: Connection, tools: Tools, report: Report, order: Order, now: datetime) -> int | None:
    """Queue a letter to who reported it, before there is a case; None if this step's letter exists.

    `Illegal` when nobody knows where to write to.
    """
    address = order.recipient or report.address
    if not address:
        raise faults.Illegal(f"{report.vrf} came without an address; nobody can be written to")
    return _about_report(tx, tools, report, order, for_reporter(tx, tools, report, order), address, now)


def for_reporter(tx: Connection, tools: Tools, report: Report, order: Order) -> texts.Filled:
    """What a letter to them says."""
    analyst = analysts.get(tx, report.analyst_id).name if report.analyst_id else tools.settings.identity.name
    values = {"vrf": report.vrf, "analyst": analyst, "received": day(report.received_at)}
    return tools.texts[order.name].fill(ours(tools) | values | dict(order.values))


def _about_report(
    tx: Connection, tools: Tools, report: Report, order: Order, filled: texts.Filled, recipient: str, now: datetime
) -> int | None:
    """With its own row among the messages: an answer to it is known by its Message-ID."""
    row = _row(tx, tools, order, filled, compose.subject(filled.subject, report.vrf), now) | {
        "recipient": recipient, "report_id": report.id, "analyst_id": report.analyst_id,
    }  # fmt: skip
    letter_id = outbox.queue(tx, row)
    if letter_id is not None:
        messages.add(tx, _message(tools, row, letter_id))
    return letter_id


def _row(
    tx: Connection, tools: Tools, order: Order, filled: texts.Filled, subject: str, now: datetime
) -> dict[str, object]:
    return {
        "name": order.name, "step": order.step, "subject": subject, "body": filled.body, "automatic": filled.automatic,
        "asks": order.asks, "confidential": order.confidential, "only_encrypted": order.only_encrypted,
        "signer": order.signer, "message_id": _new_id(tools), "made_at": now, "next_attempt_at": now,
        "in_reply_to": order.thread.in_reply_to,
        "reference_ids": " ".join(order.thread.references),
        "attachments": order.kept or kept(tx, order.attachments, now),
    }  # fmt: skip


def kept(tx: Connection, attachments: Sequence[Attachment], now: datetime) -> str:
    """Their contents are in store/files.py from now on; how a row names them: ASCII JSON, '' for none."""
    digests = files.keep(tx, [one.content for one in attachments], now)
    pairs = zip(attachments, digests, strict=True)
    named = [{"name": one.name, "type": one.media_type, "digest": digest} for one, digest in pairs]
    return json.dumps(named) if named else ""


def _new_id(tools: Tools) -> str:
    return f"<{secrets.token_hex(16)}@{tools.settings.identity.address.rpartition('@')[2]}>"


def _message(tools: Tools, row: Mapping[str, object], letter_id: int) -> dict[str, object]:
    return {
        "direction": "out", "letter_id": letter_id, "case_id": row.get("case_id"),
        "participant_id": row.get("participant_id"), "report_id": row.get("report_id"),
        "kind": "letter", "sender": tools.settings.identity.address, "recipient": row["recipient"],
        "subject": row["subject"], "message_id": str(row["message_id"]).strip("<>"), "received_at": row["made_at"],
        "standing": "", "assurance": "",
    }  # fmt: skip


# ---- words ---------------------------------------------------------------------------------------------------------


def ours(tools: Tools) -> dict[str, str]:
    """Who we are, for every letter that is signed."""
    key = tools.own_key()
    return _who_we_are(tools) | {"fingerprint": in_groups(key)}


def in_groups(fingerprint: str) -> str:
    """As people compare it: groups of four."""
    return " ".join(fingerprint[i : i + 4] for i in range(0, len(fingerprint), 4))


def _who_we_are(tools: Tools) -> dict[str, str]:
    identity = tools.settings.identity
    return {
        "organisation": identity.name, "address": identity.address, "phone": identity.phone,
        "key_url": identity.key_url, "policy_url": identity.policy_url,
    }  # fmt: skip


def about(
    tx: Connection, tools: Tools, case: Case, participant: Participant, *, confidential: bool = False
) -> dict[str, str]:
    """The case and its participant, for every letter to one. What is confidential stays so when the note is there."""
    note_url = noted.address(tools.settings.identity.notes_url, case.vu)
    return {
        "embargo_days": str(of_case(tools.settings.policy, case).embargo_days),
        "vu": f"VU#{case.vu}", "tlp": noted.tlp(case, confidential=confidential), "vendor": participant.name,
        "answer_form": texts.ANSWER_FORM, "embargo_form": texts.EMBARGO_FORM, **embargo.words(case, zone_of(tx, case)),
        **noted.words(case, note_url),
        "analyst": analysts.get(tx, case.analyst_id).name if case.analyst_id else tools.settings.identity.name,
    }  # fmt: skip


def zone_of(tx: Connection, case: Case) -> str:
    """In which zone our date was given; UTC until somebody negotiates one."""
    return terms.zone(tx, case.id, case.planned_at) if case.planned_at else "UTC"


def day(instant: datetime | None) -> str:
    """A date as letters write it."""
    return f"{instant:%Y-%m-%d}" if instant else "not yet set"


def minute(instant: datetime) -> str:
    """An instant as letters write it."""
    return f"{instant:%Y-%m-%d %H:%M} UTC"


def follow_up(tx: Connection, tools: Tools, case: Case, action: Write, now: datetime) -> int | None:
    """The letter of one rung: in the thread of what is unanswered; the second rung tries another contact of theirs."""
    participant = action.participant
    asked_by = asked(tx, action.since)
    order = Order(
        name=action.letter,
        values={
            "asked": asked_by.subject if asked_by else "our letter",
            "asked_on": day(asked_by.sent_at or asked_by.made_at if asked_by else None),
            **followup.words(participant),
        },
        asks=True,
        step=f"{participant.id}:follow-up:{action.since}:{action.rung}",
        thread=Thread(asked_by.message_id, (asked_by.message_id,)) if asked_by else Thread(),
        recipient=_rung_contact(tx, participant, action.rung),
    )
    return to_participant(tx, tools, case, participant, order, now)


def asked(tx: Connection, since: str) -> outbox.Letter | None:
    """The letter that began this turn, if it was one; when it came back, the one that went again in its place."""
    began = began_by(since)
    letter = outbox.get(tx, began) if began else None
    while letter is not None and (instead := outbox.copy_of(tx, letter.id)):
        letter = instead
    return letter


def began_by(since: str | None) -> int | None:
    """The letter that a turn began with: `letter:4`, or `letter:4/mail:9` once they wrote that they have it."""
    kind, _, number = (since or "").partition(":")
    return int(number.partition("/")[0]) if kind == "letter" else None


def _rung_contact(tx: Connection, participant: Participant, rung: int) -> str:
    """First contact on the first rung, then the others in turn (DOMAIN.md, process 5)."""
    reachable = contacts.reachable(tx, participant.organisation_id)
    return reachable[min(rung - 1, len(reachable) - 1)] if reachable else ""
