"""What a mailbox's reader remembers of UIDs for as long as it runs, and so what it fetches next. Pure.

Promises: a UID that was asked for and not given is asked for again until a SEARCH no longer shows it, and the last UID
dealt with (`last`) never passes it before; what was copied once is known to be.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

TRIES = 3  # of a message that is fetched alone and does not come
FOR_EVER = float("inf")


@dataclass(slots=True)
class Memory:
    """Worth nothing under another UIDVALIDITY. Times are the event loop's seconds."""

    uidvalidity: int = -1
    unmarked: set[int] = field(default_factory=set)  # stored by us, and not yet moved or marked
    copied: set[int] = field(default_factory=set)  # of these, in done_folder already, and not yet deleted here
    alone: set[int] = field(default_factory=set)  # did not come, or their batch failed: fetched one by one, last
    tries: Counter[int] = field(default_factory=Counter)
    passed_over: dict[int, float] = field(default_factory=dict)  # until when
    done: set[int] = field(default_factory=set)  # stored and marked where only we count, above our position

    def forget_the_gone(self, there: Collection[int], position: int) -> None:
        """A SEARCH above `position` shows no others than these."""
        found = set(there)
        self.alone &= found
        self.tries = Counter({uid: tries for uid, tries in self.tries.items() if uid in found})
        still = {uid for uid in self.passed_over if uid in found or uid <= position}
        self.passed_over = {uid: self.passed_over[uid] for uid in still}

    def in_order(self, there: Sequence[int], now: float) -> list[int]:
        """Oldest first; last those that are fetched alone; not those that are dealt with, or passed over for now."""
        out = {uid for uid, until in self.passed_over.items() if until > now} | self.unmarked | self.done
        return sorted((uid for uid in there if uid not in out), key=lambda uid: (uid in self.alone, uid))

    def batches(self, sizes: dict[int, int], most: int) -> Iterator[dict[int, int]]:
        """Of `most` bytes each; a larger message is a batch of its own."""
        batch: dict[int, int] = {}
        for uid, size in sizes.items():
            if batch and (uid in self.alone or sum(batch.values()) + size > most):
                yield batch
                batch = {}
            batch[uid] = size
        if batch:
            yield batch

    def came(self, uids: Collection[int]) -> None:
        """These were fetched."""
        self.alone.difference_update(uids)
        for uid in uids:
            self.passed_over.pop(uid, None)
            self.tries.pop(uid, None)

    def failed(self, uid: int) -> bool:
        """A try with this one alone came to nothing; True if it was the last of its TRIES."""
        self.alone.add(uid)
        self.tries[uid] += 1
        if self.tries[uid] < TRIES:
            return False
        del self.tries[uid]
        return True

    def last(self, there: Collection[int]) -> int:
        """After a look in which all of these were dealt with: up to which UID that is so for good."""
        open_still = {uid for uid in (*self.alone, *self.passed_over) if self.passed_over.get(uid, 0) < FOR_EVER}
        return min(open_still) - 1 if open_still else max(there, default=0)
