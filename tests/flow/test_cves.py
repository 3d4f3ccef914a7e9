"""CVE IDs: asked for once, told, given back; against a service on a real socket, on both databases."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from mailrouter import faults
from mailrouter.case.cveid import read
from mailrouter.cve import Known
from mailrouter.flow import act
from mailrouter.flow.casework import closing, contacting, coordinate, proposals
from mailrouter.flow.cves import asking, assigning, rejecting, reserving, working
from mailrouter.flow.notes import notpublishing
from mailrouter.store import cases, contacts, cves, tables, vulnerabilities
from mailrouter.store import proposals as stored
from mailrouter.store.vulnerabilities import Vulnerability
from tests.flow.prepared import Shelf
from tests.flow.world import PSIRT, VENDOR, VU, World
from tests.servers import cveservice
from tests.servers.clock import Clock
from tests.servers.cveservice import KEY, ORG, USER, CveService, Trouble

ONE, TWO = "CVE-2026-10001", "CVE-2026-10002"


@pytest.fixture
def service(clock: Clock) -> Iterator[CveService]:
    with cveservice.running(clock) as started:
        yield started


@pytest.fixture
def house(worlds: Callable[..., World], service: CveService, shelf: Shelf) -> World:
    """A case with one vendor that was written to, and an account."""
    made = worlds(CVE__URL=service.url, CVE__ORG=ORG, CVE__USER=USER, CVE__API_KEY=KEY)
    return shelf.prepared(made, World.vendor_case)


def flaw(world: World, number: int = 1) -> Vulnerability:
    with world.look() as tx:
        return vulnerabilities.of_case(tx, cases.by_vu(tx, VU).id)[number - 1]


def reserve(world: World, why: str = "") -> None:
    reserving.order(world.tools, world.alice, VU, None, why)


def orders(world: World) -> list[tuple[str, str, int]]:
    with world.look() as tx:
        rows = tx.execute(select(tables.cve_orders).order_by(tables.cve_orders.c.id))
        return [(row.what, row.state, row.tries) for row in rows]


def ids(world: World) -> dict[str, tuple[str, bool]]:
    """Of each ID of ours: its state, and whether it is used."""
    with world.look() as tx:
        return {one.cve: (one.state, one.vulnerability_id is not None) for one in cves.ids(tx)}


def told(world: World) -> list[tuple[str, str]]:
    return [(one.recipient, one.body.split("\n\n")[2].strip()) for one in world.letters("cve-assigned")]


def kinds(world: World) -> list[str]:
    return [entry.kind for entry in world.journal() if entry.kind.startswith("cve.")]


def make_cna(world: World, name: str = VENDOR) -> None:
    with world.writing() as tx:
        contacts.set_cna(tx, contacts.named(tx, name).id, True)


def test_an_id_is_ordered_reserved_and_told(house: World, service: CveService) -> None:
    reserve(house)
    assert service.asked == []  # the order stands before anybody is asked
    assert working.work(house.tools) == 1
    assert (flaw(house).cve, flaw(house).cve_source) == (ONE, "reserved")
    assert ids(house) == {ONE: ("reserved", True)}
    assert told(house) == [(PSIRT, f"VU#{VU}.1: {ONE}")]
    assert kinds(house) == ["cve.wanted", "cve.reserved", "cve.assigned"]
    assert working.work(house.tools) == 0
    assert service.asked == [("POST", "cve-id")]
    with pytest.raises(faults.Illegal, match="has its CVE ID"):
        reserve(house)
    assert house.breaks() == []


def test_who_is_contacted_later_is_told_as_well_and_once(house: World) -> None:
    house.organisation("Later", "psirt@later.example")
    coordinate.add_vendor(house.tools, house.alice, VU, "Later")
    contacting.notify(house.tools, house.alice, VU, ["Later"], without_details=True)
    assert told(house) == [], "there is none yet"
    house.organisation("Latest", "psirt@latest.example")
    coordinate.add_vendor(house.tools, house.alice, VU, "Latest")
    reserve(house)
    working.work(house.tools)
    assert [whom for whom, _ in told(house)] == [PSIRT, "psirt@later.example"]
    contacting.notify(house.tools, house.alice, VU, without_details=True)
    assert told(house)[2:] == [("psirt@latest.example", f"VU#{VU}.1: {ONE}")]
    assert house.breaks() == []


def test_the_letter_leaves_signed_and_names_nobody(house: World) -> None:
    reserve(house)
    working.work(house.tools)
    house.deliver()
    [letter] = house.letters("cve-assigned")
    assert (letter.state, letter.signed) == ("sent", True)


def test_one_order_at_a_time(house: World) -> None:
    reserve(house)
    with pytest.raises(faults.Illegal, match="asked for already"):
        reserve(house)


LOST = ["close", "500", "garbage", "429"]


@pytest.mark.parametrize("how", LOST)
def test_what_the_service_reserved_before_it_failed_is_taken(house: World, service: CveService, how: str) -> None:
    service.next = [Trouble(how, done=True)]
    reserve(house)
    assert working.work(house.tools) == 0
    assert list(service.ids) == [ONE]
    assert flaw(house).cve == ""
    assert working.work(house.tools) == 0  # not before a minute is over
    house.clock.forward(seconds=61)
    assert working.work(house.tools) == 1
    assert flaw(house).cve == ONE
    assert list(service.ids) == [ONE]
    assert service.requests("POST") == 1


@pytest.mark.parametrize("how", ["close", "500", "401", "garbage"])
def test_what_was_never_reserved_is_asked_for_again(house: World, service: CveService, how: str) -> None:
    service.next = [Trouble(how)]
    reserve(house)
    working.work(house.tools)
    house.clock.forward(minutes=2)
    assert working.work(house.tools) == 1
    assert (flaw(house).cve, list(service.ids)) == (ONE, [ONE])


def test_what_was_reserved_in_a_life_before_a_restore_is_taken(house: World, service: CveService) -> None:
    reserve(house)
    service.give()
    with house.writing() as tx:
        cves.look_first(tx)
    assert working.work(house.tools) == 1
    assert (flaw(house).cve, list(service.ids)) == (ONE, [ONE])
    assert service.requests("POST") == 0


def test_an_answer_to_an_order_that_ended_changes_nothing(house: World) -> None:
    """Two nodes whose clocks are apart carried out the same order."""
    reserve(house)
    with house.look() as tx:
        [wanted] = cves.wanted(tx)
    working.work(house.tools)
    before = kinds(house)
    with house.writing() as tx:
        doing = act.Doing(tx, house.tools, house.clock(), house.clock(), "mailrouter", cases.by_vu(tx, VU))
        reserving.record(doing, wanted, Known(ONE, "reserved", USER, house.clock()))
    assert (kinds(house), ids(house)) == (before, {ONE: ("reserved", True)})


def no_note(house: World) -> None:
    notpublishing.decide(house.tools, house.alice, VU, "a duplicate")


def closed(house: World) -> None:
    closing.close(house.tools, house.alice, VU, "over", end_embargo=True, anyway=True)


ENDS = [no_note, closed]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("left", [0, 9])
def test_without_a_note_to_come_no_id_is_asked_for(
    house: World, service: CveService, end: Callable[[World], None], left: int
) -> None:
    """What the service refused was not done: such an order ends as one that was never tried."""
    reserve(house)
    service.quota = left
    if not left:
        working.work(house.tools)
    service.quota = 9
    end(house)
    house.clock.forward(hours=2)
    working.work(house.tools)
    assert (service.ids, [state for what, state, _ in orders(house) if what == "reserve"]) == ({}, ["given up"])


@pytest.mark.parametrize("end", ENDS)
def test_an_id_that_comes_after_the_end_is_told_nobody_and_given_back(
    house: World, service: CveService, end: Callable[[World], None]
) -> None:
    service.next = [Trouble("close", done=True)]
    reserve(house)
    working.work(house.tools)
    end(house)
    house.clock.forward(minutes=2)
    working.work(house.tools)
    assert (flaw(house).cve, told(house), ids(house)) == ("", [], {ONE: ("reserved", False)})
    working.work(house.tools)
    assert service.states() == {ONE: "REJECTED"}


def test_ids_of_other_users_and_older_ones_are_left_alone(house: World, service: CveService) -> None:
    service.give()
    house.clock.forward(days=1)
    service.give(user="somebody@cert.example")
    service.next = [Trouble("500", done=True)]
    reserve(house)
    working.work(house.tools)
    house.clock.forward(minutes=2)
    working.work(house.tools)
    assert flaw(house).cve == "CVE-2026-10003"
    assert service.requests("POST") == 1


def test_pauses_grow_to_an_hour_and_an_analyst_hears_once(house: World, service: CveService) -> None:
    service.next = [Trouble("500", of="POST") for _ in range(8)]
    reserve(house)
    waits = []
    for _ in range(8):
        working.work(house.tools)
        with house.look() as tx:
            until = tx.execute(select(tables.cve_orders.c.not_before)).scalar_one()
        waits.append((until - house.clock()) // timedelta(minutes=1))
        house.clock.to(until)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    told = "the CVE service did not answer as it should: it is in trouble itself; it is tried again"
    assert [why for why in house.notices() if "CVE" in why] == [f"a CVE ID for VU#{VU}.1: {told}"]
    working.work(house.tools)
    assert flaw(house).cve == ONE


def test_a_refusal_is_told_at_once(house: World, service: CveService) -> None:
    service.quota = 0
    reserve(house)
    working.work(house.tools)
    assert any("no CVE ID is left of our quota" in why for why in house.notices())
    assert "text that must appear" not in str(house.journal())


def test_two_vulnerabilities_lose_their_answers_and_each_gets_one(house: World, service: CveService) -> None:
    with house.writing() as tx:
        vulnerabilities.add(tx, cases.by_vu(tx, VU).id, "Another", house.clock())
    service.next = [Trouble("close", done=True), Trouble("close", done=True)]
    reserve(house)
    working.work(house.tools)
    house.clock.forward(minutes=2)
    assert working.work(house.tools) == 2
    assert [flaw(house, 1).cve, flaw(house, 2).cve] == [ONE, TWO]
    assert len(service.ids) == 2


def test_two_nodes_ask_in_turn(house: World, service: CveService) -> None:
    other = house.node("n2")
    with house.writing() as tx:
        assert cves.take_turn(tx, "n2", house.clock(), house.clock() + timedelta(minutes=5))
    reserve(house)
    assert working.work(house.tools) == 0
    assert service.asked == []
    with house.writing() as tx:
        cves.end_turn(tx, "n2")
    assert working.work(house.tools) == 1
    assert working.work(other) == 0
    assert len(service.ids) == 1


def test_a_node_that_died_in_its_turn_loses_it(house: World) -> None:
    with house.writing() as tx:
        cves.take_turn(tx, "n2", house.clock(), house.clock() + timedelta(minutes=5))
    reserve(house)
    assert working.work(house.tools) == 0
    house.clock.forward(minutes=6)
    assert working.work(house.tools) == 1


def test_its_own_turn_a_node_takes_again_at_once(house: World) -> None:
    with house.writing() as tx:
        cves.take_turn(tx, house.tools.settings.node, house.clock(), house.clock() + timedelta(minutes=5))
    reserve(house)
    assert working.work(house.tools) == 1


def test_without_an_account_the_order_waits(world: World) -> None:
    world.vendor_case()
    reserve(world)
    assert working.work(world.tools) == 0
    assert orders(world) == [("reserve", "wanted", 0)]


# ---- the vendor first ------------------------------------------------------------------------------------------------


def test_while_a_cna_takes_part_it_is_asked_first(house: World) -> None:
    make_cna(house)
    with pytest.raises(faults.Illegal, match=f"{VENDOR} can assign a CVE ID"):
        reserve(house)
    vendor, letter_id = asking.ask(house.tools, house.alice, VU)
    assert vendor.name == VENDOR
    assert "\n\nCVE:\n\n" in next(one for one in house.letters() if one.id == letter_id).body
    assert house.turn() == "them"
    assert flaw(house).cve_vendor_id == vendor.organisation_id
    with pytest.raises(faults.Illegal, match=f"{VENDOR} was asked, and no ID is known"):
        asking.ask(house.tools, house.alice, VU)
    assert asking.ask(house.tools, house.alice, VU, again=True)[1] > letter_id
    reserve(house, "they do not assign for end-of-life products")
    assert flaw(house).cve_why == "they do not assign for end-of-life products"


def test_a_cna_that_is_not_affected_stands_in_nobodys_way(house: World) -> None:
    make_cna(house)
    with house.writing() as tx:
        row = {"status": "Not Affected", "why": "", "fixed_in": "", "updated_at": house.clock(), "updated_by": "alice"}
        vulnerabilities.state(tx, house.participant().id, flaw(house), row)
    reserve(house)


def test_only_a_cna_can_be_asked(house: World) -> None:
    with pytest.raises(faults.Illegal, match="no vendor of this case is known to be a CNA"):
        asking.ask(house.tools, house.alice, VU)
    with pytest.raises(faults.Illegal, match="is no CNA"):
        asking.ask(house.tools, house.alice, VU, None, VENDOR)


# ---- typed in, and given back ----------------------------------------------------------------------------------------


def type_in(world: World, cve: str, **more: object) -> Vulnerability:
    return assigning.type_in(world.tools, world.alice, VU, None, read(cve), **more)  # type: ignore[arg-type]


def test_the_vendors_own_takes_the_place_of_ours_which_is_given_back(house: World, service: CveService) -> None:
    reserve(house)
    working.work(house.tools)
    type_in(house, "CVE-2026-77777", by=VENDOR)
    assert (flaw(house).cve, flaw(house).cve_source) == ("CVE-2026-77777", "vendor")
    assert ids(house) == {ONE: ("reserved", False)}
    assert len(told(house)) == 2
    assert working.work(house.tools) == 1
    assert service.states() == {ONE: "REJECTED"}
    assert ids(house) == {ONE: ("rejected", False)}
    with pytest.raises(faults.Illegal, match="was rejected"):
        type_in(house, ONE)


def test_an_id_that_comes_too_late_is_given_back(house: World, service: CveService) -> None:
    service.next = [Trouble("close", done=True)]
    reserve(house)
    working.work(house.tools)
    type_in(house, "CVE-2026-77777")
    house.clock.forward(minutes=2)
    working.work(house.tools)
    assert flaw(house).cve == "CVE-2026-77777"
    working.work(house.tools)
    assert service.states() == {ONE: "REJECTED"}


def test_an_order_that_nobody_tried_ends_when_an_id_is_typed_in(house: World, service: CveService) -> None:
    reserve(house)
    type_in(house, "CVE-2026-77777")
    assert orders(house) == [("reserve", "given up", 0)]
    assert working.work(house.tools) == 0
    assert service.asked == []


def test_one_id_for_two_cases_only_if_that_is_meant(house: World) -> None:
    type_in(house, "CVE-2026-77777")
    house.case(vu=654321)
    with pytest.raises(faults.Illegal, match=f"VU#{VU}.1 has CVE-2026-77777 already"):
        assigning.type_in(house.tools, house.alice, 654321, None, "CVE-2026-77777")
    one = assigning.type_in(house.tools, house.alice, 654321, None, "CVE-2026-77777", anyway=True)
    assert one.cve == "CVE-2026-77777"


def test_the_same_again_is_refused(house: World) -> None:
    type_in(house, "CVE-2026-77777")
    with pytest.raises(faults.Illegal, match="it has CVE-2026-77777 already"):
        type_in(house, "CVE-2026-77777")


def test_a_case_without_a_note_gives_its_id_back(house: World, service: CveService) -> None:
    reserve(house)
    working.work(house.tools)
    with house.writing() as tx:
        cases.change(tx, cases.by_vu(tx, VU).id, not_published_at=house.clock())
    working.work(house.tools)
    assert service.states() == {ONE: "REJECTED"}
    assert flaw(house).cve == ""


def test_an_id_that_was_taken_into_use_meanwhile_is_not_given_back(house: World, service: CveService) -> None:
    """The sweep found it unused, and another one used it before the case was locked."""
    reserve(house)
    working.work(house.tools)
    rejecting.give_back(house.tools, "mailrouter", ONE, rejecting.UNUSED)
    assert (ids(house), flaw(house).cve) == ({ONE: ("reserved", True)}, ONE)
    with house.writing() as tx:  # and so an order to reject it that is there already
        one = vulnerabilities.of_case(tx, cases.by_vu(tx, VU).id)[0]
        cves.want(tx, one.id, cves.REJECT, house.clock(), by="mailrouter", cve=ONE)
    working.work(house.tools)
    assert (service.states(), flaw(house).cve) == ({ONE: "RESERVED"}, ONE)
    assert orders(house)[-1] == ("reject", "given up", 1)


@pytest.mark.parametrize("how", ["close", "500"])
def test_rejecting_is_done_once_whatever_the_service_answers(house: World, service: CveService, how: str) -> None:
    reserve(house)
    working.work(house.tools)
    rejecting.order(house.tools, house.alice, ONE, "a mistake")
    service.next = [Trouble(how, done=True, of="PUT")]
    working.work(house.tools)
    house.clock.forward(minutes=2)
    assert working.work(house.tools) == 1
    assert (service.states(), ids(house)) == ({ONE: "REJECTED"}, {ONE: ("rejected", False)})
    assert service.requests("PUT") == 1


def test_only_what_is_ours_and_reserved_is_rejected(house: World) -> None:
    with pytest.raises(faults.NotFound, match="none that the CVE service gave us"):
        rejecting.order(house.tools, house.alice, ONE, "x")


def test_which_of_several_must_be_said(house: World) -> None:
    with house.writing() as tx:
        vulnerabilities.add(tx, cases.by_vu(tx, VU).id, "Another", house.clock())
    with pytest.raises(faults.Refused, match=rf"say which: VU#{VU}\.1, VU#{VU}\.2"):
        type_in(house, "CVE-2026-77777")
    with pytest.raises(faults.NotFound, match="no vulnerability"):
        assigning.type_in(house.tools, house.alice, VU, 7, "CVE-2026-77777")


def test_what_a_record_says_besides(house: World) -> None:
    assigning.describe(house.tools, house.alice, VU, None, assigning.Problem(cwe="CWE-79"))
    one = assigning.describe(house.tools, house.alice, VU, 1, assigning.Problem(cvss="AV:N/AC:L/Au:N/C:P/I:P/A:P"))
    assert (one.cwe, one.cvss, one.text) == ("CWE-79", "AV:N/AC:L/Au:N/C:P/I:P/A:P", "")


# ---- what a vendor's mail says ---------------------------------------------------------------------------------------


@pytest.fixture
def answering(world: World, shelf: Shelf) -> World:
    """A vendor with a key, that is a CNA and was asked."""
    return shelf.prepared(world, _asked)


def _asked(world: World) -> None:
    world.vendor_case(key=True)
    make_cna(world)
    asking.ask(world.tools, world.alice, VU)
    world.deliver()


def said(world: World) -> list[tuple[str, str]]:
    with world.look() as tx:
        rows = tx.execute(select(tables.proposals).order_by(tables.proposals.c.id))
        return [(row.value, row.outcome) for row in rows if row.what == "cve"]


def test_a_cnas_signed_answer_is_taken_by_itself(answering: World) -> None:
    answering.feed(answering.signed(f"VU#{VU}\n\nCVE: CVE-2026-55555\n"))
    assert said(answering) == [("CVE-2026-55555", "taken")]
    one = flaw(answering)
    assert (one.cve, one.cve_source) == ("CVE-2026-55555", "vendor")
    assert len(answering.letters("cve-assigned")) == 1
    answering.feed(answering.signed(f"VU#{VU}\n\nWe publish CVE-2026-55555 with you.\n"))
    assert len(said(answering)) == 1  # nothing new


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("Our number is CVE-2026-55555.", ["CVE-2026-55555"]),
        ("It is like CVE-2020-1111 or CVE-2020-2222.", []),
        ("CVE: CVE-2026-55555 and CVE-2026-55556", []),
        ("CVE: none", []),
        ("> CVE: CVE-2026-55555", []),
    ],
)
def test_what_is_said_otherwise_waits_for_a_person(answering: World, text: str, values: list[str]) -> None:
    answering.feed(answering.signed(f"VU#{VU}\n\n{text}\n"))
    assert said(answering) == [(value, "") for value in values]
    assert flaw(answering).cve == ""


def test_an_unsigned_answer_waits_for_a_person(answering: World) -> None:
    message = answering.fed(answering.mail(PSIRT, body="CVE: CVE-2026-55555\r\n"))
    assert said(answering) == [("CVE-2026-55555", "")]
    proposals.take_message(answering.tools, answering.alice, message.id)
    assert flaw(answering).cve == "CVE-2026-55555"
    assert said(answering) == [("CVE-2026-55555", "taken")]


def test_who_is_no_cna_or_comes_second_is_not_taken_by_itself(answering: World) -> None:
    with answering.writing() as tx:
        contacts.set_cna(tx, contacts.named(tx, VENDOR).id, False)
    answering.feed(answering.signed(f"VU#{VU}\n\nCVE: CVE-2026-55555\n"))
    assert said(answering) == [("CVE-2026-55555", "")]
    make_cna(answering)
    type_in(answering, "CVE-2026-77777")
    assert said(answering) == [("CVE-2026-55555", "overtaken")]
    answering.clock.forward(minutes=5)
    answering.feed(answering.signed(f"VU#{VU}\n\nCVE: CVE-2026-55556\n"))
    assert said(answering)[1] == ("CVE-2026-55556", "")
    assert flaw(answering).cve == "CVE-2026-77777"


def test_what_we_reserved_stays_ours_whoever_names_it(answering: World) -> None:
    with answering.writing() as tx:
        row = {"cve": ONE, "order_id": None, "vulnerability_id": None, "state": "reserved"}
        tx.execute(tables.cve_ids.insert(), row | {"reserved_at": answering.clock()})
    answering.feed(answering.signed(f"VU#{VU}\n\nCVE: {ONE}\n"))
    assert (said(answering), flaw(answering).cve) == ([(ONE, "")], ""), "a person decides"
    with answering.look() as tx:
        [one] = stored.listed(tx)
    proposals.take(answering.tools, answering.alice, [one.id])
    assert (flaw(answering).cve_source, flaw(answering).cve_vendor_id) == ("reserved", None)
    type_in(answering, "CVE-2026-77777")
    type_in(answering, ONE, by=VENDOR)
    assert (flaw(answering).cve_source, flaw(answering).cve_vendor_id) == ("reserved", None)
