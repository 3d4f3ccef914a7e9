"""The house in one process: real databases, real GnuPG, a clock that only tests move, and people who write to us.

Nothing is imitated: mails go in by the doors' own `accept`, letters leave by a real relay. What is looked at afterwards
is read with the store's own functions, or straight from what the relay was given.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import Message as Mime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from mailrouter import settings
from mailrouter.case.model import Case, Deadline, Participant, Report, Statement
from mailrouter.flow.actor import Actor
from mailrouter.flow.arriving import receive
from mailrouter.flow.casework import contacting, coordinate
from mailrouter.flow.sending import deliver
from mailrouter.flow.timing import remind
from mailrouter.mail.envelope import Envelope
from mailrouter.pgp import Pgp
from mailrouter.store import (
    analysts,
    books,
    cases,
    contacts,
    inbox,
    journal,
    messages,
    outbox,
    queues,
    statements,
    tables,
)  # fmt: skip
from mailrouter.store.books import Line
from mailrouter.store.engine import Database
from mailrouter.store.inbox import Holder
from mailrouter.store.journal import Break, Entry
from mailrouter.store.messages import Message
from mailrouter.store.outbox import Letter
from mailrouter.store.queues import Shown
from mailrouter.tools import OwnKey, Tools, make
from tests.pgp import mails as sealed_mails
from tests.pgp.keys import Keymaker, Owner
from tests.servers.clock import START, Clock

OURS = "cert@cert.example"
VU = 123456
PSIRT, VENDOR = "psirt@vendor.example", "Vendor"  # the address is that of `keymaker.vendor`
DAY = timedelta(days=1)
TURNS = ("follow-up", "answer", "wait")  # clocks about whose turn it is


@dataclass
class World:
    """One database, one clock; `tools` are those of the node n1."""

    clock: Clock
    tools: Tools
    keymaker: Keymaker
    folder: Path
    alice: Actor
    also: list[Database]

    def __post_init__(self) -> None:
        self._numbers = count(1)

    # ---- other nodes, other settings -----------------------------------------------------------------------------

    def node(self, name: str, life: str = "1") -> Tools:
        """Another node (or another life of one) on the same database, with connections of its own."""
        db = Database(self.tools.settings.database.url)
        self.also.append(db)
        return replace(self.tools, db=db, holder=Holder(name, life), settings=replace(self.tools.settings, node=name))

    def with_policy(self, **numbers: Any) -> None:
        """The same house under another policy."""
        policy = replace(self.tools.settings.policy, **numbers)
        self.tools = replace(self.tools, settings=replace(self.tools.settings, policy=policy))

    def with_trust(self, **values: str) -> None:
        """The same house, trusting otherwise."""
        trust = replace(self.tools.settings.trust, **values)
        self.tools = replace(self.tools, settings=replace(self.tools.settings, trust=trust))

    def with_identity(self, **values: Any) -> None:
        """The same house under another name or address."""
        identity = replace(self.tools.settings.identity, **values)
        self.tools = replace(self.tools, settings=replace(self.tools.settings, identity=identity))

    # ---- arranging -----------------------------------------------------------------------------------------------

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction."""
        with self.tools.db.write() as tx:
            yield tx

    def analyst(self, name: str, queues: str = "") -> analysts.Analyst:
        """One more of the staff; reads these queues beside their own."""
        with self.writing() as tx:
            return analysts.add(tx, {"name": name, "address": f"{name}@cert.example", "login": name, "queues": queues})

    def organisation(self, name: str, *addresses: str, domain: str = "", key: Owner | None = None) -> int:
        """An organisation with contacts, a mail domain and a pinned key; its id."""
        with self.writing() as tx:
            made = contacts.add(tx, name)
            for address in addresses:
                contacts.add_contact(tx, made.id, address)
            if domain:
                contacts.add_domain(tx, made.id, domain)
        if key:
            self.pin(name, key)
        return made.id

    def pin(self, name: str, key: Owner) -> None:
        """Pin a key to an organisation, as an analyst would with its file."""
        info = self.tools.pgp.import_public(self.keymaker.armored(key.fingerprint))
        with self.writing() as tx:
            row = {
                "organisation_id": contacts.named(tx, name).id, "fingerprint": info.fingerprint,
                "data": info.public.data,
                "user_id": info.user_ids[0], "can_encrypt": info.can_encrypt, "expires_at": info.expires,
                "pinned_at": self.clock(),
            }  # fmt: skip
            contacts.pin(tx, row, [info.fingerprint, *info.subkeys, *info.key_ids])

    def case(self, *vendors: str, vu: int = VU, notify: bool = True) -> Case:
        """A case of Alice's with these vendors, written to if not said otherwise (the letters are queued)."""
        opened = coordinate.open_case(self.tools, self.alice, "A flaw in everything", vu=vu)
        for vendor in vendors:
            coordinate.add_vendor(self.tools, self.alice, vu, vendor)
        if vendors and notify:
            contacting.notify(self.tools, self.alice, vu, without_details=True)
        return opened

    def vendor_case(self, *, key: bool = False, vu: int = VU) -> Case:
        """The usual beginning: one vendor, written to, and the letter has left."""
        self.organisation(VENDOR, PSIRT, domain="vendor.example", key=self.keymaker.vendor if key else None)
        opened = self.case(VENDOR, vu=vu)
        self.deliver()
        return opened

    # ---- mails ---------------------------------------------------------------------------------------------------

    def mail(
        self, sender: str, subject: str = f"Re: VU#{VU}", body: str = "We are looking into it.\r\n", *headers: str,
        message_id: str = "", reverse_path: str | None = None, to: tuple[str, ...] = (OURS,),
    ) -> Envelope:  # fmt: skip
        """A plain mail; `headers` are whole lines. Each has a Message-ID of its own unless one is given."""
        number = next(self._numbers)
        lines = [
            f"From: {sender}", f"To: {OURS}", f"Subject: {subject}",
            f"Message-ID: <{message_id or f'mail{number}@vendor.example'}>", *headers,
        ]  # fmt: skip
        raw = ("\r\n".join(lines) + "\r\n\r\n" + body).encode()
        return self.envelope(raw, sender if reverse_path is None else reverse_path, to)

    def envelope(self, raw: bytes, reverse_path: str = PSIRT, to: tuple[str, ...] = (OURS,)) -> Envelope:
        """Any bytes, as the SMTP door would take them now."""
        return Envelope("smtp", reverse_path, to, raw, self.clock())

    def signed(
        self, text: str, subject: str = f"VU#{VU}", *, signer: Owner | None = None, sender: str = f"PSIRT <{PSIRT}>",
        at: datetime | None = None, content: bytes | None = None, message_id: str = "",
    ) -> Envelope:  # fmt: skip
        """PGP/MIME by the vendor (or another `signer`), signed at the clock's time (or `at`)."""
        entity = content or b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + text.replace("\n", "\r\n").encode()
        signature = self.keymaker.sign(entity, signer or self.keymaker.vendor, more=self._faked(at))
        return self.envelope(sealed_mails.signed(signature, entity, self._head(sender, subject, message_id)))

    def cleartext(self, text: str, subject: str = f"VU#{VU}", *, at: datetime | None = None) -> Envelope:
        """A cleartext-signed text by the vendor."""
        block = self.keymaker.sign(
            text.encode(), self.keymaker.vendor, mode="--clear-sign", more=self._faked(at)
        ).replace(b"\n", b"\r\n")
        return self.envelope(sealed_mails.text(block, self._head(PSIRT, subject, "")))

    def encrypted(
        self, entity: bytes, subject: str = "...", *, signer: Owner | None = None, sender: str = PSIRT
    ) -> Envelope:
        """PGP/MIME encrypted to us, and signed within by `signer` if one is given."""
        message = self.keymaker.encrypt(entity, self.keymaker.cert, signer=signer, more=self._faked(None))
        return self.envelope(sealed_mails.encrypted(message, self._head(sender, subject, "")))

    def _faked(self, at: datetime | None) -> tuple[str, ...]:
        return ("--faked-system-time", f"{(at or self.clock()).astimezone(UTC):%Y%m%dT%H%M%S}!")

    def _head(self, sender: str, subject: str, message_id: str) -> bytes:
        name = message_id or f"mail{next(self._numbers)}@vendor.example"
        return (
            f"From: {sender}\r\nTo: {OURS}\r\nSubject: {subject}\r\nMessage-ID: <{name}>\r\nMIME-Version: 1.0\r\n"
        ).encode()

    # ---- what the parts of the daemon do ---------------------------------------------------------------------------

    def accept(self, *envelopes: Envelope) -> None:
        """A door takes these; nothing is received yet."""
        with self.writing() as tx:
            inbox.accept(tx, "n1", envelopes)

    def feed(self, *envelopes: Envelope) -> None:
        """Accepted and received."""
        self.accept(*envelopes)
        while receive.work(self.tools):
            pass

    def fed(self, envelope: Envelope) -> Message:
        """One mail, accepted and received; what became of it."""
        self.feed(envelope)
        with self.tools.db.read() as tx:
            mail_id = max(m.mail_id for m in _all(tx) if m.mail_id)
            found = messages.of_mail(tx, mail_id)
        assert found is not None
        return found

    def deliver(self) -> None:
        """Every letter that is due is tried once."""
        while deliver.work(self.tools):
            pass

    def beat(self, tools: Tools | None = None, *, everything: bool = False) -> list[remind.Foretold]:
        """One beat at the clock's time; what it did about whose turn it is, or everything it did."""
        done = remind.beat(tools or self.tools, self.clock())
        return [one for one in done if everything or one.kind in TURNS]

    def day(self, number: float) -> None:
        """Move the clock to so many days after the start."""
        self.clock.to(START + number * DAY)

    # ---- looking ---------------------------------------------------------------------------------------------------

    @contextmanager
    def look(self) -> Iterator[Connection]:
        """One consistent look."""
        with self.tools.db.read() as tx:
            yield tx

    def participant(self, name: str = VENDOR, vu: int = VU) -> Participant:
        """As they stand now."""
        with self.look() as tx:
            everyone = cases.participants_of(tx, [cases.by_vu(tx, vu).id])
        return next(p for p in everyone if p.name == name)

    def turn(self, name: str = VENDOR, vu: int = VU) -> str:
        """Whose turn it is: them, us, nobody."""
        return str(self.participant(name, vu).waiting_on)

    def messages(self, vu: int = VU) -> list[Message]:
        """A case's, both ways."""
        with self.look() as tx:
            return messages.of_case(tx, cases.by_vu(tx, vu).id)

    def everything(self) -> list[Message]:
        """Every message there is."""
        with self.look() as tx:
            return _all(tx)

    def letters(self, *names: str) -> list[Letter]:
        """Every letter, or those by these names, oldest first."""
        with self.look() as tx:
            found = [outbox.get(tx, letter.id) for letter, _ in outbox.listed(tx)]
        return [letter for letter in found if not names or letter.name in names]

    def follow_ups(self) -> list[Letter]:
        """The automatic letters to participants."""
        return self.letters("follow-up-1", "follow-up-2")

    def deadlines(self, vu: int = VU, *, everything: bool = False) -> list[Deadline]:
        """A case's open ones about whose turn it is; or all of these, done or not."""
        return [d for d in self.clocks(vu) if d.kind in TURNS and (everything or d.done_at is None)]

    def clocks(self, vu: int = VU) -> list[Deadline]:
        """Every deadline of a case, of every kind, done or not."""
        with self.look() as tx:
            return cases.deadlines_of(tx, cases.by_vu(tx, vu).id)

    def statements(self, vu: int = VU) -> list[Statement]:
        """A case's, in the order they came."""
        with self.look() as tx:
            return statements.of_case(tx, cases.by_vu(tx, vu).id)

    def reports(self) -> list[Report]:
        """Every report, and every number that is none, in the order they were made."""
        with self.look() as tx:
            return [Report(*row) for row in tx.execute(tables.reports.select().order_by(tables.reports.c.id))]

    def report(self) -> Report:
        """The only one."""
        [report] = self.reports()
        return report

    def queue(self, name: str) -> list[Shown]:
        """What waits in a queue; `alice` is Alice's own."""
        with self.look() as tx:
            own = {a.name: a.queue for a in analysts.everyone(tx)}
            return queues.shown(tx, own.get(name, name))

    def notices(self) -> list[str]:
        """The reasons of every notice that was ever raised and waits in a person's queue."""
        with self.look() as tx:
            names = [*queues.SHARED, *(a.queue for a in analysts.everyone(tx))]
            return [s.item.why for name in names for s in queues.shown(tx, name) if s.item.kind == "notice"]

    def books(self) -> Line:
        """All doors together; fails the test when they do not balance."""
        with self.look() as tx:
            counted = books.count(tx)
        assert counted.balanced, counted
        return counted.total

    def journal(self, vu: int = VU) -> list[Entry]:
        """A case's chain."""
        with self.look() as tx:
            return journal.entries(tx, journal.case_chain(cases.by_vu(tx, vu).id))

    def breaks(self) -> list[Break]:
        """What `journal verify` finds."""
        with self.look() as tx:
            return list(journal.verify(tx))

    def sent(self) -> list[Mime]:
        """What lies in the maildir relay, parsed, in no order."""
        folder = self.folder / "outgoing" / "new"
        return [message_from_bytes(path.read_bytes()) for path in sorted(folder.iterdir())] if folder.is_dir() else []

    def sent_to(self, address: str) -> list[Mime]:
        """Those to one recipient."""
        return [mail for mail in self.sent() if mail["To"] == address]


def _all(tx: Connection) -> list[Message]:
    rows = tx.execute(tables.messages.select().order_by(tables.messages.c.id))
    return [Message(*row) for row in rows]


# ---- fixtures -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def house_pgp(keymaker: Keymaker) -> Iterator[Pgp]:
    """Our own GnuPG: a home with our secret key in it."""
    with tempfile.TemporaryDirectory(prefix="mrh", dir="/tmp") as folder:
        made = Pgp(Path(folder) / "g", Path(folder) / "k")
        made._gpg().import_keys(keymaker.secret(keymaker.cert.fingerprint))
        yield made
        made.close()


MakeWorld = Callable[..., World]


@pytest.fixture
def worlds(migrated_url: str, tmp_path: Path, clock: Clock, keymaker: Keymaker, house_pgp: Pgp) -> Iterator[MakeWorld]:
    """`worlds(**environment)`: a house with these settings, such as RELAY__URL; closed after the test."""
    opened: list[Database] = []

    def build(**environment: str) -> World:
        given = {
            "DATA_DIR": str(tmp_path / "data"), "NODE": "n1", "DATABASE__URL": migrated_url, "IDENTITY__ADDRESS": OURS,
            "IDENTITY__NAME": "Our CERT", "IDENTITY__GNUPG_HOME": str(house_pgp._home),
            "POLICY__ACKNOWLEDGE_HOURS": "0",  # letters are those a test is about, but in test_acknowledge.py
            **environment,
        }  # fmt: skip
        read = settings.load(None, {f"MAILROUTER_{name}": value for name, value in given.items()})
        settings.ensure_data_dir(read)
        tools = replace(make(read, Holder("n1", "1")), pgp=house_pgp, own_key=OwnKey(house_pgp, read), now=clock)
        opened.append(tools.db)
        with tools.db.write() as tx:
            alice = analysts.add(
                tx, {"name": "alice", "address": "alice@cert.example", "login": "alice", "queues": "triage,review"}
            )
        return World(clock, tools, keymaker, read.data_dir, Actor("alice", alice.id), opened)

    yield build
    for db in opened:
        db.close()


@pytest.fixture
def world(worlds: MakeWorld) -> World:
    """The house with its defaults: letters go to a maildir, one analyst, Alice, who reads triage and review."""
    return worlds()
