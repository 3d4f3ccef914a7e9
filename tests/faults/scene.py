"""A daemon's database, seen from outside: what is arranged in it beforehand, and what it holds afterwards.

Arranging uses the flows an analyst's commands use, in this process; looking uses plain SQL, so that what is counted
owes little to the code under test.
"""

import os
import random
import re
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import text

from benchmarks.mails import CASES, SENDER, Mail, make_key, replies, sign, signed_replies
from mailrouter import settings
from mailrouter.flow.actor import Actor
from mailrouter.flow.casework import contacting, coordinate
from mailrouter.store import books, contacts, journal
from mailrouter.store.engine import Database
from mailrouter.store.inbox import Holder
from mailrouter.tools import Tools, make
from tests.intake.house import Wire, stuffed
from tests.servers.daemon import ADDRESS, Daemon
from tests.servers.wait import until

ANALYST = Actor("unix:test")
UNLIMITED = {"SMTP__RATE_PER_SENDER": "0", "SMTP__RATE_TOTAL": "0"}  # a load is not a storm here
IDENT = re.compile(rb"^Message-ID: <([^>@]+)@", re.MULTILINE)


def dice() -> random.Random:
    """Chance with a printed seed; `FAULT_SEED` repeats a run."""
    seed = int(os.environ.get("FAULT_SEED") or random.randrange(2**32))
    print("FAULT_SEED =", seed)
    return random.Random(seed)


# ---- arranging -----------------------------------------------------------------------------------------------------


@contextmanager
def tools_of(node: Daemon, now: datetime | None = None) -> Iterator[Tools]:
    """What the flows are handed, with this daemon's settings; at another time if one is given."""
    given = settings.load(None, {k: v for k, v in node.environ.items() if k.startswith("MAILROUTER_")})
    settings.ensure_data_dir(given)
    tools = make(given, Holder(given.node, "test"))
    try:
        yield replace(tools, now=lambda: now) if now else tools
    finally:
        tools.pgp.close()
        tools.db.close()


def open_cases(node: Daemon, vus: Sequence[int] = CASES) -> None:
    """One case for each number the loads write about, with the loads' sender as its vendor."""
    with tools_of(node) as tools:
        with tools.db.write() as tx:
            vendor = contacts.add(tx, "Vendor")
            contacts.add_contact(tx, vendor.id, SENDER)
        for vu in vus:
            coordinate.open_case(tools, ANALYST, "A case", vu)
            coordinate.add_vendor(tools, ANALYST, vu, "Vendor")


def notify_vendors(node: Daemon, count: int, now: datetime | None = None, *, cases: int = 1) -> None:
    """Letters to `count` vendors, spread over that many cases. With `now`: as of then, and they have left since."""
    with tools_of(node, now) as tools:
        vus = [coordinate.open_case(tools, ANALYST, "A case").vu for _ in range(cases)]
        with tools.db.write() as tx:
            for number in range(count):
                vendor = contacts.add(tx, f"Vendor {number}")
                contacts.add_contact(tx, vendor.id, f"psirt@vendor{number}.example")
        for number in range(count):
            coordinate.add_vendor(tools, ANALYST, vus[number % cases], f"Vendor {number}")
        for vu in vus:
            contacting.notify(tools, ANALYST, vu, without_details=True)
        if now:
            with tools.db.write() as tx:
                tx.execute(text("UPDATE letters SET state = 'sent', sent_at = made_at"))


# ---- looking -------------------------------------------------------------------------------------------------------


class Store:
    """One look after another at what a daemon keeps. Open only while the database is there."""

    def __init__(self, url: str) -> None:
        self.url = url

    def rows(self, query: str, **values: Any) -> list[Any]:
        """What a SELECT gives."""
        with self._open() as db, db.read() as tx:
            return list(tx.execute(text(query), values))

    def one(self, query: str, **values: Any) -> Any:
        """The first column of a SELECT's only row."""
        [(value,)] = self.rows(query, **values)
        return value

    def change(self, statement: str, **values: Any) -> int:
        """Do to the database what a test must; how many rows it met."""
        with self._open() as db, db.write() as tx:
            return tx.execute(text(statement), values).rowcount

    @contextmanager
    def _open(self) -> Iterator[Database]:
        db = Database(self.url)
        try:
            yield db
        finally:
            db.close()

    def raws(self) -> list[bytes]:
        """Every stored mail, in order of arrival."""
        return [bytes(row.raw) for row in self.rows("SELECT raw FROM mails ORDER BY id")]

    def pending(self) -> int:
        """Accepted, and not yet received."""
        return int(self.one("SELECT count(*) FROM inbox"))

    def places(self) -> dict[str, int]:
        """How many mails lie where."""
        counted = "SELECT place, count(*) AS n FROM messages WHERE mail_id IS NOT NULL GROUP BY place"
        return {row.place: row.n for row in self.rows(counted)}

    def letters(self, name: str = "%") -> list[Any]:
        """The outbox: letters of that name."""
        return self.rows("SELECT * FROM letters WHERE name LIKE :name ORDER BY id", name=name)

    def drained(self, *, seconds: float = 120) -> None:
        """Wait until everything accepted is received."""
        until(lambda: self.pending() == 0, "the inbox to be empty", seconds=seconds)

    def no_pauses(self) -> None:
        """As if the time until the next try of every mail and letter had passed."""
        self.change("UPDATE inbox SET not_before = NULL")
        self.change("UPDATE letters SET next_attempt_at = NULL WHERE state = 'queued'")

    def in_order(self) -> None:
        """Fails unless books and journal are right, each received mail is one message, and nothing is done twice."""
        with self._open() as db, db.read() as tx:
            assert books.count(tx).balanced
            assert list(journal.verify(tx)) == []
        accepted = self.one("SELECT sum(accepted) FROM tallies")
        assert (accepted or 0) == self.one("SELECT count(*) FROM mails")
        astray = "SELECT id FROM mails WHERE id NOT IN (SELECT mail_id FROM messages WHERE mail_id IS NOT NULL)"
        assert self.rows(f"{astray} AND id NOT IN (SELECT mail_id FROM inbox)") == []
        waiting = "SELECT message_id FROM queue_items WHERE kind = 'mail' AND done_at IS NULL"
        assert self.rows(f"{waiting} GROUP BY message_id HAVING count(*) > 1") == []
        assert self.rows("SELECT step FROM letters WHERE step IS NOT NULL GROUP BY step HAVING count(*) > 1") == []


@dataclass(frozen=True)
class Verdict:
    """A client's ledger held against the store."""

    acknowledged: int
    lost: int
    doubled: int
    altered: int

    @property
    def clean(self) -> bool:
        """Nothing lost, nothing twice, no byte changed."""
        return (self.lost, self.doubled, self.altered) == (0, 0, 0)


def compare(sent: dict[str, bytes], acked: set[str], raws: Sequence[bytes]) -> Verdict:
    """What was sent and acknowledged, by Message-ID's left part, against what is stored."""
    stored, altered = Counter[str](), 0
    digests = {ident: sha256(raw).digest() for ident, raw in sent.items()}
    for raw in raws:
        found = IDENT.search(raw)
        ident = found[1].decode() if found else ""
        stored[ident] += 1
        altered += sha256(raw).digest() != digests.get(ident)
    verdict = Verdict(len(acked), len(acked - set(stored)), sum(n - 1 for n in stored.values()), altered)
    print(verdict)
    return verdict


# ---- sending -------------------------------------------------------------------------------------------------------


class Signer:
    """The loads' sender with a key of its own; `public` is a file."""

    def __init__(self, folder: Path) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="v", dir="/tmp"))  # short: an agent's socket is in it
        self._fingerprint = make_key(self._home, SENDER)
        self._bodies = sign(self._home, self._fingerprint)
        self.public = folder / "vendor.asc"
        command = ["gpg", "--homedir", str(self._home), "--batch", "--armor", "--export", self._fingerprint]
        self.public.write_bytes(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)

    def mails(self, count: int, run: str = "signed") -> list[Mail]:
        """Replies with good signatures."""
        return list(islice(signed_replies(ADDRESS, run, self._bodies), count))

    def remove(self) -> None:
        """Leave nothing behind."""
        subprocess.run(["gpgconf", "--homedir", str(self._home), "--kill", "all"], check=True, timeout=60)
        shutil.rmtree(self._home)


def mails(count: int, run: str = "mail") -> list[Mail]:
    """Plain replies of a vendor's; `run` makes those of two calls different."""
    return list(islice(replies(ADDRESS, run), count))


@contextmanager
def session(node: Daemon, door: str = "smtp") -> Iterator[Wire]:
    """A client that has said hello."""
    port, hello = {"smtp": (node.smtp_port, b"EHLO t"), "lmtp": (node.lmtp_port, b"LHLO t")}[door]
    with Wire(("127.0.0.1", port), hello) as wire:
        yield wire


def hand_in(wire: Wire, raw: bytes) -> str:
    """One mail to us, in an open session; the reply to its end, '' if there was none."""
    wire.ready(ADDRESS.encode())
    wire.send(stuffed(raw))
    return wire.reply()


def send(node: Daemon, *raws: bytes) -> list[str]:
    """Mails in a session of their own; the replies."""
    with session(node) as wire:
        return [hand_in(wire, raw) for raw in raws]
