"""What the clocks of a case ask for, whenever they are looked at."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.case import calendar, clocks, plan
from mailrouter.case.actions import Actions, Again, Finish, Notice, Postpone, ShowDraft, Write
from mailrouter.case.events import CaseDue, Drafted
from mailrouter.case.model import Deadline, DeadlineKind, Participant, Waiting
from mailrouter.case.policy import Policy
from tests.case.people import CASE, NOW, VENDOR, fell_due

DAY = timedelta(days=1)
PLANNED = NOW + 45 * DAY
OPEN = replace(CASE, planned_at=PLANNED)
DRAFTED = Drafted(5, "revision 1, draft 2")
HOUSE = Policy()
BEFORE = calendar.before(PLANNED, HOUSE)
KINDS = [DeadlineKind.DRAFT, DeadlineKind.ALERT, DeadlineKind.REMINDER, DeadlineKind.PUBLICATION]


def one(number: int, **values: Any) -> Participant:
    return replace(VENDOR, id=number, organisation_id=number, name=f"Vendor {number}", **values)


SILENT, ANSWERED = one(1), one(2, progress="answered")
BELOW, UNTOLD = one(3, roles=("downstream",)), one(4, roles=("downstream",), progress="not contacted")


def due(kind: DeadlineKind, at: datetime, *people: Participant, policy: Policy = HOUSE, **values: Any) -> Actions:
    case = values.pop("case", OPEN)
    row = Deadline(9, case.id, None, kind, "letter:1", 1, values.pop("due_at", at))
    reachable = values.pop("reachable", frozenset(p.id for p in people))
    return plan.after(CaseDue(row, case, people, reachable, **values), policy, at)


def written(orders: Actions) -> list[tuple[str, str]]:
    return [(order.letter, order.participant.name) for order in orders if isinstance(order, Write)]


def noticed(orders: Actions) -> list[str]:
    return [order.why for order in orders if isinstance(order, Notice)]


# ---- every clock -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "changes",
    [{"state": "closed"}, {"state": "merged"}, {"state": "published"}, {"published_at": NOW}, {"not_published_at": NOW},
     {"planned_at": None}],
)  # fmt: skip
def test_what_does_not_apply_any_more_ends(kind: DeadlineKind, changes: dict[str, Any]) -> None:
    [order] = due(kind, PLANNED - DAY, SILENT, BELOW, case=replace(OPEN, **changes), drafted=DRAFTED)
    assert isinstance(order, Finish)


@given(
    kind=st.sampled_from(KINDS), ahead=st.floats(-30, 60), people=st.lists(st.sampled_from([SILENT, ANSWERED, BELOW]),
    unique=True), drafted=st.sampled_from([None, DRAFTED]), draft_days=st.integers(0, 30), reminder=st.integers(0, 30),
)  # fmt: skip
def test_looked_at_at_any_time_a_row_is_put_off_or_done_and_nothing_is_written_too_early_or_late(
    kind: DeadlineKind, ahead: float, people: list[Participant], drafted: Drafted | None, draft_days: int, reminder: int
) -> None:
    at, policy = PLANNED - ahead * DAY, Policy(draft_days=draft_days, reminder_days=reminder)
    orders = due(kind, at, *people, policy=policy, drafted=drafted, due_at=NOW)
    before = calendar.before(PLANNED, policy)
    first = {
        DeadlineKind.DRAFT: before.write_at, DeadlineKind.ALERT: before.share_at,
        DeadlineKind.REMINDER: before.remind_at, DeadlineKind.PUBLICATION: PLANNED,
    }[kind]  # fmt: skip
    match orders:
        case [Postpone() as later]:
            assert at < later.due_at <= PLANNED
        case [Finish(), *rest]:
            assert at >= first
            assert all(order.due_at > at for order in rest if isinstance(order, Again))
            assert not (written(orders) and at >= PLANNED)
        case _:
            pytest.fail(str(orders))


# ---- publication -----------------------------------------------------------------------------------------------------


def test_the_date_that_moved_puts_it_off_and_the_one_that_came_is_told() -> None:
    assert due(DeadlineKind.PUBLICATION, NOW) == [Postpone(9, PLANNED)]
    assert noticed(due(DeadlineKind.PUBLICATION, PLANNED)) == ["the planned publication date has come"]


# ---- the draft -------------------------------------------------------------------------------------------------------

WRITE, SHARE = "`mailrouter note write 123456`", "`mailrouter note share 123456`"
NO_DRAFT = f"the draft of the note is to be shown now, and is not written: {WRITE}, then {SHARE}"
UNSEEN = f"revision 1, draft 2 of the note was not shown to Vendor 1, Vendor 3: {SHARE}"
LAST = "; publication is planned for 2026-04-16"


@pytest.mark.parametrize(
    ("at", "drafted", "says", "again"),
    [
        (BEFORE.write_at, None, f"the draft of the note is to be written: {WRITE}, then {SHARE}", BEFORE.share_at),
        (BEFORE.share_at, None, NO_DRAFT, BEFORE.latest_at),
        (BEFORE.latest_at, None, NO_DRAFT + LAST, None),
        (BEFORE.share_at, DRAFTED, UNSEEN, BEFORE.latest_at),
        (BEFORE.latest_at, DRAFTED, UNSEEN + LAST, None),
    ],
)  # fmt: skip
def test_the_analyst_is_told_at_each_of_its_instants(
    at: datetime, drafted: Drafted | None, says: str, again: datetime | None
) -> None:
    orders = due(DeadlineKind.DRAFT, at, SILENT, BELOW, UNTOLD, drafted=drafted)
    assert noticed(orders) == [says]
    assert [order.due_at for order in orders if isinstance(order, Again)] == ([again] if again else [])


def test_a_draft_that_is_there_waits_for_its_day() -> None:
    orders = due(DeadlineKind.DRAFT, BEFORE.write_at, SILENT, drafted=DRAFTED)
    assert orders == [Postpone(9, BEFORE.share_at)]


def test_an_ordered_draft_is_shown_on_its_day_to_all_who_take_part() -> None:
    case = replace(OPEN, share_ordered_by="alice")
    orders = due(DeadlineKind.DRAFT, BEFORE.share_at, SILENT, BELOW, UNTOLD, case=case, drafted=DRAFTED)
    assert ShowDraft((SILENT, BELOW), 5) in orders
    assert noticed(orders) == []


def test_once_all_have_seen_one_nothing_is_to_do_and_who_comes_later_is_named() -> None:
    seen = replace(DRAFTED, shown_some=frozenset({SILENT.id}))
    assert due(DeadlineKind.DRAFT, BEFORE.share_at, SILENT, drafted=seen) == [Finish(9, "shown")]
    late = due(DeadlineKind.DRAFT, BEFORE.latest_at, SILENT, ANSWERED, drafted=seen)
    assert "was not shown to Vendor 2:" in noticed(late)[0]


def test_of_many_a_few_are_named() -> None:
    orders = due(DeadlineKind.DRAFT, BEFORE.share_at, *(one(n) for n in range(1, 9)), drafted=DRAFTED)
    assert "Vendor 4, Vendor 5 and 3 more:" in noticed(orders)[0]


# ---- the alert -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("progress", ["contacted", "acknowledged", "non-responsive", "undeliverable"])
def test_downstream_vendors_are_alerted_when_somebody_above_is_silent(progress: str) -> None:
    upstream = replace(SILENT, progress=progress)
    orders = due(DeadlineKind.ALERT, BEFORE.share_at, upstream, ANSWERED, BELOW)
    assert written(orders) == [(clocks.ALERT, "Vendor 3")]


@pytest.mark.parametrize(
    "people",
    [(ANSWERED, BELOW), (SILENT,), (replace(SILENT, left_at=NOW), BELOW), (BELOW,),
     (replace(SILENT, progress="suspected"), BELOW), (one(5, roles=("vendor", "downstream")),)],
)  # fmt: skip
def test_nobody_is_alerted_when_nobody_above_is_silent_or_nobody_is_below(people: tuple[Participant, ...]) -> None:
    [order] = due(DeadlineKind.ALERT, BEFORE.share_at, *people)
    assert isinstance(order, Finish)


def test_who_was_never_written_to_is_not_alerted_but_named() -> None:
    orders = due(DeadlineKind.ALERT, BEFORE.share_at, SILENT, BELOW, UNTOLD)
    assert written(orders) == [(clocks.ALERT, "Vendor 3")]
    assert noticed(orders) == [
        "downstream vendors that were not contacted yet: `mailrouter case notify 123456 'Vendor 4'`"
    ]


# ---- the reminder ----------------------------------------------------------------------------------------------------


def test_silent_vendors_are_reminded_and_nobody_else() -> None:
    gone = one(5, progress="undeliverable")
    back = one(6, progress="undeliverable")
    orders = due(
        DeadlineKind.REMINDER, BEFORE.remind_at, SILENT, ANSWERED, BELOW, UNTOLD, gone, back,
        reachable=frozenset({1, 2, 3, 4, 6}),
    )  # fmt: skip
    assert written(orders) == [(clocks.REMINDER, f"Vendor {n}") for n in (1, 3, 6)]


def test_who_was_reminded_for_this_date_is_not_again() -> None:
    orders = due(DeadlineKind.REMINDER, BEFORE.remind_at, SILENT, BELOW, told=frozenset({1}))
    assert written(orders) == [(clocks.REMINDER, "Vendor 3")]


def test_who_got_another_letter_lately_has_peace_first() -> None:
    early = Policy(reminder_days=6)
    at = calendar.before(PLANNED, early).remind_at
    lately = replace(SILENT, last_automatic_at=at - 3 * DAY)
    assert due(DeadlineKind.REMINDER, at, lately, policy=early) == [Postpone(9, at + DAY)]
    orders = due(DeadlineKind.REMINDER, at, lately, BELOW, policy=early)
    assert written(orders) == [(clocks.REMINDER, "Vendor 3")]
    assert [order.due_at for order in orders if isinstance(order, Again)] == [at + DAY]


@pytest.mark.parametrize("kind", [DeadlineKind.REMINDER, DeadlineKind.ALERT])
def test_who_has_no_peace_before_the_date_gets_no_letter_and_a_person_is_told(kind: DeadlineKind) -> None:
    letter = {DeadlineKind.REMINDER: clocks.REMINDER, DeadlineKind.ALERT: clocks.ALERT}[kind]
    lately = replace(BELOW, last_automatic_at=PLANNED - 3.5 * DAY)
    upstream = replace(SILENT, last_automatic_at=PLANNED - 3.5 * DAY)
    orders = due(kind, PLANNED - 3 * DAY, upstream, lately)
    assert written(orders) == []
    told = [order for order in orders if isinstance(order, Notice)]
    assert [one.participant for one in told] == ([upstream, lately] if kind is DeadlineKind.REMINDER else [lately])
    assert told[-1].why == (
        f"gets no {letter} before 2026-04-16: another automatic letter went to it too lately;"
        " if it must know, `mailrouter case write 123456 'Vendor 3'`"
    )
    assert len({one.once for one in told}) == len(told)


def test_who_was_reminded_already_is_no_news() -> None:
    lately = replace(SILENT, last_automatic_at=PLANNED - 3 * DAY)
    assert noticed(due(DeadlineKind.REMINDER, BEFORE.remind_at, lately, told=frozenset({1}))) == []


@pytest.mark.parametrize(
    ("ahead", "wins"), [(7.5, False), (6.9, True), (3, True), (0.1, True), (-0.1, False)]
)  # fmt: skip
def test_around_the_reminder_no_follow_up_is_written(ahead: float, *, wins: bool) -> None:
    at = PLANNED - ahead * DAY
    event = fell_due(case=OPEN, participant=replace(VENDOR, waiting_on=Waiting.THEM))
    event = replace(event, deadline=replace(event.deadline, due_at=at))
    orders = plan.after(event, Policy(), at)
    assert (orders == [Postpone(2, BEFORE.remind_at + 4 * DAY)]) == wins
    assert bool(written(orders)) != wins


def test_the_reminder_goes_before_no_letter_to_who_is_not_reminded() -> None:
    event = fell_due(case=OPEN, participant=replace(VENDOR, progress="answered"))
    at = BEFORE.remind_at
    event = replace(event, deadline=replace(event.deadline, due_at=at))
    assert written(plan.after(event, Policy(), at)) == [("follow-up-1", "Vendor")]
