"""Kills under load: sessions that send until each mail is acknowledged, while the daemon dies and comes back."""

import asyncio
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from benchmarks.load import Door, Ledger, Plan, run
from benchmarks.mails import Mail
from tests.servers.daemon import Daemon

SHORTEST, LONGEST = 0.2, 3.0  # seconds a daemon lives (testbook/faults.md, Protocol)
PATIENCE = 3600.0  # seconds; a run ends by its mails


@dataclass
class Load:
    """A load that goes on until it is told to end; then what is under way is still sent until it is acknowledged."""

    doors: Sequence[Door]
    mails: Iterable[Mail]
    sessions: int = 16
    pause: float = 0.02  # between a session's mails, so that what is sent can be received on two cores

    def __post_init__(self) -> None:
        self._ended = False
        self._source = iter(self.mails)

    async def __aenter__(self) -> "Load":
        plan = Plan(self.sessions // len(self.doors), PATIENCE, until_acked=True, pause=self.pause)
        self._tasks = [asyncio.create_task(run(door, self._until_ended(), plan)) for door in self.doors]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._ended = True
        self.ledgers: list[Ledger] = await asyncio.gather(*self._tasks)

    def _until_ended(self) -> Iterator[Mail]:
        return takewhile(lambda _: not self._ended, self._source)

    @property
    def sent(self) -> dict[str, bytes]:
        """Every mail handed to a session, by its Message-ID's left part."""
        return {ident: mail.raw for ledger in self.ledgers for ident, mail in ledger.sent.items()}

    @property
    def acked(self) -> set[str]:
        """The mails that got their 250."""
        return {ident for ledger in self.ledgers for ident in ledger.acked}


async def kill(node: Daemon, times: int, dice: random.Random) -> None:
    """SIGKILL to the whole process group, so many times; short lives are more frequent than long ones."""
    for _ in range(times):
        await asyncio.sleep(SHORTEST * (LONGEST / SHORTEST) ** dice.random())
        node.kill()
        await asyncio.to_thread(node.start)
