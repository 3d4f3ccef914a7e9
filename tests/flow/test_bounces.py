"""Reports about our letters: tied to the letter, believed only with its own address, and what follows from them."""

from typing import Any

import pytest

from mailrouter.flow.casework import contacting, coordinate, write
from mailrouter.flow.casework.write import Draft
from mailrouter.flow.people import directory
from mailrouter.flow.people.directory import Change
from mailrouter.flow.sending import deliver, outgoing
from mailrouter.flow.telling import tell
from mailrouter.store import contacts, messages
from mailrouter.store.messages import Message
from mailrouter.store.outbox import Letter
from tests.flow.world import OURS, PSIRT, VENDOR, VU, MakeWorld, World
from tests.mail.reports import report
from tests.servers.sink import Sink

SECOND, THIRD = "security@vendor.example", "ceo@vendor.example"
EVE = "eve@evil.example"


@pytest.fixture
def house(world: World) -> World:
    """A vendor with two contacts; the first letter has left, to the first of them."""
    world.organisation(VENDOR, PSIRT, SECOND, domain="vendor.example", key=world.keymaker.vendor)
    world.case(VENDOR)
    world.deliver()
    return world


def place(message: Message) -> tuple[str, str]:
    return message.place, message.why


def notification(world: World) -> Letter:
    return world.letters("notification")[0]


def bounce(world: World, letter: Letter, to: str = "", recipient: str = "", **more: Any) -> Message:
    """What becomes of a report about this letter, by default to the envelope sender it left with."""
    to = to or letter.reverse_path or ""
    number = len(world.everything())
    raw = report(to, recipient or letter.recipient, letter=letter.sealed or b"", number=number, **more)
    return world.fed(world.envelope(raw, "", (to,)))


def undeliverable(world: World, name: str = VENDOR) -> list[str]:
    with world.look() as tx:
        theirs = contacts.contacts_of(tx, contacts.named(tx, name).id)
    return [contact.address for contact in theirs if contact.undeliverable]


def journaled(world: World) -> list[str]:
    return [entry.kind for entry in world.journal()]


# ---- tied, and believed ---------------------------------------------------------------------------------------------


def test_a_bounce_is_tied_to_its_letter_and_the_letter_goes_to_the_next_contact(house: World) -> None:
    first = notification(house)
    before = (house.turn(), house.deadlines())
    got = bounce(house, first)
    assert place(got) == ("bounces", "a bounce report about letter 1")
    assert (got.case_id, got.participant_id, got.about_letter_id, got.about_evidence) == (1, None, 1, "token")
    assert undeliverable(house) == [PSIRT]
    [_, again] = house.letters("notification")
    assert (again.recipient, again.state, again.step) == (SECOND, "queued", "again:1")
    assert (again.subject, again.body, again.asks) == (first.subject, first.body, True)
    assert again.message_id != first.message_id
    assert [s.item.why for s in house.queue("alice")] == [
        "letter 1 came back: its address takes no mail; it goes again to their next contact"
    ]
    assert [(s.sender, s.vu) for s in house.queue("alice")] == [(VENDOR, VU)]
    assert (house.turn(), house.deadlines()) == before
    assert house.participant().progress == "contacted"
    assert house.breaks() == []


def test_the_letter_that_goes_again_is_sealed_anew_for_the_same_organisation_and_comes_back_to_itself(
    house: World,
) -> None:
    bounce(house, notification(house))
    house.deliver()
    first, again = house.letters("notification")
    assert (again.state, again.encrypted) == ("sent", True)
    assert again.sealed != first.sealed
    assert (again.reverse_path or "").startswith("cert+b2.")
    assert [mail["To"] for mail in house.sent_to(SECOND)] == [SECOND]


@pytest.mark.row("S33")
def test_two_reports_make_one_letter_one_notice_and_one_mark(house: World) -> None:
    first = notification(house)
    bounce(house, first)
    once = (journaled(house), house.notices(), len(house.letters()))
    got = bounce(house, first)
    assert (got.place, got.about_evidence) == ("bounces", "token")
    assert (house.notices(), len(house.letters())) == once[1:]
    assert journaled(house) == [*once[0], "mail.bounces"]


def test_two_reports_in_one_batch_make_one_letter(house: World) -> None:
    first = notification(house)
    raws = [
        report(first.reverse_path or "", PSIRT, letter=first.sealed or b"", number=n) for n in range(2)
    ]  # fmt: skip
    house.feed(*[house.envelope(raw, "", (first.reverse_path or "",)) for raw in raws])
    assert len(house.letters("notification")) == 2
    assert len(house.notices()) == 1


def test_when_nobody_else_is_known_the_letter_is_held_until_a_contact_is_added_and_it_is_released(
    house: World,
) -> None:
    bounce(house, notification(house))
    house.deliver()
    bounce(house, house.letters("notification")[1])
    assert undeliverable(house) == [PSIRT, SECOND]
    held = house.letters("notification")[2]
    assert (held.state, held.recipient, held.why) == ("held", "", "no contact of theirs takes mail")
    assert house.participant().progress == "undeliverable"
    assert "nobody else is known there" in house.notices()[-1]
    directory.add_contacts(house.tools, house.alice, VENDOR, [THIRD])
    assert house.participant().progress == "contacted"
    outgoing.release(house.tools, house.alice, held.id)
    house.deliver()
    assert house.letters("notification")[2].state == "sent"
    assert len(house.sent_to(THIRD)) == 1


def test_a_persons_letter_goes_again_with_what_was_attached_and_its_secrecy(house: World) -> None:
    [letter_id] = write.write(house.tools, house.alice, VU, [VENDOR], Draft("Details.", confidential=True))
    house.deliver()
    letter = house.letters("write")[0]
    assert letter.id == letter_id
    bounce(house, letter)
    house.deliver()
    again = house.letters("write")[1]
    assert (again.recipient, again.confidential, again.encrypted, again.state) == (SECOND, True, True, "sent")
    assert (again.in_reply_to, again.reference_ids) == (letter.in_reply_to, letter.reference_ids)


def test_a_follow_up_that_comes_back_goes_again_only_while_it_is_their_turn(house: World) -> None:
    house.day(14)
    house.beat()
    house.deliver()
    [rung] = house.follow_ups()
    house.feed(house.mail(SECOND))
    bounce(house, rung)
    assert len(house.follow_ups()) == 1
    assert "the next letter goes to their next contact" in house.notices()[-1]


def test_after_an_answer_nothing_goes_again(house: World) -> None:
    house.clock.forward(hours=1)
    house.feed(house.mail(SECOND))
    bounce(house, notification(house))
    assert (len(house.letters("notification")), undeliverable(house)) == (1, [PSIRT])


def test_the_clock_of_silence_runs_on_and_the_follow_up_goes_to_who_takes_mail(house: World) -> None:
    bounce(house, notification(house))
    house.deliver()
    house.day(13.9)
    assert house.beat() == []
    house.day(14)
    house.beat()
    [rung] = house.follow_ups()
    again = house.letters("notification")[1]
    assert (rung.recipient, rung.in_reply_to) == (SECOND, again.message_id)


def test_nobody_is_reminded_of_a_letter_that_never_reached_anybody(house: World) -> None:
    bounce(house, notification(house))
    house.deliver()
    bounce(house, house.letters("notification")[1])
    for day in (14, 15, 16):
        house.day(day)
        house.beat()
    assert house.follow_ups() == []
    assert house.turn() == "them"


# ---- what only looks like it ----------------------------------------------------------------------------------------


@pytest.mark.row("S33")
@pytest.mark.parametrize("to", [OURS, "cert+b1.aaaaaaaaaaaaaaaa@cert.example"])
def test_a_forged_bounce_is_shown_and_changes_nothing(house: World, to: str) -> None:
    """Whoever had the letter knows its Message-ID; the envelope sender only mail systems saw."""
    letter, before = notification(house), (house.participant(), house.deadlines(), len(house.letters()))
    got = bounce(house, letter, to)
    assert place(got) == ("bounces", "a bounce report about letter 1, which anybody could have written")
    assert (got.case_id, got.about_letter_id, got.about_evidence) == (1, 1, "message-id")
    assert got.flags == ("" if to == OURS else "bad-token")
    assert (house.participant(), house.deadlines(), len(house.letters())) == before
    assert (undeliverable(house), house.notices()) == ([], [])


@pytest.mark.row("S33")
def test_a_bounce_that_returns_nothing_of_ours_is_tied_to_nothing(house: World) -> None:
    raw = report(OURS, PSIRT, subject=f"Undeliverable: [VU#{VU}] Reminder")
    got = house.fed(house.envelope(raw, "", (OURS,)))
    assert (place(got), got.about_letter_id, got.case_id) == (("bounces", "a bounce report"), None, None)
    assert got.suggested_vu == VU  # a hint, for a person
    assert (undeliverable(house), house.notices()) == ([], [])


@pytest.mark.row("S33")
def test_the_address_of_one_letter_says_nothing_of_another(house: World) -> None:
    """The report returns the header of another vendor's letter: the token decides."""
    house.organisation("Bolt", "psirt@bolt.example")
    coordinate.add_vendor(house.tools, house.alice, VU, "Bolt")
    contacting.notify(house.tools, house.alice, VU, without_details=True)
    house.deliver()
    ours, bolts = house.letters("notification")
    got = bounce(house, bolts, to=ours.reverse_path or "", recipient=PSIRT)
    assert (got.about_letter_id, undeliverable(house)) == (ours.id, [PSIRT])


def test_whatever_case_its_subject_names_the_token_says_which(house: World) -> None:
    house.case(VENDOR, vu=222222)
    got = bounce(house, notification(house), subject="Undelivered: [VU#222222] x")
    assert (got.case_id, got.about_evidence) == (1, "token")


@pytest.mark.parametrize(
    ("report_of", "kind", "note"),
    [
        ({"recipient": "gone@vendor.example"}, "bounce", "an address behind theirs takes no mail"),
        ({"status": "4.4.7"}, "bounce", "the address is still written to"),
        ({"action": "delayed", "status": "4.4.1", "subject": "Delayed Mail"}, "delay", ""),
        ({"action": "relayed", "status": "2.1.9", "subject": "Successful Mail Delivery Report"}, "dsn-success", ""),
    ],
)
def test_what_says_nothing_of_the_address_marks_nobody(
    house: World, report_of: dict[str, str], kind: str, note: str
) -> None:
    got = bounce(house, notification(house), **report_of)
    assert (got.kind, got.about_letter_id, got.about_evidence) == (kind, 1, "token")
    assert (undeliverable(house), len(house.letters())) == ([], 1)
    assert [note in why for why in house.notices()] == ([True] if note else [])


def test_a_member_of_a_list_first_and_then_the_list_itself(house: World) -> None:
    bounce(house, notification(house), recipient="gone@vendor.example")
    bounce(house, notification(house))
    assert undeliverable(house) == [PSIRT]
    assert len(house.notices()) == 2


def test_an_absence_note_to_the_letters_own_address_is_filed_with_its_case_whoever_sends_it(house: World) -> None:
    letter = notification(house)
    made = house.mail(
        "robot@hosting.example", "Out of office", "away\r\n", "Auto-Submitted: auto-replied",
        to=(letter.reverse_path or "",),
    )  # fmt: skip
    got = house.fed(made)
    assert (place(got), got.about_letter_id) == (("filed", "automatic: auto-reply"), 1)
    assert (house.turn(), house.notices()) == ("them", [])


def test_a_person_who_forwards_a_bounce_is_a_person(house: World) -> None:
    letter = notification(house)
    inner = report(letter.reverse_path or "", PSIRT, letter=letter.sealed or b"").decode()
    raw = (
        f"From: {SECOND}\r\nTo: {OURS}\r\nSubject: Fwd: Undelivered Mail Returned to Sender (VU#{VU})\r\n"
        "Message-ID: <f@vendor.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=f\r\n\r\n"
        "--f\r\n\r\nWe got this back, please write to me.\r\n--f\r\nContent-Type: message/rfc822\r\n\r\n"
        f"{inner}\r\n--f--\r\n"
    ).encode()
    got = house.fed(house.envelope(raw, SECOND))
    assert (got.kind, place(got), got.about_letter_id) == ("person", ("filed", "answer"), None)
    assert (undeliverable(house), house.turn()) == ([], "us")


def test_a_person_with_a_lists_footer_is_a_person(house: World) -> None:
    footer = "\r\n-- \r\nTo unsubscribe from this list send a mail to leave@vendor.example\r\n"
    got = house.fed(house.mail(PSIRT, f"Re: VU#{VU}", f"We are on it.\r\n{footer}"))
    assert (got.kind, place(got)) == ("person", ("filed", "answer"))


# ---- the relay says so itself ---------------------------------------------------------------------------------------


@pytest.fixture
def relayed(worlds: MakeWorld, smarthost: Sink) -> World:
    """As `house`, but nothing has left yet and the letters go to a real smarthost."""
    world = worlds(RELAY__URL=f"smtp://127.0.0.1:{smarthost.port}")
    world.organisation(VENDOR, PSIRT, SECOND)
    world.case(VENDOR)
    return world


@pytest.mark.row("S33")
@pytest.mark.parametrize("reply", ["550 5.1.1 no such user", "553 5.1.10 no", "550 5.1.2 no host", "551 5.1.6 moved"])
def test_a_relay_that_knows_no_such_mailbox_is_believed(relayed: World, smarthost: Sink, reply: str) -> None:
    smarthost.replies["RCPT"] = reply
    deliver_once(relayed)
    assert undeliverable(relayed) == [PSIRT]
    first, again = relayed.letters("notification")
    assert (first.state, again.recipient, again.step) == ("failed", SECOND, "again:1")
    [why] = relayed.notices()
    assert why.startswith("letter 1 failed: refused by the relay (55")
    assert why.endswith("; its address takes no mail; it goes again to their next contact")
    smarthost.replies.clear()
    relayed.deliver()
    assert [taken.rcpt for taken in smarthost.taken] == [(f"TO:<{SECOND}>".encode(),)]


@pytest.mark.row("S33")
@pytest.mark.parametrize(
    "reply",
    ["550 5.7.1 refused", "552 5.2.2 full", "554 no", "550 5.1.8 bad sender", "550 5.1.7 x", "550 5.1.0 x",
     "550 5.1.4 x", "550 no such user", "550 relay not permitted", "550 blacklisted",
     "550 Sender address rejected: SPF fail"],
)  # fmt: skip
def test_a_refusal_for_another_reason_marks_nobody(relayed: World, smarthost: Sink, reply: str) -> None:
    smarthost.replies["RCPT"] = reply
    deliver_once(relayed)
    assert (undeliverable(relayed), len(relayed.letters())) == ([], 1)
    assert relayed.notices()[0].startswith("letter 1 failed: refused by the relay")


def test_a_refusal_of_the_mail_itself_says_nothing_of_the_address(relayed: World, smarthost: Sink) -> None:
    smarthost.replies["DATA"] = "550 5.1.1 odd"
    deliver_once(relayed)
    assert undeliverable(relayed) == []


def test_when_the_first_leaves_after_all_its_second_does_not(relayed: World, smarthost: Sink) -> None:
    with relayed.writing() as tx:
        contacts.remove_contact(tx, contacts.named(tx, VENDOR).id, SECOND)
    smarthost.replies["RCPT"] = "550 5.1.1 no such user"
    deliver_once(relayed)
    assert [(letter.state, letter.recipient) for letter in relayed.letters()] == [("failed", PSIRT), ("held", "")]
    smarthost.replies.clear()
    relayed.clock.forward(hours=1)
    outgoing.retry(relayed.tools, relayed.alice, 1)
    relayed.deliver()
    assert [letter.state for letter in relayed.letters()] == ["sent", "withdrawn"]
    assert relayed.notices() == []


def test_the_follow_up_after_a_dead_address_goes_to_another(relayed: World, smarthost: Sink) -> None:
    smarthost.replies["RCPT"] = "550 5.1.1 no such user"
    deliver_once(relayed)
    smarthost.replies.clear()
    relayed.deliver()
    relayed.day(14)
    relayed.beat()
    relayed.deliver()
    assert [letter.recipient for letter in relayed.follow_ups()] == [SECOND]


def deliver_once(world: World) -> None:
    assert deliver.work(world.tools)


@pytest.mark.row("S33")
@pytest.mark.parametrize("reply", ["550 relay not permitted", "550 5.7.26 our SPF record is broken"])
def test_a_fault_of_ours_at_the_relay_makes_no_vendor_undeliverable(
    relayed: World, smarthost: Sink, reply: str
) -> None:
    others = {f"V{n}": f"psirt@v{n}.example" for n in range(3)}
    for name, address in others.items():
        relayed.organisation(name, address)
        coordinate.add_vendor(relayed.tools, relayed.alice, VU, name)
    contacting.notify(relayed.tools, relayed.alice, VU, without_details=True)
    smarthost.replies["RCPT"] = reply
    relayed.deliver()
    assert [letter.state for letter in relayed.letters("notification")] == ["failed"] * 4
    assert len(relayed.notices()) == 4
    assert [undeliverable(relayed, name) for name in (VENDOR, *others)] == [[]] * 4


@pytest.mark.row("S33")
@pytest.mark.parametrize("status", ["5.7.26", "5.7.1", "5.2.2", "5.3.4", "5.6.1", "5.1.8", "5.1.0"])
def test_reports_of_a_fault_of_ours_make_no_vendor_undeliverable(house: World, status: str) -> None:
    """One broken SPF record of ours is refused by everybody we write to, with our letters' own addresses."""
    house.organisation("Bolt", "psirt@bolt.example")
    coordinate.add_vendor(house.tools, house.alice, VU, "Bolt")
    contacting.notify(house.tools, house.alice, VU, without_details=True)
    house.deliver()
    for letter in house.letters("notification"):
        bounce(house, letter, status=status)
    assert (undeliverable(house), undeliverable(house, "Bolt"), len(house.letters("notification"))) == ([], [], 2)
    kept = "the report gives another reason than the address, or none: the address is still written to"
    assert house.notices() == [f"letter {n} came back: {kept}" for n in (1, 2)]


# ---- back again -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["add-contact", "deliverable"])
def test_an_analyst_says_that_an_address_takes_mail_again(house: World, order: str) -> None:
    bounce(house, notification(house))
    if order == "add-contact":
        directory.add_contacts(house.tools, house.alice, VENDOR, [PSIRT])
    else:
        directory.set_vendor(house.tools, house.alice, VENDOR, Change(deliverable=[PSIRT]))
    assert undeliverable(house) == []
    bounce(house, notification(house))  # what is known already does not mark it again
    assert undeliverable(house) == []


def test_an_answer_from_the_address_says_so_too(house: World) -> None:
    bounce(house, notification(house))
    house.clock.forward(hours=1)
    house.feed(house.mail(PSIRT, f"Re: VU#{VU}", "x\r\n", "Auto-Submitted: auto-replied"))
    assert undeliverable(house) == [PSIRT]
    house.feed(house.mail(PSIRT))
    assert undeliverable(house) == []
    assert "contact.reachable" in journaled(house)


# ---- our own staff --------------------------------------------------------------------------------------------------


def test_a_notice_to_an_analyst_that_comes_back_writes_no_further_ones(house: World) -> None:
    house.feed(house.mail(EVE))
    house.clock.forward(hours=1)
    tell.arrivals(house.tools, house.clock())
    house.deliver()
    [letter] = house.letters("analyst-arrival")
    got = bounce(house, letter)
    assert (place(got), got.case_id, got.about_letter_id) == (
        ("bounces", f"a bounce report about letter {letter.id}"), None, letter.id
    )  # fmt: skip
    bounce(house, letter)
    assert house.queue("bounces") == []
    assert [s.item.why for s in house.queue("operator")] == [
        f"a notice to one of us came back: `mailrouter outbox show {letter.id}` says to whom it went"
    ]


@pytest.mark.parametrize(("trouble", "notices"), [("refused", 2), ("comes back", 1)])
def test_a_dead_address_of_our_own_writes_no_letters_to_itself(
    worlds: MakeWorld, smarthost: Sink, trouble: str, notices: int
) -> None:
    """Whoever reads the operator's queue has a dead address, and so has Alice: no letter tells of letters that fail."""
    world = worlds(RELAY__URL=f"smtp://127.0.0.1:{smarthost.port}")
    world.analyst("ops", "operator,review")
    if trouble == "refused":
        smarthost.replies["RCPT"] = "550 5.1.1 no such user"
    world.feed(world.mail(EVE))
    seen = 0
    for _ in range(2 * 24):  # every half hour for a day, and so over a midnight
        tell.arrivals(world.tools, world.clock())
        world.deliver()
        fresh, seen = world.letters()[seen:], len(world.letters())
        for letter in fresh if trouble == "comes back" else ():
            bounce(world, letter)
        world.clock.forward(minutes=30)
    assert [letter.recipient for letter in world.letters()] == ["alice@cert.example", "ops@cert.example"]
    assert len(world.queue("operator")) == notices
    world.feed(world.mail(EVE))
    tell.arrivals(world.tools, world.clock())
    assert sum("operator" in letter.body for letter in world.letters()) == 1, "told with the next arrival"


def test_each_of_us_whose_letters_fail_is_told_of_once_a_day(worlds: MakeWorld, smarthost: Sink) -> None:
    world = worlds(RELAY__URL=f"smtp://127.0.0.1:{smarthost.port}")
    world.analyst("ben", "review")
    smarthost.replies["RCPT"] = "550 5.7.1 no"
    for _ in range(48):
        world.feed(world.mail(EVE))
        tell.arrivals(world.tools, world.clock())
        world.deliver()
        world.clock.forward(hours=1)
    days = {letter.made_at.date() for letter in world.letters("analyst-arrival")}
    assert len(world.letters("analyst-arrival")) == 2 * 48
    assert len(world.queue("operator")) == 2 * len(days)


def test_what_came_about_a_letter_is_found_from_the_letter(house: World) -> None:
    letter = notification(house)
    bounce(house, letter, action="delayed", status="4.4.1", subject="Delayed Mail")
    house.clock.forward(days=1)
    bounce(house, letter)
    with house.look() as tx:
        assert [m.kind for m in messages.about_letter(tx, letter.id)] == ["delay", "bounce"]
