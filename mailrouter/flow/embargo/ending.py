"""The embargo ends early, and all participants are told at once (DOMAIN.md, process 7).

Promises: done twice, nobody hears of it twice; the letter says since when, what the world knows and what we do next, in
words of ours, and no detail of the vulnerability.
"""

from dataclasses import replace

from mailrouter.case import embargo
from mailrouter.case import terms as rules
from mailrouter.case.model import Case
from mailrouter.flow import act, letters
from mailrouter.flow.act import dates
from mailrouter.flow.actor import Actor, case_held, need_analyst
from mailrouter.flow.embargo import telling
from mailrouter.store import cases
from mailrouter.tools import Tools

LETTER = "embargo-ended"


def end(doing: act.Doing, case: Case, why: str, *, tell: bool = True) -> list[int]:
    """It is over from now on, if there is one; ids of the letters. Call with the case locked, and its bits set.

    `tell=False`: another letter says so. The key that letters name must have been asked for before (`tools.own_key`).
    """
    if not dates.end(replace(doing, case=case), why) or not tell:
        return []
    fresh = cases.get(doing.tx, case.id)
    says = embargo.ending(fresh, letters.zone_of(doing.tx, fresh))
    return telling.everybody(doing, fresh, LETTER, LETTER, lambda _: says)


def ordered(tools: Tools, actor: Actor, vu: int, why: str) -> Case:
    """An analyst ends it. `Illegal` when there is none."""
    need_analyst(actor, "ending an embargo")
    tools.own_key()  # outside the transaction: it may have to be made
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        rules.need_some(case)
        end(act.Doing(tx, tools, tools.now(), tools.now(), actor.name, case), case, why)
        return cases.get(tx, case.id)
