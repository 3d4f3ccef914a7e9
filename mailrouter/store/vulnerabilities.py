"""What a case is about, one by one (VU#123456.1, .2, ...), and what each vendor says of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, insert, select, update

from mailrouter.store import upsert
from mailrouter.store.tables import cases, vendor_statuses, vulnerabilities


@dataclass(frozen=True, slots=True)
class Vulnerability:
    """One row of `vulnerabilities`."""

    id: int
    case_id: int
    number: int  # .1, .2, ...
    title: str
    cve: str
    added_at: datetime
    cve_source: str  # vendor | reserved | typed in; '' none yet
    cve_vendor_id: int | None  # the organisation whose record it is, or is to be
    cve_why: str
    record_at: datetime | None
    cwe: str
    cvss: str
    text: str


@dataclass(frozen=True, slots=True)
class VendorStatus:
    """What one vendor says of one vulnerability; what nobody said is Unknown, and has no row."""

    participant_id: int
    vulnerability_id: int
    number: int
    status: str
    why: str
    fixed_in: str
    updated_at: datetime
    updated_by: str


def add(tx: Connection, case_id: int, title: str, now: datetime) -> Vulnerability:
    """The next one of a case (call with the case locked, or new)."""
    row = {"case_id": case_id, "number": _next(tx, case_id), "title": title, "added_at": now}
    made = tx.execute(insert(vulnerabilities).returning(*vulnerabilities.c), row).one()
    return Vulnerability(*made)


def _next(tx: Connection, case_id: int) -> int:
    highest = select(func.max(vulnerabilities.c.number)).where(vulnerabilities.c.case_id == case_id)
    return (tx.execute(highest).scalar() or 0) + 1


def of_case(tx: Connection, case_id: int) -> list[Vulnerability]:
    """All of a case, by number."""
    wanted = select(vulnerabilities).where(vulnerabilities.c.case_id == case_id).order_by(vulnerabilities.c.number)
    return [Vulnerability(*row) for row in tx.execute(wanted)]


def get(tx: Connection, vulnerability_id: int) -> Vulnerability:
    """By id."""
    return Vulnerability(*tx.execute(select(vulnerabilities).where(vulnerabilities.c.id == vulnerability_id)).one())


def with_cve(tx: Connection, cve: str) -> list[Vulnerability]:
    """All that have this ID, of any case."""
    wanted = select(vulnerabilities).where(vulnerabilities.c.cve == cve).order_by(vulnerabilities.c.id)
    return [Vulnerability(*row) for row in tx.execute(wanted)]


def identified(tx: Connection) -> list[tuple[int, Vulnerability]]:
    """All that have a CVE ID, each with its case's VU#, by ID."""
    wanted = select(cases.c.vu, *vulnerabilities.c).join(cases, cases.c.id == vulnerabilities.c.case_id)
    found = tx.execute(wanted.where(vulnerabilities.c.cve != "").order_by(vulnerabilities.c.cve, vulnerabilities.c.id))
    return [(vu, Vulnerability(*row)) for vu, *row in found]


def change(tx: Connection, vulnerability_id: int, **values: object) -> None:
    """Set columns of one."""
    tx.execute(update(vulnerabilities).where(vulnerabilities.c.id == vulnerability_id).values(values))


def append(tx: Connection, old_case_id: int, case_id: int) -> dict[int, int]:
    """Those of one case become the next ones of another: old number -> new number. Statuses stay with them."""
    numbers = {}
    for one in of_case(tx, old_case_id):
        numbers[one.number] = number = _next(tx, case_id)
        tx.execute(update(vulnerabilities).where(vulnerabilities.c.id == one.id).values(case_id=case_id, number=number))
    return numbers


# ---- vendor status ---------------------------------------------------------------------------------------------------


def state(tx: Connection, participant_id: int, one: Vulnerability, row: dict[str, object]) -> None:
    """What this vendor says of it from now on."""
    keys = {"participant_id": participant_id, "vulnerability_id": one.id}
    statement = upsert.into(tx, vendor_statuses).values(keys | row)
    tx.execute(statement.on_conflict_do_update(index_elements=list(keys), set_=row))


def statuses(tx: Connection, case_ids: Sequence[int]) -> list[VendorStatus]:
    """What was said of the vulnerabilities of these cases, by participant and number."""
    return [VendorStatus(*row) for row in tx.execute(_STATUSES, {"ids": list(case_ids)})]


_STATUSES = (
    select(
        vendor_statuses.c.participant_id, vendor_statuses.c.vulnerability_id, vulnerabilities.c.number,
        vendor_statuses.c.status, vendor_statuses.c.why, vendor_statuses.c.fixed_in, vendor_statuses.c.updated_at,
        vendor_statuses.c.updated_by,
    )
    .join(vulnerabilities, vulnerabilities.c.id == vendor_statuses.c.vulnerability_id)
    .where(vulnerabilities.c.case_id.in_(bindparam("ids", expanding=True)))
    .order_by(vendor_statuses.c.participant_id, vulnerabilities.c.number)
)  # fmt: skip
