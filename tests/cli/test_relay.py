"""`case relay`, and where it is seen what was passed on."""

import pytest

from mailrouter.flow.casework import contacting, coordinate
from tests.cli.console import Console
from tests.flow.world import PSIRT, VENDOR, VU

BOLT = "Bolt"


@pytest.fixture
def asked(console: Console) -> int:
    """A question of one vendor's in a case of two; its message id."""
    world = console.world
    world.organisation(VENDOR, PSIRT, domain="vendor.example", key=world.keymaker.vendor)
    world.organisation(BOLT, "security@bolt.example", key=world.keymaker.eve)
    world.case(BOLT, notify=False)
    coordinate.add_vendor(world.tools, world.alice, VU, VENDOR, anonymous=True)
    contacting.notify(world.tools, world.alice, VU, without_details=True)
    world.deliver()
    return world.fed(world.signed("Does it need a login?\n")).id


@pytest.mark.row("A02")
def test_what_was_passed_on_is_seen_from_every_side(console: Console, asked: int) -> None:
    said = console.out("case", "relay", str(asked), BOLT, "--consent", "by telephone", "--yes")
    console.world.deliver()
    [letter] = console.world.letters("relay")
    [listed] = [one for one in console.json("case", "show", str(VU))["messages"] if one["subject"].endswith("you")]
    assert said == f"VU#{VU}: letter {letter.id} (message {listed['id']}) to {BOLT} is queued\n"
    row = {"message": asked, "from": VENDOR, "to": BOLT, "letter": letter.id, "files": [], "consent": "by telephone",
           "by": "alice"}  # fmt: skip
    for where in (("case", "show", str(VU)), ("participant", "show", str(VU), BOLT), ("message", "show", str(asked))):
        [shown] = console.json(*where)["relays"]
        assert row.items() <= shown.items()
    assert console.json("participant", "show", str(VU), VENDOR)["relays"]
    assert "Passed on" in console.out("case", "show", str(VU))
    assert "Passed on" in console.out("participant", "show", str(VU), BOLT)
    assert f"passed on to {BOLT} by letter {letter.id}" in console.out("message", "show", str(asked))


@pytest.mark.parametrize(
    ("more", "status", "said"),
    [((), 1, "only with its sender's consent"), (("--consent", "x", "--consent-message", "1"), 2, "give one of"),
     (("--consent", "x", "--only-text", "--attach", "1"), 2, "give one of"),
     (("--consent", "x", "--attach", "poc"), 1, "no attachment 'poc'"),
     (("--consent", "x", "--as-it-is", "poc", "--why", "w"), 2, "--attach names no such file")],
)  # fmt: skip
def test_what_is_missing_is_said(console: Console, asked: int, more: tuple[str, ...], status: int, said: str) -> None:
    assert said in console.refused("case", "relay", str(asked), BOLT, "--yes", *more, status=status)


def test_without_a_terminal_it_wants_to_be_told_that_nobody_is_asked(console: Console, asked: int) -> None:
    assert "--yes" in console.refused("case", "relay", str(asked), BOLT, "--consent", "x", status=2)


@pytest.mark.row("A02")
def test_a_letter_that_is_held_for_a_leak_goes_with_a_reason_only(console: Console, asked: int) -> None:
    said = console.refused(
        "case", "write", str(VU), BOLT, "--file", "-", status=1, given="Vendor say no: psirt@vendor.example"
    )
    assert "an address of Vendor" in said
    assert "--names-ok" in said
    console.run("case", "write", str(VU), BOLT, "--file", "-", "--names-ok", given="ask psirt@vendor.example")
    console.world.deliver()
    [letter] = console.world.letters("write")
    assert letter.state == "held"
    assert "go together" in console.refused("outbox", "release", str(letter.id), "--despite-leak", status=2)
    console.run("outbox", "release", str(letter.id), "--despite-leak", "--why", "both agreed")
    console.world.deliver()
    assert console.json("outbox", "show", str(letter.id))["despite"] == "alice: both agreed"
    assert console.world.letters("write")[0].state == "sent"


def test_who_has_no_key_is_named_at_once_and_the_letter_waits_for_one(console: Console, asked: int) -> None:
    console.world.organisation("Cord Ltd", "psirt@cord.example")
    coordinate.add_vendor(console.world.tools, console.world.alice, VU, "Cord Ltd")
    said = console.out("case", "relay", str(asked), BOLT, "Cord Ltd", "--consent", "by telephone", "--yes")
    to_bolt, to_cord = said.splitlines()
    assert to_bolt.endswith("is queued")
    pins = "no key of Cord Ltd is pinned: `mailrouter vendor add-key 'Cord Ltd' FILE` pins one"
    assert to_cord.endswith(f"is queued and will be held until there is a usable key: {pins}")
    console.world.deliver()
    [held] = [one for one in console.world.letters("relay") if one.state == "held"]
    assert held.why.startswith(f"it may leave only encrypted, and the recipient has no usable key: {pins}")
