"""What an analyst finds out about a report before deciding: its score, the answers to SSVC, what the reporter adds."""

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.case import cvss, triage
from mailrouter.case.model import Report
from mailrouter.flow import letters, newreport
from mailrouter.flow.actor import Actor, note_report
from mailrouter.flow.casework.write import Draft
from mailrouter.mail.texts import block
from mailrouter.store import cases, messages, queues, reports
from mailrouter.tools import Tools

ASK = "report-ask"


def owned(tx: Connection, actor: Actor, report: Report) -> Report:
    """Who deals with it signs the letters about it, and is named in them."""
    if actor.analyst_id is None or actor.analyst_id == report.analyst_id:
        return report
    reports.change(tx, report.id, analyst_id=actor.analyst_id)
    return reports.get(tx, report.id)


def held(tx: Connection, vrf: str) -> Report:
    """The report, locked until the end of the transaction; `NotFound` if there is none."""
    return reports.lock(tx, [reports.by_vrf(tx, vrf).id]).popitem()[1]


def undecided(tx: Connection, report: Report) -> Report:
    """The report, if a decision about it is still due; `Illegal` says who decided what, and when, and what is left."""
    if triage.undecided(report):
        return report
    raise faults.Illegal(decided_before(tx, report))


def decided_before(tx: Connection, report: Report) -> str:
    """Who decided what about it, and what can be done about that."""
    if report.rm == "START" and report.case_id is None:
        return f"{report.vrf} is a number given to a mail, and no report: `mailrouter report take {report.message_id}`"
    when = f" on {letters.minute(report.decided_at)}" if report.decided_at else ""
    who = f" by {report.decided_by}" if report.decided_by else ""
    vu = f"VU#{cases.get(tx, report.case_id).vu}" if report.case_id else ""
    if report.rm == "ACCEPTED":
        return f"{report.vrf} was accepted as {vu}{who}{when}; `mailrouter case show {vu}`"
    if vu:
        return f"{report.vrf} was filed with {vu}{who}{when}; `mailrouter case show {vu}`"
    if report.rm == "CLOSED" and report.duplicate_of_id is not None:
        return f"{report.vrf} was joined with {reports.get(tx, report.duplicate_of_id).vrf}{who}{when}"
    again = "" if report.rm == "CLOSED" else f"; `mailrouter report accept {report.vrf}` takes it up after all"
    return f"{report.vrf} was declined ({report.reason}){who}{when}{again}"


def score(
    tools: Tools, actor: Actor, vrf: str, vector: str = "", answers: Mapping[str, str] | None = None,
    exploited: str = "",
) -> Report:  # fmt: skip
    """Record a CVSS vector, answers to SSVC, or both; what is not given stays. An analyst's answer beats the form's."""
    scored = cvss.read(vector) if vector else None
    with tools.db.write() as tx:
        report = undecided(tx, held(tx, vrf))
        known = triage.answers(report) | dict(answers or {})
        changed: dict[str, object] = {"ssvc": triage.kept(known)}
        if scored:
            changed |= {"cvss": scored.vector, "score": scored.tenths}
        if "public" in known:
            changed["public"] = known["public"]
        if exploited:
            changed["exploited"] = exploited
        reports.change(tx, report.id, **changed)
        told = {name: value for name, value in changed.items() if name != "ssvc"}
        note_report(tx, tools, actor, "report.scored", report, **told, answers=known)
        return reports.get(tx, report.id)


def ask(tools: Tools, actor: Actor, vrf: str, draft: Draft) -> int:
    """Ask the reporter; until they answer, or two weeks pass, no decision is due. Returns the letter's id."""
    tools.own_key()  # outside the transaction: it may have to be made
    with tools.db.write() as tx:
        report = owned(tx, actor, undecided(tx, held(tx, vrf)))
        values = {"body": block(draft.text), "quoted": draft.quoted}
        order = letters.Order(
            ASK, values, confidential=draft.confidential or draft.only_encrypted, only_encrypted=draft.only_encrypted
        )
        letter_id = to_reporter(tx, tools, report, order)
        newreport.clock_ends(tx, report.id, actor.name, tools.now(), "the reporter was asked")
        newreport.answer_due(tx, tools, report, letter_id, tools.now())
        dealt_with(tx, tools, actor, report)
        note_report(tx, tools, actor, "report.asked", report, letter=letter_id)
        return letter_id


def to_reporter(tx: Connection, tools: Tools, report: Report, order: letters.Order) -> int:
    """A person's letter about a report, in the thread of the mail that brought it; returns its id."""
    answered = messages.get(tx, report.message_id).message_id if report.message_id is not None else None
    thread = letters.Thread(f"<{answered}>", (f"<{answered}>",)) if answered else letters.Thread()
    letter_id = letters.to_reporter(tx, tools, report, replace(order, thread=thread), tools.now())
    assert letter_id is not None  # it has no step
    return letter_id


def dealt_with(tx: Connection, tools: Tools, actor: Actor, report: Report) -> None:
    """Nothing of a report waits in a queue any more."""
    for message in messages.of_report(tx, report.id):
        queues.done_for_message(tx, message.id, actor.name, tools.now())
