"""`mailrouter books`: is every accepted mail somewhere?"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import click

from mailrouter.cli.frame import Here, as_json, examples, here, said, show_json, table
from mailrouter.flow import mailboxes
from mailrouter.flow.mailboxes import Reconciled
from mailrouter.store import books as store
from mailrouter.store.books import Line

MAILBOX_COUNTS = ("there", "done", "left", "taken", "new", "again", "passed_over")
COUNTS = ("accepted", "filed", "review", "triage", "bounces", "quarantined", "pending")


@click.command(epilog=examples("mailrouter books", "mailrouter books --json"))
@as_json
@here
def books(here: Here, json_: bool) -> None:
    """Accepted = filed + review + triage + bounces + quarantined + pending, for each door. Exit 1 if it is not so.

    Each mailbox that is read is held against its server's own counts as well; a server that cannot be asked is said to
    be that, and changes nothing about the exit status.
    """
    reconciled = mailboxes.reconcile(here.db, here.settings.imap)
    with here.db.read() as tx:
        counted = store.count(tx)
    if json_:
        doors = [_row(line) for line in counted.lines]
        shown = {"balanced": counted.balanced, "doors": doors, "mailboxes": [_mailbox(one) for one in reconciled]}
        show_json(_row(counted.total) | shown)
    else:
        _show(counted, reconciled)
    if not counted.balanced:
        said("The books do not balance: an accepted mail lies nowhere, or twice.")
        click.get_current_context().exit(1)


def _show(counted: store.Books, reconciled: Sequence[Reconciled]) -> None:
    rows = (
        [line.door, *(getattr(line, name) for name in COUNTS), _verdict(line)]
        for line in (*counted.lines, counted.total)
    )
    table(("DOOR", *(name.upper() for name in COUNTS), ""), rows, "")
    if reconciled:
        click.echo()
        told = [_mailbox(one) for one in reconciled]
        lines = [["" if one[name] is None else one[name] for name in ("name", *MAILBOX_COUNTS)] for one in told]
        verdicts = [_agreement(one) for one in reconciled]
        heads = ("MAILBOX", *(name.upper().replace("_", " ") for name in MAILBOX_COUNTS), "")
        table(heads, ([*line, verdict] for line, verdict in zip(lines, verdicts, strict=True)), "")


def _mailbox(one: Reconciled) -> dict[str, Any]:
    account, counts = one.account, one.counts
    return {
        "name": account.name,
        "there": counts and counts.there, "done": counts and counts.done, "left": counts and counts.left,
        "taken": account.taken, "new": account.new, "again": account.again,
        "done_before": account.done_before, "passed_over": account.passed_over,
        "reachable": counts is not None, "agrees": one.agrees, "trouble": one.trouble,
    }  # fmt: skip


def _agreement(one: Reconciled) -> str:
    if one.counts is None:
        return f"the server's side is not known: {one.trouble}"
    return {True: "agrees", False: "MORE DONE THAN TAKEN", None: "counted by us alone"}[one.agrees]


def _row(line: Line) -> dict[str, Any]:
    return dataclasses.asdict(line) | {"balanced": line.balanced}


def _verdict(line: Line) -> str:
    return "balanced" if line.balanced else "NOT BALANCED"
