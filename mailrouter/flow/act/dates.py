"""Orders about the embargo: it ends, or a date that was proposed lapses; nothing is written to anybody here.

Promises: EM and consent move by their tables; done twice, the second time changes nothing.
"""

from datetime import datetime

from sqlalchemy import Connection

from mailrouter.case import actions as do
from mailrouter.case import terms as rules
from mailrouter.case.model import Case, DeadlineKind
from mailrouter.flow.act.doing import Doing
from mailrouter.store import cases, journal, terms

CLOCKS = (DeadlineKind.EMBARGO, DeadlineKind.TERMS)


def set_end(tx: Connection, case: Case, since: str, ends_at: datetime) -> None:
    """From now on the embargo ends then, and its clock with it. Call with the case locked."""
    cases.change(tx, case.id, embargo_ends_at=ends_at)
    cases.set_clock(tx, case.id, DeadlineKind.EMBARGO, since, ends_at)


def end(doing: Doing, why: str) -> bool:
    """It is over: nobody is bound, nothing proposed is open. False when there was none to end."""
    case = _case(doing)
    states = rules.ended(case.embargo)
    if len(states) == 1:
        return False
    cases.change(doing.tx, case.id, embargo=states[-1], embargo_ends_at=doing.now)
    cases.close_clocks(doing.tx, case.id, CLOCKS, doing.now, "the embargo ended")
    _decide_open(doing, case, why)
    for one in cases.participants_of(doing.tx, [case.id]):
        if one.consent != "NO_EMBARGO":
            cases.change_participant(doing.tx, one.id, consent=rules.released(one.consent))
    _write(doing, "embargo", states=states, why=why)
    return True


def end_embargo(doing: Doing, action: do.EndEmbargo) -> None:
    """Its date has come."""
    end(doing, action.why)


def lapse_terms(doing: Doing, action: do.LapseTerms) -> None:
    """Nobody decided in time: what was agreed stays, or there is no embargo."""
    case = _case(doing)
    lapsed = _decide_open(doing, case, action.why)
    after = rules.undecided(case.embargo, still_open=False)
    if after != case.embargo:
        cases.change(doing.tx, case.id, embargo=after)
    _write(doing, "embargo.lapsed", numbers=lapsed, states=[case.embargo, after])


def _decide_open(doing: Doing, case: Case, why: str) -> list[int]:
    """Every open proposal lapses; their numbers."""
    still = [one for one in terms.of_case(doing.tx, case.id) if one.is_open]
    decided = {"decided_at": doing.now, "decided_by": doing.actor, "decided_why": why}
    for one in still:
        terms.change(doing.tx, one.id, state=rules.LAPSED, **decided)
    return [one.number for one in still]


def _case(doing: Doing) -> Case:
    """As it is now: what came before in this transaction may have changed it."""
    assert doing.case is not None
    return cases.get(doing.tx, doing.case.id)


def _write(doing: Doing, kind: str, /, **data: object) -> None:
    assert doing.case is not None
    journal.write(doing.tx, journal.case_chain(doing.case.id), doing.now, kind, doing.actor, **data)
