"""`mailrouter db`, `backup` and `restore`: the database's schema, and everything in one file."""

import sys
from pathlib import Path

import click

from mailrouter import faults, settings
from mailrouter.cli.frame import Here, as_json, examples, here, login, said, show_json
from mailrouter.settings import Settings
from mailrouter.store import backup as outward
from mailrouter.store import migrate
from mailrouter.store import restore as inward
from mailrouter.store.engine import Database

_file = click.argument("file", type=click.Path(path_type=Path))


@click.group(epilog=examples("mailrouter db upgrade", "mailrouter db check"))
def db() -> None:
    """The database's schema."""


@db.command(epilog=examples("mailrouter db upgrade"))
@here
def upgrade(here: Here) -> None:
    """Bring the schema to what this program needs; makes it in an empty database. Safe to repeat."""
    revision = migrate.upgrade(_database(here))
    said(f"the schema is {revision}")


@db.command(epilog=examples("mailrouter db check", "mailrouter db check --json"))
@as_json
@here
def check(here: Here, json_: bool) -> None:
    """Whether the schema is the one this program needs. Exit 1 if it is not."""
    with _database(here).read() as tx:
        found = migrate.current(tx)
    needed = migrate.newest()
    if json_:
        show_json({"schema": found, "needed": needed, "good": found == needed})
    if found != needed:
        raise faults.NotFound(f"the schema is {found or 'empty'}, needed is {needed}: run `mailrouter db upgrade`")
    if not json_:
        said(f"the schema is {found}, as needed")


def _database(here: Here) -> Database:
    settings.ensure_data_dir(here.settings)
    return Database(here.settings.database.url)


def _home(of: Settings) -> Path:
    return of.identity.gnupg_home or of.data_dir / "gnupg"


@click.command(epilog=examples("mailrouter backup /srv/backup/mailrouter-2026-12-01"))
@_file
@here
def backup(here: Here, file: Path) -> None:
    """Everything in one file, while the daemon runs: the database, and our secret keys. Keep it safe.

    The settings and the files of `letters_dir` are not in it.
    """
    rows = outward.make(here.db, _home(here.settings), file, _progress)
    _progress_ends()
    said(f"{file}: {rows} rows, {file.stat().st_size} bytes")


@click.command(epilog=examples("mailrouter restore /srv/backup/mailrouter-2026-12-01"))
@_file
@here
def restore(here: Here, file: Path) -> None:
    """A backup into an empty database, of either kind. All queued letters are held afterwards."""
    of = here.settings
    settings.ensure_data_dir(of)
    order = inward.Order(_home(of), of.data_dir, of.node, f"unix:{login()}", here.now)
    done = inward.restore(Database(of.database.url), file, order, _progress)
    _progress_ends()
    said(f"{done.rows} rows restored; the journal holds together")
    said(_KEYS[done.keys])
    if done.letters_held:
        said(f"{done.letters_held} letters are held: look with `mailrouter outbox list --unsent`, then release them")
    said("`mailrouter beat --dry-run` says what falls due when the daemon starts; `mailrouter outbox pause` stops it")


_KEYS = {
    "restored": "our keys are back",
    "kept": "our keys were there already, and are as they were",
    "none": "the backup holds no keys",
}


def _progress(name: str, rows: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r\033[K{name}: {rows}", err=True, nl=False)


def _progress_ends() -> None:
    if sys.stderr.isatty():
        click.echo("\r\033[K", err=True, nl=False)
