"""Real doors on loopback with a real SQLite table behind them, and a client that speaks bytes."""

import asyncio
import socket
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from mailrouter import clock
from mailrouter.intake.commit import Accept
from mailrouter.intake.doors import Doors, Doorway, open_doors
from mailrouter.intake.limits import Limits
from mailrouter.mail.envelope import Envelope
from mailrouter.settings.values import Listen

OURS = "cert@example.org"
ANYWHERE = Listen("127.0.0.1", 0)
SCHEMA = """
PRAGMA journal_mode=WAL;
PRAGMA synchronous=FULL;
CREATE TABLE IF NOT EXISTS mails (dedupe BLOB PRIMARY KEY, door TEXT, sender TEXT, recipients TEXT, raw BLOB);
CREATE TRIGGER IF NOT EXISTS poison BEFORE INSERT ON mails WHEN instr(NEW.raw, CAST('POISON' AS BLOB))
BEGIN SELECT RAISE(ABORT, 'secret poison text'); END;
"""
MAIL = b"From: <psirt@vendor.example>\r\nSubject: [VU#123456] answer\r\n\r\nhello\r\n"


class Table:
    """An idempotent store of mails: the same recipients and bytes are one row. A raw mail with POISON in it fails."""

    def __init__(self, path: Path, busy_seconds: float = 0.2) -> None:
        self.path = path
        self.batches: list[int] = []
        self._busy_seconds = busy_seconds
        with self.reader() as db:
            db.executescript(SCHEMA)
        self._db = self.connect()

    def connect(self) -> sqlite3.Connection:
        """A writer's connection, usable from any thread."""
        db = sqlite3.connect(self.path, timeout=self._busy_seconds, isolation_level=None, check_same_thread=False)
        db.execute("PRAGMA synchronous=FULL")
        return db

    def reader(self) -> "_Closing":
        """`with table.reader() as db`: closed afterwards."""
        return _Closing(sqlite3.connect(self.path, isolation_level=None))

    def accept(self, envelopes: Sequence[Envelope]) -> None:
        """What the doors are given."""
        self.batches.append(len(envelopes))
        rows = [(e.dedupe, e.door, e.sender, "\n".join(e.recipients), e.raw) for e in envelopes]
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.executemany("INSERT OR IGNORE INTO mails VALUES (?, ?, ?, ?, ?)", rows)
            self._db.execute("COMMIT")
        except sqlite3.Error:
            with suppress(sqlite3.OperationalError):  # a full disk has rolled back already
                self._db.execute("ROLLBACK")
            raise

    def envelopes(self) -> list[tuple[str, str, list[str], bytes]]:
        """(door, sender, recipients, raw), in order of arrival."""
        with self.reader() as db:
            rows = db.execute("SELECT door, sender, recipients, raw FROM mails ORDER BY rowid").fetchall()
        return [(door, sender, recipients.split("\n"), bytes(raw)) for door, sender, recipients, raw in rows]

    def raws(self) -> list[bytes]:
        """The stored mails, in order of arrival."""
        return [raw for *_, raw in self.envelopes()]

    def close(self) -> None:
        """End the writer's connection."""
        self._db.close()


@dataclass
class _Closing:
    db: sqlite3.Connection

    def __enter__(self) -> sqlite3.Connection:
        return self.db

    def __exit__(self, *_: object) -> None:
        self.db.close()


class House:
    """Open doors in an event loop of their own, so that tests may be plain blocking clients."""

    def __init__(
        self,
        table: Table,
        *,
        accept: Accept | None = None,
        limits: Limits | None = None,
        free: Callable[[], int] | None = None,
        is_participant: Callable[[str], bool] = lambda _: False,
        **doorway: Any,
    ) -> None:
        self.table = table
        self._accept = accept or table.accept
        self._more = {"limits": limits, "free": free, "is_participant": is_participant}
        plain: dict[str, Any] = {"smtp": ANYWHERE, "lmtp": ANYWHERE, "rate_per_sender": 0, "rate_total": 0}
        self._doorway = Doorway(**(plain | {"recipients": (OURS,), "data_dir": table.path.parent} | doorway))
        self._opened: Future[Doors] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()))
        self._thread.start()
        self.doors = self._opened.result(30)

    async def _live(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        try:
            self._opened.set_result(
                await open_doors(self._doorway, accept=self._accept, clock=clock.now, **self._more)  # type: ignore[arg-type]
            )
        except OSError as error:
            self._opened.set_exception(error)
            return
        await self._end.wait()

    def address(self, door: str = "smtp") -> Any:
        """(host, port), or a Unix socket's path."""
        return self.doors.addresses[door]

    def wire(self, door: str = "smtp", hello: bytes | None = b"") -> "Wire":
        """A client that has said hello (`hello=None`: that has not even read the greeting)."""
        return Wire(self.address(door), hello if hello != b"" else {"smtp": b"EHLO t", "lmtp": b"LHLO t"}[door])

    def closing(self, drain_seconds: float) -> "Future[None]":
        """Begin to close the doors."""
        return asyncio.run_coroutine_threadsafe(self.doors.close(drain_seconds), self.loop)

    def close(self) -> None:
        """End everything, at once."""
        if self._thread.is_alive():
            self.closing(0).result(30)
            self.loop.call_soon_threadsafe(self._end.set)
        self._thread.join(30)


class Wire:
    """A blocking client that sends exactly these bytes and reads whole replies."""

    def __init__(self, address: Any, hello: bytes | None = b"EHLO t") -> None:
        self.socket = socket.socket(socket.AF_UNIX if isinstance(address, Path) else socket.AF_INET)
        self.socket.settimeout(30)
        try:
            self.socket.connect(str(address) if isinstance(address, Path) else address)
        except OSError:
            self.socket.close()
            raise
        self._file = self.socket.makefile("rb")
        if hello is not None:
            assert self.reply().startswith("220")
            assert self.ask(hello).startswith("250")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, octets: bytes) -> None:
        """These bytes, no more."""
        self.socket.sendall(octets)

    def reply(self) -> str:
        """The next reply, its lines joined by LF; '' when the server hung up."""
        lines: list[str] = []
        while True:
            try:
                line = self._file.readline().decode()
            except ConnectionError:
                line = ""
            if not line:
                return ""
            assert line.endswith("\r\n")
            lines.append(line[:-2])
            if line[3] != "-":
                return "\n".join(lines)

    def replies(self) -> list[str]:
        """All replies until the server hangs up."""
        return list(iter(self.reply, ""))

    def ask(self, command: bytes) -> str:
        """Send one command and read its reply."""
        self.send(command + b"\r\n")
        return self.reply()

    def ready(self, recipient: bytes = b"cert@example.org", sender: bytes = b"a@b.example") -> None:
        """MAIL, RCPT and DATA, up to the 354."""
        assert self.ask(b"MAIL FROM:<" + sender + b">").startswith("250")
        assert self.ask(b"RCPT TO:<" + recipient + b">").startswith("250")
        assert self.ask(b"DATA").startswith("354")

    def mail(self, raw: bytes = MAIL) -> str:
        """A whole mail, dots stuffed; its reply."""
        self.ready()
        self.send(stuffed(raw))
        return self.reply()

    def reset(self) -> None:
        """Hang up with a RST, as a client does that dies."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._file.close()
        self.socket.close()


def stuffed(raw: bytes) -> bytes:
    """RFC 5321 4.5.2, line by line: not the way the doors undo it."""
    lines = raw.split(b"\r\n")
    assert lines[-1] == b"", "a mail ends with CRLF"
    return b"".join((b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in lines[:-1]) + b".\r\n"
