"""What each node's reader of a mailbox has done, how it fares, and whose turn it is to read.

Promises: `taken` is counted in the commit that stores the mails; one node at a time reads a mailbox, so that two do not
fetch the same mail (did they, nothing would be stored twice: that rests on `inbox.accept` alone).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select, update

from mailrouter.store import upsert
from mailrouter.store.tables import mailboxes, nodes, switches, tallies

DOOR = "imap:"  # and the mailbox's name
TURN = timedelta(minutes=2)  # a node that says nothing for so long has lost its turn
SKEW = timedelta(minutes=1)  # between two nodes' clocks at most; a turn that ends later was taken by a clock gone wrong


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One node's account of one mailbox."""

    node: str
    name: str
    taken: int  # messages fetched and stored, those that were stored before included
    done_before: int | None  # how many were done when we first looked; None: we never did
    passed_over: int  # messages that lie there and are not taken: too large, or impossible to fetch
    uidvalidity: int
    last_uid: int
    read_at: datetime | None  # when all was well last; None: this node does not read it
    trouble: str  # what is wrong since


@dataclass(frozen=True, slots=True)
class Account:
    """All nodes' accounts of one mailbox together."""

    name: str
    taken: int = 0
    new: int = 0  # of these, stored for the first time: the door's own tally
    done_before: int = 0
    passed_over: int = 0
    last_uids: Mapping[int, int] = field(default_factory=dict)  # how far any node got, by UIDVALIDITY
    is_read: bool = False  # by a daemon that did not end in order

    @property
    def again(self) -> int:
        """Messages fetched that were stored before: after a crash, lost flags, another UIDVALIDITY."""
        return self.taken - self.new


def count_taken(tx: Connection, node: str, doors: Iterable[str]) -> None:
    """These mails came through these doors, and the caller's transaction stores them; mailboxes' are counted."""
    for door, count in Counter(door for door in doors if door.startswith(DOOR)).items():
        row = {"node": node, "name": door.removeprefix(DOOR), "taken": count}
        statement = upsert.into(tx, mailboxes).values(row)
        more = {"taken": mailboxes.c.taken + statement.excluded.taken}
        tx.execute(statement.on_conflict_do_update(index_elements=["node", "name"], set_=more))


def reads(tx: Connection, node: str, names: Iterable[str], now: datetime) -> None:
    """From now on this node reads these, and no others: a new one's trouble is nobody's yet, a former one's is over."""
    tx.execute(update(mailboxes).where(mailboxes.c.node == node).values(read_at=None, trouble=""))
    for name in names:
        statement = upsert.into(tx, mailboxes).values(node=node, name=name, read_at=now)
        tx.execute(statement.on_conflict_do_update(index_elements=["node", "name"], set_={"read_at": now}))


def change(tx: Connection, node: str, name: str, **values: Any) -> None:
    """What a node's reader has found out."""
    tx.execute(update(mailboxes).where(mailboxes.c.node == node, mailboxes.c.name == name).values(values))


def of_node(tx: Connection, node: str) -> dict[str, Mailbox]:
    """One node's accounts, by mailbox."""
    return {row.name: Mailbox(*row) for row in tx.execute(select(mailboxes).where(mailboxes.c.node == node))}


def unread_since(tx: Connection, before: datetime) -> list[Mailbox]:
    """Which mailboxes a node that lives should read and has not, since before then."""
    late = select(mailboxes).join(nodes, nodes.c.name == mailboxes.c.node).where(mailboxes.c.read_at < before)
    return [Mailbox(*row) for row in tx.execute(late.order_by(mailboxes.c.name, mailboxes.c.node))]


def account(tx: Connection, name: str) -> Account:
    """What all nodes together took. A restored server may go back to a lower UIDVALIDITY: none is the newest."""
    rows = [Mailbox(*row) for row in tx.execute(select(mailboxes).where(mailboxes.c.name == name))]
    tally = select(func.sum(tallies.c.accepted)).where(tallies.c.door == DOOR + name)
    if not rows:
        return Account(name)
    last_uids: Counter[int] = Counter()
    for row in rows:
        last_uids[row.uidvalidity] = max(last_uids[row.uidvalidity], row.last_uid)
    return Account(
        name,
        taken=sum(row.taken for row in rows),
        new=tx.execute(tally).scalar_one() or 0,
        done_before=min((row.done_before for row in rows if row.done_before is not None), default=0),
        passed_over=max(row.passed_over for row in rows),
        last_uids=last_uids,
        is_read=any(row.read_at is not None for row in rows),
    )


# ---- whose turn it is -----------------------------------------------------------------------------------------------


def take_turn(tx: Connection, place: str, node: str, now: datetime) -> bool:
    """Read `place` (a folder on a server) for the next TURN; False while another node does. Repeated, it goes on."""
    name = _TURN_OF + place
    tx.execute(upsert.into(tx, switches).values(name=name, value="").on_conflict_do_nothing())
    held = select(switches.c.value).where(switches.c.name == name).with_for_update()
    whose, _, until = tx.execute(held).scalar_one().partition("|")
    if whose not in ("", node) and now < datetime.fromisoformat(until) <= now + TURN + SKEW:
        return False
    _write_turn(tx, name, f"{node}|{(now + TURN).isoformat()}")
    return True


def give_turn(tx: Connection, place: str, node: str) -> None:
    """Another node may try."""
    name = _TURN_OF + place
    held = select(switches.c.value).where(switches.c.name == name).with_for_update()
    if (tx.execute(held).scalar() or "").partition("|")[0] == node:
        _write_turn(tx, name, "")


def _write_turn(tx: Connection, name: str, value: str) -> None:
    tx.execute(update(switches).where(switches.c.name == name).values(value=value))


_TURN_OF = "mailbox:"
