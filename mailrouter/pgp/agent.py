"""The gpg agent of one GNUPGHOME: it holds the secret keys, and gpg says 'no secret key' when it is dead.

So whether it answers is asked apart from gpg, at its own socket. It is started here and never by gpg itself, which
would hand it the limits of a single run.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote_to_bytes

from mailrouter.faults import TryLater

LONGEST_HOME = 80  # bytes; a socket's path has 107 at most, and the agent adds up to 20


class ShortHome:
    """A path to a GNUPGHOME that is short enough for the agent's sockets: itself, or a symbolic link in /tmp."""

    def __init__(self, home: Path) -> None:
        self._forget: Callable[[], object] = _nothing
        self.path = str(home.absolute())
        if len(self.path.encode()) > LONGEST_HOME:
            # Not in TMPDIR, which may be long itself.
            folder = tempfile.mkdtemp(prefix="mr-", dir="/tmp")
            self._forget = weakref.finalize(self, _remove, folder, os.getpid())
            short = Path(folder) / "h"
            short.symlink_to(home.absolute())
            self.path = str(short)

    def close(self) -> None:
        """Remove the link, if there is one; whoever forgets to has it removed all the same."""
        self._forget()


def _nothing() -> None:
    """There is no link."""


def _remove(folder: str, maker: int) -> None:
    """In the process that made it: those it has forked use it too."""
    if os.getpid() == maker:
        shutil.rmtree(folder, ignore_errors=True)  # whoever cleans /tmp may have been first


@dataclass
class Agent:
    """Speaks to the agent of `home`. `limit`: seconds for starting it, and for an answer."""

    home: str
    limit: float = 30.0
    program: str = field(default="gpgconf")

    @cached_property
    def _socket(self) -> bytes:
        return unquote_to_bytes(self._gpgconf("--list-dirs", "agent-socket").strip())

    def ready(self) -> None:
        """Have it running. Raises TryLater when that cannot be had."""
        if not self.answers():
            self._gpgconf("--launch", "gpg-agent")
            if not self.answers():
                raise TryLater("the gpg agent does not start")

    def answers(self) -> bool:
        """Whether it greets us at its socket."""
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(self.limit)
                line.connect(self._socket)
                return line.recv(2) == b"OK"
        except OSError:
            return False

    def stop(self) -> None:
        """End it, as far as it runs. Its keys stay on the disk."""
        if self.answers():
            self._gpgconf("--kill", "gpg-agent")

    def _gpgconf(self, *arguments: str) -> bytes:
        command = [self.program, "--homedir", self.home, *arguments]
        try:
            return subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=self.limit
            ).stdout
        except (OSError, subprocess.SubprocessError) as trouble:
            raise TryLater("gpgconf does not do its work") from trouble
