"""By what the participants of a case are known: names, addresses, mail domains, keys, the mails they sent.

Of the case and of those that were merged into it. A few queries each, however many participants and messages.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, func, literal, or_, select, union_all

from mailrouter.store.tables import (
    cases,
    certificates,
    contacts,
    domains,
    key_names,
    mails,
    messages,
    organisations,
    participants,
    pinned_keys,
    reports,
)

Rows = Sequence[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Party:
    """One participant, as others must not know it."""

    case_id: int
    participant_id: int
    organisation_id: int
    name: str
    telephone: str
    anonymous: bool
    their_ref: str
    pseudonym: str
    roles: str  # space-separated


@dataclass(frozen=True, slots=True)
class Sent:
    """A mail from or to a participant. `organisation_id` None: a report's, whose reporter takes no part yet."""

    id: int
    mail_id: int | None
    organisation_id: int | None
    direction: str
    sender: str
    message_id: str
    standing: str
    reports: bool  # the mail that a report came by


@dataclass(frozen=True, slots=True)
class Told:
    """A report whose reporter did not agree that vendors learn who they are."""

    id: int
    message_id: int | None
    text: str  # of one that was typed in
    address: str
    title: str


def parties(tx: Connection, case_id: int) -> Rows:
    """The rows of `Party` of everybody who takes or took part, in the case itself first."""
    return [tuple(row) for row in tx.execute(_PARTIES, {"case": case_id}).all()]


_MINE = select(cases.c.id).where(or_(cases.c.id == bindparam("case"), cases.c.merged_into_id == bindparam("case")))
_PARTIES = (
    select(
        participants.c.case_id, participants.c.id, participants.c.organisation_id, organisations.c.name,
        organisations.c.telephone, participants.c.anonymous, participants.c.their_ref, participants.c.pseudonym,
        participants.c.roles,
    )
    .join(organisations)
    .where(participants.c.case_id.in_(_MINE))
    .order_by(participants.c.case_id != bindparam("case"), participants.c.id)
)  # fmt: skip


def stamp(tx: Connection, case_id: int) -> tuple[object, ...]:
    """Changes whenever anything changes that the other functions here read, but for what `parties` gives.

    What is short it holds as it is: a number may come again with another content, once its row is gone or its
    transaction was rolled back. Of messages, which are many and stay, it holds how many, whose, and the newest.
    """
    counts = tuple(tuple(row) for row in tx.execute(_STAMP, {"case": case_id}))
    return (counts, *(frozenset(tuple(row) for row in tx.execute(one, {"case": case_id})) for one in _READ))


def _count(column: ColumnElement[Any], also: Any = None) -> Any:
    more = literal(0) if also is None else func.coalesce(func.sum(also), 0)
    return select(func.count(), func.coalesce(func.max(column), 0), more)


_OF_CASE = messages.c.case_id.in_(_MINE)
_REPORTS = select(reports.c.id).where(reports.c.case_id.in_(_MINE))
_STAMP = union_all(
    select(func.count(), literal(0), literal(0)).select_from(certificates),  # one more with every form of a key
    # a mail that is filed elsewhere, or as somebody else's, changes the sum
    _count(messages.c.id, (messages.c.id % 997 + 1) * func.coalesce(messages.c.participant_id, 0)).where(_OF_CASE),
    _count(messages.c.id).where(messages.c.report_id.in_(_REPORTS)),
)
_ORGANISATIONS = select(participants.c.organisation_id).where(participants.c.case_id.in_(_MINE))
_READ = (
    select(contacts.c.organisation_id, contacts.c.address).where(contacts.c.organisation_id.in_(_ORGANISATIONS)),
    select(domains.c.organisation_id, domains.c.domain).where(domains.c.organisation_id.in_(_ORGANISATIONS)),
    select(pinned_keys.c.organisation_id, pinned_keys.c.fingerprint, pinned_keys.c.user_id).where(
        pinned_keys.c.organisation_id.in_(_ORGANISATIONS)
    ),
    select(reports.c.id, reports.c.address).where(reports.c.case_id.in_(_MINE)),
    select(messages.c.id, messages.c.message_id).where(_OF_CASE).order_by(messages.c.id.desc()).limit(1),
)


def addresses(tx: Connection, organisation_ids: Iterable[int]) -> Rows:
    """Organisation, address: their contacts."""
    return _rows(tx, _ADDRESSES, organisation_ids)


_THESE: Any = bindparam("ids", expanding=True)
_ADDRESSES = select(contacts.c.organisation_id, contacts.c.address).where(contacts.c.organisation_id.in_(_THESE))


def mail_domains(tx: Connection, organisation_ids: Iterable[int]) -> Rows:
    """Organisation, mail domain."""
    return _rows(tx, _DOMAINS, organisation_ids)


_DOMAINS = select(domains.c.organisation_id, domains.c.domain).where(domains.c.organisation_id.in_(_THESE))


def keys(tx: Connection, organisation_ids: Iterable[int]) -> Rows:
    """Organisation, fingerprint or key id: of every key ever pinned, and of its subkeys."""
    return _rows(tx, _KEYS, organisation_ids)


_KEYS = (
    select(pinned_keys.c.organisation_id, key_names.c.name)
    .join(key_names, key_names.c.key_id == pinned_keys.c.id)
    .where(pinned_keys.c.organisation_id.in_(_THESE))
)


def user_ids(tx: Connection, organisation_ids: Iterable[int]) -> Rows:
    """Organisation, user id of a key."""
    return _rows(tx, _USER_IDS, organisation_ids)


_USER_IDS = select(pinned_keys.c.organisation_id, pinned_keys.c.user_id).where(
    pinned_keys.c.organisation_id.in_(_THESE), pinned_keys.c.user_id != ""
)


def _rows(tx: Connection, wanted: Any, organisation_ids: Iterable[int]) -> Rows:
    ids = list(organisation_ids)
    return [tuple(row) for row in tx.execute(wanted, {"ids": ids}).all()] if ids else []


def sent(tx: Connection, case_id: int) -> list[Sent]:
    """Every mail and letter of the case that is a participant's, and the mails of its reports."""
    return [Sent(*row) for row in tx.execute(_SENT, {"case": case_id})]


_SENT = (
    select(
        messages.c.id, messages.c.mail_id, participants.c.organisation_id, messages.c.direction, messages.c.sender,
        func.coalesce(messages.c.message_id, ""), messages.c.standing,
        messages.c.id.in_(select(reports.c.message_id).where(reports.c.case_id.in_(_MINE))),
    )
    .join(participants, participants.c.id == messages.c.participant_id, isouter=True)
    .where(
        or_(_OF_CASE, messages.c.report_id.in_(_REPORTS)),
        messages.c.direction != "remark",
        or_(messages.c.participant_id.is_not(None), messages.c.report_id.is_not(None)),
    )
    .order_by(messages.c.id)
)  # fmt: skip


def reporters(tx: Connection, case_id: int) -> list[str]:
    """The addresses that the case's reports are answered at."""
    return [address for address in tx.execute(_REPORTERS, {"case": case_id}).scalars() if address]


_REPORTERS = select(reports.c.address).where(reports.c.case_id.in_(_MINE))


def told(tx: Connection, case_id: int) -> list[Told]:
    """The reports of a case whose reporters are to stay hidden."""
    return [Told(*row) for row in tx.execute(_TOLD, {"case": case_id})]


_TOLD = (
    select(reports.c.id, reports.c.message_id, reports.c.text, reports.c.address, reports.c.title)
    .where(reports.c.case_id.in_(_MINE), reports.c.rm != "START", reports.c.share_name.is_(False))
    .order_by(reports.c.id)
)


def hidden(tx: Connection) -> Rows:
    """Organisation, address: of whoever takes part anonymously in any case that is not closed."""
    return [tuple(row) for row in tx.execute(_HIDDEN).all()]


_HIDDEN = (
    select(contacts.c.organisation_id, contacts.c.address)
    .join(participants, participants.c.organisation_id == contacts.c.organisation_id)
    .join(cases, cases.c.id == participants.c.case_id)
    .where(participants.c.anonymous, cases.c.state != "closed")
    .distinct()
)


def head(tx: Connection, mail_id: int, most: int) -> bytes:
    """How a mail begins."""
    return bytes(tx.execute(select(func.substr(mails.c.raw, 1, most)).where(mails.c.id == mail_id)).scalar_one())


def numbers(tx: Connection, case_id: int) -> dict[int, int]:
    """Id and VU# of the case and of those merged into it."""
    return {row.id: row.vu for row in tx.execute(_NUMBERS, {"case": case_id})}


_NUMBERS = select(cases.c.id, cases.c.vu).where(cases.c.id.in_(_MINE))


def organisation(tx: Connection, participant_id: int) -> int:
    """Whose participant it is."""
    found: int = tx.execute(
        select(participants.c.organisation_id).where(participants.c.id == participant_id)
    ).scalar_one()
    return found
