"""One line confirms a text: whose words, which text, and nothing that came back as a quotation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.mail import confirmation, texts

SHA256 = "44bae50e12ab9f30" + "c" * 48
OTHER = "55bae50e12ab9f30"
SHORT = SHA256[:16]

CONFIRMS = [
    f"I confirm {SHORT}",
    f"Dear CERT,\n\ni CONFIRM {SHORT}.\n\nRegards\nJo",
    f"> quoted\n\nI confirm {SHA256}",
    f"  *I confirm {SHORT}*\nRegards",
    f"Confirmed: {SHORT}",
    f"confirmed {SHA256[:8]}",
    f"I confirm this text: {SHORT}",
    "I\u00a0confirm\u00a044BAE50E12AB",
    f"I confirm {SHORT}\n\nOn Mon, 2 Nov 2026 at 10:00, Our CERT <cert@cert.example> wrote:\n> I confirm {OTHER}",
]
NOTHING, ANOTHER, UNCLEAR = (
    "no line confirms the text",
    "it confirms another text than the one we asked about",
    "its line does not say which text",
)
CONFIRMS_NOT = {
    "": NOTHING,
    "Thanks, we will look at it.": NOTHING,
    f"> I confirm {SHORT}": NOTHING,
    f"| I confirm {SHORT}": NOTHING,
    f"> > I confirm {SHORT}\nwhat is this?": NOTHING,
    f"I do not confirm {SHORT}": NOTHING,
    f"I confirm {SHORT} is not ours": NOTHING,
    f"Shall we say I confirm {SHORT}": NOTHING,
    "I confirm 44bae50": NOTHING,  # seven digits
    f"What is this?\n\n-----Original Message-----\nFrom: cert\nSent: today\nTo: us\n\nI confirm {SHORT}": NOTHING,
    f"I confirm {OTHER}": ANOTHER,
    f"I confirm {SHORT}\nI confirm {OTHER}": ANOTHER,
    "I confirm.": UNCLEAR,
    "I confirm\n\nRegards\nJo": UNCLEAR,
    "I confirm\nthat we never wrote this": UNCLEAR,
    "Of course not.\n\nI confirm\n": UNCLEAR,
}


@pytest.mark.parametrize("text", CONFIRMS)
def test_confirms(text: str) -> None:
    assert confirmation.read(text, SHA256) == confirmation.Confirmation(confirms=True)


@pytest.mark.parametrize("text", CONFIRMS_NOT)
def test_does_not(text: str) -> None:
    said = confirmation.read(text, SHA256)
    assert (said.confirms, said.why_not) == (False, CONFIRMS_NOT[text])


@given(st.text())
def test_never_fails_and_says_why_not(text: str) -> None:
    said = confirmation.read(text, SHA256)
    assert said.confirms == (said.why_not == "")


LINES = st.sampled_from([f"I confirm {SHORT}", "I confirm", "", "a", "-- ", "> x", "\u2028I confirm"])


@given(st.lists(LINES).map("\n".join))
def test_our_own_letter_come_back_whole_confirms_nothing(text: str) -> None:
    """A mail program that marks nothing as quoted: what we wrote is still no confirmation."""
    values = dict.fromkeys(texts.LETTERS["voucher"].fields, "x") | {
        "sha256": SHA256, "quoted": confirmation.barred(text),
    }  # fmt: skip
    body = texts.read()["voucher"].fill(values).body
    assert not confirmation.read(body, SHA256).confirms
    assert not confirmation.read("What is this?\n\n" + body, SHA256).confirms


def test_bars() -> None:
    assert confirmation.barred("a\r\n\r\n  b\n\n") == "| a\n|\n|   b"
