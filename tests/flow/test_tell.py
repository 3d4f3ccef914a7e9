"""People are told: of arrivals, once and in groups; of the day; and the operator of trouble."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from mailrouter.flow.casework import contacting, coordinate
from mailrouter.flow.filing import file
from mailrouter.flow.telling import tell
from mailrouter.store import analysts, machine, tables
from mailrouter.store.inbox import Holder
from tests.flow.world import PSIRT, VENDOR, VU, MakeWorld, World

EVE = "eve@eve.example"
SECRET = "the secret flaw"


def told(world: World, address: str = "alice@cert.example", name: str = "analyst-arrival") -> list[str]:
    """The bodies of what was written to one person."""
    return [letter.body for letter in world.letters(name) if letter.recipient == address]


def arrivals(world: World) -> None:
    tell.arrivals(world.tools, world.clock())


# ---- arrivals -------------------------------------------------------------------------------------------------------


def test_a_reader_hears_of_each_arrival_once(world: World) -> None:
    world.vendor_case()
    world.feed(world.mail(PSIRT), world.mail(EVE))
    for _ in range(5):
        arrivals(world)
        world.clock.forward(minutes=20)
    [body] = told(world)
    assert f"VU#{VU}  alice  answer" in body
    assert f"VU#{VU}  review  a stranger names the case" in body


def test_arrivals_are_grouped(world: World) -> None:
    world.vendor_case()
    for number in range(40):  # one a minute
        world.feed(world.mail(PSIRT, body=f"{number}\r\n"))
        arrivals(world)
        world.clock.forward(minutes=1)
    counts = [sum("VU#" in line for line in body.splitlines()) for body in told(world)]
    assert counts == [1, 15, 15]
    world.clock.forward(minutes=15)
    arrivals(world)
    assert sum("VU#" in line for line in told(world)[-1].splitlines()) == 9


@pytest.mark.parametrize("minutes", [0, 60])
def test_the_policy_says_how_long_they_gather(world: World, minutes: int) -> None:
    world.with_policy(notify_minutes=minutes)
    world.vendor_case()
    for number in range(4):
        world.feed(world.mail(PSIRT, body=f"{number}\r\n"))
        arrivals(world)
        world.clock.forward(minutes=20)
    assert len(told(world)) == {0: 4, 60: 2}[minutes]


def test_everyone_who_reads_a_queue_is_told(world: World) -> None:
    world.vendor_case()
    world.analyst("bob", "review")
    world.analyst("carol", "bounces")
    world.feed(world.mail(EVE))
    arrivals(world)
    assert [len(told(world, f"{name}@cert.example")) for name in ("alice", "bob", "carol")] == [1, 1, 0]


def test_an_arrival_names_number_queue_and_reason_and_nothing_of_the_mail(world: World) -> None:
    world.vendor_case()
    world.feed(world.mail(EVE, f"VU#{VU} {SECRET}", f"{SECRET}\r\n"), world.mail(EVE, SECRET))
    arrivals(world)
    [letter] = world.letters("analyst-arrival")
    for shown in (letter.subject, letter.body):
        assert SECRET not in shown
        assert EVE not in shown
    assert (letter.automatic, letter.participant_id) == (True, None)
    assert world.report().vrf in letter.body


def test_what_is_done_before_anybody_is_told_is_not_told(world: World) -> None:
    world.vendor_case()
    world.feed(world.mail(EVE))
    file.done(world.tools, world.alice, world.queue("review")[0].item.id)
    arrivals(world)
    assert told(world) == []


def test_notices_are_arrivals_too(world: World) -> None:
    world.vendor_case()
    for number in (14, 28, 42):
        world.day(number)
        world.beat()
    arrivals(world)
    assert "no answer; 2 follow-ups are out" in told(world)[0]
    assert VENDOR not in told(world)[0]


@pytest.mark.row("R26")
def test_nodes_that_tell_at_once_tell_once(world: World) -> None:
    world.vendor_case()
    world.analyst("bob", "review")
    world.feed(*(world.mail(EVE, body=f"{n}\r\n") for n in range(10)))
    nodes = [world.node(f"n{n}") for n in range(3)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda tools: tell.arrivals(tools, world.clock()), nodes))
    assert (len(told(world)), len(told(world, "bob@cert.example"))) == (1, 1)


def away(world: World, name: str, cover: str, days: float = 5) -> None:
    with world.writing() as tx:
        who, instead = analysts.named(tx, name), analysts.named(tx, cover)
        analysts.change(tx, who.id, away_until=world.clock() + timedelta(days=days), cover_id=instead.id)


def test_while_away_the_cover_is_told_instead(world: World) -> None:
    world.analyst("bob")
    world.vendor_case()
    away(world, "alice", "bob")
    world.feed(world.mail(PSIRT))
    arrivals(world)
    assert (told(world), len(told(world, "bob@cert.example"))) == ([], 1)
    assert "alice" in told(world, "bob@cert.example")[0]
    world.clock.forward(days=6)  # back, and it still waits
    arrivals(world)
    arrivals(world)
    assert (len(told(world)), len(told(world, "bob@cert.example"))) == (1, 1)


def test_what_a_new_owner_gets_is_told_to_them(world: World) -> None:
    world.analyst("bob")
    world.vendor_case()
    world.feed(world.mail(PSIRT))
    coordinate.assign(world.tools, world.alice, VU, "bob")
    assert (world.queue("alice"), len(world.queue("bob"))) == ([], 1)
    arrivals(world)
    assert (told(world), len(told(world, "bob@cert.example"))) == ([], 1)


# ---- digest ---------------------------------------------------------------------------------------------------------


def digests(world: World) -> list[str]:
    tell.digests(world.tools, world.clock())
    return told(world, name="analyst-digest")


def test_one_digest_a_day_after_its_hour(world: World) -> None:
    world.clock.to(world.clock().replace(hour=7, minute=59))
    assert digests(world) == []
    world.clock.forward(minutes=1)
    assert len(digests(world)) == 1
    for _ in range(3):
        world.clock.forward(hours=5)
        digests(world)
    assert len(digests(world)) == 1
    world.clock.forward(days=1)
    assert len(digests(world)) == 2


def test_the_digest_says_what_waits_and_what_will_leave(world: World) -> None:
    world.vendor_case()
    world.organisation("Late", "late@late.example")
    world.day(10)
    coordinate.add_vendor(world.tools, world.alice, VU, "Late")
    contacting.notify(world.tools, world.alice, VU, without_details=True)
    world.feed(world.mail(EVE))
    world.day(13.1)
    body = digests(world)[-1]
    assert f"VU#{VU}  review  a stranger names the case" in body
    assert f"VU#{VU}  letter follow-up-1  due 2026-03-16 09:00" in body
    assert VENDOR not in body
    assert "Late" not in body
    assert world.follow_ups() == []


def test_the_digest_names_letters_that_wait_to_leave_but_no_notices_to_staff(world: World) -> None:
    world.vendor_case()
    world.day(14)
    world.beat()
    world.feed(world.mail(EVE))
    arrivals(world)
    body = digests(world)[-1]
    assert "follow-up-1  queued" in body
    assert "analyst-arrival" not in body


def test_a_day_with_nothing_says_so(world: World) -> None:
    [body] = digests(world)
    assert body.count("nothing") == 2


def test_whoever_is_away_gets_no_digest_and_the_cover_gets_both(world: World) -> None:
    world.analyst("bob")
    world.vendor_case()
    away(world, "alice", "bob")
    world.feed(world.mail(PSIRT))
    assert digests(world) == []
    [body] = told(world, "bob@cert.example", "analyst-digest")
    assert f"VU#{VU}  alice  answer" in body


def test_nodes_that_digest_at_once_send_one(world: World) -> None:
    nodes = [world.node(f"n{n}") for n in range(3)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda tools: tell.digests(tools, world.clock()), nodes))
    assert len(told(world, name="analyst-digest")) == 1


# ---- the operator ---------------------------------------------------------------------------------------------------


@pytest.fixture
def operated(worlds: MakeWorld) -> World:
    """A house with an operator."""
    return worlds(IDENTITY__OPERATOR="root@cert.example")


def alarms(world: World) -> list[str]:
    tell.alarms(world.tools, world.clock())
    return [letter.body for letter in world.letters("operator-alarm") if letter.recipient == "root@cert.example"]


def test_all_is_well(operated: World) -> None:
    operated.vendor_case()
    operated.feed(operated.mail(PSIRT))
    assert alarms(operated) == []


def test_books_that_do_not_balance(operated: World) -> None:
    operated.feed(operated.mail(EVE, "x"))
    with operated.writing() as tx:
        tx.execute(tables.tallies.update().values(accepted=2))
    for _ in range(5):
        assert len(alarms(operated)) == 1  # once a day
        operated.clock.forward(hours=1)
    assert "the books do not balance" in alarms(operated)[0]
    operated.clock.forward(days=1)
    assert len(alarms(operated)) == 2
    assert len(operated.queue("operator")) == 2


def test_a_mail_that_waits_for_an_hour(operated: World) -> None:
    operated.accept(operated.mail(EVE, "x"))
    operated.clock.forward(minutes=59)
    assert alarms(operated) == []
    operated.clock.forward(minutes=2)
    assert "a mail has waited for an hour" in alarms(operated)[0]


def test_a_mail_that_is_tried_again_after_days_has_not_waited(operated: World) -> None:
    got = operated.fed(operated.mail(EVE, "x"))
    operated.clock.forward(days=3)
    file.retry(operated.tools, operated.alice, got.id)
    assert alarms(operated) == []


def test_a_node_that_beats_no_more(operated: World) -> None:
    with operated.writing() as tx:
        machine.begin_life(tx, Holder("n2", "1"), operated.clock())
    operated.clock.forward(minutes=9)
    assert alarms(operated) == []
    operated.clock.forward(minutes=2)
    assert "no beat from n2" in alarms(operated)[0]


def test_without_an_operator_the_queue_alone_knows(world: World) -> None:
    world.accept(world.mail(EVE, "x"))
    world.clock.forward(hours=2)
    tell.alarms(world.tools, world.clock())
    assert world.letters("operator-alarm") == []
    assert len(world.queue("operator")) == 1


def test_a_beat_tells_everybody_everything(operated: World) -> None:
    operated.vendor_case()
    operated.feed(operated.mail(PSIRT))
    tell.everyone(operated.tools, operated.clock())
    assert {letter.name for letter in operated.letters()} == {"notification", "analyst-arrival", "analyst-digest"}
    operated.deliver()
    assert {str(mail["Auto-Submitted"]) for mail in operated.sent_to("alice@cert.example")} == {"auto-generated"}
