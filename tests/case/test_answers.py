"""What the values of the answer form mean: its words, and dates."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.case import answers
from mailrouter.case.answers import Expected

# ---- what a value means ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "word", "plain"),
    [
        ("yes", "yes", True), ("Yes.", "yes", True), ("NO", "no", True), ("*no*", "no", True),
        ("not a vulnerability", "not a vulnerability", True), ("Not a  vulnerability!", "not a vulnerability", False),
        ("unknown", "unknown", True), ("yes, on Windows", "yes", False), ("no (see below)", "no", False),
        ("no - never built", "no", False), ("yes / no", "", False), ("nobody", "", False), ("not affected", "", False),
        ("yes and no", "", False), ("no-one knows", "", False), ("ACME Router 3.1", "", False), ("", "", False),
    ],
)  # fmt: skip
def test_words(value: str, word: str, plain: bool) -> None:
    assert (answers.word(value), answers.is_plain(value)) == (word, plain)


DATES = {
    "2026-12-01": (2026, 12, 1, True), "2026/12/01": (2026, 12, 1, True), "2026-12-1.": (2026, 12, 1, True),
    "by 2026-12-01": (2026, 12, 1, True), "1 December 2026": (2026, 12, 1, True), "1st Dec 2026": (2026, 12, 1, True),
    "on 1. December 2026": (2026, 12, 1, True), "December 1, 2026": (2026, 12, 1, True),
    "Dec. 1st, 2026": (2026, 12, 1, True), "around 2026-12-01": (2026, 12, 1, False),
    "2026-12-01 (tentative)": (2026, 12, 1, False), "December 2026": (2026, 12, 31, False),
    "end of February 2028": (2028, 2, 29, False), "2026-12": (2026, 12, 31, False),
    "3.2.1 on 2026-12-01": (2026, 12, 1, False),
}  # fmt: skip
NO_DATES = [
    "", "soon", "Q4 2026", "01/12/2026", "12/01/26", "2026-13-01", "2026-02-30", "2026", "31 November 2026",
    "2026-12-01 or 2027-01-01", "between May 2026 and June 2026", "1999-12-01", "20261201", "12026-12-01",
]  # fmt: skip


@pytest.mark.parametrize("value", DATES)
def test_dates(value: str) -> None:
    year, month, day, sure = DATES[value]
    assert answers.expected(value) == Expected(date(year, month, day), sure)


@pytest.mark.parametrize("value", NO_DATES)
def test_no_dates(value: str) -> None:
    assert answers.expected(value) is None


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)), st.sampled_from(["%Y-%m-%d", "%d %B %Y", "%B %d, %Y"]))
def test_every_day_is_read(day: date, form: str) -> None:
    assert answers.expected(f"{day:{form}}") == Expected(day, sure=True)


def test_as_people_read_it() -> None:
    assert answers.line("affected", "yes", 0) == "Affected: yes"
    assert answers.line("fixed-in", "3", 2, 123456) == "Fixed in (VU#123456.2): 3"
    assert answers.line("their-ref", "A-1", 0) == "Their reference: A-1"


@given(st.text())
def test_any_value(text: str) -> None:
    assert answers.word(text) in ("", *answers.WORDS)
    answers.is_plain(text)
    answers.expected(text)
