"""Our letters through a real Postfix that knows the world: what it cannot deliver comes back, and means something.

Postfix is relay and border in one, as at many a CERT. security@vendor.example is at somebody's mail server, played by a
sink; psirt@gone.example at another's, that knows no such mailbox.
"""

import re
import smtplib
from collections.abc import Callable
from email import message_from_bytes
from email.message import EmailMessage
from typing import Any

import pytest

from tests.journey.office import login, wait_for_counts
from tests.servers.daemon import ADDRESS, Daemon
from tests.servers.postfix import Postfix
from tests.servers.sink import Sink
from tests.servers.wait import until

VU = 123456
DEAD, ALIVE = "psirt@gone.example", "security@vendor.example"
ROUTES = (
    "transport_maps = inline:{{ {{gone.example = smtp:[127.0.0.1]:{gone}}}, {{refused.example = error:5.1.1 nobody}},"
    " {{vendor.example = smtp:[127.0.0.1]:{sink}}}, {{staff.example = discard:}} }}"
)


@pytest.fixture
def border(
    daemons: Callable[..., Daemon], postfix: Callable[..., Postfix], smarthosts: Callable[..., Sink], smarthost: Sink
) -> tuple[Daemon, Postfix]:
    """A running daemon with Postfix on both sides, and a case in which the vendor's first contact is dead."""
    node, gone = daemons(), smarthosts(replies={"RCPT": "550 5.1.1 unknown"})
    front = postfix(
        f"lmtp:inet:127.0.0.1:{node.lmtp_port}", ROUTES.format(sink=smarthost.port, gone=gone.port)
    )  # fmt: skip
    node.environ["MAILROUTER_RELAY__URL"] = f"smtp://127.0.0.1:{front.port}"
    node.run("db", "upgrade")
    node.run("analyst", "add", "Ana", "--email", "ana@staff.example", "--login", login())
    node.run("vendor", "add", "Acme", "--email", DEAD, "--email", ALIVE, "--domain", "vendor.example")
    node.run("case", "open", "A flaw", "--vu", str(VU))
    node.run("case", "add-vendor", str(VU), "Acme")
    node.start()
    return node, front


def notifications(node: Daemon) -> list[dict[str, Any]]:
    """The first letters, oldest first: there are others, to our own staff."""
    return [letter for letter in node.json("outbox", "list") if letter["letter"] == "notification"]


@pytest.mark.row("S33")
def test_a_bounce_of_a_real_mail_server_marks_the_contact_and_the_letter_reaches_the_next(
    border: tuple[Daemon, Postfix], smarthost: Sink
) -> None:
    node, front = border
    node.run("case", "notify", str(VU), "--without-details")
    until(lambda: len(smarthost.taken) == 1, "the letter to reach the second contact", seconds=120)
    assert smarthost.taken[0].rcpt[0].startswith(f"TO:<{ALIVE}>".encode())
    assert re.match(rb"FROM:<cert\+b[0-9]+\.[a-z2-7]{16}@cert\.example>", smarthost.taken[0].mail)
    assert front.log().count("status=bounced") == 1
    contacts = node.json("vendor", "show", "Acme")["contacts"]
    assert [(c["address"], c["undeliverable"]) for c in contacts] == [(DEAD, True), (ALIVE, False)]
    first, again = notifications(node)
    assert (first["state"], again["state"]) == ("sent", "sent")
    [waiting] = node.json("queue", "show", "bounces")
    assert (waiting["why"], waiting["vu"]) == (f"a bounce report about letter {first['id']}", f"VU#{VU}")
    about = node.json("message", "show", str(waiting["message"]))["about"]
    assert about == {"letter": first["id"], "evidence": "token"}
    [notice] = node.json("queue", "show", "Ana")
    assert (notice["from"], notice["why"]) == (
        "Acme", f"letter {first['id']} came back: its address takes no mail; it goes again to their next contact",
    )  # fmt: skip
    [case] = node.json("case", "show", str(VU))["participants"]
    assert (case["waiting_on"], case["progress"]) == ("them", "contacted")
    assert node.json("books")["balanced"]


@pytest.mark.row("S33")
def test_what_the_relay_refuses_itself_goes_to_the_next_contact_at_once(
    border: tuple[Daemon, Postfix], smarthost: Sink
) -> None:
    node, _ = border
    node.run("vendor", "add-contact", "Acme", "psirt@refused.example")
    node.run("vendor", "remove-contact", "Acme", DEAD)
    node.run("vendor", "remove-contact", "Acme", ALIVE)
    node.run("vendor", "add-contact", "Acme", ALIVE)
    node.run("case", "notify", str(VU), "--without-details")
    until(lambda: len(smarthost.taken) == 1, "the letter to reach the second contact", seconds=120)
    first, again = notifications(node)
    assert (first["state"], first["reply"], again["state"]) == ("failed", "550 5.1.1", "sent")
    [notice] = node.json("queue", "show", "Ana")
    assert notice["why"] == (
        f"letter {first['id']} failed: refused by the relay (550 5.1.1); its address takes no mail; "
        "it goes again to their next contact"
    )


def test_an_answer_to_the_address_a_letter_names_finds_its_case_without_a_number(
    border: tuple[Daemon, Postfix], smarthost: Sink
) -> None:
    """From a colleague nobody told us of, in the vendor's mail domain, with a subject of their own."""
    node, front = border
    node.run("vendor", "remove-contact", "Acme", DEAD)
    node.run("case", "notify", str(VU), "--without-details")
    until(lambda: len(smarthost.taken) == 1, "the letter to leave", seconds=120)
    letter = message_from_bytes(smarthost.taken[0].data)
    assert letter["From"] != letter["Reply-To"]
    answer = EmailMessage()
    answer["From"], answer["To"], answer["Subject"] = "j.doe@vendor.example", letter["Reply-To"], "your finding"
    answer["Message-ID"] = "<a1@vendor.example>"
    answer.set_content("We look into it.")
    with smtplib.SMTP("127.0.0.1", front.port) as client:
        client.send_message(answer)
    wait_for_counts(node, {"SELECT count(*) FROM mails": 1, "SELECT count(*) FROM inbox": 0})
    [waiting] = node.json("queue", "show", "Ana")
    assert (waiting["from"], waiting["vu"], waiting["why"]) == ("j.doe@vendor.example", f"VU#{VU}", "answer")
    assert node.json("case", "show", str(VU))["participants"][0]["waiting_on"] == "us"


def test_nobody_but_us_and_the_world_outside_hears_of_our_secret(border: tuple[Daemon, Postfix]) -> None:
    """It is in the database and its backups, and nowhere a person or a program reads."""
    node, _ = border
    node.run("case", "notify", str(VU), "--without-details")
    wait_for_counts(node, {"SELECT count(*) FROM secrets": 1})
    assert ADDRESS not in node.stderr()
    assert not re.search(r"cert\+[a-z0-9]+\.[a-z2-7]{16}", node.stderr())
