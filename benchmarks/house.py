"""The measured daemon: `mailrouter serve` as anybody starts it, on a database with a hundred cases and one vendor.

The vendor's contact and signing key are on file and it takes part in every case, so that its replies are filed. No
limit on rates; everything else as it comes.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from sqlalchemy import func, select

from benchmarks import mails
from benchmarks.mails import Mail
from mailrouter import clock
from mailrouter.flow.actor import Actor
from mailrouter.flow.arriving import receive
from mailrouter.flow.casework import coordinate
from mailrouter.flow.people import directory
from mailrouter.mail.envelope import Envelope
from mailrouter.settings import Settings, ensure_data_dir, load
from mailrouter.store import books, inbox, migrate, tables
from mailrouter.store.engine import Database
from mailrouter.store.inbox import Holder
from mailrouter.tools import Tools, make
from tests.servers.daemon import ADDRESS, Daemon

UNLIMITED = {
    "SMTP__RATE_TOTAL": "0", "SMTP__RATE_PER_SENDER": "0", "NODE": "bench", "POLICY__ACKNOWLEDGE_HOURS": "24",
}  # fmt: skip
VENDOR = "Vendor"
POLL_SECONDS = 0.01
BATCH = 32


class House:
    """One daemon of its own on one database; it may be read while it runs."""

    def __init__(self, folder: Path, url: str) -> None:
        self.url = url
        self.daemon = Daemon(folder, url, UNLIMITED)
        self._db = Database(url)

    @property
    def port(self) -> int:
        """Where it takes mail by SMTP."""
        return self.daemon.smtp_port

    @property
    def pid(self) -> int:
        """The root of its processes."""
        return self.daemon.pid

    def wait_received(self, seconds: float) -> float:
        """Until nothing accepted waits any more; when that was, on time.perf_counter's clock.

        Raises TimeoutError, or RuntimeError when the daemon could not receive a mail: it would try for minutes.
        """
        limit = time.perf_counter() + seconds
        while time.perf_counter() < limit:
            with self._db.read() as tx:
                waiting = tx.execute(select(tables.inbox.c.trouble).limit(1)).first()
            if waiting is None:
                return time.perf_counter()
            if waiting.trouble:
                raise RuntimeError(f"a mail was not received: {waiting.trouble}\n{self.daemon.stderr()}")
            time.sleep(POLL_SECONDS)
        raise TimeoutError(f"mail still waits after {seconds:g} s")

    def proved(self) -> tuple[int, int]:
        """How many mails are filed, and how many of them by a proved signature."""
        verified = select(func.count()).where(tables.messages.c.assurance == "verified")
        with self._db.read() as tx:
            return books.count(tx).total.filed, tx.execute(verified).scalar_one()

    def close(self) -> None:
        """Stop the daemon; whatever is left of it is killed."""
        self._db.close()
        try:
            if self.daemon.running:
                self.daemon.terminate()
        finally:
            self.daemon.kill()


@contextmanager
def running(folder: Path, url: str, *arguments: str) -> Iterator[House]:
    """`serve` with these arguments, ready."""
    house = House(folder, url)
    try:
        house.daemon.start(*arguments)
        yield house
    finally:
        house.close()


def prepare(folder: Path, url: str, public_key: bytes) -> None:
    """Migrate an empty database and open the cases of `mails.CASES`, the vendor taking part in each."""
    tools, actor = open_tools(folder, url), Actor("bench")
    try:
        migrate.upgrade(tools.db)
        directory.add_vendor(tools, actor, VENDOR, [mails.SENDER], keys=[tools.pgp.import_public(public_key)])
        for vu in mails.CASES:
            coordinate.open_case(tools, actor, f"Case {vu}", vu)
            coordinate.add_vendor(tools, actor, vu, VENDOR)
    finally:
        tools.pgp.close()
        tools.db.close()


def fill(folder: Path, url: str, given: Iterator[Mail]) -> Iterator[int]:
    """Accept and receive mails in this process, as the daemon would; yields how many are stored so far."""
    tools, stored = open_tools(folder, url), 0
    try:
        while batch := [_envelope(mail) for mail in islice(given, BATCH)]:
            with tools.db.write() as tx:
                inbox.accept(tx, tools.holder.node, batch)
            receive.work(tools)
            stored += len(batch)
            yield stored
    finally:
        tools.pgp.close()
        tools.db.close()


def open_tools(folder: Path, url: str) -> Tools:
    """What a daemon in this folder, on this database, would hold."""
    settings = _settings(Daemon(folder, url, UNLIMITED))
    ensure_data_dir(settings)
    return make(settings, Holder("bench", "prepare"))


def _settings(daemon: Daemon) -> Settings:
    return load(None, {name: value for name, value in daemon.environ.items() if name.startswith("MAILROUTER_")})


def _envelope(mail: Mail) -> Envelope:
    return Envelope("smtp", mail.sender, (ADDRESS,), mail.raw, clock.now())
