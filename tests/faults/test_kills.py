"""The whole process group killed under load (testbook/faults.md R01, R02): 0 lost, 0 twice, no byte changed."""

import asyncio
from collections.abc import Callable

import pytest

from benchmarks.load import Door
from benchmarks.mails import replies
from tests.faults.kills import Load, kill
from tests.faults.scene import UNLIMITED, Store, compare, dice, open_cases
from tests.servers.daemon import ADDRESS, Daemon

long = pytest.mark.long


@pytest.mark.row("R01")
@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=long), pytest.param(500, marks=long)])
async def test_kills_under_load(migrated_url: str, daemons: Callable[..., Daemon], kills: int) -> None:
    chance = dice()
    node, store = daemons(migrated_url, **UNLIMITED), Store(migrated_url)
    open_cases(node)
    node.start()
    async with Load([Door(node.smtp_port)], replies(ADDRESS, "kill")) as load:
        await kill(node, kills, chance)
    await asyncio.to_thread(store.drained, seconds=600)
    verdict = compare(load.sent, load.acked, store.raws())
    assert load.acked == set(load.sent)
    assert verdict.clean
    assert kills < 500 or verdict.acknowledged >= 100_000
    store.in_order()


@pytest.mark.row("R02")
@pytest.mark.parametrize("kills", [1, pytest.param(250, marks=long)])
async def test_two_nodes_killed_in_turn(postgres_migrated: str, daemons: Callable[..., Daemon], kills: int) -> None:
    """Both have clients of their own; while one is down the other goes on taking mail."""
    chance = dice()
    nodes, store = [daemons(postgres_migrated, **UNLIMITED) for _ in range(2)], Store(postgres_migrated)
    open_cases(nodes[0])
    for node in nodes:
        node.start()
    async with Load([Door(node.smtp_port) for node in nodes], replies(ADDRESS, "turn")) as load:
        for _ in range(kills):
            for node in nodes:
                await kill(node, 1, chance)
    await asyncio.to_thread(store.drained, seconds=600)
    assert load.acked == set(load.sent)
    assert compare(load.sent, load.acked, store.raws()).clean
    store.in_order()
