"""One client's connection: bytes, time and TLS. The only place that knows aiosmtpd.

Promises: a connection ends, whatever its client does: by deadline, by least rate, or cut; and it is counted once.

aiosmtpd gives the stream and STARTTLS (RFC 3207). Its command loop is not used: it answers 500 with the text of our
exceptions, takes commands that end in a bare LF, reads mail line by line and offers it to its debug log.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from ssl import SSLContext

from aiosmtpd.smtp import SMTP, TLSSetupException

from mailrouter.intake import data, replies
from mailrouter.intake.commit import Committer
from mailrouter.intake.limits import Connections, client_of
from mailrouter.intake.transaction import Terms

for _name in ("mail.log", "mail.debug", "mail.error"):  # the library's own, which print commands and mail
    _library_log = logging.getLogger(_name)
    _library_log.setLevel(logging.ERROR)
    _library_log.propagate = False
    _library_log.disabled = True  # a level set later by somebody else cannot undo this

LINGER_SECONDS = 5.0  # for a client that does not read its last reply


@dataclass(slots=True)
class Hall:
    """What all connections of all doors share."""

    hostname: str
    tls: SSLContext | None
    terms: Terms
    connections: Connections
    committer: Committer
    clock: Callable[[], datetime]
    draining: bool = False
    open: "set[Connection]" = field(default_factory=set)


class Connection(SMTP):
    """A connected client; `Session` gives it its language."""

    line_length_limit = data.CHUNK  # the library's name for its stream reader's limit

    def __init__(self, hall: Hall, loop: asyncio.AbstractEventLoop) -> None:
        self._hall = hall
        self._limits = hall.terms.limits
        self._client: str | None = None  # set while this connection is counted in
        self._leaving = False  # the last word is said
        self._listening = False  # between two commands: nothing is lost by hanging up
        self._errors = 0
        self._arrived = 0  # bytes
        self._deadline = 0.0
        self._data_began: tuple[float, int] | None = None  # when, and how much had arrived by then
        super().__init__(
            None, data_size_limit=hall.terms.max_size, enable_SMTPUTF8=True, hostname=hall.hostname,
            tls_context=hall.tls, timeout=self._limits.command_seconds, loop=loop,
        )  # fmt: skip

    # ---- coming and going ------------------------------------------------------------------------------------------

    async def _admit(self) -> str | None:
        """Count the client in; or the reply that turns it away."""
        await asyncio.sleep(0)  # one turn of the loop, so that what was sent before our greeting is seen
        client = client_of(self._writer.get_extra_info("peername"))
        if self._hall.draining:
            return replies.CLOSING
        if not self._hall.connections.admit(client):
            return replies.TOO_MANY_CONNECTIONS
        self._client = client
        self._hall.open.add(self)
        return replies.TALKS_TOO_SOON if self._spoke_early() else None

    def connection_lost(self, error: Exception | None) -> None:
        """Count the client out. A commit under way goes on."""
        if self._client is not None:
            self._hall.connections.release(self._client)
            self._hall.open.discard(self)
            self._client = None
        super().connection_lost(error)

    @property
    def task(self) -> "asyncio.Task[None] | None":
        """The session's own task, to be waited for."""
        return self._handler_coroutine

    def drain(self) -> None:
        """Say 421 as soon as nothing is under way: now, if the client is between two commands."""
        if self._listening:
            self._hang_up(replies.CLOSING)

    def cut(self) -> None:
        """Hang up whatever is under way; what was not acknowledged is still the client's."""
        self._hang_up(replies.CLOSING)
        self._writer.transport.abort()

    def _hang_up(self, farewell: str = "") -> None:
        if farewell and not self._writer.is_closing():
            self._writer.write(farewell.encode() + b"\r\n")
        self._writer.close()
        if self._writer.transport.get_write_buffer_size():
            self.loop.call_later(LINGER_SECONDS, self._writer.transport.abort)

    # ---- bytes -----------------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Count what arrives, for the least rate of DATA."""
        self._arrived += len(data)
        super().data_received(data)

    def eof_received(self) -> bool:
        """A client that only stopped sending still gets its replies (the library would drop its last command)."""
        asyncio.StreamReaderProtocol.eof_received(self)
        return self._tls_protocol is None

    def _spoke_early(self) -> bool:
        """Whether the client sent something it was not yet asked for."""
        return bool(self._reader._buffer)  # type: ignore[attr-defined]  # no public way to ask; aiosmtpd does it so

    async def _say(self, reply: str) -> None:
        """Send a reply and keep the books on it: 5xx is an error of the client's, and some are the last word."""
        self._errors += reply[0] == "5"
        self._leaving = self._leaving or reply.startswith(replies.LAST_WORDS)
        self._writer.write(reply.encode() + b"\r\n")
        await self._writer.drain()

    async def _line(self) -> bytes:
        """The next line with its LF. Of one far too long it keeps too much to be a command, and no more."""
        kept = b""
        self._listening = True
        try:
            while True:
                try:
                    return kept + bytes(await self._reader.readuntil(b"\n"))
                except asyncio.LimitOverrunError as overrun:
                    kept = await self._reader.read(min(overrun.consumed, data.CHUNK))
        finally:
            self._listening = False

    async def _receive(self, collector: data.Collector) -> None:
        """Invite a mail and read it; of one without an end a fault is left, and the reply is the last word."""
        self._reader.feed_data(data.OPENING)
        self._data_began = self.loop.time(), self._arrived
        try:
            await self._say(replies.READY)
            await data.receive(self._reader, collector)
        except data.EndlessError:
            self._leaving = True
        finally:
            self._data_began = None

    async def _start_tls(self) -> None:
        """RFC 3207. What was sent in clear behind the command is dropped, what was said before is forgotten."""
        try:
            await self.smtp_STARTTLS("")
        except TLSSetupException:
            self._leaving = True
            if self._original_transport:
                self._original_transport.abort()  # type: ignore[attr-defined]  # typed as a BaseTransport
            self.connection_lost(None)  # nobody else tells us of a handshake that failed

    # ---- time ------------------------------------------------------------------------------------------------------

    def _reset_timeout(self, duration: float | None = None) -> None:
        # One timer that looks at the deadline when it fires: cheaper than a new timer for every command.
        self._deadline = self.loop.time() + (duration or self._timeout_duration)
        if self._timeout_handle is None:
            self._timeout_handle = self.loop.call_later(self._timeout_duration, self._timeout_cb)

    def _timeout_cb(self) -> None:
        left = self._due() - self.loop.time()
        if left > 0:
            self._timeout_handle = self.loop.call_later(min(left, self._timeout_duration), self._timeout_cb)
        else:
            self._hang_up(replies.TIMED_OUT)

    def _due(self) -> float:
        if self._data_began is None:
            return self._deadline
        began, arrived = self._data_began
        earned = self._limits.command_seconds + (self._arrived - arrived) / self._limits.data_rate
        return began + min(self._limits.data_seconds, earned)
