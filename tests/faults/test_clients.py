"""Clients that go away, and what each recipient is told (testbook/faults.md R05, R06, R33)."""

from collections.abc import Callable

import pytest

from tests.faults.scene import Store, hand_in, mails, send, session
from tests.intake.house import stuffed
from tests.servers.daemon import ADDRESS, Daemon
from tests.servers.wait import until

Daemons = Callable[..., Daemon]
STORED = "250 2.0.0 Stored"


@pytest.mark.row("R06")
@pytest.mark.row("R05")
def test_clients_that_reset_after_the_final_dot_and_come_again(migrated_url: str, daemons: Daemons) -> None:
    """What they left behind is stored once or not at all; each second visit ends in the usual 250, and in one mail."""
    node, store, sent = (
        daemons(migrated_url, WORKER__PROCESSES="1").start("--only", "smtp,worker"),
        Store(migrated_url),
        mails(30),
    )
    for mail in sent:
        with session(node) as wire:
            wire.ready(ADDRESS.encode())
            wire.send(stuffed(mail.raw))
            wire.reset()
    assert send(node, *(mail.raw for mail in sent)) == [STORED] * 30
    store.drained()
    assert sorted(store.raws()) == sorted(mail.raw for mail in sent)
    store.in_order()


@pytest.mark.row("R33")
def test_lmtp_tells_the_truth_of_each_recipient(migrated_url: str, daemons: Daemons) -> None:
    """The middle one is unknown; and then the same mail again, as a server does that lost our replies."""
    node, store, [mail] = daemons(migrated_url).start("--only", "lmtp"), Store(migrated_url), mails(1)
    for _ in range(2):
        with session(node, "lmtp") as wire:
            wire.ask(b"MAIL FROM:<a@b.example>")
            to = [ADDRESS.encode(), b"nobody@cert.example", b"cert+7@cert.example"]
            assert [wire.ask(b"RCPT TO:<" + one + b">")[:3] for one in to] == ["250", "550", "250"]
            assert wire.ask(b"DATA")[:3] == "354"
            wire.send(stuffed(mail.raw))
            assert [wire.reply(), wire.reply()] == [STORED] * 2
            assert wire.ask(b"NOOP")[:3] == "250", "two replies, not three"
    assert store.raws() == [mail.raw]


def test_the_same_bytes_to_other_recipients_are_another_mail(migrated_url: str, daemons: Daemons) -> None:
    """The key is over recipients and bytes: whom a mail was for is part of what was accepted."""
    node, store, [mail] = daemons(migrated_url).start("--only", "smtp"), Store(migrated_url), mails(1)
    with session(node) as wire:
        assert hand_in(wire, mail.raw) == STORED
        wire.ready(b"postmaster@cert.example")
        wire.send(stuffed(mail.raw))
        assert wire.reply() == STORED
    until(lambda: store.raws() == [mail.raw] * 2, "both")
