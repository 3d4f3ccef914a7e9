"""The note's rows: numbers and drafts, what is decided, who approved what."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from mailrouter.case.note import Note, Sections
from mailrouter.store import analysts, cases, contacts, notes, tables
from mailrouter.store.engine import Database
from mailrouter.store.notes import Revision

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
NOTE = Note(123456, Sections("A flaw", "o", "d", "i", "s", "a"), (), (), None)


def draft(tx: Connection, case_id: int, note: Note = NOTE, why: str = "First published", cause: str = "") -> Revision:
    return notes.make(tx, case_id, note, "# A flaw\n", NOW, by="alice", written_by="alice", why=why, cause=cause)


@pytest.fixture
def tx_case(database: Database):
    with database.write() as tx:
        yield tx, cases.open_case(tx, "A flaw", NOW).id


def test_drafts_count_up_until_one_is_decided(tx_case: tuple[Connection, int]) -> None:
    tx, case_id = tx_case
    assert notes.newest(tx, case_id) is None
    first, second = draft(tx, case_id), draft(tx, case_id, replace(NOTE, public_at=NOW))
    assert [(one.number, one.draft) for one in notes.of_case(tx, case_id)] == [(1, 2), (1, 1)]
    assert (second.note.public_at, first.sha256 == second.sha256) == (NOW, False)
    notes.decide(tx, first.id, "ben", NOW, "attacks")
    third = draft(tx, case_id, why="a statement", cause="statement:7")
    assert ((third.number, third.draft), notes.newest(tx, case_id)) == ((2, 1), third)
    assert notes.of_cause(tx, case_id, "statement:7") == third
    assert notes.of_cause(tx, case_id, "statement:8") is None
    again = notes.get(tx, first.id)
    assert (again.decided_at, again.decided_by, again.emergency) == (NOW, "ben", "attacks")
    assert (again.name, third.name) == ("revision 1", "revision 2, draft 1")
    assert [one.id for one in notes.newest_of_each(tx)] == [third.id]


def test_one_draft_of_a_revision_is_decided(tx_case: tuple[Connection, int]) -> None:
    tx, case_id = tx_case
    first, second = draft(tx, case_id), draft(tx, case_id)
    notes.decide(tx, first.id, "ben", NOW)
    with pytest.raises(IntegrityError), tx.begin_nested():
        notes.decide(tx, second.id, "ben", NOW)


def test_what_was_decided_is_released_once_and_makes_editions(tx_case: tuple[Connection, int]) -> None:
    tx, case_id = tx_case
    assert list(notes.editions(tx)) == notes.not_released(tx) == []
    first = draft(tx, case_id)
    assert notes.edition(tx, first, NOW).history[0].at == NOW
    notes.decide(tx, first.id, "ben", NOW)
    assert [one.id for one in notes.not_released(tx)] == [first.id]
    assert notes.release(tx, first.id, NOW)
    assert not notes.release(tx, first.id, NOW)
    assert notes.not_released(tx) == []
    second = draft(tx, case_id, why="a statement of Acme")
    later = NOW + timedelta(days=1)
    notes.decide(tx, second.id, "ben", later)
    [edition] = notes.editions(tx)
    assert [(one.number, one.at, one.why) for one in edition.history] == [
        (1, NOW, "First published"), (2, later, "a statement of Acme"),
    ]  # fmt: skip
    assert notes.edition(tx, notes.get(tx, second.id)) == edition
    assert notes.edition(tx, notes.get(tx, first.id)).number == 1


def test_a_clock_that_was_put_back_makes_no_revision_older(tx_case: tuple[Connection, int]) -> None:
    tx, case_id = tx_case
    for back in (0, 2, 1):
        notes.decide(tx, draft(tx, case_id).id, "ben", NOW - timedelta(days=back))
    [edition] = notes.editions(tx)
    assert [(one.number, one.at) for one in edition.history] == [
        (1, NOW), (2, NOW + notes.STEP), (3, NOW + 2 * notes.STEP),
    ]  # fmt: skip


def test_the_site_has_the_revision_with_the_highest_number(tx_case: tuple[Connection, int]) -> None:
    """Whatever dates an older program left behind."""
    tx, case_id = tx_case
    for back in (0, 1):
        one = draft(tx, case_id).id
        notes.decide(tx, one, "ben", NOW)
        then = tables.revisions.update().where(tables.revisions.c.id == one)
        tx.execute(then.values(decided_at=NOW - timedelta(days=back)))
    assert [one.number for one in notes.editions(tx)] == [2]
    assert notes.published(tx) == {cases.get(tx, case_id).vu: 2}


def test_approvals_are_of_one_content(tx_case: tuple[Connection, int]) -> None:
    tx, case_id = tx_case
    ben = analysts.add(tx, {"name": "ben", "login": "ben"}).id
    first, second = draft(tx, case_id), draft(tx, case_id)
    assert notes.approve(tx, first, ben, NOW)
    assert not notes.approve(tx, first, ben, NOW)
    assert [(one.analyst, one.sha256) for one in notes.approved(tx, first)] == [("ben", first.sha256)]
    assert notes.approved(tx, second) == []
    assert notes.unapprove(tx, first.id, ben)
    assert not notes.unapprove(tx, first.id, ben)
    notes.override(tx, notes.Override(first.id, "date", "attacks", "alice", NOW))
    assert [one.condition for one in notes.overridden(tx, first.id)] == ["date"]


def test_the_newest_addendum_is_what_we_say(tx_case: tuple[Connection, int]) -> None:
    tx, case_id = tx_case
    acme = cases.add_participant(tx, case_id, contacts.add(tx, "Acme").id, "vendor").id
    for text in ("first", "second"):
        notes.add(tx, notes.Addendum(acme, text, ("https://a.example/1", "https://a.example/2"), NOW, "alice"))
    [(whose, addendum)] = notes.added(tx, case_id).items()
    assert (whose, addendum.text, len(addendum.links)) == (acme, "second", 2)
