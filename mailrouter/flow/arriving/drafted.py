"""Which draft of the note a mail says that its sender has: the one whose letter it answers.

A mail that answers no letter with a draft says so only by the line of the form, and only where it can mean one draft:
a mail that was on its way while another draft left acknowledges nothing that its sender had not seen.
"""

from sqlalchemy import Connection

from mailrouter.case.events import DraftAnswer
from mailrouter.case.model import Participant
from mailrouter.flow import beforehand
from mailrouter.flow.arriving.lookup import Known, Read
from mailrouter.mail import draftform, parse
from mailrouter.store import drafts, outbox
from mailrouter.store.drafts import ShownDraft


def answer(tx: Connection, read: Read, known: Known, participant: Participant | None) -> DraftAnswer | None:
    """None when it says nothing of a draft. One query of those who were shown none."""
    shown = drafts.of_participant(tx, participant.id) if participant is not None else []
    if not shown:
        return None
    said = draftform.read(read.words.decode("utf-8", "replace"))
    answered = _answered(tx, read, known, shown)
    which = answered or (_only(shown) if said.seen else None)
    if which is None:
        return None
    return DraftAnswer(which.revision_id, answered is not None, said.comments or _brings_files(read))


def _brings_files(read: Read) -> bool:
    opened = read.opened
    inside = parse.mail(opened.content) if opened.content is not None and opened.content_is_entity else read.mail
    return bool(inside.attachments)


def _answered(tx: Connection, read: Read, known: Known, shown: list[ShownDraft]) -> ShownDraft | None:
    """By the letter it answers itself; one that came back and went again is the same draft's."""
    letter_id = next((known.ours.by_message_id.get(one) for one in read.hints.references[:1]), None)
    if letter_id is None:
        return None
    letter = outbox.get(tx, letter_id)
    if letter.name != beforehand.DRAFT:
        return None
    first = outbox.first_of(tx, letter)
    return next((one for one in shown if one.letter_id == first), None)


def _only(shown: list[ShownDraft]) -> ShownDraft | None:
    return shown[0] if len(shown) == 1 else None
