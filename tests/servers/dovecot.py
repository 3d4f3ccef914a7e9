"""A private Dovecot with mailboxes to read: its own configuration, mail and log in a temporary folder, on a free port.

It runs beside any Dovecot of the machine, as whoever runs the tests. Users and passwords are a file; mail is put in by
`put` (IMAP APPEND) or, in bulk, as files of a maildir.
"""

import getpass
import grp
import imaplib
import os
import pwd
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.servers.smarthost import Certificate
from tests.servers.wait import free_port, listening, program, until

PASSWORD = "correct horse"
PREPARED = 500  # accounts it knows from the start: to hear of another costs it five seconds
SETTINGS = """\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
default_login_user = {login_user}
default_internal_user = {internal_user}
default_internal_group = {internal_group}
mail_location = maildir:{folder}/mail/%u
mail_fsync = never
maildir_very_dirty_syncs = yes
mail_uid = {uid}
mail_gid = {gid}
first_valid_uid = 0
first_valid_gid = 0
ssl = {ssl}
ssl_cert = <{cert}
ssl_key = <{key}
disable_plaintext_auth = no
auth_mechanisms = plain
auth_failure_delay = 0
mail_max_userip_connections = 100
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {folder}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
{extra}
"""


class Dovecot:
    """One running copy. `port` speaks IMAP in clear, `tls_port` TLS from the first byte; `ca` is whom to trust."""

    def __init__(self, certificate: Certificate, extra: str = "", parent: str = "/tmp") -> None:
        self._dovecot = program("dovecot", "dovecot-imapd")
        self.port, self.tls_port = free_port(), free_port()
        self.ca = certificate.cert
        self.folder = Path(tempfile.mkdtemp(prefix="dovecot-", dir=parent))
        self.folder.chmod(0o755)
        (self.folder / "mail").mkdir(mode=0o777)
        (self.folder / "mail").chmod(0o777)
        self._users = {f"user{number}": PASSWORD for number in range(PREPARED)}
        self._given = iter(list(self._users))
        self._write_users("users")
        for name, source in (("cert.pem", certificate.cert), ("key.pem", certificate.key)):
            shutil.copyfile(source, self.folder / name)
        self._config = self.folder / "dovecot.conf"
        self._config.write_text(SETTINGS.format(
            folder=self.folder, port=self.port, tls_port=self.tls_port, ssl="yes", extra=extra,
            cert=self.folder / "cert.pem", key=self.folder / "key.pem", **_accounts(),
        ))  # fmt: skip
        self.start()

    def start(self) -> None:
        """Run; returns once it listens."""
        with (self.folder / "stderr").open("ab") as stderr:
            self._process = subprocess.Popen(
                [self._dovecot, "-F", "-c", self._config], stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr
            )
        until(self._listens, "Dovecot to listen", seconds=60)

    def _listens(self) -> bool:
        if self._process.poll() is not None:
            pytest.fail(f"Dovecot ended: {(self.folder / 'stderr').read_text()}\n{self.log()}")
        return listening(self.port) and listening(self.tls_port)

    def stop(self) -> None:
        """End, with all its sessions."""
        self._process.terminate()
        self._process.wait(timeout=60)

    def remove(self) -> None:
        """Stop, and leave nothing behind."""
        self.stop()
        until(self._is_removed, "Dovecot's folder to go", seconds=30)

    def _is_removed(self) -> bool:
        shutil.rmtree(self.folder, ignore_errors=True)  # a session of its may still write its last line
        return not self.folder.exists()

    def log(self) -> str:
        """Everything it logged so far."""
        path = self.folder / "log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    # -- mailboxes

    def new_user(self) -> str:
        """A mailbox nobody else uses."""
        return next(self._given)

    def user(self, name: str, password: str = PASSWORD) -> None:
        """An account, or its new password."""
        self._users[name] = password
        self._write_users("users.new")
        (self.folder / "users.new").rename(self.folder / "users")  # at once: a login may be under way
        if self._process.poll() is None:
            until(lambda: self._knows(name), "Dovecot to have read its accounts", seconds=30)

    def _write_users(self, file: str) -> None:
        lines = "".join(f"{user}:{word}::::::\n" for user, word in self._users.items())
        (self.folder / file).write_text(lines)

    def _knows(self, name: str) -> bool:
        """It looks at the time of the file, to the second."""
        with imaplib.IMAP4("127.0.0.1", self.port) as line:
            try:
                return line.login(name, self._users[name])[0] == "OK"
            except imaplib.IMAP4.error:
                (self.folder / "users").touch()
                return False

    @contextmanager
    def client(self, user: str) -> Iterator[imaplib.IMAP4]:
        """Another mail program of theirs, logged in; the standard library's, so that it owes ours nothing."""
        with imaplib.IMAP4("127.0.0.1", self.port, timeout=30) as line:
            line.login(user, self._users[user])
            yield line

    def put(self, user: str, raws: Iterable[bytes], folder: str = "INBOX", flags: str = "") -> None:
        """Mails, through the front door."""
        with self.client(user) as line:
            for raw in raws:
                done, answer = line.append(folder, flags, "", raw)
                assert done == "OK", answer

    def pour(self, user: str, raws: Iterable[bytes]) -> None:
        """Many mails into INBOX, as files; the maildir's own way, with LF line ends as delivery agents write them."""
        accounts, home = _accounts(), self.folder / "mail" / user
        for folder in (home, home / "new", home / "cur", home / "tmp"):
            folder.mkdir(exist_ok=True)
            os.chown(folder, accounts["uid"], accounts["gid"])
        for number, raw in enumerate(raws):
            path = home / "new" / f"{1_600_000_000 + number}.M{number}P1.test"
            path.write_bytes(raw.replace(b"\r\n", b"\n"))
            os.chown(path, accounts["uid"], accounts["gid"])

    def folders(self, user: str) -> list[str]:
        """Their names, as the server writes them."""
        with self.client(user) as line:
            return [answer.decode().rpartition('"/" ')[2].strip('"') for answer in line.list()[1]]

    def uidvalidity_file(self, user: str) -> Path:
        """Where INBOX's UIDs are kept; its first line names the UIDVALIDITY."""
        return self.folder / "mail" / user / "dovecot-uidlist"

    def forget(self, user: str) -> None:
        """UIDs, flags and index of INBOX are lost, as after a bad restore. Only while it is stopped."""
        home = self.folder / "mail" / user
        for name in ("dovecot-uidlist", "dovecot-uidvalidity", "dovecot-keywords"):
            (home / name).unlink(missing_ok=True)
        for path in (*home.glob("dovecot-uidvalidity.*"), *home.glob("dovecot.index*")):
            path.unlink()
        for path in (home / "cur").iterdir():
            path.rename(home / "new" / path.name.partition(":")[0])

    def count(self, user: str, folder: str = "INBOX", criteria: str = "ALL") -> int:
        """How many messages there fit; 0 if there is no such folder."""
        return len(self.uids(user, folder, criteria))

    def uids(self, user: str, folder: str = "INBOX", criteria: str = "ALL") -> list[int]:
        """Which."""
        with self.client(user) as line:
            if line.select(f'"{folder}"', readonly=True)[0] != "OK":
                return []
            _, [found] = line.uid("SEARCH", criteria)
            return [int(uid) for uid in found.split()]

    def raws(self, user: str, folder: str = "INBOX") -> list[bytes]:
        """The mails there, in order."""
        with self.client(user) as line:
            if line.select(f'"{folder}"', readonly=True)[0] != "OK":
                return []
            _, parts = line.uid("FETCH", "1:*", "(BODY.PEEK[])")
            return [part[1] for part in parts if isinstance(part, tuple)]


def _accounts() -> dict[str, Any]:
    """Root drops privileges as Debian's package does; anybody else runs all of it as themselves."""
    if os.geteuid() == 0:
        group, mail = grp.getgrgid(pwd.getpwnam("dovecot").pw_gid).gr_name, pwd.getpwnam("mail")
        return {
            "login_user": "dovenull", "internal_user": "dovecot", "internal_group": group,
            "uid": mail.pw_uid, "gid": mail.pw_gid,
        }  # fmt: skip
    me, group = getpass.getuser(), grp.getgrgid(os.getegid()).gr_name
    return {
        "login_user": me, "internal_user": me, "internal_group": group, "uid": os.geteuid(), "gid": os.getegid(),
    }  # fmt: skip


def tls_works(server: Dovecot) -> bool:
    """Whether it shows the certificate it was given."""
    with imaplib.IMAP4_SSL(
        "localhost", server.tls_port, ssl_context=ssl.create_default_context(cafile=server.ca), timeout=30
    ) as line:
        return line.noop()[0] == "OK"


@pytest.fixture(scope="session")
def dovecot_server(certificate: Certificate) -> Iterator[Dovecot]:
    """One for the whole run; each test has users of its own."""
    server = Dovecot(certificate)
    yield server
    server.remove()


@pytest.fixture
def dovecots(certificate: Certificate) -> Iterator[Callable[..., Dovecot]]:
    """`dovecots(extra="")` starts a copy that may be stopped; all are removed after the test."""
    started: list[Dovecot] = []

    def start(extra: str = "") -> Dovecot:
        started.append(Dovecot(certificate, extra))
        return started[-1]

    yield start
    for one in started:
        one.remove()
