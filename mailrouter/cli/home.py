"""`mailrouter` alone: what waits for me, and the next three commands worth knowing."""

from collections.abc import Iterator, Mapping
from itertools import islice

import click
from sqlalchemy import Connection

from mailrouter.cli import queue, show
from mailrouter.cli.frame import Here, login
from mailrouter.flow.telling import tell
from mailrouter.store import analysts, outbox, proposals, queues, reports, views
from mailrouter.store.analysts import Analyst

MOST = 8  # of whoever waits on us


def overview(context: Here) -> None:
    """The whole page."""
    with context.db.read() as tx:
        staff = analysts.everyone(tx)
        me = next((one for one in staff if one.id == context.actor.analyst_id), None)
        waiting = _waiting(tx, context, me, staff)
        turns = views.our_turns(tx, me.id if me else None)
        letters = views.letters_by_state(tx)
        undecided = reports.waiting(tx)
        paused = outbox.paused(tx)
        said = proposals.waiting(tx, me.id if me else None)
    _say_who(me, staff)
    show.table(("queue", "waiting", "oldest (UTC)"), _rows(waiting, staff), "Nothing waits in your queues.")
    if undecided:
        click.echo(f"\nReports that wait for a decision: {undecided}")
    _say_turns(turns)
    if said:
        click.echo(f"\nTo be taken as said, or refused: {said} (mailrouter proposal list)")
    _say_letters(letters, paused=paused)
    click.echo("\nNext:")
    for command in islice(_next(me, staff, waiting, turns, letters, undecided), 3):
        click.echo(f"  {command}")


def _waiting(
    tx: Connection, context: Here, me: Analyst | None, staff: list[Analyst]
) -> Mapping[str, tuple[int, object]]:
    """The queues I read that hold something; of somebody who is no analyst, all of them."""
    sizes = queues.sizes(tx)
    mine = tell.reads(me, staff, context.now) if me else list(queue.names(staff).values())
    return {name: sizes[name] for name in mine if name in sizes}


def _rows(waiting: Mapping[str, tuple[int, object]], staff: list[Analyst]) -> list[tuple[object, ...]]:
    called = {stored: name for name, stored in queue.names(staff).items()}
    return [(called[stored], count, oldest) for stored, (count, oldest) in waiting.items()]


def _say_who(me: Analyst | None, staff: list[Analyst]) -> None:
    if me:
        click.echo(f"You are {show.cell(me.name)}.\n")
    else:
        known = "" if staff else "; there is none yet"
        click.echo(f"You are {show.cell(login())}, no analyst{known}.\n")


def _say_turns(turns: list[views.Turn]) -> None:
    if turns:
        click.echo("\nOur turn:")
    for one in turns[:MOST]:
        click.echo("  " + show.short(f"VU#{one.vu} {one.participant}, heard {show.when(one.last_heard_at)}", 98))
    if len(turns) > MOST:
        click.echo(f"  and {len(turns) - MOST} more")


def _say_letters(letters: Mapping[str, int], *, paused: bool) -> None:
    stuck = [f"{letters[state]} {state}" for state in ("queued", "held", "failed") if letters.get(state)]
    if stuck or paused:
        click.echo(f"\nLetters: {', '.join(stuck) or 'none'}{'; the outbox is paused' if paused else ''}")


def _next(
    me: Analyst | None, staff: list[Analyst], waiting: Mapping[str, tuple[int, object]], turns: list[views.Turn],
    letters: Mapping[str, int], undecided: int,
) -> Iterator[str]:  # fmt: skip
    """What helps most first; there are always three."""
    called = {stored: name for name, stored in queue.names(staff).items()}
    if me is None:
        yield f"mailrouter analyst add NAME --email ADDRESS --login {login()} --queues triage,review"
    for stored in islice(waiting, 1):
        yield f"mailrouter queue show {show.cell(called[stored])}"
    for one in turns[:1]:
        yield f"mailrouter case show VU#{one.vu}"
    if letters.get("held") or letters.get("failed"):
        yield "mailrouter outbox list"
    if undecided:
        yield "mailrouter report list"
    yield "mailrouter case list"
    yield "mailrouter queue list"
    yield "mailrouter --help"
