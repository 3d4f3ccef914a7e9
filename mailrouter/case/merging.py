"""Two cases become one: what a participant of both is afterwards, and which date stands."""

from datetime import datetime
from typing import Any

from mailrouter.case.lifecycle import REPORT, states
from mailrouter.case.model import ROLES, Participant, Waiting

FIRST = (Waiting.US, Waiting.THEM, Waiting.NOBODY)  # of two turns, the one that goes on
FURTHEST = (  # of two that happened, the one that counts
    "disputed", "answered", "acknowledged", "non-responsive", "contacted", "undeliverable", "not contacted",
    "suspected",
)  # fmt: skip
DEALT = [state for state in states(REPORT) if state != "CLOSED"]  # how far a report was dealt with, by its table


def earliest(*instants: datetime | None) -> datetime | None:
    """The first of those there are."""
    return min((one for one in instants if one is not None), default=None)


def joined(one: Participant, same: Participant) -> tuple[dict[str, Any], bool]:
    """The columns of `same` once `one`, its row in the old case, is joined to it; and whether the old turn goes on.

    Who was anonymous in either stays so; what was agreed with them in the case that goes on holds.
    """
    takes_turn = FIRST.index(one.waiting_on) < FIRST.index(same.waiting_on)
    columns: dict[str, Any] = {
        "roles": " ".join(role for role in ROLES if role in (*one.roles, *same.roles)),
        "progress": min(one.progress, same.progress, key=FURTHEST.index),
        "rm": same.rm if same.rm == "CLOSED" else max(same.rm, one.rm, key=_dealt),
        "anonymous": one.anonymous or same.anonymous, "their_ref": same.their_ref or one.their_ref,
        "aware_at": earliest(one.aware_at, same.aware_at),
        "first_contact_at": earliest(one.first_contact_at, same.first_contact_at),
        "last_heard_at": latest(one.last_heard_at, same.last_heard_at),
        "last_automatic_at": latest(one.last_automatic_at, same.last_automatic_at),
    }  # fmt: skip
    if takes_turn:
        columns |= {"waiting_on": str(one.waiting_on), "since": one.since, "wait_until": one.wait_until}
        columns["follow_ups_sent"] = one.follow_ups_sent
    return columns, takes_turn


def latest(*instants: datetime | None) -> datetime | None:
    """The last of those there are."""
    return max((one for one in instants if one is not None), default=None)


def _dealt(rm: str) -> int:
    return DEALT.index(rm) if rm in DEALT else -1
