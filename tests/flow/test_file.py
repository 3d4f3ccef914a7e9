"""Filing by hand: what the router would not decide alone; and what that takes back."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace

import pytest
from sqlalchemy import Connection

from mailrouter.faults import Illegal, NotFound, Refused
from mailrouter.flow.actor import Actor
from mailrouter.flow.arriving import receive
from mailrouter.flow.filing import file
from mailrouter.flow.reports import accept
from mailrouter.store import contacts
from mailrouter.store.engine import Database
from tests.flow.world import PSIRT, VENDOR, VU, World

EVE = "eve@eve.example"
OTHER = 654321


@pytest.fixture
def house(world: World) -> World:
    """One vendor, written to."""
    world.vendor_case()
    return world


# ---- message route --------------------------------------------------------------------------------------------------


def test_vouched_for_it_counts_as_that_participants(house: World) -> None:
    got = house.fed(house.mail("someone@freemail.example", "no number"))
    filed = file.route(house.tools, house.alice, got.id, VU, VENDOR)
    assert (filed.place, filed.standing, filed.vouched_by, filed.why) == ("filed", "claimed", "alice", "answer")
    assert (filed.participant_id, filed.claimed_vu, filed.suggested_vu) == (house.participant().id, None, None)
    assert (house.turn(), [d.kind for d in house.deadlines()]) == ("us", ["answer"])
    assert [e.actor for e in house.journal() if e.kind == "mail.filed"] == ["alice"]
    assert (house.queue("triage"), [s.sender for s in house.queue("alice")]) == ([], ["someone@freemail.example"])
    assert (house.books().triage, house.books().filed) == (0, 1)


def test_filed_without_a_word_whose_it_is_it_changes_no_turn(house: World) -> None:
    got = house.fed(house.mail(EVE))
    filed = file.route(house.tools, house.alice, got.id, VU)
    assert (filed.place, filed.why, filed.standing, filed.participant_id) == (
        "filed",
        "filed by hand",
        "stranger",
        None,
    )
    assert (house.turn(), house.queue("review"), house.books().review) == ("them", [], 0)
    assert filed.id in [m.id for m in house.messages()]


def test_a_participants_mail_with_a_wrong_number_is_filed_as_theirs(house: World) -> None:
    got = house.fed(house.mail(PSIRT, "VU#999999"))
    filed = file.route(house.tools, house.alice, got.id, VU)
    assert (filed.why, filed.participant_id) == ("answer", house.participant().id)
    assert house.turn() == "us"


def test_an_address_becomes_a_contact_and_is_known_from_then_on(house: World) -> None:
    got = house.fed(house.mail("new@elsewhere.example"))
    file.route(house.tools, house.alice, got.id, VU, VENDOR, add_contact=True)
    again = house.fed(house.mail("new@elsewhere.example"))
    assert (again.place, again.standing) == ("filed", "claimed")


def test_a_contact_of_anothers_is_refused_and_nothing_is_changed(house: World) -> None:
    house.organisation("Other", "psirt@other.example")
    got = house.fed(house.mail("psirt@other.example"))
    with pytest.raises(Refused, match="is already a contact of Other"):
        file.route(house.tools, house.alice, got.id, VU, VENDOR, add_contact=True)
    assert ([m.place for m in house.everything() if m.id == got.id], house.turn()) == (["review"], "them")


def test_a_malformed_from_is_no_contact(house: World) -> None:
    got = house.fed(house.mail(f"{PSIRT}, {EVE}"))
    with pytest.raises(Illegal, match="From is malformed"):
        file.route(house.tools, house.alice, got.id, VU, VENDOR, add_contact=True)


@pytest.mark.row("S21")
def test_an_out_of_office_filed_by_hand_still_changes_no_turn(house: World) -> None:
    got = house.fed(house.mail(PSIRT, "Out of office", "away\r\n", "Auto-Submitted: auto-replied"))
    filed = file.route(house.tools, house.alice, got.id, VU)
    assert (filed.place, filed.kind, house.turn()) == ("filed", "auto-reply", "them")
    mistaken = file.route(house.tools, house.alice, got.id, VU, VENDOR)  # a person wrote it after all
    assert (mistaken.kind, house.turn()) == ("person", "us")


def test_unknown_numbers_participants_and_messages_say_so(house: World) -> None:
    got = house.fed(house.mail(EVE))
    with pytest.raises(NotFound, match=r"no case VU#999999"):
        file.route(house.tools, house.alice, got.id, 999999)
    with pytest.raises(NotFound, match=f"'Nobody' takes no part in VU#{VU}; it has: {VENDOR}"):
        file.route(house.tools, house.alice, got.id, VU, "Nobody")
    with pytest.raises(NotFound, match="no message 999"):
        file.route(house.tools, house.alice, 999, VU)
    letter = next(m for m in house.messages() if m.direction == "out")
    with pytest.raises(Illegal, match="is not a mail that came in"):
        file.route(house.tools, house.alice, letter.id, VU)


def test_filed_elsewhere_it_no_longer_waits_for_us_where_it_was(house: World) -> None:
    house.case(VENDOR, vu=OTHER)
    got = house.fed(house.mail(PSIRT))
    assert house.turn() == "us"
    file.route(house.tools, house.alice, got.id, OTHER)
    assert (house.turn(), house.turn(VENDOR, OTHER)) == ("nobody", "us")
    assert [d.kind for d in house.deadlines()] == []
    assert [e.kind for e in house.journal()][-2:] == ["mail.taken", "turn"]
    assert [s.vu for s in house.queue("alice")] == [OTHER]
    assert house.books().filed == 1
    assert house.breaks() == []


def test_filed_elsewhere_the_turn_stays_while_another_mail_waits(house: World) -> None:
    house.case(VENDOR, vu=OTHER)
    first = house.fed(house.mail(PSIRT))
    house.fed(house.mail(PSIRT, body="and\r\n"))
    file.route(house.tools, house.alice, first.id, OTHER)
    assert house.turn() == "us"


def test_two_who_file_at_once_in_opposite_directions_wait_for_each_other_in_order(house: World) -> None:
    house.case(VENDOR, vu=OTHER)
    house.feed(house.mail(PSIRT), house.mail(PSIRT, f"VU#{OTHER}"))
    here, there = [m.id for m in house.everything() if m.direction == "in"]
    others = [house.node("n2"), house.node("n3")]

    def to_and_fro(tools: object, message: int, vus: tuple[int, int]) -> None:
        for number in range(8):
            file.route(tools, house.alice, message, vus[number % 2])  # type: ignore[arg-type]

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(to_and_fro, others[0], here, (OTHER, VU))
        two = pool.submit(to_and_fro, others[1], there, (VU, OTHER))
        one.result(timeout=120)
        two.result(timeout=120)
    assert (house.books().filed, house.breaks()) == (2, [])


def test_two_who_file_one_mail_at_once_one_wins_and_the_other_is_told(house: World) -> None:
    house.case(VENDOR, vu=OTHER)
    got = house.fed(house.mail("new@elsewhere.example"))
    crew = {"ann": (house.node("n2"), VU), "ben": (house.node("n3"), OTHER)}
    together = threading.Barrier(2)

    def filed(name: str) -> str:
        tools, vu = crew[name]
        both_read = replace(tools, db=_After(tools.db, lambda: together.wait(60)))  # type: ignore[arg-type]
        try:
            file.route(both_read, Actor(name), got.id, vu, VENDOR)
        except Illegal as trouble:
            return str(trouble)
        return ""

    with ThreadPoolExecutor(2) as pool:
        said = dict(zip(crew, pool.map(filed, crew), strict=True))
    [winner] = [name for name, told in said.items() if not told]
    [told] = [told for told in said.values() if told]
    assert f"message {got.id} was filed with VU#{crew[winner][1]} meanwhile, by {winner} on" in told
    assert [len([m for m in house.messages(vu) if m.mail_id]) for _, vu in crew.values()].count(1) == 1


class _After:
    """A database whose first transaction that writes waits for something."""

    def __init__(self, db: Database, before: Callable[[], object]) -> None:
        self._db, self._before = db, before
        self.read = db.read

    def write(self) -> AbstractContextManager[Connection]:
        """The real one."""
        self._before()
        return self._db.write()


# ---- message retry --------------------------------------------------------------------------------------------------


def test_retried_it_is_judged_by_what_is_known_now(house: World) -> None:
    got = house.fed(house.mail("new@elsewhere.example"))
    assert got.place == "review"
    with house.writing() as tx:
        contacts.add_contact(tx, contacts.named(tx, VENDOR).id, "new@elsewhere.example")
    file.retry(house.tools, house.alice, got.id)
    assert (house.books().pending, house.books().review) == (1, 0)
    with pytest.raises(Illegal, match=f"message {got.id} is being processed again already"):
        file.retry(house.tools, house.alice, got.id)
    house.feed()
    assert [m.place for m in house.everything() if m.id == got.id] == ["filed"]
    assert (house.books().pending, house.books().filed, house.queue("review")) == (0, 1, [])
    with pytest.raises(Illegal, match="is filed already; `mailrouter message route` files it elsewhere"):
        file.retry(house.tools, house.alice, got.id)


def test_retried_and_meanwhile_filed_by_hand_it_stays_where_the_analyst_put_it(house: World) -> None:
    got = house.fed(house.mail(EVE))
    file.retry(house.tools, house.alice, got.id)
    items = receive.claim(house.tools)
    file.route(house.tools, house.alice, got.id, VU, VENDOR)
    receive.receive(house.tools, items)
    house.feed()
    assert [(m.place, m.vouched_by) for m in house.everything() if m.id == got.id] == [("filed", "alice")]
    assert (house.books().filed, house.books().pending, house.turn()) == (1, 0, "us")


def test_what_did_not_come_in_cannot_be_retried(house: World) -> None:
    letter = next(m for m in house.messages() if m.direction == "out")
    with pytest.raises(Illegal, match="is not a mail that came in"):
        file.retry(house.tools, house.alice, letter.id)


# ---- a case from a mail ---------------------------------------------------------------------------------------------


def test_a_case_opened_from_a_mail_has_its_sender_as_the_reporter(house: World) -> None:
    got = house.fed(house.mail("finder@home.example", "I found something"))
    case = accept.from_message(house.tools, house.alice, got.id, accept.Wanted("A finding", OTHER, urgent=True)).case
    reporter = house.participant("finder@home.example", OTHER)
    assert (case.vu, case.urgent, case.analyst, reporter.role, reporter.waiting_on) == (
        OTHER,
        True,
        "alice",
        "reporter",
        "nobody",  # the letter that says so is our answer
    )
    assert [(m.id, m.place) for m in house.messages(OTHER) if m.mail_id] == [(got.id, "filed")]
    assert house.queue("triage") == []
    answer = house.fed(house.mail("finder@home.example", f"VU#{OTHER}"))
    assert answer.place == "filed"
    with pytest.raises(Illegal, match="is filed with a case already"):
        accept.from_message(house.tools, house.alice, got.id, accept.Wanted("Again"))


def test_a_vendor_may_be_the_reporter(house: World) -> None:
    got = house.fed(house.mail(PSIRT, "we found something in another's product"))
    accept.from_message(house.tools, house.alice, got.id, accept.Wanted("A finding", OTHER))
    assert house.participant(VENDOR, OTHER).role == "reporter"


def test_no_case_is_opened_for_a_sender_that_cannot_be_said(house: World) -> None:
    got = house.fed(house.mail("a@x.example, b@x.example", "hello"))
    with pytest.raises(Illegal, match="From is malformed"):
        accept.from_message(house.tools, house.alice, got.id, accept.Wanted("A finding", OTHER))
    with pytest.raises(NotFound), house.look() as tx:
        file.cases.by_vu(tx, OTHER)


# ---- queue done -----------------------------------------------------------------------------------------------------


def test_an_item_is_done_once(house: World) -> None:
    house.feed(house.mail(EVE))
    [item] = house.queue("review")
    file.done(house.tools, house.alice, item.item.id)
    assert house.queue("review") == []
    assert house.books().review == 1  # where it lies, done or not
    with pytest.raises(Illegal, match=f"item {item.item.id} was done before, by alice"):
        file.done(house.tools, house.alice, item.item.id)
    with pytest.raises(NotFound, match="no item 999; `mailrouter queue list` shows the queues"):
        file.done(house.tools, house.alice, 999)
