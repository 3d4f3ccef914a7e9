"""The rows of one case become another's: whose they are changes, and nothing in them."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, exists, select, update

from mailrouter.case.model import DeadlineKind
from mailrouter.store.proposals import OVERTAKEN
from mailrouter.store.tables import (
    addenda,
    cases,
    deadlines,
    descriptions,
    letters,
    messages,
    participants,
    proposals,
    queue_items,
    relays,
    reports,
    revisions,
    shown_drafts,
    statements,
    vendor_statuses,
    vouchers,
)

OF_BOTH = (messages, letters, statements, queue_items)  # each row names its case and its participant
OF_CASE = (*OF_BOTH, proposals)
OF_PARTICIPANT = (*OF_BOTH, vouchers, relays, vendor_statuses)  # all but what a mail filed with both left with both


def move_participant(tx: Connection, participant_id: int, into_id: int, **values: Any) -> None:
    """This row takes part in the other case, with its clocks."""
    mine = participants.c.id == participant_id
    tx.execute(update(participants).where(mine).values(case_id=into_id, **values))
    tx.execute(update(deadlines).where(deadlines.c.participant_id == participant_id).values(case_id=into_id))


def join_participant(tx: Connection, old_id: int, new_id: int, now: datetime) -> None:
    """All that is the one's becomes the other's, but its clocks; its row stays behind."""
    for table in OF_PARTICIPANT:
        _change(tx, table, "participant_id", old_id, new_id)
    _join_proposals(tx, old_id, new_id, now)
    _join_note(tx, old_id, new_id)


def _join_note(tx: Connection, old_id: int, new_id: int) -> None:
    """Which drafts the one was shown; and what we say of it, unless something is said of the other."""
    _change(tx, shown_drafts, "participant_id", old_id, new_id)
    if not tx.execute(select(addenda.c.participant_id).where(addenda.c.participant_id == new_id)).first():
        _change(tx, addenda, "participant_id", old_id, new_id)


def move_revisions(tx: Connection, old_id: int, into_id: int) -> None:
    """Every draft of the old case is the other's, which has none."""
    _change(tx, revisions, "case_id", old_id, into_id)


def _join_proposals(tx: Connection, old_id: int, new_id: int, now: datetime) -> None:
    """A mail that was filed with both says the same of both: the other's stays, the one's waits for nobody."""
    theirs = proposals.alias()
    same = (theirs.c[name] == proposals.c[name] for name in ("message_id", "what", "vulnerability"))
    mine = proposals.c.participant_id == old_id
    free = mine & ~exists().where(theirs.c.participant_id == new_id, *same)
    tx.execute(update(proposals).where(free).values(participant_id=new_id))
    over = {"outcome": OVERTAKEN, "decided_at": now}
    tx.execute(update(proposals).where(mine, proposals.c.outcome == "").values(over))


def move_case(tx: Connection, old_id: int, into_id: int, queue: str, new_queue: str) -> None:
    """All else that is the old case's becomes the other's; what waits for its owner waits for the other's."""
    waits = (queue_items.c.case_id == old_id) & (queue_items.c.queue == queue) & queue_items.c.done_at.is_(None)
    tx.execute(update(queue_items).where(waits).values(queue=new_queue))
    for table in (*OF_CASE, reports):
        _change(tx, table, "case_id", old_id, into_id)
    tx.execute(update(cases).where(cases.c.merged_into_id == old_id).values(merged_into_id=into_id))


def _change(tx: Connection, table: Table, column: str, old: int, new: int) -> None:
    tx.execute(update(table).where(table.c[column] == old).values({column: new}))


def move_clocks(tx: Connection, old_id: int, new_id: int, into_id: int) -> None:
    """What is still to fall due with the one falls due with the other; of a mail that was with both, once."""
    coming = (deadlines.c.participant_id == old_id) & deadlines.c.done_at.is_(None)
    for row in tx.execute(select(deadlines).where(coming)).all():
        key = {"case_id": into_id, "participant_id": new_id, "kind": row.kind, "since": row.since, "rung": row.rung}
        same = [deadlines.c[name] == value for name, value in key.items()]
        again = {"due_at": row.due_at, "done_at": None, "outcome": ""}
        if not tx.execute(update(deadlines).where(*same).values(again)).rowcount:
            tx.execute(update(deadlines).where(deadlines.c.id == row.id).values(key))


def move_descriptions(tx: Connection, old_id: int, into_id: int) -> bool:
    """The old case's descriptions, if the other has none; False if it has, and they stay."""
    if tx.execute(select(descriptions.c.id).where(descriptions.c.case_id == into_id)).first():
        return False
    _change(tx, descriptions, "case_id", old_id, into_id)
    return True


def close_clocks(tx: Connection, case_id: int, now: datetime, outcome: str) -> None:
    """Nothing falls due any more in this case; what its reports wait for does."""
    mine = (deadlines.c.case_id == case_id) & deadlines.c.done_at.is_(None)
    mine &= deadlines.c.kind != str(DeadlineKind.DECISION)
    tx.execute(update(deadlines).where(mine).values(done_at=now, outcome=outcome))


def renumber_proposals(tx: Connection, case_id: int, numbers: dict[int, int]) -> None:
    """What mails say of a vulnerability by its old number, or of the case as a whole, if it was about one."""
    found = tx.execute(select(proposals).where(proposals.c.case_id == case_id)).all()
    apart = {_thing(row) for row in found if row.vulnerability}
    further = max(numbers.values(), default=0) - max(numbers, default=0)  # of none there was, none is meant
    whole = next(iter(numbers.values())) if len(numbers) == 1 else 0
    for row in sorted(found, key=lambda row: -row.vulnerability):  # upwards: no number is given while it is taken
        others = row.vulnerability + further if row.vulnerability else 0 if _thing(row) in apart else whole
        number = numbers.get(row.vulnerability, others)
        tx.execute(update(proposals).where(proposals.c.id == row.id).values(vulnerability=number))


def _thing(row: Any) -> tuple[int, int, str]:
    return row.message_id, row.participant_id, row.what
