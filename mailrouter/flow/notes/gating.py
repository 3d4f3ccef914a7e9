"""The gate, held against what the database says now: for whoever asks, and for whoever decides."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from mailrouter.case import gate, model, notetext
from mailrouter.case.gate import Check
from mailrouter.case.model import Case, Participant
from mailrouter.case.note import digest
from mailrouter.flow import leaking
from mailrouter.flow.composing import facts, since
from mailrouter.flow.leaking.ofnote import Rendered
from mailrouter.flow.notes import finding, hidden
from mailrouter.store import cases, drafts, notes, queues, statements, vulnerabilities
from mailrouter.store.drafts import ShownDraft
from mailrouter.store.notes import Revision
from mailrouter.tools import Tools

ANSWERED = frozenset({"acknowledged", "answered", "disputed", "non-responsive"})  # progress: they were reached


@dataclass(frozen=True, slots=True)
class Prepared:
    """A draft with what was made of it outside of any transaction."""

    revision: Revision
    rendered: Rendered


def prepare(tools: Tools, vu: int, number: int | None = None, draft: int | None = None) -> Prepared:
    """The newest draft, or another, with every file that its readers would get."""
    with tools.db.read() as tx:
        case = cases.by_vu(tx, vu)
        revision = finding.one(tx, case, number, draft)
        edition = notes.edition(tx, revision, tools.now())
    return Prepared(revision, hidden.render(tools, case.id, edition))


def look(tools: Tools, vu: int, number: int | None = None, draft: int | None = None) -> tuple[Revision, list[Check]]:
    """What the gate says of it now."""
    prepared = prepare(tools, vu, number, draft)
    with tools.db.read() as tx:
        return prepared.revision, checks(tx, tools, cases.by_vu(tx, vu), prepared)


def checks(tx: Connection, tools: Tools, case: Case, prepared: Prepared) -> list[Check]:
    """Every condition, as of this transaction."""
    one = prepared.revision
    people = [p for p in cases.participants_of(tx, [case.id]) if p.takes_part and p.progress != facts.SUSPECTED]
    newest = notes.newest(tx, case.id)
    shown = drafts.of_case(tx, case.id)
    named = leaking.of_note(tx, tools, case, prepared.rendered)
    now = since.of(tx, tools, case, one.note)
    return gate.check(
        gate.Facts(
            vu=case.vu, draft=one.name, first=case.published_at is None, now=tools.now(),
            hidden=named.surely, perhaps_hidden=named.perhaps, gone=now.gone,
            withdrawn=now.withdrawn, changed=now.changed,
            newer=newest.name if newest is not None and newest.id != one.id else "",
            fits=digest(one.content) == one.sha256 and prepared.rendered.edition.note == one.note,
            not_published_at=case.not_published_at, incomplete=tuple(notetext.incomplete(one.note.sections)),
            public=case.public_at is not None or case.exploit_public_at is not None,
            embargo=case.embargo, embargo_ends_at=case.embargo_ends_at, planned_at=case.planned_at,
            unreached=tuple(p.name for p in people if p.is_vendor and not _reached(p)),
            without_cve=tuple(_without_cve(one)), hidden_assigners=tuple(_hidden_assigners(tx, case)),
            approvals=len(notes.approved(tx, one)), wanted=tools.settings.policy.approvals,
            left_out=tuple(_left_out(tx, case, one, people)),
            not_shown=tuple(p.name for p in people if p.id not in {one.participant_id for one in shown}),
            comments=tuple(_commenting(tx, people, shown)),
        )
    )  # fmt: skip


def _reached(one: Participant) -> bool:
    """A letter has left for them, or they wrote; and nobody says that none arrives."""
    return one.progress != cases.UNDELIVERABLE and (one.first_contact_at is not None or one.progress in ANSWERED)


def _without_cve(one: Revision) -> Iterable[str]:
    return (f"VU#{one.note.vu}.{v.number}" for v in one.note.vulnerabilities if not v.cve and not v.assigner)


def _hidden_assigners(tx: Connection, case: Case) -> Iterable[str]:
    hidden = {p.organisation_id for p in cases.participants_of(tx, [case.id]) if p.anonymous}
    known = vulnerabilities.of_case(tx, case.id)
    return (f"VU#{case.vu}.{v.number}" for v in known if v.cve_vendor_id in hidden)


def _left_out(tx: Connection, case: Case, one: Revision, people: Iterable[Participant]) -> Iterable[str]:
    """Whose word the draft lacks as it stands now; what it shows and must not is another condition."""
    everything = statements.of_case(tx, case.id)
    standing = {s.participant_id: s for s in everything if s.stands}
    waiting = {s.participant_id for s in model.waiting(everything) if s.verbatim.strip()}
    drafted = {vendor.id: vendor.statement.sha256 for vendor in one.note.vendors if vendor.statement is not None}
    for p in people:
        stated = standing.get(p.id)
        said = (stated.sha256 if stated.approved_at else "not approved") if stated else None
        shown = drafted.get(p.organisation_id)
        if facts.shown(p) and ((said and said != shown) or p.id in waiting):
            yield f"{p.name} (a newer text)" if stated and shown not in (None, stated.sha256) else p.name


def _commenting(tx: Connection, people: Iterable[Participant], shown: Iterable[ShownDraft]) -> Iterable[str]:
    """Whose mail about a draft still waits for somebody to deal with it."""
    waiting = {s.participant_id for s in shown if s.comment_id and queues.of_message(tx, s.comment_id) is not None}
    return (p.name for p in people if p.id in waiting)
