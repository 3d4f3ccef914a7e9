"""A report begins: its number, its row, its chain in the journal, and the clock that waits for our decision.

Promises: one report for one mail, however often that mail is looked at; the clock runs from when it came, and is made
in the same transaction. A number alone is none yet: every mail that is acknowledged has one, so that no answer of ours
tells whether it was taken for a report.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from mailrouter.case import similar, triage
from mailrouter.case.model import DeadlineKind, Report
from mailrouter.mail import texts
from mailrouter.mail.reportform import Filled
from mailrouter.store import cases, queues, reports
from mailrouter.tools import Tools

LONGEST_TITLE = 200  # characters
ASKED = "letter:"  # how the clock of a report begins whose reporter was asked something
KIND = "report.received"  # in the journal


def facts(filled: Filled, title: str) -> dict[str, Any]:
    """What a report's row says of what its reporter wrote: only what decides something; the rest stays in the mail."""
    return {
        "title": texts.one_line(title, LONGEST_TITLE), "public": filled.public, "exploited": filled.exploited,
        "credit": filled.credit, "share_name": filled.share_name, "sketch": _sketch(filled), "ssvc": _answers(filled),
    }  # fmt: skip


def _sketch(filled: Filled) -> bytes | None:
    """Of what they wrote about the vulnerability: who they are, and the form's own words, make no two reports alike."""
    said = [text for field, text in filled.fields.items() if field != "contact"]
    return similar.sketch([*said, filled.free])


def _answers(filled: Filled) -> str:
    """What the form answers of SSVC's questions; an analyst's answers go before it."""
    contacted, others = filled.answers.get("vendor_contacted", ""), filled.fields.get("other_vendors", "")
    return triage.kept(triage.told(filled.public, contacted, others))


def begin(
    tx: Connection, tools: Tools, columns: Mapping[str, Any], received_at: datetime, was: Report | None = None
) -> Report:
    """The report, RECEIVED; the caller writes the journal. `was`: the number that its mail was given already."""
    if was is None:
        report = reports.add(tx, received_at, rm="RECEIVED", **columns)
    else:
        reports.change(tx, was.id, rm="RECEIVED", **columns)
        report = reports.get(tx, was.id)
    _decision_due(tx, tools, report, f"report:{report.id}", received_at)
    return report


def told(report: Report) -> dict[str, Any]:
    """What the journal says of it."""
    return {"report": report.id, "vrf": report.vrf, "source": report.source, "message": report.message_id}


def filed(tx: Connection, report_id: int, case_id: int, by: str, now: datetime) -> bool:
    """Its mail was filed with a case: a number goes along, a report needs no decision any more (True: it needed one).

    Nobody is written to. What was decided before stays as it is.
    """
    report = reports.lock(tx, [report_id])[report_id]
    if report.rm == "START":
        reports.change(tx, report_id, case_id=case_id)
    if not triage.undecided(report):
        return False
    reports.change(tx, report_id, rm="CLOSED", case_id=case_id, decided_at=now, decided_by=by)
    clock_ends(tx, report_id, by, now, "filed with a case")
    return True


def joined(tx: Connection, report_id: int, into_id: int, by: str, now: datetime) -> bool:
    """Its mail is a part of another report: it needs no decision of its own any more (True: it needed one)."""
    report = reports.lock(tx, [report_id])[report_id]
    if not triage.undecided(report):
        return False
    reports.change(tx, report_id, rm="CLOSED", duplicate_of_id=into_id, decided_at=now, decided_by=by)
    clock_ends(tx, report_id, by, now, "joined to another")
    return True


def clock_ends(tx: Connection, report_id: int, by: str, now: datetime, outcome: str) -> None:
    """A decision is due no longer; what reminded of it is dealt with."""
    reports.finish_deadlines(tx, report_id, now, outcome)
    queues.done_below(tx, f"decision:{report_id}:", by, now)
    queues.done_once(tx, f"report:{report_id}", by, now)


def answered(tx: Connection, tools: Tools, report: Report, since: str, now: datetime) -> None:
    """The reporter who was asked wrote: a decision is due again, from now on. `since`: the mail, as clocks name it."""
    if triage.undecided(report) and any(d.since.startswith(ASKED) for d in reports.open_deadlines(tx, report.id)):
        clock_ends(tx, report.id, report.vrf, now, "the reporter answered")
        _decision_due(tx, tools, report, since, now)


def answer_due(tx: Connection, tools: Tools, report: Report, letter_id: int, now: datetime) -> None:
    """No decision is due while we wait for the reporter; after two weeks of silence (seeds 001) triage hears of it."""
    row = {
        "report_id": report.id, "kind": str(DeadlineKind.DECISION), "since": f"{ASKED}{letter_id}", "rung": 1,
        "due_at": now + tools.settings.policy.silence,
    }  # fmt: skip
    cases.set_deadline(tx, row)


def _decision_due(tx: Connection, tools: Tools, report: Report, since: str, begins: datetime) -> None:
    """A decision is due in 24-48 hours (seeds 000): triage is reminded after half of them, and at their end."""
    whole = timedelta(hours=tools.settings.policy.decide_hours)
    about = {"report_id": report.id, "kind": str(DeadlineKind.DECISION), "since": since}
    shares = enumerate((whole / 2, whole), 1)
    cases.set_deadlines(tx, [about | {"rung": rung, "due_at": begins + share} for rung, share in shares])


def number(tx: Connection, received_at: datetime, address: str, message_id: int, case_id: int | None) -> Report:
    """A number for a mail that is acknowledged and is no report."""
    return reports.add(tx, received_at, rm="START", address=address, message_id=message_id, case_id=case_id)
