"""A TCP proxy in front of PostgreSQL that can cut a connection around its COMMIT (testbook/faults.md R14).

Then the client cannot know what became of its transaction: it was committed (`LOST_ANSWER`) or not (`LOST_COMMIT`).
"""

import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.servers.middle import Middle, end

COMMIT = b"COMMIT\0"  # the end of a simple query (PostgreSQL's protocol, "Query")
LOST_ANSWER, LOST_COMMIT, NO = "the answer is lost", "the COMMIT is lost", ""


class Proxy(Middle):
    """Listens on loopback until it is closed. `fate` is asked at each COMMIT; `cuts` counts the connections it cut."""

    def __init__(self, server: Path) -> None:
        self.fate: Callable[[], str] = lambda: NO
        self.cuts = 0
        self._server = server
        super().__init__()

    def serve(self, client: socket.socket) -> None:
        """Hand on both ways, and cut where fate says so."""
        with socket.socket(socket.AF_UNIX) as server:
            server.connect(str(self._server))
            back = threading.Thread(target=self._answers, args=(server, client), daemon=True)
            back.start()
            self._requests(client, server)
            end(client, server)
            back.join()

    def _requests(self, client: socket.socket, server: socket.socket) -> None:
        while data := client.recv(65536):
            fate = self.fate() if data.endswith(COMMIT) else NO
            if fate:
                self.cuts += 1
            if fate == LOST_COMMIT:
                return
            if fate == LOST_ANSWER:
                client.shutdown(socket.SHUT_WR)  # before the server can answer
                server.sendall(data)
                server.shutdown(socket.SHUT_WR)  # it ends once it has committed
                return
            server.sendall(data)

    def _answers(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                client.sendall(data)
        end(client)


@contextmanager
def proxy(server: Path) -> Iterator[Proxy]:
    """In front of the Unix socket `server` for the length of a `with`."""
    made = Proxy(server)
    try:
        yield made
    finally:
        made.close()


def now_and_then(dice: random.Random, share: float) -> Callable[[], str]:
    """Cut this share of the COMMITs, one way or the other."""
    return lambda: dice.choice((LOST_ANSWER, LOST_COMMIT)) if dice.random() < share else NO
