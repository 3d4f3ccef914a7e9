"""Death at each named point (testbook/faults.md R03, R05, R24), on both databases: the invariants I1 to I6 hold.

The doors and the beat are in the supervising process, which dies; a worker dies alone, and the rest of its group is
killed before another takes its place, as in a power cut.
"""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailrouter import failpoint
from mailrouter.pgp import MICALG
from tests.faults.scene import Store, compare, mails, notify_vendors, open_cases, send
from tests.intake.mailboxes import mailbox, raws, reader, same
from tests.servers.daemon import Daemon
from tests.servers.dovecot import Dovecot
from tests.servers.sink import Sink
from tests.servers.wait import until

Daemons = Callable[..., Daemon]
STORED = "250 2.0.0 Stored"
DIED = 137
VENDORS = 3


def points(stage: str) -> list[str]:
    """The points of one stage."""
    return [point for point in failpoint.POINTS if point.startswith(stage)]


def test_every_point_is_of_a_stage_tested_here() -> None:
    assert sorted(failpoint.POINTS) == sorted(
        point
        for stage in ("accept", "imap", "receive", "remind", "deliver", "order", "press", "publish", "cve")
        for point in points(stage)
    )


# those of "order" in test_order_points.py, of "press" in tests/press/test_folder.py, of "publish" in
# test_publishing.py, of "cve" in test_cve_points.py


def one_worker(daemons: Daemons, url: str, **settings: str) -> Daemon:
    """A node that starts quickly."""
    return daemons(url, WORKER__PROCESSES="1", **settings)


def start_to_die(node: Daemon, point: str, parts: str) -> list[Path]:
    """Start those parts, with the point armed; its processes."""
    node.start("--only", parts, environ={"MAILROUTER_FAILPOINT": point})
    return [Path(f"/proc/{pid}") for pid in node.left()]


def kill_after_a_death(node: Daemon, group: list[Path]) -> int:
    """Wait until one of the workers has died, kill all the others; how many have died at most."""

    def one_is_gone() -> bool:
        return bool(node.events("worker.replaced")) or not all(process.exists() for process in group)

    until(one_is_gone, "a worker to die")
    node.kill()
    replaced = node.events("worker.replaced")
    assert {event["exit"] for event in replaced} <= {DIED}
    return len(replaced) + 1


@pytest.mark.row("R03")
@pytest.mark.row("R05")
@pytest.mark.parametrize("point", points("accept"))
def test_at_the_door(migrated_url: str, daemons: Daemons, point: str) -> None:
    """The client has no reply, comes again with the same bytes, and is told what every client is told."""
    node, store, [mail, other] = one_worker(daemons, migrated_url), Store(migrated_url), mails(2)
    start_to_die(node, point, "smtp,worker")
    assert send(node, mail.raw) == [""]
    assert node.wait() == DIED
    assert len(store.raws()) == (1 if point == "accept-after-commit" else 0)
    node.start("--only", "smtp,worker")
    assert send(node, mail.raw, other.raw, mail.raw) == [STORED] * 3
    store.drained()
    assert sorted(store.raws()) == sorted([mail.raw, other.raw])
    store.in_order()


@pytest.mark.row("R03")
@pytest.mark.row("R21")
@pytest.mark.parametrize("point", points("imap"))
@pytest.mark.parametrize("done_folder", ["Done", ""])
def test_between_the_commit_and_the_mark(
    migrated_url: str, daemons: Daemons, dovecot_server: Dovecot, tmp_path: Path, point: str, done_folder: str
) -> None:
    """What was stored and not marked is fetched again, known again, and then marked."""
    user, sent = dovecot_server.new_user(), raws(20)
    dovecot_server.put(user, sent)
    box = mailbox(dovecot_server.port, user, done_folder=done_folder)
    node, store = reader(daemons, tmp_path, migrated_url, box), Store(migrated_url)
    start_to_die(node, point, "imap,worker")
    assert node.wait() == DIED
    assert dovecot_server.count(user, criteria="UNSEEN") == 20
    assert same(store.raws(), sent)
    node.start("--only", "imap,worker")
    until(lambda: dovecot_server.count(user, criteria="UNSEEN") == 0, "all to be marked")
    store.drained()
    assert same(store.raws(), sent)
    store.in_order()


@pytest.mark.row("R03")
@pytest.mark.parametrize("point", points("receive"))
def test_while_a_mail_is_received(migrated_url: str, daemons: Daemons, point: str) -> None:
    """The door goes on; afterwards each mail is one message of its case, and the participant's turn is known."""
    node, store, sent = one_worker(daemons, migrated_url), Store(migrated_url), mails(5)
    open_cases(node, range(100100, 100105))
    group = start_to_die(node, point, "smtp,worker")
    assert send(node, *(mail.raw for mail in sent)) == [STORED] * 5
    kill_after_a_death(node, group)
    node.start("--only", "worker")
    store.drained()
    raws = {mail.ident: mail.raw for mail in sent}
    assert compare(raws, set(raws), store.raws()).clean
    assert store.places() == {"filed": 5}
    assert store.one("SELECT count(*) FROM participants WHERE waiting_on = 'us'") == 5
    store.in_order()


@pytest.mark.row("R03")
@pytest.mark.parametrize("point", points("remind"))
def test_while_the_silent_are_written_to(migrated_url: str, daemons: Daemons, point: str) -> None:
    """Each rung is one letter and one next deadline, however often the beat dies over it."""
    node, store = one_worker(daemons, migrated_url), Store(migrated_url)
    notify_vendors(node, VENDORS, datetime.now(UTC) - timedelta(days=15))
    for _ in range(2):
        node.start("--only", "ticker", environ={"MAILROUTER_FAILPOINT": point}, ready=False)
        assert node.wait() == DIED
    assert store.letters("follow-up%") == []
    node.start("--only", "ticker")
    until(lambda: len(store.letters("follow-up-1")) == VENDORS, "the letters")
    assert store.one("SELECT count(*) FROM deadlines WHERE kind = 'follow-up' AND done_at IS NULL") == VENDORS
    assert store.one("SELECT count(*) FROM deadlines WHERE kind = 'follow-up' AND done_at IS NOT NULL") == VENDORS
    assert store.one("SELECT count(*) FROM participants WHERE follow_ups_sent = 1") == VENDORS
    store.in_order()


@pytest.mark.row("R03")
@pytest.mark.row("R24")
@pytest.mark.parametrize("point", points("deliver"))
def test_while_a_letter_leaves(migrated_url: str, daemons: Daemons, smarthost: Sink, point: str) -> None:
    """All leave with one Message-ID each; a copy more at most for each death, and it is the same to the byte."""
    relay, store = f"smtp://127.0.0.1:{smarthost.port}", Store(migrated_url)
    node = one_worker(daemons, migrated_url, RELAY__URL=relay)
    notify_vendors(node, VENDORS)
    deaths = kill_after_a_death(node, start_to_die(node, point, "worker"))
    node.start("--only", "worker")
    until(lambda: {letter.state for letter in store.letters()} == {"sent"}, "the letters to be sent")
    copies = Counter(taken.data for taken in smarthost.taken)
    assert len(copies) == VENDORS, "every copy of a letter is the same bytes"
    assert len({data.partition(b"Message-ID: ")[2].partition(b"\r\n")[0] for data in copies}) == VENDORS
    assert all(MICALG.encode() in data for data in copies)
    extra = copies.total() - VENDORS
    assert extra <= (deaths if point == "deliver-after-relay" else 0)
    assert extra > 0 or point != "deliver-after-relay"
    store.in_order()
