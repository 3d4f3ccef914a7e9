"""Orders about the draft of the note: it is shown, and they say that they have it.

Promises: to whom no confidential letter may leave, none is made; the case's analyst hears who that is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mailrouter.case import actions as do
from mailrouter.case.model import Participant
from mailrouter.flow import beforehand
from mailrouter.flow.act.doing import Doing, write
from mailrouter.store import cases, drafts, notes, queues
from mailrouter.store.notes import Revision


@dataclass(frozen=True, slots=True)
class Showing:
    """What became of one participant."""

    participant: Participant
    letter_id: int | None  # None: it may not leave to them


def show_draft(doing: Doing, action: do.ShowDraft) -> None:
    """By the clock: an analyst ordered it before."""
    show(doing, action.participants, notes.get(doing.tx, action.revision_id))


def show(doing: Doing, participants: Sequence[Participant], revision: Revision) -> list[Showing]:
    """One letter to each who can read it and has not seen this draft."""
    assert doing.case is not None
    done = [Showing(one, _letter(doing, one, revision)) for one in participants]
    cases.change(doing.tx, doing.case.id, share_ordered_by="")
    without = [one.participant for one in done if one.letter_id is None]
    if without:
        _tell(doing, without, revision)
    return done


def _letter(doing: Doing, participant: Participant, revision: Revision) -> int | None:
    assert doing.case is not None
    if not beforehand.can_read(doing.tx, participant, doing.now):
        return None
    letter_id = beforehand.draft(doing.tx, doing.tools, doing.case, participant, revision, doing.now)
    if letter_id is not None:
        told = {"letter": letter_id, "participant": participant.id, "revision": revision.number}
        write(doing, doing.case, "draft.shown", **told, draft=revision.draft, sha256=revision.sha256)
    return letter_id


def _tell(doing: Doing, without: Sequence[Participant], revision: Revision) -> None:
    assert doing.case is not None
    names, vu = ", ".join(one.name for one in without), doing.case.vu
    why = (
        f"{revision.name} of the note was not shown to {names}: no usable key, no consent to clear text; once there is"
        f" one: `mailrouter note share {vu}`"
    )
    once = f"draft:{revision.id}:{doing.at:%Y-%m-%d}:without-key"
    queues.add_notice(doing.tx, doing.case.queue, why, doing.now, once=once, case_id=doing.case.id)


def draft_seen(doing: Doing, action: do.DraftSeen) -> None:
    """A mail of theirs says so, or answers the letter."""
    assert doing.mail is not None
    message_id = doing.mail.message_id
    comment = message_id if action.comments else None
    by = f"message:{message_id}" if action.sure else ""
    drafts.seen(doing.tx, action.revision_id, action.participant.id, doing.now, by, comment)
    revision = notes.get(doing.tx, action.revision_id)
    told = {"participant": action.participant.id, "revision": revision.number, "draft": revision.draft}
    kind = "draft.acknowledged" if action.sure else "draft.commented"
    write(doing, doing.case, kind, **told, message=message_id, comments=action.comments)
