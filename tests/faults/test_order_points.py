"""Death while an analyst's orders by mail are carried out (testbook/faults.md R03): all of them once, or none yet."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mailrouter.flow import ownaddresses
from mailrouter.flow.arriving import receive
from mailrouter.flow.casework import coordinate
from mailrouter.flow.people import directory
from mailrouter.mail.envelope import Envelope
from mailrouter.pgp import Pgp
from mailrouter.store import contacts, inbox, queues
from mailrouter.tools import Tools
from tests.faults.scene import ANALYST, Store, tools_of
from tests.faults.test_points import kill_after_a_death, one_worker, points, start_to_die
from tests.journey.people import Organisation
from tests.servers.daemon import Daemon
from tests.servers.wait import until

TEXT = "assign ana\nwait 2099-01-01\n\nWe need until spring.\n\n> Answers to: "


@pytest.fixture
def ana() -> Iterator[Organisation]:
    """An analyst with a key."""
    with tempfile.TemporaryDirectory(prefix="mrj-", dir="/tmp") as homes:
        made = Organisation("ana", "ana@cert.example", Path(homes, "g"))
        yield made
        made.gpg.end()


def accepted(tools: Tools, sender: str, raw: bytes, to: str = "cert@cert.example") -> None:
    with tools.db.write() as tx:
        inbox.accept(tx, "node1", [Envelope("smtp", sender, (to,), raw, tools.now())])
    assert receive.work(tools) == 1


def a_mail_with_orders(tools: Tools, ana: Organisation) -> None:
    """Received, and not carried out yet."""
    key = Pgp.import_public(tools.pgp, ana.key)
    analyst = directory.add_analyst(tools, ANALYST, "ana", directory.About("ana@cert.example", key=key))
    case = coordinate.open_case(tools, ANALYST, "A case")
    with tools.db.write() as tx:
        contacts.add_contact(tx, contacts.add(tx, "Vendor").id, "psirt@vendor.example")
    coordinate.add_vendor(tools, ANALYST, case.vu, "Vendor")
    theirs = b"From: psirt@vendor.example\r\nSubject: VU#%d\r\n\r\nWhen?\r\n" % case.vu
    accepted(tools, "psirt@vendor.example", theirs)
    with tools.db.read() as tx:
        (item,) = queues.shown(tx, "triage")
    address = ownaddresses.mint(tools).order(item.item.id, analyst.id)
    accepted(tools, ana.address, ana.signed("Re: item", TEXT + address + "\n"), address)


@pytest.mark.row("R03")
def test_while_orders_are_carried_out(migrated_url: str, daemons: Callable[..., Daemon], ana: Organisation) -> None:
    node, store = one_worker(daemons, migrated_url), Store(migrated_url)
    with tools_of(node) as tools:
        a_mail_with_orders(tools, ana)
    for point in points("order"):
        kill_after_a_death(node, start_to_die(node, point, "worker"))
        assert store.one("SELECT count(*) FROM orders WHERE done_at IS NULL") == 1
        assert store.one("SELECT count(*) FROM letters") == 0
        store.change("UPDATE orders SET not_before = NULL")
    node.start("--only", "worker")
    until(lambda: store.one("SELECT count(*) FROM orders WHERE done_at IS NOT NULL") == 1, "the orders to be done")
    assert [letter.name for letter in store.letters()] == ["write", "analyst-transcript"]
    assert store.one("SELECT count(*) FROM deadlines WHERE kind = 'wait' AND done_at IS NULL") == 1
    assert store.one("SELECT count(*) FROM cases WHERE analyst_id IS NOT NULL") == 1
    store.in_order()
