"""Downstream vendors are alerted by an analyst's order: somebody above them has not answered (DOMAIN.md, process 8)."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.case import calendar, clocks
from mailrouter.case.actions import Write
from mailrouter.case.model import Case, Participant
from mailrouter.flow import act, beforehand
from mailrouter.flow.actor import Actor, case_held, still_open, taking_part
from mailrouter.store import cases, outbox
from mailrouter.tools import Tools

Alerted = Sequence[tuple[Participant, int]]  # each with the letter to it


def alert(tools: Tools, actor: Actor, vu: int, whom: Sequence[str] = ()) -> Alerted:
    """Without names: every downstream vendor that was contacted, once for each planned date.

    `Illegal` when nobody above is silent: the letter says that somebody is.
    """
    tools.own_key()  # outside the transaction: it may have to be made
    with tools.db.write() as tx:
        case = still_open(case_held(tx, vu))
        if case.planned_at is None:
            raise faults.Illegal(f"no publication of VU#{vu} is planned yet, so there is no date to tell")
        chosen = _chosen(tx, case, case.planned_at, whom)
        doing = act.Doing(tx, tools, tools.now(), tools.now(), actor.name, case)
        act.perform(doing, [Write(one, clocks.ALERT, "ordered", 0) for one in chosen])
        steps = {one: beforehand.step(one, clocks.ALERT, case.planned_at) for one in chosen}
        made = ((one, outbox.of_step(tx, step)) for one, step in steps.items())
        return [(one, letter.id) for one, letter in made if letter is not None]


def _chosen(tx: Connection, case: Case, planned: datetime, whom: Sequence[str]) -> list[Participant]:
    everyone = cases.participants_of(tx, [case.id])
    below = calendar.below_silent(everyone)
    if not below:
        raise faults.Illegal(f"in VU#{case.vu} there is no downstream vendor below one that is silent")
    named = list(dict.fromkeys(taking_part(tx, case, name) for name in whom))
    other = next((one for one in named if one not in below), None)
    if other is not None:
        raise faults.Illegal(f"{other.name} is no downstream vendor below one that is silent")
    chosen = [one for one in named or below if one.progress not in calendar.UNTOLD]
    made = outbox.steps_made(tx, [beforehand.step(one, clocks.ALERT, planned) for one in chosen])
    chosen = [one for one in chosen if beforehand.step(one, clocks.ALERT, planned) not in made]
    if not chosen:
        raise faults.Illegal(f"they were alerted for {planned:%Y-%m-%d}, or not contacted at all yet")
    return chosen
