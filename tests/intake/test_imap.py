"""The IMAP door against a real Dovecot: what it takes, marks and leaves (testbook/faults.md I1, R20, R21, R22)."""

import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.meters import MIB, cpu_seconds, memory_bytes
from mailrouter.mailbox.session import KEYWORD
from tests.faults.scene import Store, dice, send
from tests.intake.mailboxes import Daemons, mailbox, raws, reader, same, stored
from tests.servers.daemon import Daemon
from tests.servers.dovecot import Dovecot
from tests.servers.line import CUT, line
from tests.servers.wait import free_port, until

READ = ("--only", "imap,worker")
SOME, MANY = 300, 20_000


@pytest.fixture
def user(dovecot_server: Dovecot) -> str:
    """A user of this test's own."""
    return dovecot_server.new_user()


def marked(server: Dovecot, user: str) -> int:
    """How many messages bear our flag."""
    return server.count(user, criteria=f"SEEN KEYWORD {KEYWORD}")


def settled(node: Daemon, store: Store, sent: list[bytes]) -> None:
    """Everything is in the store once, byte-equal, and the books are right."""
    store.drained()
    assert same(store.raws(), sent)
    store.in_order()


@pytest.mark.row("I1")
@pytest.mark.parametrize("done_folder", ["Done", "Erledigt & gelöscht", ""])
def test_what_waits_is_taken_and_then_marked(
    daemons: Daemons, dovecot_server: Dovecot, user: str, tmp_path: Path, migrated_url: str, done_folder: str
) -> None:
    sent = raws(30) + raws(2, "read-by-somebody")
    dovecot_server.put(user, sent[:30])
    dovecot_server.put(user, sent[30:], flags=r"\Seen")
    box = mailbox(dovecot_server.port, user, done_folder=done_folder)
    node, store = reader(daemons, tmp_path, migrated_url, box), Store(migrated_url)
    node.start(*READ)
    assert same(stored(store, 32), sent)
    if done_folder:
        until(lambda: dovecot_server.count(user) == 0, "INBOX to be empty")
        [name] = [name for name in dovecot_server.folders(user) if name != "INBOX"]
        assert same(dovecot_server.raws(user, name), sent)
    else:
        until(lambda: marked(dovecot_server, user) == 32, "the mails to be marked")
    later = raws(1, "later")
    dovecot_server.put(user, later)  # IDLE tells
    stored(store, 33)
    settled(node, store, sent + later)
    assert store.rows("SELECT DISTINCT door FROM mails") == [("imap:inbox",)]
    assert node.terminate() == 0


@pytest.mark.row("R20")
def test_cut_off_in_the_middle_of_mails(
    daemons: Daemons, dovecot_server: Dovecot, user: str, tmp_path: Path, sqlite_copy: str
) -> None:
    chance, sent = dice(), raws(SOME)
    dovecot_server.pour(user, sent)
    store = Store(sqlite_copy)
    with line(dovecot_server.port, b"BODY.PEEK") as cable:
        cable.troubles = [(chance.randrange(1, 500_000), CUT) for _ in range(5)]
        node = reader(daemons, tmp_path, sqlite_copy, mailbox(cable.port, user, done_folder="Done"))
        node.start(*READ)
        until(lambda: dovecot_server.count(user, "Done") == SOME, "all to be moved", seconds=120)
        assert cable.befell >= 1
    settled(node, store, sent)


@pytest.mark.row("R21")
def test_killed_again_and_again(
    daemons: Daemons, dovecot_server: Dovecot, user: str, tmp_path: Path, migrated_url: str
) -> None:
    chance, sent = dice(), raws(SOME)
    done_folder = "Done" if migrated_url.startswith("sqlite") else ""  # each way of marking once
    dovecot_server.pour(user, sent)
    box = mailbox(dovecot_server.port, user, done_folder=done_folder)
    node, store = reader(daemons, tmp_path, migrated_url, box), Store(migrated_url)
    kill_while_it_reads(node, chance, times=3)
    node.start(*READ)
    waiting = "ALL" if done_folder else f"UNKEYWORD {KEYWORD}"
    until(lambda: dovecot_server.count(user, criteria=waiting) == 0, "all to be marked", seconds=120)
    settled(node, store, sent)


def kill_while_it_reads(node: Daemon, chance: random.Random, times: int) -> None:
    """SIGKILL to the whole group, at any moment after it is ready."""
    for _ in range(times):
        node.start(*READ)
        time.sleep(chance.random() * 0.3)
        node.kill()


@pytest.mark.row("R21")
def test_another_uidvalidity(
    daemons: Daemons, dovecots: Callable[..., Dovecot], tmp_path: Path, sqlite_copy: str
) -> None:
    """The server lost its index: other UIDs, no flags. Everything is fetched again, and nothing stored twice."""
    server, sent = dovecots(), raws(40)
    user = server.new_user()
    server.pour(user, sent)
    node, store = reader(daemons, tmp_path, sqlite_copy, mailbox(server.port, user)), Store(sqlite_copy)
    node.start(*READ)
    until(lambda: marked(server, user) == 40, "all to be marked")
    server.stop()
    before = server.uidvalidity_file(user).read_text().split()
    server.forget(user)
    server.start()
    until(lambda: marked(server, user) == 40, "all to be marked again", seconds=60)
    assert server.uidvalidity_file(user).read_text().split()[:3] != before[:3]
    until(lambda: store.one("SELECT taken FROM mailboxes") == 80, "all to be known again")
    settled(node, store, sent)


@pytest.mark.row("R22")
def test_no_way_in(daemons: Daemons, dovecot_server: Dovecot, user: str, tmp_path: Path, sqlite_copy: str) -> None:
    """The other doors do not notice; the operator does; the password is nowhere."""
    wrong = "incorrect horse"
    box = mailbox(dovecot_server.port, user, password=wrong)
    silent = free_port()
    node = reader(daemons, tmp_path, sqlite_copy, box, mailbox(silent, user, "dead"))
    store = Store(sqlite_copy)
    node.start("--only", "smtp,imap,worker,ticker")
    until(lambda: {e["mailbox"] for e in node.events("imap.trouble")} == {"inbox", "dead"}, "the troubles")
    assert send(node, *raws(20)) == ["250 2.0.0 Stored"] * 20
    told = node.run("doctor", status=1).stdout
    assert "inbox: the server refuses this user and password" in told
    assert "dead: no connection (Connection refused)" in told
    store.change("UPDATE mailboxes SET read_at = '2020-01-01 00:00:00'")
    alarms = "SELECT why FROM queue_items WHERE queue = 'operator' AND why LIKE 'mailbox %'"
    until(lambda: len(store.rows(alarms)) == 2, "the operator to be told", seconds=60)
    assert "mailbox inbox is not read: by node1 since" in " ".join(row.why for row in store.rows(alarms))
    assert wrong not in node.log.read_text() + told + str(store.rows(alarms))
    settled(node, store, raws(20))


def test_the_server_must_prove_its_name(
    daemons: Daemons, dovecot_server: Dovecot, user: str, tmp_path: Path, sqlite_copy: str
) -> None:
    sent = raws(3)
    dovecot_server.put(user, sent)
    secure = mailbox(dovecot_server.tls_port, user, tls=True)
    stranger = reader(daemons, tmp_path, sqlite_copy, secure)
    told = stranger.run("doctor", status=1).stdout
    assert "inbox: the server's certificate is not to be trusted: see tls_ca, and the name in host" in told
    stranger.start(*READ)
    until(lambda: stranger.events("imap.trouble"), "the trouble")
    assert "wait, and no daemon reads it" not in told
    assert dovecot_server.count(user, criteria="UNSEEN") == 3
    stranger.terminate()
    node = reader(daemons, tmp_path, sqlite_copy, secure | {"tls_ca": str(dovecot_server.ca)})
    node.start(*READ)
    until(lambda: marked(dovecot_server, user) == 3, "all to be marked")
    settled(node, Store(sqlite_copy), sent)
    assert "inbox: logs in; 0 wait" in node.run("doctor", status=None).stdout


def test_clear_text_to_a_tls_port_ends(
    daemons: Daemons, dovecot_server: Dovecot, user: str, tmp_path: Path, sqlite_copy: str
) -> None:
    node = reader(daemons, tmp_path, sqlite_copy, mailbox(dovecot_server.port, user, tls=True, host="localhost"))
    assert "inbox: the server does not speak TLS here, or not ours" in node.run("doctor", status=1).stdout


@pytest.mark.row("I1")
def test_the_books_of_a_mailbox(
    daemons: Daemons, dovecots: Callable[..., Dovecot], tmp_path: Path, sqlite_copy: str
) -> None:
    """What is there, what we took, what is left: by the server's count and by ours; without the server, by ours."""
    server = dovecots()
    user = server.new_user()
    with server.client(user) as other:
        other.create("Done")
    server.put(user, raws(2, "before"), "Done")
    server.put(user, [*raws(3), b"Subject: too large\r\n\r\n" + b"x" * 10_000])
    box = mailbox(server.port, user, done_folder="Done")
    node = reader(daemons, tmp_path, sqlite_copy, box, SMTP__MAX_SIZE="8 KiB")
    [idle] = node.json("books")["mailboxes"]
    assert (idle["there"], idle["done"], idle["left"], idle["taken"], idle["agrees"]) == (6, 2, 4, 0, False)
    node.start(*READ)
    until(lambda: Store(sqlite_copy).one("SELECT passed_over FROM mailboxes") == 1, "all to be dealt with")
    books = node.json("books")
    assert books["mailboxes"] == [{
        "name": "inbox", "there": 6, "done": 5, "left": 1, "taken": 3, "new": 3, "again": 0, "done_before": 2,
        "passed_over": 1, "reachable": True, "agrees": True, "trouble": "",
    }]  # fmt: skip
    assert (books["balanced"], books["accepted"]) == (True, 3)
    assert "agrees" in node.run("books").stdout
    [notice] = node.json("queue", "show", "quarantine")
    assert notice["why"] == "not taken: mailbox inbox, message 4 of INBOX: 10022 bytes are more than smtp.max_size"
    assert "inbox: logs in; 1 lie there and are not taken" in node.run("doctor", status=None).stdout
    server.put(user, raws(1, "by-hand"), "Done")
    assert "MORE DONE THAN TAKEN" in node.run("books").stdout
    server.stop()
    [away] = node.json("books")["mailboxes"]
    assert (away["there"], away["taken"], away["reachable"], away["agrees"]) == (None, 3, False, None)
    assert away["trouble"] == "no connection (Connection refused)"
    assert "the server's side is not known: no connection" in node.run("books").stdout


def test_one_mail_by_two_roads(
    daemons: Daemons, dovecot_server: Dovecot, user: str, tmp_path: Path, migrated_url: str
) -> None:
    """By SMTP, and, with the trace of another server on it, by IMAP: both are kept, and the second says so."""
    [mail] = raws(1)
    dovecot_server.put(user, [b"Return-Path: <psirt@vendor.example>\r\nReceived: by mx.example\r\n" + mail])
    box = mailbox(dovecot_server.port, user, done_folder="Done")
    node, store = reader(daemons, tmp_path, migrated_url, box), Store(migrated_url)
    node.start("--only", "smtp,imap,worker")
    assert send(node, mail) == ["250 2.0.0 Stored"]
    stored(store, 2)
    store.drained()
    assert [row.flags for row in store.rows("SELECT flags FROM messages")] == ["", "copy"]
    assert store.one("SELECT count(*) FROM queue_items WHERE kind = 'mail'") == 1, "a person is told once"
    assert {row.door for row in store.rows("SELECT door FROM mails")} == {"smtp", "imap:inbox"}
    store.in_order()


@pytest.mark.row("R21")
def test_two_nodes_read_one_mailbox(
    daemons: Daemons, dovecot_server: Dovecot, user: str, tmp_path: Path, migrated_url: str
) -> None:
    """One reads; when it ends in order, the other does. Nothing is stored or fetched twice."""
    box = mailbox(dovecot_server.port, user, done_folder="Done")
    first, second = (reader(daemons, tmp_path, migrated_url, box) for _ in range(2))
    sent, store = raws(50), Store(migrated_url)
    dovecot_server.pour(user, sent)
    first.start(*READ)
    second.start(*READ)
    until(lambda: dovecot_server.count(user, "Done") == 50, "all to be moved")
    settled(first, store, sent)
    assert store.one("SELECT sum(taken) FROM mailboxes") == 50


@pytest.mark.long
@pytest.mark.row("R20")
@pytest.mark.row("R21")
def test_twenty_thousand(daemons: Daemons, dovecots: Callable[..., Dovecot], tmp_path: Path, sqlite_copy: str) -> None:
    """A mailbox of 20,000, read under SIGKILLs and cuts; then as many again, undisturbed, for the figures."""
    server, chance, store = dovecots(), dice(), Store(sqlite_copy)
    first, second = raws(MANY, "disturbed"), raws(MANY, "undisturbed")
    user, other = server.new_user(), server.new_user()
    server.pour(user, first)
    server.pour(other, second)
    with line(server.port, b"BODY.PEEK") as cable:
        cable.troubles = [(chance.randrange(1, 2_000_000), CUT) for _ in range(10)]
        node = reader(daemons, tmp_path, sqlite_copy, mailbox(cable.port, user, done_folder="Done"))
        kill_while_it_reads(node, chance, times=10)
        node.start("--only", "imap")
        stored(store, MANY, seconds=3000)
        until(lambda: server.count(user) == 0, "all to be moved", seconds=60)
        node.terminate()
        print(f"10 SIGKILLs, {cable.befell} cuts")
    told(first, store)
    node = reader(daemons, tmp_path, sqlite_copy, mailbox(server.port, other, "other", done_folder="Done"))
    node.start("--only", "imap")
    began, peak = time.monotonic(), 0
    while store.one("SELECT count(*) FROM mails") < 2 * MANY:
        peak = max(peak, memory_bytes(node.pid))
        time.sleep(0.5)
    seconds, cost = time.monotonic() - began, cpu_seconds(node.pid) * 1000 / MANY
    print(f"undisturbed: {MANY} in {seconds:.0f} s, {cost:.2f} ms of CPU each, at most {peak / MIB:.0f} MiB")
    until(lambda: server.count(other) == 0, "all to be moved", seconds=60)
    told(first + second, store)
    print(node.run("books").stdout)


def told(sent: list[bytes], store: Store) -> None:
    """What is stored, held against what was there."""
    found = store.raws()
    lost, twice = len(set(sent) - set(found)), len(found) - len(set(found))
    print(f"{len(sent)} there, {len(found)} stored, {lost} lost, {twice} twice")
    assert (lost, twice, len(found)) == (0, 0, len(sent))
