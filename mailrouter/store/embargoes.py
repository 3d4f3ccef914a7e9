"""The embargoes there are, for who looks at all of them: each case with its dates and who takes part."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from mailrouter.case.model import Case, Participant
from mailrouter.case.terms import ALIVE, Terms
from mailrouter.store import cases, terms
from mailrouter.store.tables import cases as case_table


@dataclass(frozen=True, slots=True)
class Embargo:
    """One case's."""

    case: Case
    terms: list[Terms]  # by number
    participants: list[Participant]


def of_case(tx: Connection, vu: int) -> Embargo:
    """Whatever became of it; `NotFound` if there is no such case."""
    case = cases.by_vu(tx, vu)
    return Embargo(case, terms.of_case(tx, case.id), cases.participants_of(tx, [case.id]))


def alive(tx: Connection) -> list[Embargo]:
    """Those that are agreed or proposed, the soonest end first; what is only proposed has none, and comes last."""
    wanted = select(case_table.c.id).where(case_table.c.embargo.in_(ALIVE))
    ids = list(
        tx.execute(wanted.order_by(case_table.c.embargo_ends_at.is_(None), case_table.c.embargo_ends_at)).scalars()
    )
    dates, people = terms.of_cases(tx, ids), cases.participants_of(tx, ids)
    return [Embargo(cases.get(tx, one), dates[one], [p for p in people if p.case_id == one]) for one in ids]
