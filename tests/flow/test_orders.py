"""Orders by mail, on both databases: notice, signed answer, what it does, and every mail that must do nothing."""

from email.message import Message as Mime

import pytest

from mailrouter.flow import orders
from mailrouter.mail.ownaddress import Mint
from mailrouter.store import analysts, secret
from mailrouter.store.messages import Message
from tests.flow.world import OURS, PSIRT, VU, World
from tests.pgp.keys import Owner

ALICE = "alice@cert.example"
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
    made = world.signed(words, "Re: something", signer=world.keymaker.alice, sender=ALICE, **more)  # type: ignore[arg-type]
    return world.fed(world.envelope(made.raw, ALICE, (to,)))


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


def opened(world: World, letter: Mime) -> str:
    """As Alice's mail program shows it."""
    armored = letter.get_payload(1).get_payload(decode=True)  # type: ignore[union-attr]
    return world.keymaker.gpg("--decrypt", given=bytes(armored)).decode()


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
