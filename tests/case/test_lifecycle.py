"""The tables of moves, held against DOMAIN.md; and our planned date."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.case import embargo, lifecycle
from mailrouter.case.policy import Policy
from mailrouter.faults import Illegal
from tests.case.people import instants

EMBARGO = {
    ("propose", "NONE"): "PROPOSED", ("propose", "PROPOSED"): "PROPOSED", ("reject", "PROPOSED"): "NONE",
    ("accept", "PROPOSED"): "ACTIVE", ("revise", "ACTIVE"): "REVISE", ("terminate", "ACTIVE"): "EXITED",
    ("revise", "REVISE"): "REVISE", ("accept", "REVISE"): "ACTIVE", ("reject", "REVISE"): "ACTIVE",
    ("terminate", "REVISE"): "EXITED",
}  # fmt: skip
CONSENT = {
    **{("invite", state): "INVITED" for state in ("NO_EMBARGO", "LAPSED", "DECLINED")},
    **{("accept", state): "SIGNATORY" for state in ("NO_EMBARGO", "INVITED", "LAPSED")},
    **{("decline", state): "DECLINED" for state in ("NO_EMBARGO", "INVITED", "LAPSED")},
    ("revise", "SIGNATORY"): "LAPSED",
    **{("reset", state): "NO_EMBARGO" for state in ("NO_EMBARGO", "INVITED", "LAPSED", "DECLINED", "SIGNATORY")},
}
CASE = {("close", "open"): "closed", ("close", "published"): "closed", ("reopen", "closed"): "open"}
TABLES = [(lifecycle.EMBARGO, EMBARGO), (lifecycle.CONSENT, CONSENT), (lifecycle.CASE, CASE)]


@pytest.mark.parametrize(("table", "allowed"), TABLES)
def test_exactly_these_moves_are_allowed(table: dict[str, dict[str, str]], allowed: dict[tuple[str, str], str]) -> None:
    states = {state for _, state in allowed} | set(allowed.values()) | {"EXITED", "nonsense"}
    for verb in table:
        for state in states:
            if (verb, state) in allowed:
                assert lifecycle.move(table, verb, state) == allowed[verb, state]
            else:
                with pytest.raises(Illegal, match=f"^cannot {verb}: the state is {state}$"):
                    lifecycle.move(table, verb, state)


@pytest.mark.parametrize(
    ("contact", "planned"),
    [
        (datetime(2026, 3, 2, 9, tzinfo=UTC), datetime(2026, 4, 16, 9, tzinfo=UTC)),  # a Thursday
        (datetime(2026, 3, 4, 9, tzinfo=UTC), datetime(2026, 4, 20, 9, tzinfo=UTC)),  # Saturday -> Monday
        (datetime(2026, 3, 5, 9, tzinfo=UTC), datetime(2026, 4, 20, 9, tzinfo=UTC)),  # Sunday -> Monday
    ],
)
def test_publication_is_planned_for_a_working_day_45_days_on(contact: datetime, planned: datetime) -> None:
    assert embargo.planned_publication(contact, Policy()) == planned


@given(instants, st.integers(1, 400))
def test_the_planned_day_is_the_first_working_day_not_too_early(contact: datetime, days: int) -> None:
    planned = embargo.planned_publication(contact, Policy(embargo_days=days))
    assert planned.weekday() < 5
    assert timedelta(days=days) <= planned - contact <= timedelta(days=days + 2)
