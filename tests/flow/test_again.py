"""A signed mail sent again by somebody who has it: filed, flagged and shown, and nothing else comes of it."""

import re
from dataclasses import replace

import pytest

from mailrouter.flow.casework import coordinate, write
from mailrouter.flow.casework.write import Draft
from mailrouter.flow.filing import file
from mailrouter.mail.envelope import Envelope
from mailrouter.store import messages
from mailrouter.store.messages import Message, Signing
from tests.flow.world import PSIRT, VENDOR, VU, World
from tests.pgp import mails as sealed_mails
from tests.pgp.forge import armor

ANSWER = f"VU#{VU}: do not tell anyone yet, we are affected.\n"
QUESTION = f"Re: VU#{VU} question"
OTHER = 654321


@pytest.fixture
def house(world: World) -> World:
    """A vendor with a pinned key, written to."""
    world.vendor_case(key=True)
    return world


def again(house: World, first: Envelope, subject: str = f"VU#{VU} statement") -> Envelope:
    """What is signed, as it is, in another mail that says it is the vendor's."""
    raw = re.sub(rb"(?m)^Message-ID: <", b"Message-ID: <again-", first.raw)
    return house.envelope(re.sub(rb"(?m)^Subject: [^\r]*", f"Subject: {subject}".encode(), raw, count=1))


def shown(got: Message) -> tuple[str, str, str]:
    return got.place, got.assurance, got.flags


@pytest.mark.row("P91")
@pytest.mark.row("P94")
def test_a_signed_answer_is_no_statement_under_another_subject(house: World) -> None:
    first = house.signed(ANSWER, QUESTION)
    house.feed(first)
    clocks = house.deadlines()
    got = house.fed(again(house, first))
    assert shown(got) == ("filed", "verified", "repeated")
    assert [(s.state, s.reason) for s in house.statements()] == [("held", "the same signed text came before")]
    assert (house.turn(), house.deadlines()) == ("us", clocks)
    assert [item.item.message_id for item in house.queue("alice")][-1] == got.id


@pytest.mark.row("P91")
def test_an_old_answer_again_ends_no_silence(house: World) -> None:
    first = house.signed(ANSWER, QUESTION)
    got = house.fed(first)
    [item] = [shown.item for shown in house.queue("alice") if shown.item.message_id == got.id]
    file.done(house.tools, house.alice, item.id)
    write.write(house.tools, house.alice, VU, [VENDOR], Draft("Any news?"))
    clocks = house.deadlines()
    got = house.fed(again(house, first, QUESTION))
    assert got.why == "does not count as an answer: the same signed text came before"
    assert (house.turn(), house.deadlines()) == ("them", clocks)


@pytest.mark.row("P91")
def test_a_consent_that_was_withdrawn_does_not_come_back(house: World) -> None:
    yes = house.signed(f"VU#{VU}\nClear text: yes\n", QUESTION)
    house.feed(yes)
    assert house.participant().clear_text_at is not None
    house.clock.forward(hours=1)
    house.feed(house.signed(f"VU#{VU}\nClear text: no\n", QUESTION))
    house.feed(again(house, yes, QUESTION))
    assert house.participant().clear_text_at is None


@pytest.mark.row("P92")
def test_nor_does_an_answer_out_of_another_case_count(house: World) -> None:
    house.case(VENDOR, vu=OTHER)
    first = house.signed("We are looking into it.\n", f"Re: VU#{OTHER}")
    house.feed(first)
    before = house.turn()
    got = house.fed(again(house, first, QUESTION))
    assert (got.flags.split(), house.turn()) == (["replay", "unbound"], before)
    assert got.why == "does not count as an answer: the same signature came before, in another case"


def as_message(house: World) -> tuple[Envelope, Envelope]:
    """One signature, as PGP/MIME and, made without the key, around what it signs."""
    entity = b"Content-Type: text/plain\r\n\r\n" + ANSWER.replace("\n", "\r\n").encode()
    keymaker = house.keymaker
    signature = keymaker.sign(entity, keymaker.vendor, more=house._faked(None))
    packet = keymaker.gpg("--dearmor", given=signature)
    signer = bytes.fromhex(keymaker.vendor.fingerprint)[-8:]
    sort, algorithm, digest = packet[packet.index(b"\x04") + 1 :][:3]
    once = b"\x90\x0d\x03" + bytes((sort, digest, algorithm)) + signer + b"\x01"
    literal = b"b\0\0\0\0\0" + entity
    whole = once + b"\xae" + len(literal).to_bytes(4, "big") + literal + packet
    block = armor("MESSAGE", whole).replace(b"\n", b"\r\n")
    mail = sealed_mails.signed(signature, entity, house._head(PSIRT, QUESTION, ""))
    other = sealed_mails.text(block, house._head(PSIRT, f"VU#{VU} statement", ""))
    return house.envelope(mail), house.envelope(other)


@pytest.mark.row("P91")
def test_one_signing_is_known_in_another_form(house: World) -> None:
    first, other = as_message(house)
    one, two = house.fed(first), house.fed(other)
    assert (one.assurance, one.flags, two.assurance, two.flags) == ("verified", "", "verified", "repeated")
    assert one.signed_digest == two.signed_digest != ""


P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # the order of the curve's group


def respelled(signature: bytes) -> bytes:
    """The ECDSA signature (r, n-s) for (r, s): as good, and made by anybody. Binary, of one octet's length."""
    body = signature[2:]
    hashed = 6 + int.from_bytes(body[4:6], "big")
    numbers = hashed + 2 + int.from_bytes(body[hashed : hashed + 2], "big") + 2
    second = numbers + 2 + (int.from_bytes(body[numbers : numbers + 2], "big") + 7) // 8
    s = P256 - int.from_bytes(body[second + 2 :], "big")
    spelled = s.bit_length().to_bytes(2, "big") + s.to_bytes((s.bit_length() + 7) // 8, "big")
    whole = body[:second] + spelled
    return signature[:1] + bytes([len(whole)]) + whole


@pytest.mark.row("P91")
def test_another_spelling_of_the_signature_is_no_other_signing(house: World) -> None:
    keymaker = house.keymaker
    key = keymaker.make("Vendor of P-256", PSIRT, algorithm="nistp256", usage="sign")
    house.pin(VENDOR, key)
    entity = b"Content-Type: text/plain\r\n\r\n" + ANSWER.replace("\n", "\r\n").encode()
    signature = keymaker.gpg("--dearmor", given=keymaker.sign(entity, key, more=house._faked(None)))
    raws = (
        sealed_mails.signed(armor("SIGNATURE", made), entity, house._head(PSIRT, subject, ""))
        for made, subject in ((signature, QUESTION), (respelled(signature), f"VU#{VU} statement"))
    )
    one, two = (house.fed(house.envelope(raw)) for raw in raws)
    assert one.signature_id != two.signature_id
    assert (shown(one), shown(two)) == (("filed", "verified", ""), ("filed", "verified", "repeated"))
    assert [s.state for s in house.statements()] == ["held"]


@pytest.mark.row("P91")
def test_one_signing_is_known_by_either_spelling_of_its_signature(house: World) -> None:
    """Of an ECDSA signature (r, s) everybody can make (r, -s), as good, with another id of gpg's."""
    got = house.fed(house.signed(ANSWER, QUESTION))
    assert got.participant_id is not None
    one = Signing("another id", got.fingerprint, got.signed_at, got.signed_digest)
    known = [
        (one, 0, got.id), (one, got.mail_id or 0, None),
        (replace(one, signature_id="", signed_digest="0" * 64), 0, None),
        (Signing(got.signature_id, "", None, ""), 0, got.id), (Signing("", "", None, ""), 0, None),
    ]  # fmt: skip
    with house.look() as tx:
        for signing, but, found in known:
            assert messages.signed_before(tx, signing, but) == found
            filed = messages.signing_filed(tx, signing, got.case_id or 0, got.participant_id, but, None)
            assert filed == (got.case_id if found else None)


# ---- what is no such thing -------------------------------------------------------------------------------------------


def test_a_mail_filed_anew_by_hand_is_not_its_own_repetition(house: World) -> None:
    first = house.signed(f"VU#{VU}: not affected.\n", f"VU#{VU} statement")
    got = house.fed(first)
    house.feed(again(house, first))
    file.route(house.tools, house.alice, got.id, VU, VENDOR)
    assert [(s.state, s.message_id == got.id) for s in house.statements()] == [("verified", True), ("held", False)]


def test_a_copy_by_another_road_is_a_copy(house: World) -> None:
    first = house.signed(ANSWER, QUESTION)
    house.feed(first)
    got = house.fed(house.envelope(b"Received: from a list\r\n" + first.raw))
    assert (got.flags, got.why.startswith("a copy of message")) == ("copy", True)


def test_the_vendors_own_counts_after_what_a_list_added_to_or_another_sent(house: World) -> None:
    house.organisation("Eve & Co", "eve@eve.example")
    coordinate.add_vendor(house.tools, house.alice, VU, "Eve & Co")
    own = house.signed(f"VU#{VU}: not affected.\n", f"VU#{VU} statement")
    head, _, body = own.raw.partition(b"MIME-Version: 1.0\r\n")
    mixed = b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="=o"\r\n\r\n--=o\r\n'
    footer = b"\r\n--=o\r\nContent-Type: text/plain\r\n\r\nA list.\r\n--=o--\r\n"
    house.feed(house.envelope(head.replace(b"<mail", b"<list") + mixed + body + footer))
    house.feed(again(house, house.envelope(own.raw.replace(PSIRT.encode(), b"eve@eve.example"))))
    house.feed(own)
    assert house.statements()[-1].state == "verified"
