"""When a contact's key ends: who is told, at which moment, and how often."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.case import keyclock
from mailrouter.case.keyclock import ENDED, RUNGS, Life

ENDS = datetime(2027, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
GAP = 4 * DAY


@pytest.mark.parametrize(
    ("days_left", "rung"),
    [
        (400, None), (60.1, None), (60, 60), (45, 60), (34, 60),
        (33.9, None),  # the next letter is due within four days: this one is not written any more
        (30.1, None), (30, 30), (15, 30), (11, 30), (10.9, None), (7.1, None), (7, 7), (3, 7), (0.1, 7),
        (0, ENDED), (-400, ENDED),
    ],
)  # fmt: skip
def test_the_letter_that_is_due(days_left: float, rung: int | None) -> None:
    assert keyclock.rung_due(ENDS, ENDS - days_left * DAY, GAP) == rung


@given(st.lists(st.floats(-10, 90), max_size=60), st.integers(0, 10))
def test_however_often_one_looks_no_two_letters_come_within_the_gap(days: list[float], gap: int) -> None:
    """The first look that finds a rung writes it, a later one does not: as steps do."""
    written: dict[int, float] = {}
    for left in sorted(days, reverse=True):
        rung = keyclock.rung_due(ENDS, ENDS - left * DAY, gap * DAY)
        if rung:
            written.setdefault(rung, left)
    assert list(written) == [rung for rung in RUNGS if rung in written]  # in their order
    times = list(written.values())
    following = {RUNGS[n]: RUNGS[n + 1] for n in range(len(RUNGS) - 1)}
    for rung, left in written.items():
        assert left <= rung
        assert rung not in following or left - following[rung] >= gap - 1e-6
    assert times == sorted(times, reverse=True)


def test_when_a_rung_fell_due() -> None:
    assert keyclock.due_at(ENDS, 30) == ENDS - 30 * DAY
    assert keyclock.due_at(ENDS, ENDED) == ENDS


@pytest.mark.parametrize(
    ("others", "answer"),
    [
        ([], False),
        ([Life("A", None)], False),  # the key itself
        ([Life("B", ENDS)], False),
        ([Life("B", ENDS - DAY)], False),
        ([Life("B", ENDS + DAY)], True),
        ([Life("B", None)], True),
        ([Life("B", ENDS - DAY), Life("C", None)], True),
    ],
)
def test_a_key_that_another_outlives_is_nobodys_worry(others: list[Life], answer: bool) -> None:
    assert keyclock.stood_in_for(Life("A", ENDS), others) is answer


def test_a_renewed_key_has_letters_of_its_own() -> None:
    steps = {keyclock.step(key, ends, rung) for key in "AB" for ends in (ENDS, ENDS + DAY) for rung in (*RUNGS, ENDED)}
    assert len(steps) == 16
