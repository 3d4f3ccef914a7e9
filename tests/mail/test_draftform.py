"""What a mail says of the draft it was shown: the line of the form, and whether there is anything else to be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.mail.draftform import Said, read


@pytest.mark.parametrize(
    ("text", "seen", "comments"),
    [
        ("Draft: seen", True, False),
        ("VU#174254\n\nDraft: seen\n", True, False),
        ("[VU#174254.1]\nDraft: seen\nVU#174254 is affected\n", True, True),
        ("draft : No comments.\r\n", True, False),
        ("Hi Ada,\n\nDraft: no comment\n\nKind regards,\nBob\nPSIRT of Bolt\n", True, False),
        ("Draft: comments below", True, True),
        ("Draft: seen\n\nThe date is wrong.\n", True, True),
        ("Good morning,\nThe date is wrong.\n", False, True),
        ("Dear Ada, the date is wrong.", False, True),
        ("Draft: it is bad", False, True),
        ("> Draft: seen\n", False, False),
        ("On Mon, 6 Apr 2026 at 09:00, Ada Lane <ada@cert.example> wrote:\n> Draft:\n> seen\n", False, False),
        ("> Draft:\n\nDraft: seen\n-- \nBob, +1 555 0100\n", True, False),
        ("The words are Draft: seen", False, True),
        ("Thanks\n", False, False),
        ("Thanks, but the date is wrong.\n", False, True),
        ("", False, False),
    ],
)
def test_said(text: str, *, seen: bool, comments: bool) -> None:
    assert read(text) == Said(seen, comments)


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    assert isinstance(read(text), Said)


@given(st.text(alphabet="Draft: sen>\n", max_size=200))
def test_a_line_is_said_only_where_it_stands_alone(text: str) -> None:
    if read(text).seen:
        assert any(line.strip().casefold().startswith("draft") for line in text.splitlines())
