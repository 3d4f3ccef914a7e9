"""What comes back to whoever writes, as it is on the wire: the daemon as it comes, a real smarthost, real senders."""

import re
from collections.abc import Callable
from email import message_from_bytes

import pytest

from tests.journey.conftest import settings
from tests.journey.office import ANA, Office
from tests.journey.people import Organisation
from tests.journey.test_strangers import conversation
from tests.servers.daemon import Daemon
from tests.servers.sink import Delivered, Sink
from tests.servers.wait import until

VARYING = re.compile(rb"^(?:Date|Message-ID|In-Reply-To|To): .*\r\n(?:[ \t].*\r\n)*", re.MULTILINE)
NUMBER = re.compile(rb"VRF#[0-9]{2}-[0-9]{2}-[A-Z]{5}")


@pytest.fixture
def office(serve: Callable[..., Daemon], smarthost: Sink, database_url: str) -> Office:
    """One that acknowledges as it comes, on each database."""
    node = serve(database_url=database_url, **settings(smarthost), POLICY__ACKNOWLEDGE_HOURS="24")
    return Office(node, smarthost)


def acknowledgements(sink: Sink) -> list[Delivered]:
    return [one for one in list(sink.taken) if b"\r\nAuto-Submitted: auto-replied\r\n" in one.data]


@pytest.mark.row("S21")
@pytest.mark.row("S22")
@pytest.mark.row("S23")
@pytest.mark.row("S24")
@pytest.mark.row("S26")
def test_everybody_is_told_the_same_and_nobody_who_did_not_write(
    office: Office, acme: Organisation, organisations: Callable[[str], Organisation]
) -> None:
    office.vendor(acme)
    vu = office.open(acme)
    office.node.run("case", "notify", str(vu), "--without-details")
    office.letters_to(acme, 1)
    eve, jo = organisations("Eve"), organisations("Finder")
    missing = 999999 if vu != 999999 else 999998
    answered = [
        (eve.address, eve.signed(f"VU#{vu}: what do you know?", "Send all.\n")),
        (jo.address, jo.plain(f"VU#{missing}: is there anything?", "I have found it too.\n")),
        (acme.address, acme.plain(f"Re: [VU#{vu}]", "We look into it.\n")),
        ("sam@other.example", acme.plain("a report", "x\n").replace(acme.address.encode(), b"sam@other.example")),
    ]
    unanswered = [
        ("sam@evil.example", acme.plain(f"VU#{vu}", "x\n").replace(acme.address.encode(), b"victim@third.example")),
        ("", jo.plain("Undelivered mail", "x\n").replace(jo.address.encode(), b"daemon@relay.example")),
        (ANA, acme.plain(f"VU#{vu}: publish it", "x\n").replace(acme.address.encode(), ANA.encode())),
        ("rob@robot.example", b"Auto-Submitted: auto-generated\r\n"
         + jo.plain("nightly report", "x\n").replace(jo.address.encode(), b"rob@robot.example")),
        (eve.address, eve.plain(f"VU#{vu}: and?", "Well?\n")),  # has had hers
    ]  # fmt: skip
    said = {conversation(office.node.smtp_port, sender, raw) for sender, raw in (*answered, *unanswered)}
    assert len(said) == 1
    office.handed_in += len(answered) + len(unanswered) - 1
    office.received()

    until(lambda: len(acknowledgements(office.sink)) >= len(answered), "the acknowledgements")
    sent = acknowledgements(office.sink)
    assert sorted(message_from_bytes(one.data)["To"] for one in sent) == sorted(sender for sender, _ in answered)
    assert all(one.mail.startswith(b"FROM:<>") for one in sent)
    numbers = [set(NUMBER.findall(one.data)) for one in sent]
    assert [len(found) for found in numbers] == [1] * len(sent)
    assert len(set.union(*numbers)) == len(sent), "each its own, and nothing else differs"
    assert len({NUMBER.sub(b"", VARYING.sub(b"", one.data)) for one in sent}) == 1
    assert not any(b"VU#" in one.data or b"Acme" in one.data for one in sent)
    letters = office.node.json("outbox", "list")
    assert [(one["vu"], one["state"], one["signed"]) for one in letters if one["letter"] == "acknowledgement"] == [
        (None, "sent", False)
    ] * len(answered)
    assert {item["from"] for item in office.queue("review")} == {eve.address, jo.address, ANA, "victim@third.example"}
    assert [m["from"] for m in office.case(vu)["messages"] if m["direction"] == "in"] == [acme.address]
    assert office.node.json("books")["balanced"]
