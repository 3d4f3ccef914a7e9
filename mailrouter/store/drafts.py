"""Which draft of a note was shown to whom, and what came of it.

Promises: one row for each draft and participant; an acknowledgement, once recorded, stays as it was.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, select, update

from mailrouter.store import upsert
from mailrouter.store.tables import revisions, shown_drafts


@dataclass(frozen=True, slots=True)
class ShownDraft:
    """One draft, shown to one participant."""

    revision_id: int
    number: int  # revision 1,
    draft: int  # draft 3
    participant_id: int
    letter_id: int | None
    shown_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str  # message:ID, or the analyst who recorded it; '' nobody
    comment_id: int | None  # the newest mail with their comments


_SHOWN: Select[Any] = select(
    shown_drafts.c.revision_id, revisions.c.number, revisions.c.draft, shown_drafts.c.participant_id,
    shown_drafts.c.letter_id, shown_drafts.c.shown_at, shown_drafts.c.acknowledged_at, shown_drafts.c.acknowledged_by,
    shown_drafts.c.comment_id,
).join(revisions)  # fmt: skip
_IN_ORDER = (revisions.c.number, revisions.c.draft, shown_drafts.c.participant_id)


def of_case(tx: Connection, case_id: int) -> list[ShownDraft]:
    """All of a case, by draft and participant."""
    return [ShownDraft(*row) for row in tx.execute(_SHOWN.where(revisions.c.case_id == case_id).order_by(*_IN_ORDER))]


def of_participant(tx: Connection, participant_id: int) -> list[ShownDraft]:
    """All that one was shown, oldest first."""
    mine = _SHOWN.where(shown_drafts.c.participant_id == participant_id).order_by(*_IN_ORDER)
    return [ShownDraft(*row) for row in tx.execute(mine)]


def add(tx: Connection, revision_id: int, participant_id: int, letter_id: int, now: datetime) -> bool:
    """It is shown to them by this letter; False if it was before."""
    row = {"revision_id": revision_id, "participant_id": participant_id, "letter_id": letter_id, "shown_at": now}
    statement = upsert.into(tx, shown_drafts).values(row).on_conflict_do_nothing()
    return tx.execute(statement.returning(shown_drafts.c.revision_id)).first() is not None


def seen(
    tx: Connection, revision_id: int, participant_id: int, now: datetime, by: str, comment_id: int | None = None
) -> None:
    """They have it, `by` a mail or an analyst who says so ('': nobody surely does); and this mail comments on it."""
    mine = (shown_drafts.c.revision_id == revision_id) & (shown_drafts.c.participant_id == participant_id)
    first = mine & shown_drafts.c.acknowledged_at.is_(None)
    if by:
        tx.execute(update(shown_drafts).where(first).values(acknowledged_at=now, acknowledged_by=by))
    if comment_id is not None:
        tx.execute(update(shown_drafts).where(mine).values(comment_id=comment_id))
