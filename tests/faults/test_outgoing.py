"""Letters under a smarthost that fails and nodes that die (testbook/faults.md R23, R24, R26): each leaves, and once."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.faults.scene import Store, dice, notify_vendors
from tests.servers.daemon import Daemon
from tests.servers.sink import CLOSE, Sink
from tests.servers.wait import free_port, until

Daemons = Callable[..., Daemon]
Smarthosts = Callable[..., Sink]
long = pytest.mark.long


def to(port: int) -> str:
    """`relay.url` for a smarthost on loopback."""
    return f"smtp://127.0.0.1:{port}"


def copies(*hosts: Sink) -> Counter[bytes]:
    """How often each mail was taken."""
    return Counter(taken.data for host in hosts for taken in host.taken)


def idents(mails: Counter[bytes]) -> set[bytes]:
    """Their Message-IDs."""
    return {data.partition(b"Message-ID: ")[2].partition(b"\r\n")[0] for data in mails}


def states(store: Store) -> dict[str, int]:
    """How many letters are in which state."""
    return {row.state: row.n for row in store.rows("SELECT state, count(*) AS n FROM letters GROUP BY state")}


@pytest.mark.row("R23")
@pytest.mark.parametrize("letters", [150, pytest.param(10_000, marks=long)])
def test_a_smarthost_that_is_down_and_comes_back(
    migrated_url: str, daemons: Daemons, smarthosts: Smarthosts, letters: int
) -> None:
    """Connections refused, then 421: everything waits, nothing fails; afterwards each letter leaves once."""
    port, store = free_port(), Store(migrated_url)
    node = daemons(migrated_url, RELAY__URL=to(port))
    notify_vendors(node, letters, cases=5)
    node.start("--only", "worker")
    tried = "SELECT count(*) FROM letters WHERE attempts > 0 AND reply LIKE :reply"
    until(lambda: store.one(tried, reply="%refused%"), "a try that is refused")
    busy = smarthosts(at=port, replies={"connect": "421 4.3.2 busy"})
    store.no_pauses()
    until(lambda: store.one(tried, reply="421%"), "a try that is told to come again")
    assert states(store) == {"queued": letters}
    busy.close()
    host = smarthosts(at=port)
    store.no_pauses()
    until(lambda: states(store) == {"sent": letters}, "every letter to be sent", seconds=60 + letters / 5)
    assert set(copies(host).values()) == {1}
    assert len(idents(copies(host))) == letters
    assert copies(busy).total() == 0
    store.in_order()


@pytest.mark.row("R23")
def test_a_smarthost_that_refuses_for_good_is_seen_by_an_analyst(
    migrated_url: str, daemons: Daemons, smarthosts: Smarthosts
) -> None:
    host, store = smarthosts(replies={"RCPT": "550 5.7.1 refused"}), Store(migrated_url)
    node = daemons(migrated_url, RELAY__URL=to(host.port))
    notify_vendors(node, 1)
    node.start("--only", "worker")
    until(lambda: states(store) == {"failed": 1}, "the letter to have failed")
    [letter] = node.json("outbox", "list")
    assert (letter["state"], letter["attempts"]) == ("failed", 1)
    notices = [item for item in node.json("queue", "show", "triage") if item["kind"] == "notice"]
    assert [item["why"] for item in notices] == [f"letter {letter['id']} failed: refused by the relay (550 5.7.1)"]


@pytest.mark.row("R24")
def test_a_smarthost_that_dies_before_its_250_gets_the_same_bytes_again(
    migrated_url: str, daemons: Daemons, smarthosts: Smarthosts
) -> None:
    """It has read the final dot and says nothing more; whether it kept the mail nobody knows."""
    host, store = smarthosts(replies={"dot": CLOSE}), Store(migrated_url)
    node = daemons(migrated_url, RELAY__URL=to(host.port))
    notify_vendors(node, 2)
    node.start("--only", "worker")
    until(lambda: store.one("SELECT count(*) FROM letters WHERE reply <> ''") == 2, "both to have been tried")
    host.replies.clear()
    store.no_pauses()
    until(lambda: states(store) == {"sent": 2}, "both to be sent")
    assert sorted(copies(host).values()) == [2, 2]
    assert len(idents(copies(host))) == 2
    store.in_order()


@pytest.mark.row("R26")
@pytest.mark.parametrize("due", [300, pytest.param(10_000, marks=long)])
async def test_two_nodes_beat_over_the_same_rows_and_one_dies(
    postgres_migrated: str, daemons: Daemons, smarthosts: Smarthosts, due: int
) -> None:
    """Each step once, none missed: the other one goes on, and what the dead one had in hand is done too."""
    host, store, chance = smarthosts(), Store(postgres_migrated), dice()
    nodes = [daemons(postgres_migrated, RELAY__URL=to(host.port)) for _ in range(2)]
    notify_vendors(nodes[0], due, datetime.now(UTC) - timedelta(days=15), cases=20)
    for node in nodes:
        node.start("--only", "ticker,worker", ready=False)
    await asyncio.to_thread(kill_in_the_middle, nodes[0], store, chance.randrange(1, due // 2))
    await asyncio.to_thread(until, lambda: len(followed_up(store)) == due, "every row to be done", seconds=60 + due / 5)
    nodes[0].start("--only", "worker")
    done = {"sent": 2 * due}
    await asyncio.to_thread(until, lambda: states(store) == done, "every letter to be sent", seconds=60 + due / 5)
    assert {row.participant_id for row in followed_up(store)} == {
        row.id for row in store.rows("SELECT id FROM participants")
    }
    assert store.one("SELECT count(*) FROM participants WHERE follow_ups_sent = 1") == due
    assert store.one("SELECT count(*) FROM deadlines WHERE kind = 'follow-up' AND done_at IS NULL") == due
    assert len(idents(copies(host))) == len(copies(host)) == due
    assert copies(host).total() <= due + 1, "one node died once, with one letter in hand at most"
    store.in_order()


def kill_in_the_middle(node: Daemon, store: Store, rows: int) -> None:
    """Kill the node once so many rows are done."""
    until(lambda: len(followed_up(store)) >= rows, "the beat to be in the middle")
    node.kill()


def followed_up(store: Store) -> list:
    """The letters of the first rung."""
    return store.rows("SELECT participant_id FROM letters WHERE name = 'follow-up-1'")
