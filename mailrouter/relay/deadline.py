"""A limit on a whole network conversation, however slowly the other side drips."""

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self


class Deadline:
    """Bounds a whole conversation: when the time is over, the connection is shut, and whoever reads from it wakes.

    smtplib's own timeout bounds each read only; a server that drips a byte a minute would hold us for ever. `at` is the
    step that goes on, kept here because the connection object does not exist while it is being opened.
    """

    def __init__(self, seconds: float) -> None:
        self.at = "connect"
        self.over = False
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._shut)
        self._timer.daemon = True

    def watch(self, connected: socket.socket) -> None:
        """Keep a duplicate: TLS moves the descriptor to a new object; shutting any duplicate shuts the line."""
        self._socket = connected.dup()
        if self.over:
            self._shut()

    def _shut(self) -> None:
        self.over = True
        if self._socket is not None:
            with contextlib.suppress(OSError):  # the other side was quicker
                self._socket.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        self._timer.join()  # else it might shut a descriptor that has become somebody else's
        if self._socket is not None:
            self._socket.close()
