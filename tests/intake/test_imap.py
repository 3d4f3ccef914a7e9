"""The IMAP door against a real Dovecot: what it takes, how it marks, what it leaves (testbook/faults.md I1, R21)."""

from pathlib import Path

import pytest

from mailrouter.mailbox.session import KEYWORD
from tests.faults.scene import Store
from tests.intake.mailboxes import Daemons, mailbox, raws, reader, same, stored
from tests.servers.dovecot import Dovecot
from tests.servers.wait import until

READ = ("--only", "imap,worker")


@pytest.fixture
def user(dovecot_server: Dovecot) -> str:
    """A user of this test's own."""
    return dovecot_server.new_user()


@pytest.mark.row("I1")
@pytest.mark.parametrize("done_folder", ["Done", "Erledigt & gelöscht", ""])
def test_what_waits_is_taken_and_then_marked(
    daemons: Daemons, dovecot_server: Dovecot, user: str, tmp_path: Path, migrated_url: str, done_folder: str
) -> None:
    sent = raws(30)
    dovecot_server.put(user, sent)
    dovecot_server.put(user, raws(2, "read-by-somebody"), flags=r"\Seen")
    sent += raws(2, "read-by-somebody")
    box = mailbox(dovecot_server.port, user, done_folder=done_folder)
    node, store = reader(daemons, tmp_path, migrated_url, box), Store(migrated_url)
    node.start(*READ)
    assert same(stored(store, 32), sent)
    if done_folder:
        until(lambda: dovecot_server.count(user) == 0, "INBOX to be empty")
        [name] = [f for f in folders(dovecot_server, user) if f != "INBOX"]
        assert same(dovecot_server.raws(user, name), sent)
    else:
        until(lambda: dovecot_server.count(user, criteria=f"SEEN KEYWORD {KEYWORD}") == 32, "the mails to be marked")
    dovecot_server.put(user, raws(1, "later"))  # IDLE
    assert same(stored(store, 33), sent + raws(1, "later"))
    store.drained()
    store.in_order()
    assert store.rows("SELECT DISTINCT door FROM mails") == [("imap:inbox",)]
    assert node.terminate() == 0


def folders(server: Dovecot, user: str) -> list[str]:
    with server.client(user) as line:
        return [answer.decode().rpartition('"/" ')[2].strip('"') for answer in line.list()[1]]
