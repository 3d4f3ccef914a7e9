"""One beat: who is silent, what is due. Safe to run twice, and from two nodes at once.

Each due row is one transaction of its own: lock its case, see whether the row is still open, plan, act. What a beat
at a given time would do can be asked without doing it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import takewhile

from sqlalchemy import Connection

from mailrouter import failpoint, logs
from mailrouter.case import actions as do
from mailrouter.case import plan
from mailrouter.case.events import CaseDue, FellDue, ReportDue
from mailrouter.case.model import Case, Deadline
from mailrouter.case.policy import Policy
from mailrouter.flow import act
from mailrouter.flow.timing import coming
from mailrouter.store import cases, reports
from mailrouter.tools import Tools

PAGE = 500
Due = FellDue | CaseDue | ReportDue


@dataclass(frozen=True, slots=True)
class Foretold:
    """What one due row asks for."""

    vu: int | None  # None: a report's
    participant: str  # of a report, its number
    kind: str
    rung: int
    due_at: datetime
    does: str
    writes: bool  # an automatic letter


def beat(
    tools: Tools, at: datetime, actor: str = "mailrouter", over: Callable[[], bool] = lambda: False
) -> list[Foretold]:
    """Do everything that is due at `at`; letters are queued for the real now. Returns what was done.

    Once `over` says so, the rest is left to the next beat.
    """
    going = takewhile(lambda _: not over(), _due(tools, at))
    return [done for deadline in going if (done := _try(tools, deadline, at, actor))]


def _try(tools: Tools, deadline: Deadline, at: datetime, actor: str) -> Foretold | None:
    """One row that fails holds up no other."""
    try:
        return _one(tools, deadline, at, actor)
    except Exception as trouble:  # noqa: BLE001 - whatever it is, the other rows are due too
        logs.failed("beat.row", trouble, deadline=deadline.id)
        return None


def foretell(tools: Tools, at: datetime) -> list[Foretold]:
    """What a beat at `at` would do; changes nothing."""
    told = []
    for deadline in _due(tools, at):
        with tools.db.read() as tx:
            event = _event(tx, deadline)
            orders = plan.after(event, tools.settings.policy, at)
        if not _put_off(orders):
            told.append(_told(event, orders))
    return told


MOST_OFTEN = 5  # times that one row is put off, and the last of them is shown


def foretell_case(tx: Connection, case: Case, policy: Policy, now: datetime) -> list[Foretold]:
    """Everything that is still to come in one case, as a beat would do it when its time comes and nothing happens till
    then; in the order of time.
    """
    deadlines = [d for d in cases.deadlines_of(tx, case.id) if d.done_at is None]
    everyone = cases.participants_of(tx, [case.id])
    events: list[Due] = [
        *coming.of_participants(tx, case, everyone, deadlines), *coming.of_case(tx, case, everyone, deadlines),
    ]  # fmt: skip
    return sorted((_when_it_comes(event, policy, now) for event in events), key=lambda told: told.due_at)


def _when_it_comes(event: Due, policy: Policy, now: datetime) -> Foretold:
    at = max(event.deadline.due_at, now)
    for _ in range(MOST_OFTEN):
        orders = plan.after(event, policy, at)
        if not _put_off(orders):
            return replace(_told(event, orders), due_at=at)
        [until] = [order.due_at for order in orders if isinstance(order, do.Postpone)]
        at = max(until, at)
    return replace(_told(event, orders), does="nothing before something else happens")


def _put_off(orders: do.Actions) -> bool:
    """Whether nothing comes of it yet: nobody needs to hear of that."""
    return any(isinstance(order, do.Postpone) for order in orders)


def _due(tools: Tools, at: datetime) -> Iterator[Deadline]:
    """Page by page, so that ten thousand due rows are as good as ten."""
    after: tuple[datetime, int] | None = None
    while True:
        with tools.db.read() as tx:
            page = cases.due(tx, at, after, PAGE)
        yield from page
        if len(page) < PAGE:
            return
        after = (page[-1].due_at, page[-1].id)


def _one(tools: Tools, deadline: Deadline, at: datetime, actor: str) -> Foretold | None:
    tools.own_key()  # letters name it; outside the transaction, it may have to be made
    with tools.db.write() as tx:
        _lock(tx, deadline)
        claimed = cases.claim_deadline(tx, deadline.id)
        if claimed is None or claimed.due_at > at or claimed.case_id != deadline.case_id:
            return None  # another node was first, put it off, or the case was merged: the next beat holds the other one
        event = _event(tx, claimed)
        orders = plan.after(event, tools.settings.policy, at)
        case = None if isinstance(event, ReportDue) else event.case
        act.perform(act.Doing(tx, tools, tools.now(), at, actor, case), orders)
        failpoint.reach("remind-before-commit")
        return None if _put_off(orders) else _told(event, orders)


def _lock(tx: Connection, deadline: Deadline) -> None:
    if deadline.case_id is not None:
        cases.lock(tx, [deadline.case_id])
    if deadline.report_id is not None:
        reports.lock(tx, [deadline.report_id])


def _event(tx: Connection, deadline: Deadline) -> Due:
    if deadline.report_id is not None:
        return ReportDue(deadline, reports.get(tx, deadline.report_id))
    assert deadline.case_id is not None  # what is no report's is a case's
    case = cases.get(tx, deadline.case_id)
    if deadline.participant_id is None:
        return coming.of_case(tx, case, cases.participants_of(tx, [case.id]), [deadline])[0]
    participant = cases.participant(tx, deadline.participant_id)
    return coming.of_participants(tx, case, [participant], [deadline])[0]


def _told(event: Due, orders: do.Actions) -> Foretold:
    deadline = event.deadline
    return Foretold(
        None if isinstance(event, ReportDue) else event.case.vu,
        _whose(event),
        str(deadline.kind),
        deadline.rung,
        deadline.due_at,
        _of_all(orders) if isinstance(event, CaseDue) else _words(orders),
        _writes(orders),
    )


def _whose(event: Due) -> str:
    match event:
        case ReportDue():
            return event.report.vrf
        case CaseDue():
            return ""
    return event.participant.name


def _words(orders: do.Actions) -> str:
    for order in orders:
        match order:
            case do.Write():
                return f"letter {order.letter}"
            case do.Notice():
                return "notice to the analyst" if order.queue.startswith("analyst:") else f"notice to {order.queue}"
            case do.Postpone():
                return f"put off until {order.due_at:%Y-%m-%d %H:%M}"
            case do.Finish() if len(orders) == 1:
                return f"nothing: {order.outcome}"
    return "nothing"


def _of_all(orders: do.Actions) -> str:
    """What a case's clock does: `letter draft to 5`, `letter publication-reminder to Acme; notice to the analyst`."""
    to: dict[str, list[str]] = {}
    for order in orders:
        match order:
            case do.Write():
                to.setdefault(order.letter, []).append(order.participant.name)
            case do.ShowDraft():
                to["draft"] = [one.name for one in order.participants]
    written = [f"letter {name} to {some[0] if len(some) == 1 else len(some)}" for name, some in to.items()]
    rest = _words([order for order in orders if not isinstance(order, do.Write | do.ShowDraft)])
    return "; ".join([*written, *([rest] if rest.startswith("notice") or not written else [])])


def _writes(orders: do.Actions) -> bool:
    return any(isinstance(order, do.Write | do.ShowDraft) for order in orders)
