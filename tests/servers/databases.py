"""The same test on both databases: `database_url` is empty, `migrated_url` holds our tables.

Migrations run once per worker and database; each test gets a copy.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailrouter.store import migrate
from mailrouter.store.engine import Database
from tests.servers.postgres import Postgres

KINDS = ("sqlite", "postgresql")


def migrated(url: str) -> None:
    """Bring the database to the newest schema."""
    db = Database(url)
    try:
        migrate.upgrade(db)
    finally:
        db.close()


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'mailrouter.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("template") / "mailrouter.db"
    migrated(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_server: Postgres) -> str:
    """The name of a migrated PostgreSQL database to copy."""
    name = postgres_server.create()
    migrated(postgres_server.url(name))
    return name


@pytest.fixture
def sqlite_copy(tmp_path: Path, sqlite_template: Path) -> str:
    """A SQLite database with our tables."""
    shutil.copyfile(sqlite_template, tmp_path / "mailrouter.db")
    return f"sqlite:///{tmp_path / 'mailrouter.db'}"


@pytest.fixture(scope="session")
def postgres_stock() -> list[str]:
    """Migrated, empty databases that an earlier test gave back."""
    return []


@pytest.fixture(params=KINDS)
def migrated_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with our tables in it, once of each kind."""
    if request.param == "sqlite":
        path = tmp_path / "mailrouter.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server: Postgres = request.getfixturevalue("postgres_server")
    template: str = request.getfixturevalue("postgres_template")
    stock: list[str] = request.getfixturevalue("postgres_stock")
    name = stock.pop() if stock else server.create(template)
    yield server.url(name)
    if not server.up():  # the test stopped it
        server.start()
    if server.emptied(name, template):
        stock.append(name)
    else:
        server.drop(name)


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    """An open `Database` with our tables, once of each kind."""
    opened = Database(migrated_url)
    yield opened
    opened.close()
