"""`make hostile`: what the worst mails cost a running daemon, and what others at its door notice of them.

Each is sent to a real `serve` while another client sends ordinary mail, one after the other. For each: the reply, where
the mail lies afterwards, the processor seconds it took (the other client's few among them), the memory above what was
held before, and how long the other client waited for its 250. The bounds are the testbook's. The exit status
is 1 if a mail is nowhere or memory went beyond its bound; time is told and no failure.
"""

import argparse
import asyncio
import json
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from sqlalchemy import select
from tabulate import tabulate

from benchmarks import load, mails, worstpgp
from benchmarks.databases import Sqlite
from benchmarks.house import House, open_tools, prepare, running
from benchmarks.meters import MIB, Watch, memory_bytes
from benchmarks.worst import WORST, Worst
from mailrouter.pgp import PublicKey
from mailrouter.store import tables
from mailrouter.store.engine import Database
from tests.servers.daemon import ADDRESS

SENDER = "worst@stranger.example"
SECONDS = 120.0  # for one mail, until it lies somewhere
PAUSE_SECONDS = 0.1  # of the other client, between two mails
WARM_UP = 50
SLOW_CLIENTS, SLOW_SECONDS, SLOW_MIB = 190, 20, 32  # of 200 that are let in


@dataclass(frozen=True, slots=True)
class Cost:
    """What one mail cost. `others_ms`: the longest anybody else waited for a 250 meanwhile."""

    row: str
    what: str
    reply: str
    place: str
    cpu_seconds: float
    mib: float
    others_ms: float
    most_mib: float

    @property
    def within(self) -> bool:
        """Kept where a person sees it, or refused; memory, too, within its bound."""
        return bool(self.place) and self.mib <= self.most_mib

    @property
    def cells(self) -> Sequence[str]:
        """As a line of the table."""
        figures = (f"{self.cpu_seconds:.2f}", f"{self.mib:.0f}", f"{self.others_ms:.0f}")
        return (self.row, self.what, self.reply, self.place, *figures, "" if self.within else "NOT within")


def measure(house: House, db: Database, worst: Worst) -> Cost:
    """Send it, wait until it lies somewhere, and tell what that took."""
    with Others(house.port) as others:
        before, newest = memory_bytes(house.pid), _newest(db)
        with Watch(house.pid) as watch:
            reply = send(house.port, worst.pieces)
            place = _place(db, newest) if reply == "250" else "refused"
    mib = max(0, watch.peak - before) / MIB
    return Cost(worst.row, worst.what, reply, place, watch.cpu, mib, others.longest * 1000, worst.mib)


def slow(house: House) -> Cost:
    """S10: clients that say nothing, or a byte a second in a command or in DATA, up to the last places of the door."""
    with ExitStack() as stack, Others(house.port) as others:
        before = memory_bytes(house.pid)
        with Watch(house.pid) as watch:
            clients = [stack.enter_context(_opened(house.port, number % 3)) for number in range(SLOW_CLIENTS)]
            for _ in range(SLOW_SECONDS):
                time.sleep(1)
                for number, client in enumerate(clients):
                    if number % 3:
                        client.sendall(b"x")
    mib = max(0, watch.peak - before) / MIB
    what = f"{SLOW_CLIENTS} slow clients for {SLOW_SECONDS} s"
    return Cost("S10", what, "", "held open", watch.cpu, mib, others.longest * 1000, SLOW_MIB)


def _opened(port: int, kind: int) -> socket.socket:
    """A session that is silent (0), in the middle of a command (1), or in DATA (2)."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
    if kind == 2:
        _begin(connection)
    return connection


def send(port: int, pieces: Callable[[], object]) -> str:
    """The code of the reply to its DATA; `gone` if the door hung up without one."""
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as connection:
        answers = connection.makefile("rb")
        answers.readline()
        for command in (
            b"HELO worst.example",
            f"MAIL FROM:<{SENDER}>".encode(),
            f"RCPT TO:<{ADDRESS}>".encode(),
            b"DATA",
        ):
            connection.sendall(command + b"\r\n")
            answers.readline()
        with suppress(ConnectionError):  # refused in the middle: what it said is still to be read
            for piece in pieces():
                connection.sendall(piece)
        with suppress(ConnectionError):
            return answers.readline()[:3].decode() or "gone"
        return "gone"


def _begin(connection: socket.socket) -> BinaryIO:
    """Up to 354; what the door says from then on."""
    answers = connection.makefile("rb")
    answers.readline()
    for command in ("HELO worst.example", f"MAIL FROM:<{SENDER}>", f"RCPT TO:<{ADDRESS}>", "DATA"):
        connection.sendall(command.encode() + b"\r\n")
        answers.readline()
    return answers


def _newest(db: Database) -> int:
    with db.read() as tx:
        return tx.execute(select(tables.mails.c.id).order_by(tables.mails.c.id.desc()).limit(1)).scalar() or 0


def _place(db: Database, newest: int) -> str:
    """Where the mail that came after `newest` lies, once it was looked at; '' if that did not happen in time."""
    ours = tables.mails.c.envelope.contains(SENDER), tables.mails.c.id > newest
    lies = select(tables.messages.c.place, tables.messages.c.why).join(tables.mails).where(*ours)
    waits = select(tables.inbox.c.trouble).join(tables.mails).where(*ours, tables.inbox.c.trouble != "")
    limit = time.monotonic() + SECONDS
    while time.monotonic() < limit:
        with db.read() as tx:
            if row := tx.execute(lies).first():
                return f"{row.place}: {row.why}"[:60]
            if row := tx.execute(waits).first():
                return f"tried again later: {row.trouble}"
        time.sleep(0.02)
    return ""


class Others:
    """Somebody else at the door: ordinary mail, one after the other, for the block."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._work()))
        self._ledger = load.Ledger()

    @property
    def longest(self) -> float:
        """Seconds until the slowest 250."""
        return max(self._ledger.latencies, default=0.0)

    async def _work(self) -> None:
        plan = load.Plan(sessions=1, seconds=10 * SECONDS, pause=PAUSE_SECONDS)
        given = mails.replies(ADDRESS, f"others{time.time_ns()}")
        unbounded = iter(lambda: None if self._over.is_set() else next(given), None)
        self._ledger = await load.run(load.Door(self._port), unbounded, plan)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()


Sealed = Callable[[Path, PublicKey], Sequence[Worst]]  # from the daemon's GNUPGHOME and its own key


def measured(
    folder: Path, chosen: Sequence[Worst], sealed: Sealed = lambda _home, _ours: (), *, slowly: bool = False
) -> list[Cost]:
    """Each of them at one daemon, in their order, and those `sealed` makes for its key; `slowly`: and S10."""
    url = Sqlite(folder).new()
    home = folder / "gpg"
    prepare(folder / "node", url, mails.public_key(home, mails.make_key(home, mails.SENDER)))
    chosen = (*chosen, *_for_its_key(folder / "node", url, sealed))
    db = Database(url)
    try:
        with running(folder / "node", url) as house:
            asyncio.run(load.run(load.Door(house.port), islice(mails.replies(ADDRESS, "warm"), WARM_UP), load.Plan()))
            costs = [_told(measure(house, db, worst)) for worst in chosen]
            return [*costs, _told(slow(house))] if slowly else costs
    finally:
        db.close()


def _for_its_key(node: Path, url: str, sealed: Sealed) -> Sequence[Worst]:
    tools = open_tools(node, url)
    try:
        fingerprint = tools.own_key()
        ours = next(key.public for key in tools.pgp.own_keys() if key.fingerprint == fingerprint)
        return sealed(tools.pgp._home, ours)
    finally:
        tools.pgp.close()
        tools.db.close()


def _told(cost: Cost) -> Cost:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{cost.what}")
    return cost


def _sealed(rows: Sequence[str] | None, home: Path, ours: PublicKey) -> Sequence[Worst]:
    return [worst for worst in worstpgp.worst(home, ours) if not rows or worst.row in rows]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure all, or those of some rows; exits with 1 if one is in no place or took too much memory."""
    parser = argparse.ArgumentParser(prog="make hostile", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--row", action="append", help="only this row of the testbook; may be repeated")
    parser.add_argument("--json", action="store_true", help="one document instead of the table")
    parser.add_argument("--dir", type=Path, default=Path("/var/tmp"), help="a folder on a real disk, its path short")
    given = parser.parse_args(arguments)
    chosen = [worst for worst in WORST if not given.row or worst.row in given.row]
    with tempfile.TemporaryDirectory(prefix="mrh", dir=given.dir) as folder:
        costs = measured(Path(folder), chosen, partial(_sealed, given.row), slowly=not given.row or "S10" in given.row)
    headers = ("row", "mail", "reply", "where it lies", "CPU s", "MiB more", "others ms", "")
    table = tabulate([cost.cells for cost in costs], headers, disable_numparse=True)
    print(json.dumps([asdict(cost) for cost in costs], indent=1) if given.json else table)
    sys.exit(0 if all(cost.within for cost in costs) else 1)


if __name__ == "__main__":
    main()
