"""`mailrouter journal` and `mailrouter search`: what happened, whether it still stands as written, and where it was."""

import json
from collections.abc import Sequence
from dataclasses import asdict

import click
from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.cli import given
from mailrouter.cli.frame import Here, as_json, examples, here, said, show_json, table
from mailrouter.cli.show import number
from mailrouter.store import cases, reports
from mailrouter.store import journal as chains
from mailrouter.store import search as store


@click.group(epilog=examples("mailrouter journal verify", "mailrouter journal show VU#123456"))
def journal() -> None:
    """What happened, append-only and chained by hashes."""


@journal.command(epilog=examples("mailrouter journal verify", "mailrouter journal verify --json"))
@as_json
@here
def verify(here: Here, json_: bool) -> None:
    """Check every chain. Exit 1 naming the first row of each that is not as it was written."""
    with here.db.read() as tx:
        breaks = list(chains.verify(tx))
        rows = chains.count(tx)
    if json_:
        show_json({"good": not breaks, "rows": rows, "breaks": breaks})
    for found in [] if json_ else breaks:
        said(f"{found.chain} row {found.seq}: {found.what}")
    if breaks:
        click.get_current_context().exit(1)
    if not json_:
        said(f"the journal stands as it was written ({rows} rows)")


@journal.command(epilog=examples("mailrouter journal show VU#123456", "mailrouter journal show VRF#26-11-BCDFG"))
@click.argument("which", metavar="VU|VRF", type=given.VU_OR_VRF)
@as_json
@here
def show(here: Here, which: int | str, json_: bool) -> None:
    """What happened in a case, or with a report, in order."""
    with here.db.read() as tx:
        entries = chains.entries(tx, _chain(tx, which))
    if json_:
        show_json(entries)
        return
    rows = ((e.seq, e.at, e.kind, e.actor, json.dumps(dict(e.data), sort_keys=True)) for e in entries)
    table(("ROW", "AT", "WHAT", "WHO", "DETAILS"), rows, "nothing happened yet")


def _chain(tx: Connection, which: int | str) -> str:
    if isinstance(which, str):
        return chains.report_chain(reports.by_vrf(tx, which).id)
    return chains.case_chain(cases.by_vu(tx, which).id)


@click.command(epilog=examples("mailrouter search buffer overflow", "mailrouter search VRF#26-11-BCDFG --json"))
@click.argument("words", metavar="WORDS", nargs=-1, required=True)
@as_json
@here
def search(here: Here, words: Sequence[str], json_: bool) -> None:
    """Mails by subject, sender and VRF#, cases and reports by number and title, organisations by name: what holds all
    the words.
    """
    with here.db.read() as tx:
        found = store.find(tx, " ".join(words))
    if json_:
        mails = [
            {"id": m.id, "direction": m.direction, "vu": number(m.vu), "from": m.sender, "subject": m.subject,
             "received_at": m.received_at} for m in found.mails
        ]  # fmt: skip
        named = [{**asdict(c), "vu": number(c.vu)} for c in found.cases]
        show_json({"mails": mails, "cases": named, "organisations": found.organisations, "reports": found.reports})
    elif found.anything:
        _show(found)
    if not found.anything:
        raise faults.NotFound("nothing holds all these words")


def _show(found: store.Found) -> None:
    if found.cases:
        table(("CASE", "TITLE", "STATE"), ((number(c.vu), c.title, c.state) for c in found.cases), "")
        click.echo()
    if found.reports:
        table(("REPORT", "TITLE", "STATE"), ((r.vrf, r.title, r.rm) for r in found.reports), "")
        click.echo()
    if found.mails:
        headers = ("MESSAGE", "", "CASE", "FROM", "SUBJECT", "AT")
        rows = ((m.id, m.direction, number(m.vu), m.sender, m.subject, m.received_at) for m in found.mails)
        table(headers, rows, "")
        click.echo()
    if found.organisations:
        table(("ORGANISATION", "KIND"), ((o.name, o.kind) for o in found.organisations), "")
