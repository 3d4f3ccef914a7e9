"""The group committer, on a real database."""

import asyncio
import logging
import threading
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from mailrouter.faults import TryLater
from mailrouter.intake import commit
from mailrouter.intake.commit import Committer
from mailrouter.mail.envelope import Envelope
from tests.intake.house import Table

THEN = datetime(2026, 3, 2, 9, tzinfo=UTC)


def envelope(raw: bytes) -> Envelope:
    return Envelope("smtp", "a@b.example", ("cert@example.org",), raw, THEN)


class Gate:
    """A store that waits to be let through, so that a test decides what gathers meanwhile."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.entered = threading.Semaphore(0)
        self.open = threading.Event()

    def accept(self, envelopes: Sequence[Envelope]) -> None:
        self.entered.release()
        assert self.open.wait(30)
        self.table.accept(envelopes)


async def test_one_alone_is_committed_at_once(table: Table) -> None:
    committer = Committer(table.accept, asyncio.get_running_loop())
    assert await committer.begin(envelope(b"one"))
    assert table.raws() == [b"one"]
    await committer.close()


async def test_what_arrives_during_a_commit_shares_the_next(table: Table) -> None:
    gate = Gate(table)
    committer = Committer(gate.accept, asyncio.get_running_loop())
    first = committer.begin(envelope(b"first"))
    assert await asyncio.to_thread(gate.entered.acquire, timeout=30)
    others = [committer.begin(envelope(b"%d" % n)) for n in range(50)]
    gate.open.set()
    assert await asyncio.gather(first, *others) == [True] * 51
    assert table.batches == [1, 50]
    await committer.close()


@pytest.mark.row("R07")
async def test_nobody_who_leaves_cancels_a_commit(table: Table) -> None:
    gate = Gate(table)
    committer = Committer(gate.accept, asyncio.get_running_loop())
    stored = committer.begin(envelope(b"left behind"))
    assert await asyncio.to_thread(gate.entered.acquire, timeout=30)
    stored.cancel()
    gate.open.set()
    await committer.close()
    assert table.raws() == [b"left behind"]


async def test_a_mail_the_store_cannot_take_does_not_take_its_neighbours(
    table: Table, caplog: pytest.LogCaptureFixture
) -> None:
    gate = Gate(table)
    committer = Committer(gate.accept, asyncio.get_running_loop())
    first = committer.begin(envelope(b"first"))
    assert await asyncio.to_thread(gate.entered.acquire, timeout=30)
    others = [committer.begin(envelope(raw)) for raw in (b"2", b"POISON", b"3")]
    gate.open.set()
    assert await asyncio.gather(first, *others) == [True, True, False, True]
    assert table.raws() == [b"first", b"2", b"3"]
    assert "secret" not in caplog.text
    assert {record.message for record in caplog.records if record.levelno >= logging.ERROR} == {"intake.commit_failed"}
    await committer.close()


@pytest.mark.row("R11")
async def test_a_store_that_is_slow_to_fail_is_not_asked_once_for_every_mail(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commit, "RETRY_SECONDS", 0.1)  # the table gives up after 0.2 s
    with table.reader() as other:
        other.execute("BEGIN IMMEDIATE")
        gate = Gate(table)
        committer = Committer(gate.accept, asyncio.get_running_loop())
        first = committer.begin(envelope(b"first"))
        assert await asyncio.to_thread(gate.entered.acquire, timeout=30)
        others = [committer.begin(envelope(b"%d" % n)) for n in range(40)]
        gate.open.set()
        assert await asyncio.gather(first, *others) == [False] * 41
        assert table.batches == [1, 40]
        other.execute("ROLLBACK")
    assert await committer.begin(envelope(b"later"))
    await committer.close()


async def test_closing_commits_what_was_handed_over_and_takes_no_more(table: Table) -> None:
    committer = Committer(table.accept, asyncio.get_running_loop())
    handed = [committer.begin(envelope(b"%d" % n)) for n in range(20)]
    await committer.close()
    await committer.close()
    assert await asyncio.gather(*handed) == [True] * 20
    assert len(table.raws()) == 20
    with pytest.raises(TryLater):
        committer.begin(envelope(b"too late"))
