"""A case's own numbers as people and programs read them, and what a change of them moved."""

from collections.abc import Sequence
from datetime import datetime

import click

from mailrouter.case import calendar
from mailrouter.cli import show
from mailrouter.flow.timing.casepolicy import Changed, Number


def table(numbers: Sequence[Number]) -> None:
    """What is in force, and what would be."""
    rows = [(n.name, str(n.value), "this case's own" if n.own else "", str(n.otherwise)) for n in numbers]
    show.table(("number", "in force", "", "otherwise"), rows, "None.")


def shape(numbers: Sequence[Number]) -> dict[str, object]:
    """By name: `value`, `own`, `otherwise`."""
    return {n.name: {"value": n.value, "own": n.own, "otherwise": n.otherwise} for n in numbers}


def say(changed: Changed, now: datetime) -> None:
    """What the change came to."""
    case, moved = changed.case, changed.moved
    if bounded := calendar.bounded(changed.policy):
        show.said(bounded)
    click.echo(f"VU#{case.vu}: changed")
    if case.planned_at != changed.planned_was:
        soon = ": by that number it would have been before now" if case.planned_at and case.planned_at <= now else ""
        click.echo(f"publication is planned for {show.when(case.planned_at)} UTC, not {show.when(changed.planned_was)}")
        show.said(f"the letters that have left give the former date{soon}; the embargo is what was agreed")
    if moved:
        at_once = sum(one.due_at <= now for one in moved)
        later = f", {at_once} of them now: by the new number they would have been due before" if at_once else ""
        click.echo(f"{len(moved)} deadlines moved{later}")
