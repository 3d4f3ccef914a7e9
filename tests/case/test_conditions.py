"""The table of conditions for V: each row alone costs what it says, and V needs all of them."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.case import conditions
from mailrouter.case.conditions import FLAGS, WORTH, Assurance, Evidence, Signed
from tests.case.test_standing import evidences

US, EVE = 1, 2
VERIFIED = Evidence(
    well_formed=True, organisation_id=US, verdict="good", covers="all", signer_organisation_id=US, in_case=True,
    participant_organisation_id=US,
)  # fmt: skip

BROKEN = [
    ({"verdict": "none"}, "2", Assurance.UNSIGNED),
    ({"verdict": "bad"}, "1, 2, 3, 4, 8", Assurance.INVALID),
    ({"verdict": "revoked-key"}, "1, 2, 3, 4, 8", Assurance.INVALID),
    ({"signer_organisation_id": None}, "3", Assurance.INVALID),
    ({"well_formed": False}, "6", Assurance.OTHER_SIGNER),
    ({"organisation_id": EVE}, "6", Assurance.OTHER_SIGNER),
    ({"signer_organisation_id": EVE}, "6", Assurance.OTHER_SIGNER),
    ({"participant_organisation_id": None}, "3", Assurance.OTHER_SIGNER),
    ({"covers": "part"}, "5", Assurance.PARTIAL),
]


@pytest.mark.parametrize(("broken", "number", "costs"), BROKEN, ids=str)
def test_each_condition_alone(broken: dict[str, object], number: str, costs: Assurance) -> None:
    lack = conditions.lacking(replace(VERIFIED, **broken))
    assert lack is not None
    assert (lack.number, lack.costs, bool(lack.reason)) == (number, costs, True)


def test_every_row_of_the_table_is_broken_by_one_of_them() -> None:
    assert {conditions.lacking(replace(VERIFIED, **broken)) for broken, *_ in BROKEN} == set(WORTH)
    assert conditions.lacking(VERIFIED) is None


def test_every_worth_but_verified_and_retry_is_the_cost_of_a_condition_and_has_a_reason() -> None:
    assert {row.costs for row in WORTH} == set(Assurance) - {Assurance.VERIFIED, Assurance.RETRY}
    assert [bool(conditions.reason(worth)) for worth in (Assurance.VERIFIED, Assurance.INVALID)] == [False, True]


@given(evidences)
def test_verified_is_what_no_condition_speaks_against(evidence: Evidence) -> None:
    verified = conditions.assurance(evidence) is Assurance.VERIFIED
    assert verified == (not any(row.lacks(evidence) for row in WORTH))


@given(st.builds(Signed, bound=st.booleans(), stale=st.booleans(), replay=st.booleans(), repeated=st.booleans()))
def test_flags_are_the_rows_that_do_not_hold(signed: Signed) -> None:
    held = {"unbound": not signed.bound, "stale": signed.stale, "replay": signed.replay, "repeated": signed.repeated}
    assert set(signed.flags) == {word for word, lacks in held.items() if lacks}
    assert {row.costs for row in FLAGS} == set(held)
