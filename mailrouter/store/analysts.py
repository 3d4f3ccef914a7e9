"""Analysts and which queues they read."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update

from mailrouter import faults
from mailrouter.store.tables import analysts


@dataclass(frozen=True, slots=True)
class Analyst:
    """One of the coordinator's staff; has a queue of their name."""

    id: int
    name: str
    address: str
    login: str | None
    queues: str
    fingerprint: str
    key: bytes | None
    away_until: datetime | None
    cover_id: int | None
    told_at: datetime | None

    @property
    def queue(self) -> str:
        """Their own queue, as stored."""
        return f"analyst:{self.id}"

    @property
    def reads(self) -> tuple[str, ...]:
        """Every queue they read, their own first."""
        return (self.queue, *(q for q in self.queues.split(",") if q))

    def away(self, now: datetime) -> bool:
        """Whether somebody covers for them now."""
        return self.away_until is not None and self.away_until > now


def add(tx: Connection, row: dict[str, Any]) -> Analyst:
    """A new analyst; `Refused` if name or login is taken."""
    taken = analysts.c.name == row["name"]
    if row.get("login"):
        taken |= analysts.c.login == row["login"]
    if tx.execute(select(analysts.c.id).where(taken)).first():
        raise faults.Refused("an analyst of that name or login exists already")
    return get(tx, tx.execute(insert(analysts).returning(analysts.c.id), row).scalar_one())


def get(tx: Connection, analyst_id: int) -> Analyst:
    """By id."""
    return Analyst(*tx.execute(select(analysts).where(analysts.c.id == analyst_id)).one())


def named(tx: Connection, name: str) -> Analyst:
    """By name; `NotFound` says so."""
    row = tx.execute(select(analysts).where(analysts.c.name == name)).first()
    if row is None:
        raise faults.NotFound(f"no analyst is named {name!r}; `mailrouter analyst list` shows those there are")
    return Analyst(*row)


def by_login(tx: Connection, login: str) -> Analyst | None:
    """The analyst a Unix login belongs to."""
    row = tx.execute(select(analysts).where(analysts.c.login == login)).first()
    return Analyst(*row) if row else None


def with_key(tx: Connection, fingerprint: str) -> list[Analyst]:
    """Whose key it is, by the full fingerprint of its primary key; at most one's, unless it was so from of old."""
    wanted = select(analysts).where(analysts.c.fingerprint == fingerprint, analysts.c.key.is_not(None))
    return [Analyst(*row) for row in tx.execute(wanted.order_by(analysts.c.id))]


def everyone(tx: Connection) -> list[Analyst]:
    """By name."""
    return [Analyst(*row) for row in tx.execute(select(analysts).order_by(analysts.c.name))]


def among(tx: Connection, addresses: Collection[str]) -> frozenset[str]:
    """Which of these (case-folded) addresses are analysts'."""
    return frozenset(tx.execute(_AMONG, {"addresses": list(addresses)}).scalars())


_ADDRESS = func.lower(analysts.c.address)
_AMONG = select(_ADDRESS).where(_ADDRESS.in_(bindparam("addresses", expanding=True)))


def held(tx: Connection) -> list[Analyst]:
    """Everyone, by id, held until the transaction ends; for telling them things once."""
    wanted = select(analysts).order_by(analysts.c.id).with_for_update(key_share=True)
    return [Analyst(*row) for row in tx.execute(wanted)]


def change(tx: Connection, analyst_id: int, **values: Any) -> None:
    """Set columns of one analyst."""
    tx.execute(update(analysts).where(analysts.c.id == analyst_id).values(values))
