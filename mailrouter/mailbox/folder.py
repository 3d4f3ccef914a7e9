"""How a mailbox remembers what was taken from it, and so what still waits: in one of three ways.

Moved: into `done_folder`. Flagged: by a keyword of ours, where the server keeps such flags. Counted: by nobody but us,
as the last UID of this UIDVALIDITY. A person's reading or unreading of a mail never counts: it would hide mail from us.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from mailrouter.mailbox import session
from mailrouter.mailbox.answers import Selected
from mailrouter.mailbox.session import KEYWORD, Declined, Patience, Session, Trouble
from mailrouter.settings.model import Imap

QUICK = Patience(answer=8.0, whole=20.0)  # for a person who waits


class Way(StrEnum):
    """Where it is kept that a message was taken."""

    MOVED = "moved"
    FLAGGED = "flagged"
    COUNTED = "counted"


@dataclass(frozen=True, slots=True)
class Position:
    """Up to where all is taken or passed over, under each UIDVALIDITY that any node has seen."""

    last_uids: Mapping[int, int]

    def last(self, selected: Selected) -> int:
        """The last UID dealt with in this folder as it is now."""
        return self.last_uids.get(selected.uidvalidity, 0) if selected.uidvalidity else 0


@dataclass(frozen=True, slots=True)
class Counts:
    """What the server has, in messages, by its own count."""

    way: Way
    done: int  # in done_folder, or marked, or below our position
    left: int  # in the folder and not done: what waits, and what was passed over

    @property
    def there(self) -> int:
        """In both folders together."""
        return self.done + self.left


def way(mailbox: Imap, selected: Selected) -> Way:
    """How this one remembers."""
    if mailbox.done_folder:
        return Way.MOVED
    return Way.FLAGGED if selected.keywords else Way.COUNTED


async def waiting(line: Session, mailbox: Imap, selected: Selected, position: Position) -> list[int]:
    """The UIDs that are not done, ascending. What somebody deleted and did not expunge is let lie."""
    match way(mailbox, selected):
        case Way.MOVED:
            return await line.search("UNDELETED")
        case Way.FLAGGED:
            return await line.search(f"UNDELETED UNKEYWORD {KEYWORD}")
        case Way.COUNTED:
            last = position.last(selected)
            return [uid for uid in await line.search(f"UNDELETED UID {last + 1}:*") if uid > last]  # n:* may be n-1


async def done(line: Session, mailbox: Imap, selected: Selected, position: Position) -> int:
    """How many the server shows as done."""
    match way(mailbox, selected):
        case Way.MOVED:
            return await _in_done_folder(line, mailbox)
        case Way.FLAGGED:
            return len(await line.search(f"KEYWORD {KEYWORD}"))
        case Way.COUNTED:
            last = position.last(selected)
            return len(await line.search(f"UID 1:{last}")) if last else 0


async def _in_done_folder(line: Session, mailbox: Imap) -> int:
    try:
        return await line.count(mailbox.done_folder)
    except Declined:  # it is made when the first mail is taken
        return 0


# ---- for those who only look -----------------------------------------------------------------------------------------


def look(mailboxes: Iterable[tuple[Imap, Position]], patience: Patience = QUICK) -> dict[str, Counts | Trouble]:
    """Each mailbox's counts by its name, or what is wrong with it; all at once. Marks nothing, takes nothing."""
    return asyncio.run(_look(list(mailboxes), patience))


async def _look(mailboxes: list[tuple[Imap, Position]], patience: Patience) -> dict[str, Counts | Trouble]:
    looks = [_one(mailbox, position, patience) for mailbox, position in mailboxes]
    return dict(zip((mailbox.name for mailbox, _ in mailboxes), await asyncio.gather(*looks), strict=True))


async def _one(mailbox: Imap, position: Position, patience: Patience) -> Counts | Trouble:
    try:
        async with session.opened(mailbox, patience) as line:
            selected = await line.select(mailbox.folder)
            left = len(await waiting(line, mailbox, selected, position))
            counts = Counts(way(mailbox, selected), await done(line, mailbox, selected, position), left)
            await line.leave()
            return counts
    except Trouble as trouble:
        return trouble
