"""A private Postfix in front of us: takes mail by SMTP on a free port and hands it over by LMTP or SMTP. Needs root.

It has its own configuration, queue and log in a temporary folder and runs beside any Postfix of the machine. What
cannot be delivered is tried again every second.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.servers.wait import free_port, listening, program, refuse_or_skip, until

# Debian's service table without chroot; {port} is the one port it listens on.
SERVICES = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup    unix n - n 60 1 pickup
cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 1 1 qmgr
tlsmgr    unix - - n 1000? 1 tlsmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
verify    unix - - n - 1 verify
flush     unix n - n 1000? 0 flush
proxymap  unix - - n - - proxymap
smtp      unix - - n - - smtp
relay     unix - - n - - smtp
showq     unix n - n - - showq
error     unix - - n - - error
retry     unix - - n - - error
discard   unix - - n - - discard
local     unix - n n - - local
virtual   unix - n n - - virtual
lmtp      unix - - n - - lmtp
anvil     unix - - n - 1 anvil
scache    unix - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
"""

SETTINGS = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
myhostname = border.example.net
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
local_recipient_maps =
smtpd_relay_restrictions = permit_mynetworks, reject
default_transport = {transport}
relay_transport = {transport}
smtp_dns_support_level = disabled
smtputf8_enable = yes
message_size_limit = 52428800
minimal_backoff_time = 1s
maximal_backoff_time = 1s
queue_run_delay = 1s
transport_retry_time = 1s
{extra}
"""


class Postfix:
    """One running copy. `port` takes mail; everything goes to `transport`, such as `lmtp:inet:127.0.0.1:8024`."""

    def __init__(self, transport: str, extra: str = "", parent: str = "/tmp") -> None:
        if os.geteuid() != 0:
            refuse_or_skip("postfix can only be started by root")
        self._postfix = program("postfix", "postfix")
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="postfix-", dir=parent))
        self.folder.chmod(0o755)  # its daemons run as `postfix` and must get in
        for name in ("config", "queue", "data"):
            (self.folder / name).mkdir()
        shutil.chown(self.folder / "data", "postfix")
        (self._config / "main.cf").write_text(SETTINGS.format(folder=self.folder, transport=transport, extra=extra))
        (self._config / "master.cf").write_text(SERVICES.format(port=self.port))
        self._command("start")
        until(lambda: listening(self.port), "Postfix to listen", seconds=60)

    @property
    def _config(self) -> Path:
        return self.folder / "config"

    def _command(self, verb: str) -> None:
        done = subprocess.run([str(self._postfix), "-c", str(self._config), verb], capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr.decode("utf-8", "replace") + self.log()

    def log(self) -> str:
        """Everything it logged so far."""
        path = self.folder / "log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def waiting(self) -> int:
        """How many mails are in its queue."""
        done = subprocess.run(["postqueue", "-c", str(self._config), "-j"], capture_output=True, timeout=60, check=True)
        return len(done.stdout.splitlines())

    def flush(self) -> None:
        """Try everything in the queue now."""
        self._command("flush")

    def remove(self) -> None:
        """Stop, and leave nothing behind."""
        self._command("stop")
        shutil.rmtree(self.folder)


@pytest.fixture
def postfix() -> Iterator[Callable[..., Postfix]]:
    """`postfix(transport, extra="")` starts a copy; all are stopped after the test."""
    started: list[Postfix] = []

    def start(transport: str, extra: str = "") -> Postfix:
        started.append(Postfix(transport, extra))
        return started[-1]

    yield start
    for one in started:
        one.remove()
