"""A letter came back: what that changes, and what it never does."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.case import actions as do
from mailrouter.case import plan, returned
from mailrouter.case.events import About, Fate, Returned
from mailrouter.case.model import Waiting
from mailrouter.case.policy import Policy
from tests.case import people
from tests.case.people import CASE, NOW, VENDOR, arrived, in_state, waiting

pytestmark = pytest.mark.row("S33")
POLICY = Policy()


def back(**values: Any) -> Returned:
    """A letter to the vendor that came back with proof, while another contact is known; changed as said."""
    usual = Returned(
        letter_id=3, case=CASE, participant=VENDOR, address="psirt@vendor.example", made_at=NOW, automatic=False,
        fate=Fate.NO_MAILBOX, proved=True, others=True, says="letter 3 came back:", once="letter:3:returned",
    )  # fmt: skip
    return replace(usual, **values)


def kinds(event: Returned) -> list[str]:
    return [type(action).__name__ for action in returned.came_back(event)]


def told(event: Returned) -> str:
    [notice] = [action for action in returned.came_back(event) if isinstance(action, do.Notice)]
    assert (notice.queue, notice.participant, notice.once) == (CASE.queue, event.participant, event.once)
    return notice.why


# ---- what is proved -------------------------------------------------------------------------------------------------


def test_a_dead_address_is_marked_and_the_letter_goes_to_the_next() -> None:
    assert kinds(back()) == ["Undeliverable", "SendAgain", "Notice"]
    assert told(back()) == "letter 3 came back: its address takes no mail; it goes again to their next contact"
    [marked] = [a for a in returned.came_back(back()) if isinstance(a, do.Undeliverable)]
    assert (marked.address, marked.last) == ("psirt@vendor.example", False)


def test_when_nobody_else_is_known_the_letter_waits_and_a_person_is_told() -> None:
    alone = back(others=False)
    assert kinds(alone) == ["Undeliverable", "SendAgain", "Notice"]
    assert told(alone) == (
        "letter 3 came back: nobody else is known there: it is held until you add a contact "
        "(`mailrouter vendor add-contact`) and release it"
    )
    assert returned.came_back(alone)[0] == do.Undeliverable(VENDOR, 3, "psirt@vendor.example", last=True)


HEARD = replace(VENDOR, last_heard_at=NOW + timedelta(hours=1))


@pytest.mark.parametrize(
    "gone",
    [
        {"participant": HEARD},
        {"participant": waiting(Waiting.NOBODY), "automatic": True},
        {"participant": waiting(Waiting.US), "automatic": True},
        {"case": in_state("closed")},
        {"case": in_state("published"), "participant": waiting(Waiting.NOBODY), "automatic": True},
    ],
)
def test_a_letter_whose_reason_has_gone_does_not_go_again(gone: dict[str, Any]) -> None:
    assert kinds(back(**gone)) == ["Undeliverable", "Notice"]
    assert told(back(**gone)).endswith("the next letter goes to their next contact")
    assert told(back(others=False, **gone)).endswith("before you write again")


@pytest.mark.parametrize(
    "still",
    [
        {"participant": replace(VENDOR, last_heard_at=NOW - timedelta(hours=1))},
        {"participant": waiting(Waiting.NOBODY)},  # a person's letter that asks nothing
        {"participant": waiting(Waiting.NOBODY), "case": in_state("published")},  # such as that it is published
        {"automatic": True},
    ],
)
def test_a_letter_that_still_has_something_to_say_does(still: dict[str, Any]) -> None:
    assert "SendAgain" in kinds(back(**still))


@pytest.mark.parametrize("fate", [Fate.BEHIND, Fate.TROUBLE])
def test_what_says_nothing_of_the_address_is_told_and_marks_nobody(fate: Fate) -> None:
    assert kinds(back(fate=fate)) == ["Notice"]


def test_the_same_once_more_changes_nothing() -> None:
    assert kinds(back(known=True)) == []


# ---- what is not ----------------------------------------------------------------------------------------------------

events = st.builds(
    back, fate=st.sampled_from(Fate), others=st.booleans(), automatic=st.booleans(), case=people.cases,
    participant=people.participants, proved=st.booleans(), known=st.booleans(),
)  # fmt: skip


@given(events)
def test_without_proof_nothing_changes(event: Returned) -> None:
    if not event.proved:
        assert plan.after(event, POLICY, NOW) == []


@given(events)
def test_no_clock_stops_nobodys_turn_changes_and_nobody_is_answered(event: Returned) -> None:
    allowed = do.Undeliverable | do.SendAgain | do.Notice
    assert all(isinstance(action, allowed) for action in plan.after(event, POLICY, NOW))


@given(events, st.booleans(), st.sampled_from([*people.MACHINES, "person"]), st.none() | people.cases)
def test_a_mail_about_a_letter_is_laid_somewhere_and_only_a_bounce_with_proof_does_more(
    event: Returned, proved: bool, kind: str, case: Any
) -> None:
    about = About(3, proved, returned=replace(event, proved=proved))
    orders = plan.after(arrived(kind=kind, about=about, case=case, counts=False), POLICY, NOW)
    assert sum(isinstance(order, do.File) for order in orders) == 1
    if kind != "bounce" or not proved:
        assert not any(isinstance(order, do.Undeliverable | do.SendAgain | do.Notice) for order in orders)


@pytest.mark.parametrize(
    ("about", "why"),
    [
        (None, "a bounce report"),
        (About(3, proved=True), "a bounce report about letter 3"),
        (About(3, proved=False), "a bounce report about letter 3, which anybody could have written"),
    ],
)
def test_a_report_says_what_it_is_about_and_is_in_the_case(about: About | None, why: str) -> None:
    [filed] = plan.after(arrived(kind="bounce", about=about, participant=None), POLICY, NOW)
    assert filed == do.File("bounces", "bounces", why, in_case=about is not None, suggested_vu=CASE.vu)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["auto-reply", "mdn", "automatic", "list"])
def test_a_machines_mail_to_a_letters_own_address_is_filed_whoever_sent_it(kind: str) -> None:
    stranger = arrived(kind=kind, participant=None, about=About(3, proved=True))
    [filed] = plan.after(stranger, POLICY, NOW)
    assert filed == do.File("filed", None, f"automatic: {kind}", in_case=True)  # type: ignore[arg-type]
    [seen] = plan.after(replace(stranger, about=About(3, proved=False)), POLICY, NOW)
    assert isinstance(seen, do.File)
    assert seen.place == "review"


def test_a_notice_to_our_own_staff_that_came_back_waits_in_no_queue_that_is_told_by_such_notices() -> None:
    """Told once a day, in the operator's queue: a dead address of an analyst must not write letters to itself."""
    staff = arrived(kind="bounce", case=None, participant=None, about=About(8, proved=True, to_staff=True))
    filed, notice = plan.after(staff, POLICY, NOW)
    assert filed == do.File("bounces", None, "a bounce report about letter 8")  # type: ignore[arg-type]
    assert isinstance(notice, do.Notice)
    assert (notice.queue, notice.once) == ("operator", f"staff-came-back:{NOW:%Y-%m-%d}")


def test_an_answer_from_a_marked_address_says_that_it_takes_mail() -> None:
    orders = plan.after(arrived(speaks_again="psirt@vendor.example"), POLICY, NOW)
    assert do.Reachable(VENDOR, "psirt@vendor.example") in orders
    for silent in (arrived(kind="auto-reply"), arrived(counts=False), arrived(case=in_state("merged"))):
        orders = plan.after(replace(silent, speaks_again="psirt@vendor.example"), POLICY, NOW)
        assert not any(isinstance(order, do.Reachable) for order in orders)
