"""One measurement: a load through one door, and what came of it."""

import asyncio
import math
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import islice

from benchmarks import load
from benchmarks.house import House
from benchmarks.mails import Mail
from benchmarks.meters import MIB, Watch

LIMIT_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Figure:
    """Mails a second, latency of the acknowledgement, processor time a mail, memory; NaN for what was not measured."""

    rate: float
    p50_ms: float = math.nan
    p95_ms: float = math.nan
    cpu_ms: float = math.nan
    peak_mib: float = math.nan


@dataclass(frozen=True, slots=True)
class Load:
    """So many of these mails over so many sessions at once."""

    mails: Iterator[Mail]
    count: int
    sessions: int

    def run(self, port: int) -> load.Ledger:
        """Send them all. Raises RuntimeError unless every one was acknowledged."""
        plan = load.Plan(sessions=self.sessions, seconds=LIMIT_SECONDS)
        ledger = asyncio.run(load.run(load.Door(port), islice(self.mails, self.count), plan))
        if len(ledger.acked) != self.count:
            raise RuntimeError(f"{len(ledger.acked)} of {self.count} mails were acknowledged")
        return ledger


def accepted(port: int, pid: int | None, given: Load) -> Figure:
    """From the first connection to the last 250. Without a `pid` nothing is known of the server's cost."""
    with Watch(pid) if pid else nullcontext() as watch:
        ledger = given.run(port)
    return _figure(ledger, ledger.rate, watch)


def filed(house: House, given: Load) -> Figure:
    """From the first 250 to the moment when the last mail is received."""
    with Watch(house.pid) as watch:
        ledger = given.run(house.port)
        ended = house.wait_received(LIMIT_SECONDS)
    return _figure(ledger, given.count / (ended - ledger.first_acked), watch)


def timed(work: Callable[[], object], count: int) -> Figure:
    """How often a second something is done that was done `count` times."""
    began = time.perf_counter()
    work()
    return Figure(count / (time.perf_counter() - began))


def _figure(ledger: load.Ledger, rate: float, watch: Watch | None) -> Figure:
    p50, p95 = (ledger.latency(percent) * 1000 for percent in (50, 95))
    if watch is None:
        return Figure(rate, p50, p95)
    return Figure(rate, p50, p95, watch.cpu * 1000 / len(ledger.acked), watch.peak / MIB)
