"""The composition root of the daemon: build the pieces, run them, stop them in order.

Promises: nothing starts on a schema this program does not know; `ready` is said once every door listens; SIGTERM
takes no new mail, lets what is under way end, then stops the workers; a worker that dies is replaced.
"""

import asyncio
import fcntl
import multiprocessing
import os
import secrets
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from itertools import count
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import IO, Literal

from mailrouter import clock, failpoint, logs, memory, worker
from mailrouter.faults import Refused, TryLater
from mailrouter.intake.doors import Doors, Doorway, open_doors
from mailrouter.intake.fetched import Postmark
from mailrouter.intake.imap import Desk, Readers
from mailrouter.intake.ledger import Ledger
from mailrouter.intake.limits import InFlight
from mailrouter.intake.paths import Recipients
from mailrouter.mail.envelope import Envelope
from mailrouter.settings import Listen, Settings, ensure_data_dir
from mailrouter.settings.model import Imap
from mailrouter.store import contacts, inbox, machine, mailboxes, migrate, outbox
from mailrouter.store.engine import Database, driver
from mailrouter.store.inbox import Holder
from mailrouter.ticker import Ticker
from mailrouter.tools import Tools, make

Part = Literal["smtp", "lmtp", "imap", "worker", "ticker", "web"]
PARTS: tuple[Part, ...] = ("smtp", "lmtp", "imap", "worker", "ticker", "web")
DRAIN_SECONDS = 30.0
REPLACE_SECONDS = 1.0
FETCHED_MAILS = 2  # mails of the greatest size held in memory at once, over all mailboxes
REFRESH_SECONDS = 5.0  # how old the doors' list of participants' addresses may be


def serve(settings: Settings, parts: Sequence[str] = PARTS) -> None:
    """Run until SIGTERM or SIGINT. `Refused` when it cannot start."""
    memory.give_back_large_blocks()
    ensure_data_dir(settings)
    logs.configure(settings.log.format, settings.log.level, settings.node)
    holder = Holder(settings.node, secrets.token_hex(8))
    db = Database(settings.database.url)
    alone = (settings.data_dir / f"node-{settings.node}").open("w")  # held as long as we live, however we end
    try:
        migrate.check(db)
        _be_the_only_one(settings, alone)
        _begin_life(db, holder, settings.imap if "imap" in parts else (), ticks="ticker" in parts)
        tools = make(settings, holder, db)
        asyncio.run(_Service(tools, parts).run())
        with db.write() as tx:
            machine.end_life(tx, holder)
            mailboxes.reads(tx, holder.node, (), clock.now())
        _end_agent(tools)
    finally:
        db.close()
        alone.close()


def _be_the_only_one(settings: Settings, file: IO[str]) -> None:
    """Two daemons of one name would free each other's leases."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Refused(f"node = {settings.node!r}: a daemon of that name runs here; each needs its own") from None


def _begin_life(db: Database, holder: Holder, reads: Sequence[Imap], *, ticks: bool) -> None:
    """What a former life of this node had in hand is free again."""
    with db.write() as tx:
        inbox.begin_life(tx, holder)
        outbox.begin_life(tx, holder)
        machine.begin_life(tx, holder, clock.now(), ticks=ticks)
        mailboxes.reads(tx, holder.node, [mailbox.name for mailbox in reads], clock.now())


def _end_agent(tools: Tools) -> None:
    """gpg's agent would outlive us; one that cannot be ended is no reason to have stopped badly."""
    try:
        tools.pgp.close()
    except TryLater as trouble:
        logs.failed("agent.left", trouble)


class _Service:
    def __init__(self, tools: Tools, parts: Sequence[str]) -> None:
        self._tools, self._parts = tools, parts
        self._settings, self._holder, self._db = tools.settings, tools.holder, tools.db
        self._crew = Crew(tools.settings, tools.holder)
        self._ticker = Ticker(tools)
        self._participants: frozenset[str] = frozenset()
        self._stop = asyncio.Event()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        async with AsyncExitStack() as stopping:  # last started, first stopped
            if "worker" in self._parts:
                self._crew.start()
                stopping.push_async_callback(asyncio.to_thread, self._crew.stop)
            doors = await self._doors()
            stopping.push_async_callback(doors.close, DRAIN_SECONDS)
            if "imap" in self._parts:
                stopping.push_async_callback(self._readers(doors).close)
            if "ticker" in self._parts:
                self._ticker.start()
                stopping.push_async_callback(asyncio.to_thread, self._ticker.stop)
            minding = [asyncio.create_task(self._refresh()), asyncio.create_task(self._mind())]
            await asyncio.to_thread(self._remember, doors)
            self._say_ready(doors)
            await self._stop.wait()
            logs.event("stopping")
            for task in minding:
                task.cancel()
            await asyncio.wait(minding)
            self._crew.begin_to_stop()  # beside the doors: all of it together ends in DRAIN_SECONDS

    async def _doors(self) -> Doors:
        await self._learn_participants()
        smtp, lmtp = self._settings.smtp, self._settings.lmtp
        doorway = Doorway(
            recipients=(self._settings.identity.address, *self._settings.identity.also),
            data_dir=self._settings.data_dir,
            separator=self._settings.identity.separator,
            smtp=smtp.listen if "smtp" in self._parts else Listen(),
            lmtp=lmtp.listen if "lmtp" in self._parts else Listen(),
            tls_cert=smtp.tls_cert, tls_key=smtp.tls_key, max_size=smtp.max_size,
            max_connections=smtp.max_connections, max_per_client=smtp.max_per_client,
            rate_per_sender=smtp.rate_per_sender, rate_total=smtp.rate_total,
        )  # fmt: skip
        try:
            return await open_doors(
                doorway,
                accept=self._accept,
                clock=clock.now,
                is_participant=lambda a: a.casefold() in self._participants,
            )
        except OSError as trouble:
            raise Refused(f"a door cannot listen: {trouble.strerror}; see smtp.listen and lmtp.listen") from None

    def _readers(self, doors: Doors) -> Readers:
        """One for each mailbox; they commit as the doors do."""
        identity, largest = self._settings.identity, self._settings.smtp.max_size
        named = (identity.address, *identity.also)
        ours, room = Recipients(named, identity.separator), InFlight(FETCHED_MAILS * largest)
        desks = [
            Desk(
                mailbox=mailbox,
                ledger=Ledger(self._db, self._settings.node, mailbox),
                postmark=Postmark(mailbox.door, ours, named),
                commit=doors.committer.begin,
                in_flight=room,
                max_size=largest,
                now=clock.now,
            )
            for mailbox in self._settings.imap
        ]
        return Readers(desks)

    def _accept(self, envelopes: Sequence[Envelope]) -> None:
        """Called in the doors' own thread: 250 rests on this commit."""
        with self._db.write() as tx:
            inbox.accept(tx, self._settings.node, envelopes)
            mailboxes.count_taken(tx, self._settings.node, [envelope.door for envelope in envelopes])
            failpoint.reach("accept-in-transaction")
        self._crew.wake()

    async def _refresh(self) -> None:
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            try:
                await self._learn_participants()
            except Exception as trouble:  # noqa: BLE001 - the database may be away; the doors keep the list they have
                logs.failed("participants.not_learned", trouble)

    async def _mind(self) -> None:
        while True:
            await asyncio.sleep(REPLACE_SECONDS)
            self._ticker.keep_time()
            try:
                self._crew.replace_dead()
            except OSError as trouble:  # no process to be had now
                logs.failed("worker.not_replaced", trouble)

    async def _learn_participants(self) -> None:
        self._participants = await asyncio.to_thread(self._addresses)

    def _addresses(self) -> frozenset[str]:
        with self._db.read() as tx:
            return contacts.participants_addresses(tx)

    def _remember(self, doors: Doors) -> None:
        """Where we listen, for whoever looks whether we still do."""
        places = [f"unix:{a}" if isinstance(a, Path) else f"{a[0]}:{a[1]}" for a in doors.addresses.values()]
        with self._db.write() as tx:
            machine.listens(tx, self._holder, " ".join(places))

    def _say_ready(self, doors: Doors) -> None:
        logs.event("ready", doors=",".join(sorted(doors.addresses)))
        if self._settings.log.format == "text":
            sys.stderr.write("ready\n")


class Crew:
    """The worker processes, forked from a clean process that has everything imported; replaced when one dies."""

    def __init__(self, settings: Settings, holder: Holder) -> None:
        self._settings, self._holder = settings, holder
        self._context: ForkServerContext = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["mailrouter.worker", *driver(settings.database.url)])
        self._workers: list[Worker] = []
        self._turns = count()
        self._ends_at = float("inf")

    def start(self) -> None:
        """As many receivers as `worker.processes`, one that delivers, and one that publishes."""
        receivers = [worker.Task.RECEIVE] * self._settings.worker.processes
        tasks = [*receivers, worker.Task.DELIVER, worker.Task.PUBLISH]
        self._workers = [self._one(task, number) for number, task in enumerate(tasks)]

    def _one(self, task: worker.Task, number: int) -> "Worker":
        """Each holds its leases under a name of its own, so that its successor can free them."""
        holder = Holder(self._holder.node, f"{self._holder.start_id}-{number}")
        return Worker(self._context, task, self._settings, holder)

    def wake(self) -> None:
        """Mail waits: the next receiver in turn is told. Were it busy for long, another's poll would find the mail."""
        receivers = [one for one in self._workers if one.task is worker.Task.RECEIVE]
        if receivers:
            receivers[next(self._turns) % len(receivers)].say(worker.WAKE)

    def replace_dead(self) -> None:
        """A worker ended by a hostile mail, or by the kernel, is followed by a new one."""
        for number, one in enumerate(self._workers):
            if not one.process.is_alive():
                logs.warn("worker.replaced", task=str(one.task), exit=one.process.exitcode)
                one.close()
                self._workers[number] = self._one(one.task, number)

    def begin_to_stop(self) -> None:
        """Each is to end after what it has in hand. May be said again."""
        self._ends_at = min(self._ends_at, time.monotonic() + DRAIN_SECONDS)
        for one in self._workers:
            one.say(worker.STOP)

    def stop(self) -> None:
        """Wait until all have ended. Who does not in time is ended: what it had in hand is done again."""
        self.begin_to_stop()
        for one in self._workers:
            one.process.join(max(0.0, self._ends_at - time.monotonic()))
            if one.process.is_alive():
                one.process.kill()
                one.process.join()
            one.close()


class Worker:
    """One process, and the pipe that tells it what to do."""

    def __init__(self, context: ForkServerContext, task: worker.Task, settings: Settings, holder: Holder) -> None:
        self.task = task
        self._speaking = threading.Lock()  # a number given back while another thread writes to it may be a client's
        orders, self._pipe = context.Pipe(duplex=False)
        os.set_blocking(self._pipe.fileno(), False)
        self.process: ForkServerProcess = context.Process(
            target=worker.main, args=(task, settings, holder, orders), name=f"mailrouter-{task}", daemon=True
        )
        self.process.start()
        orders.close()

    def say(self, order: bytes) -> None:
        """A full pipe means the worker has enough to wake it; a broken one, that it is dead and will be replaced."""
        with self._speaking, suppress(OSError):
            os.write(self._pipe.fileno(), order)

    def close(self) -> None:
        """Give the pipe back."""
        with self._speaking:
            self._pipe.close()
