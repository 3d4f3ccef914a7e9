"""The gate on real cases: each unmet condition, alone, stops publication and is named; overrides are journaled."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from mailrouter.case import gate
from mailrouter.case.note import Sections
from mailrouter.faults import Illegal, Refused
from mailrouter.flow.actor import Actor
from mailrouter.flow.casework import coordinate, leaving, publicity
from mailrouter.flow.composing import writing
from mailrouter.flow.cves import assigning
from mailrouter.flow.filing import statements as filing
from mailrouter.flow.notes import approving, deciding, gating
from mailrouter.flow.reports import accept
from mailrouter.store import analysts, cases, notes, reports, tables
from mailrouter.store.notes import Revision
from tests.flow.world import PSIRT, VENDOR, VU, World

SECTIONS = Sections("Overflow in everything", "It overflows.", "At length.", "Bad.", "Update.", "Thanks to all.")
HIDDEN = "Zeta Industries"


@pytest.fixture
def ben(world: World) -> Actor:
    return Actor("ben", world.analyst("ben").id)


@pytest.fixture
def ready(world: World, ben: Actor) -> World:
    world.vendor_case(key=True)
    world.organisation(HIDDEN, "psirt@zeta.example", domain="zeta.example")
    made_ready(world, ben)
    return world


def made_ready(world: World, ben: Actor, vu: int = VU) -> None:
    """All is well: a vendor that was reached, a hidden one, a CVE ID, 45 days over, shown to both, approved by Ben."""
    coordinate.add_vendor(world.tools, world.alice, vu, HIDDEN, anonymous=True)
    with world.writing() as tx:
        zeta = world.participant(HIDDEN, vu)
        cases.change_participant(tx, zeta.id, first_contact_at=world.clock(), progress="contacted")
        _has_cve(tx, zeta.case_id, "CVE-2026-12345")
    world.day(60)
    drafted(world, ben, vu=vu)


def _has_cve(tx: Connection, case_id: int, number: str) -> None:
    mine = tables.vulnerabilities.c.case_id == case_id
    tx.execute(tables.vulnerabilities.update().where(mine).values(cve=number, cve_source="typed in" if number else ""))


def drafted(
    world: World, ben: Actor, sections: Sections = SECTIONS, *, approved: bool = True, vu: int = VU, why: str = ""
) -> Revision:  # fmt: skip
    """A draft that everybody was shown, and that Ben approved."""
    made = writing.write(world.tools, world.alice, vu, sections, why=why)
    with world.writing() as tx:
        shown = [{"revision_id": made.id, "participant_id": p.id, "shown_at": world.clock()}
                 for p in cases.participants_of(tx, [made.case_id])]  # fmt: skip
        tx.execute(tables.shown_drafts.insert(), shown)
    if approved:
        approving.approve(world.tools, ben, vu)
    return made


def unmet(world: World, vu: int = VU) -> dict[str, str]:
    return {one.name: one.unmet for one in gating.look(world.tools, vu)[1] if one.unmet}


def decide(world: World, *names: str, emergency: str = "", vu: int = VU) -> Revision:
    return deciding.decide(world.tools, world.alice, vu, overrides=dict.fromkeys(names, "it must"), emergency=emergency)


def away(world: World, name: str) -> None:
    with world.writing() as tx:
        analysts.change(tx, analysts.named(tx, name).id, away_until=world.clock() + timedelta(days=30))


def told(world: World, kind: str, vu: int = VU) -> list[dict[str, object]]:
    return [dict(entry.data) for entry in world.journal(vu) if entry.kind == kind]


# ---- each alone ------------------------------------------------------------------------------------------------------


def _hidden(world: World, ben: Actor, vu: int) -> None:
    drafted(world, ben, replace(SECTIONS, solution="Ask psirt@zeta.example."), vu=vu)


def _other_content(world: World, ben: Actor, vu: int) -> None:
    mine = tables.revisions.c.case_id == case_id(world, vu)
    with world.writing() as tx:
        tx.execute(tables.revisions.update().where(mine).values(content=tables.revisions.c.content + " "))


def _not_decided(world: World, ben: Actor, vu: int) -> None:
    with world.writing() as tx:
        cases.change(tx, case_id(world, vu), not_published_at=world.clock())


def _valid(world: World, ben: Actor, vu: int) -> None:
    drafted(world, ben, replace(SECTIONS, solution=""), vu=vu)


def _date(world: World, ben: Actor, vu: int = VU) -> None:
    with world.writing() as tx:
        cases.change(tx, case_id(world, vu), planned_at=world.clock() + timedelta(days=1))


def _vendors(world: World, ben: Actor, vu: int) -> None:
    with world.writing() as tx:
        cases.change_participant(tx, world.participant(HIDDEN, vu).id, progress=cases.UNDELIVERABLE)


def _cve(world: World, ben: Actor, vu: int) -> None:
    with world.writing() as tx:
        _has_cve(tx, case_id(world, vu), "")
    drafted(world, ben, vu=vu)


def _assigner(world: World, ben: Actor, vu: int) -> None:
    assigning.type_in(world.tools, world.alice, vu, None, f"CVE-2026-{vu}", by=HIDDEN)
    drafted(world, ben, vu=vu)


def _approvals(world: World, ben: Actor, vu: int) -> None:
    approving.take_back(world.tools, ben, vu)


def _held(world: World, ben: Actor, vu: int) -> None:
    world.feed(world.mail(PSIRT, f"VU#{vu} statement", f"VU#{vu}: we are not affected.\n"))


def _unapproved(world: World, ben: Actor, vu: int = VU) -> None:
    world.feed(world.signed(f"VU#{vu}: we are not affected.\n", f"VU#{vu} statement"))


def _newer(world: World, ben: Actor, vu: int) -> None:
    _approved_since(world, ben, vu)
    world.feed(world.signed(f"VU#{vu}: we are affected.\n", f"VU#{vu} statement"))
    drafted(world, ben, vu=vu)


def _approved_since(world: World, ben: Actor, vu: int = VU) -> None:
    _unapproved(world, ben, vu)
    filing.approve(world.tools, world.alice, vu, VENDOR)


def _withdrawn_since(world: World, ben: Actor, vu: int) -> None:
    _approved_since(world, ben, vu)
    drafted(world, ben, vu=vu)
    filing.withdraw(world.tools, world.alice, vu, VENDOR, "they asked for it")


def _left_since(world: World, ben: Actor, vu: int) -> None:
    _approved_since(world, ben, vu)
    drafted(world, ben, vu=vu)
    leaving.remove(world.tools, world.alice, vu, VENDOR, "the wrong vendor")


def _suspected_since(world: World, ben: Actor, vu: int) -> None:
    with world.writing() as tx:
        cases.change_participant(tx, world.participant(VENDOR, vu).id, progress="suspected")


def _perhaps_named(world: World, ben: Actor, vu: int) -> None:
    """A mail that may be anybody's calls its sender so."""
    world.feed(
        world.mail("Jane Roe <psirt@zeta.example>", f"Re: VU#{vu}", "More.\r\n", reverse_path="psirt@zeta.example")
    )
    drafted(world, ben, replace(SECTIONS, acknowledgements="Thanks to Jane Roe."), vu=vu)


def _changed_since(world: World, ben: Actor, vu: int) -> None:
    mine = tables.vulnerabilities.c.case_id == case_id(world, vu)
    with world.writing() as tx:
        tx.execute(tables.vulnerabilities.update().where(mine).values(cwe="CWE-79"))


def _draft_shown(world: World, ben: Actor, vu: int = VU) -> None:
    with world.writing() as tx:
        hidden = tables.shown_drafts.c.participant_id == world.participant(HIDDEN, vu).id
        tx.execute(tables.shown_drafts.delete().where(hidden))


def _comments(world: World, ben: Actor, vu: int) -> None:
    got = world.fed(world.mail(PSIRT, f"Re: VU#{vu}", "Your solution is wrong.\r\n"))
    with world.writing() as tx:
        whose = tables.shown_drafts.c.participant_id == world.participant(VENDOR, vu).id
        tx.execute(tables.shown_drafts.update().where(whose).values(comment_id=got.id))


def case_id(world: World, vu: int) -> int:
    with world.look() as tx:
        return cases.by_vu(tx, vu).id


BREAKS: list[tuple[str, Callable[[World, Actor, int], None], str]] = [
    ("hidden", _hidden, "an address of Vendor "),
    ("approved-revision", _other_content, "is not what its SHA-256 says"),
    ("not-decided", _not_decided, "that there is no note"),
    ("valid", _valid, "no text under solution"),
    ("date", _date, "its date is 2026-05-"),
    ("vendors", _vendors, f"no letter has reached {HIDDEN}"),
    ("cve", _cve, ".1 has neither"),
    ("cve-assigner", _assigner, "is a hidden vendor's, and will name it"),
    ("approvals", _approvals, "0 of 1 other analysts"),
    ("statements", _held, f"what {VENDOR} stated"),
    ("statements", _unapproved, f"what {VENDOR} stated"),
    ("statements", _newer, f"what {VENDOR} (a newer text) stated"),
    ("statements", _approved_since, f"what {VENDOR} stated"),
    ("withdrawn", _withdrawn_since, f"what it says that {VENDOR} stated does not stand approved any more"),
    ("gone", _left_since, f"{VENDOR} left since"),
    ("gone", _suspected_since, f"{VENDOR} left since, or is hidden or only suspected"),
    ("perhaps-hidden", _perhaps_named, "the name of a person of Vendor "),
    ("fresh", _changed_since, "what is known changed since revision 1, draft 1"),
    ("draft-shown", _draft_shown, f"1 were shown no draft ({HIDDEN})"),
    ("comments", _comments, f"comments of {VENDOR}"),
]


def test_each_alone_stops_it_and_is_named(ready: World, ben: Actor) -> None:
    """A case for each, of one house."""
    for vu, (name, breaks, said) in enumerate(BREAKS, 200_001):
        ready.day(0)
        ready.case(VENDOR, vu=vu)
        ready.deliver()
        made_ready(ready, ben, vu)
        assert unmet(ready, vu) == {}, name
        breaks(ready, ben, vu)
        too = {"fresh"} & unmet(ready, vu).keys() - {name}
        assert list(unmet(ready, vu).keys() - too) == [name]
        assert said in unmet(ready, vu)[name]
        with pytest.raises(Illegal, match=rf"is not published\. {name}: "):
            decide(ready, *too, vu=vu)
        assert (told(ready, "note.decided", vu), told(ready, "note.override", vu)) == ([], [])
        stays_or_is_overridden(ready, name, vu, *too)
    assert ready.breaks() == []


def test_a_text_that_was_held_before_theirs_stands_is_no_statement_left_out(ready: World, ben: Actor) -> None:
    _held(ready, ben, VU)
    ready.day(61)
    _approved_since(ready, ben)
    drafted(ready, ben)
    assert "statements" not in unmet(ready)
    ready.day(62)
    _held(ready, ben, VU)
    assert "statements" in unmet(ready)


def stays_or_is_overridden(world: World, name: str, vu: int, *too: str) -> None:
    if name not in gate.OVERRIDABLE:
        with pytest.raises(Refused, match="cannot be overridden"):
            decide(world, name, vu=vu)
        return
    if name == "approvals":
        with pytest.raises(Refused, match="approvals: use --emergency --why"):
            decide(world, name, vu=vu)
        away(world, "ben")
    done = decide(world, name, *too, vu=vu)
    named = (name, *too)
    assert told(world, "note.override", vu) == [{"revision": 1, "condition": one, "why": "it must"} for one in named]
    with world.look() as tx:
        kept = {(one.condition, one.by) for one in notes.overridden(tx, done.id)}
    assert kept == {(one, "alice") for one in named}


def test_every_condition_was_broken() -> None:
    assert {name for name, _, _ in BREAKS} == set(gate.NAMES)


# ---- who is hidden ---------------------------------------------------------------------------------------------------


def test_nobody_hidden_is_named_in_any_disguise_or_place(ready: World, ben: Actor) -> None:
    for text in ("Zeta Indus\\\ntries ships it", "zeta&#46;example", "ZETA INDUSTRIES", "psirt (at) zeta.example"):
        drafted(ready, ben, replace(SECTIONS, description=f"See: {text}"))
        assert "hidden" in unmet(ready), text
    drafted(ready, ben)
    assert "hidden" not in unmet(ready)
    writing.addendum(ready.tools, ready.alice, VU, VENDOR, "As Zeta Industries, too.", [])
    writing.refresh(ready.tools, ready.alice, VU)
    assert "Vendor " in unmet(ready)["hidden"]
    assert "Zeta" not in unmet(ready)["hidden"]


def test_the_published_reason_is_searched_too(ready: World, ben: Actor) -> None:
    writing.write(ready.tools, ready.alice, VU, SECTIONS, f"{HIDDEN} wrote")
    assert "hidden" in unmet(ready)


def test_a_reporter_who_is_not_to_be_credited_is_not_named(ready: World, ben: Actor) -> None:
    kim = ready.organisation("Kim Possible", "kim@freemail.example")
    with ready.writing() as tx:
        one = cases.add_participant(tx, 1, kim, "reporter")
    drafted(ready, ben, replace(SECTIONS, acknowledgements="Thanks to Kim Possible."))
    assert "hidden" in unmet(ready)
    with ready.writing() as tx:
        cases.change_participant(tx, one.id, credit=True)
    assert "hidden" not in unmet(ready)


def test_a_hidden_name_that_is_a_word_of_our_pages_does_not_stop_every_note(ready: World, ben: Actor) -> None:
    ready.organisation("Overview Inc", "psirt@overview.example")
    coordinate.add_vendor(ready.tools, ready.alice, VU, "Overview Inc", anonymous=True)
    assert "hidden" not in unmet(ready)
    drafted(ready, ben, replace(SECTIONS, description="Overview Inc. ships it."))
    assert "hidden" in unmet(ready)


def test_how_letters_call_who_is_hidden_is_not_published(ready: World, ben: Actor) -> None:
    with ready.look() as tx:
        pseudonym = next(p.pseudonym for p in cases.participants_of(tx, [1]) if p.anonymous)
    drafted(ready, ben, replace(SECTIONS, description=f"{pseudonym} ships it."))
    assert unmet(ready)["hidden"].startswith(f"it tells of who is hidden: the pseudonym of {pseudonym}")


def test_a_suspected_vendor_is_not_named(ready: World, ben: Actor) -> None:
    ready.organisation("Omega Corp", "psirt@omega.example")
    coordinate.add_vendor(ready.tools, ready.alice, VU, "Omega Corp", suspected=True)
    drafted(ready, ben, replace(SECTIONS, description="Omega ships it."))
    assert "hidden" in unmet(ready)


def test_a_title_in_the_words_of_a_hidden_reporter_is_not_published(world: World, ben: Actor) -> None:
    got = world.fed(world.mail("anon77@throwaway.example", "Bug that Jane Roe found in the AX-7", "x\r\n"))
    with world.look() as tx:
        report = reports.get(tx, got.report_id or 0)
    accept.accept(world.tools, world.alice, report.vrf, accept.Wanted(vu=VU))
    drafted(world, ben)
    where = f"(the title of VU#{VU}.1, `mailrouter case title VU#{VU}.1 '…'`)"
    assert unmet(world)["hidden"].startswith("it tells of who is hidden: the title in the words of Reporter ")
    assert where in unmet(world)["hidden"]
    coordinate.entitle(world.tools, world.alice, VU, "Overflow in the AX-7", number=1)
    drafted(world, ben)
    assert "hidden" not in unmet(world)
    drafted(world, ben, replace(SECTIONS, title="bug that jane roe found, in the AX-7"))
    assert "the title, `mailrouter note write`" in unmet(world)["hidden"]


# ---- approving -------------------------------------------------------------------------------------------------------


def test_nobody_approves_their_own(ready: World, ben: Actor) -> None:
    drafted(ready, ben, replace(SECTIONS, solution="None."), approved=False)
    with pytest.raises(Illegal, match="alice wrote the text of revision 1, draft 2: another analyst approves it"):
        approving.approve(ready.tools, ready.alice, VU)
    writing.addendum(ready.tools, ben, VU, VENDOR, "Seen.", [])
    writing.refresh(ready.tools, ben, VU)
    with pytest.raises(Illegal, match="ben made revision 1, draft 3: another analyst approves it"):
        approving.approve(ready.tools, ben, VU)
    with pytest.raises(Illegal, match="alice wrote the text"):
        approving.approve(ready.tools, ready.alice, VU)
    with pytest.raises(Illegal, match="approving needs an analyst"):
        approving.approve(ready.tools, Actor("unix:root"), VU)
    cara = Actor("cara", ready.analyst("cara").id)
    found, approvals = approving.approve(ready.tools, cara, VU)
    assert ((found.draft, [one.analyst for one in approvals])) == (3, ["cara"])


def test_nobody_approves_an_addendum_of_their_own_that_is_new(ready: World, ben: Actor) -> None:
    cara = Actor("cara", ready.analyst("cara").id)
    writing.addendum(ready.tools, cara, VU, VENDOR, "It is worse than they say.", [])
    writing.refresh(ready.tools, ready.alice, VU)
    with pytest.raises(Illegal, match=f"cara wrote the addendum about {VENDOR} in revision 1, draft 2: another"):
        approving.approve(ready.tools, cara, VU)
    writing.addendum(ready.tools, ben, VU, VENDOR, "Much worse.", [])
    with pytest.raises(Illegal, match=f"the addendum about {VENDOR} was changed since: `mailrouter note refresh`"):
        approving.approve(ready.tools, cara, VU)
    writing.refresh(ready.tools, ready.alice, VU)
    approving.approve(ready.tools, cara, VU)
    decide(ready, "draft-shown")
    writing.write(ready.tools, ready.alice, VU, replace(SECTIONS, solution="None."), "Solution")
    approving.approve(ready.tools, ben, VU)  # his addendum was published before


def test_of_what_the_program_proposed_no_addendum_is_approved_by_who_wrote_it(ready: World, ben: Actor) -> None:
    cara = Actor("cara", ready.analyst("cara").id)
    decide(ready)
    writing.addendum(ready.tools, cara, VU, VENDOR, "Cara's own words.", [])
    _approved_since(ready, ben)
    with pytest.raises(Illegal, match="cara wrote the addendum"):
        approving.approve(ready.tools, cara, VU)
    approving.approve(ready.tools, ben, VU)


def test_only_analysts_write_notes(ready: World, ben: Actor) -> None:
    with pytest.raises(Illegal, match="writing a note needs an analyst"):
        writing.write(ready.tools, Actor("unix:root"), VU, replace(SECTIONS, solution="None."))
    with pytest.raises(Illegal, match="making a draft of a note needs an analyst"):
        writing.refresh(ready.tools, Actor("unix:root"), VU)


def test_an_approval_is_of_one_content_and_once(ready: World, ben: Actor) -> None:
    with pytest.raises(Illegal, match="ben approved revision 1, draft 1 of the note on VU#123456 before"):
        approving.approve(ready.tools, ben, VU)
    first = drafted(ready, ben, replace(SECTIONS, solution="None."), approved=False)
    assert "approvals" in unmet(ready), "a new draft needs new approvals"
    with pytest.raises(Illegal, match="revision 1, draft 2 has the SHA-256 "):
        approving.approve(ready.tools, ben, VU, sha256="0" * 16)
    approving.approve(ready.tools, ben, VU, sha256=first.sha256[:16].upper())
    assert unmet(ready) == {}
    approving.take_back(ready.tools, ben, VU)
    with pytest.raises(Illegal, match="ben did not approve revision 1, draft 2"):
        approving.take_back(ready.tools, ben, VU)
    assert [row["draft"] for row in told(ready, "note.approved")] == [1, 2]
    assert told(ready, "note.approved")[1]["sha256"] == first.sha256


def test_a_house_of_one_needs_no_other(ready: World, ben: Actor) -> None:
    approving.take_back(ready.tools, ben, VU)
    ready.with_policy(approvals=0)
    assert decide(ready).emergency == ""


# ---- deciding --------------------------------------------------------------------------------------------------------


def test_decided_it_is_the_revision_and_clocks_before_it_end(ready: World, ben: Actor) -> None:
    done = decide(ready)
    assert (done.number, done.decided_by, done.decided_at, done.emergency) == (1, "alice", ready.clock(), "")
    with ready.look() as tx:
        assert [one.id for one in notes.not_released(tx)] == [done.id]
        assert cases.get(tx, 1).published_at == ready.clock()
    assert [d.outcome for d in ready.clocks() if d.kind == "publication"] == ["published"]
    [row] = told(ready, "note.decided")
    assert (row["sha256"], row["approved_by"], row["emergency"]) == (done.sha256, ["ben"], "")
    with pytest.raises(Illegal, match="revision 1 of the note on VU#123456 is published"):
        decide(ready)
    with pytest.raises(Illegal, match="is published"):
        approving.take_back(ready.tools, ben, VU)
    with pytest.raises(Illegal, match="publishing needs an analyst"):
        deciding.decide(ready.tools, Actor("unix:root"), VU, overrides={})


def test_what_is_met_is_no_override(ready: World, ben: Actor) -> None:
    approving.take_back(ready.tools, ben, VU)
    away(ready, "ben")
    decide(ready, "date", "approvals")
    assert [row["condition"] for row in told(ready, "note.override")] == ["approvals"]


def test_several_that_are_unmet_are_all_named(ready: World, ben: Actor) -> None:
    _date(ready, ben)
    _draft_shown(ready, ben)
    with pytest.raises(Illegal, match=r"date: .*; draft-shown: .*; `--override CONDITION --why …` publishes despite"):
        decide(ready)
    with pytest.raises(Illegal, match=r"is not published\. draft-shown: "):
        decide(ready, "date")
    decide(ready, "date", "draft-shown")
    assert [row["condition"] for row in told(ready, "note.override")] == ["date", "draft-shown"]


def test_in_an_emergency_it_is_approved_afterwards(ready: World, ben: Actor) -> None:
    """At three in the morning, an exploit is public and one analyst awake."""
    approving.take_back(ready.tools, ben, VU)
    _date(ready, ben)
    publicity.mark(ready.tools, ready.alice, VU, "exploit", ready.clock(), "an exploit kit")
    writing.refresh(ready.tools, ready.alice, VU)  # it is public by now
    done = decide(ready, emergency="exploited widely")
    assert (done.emergency, done.decided_by) == ("exploited widely", "alice")
    [clock] = [d for d in ready.clocks() if d.kind == "approval"]
    assert (clock.due_at - ready.clock(), clock.done_at) == (timedelta(hours=24), None)
    [asked] = [s.item for s in ready.queue("ben") if s.item.kind == "notice"]
    assert f"note approve VU#{VU} --revision 1 --draft {done.draft} --sha256 {done.sha256[:16]}" in asked.why
    ready.day(60.9)
    assert [one for one in ready.beat(everything=True) if one.kind == "approval"] == []
    for number in (1, 2):
        ready.day(60 + number)
        assert [one.kind for one in ready.beat(everything=True) if one.kind == "approval"] == ["approval"]
        assert len([why for why in ready.notices() if "is not approved yet" in why]) == 2 * number, "Alice and Ben"
    with pytest.raises(Illegal, match="alice wrote the text"):
        approving.approve(ready.tools, ready.alice, VU)
    approving.approve(ready.tools, ben, VU)
    ready.day(64)
    assert [one for one in ready.beat(everything=True) if one.kind == "approval"] == []
    assert [why for why in ready.notices() if "emergency" in why] == []
    assert [s for s in ready.queue("ben") if s.item.kind == "notice"] == []
    assert [d.outcome for d in ready.clocks() if d.kind == "approval"] == ["analysts told", "analysts told", "approved"]


def two_emergencies(ready: World, ben: Actor) -> tuple[Revision, Revision]:
    approving.take_back(ready.tools, ben, VU)
    first = decide(ready, emergency="exploited")
    ready.day(60.5)
    drafted(ready, ben, replace(SECTIONS, impact="Worse."), approved=False, why="it is worse")
    return first, decide(ready, emergency="worse than we knew")


def running(ready: World) -> list[str]:
    return [one.since for one in ready.clocks() if one.kind == "approval" and one.done_at is None]


def test_each_emergency_is_approved(ready: World, ben: Actor) -> None:
    first, second = two_emergencies(ready, ben)
    assert running(ready) == [f"revision:{first.id}"]
    approving.approve(ready.tools, ben, VU, second.number, second.draft)
    assert running(ready) == [f"revision:{first.id}"]
    approving.approve(ready.tools, ben, VU, first.number, first.draft)
    assert running(ready) == []


def test_after_the_first_the_clock_counts_from_the_second(ready: World, ben: Actor) -> None:
    first, second = two_emergencies(ready, ben)
    approving.approve(ready.tools, ben, VU, first.number, first.draft)
    assert running(ready) == [f"revision:{second.id}"]
    [clock] = [one for one in ready.clocks() if one.kind == "approval" and one.done_at is None]
    assert clock.due_at == ready.clock() + timedelta(hours=24)


def test_a_later_revision_with_its_approvals_ends_what_the_emergency_asked_for(ready: World, ben: Actor) -> None:
    two_emergencies(ready, ben)
    drafted(ready, ben, replace(SECTIONS, impact="As bad as that."), why="it was read")
    decide(ready)
    assert running(ready) == []
    assert [why for why in ready.notices() if "emergency" in why] == []


def test_an_emergency_that_was_approved_is_none(ready: World, ben: Actor) -> None:
    with pytest.raises(Refused, match="an emergency needs no such override"):
        decide(ready, "approvals", emergency="attacks")
    assert decide(ready, emergency="attacks").emergency == ""
    assert [d for d in ready.clocks() if d.kind == "approval"] == []


def test_the_next_revision_goes_through_the_same_gate(ready: World, ben: Actor) -> None:
    decide(ready)
    _approved_since(ready, ben)
    with ready.look() as tx:
        made = notes.newest(tx, 1)
    assert made is not None
    assert (made.number, made.draft, made.cause.startswith("statement:1")) == (2, 1, True), "proposed by itself"
    assert list(unmet(ready)) == ["approvals"]
    approving.approve(ready.tools, ben, VU)
    assert decide(ready).number == 2
    with ready.look() as tx:
        [edition] = notes.editions(tx)
    assert [one.number for one in edition.history] == [1, 2]
    assert edition.note.vendors[0].statement is not None


def test_a_closed_case_is_opened_first(ready: World, ben: Actor) -> None:
    with ready.writing() as tx:
        cases.change(tx, 1, state="closed")
    with pytest.raises(Illegal, match=f"VU#{VU} is closed; `mailrouter case reopen"):
        decide(ready)


def test_nobody_is_hidden_while_what_names_them_goes_out(ready: World, ben: Actor) -> None:
    decide(ready)
    with pytest.raises(Illegal, match=f"VU#{VU} is being published"):
        coordinate.set_participant(ready.tools, ready.alice, VU, VENDOR, anonymous=True)
    assert not ready.participant(VENDOR).anonymous


def test_a_name_that_is_split_by_a_long_link_is_found(ready: World, ben: Actor) -> None:
    link = f"https://vendor.example/{'a' * 600}"
    drafted(ready, ben, replace(SECTIONS, description=f"Ask Zeta Indus[tries]({link}) of it."))
    assert "hidden" in unmet(ready)
