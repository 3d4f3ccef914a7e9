"""Non-responsive: when a vendor's silence is so long, and was tried so often, that we go on without it.

Two rules (DOMAIN.md, "The way of a case" 5). One that was in contact once: at least two letters that ask have left
since its last sign of life, that is two weeks ago, and the date it gave has passed, or it gave none and its last answer
is six weeks old. One that never answered: at least two letters have left, to two addresses if two are known, the first
of them two weeks ago.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailrouter.case.model import Participant
from mailrouter.case.policy import Policy

NON_RESPONSIVE = "non-responsive"  # progress
NO_WAY = "undeliverable"  # nobody can be silent who cannot be reached
A_DAY = timedelta(days=1)
ADDRESSES = 2  # that are tried, if so many are known


@dataclass(frozen=True, slots=True)
class Attempt:
    """A letter that asks, which the relay took and which did not come back."""

    address: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Tried:
    """All we did to reach a participant, and what more we could do."""

    attempts: Sequence[Attempt] = ()  # in the order they left
    addresses: frozenset[str] = frozenset()  # of theirs that take mail, as far as we know


def holds_from(participant: Participant, tried: Tried, policy: Policy) -> datetime | None:
    """Since when, or from when on if nothing is heard, the rule holds. None: not before we have tried again."""
    enough = _enough(participant, tried, policy)
    return None if enough is None else max(enough, _silent_enough(participant, tried, policy))


def look_again(participant: Participant, tried: Tried, policy: Policy, at: datetime) -> datetime:
    """When to hold the rule against them next, when it does not hold at `at`: as soon as it could."""
    holds = holds_from(participant, tried, policy)
    return holds if holds is not None else max(_silent_enough(participant, tried, policy, at), at + A_DAY)


def _enough(participant: Participant, tried: Tried, policy: Policy) -> datetime | None:
    """When the attempt left that made them enough; None while they are too few, or all to one address."""
    since = _since(participant, tried)
    if len(since) < policy.non_responsive_attempts:
        return None
    enough = since[policy.non_responsive_attempts - 1].at
    if participant.last_heard_at is not None:
        return enough
    others = _others(since, tried)
    return None if others is None else max(enough, others)


def _since(participant: Participant, tried: Tried) -> Sequence[Attempt]:
    heard = participant.last_heard_at
    return [one for one in tried.attempts if heard is None or one.at > heard]


def _others(since: Sequence[Attempt], tried: Tried) -> datetime | None:
    """When the second address was tried, or the only one that is known; None while one is left."""
    first_at: dict[str, datetime] = {}
    for one in since:
        first_at.setdefault(one.address, one.at)
    wanted = min(ADDRESSES, len(tried.addresses | first_at.keys()))
    return sorted(first_at.values())[wanted - 1] if len(first_at) >= wanted else None


def _silent_enough(participant: Participant, tried: Tried, policy: Policy, at: datetime | None = None) -> datetime:
    """When they will have been silent for long enough. `at` stands in for a first letter that has not left."""
    heard, days = participant.last_heard_at, timedelta(days=policy.non_responsive_days)
    if heard is None:
        first = tried.attempts[0].at if tried.attempts else at
        assert first is not None  # asked only where something left, or with `at`
        return first + days
    agreed = participant.fix_expected_at or heard + timedelta(weeks=policy.non_responsive_weeks)
    return max(heard + days, agreed)
