"""A vendor without PGP: their own word, by mail or by telephone, and everything that is not their word."""

from dataclasses import replace
from email import message_from_bytes

import pytest

from mailrouter.case.model import Statement
from mailrouter.faults import Illegal, NotFound, Refused
from mailrouter.flow.actor import Actor
from mailrouter.flow.casework import coordinate, vouching
from mailrouter.flow.filing import file, statements
from mailrouter.flow.people import directory
from mailrouter.mail.envelope import Envelope
from mailrouter.store import vouchers
from tests.flow.world import PSIRT, VENDOR, VU, MakeWorld, World
from tests.pgp import mails

SUBJECT = f"VU#{VU} statement"
TEXT = "Our product is not affected.  \r\n\r\n- since 7.2: größer als nötig\r\n"
SECOND = "sec@vendor.example"
NUMBER = "+49 30 1234-56"


@pytest.fixture
def house(world: World) -> World:
    """A vendor without a key, written to; its unsigned statement is held."""
    world.organisation(VENDOR, PSIRT, SECOND, domain="vendor.example")
    world.case(VENDOR)
    world.deliver()
    world.feed(world.mail(PSIRT, SUBJECT, TEXT))
    return world


def only(house: World) -> Statement:
    [kept] = house.statements()
    return kept


def asked(house: World) -> tuple[vouching.Asked, str]:
    """The voucher's letter has left; the address it asks to be answered at."""
    made = vouching.by_mail(house.tools, house.alice, VU, VENDOR)
    house.deliver()
    [letter] = [mail for mail in house.sent_to(PSIRT) if "+s" in (mail["Reply-To"] or "")]
    return made, letter["Reply-To"]


def confirm(house: World, address: str, *headers: str, sender: str = PSIRT, text: str = "", **more: str) -> Envelope:
    line = text or f"I confirm {only(house).sha256[:16]}\r\n"
    return house.mail(sender, f"Re: [VU#{VU}] Please confirm a text of yours", line, *headers, to=(address,), **more)


# ---- by mail --------------------------------------------------------------------------------------------------------


def test_the_registered_contact_is_given_the_exact_text(house: World) -> None:
    made, address = asked(house)
    assert address.startswith(f"cert+s{made.voucher_id}.")
    [letter] = house.letters("voucher")
    assert (letter.recipient, letter.asks, letter.automatic, letter.state) == (PSIRT, True, False, "sent")
    assert only(house).sha256 in letter.body
    assert "| - since 7.2: größer als nötig" in letter.body
    [mail] = [mail for mail in house.sent_to(PSIRT) if "+s" in (mail["Reply-To"] or "")]
    files = [part.get_payload(decode=True) for part in mail.walk() if part.get_filename() == f"VU{VU}.txt"]
    assert files == [TEXT.encode()]
    assert (house.turn(), only(house).state) == ("them", "held")
    assert [e.kind for e in house.journal()].count("statement.asked") == 1


@pytest.mark.parametrize("sender", [PSIRT, SECOND])
def test_their_word_makes_it_stand_and_ends_the_waiting(house: World, sender: str) -> None:
    made, address = asked(house)
    got = house.fed(confirm(house, address, sender=sender))
    kept = only(house)
    assert (kept.state, kept.reason, kept.verbatim) == ("vouched", "", TEXT.encode())
    assert (got.why, got.place, house.turn(), house.deadlines()) == (
        "confirms the text we asked about", "filed", "nobody", [],
    )  # fmt: skip
    with house.look() as tx:
        by = vouchers.made_stand(tx, [kept.id])[kept.id]
    assert (by.how, by.message_id, by.letter_id, by.asked_by) == ("mail", got.id, made.letter_id, "alice")
    assert statements.approve(house.tools, house.alice, VU, VENDOR).approved_by == "alice"
    assert house.breaks() == []


def test_it_counts_whatever_the_subject_says(house: World) -> None:
    _, address = asked(house)
    line = f"I confirm {only(house).sha256[:16]}\r\n"
    house.feed(house.mail(PSIRT, "your mail", line, to=(address,)))
    assert only(house).state == "vouched"


def test_they_are_asked_once_unless_they_are_asked_again(house: World) -> None:
    """Then one address confirms the text: the later letter's."""
    first, address = asked(house)
    with pytest.raises(Illegal, match=rf"^asked on 20\d\d-\d\d-\d\d by alice; letter {first.letter_id}; --again"):
        vouching.by_mail(house.tools, house.alice, VU, VENDOR)
    second = vouching.by_mail(house.tools, house.alice, VU, VENDOR, again=True)
    third = vouching.by_mail(house.tools, house.alice, VU, VENDOR, again=True)
    by_id = {letter.id: letter.state for letter in house.letters("voucher")}
    assert by_id == {first.letter_id: "sent", second.letter_id: "withdrawn", third.letter_id: "queued"}
    got = house.fed(confirm(house, address))
    assert (only(house).state, "they were asked again since" in got.why) == ("held", True)
    house.deliver()
    [later] = {mail["Reply-To"] for mail in house.sent_to(PSIRT) if "+s" in (mail["Reply-To"] or "")} - {address}
    house.feed(confirm(house, later))
    assert only(house).state == "vouched"


def test_once(house: World) -> None:
    _, address = asked(house)
    house.feed(confirm(house, address))
    statements.withdraw(house.tools, house.alice, VU, VENDOR, "they asked us to")
    got = house.fed(confirm(house, address))
    assert (only(house).state, got.why) == ("withdrawn", "answer about a text to be confirmed: confirmed before")


NOT_THEIR_WORD = {
    "quoted": ({"text": "> I confirm {sha}\r\nWhat is this?\r\n"}, "no line confirms the text"),
    "a question": ({"text": "Which text do you mean?\r\n"}, "no line confirms the text"),
    "another text": ({"text": "I confirm 0123456789abcdef\r\n"}, "it confirms another text"),
    "a colleague": ({"sender": "bob@vendor.example"}, "its sender is no registered contact"),
}


@pytest.mark.parametrize("name", NOT_THEIR_WORD)
def test_anything_else_is_an_answer_shown_to_the_analyst(house: World, name: str) -> None:
    _, address = asked(house)
    more, why = NOT_THEIR_WORD[name]
    more = {key: value.replace("{sha}", only(house).sha256[:16]) for key, value in more.items()}
    got = house.fed(confirm(house, address, **more))
    assert (got.place, only(house).state, house.turn()) == ("filed", "held", "us")
    assert got.why.startswith(f"answer about a text to be confirmed: {why}")
    assert got.id in [shown.item.message_id for shown in house.queue("alice")]


@pytest.mark.parametrize("sender", ["eve@evil.example", "psirt@acme.example"])
def test_an_address_that_was_passed_on_confirms_nothing(house: World, sender: str) -> None:
    house.organisation("Acme", "psirt@acme.example")
    coordinate.add_vendor(house.tools, house.alice, VU, "Acme")
    _, address = asked(house)
    house.feed(confirm(house, address, sender=sender))
    assert [s.state for s in house.statements()] == ["held"]
    assert house.turn() == "them"


def test_a_forged_address_confirms_nothing(house: World) -> None:
    made, address = asked(house)
    forged = address.replace(f"+s{made.voucher_id}.", "+s999.")
    got = house.fed(confirm(house, forged))
    assert (only(house).state, "bad-token" in got.flags) == ("held", True)
    got = house.fed(confirm(house, "cert@cert.example"))
    assert (only(house).state, got.why) == ("held", "answer")


@pytest.mark.parametrize("header", ["Auto-Submitted: auto-replied", "List-Id: <psirt.vendor.example>"])
def test_no_robot_vouches(house: World, header: str) -> None:
    _, address = asked(house)
    house.feed(confirm(house, address, header))
    assert only(house).state == "held"


def test_nor_what_comes_from_the_null_sender(house: World) -> None:
    _, address = asked(house)
    house.feed(confirm(house, address, reverse_path=""))
    assert only(house).state == "held"


def test_where_answers_need_proof_so_does_this(house: World) -> None:
    house.with_trust(authserv_id="mx.cert.example", answers_from="authenticated")
    _, address = asked(house)
    got = house.fed(confirm(house, address))
    assert (only(house).state, got.why.endswith("its standing does not count as an answer")) == ("held", True)
    results = "Authentication-Results: mx.cert.example; dmarc=pass header.from=vendor.example"
    house.feed(confirm(house, address, results))
    assert only(house).state == "vouched"


def test_a_bad_signature_is_worse_than_none(house: World) -> None:
    _, address = asked(house)
    line = f"I confirm {only(house).sha256[:16]}\n"
    by_eve = house.signed(line, f"Re: VU#{VU}", signer=house.keymaker.eve)
    got = house.fed(replace(by_eve, recipients=(address,)))
    assert (only(house).state, "its signature is not good" in got.why) == ("held", True)


def test_what_is_withdrawn_or_replaced_meanwhile_stays_so(house: World) -> None:
    _, address = asked(house)
    statements.withdraw(house.tools, house.alice, VU, VENDOR, "a mistake")
    got = house.fed(confirm(house, address))
    assert (only(house).state, "is not held any more" in got.why) == ("withdrawn", True)


def test_a_newer_signed_one_stays_and_an_older_one_gives_way(house: World) -> None:
    house.pin(VENDOR, house.keymaker.vendor)
    _, address = asked(house)
    line = f"I confirm {only(house).sha256[:16]}\r\n"
    house.clock.forward(days=1)
    house.feed(house.signed(f"VU#{VU} newer\n", SUBJECT))
    got = house.fed(house.mail(PSIRT, "yes", line, to=(address,)))
    assert [s.state for s in house.statements()] == ["held", "verified"]
    assert got.why == "answer about a text to be confirmed: a newer statement stands"
    with pytest.raises(Illegal, match="a newer statement of Vendor stands"):
        vouching.by_mail(house.tools, house.alice, VU, VENDOR)


@pytest.mark.row("P94")
def test_vouched_supersedes_what_was_signed_before_and_yields_to_what_is_signed_after(house: World) -> None:
    house.pin(VENDOR, house.keymaker.vendor)
    house.clock.forward(days=-3)
    before = house.signed(f"VU#{VU} affected\n", SUBJECT)
    house.clock.forward(days=3)
    house.feed(before)
    vouching.by_mail(house.tools, house.alice, VU, VENDOR)
    house.deliver()
    address = next(m["Reply-To"] for m in house.sent_to(PSIRT) if "+s" in (m["Reply-To"] or ""))
    text = next(s for s in house.statements() if s.form == "none")
    house.feed(house.mail(PSIRT, "yes", f"I confirm {text.sha256[:16]}\r\n", to=(address,)))
    assert [s.state for s in house.statements()] == ["vouched", "superseded"]
    house.clock.forward(days=-1)
    old = house.signed(f"VU#{VU} affected, again\n", SUBJECT)
    house.clock.forward(days=2)
    house.feed(old)
    assert [s.state for s in house.statements()] == ["vouched", "superseded", "held"]
    house.feed(house.signed(f"VU#{VU} new\n", SUBJECT))
    assert [s.state for s in house.statements()] == ["superseded", "superseded", "held", "verified"]


def test_what_came_encrypted_goes_back_encrypted_or_not_at_all(house: World) -> None:
    inner = f'Content-Type: text/plain; protected-headers="v1"\r\nSubject: {SUBJECT}\r\n\r\nSecret.\r\n'.encode()
    house.feed(house.encrypted(inner))
    made = vouching.by_mail(house.tools, house.alice, VU, VENDOR, house.statements()[-1].message_id)
    assert made.unproved, "whoever vouches for it is told"
    house.deliver()
    [letter] = house.letters("voucher")
    assert (letter.confidential, letter.only_encrypted, letter.state) == (True, True, "held")
    assert not any(b"Secret" in mail.as_bytes() for mail in house.sent())


@pytest.mark.row("P105")
def test_what_came_encrypted_beside_plain_parts_is_not_sent_back(house: World) -> None:
    inner = b"Content-Type: text/plain\r\n\r\nSecret.\r\n"
    message = house.keymaker.encrypt(inner, house.keymaker.cert, more=house._faked(None))
    plain = b"Content-Type: text/plain\r\n\r\nPlease see below.\r\n"
    house.feed(house.envelope(mails.mixed(plain, mails.encrypted(message, b""), head=house._head(PSIRT, SUBJECT, ""))))
    with pytest.raises(Illegal, match=r"only a part of message \d+ came encrypted"):
        vouching.by_mail(house.tools, house.alice, VU, VENDOR, house.statements()[-1].message_id)
    assert house.letters("voucher") == []
    assert not vouching.by_mail(house.tools, house.alice, VU, VENDOR, house.statements()[0].message_id).unproved


def test_the_letter_that_goes_again_asks_for_the_same(house: World) -> None:
    house.clock.forward(hours=1)
    _, address = asked(house)
    bounce = next(letter for letter in house.letters("voucher")).reverse_path
    report = (
        f"From: MAILER-DAEMON@vendor.example\r\nTo: {bounce}\r\nSubject: failed\r\nAuto-Submitted: auto-replied\r\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nfailed\r\n--b\r\n"
        "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n"
        f"Final-Recipient: rfc822; {PSIRT}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n"
    )
    house.feed(house.envelope(report.encode(), "", (str(bounce),)))
    house.deliver()
    [again] = house.sent_to(SECOND)
    assert again["Reply-To"] == address
    house.feed(confirm(house, again["Reply-To"], sender=SECOND))
    assert only(house).state == "vouched"


def test_without_addresses_of_our_own_only_the_telephone_is_left(worlds: MakeWorld) -> None:
    house = worlds(IDENTITY__SEPARATOR="")
    house.vendor_case()
    house.feed(house.mail(PSIRT, SUBJECT, TEXT))
    with pytest.raises(Illegal, match="vouch --by telephone"):
        vouching.by_mail(house.tools, house.alice, VU, VENDOR)
    assert house.letters("voucher") == []


# ---- by telephone ---------------------------------------------------------------------------------------------------


def called(house: World, **more: str) -> vouching.Asked:
    call = vouching.Call(**{"number": "", "spoke_with": "Jo Doe", **more})
    return vouching.by_telephone(house.tools, house.alice, VU, VENDOR, call)


@pytest.fixture
def on_file(house: World) -> World:
    directory.set_vendor(house.tools, house.alice, VENDOR, directory.Change(telephone=NUMBER))
    return house


def bob(house: World) -> Actor:
    return Actor("bob", house.analyst("bob").id)


def test_two_analysts_make_it_stand(on_file: World) -> None:
    house = on_file
    called(house)
    kept = only(house)
    assert (kept.state, kept.reason) == ("held", "vouched for by telephone by alice; a second analyst must agree")
    [notice] = [why for why in house.notices() if "second analyst" in why]
    assert f"statement agree VU#{VU} Vendor --sha256 {kept.sha256[:12]}" in notice
    with pytest.raises(Illegal, match="alice made the call: a second analyst must agree"):
        vouching.agree(house.tools, house.alice, VU, VENDOR, kept.sha256)
    second = bob(house)
    with pytest.raises(Illegal, match=f"has SHA-256 {kept.sha256}"):
        vouching.agree(house.tools, second, VU, VENDOR, "0123456789abcdef")
    agreed = vouching.agree(house.tools, second, VU, VENDOR, kept.sha256[:12].upper())
    assert (agreed.state, agreed.reason, house.turn(), house.deadlines()) == ("vouched", "", "nobody", [])
    with house.look() as tx:
        by = vouchers.made_stand(tx, [kept.id])[kept.id]
    assert (by.how, by.asked_by, by.agreed_by, by.telephone, by.spoke_with) == (
        "telephone", "alice", "bob", NUMBER, "Jo Doe",
    )  # fmt: skip
    told = {e.kind: e.actor for e in house.journal() if e.kind.startswith("statement.")}
    assert (told["statement.called"], told["statement.vouched"]) == ("alice", "bob")
    assert not any("second analyst" in why for why in house.notices())
    assert not any(NUMBER in str(e.data) or "Jo Doe" in str(e.data) for e in house.journal())
    with pytest.raises(NotFound, match="nobody vouched by telephone"):
        vouching.agree(house.tools, second, VU, VENDOR, kept.sha256)


def test_the_number_is_the_one_on_file_or_there_is_a_reason(house: World) -> None:
    with pytest.raises(Illegal, match="no number of Vendor is on file"):
        called(house)
    directory.set_vendor(house.tools, house.alice, VENDOR, directory.Change(telephone=NUMBER))
    called(house, number="+49 (30) 123456")  # the same, written otherwise
    with pytest.raises(Refused, match="not on file of Vendor; say --why"):
        called(house, number="+1 555 0100")
    called(house, number="+1 555 0100", why="their web page names it")
    assert [e.data["why"] for e in house.journal() if e.kind == "statement.called"] == ["", "their web page names it"]


def test_no_one_else_vouches(house: World) -> None:
    stranger = Actor("unix:root")
    call = vouching.Call("", "Jo")
    for verb in (
        lambda: vouching.by_mail(house.tools, stranger, VU, VENDOR),
        lambda: vouching.by_telephone(house.tools, stranger, VU, VENDOR, call),
        lambda: vouching.agree(house.tools, stranger, VU, VENDOR, "a" * 8),
    ):
        with pytest.raises(Illegal, match="needs an analyst"):
            verb()
    assert house.letters("voucher") == []


def test_only_what_is_held_and_taken_can_be_vouched_for(on_file: World) -> None:
    house = on_file
    got = house.fed(house.mail(PSIRT, body="We are not affected.\r\n"))
    with pytest.raises(NotFound, match=f"statement take {got.id}"):
        vouching.by_mail(house.tools, house.alice, VU, VENDOR, got.id)
    statements.take(house.tools, house.alice, got.id)
    vouching.by_mail(house.tools, house.alice, VU, VENDOR, got.id)
    statements.withdraw(house.tools, house.alice, VU, VENDOR, "x")
    statements.withdraw(house.tools, house.alice, VU, VENDOR, "x")
    with pytest.raises(Illegal, match=r"no statement of Vendor is held on VU#123456 \(withdrawn\)"):
        called(house)


def test_a_text_that_is_filed_with_another_case_meanwhile_was_not_confirmed_for_that_one(on_file: World) -> None:
    house = on_file
    _, address = asked(house)
    message = only(house).message_id
    called(house)
    house.case(VENDOR, vu=654321, notify=False)
    file.route(house.tools, house.alice, message, 654321)
    got = house.fed(house.mail(PSIRT, "yes", "I confirm\r\n", to=(address,)))
    [kept] = house.statements(654321)
    assert (kept.state, got.why) == (
        "held", "answer about a text to be confirmed: the text we asked about is filed elsewhere now",
    )  # fmt: skip
    with pytest.raises(NotFound, match="nobody vouched by telephone"):
        vouching.agree(house.tools, bob(house), 654321, VENDOR, kept.sha256)


def test_our_letter_can_be_read_by_anybody_who_gets_it(house: World) -> None:
    asked(house)
    [letter] = house.letters("voucher")
    assert letter.sealed is not None
    mail = message_from_bytes(letter.sealed)
    assert (mail["Auto-Submitted"], mail.get_content_type()) == (None, "multipart/signed")
