"""`mailrouter queue`: what waits for whom, oldest first, with the reason it is there."""

from collections.abc import Collection, Sequence
from datetime import datetime

import click
from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.case.proposals import SAYS
from mailrouter.cli import given, shapes, show
from mailrouter.cli.frame import Here, as_json, examples, here
from mailrouter.flow.filing import file
from mailrouter.store import analysts, proposals, queues
from mailrouter.store.analysts import Analyst


@click.group()
def queue() -> None:
    """What waits for whom: triage, review, bounces, quarantine, operator, and one for each analyst."""


@queue.command("list", epilog=examples("mailrouter queue list"))
@as_json
@here
def listing(context: Here, json_: bool) -> None:
    """All queues: how much waits, since when, and who reads them."""
    with context.db.read() as tx:
        staff, sizes = analysts.everyone(tx), queues.sizes(tx)
    found = [_size(name, stored, staff, sizes) for name, stored in names(staff).items()]
    if json_:
        return show.show_json(found)
    rows = [
        (q["queue"], q["waiting"], q["oldest_at"], show.short(", ".join(_readers(str(q["stored"]), staff)), 40))
        for q in found
    ]
    return show.table(("queue", "waiting", "oldest (UTC)", "read by"), rows, "No queue.")


def names(staff: list[Analyst]) -> dict[str, str]:
    """What people call a queue -> how it is stored."""
    return {name: name for name in queues.SHARED} | {one.name: one.queue for one in staff}


def _size(name: str, stored: str, staff: list[Analyst], sizes: dict[str, tuple[int, datetime]]) -> shapes.Shape:
    waiting, oldest = sizes.get(stored, (0, None))
    return {
        "queue": name, "stored": stored, "waiting": waiting, "oldest_at": oldest, "readers": _readers(stored, staff),
    }  # fmt: skip


def _readers(stored: str, staff: list[Analyst]) -> list[str]:
    return [one.name for one in staff if stored in one.reads]


@queue.command("show", epilog=examples("mailrouter queue show review", "mailrouter queue show Ana --json"))
@click.argument("name", metavar="QUEUE", type=given.LINE)
@as_json
@here
def one(context: Here, name: str, json_: bool) -> None:
    """One queue, oldest first; where a mail could go, if one VU# is likely, and the command that files it there."""
    with context.db.read() as tx:
        waiting = queues.shown(tx, _stored(tx, name))
        said = proposals.of_messages(tx, [s.item.message_id for s in waiting if s.item.message_id is not None])
    if json_:
        return show.show_json([shapes.item(s) for s in waiting])
    headers = ("item", "message", "VU#", "from", "subject", "received (UTC)", "why")
    show.table(headers, (_row(s) for s in waiting), "Nothing waits here.", last=show.REASON)
    _suggestions(waiting)
    return _answers(waiting, {one.message_id for one in said if one.is_open})


def _suggestions(waiting: Sequence[queues.Shown]) -> None:
    """Where mails could go, each with the command that files it there."""
    suggested = [one for one in waiting if one.suggested_vu is not None]
    if suggested:
        click.echo()
    for one in suggested:
        number, message = show.number(one.suggested_vu), one.item.message_id
        click.echo(f"message {message} could go to {number}: mailrouter message route {message}")


def _answers(waiting: Sequence[queues.Shown], open_ones: Collection[int]) -> None:
    """What their mails say in the lines of our form, each with the command that takes it, unless it was taken."""
    for one in waiting:
        _, marked, words = one.item.why.partition(SAYS)
        if marked:
            number = one.item.message_id
            click.echo(show.cell(f"message {number} says: {words}"))
            click.echo(f"  mailrouter proposal take --message {number}" if number in open_ones else "  decided")


def _stored(tx: Connection, name: str) -> str:
    known = names(analysts.everyone(tx))
    if name not in known:
        raise faults.NotFound(f"no queue {name!r}; there are {', '.join(known)}")
    return known[name]


def _row(shown: queues.Shown) -> tuple[object, ...]:
    sender = show.short(shown.sender or shown.item.kind, 16)
    subject = show.short(shown.subject, 14)
    vu = show.number(shown.vu)
    message = shown.item.message_id or shown.item.kind  # a notice is about no mail
    return shown.item.id, message, vu, sender, subject, shown.received_at, shown.item.why.partition(SAYS)[0]


@queue.command("done", epilog=examples("mailrouter queue done 17"))
@click.argument("item", type=given.ID)
@here
def done(context: Here, item: int) -> None:
    """Dealt with: the item waits no more."""
    file.done(context.tools, context.actor, item)
    click.echo(f"item {item} is done")
