"""Find mails, cases, reports and organisations by words that somebody remembers.

Promises: any text at all may be asked for; it is only ever a bound value, and `%`, `_` and `\\` are themselves
(testbook S36). Every word must occur, in any order, without regard to case.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Text, and_, cast, func, literal, or_, select

from mailrouter.store.tables import cases, messages, organisations, reports

MOST_WORDS = 20
LONGEST_WORD = 200  # characters; SQLite refuses patterns beyond 50,000 bytes


@dataclass(frozen=True, slots=True)
class FoundMail:
    """A mail or letter whose subject or sender holds the words."""

    id: int
    direction: str
    vu: int | None
    sender: str
    subject: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class FoundCase:
    """A case whose number or title holds the words."""

    vu: int
    title: str
    state: str


@dataclass(frozen=True, slots=True)
class FoundReport:
    """A report whose number or title holds the words, or the number that a mail was given."""

    vrf: str
    title: str
    rm: str


@dataclass(frozen=True, slots=True)
class FoundOrganisation:
    """An organisation or person whose name holds the words."""

    id: int
    name: str
    kind: str  # organisation | person


@dataclass(frozen=True, slots=True)
class Found:
    """All that was found, the newest mails and cases first."""

    mails: tuple[FoundMail, ...] = ()
    cases: tuple[FoundCase, ...] = ()
    organisations: tuple[FoundOrganisation, ...] = ()
    reports: tuple[FoundReport, ...] = ()

    @property
    def anything(self) -> bool:
        """Whether there is any."""
        return bool(self.mails or self.cases or self.organisations or self.reports)


def find(tx: Connection, text: str) -> Found:
    """Everything that holds all words of `text`; nothing for a text without words."""
    words = _words(text)
    if not words:
        return Found()
    return Found(
        tuple(FoundMail(*row) for row in tx.execute(_mails(words))),
        tuple(FoundCase(*row) for row in tx.execute(_cases(words))),
        tuple(FoundOrganisation(*row) for row in tx.execute(_organisations(words))),
        tuple(FoundReport(*row) for row in tx.execute(_reports(words))),
    )


def _words(text: str) -> list[str]:
    """What databases can be asked for: no NUL, no lone surrogate (stored text has none either)."""
    clean = text.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")
    return [word[:LONGEST_WORD] for word in clean.split()[:MOST_WORDS]]


def _number(vu: ColumnElement[int]) -> ColumnElement[str]:
    return literal("VU#") + cast(vu, Text)


def _mails(words: Sequence[str]) -> Select[Any]:
    shown = (
        messages.c.id, messages.c.direction, func.coalesce(cases.c.vu, messages.c.claimed_vu), messages.c.sender,
        messages.c.subject, messages.c.received_at,
    )  # fmt: skip
    wanted = select(*shown).join(cases, cases.c.id == messages.c.case_id, isouter=True)
    wanted = wanted.join(reports, reports.c.id == messages.c.report_id, isouter=True)
    mails = wanted.where(messages.c.direction.in_(("in", "out")))
    return mails.where(_holds(words, messages.c.subject, messages.c.sender, reports.c.vrf)).order_by(
        messages.c.id.desc()
    )


def _cases(words: Sequence[str]) -> Select[Any]:
    wanted = select(cases.c.vu, cases.c.title, cases.c.state).where(_holds(words, _number(cases.c.vu), cases.c.title))
    return wanted.order_by(cases.c.opened_at.desc(), cases.c.id.desc())


def _reports(words: Sequence[str]) -> Select[Any]:
    wanted = select(reports.c.vrf, reports.c.title, reports.c.rm).where(_holds(words, reports.c.vrf, reports.c.title))
    return wanted.order_by(reports.c.id.desc())


def _organisations(words: Sequence[str]) -> Select[Any]:
    wanted = select(organisations.c.id, organisations.c.name, organisations.c.kind)
    return wanted.where(_holds(words, organisations.c.name)).order_by(organisations.c.name_key)


def _holds(words: Sequence[str], *columns: ColumnElement[str]) -> ColumnElement[bool]:
    return and_(*(or_(*(_has(column, word) for column in columns)) for word in words))


def _has(column: ColumnElement[str], word: str) -> ColumnElement[bool]:
    """SQLite folds only ASCII letters, so a word with others is looked for in each way people write it."""
    ways = dict.fromkeys([word] if word.isascii() else [word, word.lower(), word.upper(), word.capitalize()])
    return or_(*(column.ilike(f"%{_escaped(way)}%", escape="\\") for way in ways))


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
