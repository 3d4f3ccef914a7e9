"""What waits for people: mails and notices, oldest first, with the reason each is there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, case, func, insert, select, update

from mailrouter import faults
from mailrouter.store import upsert
from mailrouter.store.tables import cases, messages, organisations, participants, queue_items, reports, tellings

SHARED = ("triage", "review", "bounces", "quarantine", "operator")
STAFF = "staff-"  # so begins the `once` of every notice that a letter to one of us did not arrive


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that waits."""

    id: int
    kind: str  # mail | notice
    queue: str
    message_id: int | None
    case_id: int | None
    participant_id: int | None
    why: str
    once: str | None
    created_at: datetime
    done_at: datetime | None
    done_by: str
    report_id: int | None = None  # the report it is about


@dataclass(frozen=True, slots=True)
class Shown:
    """An item with what a reader of the queue needs beside it."""

    item: Item
    vu: int | None
    sender: str  # of a mail; for a notice, the participant it is about
    subject: str
    received_at: datetime
    standing: str
    suggested_vu: int | None = None  # where it could be filed with one command
    about_letter_id: int | None = None  # the letter of ours it is about
    vrf: str | None = None  # the report it is about, or the number its mail was given


@dataclass(frozen=True, slots=True)
class Arrival:
    """A mail that is to wait, and why."""

    queue: str
    message_id: int
    case_id: int | None
    why: str
    created_at: datetime
    report_id: int | None = None


def add_mails(tx: Connection, arrivals: Sequence[Arrival]) -> None:
    """These mails wait."""
    rows = [
        {"kind": "mail", "queue": a.queue, "message_id": a.message_id, "case_id": a.case_id, "why": a.why,
         "created_at": a.created_at, "report_id": a.report_id}
        for a in arrivals
    ]  # fmt: skip
    if rows:
        tx.execute(_ADD, rows)


_ADD = insert(queue_items)


def add_notice(tx: Connection, queue: str, why: str, now: datetime, *, once: str, **about: Any) -> bool:
    """A notice waits here; the same `once` raises it once only. False if it was raised before."""
    row = {"kind": "notice", "queue": queue, "why": why, "once": once, "created_at": now, **about}
    statement = upsert.into(tx, queue_items).values(row).on_conflict_do_nothing()
    return tx.execute(statement.returning(queue_items.c.id)).first() is not None  # an INSERT's rowcount may be -1


def raised(tx: Connection, once: str) -> bool:
    """Whether this notice was ever raised."""
    return tx.execute(select(queue_items.c.id).where(queue_items.c.once == once)).first() is not None


def raised_among(tx: Connection, onces: Sequence[str]) -> set[str]:
    """Which of these notices were ever raised."""
    return set(tx.execute(_RAISED, {"onces": list(onces)}).scalars()) if onces else set()


_RAISED = select(queue_items.c.once).where(queue_items.c.once.in_(bindparam("onces", expanding=True)))


def get(tx: Connection, item_id: int) -> Item:
    """By id; `NotFound` says so."""
    row = tx.execute(select(queue_items).where(queue_items.c.id == item_id)).first()
    if row is None:
        raise faults.NotFound(f"no item {item_id}; `mailrouter queue list` shows the queues")
    return Item(*row)


def of_message(tx: Connection, message_id: int) -> Item | None:
    """The open item a mail waits under."""
    row = tx.execute(
        select(queue_items).where(queue_items.c.message_id == message_id, queue_items.c.done_at.is_(None))
    ).first()
    return Item(*row) if row else None


def done(tx: Connection, item_id: int, by: str, now: datetime) -> None:
    """Dealt with."""
    tx.execute(update(queue_items).where(queue_items.c.id == item_id).values(done_at=now, done_by=by))


def done_for_message(tx: Connection, message_id: int, by: str, now: datetime) -> None:
    """The mail is dealt with, wherever it waited."""
    mine = (queue_items.c.message_id == message_id) & queue_items.c.done_at.is_(None)
    tx.execute(update(queue_items).where(mine).values(done_at=now, done_by=by))


def done_once(tx: Connection, once: str, by: str, now: datetime) -> None:
    """What this notice asked for is done."""
    mine = (queue_items.c.once == once) & queue_items.c.done_at.is_(None)
    tx.execute(update(queue_items).where(mine).values(done_at=now, done_by=by))


def done_below(tx: Connection, begins: str, by: str, now: datetime) -> None:
    """What all the notices asked for whose `once` begins like this is done."""
    mine = queue_items.c.once.startswith(begins, autoescape=True) & queue_items.c.done_at.is_(None)
    tx.execute(update(queue_items).where(mine).values(done_at=now, done_by=by))


def done_for_letter(tx: Connection, letter_id: int, by: str, now: datetime) -> None:
    """Somebody saw to the letter: the notices about its trouble are dealt with."""
    about = queue_items.c.once.like(f"letter:{letter_id}:%") & queue_items.c.done_at.is_(None)
    tx.execute(update(queue_items).where(about).values(done_at=now, done_by=by))


def done_for_participant(tx: Connection, participant_id: int, by: str, now: datetime, seen: int | None = None) -> None:
    """This participant's mails that waited, up to the message `seen`, are answered; so are the reminders of them."""
    theirs = select(messages.c.id).where(messages.c.participant_id == participant_id)
    if seen is not None:
        theirs = theirs.where(messages.c.id <= seen)
    reminded = (queue_items.c.participant_id == participant_id) & queue_items.c.once.like("answer:%")
    mine = (queue_items.c.message_id.in_(theirs) | reminded) & queue_items.c.done_at.is_(None)
    tx.execute(update(queue_items).where(mine).values(done_at=now, done_by=by))


def waiting_from(tx: Connection, participant_id: int) -> int:
    """How many of a participant's mails wait."""
    wanted = (
        select(func.count())
        .select_from(queue_items.join(messages, messages.c.id == queue_items.c.message_id))
        .where(messages.c.participant_id == participant_id, queue_items.c.done_at.is_(None))
    )
    return tx.execute(wanted).scalar_one()


def move(tx: Connection, old: str, new: str, case_id: int) -> None:
    """What waits for one case goes to another reader."""
    mine = (queue_items.c.queue == old) & (queue_items.c.case_id == case_id) & queue_items.c.done_at.is_(None)
    tx.execute(update(queue_items).where(mine).values(queue=new))


def sizes(tx: Connection) -> dict[str, tuple[int, datetime]]:
    """Each queue that holds something: how many items, and since when the oldest waits."""
    wanted = (
        select(queue_items.c.queue, func.count().label("n"), func.min(queue_items.c.created_at).label("oldest"))
        .where(queue_items.c.done_at.is_(None))
        .group_by(queue_items.c.queue)
    )
    return {row.queue: (row.n, row.oldest) for row in tx.execute(wanted)}


ALARM = "alarm:%"  # the keys of notices that go before all else (case/proposals.py)


def shown(tx: Connection, queue: str) -> list[Shown]:
    """A queue as its readers see it: alarms, then the rest, oldest first."""
    wanted = (
        select(
            queue_items,
            messages.c.sender,
            messages.c.subject,
            messages.c.received_at,
            messages.c.standing,
            messages.c.claimed_vu,
            messages.c.suggested_vu,
            messages.c.about_letter_id,
            cases.c.vu,
            organisations.c.name.label("participant"),
            reports.c.vrf,
        )
        .join(messages, messages.c.id == queue_items.c.message_id, isouter=True)
        .join(participants, participants.c.id == queue_items.c.participant_id, isouter=True)
        .join(organisations, organisations.c.id == participants.c.organisation_id, isouter=True)
        .join(cases, cases.c.id == queue_items.c.case_id, isouter=True)
        .join(reports, reports.c.id == func.coalesce(queue_items.c.report_id, messages.c.report_id), isouter=True)
        .where(queue_items.c.queue == queue, queue_items.c.done_at.is_(None))
        .order_by(case((queue_items.c.once.like(ALARM), 0), else_=1), queue_items.c.id)
    )
    return [_shown(row) for row in tx.execute(wanted)]


def _shown(row: Any) -> Shown:
    item = Item(*row[:12])
    return Shown(
        item,
        row.vu or row.claimed_vu,
        row.sender or row.participant or "",
        row.subject or "",
        row.received_at or item.created_at,
        row.standing or "",
        row.suggested_vu if row.vu is None else None,
        row.about_letter_id,
        row.vrf,
    )


def untold(tx: Connection, analyst_id: int, queues: Sequence[str]) -> list[Shown]:
    """What waits in these queues and this reader has not been written to about, oldest first."""
    open_ones = select(queue_items.c.id).where(queue_items.c.done_at.is_(None))
    mine = select(tellings.c.item_id).where(tellings.c.analyst_id == analyst_id, tellings.c.item_id.in_(open_ones))
    known = set(tx.execute(mine).scalars())
    return [s for queue in queues for s in shown(tx, queue) if s.item.id not in known]


def told(tx: Connection, analyst_id: int, item_ids: Sequence[int], now: datetime) -> None:
    """This reader has been written to."""
    tx.execute(insert(tellings), [{"item_id": i, "analyst_id": analyst_id, "told_at": now} for i in item_ids])
