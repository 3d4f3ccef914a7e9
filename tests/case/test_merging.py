"""What a participant of two cases is once they are one."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from mailrouter.case import lifecycle, merging
from mailrouter.case.model import Waiting
from tests.case.people import VENDOR

rows = st.builds(
    replace, st.just(VENDOR), waiting_on=st.sampled_from(Waiting), since=st.sampled_from(["letter:1", "mail:3"]),
    rm=st.sampled_from(lifecycle.states(lifecycle.REPORT)), anonymous=st.booleans(),
    progress=st.sampled_from(lifecycle.states(lifecycle.PROGRESS)),
    roles=st.sampled_from([("vendor",), ("reporter",), ("vendor", "reporter"), ("coordinator",)]),
)  # fmt: skip


@given(rows, rows)
def test_nothing_that_was_known_of_either_is_lost(one: object, same: object) -> None:
    columns, takes_turn = merging.joined(one, same)
    assert set(columns["roles"].split()) == {*one.roles, *same.roles}
    assert columns["anonymous"] is (one.anonymous or same.anonymous)
    assert columns["progress"] in (one.progress, same.progress)
    assert columns["rm"] in (one.rm, same.rm)
    turn = columns["waiting_on"] if takes_turn else same.waiting_on
    assert (turn == Waiting.US) is (Waiting.US in (one.waiting_on, same.waiting_on)), "who waits on us goes on waiting"
    assert takes_turn is False or columns["since"] == one.since


def test_every_state_has_its_place() -> None:
    assert set(merging.FURTHEST) == set(lifecycle.states(lifecycle.PROGRESS))
    assert set(merging.FIRST) == set(Waiting)


def test_earliest_and_latest_of_those_there_are() -> None:
    assert (merging.earliest(None, None), merging.latest(None, None)) == (None, None)
