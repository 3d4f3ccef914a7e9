"""`mailrouter beat`: one beat of the scheduler by hand, at another time if wanted, or only foretold."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

import click

from mailrouter.cli import given
from mailrouter.cli.frame import Here, as_json, examples, here, said, show_json, table
from mailrouter.cli.show import number
from mailrouter.flow.telling import tell
from mailrouter.flow.timing import keydates, remind
from mailrouter.flow.timing.remind import Foretold


@click.command(
    epilog=examples("mailrouter beat", "mailrouter beat --at 2026-12-24 --dry-run", "mailrouter beat --dry-run --json")
)
@click.option("--at", type=given.INSTANT, metavar="TIME", help="What is due then: 2026-12-24, or with time and zone.")
@click.option("--dry-run", is_flag=True, help="Only say what would happen.")
@as_json
@here
def beat(here: Here, at: datetime | None, dry_run: bool, json_: bool) -> None:
    """Do what is due: follow-ups, reminders, notices. TIME decides what is due; letters are queued for the real now."""
    due = at or here.now
    if dry_run:
        _show([*remind.foretell(here.tools, due), *keydates.foretell(here.tools, due)], json_)
        return
    done = [*remind.beat(here.tools, due, here.actor.name), *keydates.beat(here.tools, due, here.actor.name)]
    tell.everyone(here.tools, here.now)
    _show(done, json_)
    said(f"done: {len(done)} due at {due:%Y-%m-%d %H:%M} UTC")


def _show(told: Sequence[Foretold], json_: bool) -> None:
    if json_:
        show_json([{**asdict(f), "vu": number(f.vu)} for f in told])
        return
    headers = ("DUE", "CASE", "PARTICIPANT", "WHAT", "STEP", "DOES")
    rows = ((f.due_at, number(f.vu), f.participant, f.kind, f.rung or None, f.does) for f in told)
    table(headers, rows, "nothing is due")
