"""Two cases become one: their dates and answers go on together, and the earlier of two ends stands.

Promises: what was proposed in either is still to be decided; nobody is bound by a date that they did not accept.
"""

from datetime import datetime

from mailrouter.case import casestate, lifecycle, merging
from mailrouter.case import terms as rules
from mailrouter.case.lifecycle import EMBARGO, TERMS
from mailrouter.case.model import Case, DeadlineKind
from mailrouter.case.terms import Terms
from mailrouter.flow import act
from mailrouter.flow.act import dates
from mailrouter.flow.embargo import consenting, telling
from mailrouter.store import cases, terms

IN_FORCE = EMBARGO["terminate"]  # the states in which a date is agreed


def unite(doing: act.Doing, old: Case, into: Case) -> None:
    """What was agreed and asked in the old case goes on in the other; call once who takes part has moved."""
    agreed = [_agreed(doing, one) for one in (old, into)]
    terms.append(doing.tx, old.id, into.id)
    goes_on = into.embargo in rules.ALIVE or (into.embargo == "NONE" and casestate.may_begin_embargo(into))
    if not goes_on or old.embargo not in rules.ALIVE:
        _keep(doing, into, agreed[1])
        _release(doing, into, goes_on=goes_on)
        return
    first = min(filter(None, agreed), key=lambda one: one.ends_at, default=None)
    _keep(doing, into, first)
    ends_at = merging.earliest(*(one.embargo_ends_at for one in (old, into) if one.embargo in IN_FORCE))
    _go_on(doing, old, into, ends_at)
    if first is not None:
        consenting.align(doing, into)


def _agreed(doing: act.Doing, case: Case) -> Terms | None:
    return rules.in_force(terms.of_case(doing.tx, case.id)) if case.embargo in IN_FORCE else None


def _keep(doing: act.Doing, into: Case, first: Terms | None) -> None:
    """Of what was agreed in the two, one date stands."""
    decided = {"decided_at": doing.now, "decided_by": doing.actor, "decided_why": "merged"}
    for one in terms.of_case(doing.tx, into.id):
        if one.state == rules.AGREED and (first is None or one.id != first.id):
            terms.change(doing.tx, one.id, state=lifecycle.move(TERMS, "replace", one.state), **decided)


def _go_on(doing: act.Doing, old: Case, into: Case, ends_at: datetime | None) -> None:
    """EM: agreed where it was in either, to be revised where something is still proposed in either."""
    force = old.embargo in IN_FORCE or into.embargo in IN_FORCE
    verbs = rules.BEGUN if force and into.embargo not in IN_FORCE else ()
    if any(one.is_open for one in terms.of_case(doing.tx, into.id)):
        verbs = (*verbs, "revise" if force else "propose")
    way = lifecycle.follow(EMBARGO, verbs, into.embargo)
    states = way if way[-1] != into.embargo else way[:1]
    cases.change(doing.tx, into.id, embargo=states[-1])
    if ends_at is not None:
        dates.set_end(doing.tx, into, f"merged:{old.id}", ends_at)
    _clock(doing, old, into)
    if len(states) > 1 or ends_at != into.embargo_ends_at:
        telling.note(doing, into, "embargo", states=states, ends_at=ends_at, before=into.embargo_ends_at)


def _clock(doing: act.Doing, old: Case, into: Case) -> None:
    """What is still proposed lapses when the sooner of the two would have: nobody gains time by a merger."""
    kind = DeadlineKind.TERMS
    both = [*cases.deadlines_of(doing.tx, old.id), *cases.deadlines_of(doing.tx, into.id)]
    due = [one.due_at for one in both if one.kind is kind and (one.done_at is None or one.outcome == "merged")]
    if due and cases.get(doing.tx, into.id).embargo in ("PROPOSED", "REVISE"):
        cases.set_clock(doing.tx, into.id, kind, f"merged:{old.id}", min(due))


def _release(doing: act.Doing, into: Case, *, goes_on: bool) -> None:
    """The old case had none, or the other's is over: nobody who comes is bound by what ended."""
    if goes_on:
        if into.embargo in IN_FORCE:
            consenting.align(doing, into)
        return
    for one in terms.of_case(doing.tx, into.id):
        if one.is_open:
            terms.change(doing.tx, one.id, state=lifecycle.move(TERMS, "lapse", one.state), decided_at=doing.now)
    for each in cases.participants_of(doing.tx, [into.id]):
        cases.change_participant(doing.tx, each.id, consent=rules.released(each.consent))
