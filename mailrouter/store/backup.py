"""One file of everything, made while the daemon runs. (The way back: restore.py.)

A backup is an SQLite database of our own schema, whichever database it came from, with one table more: the files of our
GNUPGHOME. It holds secret keys and every mail, so it is made with mode 0600.

Promises: a backup is one moment (one read transaction), and appears under its name only when it is whole and on the
disk.
"""

import os
import re
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    Table,
    Text,
    insert,
    select,
    update,
)
from sqlalchemy.exc import OperationalError

from mailrouter.faults import Refused
from mailrouter.store import migrate
from mailrouter.store.engine import Database
from mailrouter.store.tables import metadata

APPLICATION = 0x6D726274  # "mrbt": how an SQLite file says that it is a backup of ours (PRAGMA application_id)
BATCH_BYTES = 4 * 1024 * 1024  # written at once
ROWS = 1000  # read at once
FEW_ROWS = {"mails": 8, "letters": 8, "statements": 8}  # of tables whose rows may hold 25 MiB each
NO_KEYS = re.compile(r"S\.|\.#|random_seed|.*(~|\.lock)$")  # files of a GNUPGHOME: sockets, locks, seeds, copies

key_files = Table(
    "own_key_files",
    MetaData(),
    Column("path", Text, primary_key=True),  # relative to the GNUPGHOME
    Column("mode", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
)

Progress = Callable[[str, int], None]  # a table's name, and how many rows of it are copied


def make(db: Database, home: Path, target: Path, progress: Progress) -> int:
    """Write everything to the file `target`; returns the number of rows. `home`: our GNUPGHOME.

    Raises Refused, before anything is written, when `target` is a file that is no backup or cannot be made.
    """
    if target.exists() and not is_ours(target):
        raise Refused(f"{target} is there and is not a backup; give another name")
    try:
        with tempfile.TemporaryDirectory(dir=target.absolute().parent, prefix=".backup-") as folder:
            file = Path(folder) / "backup"
            rows = _fill(db, home, file, progress)
            _finish(file)
            file.replace(target)
            _sync(target.absolute().parent)
    except OSError as trouble:
        raise Refused(f"{target}: the backup cannot be written ({trouble.strerror})") from None
    except OperationalError as trouble:
        if getattr(trouble.orig, "sqlite_errorcode", None) != sqlite3.SQLITE_FULL:
            raise
        raise Refused(f"{target}: the backup cannot be written (the disk is full)") from None
    return rows


def _fill(db: Database, home: Path, file: Path, progress: Progress) -> int:
    copy = Database(f"sqlite:///{file}")
    try:
        migrate.upgrade(copy)
        with copy.write() as into, db.read() as tx:
            rows = sum(copy_table(tx, into, table, progress) for table in in_order())
            key_files.create(into)
            _keep_keys(into, home)
        return rows
    finally:
        copy.close()


def _finish(file: Path) -> None:
    """One plain file, without a log beside it, marked as ours, on the disk."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA application_id={APPLICATION}")
        connection.execute("PRAGMA journal_mode=DELETE")
    file.chmod(0o600)
    with file.open("rb") as written:
        os.fsync(written.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_ours(file: Path) -> bool:
    """Whether it is a backup, by its head (https://sqlite.org/fileformat.html, section 1.3). Refused: unreadable."""
    try:
        with file.open("rb") as opened:
            head = opened.read(100)
    except OSError as trouble:
        raise Refused(f"{file} cannot be read ({trouble.strerror})") from None
    return head.startswith(b"SQLite format 3\0") and head[68:72] == APPLICATION.to_bytes(4, "big")


# ---- rows ------------------------------------------------------------------------------------------------------------


def in_order() -> list[Table]:
    """Every table after those it refers to."""
    needs = {table: {key.column.table for key in table.foreign_keys} - {table} for table in metadata.tables.values()}
    return list(TopologicalSorter(needs).static_order())


def copy_table(tx: Connection, into: Connection, table: Table, progress: Progress) -> int:
    """Every row; returns how many."""
    copied = 0
    own = [key.parent for key in table.foreign_keys if key.column.table is table]  # rows that refer to later rows
    for batch in _batches(tx, table):
        into.execute(insert(table), [{**row, **{column.name: None for column in own}} for row in batch])
        copied += len(batch)
        progress(table.name, copied)
    for column in own:
        _refer(tx, into, table, column)
    return copied


def _refer(tx: Connection, into: Connection, table: Table, column: Column[Any]) -> None:
    for row in tx.execute(select(table.c.id, column).where(column.is_not(None))):
        into.execute(update(table).where(table.c.id == row.id).values({column: row[1]}))


def _batches(tx: Connection, table: Table) -> Iterator[list[dict[str, Any]]]:
    """Rows by the megabyte, in a stable order: of mails, few at a time are in memory."""
    wanted = select(table).order_by(*table.primary_key.columns)
    batch: list[dict[str, Any]] = []
    size = 0
    with tx.execute(wanted.execution_options(yield_per=FEW_ROWS.get(table.name, ROWS))) as rows:
        for row in rows:
            batch.append(dict(row._mapping))
            size += _size(row)
            if size > BATCH_BYTES or len(batch) >= ROWS:
                yield batch
                batch, size = [], 0
    if batch:
        yield batch


def _size(row: Row[Any]) -> int:
    return sum(len(value) for value in row if isinstance(value, str | bytes))


# ---- keys ------------------------------------------------------------------------------------------------------------


def _keep_keys(into: Connection, home: Path) -> None:
    for path in sorted(home.rglob("*")) if home.is_dir() else ():
        if path.is_file() and not path.is_symlink() and not NO_KEYS.match(path.name):
            kept = {"path": str(path.relative_to(home)), "mode": path.stat().st_mode & 0o777, "data": path.read_bytes()}
            into.execute(insert(key_files), kept)
