"""The SMTP door from outside: real clients, raw bytes, a real table behind it."""

import logging
import smtplib
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailrouter.intake.limits import Limits
from mailrouter.settings.values import Listen
from tests.intake.house import MAIL, OURS, House, Table, Wire, stuffed
from tests.intake.test_data import FORMS, LINE, SMUGGLED
from tests.intake.test_paths import FOREIGN
from tests.servers.smarthost import Certificate

Houses = Callable[..., House]


def test_an_ordinary_client(house: House, table: Table) -> None:
    with smtplib.SMTP(*house.address()) as client:
        client.sendmail("psirt@vendor.example", [OURS, "cert+tag@example.org"], MAIL)
        client.sendmail("", "postmaster@example.org", MAIL)
    assert table.envelopes() == [
        ("smtp", "psirt@vendor.example", [OURS, "cert+tag@example.org"], MAIL),
        ("smtp", "", ["postmaster@example.org"], MAIL),
    ]


def test_what_is_offered(house: House) -> None:
    with Wire(house.address(), None) as wire:
        assert wire.reply() == "220 example.org ESMTP"
        assert wire.ask(b"EHLO client.example") == (
            "250-example.org\n250-SIZE 26214400\n250-8BITMIME\n250-SMTPUTF8\n250-PIPELINING\n250 ENHANCEDSTATUSCODES"
        )
        assert wire.ask(b"HELO client.example") == "250 example.org"


def test_a_unix_socket(houses: Houses, table: Table, tmp_path: Path) -> None:
    path = tmp_path / "smtp.sock"
    house = houses(smtp=Listen(path=path))
    with house.wire() as wire:
        assert wire.mail() == "250 2.0.0 Stored"
    assert path.stat().st_mode & 0o777 == 0o660
    house.close()
    assert not path.exists()
    assert table.raws() == [MAIL]


def test_an_address_in_use_stops_the_start(house: House, houses: Houses) -> None:
    with pytest.raises(OSError, match="in use"):
        houses(lmtp=Listen(*house.address("smtp")))


def test_pipelined_commands_are_answered_in_order(house: House, table: Table) -> None:
    with house.wire() as wire:
        wire.send(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<nobody@example.org>\r\nRCPT TO:<cert@example.org>\r\nDATA\r\n")
        assert [wire.reply()[:9] for _ in range(4)] == ["250 2.1.0", "550 5.1.1", "250 2.1.5", "354 End w"]
        wire.send(MAIL + b".\r\nMAIL FROM:<a@b.example>\r\nQUIT\r\n")
        assert [wire.reply()[:9] for _ in range(3)] == ["250 2.0.0", "250 2.1.0", "221 2.0.0"]
    assert table.raws() == [MAIL]


# ---- bytes ---------------------------------------------------------------------------------------------------------


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(lines=st.lists(LINE, max_size=20))
def test_stored_bytes_equal_sent_bytes(house: House, table: Table, lines: list[bytes]) -> None:
    mail = b"".join(line + b"\r\n" for line in [b"Subject: x", b"", *lines])
    with house.wire() as wire:
        assert wire.mail(mail) == "250 2.0.0 Stored"
    assert mail in table.raws()


@pytest.mark.parametrize("mail", [b"", b"\r\n", b".\r\n", b"x\r\n", b"\r\n.\r\n\r\n"])
def test_the_smallest_mails(house: House, table: Table, mail: bytes) -> None:
    with house.wire() as wire:
        assert wire.mail(mail) == "250 2.0.0 Stored"
    assert table.raws() == [mail]


@pytest.mark.row("S17")
def test_eight_bit_mail_and_utf8_addresses(house: House, table: Table) -> None:
    mail = "Subject: grüße\r\n\r\nmüller\r\n".encode("latin-1")
    with house.wire() as wire:
        assert wire.ask("MAIL FROM:<müller@bücher.example> BODY=8BITMIME SMTPUTF8".encode()).startswith("250")
        assert wire.ask("RCPT TO:<cert+grüße@example.org>".encode()).startswith("250")
        assert wire.ask(b"DATA").startswith("354")
        wire.send(mail + b".\r\n")
        assert wire.reply() == "250 2.0.0 Stored"
    assert table.envelopes() == [("smtp", "müller@bücher.example", ["cert+grüße@example.org"], mail)]


@pytest.mark.row("S01")
@pytest.mark.parametrize("form", FORMS)
def test_smuggling_makes_no_second_mail(house: House, table: Table, form: bytes) -> None:
    with house.wire() as wire:
        wire.ready()
        wire.send(b"Subject: first\r\n\r\nx" + form + SMUGGLED)
        reply = wire.reply()
        assert reply in ("250 2.0.0 Stored", "521 5.6.0 Bare CR or LF in the mail, closing")
        if reply.startswith("250"):
            assert wire.ask(b"QUIT") == "221 2.0.0 Bye"
        assert wire.replies() == []
    stored = table.raws()
    assert len(stored) == reply.startswith("250")
    assert all(raw.count(b"\r\n") == raw.count(b"\r") == raw.count(b"\n") for raw in stored)


@pytest.mark.row("S15")
def test_a_bare_cr_is_refused(house: House, table: Table) -> None:
    with house.wire() as wire:
        wire.ready()
        wire.send(b"Subject: x\rBcc: v@evil.example\r\n\r\nx\r\n.\r\n")
        assert wire.replies() == ["521 5.6.0 Bare CR or LF in the mail, closing"]
    assert table.raws() == []


# ---- commands ------------------------------------------------------------------------------------------------------


@pytest.mark.row("S04")
@pytest.mark.parametrize(
    ("command", "code"),
    [
        (b"BDAT 10 LAST", "502"), (b"EXPN staff", "502"), (b"ETRN #x", "502"), (b"HELP", "502"), (b"AUTH PLAIN", "502"),
        (b"XCLIENT ADDR=127.0.0.1", "500"), (b"XFORWARD NAME=x", "500"), (b"GET / HTTP/1.1", "500"), (b"", "500"),
        (b"LHLO x", "500"), (b"STARTTLS", "502"), (b"\xff\xfe", "500"), (b"mail", "501"), (b"R\xc5\xbfET", "500"),
        (b"VRFY cert", "252"), (b"VRFY nobody", "252"), (b"vrfy", "252"), (b"NOOP x", "250"), (b"EHLO", "501"),
        (b"MAIL FROM:<a@b.example> BODY=BINARYMIME", "501"), (b"DATA", "503"), (b"RCPT TO:<cert@example.org>", "503"),
    ],
)  # fmt: skip
def test_commands_that_are_not_done(house: House, command: bytes, code: str) -> None:
    with house.wire() as wire:
        assert wire.ask(command)[:3] == code
        assert wire.ask(b"NOOP").startswith("250"), "the session goes on"


@pytest.mark.row("S04")
def test_vrfy_says_the_same_of_everybody(house: House) -> None:
    with house.wire() as wire:
        assert (
            len({wire.ask(b"VRFY " + who) for who in (b"cert", b"cert@example.org", b"nobody", b"root@b.example")}) == 1
        )


@pytest.mark.row("S05")
@pytest.mark.parametrize("command", [b"NOOP" + b" " * 600, b"NOOP " + b"x" * 1_000_000, b"NOOP " + b"x" * 70_000])
def test_a_command_too_long(house: House, command: bytes) -> None:
    with house.wire() as wire:
        assert wire.ask(command) == "500 5.5.2 Command too long"
        assert wire.ask(b"NOOP") == "250 2.0.0 Ok"


@pytest.mark.row("S05")
def test_a_command_with_a_bare_lf(house: House) -> None:
    with house.wire() as wire:
        wire.send(b"NOOP\nMAIL FROM:<a@b.example>\n")
        assert [wire.reply()[:3], wire.reply()[:3]] == ["500", "500"]
        assert wire.ask(b"RCPT TO:<cert@example.org>")[:3] == "503"


@pytest.mark.row("S05")
def test_a_mail_sent_before_354_is_not_taken_for_commands(house: House, table: Table) -> None:
    with house.wire() as wire:
        wire.send(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<cert@example.org>\r\nDATA\r\nMAIL FROM:<evil@b.example>\r\n")
        assert [reply[:3] for reply in wire.replies()] == ["250", "250", "421"]
    assert table.raws() == []


@pytest.mark.row("S05")
def test_who_talks_before_the_greeting_is_sent_away(house: House) -> None:
    blocked, go_on = threading.Event(), threading.Event()

    def block() -> None:
        blocked.set()
        go_on.wait(30)

    house.loop.call_soon_threadsafe(block)  # so that the bytes are there before the door looks
    assert blocked.wait(30)
    with house.wire(hello=None) as wire:
        wire.send(b"EHLO x\r\nMAIL FROM:<a@b.example>\r\n")
        go_on.set()
        assert wire.replies() == ["421 4.7.0 Spoke out of turn, closing"]


@pytest.mark.row("S06")
@pytest.mark.parametrize(
    ("command", "code"),
    [
        (b"MAIL FROM:<a\0@b.example>", "501"), (b"MAIL FROM:<a\r@b.example>", "501"),
        (b"MAIL FROM:<\xe9@b.example>", "501"), ("MAIL FROM:<é@b.example>".encode(), "501"),
        (b"MAIL FROM:<\xe9@b.example> SMTPUTF8", "501"),
        (b"MAIL FROM:<" + b"a" * 300 + b"@b.example>", "501"), (b"MAIL FROM:< >", "501"), (b"MAIL FROM:<", "501"),
        (b"MAIL FROM:a@b.example", "501"), (b"MAIL TO:<a@b.example>", "501"), (b"MAIL", "501"), (b"MAIL FROM:", "501"),
        (b"MAIL FROM:<>", "250"), (b"MAIL FROM: <a@b.example>", "250"), (b"mail from:<a@b.example> size=10", "250"),
        (b"MAIL FROM:<a@b.example> SIZE=abc", "501"), (b"MAIL FROM:<a@b.example> SIZE=-1", "501"),
        (b"MAIL FROM:<a@b.example> SIZE=", "501"), (b"MAIL FROM:<a@b.example> SIZE=" + b"9" * 21, "501"),
        (b"MAIL FROM:<a@b.example> SIZE=99999999999", "552"), (b"MAIL FROM:<a@b.example> SIZE=26214400", "250"),
        (b"MAIL FROM:<a@b.example> SIZE=26214401", "552"), (b"MAIL FROM:<a@b.example> SMTPUTF8=1", "501"),
        (b"MAIL FROM:<a@b.example> RET=FULL", "555"), (b"MAIL FROM:<a@b.example> AUTH=<>", "555"),
        (b"MAIL FROM:<@a.example,@b.example:c@d.example>", "250"),
    ],
)  # fmt: skip
def test_what_mail_may_say(house: House, command: bytes, code: str) -> None:
    with house.wire() as wire:
        assert wire.ask(command)[:3] == code


@pytest.mark.row("S06")
@pytest.mark.parametrize(
    ("command", "code"),
    [
        (b"RCPT TO:<>", "501"), (b"RCPT TO:< >", "501"), (b"RCPT TO:<cert\0@example.org>", "501"), (b"RCPT", "501"),
        (b"RCPT TO:<cert\r@example.org>", "501"), (b"RCPT TO:<cert@example.org", "501"),
        (b"RCPT TO:cert@example.org", "501"),
        ("RCPT TO:<cert+ü@example.org>".encode(), "501"), (b"RCPT TO:<" + b"c" * 300 + b"@example.org>", "501"),
        (b"RCPT TO:<cert@example.org> NOTIFY=NEVER", "555"), (b"RCPT TO:<CERT@example.org>", "250"),
        (b"RCPT TO:<postmaster>", "250"), (b"rcpt to:<cert@example.org>", "250"),
    ],
)  # fmt: skip
def test_what_rcpt_may_say(house: House, command: bytes, code: str) -> None:
    with house.wire() as wire:
        assert wire.ask(b"MAIL FROM:<a@b.example>")[:3] == "250"
        assert wire.ask(command)[:3] == code


@pytest.mark.row("S07")
@pytest.mark.parametrize("sender", [b"a@b.example", b"cert@example.org", b""])
@pytest.mark.parametrize("recipient", [mailbox for mailbox in FOREIGN if mailbox.isascii()])
def test_no_relaying(house: House, table: Table, sender: bytes, recipient: str) -> None:
    with house.wire() as wire:
        assert wire.ask(b"MAIL FROM:<" + sender + b">")[:3] == "250"
        assert wire.ask(b"RCPT TO:<" + recipient.encode() + b">") == "550 5.1.1 No such recipient here"
        assert wire.ask(b"DATA")[:3] == "503"
    assert table.raws() == []


@pytest.mark.row("S06")
def test_a_mail_larger_than_it_said(houses: Houses, table: Table) -> None:
    house = houses(max_size=1000)
    with house.wire() as wire:
        assert wire.ask(b"MAIL FROM:<a@b.example> SIZE=10")[:3] == "250"
        wire.ask(b"RCPT TO:<cert@example.org>")
        wire.ask(b"DATA")
        wire.send(b"x" * 998 + b"\r\n.\r\n")
        assert wire.reply() == "250 2.0.0 Stored"
        wire.ready()
        wire.send(b"x" * 999 + b"\r\n.\r\n")
        assert wire.reply() == "552 5.3.4 Mail is too big"
        assert wire.mail() == "250 2.0.0 Stored", "the session goes on"
    assert [len(raw) for raw in table.raws()] == [1000, len(MAIL)]


def test_hello_comes_first_and_a_second_mail_needs_its_own(house: House) -> None:
    with house.wire(hello=None) as wire:
        wire.reply()
        assert wire.ask(b"MAIL FROM:<a@b.example>")[:3] == "503"
        wire.ask(b"EHLO x")
        assert wire.ask(b"MAIL FROM:<a@b.example>")[:3] == "250"
        assert wire.ask(b"MAIL FROM:<a@b.example>")[:3] == "503"
        assert wire.ask(b"RSET")[:3] == "250"
        assert wire.ask(b"RCPT TO:<cert@example.org>")[:3] == "503"
        assert wire.mail() == "250 2.0.0 Stored"
        assert wire.ask(b"DATA")[:3] == "503"
        assert wire.ask(b"DATA x")[:3] == "503"


# ---- limits --------------------------------------------------------------------------------------------------------


@pytest.mark.row("S11")
def test_fifty_recipients(house: House, table: Table) -> None:
    with house.wire() as wire:
        wire.ask(b"MAIL FROM:<a@b.example>")
        codes = [wire.ask(b"RCPT TO:<cert+%d@example.org>" % n)[:9] for n in range(60)]
        assert codes == ["250 2.1.5"] * 50 + ["452 4.5.3"] * 10
        wire.ask(b"DATA")
        wire.send(MAIL + b".\r\n")
        assert wire.reply() == "250 2.0.0 Stored"
    assert len(table.envelopes()[0][2]) == 50


@pytest.mark.row("S11")
@pytest.mark.parametrize("command", [b"RCPT TO:<cert@example.org>", b"RSET", b"NOOP", b"VRFY x", b"EHLO x"])
def test_commands_without_a_mail_come_to_an_end(house: House, command: bytes) -> None:
    with house.wire() as wire:
        wire.ask(b"MAIL FROM:<a@b.example>")
        wire.send((command + b"\r\n") * 5000)
        replies = wire.replies()
        assert len(replies) <= 201
    with house.wire() as wire:
        wire.ask(b"MAIL FROM:<a@b.example>")
        assert [wire.ask(command) for _ in range(198)][-1][:3] in ("250", "252", "452")
        assert wire.reply() == "421 4.7.0 Too many commands, closing"


@pytest.mark.row("S11")
def test_a_session_has_its_number_of_mails(houses: Houses) -> None:
    house = houses(limits=Limits(mails=3))
    with house.wire() as wire:
        assert [wire.mail(MAIL + b"%d\r\n" % n) for n in range(3)] == ["250 2.0.0 Stored"] * 3
        assert wire.ask(b"MAIL FROM:<a@b.example>") == "421 4.7.0 Enough for one session, connect again"
        assert wire.reply() == ""


def test_ten_errors(house: House) -> None:
    with house.wire() as wire:
        for _ in range(9):
            assert wire.ask(b"FOO")[:3] == "500"
        assert wire.mail() == "250 2.0.0 Stored", "a mail between them begins a new count"
        for _ in range(10):
            assert wire.ask(b"FOO")[:3] == "500"
        assert wire.replies() == ["421 4.7.0 Too many errors, closing"]


@pytest.mark.row("S30")
def test_rates_per_sender_and_in_all(houses: Houses, table: Table) -> None:
    house = houses(rate_per_sender=2, rate_total=4, is_participant=lambda sender: sender == "v@v.example")

    def ask(sender: bytes) -> str:
        with house.wire() as wire:
            assert wire.ask(b"MAIL FROM:<" + sender + b">") == "250 2.1.0 Ok"
            assert wire.ask(b"RCPT TO:<" + OURS.encode() + b">") == "250 2.1.5 Ok"
            return wire.ask(b"DATA")[:9]

    assert [ask(b"a@b.example") for _ in range(3)] == ["354 End w", "354 End w", "450 4.7.1"]
    assert [ask(b"c@d.example"), ask(b"e@f.example"), ask(b"g@h.example")] == ["354 End w", "354 End w", "450 4.7.1"]
    assert [ask(b"v@v.example") for _ in range(21)] == ["354 End w"] * 20 + ["450 4.7.1"]


@pytest.mark.row("S30")
@pytest.mark.parametrize("door", ["smtp", "lmtp"])
@pytest.mark.parametrize("ends", [b"RSET", b"QUIT", b"hello", b"NOOP", b"DATA now", b""])
def test_a_mail_that_is_not_begun_uses_up_nobodys_rate(houses: Houses, table: Table, door: str, ends: bytes) -> None:
    """Whoever says MAIL and RCPT and never DATA keeps no other stranger out."""
    house = houses(rate_per_sender=2, rate_total=3)
    hello = b"LHLO t" if door == "lmtp" else b"EHLO t"
    for number in range(20):
        with house.wire(door) as wire:
            assert wire.ask(b"MAIL FROM:<%d@evil.example>" % number) == "250 2.1.0 Ok"
            assert wire.ask(b"RCPT TO:<" + OURS.encode() + b">") == "250 2.1.5 Ok"
            if ends:
                wire.ask(hello if ends == b"hello" else ends)
    with house.wire(door) as wire:
        assert [wire.mail(MAIL + b"%d\r\n" % n) for n in range(2)] == ["250 2.0.0 Stored"] * 2
    assert len(table.raws()) == 2


@pytest.mark.row("S30")
def test_a_refused_data_leaves_the_session_in_order(houses: Houses, table: Table) -> None:
    """450 to DATA is no invitation: what follows are commands, and a pipelined group is answered in order."""
    house = houses(rate_per_sender=1)
    with house.wire() as wire:
        assert wire.mail() == "250 2.0.0 Stored"
        wire.send(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<" + OURS.encode() + b">\r\nDATA\r\n")
        assert [wire.reply()[:3] for _ in range(3)] == ["250", "250", "450"]
        assert wire.ask(b"RSET") == "250 2.0.0 Ok"
        wire.ready(sender=b"other@vendor.example")
        wire.send(stuffed(b"another\r\n"))
        assert wire.reply() == "250 2.0.0 Stored"
    assert table.raws() == [MAIL, b"another\r\n"]


def test_connections_in_all(houses: Houses) -> None:
    house = houses(max_connections=2)
    with house.wire(), house.wire(), house.wire(hello=None) as third:
        assert third.replies() == ["421 4.7.0 Too many connections, try again later"]
    with house.wire():
        pass


# ---- TLS -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def tls_house(houses: Houses, certificate: Certificate) -> House:
    return houses(tls_cert=certificate.cert, tls_key=certificate.key)


def test_starttls(tls_house: House, table: Table, certificate: Certificate) -> None:
    with smtplib.SMTP(*tls_house.address()) as client:
        client.starttls(context=certificate.client())
        client.ehlo()
        assert not client.has_extn("starttls")
        assert client.docmd("STARTTLS")[0] == 503
        client.sendmail("a@b.example", OURS, MAIL * 100)
    assert table.raws() == [MAIL * 100]


@pytest.mark.row("S03")
def test_what_stands_in_clear_behind_starttls_is_dropped(tls_house: House, certificate: Certificate) -> None:
    with tls_house.wire() as wire:
        assert "STARTTLS" in wire.ask(b"EHLO before")
        wire.ask(b"MAIL FROM:<before@b.example>")
        wire.send(b"STARTTLS\r\nRCPT TO:<cert@example.org>\r\nNOOP injected\r\n")
        assert wire.reply()[:3] == "220"
        with certificate.client().wrap_socket(wire.socket, server_hostname="localhost") as inside:
            inside.settimeout(30)
            inside.sendall(b"MAIL FROM:<a@b.example>\r\n")
            lines = inside.makefile("rb")
            assert lines.readline()[:3] == b"503", "hello and sender are forgotten, and nothing else was answered"
            inside.sendall(b"EHLO after\r\nRCPT TO:<cert@example.org>\r\n")
            assert [lines.readline()[:4] for _ in range(7)][-2:] == [b"250 ", b"503 "]
            lines.close()


def test_a_failed_handshake_is_counted_out(houses: Houses, certificate: Certificate) -> None:
    house = houses(tls_cert=certificate.cert, tls_key=certificate.key, max_connections=1)
    for _ in range(3):
        with house.wire() as wire:
            assert wire.ask(b"STARTTLS")[:3] == "220"
            wire.send(b"this is no TLS\r\n" * 10)
            while wire.socket.recv(100):
                pass
    with smtplib.SMTP(*house.address()) as client:
        client.starttls(context=certificate.client())


def test_old_tls_is_refused(tls_house: House, certificate: Certificate) -> None:
    context = certificate.client()
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with smtplib.SMTP(*tls_house.address()) as client, pytest.raises(ssl.SSLError):
        client.starttls(context=context)
    client.close()


# ---- logs ----------------------------------------------------------------------------------------------------------


@pytest.mark.row("S37")
def test_nothing_of_a_mail_is_logged_even_when_everything_is(
    house: House, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in (None, "mail.log", "mail.debug", "mail.error", "asyncio", "mailrouter"):
        caplog.set_level(logging.DEBUG, name)
    with house.wire() as wire:
        wire.ask(b"FOO \x1b[31m secret-argument")
        wire.ask(b"MAIL FROM:<secret-sender@b.example>")
        wire.ask(b"RCPT TO:<secret-recipient@b.example>")
        wire.ask(b"RSET")
        wire.mail(b"Subject: secret-subject\r\n\r\nsecret-body\r\n")
        wire.mail(b"Subject: secret-POISON\r\n\r\nsecret-body\r\n")
    seen = "".join(str(vars(record)) for record in caplog.records) + caplog.text + "".join(capfd.readouterr())
    assert "secret" not in seen
    assert "b.example" not in seen
