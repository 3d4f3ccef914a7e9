"""Vouchers: whom we asked whether a text without a signature is theirs, and who said so."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from mailrouter.store import outbox
from mailrouter.store.tables import participants, vouchers

LETTER = "voucher"  # the letter that returns the text


@dataclass(frozen=True, slots=True)
class Voucher:
    """One row of `vouchers`."""

    id: int
    statement_id: int
    participant_id: int  # to whom it was put
    how: str  # mail | telephone
    sha256: str
    asked_at: datetime
    asked_by: str
    letter_id: int | None
    telephone: str
    why: str
    spoke_with: str
    message_id: int | None
    agreed_by: str
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A voucher with the case of whom it was put to."""

    voucher: Voucher
    case_id: int

    @property
    def participant_id(self) -> int:
        """To whom it was put."""
        return self.voucher.participant_id


def add(tx: Connection, row: dict[str, Any]) -> int:
    """A new one; returns its id."""
    added: int = tx.execute(insert(vouchers).returning(vouchers.c.id), row).scalar_one()
    return added


def change(tx: Connection, voucher_id: int, **values: Any) -> None:
    """Set columns of one."""
    tx.execute(update(vouchers).where(vouchers.c.id == voucher_id).values(values))


def some(tx: Connection, ids: Iterable[int]) -> dict[int, Asked]:
    """These vouchers; those there are not are left out."""
    wanted = list(ids)
    rows = tx.execute(_SOME, {"ids": wanted}) if wanted else ()
    return {row.id: Asked(Voucher(*row[:-1]), row[-1]) for row in rows}


_SOME = (
    select(vouchers, participants.c.case_id)
    .join(participants, participants.c.id == vouchers.c.participant_id)
    .where(vouchers.c.id.in_(bindparam("ids", expanding=True)))
)


def of_statements(tx: Connection, statement_ids: Iterable[int]) -> dict[int, list[Voucher]]:
    """All of these statements, oldest first."""
    wanted = select(vouchers).where(vouchers.c.statement_id.in_(list(statement_ids))).order_by(vouchers.c.id)
    found: dict[int, list[Voucher]] = {}
    for row in tx.execute(wanted):
        found.setdefault(row.statement_id, []).append(Voucher(*row))
    return found


def asked_again(tx: Connection, voucher: Voucher) -> bool:
    """Whether a later letter asks the same participant about the same text."""
    later = (vouchers.c.statement_id == voucher.statement_id) & (vouchers.c.id > voucher.id)
    same = (vouchers.c.how == "mail") & (vouchers.c.participant_id == voucher.participant_id)
    return tx.execute(select(vouchers.c.id).where(later, same)).first() is not None


def made_stand(tx: Connection, statement_ids: Iterable[int]) -> dict[int, Voucher]:
    """What made these statements stand without a signature, by statement id; the others are left out."""
    done = {one: [v for v in several if v.done_at] for one, several in of_statements(tx, statement_ids).items()}
    return {one: several[-1] for one, several in done.items() if several}


def of_letter(tx: Connection, letter: outbox.Letter) -> int | None:
    """The voucher a letter asks about; also of one that went again in its place to another contact."""
    first = outbox.first_of(tx, letter)
    found: int | None = tx.execute(select(vouchers.c.id).where(vouchers.c.letter_id == first)).scalar()
    return found
