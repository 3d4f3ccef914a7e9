"""The desk of triage: the reports that wait for a decision, what comes first first, with what is recommended for each.

A look; nothing is changed here. Near-duplicates are named, with the case that they led to; whether they are, an analyst
decides.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from mailrouter.case import similar, triage
from mailrouter.case.model import Case, Report
from mailrouter.case.policy import Policy
from mailrouter.case.triage import Advice
from mailrouter.flow import newreport
from mailrouter.store import cases, messages, reports
from mailrouter.store.messages import Message

LIKELY_TITLE = 70  # percent of the words of two titles
MOST_LIKE = 5  # that are named of one report


@dataclass(frozen=True, slots=True)
class Like:
    """Another report, or a case, that is likely about the same."""

    percent: int
    by: str  # words | title
    vrf: str = ""  # '' : a case alone
    vu: int | None = None
    title: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A report as it lies on the desk."""

    report: Report
    vu: int | None  # of the case it led to
    due_at: datetime | None  # when a decision, or the reporter's answer, is due
    asked: bool  # we wait for the reporter
    low: bool  # below the threshold
    advice: Advice
    likes: tuple[Like, ...]


def lines(tx: Connection, policy: Policy, *, everything: bool = False) -> list[Line]:
    """The undecided reports, in their order; `everything`: those that were decided after them, newest first."""
    open_ = sorted((r for r in reports.undecided(tx)), key=triage.place)
    return _looked_at(tx, policy, [*open_, *(reports.decided(tx) if everything else ())])


def line(tx: Connection, policy: Policy, report: Report) -> Line:
    """One of them."""
    return _looked_at(tx, policy, [report])[0]


def correspondence(tx: Connection, report: Report) -> list[Message]:
    """The reporter's mails and our letters, in the order they came and went."""
    return messages.of_report(tx, report.id)


def _looked_at(tx: Connection, policy: Policy, found: Sequence[Report]) -> list[Line]:
    only = found[0].id if len(found) == 1 else None
    due = {d.report_id: d for d in reversed(reports.open_deadlines(tx, only))}  # the earliest stays
    likes, led_to = _likes(tx, found), _led_to(tx, found)
    made = []
    for one in found:
        clock, case = due.get(one.id), led_to.get(one.case_id or 0)
        low = triage.below(one, policy.threshold)
        asked = clock is not None and clock.since.startswith(newreport.ASKED)
        due_at = clock.due_at if clock else None
        vu = case.vu if case else None
        made.append(Line(one, vu, due_at, asked, low, triage.advice(one, policy.threshold), likes.get(one.id, ())))
    return made


def _led_to(tx: Connection, found: Iterable[Report]) -> Mapping[int, Case]:
    return cases.some(tx, {r.case_id for r in found if r.case_id is not None})


def _likes(tx: Connection, found: Sequence[Report]) -> dict[int, tuple[Like, ...]]:
    """Of those that wait; what was decided is looked at no more, unless it is the only one."""
    wanted = [r for r in found if triage.undecided(r)] or list(found[:1])
    sketches = {r.id: r.sketch for r in wanted if r.sketch}
    by_words = similar.likely(sketches, reports.sketches(tx)) if sketches else {}
    others = reports.some(tx, {like.report_id for likes in by_words.values() for like in likes})
    led_to = _led_to(tx, others.values())
    told: dict[int, tuple[Like, ...]] = {}
    by_title = _by_title(tx, wanted)
    for one in wanted:
        words = [_by_words(others[like.report_id], like.percent, led_to) for like in by_words.get(one.id, ())]
        named = {like.vu for like in words if like.vu}
        told[one.id] = tuple([*words, *(t for t in by_title.get(one.id, ()) if t.vu not in named)][:MOST_LIKE])
    return told


def _by_words(other: Report, percent: int, led_to: Mapping[int, Case]) -> Like:
    case = led_to.get(other.case_id or 0)
    return Like(percent, "words", other.vrf, case.vu if case else None, case.title if case else other.title)


def _by_title(tx: Connection, wanted: Sequence[Report]) -> dict[int, list[Like]]:
    """Cases whose title says the same; the report's own is none of them."""
    everything = cases.everything(tx, closed=True) if wanted else []
    worded = [(similar.saying(case.title), case) for case in everything]
    found: dict[int, list[Like]] = {}
    for one in wanted:
        mine = similar.saying(one.title)
        alike = ((similar.alike(mine, words), case) for words, case in worded if case.id != one.case_id)
        likely = sorted(((p, c.id, c) for p, c in alike if p >= LIKELY_TITLE), reverse=True)
        found[one.id] = [Like(percent, "title", vu=case.vu, title=case.title) for percent, _, case in likely]
    return found
