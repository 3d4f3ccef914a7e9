"""The schema's history, run from where the program is installed; one history for both databases.

Promises: an upgrade is one transaction; a program never works on a schema it does not know. Only an upgrade needs
Alembic: a revision is named by its file's first word, and looking which one a database has is one query.
"""

from importlib.resources import files
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from mailrouter import faults
from mailrouter.store.engine import Database


def scripts() -> Path:
    """Where the migrations lie: in the installed package, or beside it in a checkout."""
    package = Path(str(files("mailrouter")))
    packed = package / "migrations"
    return packed if packed.is_dir() else package.parent / "migrations"


def upgrade(db: Database) -> str:
    """Bring the schema to the newest revision; returns it. `Refused` when a newer program has been here."""
    from alembic import command  # 8 MB, and a quarter of a second of every other command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(scripts()).replace("%", "%%"))
    with db.write() as tx:
        _must_be_known(current(tx))
        config.attributes["connection"] = tx
        command.upgrade(config, "head")
    return newest()


def check(db: Database) -> None:
    """`Refused` unless the schema is exactly the one this program knows."""
    with db.read() as tx:
        found = current(tx)
    if found != newest():
        raise faults.Refused(
            f"the database's schema is {found or 'empty'}, this program needs {newest()}: run `mailrouter db upgrade`"
        )


def current(tx: Connection) -> str | None:
    """The revision the database is at; None for an empty one."""
    if not inspect(tx).has_table("alembic_version"):
        return None
    found: str | None = tx.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _must_be_known(revision: str | None) -> None:
    if revision is not None and revision not in _revisions():
        raise faults.Refused(f"the schema {revision} was made by a newer program; this one knows {newest()}")


def newest() -> str:
    """The revision this program needs."""
    return max(_revisions())


def _revisions() -> set[str]:
    return {path.name.partition("_")[0] for path in (scripts() / "versions").glob("[0-9]*_*.py")}
