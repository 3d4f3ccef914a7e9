"""`mailrouter outbox`: letters by hand, and the brake."""

from collections.abc import Callable

import pytest
from sqlalchemy import update

from mailrouter.store import contacts, outbox, tables
from tests.cli.console import Console
from tests.flow.world import OURS, PSIRT, VENDOR, VU, World
from tests.mail.reports import report
from tests.servers.wait import free_port

KEYS = {"id", "vu", "letter", "to", "state", "attempts", "next_attempt_at", "message_id", "signed", "encrypted"}


@pytest.fixture
def letter(world: World) -> int:
    """The id of a first letter to a vendor, queued."""
    world.organisation(VENDOR, PSIRT)
    world.case(VENDOR)
    return world.letters("notification")[0].id


def put(world: World, letter_id: int, **values: object) -> None:
    with world.writing() as tx:
        outbox.change(tx, letter_id, **values)


def state(world: World, letter_id: int) -> str:
    with world.look() as tx:
        return outbox.get(tx, letter_id).state


# ---- looking ---------------------------------------------------------------------------------------------------------


def test_list_has_the_keys_of_the_contract(console: Console, letter: int) -> None:
    [row] = console.json("outbox", "list")
    assert row.keys() >= KEYS
    assert (row["id"], row["vu"], row["letter"], row["to"], row["state"]) == (
        letter,
        f"VU#{VU}",
        "notification",
        PSIRT,
        "queued",
    )
    assert (row["attempts"], row["signed"], row["encrypted"]) == (0, False, False)
    assert row["next_attempt_at"] == "2026-03-02T09:00:00Z"
    assert row["message_id"].endswith("@cert.example")


def test_list_after_it_left(console: Console, letter: int) -> None:
    console.world.deliver()
    [row] = console.json("outbox", "list")
    assert (row["state"], row["attempts"], row["signed"], row["next_attempt_at"]) == ("sent", 1, True, None)
    assert console.json("outbox", "list", "--unsent") == []
    assert console.world.sent()[0]["Message-ID"] == f"<{row['message_id']}>"


@pytest.mark.row("S33")
def test_a_letter_shows_what_came_about_it(console: Console, letter: int) -> None:
    """In `outbox show`, `message show`, `queue show bounces`, `vendor show` and the case's timeline."""
    world = console.world
    world.deliver()
    sent = world.letters()[0]
    back = sent.reverse_path or ""
    for number, to in enumerate((OURS, back)):
        raw = report(to, PSIRT, letter=sent.sealed or b"", number=number)
        world.feed(world.envelope(raw, "", (to,)))
    shown = console.out("outbox", "show", str(letter))
    assert "came back: message 2 of 2026-03-02 09:00, unproved" in shown
    assert "came back: message 3 of 2026-03-02 09:00\n" in shown
    reports = console.json("outbox", "show", str(letter))["reports"]
    assert [(r["message"], r["kind"], r["evidence"]) for r in reports] == [
        (2, "bounce", "message-id"), (3, "bounce", "token"),
    ]  # fmt: skip
    assert "letter 1: it came to that letter's own bounce address" in console.out("message", "show", "3")
    assert "letter 1: it returns or answers its Message-ID" in console.out("message", "show", "2")
    assert [item["about_letter"] for item in console.json("queue", "show", "bounces")] == [1, 1]
    assert f"{PSIRT} (undeliverable)" in console.out("vendor", "show", VENDOR)
    told = [step["what"] for step in console.json("case", "timeline", str(VU))]
    assert "mail 3: a bounce report about letter 1" in told
    assert f"{VENDOR}: the address of letter 1 takes no mail" in told
    assert f"letter 2 to {VENDOR} queued: letter 1 again, to their next contact" in told
    console.run("vendor", "set", VENDOR, "--deliverable", PSIRT)
    assert "undeliverable" not in console.out("vendor", "show", VENDOR)
    said = console.refused("vendor", "set", VENDOR, "--deliverable", "x@vendor.example", status=1)
    assert said == f"x@vendor.example is not a contact of {VENDOR}"


def test_list_for_people(console: Console, letter: int) -> None:
    told = console.out("outbox", "list")
    assert f"VU#{VU}" in told
    assert "notification" in told


def test_the_list_fits_a_terminal(console: Console, letter: int) -> None:
    put(
        console.world, letter, name="acknowledgement-x", recipient=f"{'security' * 9}@vendor.example", why="held: " * 90
    )
    told = console.out("outbox", "list")
    assert max(map(len, told.splitlines())) <= 100
    assert len(told.splitlines()) < 8


def test_list_of_nothing(console: Console) -> None:
    assert console.out("outbox", "list") == "no letters\n"
    assert console.json("outbox", "list") == []


def test_show(console: Console, letter: int) -> None:
    shown = console.json("outbox", "show", str(letter))
    assert shown["subject"].startswith(f"[VU#{VU}] ")
    assert "real vulnerability" in shown["body"]
    for_people = console.out("outbox", "show", str(letter))
    assert shown["subject"] in for_people
    assert "asks for an answer" in for_people


def test_show_raw_is_what_leaves(console: Console, letter: int) -> None:
    assert "not sealed yet" in console.refused("outbox", "show", str(letter), "--raw", status=1)
    console.world.deliver()
    [left] = (console.world.folder / "outgoing" / "new").iterdir()
    assert console.run("outbox", "show", str(letter), "--raw").stdout_bytes == left.read_bytes()


@pytest.mark.row("S37")
def test_show_obeys_no_control_characters(console: Console, letter: int) -> None:
    put(console.world, letter, body="\x1b[2Jgone\u202e", why="\x1b]0;title\x07")
    told = console.out("outbox", "show", str(letter)) + console.out("outbox", "list")
    assert not set(told) & set("\x1b\x07\u202e")


@pytest.mark.parametrize("verb", ["show", "hold", "release", "retry"])
def test_no_such_letter(console: Console, verb: str) -> None:
    assert console.refused("outbox", verb, "99", status=1).startswith("no letter 99")


@pytest.mark.parametrize("wrong", ["0", "-1", "x", "1.5", "9" * 30])
def test_no_such_number(console: Console, wrong: str) -> None:
    assert "ID" in console.refused("outbox", "hold", "--", wrong, status=2)


# ---- by hand ---------------------------------------------------------------------------------------------------------


def test_held_and_released(console: Console, letter: int) -> None:
    console.run("outbox", "hold", str(letter), "--why", "the vendor telephoned")
    console.world.deliver()
    assert console.world.sent() == []
    assert console.json("outbox", "show", str(letter))["why"] == "the vendor telephoned"
    console.run("outbox", "release", str(letter))
    console.world.deliver()
    assert len(console.world.sent()) == 1
    told = [(e.kind, e.actor) for e in console.world.journal() if e.kind in ("letter.held", "letter.released")]
    assert told == [("letter.held", "alice"), ("letter.released", "alice")]


def test_several_at_once(console: Console, letter: int) -> None:
    console.world.organisation("Other", "psirt@other.example")
    console.world.case("Other", vu=VU + 1)
    both = [str(found.id) for found in console.world.letters("notification")]
    assert console.run("outbox", "hold", *both).stderr.splitlines() == [f"letter {i} is held" for i in both]


MOVES = [
    ("hold", "queued", "held"), ("release", "held", "queued"),
    ("retry", "failed", "queued"), ("retry", "held", "queued"), ("retry", "queued", "queued"),
]  # fmt: skip
REFUSED = [
    ("hold", "held"), ("hold", "sent"), ("hold", "failed"), ("hold", "withdrawn"), ("release", "queued"),
    ("release", "sent"), ("release", "failed"), ("release", "withdrawn"), ("retry", "sent"), ("retry", "withdrawn"),
]  # fmt: skip


@pytest.mark.parametrize(("verb", "before", "after"), MOVES)
def test_moves(console: Console, letter: int, verb: str, before: str, after: str) -> None:
    put(console.world, letter, state=before)
    console.run("outbox", verb, str(letter))
    assert state(console.world, letter) == after


@pytest.mark.parametrize(("verb", "before"), REFUSED)
def test_what_cannot_be_moved(console: Console, letter: int, verb: str, before: str) -> None:
    put(console.world, letter, state=before)
    said = console.refused("outbox", verb, str(letter), status=1)
    assert said.startswith(f"letter {letter} is {before} and cannot be ")
    assert state(console.world, letter) == before
    assert console.world.breaks() == []


def test_retry_does_not_wait_for_the_backoff(console: Console, letter: int) -> None:
    put(console.world, letter, next_attempt_at=console.world.clock.forward(days=1))
    console.world.clock.forward(days=-1)
    console.world.deliver()
    assert console.world.sent() == []
    console.run("outbox", "retry", str(letter))
    console.world.deliver()
    assert len(console.world.sent()) == 1


def test_a_letter_in_hand_is_left_alone(console: Console, letter: int) -> None:
    world = console.world
    with world.writing() as tx:
        assert outbox.lease(tx, world.tools.holder, world.clock()) is not None
    assert "is being sent this moment" in console.refused("outbox", "hold", str(letter), status=1)
    world.clock.forward(minutes=6)  # whoever had it in hand is dead
    console.run("outbox", "hold", str(letter))


def test_retry_ends_the_notice_about_it(console: Console, letter: int) -> None:
    world = console.world
    with world.writing() as tx:
        tx.execute(update(tables.letters).values(confidential=True))
    world.deliver()
    assert state(world, letter) == "held"
    assert any(f"letter {letter} is held" in why for why in world.notices())
    console.run("outbox", "retry", str(letter))
    assert world.notices() == []
    world.deliver()  # still no key: held again, and said again
    assert any(f"letter {letter} is held" in why for why in world.notices())


def test_a_letter_made_for_nobody_goes_to_the_contact_found_later(console: Console) -> None:
    world = console.world
    vendor = world.organisation(VENDOR, PSIRT)
    with world.writing() as tx:
        tx.execute(update(tables.contacts).values(undeliverable=True))
    world.case(VENDOR)
    letter = world.letters("notification")[0].id
    assert state(world, letter) == "held"
    assert "add-contact" in console.refused("outbox", "release", str(letter), status=1)
    with world.writing() as tx:
        contacts.add_contact(tx, vendor, "new@vendor.example")
    console.run("outbox", "release", str(letter))
    world.deliver()
    assert [mail["To"] for mail in world.sent()] == ["new@vendor.example"]
    assert world.messages()[0].recipient == "new@vendor.example"


# ---- the brake -------------------------------------------------------------------------------------------------------


def test_pause_and_resume(console: Console, letter: int) -> None:
    assert console.run("outbox", "pause", "--why", "wrong number").stderr == "the outbox is paused\n"
    assert console.run("outbox", "pause").stderr == "the outbox was paused already\n"
    assert "paused" in console.run("outbox", "list").stderr
    console.world.deliver()
    assert console.world.sent() == []
    assert console.run("outbox", "resume").stderr == "letters leave again\n"
    assert console.run("outbox", "resume").stderr == "the outbox was not paused\n"
    console.world.deliver()
    assert len(console.world.sent()) == 1


def test_an_unknown_login_is_written_as_such(console: Console, letter: int) -> None:
    console.as_login("root").run("outbox", "hold", str(letter))
    assert console.world.journal()[-1].actor == "unix:root"


def test_a_second_failure_is_said_again(worlds: Callable[..., World]) -> None:
    world = worlds(RELAY__URL=f"smtp://127.0.0.1:{free_port()}")
    console = Console(world)
    world.organisation(VENDOR, PSIRT)
    world.case(VENDOR)
    letter = str(world.letters("notification")[0].id)
    world.clock.forward(days=6)
    for _ in range(2):
        world.deliver()
        assert console.json("outbox", "show", letter)["state"] == "failed"
        assert [why for why in world.notices() if why == f"letter {letter} failed: not delivered in 5 days"]
        console.run("outbox", "retry", letter)
        assert world.notices() == []
