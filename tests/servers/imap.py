"""A scripted IMAP server, for what a well-behaved one will not do: drop, stall, lie, forget, decline.

It keeps its folders in memory and speaks what our reader speaks (RFC 9051). `fates` are asked at each command, in turn:
the first whose pattern is found in the command decides what happens to it, and is used up unless it is `for_ever`.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

CAPABILITIES = "IMAP4rev1 IDLE MOVE UIDPLUS"
FLOOD = 3000  # lines


@dataclass
class Message:
    """One mail and its flags."""

    raw: bytes
    flags: set[str] = field(default_factory=set)


@dataclass
class Folder:
    """Messages by UID."""

    uidvalidity: int = 1
    messages: dict[int, Message] = field(default_factory=dict)
    uidnext: int = 1

    def put(self, message: Message) -> None:
        """Give it the next UID."""
        self.messages[self.uidnext] = message
        self.uidnext += 1

    def renumber(self) -> None:
        """A new life of the folder, as after a restore: other UIDs, no flags."""
        kept = [Message(message.raw) for message in self.messages.values()]
        self.uidvalidity += 1
        self.messages, self.uidnext = {}, 1000
        for message in kept:
            self.put(message)


@dataclass
class Fate:
    """What happens to a command: `drop`, `stall`, `cut` (half a literal), `short` (a literal of less than announced),
    `clipped` (a mail cut off, well announced), `flood` (many lines nobody asked for), or a tagged answer such as `NO`.
    """

    pattern: str
    does: str
    for_ever: bool = False


class Dropped(Exception):
    """The server ends this connection."""


class FakeImap:
    """Runs in the test's own event loop. `seen` are all commands, `answers` may be changed at any time."""

    def __init__(self) -> None:
        self.inbox = Folder()
        self.folders = {"INBOX": self.inbox}
        self.capabilities = CAPABILITIES
        self.keywords = True
        self.read_only = False
        self.login = "OK"
        self.size_of: Callable[[bytes], int] = len
        self.fates: list[Fate] = []
        self.seen: list[str] = []
        self.sessions = 0
        self.port = 0
        self._news = asyncio.Event()
        self._selected = self.inbox
        self._serving: set[asyncio.Task[None]] = set()

    def deliver(self, raws: Iterable[bytes], *flags: str) -> None:
        """Mails arrive in INBOX."""
        for raw in raws:
            self.inbox.put(Message(raw, set(flags)))
        self._news.set()

    def count(self, pattern: str) -> int:
        """How many commands it was given in which this is found."""
        return sum(bool(re.search(pattern, line)) for line in self.seen)

    def flagged(self, flag: str) -> int:
        """How many messages of INBOX bear this flag."""
        return sum(flag in message.flags for message in self.inbox.messages.values())

    # -- one connection

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Until it ends, by our fate or by the client."""
        self.sessions += 1
        writer.write(b"* OK ready\r\n")
        task = asyncio.current_task()
        assert task
        self._serving.add(task)
        try:
            while line := (await reader.readline()).decode().strip():
                self.seen.append(line)
                await self._command(line, reader, writer)
                await writer.drain()
        except (Dropped, ConnectionError):
            pass
        finally:
            self._serving.discard(task)
            writer.transport.abort()

    async def close(self) -> None:
        """All its sessions end."""
        for task in tuple(self._serving):
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _command(self, line: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tag, _, rest = line.partition(" ")
        verb, _, argument = rest.removeprefix("UID ").partition(" ")
        does = self._fate(line)
        if does == "drop":
            raise Dropped
        if does == "stall":
            await reader.read()
            raise Dropped
        if does == "flood":
            writer.write(b"".join(b"* %d FETCH (FLAGS (\\Seen))\r\n" % n for n in range(1, FLOOD)))
        if does.startswith(("NO", "BAD")):
            writer.write(f"{tag} {does}\r\n".encode())
        elif verb == "IDLE":
            await self._idle(tag, reader, writer)
        else:
            try:
                pieces = getattr(self, f"_{verb.lower()}")(argument, does)
            except KeyError:
                writer.write(f"{tag} NO [TRYCREATE] no such folder\r\n".encode())
                return
            for piece in pieces:
                writer.write(piece)
                if piece.endswith(b"\0"):  # half of something
                    await writer.drain()
                    raise Dropped
            done = self.login if verb == "LOGIN" else "OK [READ-ONLY] done" if self.read_only else "OK done"
            writer.write(f"{tag} {done}\r\n".encode())

    def _fate(self, line: str) -> str:
        for fate in self.fates:
            if re.search(fate.pattern, line):
                if not fate.for_ever:
                    self.fates.remove(fate)
                return fate.does
        return ""

    async def _idle(self, tag: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"+ idling\r\n")
        done = asyncio.ensure_future(reader.readline())
        while not done.done():
            news = asyncio.ensure_future(self._news.wait())
            await asyncio.wait({done, news}, return_when=asyncio.FIRST_COMPLETED)
            if self._news.is_set():
                self._news.clear()
                writer.write(b"* %d EXISTS\r\n" % len(self.inbox.messages))
            news.cancel()
        self.seen.append(done.result().decode().strip())
        writer.write(f"{tag} OK done\r\n".encode())

    # -- its commands: what is written before the tagged answer

    def _capability(self, _: str, __: str) -> list[bytes]:
        return [f"* CAPABILITY {self.capabilities}\r\n".encode()]

    def _login(self, _: str, __: str) -> list[bytes]:
        return []

    def _noop(self, _: str, __: str) -> list[bytes]:
        return []

    _subscribe = _noop

    def _logout(self, _: str, __: str) -> list[bytes]:
        return [b"* BYE\r\n"]

    def _select(self, name: str, _: str) -> list[bytes]:
        self._selected = self.folders[name.strip('"')]
        flags = r"\Seen \Deleted" + (r" \*" if self.keywords else "")
        return [
            f"* {len(self._selected.messages)} EXISTS\r\n".encode(),
            f"* OK [PERMANENTFLAGS ({flags})] kept\r\n".encode(),
            f"* OK [UIDVALIDITY {self._selected.uidvalidity}] valid\r\n".encode(),
        ]

    def _status(self, argument: str, _: str) -> list[bytes]:
        name = argument.partition(" (")[0]
        return [f"* STATUS {name} (MESSAGES {len(self.folders[name.strip(chr(34))].messages)})\r\n".encode()]

    def _create(self, name: str, _: str) -> list[bytes]:
        self.folders.setdefault(name.strip('"'), Folder())
        return []

    def _search(self, criteria: str, _: str) -> list[bytes]:
        words = criteria.split()
        uids = [uid for uid, m in self._selected.messages.items() if self._fits(uid, m, words)]
        return [f"* SEARCH {' '.join(map(str, uids))}\r\n".encode()]

    def _fits(self, uid: int, message: Message, words: list[str]) -> bool:
        wanted = dict(zip(words, [*words[1:], ""], strict=True))
        low, _, high = wanted.get("UID", "1:*").partition(":")
        return (
            ("UNDELETED" not in words or r"\Deleted" not in message.flags)
            and ("UNKEYWORD" not in words or wanted["UNKEYWORD"] not in message.flags)
            and ("KEYWORD" not in words or wanted["KEYWORD"] in message.flags)
            and int(low) <= uid <= (10**9 if high == "*" else int(high))
        )

    def _fetch(self, argument: str, does: str) -> list[bytes]:
        pieces = []
        for number, (uid, message) in enumerate(self._chosen(argument), 1):
            if "BODY.PEEK[]" in argument:
                pieces.append(_body(number, uid, message.raw, does))
            else:
                told = self.size_of(message.raw)
                pieces.append(b"* %d FETCH (UID %d RFC822.SIZE %d)\r\n" % (number, uid, told))
        return pieces

    def _store(self, argument: str, _: str) -> list[bytes]:
        flags = set(re.findall(r"[\\\w]+", argument.partition("(")[2]))
        for _uid, message in self._chosen(argument):
            message.flags |= flags
        return []

    def _copy(self, argument: str, _: str) -> list[bytes]:
        goal = self.folders[argument.partition(" ")[2].strip('"')]
        for _uid, message in self._chosen(argument):
            goal.put(Message(message.raw, set(message.flags)))
        return []

    def _move(self, argument: str, _: str) -> list[bytes]:
        self._copy(argument, "")
        return self._remove([uid for uid, _ in self._chosen(argument)])

    def _expunge(self, argument: str, _: str) -> list[bytes]:
        return self._remove([uid for uid, message in self._chosen(argument) if r"\Deleted" in message.flags])

    def _remove(self, uids: list[int]) -> list[bytes]:
        for uid in uids:
            del self._selected.messages[uid]
        return [b"* 1 EXPUNGE\r\n"] * len(uids)

    def _chosen(self, argument: str) -> list[tuple[int, Message]]:
        ranges = [part.partition(":") for part in argument.partition(" ")[0].split(",")]
        wanted = {uid for low, _, high in ranges for uid in range(int(low), int(high or low) + 1)}
        return [(uid, message) for uid, message in self._selected.messages.items() if uid in wanted]


def _body(number: int, uid: int, raw: bytes, does: str) -> bytes:
    announced = len(raw) + (7 if does == "short" else 0)
    if does == "clipped":
        raw = raw[: len(raw) // 2]
        announced = len(raw)
    head = b"* %d FETCH (UID %d BODY[] {%d}\r\n" % (number, uid, announced)
    if does == "cut":
        return head + raw[: len(raw) // 2].replace(b"\0", b"") + b"\0"
    return head + raw + b")\r\n"


@asynccontextmanager
async def fake_imap() -> AsyncIterator[FakeImap]:
    """Listens on loopback for the length of a block."""
    made = FakeImap()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0, limit=2**20)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await made.close()
