"""The embargo: proposed, answered by mail and telephone, agreed, refused, lapsed, ended; who is told, who is bound."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from mailrouter.case.model import Case
from mailrouter.case.terms import Terms
from mailrouter.faults import Illegal, NotFound, Refused
from mailrouter.flow.actor import Actor
from mailrouter.flow.casework import contacting, coordinate, joining, merging, proposals, publicity
from mailrouter.flow.embargo import consenting, deciding, ending, proposing
from mailrouter.flow.embargo.proposing import Wanted
from mailrouter.flow.timing import casepolicy
from mailrouter.store import cases, terms
from mailrouter.store import proposals as stored
from tests.flow.prepared import Shelf
from tests.flow.world import PSIRT, VENDOR, VU, World
from tests.servers.clock import START

ACME, BETA = "Acme", "Beta"
MAILS = {VENDOR: PSIRT, ACME: "psirt@acme.example", BETA: "psirt@beta.example"}
END = START + timedelta(days=45)
LATER, SOONER = date(2026, 6, 1), date(2026, 4, 1)
AT_LATER = datetime(2026, 6, 1, 9, tzinfo=UTC)
quickly = pytest.mark.parametrize("migrated_url", ["sqlite"], indirect=True)  # where SQL makes no difference


@pytest.fixture
def house(world: World, shelf: Shelf) -> World:
    """Three vendors that were written to, the first with its key; and a reporter."""
    return shelf.prepared(world, _written_to)


def _written_to(world: World) -> None:
    world.organisation(VENDOR, PSIRT, domain="vendor.example", key=world.keymaker.vendor)
    world.organisation(ACME, MAILS[ACME], domain="acme.example")
    world.organisation(BETA, MAILS[BETA], domain="beta.example")
    world.case(VENDOR, ACME, BETA)
    world.deliver()


def propose(house: World, when: date = LATER, by: str = "", **more: object) -> Terms:
    return proposing.propose(house.tools, house.alice, VU, Wanted(when, "", "they need time", **more), by)


def accept(house: World, number: int | None = None, **more: object) -> Case:
    return deciding.accept(house.tools, house.alice, VU, number, **more)


def record(house: World, whom: str, answer: str, number: int | None = None) -> Terms:
    return consenting.record(house.tools, house.alice, VU, whom, answer, "by telephone", number)


def case(house: World) -> Case:
    with house.look() as tx:
        return cases.by_vu(tx, VU)


def dates(house: World, vu: int = VU) -> list[Terms]:
    with house.look() as tx:
        return terms.of_case(tx, cases.by_vu(tx, vu).id)


def consents(house: World) -> list[str]:
    return [house.participant(one).consent for one in MAILS]


def states(house: World) -> list[str]:
    return [one.state for one in dates(house)]


def told(house: World, name: str) -> list[str]:
    """Who has such a letter."""
    return sorted(letter.recipient for letter in house.letters(name))


def clock(house: World, kind: str) -> list[datetime]:
    return [one.due_at for one in house.clocks() if one.kind == kind and one.done_at is None]


# ---- it begins -------------------------------------------------------------------------------------------------------


def test_the_policy_is_the_first_date_agreed_and_everybody_contacted_is_invited(house: World) -> None:
    [policy] = dates(house)
    assert (policy.number, policy.state, policy.ends_at, policy.is_policy) == (1, "agreed", END, True)
    assert {one.answer for one in policy.answers.values()} == {"invited"}
    assert (len(policy.answers), consents(house)) == (3, ["INVITED"] * 3)
    assert (case(house).embargo, case(house).embargo_ends_at) == ("ACTIVE", END)
    assert clock(house, "embargo") == [END]
    assert house.breaks() == []


def test_who_joins_later_is_invited_too_the_reporter_at_once(house: World) -> None:
    joining.add(house.tools, house.alice, VU, "finder@home.example", "reporter")
    assert house.participant("finder@home.example").consent == "INVITED"
    house.organisation("Late", "late@late.example")
    house.day(40)
    coordinate.add_vendor(house.tools, house.alice, VU, "Late")
    assert house.participant("Late").consent == "NO_EMBARGO", "nobody has written to it"
    contacting.notify(house.tools, house.alice, VU, without_details=True)
    assert house.participant("Late").consent == "INVITED"
    assert len(dates(house)[0].answers) == 5
    assert case(house).embargo_ends_at == END


@quickly
def test_the_first_letter_that_leaves_moves_the_policys_end_with_our_plan(world: World) -> None:
    world.organisation(VENDOR, PSIRT)
    world.case(VENDOR)
    world.day(1)
    world.deliver()
    now_is = case(world)
    assert now_is.planned_at == now_is.embargo_ends_at == dates(world)[0].ends_at == START + timedelta(days=46)


# ---- proposed --------------------------------------------------------------------------------------------------------


def test_everybody_is_asked_by_a_mail_of_their_own_that_names_nobody(house: World) -> None:
    made = propose(house, by=ACME)
    assert (made.number, made.ends_at, case(house).embargo) == (2, AT_LATER, "REVISE")
    assert told(house, "embargo-proposed") == sorted(MAILS.values())
    bodies = {letter.recipient: " ".join(letter.body.split()) for letter in house.letters("embargo-proposed")}
    assert "You asked for another date" in bodies[MAILS[ACME]]
    asker = house.participant(ACME).pseudonym
    for whom in (PSIRT, MAILS[BETA]):
        assert f"{asker} has asked for another date" in bodies[whom]
        assert ACME not in bodies[whom]
    assert "Proposed date: 2026-06-01 09:00 UTC" in bodies[PSIRT]
    assert "the embargo ends on 2026-04-16 09:00 UTC." in bodies[PSIRT]
    assert "by 2026-03-09 09:00 UTC whether you agree" in bodies[PSIRT]
    assert all(not letter.automatic and not letter.asks for letter in house.letters("embargo-proposed"))
    assert dates(house)[1].answer_of(house.participant(ACME).id) == "accepted", "who asks agrees"
    assert consents(house) == ["INVITED"] * 3, "and is bound by nothing until it is agreed"
    house.deliver()
    assert house.letters("embargo-proposed")[0].state == "sent"


@quickly
def test_of_who_is_hidden_nobody_hears(house: World) -> None:
    joining.add(house.tools, house.alice, VU, "finder@home.example", "reporter", anonymous=True)
    propose(house, by="reporter")
    hidden = house.participant("finder@home.example")
    for letter in house.letters("embargo-proposed"):
        mine = letter.recipient == "finder@home.example"
        assert ("You asked" in letter.body) == mine
        assert ("A participant has asked" in letter.body) != mine
        assert mine or hidden.pseudonym not in letter.body


def test_of_two_proposals_the_shorter_stands_until_one_is_agreed(house: World) -> None:
    propose(house)
    house.day(1)
    propose(house, SOONER, by=ACME)
    assert clock(house, "terms") == [START + timedelta(days=8)]
    propose(house, date(2026, 5, 4), by=BETA)
    stands = " ".join(house.letters("embargo-proposed")[-1].body.split())
    assert "the earliest stands" not in stands  # a date is agreed: that holds, and the letter names no other
    changed = accept(house)
    assert changed.embargo_ends_at == datetime(2026, 4, 1, 9, tzinfo=UTC)
    assert states(house) == ["replaced", "replaced", "agreed", "replaced"]
    assert clock(house, "terms") == []


@pytest.mark.parametrize("migrated_url", ["sqlite"], indirect=True)
def test_what_cannot_be_proposed_is_refused_by_name(house: World) -> None:
    with pytest.raises(Refused, match="lies in the past"):
        propose(house, date(2026, 3, 1))
    with pytest.raises(Illegal, match="this very date is agreed already, as number 1"):
        propose(house, END.date())
    with pytest.raises(Refused, match="that extends nothing"):
        propose(house, SOONER, later=True)
    with pytest.raises(Refused, match="is no time zone"):
        proposing.propose(house.tools, house.alice, VU, Wanted(LATER, "Mars/Olympus", "x"))
    with pytest.raises(NotFound):
        propose(house, by="Nobody")
    publicity.mark(house.tools, house.alice, VU, "public", house.clock(), "a blog")
    with pytest.raises(Illegal, match="no embargo can begin once the world knows"):
        propose(house)
    assert states(house) == ["agreed"]


def test_a_date_before_anybody_is_contacted_and_the_policy_beside_it(world: World) -> None:
    world.organisation(VENDOR, PSIRT)
    world.case(VENDOR, notify=False)
    propose(world)
    assert (case(world).embargo, world.letters("embargo-proposed")) == ("PROPOSED", [])
    contacting.notify(world.tools, world.alice, VU, without_details=True)
    assert case(world).embargo == "REVISE"
    assert [(one.number, one.state) for one in dates(world)] == [(1, "proposed"), (2, "agreed")]
    assert all(one.answer_of(world.participant().id) == "invited" for one in dates(world))
    accept(world)
    world.day(1)
    world.deliver()
    at = datetime(2026, 6, 1, 14, tzinfo=UTC)  # without a plan, the usual time of day
    assert (case(world).planned_at, case(world).embargo_ends_at) == (at, at), "the first letter moves none"
    assert clock(world, "publication") == [at]


# ---- agreed, refused, lapsed -----------------------------------------------------------------------------------------


def test_who_accepted_is_bound_who_was_silent_is_invited_again(house: World) -> None:
    record(house, VENDOR, "accepted")
    record(house, BETA, "accepted")
    assert consents(house) == ["SIGNATORY", "INVITED", "SIGNATORY"]
    propose(house)
    record(house, VENDOR, "accepted")
    changed = accept(house)
    assert (changed.embargo, changed.embargo_ends_at, changed.planned_at) == ("ACTIVE", AT_LATER, AT_LATER)
    assert consents(house) == ["SIGNATORY", "INVITED", "INVITED"], "silence is never consent"
    assert (clock(house, "embargo"), clock(house, "publication")) == ([AT_LATER], [AT_LATER])
    bodies = {letter.recipient: " ".join(letter.body.split()) for letter in house.letters("embargo-changed")}
    assert "You have agreed to this date." in bodies[PSIRT]
    assert "silence is no consent" in bodies[MAILS[ACME]]
    assert all("The embargo ends on: 2026-06-01 09:00 UTC" in body for body in bodies.values())
    with pytest.raises(Illegal, match="was decided before"):
        accept(house, 2)
    with pytest.raises(NotFound, match="no date is proposed"):
        accept(house)
    assert house.breaks() == []


def test_our_own_date_may_stay(house: World) -> None:
    propose(house)
    changed = accept(house, keep_plan=True)
    assert (changed.embargo_ends_at, changed.planned_at) == (AT_LATER, END)


def test_an_extension_that_half_decline_needs_a_decision_and_binds_them_to_nothing(house: World) -> None:
    for whom in MAILS:
        record(house, whom, "accepted")
    propose(house, later=True)
    record(house, VENDOR, "accepted")
    record(house, ACME, "declined")
    record(house, BETA, "declined")
    assert consents(house) == ["SIGNATORY"] * 3, "what is agreed still holds"
    with pytest.raises(Illegal, match="Acme, Beta declined this extension"):
        accept(house)
    with pytest.raises(Illegal, match="Acme, Beta declined this extension"):
        accept(house, despite_declines=True)
    assert (case(house).embargo, case(house).embargo_ends_at) == ("REVISE", END)
    accept(house, despite_declines=True, why="the users need the fix")
    assert consents(house) == ["SIGNATORY", "DECLINED", "DECLINED"]
    body = next(letter.body for letter in house.letters("embargo-changed") if letter.recipient == MAILS[ACME])
    assert "You have declined this date and are not bound by it." in body
    [row] = [e for e in house.journal() if e.kind == "embargo.agreed"]
    assert (row.data["despite"], row.data["why"]) == (
        [house.participant(ACME).id, house.participant(BETA).id], "the users need the fix",
    )  # fmt: skip


def test_a_refused_date_changes_nothing_and_all_hear_so(house: World) -> None:
    propose(house, by=ACME)
    changed = deciding.refuse(house.tools, house.alice, VU, 2, "too late")
    assert (changed.embargo, changed.embargo_ends_at, states(house)) == ("ACTIVE", END, ["agreed", "refused"])
    assert told(house, "embargo-stands") == sorted(MAILS.values())
    assert clock(house, "terms") == []
    with pytest.raises(Illegal, match="nobody can answer to it any more"):
        record(house, ACME, "accepted", 2)


def test_what_nobody_decides_lapses_and_the_analyst_hears(house: World) -> None:
    propose(house)
    house.day(6.9)
    assert "terms" not in [done.kind for done in house.beat(everything=True)]
    house.day(7)
    assert "terms" in [done.kind for done in house.beat(everything=True)]
    assert (case(house).embargo, states(house), case(house).embargo_ends_at) == ("ACTIVE", ["agreed", "lapsed"], END)
    assert any("a proposed embargo date lapsed" in why for why in house.notices())
    assert "terms" not in [done.kind for done in house.beat(everything=True)]


@quickly
def test_only_an_analyst_agrees_records_or_ends(house: World) -> None:
    nobody = Actor("unix:eve")
    propose(house)
    for order in (
        lambda: deciding.accept(house.tools, nobody, VU),
        lambda: deciding.refuse(house.tools, nobody, VU, 2, "x"),
        lambda: consenting.record(house.tools, nobody, VU, ACME, "accepted", "x"),
        lambda: ending.ordered(house.tools, nobody, VU, "x"),
    ):
        with pytest.raises(Illegal, match="needs an analyst"):
            order()


# ---- it ends ---------------------------------------------------------------------------------------------------------


def test_an_exploit_at_three_in_the_morning_is_told_to_all_at_once(house: World) -> None:
    record(house, VENDOR, "accepted")
    propose(house)
    house.day(0.75)
    publicity.mark(house.tools, house.alice, VU, "exploit", house.clock(), "a forum")
    assert (case(house).embargo, case(house).embargo_ends_at) == ("EXITED", house.clock())
    assert told(house, "embargo-ended") == sorted(MAILS.values())
    body = " ".join(house.letters("embargo-ended")[0].body.split())
    for said in ("ended on 2026-03-03 03:00 UTC.", "An exploit has been public since 2026-03-03 03:00 UTC.",
                 "We will publish as soon as our note is ready", "TLP:"):  # fmt: skip
        assert said in body
    assert "forum" not in body
    assert consents(house) == ["NO_EMBARGO"] * 3
    assert states(house) == ["agreed", "lapsed"]
    assert clock(house, "embargo") == clock(house, "terms") == []
    publicity.mark(house.tools, house.alice, VU, "attacks", house.clock(), "sensors")
    assert len(house.letters("embargo-ended")) == 3, "of one ending nobody hears twice"
    house.deliver()
    assert all(letter.state == "sent" for letter in house.letters("embargo-ended"))


def test_no_gap_between_automatic_letters_holds_it_back(house: World) -> None:
    house.day(14)
    assert {d.does for d in house.beat()} == {"letter follow-up-1"}
    ending.ordered(house.tools, house.alice, VU, "attacks were seen")
    house.deliver()
    assert [letter.state for letter in house.letters("embargo-ended")] == ["sent"] * 3
    with pytest.raises(Illegal, match="has no embargo now"):
        ending.ordered(house.tools, house.alice, VU, "again")
    assert len(house.letters("embargo-ended")) == 3


def test_its_end_permits_publication_and_commands_nothing(house: World) -> None:
    record(house, VENDOR, "accepted")
    house.day(44.9)
    house.beat(everything=True)
    assert case(house).embargo == "ACTIVE"
    house.day(45)
    assert ("embargo", "notice to the analyst") in [(d.kind, d.does) for d in house.beat(everything=True)]
    assert (case(house).embargo, case(house).state) == ("EXITED", "open")
    assert (house.letters("embargo-ended"), consents(house)) == ([], ["NO_EMBARGO"] * 3)


def test_its_clock_goes_along_with_the_date_that_is_agreed(house: World) -> None:
    propose(house)
    accept(house)
    house.day(46)
    house.beat(everything=True)
    assert case(house).embargo == "ACTIVE"
    house.clock.to(AT_LATER)
    house.beat(everything=True)
    assert case(house).embargo == "EXITED"


@quickly
def test_a_number_of_days_moves_no_date_that_was_negotiated(house: World) -> None:
    casepolicy.change(house.tools, house.alice, VU, {"embargo_days": "60"})
    assert case(house).planned_at == START + timedelta(days=60)
    propose(house)
    accept(house)
    casepolicy.change(house.tools, house.alice, VU, {"embargo_days": "90"})
    assert (case(house).planned_at, case(house).embargo_ends_at) == (AT_LATER, AT_LATER)


# ---- by mail ---------------------------------------------------------------------------------------------------------


def signed(house: World, said: str, at: datetime | None = None, answers: str = "") -> None:
    mail = house.signed(f"VU#{VU}\n\n{said}\n", f"Re: VU#{VU}", at=at)
    head = f"In-Reply-To: {answers}\r\n".encode() if answers else b""
    house.feed(replace(mail, raw=head + mail.raw))


def letter_about(house: World, number: int, whom: str = PSIRT) -> str:
    """The Message-ID of the letter that proposed this date."""
    step = f":embargo-proposed:{dates(house)[number - 1].id}"
    letters = house.letters("embargo-proposed")
    return next(one.message_id for one in letters if one.recipient == whom and (one.step or "").endswith(step))


def says(house: World) -> list[tuple[str, str]]:
    with house.look() as tx:
        return [(one.what, one.outcome) for one in stored.listed(tx, everything=True)]


def test_a_signed_acceptance_is_taken_by_itself_and_an_unsigned_one_waits(house: World) -> None:
    house.clock.forward(hours=1)
    signed(house, "Embargo: accept")
    house.feed(house.mail(MAILS[ACME], body=f"VU#{VU}\r\n\r\nEmbargo: accept\r\n"))
    assert consents(house) == ["SIGNATORY", "INVITED", "INVITED"]
    assert says(house) == [("embargo", "taken"), ("embargo", "")]
    with house.look() as tx:
        waits = stored.listed(tx)
    proposals.take(house.tools, house.alice, [one.id for one in waits])
    assert consents(house) == ["SIGNATORY", "SIGNATORY", "INVITED"]
    assert dates(house)[0].answers[house.participant(ACME).id].by.startswith("message:")


def test_an_answer_is_to_the_date_whose_letter_it_answers(house: World) -> None:
    propose(house)
    house.deliver()
    house.day(1)
    propose(house, date(2026, 9, 1))
    house.deliver()
    house.clock.forward(hours=1)
    me = house.participant().id
    signed(house, "Embargo: accept")
    assert [one.answer_of(me) for one in dates(house)] == ["invited"] * 3, "of two, nobody can say which"
    house.clock.forward(hours=1)
    signed(house, "Embargo: accept", answers=letter_about(house, 2))
    assert [one.answer_of(me) for one in dates(house)] == ["invited", "accepted", "invited"]
    house.clock.forward(hours=1)
    signed(house, "Embargo: decline", answers=letter_about(house, 3))
    assert [one.answer_of(me) for one in dates(house)] == ["invited", "accepted", "declined"]


def test_a_date_whose_letter_had_not_left_is_accepted_by_nobody(house: World) -> None:
    house.day(1)
    propose(house)
    house.clock.forward(hours=1)
    signed(house, "Embargo: accept")
    me = house.participant().id
    assert [one.answer_of(me) for one in dates(house)] == ["invited", "invited"]
    [notice] = [one.message_id for one in house.letters("notification") if one.recipient == PSIRT]
    house.deliver()
    house.clock.forward(hours=1)
    signed(house, "Embargo: accept", answers=notice)
    assert [one.answer_of(me) for one in dates(house)] == ["invited", "invited"], "that letter did not know of it"
    house.clock.forward(hours=1)
    signed(house, "Embargo: accept")
    assert [one.answer_of(me) for one in dates(house)] == ["invited", "accepted"]


def test_who_takes_an_answer_takes_it_of_a_date_there_was_when_it_came(house: World) -> None:
    house.clock.forward(hours=1)
    propose(house)
    house.clock.forward(hours=1)
    house.feed(house.mail(MAILS[ACME], body="Embargo: accept\r\n"))
    house.clock.forward(hours=1)
    propose(house, date(2026, 9, 1))
    with house.look() as tx:
        [one] = stored.listed(tx)
    proposals.take(house.tools, house.alice, [one.id])
    acme = house.participant(ACME).id
    assert [one.answer_of(acme) for one in dates(house)] == ["invited", "accepted", "invited"]


@quickly
def test_an_answer_from_before_every_date_is_to_none(house: World) -> None:
    house.feed(house.mail(MAILS[ACME], body="Embargo: accept\r\n"))
    with house.writing() as tx:
        terms.change(tx, dates(house)[0].id, proposed_at=house.clock() + timedelta(hours=1))
    with house.look() as tx:
        [one] = stored.listed(tx)
    with pytest.raises(Illegal, match=r"nobody can tell: read message .* `mailrouter embargo record VU#123456 Acme A"):
        proposals.take(house.tools, house.alice, [one.id])


def test_it_is_about_what_was_proposed_last_if_they_knew_of_it(house: World) -> None:
    propose(house)
    house.deliver()
    house.clock.forward(hours=1)
    signed(house, "Embargo: decline")
    me = house.participant().id
    assert [one.answer_of(me) for one in dates(house)] == ["invited", "declined"]
    signed_before = house.clock()
    house.clock.forward(hours=1)
    propose(house, date(2026, 7, 1))
    house.deliver()
    house.clock.forward(hours=1)
    signed(house, "Embargo: accept", at=signed_before)
    assert [one.answer_of(me) for one in dates(house)] == ["invited", "declined", "invited"]
    assert says(house) == [("embargo", "taken"), ("embargo", "")], "a person decides what it is about"


def test_another_date_is_for_a_person_and_then_a_counter_of_theirs(house: World) -> None:
    house.clock.forward(hours=1)
    signed(house, "Embargo: 2026-06-01")
    assert says(house) == [("embargo", "")]
    assert states(house) == ["agreed"]
    with house.look() as tx:
        [one] = stored.listed(tx)
    proposals.take(house.tools, house.alice, [one.id])
    made = dates(house)[1]
    assert (made.ends_at, made.participant_id, made.message_id) == (AT_LATER, house.participant().id, one.message_id)
    assert made.answer_of(house.participant().id) == "accepted"
    assert case(house).embargo == "REVISE"


@quickly
def test_what_is_neither_is_left_to_a_person(house: World) -> None:
    house.feed(house.mail(PSIRT, body="Embargo: perhaps in spring\r\n"))
    with house.look() as tx:
        [one] = stored.listed(tx)
    with pytest.raises(Illegal, match="neither consent nor one date"):
        proposals.take(house.tools, house.alice, [one.id])
    assert states(house) == ["agreed"]


def test_who_says_that_it_is_public_is_heard_first_and_ends_nothing_alone(house: World) -> None:
    house.feed(house.mail(MAILS[BETA]))
    house.clock.forward(hours=1)
    signed(house, "Sorry: the flaw was publicly disclosed yesterday. It is exploited in the wild.")
    assert says(house) == [("public", ""), ("attacks", "")], "never by itself, however well it is signed"
    assert case(house).embargo == "ACTIVE"
    first, second, *_ = house.queue("alice")
    assert first.item.why.startswith(f"{VENDOR} says that it is public: read the mail")
    assert second.item.why.startswith(f"{VENDOR} says that attacks are seen")
    with house.look() as tx:
        proposals_open = stored.listed(tx)
    proposals.take(house.tools, house.alice, [one.id for one in proposals_open])
    now_is = case(house)
    assert (now_is.public_at, now_is.attacks_at, now_is.embargo) == (house.clock(), house.clock(), "EXITED")
    assert told(house, "embargo-ended") == sorted(MAILS.values())
    house.feed(house.mail(MAILS[ACME], body="We see that it was publicly disclosed.\r\n"))
    assert len(says(house)) == 2, "once it is public everybody says so"


@quickly
def test_what_a_stranger_says_of_the_world_or_quotes_raises_nothing(house: World) -> None:
    house.feed(house.mail("eve@eve.example", body="It is a 0-day!\r\nPublic: yes\r\n"))
    house.feed(house.mail(PSIRT, body="Thanks.\r\n\r\n> It was publicly disclosed.\r\n"))
    assert says(house) == []
    assert not [why for why in house.notices() if "says that" in why]


@quickly
def test_a_reporter_may_answer_and_ask_too(house: World) -> None:
    joining.add(house.tools, house.alice, VU, "finder@home.example", "reporter")
    house.feed(house.mail("finder@home.example", body="Affected: yes\r\nEmbargo: decline\r\nPublic: my blog\r\n"))
    assert says(house) == [("embargo", ""), ("public", "")]


# ---- two cases become one --------------------------------------------------------------------------------------------

INTO = 654321


def test_the_earlier_of_two_ends_stands_and_all_that_was_proposed(house: World) -> None:
    propose(house, SOONER)
    accept(house)
    propose(house)
    house.organisation("Gamma", "psirt@gamma.example")
    house.case("Gamma", vu=INTO)
    house.deliver()
    into = merging.merge(house.tools, house.alice, VU, INTO, "the same flaw")
    assert (into.embargo, into.embargo_ends_at) == ("REVISE", datetime(2026, 4, 1, 9, tzinfo=UTC))
    assert [(one.number, one.state) for one in dates(house, INTO)] == [
        (1, "replaced"), (2, "replaced"), (3, "agreed"), (4, "proposed"),
    ]  # fmt: skip
    with house.look() as tx:
        everyone = cases.participants_of(tx, [into.id])
    assert {one.consent for one in everyone if one.takes_part} == {"INVITED"}
    assert dates(house) == []
    assert house.breaks() == []
