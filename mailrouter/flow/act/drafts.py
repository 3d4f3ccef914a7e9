"""Orders about the draft of the note: it is shown, and they say that they have it.

Promises: to whom no confidential letter may leave, none is made; the case's analyst hears who that is. A draft that
tells of who is hidden, or shows what it must not any more, is shown to nobody.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mailrouter.case import actions as do
from mailrouter.case.model import Participant
from mailrouter.flow import beforehand, leaking
from mailrouter.flow.act.doing import Doing, write
from mailrouter.flow.composing import since
from mailrouter.flow.leaking.ofnote import Rendered, rendered
from mailrouter.store import cases, drafts, notes, queues
from mailrouter.store.notes import Revision


@dataclass(frozen=True, slots=True)
class Showing:
    """What became of one participant."""

    participant: Participant
    letter_id: int | None  # None: it may not leave to them


def show_draft(doing: Doing, action: do.ShowDraft) -> None:
    """By the clock: an analyst ordered it before, and hears it when it must not be shown. What a mail says that nobody
    opened yet is looked at when its letters leave.
    """
    assert doing.case is not None
    revision = notes.get(doing.tx, action.revision_id)
    why = stops(doing, revision, rendered(doing.tools, notes.edition(doing.tx, revision, doing.now)))
    if why:
        cases.change(doing.tx, doing.case.id, share_ordered_by="")
        _notice(doing, revision, f"{why}; then `mailrouter note share {doing.case.vu}`", "stopped")
    else:
        show(doing, action.participants, revision)


def stops(doing: Doing, revision: Revision, note: Rendered, *, names_ok: bool = False) -> str:
    """Why this draft is shown to nobody, and what to do; '' it may be. As the gate says it before a publication."""
    assert doing.case is not None
    named = leaking.of_note(doing.tx, doing.tools, doing.case, note)
    now = since.of(doing.tx, doing.tools, doing.case, revision.note)
    if named.surely:
        return f"{revision.name} tells of who is hidden: {named.surely}; write it without"
    if now.gone or now.withdrawn:
        return f"{revision.name} shows who left, or what is withdrawn: `mailrouter note refresh {doing.case.vu}` first"
    if named.perhaps and not names_ok:
        return f"{revision.name} may tell of who is hidden: {named.perhaps}; write it without, or --names-ok --why …"
    return ""


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
    _notice(doing, revision, why, "without-key")


def _notice(doing: Doing, revision: Revision, why: str, what: str) -> None:
    assert doing.case is not None
    once = f"draft:{revision.id}:{doing.at:%Y-%m-%d}:{what}"
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
