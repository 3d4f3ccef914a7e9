"""What people write when the world knows: a small table, in words of their own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.case.answers import Source, What
from mailrouter.mail import answerform, publicwords

P, X, A = What.PUBLIC, What.EXPLOIT, What.ATTACKS


def kinds(text: str) -> list[What]:
    return [one.what for one in publicwords.read(answerform.apart(text))]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("The flaw was publicly disclosed on Monday.", [P]),
        ("Please note: it is now public.", [P]),
        ("This is a 0-day, as of today.", [P]),
        ("There is a zero-day exploit for sale.", [P, X]),
        ("A proof of concept was published yesterday.", [X]),
        ("Somebody posted an exploit on a forum.", [X]),
        ("The PoC has been leaked.", [P, X]),
        ("We know that it is exploited in the wild.", [A]),
        ("It is being\nactively exploited since Friday.", [A]),
        ("Our customers are under active attack!", [A]),
        ("We have seen first attacks.", [A]),
        ("It went public, and attacks were observed.", [P, A]),
        ("Hello,\n\nthanks.\n\nThe advisory is already public.\n", [P]),
        ("It is not publicly known.", []),
        ("We hope it does not become public.", []),
        ("Is it exploited in the wild?", []),
        ("We are not aware that it was publicly disclosed.", []),
        ("If it is exploited in the wild, please tell us.", []),
        ("It will be publicly disclosed in May.", []),
        ("Our public key is attached.", []),
        ("We publish advisories on our site.", []),
        ("> It was publicly disclosed.\n\nWe are looking into it.", []),
        ("On Mon, 2 Nov 2026 at 10:00, Our CERT <c@cert.example> wrote:\n> it is a 0-day\n", []),
        ("", []),
    ],
)
def test_what_they_say(text: str, says: list[What]) -> None:
    assert kinds(text) == says


def test_the_sentence_that_says_it_is_what_is_shown() -> None:
    [said] = publicwords.read(answerform.apart("Hello.\n\nIt was publicly disclosed\ntoday. Regards\n"))
    assert (said.value, said.source) == ("It was publicly disclosed today.", Source.OWN)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("Public: yes, on a blog", "yes, on a blog"), ("Public: yes", "yes"), ("Exploit: since Monday", "since Monday"),
        ("Attacks: our sensors saw them", "our sensors saw them"), ("Public: no", ""), ("Attacks:", ""),
        ("Exploit: unknown", ""), ("Public: not yet", ""), ("Attacks: no, none that we know of", ""),
    ],
)  # fmt: skip
def test_a_line_of_its_own(line: str, value: str) -> None:
    assert [one.value for one in answerform.read(f"{line}\n", 123456)] == ([value] if value else [])


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("Embargo: accept", "accept"), ("Embargo: no", "no"), ("embargo : 2026-12-31", "2026-12-31"),
        ("Embargo: accept | decline", ""), ("Embargo:\naccept", "accept"), ("Embargo:", ""),
    ],
)  # fmt: skip
def test_the_line_of_the_embargo(line: str, value: str) -> None:
    assert [one.value for one in answerform.read(f"{line}\n", 123456)] == ([value] if value else [])


WORDS = st.sampled_from(["public", "exploit", "0-day", "is", "not", "published", "attacks", " ", "\n", "> ", ".", "?"])


@given(st.lists(WORDS, max_size=60).map("".join))
def test_whatever_it_is_each_kind_is_said_once(text: str) -> None:
    found = kinds(text)
    assert len(found) == len(set(found))


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("Public (yes or no): no\nExploited (yes or no): no\nVendor contacted (yes or no, and when): yes", []),
        ("Public (yes or no): yes\nExploited (yes or no): no", [(What.PUBLIC, "yes")]),
        ("Public: no\nExploited: not yet\nWhy us: five vendors", []),
        ("Public: on a blog,\nsince Monday", [(What.PUBLIC, "on a blog, since Monday")]),
    ],
)
def test_the_form_for_reports_says_it_line_by_line(form: str, expected: list[tuple[What, str]]) -> None:
    assert [(one.what, one.value) for one in answerform.read(form, 123456)] == expected
