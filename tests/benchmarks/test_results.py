"""Figures held against floors and targets: arithmetic, the table, the document."""

import json
import math

import pytest

from benchmarks.measure import Figure
from benchmarks.results import TARGETS, Key, Results, document, table

FLOOR = Key("", "aiosmtpd", "plain", 32)
OURS = Key("sqlite", "accepted", "plain", 32)
FILED = {"filed, of aiosmtpd": False}


def measured(*rounds: tuple[float, float]) -> Results:
    """Rounds of (floor's rate, our rate)."""
    results = Results()
    for floor, ours in rounds:
        results.add(FLOOR, Figure(floor, 1.0, 2.0))
        results.add(OURS, Figure(ours, 1.5, 2.5, 0.5, 50.0), FLOOR)
    return results


def test_a_ratio_is_taken_within_its_round() -> None:
    """A machine that was slow for one round was slow for both."""
    floor, ours = measured((1000, 900), (100, 90), (1000, 900)).rows()
    assert math.isnan(floor.ratio)
    assert (ours.ratio, ours.median("rate"), ours.against) == (0.9, 900, "aiosmtpd x32")


def test_the_median_of_the_rounds_counts() -> None:
    assert measured((1000, 100), (1000, 850), (1000, 2000)).rows()[1].ratio == 0.85


@pytest.mark.parametrize(
    ("key", "figure", "reached"),
    [
        (OURS, Figure(800), {"accepted, of aiosmtpd": True}),
        (OURS, Figure(799), {"accepted, of aiosmtpd": False}),
        (Key("sqlite", "accepted", "plain", 8), Figure(1), {}),
        (Key("sqlite", "filed", "plain", 32), Figure(499, peak_mib=150), FILED | {"memory, MiB": True}),
        (Key("postgresql", "filed", "plain", 32), Figure(399, peak_mib=151), FILED | {"memory, MiB": False}),
        (Key("sqlite", "accepted", "plain", 1), Figure(1, p50_ms=5.1), {"p50 of accepting, ms": False}),
        (Key("sqlite", "filed, 50000 stored", "plain", 32), Figure(900), {"filed when full, of when fresh": True}),
    ],
)  # fmt: skip
def test_targets(key: Key, figure: Figure, reached: dict[str, bool]) -> None:
    results = Results()
    results.add(FLOOR, Figure(1000))
    results.add(key, figure, FLOOR)
    assert {target.name: target.reached(value) for target, _, value in results.judged()} == reached


def test_the_worst_row_speaks_for_a_target() -> None:
    results = Results()
    for sessions, peak in ((1, 120.0), (8, 170.0), (32, 140.0)):
        results.add(Key("sqlite", "filed", "plain", sessions), Figure(1, peak_mib=peak))
    assert [value for target, _, value in results.judged() if target.column == "peak_mib"] == [170.0]


def test_the_table_says_what_was_reached() -> None:
    shown = table(measured((1000, 850), (1000, 850)))
    (ours,) = (line for line in shown.splitlines() if line.startswith("sqlite") and "x32" in line)
    assert " ".join(ours.split()) == "sqlite accepted plain 32 850 0.85 aiosmtpd x32 ≥ 0.8 reached 1.5 2.5 0.50 50"
    assert "nan" not in shown


def test_the_document_is_json_with_every_round() -> None:
    told = json.loads(json.dumps(document(measured((1000, 850), (1000, 650))), allow_nan=False))
    floor, ours = told["rows"]
    assert floor["ratio"] is None
    assert floor["cpu_ms"] is None
    assert [figure["rate"] for figure in ours["rounds"]] == [850, 650]
    (target,) = told["targets"]
    assert target.pop("target") == "accepted, of aiosmtpd"
    bounds = {"at_least": 0.8, "at_most": None}
    assert target == bounds | {"database": "sqlite", "measured": 0.75, "reached": False}


def test_every_target_has_one_bound() -> None:
    assert all((target.at_least > 0) != (target.at_most < math.inf) for target in TARGETS)
