"""The schema's history, run from where the program is installed; one history for both databases.

Promises: an upgrade is one transaction; a program never works on a schema it does not know.
"""

from importlib.resources import files
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.store.engine import Database


def scripts() -> Path:
    """Where the migrations lie: in the installed package, or beside it in a checkout."""
    package = Path(str(files("mailrouter")))
    packed = package / "migrations"
    return packed if packed.is_dir() else package.parent / "migrations"


def upgrade(db: Database) -> str:
    """Bring the schema to the newest revision; returns it. `Refused` when a newer program has been here."""
    config = _config()
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
    """The revision the database is at."""
    return MigrationContext.configure(tx).get_current_revision()


def _must_be_known(revision: str | None) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if revision is not None and revision not in known:
        raise faults.Refused(f"the schema {revision} was made by a newer program; this one knows {newest()}")


def newest() -> str:
    """The revision this program needs."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None
    return head


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(scripts()).replace("%", "%%"))
    return config
