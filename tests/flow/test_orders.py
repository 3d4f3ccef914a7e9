"""Orders by mail, on both databases: notice, signed answer, what it does, and every mail that must do nothing."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from mailrouter.flow.casework import coordinate, write
from mailrouter.flow.ordering import orders
from mailrouter.flow.sending import noticetext, outgoing, sealing
from mailrouter.flow.telling import tell
from mailrouter.mail.envelope import Envelope
from mailrouter.mail.ownaddress import Mint
from mailrouter.store import analysts, outbox, queues, secret
from mailrouter.store.messages import Message
from tests.flow.world import OURS, PSIRT, VENDOR, VU, World
from tests.pgp import mails as sealed_mails
from tests.pgp.keys import Keymaker, Owner

ALICE = "alice@cert.example"
quickly = pytest.mark.parametrize("migrated_url", ["sqlite"], indirect=True)  # where SQL makes no difference
ANSWER = "Thank you.\nWe would like to see a crash log.\n"


# ---- the scene -------------------------------------------------------------------------------------------------------


@pytest.fixture
def house(world: World) -> World:
    """Alice has a key on file; Acme has answered, encrypted, and its mail waits for her."""
    give_key(world, "alice", world.keymaker.alice)
    world.vendor_case(key=True)
    entity = f"Content-Type: text/plain\r\n\r\nVU#{VU}: a fix comes in May.\r\n".encode()
    world.feed(world.encrypted(entity, f"VU#{VU}", signer=world.keymaker.vendor))
    return world


def give_key(world: World, name: str, owner: Owner) -> None:
    info = world.tools.pgp.import_public(world.keymaker.armored(owner.fingerprint))
    with world.writing() as tx:
        analysts.change(tx, analysts.named(tx, name).id, fingerprint=info.fingerprint, key=info.public.data)


def mint(world: World) -> Mint:
    with world.writing() as tx:
        return Mint(OURS, "+", secret.made(tx))


def address(world: World, item: int = 0, analyst: str = "alice") -> str:
    """What this analyst was given for the item (the first in Alice's queue)."""
    with world.look() as tx:
        holder = analysts.named(tx, analyst)
    return mint(world).order(item or world.queue("alice")[0].item.id, holder.id)


def ordered(world: World, text: str, to: str = "", *, tied: bool = True, **more: object) -> Message:
    """A signed mail of Alice's to the item's address, received; its words name the item unless `tied` is False."""
    to = to or address(world)
    words = f"{text}\n\n> Answers to: {to}\n" if tied else text
    return world.fed(by_alice(world, words, to, **more))


def by_alice(world: World, words: str, to: str, **more: object) -> Envelope:
    """Her mail, signed; `signer`, `sender` and `at` may be another's."""
    made = world.signed(words, "Re: something", **({"signer": world.keymaker.alice, "sender": ALICE} | more))  # type: ignore[arg-type]
    return world.envelope(made.raw, ALICE, (to,))


def carried_out(world: World) -> list[str]:
    """What Alice is told of the mails that are carried out now: the lines of each transcript."""
    known = len(world.letters("analyst-transcript"))
    while orders.work(world.tools):
        pass
    return [listed(letter.body) for letter in world.letters("analyst-transcript")[known:]]


def listed(body: str) -> str:
    return body.split("\n\n")[1]


def told_refused(world: World) -> list[str]:
    return [letter.body for letter in world.letters("analyst-refused")]


# ---- what an answer does ---------------------------------------------------------------------------------------------


def test_an_answer_goes_on_as_our_letter(house: World) -> None:
    got = ordered(house, ANSWER)
    assert (got.place, got.kind, got.standing, got.assurance) == ("filed", "order", "signed", "verified")
    assert got.participant_id is None
    assert house.turn() == "us"
    [said] = carried_out(house)
    [letter] = house.letters("write")
    assert said == f"your text: sent on as letter {letter.id}"
    assert (letter.recipient, letter.confidential) == (PSIRT, True)
    assert ANSWER.strip() in letter.body
    assert house.turn() == "them"
    assert house.queue("alice") == []
    theirs = next(m for m in house.messages() if m.kind == "person")
    assert letter.in_reply_to == f"<{theirs.message_id}>"
    for never in (ALICE, "cert+q", got.message_id or "?", "Answers to"):
        assert never not in letter.body + letter.subject + letter.reference_ids
    assert house.books().balanced


def test_the_journal_names_the_analyst_and_the_mail(house: World) -> None:
    got = ordered(house, "done\n\n" + ANSWER)
    carried_out(house)
    mine = [entry for entry in house.journal() if entry.actor == "alice" and "by_mail" in entry.data]
    assert [entry.kind for entry in mine] == ["item.done", "letter.queued", "orders.done"]
    evidence = {"message": got.id, "fingerprint": house.keymaker.alice.fingerprint}
    assert [entry.data["by_mail"] for entry in mine] == [evidence] * 3
    assert house.breaks() == []


@pytest.mark.parametrize(
    ("text", "turn", "said"),
    [
        ("done", "nobody", "done: item {item} is done"),
        ("wait 2026-12-01", "nobody", "wait 2026-12-01: nobody's turn until 2026-12-01 00:00 UTC"),
        ("wait 2026-02-30", "us", "wait 2026-02-30: not done: 2026-02-30 is no day"),
        ("wait 2020-01-01", "us", "wait 2020-01-01: not done: 2020-01-01 lies in the past"),
        ("assign bob", "us", "assign bob: VU#123456 is bob's"),
        ("hold", "us", "hold: not done: no letter to them is queued"),
        ("hold 99", "us", "hold 99: not done: no letter 99 belongs to this case"),
        ("release 99", "us", "release 99: not done: your signed words do not say which item they are about"),
        ("dnoe", "us", "nothing was done: its first words are nearly the order `done`"),
    ],
)
@quickly
def test_one_order(house: World, text: str, turn: str, said: str) -> None:
    house.analyst("bob")
    item = house.queue("alice")[0].item.id
    ordered(house, text, tied=False)  # what can be undone needs no tie
    [told] = carried_out(house)
    assert " ".join(told.split()).startswith(said.format(item=item))
    assert house.turn() == turn
    assert len(house.queue("bob")) == (text == "assign bob")
    assert house.letters("write") == []


@quickly
def test_help_is_answered_with_the_list(house: World) -> None:
    ordered(house, "help")
    [told] = carried_out(house)
    assert "assign NAME: the case goes to this analyst" in told
    assert len(house.queue("alice")) == 1


def test_done_with_a_text_asks_nothing(house: World) -> None:
    ordered(house, "done\n\nThank you.")
    assert len(carried_out(house)[0].splitlines()) == 2
    assert (house.turn(), house.queue("alice")) == ("nobody", [])
    assert [d.kind for d in house.deadlines()] == []


def test_the_first_order_that_is_refused_ends_the_mail_and_what_was_done_before_stays(house: World) -> None:
    house.analyst("bob")
    ordered(house, "assign bob\nassign nobody\ndone\n\n" + ANSWER, to=(to := address(house)))
    [told] = carried_out(house)
    first, second, third, text = told.splitlines()
    assert first == "assign bob: VU#123456 is bob's"
    assert second.startswith("assign nobody: not done: no analyst is named 'nobody'")
    assert third == "done: not done, since `assign` was not"
    assert text == "your text: not sent on, since `assign` was not done"
    assert (house.letters("write"), house.turn(), to) == ([], "us", to)
    assert house.journal()[-1].data["failed"] == "assign"


def test_a_statement_is_approved_by_its_hash_only(house: World) -> None:
    house.feed(house.signed(f"VU#{VU}\nNot affected.\n", f"VU#{VU} statement"))
    [kept] = house.statements()
    item = house.queue("alice")[-1].item.id
    for sha256, approved in (("0" * 64, False), (kept.sha256, True)):
        ordered(house, f"approve {sha256}", address(house, item))
        [told] = carried_out(house)
        assert told.startswith(f"approve {sha256}: {'the statement' if approved else 'not done'}")
        assert (house.statements()[0].approved_at is not None) == approved


def test_the_letters_to_them_are_held_and_released(house: World) -> None:
    first, second = (write.write(house.tools, house.alice, VU, [VENDOR], write.Draft(text))[0] for text in "ab")
    to = address_of_mail(house)
    ordered(house, "hold", to)
    assert carried_out(house) == [f"hold: held: letter {first}, {second}"]
    ordered(house, f"release {second}", to)
    ordered(house, "release", to, tied=False)
    assert carried_out(house)[0] == f"release {second}: released: letter {second}"
    assert {letter.id: letter.state for letter in house.letters("write")} == {first: "held", second: "queued"}


@quickly
def test_letters_to_others_of_the_case_are_neither_held_nor_released(house: World) -> None:
    """An item is about one participant: a number that was misread, or is another's, reaches nobody else."""
    house.organisation("Bolt", "psirt@bolt.example")
    coordinate.add_vendor(house.tools, house.alice, VU, "Bolt")
    [theirs] = write.write(house.tools, house.alice, VU, ["Bolt"], write.Draft("To Bolt"))
    to = address_of_mail(house)
    for word, state in (("hold", "queued"), ("release", "held")):
        with house.writing() as tx:
            outbox.change(tx, theirs, state=state)
        ordered(house, f"{word} {theirs}", to)
        [told] = carried_out(house)
        assert told.startswith(f"{word} {theirs}: not done: letter {theirs} goes to others than item")
        assert house.letters("write")[0].state == state


@quickly
def test_no_letter_is_released_by_words_that_name_no_item(house: World) -> None:
    [letter] = write.write(house.tools, house.alice, VU, [VENDOR], write.Draft("a"))
    outgoing.hold(house.tools, house.alice, letter)
    ordered(house, f"release {letter}", address_of_mail(house), tied=False)
    [told] = carried_out(house)
    assert "which item they are about" in " ".join(told.split())
    assert house.letters("write")[0].state == "held"


def address_of_mail(world: World) -> str:
    """Alice's address for the item of Acme's first mail, done or not."""
    theirs = next(m for m in world.messages() if m.kind == "person" and m.direction == "in")
    with world.look() as tx:
        row = tx.execute(queues.queue_items.select().where(queues.queue_items.c.message_id == theirs.id)).one()
    return address(world, row.id)


def test_a_notice_about_a_letter_is_answered_with_release(world: World) -> None:
    give_key(world, "alice", world.keymaker.alice)
    world.vendor_case()
    [held] = write.write(world.tools, world.alice, VU, [VENDOR], write.Draft("x", confidential=True))
    world.deliver()
    [waits] = world.queue("alice")
    assert (waits.item.kind, waits.item.message_id) == ("notice", None)
    ordered(world, "release")
    assert carried_out(world) == [f"release: released: letter {held}"]
    with world.look() as tx:
        assert outbox.get(tx, held).state == "queued"


@quickly
def test_a_notice_about_a_participant_can_be_answered_with_a_letter(world: World) -> None:
    give_key(world, "alice", world.keymaker.alice)
    world.vendor_case()
    for number in (14, 28, 42):
        world.day(number)
        world.beat()
    theirs = next(one.item.id for one in world.queue("alice") if one.item.participant_id is not None)
    ordered(world, "Is anybody there?", address(world, theirs))
    [told] = carried_out(world)
    [letter] = world.letters("write")
    assert told == f"your text: sent on as letter {letter.id}"
    assert (letter.recipient, letter.confidential) == (PSIRT, False)


def test_what_is_about_no_participant_is_sent_to_nobody(world: World) -> None:
    give_key(world, "alice", world.keymaker.alice)
    world.feed(world.mail("jo@finder.example", "a flaw"))
    to = address(world, world.queue("triage")[0].item.id)
    for text, said in (("Hello.", "belongs to no case"), ("wait 2026-12-01", "belongs to no case")):
        ordered(world, text, to)
        assert said in " ".join(carried_out(world)[0].split())
    ordered(world, "done", to)
    assert carried_out(world)[0].startswith("done: item")
    assert (world.queue("triage"), world.letters("write")) == ([], [])


# ---- what must not leave ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("Hello.\n", "do not say which item"),
        (f"Hello.\n\nRegards\n{ALICE.upper()}\n\n> Answers to: {{to}}\n", "your own mail address"),
        ("Hello.\nAnswers to: {to}\n", "an address that only you were given"),
        ("Hello.\n\n> Answers to: {to}\n> Answers to: {other}\n", "do not say which item"),
        ("Hello.\n\n> Answers to: {other}\n", "about another item"),
        ("item 99\n\nHello.\n\n> Answers to: {to}\n", "about another item"),
    ],
)
@pytest.mark.row("P93")
@quickly
def test_a_text_that_is_not_surely_meant_for_them_stays_here(house: World, words: str, why: str) -> None:
    """The envelope is not signed: whoever carries a mail could take it to another item's address."""
    house.feed(house.mail(PSIRT, body="And?\r\n"))
    here, there = (shown.item.id for shown in house.queue("alice"))
    to, other = address(house, here), address(house, there)
    house.feed(by_alice(house, words.format(to=to, other=other), to))
    [told] = carried_out(house)
    assert why in " ".join(told.split())
    assert house.letters("write") == []
    assert house.turn() == "us"


@pytest.mark.parametrize("words", ["item {item}\n\nHello.\n", "Hello.\n\nOn Monday, CERT wrote:\n> see {to}\n"])
@quickly
def test_a_text_that_names_its_item_leaves(house: World, words: str) -> None:
    item = house.queue("alice")[0].item.id
    house.feed(by_alice(house, words.format(item=item, to=address(house)), address(house)))
    assert "sent on as letter" in carried_out(house)[0]


@quickly
def test_a_signed_subject_names_the_item(house: World) -> None:
    item = house.queue("alice")[0].item.id
    entity = f'Content-Type: text/plain; protected-headers="v1"\r\nSubject: Re: Item {item} waits\r\n\r\nHello.\r\n'
    house.feed(by_alice(house, "", address(house), content=entity.encode()))
    assert "sent on as letter" in carried_out(house)[0]


@quickly
def test_files_are_not_sent_on_but_the_analysts_key_is_no_file(house: World) -> None:
    for kind, said in (("application/pdf", "files cannot be sent on"), ("application/pgp-keys", "sent on as letter")):
        text = f"Content-Type: text/plain\r\n\r\nSee this.\r\n> {address_of_mail(house)}\r\n".encode()
        file = f"Content-Type: {kind}; name=x\r\nContent-Disposition: attachment\r\n\r\nx\r\n".encode()
        entity = sealed_mails.mixed(text, file, head=b"")
        house.feed(by_alice(house, "", address_of_mail(house), content=entity))
        assert said in " ".join(carried_out(house)[0].split())
    assert len(house.letters("write")) == 1


@quickly
@pytest.mark.parametrize("style", ["above", "below", "between", "outlook", "forwarded", "bare"])
def test_whatever_a_mail_program_makes_of_the_notice_nothing_of_it_leaves(house: World, style: str) -> None:
    """Either it is known as quoted, or nothing is sent on."""
    tell.arrivals(house.tools, house.clock())
    [notice] = house.letters("analyst-item")
    quoted = "".join(f"> {line}\n" for line in notice.body.splitlines())
    wrote = "On Mon, 2 Mar 2026 at 09:00, Our CERT <cert@cert.example> wrote:\n"
    head = f"From: Our CERT <cert@cert.example>\nSent: Monday\nTo: Alice\nSubject: {notice.subject}\n\n"
    words = {
        "above": f"Yes.\n\n{wrote}{quoted}",
        "below": f"{wrote}{quoted}\nYes.\n",
        "between": f"{wrote}{quoted[: len(quoted) // 2]}\nYes.\n\n{quoted[len(quoted) // 2 :]}",
        "outlook": f"Yes.\n\n{head}{notice.body}\n",
        "forwarded": f"Yes.\n\n-----Original Message-----\n{head}{notice.body}\n",
        "bare": f"Yes.\n\n{notice.body}\n",
    }[style]
    house.feed(by_alice(house, words, address(house)))
    [told] = carried_out(house)
    left = [letter.body for letter in house.letters("write")]
    assert len(left) == (style != "bare"), told
    lines = {line.strip() for line in notice.body.splitlines() if line.strip()}
    for body in left:
        assert "\nYes.\n" in body
        assert not lines & {line.strip(" >") for line in body.splitlines()}


@quickly
def test_a_signature_block_stays_here(house: World) -> None:
    to = address(house)
    house.feed(by_alice(house, f"> {to}\n\nYes.\n\n-- \nAlice, {ALICE}\n", to))
    carried_out(house)
    [letter] = house.letters("write")
    assert ALICE not in letter.body


# ---- what must do nothing --------------------------------------------------------------------------------------------

Forge = Callable[[World, str], Envelope]
WORDS = "done\n\nAll is well.\n"


def from_line(line: str) -> Forge:
    return lambda world, to: by_alice(world, f"{WORDS}\n> {to}\n", to, sender=line)


def signed_by(owner: str) -> Forge:
    return lambda world, to: by_alice(world, f"{WORDS}\n> {to}\n", to, signer=getattr(world.keymaker, owner))


def around(build: Callable[[bytes, bytes], bytes]) -> Forge:
    """`build(head, a whole signed entity)`: a mail in which the signed part is not all."""

    def forged(world: World, to: str) -> Envelope:
        entity = f"Content-Type: text/plain\r\n\r\n{WORDS}> {to}\r\n".encode()
        signature = world.keymaker.sign(entity, world.keymaker.alice, more=world._faked(None))
        head = f"From: {ALICE}\r\nSubject: x\r\nMessage-ID: <f@x.example>\r\nMIME-Version: 1.0\r\n".encode()
        return world.envelope(build(head, sealed_mails.signed(signature, entity, b"")), ALICE, (to,))

    return forged


def unsigned(world: World, to: str) -> Envelope:
    return world.mail(ALICE, "Re: item", f"{WORDS}> {to}\r\n", to=(to,))


def cleartext_with_more(world: World, to: str) -> Envelope:
    block = world.keymaker.sign(WORDS.encode(), world.keymaker.alice, mode="--clear-sign", more=world._faked(None))
    body = b"assign bob\r\n" + block.replace(b"\n", b"\r\n")
    return world.envelope(sealed_mails.text(body, world._head(ALICE, "x", "")), ALICE, (to,))


def encrypted_around_a_part(world: World, to: str) -> Envelope:
    """All of it encrypted, and only a part of that signed."""
    whole = around(lambda head, part: sealed_mails.mixed(PLAIN, part, head=b""))(world, to).raw
    return world.envelope(world.encrypted(whole, sender=ALICE).raw, ALICE, (to,))


def encrypted_by_nobody(world: World, to: str) -> Envelope:
    return world.envelope(world.encrypted(PLAIN, sender=ALICE).raw, ALICE, (to,))


def dated(days: float) -> Forge:
    return lambda world, to: by_alice(world, WORDS, to, at=world.clock() - timedelta(days=days))


PLAIN = b"Content-Type: text/plain\r\n\r\nassign bob\r\n"
HTML = b"Content-Type: text/html\r\n\r\n<div style=display:none><plaintext>\r\n"
FORGED: dict[str, tuple[str, Forge]] = {
    "unsigned": ("", unsigned),
    "by another key": ("P50", signed_by("eve")),
    "by a vendor's pinned key": ("P50", signed_by("vendor")),
    "from another address": ("P50", from_line("eve@eve.example")),
    "the address as a name": ("P51", from_line(f'"{ALICE}" <eve@eve.example>')),
    "the address as a name, unquoted": ("P51", from_line(f"{ALICE} <eve@eve.example>")),
    "an empty From": ("P52", from_line("")),
    "a From of a name only": ("P52", from_line("Alice")),
    "two From": ("P53", from_line(f"{ALICE}\r\nFrom: eve@eve.example")),
    "two From, the other way": ("P53", from_line(f"eve@eve.example\r\nFrom: {ALICE}")),
    "two mailboxes": ("P53", from_line(f"{ALICE}, eve@eve.example")),
    "Sender": ("P53", from_line(f"eve@eve.example\r\nSender: {ALICE}")),
    "a group": ("P54", from_line(f"staff: {ALICE};")),
    "a comment": ("P54", from_line(f"{ALICE} (Alice)")),
    "a trailing dot": ("P54", from_line(f"{ALICE}.")),
    "an addition": ("P54", from_line("alice+x@cert.example")),
    "a homograph": ("P54", from_line("\u0430lice@cert.example")),
    "text and a signed part": ("P40", around(lambda head, part: sealed_mails.mixed(PLAIN, part, head=head))),
    "HTML and a signed part": ("P41", around(lambda head, part: sealed_mails.mixed(HTML, part, head=head))),
    "related to a signed part": ("P42", around(lambda h, p: sealed_mails.mixed(PLAIN, p, head=h, kind=b"related"))),
    "a signed part attached": (
        "P43", around(lambda h, p: sealed_mails.mixed(PLAIN, b"Content-Disposition: attachment\r\n" + p, head=h)),
    ),
    "three parts": (
        "P44", around(lambda h, p: h + p.replace(b"--=-b--", b"--=-b\r\n" + PLAIN + b"\r\n--=-b--")),
    ),
    "forwarded": (
        "P44", around(lambda h, p: sealed_mails.mixed(b"Content-Type: message/rfc822\r\n\r\n" + p, head=h)),
    ),
    "a signed part, encrypted": ("P40", encrypted_around_a_part),
    "encrypted, not signed": ("", encrypted_by_nobody),
    "an alternative": ("P45", around(lambda h, p: sealed_mails.mixed(p, HTML, head=h, kind=b"alternative"))),
    "two types": ("P46", around(lambda h, p: h + b"Content-Type: text/plain\r\n" + p)),
    "future": ("P70", dated(-2)),
    "stale": ("P72", dated(31)),
    "text around cleartext": ("P80", cleartext_with_more),
}  # fmt: skip


@pytest.mark.parametrize(
    "forge",
    [pytest.param(forge, id=name, marks=[pytest.mark.row(row)] * bool(row)) for name, (row, forge) in FORGED.items()],
)
@quickly
def test_a_mail_that_is_not_surely_hers_does_nothing_and_she_is_told(house: World, forge: Forge) -> None:
    house.analyst("bob")
    before, to = state(house), address(house)
    got = house.fed(forge(house, to))
    assert (got.place, got.kind, got.case_id, got.participant_id) == ("review", "order", None, None)
    assert got.standing == "stranger"
    assert carried_out(house) == []
    assert state(house) == before
    [told] = told_refused(house)
    assert f"Why: {got.why.partition('without effect: ')[2][:20]}" in told
    assert [letter.recipient for letter in house.letters("analyst-refused")] == [ALICE]
    assert house.letters("acknowledgement") == []
    assert house.books().balanced


def state(world: World) -> object:
    """All that an order could change."""
    named = [item.item for item in world.queue("alice")]
    return world.turn(), named, world.letters("write"), world.deadlines(everything=True), world.statements()


@quickly
def test_from_in_capitals_is_hers(house: World) -> None:
    """P54: the exact address, but for the case of letters."""
    house.feed(by_alice(house, "done\n", address(house), sender=ALICE.upper()))
    assert carried_out(house)[0].startswith("done: item")


@quickly
def test_cleartext_alone_is_hers(house: World) -> None:
    block = house.keymaker.sign(b"done\n", house.keymaker.alice, mode="--clear-sign", more=house._faked(None))
    raw = sealed_mails.text(block.replace(b"\n", b"\r\n"), house._head(ALICE, "x", ""))
    house.feed(house.envelope(raw, ALICE, (address(house),)))
    assert carried_out(house)[0].startswith("done: item")


@quickly
def test_an_answer_that_came_encrypted_is_hers(house: World) -> None:
    entity = f"Content-Type: text/plain\r\n\r\nYes.\r\n\r\n> {address(house)}\r\n".encode()
    made = house.encrypted(entity, signer=house.keymaker.alice, sender=ALICE)
    house.feed(house.envelope(made.raw, ALICE, (address(house),)))
    assert "sent on as letter" in carried_out(house)[0]


@pytest.mark.row("P121")
@pytest.mark.parametrize("encrypted", [True, False])
@quickly
def test_what_she_writes_encrypted_leaves_in_clear_to_nobody(world: World, encrypted: bool) -> None:
    """A plain mail of a vendor without a key; her answer is confidential as hers came."""
    give_key(world, "alice", world.keymaker.alice)
    world.vendor_case()
    world.feed(world.mail(PSIRT, f"Re: VU#{VU}", "And?\r\n"))
    to = address(world)
    if encrypted:
        entity = f"Content-Type: text/plain\r\n\r\nThe exploit is x.\r\n\r\n> {to}\r\n".encode()
        world.feed(world.envelope(world.encrypted(entity, signer=world.keymaker.alice, sender=ALICE).raw, ALICE, (to,)))
    else:
        ordered(world, "We hope for an answer.\n", to)
    [said] = carried_out(world)
    world.deliver()
    [letter] = world.letters("write")
    assert (letter.confidential, letter.state) == ((True, "held") if encrypted else (False, "sent"))
    held = f"; held: {sealing.NO_KEY}{orders.ENCRYPTED}" if encrypted else ""
    assert said == f"your text: sent on as letter {letter.id}{held}"


@pytest.mark.row("P91")
def test_the_same_signed_mail_again_does_nothing(house: World) -> None:
    """Under another Message-ID, to the same address and to another item's, and in one batch with the first."""
    house.feed(house.mail(PSIRT, body="And?\r\n"))
    here, there = (address(house, shown.item.id) for shown in house.queue("alice"))
    first = by_alice(house, "hold\n", here, message_id="1@x.example")
    again = house.envelope(first.raw.replace(b"<1@x", b"<2@x"), ALICE, (here,))
    elsewhere = house.envelope(first.raw.replace(b"<1@x", b"<3@x"), ALICE, (there,))
    house.feed(first, again)
    house.feed(elsewhere)
    assert len(carried_out(house)) == 1
    waiting = [shown.item.why for shown in house.queue("review")]
    assert [why.partition(": ")[2] for why in waiting] == ["the same signed mail came before; it is not done again"] * 2
    assert len(told_refused(house)) == 2  # one for each item


def test_another_analysts_signature_or_address_does_nothing(house: World) -> None:
    """Bob's own mail to Alice's address, and Alice's mail to Bob's."""
    house.analyst("bob", "review")
    give_key(house, "bob", house.keymaker.eve)
    item, before = house.queue("alice")[0].item.id, state(house)
    his, hers = address(house, item, "bob"), address(house, item)
    house.feed(by_alice(house, WORDS, hers, signer=house.keymaker.eve, sender="bob@cert.example"))
    house.feed(by_alice(house, WORDS, his))
    assert (carried_out(house), state(house)) == ([], before)
    assert {letter.recipient for letter in house.letters("analyst-refused")} == {ALICE, "bob@cert.example"}


@quickly
def test_an_address_that_was_given_to_nobody_does_nothing_and_tells_nobody(house: World) -> None:
    """Another item's token, another analyst's, nobody's; and a good token of an item that is not."""
    house.analyst("bob")
    good, before = address(house), state(house)
    tag, at = good.partition(".")[0] + ".", "@" + OURS.partition("@")[2]
    tokens = [address(house, 999), address(house, 999, "bob"), f"x.{'a' * 16}{at}"]
    for forged in [*(tag + other.partition(".")[2] for other in tokens), address(house, 999)]:
        got = house.fed(by_alice(house, WORDS, forged))
        assert (got.place, got.flags) == ("review", "bad-token")
    assert (carried_out(house), state(house), told_refused(house)) == ([], before, [])


@quickly
def test_two_of_our_addresses_at_once_do_nothing(house: World) -> None:
    house.feed(house.mail(PSIRT, body="And?\r\n"))
    to = tuple(address(house, shown.item.id) for shown in house.queue("alice"))
    made = by_alice(house, WORDS, to[0])
    got = house.fed(house.envelope(made.raw, ALICE, to))
    assert "several addresses" in got.why
    assert carried_out(house) == []


def test_a_vendors_mail_to_an_analysts_address_is_no_answer_of_theirs(house: World) -> None:
    """However well it is signed and whatever number it names."""
    before = house.participant()
    made = house.signed(f"VU#{VU}: not affected.\n", f"VU#{VU} statement")
    got = house.fed(house.envelope(made.raw, PSIRT, (address(house),)))
    assert (got.place, got.kind, got.participant_id) == ("review", "order", None)
    assert (house.participant(), house.statements()) == (before, [])


def test_who_answers_the_from_of_a_notice_is_told_where_to_write(house: World) -> None:
    """Without the address of an item there is nothing it could be about."""
    plain = house.tools.settings.identity.address
    for words in ("done", "assign bob"):
        got = house.fed(by_alice(house, words, plain))
        assert (got.place, got.kind) == ("review", "person")
    [told] = told_refused(house)
    flat = " ".join(told.split())
    assert "Why: it came to none of the addresses you were given: please answer the notice of the item" in flat
    assert "Item:" not in told
    house.clock.forward(minutes=61)
    house.feed(by_alice(house, "done, please", plain))
    assert len(told_refused(house)) == 2
    assert [letter.recipient for letter in house.letters("analyst-refused")] == [ALICE] * 2


@quickly
def test_of_what_is_not_surely_her_own_mail_to_our_plain_address_she_hears_nothing(house: World) -> None:
    plain = house.tools.settings.identity.address
    good = by_alice(house, "done", plain)
    house.feed(
        house.mail(ALICE, "x", "done\r\n"),
        by_alice(house, "done", plain, signer=house.keymaker.eve),
        by_alice(house, "done", plain, sender="eve@evil.example"),
        house.envelope(b"Auto-Submitted: auto-replied\r\n" + good.raw, ALICE),
    )
    assert told_refused(house) == []


@quickly
def test_without_a_key_on_file_there_is_no_order(world: World) -> None:
    world.vendor_case()
    world.feed(world.mail(PSIRT))
    got = world.fed(by_alice(world, WORDS, address(world)))
    assert "no key of yours on file" in got.why
    assert world.queue("alice") != []


def test_she_is_told_once_an_hour_for_each_item(house: World) -> None:
    to = address(house)
    for minutes, count in ((0, 1), (30, 1), (29, 1), (2, 2), (58, 2), (3, 3)):
        house.clock.forward(minutes=minutes)
        house.feed(house.mail(ALICE, "x", f"{count}\r\n", to=(to,)))
        assert len(told_refused(house)) == count


@pytest.mark.parametrize(
    ("header", "place"),
    [("Auto-Submitted: auto-replied", "filed"), ("List-Id: <x.example>", "review"), ("X-Autoreply: yes", None)],
)
@quickly
def test_robots_are_not_answered(house: World, header: str, place: str | None) -> None:
    before = state(house)
    got = house.fed(house.mail(ALICE, "Out of office", "I am away.\r\n", header, to=(address(house),)))
    assert got.kind not in ("person", "order")
    assert place in (None, got.place)
    assert (told_refused(house), carried_out(house), state(house)) == ([], [], before)


@quickly
def test_a_bounce_is_not_answered(house: World) -> None:
    to = (address(house),)
    got = house.fed(house.mail("mailer-daemon@x.example", "Undelivered Mail", "x\r\n", to=to, reverse_path=""))
    assert (told_refused(house), carried_out(house)) == ([], [])
    assert got.participant_id is None


@quickly
@pytest.mark.row("P65")
@pytest.mark.row("P67")
@pytest.mark.parametrize("kind", ["expired", "revoked"])
def test_a_key_that_has_ended_or_was_revoked_orders_nothing(house: World, kind: str) -> None:
    """Though it is the one on file, and the signature was made in its time."""
    owner = Keymaker(house.keymaker.home).make(kind, ALICE, expires="20200201T000000" if kind == "expired" else "never")
    entity = b"Content-Type: text/plain\r\n\r\ndone\r\n"
    signature = house.keymaker.sign(entity, owner, more=("--faked-system-time", "20200115T000000!"))
    raw = sealed_mails.signed(signature, entity, house._head(ALICE, "x", ""))
    key = house.keymaker.revoke(owner) if kind == "revoked" else owner
    with house.writing() as tx:
        hers = analysts.named(tx, "alice").id
        analysts.change(tx, hers, fingerprint=key.fingerprint, key=key.public.data)
    got = house.fed(house.envelope(raw, ALICE, (address(house),)))
    assert (got.place, got.verdict) == ("review", f"{kind}-key")
    assert (carried_out(house), len(house.queue("alice"))) == ([], 1)


@quickly
@pytest.mark.row("P115")
def test_a_secret_key_in_it_is_an_incident_wherever_it_came(house: World) -> None:
    exposed = house.keymaker.secret(house.keymaker.eve.fingerprint).decode()
    got = house.fed(by_alice(house, f"done\n\nSee {address(house)}\n\n{exposed}", address(house)))
    assert got.place == "quarantine"
    assert carried_out(house) == []


# ---- once ------------------------------------------------------------------------------------------------------------


def test_two_workers_carry_an_order_out_once(house: World) -> None:
    ordered(house, ANSWER)
    nodes = [house.node(f"n{n}") for n in range(3)]
    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(orders.work, nodes)) >= 1
    assert (len(house.letters("write")), len(house.letters("analyst-transcript"))) == (1, 1)


def test_a_key_that_was_changed_in_between_ends_it(house: World) -> None:
    ordered(house, ANSWER)
    give_key(house, "alice", house.keymaker.eve)
    [told] = carried_out(house)
    assert told.startswith("nothing was done: your key on file is another")
    assert house.letters("write") == []


def test_a_fault_of_ours_is_tried_again_and_then_told(house: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three tries; nothing of them stays."""
    ordered(house, "assign alice\n\n" + ANSWER)

    def broken(*_arguments: object) -> int:
        raise RuntimeError("broken")

    monkeypatch.setattr(write, "reply", broken)
    for _ in range(3):
        assert house.letters("analyst-transcript") == []
        assert orders.work(house.tools)
        assert not orders.work(house.tools)
        house.clock.forward(minutes=2)
    [letter] = house.letters("analyst-transcript")
    assert "nothing was done: a fault of ours" in letter.body
    assert "case.assigned" not in [entry.kind for entry in house.journal()]
    assert not orders.work(house.tools)


def test_who_dies_over_it_each_time_is_not_given_it_for_ever(house: World) -> None:
    ordered(house, ANSWER)
    with house.writing() as tx:
        for _ in range(3):
            orders.orders.claim(tx, house.clock())
            house.clock.forward(minutes=2)
    assert carried_out(house) == ["nothing was done: a fault of ours; please order it again"]


@quickly
def test_the_transcript_is_encrypted_or_held(house: World) -> None:
    """It may name a vendor: it never leaves in clear."""
    ordered(house, "assign alice")
    carried_out(house)
    house.deliver()
    [letter] = house.letters("analyst-transcript")
    assert (letter.state, letter.encrypted, letter.confidential) == ("sent", True, True)
    ordered(house, "assign alice\nhold")
    carried_out(house)
    with house.writing() as tx:
        analysts.change(tx, analysts.named(tx, "alice").id, key=None)
    house.deliver()
    assert [one.state for one in house.letters("analyst-transcript")] == ["sent", "held"]


@quickly
def test_after_the_case_went_to_another_its_mail_is_still_answered(house: World) -> None:
    house.analyst("bob")
    to = address(house)
    coordinate.assign(house.tools, house.alice, VU, "bob")
    house.day(1)
    ordered(house, ANSWER, to)
    assert "sent on as letter" in carried_out(house)[0]


@quickly
def test_the_words_for_an_approval_that_failed_name_no_vendor_in_clear(house: World) -> None:
    """The reason may; so the transcript is confidential."""
    ordered(house, f"approve {'0' * 64}")
    [told] = carried_out(house)
    assert VENDOR in told
    assert house.letters("analyst-transcript")[0].confidential


def test_what_their_mail_says_is_taken(house: World) -> None:
    house.feed(house.mail(PSIRT, body="Affected: no\r\nWhy not: never built\r\n"))
    item = house.queue("alice")[1].item.id
    tell.arrivals(house.tools, house.clock())
    notice = house.letters("analyst-item")[-1]
    assert "never built" not in notice.body
    assert "says: Affected: no; Why not: never built" in noticetext.in_full(house.tools, notice)
    assert noticetext.in_full(house.tools, notice).endswith("begin your answer with this line:\n\ntake")
    ordered(house, "take", address(house, item), tied=False)
    [told] = carried_out(house)
    assert told.startswith("take: not done: your signed words do not say which item they are about")
    ordered(house, "take", address(house, item))
    assert carried_out(house) == ["take: taken as said: affected, why-not"]
    taken = [row for row in house.journal() if row.kind == "proposal.taken"]
    assert {row.data["by_mail"]["fingerprint"] for row in taken} == {house.keymaker.alice.fingerprint}
    house.day(0.1)
    ordered(house, "take", address(house, item))
    assert "not done: nothing that message" in carried_out(house)[0]
