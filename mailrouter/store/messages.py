"""Mails and letters as people see them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, literal_column, select, update

from mailrouter import faults
from mailrouter.store.tables import inbox, mails, messages


@dataclass(frozen=True, slots=True)
class Message:
    """One row of `messages`."""

    id: int
    direction: str
    mail_id: int | None
    letter_id: int | None
    case_id: int | None
    participant_id: int | None
    place: str
    kind: str
    sender: str
    recipient: str
    subject: str
    message_id: str | None
    received_at: datetime
    standing: str
    assurance: str
    flags: str
    verdict: str
    covers: str
    fingerprint: str
    signature_id: str
    signed_at: datetime | None
    reason: str
    certificate: str  # digest of the key that proved it, as it was then; see store/certificates.py
    gpg: str  # the version that said so
    ciphertext: str  # SHA-256 of what was decrypted
    encrypted: bool
    decrypted: str
    why: str
    claimed_vu: int | None
    suggested_vu: int | None
    vouched_by: str
    defects: str
    note: str
    about_letter_id: int | None
    about_evidence: str


@dataclass(frozen=True, slots=True)
class Reference:
    """A message known by its Message-ID."""

    id: int
    message_id: str
    direction: str
    mail_id: int | None
    letter_id: int | None
    case_id: int | None
    participant_id: int | None


def add(tx: Connection, row: dict[str, Any]) -> int:
    """A new message; returns its id."""
    added: int = tx.execute(_ADD, row).scalar_one()
    return added


_ADD = insert(messages).returning(messages.c.id)


def replace(tx: Connection, message_id: int, row: dict[str, Any]) -> None:
    """What is known of a mail, after looking at it again."""
    tx.execute(update(messages).where(messages.c.id == message_id).values(row))


def get(tx: Connection, message_id: int) -> Message:
    """By id; `NotFound` says so."""
    row = tx.execute(select(messages).where(messages.c.id == message_id)).first()
    if row is None:
        raise faults.NotFound(f"no message {message_id}")
    return Message(*row)


def of_mail(tx: Connection, mail_id: int) -> Message | None:
    """What an accepted mail became, if it was received already."""
    row = tx.execute(select(messages).where(messages.c.mail_id == mail_id)).first()
    return Message(*row) if row else None


def of_mails(tx: Connection, mail_ids: Iterable[int]) -> dict[int, Message]:
    """What these accepted mails became, those that were received before."""
    rows = tx.execute(_OF_MAILS, {"ids": list(mail_ids)})
    return {row.mail_id: Message(*row) for row in rows}


_OF_MAILS = select(messages).where(messages.c.mail_id.in_(bindparam("ids", expanding=True)))


def of_letter(tx: Connection, letter_id: int) -> Message | None:
    """The message that shows a letter of ours."""
    row = tx.execute(select(messages).where(messages.c.letter_id == letter_id)).first()
    return Message(*row) if row else None


def of_case(tx: Connection, case_id: int) -> list[Message]:
    """A case's mails and letters, in the order they came and went."""
    return [
        Message(*row)
        for row in tx.execute(select(messages).where(messages.c.case_id == case_id).order_by(messages.c.id))
    ]


def referred(tx: Connection, message_ids: Iterable[str]) -> list[Reference]:
    """The messages, ours and others', that carry one of these Message-IDs."""
    wanted = list(set(message_ids))
    return [Reference(*row) for row in tx.execute(_REFERRED, {"wanted": wanted})] if wanted else []


_REFERRED = select(
    messages.c.id,
    messages.c.message_id,
    messages.c.direction,
    messages.c.mail_id,
    messages.c.letter_id,
    messages.c.case_id,
    messages.c.participant_id,
).where(messages.c.message_id.in_(bindparam("wanted", expanding=True)))


def about_letter(tx: Connection, letter_id: int) -> list[Message]:
    """The reports that came about a letter of ours, oldest first."""
    wanted = select(messages).where(messages.c.about_letter_id == letter_id).order_by(messages.c.id)
    return [Message(*row) for row in tx.execute(wanted)]


def flag_all(tx: Connection, message_id: str, flag: str) -> None:
    """Flag every mail that carries this Message-ID."""
    theirs = (messages.c.message_id == message_id) & (messages.c.direction == "in")
    unflagged = messages.c.flags.not_like(f"%{flag}%")
    tx.execute(update(messages).where(theirs, unflagged).values(flags=func.trim(messages.c.flags + f" {flag}")))


def signature_seen(tx: Connection, signature_id: str, case_id: int, but_mail: int) -> bool:
    """Whether another mail brought the same signature into another case: a replay."""
    return tx.execute(_SEEN, {"signature": signature_id, "case": case_id, "mail": but_mail}).first() is not None


_SEEN = (
    select(messages.c.id)
    .where(
        messages.c.signature_id == bindparam("signature"),
        messages.c.signature_id != literal_column("''"),  # said so, that the partial index is used
        messages.c.case_id != bindparam("case"),
        messages.c.mail_id != bindparam("mail"),
    )
    .limit(1)
)


def with_ciphertext(tx: Connection, ciphertext: str, but_mail: int) -> list[Message]:
    """The other mails that brought the same encrypted data, oldest first."""
    return [Message(*row) for row in tx.execute(_WITH_CIPHERTEXT, {"digest": ciphertext, "mail": but_mail})]


_WITH_CIPHERTEXT = (
    select(messages)
    .where(
        messages.c.ciphertext == bindparam("digest"),
        messages.c.ciphertext != literal_column("''"),  # said so, that the partial index is used
        messages.c.mail_id != bindparam("mail"),
    )
    .order_by(messages.c.id)
)


def places(tx: Connection) -> dict[tuple[str, str], int]:
    """How many accepted mails lie where: (door, place) -> count."""
    wanted = (
        select(mails.c.door, messages.c.place, func.count().label("n"))
        .join(messages, messages.c.mail_id == mails.c.id)
        .group_by(mails.c.door, messages.c.place)
    )
    return {(row.door, row.place): row.n for row in tx.execute(wanted)}


def being_retried(tx: Connection) -> dict[tuple[str, str], int]:
    """Mails parked once and now in the inbox again: they are counted as pending only."""
    wanted = (
        select(mails.c.door, messages.c.place, func.count().label("n"))
        .join(messages, messages.c.mail_id == mails.c.id)
        .join(inbox, inbox.c.mail_id == mails.c.id)
        .group_by(mails.c.door, messages.c.place)
    )
    return {(row.door, row.place): row.n for row in tx.execute(wanted)}
