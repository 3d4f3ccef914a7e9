"""Letters on their way: sealed once, sent the same each time, held, failed, braked; through a real smarthost."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_bytes
from email.utils import parseaddr, parsedate_to_datetime

import pytest

from mailrouter.flow import letters
from mailrouter.flow.casework import contacting, coordinate, write
from mailrouter.flow.casework.write import Draft
from mailrouter.flow.sending import deliver, outgoing, sealing
from mailrouter.mail.pgpmime import Verdict
from mailrouter.store import analysts, cases, contacts, outbox
from mailrouter.store.inbox import Holder
from mailrouter.store.outbox import Letter
from tests.flow.world import OURS, PSIRT, VENDOR, VU, MakeWorld, World
from tests.servers.clock import START
from tests.servers.sink import CLOSE, Sink

Sinks = Callable[..., Sink]


@pytest.fixture
def house(worlds: MakeWorld, smarthost: Sink) -> World:
    """A house whose letters go to a real smarthost; one vendor has been written to, nothing has left."""
    world = worlds(RELAY__URL=f"smtp://127.0.0.1:{smarthost.port}")
    world.organisation(VENDOR, PSIRT)
    world.case(VENDOR)
    return world


def only(world: World, name: str = "notification") -> Letter:
    [letter] = world.letters(name)
    return letter


def letter_to(world: World, **draft: object) -> Letter:
    """Alice's own letter; its row."""
    [made] = write.write(world.tools, world.alice, VU, [VENDOR], Draft("Details.", **draft))  # type: ignore[arg-type]
    return next(letter for letter in world.letters("write") if letter.id == made)


# ---- what leaves ----------------------------------------------------------------------------------------------------


def test_a_letter_leaves_once_signed_and_is_recorded(house: World, smarthost: Sink) -> None:
    house.deliver()
    [taken] = smarthost.taken
    assert taken.rcpt == (f"TO:<{PSIRT}>".encode(),)
    letter = only(house)
    assert (letter.state, letter.sent_at, letter.attempts, letter.signed, letter.encrypted) == (
        "sent", house.clock(), 1, True, False,
    )  # fmt: skip
    assert letter.sealed == taken.data
    mail = message_from_bytes(taken.data)
    assert (mail["To"], mail["Message-ID"], parseaddr(mail["From"])) == (PSIRT, letter.message_id, ("Our CERT", OURS))
    assert parsedate_to_datetime(mail["Date"]) == letter.made_at
    opened = house.tools.pgp.open(
        taken.data, [house.keymaker.cert.public], lambda _: [], house.clock() + timedelta(days=9999)
    )
    assert (opened.verdict, opened.covers, opened.fingerprint) == (Verdict.GOOD, "all", house.keymaker.cert.fingerprint)
    assert [e.kind for e in house.journal()][-2:] == ["letter.sent", "participant.informed"]


def test_a_pinned_key_encrypts_and_only_a_neutral_subject_shows(worlds: MakeWorld, smarthost: Sink) -> None:
    world = worlds(RELAY__URL=f"smtp://127.0.0.1:{smarthost.port}")
    world.organisation(VENDOR, PSIRT, key=world.keymaker.vendor)
    world.case(VENDOR)
    world.deliver()
    [taken] = smarthost.taken
    assert (only(world).encrypted, b"multipart/encrypted" in taken.data, b"A flaw" in taken.data) == (True, True, False)
    armored = taken.data[taken.data.index(b"-----BEGIN PGP MESSAGE") :]
    plain = world.keymaker.gpg("--decrypt", given=armored)
    assert f"VU#{VU}".encode() in plain


def test_each_letter_has_a_reverse_path_of_its_own_so_that_bounces_say_which(house: World, smarthost: Sink) -> None:
    letter_to(house)
    house.deliver()
    paths = [taken.mail.split(b">")[0].removeprefix(b"FROM:<").decode() for taken in smarthost.taken]
    assert paths == [letter.reverse_path for letter in house.letters()]
    assert [path.partition(".")[0] for path in paths] == ["cert+b1", "cert+b2"]


def test_a_participant_answers_to_an_address_that_says_which_case_and_participant(house: World) -> None:
    letter_to(house)
    house.day(14)
    house.beat()
    house.deliver()
    mails = [message_from_bytes(letter.sealed or b"") for letter in house.letters()]
    [answers_to] = {mail["Reply-To"] for mail in mails}
    assert answers_to.startswith(f"cert+vu{VU}.")
    assert {parseaddr(mail["From"])[1] for mail in mails} == {OURS}


def test_letters_to_our_own_staff_say_nothing_of_a_case_in_their_addresses(house: World) -> None:
    with house.writing() as tx:
        order = letters.Order("operator-alarm", {"node": "n1", "since": "", "alarm": "x", "details": "", "analyst": ""})
        letters.to_staff(tx, house.tools, "root@cert.example", order, house.clock())
    house.deliver()
    sent = message_from_bytes(only(house, "operator-alarm").sealed or b"")
    assert sent["Reply-To"] is None
    assert (only(house, "operator-alarm").reverse_path or "").startswith("cert+b2.")


def test_without_a_separator_letters_come_from_and_go_back_to_the_plain_address(
    worlds: MakeWorld, smarthost: Sink
) -> None:
    world = worlds(RELAY__URL=f"smtp://127.0.0.1:{smarthost.port}", IDENTITY__SEPARATOR="")
    world.organisation(VENDOR, PSIRT)
    world.case(VENDOR)
    world.deliver()
    [taken] = smarthost.taken
    assert taken.mail.startswith(f"FROM:<{OURS}>".encode())
    assert message_from_bytes(taken.data)["Reply-To"] is None


def test_the_envelope_sender_stays_whatever_the_settings_say_later(house: World, smarthost: Sink) -> None:
    smarthost.replies["RCPT"] = "451 4.3.0 later"
    house.deliver()
    changed = replace(house.tools.settings.identity, separator="-", address="new@cert.example")
    house.tools = replace(house.tools, settings=replace(house.tools.settings, identity=changed))
    del smarthost.replies["RCPT"]
    house.clock.forward(hours=1)
    house.deliver()
    [taken] = smarthost.taken
    assert taken.mail.startswith(b"FROM:<cert+b1.")


def test_follow_ups_say_that_a_machine_wrote_them_and_peoples_letters_do_not(house: World, smarthost: Sink) -> None:
    letter_to(house)
    house.day(14)
    house.beat()
    house.deliver()
    mails = {letter.name: message_from_bytes(letter.sealed or b"") for letter in house.letters()}
    assert mails["follow-up-1"]["Auto-Submitted"] == "auto-generated"
    assert (mails["write"]["Auto-Submitted"], mails["notification"]["Auto-Submitted"]) == (None, None)
    assert not any(mail["Precedence"] for mail in mails.values())


def test_the_first_accepted_letter_sets_our_date(house: World) -> None:
    house.clock.forward(days=1)
    with house.look() as tx:
        assert cases.by_vu(tx, VU).first_contact_at is None
    house.deliver()
    house.clock.forward(days=3)
    letter_to(house)
    house.deliver()
    with house.look() as tx:
        case = cases.by_vu(tx, VU)
    assert case.first_contact_at == house.clock() - timedelta(days=3)
    assert case.planned_at == case.first_contact_at + timedelta(days=45)


# ---- trouble on the way ---------------------------------------------------------------------------------------------


@pytest.mark.row("R24")
def test_every_try_sends_the_same_bytes(house: World, smarthost: Sink) -> None:
    smarthost.replies["dot"] = CLOSE  # it has read the mail, and dies before its 250
    house.deliver()
    assert (only(house).state, only(house).attempts) == ("queued", 1)
    house.clock.forward(hours=1)
    house.deliver()
    smarthost.replies.clear()
    house.clock.forward(hours=2)
    house.deliver()
    first, second, third = smarthost.taken
    assert first.data == second.data == third.data == only(house).sealed
    assert (only(house).state, only(house).attempts) == ("sent", 3)
    house.clock.forward(days=1)
    house.deliver()
    assert len(smarthost.taken) == 3


@pytest.mark.row("R23")
def test_a_smarthost_that_is_away_for_hours_gets_everything_once(house: World, smarthost: Sink) -> None:
    smarthost.replies["connect"] = "421 4.3.2 not now"
    for _ in range(9):
        letter_to(house)
    for _ in range(12):
        house.deliver()
        house.clock.forward(minutes=30)
    assert smarthost.taken == []
    assert {letter.state for letter in house.letters()} == {"queued"}
    smarthost.replies.clear()
    house.clock.forward(hours=1)
    house.deliver()
    assert len(smarthost.taken) == len({message_from_bytes(one.data)["Message-ID"] for one in smarthost.taken}) == 10
    assert {letter.state for letter in house.letters()} == {"sent"}


@pytest.mark.row("R23")
def test_a_temporary_refusal_is_tried_again_warned_of_after_4_hours_and_failed_after_5_days(
    house: World, smarthost: Sink
) -> None:
    smarthost.replies["RCPT"] = "451 4.2.1 busy"
    pauses, hours = [], 0.0
    while only(house).state == "queued" and hours < 24 * 7:
        house.deliver()
        letter = only(house)
        if letter.next_attempt_at and letter.state == "queued":
            pauses.append(letter.next_attempt_at - house.clock())
            if hours <= 4:
                assert house.notices() == []
            house.clock.to(letter.next_attempt_at)
            hours = (house.clock() - letter.made_at) / timedelta(hours=1)
    assert timedelta(minutes=1) <= min(pauses) <= timedelta(minutes=2)
    assert max(pauses) <= timedelta(hours=1)
    assert 24 * 5 <= hours <= 24 * 5 + 1
    assert (only(house).state, only(house).why) == ("failed", "not delivered in 5 days")
    assert [why.partition(" (")[0] for why in house.notices()] == [
        "letter 1 has not left for 4 hours", "letter 1 failed: not delivered in 5 days",
    ]  # fmt: skip


@pytest.mark.row("R23")
def test_a_permanent_refusal_fails_at_once_and_visibly(house: World, smarthost: Sink) -> None:
    smarthost.replies["RCPT"] = "550 5.7.1 psirt@vendor.example wants no mail from here"
    house.deliver()
    letter = only(house)
    assert (letter.state, letter.why, letter.reply) == ("failed", "refused by the relay (550 5.7.1)", "550 5.7.1")
    assert [(s.item.why, s.vu) for s in house.queue("alice")] == [
        ("letter 1 failed: refused by the relay (550 5.7.1)", VU)
    ]
    assert [e.kind for e in house.journal()][-1] == "letter.failed"
    smarthost.replies.clear()
    outgoing.retry(house.tools, house.alice, letter.id)
    house.deliver()
    assert (only(house).state, house.notices()) == ("sent", [])


def test_one_letter_that_cannot_be_made_holds_up_no_other(house: World, smarthost: Sink) -> None:
    other = letter_to(house)
    with house.writing() as tx:
        outbox.change(tx, only(house).id, recipient="not an\r\naddress")
    house.deliver()
    assert only(house).state == "held"
    assert house.notices() == [f"letter {only(house).id} is held: {only(house).why}"]
    assert [letter.state for letter in house.letters("write") if letter.id == other.id] == ["sent"]


# ---- leases ---------------------------------------------------------------------------------------------------------


@pytest.mark.row("R27")
def test_nothing_is_sent_without_a_live_lease(house: World, smarthost: Sink) -> None:
    with house.writing() as tx:
        letter = outbox.lease(tx, house.tools.holder, house.clock())
    assert letter is not None
    house.clock.forward(minutes=6)  # cut off from the database for that long
    deliver._deliver(house.tools, letter)
    assert (smarthost.taken, only(house).sealed) == ([], None)
    other = house.node("n2")
    assert deliver.work(other)
    assert len(smarthost.taken) == 1
    with house.writing() as tx:
        assert not outbox.record(tx, letter, house.tools.holder, house.clock(), state="failed")
    assert only(house).state == "sent"


def test_another_node_leaves_a_letter_in_hand_alone(house: World, smarthost: Sink) -> None:
    with house.writing() as tx:
        outbox.lease(tx, Holder("n2", "1"), house.clock())
    assert not deliver.work(house.tools)
    house.clock.forward(minutes=5, seconds=1)
    assert deliver.work(house.tools)
    assert len(smarthost.taken) == 1


def test_a_node_that_starts_again_frees_what_it_had_in_hand(house: World) -> None:
    with house.writing() as tx:
        outbox.lease(tx, house.tools.holder, house.clock())
        outbox.begin_life(tx, Holder("n1", "2"))
    assert deliver.work(house.node("n1", "2"))
    assert only(house).state == "sent"


@pytest.mark.row("R24")
def test_a_crash_after_the_smarthost_took_it_sends_the_same_mail_once_more(house: World, smarthost: Sink) -> None:
    with house.writing() as tx:
        letter = outbox.lease(tx, house.tools.holder, house.clock())
    assert letter is not None
    frozen = deliver._freeze(house.tools, letter)
    assert frozen is not None
    assert frozen.sealed is not None
    house.tools.relay.send(frozen.sealed, frozen.reverse_path or "", letter.recipient)  # and here it dies
    with house.writing() as tx:
        outbox.begin_life(tx, Holder("n1", "2"))
    again = house.node("n1", "2")
    while deliver.work(again):
        pass
    first, second = smarthost.taken
    assert (first.data, first.mail) == (second.data, second.mail)
    assert only(house).state == "sent"


def test_many_deliverers_send_each_letter_once(house: World, smarthost: Sink) -> None:
    for _ in range(20):
        letter_to(house)
    nodes = [house.node(f"n{n}") for n in range(4)]

    def all_of(tools: object) -> None:
        while deliver.work(tools):  # type: ignore[arg-type]
            pass

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(all_of, nodes))
    all_of(house.tools)
    ids = [message_from_bytes(taken.data)["Message-ID"] for taken in smarthost.taken]
    assert len(ids) == len(set(ids)) == 21
    assert {letter.state for letter in house.letters()} == {"sent"}


# ---- held, released, braked -----------------------------------------------------------------------------------------


def test_confidential_without_a_key_is_held_and_leaves_encrypted_once_there_is_one(
    house: World, smarthost: Sink
) -> None:
    house.deliver()
    held = letter_to(house, confidential=True)
    house.deliver()
    assert [letter.state for letter in house.letters("write")] == ["held"]
    lacks = f"no key of {VENDOR} is pinned: `mailrouter vendor add-key {VENDOR} FILE` pins one"
    release = f"`mailrouter outbox release {held.id}`"
    consent = f"`mailrouter participant set VU#{VU} {VENDOR} --clear-text yes --why 'they agreed'`"
    [told] = house.notices()
    assert told.startswith(f"letter {held.id} is held: {sealing.NO_KEY}: {lacks}, or once they agreed to clear text: ")
    assert told.endswith(f": {consent}; then {release}")
    outgoing.release(house.tools, house.alice, held.id)
    house.deliver()
    assert [letter.state for letter in house.letters("write")] == ["held"]  # looked at again, held again
    assert len(house.notices()) == 1
    house.pin(VENDOR, house.keymaker.vendor)
    outgoing.release(house.tools, house.alice, held.id)
    house.deliver()
    [sent] = house.letters("write")
    assert (sent.state, sent.encrypted, len(smarthost.taken)) == ("sent", True, 2)
    assert b"Details." not in smarthost.taken[1].data


@pytest.mark.row("P121")
@pytest.mark.parametrize("migrated_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("by_hand", [False, True], ids=["tried again", "held and released"])
@pytest.mark.parametrize("ended", [{"retired_at": START}, {"revoked_at": START}, {"expires_at": START}], ids=str)
def test_a_sealed_letter_does_not_leave_to_a_key_that_has_ended_since(
    house: World, smarthost: Sink, ended: dict[str, datetime], by_hand: bool
) -> None:
    house.pin(VENDOR, house.keymaker.vendor)
    house.deliver()
    smarthost.replies["RCPT"] = "451 4.3.0 later"
    made = letter_to(house, confidential=True).id
    house.deliver()
    del smarthost.replies["RCPT"]
    if by_hand:
        outgoing.hold(house.tools, house.alice, made)
    house.pin(VENDOR, house.keymaker.eve)  # the next one makes the old bytes no better
    with house.writing() as tx:
        mine = contacts.pinned_keys.c.fingerprint == house.keymaker.vendor.fingerprint
        tx.execute(contacts.pinned_keys.update().where(mine).values(ended))
    if by_hand:
        outgoing.release(house.tools, house.alice, made)
    house.clock.forward(hours=1)
    house.deliver()
    [held] = house.letters("write")
    assert (held.state, held.why, held.encrypted) == ("held", sealing.KEY_ENDED, True)
    assert len(smarthost.taken) == 1
    assert any(f"letter {made} is held" in why for why in house.notices())


@pytest.mark.parametrize("migrated_url", ["sqlite"], indirect=True)
def test_a_sealed_letter_outlives_another_key_of_theirs(house: World, smarthost: Sink) -> None:
    house.pin(VENDOR, house.keymaker.vendor)
    smarthost.replies["RCPT"] = "451 4.3.0 later"
    house.deliver()
    del smarthost.replies["RCPT"]
    sealed = only(house).sealed
    house.pin(VENDOR, house.keymaker.eve)
    with house.writing() as tx:
        contacts.retire(tx, only(house).participant_id or 0, house.keymaker.eve.fingerprint, house.clock())
    house.clock.forward(hours=1)
    house.deliver()
    assert (only(house).state, only(house).encrypted, smarthost.taken[-1].data) == ("sent", True, sealed)


@pytest.mark.parametrize("migrated_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("replaced", [False, True])
def test_a_sealed_notice_leaves_only_to_the_key_the_analyst_has_now(
    worlds: MakeWorld, smarthost: Sink, replaced: bool
) -> None:
    world = worlds(RELAY__URL=f"smtp://127.0.0.1:{smarthost.port}")
    first, second = world.keymaker.vendor.public, world.keymaker.eve.public
    assert world.alice.analyst_id
    with world.writing() as tx:
        analysts.change(tx, world.alice.analyst_id, fingerprint=first.fingerprint, key=first.data)
        order = letters.Order("operator-alarm", {"node": "n1", "since": "", "alarm": "x", "details": "", "analyst": ""})
        letters.to_staff(tx, world.tools, "alice@cert.example", order, world.clock())
    smarthost.replies["RCPT"] = "451 4.3.0 later"
    world.deliver()
    del smarthost.replies["RCPT"]
    if replaced:
        with world.writing() as tx:
            analysts.change(tx, world.alice.analyst_id, fingerprint=second.fingerprint, key=second.data)
    world.clock.forward(hours=1)
    world.deliver()
    letter = only(world, "operator-alarm")
    assert (letter.state, letter.encrypted) == ("held" if replaced else "sent", True)


@pytest.mark.row("P121")
def test_a_persons_letter_to_a_worn_out_key_is_held_not_sent_in_clear(house: World, smarthost: Sink) -> None:
    house.pin(VENDOR, house.keymaker.vendor)
    with house.writing() as tx:
        tx.execute(contacts.pinned_keys.update().values(expires_at=house.clock() - timedelta(days=1)))
    house.deliver()
    assert only(house).state == "sent"  # the first letter holds no details
    letter_to(house)
    house.deliver()
    [held] = house.letters("write")
    assert held.state == "held"
    assert f"of {VENDOR} expired on 20" in held.why
    assert len(smarthost.taken) == 1


def test_a_confidential_letter_never_leaves_in_clear(house: World, smarthost: Sink) -> None:
    house.pin(VENDOR, house.keymaker.vendor)
    house.deliver()
    letter_to(house, confidential=True)
    with house.writing() as tx:
        tx.execute(outbox.letters.update().where(outbox.letters.c.state == "queued").values(why=""))
        theirs = cases.participants_of(tx, [1])[0].organisation_id
        contacts.retire(tx, theirs, house.keymaker.vendor.fingerprint, house.clock())
    house.deliver()
    assert [letter.state for letter in house.letters("write")] == ["held"]
    assert len(smarthost.taken) == 1


def test_a_letter_with_nowhere_to_go_is_held_and_said_so(worlds: MakeWorld) -> None:
    world = worlds()
    world.organisation(VENDOR)
    world.case(VENDOR)
    letter = only(world)
    assert (letter.state, letter.why) == ("held", "no contact of theirs takes mail")
    assert len(world.notices()) == 1
    with world.writing() as tx:
        contacts.add_contact(tx, 1, PSIRT)
    outgoing.release(world.tools, world.alice, letter.id)
    world.deliver()
    assert (only(world).state, only(world).recipient, world.notices()) == ("sent", PSIRT, [])


def test_the_brake_stops_everything_and_lets_it_go(house: World, smarthost: Sink) -> None:
    assert outgoing.brake(house.tools, house.alice, on=True)
    house.deliver()
    assert smarthost.taken == []
    assert not outgoing.brake(house.tools, house.alice, on=True)
    assert outgoing.brake(house.tools, house.alice, on=False)
    house.deliver()
    assert len(smarthost.taken) == 1


def test_the_brake_stops_a_letter_already_in_hand(house: World, smarthost: Sink) -> None:
    with house.writing() as tx:
        letter = outbox.lease(tx, house.tools.holder, house.clock())
        outbox.brake(tx, on=True)
    assert letter is not None
    deliver._deliver(house.tools, letter)
    assert (smarthost.taken, only(house).state) == ([], "queued")
    outgoing.brake(house.tools, house.alice, on=False)
    house.deliver()
    assert len(smarthost.taken) == 1


def test_a_letter_is_held_and_released_by_hand(house: World, smarthost: Sink) -> None:
    outgoing.hold(house.tools, house.alice, only(house).id, "wait for legal")
    house.deliver()
    assert (only(house).state, only(house).why, smarthost.taken) == ("held", "wait for legal", [])
    outgoing.release(house.tools, house.alice, only(house).id)
    house.deliver()
    assert only(house).state == "sent"
    assert {"letter.held", "letter.released", "letter.sent"} <= {e.kind for e in house.journal()}


# ---- secrecy between participants -----------------------------------------------------------------------------------


def test_no_letter_names_a_second_participant(worlds: MakeWorld, smarthost: Sink) -> None:
    world = worlds(RELAY__URL=f"smtp://127.0.0.1:{smarthost.port}")
    world.organisation("Acme", "psirt@acme.example")
    world.organisation("Bolt", "psirt@bolt.example")
    world.case("Acme", "Bolt")
    write.write(world.tools, world.alice, VU, ["Acme", "Bolt"], Draft("To each of you."))
    world.day(14)
    world.beat()
    world.deliver()
    assert len(smarthost.taken) == 6
    for taken in smarthost.taken:
        assert len(taken.rcpt) == 1
        others = b"bolt" if b"acme" in taken.rcpt[0] else b"acme"
        assert others not in taken.data.lower()


def test_a_name_full_of_line_breaks_still_leaves(worlds: MakeWorld, smarthost: Sink) -> None:
    world = worlds(RELAY__URL=f"smtp://127.0.0.1:{smarthost.port}")
    world.organisation("A\r\nBcc: eve@eve.example\x85\u2028B", PSIRT)
    opened = coordinate.open_case(world.tools, world.alice, "Title\r\nX: y", vu=VU)
    with world.writing() as tx:
        cases.add_participant(tx, opened.id, 1, "vendor")
    contacting.notify(world.tools, world.alice, VU, without_details=True)
    world.deliver()
    [taken] = smarthost.taken
    mail = message_from_bytes(taken.data)
    assert (mail["Bcc"], mail["X"], len(taken.rcpt)) == (None, None, 1)


def test_a_key_of_ours_that_is_missing_holds_the_letters(house: World, smarthost: Sink) -> None:
    def missing() -> str:
        raise deliver.Refused("there is no key of ours that can sign")

    house.tools = replace(house.tools, own_key=missing)
    house.deliver()
    assert (only(house).state, smarthost.taken) == ("held", [])
    assert house.notices() == ["letter 1 is held: there is no key of ours that can sign"]
