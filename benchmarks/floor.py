"""The floor under the door: aiosmtpd as it comes, committing the raw bytes in groups into SQLite, and nothing else.

No limits, no parsing, no idempotence. WAL and synchronous=FULL: its 250 is as true as ours. Prints its port when
it listens, and ends on SIGTERM. `python -m benchmarks.floor DATABASE [PORT]`
"""

import asyncio
import signal
import sqlite3
import sys
from queue import Empty, SimpleQueue
from threading import Thread

from aiosmtpd.smtp import SMTP, Envelope, Session

TABLE = "CREATE TABLE IF NOT EXISTS mails (id INTEGER PRIMARY KEY, sender TEXT, recipients TEXT, raw BLOB)"
INSERT = "INSERT INTO mails (sender, recipients, raw) VALUES (?, ?, ?)"
Row = tuple[str | None, str, bytes]
Waiting = tuple[Row, asyncio.Future[None]]


class Floor:
    """The handler: 250 once the group the mail is in is committed."""

    def __init__(self, database: str) -> None:
        self._database = database
        self._queue: SimpleQueue[Waiting] = SimpleQueue()
        self._loop = asyncio.get_running_loop()
        Thread(target=self._commit_groups, daemon=True).start()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Called by aiosmtpd with a whole mail."""
        stored: asyncio.Future[None] = self._loop.create_future()
        raw = envelope.original_content or b""
        self._queue.put(((envelope.mail_from, ",".join(envelope.rcpt_tos), raw), stored))
        await stored
        return "250 2.0.0 Stored"

    def _commit_groups(self) -> None:
        db = sqlite3.connect(self._database, isolation_level=None)
        db.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; {TABLE}")
        while True:
            group = [self._queue.get()]
            try:
                while True:
                    group.append(self._queue.get_nowait())
            except Empty:
                db.execute("BEGIN IMMEDIATE")
                db.executemany(INSERT, [row for row, _ in group])
                db.execute("COMMIT")
                self._loop.call_soon_threadsafe(_tell, group)


def _tell(group: list[Waiting]) -> None:
    for _, stored in group:
        if not stored.done():
            stored.set_result(None)


async def main(database: str, port: int) -> None:
    """Serve until SIGTERM."""
    loop = asyncio.get_running_loop()
    handler = Floor(database)
    server = await loop.create_server(
        lambda: SMTP(handler, hostname="floor.example", enable_SMTPUTF8=True, loop=loop), "127.0.0.1", port, backlog=512
    )
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    print(server.sockets[0].getsockname()[1], flush=True)
    await ended.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0))
