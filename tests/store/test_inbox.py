"""What the doors hand in: stored once, counted once, claimed by one; and the books over it all."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from mailrouter.mail.envelope import Envelope
from mailrouter.store import books, inbox, messages
from mailrouter.store.engine import Database
from mailrouter.store.inbox import Holder, LeaseLost

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
US = Holder("n1", "a")


def envelope(raw: bytes, to: tuple[str, ...] = ("cert@cert.example",), door: str = "smtp") -> Envelope:
    return Envelope(door, "a@b.example", to, raw, NOW)


def accept(db: Database, *envelopes: Envelope, node: str = "n1") -> int:
    with db.write() as tx:
        return inbox.accept(tx, node, envelopes)


def claimed(db: Database, most: int = 32, holder: Holder = US, at: datetime = NOW) -> list[int]:
    with db.write() as tx:
        return [item.mail_id for item in inbox.claim(tx, holder, at, most)]


def counted(db: Database) -> books.Books:
    with db.read() as tx:
        return books.count(tx)


# ---- accepted -------------------------------------------------------------------------------------------------------


def test_the_same_recipients_and_bytes_are_stored_once(database: Database) -> None:
    assert accept(database, envelope(b"one"), envelope(b"one"), envelope(b"two")) == 2
    assert accept(database, envelope(b"one")) == 0
    assert accept(database, envelope(b"one", ("CERT@cert.example",))) == 0  # the same mailbox
    assert accept(database, envelope(b"one", ("cert+x@cert.example",))) == 1
    assert accept(database, envelope(b"one", door="lmtp")) == 0
    assert (counted(database).total.accepted, counted(database).total.pending) == (3, 3)


def test_the_envelope_and_every_byte_come_back(database: Database) -> None:
    raw = bytes(range(256)) * 3
    sent = Envelope("lmtp", "é\udcff@x", ("cert+é@cert.example", "b@c"), raw, NOW)
    accept(database, sent)
    with database.write() as tx:
        [item] = inbox.claim(tx, US, NOW, 1)
    assert item.envelope == sent
    with database.read() as tx:
        assert inbox.raw(tx, item.mail_id) == raw


def test_each_door_has_its_own_tally_over_all_nodes(database: Database) -> None:
    accept(database, envelope(b"1"), envelope(b"2", door="lmtp"))
    accept(database, envelope(b"3"), node="n2")
    with database.read() as tx:
        assert inbox.accepted(tx) == {"smtp": 2, "lmtp": 1}
        assert inbox.pending(tx) == {"smtp": 2, "lmtp": 1}
    assert [(line.door, line.accepted) for line in counted(database).lines] == [("lmtp", 1), ("smtp", 2)]


@pytest.mark.row("R05")
def test_many_doors_that_are_handed_the_same_store_it_once(database: Database) -> None:
    same = [envelope(b"%d" % n) for n in range(20)]

    def hand_in(number: int) -> int:
        return accept(database, *same, node=f"n{number % 2}")

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(hand_in, range(6))) == 20
    assert (counted(database).total.accepted, counted(database).balanced) == (20, True)


# ---- claimed --------------------------------------------------------------------------------------------------------


def test_claims_are_oldest_first_and_exclusive(database: Database) -> None:
    accept(database, *(envelope(b"%d" % n) for n in range(5)))
    assert (claimed(database, 2), claimed(database, 2), claimed(database, 2)) == ([1, 2], [3, 4], [5])
    assert claimed(database) == []


def test_many_claimers_get_each_mail_once(database: Database) -> None:
    accept(database, *(envelope(b"%d" % n) for n in range(100)))

    def take(number: int) -> list[int]:
        found: list[int] = []
        while got := claimed(database, 7, Holder("n1", str(number))):
            found += got
        return found

    with ThreadPoolExecutor(4) as pool:
        taken = [mail for one in pool.map(take, range(4)) for mail in one]
    assert sorted(taken) == list(range(1, 101))


def test_a_batch_fits_in_memory(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "BATCH_BYTES", 25)
    accept(database, envelope(b"a" * 10), envelope(b"b" * 10), envelope(b"c" * 10), envelope(b"d" * 99))
    assert [claimed(database) for _ in range(4)] == [[1, 2], [3], [4], []]


def test_one_that_failed_comes_back_after_its_pause_and_alone(database: Database) -> None:
    accept(database, *(envelope(b"%d" % n) for n in range(3)))
    with database.write() as tx:
        [first, second, third] = inbox.claim(tx, US, NOW, 3)
        inbox.defer(tx, first, NOW, "TryLater")
        inbox.finish(tx, US, [second.mail_id])
        inbox.release(tx, US, [third.mail_id])
    assert claimed(database) == [third.mail_id]
    assert claimed(database, at=NOW + timedelta(seconds=59)) == []
    assert claimed(database, at=NOW + timedelta(seconds=60)) == [first.mail_id]


def test_a_lease_lost_keeps_nothing(database: Database) -> None:
    accept(database, envelope(b"x"))
    [mail] = claimed(database)
    [same] = claimed(database, holder=Holder("n2", "b"), at=NOW + timedelta(minutes=6))

    def come_back_late() -> None:
        with database.write() as tx:
            messages.add(tx, {"mail_id": mail, "received_at": NOW, "place": "filed"})
            inbox.finish(tx, US, [mail])

    with pytest.raises(LeaseLost):
        come_back_late()
    assert counted(database).total.filed == 0
    with database.write() as tx:
        inbox.finish(tx, Holder("n2", "b"), [same])


def test_a_parked_mail_comes_back_once(database: Database) -> None:
    accept(database, envelope(b"x"))
    [mail] = claimed(database)
    with database.write() as tx:
        messages.add(tx, {"mail_id": mail, "received_at": NOW, "place": "quarantine"})
        inbox.finish(tx, US, [mail])
    assert counted(database).total.quarantined == 1
    with database.write() as tx:
        assert inbox.again(tx, mail)
        assert not inbox.again(tx, mail)
    line = counted(database).total
    assert (line.quarantined, line.pending, line.balanced) == (0, 1, True)
    with database.write() as tx:
        [item] = inbox.claim(tx, US, NOW, 9)
        assert item.tries == 1
        inbox.take_out(tx, mail)
    assert counted(database).total.quarantined == 1


# ---- the books ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["filed", "review", "triage", "bounces", "quarantine"])
def test_each_place_is_counted(database: Database, place: str) -> None:
    accept(database, envelope(b"x"))
    with database.write() as tx:
        [item] = inbox.claim(tx, US, NOW, 1)
        messages.add(tx, {"mail_id": item.mail_id, "received_at": NOW, "place": place})
        inbox.finish(tx, US, [item.mail_id])
    line = counted(database).total
    column = {"quarantine": "quarantined"}.get(place, place)
    assert (getattr(line, column), line.pending, line.balanced) == (1, 0, True)


@pytest.mark.parametrize("wrong", ["lost", "twice", "uncounted"])
def test_books_that_do_not_balance_say_so(database: Database, wrong: str) -> None:
    accept(database, envelope(b"x"), envelope(b"y", door="lmtp"))
    with database.write() as tx:
        match wrong:
            case "lost":
                inbox.take_out(tx, 1)
            case "twice":
                messages.add(tx, {"mail_id": 1, "received_at": NOW, "place": "filed"})
                messages.add(tx, {"mail_id": 2, "received_at": NOW, "place": "nowhere"})
                inbox.take_out(tx, 2)
            case "uncounted":
                tx.execute(inbox.tallies.delete())
    assert not counted(database).balanced


def test_letters_of_ours_are_not_in_the_books(database: Database) -> None:
    with database.write() as tx:
        messages.add(tx, {"direction": "out", "received_at": NOW, "place": ""})
        messages.add(tx, {"direction": "in", "received_at": NOW, "place": "", "kind": "call"})
    assert counted(database).lines == ()
    assert counted(database).balanced


def test_the_books_balance_at_every_moment(database: Database) -> None:
    """While mails come in and are received, every look balances."""
    over = []

    def work() -> None:
        for number in range(40):
            accept(database, envelope(b"%d" % number))
            with database.write() as tx:
                for item in inbox.claim(tx, US, NOW, 3):
                    messages.add(tx, {"mail_id": item.mail_id, "received_at": NOW, "place": "filed"})
                    inbox.finish(tx, US, [item.mail_id])
        over.append(True)

    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(work)
        while not over and not working.done():
            assert counted(database).balanced
        working.result(timeout=60)
    assert counted(database).total.filed == 40
