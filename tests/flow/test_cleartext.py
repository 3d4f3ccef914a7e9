"""Consent to clear text, by mail and by an analyst's word; what it opens, and what it never does."""

from datetime import timedelta

import pytest

from mailrouter import faults
from mailrouter.flow.actor import Actor
from mailrouter.flow.casework import contacting, write
from mailrouter.flow.casework.write import Draft
from mailrouter.flow.filing import file
from mailrouter.flow.people import directory
from mailrouter.flow.sending import outgoing, sealing
from mailrouter.mail.envelope import Envelope
from mailrouter.store.outbox import Letter
from mailrouter.store.tables import pinned_keys
from tests.flow.world import PSIRT, VENDOR, VU, MakeWorld, World
from tests.servers.sink import Sink

YES, NO = "Clear text: yes\r\n", "Clear text: no\r\n"


@pytest.fixture
def house(worlds: MakeWorld) -> World:
    """A vendor without a key has been written to, and a confidential letter to it is held."""
    world = worlds(TRUST__AUTHSERV_ID="mx.cert.example")
    world.vendor_case()
    write.write(world.tools, world.alice, VU, [VENDOR], Draft("The details.", confidential=True))
    world.deliver()
    return world


def held(world: World) -> Letter:
    """The confidential letter."""
    [letter] = world.letters("write")
    return letter


def released(world: World) -> Letter:
    """After the analyst's word."""
    outgoing.release(world.tools, world.alice, held(world).id)
    world.deliver()
    return held(world)


def given(world: World) -> str:
    """Our address that this vendor was given."""
    return str(world.sent_to(PSIRT)[0]["Reply-To"])


def answer(world: World, body: str, how: str) -> Envelope:
    """The vendor's mail, with this evidence that it is theirs."""
    match how:
        case "signed":
            return world.signed(f"VU#{VU}\n{body}")
        case "signed, another case's":
            return world.signed(body)
        case "authenticated":
            passed = "Authentication-Results: mx.cert.example; dmarc=pass header.from=vendor.example"
            return world.mail(PSIRT, f"Re: VU#{VU}", body, passed)
        case "token, forged":
            failed = "Authentication-Results: mx.cert.example; dmarc=fail header.from=vendor.example"
            return world.mail(PSIRT, f"Re: VU#{VU}", body, failed, to=(given(world),))
        case "token":
            return world.mail(PSIRT, f"Re: VU#{VU}", body, to=(given(world),))
        case "token, unregistered":
            return world.mail("someone@vendor.example", f"Re: VU#{VU}", body, to=(given(world),))
        case "claimed":
            return world.mail(PSIRT, f"Re: VU#{VU}", body)
    return world.mail("eve@eve.example", f"Re: VU#{VU}", body, to=(given(world),))


def consent(world: World) -> tuple[bool, str]:
    """Whether it stands, and who says so."""
    one = world.participant()
    return one.clear_text_at is not None, one.clear_text_by


@pytest.mark.parametrize("how", ["signed", "authenticated", "token"])
def test_what_is_surely_theirs_applies_by_itself(house: World, how: str) -> None:
    if how == "token":
        house.with_trust(authserv_id="", answers_from="claimed")  # no evidence of the transport is to be had
    if how == "signed":
        pin_to_sign_only(house)
    message = house.fed(answer(house, YES, how))
    assert consent(house) == (True, f"message:{message.id}")
    assert held(house).state == "held"  # nothing leaves by itself
    [told] = [why for why in house.notices() if "consents to clear text" in why]
    waits = held(house).id
    assert f"(message {message.id}); held: letter {waits}; `mailrouter outbox release {waits}`" in told
    entry = next(e for e in house.journal() if e.kind == "participant.clear-text")
    assert dict(entry.data) == {"participant": house.participant().id, "allowed": True, "message": message.id}


@pytest.mark.parametrize("how", ["claimed", "token", "token, forged", "token, unregistered", "signed, another case's"])
def test_what_is_not_surely_theirs_is_a_notice_with_the_command(house: World, how: str) -> None:
    if how.startswith("signed"):
        pin_to_sign_only(house)
    house.feed(answer(house, YES, how))
    assert consent(house) == (False, "")
    [told] = [why for why in house.notices() if "not surely" in why]
    assert f"`mailrouter participant set VU#{VU} {VENDOR} --clear-text yes --why 'they confirmed it'`" in told
    assert released(house).state == "held"


def test_a_strangers_word_is_nothing(house: World) -> None:
    before = house.notices()
    house.feed(answer(house, YES, "stranger"))
    assert (consent(house), house.notices()) == ((False, ""), before)


BELOW = "No.\r\n\r\nFrom: CERT\r\nSent: today\r\nTo: you\r\nSubject: x\r\n\r\n"


@pytest.mark.parametrize("body", [f"> {YES}", BELOW + YES], ids=["marked", "below a mail's headers"])
def test_a_quoted_line_is_nothing(house: World, body: str) -> None:
    before = house.notices()
    house.feed(answer(house, body, "authenticated"))
    assert (consent(house), house.notices()) == ((False, ""), before)


def test_what_is_confidential_then_leaves_signed_and_in_clear(house: World) -> None:
    house.feed(answer(house, YES, "authenticated"))
    letter = released(house)
    assert (letter.state, letter.signed, letter.encrypted) == ("sent", True, False)
    assert b"The details." in (letter.sealed or b"")
    [mail] = [one for one in house.sent_to(PSIRT) if one["Message-ID"] == letter.message_id]
    assert mail.get_content_type() == "multipart/signed"
    assert "A flaw in everything" not in mail.as_string()  # the title never stands outside


def test_it_is_taken_back_by_a_line_too(house: World) -> None:
    house.feed(answer(house, YES, "authenticated"), answer(house, NO, "authenticated"))
    assert consent(house) == (False, "")
    assert released(house).state == "held"
    said = [e.data["allowed"] for e in house.journal() if e.kind == "participant.clear-text"]
    assert said == [True, False]


def test_who_has_a_usable_key_gets_letters_encrypted_all_the_same(house: World) -> None:
    house.feed(answer(house, YES, "authenticated"))
    house.pin(VENDOR, house.keymaker.vendor)
    letter = released(house)
    assert (letter.state, letter.encrypted) == ("sent", True)


@pytest.mark.row("P121")
def test_a_key_given_later_ends_the_consent_even_when_it_expires(house: World) -> None:
    house.feed(answer(house, YES, "authenticated"))
    house.day(2)
    house.pin(VENDOR, house.keymaker.vendor)
    with house.writing() as tx:
        tx.execute(pinned_keys.update().values(expires_at=house.clock() - timedelta(hours=1)))
    assert released(house).state == "held"


@pytest.mark.row("P121")
def test_retiring_that_key_brings_no_old_consent_back(house: World) -> None:
    house.feed(answer(house, YES, "authenticated"))
    house.day(1)
    house.pin(VENDOR, house.keymaker.vendor)
    house.day(2)
    directory.retire_key(house.tools, house.alice, VENDOR, house.keymaker.vendor.fingerprint, "stolen")
    assert released(house).state == "held"
    house.day(3)
    contacting.decide_clear_text(
        house.tools, house.alice, VU, VENDOR, allowed=True, why="they have no key, and know it"
    )
    assert released(house).state == "sent"  # a consent given since counts


@pytest.mark.row("P121")
@pytest.mark.parametrize("migrated_url", ["sqlite"], indirect=True)
def test_between_the_old_key_and_the_next_no_persons_letter_leaves_in_clear(house: World) -> None:
    house.pin(VENDOR, house.keymaker.vendor)
    directory.retire_key(house.tools, house.alice, VENDOR, house.keymaker.vendor.fingerprint, "rollover")
    [made] = write.write(house.tools, house.alice, VU, [VENDOR], Draft("As agreed."))
    house.deliver()
    letter = next(one for one in house.letters("write") if one.id == made)
    assert (letter.state, letter.why.startswith(sealing.WORN_OUT)) == ("held", True)
    house.pin(VENDOR, house.keymaker.eve)
    outgoing.release(house.tools, house.alice, made)
    house.deliver()
    letter = next(one for one in house.letters("write") if one.id == made)
    assert (letter.state, letter.encrypted) == ("sent", True)


def test_a_letter_that_is_tried_again_does_not_outlive_the_consent(worlds: MakeWorld, smarthost: Sink) -> None:
    world = worlds(RELAY__URL=f"smtp://127.0.0.1:{smarthost.port}")
    world.vendor_case()
    contacting.decide_clear_text(world.tools, world.alice, VU, VENDOR, allowed=True, why="agreed on the telephone")
    smarthost.replies["RCPT"] = "451 4.3.0 later"
    write.write(world.tools, world.alice, VU, [VENDOR], Draft("The details.", confidential=True))
    world.deliver()
    assert (held(world).state, held(world).encrypted, held(world).sealed is None) == ("queued", False, False)
    contacting.decide_clear_text(world.tools, world.alice, VU, VENDOR, allowed=False, why="they changed their mind")
    del smarthost.replies["RCPT"]
    world.clock.forward(hours=1)
    world.deliver()
    assert (held(world).state, held(world).why) == ("held", sealing.CONSENT_ENDED)
    assert len(smarthost.taken) == 1


def test_an_analyst_records_it_and_takes_it_back(house: World) -> None:
    contacting.decide_clear_text(house.tools, house.alice, VU, VENDOR, allowed=True, why="agreed on the telephone")
    assert consent(house) == (True, "alice")
    entry = house.journal()[-1]
    assert (entry.kind, entry.actor, entry.data["allowed"], entry.data["why"]) == (
        "participant.clear-text", "alice", True, "agreed on the telephone",
    )  # fmt: skip
    assert released(house).state == "sent"
    contacting.decide_clear_text(house.tools, house.alice, VU, VENDOR, allowed=False, why="they changed their mind")
    assert consent(house) == (False, "")
    write.write(house.tools, house.alice, VU, [VENDOR], Draft("More.", confidential=True))
    house.deliver()
    assert house.letters("write")[-1].state == "held"


def test_only_an_analyst_can(house: World) -> None:
    with pytest.raises(faults.Illegal, match="needs an analyst"):
        contacting.decide_clear_text(house.tools, Actor("unix:root"), VU, VENDOR, allowed=True, why="x")


def test_it_counts_for_one_case_alone(house: World) -> None:
    house.feed(answer(house, YES, "authenticated"))
    house.case(VENDOR, vu=654321)
    assert house.participant(vu=654321).clear_text_at is None


def test_an_analyst_who_vouches_for_the_mail_vouches_for_its_line(house: World) -> None:
    message = house.fed(answer(house, YES, "claimed"))
    file.route(house.tools, house.alice, message.id, VU, VENDOR)
    assert consent(house) == (True, f"message:{message.id}")


def pin_to_sign_only(world: World) -> None:
    """The vendor's key is pinned, but nothing can be encrypted to it."""
    world.pin(VENDOR, world.keymaker.vendor)
    with world.writing() as tx:
        tx.execute(pinned_keys.update().values(can_encrypt=False))
