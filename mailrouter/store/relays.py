"""What was passed on of one participant's mail to another."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from mailrouter.store.tables import letters, messages, relays


@dataclass(frozen=True, slots=True)
class Relay:
    """One row of `relays`."""

    id: int
    message_id: int
    participant_id: int  # who is to have it
    letter_id: int | None
    files: str
    consent: str  # message:ID, or the words an analyst wrote down
    made_at: datetime
    made_by: str

    @property
    def carried(self) -> list[dict[str, str]]:
        """Each file: `name` and `digest` as it came, `left_as` and `left` as it leaves."""
        return list(json.loads(self.files)) if self.files else []


def add(tx: Connection, row: dict[str, Any]) -> None:
    """A new one."""
    tx.execute(insert(relays), row)


def of_case(tx: Connection, case_id: int) -> list[Relay]:
    """Everything that was passed on in a case, oldest first."""
    wanted = select(relays).join(messages, messages.c.id == relays.c.message_id).where(messages.c.case_id == case_id)
    return [Relay(*row) for row in tx.execute(wanted.order_by(relays.c.id))]


def of_message(tx: Connection, message_id: int) -> list[Relay]:
    """To whom a mail was passed on, oldest first."""
    wanted = select(relays).where(relays.c.message_id == message_id).order_by(relays.c.id)
    return [Relay(*row) for row in tx.execute(wanted)]


def passed_on(tx: Connection, message_id: int) -> dict[int, int]:
    """Who was sent it, or is about to be: participant -> letter."""
    wanted = (
        select(relays.c.participant_id, letters.c.id)
        .join(letters, letters.c.id == relays.c.letter_id)
        .where(relays.c.message_id == message_id, letters.c.state != "withdrawn")
        .order_by(relays.c.id)
    )
    return {row.participant_id: row.id for row in tx.execute(wanted)}
