"""A published case closes by itself, or says once a day at most what is open in it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mailrouter.case import plan
from mailrouter.case.actions import CloseCase, Finish, Notice, Postpone
from mailrouter.case.events import CaseDue
from mailrouter.case.model import Deadline, DeadlineKind
from mailrouter.case.policy import Policy
from tests.case.people import CASE, NOW, in_state

ROW = Deadline(9, CASE.id, None, DeadlineKind.CLOSE, "published", 1, NOW)


def looked_at(state: str, *still: str) -> list[object]:
    return list(plan.after(CaseDue(ROW, in_state(state), still_open=still), Policy(), NOW))


def test_it_closes_when_nothing_is_open() -> None:
    assert looked_at("published") == [Finish(9, "closed"), CloseCase("published, and nothing is open")]


def test_what_is_open_is_said_once_and_looked_at_again_the_next_day() -> None:
    put_off, told = looked_at("published", "1 statement held", "revision 2, draft 1 undecided")
    assert put_off == Postpone(9, NOW + timedelta(days=1))
    assert isinstance(told, Notice)
    assert told.why.endswith("still open: 1 statement held, revision 2, draft 1 undecided")
    again = plan.after(CaseDue(replace(ROW, due_at=NOW), in_state("published"), still_open=("x",)), Policy(), NOW)[1]
    assert isinstance(again, Notice)
    assert again.once == told.once


@pytest.mark.parametrize("state", ["open", "closed", "merged"])
def test_only_a_published_case_closes_by_itself(state: str) -> None:
    assert looked_at(state, "1 statement held") == [Finish(9, f"case {state}")]
