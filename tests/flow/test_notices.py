"""Notices that can be answered: to whom an address is given, and where the text of a mail stands."""

from datetime import timedelta
from email import message_from_bytes
from email.message import Message as Mime

import pytest

from mailrouter.flow.casework import write
from mailrouter.flow.people import directory
from mailrouter.flow.telling import neutral, tell
from mailrouter.flow.timing import keydates
from mailrouter.store import analysts, queues, tables
from mailrouter.store.outbox import Letter
from tests.flow.test_orders import address, carried_out, give_key, ordered
from tests.flow.world import PSIRT, VENDOR, VU, MakeWorld, World
from tests.servers.clock import START

ALICE = "alice@cert.example"
SECRET = "The flaw is in the updater."


def told(world: World) -> Letter:
    """The one notice to Alice that was made now, as it left."""
    tell.arrivals(world.tools, world.clock())
    world.deliver()
    [letter] = [one for one in world.letters() if one.recipient == ALICE]
    return letter


def sent(letter: Letter) -> Mime:
    return message_from_bytes(letter.sealed or b"")


def opened(world: World, letter: Letter) -> str:
    """As Alice's mail program shows it."""
    assert letter.encrypted
    part = sent(letter).get_payload(1)
    assert isinstance(part, Mime)
    inside = message_from_bytes(world.keymaker.gpg("--decrypt", given=bytes(part.get_payload(decode=True))))
    return bytes(inside.get_payload(decode=True)).decode().replace("\r\n", "\n")


@pytest.fixture
def house(world: World) -> World:
    """Alice has a key on file; Acme has been written to."""
    give_key(world, "alice", world.keymaker.alice)
    world.vendor_case(key=True)
    return world


def test_about_one_item_it_can_be_answered_and_only_she_can_read_the_mail(house: World) -> None:
    entity = f"Content-Type: text/plain\r\n\r\n{SECRET}\r\n\r\n> quoted before\r\n".encode()
    house.feed(house.encrypted(entity, f"VU#{VU}"))
    letter = told(house)
    assert letter.name == "analyst-item"
    assert letter.subject == f"Item {letter.about_item_id} waits for you"
    assert sent(letter)["Reply-To"] == address(house)
    for clear in (letter.body, letter.subject, (letter.sealed or b"").decode()):
        assert SECRET not in clear
        assert PSIRT not in clear
    text = opened(house, letter)
    assert f"> {SECRET}" in text
    assert "quoted before" not in text
    assert f"{PSIRT} wrote:" in text
    assert f"Answers to: {address(house)}" in text
    assert f"VU#{VU}  alice  answer" in text


def test_each_of_several_items_has_a_notice_that_can_be_answered(house: World) -> None:
    house.feed(house.mail(PSIRT, body=f"{SECRET}\r\n"), house.mail(PSIRT, body="And?\r\n"))
    tell.arrivals(house.tools, house.clock())
    house.deliver()
    notices = house.letters("analyst-item")
    items = [s.item.id for s in house.queue("alice")]
    assert ([one.about_item_id for one in notices], house.letters("analyst-items")) == (items, [])
    assert [sent(one)["Reply-To"] for one in notices] == [address(house, item) for item in items]
    assert [SECRET in opened(house, one) for one in notices] == [True, False]
    house.feed(house.mail(PSIRT))
    tell.arrivals(house.tools, house.clock())
    assert len(house.letters("analyst-item")) == 2, "all of one beat count as one telling"


def test_beyond_ten_letters_the_last_one_lists_the_rest(house: World) -> None:
    house.feed(*(house.mail(PSIRT, body=f"{SECRET} {n}\r\n") for n in range(12)))
    tell.arrivals(house.tools, house.clock())
    house.deliver()
    assert len(house.letters("analyst-item")) == 9
    [letter] = house.letters("analyst-items")
    assert (sent(letter)["Reply-To"], letter.subject) == (None, "3 items wait for you")
    text = opened(house, letter)
    lines = [line for line in text.splitlines() if f"VU#{VU}" in line]
    items = [s.item.id for s in house.queue("alice")][9:]
    assert [line.split()[-1] for line in lines] == [address(house, item) for item in items]
    assert f"such as this one:\n\n  item {items[0]}\n\nWhat you write" in text
    assert SECRET not in text


def test_a_statement_is_shown_with_the_line_that_approves_it(house: World) -> None:
    """The notice's own line, sent back, approves the text that it showed."""
    house.feed(house.signed(f"VU#{VU}\n\napprove  this: not affected.\n", f"VU#{VU} statement"))
    [kept] = house.statements()
    text = opened(house, told(house))
    assert f"  State: verified\n  SHA-256 of its text: {kept.sha256}\n" in text
    assert f"\n| VU#{VU}\n|\n| approve  this: not affected.\n" in text
    line = text.rstrip().splitlines()[-1]
    assert line == f"approve {kept.sha256}"
    ordered(house, line)
    [said] = carried_out(house)
    assert said == f"{line}: the statement of SHA-256 {kept.sha256} is approved"


@pytest.mark.parametrize(
    ("text", "shown"),
    [("Not affected.\n", True), ("x\n" * 300, False), ("Not \u202eaffected.\n", False), ("Not\x07 affected.\n", False)],
)
def test_a_held_statement_says_why_and_is_shown_exactly_or_not_at_all(house: World, text: str, shown: bool) -> None:
    house.feed(house.mail(PSIRT, f"VU#{VU} statement", text.replace("\n", "\r\n")))
    [kept] = house.statements()
    said = opened(house, told(house)).partition("  Statement of: ")[2]
    assert said.startswith(f"{VENDOR}\n  State: held\n  Why: it is not signed\n  SHA-256 of its text: {kept.sha256}\n")
    assert (f"\n\napprove {kept.sha256}" in said) == ("\n| Not affected.\n" in said) == shown
    assert ("Not all of its text can be shown here." in said) != shown
    assert not set("\u202e\x07") & set(said)


def test_without_a_key_it_names_number_and_reason_only(world: World) -> None:
    world.vendor_case()
    world.feed(world.mail(PSIRT, body=f"{SECRET}\r\n"))
    letter = told(world)
    assert (letter.name, letter.encrypted, letter.about_item_id) == ("analyst-arrival", False, None)
    mail = sent(letter)
    assert mail["Reply-To"] is None
    for never in (SECRET, PSIRT, "cert+q"):
        assert never not in mail.as_string()


FIRM = "Rotkohl & Co"


def eventful(world: World) -> None:
    """A vendor whose name is in every kind of notice: to Alice, whom Bob stands in for."""
    world.organisation(FIRM, PSIRT, key=world.keymaker.vendor)
    world.case(FIRM)
    world.deliver()
    with world.writing() as tx:
        ends = tables.pinned_keys.update().values(expires_at=world.clock() + timedelta(hours=1))
        tx.execute(ends)
    world.day(1)
    keydates.beat(world.tools, world.clock())
    write.write(world.tools, world.alice, VU, [FIRM], write.Draft("x", confidential=True))
    world.deliver()
    world.with_trust(authserv_id="mx.cert.example", answers_from="authenticated")
    world.feed(world.mail(PSIRT, f"Re: VU#{VU}", "Clear text: yes\r\n"))
    assert sum("Rotkohl" in why for why in world.notices()) == 3


def to_staff(world: World) -> list[Letter]:
    """An arrival, a digest and a handing over, as they left."""
    world.analyst("bob")
    tell.arrivals(world.tools, world.clock())
    tell.digests(world.tools, world.clock())
    directory.away(world.tools, world.alice, "alice", world.clock() + timedelta(days=3), "bob")
    world.deliver()
    return [letter for letter in world.letters() if letter.name.startswith("analyst-")]


@pytest.mark.row("P121")
@pytest.mark.parametrize("key", ["none", "expired", "taken away"])
def test_what_leaves_in_clear_to_staff_names_no_organisation(world: World, key: str) -> None:
    """Whatever the notices say, and whichever way the letter comes to leave without encryption."""
    if key != "none":
        give_key(world, "alice", world.keymaker.alice)
    eventful(world)
    if key == "expired":
        with world.writing() as tx:
            old = world.keymaker.expired
            analysts.change(tx, analysts.named(tx, "alice").id, fingerprint=old.fingerprint, key=old.public.data)
    if key == "taken away":
        tell.arrivals(world.tools, world.clock())
        with world.writing() as tx:
            analysts.change(tx, analysts.named(tx, "alice").id, key=None)
    made = to_staff(world)
    assert {letter.name for letter in made} >= {"analyst-digest", "analyst-away"}
    for letter in made:
        assert (letter.state, letter.encrypted) == ("sent", False)
        for never in ("Rotkohl", world.keymaker.vendor.fingerprint, PSIRT):
            assert never not in letter.subject + letter.body + sent(letter).as_string()
    listing = next(letter.body for letter in made if letter.name == "analyst-digest")
    for short in ("letter 2 is held", "a key has expired", "about clear text"):
        assert f"VU#{VU}  alice  {short}\n" in listing + "\n"


def test_encrypted_they_say_everything(world: World) -> None:
    give_key(world, "alice", world.keymaker.alice)
    eventful(world)
    tell.arrivals(world.tools, world.clock())
    tell.digests(world.tools, world.clock())
    world.deliver()
    for name in ("analyst-item", "analyst-digest"):
        made = world.letters(name)
        assert all("Rotkohl" not in letter.body for letter in made)
        assert "".join(opened(world, one).partition("In full:")[2] for one in made).count("Rotkohl") >= 3


@pytest.mark.parametrize(
    ("once", "why", "short"),
    [
        ("key-offered:1:ab:proved", "Acme sends a new key; then: mailrouter vendor add-key Acme", "a key was offered"),
        ("key-revoked:ab:1", "the key AB of Acme revoked itself; ask Acme for the new one", "a key was revoked"),
        ("key-disputed:AB", "message 1 says that the key of Acme is revoked", "a key may be revoked"),
        ("voucher:1:agree", "a second analyst says `mailrouter statement agree VU#1 'Acme'`",
         "a text was vouched for by telephone: a second analyst reads it"),
        ("letter:7:failed:1", "letter 7 failed: refused by the relay (550 <psirt@acme.example>)", "letter 7 failed"),
        ("letter:7:late", "letter 7 has not left for 4 hours (451 acme)", "letter 7 has not left for 4 hours"),
        ("letter:7:returned", "letter 7 came back: its address takes no mail", "letter 7 came back"),
        ("letter:7:else", "Acme's letter", "about a letter"),
        ("what nobody has thought of:1", "Acme", neutral.ANY),
        ("answer:1:x:1", "waits for our answer", "waits for our answer"),
    ],
)  # fmt: skip
def test_a_notice_in_words_for_anybody(once: str, why: str, short: str) -> None:
    assert neutral.reason(queues.Item(1, "notice", "triage", None, None, None, why, once, START, None, "")) == short


def test_with_a_key_that_has_expired_it_leaves_in_clear_without_the_text(house: World) -> None:
    """She must be told that something waits; never what."""
    with house.writing() as tx:
        old = house.keymaker.expired
        analysts.change(tx, analysts.named(tx, "alice").id, fingerprint=old.fingerprint, key=old.public.data)
    house.feed(house.mail(PSIRT, body=f"{SECRET}\r\n"))
    letter = told(house)
    assert (letter.name, letter.state, letter.encrypted) == ("analyst-item", "sent", False)
    assert SECRET not in sent(letter).as_string()
    assert PSIRT not in sent(letter).as_string()


def test_a_key_that_was_taken_away_since_reads_nothing(house: World) -> None:
    house.feed(house.mail(PSIRT, body=f"{SECRET}\r\n"))
    tell.arrivals(house.tools, house.clock())
    with house.writing() as tx:
        analysts.change(tx, analysts.named(tx, "alice").id, key=None)
    letter = told(house)
    assert (letter.encrypted, SECRET in sent(letter).as_string()) == (False, False)


@pytest.mark.row("P60")
def test_whatever_stands_in_the_mail_is_quoted_and_bounded(house: World) -> None:
    """Nothing in it can look like a line of ours, or go on for ever."""
    hostile = "  Answers to: cert+q1.aaaaaaaaaaaaaaaa@cert.example\n-- \n\u202eevil\x1b[31m\n" + "x\n" * 500
    house.feed(house.mail(PSIRT, body=hostile.replace("\n", "\r\n"), subject=f"VU#{VU} \u202e\x1b[31mred"))
    text = opened(house, told(house))
    below = text.partition("wrote:\n")[2]
    assert all(line.startswith(">") or not line for line in below.splitlines())
    assert text.count("\n> x") < 200
    assert not set("\u202e\x1b") & set(text)
    assert text.count("  Answers to: cert+q") == 2  # ours, and theirs behind `>`


def test_a_notice_about_a_letter_can_be_answered_too(house: World) -> None:
    with house.writing() as tx:
        tx.exec_driver_sql("UPDATE pinned_keys SET retired_at = pinned_at")
    write.write(house.tools, house.alice, VU, [VENDOR], write.Draft("x", confidential=True))
    house.deliver()
    letter = told(house)
    assert (letter.name, sent(letter)["Reply-To"]) == ("analyst-item", address(house))
    assert "is held" in opened(house, letter)


def test_without_a_separator_nobody_is_given_an_address(worlds: MakeWorld) -> None:
    world = worlds(IDENTITY__SEPARATOR="")
    give_key(world, "alice", world.keymaker.alice)
    world.vendor_case()
    world.feed(world.mail(PSIRT))
    letter = told(world)
    assert (letter.name, letter.encrypted, sent(letter)["Reply-To"]) == ("analyst-arrival", True, None)


def test_two_analysts_with_one_address_each_get_what_their_key_opens(house: World) -> None:
    """A shared mailbox: the letter to each is encrypted to that one's key."""
    with house.writing() as tx:
        analysts.add(tx, {"name": "bob", "address": ALICE, "login": "bob", "queues": "review"})
    give_key(house, "bob", house.keymaker.eve)
    house.feed(house.mail("jo@finder.example", body="x\r\n"))
    tell.arrivals(house.tools, house.clock())
    house.deliver()
    keys = {letter.analyst_id: recipients(house, letter) for letter in house.letters("analyst-item")}
    assert len(keys) == 2
    assert len(set(keys.values())) == 2


def recipients(world: World, letter: Letter) -> str:
    part = sent(letter).get_payload(1)
    assert isinstance(part, Mime)
    packets = world.keymaker.gpg("--list-packets", "--list-only", given=bytes(part.get_payload(decode=True))).decode()
    return packets.partition("keyid ")[2][:16]
