"""The database: one engine, a way to read and a way to write.

Promises: a writer never loses a read-then-write to another writer (SQLite: BEGIN IMMEDIATE behind a fair lock on a
file; PostgreSQL: rows locked by whoever changes them), and a commit that returned is on disk (WAL with
synchronous=FULL; synchronous_commit=on). Readers never wait for a writer.
"""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DataError, DBAPIError, ProgrammingError

BUSY_SECONDS = 4  # a foreign writer may hold SQLite this long before the door answers 451; the promise is five


class Turn:
    """A fair queue before SQLite's writer: a blocking flock, since busy_timeout alone sleeps, retries and starves."""

    def __init__(self, path: Path) -> None:
        self._here = threading.Lock()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Wait for our turn, keep it for the block."""
        with self._here:
            fcntl.flock(self._file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._file, fcntl.LOCK_UN)


class Database:
    """Opens lazily; safe to share between threads; make a new one after a fork."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _sqlite(url) if self.is_sqlite else _postgresql(url)
        self._writer = self.engine.execution_options(mailrouter_begin="BEGIN IMMEDIATE")
        # PostgreSQL's default shows each query another moment: the books would not balance while mail comes in.
        snapshot = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._reader = self.engine.execution_options(**snapshot)
        self._turn: Turn | None = None
        self._within: Connection | None = None

    def within(self, tx: Connection) -> "Database":
        """The same database for verbs that are to be a part of `tx`: what one of them changes is a savepoint in it."""
        joined = copy(self)
        joined._within = tx
        return joined

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction that changes things: committed at the end of the block, rolled back on any exception."""
        if self._within is not None:
            with self._within.begin_nested():
                yield self._within
            return
        if not self.is_sqlite:
            with self.engine.begin() as tx:
                yield tx
            return
        with self._writers_turn().taken(), self._writer.begin() as tx:
            yield tx

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One moment, however many queries look at it. Never waits for a writer, and may change nothing."""
        if self._within is not None:
            yield self._within
            return
        with self._reader.begin() as tx:
            yield tx

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()

    def _writers_turn(self) -> Turn:
        if self._turn is None:
            self._turn = Turn(Path(f"{self.url.database}-turn"))
        return self._turn


def driver(url: str) -> tuple[str, str]:
    """The modules that opening this database imports, for a process that others are forked from."""
    dialect = make_url(url).get_dialect()
    return dialect.__module__, dialect.import_dbapi().__name__


def is_away(trouble: Exception) -> bool:
    """Whether the database is away, full, locked or read-only: no fault of what was being written."""
    if not isinstance(trouble, DBAPIError):
        return False
    code = getattr(trouble.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _SQLITE_AWAY
    state = getattr(trouble.orig, "sqlstate", None)
    if state is None:  # the driver's own words: no connection; or a value it will not even send, today or tomorrow
        return trouble.connection_invalidated or not isinstance(trouble, DataError | ProgrammingError)
    return trouble.connection_invalidated or state.startswith(_POSTGRESQL_AWAY)


_SQLITE_AWAY = {
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
}  # fmt: skip
# connection, resources, intervention, lock not available, serialisation and deadlock, read-only transaction
_POSTGRESQL_AWAY = ("08", "53", "57", "55P03", "40", "25006")


def _sqlite(url: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves; the driver's own lost 300 of 400 updates
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("mailrouter_begin", "BEGIN"))

    return engine


def _postgresql(url: str) -> Engine:
    engine = create_engine(
        url,
        pool_pre_ping=True,  # a restarted server must not poison the pool (R12)
        pool_size=5,
        connect_args={"connect_timeout": 5, "options": "-c timezone=UTC -c lock_timeout=30000"},
    )

    @event.listens_for(engine, "checkout")
    def as_the_server_says(connection: Any, _record: object, _proxy: object) -> None:
        """A connection that was a reader's would say READ WRITE, over the head of a server made read-only (R15)."""
        connection.read_only = None

    return engine
