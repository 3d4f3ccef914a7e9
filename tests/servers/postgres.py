"""A private PostgreSQL: fsync on, reached by a Unix socket in a short temporary folder, a fresh database for each test.

Under xdist every worker has its own server. As root the server runs as `postgres` (or `nobody`), as it insists.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

from tests.servers.wait import program, until

TOGETHER = 40  # databases, of 8 MB each
STOP = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}


class Postgres:
    """One server. `start` and `stop` may be called again and again (testbook/faults.md R12).

    It lives in a new folder in `parent`, which is short: a socket's path is 107 bytes at most.
    """

    def __init__(self, parent: str = "/tmp") -> None:
        versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        self._initdb = program("initdb", "postgresql", *reversed(versions))
        self._postgres = program("postgres", "postgresql", *reversed(versions))
        self._user = _unprivileged()
        self.folder = Path(tempfile.mkdtemp(prefix="pg-", dir=parent))
        self._process: subprocess.Popen[bytes] | None = None
        self._names = count(1)
        self._done: list[str] = []
        if self._user:
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
        self._run(self._initdb, "--pgdata", self._data, "--username=postgres", "--auth=trust", "--encoding=UTF8")

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _run(self, *command: object) -> None:
        done = subprocess.run(
            [str(part) for part in command], capture_output=True, timeout=120, cwd=self.folder, **self._as_user()
        )
        assert done.returncode == 0, done.stderr.decode("utf-8", "replace")

    def _as_user(self) -> dict[str, object]:
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []} if self._user else {}

    def start(self) -> None:
        """Start, and wait until it takes connections."""
        options = {"listen_addresses": "", "unix_socket_directories": self.folder, "max_connections": 200}
        settings = [part for key, value in options.items() for part in ("-c", f"{key}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._postgres), "-D", str(self._data), *settings],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                **self._as_user(),
            )
        until(self.up, "PostgreSQL to take connections", seconds=60)

    def stop(self, mode: str = "fast") -> None:
        """Stop: `fast`, or `immediate` as in a crash."""
        if self._process:
            self._process.send_signal(STOP[mode])
            self._process.wait(timeout=60)
            self._process = None

    def up(self) -> bool:
        """Does it take connections?"""
        try:
            with self._connect():
                return True
        except psycopg.OperationalError:
            return False

    def _connect(self, name: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(host=str(self.folder), user="postgres", dbname=name, autocommit=True)

    def create(self, template: str = "template0") -> str:
        """A new database, a copy of `template`; its name."""
        name = f"test{next(self._names)}"
        with self._connect() as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} ENCODING 'UTF8' LOCALE 'C'")
        return name

    def drop(self, name: str) -> None:
        """Throw a database away, whoever is still connected; some together, since each begins with a checkpoint."""
        self._done.append(name)
        if len(self._done) < TOGETHER:
            return
        with self._connect() as connection:
            for done in self._done:
                connection.execute(f"DROP DATABASE {done} WITH (FORCE)")
        self._done.clear()

    def emptied(self, name: str, template: str) -> bool:
        """Empty a copy of `template` for the next test; False if the test changed more than its rows.

        Making a database costs half a second; emptying one with few rows a few hundredths.
        """
        with self._connect() as connection:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
            if connection.execute(_SETTINGS, [name]).fetchone():
                return False
        with self._connect(name) as copy, self._connect(template) as original:
            if _shape(copy) != _shape(original):
                return False
            copy.execute(_EMPTY)
        return True

    def url(self, name: str) -> str:
        """As `database.url` wants it."""
        return f"postgresql+psycopg://postgres@/{name}?host={self.folder}"

    def remove(self) -> None:
        """Stop at once and leave nothing behind."""
        self.stop("immediate")
        shutil.rmtree(self.folder)


_SETTINGS = "SELECT 1 FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase WHERE datname = %s"
_SHAPE = """
    SELECT (SELECT array_agg(version_num) FROM alembic_version),
           (SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace),
           (SELECT string_agg(table_name || column_name || data_type, ',' ORDER BY table_name, column_name)
            FROM information_schema.columns WHERE table_schema = 'public'),
           (SELECT count(*) FROM pg_trigger)
"""
_EMPTY = """
    DO $$ DECLARE one record; BEGIN
        SET LOCAL session_replication_role = replica;
        FOR one IN SELECT oid::regclass AS name FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'
        LOOP EXECUTE format('DELETE FROM %s', one.name); END LOOP;
        FOR one IN SELECT oid::regclass AS name FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind = 'S'
        LOOP PERFORM setval(one.name, 1, false); END LOOP;
    END $$
"""


def _shape(connection: psycopg.Connection[tuple[object, ...]]) -> object:
    return connection.execute(_SHAPE).fetchone()


def _unprivileged() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    return known.get("postgres") or known["nobody"]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """This worker's PostgreSQL. A test that stops it starts it again."""
    server = Postgres()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def postgres_url(postgres_server: Postgres) -> Iterator[str]:
    """An empty PostgreSQL database of this test's own."""
    name = postgres_server.create()
    yield postgres_server.url(name)
    if not postgres_server.up():  # the test stopped it
        postgres_server.start()
    postgres_server.drop(name)
