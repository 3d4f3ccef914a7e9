"""Group commit: what arrives while a commit is running shares the next one.

Promises: a mail is called stored only once it is durable; a commit under way is never cancelled, whoever hangs up; a
mail the store cannot take does not take its neighbours with it; no exception text leaves this module.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import NamedTuple

from mailrouter import failpoint, logs
from mailrouter.faults import TryLater
from mailrouter.mail.envelope import Envelope

Accept = Callable[[Sequence[Envelope]], object]
"""Stores the whole batch durably, or raises and stores none of it. Idempotent. Called from one thread of our own."""

RETRY_SECONDS = 2.0  # from a batch's beginning: one that fails sooner is tried mail by mail; a locked store is slower


class _Waiting(NamedTuple):
    envelope: Envelope
    stored: asyncio.Future[bool]


class Committer:
    """One thread that commits, as many mails at a time as wait for it; at once when only one does."""

    def __init__(self, accept: Accept, loop: asyncio.AbstractEventLoop) -> None:
        self._accept = accept
        self._loop = loop
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._ended = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="intake-commit", daemon=True)
        self._closed = False
        self._thread.start()

    def begin(self, envelope: Envelope) -> asyncio.Future[bool]:
        """Hand one mail over: the future says whether it is stored. Cancelling it cancels nothing but the waiting."""
        if self._closed:
            raise TryLater("the doors are closing")
        stored: asyncio.Future[bool] = self._loop.create_future()
        self._queue.put(_Waiting(envelope, stored))
        return stored

    async def close(self) -> None:
        """Commit all that was handed over, then end the thread."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
        await self._ended.wait()

    def _run(self) -> None:
        goes_on = True
        while goes_on:
            batch, goes_on = self._next_batch()
            if batch:
                outcomes = self._store([waiting.envelope for waiting in batch])
                self._loop.call_soon_threadsafe(_tell, batch, outcomes)
        self._loop.call_soon_threadsafe(self._ended.set)

    def _next_batch(self) -> tuple[list[_Waiting], bool]:
        """All that waits, after waiting for the first of it; False with it when the end was asked for."""
        batch: list[_Waiting] = []
        waiting = self._queue.get()
        while waiting is not None:
            batch.append(waiting)
            try:
                waiting = self._queue.get_nowait()
            except Empty:
                return batch, True
        return batch, False

    def _store(self, envelopes: Sequence[Envelope]) -> list[bool]:
        patience_ends = self._loop.time() + RETRY_SECONDS
        if self._stored(envelopes):
            return [True] * len(envelopes)
        if len(envelopes) == 1:
            return [False]
        return [self._loop.time() < patience_ends and self._stored([envelope]) for envelope in envelopes]

    def _stored(self, envelopes: Sequence[Envelope]) -> bool:
        failpoint.reach("accept-before-commit")
        try:
            self._accept(envelopes)
        except Exception as error:  # noqa: BLE001 - whatever the store's trouble is, the client keeps the mail (451)
            logs.failed("intake.commit_failed", error, mails=len(envelopes))
            return False
        failpoint.reach("accept-after-commit")
        return True


def _tell(batch: Sequence[_Waiting], outcomes: Sequence[bool]) -> None:
    for waiting, stored in zip(batch, outcomes, strict=True):
        if not waiting.stored.done():
            waiting.stored.set_result(stored)
