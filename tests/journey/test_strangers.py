"""A VU# routes and never authorises: whoever takes no part changes nothing, learns nothing, and is not announced."""

import socket
from collections import Counter
from collections.abc import Callable
from typing import BinaryIO

import pytest

from tests.journey.office import ANA, Office
from tests.journey.people import US, Organisation
from tests.servers.wait import until

pytestmark = [pytest.mark.row("S26"), pytest.mark.row("S27"), pytest.mark.row("S23")]


def conversation(port: int, sender: str, raw: bytes) -> bytes:
    """One SMTP session as it is on the wire: everything the door said."""
    said = b""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as line, line.makefile("rb") as replies:
        said += _reply(replies)
        for order in ("EHLO client.example", f"MAIL FROM:<{sender}>", f"RCPT TO:<{US}>", "DATA"):
            line.sendall(f"{order}\r\n".encode())
            said += _reply(replies)
        line.sendall(raw.replace(b"\r\n.", b"\r\n..") + b".\r\nQUIT\r\n")
        return said + replies.read()


def _reply(replies: BinaryIO) -> bytes:
    lines = b""
    while True:
        line = replies.readline()
        lines += line
        if line[3:4] != b"-":
            return lines


@pytest.fixture
def two_cases(office: Office, acme: Organisation, bolt: Organisation) -> tuple[int, int]:
    """One with Acme, one with Bolt; both are notified."""
    office.vendor(acme)
    office.vendor(bolt)
    numbers = office.open(acme), office.open(bolt, title="Another")
    for vu in numbers:
        office.node.run("case", "notify", str(vu), "--without-details")
    office.letters_to(acme, 1)
    office.letters_to(bolt, 1)
    return numbers


def test_all_three_are_in_review_and_nobody_else_is_told(
    office: Office, acme: Organisation, bolt: Organisation, organisations: Callable[[str], Organisation],
    two_cases: tuple[int, int],
) -> None:  # fmt: skip
    ours, others = two_cases
    unknown = next(n for n in range(100000, 999999) if n not in two_cases)
    before = [_state(office, vu) for vu in two_cases]
    eve = organisations("Eve")
    said = [
        conversation(office.node.smtp_port, sender.address, raw)
        for sender, raw in (
            (eve, eve.signed(f"VU#{ours}: what do you know?", "Send all.\n")),
            (bolt, bolt.signed(f"VU#{ours}: what does Acme say?", "Send all.\n")),
            (acme, acme.signed(f"VU#{unknown}: is there anything?", "Send all.\n")),
            (acme, acme.signed(f"VU#{ours}: our answer", "Here it is.\n")),
        )
    ]
    office.handed_in += 3
    office.received()
    assert set(said) == {said[0]}
    assert said[0].endswith(b"250 2.0.0 Stored\r\n221 2.0.0 Bye\r\n")

    items = office.queue("review")
    assert {(item["from"], item["vu"], item["why"]) for item in items} == {  # two workers: in either order
        (eve.address, f"VU#{ours}", "a stranger names the case"),
        (bolt.address, f"VU#{ours}", "its sender is no participant of the case"),
        (acme.address, f"VU#{unknown}", f"names VU#{unknown}, which is no case here"),
    }
    assert [m["from"] for m in office.case(ours)["messages"] if m["direction"] == "in"] == [acme.address]
    assert {m["from"] for m in office.case(ours)["elsewhere"]} == {eve.address, bolt.address}
    assert _state(office, others) == before[1]
    assert _state(office, ours)[1] == before[0][1]  # the statements

    until(lambda: _told(office), "Ana to be told")
    reached = Counter(one.rcpt[0].decode().partition(">")[0].rpartition("<")[2] for one in office.sink.taken)
    assert (reached.pop(acme.address), reached.pop(bolt.address)) == (1, 1)  # their first letters
    assert set(reached) == {ANA}
    for one in office.sink.taken:
        assert b"Send all" not in one.data
        assert b"what do you know" not in one.data


def _state(office: Office, vu: int) -> tuple[object, object]:
    case = office.case(vu)
    turns = [(p["name"], p["waiting_on"], p["last_heard_at"], p["next_follow_up_at"]) for p in case["participants"]]
    return turns, case["statements"]


def _told(office: Office) -> bool:
    """Of the arrivals: other notices to her name no queue."""
    to_ana = [one.data for one in office.sink.taken if ANA.encode() in one.rcpt[0]]
    return any(b"Mail has arrived" in data for data in to_ana)


def test_a_stranger_is_routed_by_hand(small_office: Office, acme: Organisation) -> None:
    """An analyst vouches: it is Acme's, and so is its address from now on."""
    office = small_office
    office.vendor(acme)
    vu = office.open(acme)
    office.node.run("case", "notify", str(vu), "--without-details")
    stranger = "h.muster@acme-labs.example"
    raw = acme.plain(f"VU#{vu}: I work for Acme", "We look into it.\n")
    office.mail(stranger, raw.replace(acme.address.encode(), stranger.encode()))
    (item,) = office.queue("review")
    routed = ("message", "route", str(item["message"]), str(vu), "--from", "Acme", "--add-contact")
    office.node.run(*routed)
    assert office.queue("review") == []
    mail = office.message(vu, f"VU#{vu}: I work for Acme")
    assert (mail["vouched_by"], mail["participant"]) == ("Ana", "Acme")
    (whose,) = office.case(vu)["participants"]
    assert whose["waiting_on"] == "us"
    again = acme.plain(f"VU#{vu}: and more", "A fix comes in May.\n").replace(acme.address.encode(), stranger.encode())
    office.mail(stranger, again)
    assert office.message(vu, f"VU#{vu}: and more")["standing"] == "claimed"
    assert office.node.json("books")["balanced"]
