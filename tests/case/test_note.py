"""A note as data: what is kept is what is shown, and has one digest."""

from hypothesis import given

from mailrouter.case import note
from tests.case import notes


@given(notes.notes())
def test_a_note_is_kept_whole(one):
    kept = note.to_json(one)
    assert note.from_json(kept) == one
    assert note.to_json(note.from_json(kept)) == kept
    assert len(note.digest(kept)) == 64


@given(notes.editions())
def test_an_edition_was_public_no_later_than_it_was_published(one):
    assert one.public_at <= one.first_published_at <= one.updated_at
    assert one.number == len(one.history)
