"""A load of SMTP sessions over raw sockets, with a ledger: what was sent, what was acknowledged, how long that took.

Latency is from the last byte of DATA handed to the kernel to the last byte of its 250. The run is bounded in mails and
in seconds. With `until_acked`, a mail whose connection broke, or that was refused, is sent again with the same bytes
until it is acknowledged: the client of the kill tests. One process sends some 5,000 mails a second.

`python -m benchmarks.load PORT RECIPIENT [MAILS [SESSIONS]]`
"""

import argparse
import asyncio
import json
import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from benchmarks.mails import Mail, replies

REPLY_SECONDS = 60.0
PAUSE_SECONDS = 0.05  # before connecting again
FAILURES = (OSError, asyncio.IncompleteReadError, TimeoutError)


@dataclass(frozen=True, slots=True)
class Door:
    """Where to send: a TCP port, or a Unix socket's path; LMTP if told so."""

    port: int = 0
    host: str = "127.0.0.1"
    path: str = ""
    lmtp: bool = False

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A fresh connection. Raises OSError."""
        if self.path:
            return await asyncio.open_unix_connection(self.path)
        return await asyncio.open_connection(self.host, self.port)


@dataclass(slots=True)
class Ledger:
    """What a run did. Times in seconds; `refused` are final replies other than 250, by Message-ID's left part."""

    sent: dict[str, Mail] = field(default_factory=dict)
    acked: set[str] = field(default_factory=set)
    refused: dict[str, int] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)
    tries: int = 0  # DATA ended; more than `sent` when mails were sent again
    began: float = 0.0
    first_acked: float = 0.0
    ended: float = 0.0

    @property
    def seconds(self) -> float:
        """From the first connection to the last reply."""
        return self.ended - self.began

    @property
    def rate(self) -> float:
        """Acknowledged mails a second."""
        return len(self.acked) / self.seconds if self.seconds else 0.0

    def latency(self, percent: float) -> float:
        """This percentile of the latencies (nearest rank); NaN if there are none."""
        ranked = sorted(self.latencies)
        return ranked[max(0, math.ceil(len(ranked) * percent / 100) - 1)] if ranked else math.nan


@dataclass(frozen=True, slots=True)
class Plan:
    """How a run goes: sessions side by side, seconds at most, mails in one session before it connects anew."""

    sessions: int = 1
    seconds: float = 60.0
    mails_per_session: int = 500
    until_acked: bool = False
    pause: float = 0.0  # seconds a session rests after each mail


class Refused(Exception):
    """A reply that was not the one hoped for."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


async def run(door: Door, mails: Iterable[Mail], plan: Plan) -> Ledger:
    """Send these mails (bound an endless generator with islice) over the plan's sessions."""
    ledger = Ledger(began=time.perf_counter())
    source = iter(mails)
    async with asyncio.TaskGroup() as group:
        for _ in range(plan.sessions):
            group.create_task(_Client(door, source, plan, ledger).work())
    ledger.ended = time.perf_counter()
    return ledger


class _Client:
    def __init__(self, door: Door, source: Iterator[Mail], plan: Plan, ledger: Ledger) -> None:
        self._door = door
        self._source = source
        self._plan = plan
        self._ledger = ledger
        self._deadline = ledger.began + plan.seconds
        self._mail: Mail | None = None

    async def work(self) -> None:
        """Session after session, until there is no mail or no time left."""
        self._take()
        while self._mail and time.perf_counter() < self._deadline:
            try:
                async with asyncio.timeout(REPLY_SECONDS + self._plan.seconds):
                    await self._session()
            except (*FAILURES, Refused) as trouble:
                if not self._plan.until_acked:
                    self._give_up(trouble)
                await asyncio.sleep(PAUSE_SECONDS)

    def _take(self) -> None:
        self._mail = next(self._source, None)
        if self._mail:
            self._ledger.sent[self._mail.ident] = self._mail

    def _give_up(self, trouble: Exception) -> None:
        if self._mail:
            self._ledger.refused[self._mail.ident] = trouble.code if isinstance(trouble, Refused) else 0
        self._take()

    async def _session(self) -> None:
        reader, writer = await self._door.connect()
        try:
            await _expect(reader, 220)
            writer.write(b"LHLO load.example\r\n" if self._door.lmtp else b"EHLO load.example\r\n")
            await _expect(reader, 250)
            for _ in range(self._plan.mails_per_session):
                if not self._mail or time.perf_counter() >= self._deadline:
                    break
                await self._send(self._mail, reader, writer)
            writer.write(b"QUIT\r\n")
            await _expect(reader, 221)
        finally:
            writer.close()

    async def _send(self, mail: Mail, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"MAIL FROM:<{mail.sender}>\r\n".encode())
        await _expect(reader, 250)
        writer.write(f"RCPT TO:<{mail.recipient}>\r\n".encode())
        await _expect(reader, 250)
        writer.write(b"DATA\r\n")
        await _expect(reader, 354)
        writer.write(mail.wire)
        await writer.drain()
        ended = time.perf_counter()
        self._ledger.tries += 1
        await _expect(reader, 250)
        acked = time.perf_counter()
        self._ledger.first_acked = self._ledger.first_acked or acked
        self._ledger.latencies.append(acked - ended)
        self._ledger.acked.add(mail.ident)
        self._take()
        if self._plan.pause:
            await asyncio.sleep(self._plan.pause)


async def _expect(reader: asyncio.StreamReader, code: int) -> None:
    """Read one reply, all its lines. Raises Refused if it has another code."""
    while True:
        line = await reader.readuntil(b"\n")
        if line[3:4] != b"-":
            break
    if int(line[:3]) != code:
        raise Refused(int(line[:3]))


def summary(ledger: Ledger) -> dict[str, float]:
    """The figures of a run; latencies in milliseconds."""
    return {
        "sent": len(ledger.sent), "acked": len(ledger.acked), "refused": len(ledger.refused), "tries": ledger.tries,
        "seconds": round(ledger.seconds, 3), "rate": round(ledger.rate, 1),
        "p50_ms": round(ledger.latency(50) * 1000, 2), "p95_ms": round(ledger.latency(95) * 1000, 2),
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Load a door on loopback and print the figures as JSON."""
    parser = argparse.ArgumentParser(description="load an SMTP door on loopback")
    parser.add_argument("port", type=int)
    parser.add_argument("recipient")
    parser.add_argument("mails", type=int, nargs="?", default=10_000)
    parser.add_argument("sessions", type=int, nargs="?", default=32)
    given = parser.parse_args(arguments)
    mails = islice(replies(given.recipient, f"run{time.time_ns()}"), given.mails)
    print(json.dumps(summary(asyncio.run(run(Door(given.port), mails, Plan(sessions=given.sessions))))))


if __name__ == "__main__":
    main()
