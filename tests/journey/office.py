"""A coordinator's office: a running daemon whose letters go to a smarthost of the test, and an analyst, Ana."""

import os
import pwd
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import text

from mailrouter.store.engine import Database
from tests.journey.people import US, Organisation, Read
from tests.servers.daemon import Daemon
from tests.servers.sink import Sink
from tests.servers.wait import until

ANA = "ana@cert.example"


def login() -> str:
    """Whose process this is, as the program sees it."""
    return pwd.getpwuid(os.getuid()).pw_name


def wait_for_counts(node: Daemon, wanted: dict[str, int]) -> None:
    """Until each of these queries counts so many. Asked of the database: a command costs half a second."""
    db = Database(node.environ["MAILROUTER_DATABASE__URL"])

    def counted() -> bool:
        with db.read() as tx:
            return all(tx.execute(text(query)).scalar_one() == count for query, count in wanted.items())

    try:
        until(counted, str(wanted), seconds=60)
    finally:
        db.close()


@contextmanager
def acting(node: Daemon, name: str) -> Iterator[None]:
    """Commands are this analyst's until the block ends: who acts is known by the login, and this process has one."""
    db, mine = Database(node.environ["MAILROUTER_DATABASE__URL"]), {"mine": login()}

    def give(to: str | None) -> str | None:
        with db.write() as tx:
            had = tx.execute(text("SELECT name FROM analysts WHERE login = :mine"), mine).scalar()
            tx.execute(text("UPDATE analysts SET login = NULL WHERE login = :mine"), mine)
            tx.execute(text("UPDATE analysts SET login = :mine WHERE name = :to"), mine | {"to": to})
            return had

    before = give(name)
    try:
        yield
    finally:
        give(before)
        db.close()


class Office:
    """Asks the program, by its commands."""

    def __init__(self, node: Daemon, sink: Sink) -> None:
        self.node, self.sink = node, sink
        self.handed_in = 0
        node.run("analyst", "add", "Ana", "--email", ANA, "--login", login(), "--queues", "triage,review,bounces")
        self.key = node.run("key", "export").stdout
        self.fingerprint = str(node.json("key", "list")[0]["fingerprint"])

    # ---- mail in -------------------------------------------------------------------------------------------------

    def mail(self, sender: str, raw: bytes, port: int = 0) -> bytes:
        """Hand a mail in by SMTP and wait until it is received; the same bytes."""
        with smtplib.SMTP("127.0.0.1", port or self.node.smtp_port, timeout=60) as session:
            session.sendmail(sender, [US], raw)
        self.received()
        return raw

    def received(self) -> None:
        """One more mail is accepted, and none is pending."""
        self.handed_in += 1
        wait_for_counts(self.node, {"SELECT count(*) FROM mails": self.handed_in, "SELECT count(*) FROM inbox": 0})

    # ---- the case ------------------------------------------------------------------------------------------------

    def as_ben(self, *arguments: str, **more: Any) -> str:
        """A command of the second analyst's; what it says."""
        with acting(self.node, "Ben"):
            return self.node.run(*arguments, **more).stdout

    def vendor(self, of: Organisation, *, pinned: bool = True) -> None:
        """Ana adds a vendor; both sides hold each other's key."""
        file = self.node.folder / f"{of.name}.asc"
        file.write_bytes(of.key)
        self.node.run("vendor", "add", of.name, "--email", of.address, *(["--key", str(file)] if pinned else []))
        of.gpg.knows(self.key)

    def open(self, *vendors: Organisation, title: str = "Overflow in the updater") -> int:
        """A case with these vendors; none is written to yet."""
        vu = int(self.node.run("case", "open", title).stdout.removeprefix("VU#"))
        for one in vendors:
            self.node.run("case", "add-vendor", str(vu), one.name)
        return vu

    def case(self, vu: int) -> Any:
        """`case show`."""
        return self.node.json("case", "show", str(vu))

    def message(self, vu: int, subject: str) -> Any:
        """The one mail of that subject in a case."""
        (found,) = [m for m in self.case(vu)["messages"] if m["subject"] == subject and m["direction"] == "in"]
        return found

    def queue(self, name: str) -> Any:
        """`queue show`."""
        return self.node.json("queue", "show", name)

    def raw(self, message: int) -> bytes:
        """`message show --raw`."""
        return self.bytes("message", "show", str(message), "--raw")

    def bytes(self, *arguments: str) -> bytes:
        """A command's stdout, no line end translated."""
        return self.node.exact(*arguments)

    # ---- letters out ---------------------------------------------------------------------------------------------

    def letters_to(self, of: Organisation, count: int) -> list[Read]:
        """What their mail program shows, once so many have come."""

        def theirs() -> list[bytes]:
            return [one.data for one in list(self.sink.taken) if of.address.encode() in one.rcpt[0]]

        until(lambda: len(theirs()) >= count, f"{count} letters to {of.name}", seconds=60)
        assert len(theirs()) == count
        return [of.read(raw) for raw in theirs()]
