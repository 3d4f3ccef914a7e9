"""A vendor acknowledged, and answered nothing: the silence goes on, and is counted anew."""

import pytest

from mailrouter import faults
from mailrouter.flow.casework import haveit
from tests.cli.console import Console
from tests.flow.world import DAY, PSIRT, VENDOR, VU, World
from tests.servers.clock import START


def acknowledges(world: World) -> None:
    world.vendor_case()
    world.day(3)
    world.feed(world.mail(PSIRT, body="We have it.\r\n"))
    world.day(4)
    haveit.order(world.tools, world.alice, VU, VENDOR)


def test_it_is_their_turn_again_and_the_clock_begins_anew(world: World) -> None:
    acknowledges(world)
    who = world.participant()
    assert (who.progress, str(who.waiting_on), who.last_heard_at) == ("acknowledged", "them", START + 3 * DAY)
    assert [(d.kind, d.since, d.due_at) for d in world.deadlines()] == [
        ("follow-up", "letter:1/mail:1", START + 18 * DAY)
    ]
    assert world.queue("alice") == []
    world.day(18)
    assert [done.does for done in world.beat()] == ["letter follow-up-1"]
    [letter] = world.follow_ups()
    assert letter.in_reply_to == world.letters("notification")[0].message_id
    read = " ".join(letter.body.split())
    assert "You told us on 2026-03-05 that you have it; we have not heard more since." in read
    assert "not heard from you" not in read
    assert "right person" not in read
    assert world.breaks() == []


def test_then_it_may_count_as_non_responsive_by_the_rule_for_who_was_in_contact(world: World) -> None:
    acknowledges(world)
    for number in (18, 32, 44.9):
        world.day(number)
        world.beat(everything=True)
        world.deliver()
        assert world.participant().progress == "acknowledged"
    world.day(45)  # six weeks after the acknowledgement, and two letters have left since
    assert "non-responsive" in [done.kind for done in world.beat(everything=True)]
    assert world.participant().progress == "non-responsive"
    world.feed(world.mail(PSIRT))
    assert (world.participant().progress, world.turn()) == ("answered", "us")


def test_the_second_reminder_says_so_too_and_who_never_wrote_is_told_that(world: World) -> None:
    world.vendor_case()
    world.day(14)
    world.beat()
    [first] = world.follow_ups()
    assert "We have not heard from you since. Perhaps our letter" in " ".join(first.body.split())
    world.day(15)
    haveit.order(world.tools, world.alice, VU, VENDOR)
    world.day(28)
    world.beat()
    assert "You told us on 2026-03-17 that you have it" in " ".join(world.follow_ups()[-1].body.split())


def test_said_of_who_never_wrote_the_clocks_run_on(world: World) -> None:
    world.vendor_case()
    before = world.deadlines()
    world.day(2)
    haveit.order(world.tools, world.alice, VU, VENDOR)
    assert (world.participant().progress, world.participant().last_heard_at) == ("acknowledged", START + 2 * DAY)
    assert world.deadlines() == before


def test_only_once(world: World) -> None:
    acknowledges(world)
    with pytest.raises(faults.Illegal, match=r"'acknowledge' is no move from acknowledged.*alice"):
        haveit.order(world.tools, world.alice, VU, VENDOR)


def test_at_the_command_line(world: World) -> None:
    console = Console(world)
    console.world.vendor_case()
    console.world.feed(console.world.mail(PSIRT))
    said = console.out("participant", "set", str(VU), VENDOR, "--acknowledged")
    assert said == f"VU#{VU}: {VENDOR} acknowledged it; their turn\n"
    assert f"{VENDOR}: answered → acknowledged" in [s["what"] for s in console.json("case", "timeline", str(VU))]
