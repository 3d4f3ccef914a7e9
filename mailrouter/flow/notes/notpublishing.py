"""The decision that there is no note: recorded with its reason, told to everybody who was contacted, taken back."""

from mailrouter import faults
from mailrouter.case import lifecycle
from mailrouter.case.model import Case
from mailrouter.flow import act, publication
from mailrouter.flow.actor import Actor, case_held, done_by, need_analyst, note
from mailrouter.flow.embargo import telling
from mailrouter.flow.notes.deciding import BEFORE
from mailrouter.store import cases, cves
from mailrouter.tools import Tools

LETTER = "not-published"
DECIDED, UNDONE = "note.not-published", "note.not-published-undone"  # kinds of journal rows


def decide(tools: Tools, actor: Actor, vu: int, why: str) -> list[int]:
    """No clock before a publication runs any more; ids of the letters. `Illegal` once something is published.

    The CVE IDs that we reserved for it are given back by themselves (flow/cves/rejecting.py).
    """
    need_analyst(actor, "deciding not to publish")
    tools.own_key()  # letters name it; outside the transaction, it may have to be made
    with tools.db.write() as tx:
        case = _unpublished(case_held(tx, vu))
        if case.not_published_at is not None:
            raise faults.Illegal(f"that was decided of VU#{vu} before{done_by(tx, case, DECIDED)}")
        decided = {"not_published_at": tools.now(), "not_published_by": actor.name, "not_published_why": why}
        cases.change(tx, case.id, **decided)
        cases.close_clocks(tx, case.id, BEFORE, tools.now(), "not published")
        cves.give_up_reserving(tx, case.id, tools.now())
        note(tx, tools, actor, DECIDED, case, why=why)
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


def _step(tools: Tools) -> str:
    """A decision that was taken back may be taken again, and told again."""
    return f"{LETTER}:{tools.now():%Y%m%dT%H%M%S}"
