"""A case's clocks as the rules look at them: each open deadline with all that decides what comes of it.

A few queries for any number of them.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from mailrouter.case import clocks
from mailrouter.case.events import CaseDue, Drafted, FellDue, Unrecorded
from mailrouter.case.model import Case, Deadline, DeadlineKind, Participant
from mailrouter.case.silence import Attempt, Tried
from mailrouter.flow import beforehand, letters, recordletters, undone
from mailrouter.store import analysts, contacts, drafts, notes, outbox
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


def of_case(
    tx: Connection, case: Case, everyone: Sequence[Participant], deadlines: Sequence[Deadline]
) -> list[CaseDue]:
    """Those of these deadlines that are the case's own, each as if its time had come. `everyone`: its participants."""
    mine = [one for one in deadlines if one.participant_id is None]
    if not mine:
        return []
    reached = contacts.reachable_of(tx, [p.organisation_id for p in everyone])
    reachable = frozenset(p.id for p in everyone if reached[p.organisation_id])
    told, drafted = _told(tx, case, everyone), _drafted(tx, case)
    unrecorded = _unrecorded(tx, case, everyone) if any(one.kind is DeadlineKind.RECORD for one in mine) else ()
    still = tuple(undone.still_open(tx, case)) if case.is_published else ()
    staff = _staff(tx) if any(one.kind is DeadlineKind.APPROVAL for one in mine) else ()
    people = tuple(everyone)
    return [CaseDue(one, case, people, reachable, told[one.kind], drafted, unrecorded, still, staff) for one in mine]


def _staff(tx: Connection) -> tuple[str, ...]:
    return tuple(one.queue for one in analysts.everyone(tx))


def _unrecorded(tx: Connection, case: Case, everyone: Sequence[Participant]) -> tuple[Unrecorded, ...]:
    vendors = {one.organisation_id: one for one in everyone}
    return tuple(
        Unrecorded(one.cve, vendor.name if vendor else "", vendor.id if vendor else None)
        for one in recordletters.unrecorded(tx, case)
        for vendor in [vendors.get(one.cve_vendor_id or 0)]
    )


_LETTERS = {clocks.ALERT: DeadlineKind.ALERT, clocks.REMINDER: DeadlineKind.REMINDER}


def _told(tx: Connection, case: Case, everyone: Sequence[Participant]) -> Mapping[DeadlineKind, frozenset[int]]:
    """To whom a clock's letter was made for the date that is planned now."""
    found: dict[DeadlineKind, frozenset[int]] = defaultdict(frozenset)
    if case.planned_at is None:
        return found
    steps = {
        beforehand.step(one, letter, case.planned_at): (kind, one.id)
        for letter, kind in _LETTERS.items() for one in everyone
    }  # fmt: skip
    for kind, participant_id in map(steps.__getitem__, outbox.steps_made(tx, list(steps))):
        found[kind] |= {participant_id}
    return found


def _drafted(tx: Connection, case: Case) -> Drafted | None:
    newest = notes.newest(tx, case.id)
    if newest is None:
        return None
    shown = [one for one in drafts.of_case(tx, case.id) if one.number == newest.number]
    this = frozenset(one.participant_id for one in shown if one.revision_id == newest.id)
    return Drafted(newest.id, newest.name, this, frozenset(one.participant_id for one in shown))
