"""Opening and closing the SMTP and LMTP doors, in the caller's event loop.

Promises: a door that cannot listen stops the start (OSError) and leaves none half open; closing takes no new mail, lets
what is under way end, and commits all that was handed over before it returns.
"""

import asyncio
import os
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mailrouter.intake.commit import Accept, Committer
from mailrouter.intake.connection import Hall
from mailrouter.intake.limits import Connections, InFlight, Limits, Rates
from mailrouter.intake.paths import Recipients
from mailrouter.intake.smtp import LmtpSession, Session
from mailrouter.intake.transaction import Terms
from mailrouter.settings.values import Listen

IN_FLIGHT_MAILS = 8  # mails of the greatest size held in memory at once, over all sessions
LAST_COMMIT_SECONDS = 10.0  # beyond the drain, for what was handed over
SOCKET_MODE = 0o660  # a mail server in our group may write


@dataclass(frozen=True, slots=True)
class Doorway:
    """The settings of the doors (CONTRACT.md): sizes in bytes, rates in mails a minute, 0 for no rate."""

    recipients: tuple[str, ...]  # identity.address, then identity.also
    data_dir: Path  # where the free space is asked for
    separator: str = "+"  # identity.separator
    smtp: Listen = Listen()  # noqa: RUF009 - frozen
    lmtp: Listen = Listen()  # noqa: RUF009 - frozen
    tls_cert: Path | None = None
    tls_key: Path | None = None
    max_size: int = 25 * 1024 * 1024
    max_connections: int = 200
    max_per_client: int = 20
    rate_per_sender: int = 60
    rate_total: int = 600


class Doors:
    """The open doors. `addresses` says where each listens: (host, port) or a socket's path."""

    def __init__(self, hall: Hall) -> None:
        self._hall = hall
        self._servers: list[asyncio.Server] = []
        self._sockets: list[Path] = []
        self.addresses: dict[str, tuple[str, int] | Path] = {}

    @property
    def committer(self) -> Committer:
        """Where every door's mail is committed; it ends when the doors are closed."""
        return self._hall.committer

    async def open(self, kind: type[Session], listen: Listen) -> None:
        """Listen with sessions of this kind. Raises OSError."""
        loop = asyncio.get_running_loop()
        if listen.path:
            server = await loop.create_unix_server(lambda: kind(self._hall, loop), listen.path)
            listen.path.chmod(SOCKET_MODE)
            self._sockets.append(listen.path)
            self.addresses[kind.door] = listen.path
        else:
            server = await loop.create_server(lambda: kind(self._hall, loop), listen.host, listen.port, backlog=512)
            self.addresses[kind.door] = server.sockets[0].getsockname()[:2]
        self._servers.append(server)

    async def close(self, drain_seconds: float) -> None:
        """No new mail from now on; sessions end at their next reply, or are cut after this many seconds.

        Raises TimeoutError when the store is still busy LAST_COMMIT_SECONDS later; nothing of that was acknowledged.
        """
        for server in self._servers:
            server.close()
        for path in self._sockets:
            path.unlink(missing_ok=True)
        self._hall.draining = True
        for client in tuple(self._hall.open):
            client.drain()
        await self._ended(drain_seconds)
        for client in tuple(self._hall.open):
            client.cut()
        await asyncio.wait_for(self._hall.committer.close(), LAST_COMMIT_SECONDS)

    async def _ended(self, seconds: float) -> None:
        tasks = {client.task for client in self._hall.open if client.task}
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)


async def open_doors(
    doorway: Doorway,
    *,
    accept: Accept,
    clock: Callable[[], datetime],
    is_participant: Callable[[str], bool] = lambda _: False,
    free: Callable[[], int] | None = None,
    limits: Limits | None = None,
) -> Doors:
    """Open the doors that have an address. Raises OSError (address in use, unreadable or wrong certificate).

    `accept` is called from a thread of its own, one batch at a time; see `commit.Accept`. `is_participant` is asked in
    the event loop for each sender and must answer from memory. `free` is the space left for mail, in bytes.
    """
    terms = Terms(
        max_size=doorway.max_size,
        recipients=Recipients(doorway.recipients, doorway.separator),
        rates=Rates(doorway.rate_per_sender, doorway.rate_total),
        in_flight=InFlight(IN_FLIGHT_MAILS * doorway.max_size),
        free=free or (lambda: free_space(doorway.data_dir)),
        is_participant=is_participant,
        limits=limits or Limits(),
    )
    hall = Hall(
        hostname=doorway.recipients[0].rpartition("@")[2],
        tls=_tls(doorway),
        terms=terms,
        connections=Connections(doorway.max_connections, doorway.max_per_client),
        committer=Committer(accept, asyncio.get_running_loop()),
        clock=clock,
    )
    doors = Doors(hall)
    try:
        await _open_all(doors, [(Session, doorway.smtp), (LmtpSession, doorway.lmtp)])
    except BaseException:
        await doors.close(0)
        raise
    return doors


async def _open_all(doors: Doors, wanted: Iterable[tuple[type[Session], Listen]]) -> None:
    for kind, listen in wanted:
        if listen:
            await doors.open(kind, listen)


def _tls(doorway: Doorway) -> ssl.SSLContext | None:
    if doorway.tls_cert is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(doorway.tls_cert, doorway.tls_key)
    return context


def free_space(folder: Path) -> int:
    """Bytes an ordinary process may still write where this folder is. Raises OSError."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
