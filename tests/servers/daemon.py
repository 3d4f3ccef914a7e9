"""The program as a black box: `python -m mailrouter` in a process group of its own, asked by its CLI."""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.servers import warm
from tests.servers.wait import free_port, until

ROOT = Path(__file__).parents[2]
ADDRESS = "cert@cert.example"
LAST_WORDS = 40  # lines of its log


class Daemon:
    """One node. Settings are given as the environment spells them, without the prefix: `SMTP__MAX_SIZE="1 MiB"`."""

    def __init__(
        self, folder: Path, database_url: str, given: Mapping[str, str], wrapper: tuple[str, ...] = ()
    ) -> None:
        self.folder = folder
        self.data, self.database_url = folder / "data", database_url
        self.smtp_port, self.lmtp_port = free_port(), free_port()
        self.log = folder / "stderr"
        self._wrapper = wrapper
        self._process: subprocess.Popen[bytes] | None = None
        self._seen = 0
        settings = {
            "DATA_DIR": str(self.data),
            "DATABASE__URL": database_url,
            "IDENTITY__ADDRESS": ADDRESS,
            "SMTP__LISTEN": f"127.0.0.1:{self.smtp_port}",
            "LMTP__LISTEN": f"127.0.0.1:{self.lmtp_port}",
            "WEB__LISTEN": "",
            "LOG__FORMAT": "json",
            "POLICY__ACKNOWLEDGE_HOURS": "0",  # letters are those a test is about
        } | given
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("MAILROUTER_")}
        self.environ = inherited | {f"MAILROUTER_{name}": value for name, value in settings.items()}
        self.environ["PYTHONPATH"] = str(ROOT)
        folder.mkdir(parents=True, exist_ok=True)

    # -- the daemon

    def start(
        self,
        *arguments: str,
        environ: Mapping[str, str] | None = None,
        wrapper: tuple[str, ...] = (),
        ready: bool = True,
    ) -> "Daemon":
        """`serve`, in its own process group; returns once it says it is ready. The options are for this start only."""
        self._seen = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._wrapper, *wrapper, sys.executable, "-m", "mailrouter", "serve", *arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
                env={**self.environ, **(environ or {})}, start_new_session=True,
            )  # fmt: skip
        if ready:
            until(self._ready_or_dead, "the daemon to be ready", seconds=60)
        return self

    @property
    def pid(self) -> int:
        """Of the supervising process; also its process group's id."""
        assert self._process, "not started"
        return self._process.pid

    @property
    def running(self) -> bool:
        """Has the supervising process not ended yet?"""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL to the whole group, as a power cut would."""
        if self._process:
            self._signal_group(signal.SIGKILL)
            self._process.wait(timeout=30)
            self._process = None

    def terminate(self, *, seconds: float = 60) -> int:
        """SIGTERM to the supervising process; its exit status, once nothing of its group is left."""
        assert self._process, "not started"
        self._process.send_signal(signal.SIGTERM)
        status = self._process.wait(timeout=seconds)
        until(lambda: not self.left(), "the daemon's processes to end after it", seconds=20)
        self._process = None
        return status

    def wait(self, *, seconds: float = 60) -> int:
        """Until the supervising process ends by itself (a failpoint, a refused start); its exit status."""
        assert self._process, "not started"
        status = self._process.wait(timeout=seconds)
        self._signal_group(signal.SIGKILL)
        self._process = None
        return status

    def end_gpg(self) -> None:
        """gpg's agent outlives its caller, in a session of its own: tell it to go."""
        home = self.data / "gnupg"
        if home.is_dir():
            subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], capture_output=True, timeout=30, check=True)

    def restart(self, *arguments: str) -> "Daemon":
        """SIGTERM, then `serve` again."""
        self.terminate()
        return self.start(*arguments)

    def left(self) -> list[int]:
        """The group's processes that are still there."""
        groups = subprocess.run(["ps", "-eo", "pid=,pgid=,stat="], capture_output=True, text=True, check=True).stdout
        rows = [line.split() for line in groups.splitlines()]
        return [int(pid) for pid, group, state in rows if int(group) == self.pid and not state.startswith("Z")]

    def stderr(self) -> str:
        """What it wrote since its last start."""
        if not self.log.exists():
            return ""
        return self.log.read_bytes()[self._seen :].decode("utf-8", "replace")

    def events(self, name: str = "") -> list[dict[str, Any]]:
        """What it logged since its last start, as events; only those of that name, if one is given."""
        found = [json.loads(line) for line in self.stderr().splitlines() if line.startswith("{") and line.endswith("}")]
        return [event for event in found if name in ("", event.get("event"))]

    def _ready_or_dead(self) -> bool:
        if not self.running:
            pytest.fail(f"the daemon ended instead of being ready:\n{self.stderr()}")
        return bool(self.events("ready")) or "ready" in self.stderr().split("\n")

    def _signal_group(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):  # all of them have ended already
            os.killpg(self.pid, number)

    # -- its commands

    def run(
        self, *arguments: str, stdin: str = "", status: int | None = 0, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """One command; `status` is the exit status it must have (None: any)."""
        done = self._done(arguments, stdin, self.environ | environ)
        told = f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert status is None or done.returncode == status, told
        return done

    def exact(self, *arguments: str) -> bytes:
        """One command's stdout, no line end translated."""
        status, stdout, stderr = warm.run(arguments, b"", self.environ, self.folder)
        assert status == 0, stderr
        return stdout

    def _done(
        self, arguments: tuple[str, ...], stdin: str, environ: dict[str, str]
    ) -> subprocess.CompletedProcess[str]:
        if not self._wrapper and warm.possible(arguments, environ):
            status, *told = warm.run(arguments, stdin.encode(), environ, self.folder)
            stdout, stderr = (io.TextIOWrapper(io.BytesIO(one), "utf-8").read() for one in told)
            return subprocess.CompletedProcess(arguments, status, stdout, stderr)
        return subprocess.run(
            [*self._wrapper, sys.executable, "-m", "mailrouter", *arguments],
            input=stdin, capture_output=True, text=True, timeout=120, cwd=self.folder, env=environ,
        )  # fmt: skip

    def json(self, *arguments: str, status: int | None = 0) -> Any:
        """One command with `--json`; its document."""
        return json.loads(self.run(*arguments, "--json", status=status).stdout)


@pytest.fixture
def daemons(tmp_path: Path) -> Iterator[Callable[..., Daemon]]:
    """`daemons(database_url="", wrapper=(), **settings)` makes a node that is not started; all are killed in the end.

    Without a URL it has a SQLite database of its own. `wrapper` comes before the command (`faketime`, `strace`).
    """
    made: list[Daemon] = []

    def make(database_url: str = "", wrapper: tuple[str, ...] = (), **settings: str) -> Daemon:
        folder = tmp_path / f"node{len(made) + 1}"
        url = database_url or f"sqlite:///{folder / 'data' / 'mailrouter.db'}"
        made.append(Daemon(folder, url, {"NODE": f"node{len(made) + 1}", **settings}, wrapper))
        return made[-1]

    yield make
    for one in made:
        print(*one.stderr().splitlines()[-LAST_WORDS:], sep="\n")  # pytest shows it when the test fails
        one.kill()
        one.end_gpg()


@pytest.fixture
def serve(daemons: Callable[..., Daemon], sqlite_template: Path) -> Callable[..., Daemon]:
    """`serve(*arguments, database_url="", **settings)`: migrate, start, wait for ready."""

    def start(*arguments: str, database_url: str = "", **settings: str) -> Daemon:
        node = daemons(database_url, **settings)
        kind, _, path = node.database_url.partition(":///")
        if kind == "sqlite":  # migrated once for all
            Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.copyfile(sqlite_template, path)
        else:
            node.run("db", "upgrade")
        return node.start(*arguments)

    return start
