"""What the readers of mailboxes write down and look up, each call one short transaction in a thread of its own.

Promises: nothing here is what a mail's safety rests on. Were it all lost, mails would be fetched again and known again.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

from mailrouter.mailbox.folder import Position
from mailrouter.settings.model import Imap
from mailrouter.store import mailboxes, queues
from mailrouter.store.engine import Database

NEWS_AFTER = timedelta(seconds=30)  # all is well: no need to write so more often


class Ledger:
    """One node's, of one mailbox."""

    def __init__(self, db: Database, node: str, mailbox: Imap) -> None:
        self._db, self._node, self._mailbox = db, node, mailbox
        self._place = f"{mailbox.user}@{mailbox.host}:{mailbox.port}/{mailbox.folder}"
        self._well_until: datetime | None = None

    async def position(self) -> Position:
        """Up to where all was dealt with, by whichever node."""
        return await asyncio.to_thread(self._position)

    def _position(self) -> Position:
        with self._db.read() as tx:
            return Position(mailboxes.account(tx, self._mailbox.name).last_uids)

    async def is_first_look(self) -> bool:
        """Whether nobody has counted yet what was done before our time."""
        return await asyncio.to_thread(self._is_first_look)

    def _is_first_look(self) -> bool:
        with self._db.read() as tx:
            mine = mailboxes.of_node(tx, self._node).get(self._mailbox.name)
        return mine is None or mine.done_before is None

    async def take_turn(self, now: datetime) -> bool:
        """Whether this node, and no other, reads the mailbox for the next two minutes."""
        return await asyncio.to_thread(self._take_turn, now)

    def _take_turn(self, now: datetime) -> bool:
        with self._db.write() as tx:
            return mailboxes.take_turn(tx, self._place, self._node, now)

    async def give_turn(self) -> None:
        """Let another node try."""
        await asyncio.to_thread(self._give_turn)

    def _give_turn(self) -> None:
        with self._db.write() as tx:
            mailboxes.give_turn(tx, self._place, self._node)

    async def well(self, now: datetime, **found: int) -> None:
        """All is well, and our turn goes on. Written at once if something was found out, else now and then."""
        if not found and self._well_until is not None and now < self._well_until:
            return
        self._well_until = now + NEWS_AFTER
        await asyncio.to_thread(self._well, now, found)

    def _well(self, now: datetime, found: Mapping[str, int]) -> None:
        with self._db.write() as tx:
            mailboxes.take_turn(tx, self._place, self._node, now)
            mailboxes.change(tx, self._node, self._mailbox.name, read_at=now, trouble="", **found)

    async def waits(self, now: datetime) -> None:
        """Another node reads it: nothing is wrong here."""
        await asyncio.to_thread(self._change, read_at=now, trouble="")

    async def ill(self, trouble: str) -> None:
        """All was well at `read_at`; this is what is wrong since."""
        self._well_until = None
        await asyncio.to_thread(self._change, trouble=trouble)

    def _change(self, **values: object) -> None:
        with self._db.write() as tx:
            mailboxes.change(tx, self._node, self._mailbox.name, **values)

    async def passed_over(self, now: datetime, uidvalidity: int, uid: int, why: str) -> None:
        """A message lies there that we do not take: people are told, once."""
        await asyncio.to_thread(self._passed_over, now, uidvalidity, uid, why)

    def _passed_over(self, now: datetime, uidvalidity: int, uid: int, why: str) -> None:
        once = f"mailbox:{self._mailbox.name}:{uidvalidity}:{uid}"
        where = f"mailbox {self._mailbox.name}, message {uid} of {self._mailbox.folder}"
        with self._db.write() as tx:
            queues.add_notice(tx, "quarantine", f"not taken: {where}: {why}", now, once=once)
