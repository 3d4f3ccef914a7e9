"""The database goes away, is locked, full, read-only, or leaves us in doubt (testbook: R08, R11, R12, R14, R15).

Whatever it is, the client keeps the mail (4xx, without a word of ours about it), what was acknowledged stays, and work
goes on by itself once the trouble is over.
"""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import psycopg
import pytest

from benchmarks.load import Door, Plan, run
from benchmarks.mails import replies
from tests.faults.kills import Load
from tests.faults.proxy import LOST_ANSWER, LOST_COMMIT, NO, Proxy, now_and_then, proxy
from tests.faults.scene import UNLIMITED, Store, compare, dice, hand_in, mails, open_cases, send, session
from tests.intake.house import Wire, stuffed
from tests.servers.daemon import ADDRESS, Daemon
from tests.servers.postgres import Postgres
from tests.servers.wait import refuse_or_skip, until

Daemons = Callable[..., Daemon]
STORED = "250 2.0.0 Stored"
LATER = "451 4.3.0 Try again later"
NO_ROOM = "452 4.3.1 Not enough room now, try again later"
MB = 1024 * 1024
long = pytest.mark.long


def plain(url: str) -> str:
    """As psycopg itself wants it."""
    return url.replace("+psycopg", "")


def until_stored(node: Daemon, raw: bytes) -> None:
    """A client that comes again until it has its 250."""
    until(lambda: send(node, raw) == [STORED], "a 250", seconds=20)


# ---- a locked store ------------------------------------------------------------------------------------------------


HOLD = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.row("R11")
def test_sqlite_held_by_another_process(daemons: Daemons, sqlite_copy: str) -> None:
    """The door answers 451 while workers and beat wait for the same lock, and reading goes on."""
    node, store, sent = daemons(sqlite_copy).start(), Store(sqlite_copy), mails(3)
    assert send(node, sent[0].raw) == [STORED]
    store.drained()
    path = sqlite_copy.removeprefix("sqlite:///")
    with subprocess.Popen([sys.executable, "-c", HOLD, path], stdin=-1, stdout=-1, text=True) as holder:
        assert holder.stdout
        assert holder.stdin
        assert holder.stdout.readline() == "held\n"
        assert send(node, sent[1].raw, sent[2].raw) == [LATER] * 2
        assert node.json("books")["accepted"] == 1
        holder.stdin.close()
    assert send(node, sent[1].raw, sent[2].raw) == [STORED] * 2
    store.drained()
    assert store.raws() == [mail.raw for mail in sent]
    store.in_order()


@pytest.mark.row("R07")
def test_postgresql_slow_to_take_a_mail_delays_only_its_reply(postgres_migrated: str, daemons: Daemons) -> None:
    """A commit that waits is neither cancelled nor answered early; others are spoken to meanwhile."""
    node, [mail] = daemons(postgres_migrated).start("--only", "smtp"), mails(1)
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with psycopg.connect(plain(postgres_migrated)) as other, session(node) as wire, session(node) as neighbour:
        other.execute("LOCK TABLE mails IN ACCESS EXCLUSIVE MODE")
        wire.ready(ADDRESS.encode())
        wire.send(stuffed(mail.raw))
        until(lambda: other.execute(waiting).fetchone() == (1,), "the door to wait for the lock")
        assert neighbour.ask(b"NOOP")[:3] == "250"
        other.rollback()
        assert wire.reply() == STORED
    assert Store(postgres_migrated).raws() == [mail.raw]


# ---- a full disk ---------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(place)], capture_output=True)
    if mounted.returncode != 0:
        refuse_or_skip("a small tmpfs can only be mounted by root")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def copy_to(folder: Path, template: Path) -> str:
    """A copy of the migrated database; its URL."""
    shutil.copyfile(template, folder / "mailrouter.db")
    return f"sqlite:///{folder / 'mailrouter.db'}"


def fill(disk: Path, *, but: int = 0) -> None:
    """Leave this many bytes free."""
    with (disk / "ballast").open("wb") as ballast:
        try:
            ballast.write(bytes(shutil.disk_usage(disk).free - but))
        except OSError:
            assert not but, "only a disk that is to be full may be full"


def empty(disk: Path) -> None:
    """Give back what `fill` took."""
    (disk / "ballast").unlink()


@pytest.mark.row("R08")
async def test_a_disk_that_fills_under_load(small_disk: Path, sqlite_template: Path, daemons: Daemons) -> None:
    """Refused at MAIL while there is still room for what is under way; at DATA when there is none; then taken again."""
    url = copy_to(small_disk, sqlite_template)
    node = daemons(url, DATA_DIR=str(small_disk), SMTP__MAX_SIZE="1 MiB", **UNLIMITED)
    store, large = Store(url), list(islice(replies(ADDRESS, "large", size=900_000), 6))
    await asyncio.to_thread(node.start)
    await asyncio.to_thread(fill, small_disk, but=6 * MB)
    big = replies(ADDRESS, "fill", size=100_000)
    ledger = await run(Door(node.smtp_port), (next(big) for _ in range(100)), Plan(sessions=4))
    assert {452} <= set(ledger.refused.values()) <= {451, 452}
    assert ledger.acked
    refused = [mail.raw for ident, mail in ledger.sent.items() if ident not in ledger.acked]
    with ExitStack() as held:
        wires = [held.enter_context(session(node)) for _ in range(6)]
        assert wires[0].ask(b"MAIL FROM:<a@b.example>") == NO_ROOM
        empty(small_disk)
        replied = await asyncio.to_thread(hand_in_while_the_disk_fills, wires, [m.raw for m in large], small_disk)
        assert {reply[:3] for reply in replied} <= {"250", "451", "452"}
        assert any(reply[0] == "4" for reply in replied)
        assert wires[0].ask(b"MAIL FROM:<a@b.example>") == NO_ROOM
        assert (await asyncio.to_thread(node.json, "books"))["accepted"] >= len(ledger.acked)
        empty(small_disk)
        assert hand_in(wires[0], refused[0]) == STORED
        assert [hand_in(wires[0], mail.raw) for mail in large] == [STORED] * 6
    await asyncio.to_thread(store.drained)
    sent = {ident: mail.raw for ident, mail in ledger.sent.items()} | {mail.ident: mail.raw for mail in large}
    assert compare(sent, ledger.acked | {mail.ident for mail in large}, store.raws()).clean
    store.in_order()


def hand_in_while_the_disk_fills(wires: list[Wire], raws: list[bytes], disk: Path) -> list[str]:
    """All are past MAIL when the last byte is taken; the replies to their final dots."""
    for wire in wires:
        wire.ready(ADDRESS.encode())
    fill(disk)
    for wire, raw in zip(wires, raws, strict=True):
        wire.send(stuffed(raw))
    return [wire.reply() for wire in wires]


# ---- PostgreSQL stops and starts -----------------------------------------------------------------------------------


@pytest.mark.row("R12")
@pytest.mark.parametrize("times", [3, pytest.param(20, marks=long)])
async def test_postgresql_crashes_under_load(
    postgres_migrated: str, postgres_server: Postgres, daemons: Daemons, times: int
) -> None:
    """451 while it is away; the same connections, and the same client sessions, go on once it is there again."""
    chance = dice()
    node, store, extra = daemons(postgres_migrated, **UNLIMITED), Store(postgres_migrated), mails(times, "extra")
    open_cases(node)
    node.start()
    async with Load([Door(node.smtp_port)], replies(ADDRESS, "crash")) as load:
        with session(node) as wire:
            for mail in extra:
                await asyncio.sleep(chance.uniform(0.3, 1.0))
                await asyncio.to_thread(postgres_server.stop, "immediate")
                assert await asyncio.to_thread(hand_in, wire, mail.raw) == LATER
                await asyncio.to_thread(postgres_server.start)
                assert await asyncio.to_thread(hand_in, wire, mail.raw) == STORED, "the pool is not poisoned"
    await asyncio.to_thread(store.drained)
    assert load.acked == set(load.sent)
    sent = load.sent | {mail.ident: mail.raw for mail in extra}
    assert compare(sent, set(sent), store.raws()).clean
    assert store.places() == {"filed": len(sent)}, "an outage is no fault of a mail's: none is parked"
    store.in_order()


# ---- in doubt ------------------------------------------------------------------------------------------------------


@pytest.fixture
def between(postgres_server: Postgres) -> Iterator[Proxy]:
    """In front of PostgreSQL."""
    with proxy(postgres_server.folder / ".s.PGSQL.5432") as made:
        yield made


def through(between: Proxy, url: str) -> str:
    """The same database, by way of the proxy."""
    return url.partition("?")[0].replace("@/", f"@127.0.0.1:{between.port}/")


@pytest.mark.row("R14")
@pytest.mark.parametrize("fate", [LOST_ANSWER, LOST_COMMIT])
def test_an_unknown_commit_is_answered_4xx_or_found_done(
    postgres_migrated: str, between: Proxy, daemons: Daemons, fate: str
) -> None:
    node = daemons(through(between, postgres_migrated)).start("--only", "smtp")
    store, sent = Store(postgres_migrated), mails(5)
    for mail in sent:
        fates = iter([fate])
        between.fate = lambda fates=fates: next(fates, NO)  # type: ignore[misc]  # mypy knows no lambda's default
        assert send(node, mail.raw) == [LATER]
        assert send(node, mail.raw) == [STORED]
    assert between.cuts == 5
    assert store.raws() == [mail.raw for mail in sent]
    store.in_order()


@pytest.mark.row("R14")
@pytest.mark.parametrize("mails", [300, pytest.param(10_000, marks=long)])
async def test_one_commit_in_ten_is_unknown(
    postgres_migrated: str, between: Proxy, daemons: Daemons, mails: int
) -> None:
    """Of the doors, of the workers and of the beat alike: everything is done once."""
    node, store = daemons(through(between, postgres_migrated), **UNLIMITED), Store(postgres_migrated)
    open_cases(node)
    await asyncio.to_thread(node.start)
    between.fate = now_and_then(dice(), 0.1)
    source = replies(ADDRESS, "doubt")
    plan = Plan(8, 3600, until_acked=True)
    ledger = await run(Door(node.smtp_port), (next(source) for _ in range(mails)), plan)
    await asyncio.to_thread(store.drained, seconds=600)
    assert between.cuts > 0
    assert len(ledger.acked) == mails
    assert compare({i: m.raw for i, m in ledger.sent.items()}, ledger.acked, store.raws()).clean
    assert store.places() == {"filed": mails}
    store.in_order()


# ---- not the database we need --------------------------------------------------------------------------------------


@pytest.mark.row("R15")
@pytest.mark.parametrize("version", ["", "0000"], ids=["empty", "of another program"])
def test_a_schema_we_do_not_know_refuses_the_start(migrated_url: str, daemons: Daemons, version: str) -> None:
    store = Store(migrated_url)
    store.change("UPDATE alembic_version SET version_num = :v" if version else "DELETE FROM alembic_version", v=version)
    node = daemons(migrated_url).start(ready=False)
    assert node.wait() == 2
    found = f"the database's schema is {version or 'empty'}, this program needs {newest()}"
    assert node.stderr().splitlines() == [f"mailrouter: {found}: run `mailrouter db upgrade`"]


def newest() -> str:
    """The newest migration's revision, by its file name."""
    return max(path.name for path in (Path(__file__).parents[2] / "migrations/versions").glob("0*.py"))[:4]


@pytest.mark.row("R15")
def test_a_standby_refuses_the_start_and_takes_no_mail(
    postgres_migrated: str, postgres_server: Postgres, daemons: Daemons
) -> None:
    """A database that became read-only under us answers 4xx; one that is so at the start is not started on."""
    node, store, [mail] = daemons(postgres_migrated), Store(postgres_migrated), mails(1)
    node.start()
    read_only(postgres_migrated, on=True)
    assert send(node, mail.raw, mail.raw) == [LATER] * 2
    assert node.terminate() != 0, "it could not say goodbye in the database"
    node.start(ready=False)
    assert node.wait() == 1
    [line] = [line for line in node.stderr().splitlines() if not line.startswith("{")]
    assert line == "mailrouter: the database does not do its work: cannot execute UPDATE in a read-only transaction"
    read_only(postgres_migrated, on=False)
    node.start()
    assert send(node, mail.raw) == [STORED]
    store.drained()
    store.in_order()


def read_only(url: str, *, on: bool) -> None:
    """Make the database refuse to be changed, as a standby does, for every connection."""
    name = plain(url).partition("?")[0].rpartition("/")[2]
    with psycopg.connect(plain(url), autocommit=True) as db:
        db.execute("SET default_transaction_read_only = off")
        db.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = {'on' if on else 'off'}")
        db.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> "
                   "pg_backend_pid()", [name])  # fmt: skip


@pytest.mark.row("R15")
def test_a_read_only_disk_refuses_the_start(small_disk: Path, sqlite_template: Path, daemons: Daemons) -> None:
    url = copy_to(small_disk, sqlite_template)
    node = daemons(url, DATA_DIR=str(small_disk))
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    node.start(ready=False)
    assert node.wait() in {1, 2}
    assert node.events("ready") == []
    assert "Traceback" not in node.stderr()
