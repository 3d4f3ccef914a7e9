"""What mails say and an analyst may take as said: open, taken, refused, or overtaken by a newer one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, select, true, update

from mailrouter import faults
from mailrouter.case.answers import Said, What
from mailrouter.case.model import GOES_ON
from mailrouter.store import upsert
from mailrouter.store.tables import cases, messages, organisations, participants, proposals

TAKEN, REFUSED, OVERTAKEN = "taken", "refused", "overtaken"


@dataclass(frozen=True, slots=True)
class Proposal:
    """One row of `proposals`, with what a reader needs beside it."""

    id: int
    case_id: int
    participant_id: int
    message_id: int
    what: str  # affected | why-not | fixed-in | fix-expected | we-need | their-ref
    value: str
    vulnerability: int  # .1, .2, ...; 0: the case as a whole
    made_at: datetime
    decided_at: datetime | None
    decided_by: str  # an analyst; 'mailrouter' when it was taken at once
    outcome: str  # taken | refused | overtaken; '' open
    vu: int
    participant: str

    @property
    def is_open(self) -> bool:
        """Whether somebody is still to decide."""
        return self.outcome == ""

    @property
    def sha256(self) -> str:
        """Of the value: how the journal names it."""
        return digest(self.value)


def digest(value: str) -> str:
    """How the journal names a value."""
    return sha256(value.encode()).hexdigest()


_SHOWN: Select[Any] = (
    select(proposals, cases.c.vu, organisations.c.name.label("participant"))
    .join(cases, cases.c.id == proposals.c.case_id)
    .join(participants, participants.c.id == proposals.c.participant_id)
    .join(organisations, organisations.c.id == participants.c.organisation_id)
    .order_by(proposals.c.id)
)


def add(
    tx: Connection, case_id: int, participant_id: int, message_id: int, said: Sequence[Said], now: datetime
) -> dict[Said, int]:
    """New ones, with their ids; without what this mail said before, and a reference that is open or was refused."""
    new = [one for one in said if one.what is not What.THEIR_REF or not _refers(tx, participant_id, one)]
    rows = [
        {"case_id": case_id, "participant_id": participant_id, "message_id": message_id, "what": str(one.what),
         "value": one.value, "vulnerability": one.vulnerability, "made_at": now}
        for one in new
    ]  # fmt: skip
    if not rows:
        return {}
    statement = upsert.into(tx, proposals).on_conflict_do_nothing()
    columns = (proposals.c.id, proposals.c.what, proposals.c.vulnerability)
    made = {(row.what, row.vulnerability): row.id for row in tx.execute(statement.returning(*columns), rows)}
    return {one: made[key] for one in new if (key := (str(one.what), one.vulnerability)) in made}


def _refers(tx: Connection, participant_id: int, said: Said) -> bool:
    return tx.execute(_REFERRED, {"p": participant_id, "value": said.value}).first() is not None


_REFERRED = select(proposals.c.id).where(
    proposals.c.participant_id == bindparam("p"),
    proposals.c.what == str(What.THEIR_REF),
    proposals.c.value == bindparam("value"),
    proposals.c.outcome.in_(("", REFUSED)),
)


def overtake(tx: Connection, participant_id: int, message_id: int, said: Iterable[Said], now: datetime) -> list[int]:
    """What the same participant said of the same in earlier mails is open no longer; returns the ids.

    What is said of the case as a whole overtakes what was said of each vulnerability in it.
    """
    new = {(str(one.what), one.vulnerability) for one in said}
    open_ones = tx.execute(_OPEN_BEFORE, {"p": participant_id, "before": message_id}).all()
    over = [r.id for r in open_ones if (r.what, 0) in new or (r.what, r.vulnerability) in new]
    return _close(tx, proposals.c.id.in_(over), now, OVERTAKEN) if over else []


_OPEN_BEFORE = select(proposals.c.id, proposals.c.what, proposals.c.vulnerability).where(
    proposals.c.participant_id == bindparam("p"),
    proposals.c.message_id < bindparam("before"),
    proposals.c.outcome == "",
)


def taken_elsewhere(tx: Connection, message_id: int, participant_id: int, now: datetime) -> list[int]:
    """The mail is filed as another's: what it said is open no longer."""
    mine = (proposals.c.message_id == message_id) & (proposals.c.participant_id == participant_id)
    return _close(tx, mine & (proposals.c.outcome == ""), now, OVERTAKEN)


def settle(
    tx: Connection, participant_id: int, what: Iterable[What], by: str, now: datetime, numbers: Iterable[int] = ()
) -> list[int]:
    """An analyst recorded it by hand: what they say of it is open no longer; `numbers`: of these vulnerabilities."""
    mine = (proposals.c.participant_id == participant_id) & proposals.c.what.in_([str(one) for one in what])
    if chosen := list(numbers):
        mine &= proposals.c.vulnerability.in_(chosen)
    return _close(tx, mine & (proposals.c.outcome == ""), now, OVERTAKEN, by)


def _close(tx: Connection, which: Any, now: datetime, outcome: str, by: str = "") -> list[int]:
    closed = update(proposals).where(which).values(outcome=outcome, decided_at=now, decided_by=by)
    return sorted(tx.execute(closed.returning(proposals.c.id)).scalars())


def decide(tx: Connection, proposal_id: int, outcome: str, by: str, now: datetime) -> None:
    """Taken or refused."""
    values = {"outcome": outcome, "decided_by": by, "decided_at": now}
    tx.execute(update(proposals).where(proposals.c.id == proposal_id).values(values))


# ---- looking ---------------------------------------------------------------------------------------------------------


def get(tx: Connection, proposal_id: int) -> Proposal:
    """By id; `NotFound` says so."""
    row = tx.execute(_SHOWN.where(proposals.c.id == proposal_id)).first()
    if row is None:
        raise faults.NotFound(f"no proposal {proposal_id}; `mailrouter proposal list` shows those that are open")
    return Proposal(*row)


def some(tx: Connection, ids: Iterable[int]) -> list[Proposal]:
    """These, in the order in which they were made."""
    return [Proposal(*row) for row in tx.execute(_SOME, {"ids": list(ids)})]


_SOME = _SHOWN.where(proposals.c.id.in_(bindparam("ids", expanding=True)))


def listed(tx: Connection, case_id: int | None = None, *, everything: bool = False) -> list[Proposal]:
    """The open ones, or all, of one case or of all, oldest first."""
    wanted = _SHOWN if everything else _SHOWN.where(proposals.c.outcome == "")
    if case_id is not None:
        wanted = wanted.where(proposals.c.case_id == case_id)
    return [Proposal(*row) for row in tx.execute(wanted)]


def waiting(tx: Connection, analyst_id: int | None) -> int:
    """How many are open in cases that go on, of one analyst (None: of nobody)."""
    mine = (cases.c.analyst_id == analyst_id) & cases.c.state.in_(GOES_ON) & (proposals.c.outcome == "")
    counted = select(func.count()).select_from(proposals.join(cases, cases.c.id == proposals.c.case_id)).where(mine)
    return tx.execute(counted).scalar_one()


def of_messages(tx: Connection, message_ids: Iterable[int]) -> list[Proposal]:
    """All that these mails say."""
    ids = list(message_ids)
    return [Proposal(*row) for row in tx.execute(_OF_MESSAGES, {"ids": ids})] if ids else []


_OF_MESSAGES = _SHOWN.where(proposals.c.message_id.in_(bindparam("ids", expanding=True)))


def newer_taken(tx: Connection, one: Proposal, than: datetime) -> bool:
    """Whether what another mail of theirs says of the same, signed or come at `than` or later, was taken."""
    said_at = messages.c.signed_at
    overlaps = proposals.c.vulnerability.in_((0, one.vulnerability)) if one.vulnerability else true()
    wanted = (
        select(proposals.c.id)
        .join(messages, messages.c.id == proposals.c.message_id)
        .where(
            proposals.c.participant_id == one.participant_id,
            proposals.c.what == one.what,
            proposals.c.outcome == TAKEN,
            proposals.c.message_id != one.message_id,
            overlaps,
            ((said_at.is_not(None)) & (said_at >= than)) | ((said_at.is_(None)) & (messages.c.received_at >= than)),
        )
    )
    return tx.execute(wanted.limit(1)).first() is not None
