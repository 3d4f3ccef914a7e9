"""A smarthost that does as it is told: a raw SMTP server on a thread of its own, and a record of what it was sent.

It uses no mail library, so that what it counts as one mail owes nothing to the code under test. `replies` says what to
answer at a step; everything else is accepted. It may be changed while the sink runs.
"""

import base64
import re
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

HANG = "HANG"  # say nothing until the test is over
CLOSE = "CLOSE"  # close the connection
RESET = "RESET"  # close it with a TCP reset
DRIP = "DRIP"  # begin a reply that never ends, a line at a time

STRICT = re.compile(rb"\r\n\.\r\n")
# Every end of data that some server has been seen to take (testbook S01).
LENIENT = re.compile(rb"(?:\r\n|\r|\n)\0?\.(?:\r\n|\r\r\n|\r|\n)|(?<=\A)\.\r\n")

_STEPS = ("EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "NOOP", "RSET", "QUIT")
_ACCEPTED = {
    "connect": "220 sink.example ESMTP", "STARTTLS": "220 2.0.0 go on", "MAIL": "250 2.1.0 ok", "RCPT": "250 2.1.5 ok",
    "DATA": "354 go on", "dot": "250 2.0.0 queued as 1", "NOOP": "250 2.0.0 ok", "RSET": "250 2.0.0 ok",
    "QUIT": "221 2.0.0 bye",
}  # fmt: skip


@dataclass(frozen=True)
class Delivered:
    """One mail that the sink has read to its end, accepted or not."""

    mail: bytes  # the MAIL command's argument
    rcpt: tuple[bytes, ...]  # the RCPT commands' arguments
    data: bytes  # dot-stuffing undone
    tls: bool
    user: str


@dataclass
class Sink:
    """Listens on loopback until `close`."""

    replies: dict[str, str] = field(default_factory=dict)
    extensions: tuple[str, ...] = ("SIZE 26214400", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES")
    end_of_data: re.Pattern[bytes] = STRICT
    tls: ssl.SSLContext | None = None  # offered by STARTTLS, or spoken from the start
    implicit: bool = False
    login: tuple[str, str] | None = None
    taken: list[Delivered] = field(default_factory=list)
    commands: list[bytes] = field(default_factory=list)
    connections: int = 0
    at: int = 0  # the port to listen on; 0: any free one

    def __post_init__(self) -> None:
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", self.at))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        """Stop listening, let every hanging conversation go, and wait for all of them. May be called again."""
        if self._over.is_set():
            return
        self._over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(timeout=30)

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                connected, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connected,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connected: socket.socket) -> None:
        with suppress(OSError):  # the client went away, or TLS failed: the test looks at that on its own side
            _Conversation(self, connected, self._over).run()


class _Ended(Exception):
    """The conversation is over."""


class _Conversation:
    def __init__(self, sink: Sink, connected: socket.socket, over: threading.Event) -> None:
        self.sink, self.socket, self.over = sink, connected, over
        self.buffer = b""
        self.secured = False
        self.user = ""
        self.sender, self.recipients = b"", list[bytes]()

    def run(self) -> None:
        try:
            if self.sink.implicit:
                self._secure()
            self._say("connect")
            while True:
                self._command(self._line())
        except _Ended:
            pass
        finally:
            self.socket.close()

    def _secure(self) -> None:
        assert self.sink.tls is not None
        self.socket = self.sink.tls.wrap_socket(self.socket, server_side=True)
        self.secured, self.buffer = True, b""

    def _command(self, line: bytes) -> None:
        self.sink.commands.append(line)
        verb, _, argument = line.partition(b" ")
        step = verb.decode("latin-1").upper()
        if step not in _STEPS:
            self._send("500 5.5.1 what?")
            return
        {"EHLO": self._ehlo, "STARTTLS": self._starttls, "AUTH": self._auth, "MAIL": self._mail, "RCPT": self._rcpt,
         "DATA": self._data, "QUIT": self._quit}.get(step, lambda _: self._say(step))(argument)  # fmt: skip

    def _ehlo(self, argument: bytes) -> None:
        offered = [*self.sink.extensions]
        if self.sink.tls and not self.secured:
            offered.append("STARTTLS")
        if self.sink.login and (self.secured or not self.sink.tls):
            offered.append("AUTH PLAIN LOGIN")
        lines = ["sink.example", *offered]
        self._say("EHLO", "\r\n".join(f"250{' ' if line is lines[-1] else '-'}{line}" for line in lines))

    def _starttls(self, argument: bytes) -> None:
        if self._say("STARTTLS").startswith("220"):
            self._secure()

    def _auth(self, argument: bytes) -> None:
        given = base64.b64decode(argument.partition(b" ")[2]).decode().split("\0")[1:]
        good = tuple(given) == self.sink.login
        self.user = given[0] if good else ""
        self._say("AUTH", "235 2.7.0 welcome" if good else "535 5.7.8 wrong")

    def _mail(self, argument: bytes) -> None:
        self.sender, self.recipients = argument, []
        self._say("MAIL")

    def _rcpt(self, argument: bytes) -> None:
        if self._say("RCPT").startswith("2"):
            self.recipients.append(argument)

    def _data(self, argument: bytes) -> None:
        if not self._say("DATA").startswith("354"):
            return
        while not (end := self.sink.end_of_data.search(self.buffer)):
            self._read()
        data, self.buffer = self.buffer[: end.start()] + b"\r\n", self.buffer[end.end() :]
        unstuffed = re.sub(rb"(?m)^\.", b"", data)
        self.sink.taken.append(Delivered(self.sender, tuple(self.recipients), unstuffed, self.secured, self.user))
        self._say("dot")

    def _quit(self, argument: bytes) -> None:
        self._say("QUIT")
        raise _Ended

    def _line(self) -> bytes:
        while b"\r\n" not in self.buffer:
            self._read()
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line

    def _read(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            raise _Ended
        self.buffer += data

    def _say(self, step: str, usual: str = "") -> str:
        reply = self.sink.replies.get(step) or usual or _ACCEPTED[step]
        match reply:
            case "HANG":
                self.over.wait()
                raise _Ended
            case "CLOSE":
                raise _Ended
            case "RESET":
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                raise _Ended
            case "DRIP":
                while not self.over.wait(0.02):
                    self._send("250-wait")
                raise _Ended
        self._send(reply)
        return reply

    def _send(self, reply: str) -> None:
        self.socket.sendall(reply.encode("latin-1") + b"\r\n")


@contextmanager
def sink(replies: Mapping[str, str] | None = None, **options: object) -> Iterator[Sink]:
    """A sink for the length of a `with`."""
    server = Sink(dict(replies or {}), **options)  # type: ignore[arg-type]
    try:
        yield server
    finally:
        server.close()
