"""Keys that mails brought along: shown to a person, used for nothing (testbook P57).

One row for each organisation and fingerprint. What an analyst decided stays decided, unless the key comes again better
proved, or renewed: then it is a candidate anew.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from mailrouter import faults
from mailrouter.store import queues, upsert
from mailrouter.store.tables import candidate_keys

MOST = 20  # undecided ones of one organisation


@dataclass(frozen=True, slots=True)
class Candidate:
    """A key that may be an organisation's: its mails say so, and nobody has decided."""

    id: int
    organisation_id: int
    fingerprint: str
    data: bytes
    user_id: str
    expires_at: datetime | None
    source: str  # autocrypt | attached | inline
    message_id: int | None  # in which it came last
    proved: bool  # a mail that brought it was well signed by a key pinned to them: a rollover
    seen_at: datetime
    decided_at: datetime | None
    decided_by: str
    outcome: str  # '' | pinned | refused


def offered(tx: Connection, row: dict[str, Any]) -> bool:
    """Record a candidate (a row's values); False when there is no room for one more that nothing proves."""
    known = find(tx, row["organisation_id"], row["fingerprint"])
    if (known is None or known.outcome) and not _room(tx, row["organisation_id"], proved=row["proved"]):
        return False
    added = upsert.into(tx, candidate_keys).values(row)
    anew = {name: added.excluded[name] for name in row if name not in _WHICH}
    undecided = {"decided_at": None, "decided_by": "", "outcome": ""}
    tx.execute(added.on_conflict_do_update(index_elements=list(_WHICH), set_=anew | undecided))
    return True


_WHICH = ("organisation_id", "fingerprint")


def _room(tx: Connection, organisation_id: int, *, proved: bool) -> bool:
    """Whether one more may be kept; what is proved takes the place of the oldest that is not."""
    waiting = of(tx, organisation_id)
    if len(waiting) < MOST:
        return True
    unproved = [one.id for one in waiting if not one.proved]
    if not proved or not unproved:
        return False
    tx.execute(delete(candidate_keys).where(candidate_keys.c.id == unproved[0]))
    return True


def of(tx: Connection, organisation_id: int) -> list[Candidate]:
    """Those nobody has decided about, the longest known first."""
    mine = (candidate_keys.c.organisation_id == organisation_id) & (candidate_keys.c.outcome == "")
    return [Candidate(*row) for row in tx.execute(select(candidate_keys).where(mine).order_by(candidate_keys.c.id))]


def ever(tx: Connection, organisation_id: int) -> list[Candidate]:
    """Those that were decided about too."""
    mine = candidate_keys.c.organisation_id == organisation_id
    return [Candidate(*row) for row in tx.execute(select(candidate_keys).where(mine))]


def find(tx: Connection, organisation_id: int, fingerprint: str) -> Candidate | None:
    """By its full fingerprint, decided or not."""
    mine = (candidate_keys.c.organisation_id == organisation_id) & (candidate_keys.c.fingerprint == fingerprint)
    row = tx.execute(select(candidate_keys).where(mine)).first()
    return Candidate(*row) if row else None


def waiting(tx: Connection, organisation_id: int, fingerprint: str) -> Candidate:
    """The one to be decided about; `NotFound` if there is none."""
    found = find(tx, organisation_id, fingerprint)
    if found is None or found.outcome:
        raise faults.NotFound("no candidate has that fingerprint; `mailrouter vendor show` lists those there are")
    return found


def decide(tx: Connection, organisation_id: int, fingerprint: str, outcome: str, by: str, now: datetime) -> bool:
    """An analyst took or refused it, and its notices are dealt with; False if it was none."""
    mine = (candidate_keys.c.organisation_id == organisation_id) & (candidate_keys.c.fingerprint == fingerprint)
    undecided = update(candidate_keys).where(mine, candidate_keys.c.outcome == "")
    queues.done_below(tx, notices_of(organisation_id, fingerprint), by, now)
    return tx.execute(undecided.values(outcome=outcome, decided_by=by, decided_at=now)).rowcount == 1


def notices_of(organisation_id: int, fingerprint: str) -> str:
    """How the `once` of every notice about a candidate begins."""
    return f"key-offered:{organisation_id}:{fingerprint}:"


def count(tx: Connection, organisation_id: int) -> int:
    """How many wait for a decision."""
    mine = (candidate_keys.c.organisation_id == organisation_id) & (candidate_keys.c.outcome == "")
    return tx.execute(select(func.count()).select_from(candidate_keys).where(mine)).scalar_one()
