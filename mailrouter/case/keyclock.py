"""When a contact's key ends: they are written to 60, 30 and 7 days before, our analysts are told once after.

Looked at late, only the latest letter is due, and none when the next one is due within the gap between automatic
letters. A key that a longer-lived one of theirs stands in for is nobody's worry.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

RUNGS = (60, 30, 7)  # days before the end, first to last
FORESEEN = timedelta(days=RUNGS[0])
ENDED = 0  # the rung of what is told afterwards


@dataclass(frozen=True, slots=True)
class Life:
    """How long a pinned key can be encrypted to. `ends`: UTC; None: without an end."""

    fingerprint: str
    ends: datetime | None


def rung_due(ends: datetime, at: datetime, gap: timedelta) -> int | None:
    """The letter due at `at`, by its days before the end; `ENDED` once it is over; None: nothing is due."""
    left = ends - at
    if left <= timedelta(0):
        return ENDED
    passed = [rung for rung in RUNGS if left <= timedelta(days=rung)]
    if not passed:
        return None
    following = next((rung for rung in RUNGS if rung < passed[-1]), None)
    if following is not None and left - timedelta(days=following) < gap:
        return None
    return passed[-1]


def due_at(ends: datetime, rung: int) -> datetime:
    """When this rung fell due."""
    return ends - timedelta(days=rung)


def stood_in_for(key: Life, others: Sequence[Life]) -> bool:
    """Whether another of their keys lives on when this one ends."""
    return any(
        other.fingerprint != key.fingerprint
        and (other.ends is None or (key.ends is not None and other.ends > key.ends))
        for other in others
    )


def step(fingerprint: str, ends: datetime, rung: int) -> str:
    """What happens once for each key, end and rung: a renewed key has letters of its own."""
    return f"key:{fingerprint}:{ends:%Y%m%dT%H%M%S}:{rung}"
