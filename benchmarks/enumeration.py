"""`python -m benchmarks.enumeration`: can a stranger find out which cases there are? (testbook/mail.md S23)

Mails that name a case, an embargoed case, no case or nothing, by a participant and by strangers, take turns in random
order: at the doors of a real `serve`, where the whole dialogue is timed, and on the way to their acknowledgement, from
the accepted mail to the letter handed over. The replies and the acknowledgements are compared byte by byte. The exit
status is 1 if one differs, or if two medians lie more than 10 ms apart.
"""

import argparse
import re
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from random import Random
from statistics import median

from tabulate import tabulate

from benchmarks.databases import KINDS, Databases
from mailrouter import clock
from mailrouter.flow.actor import Actor
from mailrouter.flow.arriving import receive
from mailrouter.flow.casework import contacting, coordinate
from mailrouter.flow.people import directory
from mailrouter.flow.sending import deliver
from mailrouter.mail.envelope import Envelope
from mailrouter.settings import ensure_data_dir, load
from mailrouter.store import inbox, migrate
from mailrouter.store.inbox import Holder
from mailrouter.tools import Tools, make
from tests.servers.daemon import ADDRESS, Daemon

MOST_MS = 10.0
CASE, EMBARGOED, MISSING = 100100, 100200, 100300
KNOWN = [f"psirt{number}@vendor.example" for number in range(50)]
SETTINGS = {
    "SMTP__RATE_TOTAL": "0", "SMTP__RATE_PER_SENDER": "0", "NODE": "bench", "POLICY__ACKNOWLEDGE_HOURS": "24",
}  # fmt: skip
VARYING = re.compile(rb"^(?:Date|Message-ID|In-Reply-To|To): .*\r\n(?:[ \t].*\r\n)*", re.MULTILINE)
NUMBER = re.compile(rb"VRF#[0-9]{2}-[0-9]{2}-[A-Z]{5}")  # random: every mail that is acknowledged is given one
SESSION = 500  # mails; the door ends a session at a thousand


@dataclass(slots=True)
class Asked:
    """One kind of mail, and what became of those that were sent: seconds, and what came back without what varies."""

    what: str
    subject: str
    known: bool
    seconds: dict[str, list[float]] = field(default_factory=dict)  # by road
    answers: dict[str, set[bytes]] = field(default_factory=dict)

    def sender(self, number: int) -> str:
        """A participant's address, or one that nobody has seen before."""
        return KNOWN[number % len(KNOWN)] if self.known else f"jo{number:07}@finder.example"

    def took(self, road: str, seconds: float, answer: bytes) -> None:
        """One more."""
        self.seconds.setdefault(road, []).append(seconds)
        self.answers.setdefault(road, set()).add(answer)


def kinds() -> list[Asked]:
    """What is asked."""
    return [
        Asked("a case, a participant", f"VU#{CASE}", known=True),
        Asked("a case, a stranger", f"VU#{CASE}", known=False),
        Asked("an embargoed case, a participant", f"VU#{EMBARGOED}", known=True),
        Asked("an embargoed case, a stranger", f"VU#{EMBARGOED}", known=False),
        Asked("no such case, a participant", f"VU#{MISSING}", known=True),
        Asked("no such case, a stranger", f"VU#{MISSING}", known=False),
        Asked("no number, a stranger", "a new report", known=False),
    ]


def measured(folder: Path, databases: Databases, count: int) -> list[Asked]:
    """Every kind `count` times on each road."""
    url, asked = databases.new(), kinds()
    daemon = Daemon(folder / "node", url, SETTINGS)
    _prepare(daemon)
    try:
        daemon.start("--only", "smtp,lmtp")  # who receives them is not the client's affair, nor is its noise
        for road, port, hello in (("smtp", daemon.smtp_port, "EHLO"), ("lmtp", daemon.lmtp_port, "LHLO")):
            _at_the_door(road, port, hello, asked, count)
    finally:
        daemon.kill()
        daemon.end_gpg()
    other = Daemon(folder / "other", databases.new(), SETTINGS)
    _prepare(other)
    try:
        _acknowledged(other, asked, count)
    finally:
        other.end_gpg()
    return asked


def _prepare(daemon: Daemon) -> None:
    """A vendor with fifty contacts takes part in two cases; of the one it has been told."""
    tools, actor = _tools(daemon, clock.now), Actor("bench")
    try:
        migrate.upgrade(tools.db)
        directory.add_vendor(tools, actor, "Vendor", KNOWN)
        for vu in (CASE, EMBARGOED):
            coordinate.open_case(tools, actor, f"Case {vu}", vu)
            coordinate.add_vendor(tools, actor, vu, "Vendor")
        contacting.notify(tools, actor, EMBARGOED, without_details=True)
        deliver.work(tools)
    finally:
        tools.pgp.close()
        tools.db.close()


def _tools(daemon: Daemon, now: Callable[[], datetime]) -> Tools:
    settings = load(None, {name: value for name, value in daemon.environ.items() if name.startswith("MAILROUTER_")})
    ensure_data_dir(settings)
    return replace(make(settings, Holder("bench", "1")), now=now)


def _turns(asked: Sequence[Asked], count: int) -> Iterator[tuple[int, Asked]]:
    """Numbered mails, each kind as often as the others, in an order that follows nothing."""
    order = [one for one in asked for _ in range(count)]
    Random(23).shuffle(order)
    return enumerate(order)


def _mail(number: int, one: Asked) -> bytes:
    sender = one.sender(number)
    return (
        f"From: {sender}\r\nTo: {ADDRESS}\r\nSubject: {one.subject}\r\nMessage-ID: <{number:07}.{sender}>\r\n\r\n"
        "What do you know?\r\n"
    ).encode()


# ---- the doors -----------------------------------------------------------------------------------------------------


def _at_the_door(road: str, port: int, hello: str, asked: Sequence[Asked], count: int) -> None:
    """From MAIL to the 250, each command after the reply to the last."""
    session = _Session(port, hello)
    for number, one in _turns(asked, count):
        if number % SESSION == SESSION - 1:
            session.close()
            session = _Session(port, hello)
        raw, began = _mail(number, one), time.perf_counter()
        said = session.hand_in(one.sender(number), raw)
        one.took(road, time.perf_counter() - began, said)
    session.close()


class _Session:
    def __init__(self, port: int, hello: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self._socket.makefile("rb")
        self._reply()
        self._ask(f"{hello} bench.example\r\n".encode())

    def hand_in(self, sender: str, raw: bytes) -> bytes:
        """All that the door says to one mail."""
        commands = (f"MAIL FROM:<{sender}>\r\n".encode(), f"RCPT TO:<{ADDRESS}>\r\n".encode(), b"DATA\r\n")
        return b"".join(map(self._ask, (*commands, raw + b".\r\n")))

    def close(self) -> None:
        """Hang up."""
        self._file.close()
        self._socket.close()

    def _ask(self, octets: bytes) -> bytes:
        self._socket.sendall(octets)
        return self._reply()

    def _reply(self) -> bytes:
        said = b""
        while True:
            line = self._file.readline()
            said += line
            if line[3:4] != b"-":
                return said


# ---- the acknowledgements -------------------------------------------------------------------------------------------


def _acknowledged(daemon: Daemon, asked: Sequence[Asked], count: int) -> None:
    """One mail an hour, so that each is owed one: from the accepted mail until the letter is handed over."""
    now = clock.now()
    tools = _tools(daemon, lambda: now)
    try:
        for number, one in _turns(asked, count):
            now += timedelta(hours=1)
            sender = one.sender(number)
            with tools.db.write() as tx:
                inbox.accept(tx, "bench", [Envelope("smtp", sender, (ADDRESS,), _mail(number, one), now)])
            began = time.perf_counter()
            receive.work(tools)
            while deliver.work(tools):
                pass
            one.took("acknowledged", time.perf_counter() - began, _answer(daemon.data / "outgoing" / "new", sender))
    finally:
        tools.pgp.close()
        tools.db.close()


def _answer(folder: Path, sender: str) -> bytes:
    """The one acknowledgement to this sender, without what must vary; b'' when there is none. All are taken out."""
    raws = [path.read_bytes() for path in folder.iterdir()]
    for path in folder.iterdir():
        path.unlink()
    heads = [(message_from_bytes(raw), raw) for raw in raws]
    found = [raw for head, raw in heads if (head["To"], head["Auto-Submitted"]) == (sender, "auto-replied")]
    return NUMBER.sub(b"", VARYING.sub(b"", found[0])) if len(found) == 1 else b""


# ---- what it says ----------------------------------------------------------------------------------------------------


def verdict(asked: Sequence[Asked]) -> dict[str, tuple[int, float]]:
    """Of each road: how many different answers there were, and the greatest difference of two medians, in ms."""
    roads = asked[0].seconds
    found = {}
    for road in roads:
        medians = [median(one.seconds[road]) * 1000 for one in asked]
        found[road] = (len(set().union(*(one.answers[road] for one in asked))), max(medians) - min(medians))
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and say what came out."""
    parser = argparse.ArgumentParser(prog="benchmarks.enumeration", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=1000, help="mails of each kind on each road (1000)")
    parser.add_argument("--only", choices=list(KINDS), default="sqlite", help="the database")
    parser.add_argument("--dir", type=Path, default=Path("/var/tmp"), help="a folder on a real disk, its path short")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="mre", dir=given.dir) as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as another user
        databases = KINDS[given.only](Path(folder))
        try:
            asked = measured(Path(folder), databases, given.count)
        finally:
            databases.close()
    found = verdict(asked)
    rows = [(one.what, *(f"{median(one.seconds[road]) * 1000:.2f}" for road in found)) for one in asked]
    print(tabulate(rows, ("median ms of", *found), disable_numparse=True))
    for road, (answers, apart) in found.items():
        print(f"{road}: {answers} different answer(s), medians at most {apart:.2f} ms apart")
    sys.exit(0 if all(answers == 1 and apart <= MOST_MS for answers, apart in found.values()) else 1)


if __name__ == "__main__":
    main()
