"""What we want of the CVE service is carried out: one order at a time, one asker at a time, outside of transactions.

Promises: a try is committed before the service is asked; what it answered and all that follows is one transaction. An
order that fails is tried again after one minute, then two, up to an hour; an analyst is told what the service refuses.
On one node a lock tells who is at it, and goes with its process; other nodes wait until the turn's time is up.
"""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from mailrouter import cve, failpoint, faults, logs
from mailrouter.flow import act
from mailrouter.flow.act.doing import write
from mailrouter.flow.cves import records, rejecting, reserving
from mailrouter.store import cases, cves, queues, vulnerabilities
from mailrouter.store.cves import Order
from mailrouter.tools import Tools

ROUTER = "mailrouter"
TURN = timedelta(minutes=5)  # longer than all requests of one order take
LONGEST = timedelta(hours=1)
TOLD_AFTER = 4  # tries without an answer


@dataclass(frozen=True, slots=True)
class Kind:
    """How an order of one kind is carried out: ask the service, then write down what it answered."""

    ask: Callable[[Tools, cve.Service, Order], Any]
    record: Callable[[act.Doing, Order, Any], None]


KINDS = {
    cves.RESERVE: Kind(reserving.ask, reserving.record),
    cves.RECORD: Kind(records.ask, records.record),
    cves.REJECT: Kind(rejecting.ask, rejecting.record),
    cves.LOOK: Kind(records.look, records.seen),
}


def work(tools: Tools, over: Callable[[], bool] = lambda: False) -> int:
    """Try every order that is due, once; how many were carried out. Nothing without an account, or out of turn."""
    if not tools.settings.cve.url:
        return 0
    service = cve.Service(tools.settings.cve)
    done = 0
    with _lock(tools) as ours:
        if ours:
            rejecting.sweep(tools, ROUTER)
            while not over() and (order := _next(tools)):
                done += _carry_out(tools, service, order)
            _end_turn(tools)
    return done


@contextmanager
def _lock(tools: Tools) -> Iterator[bool]:
    """Whether nobody else on this node is at it."""
    with (tools.settings.data_dir / "cve-turn").open("w") as turn:
        try:
            fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def _next(tools: Tools) -> Order | None:
    """The oldest that is due, once the turn is ours."""
    now = tools.now()
    with tools.db.read() as tx:
        if not cves.due(tx, now):
            return None
    with tools.db.write() as tx:
        if not cves.take_turn(tx, tools.settings.node, now, now + TURN):
            return None
        return next(iter(cves.due(tx, now)), None)


def _end_turn(tools: Tools) -> None:
    with tools.db.write() as tx:
        cves.end_turn(tx, tools.settings.node)


def _carry_out(tools: Tools, service: cve.Service, order: Order) -> bool:
    """One try; whether it did what was wanted."""
    tools.own_key()  # letters name it; outside the transaction, it may have to be made
    with tools.db.write() as tx:
        not_before = tools.now() + _pause(order.tries + 1)
        cves.change(tx, order.id, not_before=not_before)  # whatever becomes of this try
        if not cves.begin_try(tx, order, tools.now()):
            return False
    failpoint.reach("cve-after-try")
    kind = KINDS[order.what]
    try:
        answer = kind.ask(tools, service, order)
    except (cve.Refused, cve.Unknown, faults.Refused) as trouble:
        _failed(tools, order, trouble)
        return False
    failpoint.reach("cve-after-answer")
    with tools.db.write() as tx:
        kind.record(doing := _doing(tx, tools, order), order, answer)
        doing.later.write(tx)
        failpoint.reach("cve-before-commit")
    return True


def _doing(tx: Connection, tools: Tools, order: Order) -> act.Doing:
    """With the case locked that the order is about."""
    while True:
        case_id = vulnerabilities.get(tx, order.vulnerability_id).case_id
        case = cases.lock(tx, [case_id])[case_id]
        if vulnerabilities.get(tx, order.vulnerability_id).case_id == case_id:  # not merged meanwhile
            return act.Doing(tx, tools, tools.now(), tools.now(), ROUTER, case)


def _pause(tries: int) -> timedelta:
    return min(timedelta(minutes=2 ** min(tries - 1, 10)), LONGEST)


def _failed(tools: Tools, order: Order, trouble: faults.Fault) -> None:
    """Its code is kept; an analyst hears once of each refusal, and of a service that stays silent."""
    code = trouble.code if isinstance(trouble, cve.Refused | cve.Unknown) else "invalid"
    logs.event("cve.trouble", order=order.id, what=order.what, code=code, tries=order.tries + 1)
    with tools.db.write() as tx:
        doing = _doing(tx, tools, order)
        assert doing.case is not None
        cves.change(tx, order.id, trouble=code)
        if not isinstance(trouble, cve.Unknown):
            cves.change(tx, order.id, tried_at=order.tried_at)  # nothing was done
        if isinstance(trouble, cve.Unknown) and order.tries + 1 < TOLD_AFTER:
            return
        number = vulnerabilities.get(tx, order.vulnerability_id).number
        why = f"{_WANTED[order.what]} VU#{doing.case.vu}.{number}: {trouble}; it is tried again"
        about = {"case_id": doing.case.id}
        if queues.add_notice(tx, doing.case.queue, why, doing.now, once=f"cve:{order.id}:{code}", **about):
            write(doing, doing.case, "cve.trouble", order=order.id, code=code)
        doing.later.write(tx)


_WANTED = {
    cves.RESERVE: "a CVE ID for",
    cves.RECORD: "the CVE record of",
    cves.REJECT: "giving back a CVE ID of",
    cves.LOOK: "looking for the CVE record of",
}
