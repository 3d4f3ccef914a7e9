"""The stage: a folder, the real daemon on a free port of loopback, and the command an analyst would type.

Promises: no setting from outside reaches the program, neither of the environment nor of a file; the daemon and gpg's
agents end with the demo, the folder stays for whoever wants to go on asking; what goes wrong is one `Trouble`.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from demo import telling

ROOT = Path(__file__).parents[1]
ADDRESS = "cert@cert.example"
PATIENCE = 60.0  # seconds; a busy machine is slow
PAUSE = 0.2  # between two looks
Answer = TypeVar("Answer")

SETTINGS = """\
# What the demo ran with: mailrouter --config {folder}/mailrouter.toml ...
data_dir = "{folder}/data"

[identity]
address = "{address}"
name = "Example CERT"
phone = "+1 555 0100"

[smtp]
listen = "127.0.0.1:{port}"

[lmtp]
listen = ""

[web]
listen = ""

[log]
format = "json"
"""


class Trouble(Exception):
    """The demo cannot go on; the message is the one line to say."""


class Stage:
    """A daemon of our own."""

    def __init__(self) -> None:
        if shutil.which("gpg") is None:
            raise Trouble("GnuPG is needed and is not installed (Debian: apt-get install gnupg)")
        self.folder = Path(tempfile.mkdtemp(prefix="mailrouter-demo-"))
        self.data = self.folder / "data"
        self.port = _free_port()
        self.config = self.folder / "mailrouter.toml"
        self.config.write_text(SETTINGS.format(folder=self.folder, address=ADDRESS, port=self.port))
        self.log = self.folder / "daemon.log"
        self._daemon: subprocess.Popen[bytes] | None = None

    # ---- the program ---------------------------------------------------------------------------------------------

    @cached_property
    def environ(self) -> Mapping[str, str]:
        """As outside, without any setting of ours."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("MAILROUTER_")}
        ours = {"MAILROUTER_CONFIG": str(self.config), "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
        return inherited | ours

    def order(self, *arguments: str) -> str:
        """A command as an analyst types it: shown, and its answer too. Returns the answer."""
        telling.ordered("mailrouter", *arguments)
        done = self._run(*arguments)
        told = "\n".join(filter(None, (done.stdout.rstrip("\n"), done.stderr.rstrip("\n"))))
        if told:
            telling.answered(told)
        return done.stdout

    def ask(self, *arguments: str) -> Any:
        """A command's `--json` answer, not shown."""
        return json.loads(self._run(*arguments, "--json").stdout)

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        try:
            done = subprocess.run(
                [sys.executable, "-m", "mailrouter", *arguments], env=self.environ, cwd=self.folder,
                capture_output=True, encoding="utf-8", timeout=PATIENCE,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise Trouble(f"mailrouter {' '.join(arguments)}: no answer in {PATIENCE:.0f} s") from None
        if done.returncode:
            said = done.stderr.strip().splitlines()[-1:] or ["it says nothing"]
            raise Trouble(f"mailrouter {' '.join(arguments)}: exit {done.returncode}, {said[0]}")
        return done

    # ---- the daemon ----------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Start the daemon and wait until it says that its doors are open."""
        telling.ordered("mailrouter", "serve")
        command = [sys.executable, "-m", "mailrouter", "serve"]
        with self.log.open("wb") as log:
            self._daemon = subprocess.Popen(
                command, env=self.environ, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        self.wait("the daemon to be ready", lambda: '"ready"' in self.log.read_text("utf-8", "replace"))

    def close(self) -> None:
        """Stop the daemon in order; whatever it leaves of its group is killed, and our key's agent ends."""
        if self._daemon:
            self._daemon.send_signal(signal.SIGTERM)
            try:
                self._daemon.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(self._daemon.pid, signal.SIGKILL)
                self._daemon.wait()
        if (home := self.data / "gnupg").is_dir():
            end_agents(home)

    def wait(self, what: str, found: Callable[[], Answer]) -> Answer:
        """Ask until the answer is something."""
        end = time.monotonic() + PATIENCE
        while not (answer := found()):
            if self._daemon and self._daemon.poll() is not None:
                raise Trouble(f"the daemon ended; its log is {self.log}")
            if time.monotonic() > end:
                raise Trouble(f"waited {PATIENCE:.0f} s for {what}; the daemon's log is {self.log}")
            time.sleep(PAUSE)
        return answer


def end_agents(home: Path) -> None:
    """gpg's agent outlives its caller: tell that of this GNUPGHOME to go."""
    command = ["gpgconf", "--homedir", str(home), "--kill", "all"]
    subprocess.run(command, check=False, capture_output=True, timeout=PATIENCE)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
