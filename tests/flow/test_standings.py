"""Where participants stand: what moves with what happens, what an analyst records, what is refused, and why."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from mailrouter import faults
from mailrouter.case.model import Participant
from mailrouter.faults import Illegal, NotFound, Refused
from mailrouter.flow import act
from mailrouter.flow.actor import Actor
from mailrouter.flow.casework import contacting, coordinate, joining, leaving, publicity, standings
from mailrouter.flow.sending import deliver
from mailrouter.store import cases, outbox, vulnerabilities
from mailrouter.store.vulnerabilities import VendorStatus
from tests.flow.world import PSIRT, VENDOR, VU, World

ACME = "Acme"


@pytest.fixture
def house(world: World) -> World:
    """Two vendors; the case has the first."""
    world.organisation(VENDOR, PSIRT, domain="vendor.example")
    world.organisation(ACME, "psirt@acme.example", domain="acme.example")
    world.case(VENDOR, notify=False)
    return world


def order(house: World, verb: str, *arguments: object, whom: str = VENDOR, **more: object) -> Participant:
    """One verb, as Alice orders it."""
    return standings.ordered(
        house.tools, house.alice, VU, whom, lambda doing, one: getattr(standings, verb)(doing, one, *arguments, **more)
    )


def said(house: World) -> list[VendorStatus]:
    """What is recorded of the case's vulnerabilities."""
    with house.look() as tx:
        return vulnerabilities.statuses(tx, [house.participant().case_id])


def kinds(house: World) -> list[str]:
    """What the journal says happened."""
    return [entry.kind for entry in house.journal()]


# ---- what moves by itself --------------------------------------------------------------------------------------------


def test_whom_the_first_letter_reached_has_received_the_report_and_is_aware(house: World) -> None:
    contacting.notify(house.tools, house.alice, VU, without_details=True)
    assert (house.participant().rm, house.participant().aware_at) == ("START", None)
    house.clock.forward(hours=1)
    house.deliver()
    assert (house.participant().rm, house.participant().aware_at) == ("RECEIVED", house.clock())
    house.clock.forward(days=1)
    house.feed(house.mail(PSIRT))
    assert house.participant().aware_at == house.clock() - timedelta(days=1), "once"
    assert kinds(house).count("participant.informed") == 1


def test_who_wrote_first_has_received_it_too_and_a_stranger_moves_nothing(house: World) -> None:
    house.feed(house.mail("eve@eve.example"))
    assert house.participant().rm == "START"
    house.feed(house.mail(PSIRT))
    one = house.participant()
    assert (one.rm, one.aware_at, one.progress) == ("RECEIVED", house.clock(), "answered")


def test_a_mail_of_who_disputes_ends_no_dispute_and_affected_does(house: World) -> None:
    order(house, "dispute")
    assert (house.participant().progress, house.participant().rm) == ("disputed", "INVALID")
    house.feed(house.mail(PSIRT))
    assert house.participant().progress == "disputed"
    order(house, "set_status", "Affected")
    assert (house.participant().progress, house.participant().rm) == ("answered", "ACCEPTED")
    order(house, "dispute")
    assert (house.participant().progress, house.participant().rm) == ("disputed", "DEFERRED")


# ---- status ----------------------------------------------------------------------------------------------------------


def test_a_status_is_one_vulnerabilitys_or_all_theirs_and_the_latest_counts(house: World) -> None:
    second = coordinate.add_vulnerability(house.tools, house.alice, VU, "A second flaw")
    assert second.number == 2
    order(house, "set_status", "Not Affected", why="ships no parser")
    order(house, "set_status", "Affected", number=2, fixed_in="2.4")
    assert [(s.number, s.status, s.why, s.fixed_in, s.updated_by) for s in said(house)] == [
        (1, "Not Affected", "ships no parser", "", "alice"), (2, "Affected", "", "2.4", "alice"),
    ]  # fmt: skip
    rows = [dict(e.data) for e in house.journal() if e.kind == "participant.status"]
    assert [(row["status"], row["vulnerabilities"]) for row in rows] == [("Not Affected", [1, 2]), ("Affected", [2])]
    assert "parser" not in str(rows), "a vendor's own words stay out of the journal"


def test_a_status_that_cannot_be_is_refused_by_name(house: World) -> None:
    joining.add(house.tools, house.alice, VU, "finder@home.example", "reporter")
    with pytest.raises(NotFound, match=rf"no vulnerability VU#{VU}\.3; there are: VU#{VU}\.1"):
        order(house, "set_status", "Affected", number=3)
    with pytest.raises(Refused, match="'Perhaps' is no vendor status; there are: Affected, Not Affected, Unknown"):
        order(house, "set_status", "Perhaps")
    with pytest.raises(Illegal, match=r"finder@home\.example is a reporter; only vendors have a status"):
        order(house, "set_status", "Affected", whom="reporter")
    assert said(house) == []


# ---- fix -------------------------------------------------------------------------------------------------------------


def test_a_fix_is_ready_then_deployed_each_once_and_never_before_they_know(house: World) -> None:
    at = house.clock()
    with pytest.raises(Illegal, match="'ready' is no move from vfd; from there: aware"):
        order(house, "fix", "ready", at)
    house.feed(house.mail(PSIRT))
    house.clock.forward(days=3)
    with pytest.raises(Refused, match="lies in the future"):
        order(house, "fix", "ready", house.clock() + timedelta(seconds=1))
    with pytest.raises(Illegal, match=f"aware only since {at:%Y-%m-%d}"):
        order(house, "fix", "ready", at - timedelta(days=1))
    assert order(house, "fix", "ready", at + timedelta(days=1)).fix_ready_at == at + timedelta(days=1)
    with pytest.raises(Illegal, match="ready only since"):
        order(house, "fix", "deployed", at)
    order(house, "fix", "deployed", at + timedelta(days=2))
    with pytest.raises(Illegal, match=r"'deployed' is no move from VFD; from there: none; VFD was set by alice on"):
        order(house, "fix", "deployed", at + timedelta(days=2))


def test_an_illegal_move_says_who_made_the_last_one(house: World) -> None:
    order(house, "move_rm", "receive", why="told on the telephone")
    bob = Actor("bob")
    with pytest.raises(Illegal, match="from RECEIVED; from there: validate, invalidate; RECEIVED was set by alice"):
        standings.ordered(house.tools, bob, VU, VENDOR, lambda doing, one: standings.move_rm(doing, one, "receive"))
    assert house.participant().rm == "RECEIVED"


# ---- what the world knows --------------------------------------------------------------------------------------------


def test_what_is_public_ends_the_embargo_makes_all_aware_and_tells_the_analyst(house: World) -> None:
    contacting.notify(house.tools, house.alice, VU, without_details=True)
    coordinate.add_vendor(house.tools, house.alice, VU, ACME)
    case = publicity.mark(house.tools, house.alice, VU, "exploit", house.clock(), "exploit-db has it")
    assert (case.embargo, case.embargo_ends_at) == ("EXITED", house.clock())
    assert case.public_at == case.exploit_public_at == house.clock()
    assert house.participant(ACME).aware_at == house.clock()
    assert house.notices() == [
        ("an exploit is public: publish the note; the embargo ended, and all participants were told")
    ]
    with pytest.raises(Illegal, match=r"'public' is no move from PXa; from there: attacks; PXa was set by alice on"):
        publicity.mark(house.tools, Actor("bob"), VU, "public", house.clock(), "a blog")


def test_attacks_end_the_embargo_only_if_an_analyst_says_so(house: World) -> None:
    contacting.notify(house.tools, house.alice, VU, without_details=True)
    with pytest.raises(Refused, match="--at lies in the future"):
        publicity.mark(house.tools, house.alice, VU, "attacks", house.clock() + timedelta(days=1), "foreseen")
    case = publicity.mark(house.tools, house.alice, VU, "attacks", house.clock(), "a sensor saw them")
    assert (case.embargo, house.participant().aware_at) == ("ACTIVE", None)
    assert "the embargo should end" in house.notices()[0]


def test_no_embargo_begins_once_attacks_were_seen(house: World) -> None:
    publicity.mark(house.tools, house.alice, VU, "attacks", house.clock(), "a sensor saw them")
    with pytest.raises(Illegal, match="'terminate' is no move from NONE"):
        publicity.mark(house.tools, house.alice, VU, "exploit", house.clock(), "x", end_embargo=True)
    assert len(contacting.notify(house.tools, house.alice, VU, without_details=True)) == 1
    assert "embargo" not in kinds(house)


# ---- joining and leaving ---------------------------------------------------------------------------------------------


def test_a_vendor_that_is_the_reporter_counts_as_aware_and_answered_at_once(house: World) -> None:
    joined = joining.add(house.tools, house.alice, VU, VENDOR, "reporter")
    assert (joined.roles, joined.progress, joined.rm) == (("vendor", "reporter"), "answered", "ACCEPTED")
    assert joined.aware_at == house.clock()
    with pytest.raises(Illegal, match="every vendor"):
        contacting.notify(house.tools, house.alice, VU, without_details=True)
    joining.add(house.tools, house.alice, VU, ACME, "reporter", anonymous=True)
    both = coordinate.add_vendor(house.tools, house.alice, VU, ACME, downstream=True)
    assert (both.roles, both.anonymous, both.progress) == (("downstream", "reporter"), True, "answered")
    for role in ("vendor", "downstream", "reporter"):
        with pytest.raises(Refused, match="is a participant of the case already, as downstream, reporter"):
            joining.add(house.tools, house.alice, VU, ACME, role)


def test_a_reporter_may_be_a_person_and_others_may_coordinate(house: World) -> None:
    joined = joining.add(house.tools, house.alice, VU, "finder@home.example", "reporter", anonymous=True)
    assert (joined.name, joined.anonymous, joined.rm) == ("finder@home.example", True, "ACCEPTED")
    assert joining.add(house.tools, house.alice, VU, "psirt@acme.example", "reporter").name == ACME
    assert joining.add(house.tools, house.alice, VU, ACME, "coordinator").roles == ("reporter", "coordinator")


def test_a_suspected_vendor_is_notified_by_name_or_once_confirmed(house: World) -> None:
    coordinate.add_vendor(house.tools, house.alice, VU, ACME, suspected=True)
    assert house.participant(ACME).progress == "suspected"
    contacting.notify(house.tools, house.alice, VU, without_details=True)
    assert [letter.recipient for letter in house.letters("notification")] == [PSIRT]
    coordinate.add_vendor(house.tools, house.alice, VU, ACME)
    assert house.participant(ACME).progress == "not contacted"
    contacting.notify(house.tools, house.alice, VU, without_details=True)
    assert house.participant(ACME).progress == "contacted"


def test_whoever_joins_what_is_public_is_aware(house: World) -> None:
    publicity.mark(house.tools, house.alice, VU, "public", house.clock(), "a blog")
    assert coordinate.add_vendor(house.tools, house.alice, VU, ACME).aware_at == house.clock()


@pytest.mark.row("A05", "A06")
def test_to_who_left_nothing_leaves_and_their_mail_is_a_strangers(house: World) -> None:
    contacting.notify(house.tools, house.alice, VU, without_details=True)
    house.feed(house.mail(PSIRT))
    gone = leaving.remove(house.tools, house.alice, VU, VENDOR, "ships no libfoo")
    assert (gone.takes_part, gone.left_why, gone.waiting_on) == (False, "ships no libfoo", "nobody")
    assert [letter.state for letter in house.letters("notification")] == ["withdrawn"]
    assert house.deadlines() == []
    late = house.fed(house.mail(PSIRT))
    assert (late.place, late.why, late.participant_id) == ("review", "its sender takes part in the case no more", None)
    assert len([m for m in house.messages() if m.direction == "in"]) == 1, "what they sent stays"
    with pytest.raises(Illegal, match=rf"{VENDOR} takes part in VU#{VU} no more, by alice on .* brings them back"):
        leaving.remove(house.tools, Actor("bob"), VU, VENDOR, "too")
    with pytest.raises(Illegal, match="every vendor"):
        contacting.notify(house.tools, house.alice, VU, without_details=True)
    back = coordinate.add_vendor(house.tools, house.alice, VU, VENDOR)
    assert (back.id, back.takes_part, back.progress) == (gone.id, True, "answered")
    assert house.fed(house.mail(PSIRT)).place == "filed"


@pytest.mark.row("A05", "A06")
def test_a_letter_in_hand_is_looked_at_once_more_before_it_is_sent(house: World) -> None:
    [done] = contacting.notify(house.tools, house.alice, VU, without_details=True)
    with house.writing() as tx:
        cases.change_participant(tx, house.participant().id, left_at=house.clock())
    house.deliver()
    [letter] = house.letters("notification")
    assert (letter.id, letter.state, letter.why) == (
        done.letter_id, "held", "its recipient takes part in the case no more",
    )  # fmt: skip
    assert house.sent() == []


# ---- two at once -----------------------------------------------------------------------------------------------------


def test_of_two_analysts_at_once_one_wins_and_the_other_is_told_by_whom(house: World) -> None:
    house.feed(house.mail(PSIRT))
    nodes = {name: house.node(name) for name in ("ann", "ben")}

    def ready(name: str) -> str:
        def verb(doing: act.Doing, one: Participant) -> None:
            standings.fix(doing, one, "ready", house.clock())

        try:
            standings.ordered(nodes[name], Actor(name), VU, VENDOR, verb)
        except faults.Illegal as told:
            return str(told)
        return ""

    with ThreadPoolExecutor(2) as pool:
        answers = dict(zip(nodes, pool.map(ready, nodes), strict=True))
    [winner] = [name for name, told in answers.items() if not told]
    [told] = [told for told in answers.values() if told]
    assert f"VFd was set by {winner} on" in told
    assert kinds(house).count("participant.fix") == 1
    assert house.breaks() == []


@pytest.mark.row("A05", "A06")
def test_what_is_sealed_and_in_hand_stays_here_once_its_recipient_left(house: World) -> None:
    contacting.notify(house.tools, house.alice, VU, without_details=True)
    with house.writing() as tx:
        letter = outbox.lease(tx, house.tools.holder, house.clock())
    assert letter is not None
    frozen = deliver._freeze(house.tools, letter)
    assert frozen is not None
    leaving.remove(house.tools, house.alice, VU, VENDOR, "ships no libfoo")
    deliver._send(house.tools, frozen)
    assert ([one.state for one in house.letters("notification")], house.sent()) == (["withdrawn"], [])
