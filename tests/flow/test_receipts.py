"""Receipts: who is told what we made of their mail, how often, and what is never said."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes

import pytest
from sqlalchemy.event import listen, remove

from mailrouter.flow.arriving import receive
from mailrouter.flow.casework import closing, coordinate, vouching
from mailrouter.flow.filing import file, statements
from mailrouter.flow.reports import accept
from mailrouter.flow.sending import outgoing
from mailrouter.flow.timing import remind
from mailrouter.mail.envelope import Envelope
from mailrouter.pgp import Pgp
from mailrouter.store import contacts
from mailrouter.store.outbox import Letter
from mailrouter.tools import OwnKey
from tests.flow.test_statements import by_eve, partial, unsigned
from tests.flow.world import PSIRT, VENDOR, VU, MakeWorld, World
from tests.pgp import mails

SUBJECT = f"VU#{VU} statement"
TEXT = f"VU#{VU}: our product is not affected.\n"
BOB = "bob@vendor.example"
PASSES = "Authentication-Results: mx.cert.example; dmarc=pass header.from=vendor.example"


@pytest.fixture
def house(worlds: MakeWorld) -> World:
    """A house that answers as it comes; a vendor with a pinned key that has been written to."""
    made = worlds(POLICY__ACKNOWLEDGE_HOURS="24", TRUST__AUTHSERV_ID="mx.cert.example", TRUST__ANSWERS_FROM="claimed")
    made.vendor_case(key=True)
    return made


def told(house: World, *names: str) -> list[Letter]:
    return house.letters(*(names or ("receipt", "statement-held", "acknowledgement")))


def passed(house: World, subject: str = f"Re: VU#{VU}", body: str = "We look into it.\r\n", *more: str) -> Envelope:
    return house.mail(PSIRT, subject, body, PASSES, *more)


def opened(house: World, letter: Letter) -> str:
    """Its text as the vendor's program shows it; what is not encrypted to them fails."""
    assert letter.sealed is not None
    mail = message_from_bytes(letter.sealed)
    assert mail.get_content_type() == "multipart/encrypted"
    return house.keymaker.gpg("--decrypt", given=mail.get_payload(1).get_payload(decode=True)).decode()


# ---- a statement that stands ----------------------------------------------------------------------------------------


def test_a_signed_statement_is_receipted_signed_encrypted_and_word_for_word(house: World) -> None:
    house.feed(house.signed(TEXT, SUBJECT))
    house.deliver()
    [letter] = told(house)
    assert (letter.name, letter.recipient, letter.automatic, letter.asks) == ("receipt", PSIRT, True, False)
    assert (letter.state, letter.signed, letter.encrypted) == ("sent", True, True)
    sha256 = house.statements()[0].sha256
    flat = " ".join(letter.body.split())
    for said in (
        f"filed with VU#{VU}", "Its signature is good: made on", "which we hold as yours",
        f"It stands as the text of {VENDOR} on VU#{VU}.", "Exactly this would be published:",
        f"| VU#{VU}: our product is not affected.", f"SHA-256: {sha256}",
    ):  # fmt: skip
        assert said in flat
    fingerprint = house.keymaker.vendor.fingerprint
    assert " ".join(fingerprint[i : i + 4] for i in range(0, 40, 4)) in flat
    assert "our product is not affected" in opened(house, letter)


def test_what_it_looks_like_outside(house: World) -> None:
    house.feed(house.signed(TEXT, SUBJECT, message_id="s1@vendor.example"))
    house.deliver()
    [letter] = told(house)
    assert letter.sealed is not None
    mail = message_from_bytes(letter.sealed)
    assert (mail["Auto-Submitted"], mail["In-Reply-To"]) == ("auto-replied", "<s1@vendor.example>")
    assert mail["X-Auto-Response-Suppress"] == "OOF, AutoReply"
    assert mail["Reply-To"].startswith(f"cert+vu{VU}.")
    assert str(letter.reverse_path).startswith(f"cert+b{letter.id}."), "its bounces are wanted"
    assert b"not affected" not in letter.sealed


def test_each_statement_has_its_receipt_and_nobody_is_told_twice(house: World) -> None:
    for number in range(3):
        house.clock.forward(minutes=1)
        house.feed(house.signed(f"{TEXT}{number}\n", SUBJECT))
    assert [letter.name for letter in told(house)] == ["receipt"] * 3
    message = house.statements()[-1].message_id
    file.route(house.tools, house.alice, message, VU)  # looked at anew
    assert len(told(house)) == 3


def test_no_clock_and_no_turn_is_moved_by_one(house: World) -> None:
    house.feed(passed(house))
    assert [letter.name for letter in told(house)] == ["receipt"]
    assert (house.turn(), house.participant().last_automatic_at) == ("us", None)
    kinds = {deadline.kind for deadline in house.deadlines()}
    house.feed(house.signed(TEXT, SUBJECT))
    assert (house.turn(), house.deadlines(), [str(k) for k in kinds]) == ("nobody", [], ["answer"])
    house.deliver()
    remind.beat(house.tools, house.clock() + timedelta(days=90))
    assert house.follow_ups() == []


def test_what_has_not_left_yet_is_not_withdrawn_by_what_comes_next(house: World) -> None:
    outgoing.brake(house.tools, house.alice, on=True)
    house.feed(passed(house))
    house.feed(house.signed(TEXT, SUBJECT))
    assert [(letter.name, letter.state) for letter in told(house)] == [("receipt", "queued")] * 2


# ---- plain answers --------------------------------------------------------------------------------------------------


def test_one_receipt_a_period_for_answers_and_none_of_the_neutral_kind(house: World) -> None:
    house.feed(passed(house), passed(house))
    house.clock.forward(hours=23)
    house.feed(passed(house))
    [letter] = told(house)
    assert (letter.name, "It is not signed." in letter.body, "| We look" in letter.body) == ("receipt", True, False)
    house.clock.forward(hours=2)
    house.feed(passed(house))
    assert [letter.name for letter in told(house)] == ["receipt"] * 2


def test_an_answer_after_a_statement_of_today_needs_no_receipt(house: World) -> None:
    house.feed(house.signed(TEXT, SUBJECT))
    house.feed(house.signed("By the way.\n", f"Re: VU#{VU}"))
    assert len(told(house)) == 1


def test_who_is_less_than_authenticated_gets_the_neutral_one(house: World) -> None:
    house.with_trust(authserv_id="")
    house.feed(house.mail(PSIRT), house.mail(BOB), house.mail("eve@evil.example"))
    assert [letter.name for letter in told(house)] == ["acknowledgement"] * 3


def test_a_colleague_at_no_registered_address_gets_the_neutral_one(house: World) -> None:
    house.feed(house.mail(BOB, f"Re: VU#{VU}", "x\r\n", PASSES))
    assert [(letter.name, letter.recipient) for letter in told(house)] == [("acknowledgement", BOB)]


def test_one_who_takes_no_part_gets_the_neutral_one(house: World) -> None:
    house.organisation("Acme", "psirt@acme.example")
    passes = PASSES.replace("vendor.example", "acme.example")
    house.feed(house.mail("psirt@acme.example", f"VU#{VU}", "x\r\n", passes))
    assert [letter.name for letter in told(house)] == ["acknowledgement"]


SILENT = {
    "a robot": {"headers": ("Auto-Submitted: auto-replied",)},
    "a list": {"headers": ("List-Id: <psirt.vendor.example>",)},
    "bulk": {"headers": ("Precedence: bulk",)},
    "suppressed": {"headers": ("X-Auto-Response-Suppress: All",)},
    "the null sender": {"reverse_path": ""},
}


@pytest.mark.parametrize("name", SILENT)
def test_nothing_for(house: World, name: str) -> None:
    case = SILENT[name]
    more = {"reverse_path": case["reverse_path"]} if "reverse_path" in case else {}
    headers = case.get("headers", ())
    house.feed(house.mail(PSIRT, f"Re: VU#{VU}", "x\r\n", PASSES, *headers, **more))  # type: ignore[arg-type]
    house.feed(house.mail(PSIRT, SUBJECT, "x\r\n", PASSES, *headers, **more))  # type: ignore[arg-type]
    assert told(house) == []


def test_zero_hours_is_never(house: World) -> None:
    house.with_policy(acknowledge_hours=0)
    house.feed(passed(house), house.signed(TEXT, SUBJECT), unsigned(house))
    assert told(house) == []


def test_without_a_key_to_sign_with_mail_is_received_all_the_same(house: World) -> None:
    configured = replace(house.tools.settings, identity=replace(house.tools.settings.identity, key="0" * 40))
    keyless = Pgp(house.folder / "empty", house.folder / "rings", key="0" * 40)
    house.tools = replace(house.tools, own_key=OwnKey(keyless, configured))
    house.feed(passed(house))
    assert ([letter.name for letter in told(house)], house.turn()) == (["acknowledgement"], "us")
    keyless.close()


# ---- held statements ------------------------------------------------------------------------------------------------

HELD = {
    "unsigned": (unsigned, "What is missing: a signature.", "signed with the key of Vendor that we hold"),
    "another's": (by_eve, "a signature by a key that we have of Vendor.", "Please sign it with the key of Vendor"),
    "partial": (partial, "a signature over the whole mail.", "sign the whole mail (PGP/MIME)"),
}


@pytest.mark.parametrize("name", HELD)
def test_a_held_statement_tells_the_registered_contact_what_is_missing(house: World, name: str) -> None:
    made, missing, remedy = HELD[name]
    house.feed(made(house))
    [letter] = told(house, "statement-held")
    flat = " ".join(letter.body.split())
    assert (letter.recipient, missing in flat, remedy in flat) == (PSIRT, True, True)
    assert f"On {house.clock():%Y-%m-%d %H:%M} UTC we received a text in the name of Vendor" in flat
    assert f"Its sender: {PSIRT}" in flat
    assert "not signed" not in flat, "said once"
    assert told(house) == [letter], "whoever is told this is not told that something came"


def test_one_letter_a_day_about_held_ones(house: World) -> None:
    for hours in (0, 1, 22.9, 24.1, 30):
        house.day(hours / 24)
        house.feed(house.mail(PSIRT, SUBJECT, f"{hours}\r\n", PASSES))
    assert [letter.name for letter in told(house)] == ["statement-held"] * 2


def test_one_letter_a_day_however_many_cases_forged_ones_name(house: World) -> None:
    """Who takes part in many cases is not written to once for each, whoever sends in their name."""
    house.case(VENDOR, vu=234567)
    house.case(VENDOR, vu=345678)
    for vu in (VU, 234567, 345678, VU):
        house.feed(house.mail(PSIRT, f"VU#{vu} statement", "Not affected.\r\n"))
        house.clock.forward(minutes=1)
    assert [letter.name for letter in told(house, "statement-held")] == ["statement-held"]
    house.accept(*(house.mail(PSIRT, f"VU#{vu} statement", f"{vu}\r\n", PASSES) for vu in (VU, 234567, 345678)))
    while receive.work(house.tools):
        pass
    assert len(told(house, "statement-held")) == 1, "nor when they come together, nor when one is theirs"
    house.day(2)
    house.feed(house.mail(PSIRT, "VU#345678 statement", "Not affected.\r\n"))
    assert len(told(house, "statement-held")) == 2


def test_an_address_has_one_receipt_a_period_however_many_cases_it_writes_about(house: World) -> None:
    house.case(VENDOR, vu=234567)
    with house.writing() as tx:
        contacts.add_contact(tx, contacts.named(tx, VENDOR).id, BOB)
    house.feed(passed(house), passed(house, "Re: VU#234567"))
    house.feed(passed(house, "Re: VU#234567"))
    assert [letter.recipient for letter in told(house)] == [PSIRT]
    house.feed(house.mail(BOB, f"Re: VU#{VU}", "x\r\n", PASSES), house.mail(BOB, "Re: VU#234567", "x\r\n", PASSES))
    assert [letter.recipient for letter in told(house)] == [PSIRT, BOB], "each of their addresses hears once"


def test_two_nodes_tell_an_organisation_once_whatever_its_cases(house: World) -> None:
    numbers = range(200001, 200009)
    for vu in numbers:
        house.case(VENDOR, vu=vu)
    house.accept(*(house.mail(PSIRT, f"VU#{vu} statement", "Not affected.\r\n") for vu in numbers))
    crew = [house.node("n1", "2"), house.node("n2")]
    with ThreadPoolExecutor(2) as working:
        list(working.map(lambda tools: [receive.work(tools, most=1) for _ in range(8)], crew))
    assert [letter.name for letter in told(house, "statement-held")] == ["statement-held"]


def test_where_nothing_proves_the_sender_the_text_is_not_repeated(house: World) -> None:
    """Anybody may have written it: the registered contact hears of it, and nothing of what it says."""
    house.feed(house.mail(PSIRT, SUBJECT, "Buy at evil.example\r\n", message_id="evil@evil.example"))
    [held] = told(house, "statement-held")
    assert ("evil" in held.body, held.in_reply_to, held.attachments) == (False, "", "")
    assert "SHA-256" not in held.body, "of what nobody has it tells nothing"
    assert told(house) == [held]


def test_whoever_is_not_told_of_it_gets_the_neutral_one(house: World) -> None:
    """A colleague at no registered address; the letter goes to the registered one, and names nobody else's."""
    house.with_trust(authserv_id="")
    answers = f"In-Reply-To: {house.letters('notification')[0].message_id}"
    house.feed(house.mail(BOB, SUBJECT, "Not affected.\r\n", answers))
    held, neutral = told(house)
    assert [(held.name, held.recipient), (neutral.name, neutral.recipient)] == [
        ("statement-held", PSIRT), ("acknowledgement", BOB),
    ]  # fmt: skip
    assert "Its sender" not in held.body
    assert BOB not in held.body


def test_who_was_told_today_of_a_held_one_needs_no_neutral_one_for_the_next(house: World) -> None:
    house.with_trust(authserv_id="")
    for _ in range(2):
        house.clock.forward(minutes=5)
        house.feed(unsigned(house))
    assert [letter.name for letter in told(house)] == ["statement-held"]


@pytest.mark.parametrize("passes", [(), (PASSES,)], ids=["only the address proves it", "authenticated"])
def test_whoever_confirms_a_text_is_told_that_it_stands(worlds: MakeWorld, passes: tuple[str, ...]) -> None:
    house = worlds(POLICY__ACKNOWLEDGE_HOURS="24", TRUST__AUTHSERV_ID="mx.cert.example", TRUST__ANSWERS_FROM="claimed")
    house.vendor_case()
    house.feed(unsigned(house))
    vouching.by_mail(house.tools, house.alice, VU, VENDOR)
    house.deliver()
    [address] = [mail["Reply-To"] for mail in house.sent_to(PSIRT) if "+s" in (mail["Reply-To"] or "")]
    word = f"I confirm {house.statements()[0].sha256[:16]}\r\n"
    for _ in range(2):
        house.feed(house.mail(PSIRT, f"Re: VU#{VU}", word, *passes, to=(address,)))
    assert house.statements()[0].state == "vouched"
    [letter] = told(house, "receipt")
    assert f"the text we asked about stands as that of {VENDOR} on VU#{VU}" in " ".join(letter.body.split())
    assert (letter.recipient, "not signed" in letter.body) == (PSIRT, False)


def test_a_strangers_statement_raises_no_letter(house: World) -> None:
    house.feed(house.mail("eve@evil.example", SUBJECT, "Not affected.\r\n"))
    assert told(house, "statement-held", "receipt") == []


@pytest.mark.row("P90")
@pytest.mark.row("P91")
@pytest.mark.row("P92")
def test_unbound_and_replayed_ones_are_told_with_their_remedy(house: World) -> None:
    house.feed(house.signed("We are not affected.\n", SUBJECT))
    [unbound] = told(house)
    assert (unbound.name, f"with the line VU#{VU} in the text" in " ".join(unbound.body.split())) == (
        "statement-held", True,
    )  # fmt: skip
    house.day(2)
    good = house.signed(TEXT, SUBJECT, message_id="1@vendor.example")
    house.feed(good)
    house.feed(house.envelope(good.raw.replace(b"<1@vendor", b"<2@vendor")))
    again = told(house)[-1]
    assert again.name == "statement-held"
    assert "a new signature, since this one came before." in " ".join(again.body.split())


# ---- what came encrypted --------------------------------------------------------------------------------------------

SECRET = (f'Content-Type: text/plain; protected-headers="v1"\r\nSubject: {SUBJECT}\r\n\r\nVU#{VU} secret.\r\n').encode()


@pytest.mark.row("P105")
@pytest.mark.row("P123")
def test_what_came_encrypted_is_repeated_encrypted_or_not_at_all(house: World) -> None:
    house.feed(house.encrypted(SECRET, signer=house.keymaker.vendor))
    house.deliver()
    [letter] = told(house)
    assert (letter.confidential, letter.encrypted, letter.state, "| VU#123456 secret." in letter.body) == (
        True, True, "sent", True,
    )  # fmt: skip
    assert not any(b"secret" in mail.as_bytes() for mail in house.sent())


@pytest.mark.row("P105")
@pytest.mark.row("P123")
def test_without_a_key_of_theirs_nothing_of_it_is_repeated(worlds: MakeWorld) -> None:
    house = worlds(POLICY__ACKNOWLEDGE_HOURS="24", TRUST__AUTHSERV_ID="mx.cert.example")
    house.vendor_case()
    made = house.encrypted(SECRET)
    house.feed(house.envelope(f"{PASSES}\r\n".encode() + made.raw))
    house.deliver()
    [letter] = told(house)
    assert (letter.name, letter.state) == ("statement-held", "sent")
    assert {letter.encrypted, letter.confidential} == {False}
    assert "secret" not in letter.body + letter.subject + letter.attachments
    assert not any(b"secret" in mail.as_bytes() for mail in house.sent())


def captured(house: World, *, whole: bool) -> Envelope:
    """From a registered contact with a key of their own: a ciphertext of somebody else, never seen here."""
    message = house.keymaker.encrypt(SECRET, house.keymaker.cert, more=house._faked(None))
    head = f"{PASSES}\r\n".encode() + house._head(PSIRT, SUBJECT, "")
    plain = b"Content-Type: text/plain\r\n\r\nPlease see below.\r\n"
    return house.envelope(
        mails.encrypted(message, head) if whole else mails.mixed(plain, mails.encrypted(message, b""), head=head)
    )


@pytest.mark.row("P105")
@pytest.mark.row("P106")
@pytest.mark.row("P123")
@pytest.mark.parametrize("whole", [True, False], ids=["whole", "beside a plain part"])
def test_whoever_cannot_prove_that_they_wrote_it_learns_nothing_of_it(house: World, whole: bool) -> None:
    got = house.fed(captured(house, whole=whole))
    house.deliver()
    assert (got.standing, got.decrypted) == ("authenticated", "ok" if whole else "partial")
    [kept], [letter] = house.statements(), told(house)
    assert b"secret" in kept.verbatim
    assert (letter.name, letter.recipient, letter.attachments) == ("statement-held", PSIRT, "")
    assert not {"secret", "SHA-256", kept.sha256, kept.sha256[:16]} & set(letter.body.split())
    assert not any("secret" in word or "SHA" in word for word in letter.body.split())
    assert (letter.encrypted, letter.state) == (True, "sent"), "to whom it can be, it is"


@pytest.mark.row("P106")
def test_nor_is_a_digest_of_it_given_away(worlds: MakeWorld) -> None:
    """Short texts are guessed by it; in clear, by everybody who reads along."""
    house = worlds(POLICY__ACKNOWLEDGE_HOURS="24", TRUST__AUTHSERV_ID="mx.cert.example")
    house.vendor_case()
    house.feed(captured(house, whole=True))
    [kept], [letter] = house.statements(), told(house)
    assert kept.sha256 not in letter.body
    assert "SHA-256" not in letter.body


def test_a_text_too_long_to_be_repeated_has_its_digest_in_an_encrypted_letter(house: World) -> None:
    house.feed(house.encrypted(SECRET + b"x" * 70_000, signer=house.keymaker.vendor))
    house.deliver()
    [kept], [letter] = house.statements(), told(house)
    assert (letter.only_encrypted, letter.encrypted, letter.attachments) == (True, True, "")
    assert kept.sha256 in letter.body


@pytest.mark.row("P107")
def test_why_something_could_not_be_decrypted_is_in_no_letter(house: World) -> None:
    """To another key, altered on its way, and no message at all: the same letter, but for the hour."""
    to_others = house.keymaker.encrypt(SECRET, house.keymaker.eve, more=house._faked(None))
    ours = house.encrypted(SECRET, f"Re: VU#{VU}").raw
    body = re.search(rb"-----BEGIN PGP MESSAGE-----.*-----END PGP MESSAGE-----", ours, re.DOTALL)
    assert body is not None
    lines = body[0].splitlines()
    lines[5] = lines[5][::-1]
    bodies = [to_others.replace(b"\n", b"\r\n"), b"\r\n".join(lines), b"nothing"]
    for day, broken in enumerate(bodies):
        house.day(2 * day + 1)
        house.feed(house.envelope(f"{PASSES}\r\n".encode() + ours.replace(body[0], broken)))
    said = [re.sub(r"\d{4}-\d\d-\d\d", "DATE", letter.body) for letter in told(house)]
    assert (len(said), len(set(said))) == (3, 1)
    assert "We could read nothing in your mail." in said[0]
    assert {letter.name for letter in told(house)} == {"receipt"}


# ---- several at once ------------------------------------------------------------------------------------------------


def test_two_nodes_tell_once(house: World) -> None:
    house.accept(*(passed(house) for _ in range(12)))
    crew = [house.node("n1", "2"), house.node("n2")]
    with ThreadPoolExecutor(2) as working:
        list(working.map(lambda tools: [receive.work(tools, most=2) for _ in range(8)], crew))
    assert [letter.name for letter in told(house)] == ["receipt"]
    assert house.books().filed == 12


def test_a_reporter_is_told_too(house: World) -> None:
    got = house.fed(house.mail("jo@finder.example", "a flaw", "x\r\n"))
    case = accept.from_message(house.tools, house.alice, got.id, accept.Wanted("From a mail", 654321)).case
    passes = PASSES.replace("vendor.example", "finder.example")
    house.clock.forward(days=2)
    house.feed(house.mail("jo@finder.example", f"VU#{case.vu}: more", "x\r\n", passes))
    assert [letter.recipient for letter in told(house, "receipt")] == ["jo@finder.example"]


def test_after_the_case_is_closed_a_statement_is_receipted_too(house: World) -> None:
    with house.writing() as tx:
        coordinate.cases.change(tx, 1, embargo="EXITED")
    closing.close(house.tools, house.alice, VU, "published", anyway=True)
    house.feed(house.signed(TEXT, SUBJECT))
    assert [letter.name for letter in told(house)] == ["receipt"]
    statements.approve(house.tools, house.alice, VU, VENDOR)


@pytest.mark.row("S21")
def test_a_robot_that_answers_each_letter_and_does_not_say_so_ends_by_itself(house: World) -> None:
    """At a registered address that our mail server proves: whatever it is sent, it answers at once."""
    house.feed(passed(house))
    for _ in range(8):
        before = len(told(house))
        house.deliver()
        house.clock.forward(minutes=1)
        newest = told(house)[-1]
        house.feed(house.mail(PSIRT, f"Re: {newest.subject}", f"> {newest.body[:200]}\r\nTicket opened.\r\n", PASSES))
        assert len(told(house)) == before == 1


@pytest.mark.row("S21")
def test_a_robot_that_sends_statements_ends_too(house: World) -> None:
    for number in range(6):
        house.clock.forward(minutes=1)
        house.feed(house.mail(PSIRT, SUBJECT, f"{number}\r\n", PASSES))
        house.deliver()
    [letter] = told(house)
    assert (letter.name, str(letter.reverse_path).startswith("cert+b")) == ("statement-held", True)


def test_a_batch_costs_one_query_more_and_none_where_nobody_is_to_be_told(house: World) -> None:
    def asked(*envelopes: Envelope) -> int:
        seen: list[str] = []
        note = lambda *event: seen.append(event[2])  # noqa: E731 - SQLAlchemy wants to remove what it was given
        house.accept(*envelopes)
        listen(house.tools.db.engine, "before_cursor_execute", note)
        receive.work(house.tools)
        remove(house.tools.db.engine, "before_cursor_execute", note)
        return sum("max(letters.made_at)" in statement for statement in seen)

    assert asked(*(house.mail(f"{n}@elsewhere.example", "a report") for n in range(8))) == 0
    assert asked(*(house.mail(PSIRT) for _ in range(8))) == 0, "claimed"
    assert asked(*(passed(house) for _ in range(8))) == 2, "a letter is owed: asked again with the turn taken"
    assert asked(*(passed(house) for _ in range(8))) == 1, "they have had it"
    assert len(told(house, "receipt")) == 1
