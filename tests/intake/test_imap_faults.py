"""The IMAP door against a server that does what Dovecot will not (testbook/faults.md R20, R21, R22).

The reader runs in the test's own event loop, with short patience and no pauses, on both databases.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from mailrouter.intake.commit import Committer
from mailrouter.intake.fetched import Postmark
from mailrouter.intake.imap import Desk, Readers
from mailrouter.intake.ledger import Ledger
from mailrouter.intake.limits import InFlight
from mailrouter.intake.paths import Recipients
from mailrouter.mail.envelope import Envelope
from mailrouter.mailbox.session import KEYWORD, Patience
from mailrouter.settings.model import Imap
from mailrouter.store import inbox, mailboxes
from mailrouter.store.engine import Database
from tests.intake.mailboxes import raws, same
from tests.servers.daemon import ADDRESS
from tests.servers.imap import FakeImap, Fate, fake_imap

QUICK = Patience(answer=0.5, whole=5.0, idle=0.1)
SECONDS = 15.0
FETCH = r"BODY\.PEEK"


class Room:
    """A node that reads one mailbox of the fake server."""

    def __init__(self, db: Database, server: FakeImap, node: str = "node1", **more: Any) -> None:
        self.db, self.server, self.node = db, server, node
        self.max_size = more.pop("max_size", 100_000)
        self.mailbox = Imap("inbox", "127.0.0.1", "cert", "correct horse", port=server.port, tls=False, **more)
        self.pauses: list[tuple[int, bool]] = []
        self.refuses = 0  # how many commits fail from now on
        self.committed: list[int] = []

    def accept(self, envelopes: Sequence[Envelope]) -> None:
        """As the daemon does it."""
        if self.refuses:
            self.refuses -= 1
            raise OSError("the disk is away")
        with self.db.write() as tx:
            inbox.accept(tx, self.node, envelopes)
            mailboxes.count_taken(tx, self.node, [envelope.door for envelope in envelopes])
        self.committed.append(len(envelopes))

    def _pause(self, failures: int, refused: bool) -> float:
        self.pauses.append((failures, refused))
        return 0.01

    @asynccontextmanager
    async def reading(self) -> AsyncIterator["Room"]:
        """The reader runs for the length of the block, and ends in order."""
        committer = Committer(self.accept, asyncio.get_running_loop())
        with self.db.write() as tx:
            mailboxes.reads(tx, self.node, ["inbox"], datetime.now(UTC))
        desk = Desk(
            self.mailbox, Ledger(self.db, self.node, self.mailbox),
            Postmark(self.mailbox.door, Recipients([ADDRESS]), (ADDRESS,)), committer.begin,
            InFlight(2 * self.max_size), self.max_size, lambda: datetime.now(UTC), QUICK, self._pause,
        )  # fmt: skip
        readers = Readers([desk])
        try:
            yield self
        finally:
            await readers.close()
            await committer.close()

    # -- looking

    def stored(self) -> list[bytes]:
        with self.db.read() as tx:
            return [bytes(row.raw) for row in tx.execute(text("SELECT raw FROM mails"))]

    def account(self) -> mailboxes.Account:
        with self.db.read() as tx:
            return mailboxes.account(tx, "inbox")

    def mine(self) -> mailboxes.Mailbox:
        with self.db.read() as tx:
            return mailboxes.of_node(tx, self.node)["inbox"]

    def notices(self) -> list[str]:
        with self.db.read() as tx:
            return [row.why for row in tx.execute(text("SELECT why FROM queue_items WHERE queue = 'quarantine'"))]


async def until(condition: Callable[[], object], what: str) -> None:
    """As `tests.servers.wait.until`, while the event loop goes on."""
    for _ in range(int(SECONDS / 0.02)):
        if condition():
            return
        await asyncio.sleep(0.02)
    pytest.fail(f"waited {SECONDS} s for: {what}")


@pytest.fixture
async def server() -> AsyncIterator[FakeImap]:
    async with fake_imap() as made:
        yield made


@pytest.fixture(params=["Done", ""], ids=["moved", "flagged"])
def room(request: pytest.FixtureRequest, database: Database, server: FakeImap) -> Room:
    """Once with a done_folder, once without."""
    return Room(database, server, done_folder=request.param)


def all_done(room: Room, count: int) -> bool:
    """Whether the server shows that many as done, and none as waiting."""
    server = room.server
    done = server.folders.get(room.mailbox.done_folder)
    moved = len(done.messages) if done else server.flagged(KEYWORD)
    return moved == count and (not room.mailbox.done_folder or not server.inbox.messages)


# ---- what goes wrong while a mail is fetched ------------------------------------------------------------------------


@pytest.mark.row("R20")
@pytest.mark.parametrize("does", ["drop", "cut", "stall", "short", "clipped", "flood", "NO not now", "BAD what?"])
async def test_a_fetch_that_goes_wrong_is_done_again(room: Room, does: str) -> None:
    """Nothing is stored that did not come whole, nothing is lost, nothing is stored twice."""
    sent = raws(5)
    room.server.deliver(sent)
    room.server.fates = [Fate(FETCH, does), Fate(FETCH, does)]
    async with room.reading():
        await until(lambda: all_done(room, 5), "all to be taken")
    assert same(room.stored(), sent)
    assert room.account().new == room.account().taken == 5
    assert room.notices() == []


@pytest.mark.row("R20")
@pytest.mark.parametrize("pattern", ["LOGIN", "SELECT", "SEARCH", "RFC822.SIZE", "IDLE", "CAPABILITY"])
@pytest.mark.parametrize("does", ["drop", "stall", "NO not now"])
async def test_any_command_may_fail(database: Database, server: FakeImap, pattern: str, does: str) -> None:
    room, sent = Room(database, server, done_folder="Done"), raws(3)
    server.deliver(sent)
    server.fates = [Fate(pattern, does)]
    async with room.reading():
        await until(lambda: all_done(room, 3), "all to be taken")
        server.deliver(raws(1, "later"))
        await until(lambda: all_done(room, 4), "the later one")
    assert same(room.stored(), sent + raws(1, "later"))


@pytest.mark.row("R20")
@pytest.mark.row("R21")
@pytest.mark.parametrize("does", ["drop", "stall", "NO not now"])
async def test_what_is_stored_and_could_not_be_marked_is_marked_later(room: Room, does: str) -> None:
    """Not fetched again: this process knows that it is stored."""
    sent = raws(5)
    room.server.deliver(sent)
    room.server.fates = [Fate("MOVE|STORE", does)]
    async with room.reading():
        await until(lambda: all_done(room, 5), "all to be marked")
    assert same(room.stored(), sent)
    assert room.server.count(FETCH) == 1


async def test_a_server_that_guesses_sizes_is_believed_when_two_fetches_agree(room: Room) -> None:
    room.server.size_of = lambda raw: len(raw) + 11
    sent = raws(3)
    room.server.deliver(sent)
    async with room.reading():
        await until(lambda: all_done(room, 3), "all to be taken")
    assert same(room.stored(), sent)


@pytest.mark.row("I4")
async def test_a_message_that_cannot_be_fetched_holds_up_no_other(room: Room) -> None:
    """Three tries alone, then people are told, and it stays where it is."""
    sent = raws(6)
    room.server.deliver(sent)
    room.server.fates = [Fate(rf"FETCH (3|1:6) .*{FETCH}", "drop", for_ever=True)]
    async with room.reading():
        await until(lambda: room.mine().passed_over, "the bad one to be passed over")
    assert same(room.stored(), sent[:2] + sent[3:])
    assert room.server.count(rf"FETCH 3 .*{FETCH}") == 3
    assert room.notices() == ["not taken: mailbox inbox, message 3 of INBOX: could not be fetched in 3 tries"]
    assert room.mine().trouble == ""
    room.server.fates = []
    async with room.reading():  # the next life tries again
        await until(lambda: all_done(room, 6), "the bad one, now well")
    assert same(room.stored(), sent)
    assert len(room.notices()) == 1


async def test_one_that_is_too_large_is_left_and_shown(room: Room) -> None:
    large, sent = b"Subject: large\r\n\r\n" + b"x" * 100_000, raws(2)
    room.server.deliver([sent[0], large, sent[1]])
    async with room.reading():
        await until(lambda: room.mine().passed_over == 1, "the large one to be passed over")
    assert same(room.stored(), sent)
    assert room.server.count(rf"FETCH 2 .*{FETCH}") == 0
    assert room.notices() == ["not taken: mailbox inbox, message 2 of INBOX: 100018 bytes are more than smtp.max_size"]


@pytest.mark.parametrize("size", [10, 100_001])
async def test_one_that_is_larger_than_it_is_said_to_be(room: Room, size: int) -> None:
    """Twice alike, it is what it is; beyond the limit it is left like any other of that size."""
    room.server.size_of = lambda raw: min(len(raw), 10)
    raw = b"Subject: x\r\n\r\n" + b"x" * (size - 14)
    room.server.deliver([raw])
    async with room.reading():
        await until(lambda: room.mine().passed_over or all_done(room, 1), "it to be dealt with")
    assert room.stored() == ([raw] if size < 100_000 else [])


async def test_more_than_was_asked_for_ends_the_connection(database: Database, server: FakeImap) -> None:
    """A server that never stops cannot fill our memory."""
    room = Room(database, server)
    server.deliver([b"x" * 40 * 2**20])
    server.size_of = lambda _: 10
    async with room.reading():
        await until(lambda: room.mine().passed_over, "it to be passed over")
    assert room.stored() == []


# ---- what the server forgets, and others do -------------------------------------------------------------------------


@pytest.mark.row("R21")
async def test_another_uidvalidity_stores_nothing_twice(room: Room) -> None:
    """All that is still in the folder is fetched again and known again."""
    sent = raws(5)
    room.server.deliver(sent[:3])
    async with room.reading():
        await until(lambda: all_done(room, 3), "the first three")
        room.server.folders["INBOX"].renumber()
        room.server.deliver(sent[:1])  # as if somebody had put one back
        room.server.deliver(sent[3:])
        await until(lambda: all_done(room, 6), "all of them again")
    assert same(room.stored(), sent)
    account = room.account()
    assert (account.new, account.again) == (5, 1 if room.mailbox.done_folder else 4)


@pytest.mark.row("R21")
async def test_flags_that_are_lost(database: Database, server: FakeImap) -> None:
    room, sent = Room(database, server), raws(4)
    server.deliver(sent)
    async with room.reading():
        await until(lambda: all_done(room, 4), "all to be marked")
        for message in server.inbox.messages.values():
            message.flags.clear()
        await until(lambda: all_done(room, 4), "all to be marked again")
    assert same(room.stored(), sent)


@pytest.mark.row("R21")
async def test_what_others_expunge_meanwhile(room: Room) -> None:
    """Between SEARCH and FETCH, and between the commit and the mark: no trouble, and nothing of it is lost by us."""
    sent = raws(4)
    room.server.deliver(sent)
    accept = room.accept

    def gone(envelopes: Sequence[Envelope]) -> None:
        accept(envelopes)
        room.server.inbox.messages.pop(4, None)

    room.accept = gone  # type: ignore[method-assign]
    room.server.size_of = lambda raw: [room.server.inbox.messages.pop(2, None), len(raw)][1]
    snapshot = room.server._fetch
    room.server._fetch = lambda argument, does: list(snapshot(argument, does))  # type: ignore[method-assign]
    room.server.inbox.messages = Volatile(room.server.inbox.messages)
    async with room.reading():
        await until(lambda: all_done(room, 2), "what is left to be marked")
    assert same(room.stored(), [sent[0], sent[2], sent[3]])


class Volatile(dict[int, Any]):
    """May be changed while it is walked through."""

    def items(self) -> Any:
        return list(super().items())


@pytest.mark.row("I1")
@pytest.mark.row("R21")
async def test_nothing_is_marked_or_moved_before_the_commit(room: Room) -> None:
    room.refuses = 4
    sent = raws(3)
    room.server.deliver(sent)
    async with room.reading():
        await until(lambda: room.refuses == 0, "the store to refuse")
        marked = room.server.count("MOVE|STORE|COPY|EXPUNGE")
        assert marked == 0 or room.committed
        await until(lambda: all_done(room, 3), "all to be taken")
    assert same(room.stored(), sent)


@pytest.mark.row("R21")
@pytest.mark.parametrize(("capabilities", "left"), [("IMAP4rev1 UIDPLUS", 1), ("IMAP4rev1", 4)])
async def test_without_move(database: Database, server: FakeImap, capabilities: str, left: int) -> None:
    """Copied, deleted, and only these expunged; without UIDPLUS nothing is, since others' would be too."""
    room, sent = Room(database, server, done_folder="Done"), raws(3)
    server.capabilities = capabilities
    server.deliver([b"Subject: somebody deleted this\r\n\r\n"], r"\Deleted")
    server.deliver(sent)
    async with room.reading():
        await until(lambda: server.flagged(r"\Deleted") == left and "Done" in server.folders, "all to be copied")
        server.deliver(raws(1, "later"))  # no IDLE: it is polled
        await until(lambda: len(server.folders["Done"].messages) == 4, "the later one")
    assert same(room.stored(), sent + raws(1, "later"))
    assert server.count("EXPUNGE") == server.count("UID EXPUNGE")
    assert r"\Deleted" in server.inbox.messages[1].flags


async def test_a_server_that_keeps_no_flags_of_ours(database: Database, server: FakeImap) -> None:
    """We count ourselves: what people have read already is taken, and a new life begins where this one ended."""
    server.keywords = False
    room, sent = Room(database, server), raws(5)
    server.deliver(sent[:2])
    server.deliver(sent[2:3], r"\Seen")
    async with room.reading():
        await until(lambda: room.mine().last_uid == 3, "three to be taken")
    assert server.flagged(r"\Seen") == 3
    server.deliver(sent[3:], r"\Seen")
    async with room.reading():
        await until(lambda: room.mine().last_uid == 5, "the others")
    assert same(room.stored(), sent)
    assert room.account().again == 0
    server.inbox.renumber()
    async with room.reading():
        await until(lambda: room.account().again == 5, "all of them again")
    assert same(room.stored(), sent)


async def test_without_flags_a_sick_message_costs_no_second_fetch_of_the_others(
    database: Database, server: FakeImap
) -> None:
    server.keywords = False
    room, sent = Room(database, server), raws(6)
    server.deliver(sent)
    server.fates = [Fate(rf"FETCH (3|1:6) .*{FETCH}", "drop", for_ever=True)]
    async with room.reading():
        await until(lambda: room.mine().last_uid == 2, "all but one")
        looks = server.count("SEARCH")
        await until(lambda: server.count("SEARCH") > looks + 3, "more looks")
    assert (room.account().taken, len(room.stored())) == (5, 5)


def without(server: FakeImap, uid: int, what: str, instead: bytes = b"") -> None:
    """Answers to FETCH that should tell this of a message do not, as long as `server._fetch` is this one."""
    honest = server._fetch

    def fetch(argument: str, does: str) -> list[bytes]:
        told = zip(server._chosen(argument), honest(argument, does), strict=True)
        return [instead if number == uid and what in argument else piece for (number, _), piece in told]

    server._fetch = fetch  # type: ignore[method-assign]


@pytest.fixture(params=["moved", "flagged", "counted"])
def any_room(request: pytest.FixtureRequest, database: Database, server: FakeImap) -> Room:
    """Once for each way in which it is remembered what was taken."""
    server.keywords = request.param == "flagged"
    return Room(database, server, done_folder="Done" if request.param == "moved" else "")


@pytest.mark.row("I4")
@pytest.mark.parametrize(
    ("what", "instead"),
    [("BODY", b""), ("BODY", b"* 3 FETCH (UID 3 BODY[] NIL)\r\n"), ("SIZE", b"")],
    ids=["no body", "NIL", "no size"],
)
async def test_what_was_asked_for_and_not_given(any_room: Room, what: str, instead: bytes) -> None:
    """It is tried alone, then shown to people, and never taken for dealt with: the next life asks again."""
    room, sent = any_room, raws(6)
    room.server.deliver(sent)
    without(room.server, 3, what, instead)
    async with room.reading():
        await until(lambda: room.mine().passed_over, "it to be passed over")
        asked = room.server.count(rf"FETCH 3 .*{what}")
        looks = room.server.count("SEARCH")
        await until(lambda: room.server.count("SEARCH") > looks + 3, "more looks")
        assert room.server.count(rf"FETCH 3 .*{what}") == asked, "not at every look"
    assert same(room.stored(), sent[:2] + sent[3:])
    assert room.account().taken == 5
    assert room.notices() == ["not taken: mailbox inbox, message 3 of INBOX: could not be fetched in 3 tries"]
    assert room.mine().last_uid == (2 if not room.server.keywords and not room.mailbox.done_folder else 0)
    del room.server._fetch
    async with room.reading():
        await until(lambda: len(room.stored()) == 6, "the one, now well")
    assert same(room.stored(), sent)


async def test_what_is_gone_holds_back_no_position(database: Database, server: FakeImap) -> None:
    """Somebody expunged what could not be fetched: the next SEARCH says so, and no life after this fetches the rest."""
    server.keywords = False
    room, sent = Room(database, server), raws(6)
    server.deliver(sent)
    without(server, 3, "BODY")
    async with room.reading():
        await until(lambda: room.mine().passed_over == 1, "it to be passed over")
        del server.inbox.messages[3]
        await until(lambda: room.mine().last_uid == 6, "all to be dealt with")
        await until(lambda: room.mine().passed_over == 0, "nothing to lie there")
    async with room.reading():
        looks = server.count("SEARCH")
        await until(lambda: server.count("SEARCH") > looks + 3, "more looks")
    assert room.account().taken == 5


@pytest.mark.parametrize(
    ("declined", "capabilities"),
    [("STORE", "IMAP4rev1 IDLE"), ("STORE", "IMAP4rev1 IDLE UIDPLUS"), ("EXPUNGE", "IMAP4rev1 IDLE UIDPLUS")],
)
async def test_what_may_be_copied_and_not_deleted_is_copied_once(
    database: Database, server: FakeImap, capabilities: str, declined: str
) -> None:
    """A server without MOVE whose ACL forbids the rest: no second copy, look after look, session after session."""
    server.capabilities = capabilities
    room, sent = Room(database, server, done_folder="Done"), raws(3)
    server.deliver(sent)
    server.fates = [Fate(declined, "NO [NOPERM] no", for_ever=True)]
    async with room.reading():
        for sessions in (1, 2):
            looks = server.count("SELECT")
            await until(lambda: server.count("SELECT") > looks + 3, "some looks")  # noqa: B023 - awaited in the loop
            assert same([message.raw for message in server.folders["Done"].messages.values()], sent)
            assert room.mine().trouble == f"the server declined {declined}"
            server.fates.insert(0, Fate("SELECT", "drop"))
            await until(lambda: server.sessions > sessions, "another session")  # noqa: B023 - awaited in the loop
        server.fates = []
        server.deliver(raws(1, "later"))
        await until(lambda: len(room.stored()) == 4 and not room.mine().trouble, "all to be well")
    assert same([message.raw for message in server.folders["Done"].messages.values()], sent + raws(1, "later"))
    assert (room.account().taken, server.count(FETCH)) == (4, 2)


async def test_a_server_that_goes_back_to_a_lower_uidvalidity(database: Database, server: FakeImap) -> None:
    """What a dead node knew of the higher one is no reason to fetch all at every look."""
    server.keywords = False
    dead, alive, sent = Room(database, server, "dead"), Room(database, server, "alive"), raws(3)
    server.inbox.uidvalidity = 50
    server.deliver(sent)
    async with dead.reading():
        await until(lambda: dead.mine().last_uid == 3, "all to be taken")
    server.inbox.renumber()
    server.inbox.uidvalidity = 7
    async with alive.reading():
        await until(lambda: alive.mine().uidvalidity == 7, "all to be taken again")
        looks = server.count("SEARCH")
        await until(lambda: server.count("SEARCH") > looks + 3, "more looks")
    assert (alive.account().new, alive.account().again) == (3, 3)
    assert same(alive.stored(), sent)


async def test_the_server_will_not_move_what_we_took(database: Database, server: FakeImap) -> None:
    """Over quota, say: what comes is taken all the same, is fetched once, and the trouble is written down."""
    room, sent = Room(database, server, done_folder="Done"), raws(3)
    server.deliver(sent)
    server.fates = [Fate("MOVE", "NO [OVERQUOTA] full", for_ever=True)]
    async with room.reading():
        await until(lambda: room.mine().trouble == "the server declined MOVE", "the trouble")
        all_was_well = room.mine().read_at
        server.deliver(raws(2, "later"))
        await until(lambda: len(room.stored()) == 5, "the later ones")
        looks = server.count("SELECT")
        await until(lambda: server.count("SELECT") > looks + 1, "the look to be over")
        assert room.mine().read_at == all_was_well, "new mail is no reason to keep it from the operator"
        assert len(server.inbox.messages) == 5
        server.fates = []
        await until(lambda: all_done(room, 5) and not room.mine().trouble, "all to be moved")
    assert same(room.stored(), sent + raws(2, "later"))
    assert (room.account().taken, room.account().again) == (5, 0)


async def test_a_folder_that_may_only_be_read_is_not_read(database: Database, server: FakeImap) -> None:
    server.read_only = True
    room = Room(database, server)
    server.deliver(raws(1))
    async with room.reading():
        await until(lambda: "read-only" in room.mine().trouble, "the trouble")
    assert (room.stored(), server.count(FETCH)) == ([], 0)


# ---- the way in -----------------------------------------------------------------------------------------------------


@pytest.mark.row("R22")
@pytest.mark.parametrize(
    ("answer", "capabilities", "why", "refused"),
    [
        ("NO [AUTHENTICATIONFAILED] cert, correct horse?", "", "the server refuses this user and password", True),
        ("NO [UNAVAILABLE] later", "", "the server cannot let anybody in now", False),
        ("OK", "IMAP4rev1 LOGINDISABLED",
         "the server takes no password on this connection; it wants TLS", True),
    ],
)  # fmt: skip
async def test_a_login_that_is_refused(
    database: Database, server: FakeImap, capsys: pytest.CaptureFixture[str], answer: str, capabilities: str, why: str,
    refused: bool,
) -> None:  # fmt: skip
    """It is tried again, seldom; what is said of it names neither user nor password; then all is well."""
    room = Room(database, server)
    was, server.login, server.capabilities = server.capabilities, answer, capabilities or server.capabilities
    server.deliver(raws(1))
    async with room.reading():
        await until(lambda: len(room.pauses) >= 3, "some tries")
        assert room.mine().trouble == why
        server.login, server.capabilities = "OK", was
        await until(lambda: all_done(room, 1), "the mail")
        await until(lambda: room.mine().trouble == "", "the trouble to be over")
    assert room.pauses[:3] == [(1, refused), (2, refused), (3, refused)]
    assert "correct horse" not in "".join(capsys.readouterr()) + room.mine().trouble


@pytest.mark.row("R22")
async def test_a_server_that_is_away(database: Database, server: FakeImap) -> None:
    room = Room(database, server)
    port, room.server.port = server.port, 1
    room.mailbox = Imap("inbox", "127.0.0.1", "cert", "x", port=1, tls=False)
    async with room.reading():
        await until(lambda: len(room.pauses) >= 2, "two tries")
    assert room.mine().trouble == "no connection (Connection refused)"
    assert port != 1


async def test_one_node_at_a_time(database: Database, server: FakeImap) -> None:
    """The second waits; when the first ends, it reads. Nothing is fetched twice."""
    first, second = Room(database, server, done_folder="Done"), Room(database, server, "node2", done_folder="Done")
    server.deliver(raws(3))
    async with first.reading():
        await until(lambda: all_done(first, 3), "the first to read")
        async with second.reading():
            await asyncio.sleep(0.2)
            assert server.sessions == 1
            assert second.mine().trouble == ""
    server.deliver(raws(2, "later"))
    async with second.reading():
        await until(lambda: all_done(second, 5), "the second to read")
    assert (second.account().taken, second.account().again) == (5, 0)


async def test_a_node_that_says_nothing_for_two_minutes_has_lost_its_turn(database: Database) -> None:
    now = datetime.now(UTC)
    with database.write() as tx:
        assert mailboxes.take_turn(tx, "place", "node1", now)
        assert not mailboxes.take_turn(tx, "place", "node2", now + timedelta(seconds=119))
        assert mailboxes.take_turn(tx, "place", "node1", now + timedelta(seconds=60))
        assert not mailboxes.take_turn(tx, "place", "node2", now + timedelta(seconds=121))
        assert mailboxes.take_turn(tx, "elsewhere", "node2", now)
        assert mailboxes.take_turn(tx, "place", "node2", now + timedelta(seconds=181))
        mailboxes.give_turn(tx, "place", "node1")
        assert not mailboxes.take_turn(tx, "place", "node1", now + timedelta(seconds=181))
        mailboxes.give_turn(tx, "place", "node2")
        assert mailboxes.take_turn(tx, "place", "node1", now + timedelta(seconds=181))


@pytest.mark.parametrize(
    ("ahead", "may"),
    [(timedelta(), False), (timedelta(seconds=59), False), (timedelta(seconds=61), True), (timedelta(days=3650), True)],
    ids=str,
)
async def test_a_turn_taken_by_a_clock_gone_wrong_is_none(database: Database, ahead: timedelta, may: bool) -> None:
    """A little ahead is how clocks are, and how two calls cross; more, and a dead node would keep it until then."""
    now = datetime.now(UTC)
    with database.write() as tx:
        assert mailboxes.take_turn(tx, "place", "node1", now + ahead)
        assert mailboxes.take_turn(tx, "place", "node2", now) is may
