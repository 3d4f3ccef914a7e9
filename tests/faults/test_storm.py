"""A mail storm while people look at what came (testbook/faults.md R31): too much is put off, nothing is lost."""

import asyncio
from collections.abc import Callable
from itertools import islice

import pytest

from benchmarks.load import Door, Ledger, Plan, run, summary
from benchmarks.mails import replies
from tests.faults.scene import Store, compare, open_cases
from tests.servers.daemon import ADDRESS, Daemon

Daemons = Callable[..., Daemon]
LOOKS = (("queue", "show", "review"), ("case", "list"), ("queue", "list"), ("search", "reply"), ("books",))
RATE = 300  # a minute: a quick storm is one, too


@pytest.mark.row("R31")
@pytest.mark.row("S30")
@pytest.mark.parametrize("count", [1000, pytest.param(50_000, marks=pytest.mark.long)])
async def test_a_storm_while_analysts_look(migrated_url: str, daemons: Daemons, count: int) -> None:
    """Above the rates a mail is told 4xx; what was acknowledged is stored once; every look is answered."""
    node, store = daemons(migrated_url, SMTP__RATE_PER_SENDER=str(RATE)), Store(migrated_url)
    open_cases(node)
    node.start()
    storm = islice(replies(ADDRESS, "storm", sender="bot@storm.example"), count)
    ended = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        looks = group.create_task(_look(node, ended))
        ledger = await run(Door(node.smtp_port), storm, Plan(sessions=16, seconds=1200))
        ended.set()
    await asyncio.to_thread(store.drained)
    _nothing_lost(ledger, store, count)
    assert RATE <= len(ledger.acked) < count
    assert {code // 100 for code in ledger.refused.values()} == {4}
    assert looks.result() >= len(LOOKS)
    print(summary(ledger), f"p99 {ledger.latency(99):.3f} s, {looks.result()} looks")
    store.in_order()


def _nothing_lost(ledger: Ledger, store: Store, count: int) -> None:
    sent = {ident: mail.raw for ident, mail in ledger.sent.items()}
    assert len(sent) == count
    assert len(ledger.acked) + len(ledger.refused) == count
    assert compare(sent, ledger.acked, store.raws()).clean


async def _look(node: Daemon, ended: asyncio.Event) -> int:
    """Every look at least once, and again until the storm is over; how many there were."""
    looks = 0
    while looks < len(LOOKS) or not ended.is_set():
        await asyncio.to_thread(node.run, *LOOKS[looks % len(LOOKS)], status=None)
        looks += 1
    return looks
