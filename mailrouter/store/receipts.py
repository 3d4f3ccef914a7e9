"""Who was told lately what we made of their mail: asked of the letters themselves."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select

from mailrouter.store.tables import letters

RECEIPT, HELD = "receipt", "statement-held"
NAMES = (RECEIPT, HELD)
_LATELY = (
    select(letters.c.participant_id, letters.c.name, func.max(letters.c.made_at))
    .where(
        letters.c.participant_id.in_(bindparam("participants", expanding=True)),
        letters.c.name.in_(NAMES),
        letters.c.made_at > bindparam("since"),
        letters.c.made_at <= bindparam("now"),  # what a clock that was wrong dated ahead silences nobody
    )
    .group_by(letters.c.participant_id, letters.c.name)
)


def lately(
    tx: Connection, participants: Collection[int], since: datetime, now: datetime
) -> dict[tuple[int, str], datetime]:
    """When each of these participants had either letter last, of those made after `since`, sent already or not."""
    rows = tx.execute(_LATELY, {"participants": list(participants), "since": since, "now": now})
    return {(participant, name): made_at for participant, name, made_at in rows}
