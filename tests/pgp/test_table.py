"""Table P of the testbook: every mail of it, made anew, opened and judged as required (pgp.md)."""

import unicodedata

import pytest

from mailrouter.cli import show
from mailrouter.mail.pgpmime import Verdict
from mailrouter.pgp import Pgp
from tests.pgp.cases import CASES
from tests.pgp.elsewhere import ELSEWHERE, TESTS
from tests.pgp.keys import Keymaker
from tests.pgp.table import Case, judge

SLOW = "P110 bomb of 1024 MiB, encrypted"  # to make; `make table` and the soak open it, here its smaller ones do


def _marks(one: Case) -> list[pytest.MarkDecorator]:
    return [pytest.mark.row(one.row), *([pytest.mark.long] if str(one) == SLOW else [])]


@pytest.mark.parametrize("given", [pytest.param(one, id=str(one), marks=_marks(one)) for one in CASES])
def test_table_p(pgp: Pgp, keymaker: Keymaker, given: Case) -> None:
    got = judge(pgp, keymaker, given.make(keymaker))
    assert got.word in given.outcomes
    opened = got.opened
    if opened.decrypted == "fail":
        assert (opened.content, opened.signed_bytes, opened.encrypted) == (None, b"", True), "no plaintext is kept"
    if opened.verdict not in {Verdict.GOOD, Verdict.NONE}:
        assert opened.reason, "people are told why"
        assert opened.decrypted in {"ok", "partial"} or opened.content is None, "nothing is shown as signed"


@pytest.mark.row("P107")
def test_whatever_hinders_decryption_looks_the_same(pgp: Pgp, keymaker: Keymaker) -> None:
    """Altered, to another's key, with a broken session key: nothing that we show or answer could tell them apart."""
    made = [judge(pgp, keymaker, one.make(keymaker)) for one in CASES if one.row in {"P100", "P107"}]
    assert len(made) > 5
    assert len({(got.word, got.opened) for got in made}) == 1


@pytest.mark.row("P60")
@pytest.mark.parametrize(
    "text",
    [
        "\x1b[2J\x1b[32m[verified] Vendor PSIRT\x1b[0m", "\x9b31mred", "verified\r[invalid]", "a\u202egnp.exe",
        "\u2066x", "ven\u200bdor", "\x07\x08\x7f", "\u2028[verified]", "\ufeff\u061c", "\U000e0041",
    ],
    ids=ascii,
)  # fmt: skip
def test_what_a_terminal_would_obey_is_shown_as_an_escape(text: str) -> None:
    seen = show.visible(f"<plaintext>{text}")
    assert seen.startswith("<plaintext>")
    assert all(char in "\t\n" or unicodedata.category(char) not in {"Cc", "Cf", "Zl", "Zp", "Cs"} for char in seen)
    assert text not in seen


def test_every_row_that_opening_a_mail_decides_has_a_mail() -> None:
    wanted = [(1, 6), (10, 20), (25, 35), (40, 47), (50, 55), (58, 58), (65, 78), (80, 90), (93, 93), (100, 111)]
    rows = {f"P{number:02}" for first, last in wanted for number in range(first, last + 1)}
    assert {one.row for one in CASES} == rows


def test_every_row_of_the_table_is_listed_and_those_held_elsewhere_are() -> None:
    wanted = [(1, 6), (10, 20), (25, 35), (40, 47), (50, 58), (60, 60), (65, 78), (80, 94), (100, 111), (115, 124)]
    rows = {f"P{number:02}" for first, last in wanted for number in range(first, last + 1)} | {"P130", "P131"}
    assert {one.row for one in (*CASES, *ELSEWHERE)} == rows
    for one in ELSEWHERE:
        assert f'mark.row("{one.row}")' in (TESTS / one.held_by).read_text("utf-8"), one.row
