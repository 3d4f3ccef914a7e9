"""What a mailbox's reader remembers of UIDs: nothing that was not given is ever taken for dealt with."""

from hypothesis import given
from hypothesis import strategies as some

from mailrouter.intake.uids import FOR_EVER, TRIES, Memory

UIDS = some.sets(some.integers(1, 40))
SIZES = some.dictionaries(some.integers(1, 1000), some.integers(0, 3000))


def test_the_tries_of_one_message() -> None:
    memory = Memory()
    assert [memory.failed(7) for _ in range(2 * TRIES)] == 2 * [*(TRIES - 1) * [False], True]
    assert memory.alone == {7}
    memory.failed(7)
    memory.came([7])
    assert (memory.alone, memory.tries, memory.passed_over) == (set(), {}, {})


@given(UIDS, UIDS, some.dictionaries(some.integers(1, 40), some.sampled_from([1.0, FOR_EVER])))
def test_the_position_passes_nothing_that_may_still_come(
    there: set[int], alone: set[int], passed_over: dict[int, float]
) -> None:
    memory = Memory(alone=set(alone), passed_over=dict(passed_over))
    memory.forget_the_gone(there, 0)
    last = memory.last(there)
    may_come = {uid for uid in there & (alone | passed_over.keys()) if passed_over.get(uid) != FOR_EVER}
    assert all(uid > last for uid in may_come)
    assert last == (min(may_come) - 1 if may_come else max(there, default=0))


@given(UIDS, UIDS, some.integers(0, 40))
def test_what_a_search_does_not_show_is_gone_unless_it_is_below(there: set[int], known: set[int], low: int) -> None:
    memory = Memory(alone=set(known), passed_over=dict.fromkeys(known, FOR_EVER))
    for uid in known:
        memory.tries[uid] = 1
    memory.forget_the_gone(there, low)
    assert memory.alone == set(memory.tries) == known & there
    assert set(memory.passed_over) == {uid for uid in known if uid in there or uid <= low}


@given(UIDS, UIDS, UIDS, UIDS)
def test_the_order(there: set[int], alone: set[int], unmarked: set[int], done: set[int]) -> None:
    memory = Memory(alone=alone, unmarked=unmarked, done=done, passed_over={3: 10.0, 5: 9.0})
    order = memory.in_order(sorted(there), 9.5)
    assert sorted(order) == sorted(there - unmarked - done - {3})
    together = [uid for uid in order if uid not in alone]
    assert order == sorted(together) + sorted(set(order) - set(together))


@given(SIZES, UIDS, some.integers(1, 5000))
def test_the_batches(sizes: dict[int, int], alone: set[int], most: int) -> None:
    """All of them, once; none above the limit but one alone; and what must be alone shares with none before it."""
    made = list(Memory(alone=alone).batches(sizes, most))
    assert [one for batch in made for one in batch.items()] == list(sizes.items())
    assert all(len(batch) == 1 or sum(batch.values()) <= most for batch in made)
    assert all(uid not in alone for batch in made for uid in list(batch)[1:])
