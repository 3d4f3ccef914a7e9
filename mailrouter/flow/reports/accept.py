"""A report is taken up: it becomes a case, its mails are filed there, its reporter takes part and is told the VU#.

One transaction, whether an analyst names the report or the mail that brought it. The reporter is hidden from all others
unless they said that vendors may learn their name; whether the note may name them is kept apart. That a report bears a
registered organisation's address makes it no vendor that knows: it is proved, or an analyst says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.case import accept as promises
from mailrouter.case import decline as rules
from mailrouter.case.model import Case, Participant, Place, Report
from mailrouter.case.standing import Standing
from mailrouter.case.standing import parse as standing_of
from mailrouter.flow import act, letters, newreport
from mailrouter.flow.actor import Actor, note, note_report
from mailrouter.flow.arriving import lookup
from mailrouter.flow.casework import coordinate, joining
from mailrouter.flow.filing import file
from mailrouter.flow.reports import triage
from mailrouter.mail import reportform
from mailrouter.mail.reportform import Filled
from mailrouter.store import cases, contacts, inbox, messages, queues, reports
from mailrouter.store.messages import Message
from mailrouter.tools import Tools

ACCEPTED = "report-accepted"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an analyst says of the case that is opened."""

    title: str = ""  # '' : the report's
    vu: int | None = None  # None: a random one
    analyst: str = ""  # '' : whoever orders it, if that is an analyst
    urgent: bool = False
    vendor: bool = False  # the reporter is a vendor of this case, too


@dataclass(frozen=True, slots=True)
class Accepted:
    """What came of it; `letter_id` None: nobody could be written to."""

    case: Case
    report: Report
    letter_id: int | None
    unproved: bool = False  # its address is a registered organisation's, and nothing proves that it wrote this


@dataclass(frozen=True, slots=True)
class _Brought:
    """What was read outside of the transaction: the mails, opened, and what the first of them says as a form."""

    reads: Mapping[int, lookup.Read] = field(default_factory=dict)  # by message
    filled: Filled = field(default_factory=lambda: reportform.read(""))


def accept(tools: Tools, actor: Actor, vrf: str, wanted: Wanted) -> Accepted:
    """Take up a report, also one that was declined. `Illegal` when somebody was first, saying who."""
    with tools.db.read() as tx:
        report = reports.by_vrf(tx, vrf)
        mails = _mails(tx, report)
    brought = _read(tools, report.message_id, mails, report.text)
    tools.own_key()  # outside the transaction: it may have to be made
    with tools.db.write() as tx:
        _hold_cases(tx, brought)
        messages.lock(tx, brought.reads)
        return _take_up(tx, tools, actor, triage.held(tx, vrf), brought, wanted)


def from_message(tools: Tools, actor: Actor, message_id: int, wanted: Wanted) -> Accepted:
    """The same, of a mail: it is a report, whether somebody called it one or not."""
    with tools.db.read() as tx:
        message = messages.get(tx, message_id)
        known = reports.get(tx, message.report_id) if message.report_id is not None else None
        mails = _mails(tx, known) if known else []
    brought = _read(tools, message_id, [*mails, message])
    tools.own_key()
    with tools.db.write() as tx:
        _hold_cases(tx, brought)
        fresh = messages.lock(tx, {*brought.reads, message_id})[message_id]
        _not_filed(tx, fresh)
        report = _report_of(tx, fresh, brought.reads[message_id])
        return _take_up(tx, tools, actor, report, brought, wanted)


# ---- outside the transaction ---------------------------------------------------------------------------------------


def _mails(tx: Connection, report: Report) -> list[Message]:
    """What came about it: from its reporter, or added by an analyst. What is parked stays where it is."""
    places = (Place.TRIAGE, Place.REVIEW)
    return [m for m in messages.of_report(tx, report.id) if m.mail_id is not None and m.place in places]


def _read(tools: Tools, first: int | None, mails: list[Message], text: str = "") -> _Brought:
    reads = {one.id: file.read(tools, one.id) for one in mails}
    said = reads[first].text if first in reads else text
    return _Brought(reads, reportform.read(said))


# ---- inside it -----------------------------------------------------------------------------------------------------


def _hold_cases(tx: Connection, brought: _Brought) -> None:
    """Those that its mails name, before the report, as all verbs do: no two of them wait for each other."""
    lookup.look_up(tx, list(brought.reads.values()))


def _not_filed(tx: Connection, message: Message) -> None:
    """`Illegal` once it is, and by whom."""
    if message.place != Place.FILED:
        return
    report = reports.get(tx, message.report_id) if message.report_id is not None else None
    accepted = f": {triage.decided_before(tx, report)}" if report is not None and report.case_id is not None else ""
    raise faults.Illegal(f"message {message.id} is filed with a case already{accepted}")


def _report_of(tx: Connection, message: Message, read: lookup.Read) -> Report:
    """The report that a mail is or belongs to; one is made for it, if nobody took it for one so far."""
    address = file.good_address(read)
    if message.report_id is not None:
        return reports.lock(tx, [message.report_id])[message.report_id]
    made = newreport.number(tx, message.received_at, address, message.id, None)
    messages.replace(tx, message.id, {"report_id": made.id})
    return made


def _take_up(tx: Connection, tools: Tools, actor: Actor, report: Report, brought: _Brought, wanted: Wanted) -> Accepted:
    if report.rm in ("ACCEPTED", "CLOSED") or report.case_id is not None:
        raise faults.Illegal(triage.decided_before(tx, report))
    states = rules.accepted(report.rm)
    if report.rm == "START":
        report = _as_report(tx, report, brought)
    title = wanted.title or report.title or f"Report {report.vrf.removeprefix('VRF#')}"
    case = coordinate.begin(tx, tools, actor, title, wanted.vu, wanted.analyst, urgent=wanted.urgent)
    decided = {"decided_at": tools.now(), "decided_by": actor.name, "reason": "", "why": "", "duplicate_of_id": None}
    reports.change(tx, report.id, rm=states[-1], case_id=case.id, analyst_id=case.analyst_id, **decided)
    newreport.clock_ends(tx, report.id, actor.name, tools.now(), "accepted")
    doing = act.Doing(tx, tools, tools.now(), tools.now(), actor.name, case)
    unproved = not wanted.vendor and _unproved(tx, report)
    if unproved:  # before they take part, so that nothing in it counts as an answer of theirs
        _file(doing, actor, report, brought, None)
    reporter = _reporter(doing, report, wanted, unproved=unproved) if report.address else None
    if reporter and unproved:
        _ascribe(tx, report, reporter)
    elif not unproved:
        _file(doing, actor, report, brought, reporter)
    letter_id = _tell(doing, report, reporter, brought) if reporter else None
    told = {"report": report.id, "states": [report.rm, *states], "letter": letter_id}
    told |= {"unproved": True} if unproved else {}
    note(tx, tools, actor, "report.accepted", case, **told, participant=reporter.id if reporter else None)
    note_report(tx, tools, actor, "report.accepted", report, **told, case=case.id)
    return Accepted(cases.get(tx, case.id), reports.get(tx, report.id), letter_id, unproved)


def _as_report(tx: Connection, report: Report, brought: _Brought) -> Report:
    """What a mail says as a report that had a number only."""
    first = brought.reads.get(report.message_id or 0)
    subject = (first.opened.protected_subject or first.mail.subject) if first else ""
    reports.change(tx, report.id, **newreport.facts(brought.filled, subject))
    return reports.get(tx, report.id)


def _unproved(tx: Connection, report: Report) -> bool:
    """Whether an organisation would count as the reporter by the mail's From alone, which anybody can write."""
    speaker = contacts.speakers(tx, [report.address]).get(report.address) if report.address else None
    if speaker is None or speaker.organisation_id is None or contacts.get(tx, speaker.organisation_id).kind == "person":
        return False
    theirs = [m for m in messages.of_report(tx, report.id) if m.sender == report.address]
    return not any(standing_of(m.standing) >= Standing.AUTHENTICATED for m in theirs)


def _reporter(doing: act.Doing, report: Report, wanted: Wanted, *, unproved: bool) -> Participant:
    """Hidden from the others, until they said yes; a vendor that reports is asked and told as one, too."""
    assert doing.case is not None
    speaker = contacts.speakers(doing.tx, [report.address]).get(report.address)
    organisation_id = speaker.organisation_id if speaker else None
    if organisation_id is None and wanted.vendor:
        raise faults.Refused(
            "the reporter's address is no vendor's; `mailrouter vendor add NAME --email …` makes it one"
        )
    organisation_id = organisation_id or joining.person(doing.tx, report.address)
    hidden = not report.share_name
    if wanted.vendor:
        joining.join(doing, organisation_id, "vendor", anonymous=hidden)
    joined = joining.join(doing, organisation_id, "reporter", anonymous=hidden, unproved=unproved)
    cases.change_participant(doing.tx, joined.id, credit=report.credit)
    return cases.participant(doing.tx, joined.id)


def _file(doing: act.Doing, actor: Actor, report: Report, brought: _Brought, reporter: Participant | None) -> None:
    """Its mails are the case's, the reporter's as theirs; of what came since they were read, a person says."""
    tx, tools, case = doing.tx, doing.tools, doing.case
    assert case is not None
    for message in messages.of_report(tx, report.id):
        read = brought.reads.get(message.id)
        if read is not None:
            inbox.take_out(tx, read.item.mail_id)  # it may be on its way again, after a retry
            file.file_as(tx, tools, actor, read, case, reporter if _wrote(report, message) else None)
        elif message.mail_id is not None and message.case_id is None:
            messages.replace(tx, message.id, {"suggested_vu": case.vu})
    queues.done_below(tx, f"report:{report.id}", doing.actor, doing.now)


def _ascribe(tx: Connection, report: Report, reporter: Participant) -> None:
    """Whose its mails say they are: shown so, and passed on so."""
    for message in messages.of_report(tx, report.id):
        if message.sender == report.address and _wrote(report, message):
            messages.replace(tx, message.id, {"participant_id": reporter.id})


def _wrote(report: Report, message: Message) -> bool:
    """Whether the reporter did, as far as was seen when it came; a machine of theirs is not they."""
    known = message.sender == report.address or message.standing != str(Standing.STRANGER)
    return known and message.kind == "person"


def _tell(doing: act.Doing, report: Report, reporter: Participant, brought: _Brought) -> int | None:
    """The letter answers what they wrote: nobody waits for anybody, until somebody writes."""
    assert doing.case is not None
    first = brought.reads.get(report.message_id or 0)
    mail_id = f"<{first.mail.message_id}>" if first and first.mail.message_id else ""
    order = letters.Order(
        ACCEPTED,
        words(report, said_credit="credit" in brought.filled.answers),
        step=f"{reporter.id}:{ACCEPTED}",
        thread=letters.Thread(mail_id, (mail_id,)) if mail_id else letters.Thread(),
        recipient=report.address,
    )
    letter_id = letters.to_participant(doing.tx, doing.tools, doing.case, reporter, order, doing.now)
    act.nobodys_turn(doing, cases.participant(doing.tx, reporter.id), "they were told that we take it up")
    return letter_id


def words(report: Report, *, said_credit: bool) -> dict[str, str]:
    """What the letter says of a report."""
    return {
        "vrf": report.vrf, "received": letters.day(report.received_at),
        "named": promises.named(share_name=report.share_name),
        "credited": promises.credited(credit=report.credit, said=said_credit),
    }  # fmt: skip
