"""The stage: a folder, the real daemon on a free port of loopback, and the command an analyst would type.

Promises: no setting from outside reaches the program, neither of the environment nor of a file; the daemon and gpg's
agents end with the demo, the folder stays for whoever wants to go on asking; what goes wrong is one `Trouble`.
"""

import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from demo import telling
from mailrouter.cli import main
from mailrouter.cli.frame import Here
from mailrouter.flow.actor import Actor, who

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


class Somebody(Here):
    """A command of an analyst whose login is not ours: this machine has one, and the play two people."""

    def __init__(self, config: Path, name: str) -> None:
        super().__init__(config)
        self._name = name

    @cached_property
    def actor(self) -> Actor:
        """That analyst."""
        with self.db.read() as tx:
            return who(tx, self._name.lower())


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
        _forget_settings()
        os.environ |= {"MAILROUTER_CONFIG": str(self.config), "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
        os.chdir(self.folder)  # what is typed names files of it

    # ---- the program ---------------------------------------------------------------------------------------------

    def order(self, *arguments: str, by: str = "", status: int = 0) -> str:
        """A command as an analyst types it: shown, and its answer too. Returns the answer.

        `by`: another analyst's; `status`: what it must exit with, 1 when the honest answer is no.
        """
        telling.ordered(*(("sudo", "-u", by.lower()) if by else ()), "mailrouter", *arguments)
        stdout, stderr = self._run(*arguments, by=by, status=status)
        told = "\n".join(filter(None, (stdout.rstrip("\n"), stderr.rstrip("\n"))))
        if told:
            telling.answered(told)
        return stdout

    def ask(self, *arguments: str, status: int = 0) -> Any:
        """A command's `--json` answer, not shown."""
        return json.loads(self._run(*arguments, "--json", status=status)[0])

    def _run(self, *arguments: str, by: str = "", status: int = 0) -> tuple[str, str]:
        """The command itself, in this process: a start from nothing would cost each half a second of imports."""
        here = Somebody(self.config, by) if by else Here(self.config)
        stdout, stderr = (io.TextIOWrapper(io.BytesIO(), "utf-8", newline="") for _ in range(2))
        try:
            with redirect_stdout(stdout), redirect_stderr(stderr):
                main(list(arguments), prog_name="mailrouter", obj=here)
        except SystemExit as end:
            if (end.code or 0) != status:
                said = _said(stderr).strip().splitlines()[-1:] or ["it says nothing"]
                raise Trouble(f"mailrouter {' '.join(arguments)}: exit {end.code}, {said[0]}") from None
        finally:
            here.close()
        return _said(stdout), _said(stderr)

    # ---- the daemon ----------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Start the daemon and wait until it says that its doors are open."""
        telling.ordered("mailrouter", "serve")
        command = [sys.executable, "-m", "mailrouter", "serve"]
        with self.log.open("wb") as log:
            self._daemon = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
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


def _said(into: io.TextIOWrapper) -> str:
    into.seek(0)  # which writes what is still held back
    return into.read()


def _forget_settings() -> None:
    """Those of whoever looks on."""
    for name in [name for name in os.environ if name.startswith("MAILROUTER_")]:
        del os.environ[name]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
