"""A case's clocks as the rules look at them: each open deadline with all that decides what comes of it.

Two queries for any number of them.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from mailrouter.case.events import FellDue
from mailrouter.case.model import Case, Deadline, Participant
from mailrouter.case.silence import Attempt, Tried
from mailrouter.flow import letters
from mailrouter.store import contacts, outbox
from mailrouter.store.outbox import Asked

Began = tuple[bool, datetime | None]


def of_participants(
    tx: Connection, case: Case, participants: Sequence[Participant], deadlines: Sequence[Deadline]
) -> list[FellDue]:
    """Those of these deadlines that are these participants', each as if its time had come."""
    who = {p.id: p for p in participants}
    asked = {one.id: one for one in outbox.asking(tx, list(who))}
    gone_again = {one.again: one for one in asked.values() if one.again is not None}
    attempts = _attempts(asked, gone_again)
    reached = contacts.reachable_of(tx, [p.organisation_id for p in participants])
    return [
        FellDue(
            one, case, whose, *_began(one, asked, gone_again),
            Tried(attempts[whose.id], frozenset(reached[whose.organisation_id])),
        )
        for one in deadlines
        if one.participant_id is not None and (whose := who.get(one.participant_id))
    ]  # fmt: skip


def _attempts(asked: Mapping[int, Asked], gone_again: Mapping[int, Asked]) -> Mapping[int, Sequence[Attempt]]:
    """By participant: the letters that left and did not come back, in the order they left."""
    found = defaultdict(list)
    left = [one for one in asked.values() if one.state == "sent" and one.sent_at and one.id not in gone_again]
    for one in sorted(left, key=lambda one: (one.sent_at, one.id)):
        assert one.sent_at is not None
        found[one.participant_id].append(Attempt(one.recipient, one.sent_at))
    return found


def _began(deadline: Deadline, asked: Mapping[int, Asked], gone_again: Mapping[int, Asked]) -> Began:
    """Of the letter that began a silence (or went again in its place): whether it is held, and when it left."""
    letter = asked.get(letters.began_by(deadline.since) or 0)
    while letter is not None and (instead := gone_again.get(letter.id)):
        letter = instead
    return (letter.state == "held", letter.sent_at) if letter else (False, None)
