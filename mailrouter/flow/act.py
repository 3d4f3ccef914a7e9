"""Carry out a plan inside the caller's transaction. Sends nothing itself: letters are rows.

Every order has one function here; what it did stands in the case's journal.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from mailrouter import failpoint, faults
from mailrouter.case import actions as do
from mailrouter.case import casestate, followup, lifecycle
from mailrouter.case.model import Case, DeadlineKind, Participant, Report, Waiting
from mailrouter.case.policy import of_case
from mailrouter.flow import analystmail, cleartext, details, letters, newreport
from mailrouter.store import (
    cases,
    contacts,
    journal,
    messages,
    orders,
    outbox,
    proposals,
    queues,
    reports,
    statements,
    vain,
    vouchers,
)
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


def perform(doing: Doing, plan: do.Actions) -> None:
    """Carry out the orders, in their order."""
    carry_out(doing, plan)
    doing.later.write(doing.tx)


def carry_out(doing: Doing, plan: do.Actions) -> None:
    """The same, but for what the caller will write later, for several plans together."""
    for action in plan:
        _ORDERS[type(action)](doing, action)


def _file(doing: Doing, action: do.File) -> None:
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
        _write(doing, report, newreport.KIND, **newreport.told(report) | {"message": mail.message_id})
    _write(doing, case or report, f"mail.{action.place}", **_told(mail, row))
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


def _heard(doing: Doing, action: do.Heard) -> None:
    doing.later.heard[action.participant.id] = {"last_heard_at": doing.now, "progress": action.progress}


def _progress(doing: Doing, action: do.Progress) -> None:
    participant = action.participant
    cases.change_participant(doing.tx, participant.id, progress=action.progress)
    told = {"participant": participant.id, "progress": action.progress, "was": participant.progress, "at": doing.at}
    _write(doing, doing.case, "participant.progress", **told)


def _informed(doing: Doing, action: do.Informed) -> None:
    fresh = cases.participant(doing.tx, action.participant.id)
    columns = casestate.informed(fresh, doing.now)
    if columns:
        cases.change_participant(doing.tx, fresh.id, **columns)
        _write(doing, doing.case, "participant.informed", participant=fresh.id, **columns)


def _turn(doing: Doing, action: do.Turn) -> None:
    cases.change_participant(
        doing.tx, action.participant.id, waiting_on=str(action.waiting_on), since=action.since, wait_until=None
    )
    _write(
        doing,
        doing.case,
        "turn",
        participant=action.participant.id,
        waiting_on=str(action.waiting_on),
        since=action.since,
    )


def _close(doing: Doing, action: do.Close) -> None:
    cases.close_deadlines(doing.tx, action.participant.id, action.kinds, doing.now, action.outcome)
    for letter_id in outbox.withdraw_automatic(doing.tx, action.participant.id, action.outcome):
        _write(doing, doing.case, "letter.withdrawn", letter=letter_id, outcome=action.outcome)


def _set(doing: Doing, action: do.Set) -> None:
    cases.set_deadline(
        doing.tx,
        {
            "case_id": action.participant.case_id, "participant_id": action.participant.id, "kind": str(action.kind),
            "since": action.since, "rung": action.rung, "due_at": action.due_at,
        },
    )  # fmt: skip


def _keep_statement(doing: Doing, action: do.KeepStatement) -> None:
    mail = doing.mail
    assert mail is not None
    assert doing.case is not None
    if action.state == "verified":
        supersede(doing.tx, action.participant.id, but=mail.message_id)
    row = statement_row(mail.statement, doing.case, action.participant, mail.message_id, mail.row["received_at"])
    kept = statements.keep(doing.tx, row | {"state": action.state, "reason": action.reason, "bound": action.bound})
    _write(doing, doing.case, f"statement.{action.state}", statement=kept, message=mail.message_id, bound=action.bound)


def _propose(doing: Doing, action: do.Propose) -> None:
    mail = doing.mail
    assert mail is not None
    assert doing.case is not None
    made = proposals.add(doing.tx, doing.case.id, action.participant.id, mail.message_id, action.said, doing.now)
    if not made:
        return  # an earlier look at this mail made them
    over = proposals.overtake(doing.tx, action.participant.id, mail.message_id, made, doing.now)
    told = {
        "participant": action.participant.id, "proposals": list(made.values()), "what": [str(one.what) for one in made],
        "vulnerabilities": [one.vulnerability for one in made], "sha256": [proposals.digest(one.value) for one in made],
    }  # fmt: skip
    _write(doing, doing.case, "proposal.made", message=mail.message_id, **told, overtakes=over)
    mail.sure += [number for said, number in made.items() if said in action.sure]


def _vouch(doing: Doing, action: do.Vouch) -> None:
    supersede(doing.tx, action.participant.id)
    statements.change(doing.tx, action.statement_id, state="vouched", reason="")
    message_id = doing.mail.message_id if doing.mail else None
    proof = {"message_id": message_id, "agreed_by": action.agreed_by, "done_at": doing.now}
    vouchers.change(doing.tx, action.voucher_id, **proof)
    told = {"statement": action.statement_id, "voucher": action.voucher_id, "how": action.how, "message": message_id}
    _write(doing, doing.case, "statement.vouched", **told)


def _clear_text(doing: Doing, action: do.ClearText) -> None:
    assert doing.mail is not None
    assert doing.case is not None
    participant, message_id = action.participant, doing.mail.message_id
    by = f"message:{message_id}" if action.allowed else ""
    cleartext.record(doing.tx, participant, by, doing.now, allowed=action.allowed)
    told = {"participant": participant.id, "allowed": action.allowed, "message": message_id}
    _write(doing, doing.case, "participant.clear-text", **told)
    if action.allowed:
        if action.proved:
            _details_follow(doing, doing.case, participant.id)
        else:
            cleartext.tell_of_promised(doing.tx, doing.case, participant, message_id, doing.now)
        cleartext.tell_of_held(doing.tx, doing.case, participant, message_id, doing.now)


def _details_follow(doing: Doing, case: Case, participant_id: int) -> None:
    """They may have in clear what they were promised. Without our key no letter is made: the notice says what to do."""
    try:
        letter_id = details.follow(doing.tx, doing.tools, case, participant_id, doing.now)
    except (faults.Refused, faults.TryLater) as trouble:
        why = f"details were promised and could not be written ({trouble}): `mailrouter case details {case.vu}`"
        carry_out(doing, [do.Notice(case.queue, why, f"details:{participant_id}", None)])
        return
    if letter_id is not None:
        told = {"letter": letter_id, "name": details.LETTER, "participant": participant_id}
        _write(doing, case, "letter.queued", **told)
        carry_out(doing, asking(doing, cases.participant(doing.tx, participant_id), letter_id))


def _receipt(doing: Doing, action: do.Receipt) -> None:
    assert doing.case is not None
    assert doing.mail is not None
    doing.later.receipts.append(Due(action, doing.case, doing.mail))


def statement_row(
    proof: dict[str, Any], case: Case, participant: Participant, message_id: int, received_at: datetime
) -> dict[str, Any]:
    """A statement's row, but for how it was judged."""
    return proof | {
        "case_id": case.id, "participant_id": participant.id, "message_id": message_id, "received_at": received_at,
        "sha256": hashlib.sha256(proof["verbatim"]).hexdigest(),
    }  # fmt: skip


def supersede(tx: Connection, participant_id: int, but: int | None = None) -> None:
    """What stood until now stands no longer, if it was not kept from the message `but`."""
    former = statements.standing(tx, participant_id, but)
    if former is not None:
        statements.change(tx, former.id, state="superseded")


def _automatic_letter(doing: Doing, action: do.Write) -> None:
    assert doing.case is not None
    failpoint.reach("remind-between-row-and-letter")
    letter_id = letters.follow_up(doing.tx, doing.tools, doing.case, action, doing.now)
    if letter_id is None:
        return
    for overtaken in outbox.overtake(doing.tx, action.participant.id, letter_id):
        _write(doing, doing.case, "letter.withdrawn", letter=overtaken, outcome="a later step")
    sent = action.participant.follow_ups_sent + 1
    cases.change_participant(doing.tx, action.participant.id, last_automatic_at=doing.at, follow_ups_sent=sent)
    _write(
        doing,
        doing.case,
        "letter.queued",
        letter=letter_id,
        name=action.letter,
        participant=action.participant.id,
        at=doing.at,
    )


def _notice(doing: Doing, action: do.Notice) -> None:
    about = {"case_id": doing.case.id if doing.case else None}
    about["participant_id"] = action.participant.id if action.participant else None
    about["report_id"] = action.report_id
    if queues.add_notice(doing.tx, action.queue, action.why, doing.now, once=action.once, **about):
        _write(doing, doing.case, "notice", queue=action.queue, once=action.once, at=doing.at)


def _undeliverable(doing: Doing, action: do.Undeliverable) -> None:
    participant = action.participant
    if contacts.mark(doing.tx, participant.organisation_id, action.address, undeliverable=True):
        told = {"participant": participant.id, "organisation": participant.organisation_id, "letter": action.letter_id}
        _write(doing, doing.case, "contact.undeliverable", **told)
    if action.last and participant.progress in lifecycle.PROGRESS["fail"]:
        cases.change_participant(doing.tx, participant.id, progress=cases.UNDELIVERABLE)


def _reachable(doing: Doing, action: do.Reachable) -> None:
    organisation_id = action.participant.organisation_id
    if contacts.mark(doing.tx, organisation_id, action.address, undeliverable=False):
        cases.reachable_again(doing.tx, organisation_id)
        told = {"participant": action.participant.id, "organisation": organisation_id}
        _write(doing, doing.case, "contact.reachable", **told)


def _send_again(doing: Doing, action: do.SendAgain) -> None:
    assert doing.case is not None
    letter_id = letters.again(doing.tx, doing.tools, action.participant, action.letter_id, doing.now)
    if letter_id is not None:
        told = {"letter": letter_id, "was": action.letter_id, "participant": action.participant.id}
        _write(doing, doing.case, "letter.again", **told)


def _keep_order(doing: Doing, action: do.KeepOrder) -> None:
    assert doing.mail is not None
    orders.add(doing.tx, doing.mail.message_id, action.analyst_id, action.item_id, doing.now)


def _tell_refused(doing: Doing, action: do.TellRefused) -> None:
    assert doing.mail is not None
    letter_id = analystmail.tell_refused(doing.tx, doing.tools, action, doing.now)
    told = {"message": doing.mail.message_id, "item": action.item_id, "analyst": action.analyst_id}
    _write(doing, None, "order.refused", **told, letter=letter_id)


def _finish(doing: Doing, action: do.Finish) -> None:
    cases.finish_deadline(doing.tx, action.deadline_id, doing.now, action.outcome)


def _postpone(doing: Doing, action: do.Postpone) -> None:
    cases.postpone(doing.tx, action.deadline_id, action.due_at)


def asked(doing: Doing, participant: Participant, letter_id: int) -> None:
    """A letter that asks something was made: their turn, and the clock of silence starts if it does not run yet."""
    perform(doing, asking(doing, participant, letter_id))


def asking(doing: Doing, participant: Participant, letter_id: int) -> do.Actions:
    """The same as orders, for who makes several letters in one transaction."""
    runs = cases.clock_runs(doing.tx, participant.id, DeadlineKind.FOLLOW_UP)
    policy = of_case(doing.tools.settings.policy, doing.case)
    return followup.opens(participant, f"letter:{letter_id}", policy, doing.at, clock_runs=runs)


def nobodys_turn(doing: Doing, participant: Participant, outcome: str) -> None:
    """Nothing is open between us and them."""
    perform(doing, [do.Close(participant, do.ALL_CLOCKS, outcome), do.Turn(participant, Waiting.NOBODY, None)])


def _write(doing: Doing, about: Case | Report | None, kind: str, /, **data: Any) -> None:
    match about:
        case Case():
            chain = journal.case_chain(about.id)
        case Report():
            chain = journal.report_chain(about.id)
        case None:
            chain = journal.node_chain(doing.tools.settings.node)
    doing.later.notes.append(journal.Note(chain, doing.now, kind, doing.actor, data))


_ORDERS: dict[type, Callable[[Doing, Any], None]] = {
    do.Undeliverable: _undeliverable,
    do.Reachable: _reachable,
    do.SendAgain: _send_again,
    do.File: _file,
    do.Heard: _heard,
    do.Progress: _progress,
    do.Informed: _informed,
    do.Turn: _turn,
    do.Close: _close,
    do.Set: _set,
    do.KeepStatement: _keep_statement,
    do.Propose: _propose,
    do.Vouch: _vouch,
    do.KeepOrder: _keep_order,
    do.TellRefused: _tell_refused,
    do.ClearText: _clear_text,
    do.Receipt: _receipt,
    do.Write: _automatic_letter,
    do.Notice: _notice,
    do.Finish: _finish,
    do.Postpone: _postpone,
}
