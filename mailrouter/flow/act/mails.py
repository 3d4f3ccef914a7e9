"""Orders about the mail itself: it is filed, begins a report or answers one, waits for somebody, is an analyst's order.

Promises: a mail that is looked at again keeps its row and its report's number; what it waited for before is done.
"""

from typing import Any

from mailrouter.case import actions as do
from mailrouter.case.model import Case, Report
from mailrouter.flow import newreport
from mailrouter.flow.act.doing import Arrived, Doing, write
from mailrouter.store import journal, messages, orders, queues, reports


def file(doing: Doing, action: do.File) -> None:
    """Its row, what of it waits for whom, the report it begins or answers."""
    mail = doing.mail
    assert mail is not None
    case = doing.case if action.in_case else None
    row = mail.row | {"place": str(action.place), "why": action.why, "suggested_vu": action.suggested_vu}
    if case is None:
        row["participant_id"] = None
    row["case_id"] = case.id if case else None
    report = _begin(doing, mail, row) if action.begins else action.report
    if report is not None:
        row |= {"report_id": report.id, "why": f"new report {report.vrf}" if action.begins else action.why}
    _store(doing, mail, row)
    if action.report is not None and row["kind"] == "person":
        newreport.answered(doing.tx, doing.tools, action.report, f"mail:{mail.mail_id}", doing.now)
    if action.queue:
        number, why = mail.report_id, row["why"] + action.says
        arrival = queues.Arrival(action.queue, mail.message_id, row["case_id"], why, doing.now, number)
        doing.later.arrivals.append(arrival)
    if action.begins and report is not None:
        mail.began = report
        reports.change(doing.tx, report.id, message_id=mail.message_id)
        write(doing, report, newreport.KIND, **newreport.told(report) | {"message": mail.message_id})
    write(doing, case or report, f"mail.{action.place}", **_told(mail, row))
    if case is not None and mail.before is not None:
        report_filed(doing, mail.before, case)


def _begin(doing: Doing, mail: Arrived, row: dict[str, Any]) -> Report:
    """The report that this mail is, under the number it was given before, if it was."""
    number = mail.before.report_id if mail.before else None
    was = reports.lock(doing.tx, [number])[number] if number is not None else None
    columns = mail.reports() | {"address": row["sender"]}
    return newreport.begin(doing.tx, doing.tools, columns, row["received_at"], was)


def report_filed(doing: Doing, message: messages.Message, case: Case) -> None:
    """A mail that was a report, or had a number, lies in a case now."""
    number = message.report_id
    if number is not None and newreport.filed(doing.tx, number, case.id, doing.actor, doing.now):
        note = {"report": number, "case": case.id, "message": message.id}
        chain = journal.report_chain(number)
        doing.later.notes.append(journal.Note(chain, doing.now, "report.closed", doing.actor, note))


def _store(doing: Doing, mail: Arrived, row: dict[str, Any]) -> None:
    mail.row = row
    if mail.before is None:
        mail.message_id = messages.add(doing.tx, row)
        return
    mail.message_id = mail.before.id
    messages.replace(doing.tx, mail.before.id, row)
    queues.done_for_message(doing.tx, mail.before.id, doing.actor, doing.now)


def _told(mail: Arrived, row: dict[str, Any]) -> dict[str, Any]:
    return {
        "message": mail.message_id, "kind": row["kind"], "standing": row["standing"], "assurance": row["assurance"],
        "fingerprint": row["fingerprint"], "sha256": mail.sha256, "participant": row["participant_id"],
        **({"certificate": row["certificate"], "gpg": row["gpg"]} if row.get("certificate") else {}),
        **({"about": row["about_letter_id"]} if row.get("about_letter_id") else {}),
    }  # fmt: skip


def keep_order(doing: Doing, action: do.KeepOrder) -> None:
    """Until it is carried out, an analyst's answer to a notice is open."""
    assert doing.mail is not None
    orders.add(doing.tx, doing.mail.message_id, action.analyst_id, action.item_id, doing.now)
