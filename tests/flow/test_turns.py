"""Whose turn it is, over days and weeks: letters that ask, answers, silence, and the clocks of both."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mailrouter.flow.casework import closing, coordinate, write
from mailrouter.flow.casework.write import Draft
from mailrouter.flow.filing import file
from mailrouter.flow.sending import outgoing
from mailrouter.flow.timing import remind
from mailrouter.store import cases, contacts, outbox
from tests.flow.world import PSIRT, VENDOR, VU, World

OUT_OF_OFFICE = "Auto-Submitted: auto-replied"


def asks(world: World, text: str = "Any news?") -> int:
    """Alice writes to the vendor and asks."""
    [letter] = write.write(world.tools, world.alice, VU, [VENDOR], Draft(text))
    return letter


def ends_embargo(world: World) -> None:
    with world.writing() as tx:
        cases.change(tx, cases.by_vu(tx, VU).id, embargo="EXITED")


# ---- two weeks of silence -------------------------------------------------------------------------------------------


def test_day_13_9_nothing_day_14_exactly_one(world: World) -> None:
    world.vendor_case()
    world.day(13.9)
    assert (world.beat(), world.follow_ups()) == ([], [])
    world.day(14)
    [done] = world.beat()
    assert (done.does, done.rung, done.participant, done.vu) == ("letter follow-up-1", 1, VENDOR, VU)
    assert (world.beat(), len(world.follow_ups())) == ([], 1)
    [letter] = world.follow_ups()
    assert (letter.automatic, letter.asks, letter.recipient, letter.state) == (True, True, PSIRT, "queued")
    assert letter.in_reply_to == world.letters("notification")[0].message_id
    assert (world.participant().follow_ups_sent, world.turn()) == (1, "them")


OVER = (  # what the analyst is told when our date has come, and with it the agreed one
    "the embargo has ended on the agreed date: publication is permitted, and yours to order",
    "the planned publication date has come",
)


def test_rungs_and_then_the_analyst(world: World) -> None:
    world.vendor_case()
    does = {}
    for number in (14, 14.5, 27.9, 28, 28.5, 41.9, 42, 56, 70, 400):
        world.day(number)
        does[number] = [done.does for done in world.beat()]
    expected = {14: ["letter follow-up-1"], 28: ["letter follow-up-2"], 42: ["notice to the analyst"]}
    assert does == {number: expected.get(number, []) for number in does}
    told = ["no answer; 2 follow-ups are out", *OVER]
    assert [s.item.why for s in world.queue("alice") if "draft" not in s.item.why] == told
    assert world.deadlines() == []
    assert (world.turn(), world.participant().follow_ups_sent) == ("them", 2)


def test_nobody_is_reminded_of_a_letter_that_never_left(world: World) -> None:
    world.organisation(VENDOR)  # no contact: what is written to it is held
    world.case(VENDOR)
    world.day(20)
    assert world.beat() == []
    assert [letter.state for letter in world.letters()] == ["held"]
    with world.writing() as tx:
        contacts.add_contact(tx, world.participant().organisation_id, PSIRT)
    outgoing.release(world.tools, world.alice, world.letters()[0].id)
    world.deliver()
    world.day(33.9)
    assert not any(done.writes for done in world.beat())
    world.day(34)
    assert [done.does for done in world.beat()] == ["letter follow-up-1"]


def test_the_second_rung_tries_another_contact(world: World) -> None:
    world.organisation(VENDOR, PSIRT, "cto@vendor.example")
    world.case(VENDOR)
    for number in (14, 28):
        world.day(number)
        world.beat()
    assert [letter.recipient for letter in world.follow_ups()] == [PSIRT, "cto@vendor.example"]


def test_a_second_letter_in_between_moves_nothing(world: World) -> None:
    world.vendor_case()
    [before] = world.deadlines()
    world.day(6)
    asks(world)
    assert world.deadlines() == [before]
    world.day(14)
    assert [done.does for done in world.beat()] == ["letter follow-up-1"]


def test_after_the_last_rung_a_new_letter_opens_a_new_series(world: World) -> None:
    world.vendor_case()
    for number in (14, 28, 42):
        world.day(number)
        world.beat()
    letter = asks(world)
    [opened] = world.deadlines()
    assert (opened.since, opened.rung, opened.due_at) == (f"letter:{letter}", 1, world.clock() + timedelta(days=14))
    world.day(56)
    assert [done.does for done in world.beat()] == ["letter follow-up-1"]


@pytest.mark.parametrize(("days", "rungs"), [(7, 1), (3, 0), (30, 4)])
def test_the_policy_says_how_long_and_how_often(world: World, days: int, rungs: int) -> None:
    world.with_policy(follow_up_days=days, follow_ups=rungs, letter_gap_days=0)
    world.vendor_case()
    does = []
    for number in range(1, days * (rungs + 3)):
        world.day(number)
        does += [done.does.partition(" ")[0] for done in world.beat()]
    assert does == ["letter"] * rungs + ["notice"]


def test_two_automatic_letters_keep_four_days_apart(world: World) -> None:
    world.with_policy(follow_up_days=1)
    world.vendor_case()
    sent = []
    for hours in range(24 * 12):
        world.day(hours / 24)
        sent += [hours / 24 for done in world.beat() if done.writes]
    assert sent == [1, 5]


def test_of_two_automatic_letters_that_lie_here_the_later_leaves(world: World) -> None:
    world.vendor_case()
    outgoing.brake(world.tools, world.alice, on=True, why="a wrong telephone number")
    for number in (14, 28):
        world.day(number)
        world.beat()
        world.deliver()
    assert [letter.state for letter in world.follow_ups()] == ["withdrawn", "queued"]
    assert world.follow_ups()[0].why == f"letter {world.follow_ups()[1].id} goes in its place"
    outgoing.brake(world.tools, world.alice, on=False, why="")
    world.deliver()
    assert [letter.state for letter in world.follow_ups()] == ["withdrawn", "sent"]
    assert world.breaks() == []


def test_case_show_can_say_what_comes_next(world: World) -> None:
    world.vendor_case()
    world.day(3)
    [foretold] = remind.foretell(world.tools, world.clock() + timedelta(days=12))
    assert (foretold.does, foretold.writes, foretold.due_at - world.clock()) == (
        "letter follow-up-1", True, timedelta(days=11),
    )  # fmt: skip
    assert (world.follow_ups(), len(world.deadlines())) == ([], 1)  # nothing was done


def test_a_beat_ordered_for_another_time_queues_for_the_real_now(world: World) -> None:
    world.vendor_case()
    at = world.clock() + timedelta(days=14)
    assert [done.does for done in remind.beat(world.tools, at, "alice")] == ["letter follow-up-1"]
    [letter] = world.follow_ups()
    assert letter.made_at == world.clock()
    [entry] = [e for e in world.journal() if e.kind == "letter.queued" and e.data["name"] == "follow-up-1"]
    assert (entry.at, entry.actor, entry.data["at"]) == (world.clock(), "alice", at.isoformat())
    assert [done.does for done in remind.beat(world.tools, at)] == []
    assert [done.does for done in remind.beat(world.tools, at + timedelta(days=14))] == ["letter follow-up-2"]


# ---- answers --------------------------------------------------------------------------------------------------------


def test_an_answer_closes_the_clock_and_our_next_question_opens_another(world: World) -> None:
    world.vendor_case()
    world.day(5)
    world.feed(world.mail(PSIRT))
    assert [(d.kind, d.outcome) for d in world.deadlines(everything=True) if d.done_at] == [("follow-up", "answered")]
    world.day(6)
    letter = asks(world)
    [opened] = world.deadlines()
    assert (opened.kind, opened.since, opened.due_at) == (
        "follow-up", f"letter:{letter}", world.clock() + timedelta(days=14),
    )  # fmt: skip
    world.day(14)
    assert world.beat() == []
    world.day(20)
    assert [done.does for done in world.beat()] == ["letter follow-up-1"]


def test_a_question_left_unanswered_reminds_the_analyst_and_nags_nobody(world: World) -> None:
    world.vendor_case()
    world.day(1)
    got = world.fed(world.mail(PSIRT, body="What version do you mean?\r\n"))
    world.day(2.9)
    assert world.beat() == []
    world.day(3)
    assert [done.does for done in world.beat()] == ["notice to the analyst"]
    world.day(60)
    assert world.beat() == []
    assert world.notices() == ["waits for our answer", *OVER]
    assert (world.follow_ups(), world.turn()) == ([], "us")
    write.reply(world.tools, world.alice, got.id, Draft("All of them. And yours?"))
    assert (world.turn(), [d.kind for d in world.deadlines()]) == ("them", ["follow-up"])


def test_a_letter_that_asks_nothing_ends_only_our_turn(world: World) -> None:
    world.vendor_case()
    world.feed(world.mail(PSIRT))
    write.write(world.tools, world.alice, VU, [VENDOR], Draft("Thank you.", asks=False))
    assert (world.turn(), world.deadlines()) == ("nobody", [])
    asks(world)
    write.write(world.tools, world.alice, VU, [VENDOR], Draft("For your information.", asks=False))
    assert (world.turn(), len(world.deadlines())) == ("them", 1)


def test_an_answer_to_one_mail_leaves_what_came_after_it_in_the_queue(world: World) -> None:
    world.vendor_case()
    first, second = world.fed(world.mail(PSIRT)), world.fed(world.mail(PSIRT))
    urgent = world.fed(world.mail(PSIRT, f"VU#{VU}: it is exploited"))
    write.reply(world.tools, world.alice, second.id, Draft("Thank you."))
    assert [shown.item.message_id for shown in world.queue("alice")] == [urgent.id]
    write.write(world.tools, world.alice, VU, [VENDOR], Draft("One more thing."), seen=first.id)
    assert [shown.item.message_id for shown in world.queue("alice")] == [urgent.id]
    write.write(world.tools, world.alice, VU, [VENDOR], Draft("We are on it."))
    assert world.queue("alice") == []


def test_an_out_of_office_changes_nothing_and_does_not_stop_the_follow_up(world: World) -> None:
    world.vendor_case()
    world.day(2)
    world.feed(world.mail(PSIRT, f"Out of office VU#{VU}", "away\r\n", OUT_OF_OFFICE))
    world.day(14)
    assert [done.does for done in world.beat()] == ["letter follow-up-1"]


def test_a_conversation_counts_as_an_answer(world: World) -> None:
    world.vendor_case()
    world.day(3)
    write.log(world.tools, world.alice, VU, VENDOR, "phone", world.clock(), "They look into it.")
    assert (world.turn(), [d.kind for d in world.deadlines()]) == ("us", ["answer"])
    world.day(14)
    assert [done.does for done in world.beat()] == ["notice to the analyst"]
    assert world.follow_ups() == []


def test_the_last_item_done_makes_it_nobodys_turn(world: World) -> None:
    world.vendor_case()
    world.feed(world.mail(PSIRT), world.mail(PSIRT, body="and\r\n"))
    first, second = world.queue("alice")
    file.done(world.tools, world.alice, first.item.id)
    assert world.turn() == "us"
    file.done(world.tools, world.alice, second.item.id)
    assert (world.turn(), world.deadlines()) == ("nobody", [])


def test_a_verified_statement_ends_the_waiting(world: World) -> None:
    world.vendor_case(key=True)
    world.day(3)
    world.feed(world.signed(f"VU#{VU}: not affected\n", f"VU#{VU} statement"))
    assert (world.turn(), world.deadlines()) == ("nobody", [])
    world.day(60)
    assert (world.beat(), world.follow_ups()) == ([], [])


# ---- an analyst's word ----------------------------------------------------------------------------------------------


def test_told_to_wait_for_good_nothing_falls_due(world: World) -> None:
    world.vendor_case()
    coordinate.wait(world.tools, world.alice, VU, VENDOR, None)
    assert (world.turn(), world.deadlines()) == ("nobody", [])
    world.day(100)
    assert world.beat() == []


def test_told_to_wait_until_a_date_the_analyst_is_reminded_then(world: World) -> None:
    world.vendor_case()
    until = world.clock() + timedelta(days=20)
    coordinate.wait(world.tools, world.alice, VU, VENDOR, until)
    assert world.participant().wait_until == until
    world.day(19.9)
    assert world.beat() == []
    world.day(20)
    assert [done.does for done in world.beat()] == ["notice to the analyst"]
    assert world.notices() == ["the date to wait for has come"]
    assert (world.turn(), world.participant().wait_until, world.deadlines()) == ("nobody", None, [])


def test_a_second_order_to_wait_until_the_same_day_counts_too(world: World) -> None:
    world.vendor_case()
    until = world.clock() + timedelta(days=20)
    coordinate.wait(world.tools, world.alice, VU, VENDOR, until)
    world.day(1)
    world.feed(world.mail(PSIRT))
    coordinate.wait(world.tools, world.alice, VU, VENDOR, until)
    assert [(d.kind, d.due_at) for d in world.deadlines()] == [("wait", until)]
    world.day(20)
    assert [done.does for done in world.beat()] == ["notice to the analyst"]


def test_an_answer_or_a_letter_ends_an_agreed_waiting(world: World) -> None:
    world.vendor_case()
    until = world.clock() + timedelta(days=20)
    coordinate.wait(world.tools, world.alice, VU, VENDOR, until)
    asks(world)
    assert [d.kind for d in world.deadlines()] == ["follow-up"]
    coordinate.wait(world.tools, world.alice, VU, VENDOR, until)
    world.feed(world.mail(PSIRT))
    assert ([d.kind for d in world.deadlines()], world.turn()) == (["answer"], "us")


def test_a_closed_case_waits_for_nobody(world: World) -> None:
    world.vendor_case()
    ends_embargo(world)
    closing.close(world.tools, world.alice, VU, "done", anyway=True)
    world.day(100)
    assert (world.beat(), world.deadlines(), world.turn()) == ([], [], "nobody")
    write.write(world.tools, world.alice, VU, [VENDOR], Draft("A last word?"))
    assert (world.turn(), world.deadlines()) == ("nobody", [])
    closing.reopen(world.tools, world.alice, VU, "there is more")
    asks(world)
    assert (world.turn(), len(world.deadlines())) == ("them", 1)


def test_a_rung_that_falls_due_for_a_case_closed_behind_its_back_writes_nothing(world: World) -> None:
    world.vendor_case()
    with world.writing() as tx:
        cases.change(tx, cases.by_vu(tx, VU).id, state="closed")
    world.day(14)
    assert [done.does for done in world.beat()] == ["nothing: case closed"]
    assert (world.follow_ups(), world.deadlines()) == ([], [])


# ---- a letter whose reason has gone ---------------------------------------------------------------------------------


def due_letter(world: World) -> outbox.Letter:
    world.vendor_case()
    world.day(14)
    world.beat()
    [letter] = world.follow_ups()
    return letter


def test_an_answer_withdraws_the_follow_up_that_has_not_left(world: World) -> None:
    due_letter(world)
    world.feed(world.mail(PSIRT))
    [letter] = world.follow_ups()
    assert (letter.state, letter.why) == ("withdrawn", "answered")
    assert [e.data["letter"] for e in world.journal() if e.kind == "letter.withdrawn"] == [letter.id]
    world.deliver()
    assert len(world.sent_to(PSIRT)) == 1  # the notification


def test_one_that_was_held_is_withdrawn_too(world: World) -> None:
    letter = due_letter(world)
    with world.writing() as tx:
        outbox.change(tx, letter.id, state="held")
    world.feed(world.mail(PSIRT))
    assert world.follow_ups()[0].state == "withdrawn"


def test_one_in_somebodys_hand_does_not_leave(world: World) -> None:
    due_letter(world)
    with world.writing() as tx:
        leased = outbox.lease(tx, world.tools.holder, world.clock())
    assert leased is not None
    world.feed(world.mail(PSIRT))
    with world.look() as tx:
        assert not outbox.still_ours(tx, leased, world.tools.holder, world.clock())
    with world.writing() as tx:
        assert not outbox.freeze(tx, replace(leased, sealed=b"x"), world.tools.holder, world.clock())
    assert world.follow_ups()[0].state == "withdrawn"


def test_one_that_left_all_the_same_is_said_to_have_left(world: World) -> None:
    due_letter(world)
    with world.writing() as tx:
        leased = outbox.lease(tx, world.tools.holder, world.clock())
    assert leased is not None
    world.feed(world.mail(PSIRT))  # withdrawn, while the relay has it
    with world.writing() as tx:
        outbox.record(tx, leased, world.tools.holder, world.clock(), state="sent", sent_at=world.clock())
    assert world.follow_ups()[0].state == "sent"


def test_a_persons_letter_is_never_withdrawn(world: World) -> None:
    world.vendor_case()
    asks(world)
    world.feed(world.mail(PSIRT))
    assert [letter.state for letter in world.letters("write")] == ["queued"]


# ---- clocks ---------------------------------------------------------------------------------------------------------


@pytest.mark.row("R16")
def test_a_clock_that_jumps_a_year_sends_one_letter_not_three(world: World) -> None:
    world.vendor_case()
    world.day(365)
    assert [done.does for done in world.beat()] == ["letter follow-up-1"]
    assert world.beat() == []
    world.day(378.9)
    assert world.beat() == []
    world.day(379)
    assert [done.does for done in world.beat()] == ["letter follow-up-2"]


@pytest.mark.row("R16")
def test_a_clock_set_back_sends_nothing_twice_and_skips_nothing(world: World) -> None:
    world.vendor_case()
    world.day(14)
    world.beat()
    world.clock.forward(hours=-1)
    assert world.beat() == []
    world.day(14)
    assert world.beat() == []
    world.day(28)
    assert [done.does for done in world.beat()] == ["letter follow-up-2"]
    assert len(world.follow_ups()) == 2


@pytest.mark.row("R16")
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
@pytest.mark.parametrize("week_before", [(2026, 3, 22), (2026, 10, 20)])
def test_daylight_saving_moves_nothing(world: World, zone: str, week_before: tuple[int, int, int]) -> None:
    world.clock.to(datetime(*week_before, 1, tzinfo=ZoneInfo(zone)))
    start = world.clock()
    world.vendor_case()
    world.clock.to((start + timedelta(days=14, seconds=-1)).astimezone(ZoneInfo(zone)))
    assert world.beat() == []
    world.clock.forward(seconds=1)
    assert [done.does for done in world.beat()] == ["letter follow-up-1"]


# ---- two nodes ------------------------------------------------------------------------------------------------------

MANY = 120


def many_due(world: World) -> None:
    """One case, and many vendors who have all been silent for two weeks."""
    names = [f"Vendor {number}" for number in range(MANY)]
    for number, name in enumerate(names):
        world.organisation(name, f"psirt@vendor{number}.example")
    world.case(*names[: MANY // 2])
    world.case(*names[MANY // 2 :], vu=654321)
    world.day(14)


@pytest.mark.row("R26")
def test_two_nodes_beating_at_once_do_each_rung_once(world: World) -> None:
    many_due(world)
    nodes = [world.node("n1"), world.node("n2"), world.node("n3")]
    start = threading.Barrier(len(nodes))

    def beats(tools: object) -> list[remind.Foretold]:
        start.wait(30)
        return world.beat(tools)  # type: ignore[arg-type]

    with ThreadPoolExecutor(len(nodes)) as pool:
        done = [row for rows in pool.map(beats, nodes) for row in rows]
    assert sorted(row.participant for row in done) == sorted({row.participant for row in done})
    assert len(done) == len(world.follow_ups()) == MANY
    assert len({letter.recipient for letter in world.follow_ups()}) == MANY
    for vu in (VU, 654321):
        open_ones = world.deadlines(vu)
        assert {(d.kind, d.rung) for d in open_ones} == {("follow-up", 2)}
    assert world.breaks() == []
    assert [world.participant(f"Vendor {n}", VU if n < MANY // 2 else 654321).follow_ups_sent for n in (0, 99)] == [
        1,
        1,
    ]


@pytest.mark.row("R26")
def test_answers_that_come_while_the_rungs_fall_due_leave_nobody_asked_after_answering(world: World) -> None:
    many_due(world)
    world.accept(
        *(world.mail(f"psirt@vendor{n}.example", f"VU#{VU if n < MANY // 2 else 654321}") for n in range(MANY))
    )
    other = world.node("n2")
    with ThreadPoolExecutor(2) as pool:
        beating = pool.submit(world.beat, other)
        world.feed()
        beating.result(timeout=120)
    world.feed()
    assert {letter.state for letter in world.follow_ups()} <= {"withdrawn"}
    for vu in (VU, 654321):
        assert {d.kind for d in world.deadlines(vu)} == {"answer"}
    assert world.books().filed == MANY
    assert world.breaks() == []


def test_one_row_that_fails_holds_up_no_other(world: World) -> None:
    for name in ("A", "B", "C"):
        world.organisation(name, f"{name.lower()}@x.example")
    world.case("A", "B", "C")
    broken = world.participant("B")
    with world.writing() as tx:  # the letter it was set for is gone
        cases.change_participant(tx, broken.id, since="letter:999")
        tx.execute(
            cases.deadlines.update().where(cases.deadlines.c.participant_id == broken.id).values(since="letter:999")
        )
    world.day(14)
    assert sorted(done.participant for done in world.beat()) == ["A", "C"]
    assert sorted(letter.recipient for letter in world.follow_ups()) == ["a@x.example", "c@x.example"]
