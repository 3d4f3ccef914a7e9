"""What goes wrong around the doors: the store, the disk, the client, the process (testbook/faults.md)."""

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import pytest

from benchmarks.load import Door, Ledger, Plan, run
from benchmarks.mails import replies
from mailrouter.intake.limits import Limits
from mailrouter.mail.envelope import Envelope
from tests.intake.house import MAIL, House, Table, Wire
from tests.servers.wait import refuse_or_skip, until

Houses = Callable[..., House]
LATER = "451 4.3.0 Try again later"
MB = 1024 * 1024


# ---- the store -----------------------------------------------------------------------------------------------------


@pytest.mark.row("R11")
def test_a_locked_store_is_451_without_a_word_and_recovers(house: House, table: Table) -> None:
    with table.reader() as other, house.wire() as wire:
        other.execute("BEGIN EXCLUSIVE")
        assert wire.mail() == LATER
        other.execute("ROLLBACK")
        assert wire.mail() == "250 2.0.0 Stored"
    assert table.raws() == [MAIL]


@pytest.mark.row("R11")
def test_a_poisoned_mail_is_451_without_its_text(house: House, table: Table) -> None:
    with house.wire() as wire:
        assert wire.mail(b"Subject: POISON\r\n\r\n") == LATER
        assert wire.mail() == "250 2.0.0 Stored"


@pytest.mark.row("R11")
def test_a_fault_of_ours_anywhere_is_451(houses: Houses, table: Table) -> None:
    def broken(_: str) -> bool:
        raise ZeroDivisionError("secret text")

    house = houses(is_participant=broken)
    with house.wire() as wire:
        wire.ask(b"MAIL FROM:<a@b.example>")
        assert wire.ask(b"RCPT TO:<cert@example.org>")[:3] == "250"
        assert wire.ask(b"DATA") == LATER
        assert wire.ask(b"NOOP") == "250 2.0.0 Ok"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)], capture_output=True)
    if mounted.returncode != 0:
        refuse_or_skip("a small tmpfs can only be mounted by root")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.mark.row("R08")
def test_a_full_disk_is_4xx_and_recovers_without_a_restart(small_disk: Path) -> None:
    table = Table(small_disk / "mails.db")
    house = House(table, free=lambda: 10**12)  # the early refusal is tested below
    ballast = small_disk / "ballast"
    try:
        with house.wire() as wire:
            assert wire.mail() == "250 2.0.0 Stored"
            with pytest.raises(OSError, match="No space"):
                ballast.write_bytes(b"x" * 4 * MB)
            big = b"Subject: big\r\n\r\n" + b"x" * 900 + b"\r\n"
            refused = [wire.mail(big * 200) for _ in range(3)]
            assert refused == [LATER] * 3
            assert table.raws() == [MAIL], "reading works"
            ballast.unlink()
            assert wire.mail(big * 200) == "250 2.0.0 Stored"
        assert table.raws() == [MAIL, big * 200]
    finally:
        house.close()
        table.close()


@pytest.mark.row("R08")
def test_a_disk_nearly_full_refuses_before_the_mail_is_sent(houses: Houses) -> None:
    free = [1500]
    house = houses(max_size=1000, free=lambda: free[0])
    with house.wire() as wire:
        assert wire.ask(b"MAIL FROM:<a@b.example>")[:3] == "250"
        wire.ask(b"RSET")
        free[0] = 1499
        assert wire.ask(b"MAIL FROM:<a@b.example>") == "452 4.3.1 Not enough room now, try again later"
        free[0] = 1500
        assert wire.ask(b"MAIL FROM:<a@b.example>")[:3] == "250"


@pytest.mark.row("R08")
def test_the_free_space_asked_for_is_that_of_the_data(houses: Houses, tmp_path: Path) -> None:
    free = os.statvfs(tmp_path)
    house = houses(max_size=free.f_bavail * free.f_frsize)
    with house.wire() as wire:
        assert wire.ask(b"MAIL FROM:<a@b.example>")[:3] == "452"


def test_what_is_in_memory_is_bounded(houses: Houses, table: Table) -> None:
    """Nine clients fill the eight mails' worth; one is told to wait, and later is taken."""
    house = houses(max_size=70_000)
    wires = [house.wire() for _ in range(8)]
    part = b"x" * 68 + b"\r\n"
    for wire in wires:
        wire.ready()
        wire.send(part * 995)
    with house.wire() as late:

        def refused() -> bool:
            return late.ask(b"MAIL FROM:<a@b.example> SIZE=70000")[:3] == "452" or late.ask(b"RSET")[:3] != "250"

        until(refused, "memory to be full")
        for wire in wires:
            wire.send(b".\r\n")
            assert wire.reply() == "250 2.0.0 Stored"
            wire.close()
        assert late.mail(part * 995) == "250 2.0.0 Stored"


# ---- the client ----------------------------------------------------------------------------------------------------


class Gate:
    """A store that waits to be let through."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.entered = threading.Event()
        self.open = threading.Event()

    def accept(self, envelopes: Sequence[Envelope]) -> None:
        self.entered.set()
        assert self.open.wait(30)
        self.table.accept(envelopes)


@pytest.mark.row("R06")
@pytest.mark.parametrize("leave", [Wire.close, Wire.reset])
def test_a_client_that_left_before_250_and_comes_again(
    houses: Houses, table: Table, leave: Callable[[Wire], None]
) -> None:
    gate = Gate(table)
    house = houses(accept=gate.accept)
    wire = house.wire()
    wire.ready()
    wire.send(MAIL + b".\r\n")
    assert gate.entered.wait(30)
    leave(wire)
    gate.open.set()
    until(lambda: table.raws() == [MAIL], "the commit nobody waits for")
    with house.wire() as again:
        assert again.mail() == "250 2.0.0 Stored"
    assert table.raws() == [MAIL]


@pytest.mark.row("R06")
def test_a_client_that_left_in_its_mail_leaves_nothing(house: House, table: Table) -> None:
    with house.wire() as wire:
        wire.ready()
        wire.send(MAIL + b".\r")
    with house.wire() as wire:
        assert wire.mail(b"the next\r\n") == "250 2.0.0 Stored"
    assert table.raws() == [b"the next\r\n"]


@pytest.mark.row("R06")
def test_a_client_that_only_stopped_sending_gets_its_replies(house: House, table: Table) -> None:
    with house.wire() as wire:
        wire.ready()
        wire.send(MAIL + b".\r\nNOOP\r\n")
        wire.socket.shutdown(1)
        assert wire.replies() == ["250 2.0.0 Stored", "250 2.0.0 Ok"]


@pytest.mark.row("R07")
def test_a_slow_store_delays_only_its_reply(houses: Houses, table: Table) -> None:
    """The commit outlasts the command timeout; the client is not hung up on, other clients are answered."""
    gate = Gate(table)
    house = houses(accept=gate.accept, limits=Limits(command_seconds=0.3))
    with house.wire() as wire, house.wire() as other:
        wire.ready()
        wire.send(MAIL + b".\r\n")
        assert gate.entered.wait(30)
        assert other.ask(b"NOOP") == "250 2.0.0 Ok"
        assert other.reply() == "421 4.4.2 Too slow, closing", "more than the timeout has passed"
        gate.open.set()
        assert wire.reply() == "250 2.0.0 Stored"


@pytest.mark.row("R05")
@pytest.mark.parametrize(("point", "stored"), [("accept-before-commit", 0), ("accept-after-commit", 1)])
def test_death_around_the_commit(tmp_path: Path, point: str, stored: int) -> None:
    """Died before 250: the client comes again with the same bytes, and there is one."""
    table = Table(tmp_path / "mails.db")
    with daemon(table.path, {"MAILROUTER_FAILPOINT": point}) as (process, port):
        with Wire(("127.0.0.1", port)) as wire:
            assert wire.mail() == ""
        assert process.wait(30) == 137
    assert len(table.raws()) == stored
    with daemon(table.path) as (_, port), Wire(("127.0.0.1", port)) as wire:
        assert wire.mail() == "250 2.0.0 Stored"
    assert table.raws() == [MAIL]
    table.close()


@contextmanager
def daemon(database: Path, more: dict[str, str] | None = None) -> Iterator[tuple[subprocess.Popen[str], int]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.intake.daemon", str(database)],
        stdout=subprocess.PIPE, text=True, env=os.environ | (more or {}), start_new_session=True,
    )  # fmt: skip
    assert process.stdout
    try:
        yield process, int(process.stdout.readline())
    finally:
        process.kill()
        process.wait(30)
        process.stdout.close()


@pytest.mark.row("R01")
async def test_kills_under_load_lose_and_double_nothing(tmp_path: Path) -> None:
    """The quick form, on the doors alone: 5 SIGKILLs under 16 sessions that send again what was not acknowledged."""
    table = Table(tmp_path / "mails.db")
    seed = random.randrange(2**32)
    print("seed", seed)
    dice = random.Random(seed)
    mails = {mail.ident: mail for mail in islice(replies("cert@example.org", "kill"), 2000)}
    acked: set[str] = set()
    for life in range(6):
        with daemon(table.path) as (process, port):
            waiting = [mail for ident, mail in mails.items() if ident not in acked]
            plan = Plan(sessions=16, seconds=dice.uniform(0.3, 1.0) if life < 5 else 60, until_acked=life == 5)
            load = asyncio.create_task(run(Door(port), waiting, plan))
            if life < 5:
                await asyncio.sleep(dice.uniform(0.1, plan.seconds))
                process.send_signal(signal.SIGKILL)
            acked |= (await load).acked
    assert acked == set(mails)
    assert sorted(table.raws()) == sorted(mail.raw for mail in mails.values())
    table.close()


# ---- slow and endless ----------------------------------------------------------------------------------------------


@pytest.mark.row("S10")
def test_a_command_must_be_whole_in_time_however_it_trickles(houses: Houses) -> None:
    house = houses(limits=Limits(command_seconds=0.5))
    with house.wire() as wire:
        wire.send(b"NO")
        ticking = threading.Event()

        def trickle() -> None:
            while not ticking.wait(0.05):
                try:
                    wire.send(b"O")
                except OSError:
                    return

        thread = threading.Thread(target=trickle)
        thread.start()
        assert wire.replies() == ["421 4.4.2 Too slow, closing"]
        ticking.set()
        thread.join()


@pytest.mark.row("S10")
@pytest.mark.parametrize(
    "limits",
    [
        Limits(command_seconds=0.2, data_rate=10**9),
        Limits(command_seconds=0.2, data_rate=1, data_seconds=0.5),
    ],
    ids=["rate", "total"],
)
def test_a_mail_must_arrive_at_a_rate_and_in_a_time(houses: Houses, limits: Limits) -> None:
    house = houses(limits=limits)
    with house.wire() as wire:
        wire.ready()
        wire.send(b"x" * 1000 + b"\r\n")
        assert wire.replies() == ["421 4.4.2 Too slow, closing"]


@pytest.mark.row("S10")
def test_a_mail_that_keeps_the_rate_is_taken(houses: Houses, table: Table) -> None:
    """Longer than a command may take, but bytes enough."""
    house = houses(limits=Limits(command_seconds=0.2, data_rate=10))
    with house.wire() as wire:
        wire.ready()
        wire.send(b"x" * 500 + b"\r\n")
        with house.wire() as idle:
            assert idle.reply() == "421 4.4.2 Too slow, closing"
        wire.send(b".\r\n")
        assert wire.reply() == "250 2.0.0 Stored"


@pytest.mark.row("S10")
def test_many_idle_connections_hinder_nobody_within_the_cap(houses: Houses, table: Table) -> None:
    house = houses(max_connections=200)
    idle = [house.wire() for _ in range(150)]
    with house.wire() as wire:
        for number in range(50):
            assert wire.mail(b"%d\r\n" % number) == "250 2.0.0 Stored"
    for one in idle:
        one.close()
    assert len(table.raws()) == 50


@pytest.fixture
def apart(table: Table) -> Iterator["Apart"]:
    """Doors in a process of their own, warmed up with a mail, whose memory and time can be looked at."""
    with daemon(table.path) as (process, port):
        made = Apart(process.pid, port)
        with made.wire() as wire:
            assert wire.mail() == "250 2.0.0 Stored"
        yield made


class Apart:
    def __init__(self, pid: int, port: int) -> None:
        self._proc = Path(f"/proc/{pid}")
        self._port = port

    def wire(self) -> Wire:
        return Wire(("127.0.0.1", self._port))

    def peak(self) -> int:
        """The most memory it ever had resident, in bytes."""
        status = (self._proc / "status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024

    def cpu(self) -> float:
        """Seconds of processor time it has used."""
        user, system = (self._proc / "stat").read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@pytest.mark.row("S08")
def test_a_mail_of_one_endless_line_is_cut_and_costs_no_memory(apart: Apart) -> None:
    before, block, sent = apart.peak(), b"x" * MB, 0
    with apart.wire() as wire:
        wire.ready()
        try:
            while sent < 1024:
                wire.send(block)
                sent += 1
        except OSError:
            pass  # cut
    assert sent < 64
    assert apart.peak() - before <= 32 * MB


@pytest.mark.row("S05")
def test_an_endless_command_costs_no_memory(apart: Apart) -> None:
    before, block = apart.peak(), b"x" * MB
    with apart.wire() as wire:
        for _ in range(512):
            wire.send(block)
        assert wire.ask(b"") == "500 5.5.2 Command too long"
    assert apart.peak() - before <= 32 * MB


@pytest.mark.row("S08")
def test_a_line_too_long_is_refused_and_the_session_goes_on(house: House, table: Table) -> None:
    with house.wire() as wire:
        assert wire.mail(b"x" * 200_000 + b"\r\n") == "500 5.6.0 A line of the mail is too long"
        assert wire.mail() == "250 2.0.0 Stored"


@pytest.mark.row("S09")
def test_a_mail_of_the_greatest_size_in_short_lines(apart: Apart, table: Table) -> None:
    mail, memory, cpu = b"\r\n" * (25 * MB // 2), apart.peak(), apart.cpu()
    with apart.wire() as wire:
        wire.ready()
        wire.send(mail + b".\r\n")
        assert wire.reply() == "250 2.0.0 Stored"
    assert apart.cpu() - cpu <= 5
    assert apart.peak() - memory <= 4 * len(mail)
    assert table.raws() == [MAIL, mail]


# ---- the end -------------------------------------------------------------------------------------------------------


@pytest.mark.row("R28")
def test_closing_lets_a_mail_under_way_end_and_sends_all_others_away(houses: Houses, table: Table) -> None:
    house = houses()
    busy, idle, mid, address = house.wire(), house.wire(), house.wire(), house.address()
    busy.ready()
    busy.send(MAIL)
    assert mid.ask(b"MAIL FROM:<a@b.example>")[:3] == "250"
    closed = house.closing(30)
    assert idle.replies() == ["421 4.3.2 Closing, try again later"]
    assert mid.replies() == ["421 4.3.2 Closing, try again later"]
    with pytest.raises(OSError, match="refused"):
        Wire(address)
    busy.send(b".\r\nMAIL FROM:<a@b.example>\r\n")
    assert busy.replies() == ["250 2.0.0 Stored", "421 4.3.2 Closing, try again later"]
    closed.result(30)
    for wire in (busy, idle, mid):
        wire.close()
    assert table.raws() == [MAIL]


@pytest.mark.row("R28")
def test_who_does_not_end_in_time_is_cut(houses: Houses, table: Table) -> None:
    house = houses()
    with house.wire() as wire:
        wire.ready()
        wire.send(MAIL)
        house.closing(0.1).result(30)
        assert wire.reply() in ("421 4.3.2 Closing, try again later", "")
    assert table.raws() == []


@pytest.mark.row("R28")
def test_closing_ends_the_commits_that_were_begun(houses: Houses, table: Table) -> None:
    gate = Gate(table)
    house = houses(accept=gate.accept)
    with house.wire() as wire:
        wire.ready()
        wire.send(MAIL + b".\r\n")
        assert gate.entered.wait(30)
        closed = house.closing(0)
        gate.open.set()
        closed.result(30)
        assert wire.reply() in ("250 2.0.0 Stored", "421 4.3.2 Closing, try again later", "")
    assert table.raws() == [MAIL]


# ---- many at once --------------------------------------------------------------------------------------------------


async def test_concurrent_sessions_share_commits(houses: Houses, table: Table) -> None:
    house = houses()
    plan = Plan(sessions=16, mails_per_session=20)
    ledger: Ledger = await run(Door(house.address()[1]), islice(replies("cert@example.org", "x"), 400), plan)
    assert (len(ledger.acked), ledger.refused, ledger.tries) == (400, {}, 400)
    assert 0 < ledger.latency(50) <= ledger.latency(95)
    assert sorted(table.raws()) == sorted(mail.raw for mail in ledger.sent.values())
    assert sum(table.batches) == 400 > len(table.batches)


def test_the_store_really_was_idempotent(table: Table) -> None:
    """Guards the tests above: without the key, a mail sent twice would be there twice."""
    again = "INSERT INTO mails VALUES (x'00', '', '', '', x'')"
    with table.reader() as db:
        db.execute(again)
        with pytest.raises(sqlite3.IntegrityError):
            db.execute(again)
