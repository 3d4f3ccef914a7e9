"""Drafts of a note: written by an analyst, made anew with the facts of now, or proposed by what came in.

Promises: a draft never changes; every change is another draft, with the facts of the moment it was made, and approvals
of its own; one cause proposes one draft.
"""

from collections.abc import Iterable

from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.case import notediff, notetext, revised
from mailrouter.case.model import Case, Participant
from mailrouter.case.note import IMPACT_UNKNOWN, Note, Sections
from mailrouter.flow.actor import Actor, case_held, need_analyst, note, taking_part
from mailrouter.flow.composing import facts
from mailrouter.store import cases, descriptions, journal, notes
from mailrouter.store.notes import Addendum, Revision
from mailrouter.tools import Tools

FIRST = "First published"  # why there is a revision 1, as its readers see it
UPDATED = "Vendor information updated"


def write(tools: Tools, actor: Actor, vu: int, sections: Sections, why: str = "") -> Revision:
    """The next draft, with this text. `why`: what readers are told of the revision; '' : as the draft before says.

    `Refused` for a revision after the first without any; `Illegal` when the newest draft is exactly this.
    """
    need_analyst(actor, "writing a note")
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        before = notes.newest(tx, case.id)
        why = why or _why(before) or _refused_without(vu)
        return _make(tx, tools, case, sections, actor.name, why=why, before=before)


def refresh(tools: Tools, actor: Actor, vu: int, why: str = "") -> tuple[Revision, list[str]]:
    """The next draft: the newest text with the facts of now, and what changed. `Illegal` when nothing did."""
    need_analyst(actor, "making a draft of a note")
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        before = _newest(tx, case)
        made = _make(tx, tools, case, before.note.sections, actor.name, why=why or _why(before) or UPDATED,
                     before=before)  # fmt: skip
        return made, notediff.changed(before.note, made.note)


def propose(tx: Connection, tools: Tools, case: Case, *, why: str, cause: str, by: str) -> Revision | None:
    """A draft with the newest text and the facts of now, because of `cause` (`statement:7`): an analyst looks at it.

    The same cause proposes once. None while there is no note, or when its facts are those of the newest draft. Call
    with the case locked; `why` stands in the published history.
    """
    before = notes.newest(tx, case.id)
    known = notes.of_cause(tx, case.id, cause)
    if before is None or known is not None:
        return known
    fresh = facts.gather(tx, tools, case, before.note.sections)
    if fresh == before.note:
        return None
    return _make(tx, tools, case, before.note.sections, by, why=_also(before, fresh, why), before=before, cause=cause)


def _make(
    tx: Connection, tools: Tools, case: Case, sections: Sections, by: str, *, why: str, before: Revision | None,
    cause: str = "",
) -> Revision:  # fmt: skip
    text = notetext.write(sections)
    fresh = facts.gather(tx, tools, case, sections)
    if before is not None and (fresh, why) == (before.note, _why(before) or why):
        raise faults.Illegal(f"nothing changed since {before.name} of the note on VU#{case.vu}")
    same_text = before is not None and before.text == text
    made = notes.make(
        tx, case.id, fresh, text, tools.now(), by=by, written_by=before.written_by if same_text and before else by,
        why=why, cause=cause,
    )  # fmt: skip
    journal.write(tx, journal.case_chain(case.id), tools.now(), "note.drafted", by,
                  revision=made.number, draft=made.draft, sha256=made.sha256, cause=cause)  # fmt: skip
    return made


def _why(before: Revision | None) -> str:
    """What the working revision's last draft says; '' when a new revision begins and it is not the first."""
    if before is None:
        return FIRST
    return before.why if before.decided_at is None else ""


def _also(before: Revision, fresh: Note, why: str) -> str:
    """What the revision that is worked on says already, and this; the first was never anything else than published."""
    if before.decided_at is not None:
        return why
    if before.number == 1:
        return before.why
    return revised.without(f"{before.why}; {why}", [before.note], fresh)


def _refused_without(vu: int) -> str:
    raise faults.Refused(f"VU#{vu} is published: say --why there is another revision; its readers see it")


def _newest(tx: Connection, case: Case) -> Revision:
    found = notes.newest(tx, case.id)
    if found is None:
        raise faults.NotFound(f"VU#{case.vu} has no note; `mailrouter note write VU#{case.vu}` writes its first draft")
    return found


# ---- the beginning ---------------------------------------------------------------------------------------------------

NAMED = "Thanks to {} for reporting this vulnerability."
HIDDEN = "Thanks to the reporter, who wishes to remain anonymous."


def template(tx: Connection, case: Case) -> str:
    """A file to begin with: the case's title, what vendors were told, thanks to whom may be named."""
    told = descriptions.newest(tx, case.id)
    everyone = cases.participants_of(tx, [case.id])
    return notetext.write(
        Sections(
            title=notetext.line(case.title),
            overview="", description=notetext.plain(told.text) if told else "", impact=IMPACT_UNKNOWN, solution="",
            acknowledgements="\n\n".join(_thanks(everyone)),
        )
    )  # fmt: skip


def _thanks(everyone: Iterable[Participant]) -> Iterable[str]:
    reporters = [one for one in everyone if one.is_reporter]
    named = [one.name for one in reporters if one.credit and not one.anonymous]
    if named:
        yield NAMED.format(notetext.plain(_listed(named)))
    if len(named) < len(reporters):
        yield HIDDEN


def _listed(names: list[str]) -> str:
    *some, last = names
    return f"{', '.join(some)} and {last}" if some else last


# ---- what we say of a vendor -----------------------------------------------------------------------------------------


def addendum(
    tools: Tools, actor: Actor, vu: int, vendor: str, text: str, links: Iterable[str]
) -> Addendum:  # fmt: skip
    """What the note says of a vendor besides its own statement; '' says nothing any more. The next draft shows it."""
    need_analyst(actor, "an addendum")
    kept = notetext.check(text, "the addendum")
    addresses = tuple(dict.fromkeys(notetext.link(one) for one in links))
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        whose = taking_part(tx, case, vendor)
        if not whose.is_vendor:
            raise faults.Illegal(f"{whose.name} takes no part as a vendor in VU#{vu}")
        made = Addendum(whose.id, kept, addresses, tools.now(), actor.name)
        notes.add(tx, made)
        note(tx, tools, actor, "note.addendum", case, participant=whose.id, links=len(addresses))
        return made
