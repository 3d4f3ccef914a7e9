"""`mailrouter books`: every accepted mail lies somewhere, once."""

import json
import threading
from itertools import count

from sqlalchemy import delete, insert, update

from mailrouter.mail.envelope import Envelope
from mailrouter.store import inbox, tables
from mailrouter.store.engine import Database
from tests.cli.console import Console
from tests.flow.world import OURS, PSIRT
from tests.servers.clock import START

COUNTS = {"accepted", "filed", "review", "triage", "bounces", "quarantined", "pending"}


def test_of_an_empty_house(console: Console) -> None:
    told = console.json("books")
    assert told.keys() >= COUNTS | {"balanced", "doors"}
    assert {told[name] for name in COUNTS} == {0}
    assert (told["balanced"], told["doors"]) == (True, [])


def test_by_door(console: Console) -> None:
    world = console.world
    world.vendor_case()
    world.feed(world.mail(PSIRT), world.mail("stranger@else.example"), world.mail("new@else.example", "A report"))
    world.accept(Envelope("lmtp", PSIRT, (OURS,), b"Subject: waits\r\n\r\n", START))
    told = console.json("books")
    assert {name: told[name] for name in COUNTS} == {
        "accepted": 4, "filed": 1, "review": 1, "triage": 1, "bounces": 0, "quarantined": 0, "pending": 1,
    }  # fmt: skip
    assert [(door["door"], door["accepted"], door["balanced"]) for door in told["doors"]] == [
        ("lmtp", 1, True), ("smtp", 3, True),
    ]  # fmt: skip
    lines = console.out("books").splitlines()
    assert [line.split()[:2] for line in lines[2:]] == [["lmtp", "1"], ["smtp", "3"], ["all", "4"]]


def test_a_lost_mail_shows(console: Console) -> None:
    world = console.world
    world.accept(world.mail(PSIRT), world.mail(PSIRT))
    with world.writing() as tx:
        tx.execute(delete(tables.inbox))
    done = console.run("books", "--json", status=1)
    assert json.loads(done.stdout)["balanced"] is False
    assert "do not balance" in done.stderr
    assert "NOT BALANCED" in console.run("books", status=1).stdout


def test_doors_that_only_balance_together_do_not_balance(console: Console) -> None:
    """One door lost what the other has too much: the totals agree, the books do not."""
    world = console.world
    world.accept(world.mail(PSIRT))
    with world.writing() as tx:
        tx.execute(update(tables.tallies).values(accepted=0))
        tx.execute(insert(tables.tallies).values(node="n1", door="lmtp", accepted=1))
    told = json.loads(console.run("books", "--json", status=1).stdout)
    assert (told["accepted"], told["pending"], told["balanced"]) == (1, 1, False)


def test_counted_at_one_moment_while_mail_comes_in(console: Console) -> None:
    """The counts are several queries; what a door commits between two of them must not look like a lost mail."""
    world = console.world
    stop = threading.Event()

    def door() -> None:
        db = Database(world.tools.settings.database.url)
        for number in count():
            if stop.is_set():
                break
            with db.write() as tx:
                inbox.accept(tx, "n1", [Envelope("smtp", "", (OURS,), b"%d" % number, START)])
        db.close()

    writer = threading.Thread(target=door)
    writer.start()
    try:
        for _ in range(60):
            console.run("books")
            console.run("journal", "verify")
    finally:
        stop.set()
        writer.join()
