"""The note of a case: each draft of each revision, who approved it, what was overridden, and our own addenda.

Promises: a draft never changes once it is made, but for what becomes of it (decided, released); its number and draft
are counted here, with the case locked by the caller.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, tuple_, update

from mailrouter.case import revised
from mailrouter.case.note import Edition, Note, Revised, digest, from_json, to_json
from mailrouter.store import upsert
from mailrouter.store.tables import (
    addenda,
    analysts,
    approvals,
    cases,
    overrides,
    participants,
    revisions,
)


@dataclass(frozen=True, slots=True)
class Revision:
    """One row of `revisions`: revision 2, draft 3."""

    id: int
    case_id: int
    number: int
    draft: int
    text: str
    content: str
    sha256: str
    made_at: datetime
    made_by: str
    written_by: str
    why: str
    cause: str
    decided_at: datetime | None
    decided_by: str
    emergency: str
    released_at: datetime | None

    @property
    def note(self) -> Note:
        """What is shown, and what was approved."""
        return from_json(self.content)

    @property
    def name(self) -> str:
        """As people call it; once decided it is the revision's only one."""
        return f"revision {self.number}" + ("" if self.decided_at else f", draft {self.draft}")


_NEWEST_FIRST = (revisions.c.number.desc(), revisions.c.draft.desc())


def make(
    tx: Connection, case_id: int, note: Note, text: str, now: datetime, *,
    by: str, written_by: str, why: str, cause: str = "",
) -> Revision:  # fmt: skip
    """The next draft of the revision that is worked on: the one after the last that was decided."""
    number = len(decided(tx, case_id)) + 1
    drafts = select(func.coalesce(func.max(revisions.c.draft), 0)).where(
        revisions.c.case_id == case_id, revisions.c.number == number
    )
    content = to_json(note)
    row = {
        "case_id": case_id, "number": number, "draft": tx.execute(drafts).scalar_one() + 1, "text": text,
        "content": content, "sha256": digest(content), "made_at": now, "made_by": by, "written_by": written_by,
        "why": why, "cause": cause,
    }  # fmt: skip
    return Revision(*tx.execute(insert(revisions).returning(*revisions.c), row).one())


def get(tx: Connection, revision_id: int) -> Revision:
    """By id."""
    return Revision(*tx.execute(select(revisions).where(revisions.c.id == revision_id)).one())


def newest(tx: Connection, case_id: int) -> Revision | None:
    """The newest draft of the newest revision, decided or not; None before the first is written."""
    row = tx.execute(select(revisions).where(revisions.c.case_id == case_id).order_by(*_NEWEST_FIRST).limit(1)).first()
    return Revision(*row) if row else None


def of_case(tx: Connection, case_id: int) -> list[Revision]:
    """Every draft of every revision of a case, the newest first."""
    return [
        Revision(*row)
        for row in tx.execute(select(revisions).where(revisions.c.case_id == case_id).order_by(*_NEWEST_FIRST))
    ]


def newest_of_each(tx: Connection) -> list[Revision]:
    """The newest draft of each case that has one, cases in the order they were opened."""
    found: dict[int, Revision] = {}
    for row in tx.execute(select(revisions).order_by(revisions.c.case_id, *_NEWEST_FIRST)):
        found.setdefault(row.case_id, Revision(*row))
    return list(found.values())


def of_cause(tx: Connection, case_id: int, cause: str) -> Revision | None:
    """The draft that this proposed."""
    mine = (revisions.c.case_id == case_id) & (revisions.c.cause == cause)
    row = tx.execute(select(revisions).where(mine).order_by(revisions.c.id).limit(1)).first()
    return Revision(*row) if row else None


# ---- publication -----------------------------------------------------------------------------------------------------

STEP = timedelta(seconds=1)  # between two revisions, at least: the coarsest that a format of the site tells apart
_DECIDED = select(revisions).where(revisions.c.decided_at.is_not(None))


def decided(tx: Connection, case_id: int) -> list[Revision]:
    """Those whose publication was decided, by number."""
    mine = _DECIDED.where(revisions.c.case_id == case_id).order_by(revisions.c.number)
    return [Revision(*row) for row in tx.execute(mine)]


def not_released(tx: Connection) -> list[Revision]:
    """Those that were decided and that readers may not have yet, oldest first."""
    still = _DECIDED.where(revisions.c.released_at.is_(None)).order_by(revisions.c.decided_at, revisions.c.id)
    return [Revision(*row) for row in tx.execute(still)]


def decide(tx: Connection, revision_id: int, by: str, now: datetime, emergency: str = "") -> None:
    """This draft is the revision. `now` is its date, or just after the revision before when a clock was put back: its
    readers are told of revisions in their order.
    """
    earlier = [one.decided_at for one in decided(tx, get(tx, revision_id).case_id) if one.decided_at is not None]
    values = {"decided_at": max([now, *(one + STEP for one in earlier)]), "decided_by": by, "emergency": emergency}
    tx.execute(update(revisions).where(revisions.c.id == revision_id).values(values))


def release(tx: Connection, revision_id: int, now: datetime) -> bool:
    """Readers have it; False if that was so already."""
    still = (revisions.c.id == revision_id) & revisions.c.released_at.is_(None)
    return bool(tx.execute(update(revisions).where(still).values(released_at=now)).rowcount)


def edition(tx: Connection, revision: Revision, at: datetime | None = None) -> Edition:
    """A revision as it is published; of a draft, as it would be if it were decided `at` that instant."""
    dated = revision.decided_at or at
    assert dated is not None  # whoever shows a draft says for when
    earlier = [one for one in decided(tx, revision.case_id) if one.number < revision.number]
    return _edition(earlier, revision, dated)


def editions(tx: Connection) -> Iterator[Edition]:
    """The newest decided revision of each case, cases in the order they were opened; what the whole site consists of.
    By number: what a clock said makes no revision older.
    """
    histories: dict[int, list[Revision]] = {}
    for row in tx.execute(_DECIDED.order_by(revisions.c.case_id, revisions.c.number)):
        histories.setdefault(row.case_id, []).append(Revision(*row))
    for *earlier, last in histories.values():
        assert last.decided_at is not None
        yield _edition(earlier, last, last.decided_at)


def published(tx: Connection) -> dict[int, int]:
    """VU number -> the newest decided revision: what the site is to hold."""
    newest = func.max(revisions.c.number).label("newest")
    wanted = select(cases.c.vu, newest).join(cases, cases.c.id == revisions.c.case_id)
    rows = tx.execute(wanted.where(revisions.c.decided_at.is_not(None)).group_by(cases.c.vu))
    return {row.vu: row.newest for row in rows}


def naming(tx: Connection, cve: str) -> list[Revision]:
    """Of each case the newest decided revision, where that names this CVE ID for a vulnerability."""
    newest = select(revisions.c.case_id, func.max(revisions.c.number)).where(revisions.c.decided_at.is_not(None))
    last = tuple_(revisions.c.case_id, revisions.c.number).in_(newest.group_by(revisions.c.case_id))
    mentioned = _DECIDED.where(last, revisions.c.content.contains(cve, autoescape=True)).order_by(revisions.c.id)
    found = [Revision(*row) for row in tx.execute(mentioned)]
    return [revision for revision in found if cve in {one.cve for one in revision.note.vulnerabilities}]


def _edition(earlier: Sequence[Revision], last: Revision, at: datetime) -> Edition:
    """Its history names nobody who was hidden since: the earlier pages did, and are gone."""
    shown, notes = last.note, [one.note for one in earlier]
    dated = [(one.number, one.decided_at, one.why) for one in earlier if one.decided_at is not None]
    lines = [*dated, (last.number, at, last.why)]
    return Edition(shown, tuple(Revised(n, when, revised.without(why, notes, shown)) for n, when, why in lines))


# ---- approvals and overrides -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Approval:
    """An analyst approved exactly the content of this SHA-256."""

    revision_id: int
    analyst_id: int
    analyst: str
    at: datetime
    sha256: str


def approve(tx: Connection, revision: Revision, analyst_id: int, now: datetime) -> bool:
    """False if they approved it before."""
    row = {"revision_id": revision.id, "analyst_id": analyst_id, "at": now, "sha256": revision.sha256}
    statement = upsert.into(tx, approvals).values(row).on_conflict_do_nothing()
    return tx.execute(statement.returning(approvals.c.analyst_id)).first() is not None


def unapprove(tx: Connection, revision_id: int, analyst_id: int) -> bool:
    """False if there was nothing to take back."""
    mine = (approvals.c.revision_id == revision_id) & (approvals.c.analyst_id == analyst_id)
    return bool(tx.execute(delete(approvals).where(mine)).rowcount)


def approved(tx: Connection, revision: Revision) -> list[Approval]:
    """Who approved exactly this content, in their order."""
    wanted = (
        select(approvals.c.revision_id, approvals.c.analyst_id, analysts.c.name, approvals.c.at, approvals.c.sha256)
        .join(analysts, analysts.c.id == approvals.c.analyst_id)
        .where(approvals.c.revision_id == revision.id, approvals.c.sha256 == revision.sha256)
        .order_by(approvals.c.at, analysts.c.name)
    )
    return [Approval(*row) for row in tx.execute(wanted)]


def not_approved(tx: Connection, case_id: int, needed: int) -> list[Revision]:
    """Published in an emergency and still to be approved, by number; a later one that was published with its approvals
    has taken their place.
    """
    left: list[Revision] = []
    for one in decided(tx, case_id):
        if len(approved(tx, one)) < needed:
            left += [one] if one.emergency else []
        elif not one.emergency:
            left = []
    return left


@dataclass(frozen=True, slots=True)
class Override:
    """A condition of the gate that was not met when this was published, and who published despite it."""

    revision_id: int
    condition: str
    why: str
    by: str
    at: datetime


def override(tx: Connection, one: Override) -> None:
    """Kept for ever with the revision."""
    row = {name: getattr(one, name) for name in Override.__slots__}
    tx.execute(insert(overrides), row)


def overridden(tx: Connection, revision_id: int) -> list[Override]:
    """All of a revision, by name."""
    wanted = select(overrides).where(overrides.c.revision_id == revision_id).order_by(overrides.c.condition)
    return [Override(*row) for row in tx.execute(wanted)]


# ---- what we say of a vendor -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Addendum:
    """Ours, beside the vendor's own statement."""

    participant_id: int
    text: str
    links: tuple[str, ...]
    updated_at: datetime
    updated_by: str


def add(tx: Connection, one: Addendum) -> None:
    """From now on we say this of them."""
    values = {
        "text": one.text, "links": "\n".join(one.links), "updated_at": one.updated_at, "updated_by": one.updated_by,
    }  # fmt: skip
    statement = upsert.into(tx, addenda).values({"participant_id": one.participant_id, **values})
    tx.execute(statement.on_conflict_do_update(index_elements=["participant_id"], set_=values))


def added(tx: Connection, case_id: int) -> Mapping[int, Addendum]:
    """What we say of each participant of a case, by participant id."""
    return {row.participant_id: _addendum(row) for row in tx.execute(_ADDENDA, {"case": case_id})}


_ADDENDA = (
    select(addenda)
    .join(participants, participants.c.id == addenda.c.participant_id)
    .where(participants.c.case_id == bindparam("case"))
)


def _addendum(row: Any) -> Addendum:
    return Addendum(row.participant_id, row.text, tuple(row.links.splitlines()), row.updated_at, row.updated_by)
