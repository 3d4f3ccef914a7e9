"""`mailrouter backup` and `restore`: everything, at one moment, from either database into either."""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
from sqlalchemy import delete, func, insert, select, update

from mailrouter.faults import Refused
from mailrouter.flow.casework import contacting, coordinate
from mailrouter.flow.cves import reserving
from mailrouter.mail.envelope import Envelope
from mailrouter.store import (
    backup,
    books,
    contacts,
    cves,
    inbox,
    journal,
    migrate,
    orders,
    outbox,
    queues,
    restore,
    tables,
)
from mailrouter.store.engine import Database
from tests.cli.console import Console
from tests.flow.world import VU, World
from tests.servers.clock import START
from tests.servers.databases import KINDS

RAW = b"From: a@b.example\r\nSubject: hello\r\n\r\n\x00\xff\r\n"


def quiet(_name: str, _rows: int) -> None:
    """No progress."""


def everything(db: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    with db.read() as tx:
        return {
            table.name: [tuple(row) for row in tx.execute(select(table).order_by(*table.primary_key.columns))]
            for table in tables.metadata.sorted_tables
        }


@pytest.fixture(params=KINDS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A second database, fresh, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'second.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def second(empty_url: str) -> Iterator[Database]:
    """The same, open."""
    opened = Database(empty_url)
    yield opened
    opened.close()


@pytest.fixture
def filled(world: World, tmp_path: Path) -> World:
    """Rows in most tables, among them what is hard to copy: analysts who refer to later ones, bytes, big mails."""
    world.vendor_case(key=True)
    world.feed(world.signed(f"== VENDOR STATEMENT VU#{VU} ==\nNot affected.\n== END ==\n", f"VU#{VU} statement"))
    world.feed(world.mail("stranger@else.example", body="x" * 3_000_000), world.mail("other@else.example", "New"))
    world.accept(Envelope("lmtp", "", ("cert@cert.example",), RAW, START))
    later = world.analyst("zoe", "bounces")
    with world.writing() as tx:
        tx.execute(update(tables.analysts).where(tables.analysts.c.name == "alice").values(cover_id=later.id))
        outbox.brake(tx, on=True)
    world.organisation("Other", "psirt@other.example")
    coordinate.add_vendor(world.tools, world.alice, VU, "Other")
    contacting.notify(world.tools, world.alice, VU, without_details=True)  # stays queued: the brake is on
    return world


def keys_in(folder: Path) -> Path:
    """A GNUPGHOME with two files, and what does not belong into a backup."""
    (folder / "private-keys-v1.d").mkdir(parents=True)
    folder.chmod(0o700)
    (folder / "pubring.kbx").write_bytes(b"public")
    (folder / "private-keys-v1.d" / "AB.key").write_bytes(b"secret")
    for left_out in ("random_seed", ".#lk0x1", "pubring.kbx~", "S.gpg-agent", "pubring.kbx.lock"):
        (folder / left_out).write_bytes(b"x")
    (folder / "link").symlink_to("/etc/passwd")
    return folder


def order(home: Path, scratch: Path) -> restore.Order:
    return restore.Order(home, scratch, "n2", "unix:root", START)


# ---- there and back --------------------------------------------------------------------------------------------------


def test_everything_comes_back(filled: World, second: Database, tmp_path: Path) -> None:
    before = everything(filled.tools.db)
    seen: dict[str, int] = {}
    rows = backup.make(filled.tools.db, keys_in(tmp_path / "home"), tmp_path / "file", seen.__setitem__)
    assert rows == sum(map(len, before.values())) == sum(seen.values())
    done = restore.restore(second, tmp_path / "file", order(tmp_path / "new", tmp_path), quiet)
    after = everything(second)
    assert done == restore.Restored(rows, letters_held=1, keys="restored")
    same = set(before) - {"letters", "journal", "chains", "queue_items", "inbox"}
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert after["journal"][: len(before["journal"])] == before["journal"]
    assert [row[0] for row in after["inbox"]] == [row[0] for row in before["inbox"]]
    files = {str(path.relative_to(tmp_path / "new")): path for path in (tmp_path / "new").rglob("*") if path.is_file()}
    assert sorted(files) == ["private-keys-v1.d/AB.key", "pubring.kbx"]
    assert files["private-keys-v1.d/AB.key"].read_bytes() == b"secret"
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "new", *files.values())} == {0}


def test_orders_by_mail_that_were_open_are_not_carried_out_and_said(
    filled: World, second: Database, tmp_path: Path
) -> None:
    """What they order may have been done between the backup and the disaster."""
    item = filled.queue("review")[0].item
    with filled.writing() as tx:
        orders.add(tx, item.message_id or 0, filled.alice.analyst_id or 0, item.id, START)
    backup.make(filled.tools.db, tmp_path / "none", tmp_path / "file", quiet)
    restore.restore(second, tmp_path / "file", order(tmp_path / "none", tmp_path), quiet)
    with second.read() as tx:
        assert not orders.waits(tx, START)
        assert queues.shown(tx, "operator")[-1].item.why.endswith(f"message {item.message_id}")


def test_what_waited_is_held_and_said(filled: World, second: Database, tmp_path: Path) -> None:
    backup.make(filled.tools.db, tmp_path / "none", tmp_path / "file", quiet)
    done = restore.restore(second, tmp_path / "file", order(tmp_path / "none", tmp_path), quiet)
    assert (done.letters_held, done.keys) == (1, "none")
    with second.read() as tx:
        states = [(letter.name, letter.state) for letter, _vu in outbox.listed(tx)]
        assert ("notification", "held") in states
        assert "queued" not in [state for _name, state in states]
        assert queues.shown(tx, "operator")[0].item.why.startswith("letters held after a restore: 1")
        assert list(journal.verify(tx)) == []
        last = journal.entries(tx, "node:n2")[-1]
        assert (last.kind, last.actor, last.data["letters_held"]) == ("restored", "unix:root", 1)
        assert books.count(tx).balanced


def test_life_goes_on_after_a_restore(filled: World, second: Database, tmp_path: Path) -> None:
    """Numbers go on behind those that were given: on PostgreSQL a sequence of its own counts them."""
    backup.make(filled.tools.db, tmp_path / "none", tmp_path / "file", quiet)
    restore.restore(second, tmp_path / "file", order(tmp_path / "none", tmp_path), quiet)
    with second.write() as tx:
        highest = tx.execute(select(func.max(tables.organisations.c.id))).scalar_one()
        assert contacts.add(tx, "Newcomer").id > highest
        inbox.accept(tx, "n2", [Envelope("smtp", "", ("cert@cert.example",), b"new", START)])
        inbox.accept(tx, "n2", [Envelope("lmtp", "", ("cert@cert.example",), RAW, START)])  # known: stored once
        assert books.count(tx).total.pending == 2


def test_a_cve_id_that_was_wanted_is_looked_for_before_it_is_asked_for(
    filled: World, second: Database, tmp_path: Path
) -> None:
    """It may have been reserved since the backup was made."""
    reserving.order(filled.tools, filled.alice, VU, None)
    backup.make(filled.tools.db, tmp_path / "none", tmp_path / "file", quiet)
    restore.restore(second, tmp_path / "file", order(tmp_path / "none", tmp_path), quiet)
    with second.read() as tx:
        [wanted] = cves.wanted(tx)
    assert (wanted.tried_at, wanted.tries, wanted.not_before) == (wanted.wanted_at, 0, None)


def test_leases_of_a_former_life_are_free(filled: World, second: Database, tmp_path: Path) -> None:
    with filled.writing() as tx:
        assert inbox.claim(tx, filled.tools.holder, filled.clock(), 10)
    backup.make(filled.tools.db, tmp_path / "none", tmp_path / "file", quiet)
    restore.restore(second, tmp_path / "file", order(tmp_path / "none", tmp_path), quiet)
    with second.write() as tx:
        assert len(inbox.claim(tx, inbox.Holder("n9", "1"), filled.clock(), 10)) == 1


def test_a_backup_of_nothing(world: World, second: Database, tmp_path: Path) -> None:
    with world.writing() as tx:
        tx.execute(delete(tables.analysts))
    assert backup.make(world.tools.db, tmp_path / "none", tmp_path / "file", quiet) == 0
    assert restore.restore(second, tmp_path / "file", order(tmp_path / "none", tmp_path), quiet).rows == 0


# ---- the file --------------------------------------------------------------------------------------------------------


def test_the_file_is_one_private_and_plain(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    backup.make(world.tools.db, tmp_path / "none", folder / "file", quiet)
    assert [path.name for path in folder.iterdir()] == ["file"]
    assert (folder / "file").stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(f"file:{folder / 'file'}?mode=ro", uri=True)) as opened:
        assert opened.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert opened.execute("SELECT name FROM analysts").fetchall() == [("alice",)]
        assert opened.execute("SELECT version_num FROM alembic_version").fetchone() == (migrate.newest(),)


def test_a_backup_replaces_a_backup_and_nothing_else(world: World, tmp_path: Path) -> None:
    target = tmp_path / "file"
    for _ in range(2):
        backup.make(world.tools.db, tmp_path / "none", target, quiet)
    target.write_bytes(b"precious")
    with pytest.raises(Refused, match="is there and is not a backup"):
        backup.make(world.tools.db, tmp_path / "none", target, quiet)
    assert target.read_bytes() == b"precious"


def test_the_live_database_is_not_overwritten(file: Path, tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path / 'first.db'}")
    with pytest.raises(Refused, match="is there and is not a backup"):
        backup.make(db, tmp_path / "none", tmp_path / "first.db", quiet)
    db.close()


def test_one_moment_while_others_write(world: World, tmp_path: Path) -> None:
    """Mails accepted in the middle of a backup are in it with their tally, or not at all."""
    stop = threading.Event()
    stored = threading.Event()

    def door() -> None:
        db = Database(world.tools.settings.database.url)
        number = 0
        while not stop.is_set():
            with db.write() as tx:
                letter = Envelope("smtp", "", ("cert@cert.example",), b"%d" % number, START)
                inbox.accept(tx, "n1", [letter])
            number += 1
            stored.set()
        db.close()

    writer = threading.Thread(target=door)
    writer.start()
    try:
        for number in range(3):
            stored.clear()
            assert stored.wait(30)
            backup.make(world.tools.db, tmp_path / "none", tmp_path / f"file{number}", lambda *_: stored.wait(0.05))
    finally:
        stop.set()
        writer.join()
    for number in range(3):
        copy = Database(f"sqlite:///{tmp_path / f'file{number}'}")
        with copy.read() as tx:
            counted = books.count(tx)
            assert counted.balanced
            assert counted.total.accepted > 0
        copy.close()


# ---- refusals --------------------------------------------------------------------------------------------------------


@pytest.fixture
def file(sqlite_template: Path, tmp_path: Path) -> Path:
    """A small backup with a journal in it."""
    copyfile(sqlite_template, tmp_path / "first.db")
    db = Database(f"sqlite:///{tmp_path / 'first.db'}")
    with db.write() as tx:
        for number in range(3):
            journal.write(tx, "node:n1", START, "tested", "alice", number=number)
    backup.make(db, tmp_path / "none", tmp_path / "file", quiet)
    db.close()
    return tmp_path / "file"


def sql(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as opened:
        for statement in statements:
            opened.execute(statement)
        opened.commit()


Spoil = Callable[[Path], object]

SPOILT: dict[str, tuple[Spoil, str]] = {
    "not there": (lambda path: path.unlink(), "cannot be read"),
    "empty": (lambda path: path.write_bytes(b""), "is not a backup"),
    "a text": (lambda path: path.write_text("hello"), "is not a backup"),
    "another SQLite file": (lambda path: sql(path, "PRAGMA application_id=0"), "is not a backup"),
    "cut off": (lambda path: os.truncate(path, 20_000), "is damaged"),
    "holes in it": (lambda path: overwrite(path, 8192, b"\xff" * 40_000), "is damaged"),
    "a newer schema": (lambda path: sql(path, "UPDATE alembic_version SET version_num='9999'"), "newer program"),
    "a changed journal": (lambda path: sql(path, "UPDATE journal SET actor='x' WHERE seq=2"), "journal is broken"),
    "a shorter journal": (lambda path: sql(path, "DELETE FROM journal WHERE seq=3"), "journal is broken"),
    "a dangling row": (lambda path: sql(path, "INSERT INTO inbox (mail_id, size) VALUES (77, 1)"), "is damaged"),
    "a key outside": (
        lambda path: sql(path, "INSERT INTO own_key_files VALUES ('../../evil.key', 384, x'00')"), "is damaged",
    ),
}  # fmt: skip


def overwrite(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


@pytest.mark.parametrize("how", SPOILT)
def test_a_spoilt_file_changes_nothing(file: Path, second: Database, tmp_path: Path, how: str) -> None:
    spoil, said = SPOILT[how]
    spoil(file)
    with pytest.raises(Refused, match=said):
        restore.restore(second, file, order(tmp_path / "new", tmp_path), quiet)
    with second.read() as tx:
        fresh = migrate.current(tx) is None
    assert fresh or not any(everything(second).values())
    assert not any(path.is_file() for path in (tmp_path / "new").rglob("*"))
    assert not list(tmp_path.glob(".restore-*"))
    assert not (tmp_path.parent / "evil.key").exists()


@pytest.mark.parametrize("table", ["analysts", "nodes", "switches", "chains"])
def test_only_into_an_empty_database(file: Path, second: Database, tmp_path: Path, table: str) -> None:
    migrate.upgrade(second)
    rows = {
        "analysts": {"name": "bob"}, "nodes": {"name": "n1"}, "switches": {"name": "outbox"},
        "chains": {"chain": "node:n1", "head": b"0"},
    }  # fmt: skip
    with second.write() as tx:
        tx.execute(insert(tables.metadata.tables[table]).values(rows[table]))
    with pytest.raises(Refused, match=rf"not empty \({table}\)"):
        restore.restore(second, file, order(tmp_path / "new", tmp_path), quiet)
    assert [name for name, found in everything(second).items() if found] == [table]


def test_keys_that_are_there_stay(world: World, second: Database, tmp_path: Path) -> None:
    home = keys_in(tmp_path / "home")
    backup.make(world.tools.db, home, tmp_path / "file", quiet)
    (home / "pubring.kbx").write_bytes(b"newer")
    assert restore.restore(second, tmp_path / "file", order(home, tmp_path), quiet).keys == "kept"
    assert (home / "pubring.kbx").read_bytes() == b"newer"


def test_other_keys_are_in_the_way(world: World, second: Database, tmp_path: Path) -> None:
    backup.make(world.tools.db, keys_in(tmp_path / "home"), tmp_path / "file", quiet)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "pubring.kbx").write_bytes(b"other")
    with pytest.raises(Refused, match="other keys than the backup"):
        restore.restore(second, tmp_path / "file", order(tmp_path / "other", tmp_path), quiet)
    assert not any(everything(second).values())


def test_a_folder_that_is_not_there(console: Console, tmp_path: Path) -> None:
    said = console.refused("backup", str(tmp_path / "no" / "file"), status=2)
    assert said.endswith("the backup cannot be written (No such file or directory)")


def test_no_room_for_the_copy(file: Path, second: Database, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="nothing can be written there"):
        restore.restore(second, file, order(tmp_path / "new", tmp_path / "nowhere"), quiet)
