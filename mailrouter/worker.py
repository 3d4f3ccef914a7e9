"""The processes that receive, deliver and publish, supervised by `serve`: claim, do, wait for wake, poll or stop.

Promises: the door never parses; a mail that spins or swells costs one worker, not the service: the process is ended
and the mail, whose try was counted when it was claimed, is read alone next time, by the worker that takes the dead
one's place and its name. A worker whose supervisor is gone ends itself.
"""

import gc
import os
import resource
import select
import signal
import time
from collections.abc import Callable
from enum import StrEnum
from multiprocessing.connection import Connection

from mailrouter import logs, memory
from mailrouter.flow import publishing
from mailrouter.flow.arriving import receive
from mailrouter.flow.ordering import orders
from mailrouter.flow.publishing import health
from mailrouter.flow.publishing.site import Stopped
from mailrouter.flow.sending import deliver
from mailrouter.flow.telling import tell
from mailrouter.settings import Settings
from mailrouter.store import inbox
from mailrouter.store.inbox import Holder
from mailrouter.tools import Tools, make

POLL_SECONDS = 1.0
WATCH_SECONDS = 60.0
PUBLISH_SECONDS = 15.0  # between two looks at what readers do not have yet
CPU_SECONDS = 10  # testbook/faults.md R19
WAKE, STOP = b"w", b"s"


class Task(StrEnum):
    """What a worker process does."""

    RECEIVE = "receive"
    DELIVER = "deliver"
    PUBLISH = "publish"


MEMORY_BYTES = {  # of address space
    Task.RECEIVE: 512 * 1024 * 1024,
    Task.DELIVER: 1024
    * 1024
    * 1024,  # a letter of ours with 20 MiB of files is in memory several times while it is sealed
    Task.PUBLISH: 2 * 1024 * 1024 * 1024,  # every note is
}
Over = Callable[[], bool]  # whether it was told to stop


def main(task: Task, settings: Settings, holder: Holder, pipe: Connection) -> None:
    """The life of one worker; `pipe` is the end the supervisor's orders come out of."""
    gc.freeze()  # what the forkserver imported stays shared: a collection would touch, and so copy, every page of it
    memory.give_back_large_blocks()
    _quiet_signals()
    logs.configure(settings.log.format, settings.log.level, settings.node)
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]  # left as it is: the runner gives gpg limits of its own
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES[task], hard))
    tools = make(settings, holder)
    try:
        _work(_DOES[task], tools, pipe.fileno())
    finally:
        tools.db.close()


def _quiet_signals() -> None:
    """A terminal's Ctrl-C and systemd's SIGTERM reach the whole group; the supervisor alone says when to stop."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _work(do: Callable[[Tools, Over], object], tools: Tools, orders: int) -> None:
    """Do until nothing is left, then wait; a database that is away is waited for too."""
    poll = select.poll()
    poll.register(orders, select.POLLIN | select.POLLHUP)
    busy: object = True
    while not _told_to_stop(poll, orders, 0 if busy else POLL_SECONDS):
        try:
            busy = do(tools, lambda: bool(poll.poll(0)))
        except Exception as trouble:  # noqa: BLE001 - the database may be away for hours; a worker outlives it
            logs.failed("worker.trouble", trouble)
            busy = False


def _told_to_stop(poll: select.poll, orders: int, seconds: float) -> bool:
    if not poll.poll(seconds * 1000):
        return False
    said = os.read(orders, 4096)
    return not said or STOP in said  # nothing said: the supervisor is gone


class _Receive:
    """One batch, and one mail with orders, under a limit of processor time that even a spinning C function meets.

    What was in hand when the database went away is given back when it is there again; so is what may have been claimed
    by a commit whose answer was lost (testbook/faults.md R12, R14).
    """

    def __init__(self) -> None:
        self._free_what_is_left: Callable[[Tools], None] | None = receive.take_over  # a worker may have died here

    def __call__(self, tools: Tools, _over: Over) -> object:
        if self._free_what_is_left:
            self._free_what_is_left(tools)
        self._free_what_is_left = _release
        items = receive.claim(tools)
        signal.setitimer(signal.ITIMER_VIRTUAL, CPU_SECONDS)
        try:
            receive.receive(tools, items)
            ordered = orders.work(tools)
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        self._free_what_is_left = None
        return bool(items) or ordered


def _release(tools: Tools) -> None:
    with tools.db.write() as tx:
        inbox.release(tx, tools.holder)


class _Deliver:
    """Letters one by one; and once a minute a look at the rest of the machine, from outside its main process."""

    def __init__(self) -> None:
        self._looked = float("-inf")
        self._site = health.Watch()
        self._in_hand = True  # perhaps: a worker that died in our place, or the database went away under a letter

    def __call__(self, tools: Tools, _over: Over) -> object:
        if time.monotonic() - self._looked > WATCH_SECONDS:
            self._looked = time.monotonic()
            tell.alarms(tools, tools.now(), self._site.troubles(tools, tools.now()))
        if self._in_hand:
            deliver.release(tools)
        self._in_hand = True
        delivered = deliver.work(tools)
        self._in_hand = False
        return delivered


class _Publish:
    """What was decided and not finished, and a site that is behind: in a process of its own, so that no mail waits."""

    def __init__(self) -> None:
        self._looked = float("-inf")

    def __call__(self, tools: Tools, over: Over) -> object:
        if time.monotonic() - self._looked < PUBLISH_SECONDS:
            return False
        self._looked = time.monotonic()
        try:
            publishing.catch_up(tools, over)
        except Stopped:
            logs.event("site.left")
        return False


_DOES: dict[Task, Callable[[Tools, Over], object]] = {
    Task.RECEIVE: _Receive(), Task.DELIVER: _Deliver(), Task.PUBLISH: _Publish(),
}  # fmt: skip
