"""What we want of the CVE service, and every CVE ID it gave us.

Promises: an order is recorded before the service is asked, and one of a kind is open for each vulnerability at a time;
an ID the service gave stands here in the transaction that ends its order. Whoever asks the service has the account's
turn: a node that died with it loses it when its time is up.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from mailrouter.store import upsert
from mailrouter.store.tables import cases, cve_ids, cve_orders, switches, vulnerabilities

RESERVE, RECORD, REJECT, LOOK = "reserve", "record", "reject", "look"
WANTED, DONE, GIVEN_UP = "wanted", "done", "given up"


@dataclass(frozen=True, slots=True)
class Order:
    """One row of `cve_orders`."""

    id: int
    vulnerability_id: int
    what: str  # reserve | record | reject | look (is the record of a vendor that is a CNA public?)
    cve: str
    record: str
    state: str  # wanted | done | given up
    wanted_at: datetime
    wanted_by: str
    why: str
    tries: int
    tried_at: datetime | None  # for the first time; None: nothing can have been done
    not_before: datetime | None
    done_at: datetime | None
    trouble: str  # a code of cve.WORDS


@dataclass(frozen=True, slots=True)
class CveId:
    """One ID the service gave us."""

    cve: str
    order_id: int | None
    vulnerability_id: int | None  # None: nobody uses it
    state: str  # reserved | published | rejected
    reserved_at: datetime
    changed_at: datetime | None


# ---- orders ----------------------------------------------------------------------------------------------------------


def want(
    tx: Connection, vulnerability_id: int, what: str, now: datetime, *,
    by: str, cve: str = "", record: str = "", why: str = "",
) -> int | None:  # fmt: skip
    """A new order; None when one of this kind is open for this vulnerability."""
    row = {
        "vulnerability_id": vulnerability_id, "what": what, "cve": cve, "record": record, "wanted_at": now,
        "wanted_by": by, "why": why,
    }  # fmt: skip
    statement = upsert.into(tx, cve_orders).values(row).on_conflict_do_nothing()
    made: int | None = tx.execute(statement.returning(cve_orders.c.id)).scalar()
    return made


def get(tx: Connection, order_id: int) -> Order:
    """By id."""
    return Order(*tx.execute(select(cve_orders).where(cve_orders.c.id == order_id)).one())


def open_order(tx: Connection, vulnerability_id: int, what: str) -> Order | None:
    """The one that is wanted, if there is one."""
    mine = (cve_orders.c.vulnerability_id == vulnerability_id) & (cve_orders.c.what == what)
    row = tx.execute(select(cve_orders).where(mine, cve_orders.c.state == WANTED)).first()
    return Order(*row) if row else None


def last_done(tx: Connection, vulnerability_id: int, what: str) -> Order | None:
    """The newest that was carried out."""
    mine = (cve_orders.c.vulnerability_id == vulnerability_id) & (cve_orders.c.what == what)
    wanted = select(cve_orders).where(mine, cve_orders.c.state == DONE).order_by(cve_orders.c.id.desc()).limit(1)
    row = tx.execute(wanted).first()
    return Order(*row) if row else None


def due(tx: Connection, now: datetime) -> list[Order]:
    """Those that may be tried now, oldest first."""
    may = cve_orders.c.not_before.is_(None) | (cve_orders.c.not_before <= now)
    wanted = select(cve_orders).where(cve_orders.c.state == WANTED, may).order_by(cve_orders.c.id)
    return [Order(*row) for row in tx.execute(wanted)]


def of_vulnerabilities(tx: Connection, ids: Collection[int], *, wanted: bool = False) -> list[Order]:
    """All about these, oldest first; or only those still open."""
    mine = select(cve_orders).where(cve_orders.c.vulnerability_id.in_(list(ids))).order_by(cve_orders.c.id)
    mine = mine.where(cve_orders.c.state == WANTED) if wanted else mine
    return [Order(*row) for row in tx.execute(mine)]


def rejecting(tx: Connection, cve: str) -> list[Order]:
    """Orders to reject this ID that are open."""
    mine = (cve_orders.c.cve == cve) & (cve_orders.c.what == REJECT) & (cve_orders.c.state == WANTED)
    return [Order(*row) for row in tx.execute(select(cve_orders).where(mine))]


def wanted(tx: Connection) -> list[Order]:
    """All that are open, oldest first."""
    return [Order(*row) for row in tx.execute(select(cve_orders).where(cve_orders.c.state == WANTED).order_by("id"))]


def change(tx: Connection, order_id: int, **values: object) -> None:
    """Set columns of one."""
    tx.execute(update(cve_orders).where(cve_orders.c.id == order_id).values(values))


def begin_try(tx: Connection, order: Order, now: datetime) -> bool:
    """This order is tried now; False when it is no longer wanted. To be committed before the service is asked."""
    still = (cve_orders.c.id == order.id) & (cve_orders.c.state == WANTED) & (cve_orders.c.tries == order.tries)
    values = {"tries": order.tries + 1, "tried_at": order.tried_at or now}
    return bool(tx.execute(update(cve_orders).where(still).values(values)).rowcount)


def look_first(tx: Connection) -> None:
    """Each ID that is wanted may have been reserved since it was: as if that had been tried then."""
    mine = (cve_orders.c.what == RESERVE) & (cve_orders.c.state == WANTED) & cve_orders.c.tried_at.is_(None)
    tx.execute(update(cve_orders).where(mine).values(tried_at=cve_orders.c.wanted_at))


def give_up_reserving(tx: Connection, case_id: int, now: datetime) -> None:
    """No ID is wanted for this case any more; what was tried may have been carried out, and goes on."""
    of_case = select(vulnerabilities.c.id).where(vulnerabilities.c.case_id == case_id)
    mine = cve_orders.c.vulnerability_id.in_(of_case) & (cve_orders.c.what == RESERVE)
    untried = mine & (cve_orders.c.state == WANTED) & cve_orders.c.tried_at.is_(None)
    tx.execute(update(cve_orders).where(untried).values(state=GIVEN_UP, done_at=now, trouble=""))


def finish(tx: Connection, order_id: int, now: datetime, *, state: str = DONE, cve: str = "") -> bool:
    """It is carried out, or given up; False when that was so already."""
    still = (cve_orders.c.id == order_id) & (cve_orders.c.state == WANTED)
    values = {"state": state, "done_at": now, "trouble": "", **({"cve": cve} if cve else {})}
    return bool(tx.execute(update(cve_orders).where(still).values(values)).rowcount)


# ---- IDs -------------------------------------------------------------------------------------------------------------


def keep(
    tx: Connection, cve: str, reserved_at: datetime, now: datetime, *, order_id: int, vulnerability_id: int | None
) -> None:
    """The service gave us this one."""
    row = {
        "cve": cve, "order_id": order_id, "vulnerability_id": vulnerability_id, "reserved_at": reserved_at,
        "changed_at": now,
    }  # fmt: skip
    tx.execute(insert(cve_ids).values(row))


def ids(tx: Connection) -> list[CveId]:
    """Every one, in the order they were given."""
    return [CveId(*row) for row in tx.execute(select(cve_ids).order_by(cve_ids.c.reserved_at, cve_ids.c.cve))]


def ours(tx: Connection, cve: str) -> CveId | None:
    """The ID, if the service gave it to us."""
    row = tx.execute(select(cve_ids).where(cve_ids.c.cve == cve)).first()
    return CveId(*row) if row else None


def lock_id(tx: Connection, cve: str) -> CveId | None:
    """The same, and nobody else changes it before the transaction ends: to be called with its case locked."""
    row = tx.execute(select(cve_ids).where(cve_ids.c.cve == cve).with_for_update()).first()
    return CveId(*row) if row else None


def unknown(tx: Connection, found: Sequence[str]) -> list[str]:
    """Those of these that no row knows, and no vulnerability has, in their order."""
    there = set(tx.execute(select(cve_ids.c.cve).where(cve_ids.c.cve.in_(found))).scalars())
    there |= set(tx.execute(select(vulnerabilities.c.cve).where(vulnerabilities.c.cve.in_(found))).scalars())
    return [cve for cve in found if cve not in there]


def change_id(tx: Connection, cve: str, now: datetime, **values: object) -> None:
    """Set columns of one ID."""
    tx.execute(update(cve_ids).where(cve_ids.c.cve == cve).values(changed_at=now, **values))


def unused(tx: Connection) -> list[CveId]:
    """Reserved, and nobody's."""
    wanted = select(cve_ids).where(cve_ids.c.state == "reserved", cve_ids.c.vulnerability_id.is_(None))
    return [CveId(*row) for row in tx.execute(wanted.order_by(cve_ids.c.cve))]


def of_unpublished(tx: Connection) -> list[CveId]:
    """Reserved, and of cases of which it was decided that they have no note."""
    wanted = (
        select(cve_ids)
        .join(vulnerabilities, vulnerabilities.c.id == cve_ids.c.vulnerability_id)
        .join(cases, cases.c.id == vulnerabilities.c.case_id)
        .where(cve_ids.c.state == "reserved", cases.c.not_published_at.is_not(None))
    )
    return [CveId(*row) for row in tx.execute(wanted.order_by(cve_ids.c.cve))]


# ---- whose turn it is ------------------------------------------------------------------------------------------------

_TURN = "cve-turn"


def take_turn(tx: Connection, node: str, now: datetime, until: datetime) -> bool:
    """From now on this node alone asks the service, till `until` at most; False while another has the turn."""
    tx.execute(upsert.into(tx, switches).values(name=_TURN, value="").on_conflict_do_nothing())
    held = tx.execute(select(switches.c.value).where(switches.c.name == _TURN).with_for_update()).scalar_one()
    instant, _, holder = held.partition(" ")
    if held and holder != node and datetime.fromisoformat(instant) > now:
        return False
    tx.execute(update(switches).where(switches.c.name == _TURN).values(value=f"{until.isoformat()} {node}"))
    return True


def end_turn(tx: Connection, node: str) -> None:
    """The next may."""
    mine = (switches.c.name == _TURN) & switches.c.value.endswith(f" {node}", autoescape=True)
    tx.execute(update(switches).where(mine).values(value=""))
