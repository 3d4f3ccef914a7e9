"""One logged-in connection to a mailbox: the thin layer on aioimaplib, and the only module that knows it.

Promises: every wait ends, by an answer, by the connection's end or by our patience, and then the connection is given
up; what a server may make us hold in memory is bounded; a `Trouble` says what is wrong in our own words, never a
user's name, a password or a server's text, which may quote either.

What aioimaplib leaves to its caller (docs/decisions.md): a command is not told that its connection is gone; COPY, MOVE,
STORE and IDLE have no time limit; every line of a chunk is one call deeper; user names and folders are not quoted.
"""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Collection, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from aioimaplib import aioimaplib

from mailrouter.faults import TryLater
from mailrouter.mailbox import answers
from mailrouter.mailbox.answers import Line, Selected
from mailrouter.settings.model import Imap

T = TypeVar("T")
KEYWORD = "MailrouterTaken"  # our own flag on what we took, where there is no done_folder (RFC 9051 section 2.3.2)
LINES_AT_ONCE = 200  # of one chunk handed to the library, whose recursion ends at about a thousand
LINES_MOST = 16 * 2**20  # bytes of an answer without mails: a SEARCH over two million messages
AROUND_MAILS = 2**20  # bytes of an answer with mails, beside these
ROUGHLY = 2  # a body may be this many times the size the server told, since some servers guess


class Trouble(TryLater):
    """Something between us and the server; another connection, later, may have none."""


class LoginRefused(Trouble):
    """The server does not let us in with this user and password."""


class Declined(Trouble):
    """The server answered NO or BAD; the connection is as good as before."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long we wait, in seconds. Together less than the minute in which a dead connection must be noticed."""

    answer: float = 25.0  # for a connection, a greeting, an answer; for the next byte of a mail
    whole: float = 600.0  # for all of one FETCH, however steadily it trickles
    idle: float = 25.0  # then IDLE is ended and issued again: a server that has died does not answer that


class _Protocol(aioimaplib.IMAP4ClientProtocol):  # type: ignore[misc]  # aioimaplib ships no types
    """Hands the library few lines at a time, and ends a connection that brings more than was asked for.

    What others do to flags is let pass by: for each line of an answer to FETCH the library looks at all before it.
    """

    allowance = LINES_MOST

    def data_received(self, data: bytes) -> None:
        self.allowance -= len(data)
        if self.allowance < 0:
            self.transport.abort()
            return
        for piece in _pieces(data):
            super().data_received(piece)

    def _handle_line(self, line: bytes, current_cmd: Any) -> Any:
        if current_cmd is None and answers.is_of_flags_only(line):
            return None
        return super()._handle_line(line, current_cmd)


def _pieces(data: bytes) -> Iterator[bytes]:
    """The same bytes, with LINES_AT_ONCE line ends in each piece at most."""
    lines = data.split(b"\n")
    for start in range(0, len(lines), LINES_AT_ONCE):
        some = lines[start : start + LINES_AT_ONCE]
        is_last = start + LINES_AT_ONCE >= len(lines)
        if piece := b"\n".join(some if is_last else [*some, b""]):
            yield piece


class _Client(aioimaplib.IMAP4):  # type: ignore[misc]  # aioimaplib ships no types
    def create_client(self, host: str, port: int, loop: Any, conn_lost_cb: Any = None, ssl_context: Any = None) -> None:
        super().create_client(host, port, loop, conn_lost_cb, ssl_context)
        self.protocol = _Protocol(asyncio.get_running_loop(), conn_lost_cb)  # it is asked for when the line stands


@asynccontextmanager
async def opened(mailbox: Imap, patience: Patience) -> AsyncIterator["Session"]:
    """Connect and log in; the connection ends with the block. Raises Trouble."""
    session = Session(mailbox, patience)
    try:
        await session.begin()
        yield session
    finally:
        session.close()


class Session:
    """Made by `opened`. UIDs are of the folder selected last. Every method raises Trouble."""

    def __init__(self, mailbox: Imap, patience: Patience) -> None:
        self._mailbox = mailbox
        self._patience = patience
        self._lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._client = _Client(
            mailbox.host, mailbox.port, timeout=patience.answer, conn_lost_cb=self._is_lost, ssl_context=_tls(mailbox)
        )

    def _is_lost(self, _: Exception | None) -> None:
        if not self._lost.done():
            self._lost.set_result(None)

    async def begin(self) -> None:
        """Wait for the greeting, log in, and learn what the server can do for whoever is logged in."""
        await self._bounded("a greeting", self._client.wait_hello_from_server())
        if self._can("LOGINDISABLED"):
            raise LoginRefused("the server takes no password on this connection; it wants TLS")
        user, password = answers.quoted(self._mailbox.user), self._mailbox.password
        reply = await self._bounded("LOGIN", self._client.login(user, password))
        if reply.result != "OK":
            raise _refused(reply.lines)
        await self._bounded("CAPABILITY", self._client.protocol.capability())

    def close(self) -> None:
        """End the connection at once; harmless when it has ended."""
        for task in (*self._client.tasks, *self._client.protocol.tasks):  # the library leaves them to the collector
            task.cancel()
        if self._client.protocol.transport is not None:
            self._client.protocol.transport.abort()

    async def leave(self) -> None:
        """Say LOGOUT; a server that does not answer is left without."""
        with suppress(Trouble):
            await self._bounded("LOGOUT", self._client.logout())

    # -- folders

    async def select(self, folder: str) -> Selected:
        """Open a folder, anew if it is open: so a change of UIDVALIDITY shows."""
        return answers.selected(await self._ok("SELECT", self._client.select(answers.folder(folder))), KEYWORD)

    async def count(self, folder: str) -> int:
        """How many messages a folder holds. Declined: there is no such folder, or none that we may see."""
        lines = await self._ok("STATUS", self._client.status(answers.folder(folder), "(MESSAGES)"))
        counted = answers.counted(lines)
        if counted is None:
            raise Trouble("the server's answer to STATUS made no sense")
        return counted

    async def make(self, folder: str) -> None:
        """Make a folder, and show it to people's mail programs."""
        await self._ok("CREATE", self._client.create(answers.folder(folder)))
        with suppress(Declined):
            await self._ok("SUBSCRIBE", self._client.subscribe(answers.folder(folder)))

    # -- messages

    async def search(self, criteria: str) -> list[int]:
        """The UIDs that fit, ascending."""
        return answers.found(await self._ok("SEARCH", self._client.uid_search(criteria, charset=None)))

    async def sizes(self, uids: Collection[int]) -> dict[int, int]:
        """Each message's size in bytes, as the server reckons it; who is not there any more is left out."""
        return answers.sizes(await self._ok("FETCH", self._client.uid("FETCH", answers.uid_set(uids), _SIZES)))

    async def fetch(self, sizes: dict[int, int]) -> dict[int, bytes]:
        """The mails themselves, nothing marked as read; who is not there any more is left out."""
        fetching = self._client.uid("FETCH", answers.uid_set(sizes), _BODIES)
        most = AROUND_MAILS + ROUGHLY * sum(sizes.values())
        return answers.bodies(await self._ok("FETCH", fetching, seconds=self._patience.whole, most=most))

    async def mark(self, uids: Collection[int], flags: str) -> None:
        """Set flags, such as `\\Seen`."""
        await self._ok("STORE", self._client.uid("STORE", answers.uid_set(uids), "+FLAGS.SILENT", f"({flags})"))

    def can_move(self) -> bool:
        """Whether the server has MOVE (RFC 6851). If not: `copy`, then `delete`."""
        return self._can("MOVE")

    async def move(self, uids: Collection[int], folder: str) -> None:
        """Into another folder: all of them, or, Declined, none."""
        await self._ok("MOVE", self._client.uid("MOVE", answers.uid_set(uids), answers.folder(folder)))

    async def copy(self, uids: Collection[int], folder: str) -> None:
        """Into another folder as well: all of them, or, Declined, none (RFC 9051 section 6.4.7)."""
        await self._ok("COPY", self._client.uid("COPY", answers.uid_set(uids), answers.folder(folder)))

    async def delete(self, uids: Collection[int]) -> None:
        """Marked as deleted, and removed if the server can remove these alone."""
        await self.mark(uids, r"\Deleted")
        if self._can("UIDPLUS"):  # a plain EXPUNGE would take what other people have marked
            await self._ok("EXPUNGE", self._client.uid("EXPUNGE", answers.uid_set(uids)))

    # -- waiting

    async def rest(self, stop: asyncio.Event) -> bool:
        """Until there is news, or it is time to look whether the server lives; True if there may be news."""
        if not self._can("IDLE"):
            await self._first(stop.wait())
            return True
        idle = await self._bounded("IDLE", self._client.idle_start(self._patience.whole))
        news = await self._first(self._client.wait_server_push(self._patience.whole), stop.wait())
        self._client.idle_done()
        await self._bounded("DONE", idle)
        while not self._client.protocol.idle_queue.empty():
            self._client.protocol.idle_queue.get_nowait()
        return news

    async def _first(self, *events: Awaitable[Any]) -> bool:
        """Whether one of these came before our rest was over. Trouble if the connection ended instead."""
        tasks = [asyncio.ensure_future(event) for event in events]
        waiting: set[asyncio.Future[Any]] = {*tasks, self._lost}
        try:
            came, _ = await asyncio.wait(waiting, timeout=self._patience.idle, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
        if self._lost in came:
            raise Trouble("the server ended the connection")
        return bool(came)

    # -- one command

    def _can(self, capability: str) -> bool:
        return capability in {str(one).upper() for one in self._client.protocol.capabilities}

    async def _ok(self, what: str, command: Awaitable[Any], *, seconds: float = 0, most: int = 0) -> Sequence[Line]:
        reply = await self._bounded(what, command, seconds=seconds, most=most)
        if reply.result != "OK":
            raise Declined(f"the server declined {what}")
        lines: Sequence[Line] = reply.lines
        return lines

    async def _bounded(self, what: str, command: Awaitable[T], *, seconds: float = 0, most: int = 0) -> T:
        """Wait for this, but not after the connection's end, and not for ever."""
        self._client.protocol.allowance = most or LINES_MOST
        seconds = seconds or self._patience.answer
        task = asyncio.ensure_future(command)
        waiting: set[asyncio.Future[Any]] = {task, self._lost}
        try:
            await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
        except (aioimaplib.AioImapException, TimeoutError, OSError, ValueError) as trouble:
            raise _explained(what, trouble) from None
        finally:
            task.cancel()
        raise Trouble("the server ended the connection" if self._lost.done() else f"no answer to {what}")


_SIZES = "(UID RFC822.SIZE)"
_BODIES = "(UID BODY.PEEK[])"  # PEEK: what we fail to store must not look as if somebody had read it


def _tls(mailbox: Imap) -> ssl.SSLContext | None:
    """The server must prove its name, by `tls_ca` if that is given, else by the system's authorities."""
    return ssl.create_default_context(cafile=_text(mailbox.tls_ca)) if mailbox.tls else None


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _refused(lines: Sequence[Line]) -> Trouble:
    """RFC 9051 section 7.1: UNAVAILABLE and INUSE are the server's own troubles, not our password's."""
    code = bytes(lines[-1]).upper() if lines else b""
    if code.startswith((b"[UNAVAILABLE]", b"[INUSE]", b"[SERVERBUG]", b"[LIMIT]")):
        return Trouble("the server cannot let anybody in now")
    return LoginRefused("the server refuses this user and password")


def _explained(what: str, trouble: Exception) -> Trouble:
    """In words an operator can act on; of a library's own text nothing is repeated."""
    if isinstance(trouble, ssl.SSLCertVerificationError):
        return Trouble("the server's certificate is not to be trusted: see tls_ca, and the name in host")
    if isinstance(trouble, ssl.SSLError):
        return Trouble("the server does not speak TLS here, or not ours")
    if isinstance(trouble, TimeoutError | aioimaplib.CommandTimeout):
        return Trouble(f"no answer to {what}" if what != "a greeting" else "no greeting")
    if isinstance(trouble, OSError):
        return Trouble(f"no connection ({os.strerror(trouble.errno) if trouble.errno else type(trouble).__name__})")
    return Trouble(f"the server's answer to {what} made no sense")
