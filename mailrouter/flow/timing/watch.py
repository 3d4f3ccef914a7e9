"""Is the machine well? What a living part can find out about another: doors that greet, beats, mail that moves.

Promises: looks only; each look is bounded by a few seconds; says what is wrong in words an operator can act on.
"""

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from mailrouter.store import books, inbox, machine, mailboxes, notes, outbox
from mailrouter.tools import Tools

OLD_MAIL = timedelta(hours=1)
DEAD_BEAT = timedelta(minutes=10)
UNREAD_MAILBOX = timedelta(minutes=10)
UNPUBLISHED = timedelta(minutes=10)  # a note after its publication was decided
GREETING_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something an operator must look at."""

    name: str
    details: str


def troubles(tools: Tools, now: datetime) -> list[Trouble]:
    """Everything that is wrong now."""
    with tools.db.read() as tx:
        found = list(_in_the_database(tx, now))
        ours = next((n for n in machine.nodes(tx) if n.name == tools.holder.node), None)
    return found + [_dead(door) for door in (ours.doors.split() if ours else ()) if not greets(door)]


def _in_the_database(tx: Connection, now: datetime) -> Iterator[Trouble]:
    if not books.count(tx).balanced:
        yield Trouble("the books do not balance", "`mailrouter books` shows which door's count differs")
    oldest = inbox.oldest_pending(tx)
    if oldest is not None and now - oldest > OLD_MAIL:
        yield Trouble("a mail has waited for an hour", f"accepted at {oldest:%Y-%m-%d %H:%M} UTC, not received yet")
    unsigned = outbox.waiting_for_our_key(tx)
    if unsigned:
        yield Trouble("our key does not sign", f"{unsigned} letter(s) wait for it; `mailrouter doctor` says why")
    late = [one for one in notes.not_released(tx) if one.decided_at and now - one.decided_at > UNPUBLISHED]
    if late:
        yield Trouble("a note is not published", f"{len(late)} decided; `mailrouter note press` says why not")
    for node in machine.nodes(tx):
        if node.beat_at is not None and now - node.beat_at > DEAD_BEAT:
            yield Trouble(f"no beat from {node.name}", f"the last one was at {node.beat_at:%Y-%m-%d %H:%M} UTC")
    for box in mailboxes.unread_since(tx, now - UNREAD_MAILBOX):
        why = box.trouble or "its reader says nothing; look at the daemon's log"
        yield Trouble(f"mailbox {box.name} is not read", f"by {box.node} since {box.read_at:%Y-%m-%d %H:%M} UTC: {why}")


def _dead(door: str) -> Trouble:
    return Trouble(f"a door is dead: {door}", "it does not greet; look at the daemon's log, and restart it")


def greets(door: str) -> bool:
    """Whether a door of this node, `HOST:PORT` or `unix:PATH`, answers a client (421 counts: it is alive and busy)."""
    try:
        with _connected(door) as line:
            return line.recv(3) in (b"220", b"421")
    except OSError:
        return False


def _connected(door: str) -> socket.socket:
    if not door.startswith("unix:"):
        host, _, port = door.rpartition(":")
        return socket.create_connection((host, int(port)), GREETING_SECONDS)
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    line.settimeout(GREETING_SECONDS)
    try:
        line.connect(door.removeprefix("unix:"))
    except OSError:
        line.close()
        raise
    return line
