"""One line of a mail that allows clear text: what counts as it, and what never does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.mail import cleartext, texts

SAYS = {
    "Clear text: yes": True,
    "Clear text: no": False,
    "Hello,\n\nclear text: YES.\n\nRegards\n": True,
    "Hello\r\n  Cleartext : no  \r\n": False,
    "CLEAR-TEXT: yes\n-- \nPSIRT": True,
    "": None,
    "Clear text: maybe": None,
    '"Clear text: yes"': None,  # as our letters name it
    "Is Clear text: yes all we have to write?": None,
    "Clear text: yes, but only the first letter": None,
    "> Clear text: yes": None,
    ">> Clear text: yes\nNo.": None,
    "No.\n\nOn 2026-11-22 10:00 UTC, CERT wrote:\n\n> x\n> Clear text: yes": None,
    "On 2026-11-22 10:00 UTC, CERT wrote:\n\n> x\nClear text: yes": True,  # answered below what is quoted
    "No.\n\n-----Original Message-----\nFrom: CERT <cert@cert.example>\n\nClear text: yes": None,
    "No.\n-- \nClear text: yes": None,  # below the signature's mark
    "Clear text: yes\nClear text: no": None,
    "Clear text: yes\nClear text: yes": True,
}


@pytest.mark.parametrize("text", SAYS, ids=lambda text: ascii(text)[:40])
def test_what_is_said(text: str) -> None:
    assert cleartext.said(text) is SAYS[text]
    assert cleartext.may_say(text.encode()) or SAYS[text] is None


def test_our_own_letters_repeated_without_a_mark_say_nothing() -> None:
    for name, letter in texts.read().items():
        filled = letter.fill({field: field for field in texts.LETTERS[name].fields})
        assert cleartext.said(filled.body) is None, name


@given(st.text(), st.sampled_from(["> ", ">", "  > ", "> > "]))
def test_what_is_quoted_never_counts(text: str, mark: str) -> None:
    lines = [*text.split("\n"), "Clear text: yes"]
    assert cleartext.said("\n".join(mark + line.replace("\r", "") for line in lines)) is None


@given(st.binary())
def test_looking_never_fails(raw: bytes) -> None:
    assert cleartext.may_say(raw) in {True, False}
    assert cleartext.said(raw.decode("utf-8", "replace")) in {True, False, None}
