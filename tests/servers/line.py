"""A TCP line to a server that can be cut, or go silent, in the middle of an answer."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.servers.middle import Middle, end

CUT, SILENT = "cut", "silent"


class Line(Middle):
    """Listens on loopback. Each of `troubles` befalls one connection; `befell` counts them.

    A trouble: after so many bytes of what is answered to `asked`, what happens.
    """

    def __init__(self, server: int, asked: bytes) -> None:
        self.troubles: list[tuple[int, str]] = []
        self.befell = 0
        self._server, self._asked = server, asked
        super().__init__()

    def serve(self, client: socket.socket) -> None:
        """Hand on both ways, until a trouble is due."""
        with socket.create_connection(("127.0.0.1", self._server)) as server:
            heard = threading.Event()
            back = threading.Thread(target=self._answers, args=(server, client, heard), daemon=True)
            back.start()
            while data := client.recv(65536):
                if self._asked in data:
                    heard.set()
                server.sendall(data)
            end(client, server)
            back.join()

    def _answers(self, server: socket.socket, client: socket.socket, heard: threading.Event) -> None:
        left, does = 0, ""
        with suppress(OSError):
            while data := server.recv(4096):
                if heard.is_set() and not does and self.troubles:
                    left, does = self.troubles.pop(0)
                if does and len(data) >= left:
                    self.befell += 1
                    client.sendall(data[:left])
                    if does == CUT:
                        break
                    while server.recv(65536):  # silent: what comes is swallowed
                        pass
                left -= len(data)
                client.sendall(data)
        end(client, server)


@contextmanager
def line(server: int, asked: bytes) -> Iterator[Line]:
    """To the server on that port of loopback, for the length of a `with`."""
    made = Line(server, asked)
    try:
        yield made
    finally:
        made.close()
