"""A ciphertext captured on its way and sent by somebody else: a stranger's, whoever that is (testbook P106)."""

import pytest

from mailrouter.flow.filing import look
from mailrouter.mail.envelope import Envelope
from mailrouter.pgp import packets
from mailrouter.store import contacts
from tests.flow.world import PSIRT, VENDOR, VU, World
from tests.pgp import mails

OTHER = 234567
BOLT = "psirt@bolt.example"
SECRET = b"Content-Type: text/plain\r\n\r\nThe flaw is in the parser.\r\n"


@pytest.fixture
def house(world: World) -> World:
    """Two cases, one of Vendor's and one of Bolt's, and a secret of Vendor's on the way."""
    world.vendor_case(key=True)
    world.organisation("Bolt", BOLT, domain="bolt.example")
    world.case("Bolt", vu=OTHER)
    world.deliver()
    return world


def resent(world: World, made: Envelope, sender: str, subject: str) -> Envelope:
    """The same encrypted part in a mail of somebody else's."""
    body = made.raw.partition(b"MIME-Version: 1.0\r\n")[2]
    return world.envelope(world._head(sender, subject, "") + body, sender)


@pytest.mark.row("P106")
def test_another_participant_gets_nothing_for_a_captured_ciphertext(house: World) -> None:
    made = house.encrypted(SECRET, f"VU#{VU}")
    first = house.fed(made)
    got = house.fed(resent(house, made, BOLT, f"VU#{OTHER}"))
    assert (first.place, first.flags) == ("filed", "")
    assert (got.place, got.standing, got.case_id, got.participant_id) == ("review", "stranger", None, None)
    assert got.why == f"what is encrypted in it came before, from another sender: message {first.id}"
    assert "ciphertext-seen" in got.flags.split()
    assert house.turn("Bolt", OTHER) == "them", "it is no answer of theirs"
    house.deliver()
    assert not any("parser" in str(letter) for letter in house.sent()), "nothing is echoed"
    assert "parser" in look.at(house.tools, got.id).text, "an analyst sees what it was"


@pytest.mark.row("P106")
def test_other_session_keys_hide_nothing(house: World) -> None:
    made = house.encrypted(SECRET, f"VU#{VU}")
    first = house.fed(made)
    start = made.raw.index(b"-----BEGIN PGP")
    message = packets.dearmor(made.raw[start:], b"MESSAGE")
    more = packets.dearmor(house.keymaker.encrypt(b"x", house.keymaker.eve), b"MESSAGE")
    raw = mails.encrypted(
        packets.armored(next(packets.packets(more)).raw + message, b"MESSAGE"),
        house._head("eve@eve.example", f"VU#{VU}", ""),
    )
    got = house.fed(house.envelope(raw, "eve@eve.example"))
    assert (got.decrypted, got.place, got.ciphertext) == ("ok", "review", first.ciphertext)
    assert "ciphertext-seen" in got.flags.split()


@pytest.mark.row("P106")
def test_a_stranger_who_names_no_case_waits_for_a_person_too(house: World) -> None:
    made = house.encrypted(SECRET, f"VU#{VU}")
    house.feed(made)
    got = house.fed(resent(house, made, "eve@eve.example", "A question"))
    assert (got.place, got.standing) == ("review", "stranger")


def test_the_sender_and_a_colleague_may_send_it_again(house: World) -> None:
    made = house.encrypted(SECRET, f"VU#{VU}")
    with house.writing() as tx:
        contacts.add_contact(tx, contacts.named(tx, VENDOR).id, "cto@vendor.example")
    house.feed(made)
    for sender in (PSIRT, "cto@vendor.example"):
        got = house.fed(resent(house, made, sender, f"VU#{VU}"))
        assert (got.place, got.flags, got.standing) == ("filed", "", "claimed")
