"""Dates that are proposed, answered and agreed: every move of EM and of consent, as tables and for anything."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.case import embargoclocks, lifecycle
from mailrouter.case import terms as rules
from mailrouter.case.actions import EndEmbargo, Finish, LapseTerms, Notice, Postpone
from mailrouter.case.events import CaseDue
from mailrouter.case.lifecycle import CONSENT, EMBARGO
from mailrouter.case.model import Deadline, DeadlineKind
from mailrouter.case.policy import Policy
from mailrouter.case.terms import ACCEPTED, DECLINED, INVITED, Consent, Terms
from mailrouter.faults import Illegal, Refused
from tests.case.people import CASE, DAY, NOW, VENDOR


def terms(number: int, ends_at: datetime, state: str = "proposed", by: str = "alice", **answers: str) -> Terms:
    said = {int(who[1:]): Consent(number, int(who[1:]), answer, NOW, "") for who, answer in answers.items()}
    return Terms(number, 1, number, ends_at, "UTC", None, None, NOW, by, "", state, None, "", "", said)


LATE, SOON = NOW + 60 * DAY, NOW + 30 * DAY


# ---- which counts ----------------------------------------------------------------------------------------------------


def test_the_shorter_of_two_proposals_stands_and_what_is_agreed_is_in_force() -> None:
    agreed, late, soon = terms(1, NOW + 45 * DAY, "agreed", rules.POLICY), terms(2, LATE), terms(3, SOON)
    everything = [agreed, late, soon, terms(4, NOW + DAY, "refused"), terms(5, NOW + DAY, "lapsed")]
    assert rules.in_force(everything) is agreed
    assert rules.stands(everything) is soon
    assert rules.newest_open(everything) is rules.asked_about(everything) is soon
    assert rules.asked_about([agreed]) is agreed
    assert (rules.stands([agreed]), rules.in_force([late]), rules.asked_about([])) == (None, None, None)
    assert not rules.negotiated(everything)
    assert rules.negotiated([replace(agreed, state="replaced"), replace(late, state="agreed")])


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=8))
def test_no_open_proposal_ends_before_the_one_that_stands(days: list[int]) -> None:
    everything = [terms(number, NOW + timedelta(days=each)) for number, each in enumerate(days, 1)]
    first = rules.stands(everything)
    assert first is not None
    assert first.ends_at == min(one.ends_at for one in everything)


# ---- EM --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "proposed", "begun", "undecided", "ended"),
    [
        ("NONE", "PROPOSED", ["NONE", "PROPOSED", "ACTIVE"], "NONE", ["NONE"]),
        ("PROPOSED", "PROPOSED", ["PROPOSED", "ACTIVE", "REVISE"], "NONE", ["PROPOSED", "NONE"]),
        ("ACTIVE", "REVISE", None, "ACTIVE", ["ACTIVE", "EXITED"]),
        ("REVISE", "REVISE", None, "ACTIVE", ["REVISE", "EXITED"]),
        ("EXITED", None, None, "EXITED", ["EXITED"]),
    ],
)
def test_every_move_of_the_embargo(
    state: str, proposed: str | None, begun: list[str] | None, undecided: str, ended: list[str]
) -> None:
    if proposed is None:
        with pytest.raises(Illegal):
            rules.proposed(state)
    else:
        assert rules.proposed(state) == proposed
    if begun is not None:
        assert rules.begun(state) == begun
    assert rules.undecided(state, still_open=False) == undecided
    assert rules.undecided(state, still_open=True) == state
    assert rules.ended(state) == ended


MOVES = ("propose", "begin", "lapse", "end", "accept")


@given(st.lists(st.sampled_from(MOVES), max_size=12))
def test_the_embargo_never_leaves_its_table(moves: list[str]) -> None:
    state, allowed = "NONE", set(lifecycle.states(EMBARGO))
    for one in moves:
        if one == "propose" and state != "EXITED":
            state = rules.proposed(state)
        elif one == "begin" and state in ("NONE", "PROPOSED"):
            state = rules.begun(state)[-1]
        elif one == "lapse":
            state = rules.undecided(state, still_open=False)
        elif one == "accept" and "accept" in lifecycle.legal(EMBARGO, state):
            state = lifecycle.move(EMBARGO, "accept", state)
        elif one == "end":
            before, state = state, rules.ended(state)[-1]
            assert state not in ("ACTIVE", "REVISE"), before
        assert state in allowed


# ---- consent ---------------------------------------------------------------------------------------------------------

STATES = ("NO_EMBARGO", "INVITED", "SIGNATORY", "LAPSED", "DECLINED")


@pytest.mark.parametrize("consent", STATES)
@pytest.mark.parametrize(
    ("answer", "after"), [(ACCEPTED, "SIGNATORY"), (DECLINED, "DECLINED"), (INVITED, "INVITED"), ("", "INVITED")]
)
def test_consent_is_what_they_answered_to_what_is_in_force(consent: str, answer: str, after: str) -> None:
    assert rules.consent_after(consent, answer) == after


@pytest.mark.parametrize("consent", STATES)
def test_who_is_written_to_again_keeps_what_it_answered(consent: str) -> None:
    assert rules.consent_again(consent) == ("INVITED" if consent == "NO_EMBARGO" else consent)
    assert rules.released(consent) == "NO_EMBARGO"


@given(st.lists(st.sampled_from([ACCEPTED, DECLINED, INVITED, "", "again", "over"]), max_size=12))
def test_nobody_is_a_signatory_without_an_acceptance_of_its_own(answers: list[str]) -> None:
    consent, accepted = "NO_EMBARGO", False
    for one in answers:
        if one == "again":
            consent = rules.consent_again(consent)
            continue
        accepted = one == ACCEPTED
        consent = rules.released(consent) if one == "over" else rules.consent_after(consent, one)
        assert consent in lifecycle.states(CONSENT)
        assert (consent == "SIGNATORY") == accepted


def test_an_extension_has_objectors_and_a_shorter_date_none() -> None:
    agreed, ours = terms(1, NOW + 45 * DAY, "agreed"), replace(VENDOR, id=7)
    assert rules.objectors(terms(2, LATE, p7=DECLINED), agreed, [ours]) == [ours]
    assert rules.objectors(terms(2, LATE, p7=DECLINED), agreed, [replace(ours, left_at=NOW)]) == []
    assert rules.objectors(terms(2, SOON, p7=DECLINED), agreed, [ours]) == []
    assert rules.objectors(terms(2, LATE, p7=ACCEPTED), agreed, [ours]) == []
    assert rules.objectors(terms(2, LATE, p7=DECLINED), None, [ours]) == []


# ---- dates -----------------------------------------------------------------------------------------------------------

AFTERNOON = datetime.fromisoformat("2026-12-31T15:00")  # in no zone yet
PLANNED = replace(CASE, planned_at=datetime(2026, 4, 16, 9, 30, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    ("meant", "zone", "at"),
    [
        (date(2026, 12, 31), "", "2026-12-31T09:30+00:00"),
        (date(2026, 12, 31), "Europe/Berlin", "2026-12-31T10:30+00:00"),  # 11:30 there, as the plan is in April
        (AFTERNOON, "Europe/Berlin", "2026-12-31T14:00+00:00"),
        (datetime(2026, 12, 31, 15, tzinfo=UTC), "Europe/Berlin", "2026-12-31T15:00+00:00"),
    ],
)
def test_a_date_is_an_instant(meant: date, zone: str, at: str) -> None:
    assert rules.resolved(meant, zone, PLANNED) == datetime.fromisoformat(at)


def test_without_a_plan_it_is_the_afternoon_in_that_zone() -> None:
    bare = replace(CASE, planned_at=None, embargo_ends_at=None)
    assert rules.resolved(date(2026, 7, 1), "Europe/Berlin", bare) == datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", "/etc/localtime", "Europe", "x" * 500, "a\0b"])
def test_what_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="is no time zone"):
        rules.zone(name)


def test_a_time_of_day_needs_a_zone_and_no_date_is_over() -> None:
    with pytest.raises(Refused, match="needs its zone"):
        rules.resolved(AFTERNOON, "", CASE)
    with pytest.raises(Refused, match="lies in the past"):
        rules.still_to_come(NOW, NOW)


# ---- clocks ----------------------------------------------------------------------------------------------------------


def due(kind: DeadlineKind, state: str, ends_at: datetime | None = NOW) -> CaseDue:
    row = Deadline(9, CASE.id, None, kind, "terms:1", 1, NOW)
    return CaseDue(row, replace(CASE, embargo=state, embargo_ends_at=ends_at))


@pytest.mark.parametrize("state", lifecycle.states(EMBARGO))
def test_the_end_permits_and_a_person_hears_of_it(state: str) -> None:
    orders = embargoclocks.ended(due(DeadlineKind.EMBARGO, state), Policy(), NOW)
    if state in ("ACTIVE", "REVISE"):
        assert [type(one) for one in orders] == [Finish, EndEmbargo, Notice]
    else:
        assert orders == [Finish(9, "no embargo is in force")]


def test_an_end_that_has_moved_puts_its_clock_off() -> None:
    later = due(DeadlineKind.EMBARGO, "ACTIVE", NOW + DAY)
    assert embargoclocks.ended(later, Policy(), NOW) == [Postpone(9, NOW + DAY)]


@pytest.mark.parametrize("state", lifecycle.states(EMBARGO))
def test_what_nobody_decided_lapses(state: str) -> None:
    orders = embargoclocks.lapsed(due(DeadlineKind.TERMS, state), Policy(), NOW)
    if state in ("PROPOSED", "REVISE"):
        assert [type(one) for one in orders] == [Finish, LapseTerms, Notice]
    else:
        assert orders == [Finish(9, "decided")]
