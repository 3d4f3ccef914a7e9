"""A machine that runs out of file descriptors (testbook/faults.md R10): later, and nothing lost."""

import socket
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from tests.faults.scene import Store, mails, send
from tests.servers.daemon import Daemon
from tests.servers.wait import until

Daemons = Callable[..., Daemon]
DESCRIPTORS = 64
CLIENTS = 100


@pytest.mark.row("R10")
def test_more_clients_than_file_descriptors(migrated_url: str, daemons: Daemons) -> None:
    """While they hold the door it answers whom it can; when they have gone, mail is taken by the same process."""
    node, store, [before, after] = daemons(migrated_url), Store(migrated_url), mails(2)
    node.start(wrapper=("prlimit", f"--nofile={DESCRIPTORS}:{DESCRIPTORS}"))
    assert send(node, before.raw) == ["250 2.0.0 Stored"]
    with ExitStack() as clients:
        for _ in range(CLIENTS):
            clients.enter_context(socket.create_connection(("127.0.0.1", node.smtp_port), timeout=30))
        until(lambda: any(e.get("errno") == "EMFILE" for e in node.events("library")), "a descriptor to be missing")
        assert node.running
    until(lambda: _taken(node, after.raw), "mail to be taken again")
    store.drained()
    assert sorted(store.raws()) == sorted([before.raw, after.raw])
    assert len(node.events("ready")) == 1
    assert node.terminate() == 0
    store.in_order()


def _taken(node: Daemon, raw: bytes) -> bool:
    try:
        return send(node, raw) == ["250 2.0.0 Stored"]
    except OSError:
        return False
