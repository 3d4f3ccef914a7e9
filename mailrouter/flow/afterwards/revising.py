"""What changes after publication asks for another revision: its draft is made by itself, and an analyst looks at it.

Promises: nothing is published by it; several changes before the next publication are one revision, whose history names
them all; what readers would not see proposes nothing. Works in the caller's transaction, with the case locked.
"""

from sqlalchemy import Connection

from mailrouter.case import actions as do
from mailrouter.case import revised
from mailrouter.case.model import Case
from mailrouter.flow import act
from mailrouter.flow.actor import Actor, case_held
from mailrouter.flow.composing import facts, writing
from mailrouter.store import journal, notes, queues
from mailrouter.store.notes import Revision
from mailrouter.tools import Tools

PROPOSED = (
    "{name} of the note on VU#{vu} is proposed: {why}; `mailrouter note show {vu}`, then"
    " `note approve {vu} --draft {draft}`, `note publish`"
)


def look(tx: Connection, tools: Tools, case: Case, cause: str, by: str) -> Revision | None:
    """A draft with the facts of now, if readers would see anything new in it; None: they would not, or there is no
    published note. `cause`: `statement:7`, `status:3`, as the draft's row says it.
    """
    newest = notes.newest(tx, case.id) if case.published_at is not None else None
    if newest is None:
        return None
    changes = revised.changes(newest.note, facts.gather(tx, tools, case, newest.note.sections))
    if not changes:
        return None
    why = "; ".join(changes)
    made = writing.propose(tx, tools, case, why=why, cause=f"{cause}, after {newest.id}", by=by)
    if made is not None:
        _goes_on(tx, tools, case, by)
        _tell(tx, tools, case, newest, made)
    return made


def _goes_on(tx: Connection, tools: Tools, case: Case, by: str) -> None:
    """A case that was closed is open again: there is something to be published."""
    doing = act.Doing(tx, tools, tools.now(), tools.now(), by, case)
    act.perform(doing, [do.Reopen("its note is to be revised")])


def _tell(tx: Connection, tools: Tools, case: Case, former: Revision, made: Revision) -> None:
    """One notice at a time: the newest draft holds what the ones before it did."""
    queues.done_once(tx, _once(former), "mailrouter", tools.now())
    why = PROPOSED.format(name=made.name, vu=case.vu, why=made.why, draft=made.draft)
    queues.add_notice(tx, case.queue, why, tools.now(), once=_once(made), case_id=case.id)
    told = {"queue": case.queue, "once": _once(made)}
    journal.write(tx, journal.case_chain(case.id), tools.now(), "notice", "mailrouter", **told)


def _once(one: Revision) -> str:
    return f"revision:{one.id}"


def after(tools: Tools, actor: Actor, vu: int, cause: str) -> Revision | None:
    """The same in a transaction of its own, after a command that changed what the note shows."""
    with tools.db.write() as tx:
        return look(tx, tools, case_held(tx, vu), cause, actor.name)
