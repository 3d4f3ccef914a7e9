"""Which revision a database is at, and which this program needs, without Alembic: the same as Alembic says."""

import subprocess
import sys

import pytest
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from mailrouter.faults import Refused
from mailrouter.store import migrate
from mailrouter.store.engine import Database


def alembic_scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(migrate.scripts()))
    return ScriptDirectory.from_config(config)


def test_a_revision_is_its_files_first_word() -> None:
    for script in alembic_scripts().walk_revisions():
        assert script.path.rpartition("/")[2].startswith(f"{script.revision}_")


def test_the_newest_is_alembics_head() -> None:
    assert alembic_scripts().get_current_head() == migrate.newest()


def test_the_current_revision_is_what_alembic_finds(database_url: str) -> None:
    db = Database(database_url)
    with db.read() as tx:
        assert migrate.current(tx) is MigrationContext.configure(tx).get_current_revision() is None
    migrate.upgrade(db)
    with db.read() as tx:
        assert migrate.current(tx) == MigrationContext.configure(tx).get_current_revision() == migrate.newest()
    db.close()


def test_a_newer_programs_schema_is_refused(database: Database) -> None:
    with database.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Refused, match="the schema 9999 was made by a newer program; this one knows 0"):
        migrate.upgrade(database)
    with pytest.raises(Refused, match="the database's schema is 9999, this program needs 0"):
        migrate.check(database)


def test_no_other_command_loads_alembic() -> None:
    told = "import sys, mailrouter.service, mailrouter.cli; print('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True).stdout == "False\n"
