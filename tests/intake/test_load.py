"""The measuring tools measure what they say."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest

from benchmarks import mails
from benchmarks.load import Door, Ledger, Plan, run, summary
from tests.intake.house import House, Table, stuffed
from tests.servers.wait import free_port


def test_replies_are_of_their_size_and_each_another() -> None:
    made = list(islice(mails.replies("cert@example.org", "r"), 250))
    assert all(3600 <= len(mail.raw) <= 4500 for mail in made)
    assert len({mail.raw for mail in made}) == len({mail.ident for mail in made}) == 250
    subjects = {mail.raw.split(b"Subject: ")[1].split(b"\r\n")[0] for mail in made}
    assert len(subjects) == 100


@pytest.mark.parametrize("raw", [b"", b".\r\n", b"x\r\n.\r\n..\r\n", b".x\r\n"])
def test_the_wire_form(raw: bytes) -> None:
    assert mails.Mail("i", "a@b", "c@d", raw).wire == stuffed(raw)


def test_signed_replies_verify(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("g")
    fingerprint = mails.make_key(home, mails.SENDER)
    bodies = mails.sign(home, fingerprint)
    mail = list(islice(mails.signed_replies("cert@example.org", "r", bodies), 107))[106]
    assert 3500 <= len(mail.raw) <= 4500
    _, part, signature, _ = mail.raw.split(b"--" + mails.BOUNDARY.encode())
    (home / "part").write_bytes(part.removeprefix(b"\r\n").removesuffix(b"\r\n"))
    (home / "sig").write_bytes(signature.partition(b"\r\n\r\n")[2])
    command = ["gpg", "--homedir", str(home), "--batch", "--verify", str(home / "sig"), str(home / "part")]
    assert b"Good signature" in subprocess.run(command, capture_output=True, check=True, timeout=60).stderr
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=True, timeout=60)


def test_the_floor_takes_a_load(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.floor", str(tmp_path / "floor.db")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as floor:
        assert floor.stdout
        door = Door(int(floor.stdout.readline()))
        ledger = asyncio.run(run(door, islice(mails.replies("a@b.example", "f"), 60), Plan(sessions=4)))
        floor.send_signal(signal.SIGTERM)
    assert floor.returncode == 0
    assert summary(ledger)["acked"] == 60
    with closing(sqlite3.connect(tmp_path / "floor.db")) as db:
        stored = {bytes(raw) for (raw,) in db.execute("SELECT raw FROM mails")}
    assert stored == {mail.raw for mail in ledger.sent.values()}


async def test_what_is_refused_is_in_the_ledger(house: House) -> None:
    wrong = islice(mails.replies("nobody@example.org", "w"), 3)
    ledger = await run(Door(house.address()[1]), wrong, Plan(sessions=2))
    assert (ledger.refused, ledger.acked) == ({"w-1": 550, "w-2": 550, "w-3": 550}, set())


async def test_lmtp_is_loaded_too(house: House, table: Table) -> None:
    door = Door(house.address("lmtp")[1], lmtp=True)
    ledger = await run(door, islice(mails.replies("cert@example.org", "l"), 20), Plan(sessions=2))
    assert len(ledger.acked) == len(table.raws()) == 20


async def test_a_run_is_bounded_in_time() -> None:
    ledger = await run(Door(free_port()), mails.replies("a@b.example", "t"), Plan(seconds=0.2, until_acked=True))
    assert (len(ledger.sent), len(ledger.acked)) == (1, 0)


def test_percentiles() -> None:
    ledger = Ledger(latencies=[n / 100 for n in range(100, 0, -1)])
    assert [ledger.latency(percent) for percent in (0, 50, 95, 100)] == [0.01, 0.5, 0.95, 1.0]
