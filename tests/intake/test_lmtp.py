"""The LMTP door: one true reply for each recipient accepted (RFC 2033)."""

import smtplib
from collections.abc import Callable
from pathlib import Path

import pytest

from mailrouter.settings.values import Listen
from tests.intake.house import MAIL, House, Table, Wire
from tests.servers.postfix import Postfix
from tests.servers.wait import until

pytestmark = pytest.mark.row("R33")


def address(wire: Wire, *recipients: bytes) -> list[str]:
    """MAIL, RCPT for each, DATA: the codes of the RCPTs."""
    assert wire.ask(b"MAIL FROM:<a@b.example>")[:3] == "250"
    codes = [wire.ask(b"RCPT TO:<" + recipient + b">")[:3] for recipient in recipients]
    assert wire.ask(b"DATA")[:3] == "354"
    return codes


def test_three_recipients_the_middle_one_unknown(house: House, table: Table) -> None:
    with house.wire("lmtp") as wire:
        assert address(wire, b"cert@example.org", b"nobody@example.org", b"postmaster") == ["250", "550", "250"]
        wire.send(MAIL + b".\r\nQUIT\r\n")
        assert wire.replies() == ["250 2.0.0 Stored", "250 2.0.0 Stored", "221 2.0.0 Bye"]
    assert table.envelopes() == [("lmtp", "a@b.example", ["cert@example.org", "postmaster"], MAIL)]


def test_one_named_twice_gets_two_replies_and_one_mail(house: House, table: Table) -> None:
    with house.wire("lmtp") as wire:
        address(wire, b"cert@example.org", b"cert@example.org")
        wire.send(MAIL + b".\r\nQUIT\r\n")
        assert len(wire.replies()) == 3
    assert table.envelopes()[0][2] == ["cert@example.org"]


@pytest.mark.parametrize(
    ("mail", "reply"),
    [
        (b"POISON\r\n", "451 4.3.0 Try again later"),
        (b"x" * 2000 + b"\r\n", "552 5.3.4 Mail is too big"),
    ],
)
def test_each_is_told_when_the_mail_is_not_taken(
    houses: Callable[..., House], table: Table, mail: bytes, reply: str
) -> None:
    with houses(max_size=1000).wire("lmtp") as wire:
        address(wire, b"cert@example.org", b"nobody@example.org", b"cert+1@example.org")
        wire.send(mail + b".\r\nNOOP\r\n")
        assert [wire.reply() for _ in range(3)] == [reply, reply, "250 2.0.0 Ok"]
    assert table.raws() == []


def test_each_is_told_of_a_bare_line_end(house: House) -> None:
    with house.wire("lmtp") as wire:
        address(wire, b"cert@example.org", b"postmaster")
        wire.send(b"x\ny\r\n.\r\n")
        assert [reply[:3] for reply in wire.replies()] == ["521", "521"]


@pytest.mark.parametrize("hello", [b"EHLO x", b"HELO x"])
def test_lmtp_has_a_hello_of_its_own(house: House, hello: bytes) -> None:
    with Wire(house.address("lmtp"), None) as wire:
        assert wire.reply() == "220 example.org LMTP"
        assert wire.ask(hello)[:3] == "500"
        offered = wire.ask(b"LHLO x")
        assert {"PIPELINING", "ENHANCEDSTATUSCODES", "8BITMIME"} <= {line[4:] for line in offered.split("\n")}


def test_no_recipient_no_data(house: House) -> None:
    with house.wire("lmtp") as wire:
        wire.ask(b"MAIL FROM:<a@b.example>")
        wire.ask(b"RCPT TO:<nobody@example.org>")
        assert wire.ask(b"DATA")[:3] == "503"


def test_behind_a_unix_socket(houses: Callable[..., House], table: Table, tmp_path: Path) -> None:
    with houses(lmtp=Listen(path=tmp_path / "l.sock")).wire("lmtp") as wire:
        address(wire, b"cert@example.org")
        wire.send(MAIL + b".\r\n")
        assert wire.reply() == "250 2.0.0 Stored"
    assert table.raws() == [MAIL]


def test_a_real_postfix_in_front_is_told_the_truth_of_each(
    house: House, table: Table, postfix: Callable[..., Postfix]
) -> None:
    """One recipient is unknown, and the store is locked for a while: one mail in the end, one bounce."""
    host, port = house.address("lmtp")
    front = postfix(f"lmtp:inet:{host}:{port}")
    with table.reader() as other, smtplib.SMTP("127.0.0.1", front.port) as client:
        other.execute("BEGIN EXCLUSIVE")
        everybody = ["cert@example.org", "nobody@example.org", "cert+1@example.org"]
        client.sendmail("", everybody, b"Subject: by way of Postfix\r\n\r\n.\r\n..x\r\n")
        until(lambda: front.log().count("status=deferred") >= 2, "both to be deferred")
        other.execute("ROLLBACK")
    until(lambda: front.log().count("status=sent") >= 2, "both to be delivered", seconds=60)
    assert front.log().count("status=bounced") == 1
    [(door, sender, recipients, raw)] = table.envelopes()
    assert (door, sender, sorted(recipients)) == ("lmtp", "", ["cert+1@example.org", "cert@example.org"])
    assert b"Subject: by way of Postfix\r\n" in raw  # Postfix adds the headers that are missing
    assert raw.endswith(b"\r\n\r\n.\r\n..x\r\n")
