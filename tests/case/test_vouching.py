"""Whose word makes a text stand: each rule alone is enough to refuse."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mailrouter.case import vouching
from mailrouter.case.model import Statement

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
TEXT = Statement(
    id=1, case_id=1, participant_id=1, vendor="Acme", message_id=2, state="held", reason="it is not signed",
    bound=False, received_at=NOON, signed_at=None, fingerprint="", signature_id="", sha256="a" * 64, verbatim=b"x",
    form="none", signed_bytes=b"", signature=b"", approved_at=None, approved_by="",
)  # fmt: skip
GOOD = vouching.Answer(
    voucher_id=1, asked=TEXT, sha256="a" * 64, done=False, elsewhere=False, registered=True, person=True, counts=True,
    sound=True, newer_stands=False,
)  # fmt: skip
WRONG = {
    "confirmed before": {"done": True},
    "the text we asked about is filed elsewhere now": {"elsewhere": True},
    "a machine wrote it, or may have": {"person": False},
    "its sender is no registered contact of theirs": {"registered": False},
    "its standing does not count as an answer": {"counts": False},
    "its signature is not good": {"sound": False},
    "the text we asked about has changed": {"sha256": "b" * 64},
    "a newer statement stands": {"newer_stands": True},
    "no line confirms the text": {"unclear": "no line confirms the text"},
}


def test_all_of_it_makes_it_stand() -> None:
    assert vouching.refusal(GOOD) == ""


@pytest.mark.parametrize("why", WRONG)
def test_each_rule_refuses_alone(why: str) -> None:
    assert vouching.refusal(replace(GOOD, **WRONG[why])) == why  # type: ignore[arg-type]


@pytest.mark.parametrize("state", ["verified", "vouched", "superseded", "withdrawn"])
def test_only_what_is_held_can_be_vouched_for(state: str) -> None:
    asked = replace(TEXT, state=state)
    assert vouching.refusal(replace(GOOD, asked=asked)) == "the text we asked about is not held any more"


@pytest.mark.parametrize(
    ("state", "signed", "received", "newer"),
    [
        ("verified", -1, 5, False),  # signed before, came after: the signing time decides
        ("verified", 1, 1, True),
        ("vouched", None, 1, True),
        ("vouched", None, -1, False),
        ("vouched", 3, -1, False),  # the time in a signature that proved nothing
        ("verified", 0, 0, True),
    ],
)
def test_what_was_made_later_stands(state: str, signed: int | None, received: int, newer: bool) -> None:
    day = timedelta(days=1)
    stands = replace(
        TEXT, id=2, state=state, received_at=NOON + received * day,
        signed_at=None if signed is None else NOON + signed * day, fingerprint="A" * 40 if signed is not None else "",
    )  # fmt: skip
    assert vouching.newer_stands(TEXT, stands) is newer


def test_nothing_that_stands_is_newer_than_itself() -> None:
    assert not vouching.newer_stands(TEXT, None)
    assert not vouching.newer_stands(TEXT, replace(TEXT, state="vouched"))


def test_two_analysts_are_two_people() -> None:
    assert vouching.may_not_agree("Alice", "alice")
    assert not vouching.may_not_agree("Alice", "Bob")
