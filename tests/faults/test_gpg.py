"""gpg is slow, hangs, dies or lies (testbook/faults.md R07, R17, R18): 250 at once, never taken for unsigned."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.scene import Signer, Store, hand_in, mails, open_cases, send, session
from tests.faults.stub import MISBEHAVIOURS, Stub
from tests.faults.timelapse import faked
from tests.servers.daemon import Daemon
from tests.servers.wait import until

Daemons = Callable[..., Daemon]
STORED = "250 2.0.0 Stored"


@pytest.fixture
def stub(tmp_path: Path) -> Stub:
    """A gpg that does as it is told."""
    return Stub(tmp_path / "bin")


@pytest.fixture
def node(daemons: Daemons, tmp_path: Path, sqlite_copy: str, signer: Signer, stub: Stub) -> Daemon:
    """Not started; it knows the signer's cases and key, and finds the stub first."""
    made = daemons(sqlite_copy, WORKER__PROCESSES="1")
    open_cases(made, range(100100, 100120))
    made.run("vendor", "add-key", "Vendor", str(signer.public))
    made.environ["PATH"] = stub.path
    return made


def tried(store: Store, times: int) -> bool:
    """Is every sealed mail back in the inbox after so many tries?"""
    rows = store.rows("SELECT tries, leased_until FROM inbox")
    return bool(rows) and all(row.tries == times and row.leased_until is None for row in rows)


@pytest.mark.row("R07")
def test_a_slow_gpg_delays_no_250(node: Daemon, sqlite_copy: str, signer: Signer, stub: Stub) -> None:
    """gpg takes longer than the five seconds a client waits; it runs after the 250."""
    store, sealed = Store(sqlite_copy), signer.mails(5)
    stub.does("slow")
    node.start()
    with session(node) as wire:
        wire.socket.settimeout(5)
        assert [hand_in(wire, mail.raw) for mail in sealed] == [STORED] * 5
    assert store.pending() == 5
    stub.does("well")
    store.drained()
    assert {row.assurance for row in store.rows("SELECT assurance FROM messages WHERE direction = 'in'")} == {
        "verified"
    }


@pytest.mark.row("R18")
@pytest.mark.parametrize("how", MISBEHAVIOURS)
def test_a_gpg_that_fails_proves_nothing_and_the_mail_is_parked_after_three_tries(
    node: Daemon, sqlite_copy: str, signer: Signer, stub: Stub, how: str
) -> None:
    store, [sealed], [plain] = Store(sqlite_copy), signer.mails(1), mails(1)
    node.start()
    stub.does(how)
    assert send(node, sealed.raw, plain.raw) == [STORED] * 2
    until(lambda: store.places() == {"filed": 1}, "the plain mail to be filed")
    for tries in (1, 2):
        until(lambda tries=tries: tried(store, tries), f"try {tries}")
        assert store.places() == {"filed": 1}, "no verdict"
        store.no_pauses()
    store.drained()
    assert store.places() == {"filed": 1, "quarantine": 1}
    [parked] = store.rows("SELECT id, assurance, verdict FROM messages WHERE place = 'quarantine'")
    assert (parked.assurance, parked.verdict) == ("retry", "none")
    assert store.raws() == [sealed.raw, plain.raw]
    stub.does("well")
    node.run("message", "retry", str(parked.id))
    until(lambda: store.places() == {"filed": 2}, "the mail to be filed")
    assert store.one("SELECT assurance FROM messages WHERE id = :id", id=parked.id) == "verified"
    store.in_order()


@pytest.mark.row("R17")
def test_a_gpg_that_hangs_is_killed_and_holds_up_no_other_mail(
    node: Daemon, sqlite_copy: str, signer: Signer, stub: Stub
) -> None:
    """Its thirty seconds pass sixty times as fast for the daemon."""
    store, [sealed], plain = Store(sqlite_copy), signer.mails(1), mails(3)
    stub.does("hangs")
    node.start("--only", "smtp,worker", environ=faked("+0 x60"))
    assert send(node, sealed.raw, *(mail.raw for mail in plain)) == [STORED] * 4
    until(lambda: store.places().get("filed") == 3, "the plain mails to be filed")
    until(lambda: store.places() == {"filed": 3, "quarantine": 1}, "three tries", seconds=120)
    assert store.one("SELECT why FROM messages WHERE place = 'quarantine'") == "could not be read in 3 tries (TryLater)"
    stub.does("well")
    until(lambda: not stub.running(), "every gpg that hangs to be killed")
    store.in_order()
