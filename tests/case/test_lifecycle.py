"""The tables of moves, held against DOMAIN.md, each cell; and our planned date."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.case import embargo, lifecycle
from mailrouter.case.policy import Policy
from mailrouter.faults import Illegal
from tests.case.people import instants

# DOMAIN.md, State models, written out: one line a state, "move state" for each that leaves it.
EXPECTED = {
    "RM": {
        "START": "receive RECEIVED",
        "RECEIVED": "validate VALID, invalidate INVALID",
        "VALID": "accept ACCEPTED, defer DEFERRED",
        "INVALID": "validate VALID, close CLOSED",
        "ACCEPTED": "defer DEFERRED, close CLOSED",
        "DEFERRED": "accept ACCEPTED, close CLOSED",
        "CLOSED": "",
    },
    "EM": {
        "NONE": "propose PROPOSED",
        "PROPOSED": "propose PROPOSED, reject NONE, accept ACTIVE",
        "ACTIVE": "revise REVISE, terminate EXITED",
        "REVISE": "revise REVISE, accept ACTIVE, reject ACTIVE, terminate EXITED",
        "EXITED": "",
    },
    "consent": {
        "NO_EMBARGO": "invite INVITED, accept SIGNATORY, decline DECLINED, reset NO_EMBARGO",
        "INVITED": "accept SIGNATORY, decline DECLINED, reset NO_EMBARGO",
        "LAPSED": "invite INVITED, accept SIGNATORY, decline DECLINED, reset NO_EMBARGO",
        "DECLINED": "invite INVITED, reset NO_EMBARGO",
        "SIGNATORY": "revise LAPSED, reset NO_EMBARGO",
    },
    "vendor": {"vfd": "aware Vfd", "Vfd": "ready VFd", "VFd": "deployed VFD", "VFD": ""},
    "public": {
        "pxa": "public Pxa, exploit PXa, attacks pxA",
        "Pxa": "exploit PXa, attacks PxA",
        "PXa": "attacks PXA",
        "pxA": "public PxA, exploit PXA",
        "PxA": "exploit PXA",
        "PXA": "",
    },
    "terms": {
        "proposed": "agree agreed, refuse refused, lapse lapsed, replace replaced",
        "agreed": "replace replaced",
        "refused": "",
        "lapsed": "",
        "replaced": "",
    },
    "case": {
        "open": "publish published, close closed, merge merged",
        "published": "close closed",
        "closed": "reopen open, resume published",
        "merged": "",
    },
    "progress": {
        "suspected": (
            "confirm not contacted, contact contacted, fail undeliverable, acknowledge acknowledged, answer answered,"
            " dispute disputed"
        ),
        "not contacted": (
            "suspect suspected, contact contacted, fail undeliverable, acknowledge acknowledged, answer answered,"
            " dispute disputed"
        ),
        "contacted": (
            "fail undeliverable, acknowledge acknowledged, answer answered, dispute disputed, give up non-responsive"
        ),
        "undeliverable": ("reach contacted, acknowledge acknowledged, answer answered, dispute disputed"),
        "acknowledged": "fail undeliverable, answer answered, dispute disputed, give up non-responsive",
        "answered": "acknowledge acknowledged, answer answered, dispute disputed, give up non-responsive",
        "disputed": "settle answered",
        "non-responsive": "fail undeliverable, acknowledge acknowledged, answer answered, dispute disputed",
    },
}
MOVES = {name: list(table) for name, table in lifecycle.TABLES.items()}


def _cells(name: str) -> Mapping[tuple[str, str], str]:
    """(state, move) -> state, of what is written above."""
    found = {}
    for state, line in EXPECTED[name].items():
        for said in filter(None, line.split(", ")):
            verb = next(v for v in MOVES[name] if said.startswith(f"{v} "))
            found[state, verb] = said.removeprefix(f"{verb} ")
    return found


@pytest.mark.parametrize("name", EXPECTED)
def test_each_cell_of_each_table(name: str) -> None:
    table, cells = lifecycle.TABLES[name], _cells(name)
    assert set(lifecycle.states(table)) == set(EXPECTED[name])
    for state in [*EXPECTED[name], "nonsense"]:
        allowed = [verb for verb in table if (state, verb) in cells]
        assert lifecycle.legal(table, state) == allowed
        for verb in table:
            if verb in allowed:
                assert lifecycle.move(table, verb, state) == cells[state, verb]
                continue
            with pytest.raises(Illegal) as refused:
                lifecycle.move(table, verb, state)
            can = ", ".join(allowed) or "none"
            assert str(refused.value) == f"{verb!r} is no move from {state}; from there: {can}"


def test_there_is_no_table_nobody_wrote_down() -> None:
    assert set(lifecycle.TABLES) == set(EXPECTED)


@pytest.mark.parametrize(
    ("happened", "ends"),
    [
        (lifecycle.TOLD, "RECEIVED RECEIVED VALID INVALID ACCEPTED DEFERRED CLOSED"),
        (lifecycle.AFFECTED, "ACCEPTED ACCEPTED ACCEPTED ACCEPTED ACCEPTED ACCEPTED CLOSED"),
        (lifecycle.NOT_THEIRS, "INVALID INVALID DEFERRED INVALID DEFERRED DEFERRED CLOSED"),
        (lifecycle.DONE_WITH, "START RECEIVED VALID CLOSED CLOSED CLOSED CLOSED"),
    ],
)
def test_what_happened_moves_report_management_as_far_as_it_may(happened: tuple[str, ...], ends: str) -> None:
    for state, end in zip(EXPECTED["RM"], ends.split(), strict=True):
        assert lifecycle.follow(lifecycle.REPORT, happened, state)[-1] == end


@given(st.sampled_from(sorted(lifecycle.TABLES)), st.data())
def test_whatever_is_ordered_every_step_is_one_of_the_table(name: str, data: st.DataObject) -> None:
    table = lifecycle.TABLES[name]
    verbs = data.draw(st.lists(st.sampled_from(sorted(table)), max_size=12))
    way = lifecycle.follow(table, verbs, data.draw(st.sampled_from(lifecycle.states(table))))
    steps = {pair for moves in table.values() for pair in moves.items()}
    assert set(pairwise(way)) <= steps


# ---- the planned date ------------------------------------------------------------------------------------------------


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
