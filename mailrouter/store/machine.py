"""The machine room: which nodes live, since when, and when each last beat."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from mailrouter.store import tables
from mailrouter.store.inbox import Holder


@dataclass(frozen=True, slots=True)
class Node:
    """One daemon."""

    name: str
    start_id: str
    started_at: datetime | None
    beat_at: datetime | None  # None: it has no ticker
    doors: str


def nodes(tx: Connection) -> list[Node]:
    """Every node that ever started and did not stop in order."""
    return [Node(*row) for row in tx.execute(select(tables.nodes).order_by(tables.nodes.c.name))]


def begin_life(tx: Connection, holder: Holder, now: datetime, *, ticks: bool = True) -> None:
    """A node starts; one without a ticker (`serve --only smtp`) is never missed for its beat."""
    tx.execute(delete(tables.nodes).where(tables.nodes.c.name == holder.node))
    tx.execute(
        insert(tables.nodes).values(
            name=holder.node, start_id=holder.start_id, started_at=now, beat_at=now if ticks else None
        )
    )


def listens(tx: Connection, holder: Holder, doors: str) -> None:
    """Where this node's doors are, `HOST:PORT` or `unix:PATH` each, apart by spaces."""
    tx.execute(update(tables.nodes).where(tables.nodes.c.name == holder.node).values(doors=doors))


def end_life(tx: Connection, holder: Holder) -> None:
    """A node stops in order: nobody need miss its beat."""
    mine = (tables.nodes.c.name == holder.node) & (tables.nodes.c.start_id == holder.start_id)
    tx.execute(delete(tables.nodes).where(mine))


def beat(tx: Connection, node: str, now: datetime) -> None:
    """This node's ticker ran."""
    tx.execute(update(tables.nodes).where(tables.nodes.c.name == node).values(beat_at=now))
