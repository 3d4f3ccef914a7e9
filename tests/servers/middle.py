"""Whoever stands between a client and a server on TCP: accepts, and gives each connection a thread."""

import socket
import threading
from abc import ABC, abstractmethod
from contextlib import suppress


class Middle(ABC):
    """Listens on a free port of loopback until it is closed; `serve` is each connection's, in a thread of its own."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """No further connections."""
        self._listener.close()

    @abstractmethod
    def serve(self, client: socket.socket) -> None:
        """What happens to one connection; it is closed afterwards."""

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            self.serve(client)


def end(*ends: socket.socket) -> None:
    """Both directions of each; one that is ended already stays so."""
    for one in ends:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
