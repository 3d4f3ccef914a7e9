"""The IMAP door: mailboxes are read, each by a task of its own, for as long as the daemon runs.

Promises: a message is moved or marked only after the commit that stores it, and never deleted before; whatever ends a
session (a server that hangs, lies or goes away, another UIDVALIDITY, our own death) costs a second fetch, not a mail
and not a second copy; a message that cannot be fetched or is too large holds up no other and is shown to people; a
mailbox that cannot be read disturbs no other door, and is tried again within five minutes.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from mailrouter import failpoint, logs
from mailrouter.faults import TryLater
from mailrouter.intake.fetched import Postmark
from mailrouter.intake.ledger import Ledger
from mailrouter.intake.limits import InFlight
from mailrouter.intake.uids import FOR_EVER, TRIES, Memory
from mailrouter.mail.envelope import Envelope
from mailrouter.mailbox import folder, session
from mailrouter.mailbox.answers import Selected
from mailrouter.mailbox.folder import Position, Way
from mailrouter.mailbox.session import KEYWORD, Declined, LoginRefused, Patience, Session, Trouble
from mailrouter.settings.model import Imap

MESSAGES_AT_ONCE = 100
BYTES_AT_ONCE = 2**20  # of one batch; a larger message is a batch of its own
REST_OF_THE_SICK = 3600.0  # seconds until a message that could not be fetched is tried again
PAUSE_MOST = 300.0  # seconds between two attempts to open a session
PAUSE_REFUSED = 32.0  # seconds at least after a refused login: servers count those
ROOM_SECONDS = 0.1  # how often it is asked for
TURN_SECONDS = 30.0  # how often a node asks whether it is its turn to read
DRAIN_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Desk:
    """What one mailbox's reader works with."""

    mailbox: Imap
    ledger: Ledger
    postmark: Postmark
    commit: Callable[[Envelope], asyncio.Future[bool]]
    in_flight: InFlight  # bytes of all mailboxes' mail in memory; not the other doors': a server that hangs holds its
    max_size: int  # bytes
    now: Callable[[], datetime]
    patience: Patience = Patience()  # noqa: RUF009 - frozen
    pause: Callable[[int, bool], float] = field(default=lambda failures, refused: pause(failures, refused=refused))


def pause(failures: int, *, refused: bool, chance: Callable[[], float] = random.random) -> float:
    """Seconds before the next session, after so many that failed in a row: doubling, up to five minutes, jittered."""
    longest = min(PAUSE_MOST, 2.0 ** min(failures, 16))
    return max(longest, PAUSE_REFUSED if refused else 0.0) * (0.5 + chance() / 2)


class Reader:
    """Reads one mailbox until `stop` is set. `run` raises nothing."""

    def __init__(self, desk: Desk, stop: asyncio.Event) -> None:
        self._desk = desk
        self._mailbox = desk.mailbox
        self._stop = stop
        self._memory = Memory()
        self._failures = 0
        self._declined = ""  # what the server would not do with mails we have stored
        self._has_looked = False
        self._told_passed_over = -1

    # -- sessions

    async def run(self) -> None:
        """One session after another, with pauses between them."""
        while not self._stop.is_set():
            seconds = TURN_SECONDS
            try:
                if await self._desk.ledger.take_turn(self._desk.now()):
                    await self._stay()
                else:
                    await self._desk.ledger.waits(self._desk.now())
            except Exception as trouble:  # noqa: BLE001 - the next session may do better; a reader never ends by itself
                self._failures += 1
                seconds = self._desk.pause(self._failures, isinstance(trouble, LoginRefused))
                await self._report(trouble, seconds)
            await self._wait(seconds)
        with suppress(Exception):  # the turn runs out by itself
            await self._desk.ledger.give_turn()

    async def _stay(self) -> None:
        """One session: look, rest until there is news, and so on."""
        async with session.opened(self._mailbox, self._desk.patience) as line:
            while not self._stop.is_set() and await self._desk.ledger.take_turn(self._desk.now()):
                await self._look(line)
                self._failures = 0
                await line.rest(self._stop)
            await line.leave()

    async def _report(self, trouble: Exception, seconds: float) -> None:
        """Say what is wrong, and let another node try."""
        why = str(trouble) if isinstance(trouble, TryLater) else type(trouble).__name__
        if isinstance(trouble, TryLater):
            logs.warn("imap.trouble", mailbox=self._mailbox.name, why=why, failures=self._failures, again=int(seconds))
        else:
            logs.failed("imap.failed", trouble, mailbox=self._mailbox.name, again=int(seconds))
        try:
            await self._desk.ledger.ill(why)
            await self._desk.ledger.give_turn()
        except Exception as deeper:  # noqa: BLE001 - the database is away; the turn runs out by itself
            logs.failed("imap.not_written", deeper, mailbox=self._mailbox.name)

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)

    # -- one look

    async def _look(self, line: Session) -> None:
        """All that waits: asked for its size, then, in small batches, fetched, stored, marked."""
        selected = await line.select(self._mailbox.folder)
        if not selected.writable:
            raise Trouble("the folder is read-only: what is taken could not be marked")
        position = await self._begin(line, selected)
        self._declined = ""
        await self._mark(line, selected, ())
        there = await folder.waiting(line, self._mailbox, selected, position)
        waiting = self._in_order(there, selected, position)
        for start in range(0, len(waiting), MESSAGES_AT_ONCE):
            for batch in await self._batches(line, selected, waiting[start : start + MESSAGES_AT_ONCE]):
                await self._take(line, selected, batch)
                if self._stop.is_set():
                    return
        await self._end(selected, position, there)

    async def _begin(self, line: Session, selected: Selected) -> Position:
        """Under another UIDVALIDITY nothing we remember of UIDs holds."""
        if selected.uidvalidity != self._memory.uidvalidity:
            self._memory = Memory(selected.uidvalidity)
        position = await self._desk.ledger.position()
        if not self._has_looked and await self._desk.ledger.is_first_look():
            done = await folder.done(line, self._mailbox, selected, position)
            await self._desk.ledger.well(self._desk.now(), done_before=done)
        self._has_looked = True
        return position

    def _in_order(self, there: Sequence[int], selected: Selected, position: Position) -> list[int]:
        is_counted = folder.way(self._mailbox, selected) is Way.COUNTED
        self._memory.forget_the_gone(there, position.last(selected) if is_counted else 0)  # below it nobody looked
        return self._memory.in_order(there, asyncio.get_running_loop().time())

    async def _batches(self, line: Session, selected: Selected, uids: Collection[int]) -> Iterable[dict[int, int]]:
        """Small ones, by size. Who has no size is gone, as the next SEARCH will say, or a try has failed."""
        sizes = await line.sizes(uids)
        for uid in uids:
            if uid not in sizes:
                await self._try_counts(uid, selected)
        within = await self._within_limits(sizes, selected)
        return self._memory.batches(within, min(BYTES_AT_ONCE, self._desk.max_size))

    async def _within_limits(self, sizes: dict[int, int], selected: Selected) -> dict[int, int]:
        """A message beyond `smtp.max_size` is not fetched: it stays where it is, and people are told."""
        for uid, size in sizes.items():
            if size > self._desk.max_size:
                await self._pass_over(uid, selected, f"{size} bytes are more than smtp.max_size", FOR_EVER)
        return {uid: size for uid, size in sizes.items() if size <= self._desk.max_size}

    async def _pass_over(self, uid: int, selected: Selected, why: str, seconds: float) -> None:
        self._memory.passed_over[uid] = asyncio.get_running_loop().time() + seconds
        logs.warn("imap.passed_over", mailbox=self._mailbox.name, uid=uid)
        await self._desk.ledger.passed_over(self._desk.now(), selected.uidvalidity, uid, why)

    async def _end(self, selected: Selected, position: Position, there: Collection[int]) -> None:
        """All is well, unless the server would not move or mark what we took."""
        memory = self._memory
        if self._declined:
            await self._desk.ledger.ill(self._declined)
            logs.warn("imap.not_marked", mailbox=self._mailbox.name, mails=len(memory.unmarked))
            return
        found = {"passed_over": len(memory.passed_over)} if len(memory.passed_over) != self._told_passed_over else {}
        self._told_passed_over = len(memory.passed_over)
        last = memory.last(there)
        if folder.way(self._mailbox, selected) is Way.COUNTED and last > position.last(selected):
            memory.done = {uid for uid in memory.done if uid > last}
            found |= {"uidvalidity": selected.uidvalidity, "last_uid": last}
        await self._desk.ledger.well(self._desk.now(), **found)

    # -- one batch

    async def _take(self, line: Session, selected: Selected, sizes: dict[int, int]) -> None:
        """Fetch, commit; only then move or mark."""
        held = await self._room(sum(sizes.values()))
        try:
            mails = await self._fetch(line, selected, sizes)
            stored = await self._commit(mails)
        finally:
            self._desk.in_flight.give(held)
        failpoint.reach("imap-after-commit")
        await self._mark(line, selected, stored)
        if stored:
            self._failures = 0  # pauses grow while nothing comes of it
            logs.event("imap.taken", mailbox=self._mailbox.name, mails=len(stored))
        if len(stored) < len(mails):
            raise TryLater("the database did not take it")
        if self._declined:
            await self._desk.ledger.take_turn(self._desk.now())  # it goes on, and not all is well
        else:
            await self._desk.ledger.well(self._desk.now())

    async def _room(self, octets: int) -> int:
        """All mailboxes together hold so many bytes of mail in memory: wait until these fit."""
        while not self._desk.in_flight.take(octets):
            if self._stop.is_set():
                raise TryLater("the doors are closing")
            await self._wait(ROOM_SECONDS)
        return octets

    async def _fetch(self, line: Session, selected: Selected, sizes: dict[int, int]) -> dict[int, bytes]:
        """The mails. One that ended the session or did not come is fetched alone next time, and TRIES times at most."""
        memory = self._memory
        try:
            mails = {uid: raw for uid, raw in (await line.fetch(sizes)).items() if uid in sizes}
            for uid, raw in mails.items():
                if len(raw) != sizes[uid]:
                    await self._compare(line, uid, raw)
        except Trouble:
            memory.alone.update(sizes)
            if len(sizes) == 1:
                await self._try_counts(min(sizes), selected)
            raise
        memory.came(mails)
        memory.alone.update(sizes.keys() - mails.keys())
        if len(sizes) == 1 and not mails:
            await self._try_counts(min(sizes), selected)
        real = await self._within_limits({uid: len(raw) for uid, raw in mails.items()}, selected)
        return {uid: mails[uid] for uid in real}

    async def _compare(self, line: Session, uid: int, raw: bytes) -> None:
        """Not as long as announced: cut off, or a server that guesses. Two fetches that agree are believed."""
        if (await line.fetch({uid: len(raw)})).get(uid) != raw:
            raise Trouble("a mail came otherwise than announced")

    async def _try_counts(self, uid: int, selected: Selected) -> None:
        if self._memory.failed(uid):
            await self._pass_over(uid, selected, f"could not be fetched in {TRIES} tries", REST_OF_THE_SICK)

    async def _commit(self, mails: dict[int, bytes]) -> list[int]:
        """Which of them are stored now, durably; those that were stored before are."""
        now = self._desk.now()
        waiting = {uid: self._desk.commit(self._desk.postmark.envelope(raw, now)) for uid, raw in mails.items()}
        return [uid for uid, stored in waiting.items() if await stored]

    async def _mark(self, line: Session, selected: Selected, stored: Collection[int]) -> None:
        """Move or mark what is stored. If the server will not, it is remembered, and tried at the next look."""
        memory = self._memory
        memory.unmarked.update(stored)
        while memory.unmarked and not self._declined:
            some = sorted(memory.unmarked)[:MESSAGES_AT_ONCE]
            try:
                await self._mark_some(line, selected, some)
                memory.unmarked.difference_update(some)
                if folder.way(self._mailbox, selected) is Way.COUNTED:
                    memory.done.update(some)
            except Declined as trouble:
                self._declined = str(trouble)

    async def _mark_some(self, line: Session, selected: Selected, uids: Collection[int]) -> None:
        match folder.way(self._mailbox, selected):
            case Way.MOVED:
                await self._move(line, uids)
            case Way.FLAGGED:
                await line.mark(uids, rf"\Seen {KEYWORD}")
            case Way.COUNTED:
                await line.mark(uids, r"\Seen")

    async def _move(self, line: Session, uids: Collection[int]) -> None:
        """Without MOVE in steps: what was copied is not copied again, however often the server declines the rest."""
        if line.can_move():
            await self._into_done(line, line.move, uids)
            return
        copied = self._memory.copied
        if fresh := set(uids) - copied:
            await self._into_done(line, line.copy, fresh)
            copied.update(fresh)
        await line.delete(uids)
        copied.difference_update(uids)

    async def _into_done(
        self, line: Session, step: Callable[[Collection[int], str], Awaitable[None]], uids: Collection[int]
    ) -> None:
        try:
            await step(uids, self._mailbox.done_folder)
        except Declined:  # perhaps it is not there yet
            with suppress(Declined):  # it is
                await line.make(self._mailbox.done_folder)
            await step(uids, self._mailbox.done_folder)


class Readers:
    """All mailboxes' readers, begun and ended together."""

    def __init__(self, desks: Sequence[Desk]) -> None:
        self._stop = asyncio.Event()
        self._tasks = [asyncio.create_task(Reader(desk, self._stop).run()) for desk in desks]

    async def close(self) -> None:
        """Take no further batch; a server that keeps us waiting is left. What was stored and not marked is no loss."""
        self._stop.set()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=DRAIN_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
