"""Nothing that came in a mail reaches a terminal working; JSON is one ASCII document."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.case.model import Waiting
from mailrouter.cli import show

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))
OBEYED = {
    chr(n) for n in (*range(9), *range(11, 32), *range(127, 160), 0xAD, *range(0x200B, 0x2010), *range(0x2028, 0x202F))
}


@given(ANY_TEXT)
@pytest.mark.row("S37")
@pytest.mark.row("C15")
def test_visible_leaves_nothing_a_terminal_obeys(text: str) -> None:
    shown = show.visible(text)
    assert not OBEYED & set(shown)
    shown.encode()  # no lone surrogate either


@pytest.mark.parametrize(
    ("hostile", "seen"),
    [
        ("\x1b[2J\x1b]0;x\x07", "\\u001b[2J\\u001b]0;x\\u0007"),
        ("\x9b2J", "\\u009b2J"),
        ("a\u202eb\u2066c", "a\\u202eb\\u2066c"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("tag\U000e0041", "tag\\ue0041"),
        ("lone\ud800", "lone\\ud800"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("Grüße, 日本語, שלום", "Grüße, 日本語, שלום"),
    ],
)
@pytest.mark.row("S37")
def test_visible(hostile: str, seen: str) -> None:
    assert show.visible(hostile) == seen


@given(ANY_TEXT, st.integers(2, 40))
def test_short_is_one_line_and_never_longer(text: str, width: int) -> None:
    shown = show.short(text, width)
    assert len(shown) <= width
    assert "\n" not in shown


@given(ANY_TEXT)
def test_json_is_ascii_and_gives_back_what_went_in(text: str) -> None:
    document = json.dumps(show.plain({"text": text}), indent=2)
    assert document.isascii()
    assert json.loads(document) == {"text": text}


def test_instants_are_iso_8601_utc() -> None:
    moment = datetime(2026, 3, 2, 10, 30, tzinfo=timezone(timedelta(hours=2)))
    assert show.plain([moment, Waiting.THEM, b"\x00\xff", (None, True)]) == [
        "2026-03-02T08:30:00Z", "them", "00ff", [None, True],
    ]  # fmt: skip
    assert show.when(moment) == "2026-03-02 08:30"


def test_a_table_says_when_there_is_nothing() -> None:
    import click

    @click.command()
    def print_tables() -> None:
        show.table(("a",), [], "Nothing here.")
        show.table(("a", "b"), [("1\n2", datetime(2026, 3, 2, tzinfo=UTC))], "")
        show.fields([("name", "x"), ("empty", ""), ("long name", "y\x07")])

    shown = CliRunner().invoke(print_tables).stdout
    assert shown.splitlines() == [
        "Nothing here.", "a    b", "---  ----------------", "1 2  2026-03-02 00:00",
        "name       x", "long name  y\\u0007",
    ]  # fmt: skip


def test_plain_numbers_of_cases() -> None:
    assert show.number(123456) == "VU#123456"
    assert show.number(None) is None
