"""Who was acknowledged lately, and who is next to be: asked of the letters themselves.

Promises: with the turn taken, what is counted stays so until the transaction ends, whichever node counts; what a clock
that was wrong dated into the future counts for nothing until then, so that it silences nobody.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, and_, bindparam, func, literal_column, select

from mailrouter.store import upsert
from mailrouter.store.tables import letters, switches

NAME = "acknowledgement"
# The name is literal: with a bound value the partial index would not be found.
_LATELY = and_(
    letters.c.name == literal_column(f"'{NAME}'"),
    letters.c.made_at > bindparam("since"),
    letters.c.made_at <= bindparam("now"),
)
_AMONG = select(letters.c.recipient).where(_LATELY, letters.c.recipient.in_(bindparam("addresses", expanding=True)))
_COUNT = select(func.count()).where(_LATELY)


def among(tx: Connection, addresses: Collection[str], since: datetime, now: datetime) -> set[str]:
    """Which of these (case-folded) addresses were acknowledged after `since` and until `now`, sent already or not."""
    return set(tx.execute(_AMONG, {"addresses": list(addresses), "since": since, "now": now}).scalars())


def count(tx: Connection, since: datetime, now: datetime) -> int:
    """How many there were after `since` and until `now`."""
    return tx.execute(_COUNT, {"since": since, "now": now}).scalar_one()


def take_turn(tx: Connection) -> None:
    """One node at a time acknowledges, until its transaction ends."""
    row = upsert.into(tx, switches).values(name=NAME, value="")
    tx.execute(row.on_conflict_do_update(index_elements=["name"], set_={"value": row.excluded.value}))
