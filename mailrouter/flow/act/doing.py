"""What the orders of one plan share, and what they leave for the end of their transaction; how each is journalled.

Promises: rows that nothing reads before the transaction ends are written together, a table at a time.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from mailrouter.case import actions as do
from mailrouter.case.model import Case, Report
from mailrouter.store import cases, journal, messages, queues, vain
from mailrouter.tools import Tools


@dataclass(slots=True)
class Arrived:
    """The mail a plan is about: its row, and what a statement in it would consist of."""

    mail_id: int
    sha256: str
    row: dict[str, Any]
    statement: dict[str, Any] = field(default_factory=dict)  # verbatim, form, signed_bytes, signature, ...
    message_id: int = 0  # set when it is filed
    before: messages.Message | None = None  # what an earlier look made of it
    sure: list[int] = field(default_factory=list)  # the proposals in it that are taken at once
    reports: Callable[[], dict[str, Any]] = dict  # what it says as a report; asked only of one
    began: Report | None = None  # set when it is one

    @property
    def report_id(self) -> int | None:
        """The report it belongs to, or whose number it has."""
        told: int | None = self.row.get("report_id")
        return told or (self.before.report_id if self.before else None)

    def sha256_of_text(self) -> str:
        """Of the statement's text; '' when the mail is not meant as one."""
        return hashlib.sha256(self.statement["verbatim"]).hexdigest() if self.statement else ""


@dataclass(frozen=True, slots=True)
class Due:
    """A receipt that is due, unless its participant was told lately."""

    order: do.Receipt
    case: Case
    mail: Arrived


@dataclass(frozen=True, slots=True)
class News:
    """What everybody with an open case of an organisation is to hear, once the transaction is over; `once`: the key."""

    organisation_id: int
    why: str
    once: str


@dataclass(slots=True)
class Later:
    """Rows that nothing reads before the transaction ends: kept until then, and written a table at a time.

    Over a batch of mails that saves most of the statements, and with them half of the time its cases stay locked.
    """

    heard: dict[int, dict[str, Any]] = field(default_factory=dict)  # participant -> columns
    arrivals: list[queues.Arrival] = field(default_factory=list)
    notes: list[journal.Note] = field(default_factory=list)
    receipts: list[Due] = field(default_factory=list)  # flow/arriving/receipts.py writes those that are owed
    news: list[News] = field(default_factory=list)  # flow/arriving/offered.py tells it after the transaction
    vain: dict[str, datetime] = field(default_factory=dict)  # digests of offered keys that came to nothing

    def write(self, tx: Connection) -> None:
        """Write them all, and begin anew."""
        cases.change_participants(tx, [{"participant": one, **columns} for one, columns in self.heard.items()])
        queues.add_mails(tx, self.arrivals)
        vain.remember(tx, self.vain)
        journal.write_all(tx, self.notes)
        self.heard, self.arrivals, self.notes, self.vain = {}, [], [], {}


@dataclass(frozen=True, slots=True)
class Doing:
    """What the orders of one plan share. `now` is real; `at` decides what is due (they differ under `beat --at`)."""

    tx: Connection
    tools: Tools
    now: datetime
    at: datetime
    actor: str
    case: Case | None = None
    mail: Arrived | None = None
    later: Later = field(default_factory=Later)


def write(doing: Doing, about: Case | Report | None, kind: str, /, **data: Any) -> None:
    """Into the journal of the case or report it is about, or else of this node; written with the rest."""
    match about:
        case Case():
            chain = journal.case_chain(about.id)
        case Report():
            chain = journal.report_chain(about.id)
        case None:
            chain = journal.node_chain(doing.tools.settings.node)
    doing.later.notes.append(journal.Note(chain, doing.now, kind, doing.actor, data))
