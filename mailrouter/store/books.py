"""The books: accepted = filed + review + triage + bounces + quarantined + pending, per door.

`accepted` is the doors' own tally, written in the commit that stores a mail; the rest is counted where the mails lie
now.
"""

from dataclasses import dataclass

from sqlalchemy import Connection

from mailrouter.case.model import Place
from mailrouter.store import inbox, messages


@dataclass(frozen=True, slots=True)
class Line:
    """One door's account."""

    door: str
    accepted: int
    filed: int
    review: int
    triage: int
    bounces: int
    quarantined: int
    pending: int

    @property
    def balanced(self) -> bool:
        """Whether every accepted mail lies somewhere."""
        lie = self.filed + self.review + self.triage + self.bounces + self.quarantined + self.pending
        return self.accepted == lie


@dataclass(frozen=True, slots=True)
class Books:
    """All doors."""

    lines: tuple[Line, ...]

    @property
    def total(self) -> Line:
        """The doors together."""
        names = ("accepted", "filed", "review", "triage", "bounces", "quarantined", "pending")
        return Line("all", **{n: sum(getattr(line, n) for line in self.lines) for n in names})

    @property
    def balanced(self) -> bool:
        """Whether each door's account balances."""
        return all(line.balanced for line in self.lines)


def count(tx: Connection) -> Books:
    """The books as they stand in this transaction."""
    accepted, pending = inbox.accepted(tx), inbox.pending(tx)
    places, retried = messages.places(tx), messages.being_retried(tx)
    doors = sorted({*accepted, *pending, *(door for door, _ in places)})

    def lies(door: str, place: Place) -> int:
        return places.get((door, place), 0) - retried.get((door, place), 0)

    return Books(
        tuple(
            Line(
                door,
                accepted.get(door, 0),
                lies(door, Place.FILED),
                lies(door, Place.REVIEW),
                lies(door, Place.TRIAGE),
                lies(door, Place.BOUNCES),
                lies(door, Place.QUARANTINE),
                pending.get(door, 0),
            )
            for door in doors
        )
    )
