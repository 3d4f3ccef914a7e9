"""The decision that there is no note: recorded with its reason, told to everybody who was contacted, taken back."""

from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.case import lifecycle
from mailrouter.case.model import Case
from mailrouter.flow import act
from mailrouter.flow.actor import Actor, case_held, done_by, need_analyst, note
from mailrouter.flow.embargo import telling
from mailrouter.flow.notes.deciding import BEFORE
from mailrouter.flow.timing import publication
from mailrouter.store import cases, queues, vulnerabilities
from mailrouter.tools import Tools

LETTER = "not-published"
DECIDED, UNDONE = "note.not-published", "note.not-published-undone"  # kinds of journal rows


def decide(tools: Tools, actor: Actor, vu: int, why: str) -> list[int]:
    """No clock before a publication runs any more; ids of the letters. `Illegal` once something is published."""
    need_analyst(actor, "deciding not to publish")
    tools.own_key()  # letters name it; outside the transaction, it may have to be made
    with tools.db.write() as tx:
        case = _unpublished(case_held(tx, vu))
        if case.not_published_at is not None:
            raise faults.Illegal(f"that was decided of VU#{vu} before{done_by(tx, case, DECIDED)}")
        decided = {"not_published_at": tools.now(), "not_published_by": actor.name, "not_published_why": why}
        cases.change(tx, case.id, **decided)
        cases.close_clocks(tx, case.id, BEFORE, tools.now(), "not published")
        note(tx, tools, actor, DECIDED, case, why=why)
        _give_back(tx, tools, case)
        doing = act.Doing(tx, tools, tools.now(), tools.now(), actor.name, case)
        return telling.everybody(doing, cases.get(tx, case.id), LETTER, _step(tools), lambda _: {})


def undo(tools: Tools, actor: Actor, vu: int, why: str) -> Case:
    """There may be a note after all; the clocks run to the date there was."""
    need_analyst(actor, "deciding not to publish")
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        if case.not_published_at is None:
            raise faults.Illegal(f"nobody decided that there is no note on VU#{vu}")
        cases.change(tx, case.id, not_published_at=None, not_published_by="", not_published_why="")
        note(tx, tools, actor, UNDONE, case, why=why)
        after = cases.get(tx, case.id)
        if after.is_open:
            publication.goes_on(tx, after, tools.settings.policy, since=_step(tools))
        return after


def _unpublished(case: Case) -> Case:
    if case.published_at is not None:
        raise faults.Illegal(f"the note on VU#{case.vu} is published since {case.published_at:%Y-%m-%d}")
    if "close" not in lifecycle.legal(lifecycle.CASE, case.state):
        raise faults.Illegal(f"VU#{case.vu} is {case.state}")
    return case


def _give_back(tx: Connection, tools: Tools, case: Case) -> None:
    """An ID that we reserved stays reserved for ever unless somebody rejects it."""
    ours = [one.cve for one in vulnerabilities.of_case(tx, case.id) if one.cve_source == "reserved" and one.cve]
    if ours:
        why = f"there will be no note: reject {', '.join(ours)}, unless a record is published all the same"
        queues.add_notice(tx, case.queue, why, tools.now(), once=f"{case.id}:{_step(tools)}", case_id=case.id)


def _step(tools: Tools) -> str:
    """A decision that was taken back may be taken again, and told again."""
    return f"{LETTER}:{tools.now():%Y%m%dT%H%M%S}"
