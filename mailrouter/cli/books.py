"""`mailrouter books`: is every accepted mail somewhere?"""

import dataclasses
from typing import Any

import click

from mailrouter.cli.frame import Here, as_json, examples, here, said, show_json, table
from mailrouter.store import books as store
from mailrouter.store.books import Line

COUNTS = ("accepted", "filed", "review", "triage", "bounces", "quarantined", "pending")


@click.command(epilog=examples("mailrouter books", "mailrouter books --json"))
@as_json
@here
def books(here: Here, json_: bool) -> None:
    """Accepted = filed + review + triage + bounces + quarantined + pending, for each door. Exit 1 if it is not so."""
    with here.db.read() as tx:
        counted = store.count(tx)
    lines = [*counted.lines, counted.total]
    if json_:
        show_json(_row(counted.total) | {"balanced": counted.balanced, "doors": [_row(line) for line in counted.lines]})
    else:
        rows = ([line.door, *(getattr(line, name) for name in COUNTS), _verdict(line)] for line in lines)
        table(("DOOR", *(name.upper() for name in COUNTS), ""), rows, "")
    if not counted.balanced:
        said("The books do not balance: an accepted mail lies nowhere, or twice.")
        click.get_current_context().exit(1)


def _row(line: Line) -> dict[str, Any]:
    return dataclasses.asdict(line) | {"balanced": line.balanced}


def _verdict(line: Line) -> str:
    return "balanced" if line.balanced else "NOT BALANCED"
