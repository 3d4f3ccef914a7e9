"""What ours is measured against, in the same run: a bare aiosmtpd, a Postfix, and gpg alone.

Each is given every advantage: the aiosmtpd stores and does nothing else, Postfix puts what it takes on hold and
delivers nothing, gpg reads files that are ready, with one key in its home.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path

from benchmarks import mails
from tests.servers.postfix import Postfix

HOLD = "smtpd_client_restrictions = check_client_access static:hold\nin_flow_delay = 0"


@contextmanager
def aiosmtpd(folder: Path) -> Iterator[tuple[int, int]]:
    """`benchmarks.floor` on a database of its own: its port and its process id."""
    folder.mkdir()
    command = [sys.executable, "-m", "benchmarks.floor", str(folder / "floor.db")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield int(process.stdout.readline()), process.pid
        finally:
            process.terminate()
    shutil.rmtree(folder)


def has_postfix() -> bool:
    """Whether there is one, and we may start it."""
    return os.geteuid() == 0 and shutil.which("postfix", path=f"{os.environ.get('PATH', '')}:/usr/sbin") is not None


@contextmanager
def postfix(folder: Path) -> Iterator[int]:
    """A private Postfix that accepts into its queue; its port."""
    running = Postfix("discard:", HOLD, str(folder))
    try:
        yield running.port
    finally:
        running.remove()


class Gpg:
    """`gpg --verify` in a loop over the signatures of these bodies."""

    def __init__(self, folder: Path, home: Path, bodies: Sequence[bytes]) -> None:
        folder.mkdir()
        self._commands = []
        program = shutil.which("gpg") or "gpg"
        for number, body in enumerate(bodies):
            signed, signature = (folder / f"{number}{end}" for end in ("", ".asc"))
            for path, content in zip((signed, signature), mails.detached(body), strict=True):
                path.write_bytes(content)
            options = ["--homedir", str(home), "--batch", "--quiet", "--trust-model", "always"]
            self._commands.append([program, *options, "--verify", str(signature), str(signed)])

    def verify(self, count: int, workers: int) -> None:
        """So many signatures, by so many processes at once. Raises ValueError for one that is not good."""
        shares = [islice(cycle(self._commands), number, count, workers) for number in range(workers)]
        with ThreadPoolExecutor(workers) as pool:
            if not all(pool.map(lambda share: all(map(_good, share)), shares)):
                raise ValueError("gpg found a bad signature")


def _good(command: list[str]) -> bool:
    """By posix_spawn, the cheapest way to start a program."""
    silent = [(os.POSIX_SPAWN_OPEN, number, "/dev/null", os.O_WRONLY, 0) for number in (1, 2)]
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=silent)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
