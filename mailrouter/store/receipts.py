"""Who was told lately what we made of their mail: asked of the letters themselves.

Promises: with their turn taken, what is true of these organisations stays so until the transaction ends, in whichever
of their cases another node receives mail.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, literal_column, select

from mailrouter.store.tables import letters, organisations, participants

RECEIPT, HELD = "receipt", "statement-held"
NAMES = (RECEIPT, HELD)


@dataclass(frozen=True, slots=True)
class Told:
    """The last letter of a name to one recipient, in any case of an organisation."""

    organisation_id: int
    recipient: str
    name: str
    made_at: datetime


_LATELY = (
    select(participants.c.organisation_id, letters.c.recipient, letters.c.name, func.max(letters.c.made_at))
    .join(participants, participants.c.id == letters.c.participant_id)
    .where(
        # `+ 0`: what was told lately is little; all that was ever written to a vendor of many cases is not.
        (participants.c.organisation_id + 0).in_(bindparam("organisations", expanding=True)),
        # The names are literal: with bound values the partial index would not be found.
        letters.c.name.in_([literal_column(f"'{name}'") for name in NAMES]),
        letters.c.made_at > bindparam("since"),
        letters.c.made_at <= bindparam("now"),  # what a clock that was wrong dated ahead silences nobody
    )
    .group_by(participants.c.organisation_id, letters.c.recipient, letters.c.name)
)
_TURN = (
    select(organisations.c.id)
    .where(organisations.c.id.in_(bindparam("organisations", expanding=True)))
    .order_by(organisations.c.id)
    .with_for_update(key_share=True)  # who takes part in a new case, or has a new contact, need not wait
)


def lately(tx: Connection, organisation_ids: Collection[int], since: datetime, now: datetime) -> list[Told]:
    """What each of these organisations was told last, of what was made after `since`, sent already or not."""
    rows = tx.execute(_LATELY, {"organisations": list(organisation_ids), "since": since, "now": now})
    return [Told(*row) for row in rows]


def take_turn(tx: Connection, organisation_ids: Collection[int]) -> None:
    """One node at a time tells these, until its transaction ends. Their cases are locked before."""
    tx.execute(_TURN, {"organisations": list(organisation_ids)}).all()
