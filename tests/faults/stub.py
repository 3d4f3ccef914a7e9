"""A gpg that misbehaves: a shell script before the real one in the daemon's PATH, that does as a file says.

It hangs over mail only: what is done with our own keys has a time limit of another kind (python-gnupg's wrapper).
"""

import os
import random
import shutil
import signal
import subprocess
from pathlib import Path

MISBEHAVIOURS = ("killed", "no gpg at all", "garbage", "silence")

SCRIPT = """\
#!/bin/sh
status=1
for word in "$@"; do
    [ "$before" = --status-fd ] && status=$word
    case "$word" in --verify | --decrypt) reads_mail=yes ;; esac
    before=$word
done
case "$(cat {mode})" in
    hangs) [ "$reads_mail" ] && exec sleep {long} ;;
    slow) sleep 6 ;;
    killed) kill -KILL $$ ;;
    "no gpg at all") exit 127 ;;
    garbage) eval "printf '[GNUPG:] \\\\377\\\\000 not a status line' >&$status"; exit 0 ;;
    silence) exit 0 ;;
esac
exec {gpg} "$@"
"""


class Stub:
    """Put it before the daemon's start: `path` is the PATH to give it. At first it does what the real gpg does."""

    def __init__(self, folder: Path) -> None:
        gpg = shutil.which("gpg")
        folder.mkdir()
        self._mode = folder / "mode"
        self.does("well")
        script = folder / "gpg"
        self._long = str(100_000 + random.randrange(100_000))  # seconds; by them its sleep is known
        script.write_text(SCRIPT.format(mode=self._mode, gpg=gpg, long=self._long))
        script.chmod(0o755)
        self.path = f"{folder}:{os.environ['PATH']}"

    def does(self, what: str) -> None:
        """From its next run on: one of MISBEHAVIOURS, `hangs`, `slow` (six seconds), or `well`."""
        new = self._mode.with_suffix(".new")
        new.write_text(what)
        new.replace(self._mode)  # never seen half-written

    def running(self) -> bool:
        """Is one that hangs still there?"""
        return bool(self._hanging())

    def parent(self) -> int:
        """The process that started the one that hangs."""
        [(_, parent)] = self._hanging()
        return parent

    def end(self) -> None:
        """Kill what was left hanging by a parent that was killed."""
        for process, _ in self._hanging():
            os.kill(process, signal.SIGKILL)

    def _hanging(self) -> list[tuple[int, int]]:
        """(process, parent) of each."""
        command = ["ps", "-eo", "pid=,ppid=,args="]
        lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
        rows = [line.split(maxsplit=2) for line in lines]
        return [(int(pid), int(parent)) for pid, parent, command in rows if command == f"sleep {self._long}"]
