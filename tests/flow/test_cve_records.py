"""CVE records: after the note and never before it, once, and reminded of; against a service on a real socket."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from mailrouter import faults
from mailrouter.case.model import DeadlineKind
from mailrouter.case.note import Note
from mailrouter.flow import act
from mailrouter.flow.casework import publicity
from mailrouter.flow.cves import assigning, records, rejecting, reserving, working
from mailrouter.store import cases, notes, vulnerabilities
from tests.case.notes import NOTE
from tests.flow.prepared import Shelf
from tests.flow.test_cves import ONE, flaw, ids, make_cna, orders
from tests.flow.world import VENDOR, VU, World
from tests.servers import cveservice
from tests.servers.clock import START, Clock
from tests.servers.cveservice import KEY, ORG, USER, CveService, Trouble

THEIRS = "CVE-2026-77777"


@pytest.fixture
def service(clock: Clock) -> Iterator[CveService]:
    with cveservice.running(clock) as started:
        yield started


@pytest.fixture
def house(worlds: Callable[..., World], service: CveService, shelf: Shelf) -> World:
    """A case with one vendor that was written to, and an account."""
    made = worlds(CVE__URL=service.url, CVE__ORG=ORG, CVE__USER=USER, CVE__API_KEY=KEY)
    return shelf.prepared(made, World.vendor_case)


def the_note(cve: str, title: str = "A flaw") -> Note:
    return replace(NOTE, vu=VU, vulnerabilities=(replace(NOTE.vulnerabilities[0], cve=cve, title=title),))


def release(house: World, cve: str, title: str = "A flaw") -> None:
    """A revision readers have, as publishing leaves it."""
    with house.writing() as tx:
        case = cases.by_vu(tx, VU)
        cases.change(tx, case.id, published_at=case.published_at or house.clock())
        made = notes.make(
            tx, case.id, the_note(cve, title), "text", house.clock(), by="alice", written_by="alice", why="x"
        )
        notes.decide(tx, made.id, "alice", house.clock())
        notes.release(tx, made.id, house.clock())
        case = cases.get(tx, case.id)
        doing = act.Doing(tx, house.tools, house.clock(), house.clock(), "alice", case)
        records.wanted(doing, case, notes.edition(tx, notes.get(tx, made.id)))
        doing.later.write(tx)


def ours(house: World) -> None:
    reserving.order(house.tools, house.alice, VU, None, "")
    working.work(house.tools)


def clocks(house: World) -> list[tuple[timedelta, str]]:
    return [(d.due_at - START, d.outcome) for d in house.clocks() if d.kind is DeadlineKind.RECORD]


def test_a_record_of_ours_is_published_after_the_note(house: World, service: CveService) -> None:
    ours(house)
    release(house, ONE)
    assert clocks(house) == [(timedelta(hours=24), "")]
    assert working.work(house.tools) == 1
    assert service.states() == {ONE: "PUBLISHED"}
    assert service.ids[ONE].record is not None
    assert service.ids[ONE].record["title"] == "A flaw"
    assert (ids(house), flaw(house).record_at) == ({ONE: ("published", True)}, START)
    assert clocks(house) == [(timedelta(hours=24), "public")]
    with pytest.raises(faults.Illegal, match="is public; that ID stays"):
        assigning.type_in(house.tools, house.alice, VU, None, THEIRS)
    assert house.breaks() == []


@pytest.mark.parametrize("how", ["close", "500", "garbage"])
def test_a_record_whose_answer_was_lost_is_published_once(house: World, service: CveService, how: str) -> None:
    ours(house)
    release(house, ONE)
    service.next = [Trouble(how, done=True, of="POST")]
    assert working.work(house.tools) == 0
    house.clock.forward(minutes=2)
    assert working.work(house.tools) == 1
    assert service.ids[ONE].revisions == 1


def test_a_revision_updates_the_record_and_the_same_again_nothing(house: World, service: CveService) -> None:
    ours(house)
    release(house, ONE)
    working.work(house.tools)
    release(house, ONE, "A worse flaw")
    working.work(house.tools)
    record = service.ids[ONE].record
    assert record is not None
    assert (record["title"], service.ids[ONE].revisions) == ("A worse flaw", 2)
    release(house, ONE, "A worse flaw")
    working.work(house.tools)
    assert service.ids[ONE].revisions == 2


def test_a_revision_overtakes_a_record_that_waits(house: World, service: CveService) -> None:
    ours(house)
    release(house, ONE)
    release(house, ONE, "A worse flaw")
    assert [(what, state) for what, state, _ in orders(house)] == [
        ("reserve", "done"), ("record", "given up"), ("record", "wanted"),
    ]  # fmt: skip
    working.work(house.tools)
    assert service.ids[ONE].revisions == 1


def test_an_id_that_readers_see_is_rejected_only_after_a_revision_without_it(house: World, service: CveService) -> None:
    ours(house)
    release(house, ONE)
    with pytest.raises(faults.Illegal, match="publish a revision without CVE-2026-10001 first"):
        rejecting.order(house.tools, house.alice, ONE, "a duplicate")
    assert flaw(house).cve == ONE
    assigning.type_in(house.tools, house.alice, VU, None, THEIRS)
    working.work(house.tools)
    assert service.states() == {ONE: "RESERVED"}
    release(house, THEIRS)
    working.work(house.tools)
    assert service.states() == {ONE: "REJECTED"}


def test_no_record_without_a_published_note(house: World) -> None:
    ours(house)
    with pytest.raises(faults.Illegal, match="never the first publication"):
        records.order_now(house.tools, house.alice, VU)


def test_an_analyst_hears_after_a_day_and_after_three(house: World, service: CveService) -> None:
    ours(house)
    release(house, ONE)
    service.next = [Trouble("500", of="POST") for _ in range(3)]
    house.clock.forward(hours=25)
    house.beat(everything=True)
    assert [why for why in house.notices() if "record" in why] == [
        f"published 25 hours ago, and no CVE record is public for {ONE}: `mailrouter cve show {VU}`"
    ]
    assert clocks(house)[1] == (timedelta(hours=72), "")
    house.clock.to(START + timedelta(hours=73))
    house.beat(everything=True)
    assert len([why for why in house.notices() if "no CVE record" in why]) == 2
    assert [outcome for _, outcome in clocks(house)] == ["analyst told", "analyst told"]


def test_a_vendors_record_is_asked_for_looked_for_and_reminded_of(house: World, service: CveService) -> None:
    make_cna(house)
    assigning.type_in(house.tools, house.alice, VU, None, THEIRS, by=VENDOR)
    release(house, THEIRS)
    [asked] = house.letters("cve-record-ask")
    assert THEIRS in asked.body
    assert working.work(house.tools) == 1  # looked, and not there
    house.clock.forward(hours=25)
    house.beat(everything=True)
    assert len(house.letters("cve-record-reminder")) == 1
    service.ids[THEIRS] = cveservice.Given(THEIRS, "PUBLISHED", "acme", START, record={"title": "theirs"})
    working.work(house.tools)
    assert flaw(house).record_at == house.clock()
    house.clock.forward(hours=50)
    house.beat(everything=True)
    assert len(house.letters("cve-record-reminder")) == 1
    assert [outcome for _, outcome in clocks(house)] == ["analyst told", "public"]
    assert house.participant().follow_ups_sent == 0


def test_seen_by_hand(house: World) -> None:
    assigning.type_in(house.tools, house.alice, VU, None, THEIRS)
    release(house, THEIRS)
    records.recorded(house.tools, house.alice, VU, None)
    assert flaw(house).record_at == START
    assert [outcome for _, outcome in clocks(house)] == ["public"]
    with pytest.raises(faults.Illegal, match="known to be public"):
        records.recorded(house.tools, house.alice, VU, None)


def test_nobody_sees_a_record_before_the_world_knows_and_a_mistake_is_undone(house: World) -> None:
    assigning.type_in(house.tools, house.alice, VU, None, "CVE-2026-11111")
    with pytest.raises(faults.Illegal, match="its note is not published"):
        records.recorded(house.tools, house.alice, VU, None)
    publicity.mark(house.tools, house.alice, VU, "public", house.clock(), "a blog")
    records.recorded(house.tools, house.alice, VU, None)
    records.unrecorded(house.tools, house.alice, VU, None, "another's")
    assigning.type_in(house.tools, house.alice, VU, None, THEIRS)
    release(house, THEIRS)
    records.recorded(house.tools, house.alice, VU, None)
    records.unrecorded(house.tools, house.alice, VU, None, "a typing error")
    assert (flaw(house).record_at, clocks(house)[-1][1]) == (None, ""), "it is reminded of again"
    assert [what for what, state, _ in orders(house) if state == "wanted"] == ["look"]
    with pytest.raises(faults.Illegal, match="nobody said"):
        records.unrecorded(house.tools, house.alice, VU, None, "x")


def test_what_is_not_valid_is_told_and_not_sent(house: World, service: CveService) -> None:
    ours(house)
    release(house, ONE)
    with house.writing() as tx:
        tx.exec_driver_sql("UPDATE cve_orders SET record = '{\"title\": \"bare\"}' WHERE what = 'record'")
    asked = len(service.asked)
    assert working.work(house.tools) == 0
    assert len(service.asked) == asked
    assert any("is not valid" in why for why in house.notices())


def test_a_record_is_frozen_with_its_order(house: World, service: CveService) -> None:
    ours(house)
    release(house, ONE)
    with house.writing() as tx:
        vulnerabilities.change(tx, flaw(house).id, cwe="CWE-1")
    working.work(house.tools)
    assert "CWE-79" in json.dumps(service.ids[ONE].record)
