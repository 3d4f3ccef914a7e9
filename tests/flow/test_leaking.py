"""No letter leaves that tells one participant of another: one planted leak of each kind is held, and said where."""

from dataclasses import replace

import pytest

from mailrouter import faults
from mailrouter.flow import leaking, letters, preview
from mailrouter.flow.actor import Actor
from mailrouter.flow.casework import contacting, coordinate, merging, write
from mailrouter.flow.reports import accept, decline, reported, triage
from mailrouter.flow.sending import outgoing, sealing
from mailrouter.mail import texts
from mailrouter.mail.entity import Attachment
from mailrouter.store import cases, contacts, messages, outbox, reports
from mailrouter.store.outbox import Letter
from tests.flow.world import PSIRT, VENDOR, VU, World
from tests.journey.leaks import assert_no_leak

HIDDEN, BOLT = "Zorble Widgets", "Bolt"
FINDER = "anon77@throwaway.example"
NO_PLACE = "letter {} is held: it would tell its recipient of others: "


@pytest.fixture
def house(world: World) -> World:
    """A case of an anonymous vendor, two others and a mail from each; all three were written to."""
    world.organisation(VENDOR, PSIRT, domain="vendor.example")
    world.organisation(HIDDEN, "psirt@zorble.example", key=world.keymaker.vendor)
    world.organisation(BOLT, "security@bolt.example", domain="bolt.example", key=world.keymaker.eve)
    world.case(VENDOR, BOLT, notify=False)
    coordinate.add_vendor(world.tools, world.alice, VU, HIDDEN, anonymous=True)
    coordinate.set_participant(world.tools, world.alice, VU, HIDDEN, their_ref="ZOR-4411")
    contacting.notify(world.tools, world.alice, VU, without_details=True)
    world.deliver()
    world.with_trust(authserv_id="mx.cert.example")
    proved = "Authentication-Results: mx.cert.example; dmarc=pass header.from=zorble.example"
    world.feed(
        world.mail(
            "Jane Roe <psirt@zorble.example>", f"Re: VU#{VU}", "Hello.\r\n", proved, message_id="hid1@mx.zorble.example"
        ),
        world.mail("security@bolt.example", message_id="bolt1@mx.bolt.example"),
        world.mail(PSIRT, message_id="own1@vendor.example"),
    )
    return world


def order(body: str = "Please look again.", **more: object) -> letters.Order:
    """A letter as a flow would make it."""
    return letters.Order("write", {"body": body}, **more)  # type: ignore[arg-type]


def sent(world: World, made: letters.Order, whom: str = VENDOR, **columns: str) -> Letter:
    """One letter, queued and tried; what became of it. `columns`: what some other fault would have put into its row."""
    with world.writing() as tx:
        case, to = cases.by_vu(tx, VU), world.participant(whom)
        letter_id = letters.to_participant(tx, world.tools, case, to, made, world.clock())
        assert letter_id is not None
        if columns:
            outbox.change(tx, letter_id, **columns)
    world.deliver()
    with world.look() as tx:
        return outbox.get(tx, letter_id)


def held_for(world: World, letter: Letter, what: str, whose: str, where: str) -> None:
    """It is held, says of which kind, whose and where, repeats nothing, and the analyst is told without a name."""
    called = world.participant(whose).pseudonym
    assert (letter.state, letter.sealed) == ("held", None)
    assert f"{what} of {called} ({where})" in letter.why
    assert f"`mailrouter outbox release {letter.id} --despite-leak --why …`" in letter.why
    assert [one for one in ("zorble", "bolt", "jane", "4411", "hid1") if one in letter.why.casefold()] == [], letter.why
    [notice] = [one for one in world.notices() if f"letter {letter.id} is held" in one]
    assert notice.startswith(NO_PLACE.format(letter.id))


# ---- one of each kind, everywhere -----------------------------------------------------------------------------------

PLANTED = [
    ("Zorble Widgets", HIDDEN, "the name"), ("psirt@zorble.example", HIDDEN, "an address"),
    ("zorble.example", HIDDEN, "a mail domain"), ("Jane Roe", HIDDEN, "the name of a person"),
    ("ZOR-4411", HIDDEN, "the reference"), ("hid1@mx.zorble.example", HIDDEN, "a Message-ID"),
    ("{fingerprint}", HIDDEN, "a key"), ("{key_id}", HIDDEN, "a key"), ("security@bolt.example", BOLT, "an address"),
    ("bolt1@mx.bolt.example", BOLT, "a Message-ID"), ("{bolts_key}", BOLT, "a key"),
]  # fmt: skip


@pytest.mark.row("A02", "A06", "A09")
def test_one_planted_leak_of_each_kind_is_held_wherever_it_stands(house: World) -> None:
    keys = {
        "fingerprint": house.keymaker.vendor.fingerprint, "key_id": house.keymaker.vendor.fingerprint[-16:].lower(),
        "bolts_key": house.keymaker.eve.fingerprint,
    }  # fmt: skip
    for text, whose, what in PLANTED:
        said = text.format(**keys)
        body = f"Hello,\n\nwe heard from {said} of it."
        held_for(house, sent(house, order(body)), what, whose, "the body, line 6")
        file = Attachment("poc.txt", f"first\n> {said}\n".encode(), "text/plain")
        held_for(house, sent(house, order(attachments=[file])), what, whose, "attachment 1, line 2")
        named = Attachment(f"{said}.txt", b"nothing", "text/plain")
        held_for(house, sent(house, order(attachments=[named])), what, whose, "the name of attachment 1")
        row = sent(house, order(), subject=f"[VU#{VU}] as {said} says")
        held_for(house, row, what, whose, "the header Subject")
    thread = letters.Thread("<bolt1@mx.bolt.example>", ("<own1@vendor.example>", "<bolt1@mx.bolt.example>"))
    held = sent(house, order(thread=thread))
    held_for(house, held, "a Message-ID", BOLT, "the header In-Reply-To")
    held_for(house, held, "a Message-ID", BOLT, "the header References")
    assert house.sent_to(PSIRT)[1:] == []


@pytest.mark.row("A02")
def test_their_own_and_ours_leave_and_so_does_what_is_soft_once_a_person_wrote_it(house: World) -> None:
    own = "Dear Zorble Widgets, dear Jane Roe, you wrote <hid1@mx.zorble.example> on ZOR-4411 from psirt@zorble.example"
    assert sent(house, order(own), HIDDEN).state == "sent"
    assert sent(house, order("Bolt and bolt.example agree; write to cert@cert.example")).state == "sent"


@pytest.mark.row("A02")
def test_an_encrypted_letter_is_searched_before_it_is_encrypted(house: World) -> None:
    held = sent(house, order("as Zorble Widgets says"), BOLT)
    assert (held.state, held.sealed) == ("held", None)
    held = sent(house, order(), BOLT, subject=f"[VU#{VU}] what Zorble Widgets says")  # outside stands a neutral one
    held_for(house, held, "the name", HIDDEN, "the header Subject")
    assert sent(house, order("as we say"), BOLT).encrypted


@pytest.mark.row("A05")
def test_what_was_queued_before_somebody_became_anonymous_is_held(house: World) -> None:
    with house.writing() as tx:
        outbox.brake(tx, on=True)
    queued = sent(house, order("Bolt says so"))
    coordinate.set_participant(house.tools, house.alice, VU, BOLT, anonymous=True)
    with house.writing() as tx:
        outbox.brake(tx, on=False)
    house.deliver()
    with house.look() as tx:
        held_for(house, outbox.get(tx, queued.id), "the name", BOLT, "the body, line 4")


def test_needles_are_made_once_until_something_changes(house: World) -> None:
    def known() -> leaking.Known:
        with house.look() as tx:
            return leaking.known(tx, house.tools, cases.by_vu(tx, VU).id)

    first = known()
    assert known() is first
    sent(house, order())  # a letter: its Message-ID is one more
    second = known()
    assert second is not first
    changes = (
        lambda tx: contacts.add_contact(tx, contacts.named(tx, BOLT).id, "new@bolt.example"),
        lambda tx: contacts.remove_contact(tx, contacts.named(tx, BOLT).id, "new@bolt.example"),
        lambda tx: contacts.add_domain(tx, contacts.named(tx, BOLT).id, "bolt.test"),
        lambda tx: contacts.rename(tx, contacts.named(tx, BOLT).id, "Nut"),
        lambda tx: messages.replace(tx, house.messages()[-1].id, {"participant_id": house.participant(HIDDEN).id}),
    )
    for change in changes:
        before = known()
        with house.writing() as tx:
            change(tx)
        assert known() is not before
        assert known() is known()


def test_an_address_that_takes_anothers_place_is_looked_for(house: World) -> None:
    """SQLite gives the number of a row that is gone to the next one."""
    with house.writing() as tx:
        contacts.add_contact(tx, contacts.named(tx, BOLT).id, "old@bolt.example")
        leaking.known(tx, house.tools, cases.by_vu(tx, VU).id)
    with house.writing() as tx:
        whose = contacts.named(tx, BOLT).id
        contacts.remove_contact(tx, whose, "old@bolt.example")
        contacts.add_contact(tx, whose, "new@bolt.example")
    held_for(house, sent(house, order("ask new@bolt.example")), "an address", BOLT, "the body, line 4")


def test_what_was_rolled_back_leaves_nothing_behind(house: World) -> None:
    def looked_for(address: str, *, undone: bool = False) -> bool:
        with house.writing() as tx:
            nested = tx.begin_nested()
            contacts.add_contact(tx, contacts.named(tx, BOLT).id, address)
            case = leaking.known(tx, house.tools, cases.by_vu(tx, VU).id)
            if undone:
                nested.rollback()
            return address in {one.text for one in case.index.needles}

    assert looked_for("first@bolt.example", undone=True)
    assert looked_for("second@bolt.example")


# ---- an analyst means it --------------------------------------------------------------------------------------------


@pytest.mark.row("A06")
def test_an_analyst_lets_it_go_with_a_reason_and_nobody_else_does(house: World) -> None:
    held = sent(house, order("as Zorble Widgets says"))
    with pytest.raises(faults.Illegal, match="needs an analyst"):
        outgoing.release_despite(house.tools, Actor("unix:joe"), held.id, "both agreed")
    by_mail = replace(house.alice, by_mail={"message": 1})
    with pytest.raises(faults.Illegal, match="only a command"):
        outgoing.release_despite(house.tools, by_mail, held.id, "both agreed")
    outgoing.release(house.tools, house.alice, held.id)  # what held it is looked at again
    house.deliver()
    with house.look() as tx:
        assert outbox.get(tx, held.id).state == "held"
    outgoing.release_despite(house.tools, house.alice, held.id, "both agreed")
    house.deliver()
    with house.look() as tx:
        left = outbox.get(tx, held.id)
    assert (left.state, left.despite) == ("sent", "alice: both agreed")
    [told] = [e.data for e in house.journal() if e.kind == "letter.despite-leak"]
    assert (told["letter"], told["found"]) == (held.id, f"the name of {house.participant(HIDDEN).pseudonym}")
    [row] = [e for e in house.journal() if e.kind == "letter.released" and e.data.get("despite")]
    assert (row.actor, row.data["why"], row.data["despite"]) == ("alice", "both agreed", "leak")


# ---- titles ---------------------------------------------------------------------------------------------------------


@pytest.mark.row("A09")
@pytest.mark.parametrize(
    ("title", "shown"),
    [("Overflow in the updater", True), ("Overflow in Zor\u00adble-Widgets", False), ("Bolt off", True)],
)
def test_a_title_that_tells_of_others_stands_in_no_subject(house: World, title: str, shown: bool) -> None:
    with house.writing() as tx:
        cases.change(tx, cases.by_vu(tx, VU).id, title=title)
    queued = sent(house, order("Hello"), BOLT)
    with house.look() as tx:
        known = sealing.look_up(tx, house.tools, queued)
    assert known.title == (title if shown else "")


# ---- our own texts --------------------------------------------------------------------------------------------------


@pytest.mark.row("A02", "A09")
def test_no_letter_there_is_tells_anybody_of_anybody_else_hard_or_soft(house: World) -> None:
    """Every text that goes to participants, as it would be for each of them in a case of three."""
    told = [name for name, letter in texts.LETTERS.items() if "vendor" in letter.fields]
    assert len(told) > 10
    for name in told:
        for whom in (VENDOR, BOLT, HIDDEN):
            would = preview.preview(house.tools, name, VU, whom)
            to = house.participant(whom)
            with house.look() as tx:
                said = leaking.preview(
                    tx, house.tools, to.case_id, [to.organisation_id], f"{would.subject}\n{would.body}", ()
                )
            assert said.found == [], (name, whom, said.words)


def test_any_text_is_searched_for_whoever_must_not_be_named_to_the_world(house: World) -> None:
    page = "Advisory\n\nFound with Bolt.\nMended by Zorble\u00a0Widgets, see ZOR-4411.\n"
    with house.look() as tx:
        found = leaking.in_text(leaking.known(tx, house.tools, cases.by_vu(tx, VU).id), page, where="the page")
    hidden, open_ = (house.participant(name).organisation_id for name in (HIDDEN, BOLT))
    assert {(one.owner, str(one.kind), one.where, one.hard) for one in found} == {
        (open_, "the name", "the page, line 3", False),
        (hidden, "the name", "the page, line 4", True),
        (hidden, "the reference", "the page, line 4", True),
    }


@pytest.mark.row("A02")
def test_no_text_of_ours_says_anything_of_anybody_else(house: World) -> None:
    """Every letter of the case up to its last rung, searched by somebody else's program, raw and decrypted."""
    for day in (15, 30, 45):
        house.day(day)
        house.beat()
        house.deliver()
    maker = house.keymaker
    secrets = {
        VENDOR: ["psirt@vendor.example", "own1@vendor.example"],
        HIDDEN: ["psirt@zorble.example", "zorble", "janeroe", "zor-4411", "hid1@mx.zorble.example",
                 maker.vendor.fingerprint, maker.vendor.fingerprint[-16:]],
        BOLT: ["security@bolt.example", "bolt", "bolt1@mx.bolt.example", maker.eve.fingerprint],
    }  # fmt: skip
    addresses = {VENDOR: PSIRT, HIDDEN: "psirt@zorble.example", BOLT: "security@bolt.example"}
    mails = {name: [mail.as_bytes() for mail in house.sent_to(at)] for name, at in addresses.items()}
    assert all(mails.values())
    assert_no_leak(mails, secrets, lambda _whose, message: maker.gpg("--decrypt", given=message))
    with pytest.raises(AssertionError, match="of Zorble Widgets"):
        assert_no_leak({VENDOR: [b"Subject: =?utf-8?q?Zor=62le?=\r\n\r\n"]}, secrets, lambda _whose, message: message)


# ---- what people write ----------------------------------------------------------------------------------------------


@pytest.mark.row("A02", "S29")
def test_what_somebody_writes_is_looked_at_before_it_is_queued(house: World) -> None:
    """Soft or hard: nothing is queued until a person says that it is meant; what is hard is held all the same."""
    before = len(house.letters())
    zipped = write.Draft("see the file", [Attachment("poc.zip", b"PK\x03\x04....")])
    for draft, said in (
        (write.Draft("Bolt has fixed it"), "the name of Vendor"),
        (write.Draft("see their site, bolt.example"), "a mail domain of Vendor"),
        (write.Draft("ask security@bolt.example"), "an address of Vendor"),
        (write.Draft("Fine.", quoted="> From: security@bolt.example"), r"\(the quoted mail\)"),
        (zipped, r"a file that cannot be looked into \(attachment 1\)"),
    ):
        with pytest.raises(faults.Illegal, match=said):
            write.write(house.tools, house.alice, VU, [VENDOR], draft)
        with pytest.raises(faults.Illegal, match="--names-ok"):
            write.reply(house.tools, house.alice, house.messages()[-1].id, draft)
    assert len(house.letters()) == before
    write.write(house.tools, house.alice, VU, [VENDOR], replace(zipped, text="Bolt", names_ok=True))
    write.write(house.tools, house.alice, VU, [VENDOR], write.Draft("ask security@bolt.example", names_ok=True))
    write.write(house.tools, house.alice, VU, [BOLT], write.Draft("Bolt, you wrote:", quoted="> from bolt.example"))
    house.deliver()
    assert [letter.state for letter in house.letters()[before:]] == ["sent", "held", "sent"]


@pytest.mark.row("A02")
def test_one_text_for_several_tells_none_of_them_of_the_others(house: World) -> None:
    with pytest.raises(faults.Illegal, match="the name of Vendor"):
        write.write(house.tools, house.alice, VU, [VENDOR, BOLT], write.Draft("Dear Bolt"))


def test_a_word_of_the_letters_own_text_is_no_name_in_it(house: World) -> None:
    """An anonymous vendor called `Telephone` does not hold every letter that gives our number."""
    house.organisation("Telephone", "psirt@phone.example")
    coordinate.add_vendor(house.tools, house.alice, VU, "Telephone", anonymous=True)
    house.with_identity(phone="+1 555 0100")
    ours = sent(house, order("Please look again."))
    assert (ours.state, "Telephone: +1 555 0100" in ours.body) == ("sent", True)
    held = sent(house, order("Telephone has fixed it."))
    assert (held.state, "the name of Vendor" in held.why) == ("held", True)
    gone = sent(house, order("Please look again."), name="of-a-former-version")
    assert gone.state == "held"  # whose text we no longer have, is searched like a person's


# ---- nobody stops our letters by what they call themselves or their mails -------------------------------------------


@pytest.mark.parametrize("message_id", ["the", "TLP:AMBER", "a@b", "please@read"])
def test_a_word_as_message_id_holds_no_letter_but_is_told_to_nobody_either(house: World, message_id: str) -> None:
    house.fed(house.mail(PSIRT, message_id=message_id, reverse_path="eve@evil.example"))
    assert sent(house, order("Hello, please read the answer."), BOLT).state == "sent"
    held = sent(house, order(thread=letters.Thread(f"<{message_id}>", (f"<{message_id}>",))), BOLT)
    held_for(house, held, "a Message-ID", VENDOR, "the header In-Reply-To")
    assert sent(house, order(thread=letters.Thread(f"<{message_id}>")), VENDOR).state == "sent"


@pytest.mark.parametrize(("called", "state"), [("please", "sent"), ("look again", "sent"), ("Jane Roe", "held")])
def test_a_name_that_nothing_proves_stops_no_letter(house: World, called: str, state: str) -> None:
    forged = house.fed(house.mail(f'"{called}" <psirt@zorble.example>', reverse_path="eve@evil.example"))
    assert forged.standing == "claimed"
    assert sent(house, order(f"Please look again, {called}."), VENDOR).state == state


def test_a_vendor_called_like_a_word_of_ours_is_written_around(world: World) -> None:
    """Words of our subjects and of the sentences that our code puts into letters are nobody's names."""
    world.organisation(VENDOR, PSIRT)
    for name in ("Please", "Quotation", "Affected"):
        world.organisation(name, f"psirt@{name.lower()}.example")
    world.case(VENDOR, notify=False)
    for name in ("Please", "Quotation", "Affected"):
        coordinate.add_vendor(world.tools, world.alice, VU, name, anonymous=True)
    contacting.notify(world.tools, world.alice, VU, without_details=True)
    world.deliver()
    assert {letter.state for letter in world.letters() if letter.name == "notification"} == {"sent"}
    assert sent(world, order("Affected, please!"), VENDOR).state == "held"


# ---- merged cases, and who else wrote -------------------------------------------------------------------------------


def test_a_reply_address_from_before_a_merge_is_told_to_nobody(house: World) -> None:
    house.organisation("Acme", "psirt@acme.example")
    house.case("Acme", vu=654321)
    house.deliver()
    old = str(house.sent_to("psirt@acme.example")[0]["Reply-To"])
    merging.merge(house.tools, house.alice, 654321, VU, "the same")
    held_for(
        house, sent(house, order(f"write to {old}")), "an address where we are answered", "Acme", "the body, line 4"
    )


def test_who_else_wrote_about_a_report_is_not_its_reporter(world: World) -> None:
    first = world.fed(world.mail(FINDER, "Overflow in the AX-7", "x\r\n"))
    other = world.fed(world.mail("third@secret.example", "hello there", "x\r\n"))
    with world.look() as tx:
        report = reports.get(tx, first.report_id or 0)
    reported.join(world.tools, world.alice, other.id, report.vrf)
    accept.accept(world.tools, world.alice, report.vrf, accept.Wanted(vu=VU))
    held = sent(world, order("see third@secret.example"), FINDER)
    assert (held.state, "an address of another sender" in held.why) == ("held", True)
    assert sent(world, order(f"you wrote from {FINDER}"), FINDER).state == "sent"


# ---- what reporters say of themselves -------------------------------------------------------------------------------

CONTACT = "Jane Roe, Umbrella Labs, +49 30 1234567, jane.roe@umbrella.example"
ANONYMOUS = b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + f"VRF form\nContact: {CONTACT}\n".encode()


@pytest.mark.row("A02", "A04")
@pytest.mark.parametrize("way", ["mail", "encrypted", "typed in"])
def test_what_a_hidden_reporter_gives_as_contact_leaves_in_no_letter_to_others(world: World, way: str) -> None:
    world.organisation(VENDOR, PSIRT)
    match way:
        case "typed in":
            report = reported.add(world.tools, world.alice, f"Contact: {CONTACT}\n", "", "Overflow")
        case _:
            plain = world.mail(FINDER, "Overflow in the AX-7", f"Contact: {CONTACT}\r\n")
            mail = world.fed(plain if way == "mail" else world.encrypted(ANONYMOUS, "Overflow", sender=FINDER))
            with world.look() as tx:
                report = reports.get(tx, mail.report_id or 0)
    accept.accept(world.tools, world.alice, report.vrf, accept.Wanted(vu=VU))
    coordinate.add_vendor(world.tools, world.alice, VU, VENDOR)
    for said in ("Jane Roe", "Umbrella Labs", "030 1234567", "jane.roe@umbrella.example", "umbrella.example"):
        assert sent(world, order(f"found by {said} there")).state == "held", said
    assert sent(world, order("found by a reporter there")).state == "sent"
    if way != "typed in":
        assert sent(world, order("Dear Jane Roe of Umbrella Labs"), FINDER).state == "sent"


@pytest.mark.row("A04", "A09")
@pytest.mark.parametrize(("title", "shown"), [("", ""), ("Overflow in a switch", "Overflow in a switch")])
def test_the_words_of_a_hidden_reporter_are_no_title_for_others(world: World, title: str, shown: str) -> None:
    world.organisation(VENDOR, PSIRT)
    mail = world.fed(world.mail(FINDER, "Bug that Jane Roe found in the AX-7", "x\r\n"))
    with world.look() as tx:
        report = reports.get(tx, mail.report_id or 0)
    accept.accept(world.tools, world.alice, report.vrf, accept.Wanted(title=title, vu=VU))
    coordinate.add_vendor(world.tools, world.alice, VU, VENDOR)
    with world.look() as tx:
        case = cases.by_vu(tx, VU)
    for whom, reads in ((VENDOR, shown), (FINDER, case.title)):
        queued = sent(world, order("Hello"), whom)
        with world.look() as tx:
            assert leaking.title(tx, world.tools, queued, case.title) == reads


@pytest.mark.row("A02")
@pytest.mark.parametrize("of", [f"VU#{VU}", ""])
def test_letters_about_a_report_of_no_case_are_searched_too(house: World, of: str) -> None:
    """For what the case it repeats must not tell; else for the addresses of whoever is hidden in any case."""
    mail = house.fed(house.mail(FINDER, "Overflow in the AX-7", "x\r\n"))
    with house.look() as tx:
        report = reports.get(tx, mail.report_id or 0)
    text = "psirt@zorble.example mends it"
    if of:
        letter_id = decline.decline(house.tools, house.alice, report.vrf, "duplicate", "", of, text).letter_id
    else:
        letter_id = triage.ask(house.tools, house.alice, report.vrf, triage.Draft(text))
    house.deliver()
    with house.look() as tx:
        held = outbox.get(tx, letter_id or 0)
    assert (held.state, "an address of another (the body, line" in held.why) == ("held", True)
