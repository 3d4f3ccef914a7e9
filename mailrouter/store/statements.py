"""Vendor Statements: kept verbatim with what was signed; the newest by signing time stands."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select, update

from mailrouter.case.model import STANDING_STATES, Statement, made_at
from mailrouter.store import upsert
from mailrouter.store.tables import organisations, participants, statements

_STATEMENT: Select[Any] = (
    select(
        statements.c.id, statements.c.case_id, statements.c.participant_id, organisations.c.name,
        statements.c.message_id,
        statements.c.state, statements.c.reason, statements.c.bound, statements.c.received_at, statements.c.signed_at,
        statements.c.fingerprint, statements.c.signature_id, statements.c.sha256, statements.c.verbatim,
        statements.c.form,
        statements.c.signed_bytes, statements.c.signature, statements.c.approved_at, statements.c.approved_by,
    )
    .join(participants, participants.c.id == statements.c.participant_id)
    .join(organisations, organisations.c.id == participants.c.organisation_id)
)  # fmt: skip


def keep(tx: Connection, row: dict[str, Any]) -> int:
    """A statement, as judged; returns its id. One mail is one statement: judged anew, it must be approved anew."""
    kept: int = tx.execute(_KEEP[tx.dialect.name], row).scalar_one()
    return kept


def _keep(insert: Any) -> Any:
    """What the row does not name gets its default again: among it the approval."""
    added = insert.returning(statements.c.id)
    anew = {column.name: added.excluded[column.name] for column in statements.c if column.name not in _WHICH}
    return added.on_conflict_do_update(index_elements=["message_id"], set_=anew)


_WHICH = ("id", "message_id")
_KEEP = upsert.built(statements, _keep)


def change(tx: Connection, statement_id: int, **values: Any) -> None:
    """Set columns of one statement; its text and proof never change."""
    tx.execute(_CHANGE, {"statement": statement_id, **values})


_CHANGE = update(statements).where(statements.c.id == bindparam("statement"))  # sets what the parameters name


def of_case(tx: Connection, case_id: int) -> list[Statement]:
    """All of a case, in the order they came."""
    return [
        Statement(*row)
        for row in tx.execute(_STATEMENT.where(statements.c.case_id == case_id).order_by(statements.c.id))
    ]


def of_participant(tx: Connection, participant_id: int) -> list[Statement]:
    """All of one participant, in the order they came."""
    mine = _STATEMENT.where(statements.c.participant_id == participant_id)
    return [Statement(*row) for row in tx.execute(mine.order_by(statements.c.id))]


def get(tx: Connection, statement_id: int) -> Statement:
    """By id."""
    return Statement(*tx.execute(_STATEMENT.where(statements.c.id == statement_id)).one())


def of_message(tx: Connection, message_id: int) -> Statement | None:
    """The statement a mail was kept as."""
    row = tx.execute(_STATEMENT.where(statements.c.message_id == message_id)).first()
    return Statement(*row) if row else None


def standing(tx: Connection, participant_id: int, but: int | None = None) -> Statement | None:
    """The one that stands, if it was not kept from the message `but`."""
    row = tx.execute(_STANDING, {"participant": participant_id, "but": but or 0}).first()
    return Statement(*row) if row else None


_STANDING = (
    _STATEMENT.where(
        statements.c.participant_id == bindparam("participant"),
        statements.c.state.in_(STANDING_STATES),
        statements.c.message_id != bindparam("but"),
    )
    .order_by(statements.c.id.desc())
    .limit(1)
)


def last_made(tx: Connection, participant_id: int, but: int | None = None) -> datetime | None:
    """When the newest that ever stood was made, withdrawn or not; of those not kept from the message `but`.

    Read in the transaction that receives, so only what it needs: see `Statement.made_at`.
    """
    rows = tx.execute(_STOOD, {"participant": participant_id, "but": but or 0})
    return max((made_at(*row) for row in rows), default=None)


_STOOD = select(
    statements.c.state, statements.c.fingerprint, statements.c.signed_at, statements.c.received_at
).where(
    statements.c.participant_id == bindparam("participant"),
    statements.c.state != "held",
    statements.c.message_id != bindparam("but"),
)  # fmt: skip


def approve(tx: Connection, statement_id: int, by: str, now: datetime) -> None:
    """An analyst approved exactly this text for publication."""
    change(tx, statement_id, approved_at=now, approved_by=by)
