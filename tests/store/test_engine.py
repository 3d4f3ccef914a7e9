"""One way to read, one way to write: nothing is lost, nobody starves, and a look sees one moment."""

import multiprocessing
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DataError, DBAPIError, InternalError, OperationalError, ProgrammingError

from mailrouter.store import journal, migrate, outbox, queues
from mailrouter.store.engine import Database, Turn, is_away
from mailrouter.store.tables import participants, switches

THREADS, TIMES = 8, 50
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
spawned = multiprocessing.get_context("spawn")


def together(work: Callable[[int], object], many: int = THREADS) -> None:
    """The same work in many threads, begun at one moment."""
    begin = threading.Barrier(many)

    def one(number: int) -> object:
        begin.wait(30)
        return work(number)

    with ThreadPoolExecutor(many) as pool:
        for done in [pool.submit(one, number) for number in range(many)]:
            done.result(timeout=120)


# ---- one transaction for several -------------------------------------------------------------------------------------


def put(database: Database, name: str) -> None:
    """A verb with a transaction of its own."""
    with database.write() as tx:
        tx.execute(switches.insert().values(name=name, value=""))


def names(database: Database) -> set[str]:
    with database.read() as tx:
        return set(tx.execute(switches.select()).scalars())


def fails(database: Database, name: str) -> None:
    """A verb that is refused when half of it is done."""
    with database.write():
        put(database, name)
        raise RuntimeError


def test_what_fails_within_a_transaction_is_undone_alone(database: Database) -> None:
    with database.write() as tx:
        joined = database.within(tx)
        put(joined, "first")
        with pytest.raises(RuntimeError):
            fails(joined, "second")
        put(joined, "third")
        assert names(joined) == {"first", "third"}
        assert names(database) == set()  # nobody else sees it yet
    assert names(database) == {"first", "third"}


def test_what_joined_a_transaction_goes_with_it(database: Database) -> None:
    def both() -> None:
        with database.write() as tx:
            put(database.within(tx), "first")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        both()
    assert names(database) == set()
    put(database, "later")
    assert names(database) == {"later"}


# ---- nothing is lost ------------------------------------------------------------------------------------------------


def test_read_then_write_loses_no_update(database: Database) -> None:
    """The journal reads a chain's length and writes the next: 400 rows, one after the other."""

    def write(number: int) -> None:
        for time in range(TIMES):
            with database.write() as tx:
                journal.write(tx, "case:1", NOW, "tick", f"thread {number}", time=time)

    together(write)
    with database.read() as tx:
        entries = journal.entries(tx, "case:1")
        assert [entry.seq for entry in entries] == list(range(1, THREADS * TIMES + 1))
        assert list(journal.verify(tx)) == []


def test_a_counter_under_a_held_row_loses_no_update(database: Database) -> None:
    with database.write() as tx:
        tx.execute(switches.insert().values(name="count", value="0"))

    def count(_: int) -> None:
        for _time in range(TIMES):
            with database.write() as tx:
                held = switches.select().where(switches.c.name == "count").with_for_update()
                value = int(tx.execute(held).one().value)
                tx.execute(switches.update().where(switches.c.name == "count").values(value=str(value + 1)))

    together(count)
    with database.read() as tx:
        assert tx.execute(switches.select()).one().value == str(THREADS * TIMES)


def _count_in_a_process(url: str, begin: Event) -> None:
    db = Database(url)
    begin.wait(60)
    for _ in range(TIMES):
        with db.write() as tx:
            journal.write(tx, "node:n1", NOW, "tick", "process")
    db.close()


def test_processes_lose_no_update_either(migrated_url: str) -> None:
    begin = spawned.Event()
    processes = [spawned.Process(target=_count_in_a_process, args=(migrated_url, begin)) for _ in range(4)]
    for process in processes:
        process.start()
    begin.set()
    for process in processes:
        process.join(120)
        assert process.exitcode == 0
    db = Database(migrated_url)
    with db.read() as tx:
        assert len(journal.entries(tx, "node:n1")) == 4 * TIMES
        assert list(journal.verify(tx)) == []
    db.close()


def test_a_step_that_many_make_at_once_is_made_once(database: Database) -> None:
    made: list[bool] = []

    def make(_: int) -> None:
        with database.write() as tx:
            letter = outbox.queue(tx, {"name": "x", "step": "one", "made_at": NOW, "message_id": "<x>"})
            made.append(letter is not None)
        with database.write() as tx:
            made.append(queues.add_notice(tx, "review", "why", NOW, once="one"))

    together(make)
    assert sorted(made) == [False] * (2 * THREADS - 2) + [True] * 2


def test_an_exception_rolls_everything_back(database: Database) -> None:
    class Stop(Exception):
        pass

    def write_and_stop() -> None:
        with database.write() as tx:
            journal.write(tx, "case:1", NOW, "tick", "x")
            raise Stop

    with pytest.raises(Stop):
        write_and_stop()
    with database.read() as tx:
        assert journal.entries(tx, "case:1") == []
    with database.write() as tx:  # the turn was given back
        journal.write(tx, "case:1", NOW, "tick", "x")


# ---- a look ---------------------------------------------------------------------------------------------------------


def test_a_look_sees_one_moment_and_waits_for_no_writer(database: Database) -> None:
    with database.read() as look:
        assert journal.entries(look, "case:1") == []
        with database.write() as tx:
            journal.write(tx, "case:1", NOW, "tick", "x")
        assert journal.entries(look, "case:1") == []
        assert list(journal.verify(look)) == []
    with database.write() as tx:
        journal.write(tx, "case:1", NOW, "tick", "x")
        with database.read() as look:
            assert len(journal.entries(look, "case:1")) == 1


def test_foreign_keys_hold(database: Database) -> None:
    with pytest.raises(DBAPIError), database.write() as tx:
        tx.execute(participants.insert().values(case_id=999, organisation_id=999))


def test_a_commit_is_on_disk(database: Database) -> None:
    with database.read() as tx:
        if database.is_sqlite:
            assert tx.execute(text("PRAGMA journal_mode")).scalar() == "wal"
            assert tx.execute(text("PRAGMA synchronous")).scalar() == 2  # FULL
        else:
            assert tx.execute(text("SHOW synchronous_commit")).scalar() == "on"
            assert tx.execute(text("SHOW fsync")).scalar() == "on"


def test_instants_come_back_as_they_went_in(database: Database) -> None:
    exact = datetime(2026, 3, 2, 9, 30, 59, 123456, UTC)
    with database.write() as tx:
        letter = outbox.queue(tx, {"name": "x", "made_at": exact, "message_id": "<x>"})
        assert letter is not None
        assert outbox.get(tx, letter).made_at == exact
    with pytest.raises(Exception, match="an instant needs its zone"), database.write() as tx:
        outbox.queue(tx, {"name": "x", "made_at": exact.replace(tzinfo=None), "message_id": "<x>"})


# ---- the fair turn of SQLite's writers ------------------------------------------------------------------------------


def _hold_the_turn(path: Path, held: Event, let_go: Event) -> None:
    with Turn(path).taken():
        held.set()
        let_go.wait(60)


def test_another_processs_turn_is_waited_for_and_a_dead_ones_is_free(tmp_path: Path) -> None:
    held, let_go = spawned.Event(), spawned.Event()
    holder = spawned.Process(target=_hold_the_turn, args=(tmp_path / "turn", held, let_go))
    holder.start()
    assert held.wait(60)
    mine, done = Turn(tmp_path / "turn"), threading.Event()

    def take() -> None:
        with mine.taken():
            done.set()

    waiting = threading.Thread(target=take)
    waiting.start()
    assert not done.wait(0.3)
    holder.kill()
    assert done.wait(30)
    waiting.join(30)
    holder.join(30)


def test_a_door_is_not_starved_by_a_busy_worker(tmp_path: Path) -> None:
    """Writers of two `Database`s take turns: while the worker does many, the door gets one in between, every time."""
    url = f"sqlite:///{tmp_path / 'x.db'}"
    worker, door = Database(url), Database(url)
    migrate.upgrade(worker)
    over, rounds = threading.Event(), [0]

    def busy() -> None:
        while not over.is_set():
            with worker.write() as tx:
                journal.write(tx, "node:w", NOW, "tick", "worker")
            rounds[0] += 1

    thread = threading.Thread(target=busy)
    thread.start()
    waited = []
    for _ in range(30):
        before = rounds[0]
        with door.write() as tx:
            journal.write(tx, "node:d", NOW, "tick", "door")
        waited.append(rounds[0] - before)
    over.set()
    thread.join(60)
    assert sorted(waited)[len(waited) // 2] <= 5, waited
    worker.close()
    door.close()


@pytest.mark.parametrize(("kind", "away"), [(OperationalError, True), (DataError, False), (ProgrammingError, False)])
def test_a_value_the_driver_will_not_send_is_no_database_that_is_away(kind: type[DBAPIError], away: bool) -> None:
    """Else the mail that holds it would be taken up again for ever, and all behind it would wait."""
    assert is_away(kind("INSERT", {}, Exception("no code, no state"))) is away


@pytest.mark.row("R11")
def test_a_foreign_writer_who_never_ends_is_an_error_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailrouter.store.engine.BUSY_SECONDS", 0.2)
    db = Database(f"sqlite:///{tmp_path / 'x.db'}")
    migrate.upgrade(db)
    foreign = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    foreign.execute("BEGIN EXCLUSIVE")
    with pytest.raises(OperationalError) as trouble, db.write() as tx:
        journal.write(tx, "case:1", NOW, "tick", "x")
    assert is_away(trouble.value)
    foreign.execute("ROLLBACK")
    with db.write() as tx:
        journal.write(tx, "case:1", NOW, "tick", "x")
    foreign.close()
    db.close()


@pytest.mark.row("R15")
@pytest.mark.parametrize("migrated_url", ["postgresql"], indirect=True)
def test_a_server_made_read_only_is_not_written_to_by_a_connection_that_read(migrated_url: str) -> None:
    """What ends a reader's use of a connection must not make the next one READ WRITE against the server's word."""
    db = Database(migrated_url)
    name = make_url(migrated_url).database
    try:
        with db.write() as tx:
            tx.exec_driver_sql(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
        db.close()
        with db.read() as tx:
            tx.execute(switches.select())
        with pytest.raises(InternalError) as refused, db.write() as tx:
            tx.execute(switches.insert().values(name="x", value="y"))
        assert is_away(refused.value)
    finally:
        with db.write() as tx:
            tx.exec_driver_sql("SET TRANSACTION READ WRITE")
            tx.exec_driver_sql(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
        db.close()
