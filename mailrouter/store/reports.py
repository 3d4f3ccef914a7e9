"""Vulnerability reports (VRF), before and after we decide about them."""

import secrets
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, or_, select, update

from mailrouter import faults
from mailrouter.case import triage
from mailrouter.case.model import Deadline, Report
from mailrouter.case.vuid import VRF_LETTERS
from mailrouter.store import cases, upsert
from mailrouter.store.tables import deadlines, reports


def add(tx: Connection, received_at: datetime, **values: Any) -> Report:
    """A new row under a fresh number of its month: random, so that no number tells of another."""
    while True:
        row = {"vrf": _number(received_at), "received_at": received_at, **values}
        if made := tx.execute(_ADD[tx.dialect.name], row).first():
            return Report(*made)


_ADD = upsert.built(reports, lambda add: add.on_conflict_do_nothing(index_elements=["vrf"]).returning(reports))


def _number(at: datetime) -> str:
    return f"VRF#{at.astimezone(UTC):%y-%m}-" + "".join(secrets.choice(VRF_LETTERS) for _ in range(5))


def get(tx: Connection, report_id: int) -> Report:
    """By id."""
    return Report(*tx.execute(select(reports).where(reports.c.id == report_id)).one())


def of_case(tx: Connection, case_id: int) -> dict[int, str]:
    """The reports that led to a case or were filed with it, oldest first: their numbers, by id."""
    wanted = select(reports.c.id, reports.c.vrf).where(reports.c.case_id == case_id).order_by(reports.c.id)
    return {row.id: row.vrf for row in tx.execute(wanted)}


def by_vrf(tx: Connection, vrf: str) -> Report:
    """By number; `NotFound` says so."""
    row = tx.execute(select(reports).where(reports.c.vrf == vrf)).first()
    if row is None:
        raise faults.NotFound(f"no report {vrf}; `mailrouter report list` shows those there are")
    return Report(*row)


def named(tx: Connection, numbers: Iterable[str], report_ids: Iterable[int]) -> dict[int, Report]:
    """The reports with one of these numbers or ids, by id; asks nothing for nothing."""
    wanted = {"numbers": sorted(set(numbers)), "ids": sorted(set(report_ids))}
    return {row.id: Report(*row) for row in tx.execute(_NAMED, wanted)} if any(wanted.values()) else {}


def some(tx: Connection, report_ids: Iterable[int]) -> dict[int, Report]:
    """These reports, by id."""
    return named(tx, (), report_ids)


_NAMED = select(reports).where(
    or_(reports.c.vrf.in_(bindparam("numbers", expanding=True)), reports.c.id.in_(bindparam("ids", expanding=True)))
)


def that_led_to(tx: Connection, case_id: int) -> Report | None:
    """The report that led to a case; the first of several."""
    mine = (reports.c.case_id == case_id) & (reports.c.rm == "ACCEPTED")
    row = tx.execute(select(reports).where(mine).order_by(reports.c.id).limit(1)).first()
    return Report(*row) if row else None


def undecided(tx: Connection) -> list[Report]:
    """Those that wait for a decision, oldest first."""
    wanted = select(reports).where(reports.c.rm.in_(triage.UNDECIDED))
    return [Report(*row) for row in tx.execute(wanted.order_by(reports.c.received_at, reports.c.id))]


def waiting(tx: Connection) -> int:
    """How many wait for a decision."""
    return tx.execute(select(func.count()).where(reports.c.rm.in_(triage.UNDECIDED))).scalar_one()


def decided(tx: Connection) -> list[Report]:
    """Those that do not, newest first; numbers that nobody calls a report are none."""
    wanted = select(reports).where(reports.c.rm.not_in((*triage.UNDECIDED, "START")))
    return [Report(*row) for row in tx.execute(wanted.order_by(reports.c.received_at.desc(), reports.c.id.desc()))]


def sketches(tx: Connection) -> Iterator[tuple[int, bytes]]:
    """Of every report that has one, spam left out: id and sketch."""
    wanted = select(reports.c.id, reports.c.sketch).where(reports.c.sketch.is_not(None), reports.c.reason != "spam")
    return ((row.id, row.sketch) for row in tx.execute(wanted.order_by(reports.c.id)))


def lock(tx: Connection, report_ids: Iterable[int]) -> dict[int, Report]:
    """The reports, held until the transaction ends, always in one order; cases are locked before them."""
    wanted = sorted(set(report_ids))
    return {row.id: Report(*row) for row in tx.execute(_LOCKED, {"ids": wanted})} if wanted else {}


_LOCKED = (
    select(reports).where(reports.c.id.in_(bindparam("ids", expanding=True))).order_by(reports.c.id).with_for_update()
)


def change(tx: Connection, report_id: int, **values: Any) -> None:
    """Set columns of one report."""
    tx.execute(_CHANGE, {"report": report_id, **values})


_CHANGE = update(reports).where(reports.c.id == bindparam("report"))  # sets what the parameters name


def finish_deadlines(tx: Connection, report_id: int, now: datetime, outcome: str) -> None:
    """Close what is open of its clocks."""
    mine = (deadlines.c.report_id == report_id) & deadlines.c.done_at.is_(None)
    tx.execute(update(deadlines).where(mine).values(done_at=now, outcome=outcome))


def deadlines_of(tx: Connection, report_id: int) -> list[Deadline]:
    """All of a report, by date."""
    wanted = select(deadlines).where(deadlines.c.report_id == report_id).order_by(deadlines.c.due_at, deadlines.c.id)
    return [cases.deadline(row) for row in tx.execute(wanted)]


def open_deadlines(tx: Connection, report_id: int | None = None) -> list[Deadline]:
    """What is still to come of a report, or of all, by date."""
    mine = deadlines.c.report_id.is_not(None) if report_id is None else deadlines.c.report_id == report_id
    wanted = select(deadlines).where(mine, deadlines.c.done_at.is_(None))
    return [cases.deadline(row) for row in tx.execute(wanted.order_by(deadlines.c.due_at, deadlines.c.id))]
