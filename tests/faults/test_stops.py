"""The daemon is told to stop (testbook: R28): what is under way ends, new mail is sent away, nobody is left behind."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.load import Door
from benchmarks.mails import replies
from tests.faults.kills import Load
from tests.faults.scene import UNLIMITED, Store, compare, mails, notify_vendors, open_cases, send, session
from tests.intake.house import stuffed
from tests.servers.daemon import ADDRESS, Daemon
from tests.servers.sink import HANG, Sink
from tests.servers.wait import listening, until

Daemons = Callable[..., Daemon]
CLOSING = "421 4.3.2 Closing, try again later"
STORED = "250 2.0.0 Stored"


def begin_to_stop(node: Daemon) -> None:
    """SIGTERM, and wait until the doors are shut."""
    os.kill(node.pid, signal.SIGTERM)
    until(lambda: not listening(node.smtp_port), "the door to be shut")


@pytest.mark.row("R28")
async def test_stopping_under_load(migrated_url: str, daemons: Daemons) -> None:
    """Three times; the sessions come again, as after a kill."""
    node, store = daemons(migrated_url, **UNLIMITED), Store(migrated_url)
    open_cases(node)
    node.start()
    async with Load([Door(node.smtp_port)], replies(ADDRESS, "stop")) as load:
        for _ in range(3):
            await asyncio.sleep(0.5)
            assert await asyncio.to_thread(node.terminate) == 0
            await asyncio.to_thread(node.start)
    await asyncio.to_thread(store.drained)
    assert load.acked == set(load.sent)
    assert compare(load.sent, load.acked, store.raws()).clean
    assert "worker.trouble" not in node.log.read_text()
    store.in_order()


@pytest.mark.row("R28")
def test_a_mail_under_way_ends_and_no_other_begins(migrated_url: str, daemons: Daemons) -> None:
    node, store, [mail] = daemons(migrated_url).start(), Store(migrated_url), mails(1)
    group = [Path(f"/proc/{pid}") for pid in node.left()]
    with session(node) as busy, session(node) as idle:
        busy.ready(ADDRESS.encode())
        busy.send(stuffed(mail.raw)[:100])
        begin_to_stop(node)
        assert idle.replies() == [CLOSING]
        busy.send(stuffed(mail.raw)[100:])
        assert busy.replies() == [STORED, CLOSING]
    assert node.wait() == 0
    until(lambda: not any(process.exists() for process in group), "every process to have ended")
    assert store.raws() == [mail.raw]
    node.start()
    store.drained()
    store.in_order()


def with_a_letter_in_hand(daemons: Callable[..., Daemon], url: str, host: Sink) -> Daemon:
    """A running node whose one letter the smarthost has and does not answer."""
    node = daemons(url, RELAY__URL=f"smtp://127.0.0.1:{host.port}")
    notify_vendors(node, 1)
    node.start()
    until(lambda: host.taken, "the letter to be on its way")
    return node


@pytest.mark.row("R28")
def test_a_letter_in_hand_is_not_half_sent(
    migrated_url: str, daemons: Daemons, smarthosts: Callable[..., Sink]
) -> None:
    """The smarthost has the mail and does not answer; it answers never, and the letter stays ours."""
    host, store = smarthosts(replies={"dot": HANG}), Store(migrated_url)
    node = with_a_letter_in_hand(daemons, migrated_url, host)
    begin_to_stop(node)
    host.close()
    assert node.wait() == 0
    [letter] = store.letters()
    assert (letter.state, letter.attempts, letter.leased_until) == ("queued", 1, None)
    again = smarthosts(at=host.port)
    store.no_pauses()
    node.start()
    until(lambda: store.letters()[0].state == "sent", "the letter to be sent")
    assert [taken.data for taken in again.taken] == [taken.data for taken in host.taken]


@pytest.mark.row("R28")
@pytest.mark.long
def test_a_smarthost_that_keeps_silent_holds_up_the_end_for_half_a_minute_at_most(
    migrated_url: str, daemons: Daemons, smarthosts: Callable[..., Sink]
) -> None:
    """The letter is sent again after the next start, as after a crash."""
    host, store = smarthosts(replies={"dot": HANG}), Store(migrated_url)
    node = with_a_letter_in_hand(daemons, migrated_url, host)
    assert node.terminate(seconds=45) == 0
    host.replies.clear()
    node.start()
    until(lambda: store.letters()[0].state == "sent", "the letter to be sent")
    assert len(host.taken) == 2
    assert host.taken[0].data == host.taken[1].data


@pytest.mark.row("R28")
def test_a_supervisor_that_is_shot_leaves_nobody_behind(migrated_url: str, daemons: Daemons) -> None:
    """Only the supervising process is killed: its workers end by themselves, and the next start is as any other."""
    node, store, sent = daemons(migrated_url).start(), Store(migrated_url), mails(20)
    group = [Path(f"/proc/{pid}") for pid in node.left()]
    assert send(node, *(mail.raw for mail in sent)) == [STORED] * 20
    os.kill(node.pid, signal.SIGKILL)
    until(lambda: not any(process.exists() for process in group[1:]), "its workers to end")
    assert node.wait() == -signal.SIGKILL
    node.start()
    store.drained()
    assert store.raws() == [mail.raw for mail in sent]
    store.in_order()


def test_two_daemons_of_one_name_are_one_too_many(migrated_url: str, daemons: Daemons) -> None:
    """The second would free what the first has in hand."""
    first = daemons(migrated_url).start()
    second = first.run("serve", "--only", "worker", status=2)
    assert "a daemon of that name runs here" in second.stderr
    assert first.running
