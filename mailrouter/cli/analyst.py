"""`mailrouter analyst`: the coordinator's staff; each has a queue of their name."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click

from mailrouter import faults
from mailrouter.cli import given, shapes, show
from mailrouter.cli.frame import Here, as_json, examples, here
from mailrouter.cli.keyfile import key_in
from mailrouter.flow.people import directory
from mailrouter.store import analysts, queues

name_argument = click.argument("name", type=given.LINE)
email_option = click.option("--email", type=given.ADDRESS, help="Where they are told of arrivals.")
key_option = click.option(
    "--key",
    "key_file",
    type=given.FILE,
    help="Their public key: notices are encrypted to it, answers signed with it are theirs.",
)
login_option = click.option("--login", type=given.LINE, help="Their Unix login: who acts is known by it.")
queues_option = click.option("--queues", metavar="NAME,...", help=f"Besides their own: {', '.join(queues.SHARED)}.")


def _split(names: str | None) -> Sequence[str] | None:
    return None if names is None else [name.strip() for name in names.split(",") if name.strip()]


def _about(
    context: Here, email: str | None, key_file: Path | None, login: str | None, names: str | None, *,
    no_key: bool = False,
) -> directory.About:  # fmt: skip
    key = key_in(context, key_file) if key_file else None
    return directory.About(email, login, _split(names), key, no_key)


@click.group()
def analyst() -> None:
    """The coordinator's staff."""


@analyst.command(
    "add", epilog=examples("mailrouter analyst add Ana --email ana@cert.example --login ana --queues triage,review")
)
@name_argument
@click.option("--email", required=True, type=given.ADDRESS, help="Where they are told of arrivals.")
@key_option
@login_option
@queues_option
@here
def add(context: Here, name: str, email: str, key_file: Path | None, login: str | None, queues: str | None) -> None:
    """Add an analyst."""
    about = _about(context, email, key_file, login, queues)
    added = directory.add_analyst(context.tools, context.actor, name, about)
    also = added.queues.replace(",", ", ")
    click.echo(f"{show.cell(added.name)} added; reads their own queue{', ' + also if also else ''}")


@analyst.command(
    "set",
    epilog=examples(
        "mailrouter analyst set Ana --queues triage,review,bounces --key ana-2027.asc",
        "mailrouter analyst set Ana --no-key",
    ),
)
@name_argument
@email_option
@key_option
@click.option("--no-key", is_flag=True, help="Their key counts no more: no order by mail is theirs.")
@login_option
@queues_option
@here
def change(
    context: Here, name: str, email: str | None, key_file: Path | None, login: str | None, queues: str | None, *,
    no_key: bool,
) -> None:  # fmt: skip
    """Change address, key, login or queues."""
    if email is None and key_file is None and login is None and queues is None and not no_key:
        raise faults.Refused("say what to change: --email, --key, --no-key, --login or --queues")
    if key_file and no_key:
        raise faults.Refused("give --key or --no-key")
    about = _about(context, email, key_file, login, queues, no_key=no_key)
    changed = directory.set_analyst(context.tools, context.actor, name, about)
    click.echo(f"{show.cell(changed.name)} changed")


@analyst.command("list", epilog=examples("mailrouter analyst list", "mailrouter analyst list --json"))
@as_json
@here
def listing(context: Here, json_: bool) -> None:
    """All analysts, and how much waits for each."""
    with context.db.read() as tx:
        staff = analysts.everyone(tx)
        sizes = queues.sizes(tx)
    names = {one.id: one.name for one in staff}
    found = [
        shapes.analyst(one, names.get(one.cover_id) if one.cover_id else None, sizes.get(one.queue, (0, None))[0])
        for one in staff
    ]
    if json_:
        return show.show_json(found)
    rows = [
        (
            show.short(one.name, 14),
            show.short(one.address, 24),
            show.short(one.login or "", 10),
            show.short(one.queues.replace(",", " "), 20),
            sizes.get(one.queue, (0, None))[0],
            _absence(context, one, names),
        )
        for one in staff
    ]
    return show.table(("analyst", "email", "login", "also reads", "waiting", "away until"), rows, "No analyst yet.")


def _absence(context: Here, one: analysts.Analyst, names: dict[int, str]) -> str:
    if not one.away(context.now) or one.away_until is None:
        return ""
    cover = names.get(one.cover_id, "") if one.cover_id else "nobody"
    return show.short(f"{one.away_until:%Y-%m-%d} {cover}", 15)


@analyst.command(
    "away",
    epilog=examples("mailrouter analyst away Ana --until 2026-12-01 --cover Ben", "mailrouter analyst away Ana --back"),
)
@name_argument
@click.option("--until", type=given.INSTANT, help="2026-12-01 (UTC midnight) or with time and zone.")
@click.option("--cover", type=given.LINE, help="Who stands in.")
@click.option("--back", is_flag=True, help="They are there again.")
@here
def away(context: Here, name: str, until: datetime | None, cover: str | None, back: bool) -> None:
    """Somebody stands in for them until a date."""
    if back:
        if until or cover:
            raise faults.Refused("--back is given alone")
        directory.back(context.tools, context.actor, name)
        return click.echo(f"{show.cell(name)} is back")
    if until is None or cover is None:
        raise faults.Refused("--until and --cover are needed, or --back")
    directory.away(context.tools, context.actor, name, until, cover)
    return click.echo(f"{show.cell(name)} is away until {show.when(until)} UTC; {show.cell(cover)} stands in")
