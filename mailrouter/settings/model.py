"""The settings by name: each is a field and stands once, with its default, its reader and what it means.

The environment's names, the checks and the messages of `reading` follow from these dataclasses; a secret is left out of
their repr.
"""

import os
import socket
import sys
from collections.abc import Callable
from dataclasses import MISSING, dataclass, field
from pathlib import Path
from typing import Any

from mailrouter.case.policy import Policy
from mailrouter.settings import values
from mailrouter.settings.values import Listen, Reader


def setting(reader: Reader, default: Any = MISSING, *, made: Callable[[], Any] | None = None) -> Any:
    """A dataclass field that knows how it is read; `made` computes the default on this machine."""
    if made is not None:
        return field(default_factory=made, metadata={"reader": reader})
    return field(default=default, metadata={"reader": reader}, repr=not reader.secret)


def _cores() -> int:
    return min(len(os.sched_getaffinity(0)), 4)


def _terminal_or_not() -> str:
    return "text" if sys.stderr.isatty() else "json"


@dataclass(frozen=True, slots=True)
class Database:
    """Where everything is kept."""

    url: str = setting(values.DATABASE_URL, "")  # after load() never empty: SQLite in data_dir


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are in our letters."""

    address: str = setting(values.ADDRESS_OF_OURS, "cert@localhost.localdomain")
    also: tuple[str, ...] = setting(values.ADDRESSES, ())  # further addresses we take mail for
    separator: str = setting(values.SEPARATOR, "+")  # between an address of ours and what is added to it; '': nothing
    name: str = setting(values.LINE, "CERT")
    phone: str = setting(values.LINE, "")
    key: str = setting(values.FINGERPRINT, "")  # 40 upper-case hexadecimal digits; empty: one is made in data_dir
    key_url: str = setting(values.WEB_URL, "")
    policy_url: str = setting(values.WEB_URL, "")
    notes_url: str = setting(values.WEB_URL, "")
    operator: str = setting(values.NO_OR_ADDRESS, "")  # who is written to when the machine is in trouble
    gnupg_home: Path | None = setting(values.NO_OR_PATH, None)  # where our own keys are; None: in data_dir
    passphrase_file: Path | None = setting(values.PRIVATE_FILE, None)  # of our own keys; None: they have none
    archive_key: tuple[str, ...] = setting(values.KEYS, ())  # who can read what we sent; (): the key we sign with


@dataclass(frozen=True, slots=True)
class Smtp:
    """The SMTP door. Sizes in bytes, rates per minute (0: off)."""

    listen: Listen = setting(values.LISTEN, Listen("127.0.0.1", 8025))
    tls_cert: Path | None = setting(values.FILE, None)
    tls_key: Path | None = setting(values.FILE, None)
    max_size: int = setting(values.SIZE_OF_A_MAIL, 25 * 2**20)
    max_connections: int = setting(values.whole(1, 100_000), 200)
    max_per_client: int = setting(values.whole(1, 100_000), 20)
    rate_per_sender: int = setting(values.whole(0, 1_000_000), 60)
    rate_total: int = setting(values.whole(0, 1_000_000), 600)


@dataclass(frozen=True, slots=True)
class Lmtp:
    """The LMTP door (RFC 2033), for a mail server in front of us."""

    listen: Listen = setting(values.LISTEN, Listen("127.0.0.1", 8024))


@dataclass(frozen=True, slots=True)
class Imap:
    """One mailbox to read: an entry of `[[imap]]`. Name, host, user and password are required."""

    name: str = setting(values.NODE)
    host: str = setting(values.HOST_NAME)
    user: str = setting(values.LINE)
    password: str = setting(values.PASSWORD)
    port: int = setting(values.whole(1, 65535), 993)
    tls: bool = setting(values.YES_OR_NO, True)  # from the first byte; without it only on this machine
    tls_ca: Path | None = setting(values.FILE, None)  # whose certificates to trust, PEM; None: the system's authorities
    folder: str = setting(values.LINE, "INBOX")
    done_folder: str = setting(values.LINE, "")  # where to move what was taken; empty: it is marked and stays

    @property
    def door(self) -> str:
        """Its name among the doors: in the books, and on each mail that came through it."""
        return f"imap:{self.name}"


@dataclass(frozen=True, slots=True)
class Relay:
    """Where our letters go: a smarthost, or a local maildir that nobody receives (relative to data_dir)."""

    url: str = setting(values.RELAY_URL, "maildir:outgoing")


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom we believe."""

    authserv_id: str = setting(values.AUTHSERV_ID, "")  # RFC 8601 section 2.2: our own border's name
    answers_from: str = setting(values.one_of("signed", "authenticated", "claimed"), "")  # after load() never empty


@dataclass(frozen=True, slots=True)
class Press:
    """The published site: a folder of files for any web server; identity.notes_url is where readers find it."""

    folder: Path = setting(values.PATH, Path("site"))  # relative to data_dir; a link that is replaced at once


@dataclass(frozen=True, slots=True)
class Cve:
    """The CVE Services account that reserves IDs and publishes records; without `url` IDs are typed in."""

    url: str = setting(values.WEB_URL, "")
    org: str = setting(values.LINE, "")  # our short name as a CNA
    user: str = setting(values.LINE, "")  # an account of this program's own
    api_key: str = setting(values.API_KEY, "")


@dataclass(frozen=True, slots=True)
class Web:
    """The analysts' console."""

    listen: Listen = setting(values.LISTEN, Listen("127.0.0.1", 8080))
    url: str = setting(values.WEB_URL, "")


@dataclass(frozen=True, slots=True)
class Worker:
    """The processes that work through the inbox and the outbox."""

    processes: int = setting(values.whole(1, 64), made=_cores)


@dataclass(frozen=True, slots=True)
class Log:
    """How events are written to stderr."""

    format: str = setting(values.one_of("text", "json"), made=_terminal_or_not)
    level: str = setting(values.one_of("debug", "info", "warning", "error"), "info")


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, checked. Paths are absolute."""

    data_dir: Path = setting(values.PATH, Path("var"))
    node: str = setting(values.NODE, made=socket.gethostname)
    letters_dir: Path | None = setting(values.FOLDER, None)
    database: Database = field(default_factory=Database)
    identity: Identity = field(default_factory=Identity)
    smtp: Smtp = field(default_factory=Smtp)
    lmtp: Lmtp = field(default_factory=Lmtp)
    relay: Relay = field(default_factory=Relay)
    policy: Policy = field(default_factory=Policy)
    trust: Trust = field(default_factory=Trust)
    press: Press = field(default_factory=Press)
    cve: Cve = field(default_factory=Cve)
    web: Web = field(default_factory=Web)
    worker: Worker = field(default_factory=Worker)
    log: Log = field(default_factory=Log)
    imap: tuple[Imap, ...] = ()
