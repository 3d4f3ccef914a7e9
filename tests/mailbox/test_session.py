"""The layer on aioimaplib: lines are handed to it few at a time, and what is said of a trouble is ours."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as some

from mailrouter.mailbox import session
from mailrouter.mailbox.session import LINES_AT_ONCE


@given(some.lists(some.sampled_from([b"a", b"\r\n", b"\r", b"\n", b"* 1 EXISTS\r\n" * 150]), max_size=40))
def test_pieces_are_the_same_bytes_with_few_lines_each(parts: list[bytes]) -> None:
    data = b"".join(parts)
    pieces = list(session._pieces(data))
    assert b"".join(pieces) == data
    assert all(len(re.findall(rb"\r\n", piece)) <= LINES_AT_ONCE for piece in pieces)
    assert all(pieces)


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (ConnectionRefusedError(111, "Connect call failed ('127.0.0.1', 1)"), "no connection (Connection refused)"),
        (OSError("Multiple exceptions: [Errno 111] cert, [Errno 111] horse"), "no connection (OSError)"),
        (TimeoutError(), "no answer to LOGIN"),
        (ValueError("cert 'correct horse'"), "the server's answer to LOGIN made no sense"),
    ],
)
def test_a_trouble_in_our_own_words(trouble: Exception, said: str) -> None:
    assert str(session._explained("LOGIN", trouble)) == said
