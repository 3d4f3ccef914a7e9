"""What the doors accepted and what of it is still to be received.

Promises: `accept` is idempotent (the same recipients and bytes are stored once) and counts into the door's tally in the
same commit; a claim is counted before the mail is looked at, so that a mail that kills its reader is noticed.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, func, insert, or_, select, update

from mailrouter.mail.envelope import Envelope
from mailrouter.store import upsert
from mailrouter.store.tables import inbox, mails, messages, tallies

LEASE = timedelta(minutes=5)
TRIES = 3
BATCH_BYTES = 4 * 1024 * 1024  # of raw mail held in memory by one claim
PAUSES = (timedelta(0), timedelta(minutes=1), timedelta(minutes=10))  # before the next try, by tries so far


@dataclass(frozen=True, slots=True)
class Item:
    """One accepted mail, claimed by this worker."""

    mail_id: int
    tries: int  # this one included
    envelope: Envelope

    @property
    def exhausted(self) -> bool:
        """Whether it has had its tries and is to be parked unread."""
        return self.tries > TRIES


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lease: the node by name, and which of its lives."""

    node: str
    start_id: str


def accept(tx: Connection, node: str, envelopes: Sequence[Envelope]) -> int:
    """Store a batch durably (with the caller's commit); returns how many were new."""
    fresh = _unknown(tx, {e.dedupe: e for e in envelopes})
    if not fresh:
        return 0
    rows = [_mail_row(node, key, e) for key, e in fresh.items()]
    stored = tx.execute(_insert_mails(tx), rows).all()
    if not stored:
        return 0  # another node was first
    tx.execute(insert(inbox), [{"mail_id": row.id, "size": row.size} for row in stored])
    for door, count in Counter(row.door for row in stored).items():
        _count(tx, node, door, count)
    return len(stored)


def _unknown(tx: Connection, by_key: dict[bytes, Envelope]) -> dict[bytes, Envelope]:
    known = set(tx.execute(_KNOWN, {"keys": list(by_key)}).scalars())
    return {key: e for key, e in by_key.items() if key not in known}


_KNOWN = select(mails.c.dedupe).where(mails.c.dedupe.in_(bindparam("keys", expanding=True)))


def _mail_row(node: str, key: bytes, e: Envelope) -> dict[str, Any]:
    envelope = json.dumps({"from": e.sender, "to": e.recipients})
    return {
        "dedupe": key, "node": node, "door": e.door, "received_at": e.received_at,
        "envelope": envelope, "size": len(e.raw), "raw": e.raw,
    }  # fmt: skip


def _insert_mails(tx: Connection) -> Any:
    """ON CONFLICT DO NOTHING: on PostgreSQL another node may store the same mail between our look and our insert."""
    return _INSERT_MAILS[tx.dialect.name]


_INSERT_MAILS = upsert.built(
    mails,
    lambda insert: insert.on_conflict_do_nothing(index_elements=["dedupe"]).returning(
        mails.c.id, mails.c.size, mails.c.door
    ),
)


def _count(tx: Connection, node: str, door: str, count: int) -> None:
    statement = upsert.into(tx, tallies).values(node=node, door=door, accepted=count)
    tx.execute(
        statement.on_conflict_do_update(
            index_elements=["node", "door"], set_={"accepted": tallies.c.accepted + statement.excluded.accepted}
        )
    )


# ---- claiming -------------------------------------------------------------------------------------------------------


def waits(tx: Connection, now: datetime) -> bool:
    """Whether there is anything to claim: asked without the writer's lock, since mostly there is not."""
    return tx.execute(_LOOK, {"now": now, "most": 1}).first() is not None


def claim(tx: Connection, holder: Holder, now: datetime, most: int) -> list[Item]:
    """Lease up to `most` waiting mails, oldest first, counting the try.

    A mail that failed before is claimed alone, so that it cannot take its neighbours with it.
    """
    rows = tx.execute(_WAITING, {"now": now, "most": most}).all()
    ids = _one_batch([(row.mail_id, row.size, row.tries) for row in rows])
    if not ids:
        return []
    tx.execute(_LEASE, {"ids": ids, "holder": holder.node, "life": holder.start_id, "until": now + LEASE})
    return [Item(r.id, r.tries, envelope(r)) for r in tx.execute(_CLAIMED, {"ids": ids})]


_LOOK = (
    select(inbox.c.mail_id, inbox.c.size, inbox.c.tries)
    .where(
        or_(inbox.c.leased_until.is_(None), inbox.c.leased_until < bindparam("now")),
        or_(inbox.c.not_before.is_(None), inbox.c.not_before <= bindparam("now")),
    )
    .order_by(inbox.c.mail_id)
    .limit(bindparam("most"))
)
_WAITING = _LOOK.with_for_update(skip_locked=True)
_LEASE = (
    update(inbox)
    .where(inbox.c.mail_id.in_(bindparam("ids", expanding=True)))
    .values(
        tries=inbox.c.tries + 1,
        node=bindparam("holder"),
        start_id=bindparam("life"),
        leased_until=bindparam("until"),
    )
)
_CLAIMED = (
    select(mails, inbox.c.tries)
    .join(inbox, inbox.c.mail_id == mails.c.id)
    .where(mails.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(mails.c.id)
)


def _one_batch(rows: Sequence[tuple[int, int, int]]) -> list[int]:
    """The longest run of first-timers that fits in memory; or one mail that has failed before."""
    if rows and rows[0][2] > 0:
        return [rows[0][0]]
    batch: list[int] = []
    total = 0
    for mail_id, size, tries in rows:
        total += size
        if tries or (batch and total > BATCH_BYTES):
            break
        batch.append(mail_id)
    return batch


def envelope(row: Any) -> Envelope:
    """A row of `mails` as the door saw it."""
    said = json.loads(row.envelope)
    return Envelope(row.door, said["from"], tuple(said["to"]), row.raw, row.received_at)


class LeaseLost(Exception):
    """Another worker has these mails in hand now: what was made of them here must not be kept."""


def finish(tx: Connection, holder: Holder, mail_ids: Sequence[int]) -> None:
    """These mails have been received: a message row says where each lies. `LeaseLost` if they are not ours any more."""
    if tx.execute(_FINISH, {"ids": list(mail_ids), "life": holder.start_id}).rowcount != len(mail_ids):
        raise LeaseLost


_FINISH = delete(inbox).where(
    inbox.c.mail_id.in_(bindparam("ids", expanding=True)), inbox.c.start_id == bindparam("life")
)


def release(tx: Connection, holder: Holder, mail_ids: Sequence[int] | None = None) -> None:
    """Give back, uncounted, what was claimed and not looked at, or could not be recorded for no fault of its own.

    These mails; without ids, all that the holder has.
    """
    freed = update(inbox).where(inbox.c.start_id == holder.start_id, inbox.c.leased_until.is_not(None))
    if mail_ids is not None:
        freed = freed.where(inbox.c.mail_id.in_(mail_ids))
    tx.execute(freed.values(leased_until=None, tries=inbox.c.tries - 1))


def defer(tx: Connection, item: Item, now: datetime, trouble: str) -> None:
    """Give a mail back for a later try; `trouble` is a class name, never a text."""
    pause = PAUSES[min(item.tries, len(PAUSES) - 1)]
    tx.execute(
        update(inbox)
        .where(inbox.c.mail_id == item.mail_id)
        .values(leased_until=None, not_before=now + pause, trouble=trouble)
    )


def take_out(tx: Connection, mail_id: int) -> None:
    """An analyst files it by hand: nobody need receive it any more, and whoever does it now loses the lease."""
    tx.execute(delete(inbox).where(inbox.c.mail_id == mail_id))


def again(tx: Connection, mail_id: int) -> bool:
    """Put a parked mail back into the inbox, with all its tries; False if it is there already."""
    size = tx.execute(select(mails.c.size).where(mails.c.id == mail_id)).scalar_one()
    statement = upsert.into(tx, inbox).values(mail_id=mail_id, size=size).on_conflict_do_nothing()
    return tx.execute(statement.returning(inbox.c.mail_id)).first() is not None


def again_in_hand(tx: Connection, mail_id: int) -> Item:
    """A mail received before, as it came in, to be read once more at an analyst's order."""
    return Item(mail_id, 1, envelope(tx.execute(select(mails).where(mails.c.id == mail_id)).one()))


def begin_life(tx: Connection, holder: Holder) -> None:
    """A node starts: its own older leases are free at once (other nodes' run out by themselves)."""
    tx.execute(
        update(inbox)
        .where(and_(inbox.c.node == holder.node, inbox.c.start_id != holder.start_id))
        .values(leased_until=None)
    )


def end_life(tx: Connection, holder: Holder) -> None:
    """Whoever held these is dead: they are free, the try counted, since it may have died of one of them."""
    tx.execute(
        update(inbox)
        .where(inbox.c.node == holder.node, inbox.c.start_id == holder.start_id, inbox.c.leased_until.is_not(None))
        .values(leased_until=None)
    )


# ---- looking --------------------------------------------------------------------------------------------------------


def raw(tx: Connection, mail_id: int) -> bytes:
    """The untouched bytes of one mail."""
    return bytes(tx.execute(select(mails.c.raw).where(mails.c.id == mail_id)).scalar_one())


def accepted(tx: Connection) -> dict[str, int]:
    """Each door's own tally, all nodes together."""
    return {
        row.door: row.n
        for row in tx.execute(select(tallies.c.door, func.sum(tallies.c.accepted).label("n")).group_by(tallies.c.door))
    }


def pending(tx: Connection) -> dict[str, int]:
    """What is accepted and not yet received, by door."""
    found = (
        select(mails.c.door, func.count().label("n")).join(inbox, inbox.c.mail_id == mails.c.id).group_by(mails.c.door)
    )
    return {row.door: row.n for row in tx.execute(found)}


def oldest_pending(tx: Connection) -> datetime | None:
    """When the longest-waiting mail came in that was never processed."""
    seen = select(messages.c.id).where(messages.c.mail_id == mails.c.id).exists()
    found = select(func.min(mails.c.received_at)).join(inbox, inbox.c.mail_id == mails.c.id).where(~seen)
    oldest: datetime | None = tx.execute(found).scalar_one()
    return oldest
