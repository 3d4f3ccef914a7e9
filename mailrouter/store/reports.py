"""Vulnerability reports (VRF), before and after we decide about them."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from mailrouter import faults
from mailrouter.case.model import Report
from mailrouter.store.tables import reports


def get(tx: Connection, report_id: int) -> Report:
    """By id."""
    return Report(*tx.execute(select(reports).where(reports.c.id == report_id)).one())


def by_vrf(tx: Connection, vrf: str) -> Report:
    """By number; `NotFound` says so."""
    row = tx.execute(select(reports).where(reports.c.vrf == vrf)).first()
    if row is None:
        raise faults.NotFound(f"no report {vrf}; `mailrouter report list` shows those there are")
    return Report(*row)


def lock(tx: Connection, report_ids: Iterable[int]) -> dict[int, Report]:
    """The reports, held until the transaction ends, always in one order; cases are locked before them."""
    wanted = sorted(set(report_ids))
    return {row.id: Report(*row) for row in tx.execute(_LOCKED, {"ids": wanted})} if wanted else {}


_LOCKED = (
    select(reports).where(reports.c.id.in_(bindparam("ids", expanding=True))).order_by(reports.c.id).with_for_update()
)


def change(tx: Connection, report_id: int, **values: Any) -> None:
    """Set columns of one report."""
    tx.execute(update(reports).where(reports.c.id == report_id).values(values))
