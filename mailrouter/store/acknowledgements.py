"""Who was acknowledged lately, and who is next to be: asked of the letters themselves.

Promises: with the turn taken, what is counted stays so until the transaction ends, whichever node counts.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, literal_column, select
from sqlalchemy.dialects import postgresql, sqlite

from mailrouter.store.tables import letters, switches

NAME = "acknowledgement"
_OURS = letters.c.name == literal_column(f"'{NAME}'")  # literal: a bound value would not find the partial index


def among(tx: Connection, addresses: Collection[str], since: datetime) -> set[str]:
    """Which of these (case-folded) addresses were acknowledged after `since`, sent already or not."""
    wanted = select(letters.c.recipient).where(_OURS, letters.c.made_at > since, letters.c.recipient.in_(addresses))
    return set(tx.execute(wanted).scalars())


def count(tx: Connection, since: datetime) -> int:
    """How many there were after `since`."""
    return tx.execute(select(func.count()).where(_OURS, letters.c.made_at > since)).scalar_one()


def take_turn(tx: Connection) -> None:
    """One node at a time acknowledges, until its transaction ends."""
    dialect: Any = sqlite if tx.dialect.name == "sqlite" else postgresql
    row = dialect.insert(switches).values(name=NAME, value="")
    tx.execute(row.on_conflict_do_update(index_elements=["name"], set_={"value": row.excluded.value}))
