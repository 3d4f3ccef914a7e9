"""Mail that kills its reader (testbook/faults.md R19): parked after three tries, and the queue flows."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.mails import Mail
from tests.faults.scene import Signer, Store, mails, open_cases, send
from tests.faults.stub import Stub
from tests.servers.daemon import ROOT, Daemon
from tests.servers.wait import until

Daemons = Callable[..., Daemon]
STORED = "250 2.0.0 Stored"
INJECTED = Path(__file__).parent / "injected"


def poisoned(mail: Mail, how: str) -> bytes:
    """The mail with a header that `injected` knows."""
    return b"X-Poison: " + how.encode() + b"\r\n" + mail.raw


@pytest.mark.row("R19")
@pytest.mark.parametrize("seconds", ["0.5", pytest.param("10", marks=pytest.mark.long)])
@pytest.mark.parametrize(("how", "status"), [("spins", -signal.SIGVTALRM), ("crashes", -signal.SIGSEGV)])
def test_a_mail_its_reader_dies_of(migrated_url: str, daemons: Daemons, how: str, status: int, seconds: str) -> None:
    """Its neighbours of the same batch are read by the next worker; it is parked when it has cost three."""
    node, store, sent = daemons(migrated_url, WORKER__PROCESSES="1"), Store(migrated_url), mails(6)
    open_cases(node, range(100100, 100106))
    node.environ |= {"PYTHONPATH": f"{INJECTED}:{ROOT}", "SPIN_SECONDS": seconds, "PYTHONFAULTHANDLER": ""}
    raws = [poisoned(mail, how) if number == 2 else mail.raw for number, mail in enumerate(sent)]
    node.start("--only", "smtp")
    assert send(node, *raws) == [STORED] * 6
    node.restart("--only", "smtp,worker")
    store.drained()
    assert [event["exit"] for event in node.events("worker.replaced")] == [status] * 3
    assert store.places() == {"filed": 5, "quarantine": 1}
    [parked] = store.rows("SELECT mail_id, why FROM messages WHERE place = 'quarantine'")
    assert (parked.mail_id, parked.why) == (3, "could not be read in 3 tries")
    assert store.raws() == raws
    store.in_order()


@pytest.mark.row("R19")
def test_a_mail_its_reader_swells_over(migrated_url: str, daemons: Daemons) -> None:
    """The limit of memory costs not even the worker."""
    node, store, sent = daemons(migrated_url, WORKER__PROCESSES="1"), Store(migrated_url), mails(3)
    open_cases(node, range(100100, 100103))
    node.environ |= {"PYTHONPATH": f"{INJECTED}:{ROOT}", "SPIN_SECONDS": "10"}
    node.start("--only", "smtp,worker")
    raws = [sent[0].raw, poisoned(sent[1], "swells"), sent[2].raw]
    assert send(node, *raws) == [STORED] * 3
    until(lambda: store.places() == {"filed": 2}, "its neighbours to be filed")
    for _ in range(2):
        until(lambda: store.rows("SELECT 1 FROM inbox WHERE not_before IS NOT NULL"), "the mail to be given back")
        store.no_pauses()
    store.drained()
    assert store.places() == {"filed": 2, "quarantine": 1}
    assert node.events("worker.replaced") == []
    assert store.one("SELECT why FROM messages WHERE place = 'quarantine'").endswith("(MemoryError)")
    store.in_order()


@pytest.mark.row("R19")
def test_a_worker_killed_over_its_mail_is_replaced_and_its_mail_read(
    sqlite_copy: str, daemons: Daemons, signer: Signer, tmp_path: Path
) -> None:
    """As the kernel kills when memory is short, with no help of ours: while gpg has the mail, the worker is shot."""
    stub, store, [sealed] = Stub(tmp_path / "bin"), Store(sqlite_copy), signer.mails(1)
    node = daemons(sqlite_copy, WORKER__PROCESSES="1")
    open_cases(node, range(100100, 100101))
    node.environ["PATH"] = stub.path
    stub.does("hangs")
    node.start("--only", "smtp,worker")
    assert send(node, sealed.raw) == [STORED]
    until(stub.running, "gpg to have the mail in hand")
    stub.does("well")
    os.kill(stub.parent(), signal.SIGKILL)
    store.drained()
    assert [event["exit"] for event in node.events("worker.replaced")] == [-signal.SIGKILL]
    assert store.places() == {"filed": 1}
    stub.end()
    store.in_order()
