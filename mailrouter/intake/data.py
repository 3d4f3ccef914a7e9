"""One mail off the wire: from 354 to the lone dot.

Promises: the mail ends at CRLF . CRLF and nowhere else (RFC 5321 4.1.1.4), so no other program's idea of a line end can
make two mails of one (testbook/mail.md S01); a mail with a bare CR or LF is refused, not repaired, because a repaired
mail is not the one that was signed; what is kept in memory is bounded; what is beyond a limit is read past, not kept.

The mail is read in chunks and its dots are unstuffed at once, not line by line: that is most of the speed of the door.
"""

import asyncio

from mailrouter.intake import replies
from mailrouter.intake.limits import InFlight

CHUNK = 64 * 1024  # the stream reader's limit; less than the longest line, so a line in one chunk is never too long
END = b"\r\n.\r\n"
OPENING = b"\r\n"  # the end of the DATA command's own line is the CRLF before a dot that comes at once


class EndlessError(Exception):
    """The client goes on long after its mail was beyond every limit."""


class Collector:
    """Gathers the chunks of one mail. `fault` is the reply that refuses it, once there is a reason to."""

    def __init__(self, max_size: int, max_line: int, in_flight: InFlight) -> None:
        self.fault: str | None = None
        self._max_size = max_size
        self._max_line = max_line
        self._in_flight = in_flight
        self._chunks: list[bytes] = []
        self._held = 0
        self._past = 0
        self._open_line = 0

    def add(self, chunk: bytes) -> None:
        """Keep a chunk of at most CHUNK bytes and the end, or pass over it when the mail is refused already."""
        if self.fault is None:
            self.fault = self._reason_against(chunk)
        if self.fault is None:
            self._held += len(chunk)
            self._chunks.append(chunk)
            return
        self.release()
        self._past += len(chunk)

    @property
    def endless(self) -> bool:
        """Whether as much as the greatest mail was sent after the mail was refused."""
        return self._past > self._max_size

    def mail(self) -> bytes:
        """The mail without its end and its dot-stuffing; b'' with a `fault` set if it is not to be taken."""
        if self.fault is not None:
            return b""
        self._chunks[-1] = self._chunks[-1][: 2 - len(END)]
        raw = b"".join(self._chunks)
        self._chunks.clear()
        raw = raw.replace(b"\r\n.", b"\r\n")  # one name, so that no more than two copies are held at any moment
        raw = raw[len(OPENING) :]
        if len(raw) > self._max_size:
            self.fault = replies.TOO_BIG
        elif not raw.count(b"\r\n") == raw.count(b"\n") == raw.count(b"\r"):
            self.fault = replies.BARE_LINE_END
        return b"" if self.fault else raw

    def release(self) -> None:
        """Give back the memory and the count of it. Harmless when repeated."""
        self._chunks.clear()
        self._in_flight.give(self._held)
        self._held = 0

    def hand_over(self) -> int:
        """How many bytes are counted; from here on the caller gives them back."""
        held, self._held = self._held, 0
        return held

    def _reason_against(self, chunk: bytes) -> str | None:
        # Stuffing adds at most one byte to three (a line holding one dot); the exact size is known at the end.
        if self._held + len(chunk) > self._max_size + self._max_size // 3 + len(OPENING + END):
            return replies.TOO_BIG
        first = chunk.find(b"\n")
        if self._open_line + (len(chunk) if first < 0 else first) > self._max_line:
            return replies.LINE_TOO_LONG
        self._open_line = self._open_line + len(chunk) if first < 0 else len(chunk) - 1 - chunk.rfind(b"\n")
        return None if self._in_flight.take(len(chunk)) else replies.NO_ROOM


async def receive(reader: asyncio.StreamReader, collector: Collector) -> None:
    """Read up to the lone dot. The reader's limit must be CHUNK, and OPENING fed to it before the client spoke.

    Raises EndlessError, asyncio.IncompleteReadError or ConnectionError; the caller releases the collector.
    """
    while True:
        try:
            chunk = await reader.readuntil(END)
        except asyncio.LimitOverrunError as overrun:
            collector.add(await reader.read(min(overrun.consumed, CHUNK)))
            if collector.endless:
                raise EndlessError from None
        else:
            collector.add(chunk)
            return
