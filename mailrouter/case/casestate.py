"""Case state (CS of the Vultron protocol): six bits, each set once, and what follows when one is set.

Three are a vendor's (aware, fix ready, fix deployed), three the case's (public, exploit public, attacks seen). They are
kept as the instants since when they are set; the tables are in `lifecycle.py`.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from mailrouter import faults
from mailrouter.case import lifecycle
from mailrouter.case.model import Case, Participant

FIX = {"aware": "aware_at", "ready": "fix_ready_at", "deployed": "fix_deployed_at"}  # move -> column of participants
BITS = {"public": "public_at", "exploit": "exploit_public_at", "attacks": "attacks_at"}  # move -> column of cases


def of_vendor(one: Participant) -> str:
    """As the table names it: vfd, Vfd, VFd, VFD."""
    return _named("vfd", (one.aware_at, one.fix_ready_at, one.fix_deployed_at))


def of_case(case: Case) -> str:
    """As the table names it: pxa, Pxa, PXa, pxA, PxA, PXA."""
    return _named("pxa", (case.public_at, case.exploit_public_at, case.attacks_at))


def _named(letters: str, since: tuple[datetime | None, ...]) -> str:
    return "".join(letter.upper() if at is not None else letter for letter, at in zip(letters, since, strict=True))


def fix(one: Participant, verb: str, at: datetime) -> dict[str, datetime]:
    """The columns that change when a vendor is `aware`, or has its fix `ready` or `deployed` at that instant.

    `Illegal` when it may not be set then: each once, in this order, and on no day before the one that it follows. A day
    alone is its midnight: on the same day it counts from what it follows.
    """
    lifecycle.move(lifecycle.VENDOR, verb, of_vendor(one))
    before, since = {"ready": ("aware", one.aware_at), "deployed": ("ready", one.fix_ready_at)}.get(verb, ("", None))
    if since is None:
        return {FIX[verb]: at}
    if at.date() < since.date():
        raise faults.Illegal(f"cannot be {verb} on {at:%Y-%m-%d}: {before} only since {since:%Y-%m-%d}; give that day")
    return {FIX[verb]: max(at, since)}


def informed(one: Participant, at: datetime) -> dict[str, Any]:
    """The columns that change once a participant knows: it has received the report, and a vendor is aware of it."""
    rm = lifecycle.follow(lifecycle.REPORT, lifecycle.TOLD, one.rm)[-1]
    columns: dict[str, Any] = {} if rm == one.rm else {"rm": rm}
    return columns | ({"aware_at": at} if one.is_vendor and one.aware_at is None else {})


@dataclass(frozen=True, slots=True)
class Follows:
    """What a bit of the case changes."""

    columns: dict[str, datetime]  # of the case
    embargo: list[str]  # the states of EM on the way; one alone: it stays
    makes_aware: bool  # every vendor that was not


def sets(case: Case, verb: str, at: datetime) -> Follows:
    """What it means for the case that it is `public`, an `exploit` is, or `attacks` are seen, since that instant.

    An exploit that is public makes the vulnerability public; what is public ends the embargo and makes every vendor
    aware. Attacks do not end it: they should, and a person decides. `Illegal` when it is set already.
    """
    before = of_case(case)
    after = lifecycle.move(lifecycle.PUBLIC, verb, before)
    new = [bit for bit, was, now in zip(BITS, before, after, strict=True) if was != now]
    public = "public" in new
    ends = ("terminate", "reject") if public or verb == "exploit" else ()
    way = lifecycle.follow(lifecycle.EMBARGO, ends, case.embargo)
    return Follows({BITS[bit]: at for bit in new}, way, makes_aware=public)


def with_embargo_ended(case: Case, follows: Follows) -> Follows:
    """The same, and an analyst ends the embargo for it. `Illegal` when there is none to end."""
    if len(follows.embargo) > 1:
        return follows
    return replace(follows, embargo=[case.embargo, lifecycle.move(lifecycle.EMBARGO, "terminate", case.embargo)])


def may_begin_embargo(case: Case) -> bool:
    """None once it is public, an exploit is, or attacks were seen (DOMAIN.md, EM)."""
    return of_case(case) == "pxa"
