"""What happened in a case, told from its journal and that of the report that led to it, and what is still to come: one
list in the order of time. Words stand in one table.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from sqlalchemy import Connection

from mailrouter.case.model import DeadlineKind, Statement
from mailrouter.case.policy import Policy
from mailrouter.cli import casefile, show
from mailrouter.cli.shapes import Shape
from mailrouter.flow.timing import remind
from mailrouter.flow.timing.remind import Foretold
from mailrouter.store import analysts, journal, reports
from mailrouter.store.journal import Entry
from mailrouter.store.messages import Message
from mailrouter.store.views import CaseFile

WORDS = {
    "case.opened": "case opened",
    "case.assigned": "assigned to {analyst}",
    "case.title": "another title",
    "case.closed": "case closed: {why}",
    "case.reopened": "case reopened: {why}",
    "case.described": "version {version} of the description",
    "details.promised": "{participant} gets version {version} of the description once it can be encrypted",
    "participant.knows": "{participant} reported it and is not asked",
    "embargo": "embargo {states}",
    "participant.added": "{participant} takes part as {role}",
    "participant.role": "{participant} takes part as {roles}",
    "participant.back": "{participant} takes part again, as {roles}",
    "participant.left": "{participant} takes part no more: {why}",
    "participant.informed": "{participant} knows of the report",
    "participant.rm": "{participant}: {states}",
    "participant.fix": "{participant}: {what} since {since}",
    "participant.fix-expected": "{participant}: fix expected {until}",
    "participant.status": "{participant}: {status} ({vulnerabilities})",
    "case.state": "{what} since {since}: {why}",
    "case.first-contact": "first contact was on {first_contact}",
    "case.merged": "merged into {into}: {why}",
    "case.merged-from": "{old} was merged into this case: {why}",
    "vulnerability.added": "vulnerability .{number} added",
    "participant.wait": "{participant}: nobody's turn, until {until}",
    "participant.clear-text": "{participant}: consent to clear text: {allowed}",
    "participant.set": "{participant}: {what} recorded",
    "turn": "{participant}: waiting on {waiting_on}",
    "mail.filed": "mail {message} from {participant} filed: {subject}",
    "mail.review": "mail {message} to review",
    "mail.triage": "mail {message} to triage",
    "mail.taken": "mail {message} filed here by hand",
    "key.offered": "mail {message} brings a key",
    "key.exposed": "mail {message} holds a secret key",
    "mail.bounces": "mail {message}: a {kind} report about {letter}",
    "contact.undeliverable": "{participant}: the address of letter {letter} takes no mail",
    "contact.reachable": "{participant}: an address takes mail again",
    "letter.again": "letter {letter} to {participant} queued: letter {was} again, to their next contact",
    "conversation": "conversation with {participant} by {by}, message {message}",
    "remark": "remark",
    "letter.queued": "letter {letter} ({name}) to {participant} queued",
    "letter.sent": "letter {letter} ({name}) sent",
    "letter.held": "letter {letter} ({name}) held: {why}",
    "letter.failed": "letter {letter} ({name}) failed",
    "letter.withdrawn": "letter {letter} withdrawn: {outcome}",
    "letter.released": "letter {letter} released",
    "letter.despite-leak": "letter {letter} ({name}) leaves though it tells of others: {found}",
    "letter.retried": "letter {letter} is tried again",
    "statement.verified": "statement of {participant} in mail {message} stands",
    "statement.held": "statement of {participant} in mail {message} held",
    "statement.taken": "mail {message} taken as a statement: {state}",
    "statement.approved": "statement of {participant} approved",
    "statement.asked": "{participant} asked by letter {letter} to confirm a text",
    "statement.called": "{participant} confirmed a text by telephone; a second analyst must agree",
    "statement.vouched": "statement of {participant} stands, vouched for by {how}",
    "statement.withdrawn": "statement of {participant} withdrawn: {why}",
    "proposal.made": "mail {message} says {what}: proposals {proposals}",
    "proposal.taken": "{participant}: {what} taken as said, proposal {proposal}",
    "proposal.refused": "{participant}: {what} refused, proposal {proposal}: {why}",
    "proposal.overtaken": "what mail {message} says is open no longer",
    "embargo.proposed": "embargo until {ends_at} proposed by {participant}: {why}",
    "embargo.answer": "{participant}: {answer} the embargo's date {terms}",
    "embargo.agreed": "embargo until {ends_at} agreed: {why}",
    "embargo.refused": "the embargo's date {terms} is not agreed: {why}",
    "embargo.lapsed": "embargo dates {numbers} lapsed: nobody decided",
    "cve.asked": "{participant} asked by letter {letter} for its CVE ID",
    "cve.wanted": "a CVE ID for .{vulnerability} is to be reserved: {why}",
    "cve.reserved": "{cve} reserved for .{vulnerability}",
    "cve.assigned": ".{vulnerability} is {cve}",
    "cve.unused": "{cve} is not used",
    "cve.reject": "{cve} is to be given back: {why}",
    "cve.rejected": "{cve} given back",
    "cve.trouble": "the CVE service gave no answer to order {order}: {code}",
    "cve.problem": ".{vulnerability} described: {changed}",
    "cve.record-wanted": "the record of {cve} is to be published",
    "cve.record": "the record of {cve} is public",
    "cve.record-undone": "the record of {cve} is not known to be public after all",
    "note.drafted": "revision {revision} of the note, draft {draft}",
    "note.addendum": "we say something of {participant} in the note",
    "note.approved": "revision {revision}, draft {draft} approved",
    "note.unapproved": "revision {revision}, draft {draft}: approval taken back",
    "note.override": "published despite {condition}: {why}",
    "note.decided": "revision {revision} is to be published {emergency}",
    "note.released": "revision {revision} is published",
    "note.not-published": "no note will be published: {why}",
    "note.not-published-undone": "a note may be published after all: {why}",
    "note.ssvc": "SSVC Coordinator Publish: {answers}",
    "draft.names-ok": "revision {revision}, draft {draft} names nobody who is hidden: {why}",
    "draft.ordered": "the draft is to be shown on {planned}",
    "draft.shown": "{participant} shown revision {revision}, draft {draft}",
    "draft.acknowledged": "{participant} has seen revision {revision}, draft {draft}",
    "draft.commented": "{participant}, unproved, comments on revision {revision}, draft {draft}",
    "notice": "notice to {queue}",
    "participant.progress": "{participant}: {was} → {progress}",
    "case.policy": "this case's own numbers: {new}",
    "publication.planned": "publication planned for {planned}, not {before}",
    "deadlines.moved": "{count} deadlines moved",
    "item.done": "item {item} done",
    "report.received": "{vrf} received",
    "report.scored": "{vrf} scored: {cvss}",
    "report.asked": "{vrf}: letter {letter} asks its reporter",
    "report.declined": "{vrf} declined ({reason}): {why}",
    "report.accepted": "{vrf} accepted",
    "report.joined": "{vrf} joined to another report",
    "report.closed": "{vrf} needs no decision any more: its mail lies here",
}


@dataclass(frozen=True)
class _Words:
    """What names and subjects are looked up in."""

    file: CaseFile
    staff: Mapping[str, str]  # queue -> its analyst
    reports: Mapping[int, str]  # the numbers of those that led here

    @cached_property
    def messages(self) -> Mapping[int, Message]:
        """By id."""
        return {m.id: m for m in self.file.messages}

    @cached_property
    def statements(self) -> Mapping[int, Statement]:
        """By id."""
        return {s.id: s for s in self.file.statements}


def of_case(
    tx: Connection, file: CaseFile, policy: Policy, now: datetime, since: datetime | None = None
) -> list[Shape]:
    """Every row of the journals, from `since` on, and what a beat will do when its time comes; in the order of time."""
    known = _Words(file, {one.queue: one.name for one in analysts.everyone(tx)}, reports.of_case(tx, file.case.id))
    before = [entry for one in known.reports for entry in _of_report(tx, one)]
    entries = before + journal.entries(tx, journal.case_chain(file.case.id))
    happened = [_told(known, entry) for entry in sorted(entries, key=_moment) if since is None or entry.at >= since]
    return happened + [_coming(one) for one in remind.foretell_case(tx, file.case, policy, now)]


def _of_report(tx: Connection, report_id: int) -> list[Entry]:
    """Its history until it became the case: that it was accepted, the case's own journal says too."""
    found = journal.entries(tx, journal.report_chain(report_id))
    return [replace(one, data={"report": report_id, **one.data}) for one in found if one.kind != "report.accepted"]


def _moment(entry: Entry) -> datetime:
    return entry.at


def _coming(one: Foretold) -> Shape:
    due = casefile.DUE[DeadlineKind(one.kind)].format(rung=one.rung, who=one.participant)
    step = _step(one.due_at, "due", "", due, participant=one.participant or None)
    return step | {"coming": True, "does": one.does}


def row(step: Shape) -> tuple[object, ...]:
    """One step for people; what is still to come says what will be done."""
    what = f"to come: {step['what']}: {step['does']}" if step["coming"] else str(step["what"])
    return step["at"], show.short(what, 64), show.short(str(step["who"]), 14)


def _step(at: datetime, kind: str, who: str, what: str, **ids: object) -> Shape:
    named = {name: ids.get(name) for name in ("message", "letter", "participant")}
    return {"at": at, "kind": kind, "who": who, "what": what, **named, "coming": False, "does": None}


def _told(known: _Words, entry: Entry) -> Shape:
    words = _words(known, entry)
    what = " ".join(WORDS.get(entry.kind, entry.kind).format_map(words).split()).rstrip(": ")
    ids = {"message": entry.data.get("message"), "letter": entry.data.get("letter", entry.data.get("about"))}
    return _step(entry.at, entry.kind, entry.actor, what, **ids, participant=words["participant"] or None)


def _words(known: _Words, entry: Entry) -> Mapping[str, str]:
    """What the journal says by number, in words: it holds no names, subjects or texts."""
    data = {name: _word(value) for name, value in entry.data.items()}
    message = known.messages.get(entry.data.get("message", 0))
    kept = known.statements.get(entry.data.get("statement", 0))
    named = entry.data.get("participant") or entry.data.get("asked_by")
    whose = known.file.participant(named or (kept.participant_id if kept else None))
    data["participant"] = whose.name if whose else message.sender if message else "us" if "asked_by" in data else ""
    data |= {name: _instant(data[name]) for name in INSTANTS if data.get(name)}
    data["until"] = data.get("until") or "somebody writes"
    data["vrf"] = known.reports.get(entry.data.get("report", 0), "")
    data["subject"] = message.subject if message else ""
    if "about" in data:
        data["letter"] = f"letter {data['about']}"
    elif entry.kind == "mail.bounces":
        data["letter"] = "a letter of ours"
    data["queue"] = known.staff.get(data.get("queue", ""), data.get("queue", ""))
    return defaultdict(str, data)


INSTANTS = ("until", "planned", "before", "ends_at", "first_contact")


def _instant(iso: str) -> str:
    return show.when(datetime.fromisoformat(iso))


def _word(value: object) -> str:
    if isinstance(value, list):
        return " → ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} {one}" for name, one in value.items()) or "none"
    return "" if value is None else str(value)
