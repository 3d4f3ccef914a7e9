"""Mails and letters as people see them."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, insert, literal_column, or_, select, update

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
    signed_digest: str  # SHA-256 of what is well signed in it; '' otherwise
    report_id: int | None = None  # the report it belongs to


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
    report_id: int | None = None


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


def lock(tx: Connection, message_ids: Iterable[int]) -> dict[int, Message]:
    """The messages, held until the transaction ends, always in one order: after their cases, before their reports."""
    wanted = sorted(set(message_ids))
    return {row.id: Message(*row) for row in tx.execute(_LOCKED, {"ids": wanted})} if wanted else {}


_LOCKED = (
    select(messages)
    .where(messages.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(messages.c.id)
    .with_for_update()
)


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


def of_letters(tx: Connection, letter_ids: Iterable[int]) -> dict[int, int]:
    """The message that each of these letters is, by the letter's id."""
    wanted = select(messages.c.letter_id, messages.c.id).where(messages.c.letter_id.in_(list(letter_ids)))
    return {row.letter_id: row.id for row in tx.execute(wanted)}


def of_case(tx: Connection, case_id: int) -> list[Message]:
    """A case's mails and letters, in the order they came and went."""
    return [
        Message(*row)
        for row in tx.execute(select(messages).where(messages.c.case_id == case_id).order_by(messages.c.id))
    ]


def of_report(tx: Connection, report_id: int) -> list[Message]:
    """A report's mails and letters, in the order they came and went."""
    wanted = select(messages).where(messages.c.report_id == report_id).order_by(messages.c.id)
    return [Message(*row) for row in tx.execute(wanted)]


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
    messages.c.report_id,
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


# ---- what came before ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Signing:
    """One act of signing, to be known again in whatever form it comes.

    It is known by key, time and content. gpg's id alone does not do: of an ECDSA signature (r, s) everybody can make
    (r, -s), which is as good and has another id. Mails of before revision 0002 are known by the id only.
    """

    signature_id: str
    fingerprint: str
    signed_at: datetime | None
    signed_digest: str


_EMPTY: ColumnElement[str] = literal_column("''")  # said so, that the partial indexes are used
_BY_ID = and_(messages.c.signature_id == bindparam("signature_id"), messages.c.signature_id != _EMPTY)
_BY_CONTENT = and_(
    messages.c.signed_digest == bindparam("signed_digest"),
    messages.c.signed_digest != _EMPTY,
    messages.c.fingerprint == bindparam("fingerprint"),
    messages.c.signed_at == bindparam("signed_at"),
)
_OF_ANOTHER_MAIL = and_(or_(_BY_CONTENT, _BY_ID), messages.c.mail_id != bindparam("mail"))


def signed_before(tx: Connection, signing: Signing, but_mail: int) -> int | None:
    """The first message that another mail with the same signing became, wherever it lies."""
    found: int | None = tx.execute(_SIGNED_BEFORE, {**asdict(signing), "mail": but_mail}).scalar()
    return found


_SIGNED_BEFORE = select(messages.c.id).where(_OF_ANOTHER_MAIL).order_by(messages.c.id).limit(1)


def signing_filed(
    tx: Connection, signing: Signing, case_id: int, participant_id: int, but_mail: int, before: int | None
) -> int | None:
    """A case with which another mail with the same signing was filed; None when there is none.

    In this case it counts only as a verified mail of the same participant: what others sent, or a
    list added to, takes nothing from the vendor's own mail. `before`: this mail's own message, if it is judged anew;
    what came after it is no reason to doubt it.
    """
    here = {"case": case_id, "participant": participant_id, "mail": but_mail, "before": before or _AFTER_ALL}
    found: int | None = tx.execute(_SIGNING_FILED, {**asdict(signing), **here}).scalar()
    return found


_AFTER_ALL = 2**62
_HERE = and_(messages.c.participant_id == bindparam("participant"), messages.c.assurance == "verified")
_SIGNING_FILED = (
    select(messages.c.case_id)
    .where(
        _OF_ANOTHER_MAIL,
        messages.c.id < bindparam("before"),
        or_(messages.c.case_id != bindparam("case"), and_(messages.c.case_id == bindparam("case"), _HERE)),
    )
    .limit(1)  # in no order: the same mail may have come ten thousand times
)


def ciphertext_before(
    tx: Connection, ciphertext: str, but_mail: int, sender: str, participant_id: int | None
) -> int | None:
    """The first message that brought the same encrypted data from another sender, not of the same participant."""
    wanted = {"digest": ciphertext, "mail": but_mail, "sender": sender, "participant": participant_id or -1}
    found: int | None = tx.execute(_CIPHERTEXT_BEFORE, wanted).scalar()
    return found


_CIPHERTEXT_BEFORE = (
    select(messages.c.id)
    .where(
        messages.c.ciphertext == bindparam("digest"),
        messages.c.ciphertext != _EMPTY,
        messages.c.mail_id != bindparam("mail"),
        messages.c.sender != bindparam("sender"),
        func.coalesce(messages.c.participant_id, 0) != bindparam("participant"),
    )
    .order_by(messages.c.id)
    .limit(1)
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
