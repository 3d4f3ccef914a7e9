"""A backup's way back into an empty database.

Promises: everything that can be checked is checked before anything is changed: that the file is whole, that this
program knows its schema, that its journal holds together, that the database is empty. The restore is one transaction,
and leaves no letter queued: what waits then may have been sent since the backup was made. For the same reason a CVE ID
that was wanted is looked for at the service before it is asked for one.
"""

import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import file_digest
from pathlib import Path
from shutil import copyfile
from typing import Any

from sqlalchemy import Connection, Row, func, select, text, update

from mailrouter.faults import Refused
from mailrouter.store import cves, journal, migrate, orders, outbox, queues
from mailrouter.store.backup import NO_KEYS, Progress, copy_table, in_order, is_ours, key_files
from mailrouter.store.engine import Database
from mailrouter.store.tables import inbox, letters

NOT_RESTORED = frozenset({"nodes"})  # which daemons ran then says nothing of now
WHY_HELD = "held after a restore: it may have been sent since the backup was made"


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore brought back."""

    rows: int
    letters_held: int
    keys: str  # restored | kept: there were keys already | none: the backup holds none


@dataclass(frozen=True, slots=True)
class Order:
    """Who restores, when, and where: `home` is our GNUPGHOME, `scratch` a folder with room for a copy of the backup."""

    home: Path
    scratch: Path
    node: str
    actor: str
    now: datetime


def restore(db: Database, source: Path, order: Order, progress: Progress) -> Restored:
    """Bring a backup back into an empty database.

    Raises Refused, with nothing changed, when the file is no backup, is damaged, comes from a newer program, when its
    journal does not hold together, or when the database holds anything.
    """
    with _opened(source, order.scratch) as old:
        _have_schema(db)
        with db.write() as tx:
            _lock_everything(tx)
            _must_be_empty(tx)
            rows = sum(copy_table(old, tx, table, progress) for table in in_order() if table.name not in NOT_RESTORED)
            _move_sequences(tx)  # before anything new is written
            held = _quieten(tx, order.now)
            told = {"sha256": _sha256(source), "letters_held": held}
            journal.write(tx, journal.node_chain(order.node), order.now, "restored", order.actor, **told)
            keys = _put_keys_back(old.execute(select(key_files)).all(), order.home)
    return Restored(rows, held, keys)


def _have_schema(db: Database) -> None:
    with db.read() as tx:
        fresh = migrate.current(tx) is None
    if fresh:
        migrate.upgrade(db)
    migrate.check(db)


def _quieten(tx: Connection, now: datetime) -> int:
    """No letter leaves by itself, no order by mail is carried out; nobody who had work in hand then has it now."""
    tx.execute(update(inbox).values(leased_until=None))
    tx.execute(update(letters).values(leased_until=None))
    cves.look_first(tx)
    held = outbox.hold_everything(tx, WHY_HELD)
    if held:
        why = f"letters held after a restore: {held}; `mailrouter outbox list --unsent`, then release or leave each"
        queues.add_notice(tx, "operator", why, now, once=f"restored:{now.isoformat()}")
    if undone := orders.leave_undone(tx, now):
        shown = ", ".join(map(str, undone))
        why = f"orders by mail, not carried out: they may have been since the backup was made: message {shown}"
        queues.add_notice(tx, "operator", why, now, once=f"restored-orders:{now.isoformat()}")
    return held


def _lock_everything(tx: Connection) -> None:
    """On PostgreSQL another node could begin to write meanwhile; SQLite's writer is alone anyway."""
    if tx.dialect.name == "postgresql":
        names = ", ".join(f'"{table.name}"' for table in in_order())
        tx.execute(text(f"LOCK TABLE {names} IN EXCLUSIVE MODE"))


def _must_be_empty(tx: Connection) -> None:
    for table in in_order():
        if tx.execute(select(table).limit(1)).first() is not None:
            raise Refused(f"the database is not empty ({table.name}): a backup goes into an empty one only")


def _move_sequences(tx: Connection) -> None:
    """PostgreSQL counts apart from what is in the table."""
    for table in in_order() if tx.dialect.name == "postgresql" else ():
        if "id" in table.c:
            highest = tx.execute(select(func.max(table.c.id))).scalar()
            if highest is not None:
                tx.execute(select(func.setval(func.pg_get_serial_sequence(table.name, "id"), highest)))


# ---- keys ----------------------------------------------------------------------------------------------------------


def _put_keys_back(rows: Sequence[Row[Any]], home: Path) -> str:
    """Into a home without files, all of them or none. `Refused` when it holds others than these."""
    if not rows:
        return "none"
    if any(path.is_file() and not NO_KEYS.match(path.name) for path in home.rglob("*")):
        _must_be_there(rows, home)
        return "kept"
    written: list[Path] = []
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        for row in rows:
            written.append(_inside(home, row.path))
            _write(written[-1], row.data, row.mode)
    except OSError as trouble:
        for path in written:
            path.unlink(missing_ok=True)
        raise Refused(f"{home}: our keys cannot be put back ({trouble.strerror})") from None
    return "restored"


def _must_be_there(rows: Sequence[Row[Any]], home: Path) -> None:
    missing = [row.path for row in rows if row.path.endswith(".key") and not _inside(home, row.path).is_file()]
    if missing:
        raise Refused(f"{home} holds other keys than the backup; move that folder away first")


def _inside(folder: Path, name: str) -> Path:
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise Refused("the backup is damaged: a key's file lies outside the folder of keys")
    return folder / name


def _write(path: Path, data: bytes, mode: int) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=mode & 0o700)
    path.write_bytes(data)


# ---- looking at a backup before it is believed -----------------------------------------------------------------------


@contextmanager
def _opened(source: Path, scratch: Path) -> Iterator[Connection]:
    """A checked copy of the backup, at this program's schema; the file itself is never written to."""
    if not is_ours(source):
        raise Refused(f"{source} is not a backup made by `mailrouter backup`")
    with _folder_in(scratch) as folder:
        old = Database(f"sqlite:///{_copied(source, Path(folder) / 'backup')}")
        try:
            migrate.upgrade(old)
            with old.read() as tx:
                _check_journal(tx, source)
                yield tx
        finally:
            old.close()


def _folder_in(scratch: Path) -> tempfile.TemporaryDirectory[str]:
    try:
        return tempfile.TemporaryDirectory(dir=scratch, prefix=".restore-")
    except OSError as trouble:
        raise Refused(f"{scratch}: nothing can be written there ({trouble.strerror})") from None


def _copied(source: Path, file: Path) -> Path:
    try:
        copyfile(source, file)
    except OSError as trouble:
        raise Refused(f"{source} cannot be copied to {file.parent.parent} ({trouble.strerror})") from None
    if not _is_whole(file):
        raise Refused(f"{source} is damaged")
    return file


def _check_journal(tx: Connection, source: Path) -> None:
    broken = next(journal.verify(tx), None)
    if broken is not None:
        raise Refused(f"{source}: the journal is broken at {broken.chain}, row {broken.seq}: {broken.what}")


def _is_whole(file: Path) -> bool:
    try:
        with closing(sqlite3.connect(file)) as connection:
            found = connection.execute("PRAGMA integrity_check(1)").fetchall()
            dangling = connection.execute("PRAGMA foreign_key_check").fetchone()
    except sqlite3.DatabaseError:
        return False
    return found == [("ok",)] and dangling is None


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return file_digest(opened, "sha256").hexdigest()
