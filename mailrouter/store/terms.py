"""The dates that were proposed in a case, and what each participant answered to each of them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from mailrouter import faults
from mailrouter.case.model import Case
from mailrouter.case.terms import INVITED, PROPOSED, Consent, Terms
from mailrouter.store import upsert
from mailrouter.store.tables import consents, terms


def propose(tx: Connection, case_id: int, row: dict[str, Any]) -> Terms:
    """The next one of the case, undecided unless the row says otherwise. Call with the case locked."""
    last = tx.execute(select(func.max(terms.c.number)).where(terms.c.case_id == case_id)).scalar() or 0
    whole = {"case_id": case_id, "number": last + 1, "state": PROPOSED, **row}
    return Terms(*tx.execute(insert(terms).values(whole).returning(*terms.c)).one())


def of_case(tx: Connection, case_id: int) -> list[Terms]:
    """All of a case with their answers, by number."""
    return of_cases(tx, [case_id])[case_id]


def of_cases(tx: Connection, case_ids: Sequence[int]) -> dict[int, list[Terms]]:
    """The same of several, by case; empty lists for those that have none."""
    found: dict[int, list[Terms]] = {one: [] for one in case_ids}
    rows = tx.execute(select(terms).where(terms.c.case_id.in_(case_ids)).order_by(terms.c.number)).all()
    answers = _answers(tx, [row.id for row in rows])
    for row in rows:
        found[row.case_id].append(Terms(**row._mapping, answers=answers[row.id]))
    return found


def _answers(tx: Connection, ids: Sequence[int]) -> dict[int, dict[int, Consent]]:
    found: dict[int, dict[int, Consent]] = defaultdict(dict)
    if ids:
        for row in tx.execute(select(consents).where(consents.c.terms_id.in_(ids))):
            found[row.terms_id][row.participant_id] = Consent(*row)
    return found


def numbered(tx: Connection, case: Case, number: int) -> Terms:
    """By its number; `NotFound` names those there are."""
    everything = of_case(tx, case.id)
    for one in everything:
        if one.number == number:
            return one
    there = ", ".join(str(one.number) for one in everything) or "none yet"
    raise faults.NotFound(f"VU#{case.vu} has no proposed date {number}; there are: {there}")


def zone(tx: Connection, case_id: int, ends_at: datetime) -> str:
    """In which zone this date was given; UTC when nobody named another."""
    same = select(terms.c.zone).where(terms.c.case_id == case_id, terms.c.ends_at == ends_at)
    return tx.execute(same.order_by(terms.c.number.desc()).limit(1)).scalar() or "UTC"


def change(tx: Connection, terms_id: int, **values: Any) -> None:
    """Set columns."""
    tx.execute(update(terms).where(terms.c.id == terms_id).values(values))


# ---- what they answer ------------------------------------------------------------------------------------------------


def invite(tx: Connection, terms_id: int, participant_ids: Iterable[int], now: datetime) -> None:
    """They are asked; what they answered before stands."""
    rows = [
        {"terms_id": terms_id, "participant_id": one, "answer": INVITED, "at": now, "by": ""} for one in participant_ids
    ]
    if rows:
        tx.execute(upsert.into(tx, consents).on_conflict_do_nothing(), rows)


def answer(tx: Connection, given: Consent) -> None:
    """What they say to it now, in the place of what they said before."""
    row = {"terms_id": given.terms_id, "participant_id": given.participant_id}
    said = {"answer": given.answer, "at": given.at, "by": given.by}
    statement = upsert.into(tx, consents).values(row | said)
    keys = [consents.c.terms_id, consents.c.participant_id]
    tx.execute(statement.on_conflict_do_update(index_elements=keys, set_=said))


# ---- two cases become one --------------------------------------------------------------------------------------------


def append(tx: Connection, old_id: int, into_id: int) -> None:
    """The old case's dates follow those of the other, under further numbers."""
    last = tx.execute(select(func.max(terms.c.number)).where(terms.c.case_id == into_id)).scalar() or 0
    further = {"case_id": into_id, "number": terms.c.number + last}
    tx.execute(update(terms).where(terms.c.case_id == old_id).values(further))


def join_participant(tx: Connection, old_id: int, new_id: int) -> None:
    """What the one asked for and answered is the other's: no date was put to both."""
    tx.execute(update(terms).where(terms.c.participant_id == old_id).values(participant_id=new_id))
    tx.execute(update(consents).where(consents.c.participant_id == old_id).values(participant_id=new_id))
