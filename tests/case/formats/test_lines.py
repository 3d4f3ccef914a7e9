"""Text of others among ours: it stays behind its fence, in any terminal, and loses nothing."""

import re
import unicodedata

import pytest
from hypothesis import given

from mailrouter.case.formats import lines
from tests.case import notes


def columns(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 8 if one == "\t" else 1 for one in line)


@given(notes.texts)
def test_every_line_behind_the_fence_begins_with_it(text):
    fenced = lines.fenced(text)
    for line in fenced.splitlines():
        assert line == "|" or line.startswith(("| ", "|> "))
        assert columns(line[3:]) <= lines.WIDTH
    assert len(fenced.splitlines()) == len(fenced.split("\n"))


@given(notes.texts)
def test_a_text_comes_back_from_behind_the_fence(text):
    back = "\n".join(line[2:] for line in lines.fenced(text).replace("\n|> ", "").split("\n"))
    assert back == "\n".join(lines.split(text))


@pytest.mark.parametrize(
    ("text", "fenced"),
    [
        ("", "|"),
        ("a", "| a"),
        ("a\n\nb", "| a\n|\n| b"),
        ("a\r\nb\rc\u2028d\x85e\x0bf\x0cg", "| a\n| b\n| c\n| d\n| e\n| f\n| g"),
        ("> quoted", "| > quoted"),
        ("\x1b[2J\x00", "| <U+001B>[2J<U+0000>"),
        ("\u202etxt\u202c", "| <U+202E>txt<U+202C>"),
        ("x" * 70, "| " + "x" * 69 + "\n|> x"),
        ("漢" * 36, "| " + "漢" * 34 + "\n|> 漢漢"),
        ("word " * 14, "| " + "word " * 13 + "\n|> word "),
    ],
)
def test_lines_behind_a_fence(text, fenced):
    assert lines.fenced(text) == fenced


@given(notes.texts)
def test_what_acts_unseen_is_shown(text):
    assert "\n" not in lines.one(text)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", lines.one(text))


@pytest.mark.parametrize(
    "text", ["x" * 1_000_000, "\t " * 500_000, "漢字 " * 300_000, "\n" * 1_000_000, "\x00" * 200_000]
)
def test_a_megabyte_is_fenced(text):
    assert all(line.startswith("|") for line in lines.fenced(text).split("\n"))


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("short", "short"),
        ("- " + "word " * 20, "- " + " ".join(["word"] * 14) + "\n  " + " ".join(["word"] * 6)),
        ("```\n" + "x y " * 30 + "\n```", "```\n" + ("x y " * 30).rstrip() + "\n```"),
        ("https://example.org/" + "a" * 80, "https://example.org/" + "a" * 80),
    ],
)
def test_our_own_text_is_filled(text, filled):
    assert lines.filled(text) == filled
