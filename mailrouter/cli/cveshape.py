"""CVE IDs as `cve list` and `cve show` give them: for people on 100 columns, and as JSON of stable keys."""

import click
from sqlalchemy import Connection

from mailrouter import cve
from mailrouter.case.model import Case
from mailrouter.cli import show
from mailrouter.cli.shapes import Shape
from mailrouter.flow.cves import assigning
from mailrouter.store import cases, contacts, cves, vulnerabilities
from mailrouter.store.cves import Order
from mailrouter.store.vulnerabilities import Vulnerability


def listed(tx: Connection) -> list[Shape]:
    """Every ID we know of, used or not, and every one that is asked for."""
    given = {one.cve: one for one in cves.ids(tx)}
    used = vulnerabilities.identified(tx)
    rows = [_used(vu, one, given.get(one.cve)) for vu, one in used]
    rows += [_unused(one) for number, one in given.items() if number not in {flaw.cve for _, flaw in used}]
    return sorted(rows, key=lambda row: str(row["cve"])) + [
        _wanted(tx, order) for order in cves.wanted(tx) if order.what == cves.RESERVE
    ]


def _used(vu: int, one: Vulnerability, ours: cves.CveId | None) -> Shape:
    state = ours.state if ours and ours.vulnerability_id == one.id else "published" if one.record_at else "assigned"
    return {
        "cve": one.cve, "state": state, "source": one.cve_source, "vulnerability": f"VU#{vu}.{one.number}",
        "unused": False, "reserved_at": ours.reserved_at if ours else None, "record_at": one.record_at,
    }  # fmt: skip


def _unused(one: cves.CveId) -> Shape:
    return {
        "cve": one.cve, "state": one.state, "source": "reserved", "vulnerability": None,
        "unused": one.state == "reserved", "reserved_at": one.reserved_at, "record_at": None,
    }  # fmt: skip


def _wanted(tx: Connection, order: Order) -> Shape:
    one = vulnerabilities.get(tx, order.vulnerability_id)
    return {
        "cve": None, "state": "wanted", "source": "reserved", "unused": False, "reserved_at": None, "record_at": None,
        "vulnerability": f"VU#{cases.get(tx, one.case_id).vu}.{one.number}",
    }  # fmt: skip


def of_case(tx: Connection, case: Case) -> Shape:
    """`cve show`."""
    known = vulnerabilities.of_case(tx, case.id)
    orders = cves.of_vulnerabilities(tx, [one.id for one in known])
    return {
        "vu": show.number(case.vu),
        "vulnerabilities": [
            _shown(tx, case, one, [order for order in orders if order.vulnerability_id == one.id]) for one in known
        ],
    }


def _shown(tx: Connection, case: Case, one: Vulnerability, orders: list[Order]) -> Shape:
    return {
        "id": f"VU#{case.vu}.{one.number}", "title": one.title, "cve": one.cve or None,
        "source": one.cve_source or None,
        "vendor": contacts.get(tx, one.cve_vendor_id).name if one.cve_vendor_id else None,
        "why": one.cve_why or None, "cwe": one.cwe or None, "cvss": one.cvss or None, "text": one.text or None,
        "record_at": one.record_at, "assigners": [vendor.name for vendor in assigning.assigners(tx, case, one)],
        "orders": [order_shape(order) for order in orders],
    }  # fmt: skip


def order_shape(order: Order) -> Shape:
    """One order to the CVE service."""
    return {
        "what": order.what, "cve": order.cve or None, "state": order.state, "wanted_at": order.wanted_at,
        "wanted_by": order.wanted_by, "why": order.why or None, "tries": order.tries, "tried_at": order.tried_at,
        "not_before": order.not_before, "done_at": order.done_at, "trouble": order.trouble or None,
    }  # fmt: skip


def show_case(shape: Shape) -> None:
    """`cve show` for people."""
    rows = shape["vulnerabilities"]
    assert isinstance(rows, list)
    for one in rows:
        click.echo(show.cell(f"{one['id']}  {one['cve'] or 'no CVE ID'}  {one['title']}"))
        for label, value in (
            ("from", ", ".join(filter(None, (one["source"], one["vendor"]))) if one["source"] else ""),
            ("asked", one["vendor"] if not one["source"] else ""),
            ("why ours", one["why"]),
            ("weakness", one["cwe"]),
            ("CVSS", one["cvss"]),
            ("record", show.when(one["record_at"])),
            ("can assign", ", ".join(one["assigners"]) if not one["cve"] else ""),
        ):
            if value:
                click.echo(show.cell(f"  {label}: {value}"))
        for order in one["orders"]:
            click.echo(show.cell(f"  {_told(order)}"))


def _told(order: Shape) -> str:
    when = show.when(order["done_at"] or order["wanted_at"])  # type: ignore[arg-type]
    line = f"{order['what']} {order['cve'] or ''}".rstrip() + f": {order['state']}, {when}"
    if order["state"] == "wanted" and order["tries"]:
        trouble = cve.WORDS.get(str(order["trouble"]), "")
        line += f"; tried {order['tries']} times" + (f": {trouble}" if trouble else "")
    return line
