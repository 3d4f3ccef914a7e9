"""Orders by mail that are to be carried out: open until their effects are committed, then the proof that they were.

Promises: an order is done once, whoever tries it and however often; its try is counted before anybody looks at it, and
while it is in hand nobody else takes it up.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, bindparam, or_, select, update

from mailrouter.store import upsert
from mailrouter.store.tables import letters, orders, queue_items

IN_HAND = timedelta(minutes=1)  # longer than gpg may take to open it
TRIES = 3


@dataclass(frozen=True, slots=True)
class Order:
    """One row of `orders`."""

    message_id: int
    analyst_id: int
    item_id: int
    received_at: datetime
    done_at: datetime | None
    tries: int
    not_before: datetime | None


def add(tx: Connection, message_id: int, analyst_id: int, item_id: int, now: datetime) -> None:
    """This mail's orders are to be carried out; once, however often it is received."""
    row = {"message_id": message_id, "analyst_id": analyst_id, "item_id": item_id, "received_at": now}
    tx.execute(upsert.into(tx, orders).values(row).on_conflict_do_nothing())


def waits(tx: Connection, now: datetime) -> bool:
    """Whether one is to be carried out now."""
    return tx.execute(_next(now)).first() is not None


def _next(now: datetime) -> Select[Any]:
    due = or_(orders.c.not_before.is_(None), orders.c.not_before <= now)
    return select(orders).where(orders.c.done_at.is_(None), due).order_by(orders.c.message_id).limit(1)


def claim(tx: Connection, now: datetime) -> Order | None:
    """Take the next one in hand; this try is counted."""
    row = tx.execute(_next(now).with_for_update(skip_locked=True)).first()
    if row is None:
        return None
    mine = orders.c.message_id == row.message_id
    tx.execute(update(orders).where(mine).values(tries=row.tries + 1, not_before=now + IN_HAND))
    return get(tx, row.message_id)


def get(tx: Connection, message_id: int) -> Order:
    """The order in this mail."""
    return Order(*tx.execute(select(orders).where(orders.c.message_id == message_id)).one())


def still_open(tx: Connection, message_id: int) -> bool:
    """Whether it is still to be done; if so, it is ours until the transaction ends."""
    row = tx.execute(select(orders.c.done_at).where(orders.c.message_id == message_id).with_for_update()).one()
    return row.done_at is None


def done(tx: Connection, message_id: int, now: datetime) -> None:
    """Carried out, or refused for good."""
    tx.execute(update(orders).where(orders.c.message_id == message_id).values(done_at=now))


def leave_undone(tx: Connection, now: datetime) -> list[int]:
    """None that is open is carried out any more; the messages they came in."""
    closed = update(orders).where(orders.c.done_at.is_(None)).values(done_at=now).returning(orders.c.message_id)
    return sorted(tx.execute(closed).scalars())


def put_off(tx: Connection, message_id: int, until: datetime) -> None:
    """Not before then."""
    mine = (orders.c.message_id == message_id) & orders.c.done_at.is_(None)
    tx.execute(update(orders).where(mine).values(not_before=until))


# ---- what deciding about a mail must know ----------------------------------------------------------------------------


def items(tx: Connection, item_ids: set[int]) -> dict[int, int | None]:
    """The case of each of these queue items; those there are not are left out."""
    rows = tx.execute(_ITEMS, {"ids": sorted(item_ids)}) if item_ids else ()
    return {row.id: row.case_id for row in rows}


_ITEMS = select(queue_items.c.id, queue_items.c.case_id).where(queue_items.c.id.in_(bindparam("ids", expanding=True)))


def hold_item(tx: Connection, item_id: int) -> None:
    """One mail about an item is judged after the other."""
    tx.execute(select(queue_items.c.id).where(queue_items.c.id == item_id).with_for_update())


# ---- letters an order may be about -----------------------------------------------------------------------------------


def letters_to(tx: Connection, participant_id: int, state: str) -> list[int]:
    """The letters to a participant in this state, oldest first."""
    mine = (letters.c.participant_id == participant_id) & (letters.c.state == state)
    return list(tx.execute(select(letters.c.id).where(mine).order_by(letters.c.id)).scalars())


def letter_of_case(tx: Connection, letter_id: int, case_id: int | None) -> int | None:
    """The participant that this letter of the case is to; None when the case has no such letter."""
    if case_id is None:
        return None
    mine = (letters.c.id == letter_id) & (letters.c.case_id == case_id)
    whose: int | None = tx.execute(select(letters.c.participant_id).where(mine)).scalar()
    return whose


def told_lately(tx: Connection, steps: list[str], since: datetime) -> bool:
    """Whether one of these letters was made since then."""
    lately = letters.c.step.in_(steps) & (letters.c.made_at > since)
    return tx.execute(select(letters.c.id).where(lately)).first() is not None
