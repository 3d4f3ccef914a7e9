"""The doors and the acknowledgements say the same to everybody. The times are those of `benchmarks.enumeration`."""

from pathlib import Path

import pytest

from benchmarks import enumeration
from benchmarks.databases import Sqlite
from benchmarks.enumeration import Asked


@pytest.mark.row("S23")
def test_nobody_learns_which_cases_there_are(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = Path(tmp_path_factory.mktemp("e", numbered=True))
    asked = enumeration.measured(folder, Sqlite(folder), 3)
    assert {road: answers for road, (answers, _) in enumeration.verdict(asked).items()} == {
        "smtp": 1, "lmtp": 1, "acknowledged": 1,
    }  # fmt: skip
    for one in asked:
        assert [len(times) for times in one.seconds.values()] == [3, 3, 3]
        assert all(answer.endswith(b"\r\n") for answers in one.answers.values() for answer in answers)
        assert b"Auto-Submitted: auto-replied\r\n" in next(iter(one.answers["acknowledged"]))


def test_what_differs_is_told() -> None:
    one, other = Asked("a", "VU#1", known=True), Asked("b", "VU#2", known=False)
    one.took("smtp", 0.010, b"250\r\n")
    other.took("smtp", 0.035, b"550\r\n")
    assert enumeration.verdict([one, other]) == {"smtp": (2, pytest.approx(25.0))}
