"""Rates at the real doors, with the settings as they come (testbook S30, S11): what is refused is refused for now."""

import smtplib
import time
from collections import Counter
from collections.abc import Callable, Iterable

import pytest

from tests.servers.daemon import ADDRESS, Daemon
from tests.servers.wait import until

Serve = Callable[..., Daemon]
MAIL = b"From: <%s>\r\nTo: <cert@cert.example>\r\nSubject: a report\r\nMessage-ID: <%d@x.example>\r\n\r\nhello\r\n"


TOO_FAST = (450, b"4.7.1 Too many mails in a minute, try again later")
STORED = (250, b"2.0.0 Stored")


def bomb(port: int, senders: Iterable[str], *, lmtp: bool = False) -> Counter[tuple[int, bytes]]:
    """One mail after another, as fast as they are taken; how often each reply was given."""
    replies: Counter[tuple[int, bytes]] = Counter()
    for number, sender in enumerate(senders):
        if number % 40 == 0:  # a session has its number of commands without a mail
            session = (smtplib.LMTP if lmtp else smtplib.SMTP)("127.0.0.1", port, timeout=60)
            session.ehlo_or_helo_if_needed()
        reply = session.mail(sender)
        if reply[0] == 250:
            session.rcpt(ADDRESS)
            reply = data(session, MAIL % (sender.encode(), number))
        replies[reply] += 1
        session.rset()
        if number % 40 == 39:
            session.quit()
    session.close()
    return replies


def data(session: smtplib.SMTP, raw: bytes) -> tuple[int, bytes]:
    """The last reply of DATA: to the mail, or to the command."""
    try:
        return session.data(raw)
    except smtplib.SMTPDataError as refused:
        said = refused.smtp_error
        return refused.smtp_code, said if isinstance(said, bytes) else said.encode()


@pytest.mark.row("S30")
@pytest.mark.parametrize("door", ["smtp", "lmtp"])
def test_one_sender_has_sixty_a_minute(serve: Serve, door: str) -> None:
    node = serve("--only", door)
    port, lmtp = (node.smtp_port, False) if door == "smtp" else (node.lmtp_port, True)
    assert bomb(port, ["eve@evil.example", "EVE@evil.example"] * 50, lmtp=lmtp) == {STORED: 60, TOO_FAST: 40}
    assert bomb(port, ["other@evil.example"], lmtp=lmtp) == {STORED: 1}
    assert node.json("books")["accepted"] == 61, "what was refused is still the client's, and nothing else is"


@pytest.mark.row("S30")
def test_strangers_have_a_rate_together_and_a_participant_his_own_beside_them(serve: Serve) -> None:
    node = serve("--only", "smtp", SMTP__RATE_PER_SENDER="9", SMTP__RATE_TOTAL="30")
    node.run("vendor", "add", "Acme", "--email", "psirt@acme.example", "--email", "second@acme.example")
    assert bomb(node.smtp_port, (f"{n}@{n % 7}.example" for n in range(99))) == {STORED: 30, TOO_FAST: 69}
    assert bomb(node.smtp_port, ["psirt@acme.example"]) == {TOO_FAST: 1}, "to be on file is not to take part"
    vu = node.run("case", "open", "A flaw").stdout.strip()
    node.run("case", "add-vendor", vu, "Acme")  # the door learns of it by itself
    until(lambda: bomb(node.smtp_port, ["psirt@acme.example"])[STORED], "the door to know a participant")
    assert bomb(node.smtp_port, ["psirt@acme.example"] * 100) == {STORED: 89, TOO_FAST: 11}
    assert bomb(node.smtp_port, ["Second@Acme.example"] * 10) == {STORED: 10}, "each address has its own"


@pytest.mark.long
@pytest.mark.row("S30")
def test_ten_thousand_mails_of_ten_thousand_senders(serve: Serve) -> None:
    """With the settings as they come: six hundred in each minute of it, and the door is none the worse."""
    node = serve()
    began = time.monotonic()
    replies = bomb(node.smtp_port, (f"{n}@{n % 7}.example" for n in range(10_000)))
    minutes = (time.monotonic() - began) / 60
    assert replies[STORED] + replies[TOO_FAST] == 10_000
    assert 600 <= replies[STORED] <= 600 * (int(minutes) + 1)
    assert node.json("books")["accepted"] == replies[STORED]


@pytest.mark.row("S11")
@pytest.mark.row("S30")
def test_a_session_of_a_thousand_mails_is_enough(serve: Serve) -> None:
    """A session ends after its thousand mails; the client connects again, and nothing is lost or doubled."""
    node = serve("--only", "smtp", SMTP__RATE_PER_SENDER="0", SMTP__RATE_TOTAL="0")
    taken: list[int] = []
    last: tuple[int, bytes] = STORED
    while sum(taken) < 2500:
        session = smtplib.SMTP("127.0.0.1", node.smtp_port, timeout=60)
        session.ehlo()
        before = sum(taken)
        taken.append(0)
        while before + taken[-1] < 2500 and (last := session.mail("a@b.example"))[0] == 250:
            session.rcpt(ADDRESS)
            assert session.data(MAIL % (b"a@b.example", before + taken[-1])) == STORED
            taken[-1] += 1
        session.close()
        assert last[0] == 250 or last == (421, b"4.7.0 Enough for one session, connect again")
    assert taken == [1000, 1000, 500]
    assert node.json("books")["accepted"] == 2500
