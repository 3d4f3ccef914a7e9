"""A case's own numbers: set, taken back and shown. What they move is moved in the same transaction, and said.

Promises: a number is checked as in the settings; nothing is moved into the past; letters that have left are not
unsaid: whoever changes a number is told which date the participants were given.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.case import embargo, followup
from mailrouter.case import terms as rules
from mailrouter.case.model import Case
from mailrouter.case.policy import OF_A_CASE, Policy, kept, of_case, own
from mailrouter.flow import publication
from mailrouter.flow.actor import Actor, case_held, note
from mailrouter.flow.timing import coming
from mailrouter.settings.reading import number_of_a_case
from mailrouter.store import cases, terms
from mailrouter.tools import Tools


@dataclass(frozen=True, slots=True)
class Number:
    """One number, as it is in force for the case."""

    name: str
    value: int
    own: bool
    otherwise: int  # the house's


@dataclass(frozen=True, slots=True)
class Moved:
    """A deadline of a participant that falls due at another time."""

    participant: str
    kind: str
    was: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Changed:
    """What came of it."""

    case: Case  # as it is now
    planned_was: datetime | None
    moved: Sequence[Moved]
    policy: Policy  # in force for it now


def numbers(base: Policy, case: Case) -> list[Number]:
    """All that one case may have of its own."""
    mine, here = own(case), of_case(base, case)
    return [Number(name, getattr(here, name), name in mine, getattr(base, name)) for name in OF_A_CASE]


def change(tools: Tools, actor: Actor, vu: int, given: Mapping[str, str]) -> Changed:
    """Set these, or take back those given as ''. `Refused` for what cannot be taken, and then nothing is changed."""
    new = {name: number_of_a_case(name, value) for name, value in given.items() if _is_set(name, value)}
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        if not case.goes_on:
            raise faults.Illegal(f"VU#{vu} is {case.state}: no clock runs that a number could move")
        old = own(case)
        text = kept({name: value for name, value in old.items() if given.get(name) != ""} | new)
        now_is = replace(case, policy=text)
        cases.change(tx, case.id, policy=text)
        note(tx, tools, actor, "case.policy", case, old=dict(old), new=dict(own(now_is)))
        moved = _move(tx, tools, actor, case, now_is)
        _replan(tx, tools, actor, case, now_is)
        return Changed(cases.get(tx, case.id), case.planned_at, moved, of_case(tools.settings.policy, now_is))


def _is_set(name: str, value: str) -> bool:
    """Whether it is set, not taken back; a name that is none is refused either way."""
    if value == "":
        number_of_a_case(name, "1")
    return value != ""


def _replan(tx: Connection, tools: Tools, actor: Actor, case: Case, now_is: Case) -> None:
    """Our date goes along with the number of days, until it is public; a date that was negotiated stays. What comes
    before it goes along with the other numbers.
    """
    base = tools.settings.policy
    before, after = of_case(base, case), of_case(base, now_is)
    moves = before.embargo_days != after.embargo_days and case.public_at is None
    if case.planned_at is None or not moves or rules.negotiated(terms.of_case(tx, case.id)):
        if case.planned_at and case.planned_at > tools.now():
            publication.goes_on(tx, now_is, base, "policy")
        return
    planned = embargo.replanned(case.first_contact_at or tools.now(), after, tools.now())
    if case.first_contact_at is None:
        cases.change(tx, case.id, planned_at=planned)  # the clock starts when the first letter leaves
    else:
        publication.plan(tx, now_is, "policy", planned, base)
    note(tx, tools, actor, "publication.planned", case, planned=planned, before=case.planned_at)


def _move(tx: Connection, tools: Tools, actor: Actor, case: Case, now_is: Case) -> list[Moved]:
    before, after = of_case(tools.settings.policy, case), of_case(tools.settings.policy, now_is)
    found = []
    still = [d for d in cases.deadlines_of(tx, case.id) if d.done_at is None]
    for event in coming.of_participants(tx, now_is, cases.participants_of(tx, [case.id]), still):
        due_at = followup.moved(event, before, after, tools.now())
        if due_at != event.deadline.due_at:
            cases.postpone(tx, event.deadline.id, due_at)
            found.append(Moved(event.participant.name, str(event.deadline.kind), event.deadline.due_at, due_at))
    if found:
        note(tx, tools, actor, "deadlines.moved", case, count=len(found))
    return found
