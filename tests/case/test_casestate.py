"""Six bits, each set once; whatever is reported in whatever order, none goes back (DOMAIN.md, Case state)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.case import casestate, lifecycle, status
from mailrouter.case.model import Case, Participant
from mailrouter.faults import Illegal
from tests.case.people import CASE, NOW, VENDOR

DAY = timedelta(days=1)
bits = st.lists(st.sampled_from(sorted(casestate.BITS)), max_size=6)
steps = st.lists(st.tuples(st.sampled_from(sorted(casestate.FIX)), st.integers(0, 3)), max_size=8)


def set_(case: Case, verb: str) -> Case:
    """The case once that is known."""
    follows = casestate.sets(case, verb, NOW)
    return replace(case, embargo=follows.embargo[-1], **follows.columns)


@given(st.sampled_from(lifecycle.states(lifecycle.EMBARGO)), bits)
def test_what_is_public_stays_public_and_ends_the_embargo(em: str, reported: list[str]) -> None:
    case = replace(CASE, embargo=em)
    for verb in reported:
        before = case
        try:
            case = set_(case, verb)
        except Illegal:
            assert getattr(case, casestate.BITS[verb]) is not None, "refused only what is set already"
        for column in casestate.BITS.values():
            assert getattr(before, column) is None or getattr(case, column) == getattr(before, column)
        assert case.exploit_public_at is None or case.public_at is not None, "X without P forces P"
        if case.public_at is not None:
            assert case.embargo in ("NONE", "EXITED")
    assert casestate.may_begin_embargo(case) is (not reported)


@pytest.mark.parametrize(
    ("verb", "em", "way", "aware"),
    [
        ("public", "ACTIVE", ["ACTIVE", "EXITED"], True),
        ("exploit", "REVISE", ["REVISE", "EXITED"], True),
        ("public", "PROPOSED", ["PROPOSED", "NONE"], True),
        ("public", "NONE", ["NONE"], True),
        ("attacks", "ACTIVE", ["ACTIVE"], False),
    ],
)
def test_what_follows(verb: str, em: str, way: list[str], aware: bool) -> None:
    follows = casestate.sets(replace(CASE, embargo=em), verb, NOW)
    assert (follows.embargo, follows.makes_aware) == (way, aware)


def test_an_exploit_of_what_is_public_already_makes_nobody_aware_again() -> None:
    assert not casestate.sets(set_(CASE, "public"), "exploit", NOW).makes_aware


@given(steps)
def test_a_vendor_knows_then_has_a_fix_then_deploys_it(reported: list[tuple[str, int]]) -> None:
    one = VENDOR
    for verb, days in reported:
        before = casestate.of_vendor(one)
        try:
            one = replace(one, **casestate.fix(one, verb, NOW + days * DAY))
        except Illegal:
            continue
        assert lifecycle.move(lifecycle.VENDOR, verb, before) == casestate.of_vendor(one)
    assert casestate.of_vendor(one) in ("vfd", "Vfd", "VFd", "VFD")
    assert one.fix_deployed_at is None or (one.fix_ready_at is not None and one.fix_ready_at <= one.fix_deployed_at)


def test_a_fix_is_deployed_no_earlier_than_it_was_ready() -> None:
    ready: Participant = replace(VENDOR, aware_at=NOW, fix_ready_at=NOW + DAY)
    with pytest.raises(Illegal, match="ready only since"):
        casestate.fix(ready, "deployed", NOW)


@given(st.lists(st.sampled_from(status.STATUSES)))
def test_over_several_affected_comes_before_not_affected_before_unknown(said: list[str]) -> None:
    expected = next((one for one in ("Affected", "Not Affected") if one in said), "Unknown")
    assert status.over_several(said) == expected
