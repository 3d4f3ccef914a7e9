"""A report as people handle it: read again from its mail, typed in from a file, or taken from a mail elsewhere.

Nothing that was decrypted is kept: what a mail says is read from its raw bytes each time.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.case.model import Place, Report
from mailrouter.flow import newreport
from mailrouter.flow.actor import Actor
from mailrouter.flow.arriving import acknowledge
from mailrouter.flow.filing import look
from mailrouter.mail import reportform, texts
from mailrouter.mail.reportform import Filled
from mailrouter.store import inbox, journal, messages, queues, reports
from mailrouter.store.messages import Message
from mailrouter.tools import Tools


@dataclass(frozen=True, slots=True, repr=False)
class Read:
    """What a reporter wrote, as it can be read now."""

    filled: Filled
    files: tuple[look.File, ...] = ()
    trouble: str = ""  # why the mail could not be opened now


def read(tools: Tools, report: Report) -> Read:
    """The filled form and the free text of a report, and the files that came with it."""
    if report.message_id is None:
        return Read(reportform.read(report.text))
    seen = look.at(tools, report.message_id)
    return Read(reportform.read(seen.text), seen.files, seen.trouble)


def add(tools: Tools, actor: Actor, text: str, address: str = "", title: str = "") -> Report:
    """A report that came otherwise than by mail, as an analyst typed it in; with an address, it is acknowledged there.

    `address`: case-folded, '' when there is none.
    """
    now, filled = tools.now(), reportform.read(text)
    told = newreport.facts(filled, title or filled.heading)
    told |= {"source": "file", "text": texts.block(text), "address": address}
    with tools.db.write() as tx:
        report = newreport.begin(tx, tools, told, now)
        _note_received(tx, actor, report, now)
        why = f"new report {report.vrf}"
        queues.add_notice(tx, "triage", why, now, once=f"report:{report.id}", report_id=report.id)
        if address and tools.settings.policy.acknowledge_hours:
            acknowledge.send(tx, tools, report, address, f"report:{report.id}", now)
        return report


def take(tools: Tools, actor: Actor, message_id: int) -> Report:
    """A mail that was not taken for a report is one: it waits in triage for a decision, under the number it has."""
    seen = look.at(tools, message_id)
    with tools.db.write() as tx:
        message = _held(tx, message_id)
        if message.mail_id is not None:
            inbox.take_out(tx, message.mail_id)  # it may be on its way again, after a retry
        was = _may_be_taken(tx, message)
        told = newreport.facts(reportform.read(seen.text), message.subject)
        told |= {"source": "mail", "address": message.sender, "message_id": message.id}
        report = newreport.begin(tx, tools, told, message.received_at, was)
        _note_received(tx, actor, report, tools.now())
        _to_triage(tx, tools, actor, message, report, f"new report {report.vrf}")
        return report


def join(tools: Tools, actor: Actor, message_id: int, vrf: str) -> Report:
    """A mail belongs to this report, an analyst says, whoever sent it: who decides about the report reads it too."""
    with tools.db.write() as tx:
        found = reports.by_vrf(tx, vrf)
        message = _held(tx, message_id)
        report = reports.lock(tx, [found.id])[found.id]
        _waits_without_a_case(message)
        if report.rm == "START":
            raise faults.Illegal(f"{vrf} is the number of a mail, and no report; `mailrouter report take` makes it one")
        if report.case_id is not None:
            raise faults.Illegal(f"{vrf} has led to a case: file the mail there with `mailrouter message route ID VU`")
        if message.id == report.message_id or message.report_id == report.id:
            raise faults.Illegal(f"message {message.id} belongs to {vrf} already")
        _overtaken(tx, tools, actor, message, report)
        _to_triage(tx, tools, actor, message, report, f"about {vrf}")
        return report


def _overtaken(tx: Connection, tools: Tools, actor: Actor, message: Message, report: Report) -> None:
    """What the mail was until now, if it was a report that nobody has decided about: it is a part of the other."""
    number = message.report_id
    if number is not None and newreport.joined(tx, number, report.id, actor.name, tools.now()):
        about = {"report": number, "into": report.id, "message": message.id}
        journal.write(tx, journal.report_chain(number), tools.now(), "report.joined", actor.name, **about)


def _waits_without_a_case(message: Message) -> None:
    if message.mail_id is None:
        raise faults.Illegal(f"message {message.id} is not a mail that came in")
    if message.case_id is not None:
        raise faults.Illegal(f"message {message.id} is filed with a case already; a report leads to one")


def _note_received(tx: Connection, actor: Actor, report: Report, now: datetime) -> None:
    """The first row of its chain."""
    journal.write(tx, journal.report_chain(report.id), now, newreport.KIND, actor.name, **newreport.told(report))


def _may_be_taken(tx: Connection, message: Message) -> Report | None:
    """The number it was given, if any. `Illegal` for what is a report already, or no mail that waits for a place."""
    _waits_without_a_case(message)
    number = message.report_id
    was = reports.lock(tx, [number])[number] if number is not None else None
    if was is not None and was.rm != "START":
        begun = journal.last(tx, journal.report_chain(was.id), [newreport.KIND])
        by = f", by {begun.actor} on {begun.at:%Y-%m-%d %H:%M} UTC" if begun else ""
        raise faults.Illegal(
            f"message {message.id} belongs to {was.vrf} already{by}: `mailrouter report show {was.vrf}`"
        )
    return was


def _held(tx: Connection, message_id: int) -> Message:
    """As it is now, until the transaction ends: of two analysts, the second one sees what the first one did."""
    messages.get(tx, message_id)
    return messages.lock(tx, [message_id])[message_id]


def _to_triage(tx: Connection, tools: Tools, actor: Actor, message: Message, report: Report, why: str) -> None:
    now = tools.now()
    changed = {"place": str(Place.TRIAGE), "why": why, "report_id": report.id, "suggested_vu": None}
    messages.replace(tx, message.id, changed)
    queues.done_for_message(tx, message.id, actor.name, now)
    queues.add_mails(tx, [queues.Arrival("triage", message.id, None, why, now, report.id)])
    journal.write(tx, journal.report_chain(report.id), now, "mail.triage", actor.name, message=message.id, by_hand=True)
