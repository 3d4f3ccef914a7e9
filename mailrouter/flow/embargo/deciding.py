"""An analyst agrees for us to a date that is proposed, or refuses it.

Promises: one date is agreed at most; everybody who was contacted is told; nobody is bound by what they did not accept,
and what somebody declined is extended only by a person's decision that says so.
"""

from mailrouter import faults
from mailrouter.case import embargo, lifecycle
from mailrouter.case import terms as rules
from mailrouter.case.lifecycle import EMBARGO, TERMS
from mailrouter.case.model import Case, DeadlineKind
from mailrouter.case.terms import Terms
from mailrouter.flow import act, publication
from mailrouter.flow.act import dates
from mailrouter.flow.actor import Actor, case_held, need_analyst, still_open
from mailrouter.flow.embargo import consenting, telling
from mailrouter.flow.embargo.answering import CHANGED
from mailrouter.store import cases, terms
from mailrouter.tools import Tools

STANDS = "embargo-stands"


def accept(
    tools: Tools, actor: Actor, vu: int, number: int | None = None, *, why: str = "", keep_plan: bool = False,
    despite_declines: bool = False,
) -> Case:  # fmt: skip
    """The date `number`, else the one that stands, is agreed, and is our plan too unless that is kept. `Illegal` for
    an extension that somebody declined, unless it is made despite them, with a reason.
    """
    need_analyst(actor, "agreeing to a date")
    tools.own_key()  # letters name it; outside the transaction, it may have to be made
    with tools.db.write() as tx:
        case = still_open(case_held(tx, vu))
        everything = terms.of_case(tx, case.id)
        one = _open(case, everything, number)
        rules.still_to_come(one.ends_at, tools.now())
        doing = act.Doing(tx, tools, tools.now(), tools.now(), actor.name, case)
        names = _despite(doing, case, one, everything, why, despite=despite_declines)
        _agree(doing, case, one, everything, why)
        if not keep_plan:
            _plan(doing, case, one)
        told = {"terms": one.number, "ends_at": one.ends_at, "before": case.embargo_ends_at, "plan_kept": keep_plan}
        now_is = cases.get(tx, case.id)
        states = [case.embargo, now_is.embargo]
        telling.note(doing, case, "embargo.agreed", states=states, **told, despite=names, why=why)
        _tell_changed(doing, now_is, one.number)
        return now_is


def _open(case: Case, everything: list[Terms], number: int | None) -> Terms:
    wanted = rules.stands(everything) if number is None else _numbered(case, everything, number)
    if wanted is None:
        raise faults.NotFound(f"no date is proposed for VU#{case.vu}; `mailrouter embargo propose` proposes one")
    if not wanted.is_open:
        by = f" by {wanted.decided_by}" if wanted.decided_by else ""
        raise faults.Illegal(f"date {wanted.number} of VU#{case.vu} is {wanted.state}{by}: it was decided before")
    return wanted


def _numbered(case: Case, everything: list[Terms], number: int) -> Terms:
    found = next((one for one in everything if one.number == number), None)
    if found is None:
        raise faults.NotFound(f"VU#{case.vu} has no proposed date {number}; `mailrouter embargo show {case.vu}`")
    return found


def _despite(
    doing: act.Doing, case: Case, one: Terms, everything: list[Terms], why: str, *, despite: bool
) -> list[int]:
    """Who declined it, ids; `Illegal` with their names when nobody decided to extend all the same."""
    everyone = cases.participants_of(doing.tx, [case.id])
    against = rules.objectors(one, rules.in_force(everything), everyone)
    if against and not (despite and why):
        names = ", ".join(each.name for each in against)
        raise faults.Illegal(
            f"{names} declined this extension and would be bound to nothing; `--despite-declines --why …` agrees to it"
            " all the same"
        )
    return [each.id for each in against]


def _agree(doing: act.Doing, case: Case, one: Terms, everything: list[Terms], why: str) -> None:
    decided = {"decided_at": doing.now, "decided_by": doing.actor, "decided_why": why}
    for other in everything:
        if other.id != one.id and other.state in TERMS["replace"]:
            terms.change(doing.tx, other.id, state=lifecycle.move(TERMS, "replace", other.state), **decided)
    terms.change(doing.tx, one.id, state=lifecycle.move(TERMS, "agree", one.state), **decided)
    cases.change(doing.tx, case.id, embargo=lifecycle.move(EMBARGO, "accept", case.embargo))
    dates.set_end(doing.tx, case, f"terms:{one.id}", one.ends_at)
    cases.close_clocks(doing.tx, case.id, (DeadlineKind.TERMS,), doing.now, "decided")
    consenting.align(doing, case)


def _plan(doing: act.Doing, case: Case, one: Terms) -> None:
    """Our own date goes along; its clock runs once the first letter has left."""
    if case.first_contact_at is None:
        cases.change(doing.tx, case.id, planned_at=one.ends_at)
    else:
        publication.plan(doing.tx, case, f"terms:{one.id}", one.ends_at, doing.tools.settings.policy)


def _tell_changed(doing: act.Doing, case: Case, number: int) -> None:
    agreed = terms.numbered(doing.tx, case, number)
    step = f"{CHANGED}:{agreed.id}"
    telling.everybody(doing, case, CHANGED, step, lambda one: embargo.agreement(agreed, one))


def refuse(tools: Tools, actor: Actor, vu: int, number: int, why: str) -> Case:
    """Not this date: what is agreed stays, and everybody is told so."""
    need_analyst(actor, "refusing a date")
    tools.own_key()
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        everything = terms.of_case(tx, case.id)
        one = _open(case, everything, number)
        doing = act.Doing(tx, tools, tools.now(), tools.now(), actor.name, case)
        decided = {"decided_at": doing.now, "decided_by": actor.name, "decided_why": why}
        terms.change(tx, one.id, state=lifecycle.move(TERMS, "refuse", one.state), **decided)
        after = rules.undecided(case.embargo, still_open=any(o.is_open for o in everything if o.id != one.id))
        cases.change(tx, case.id, embargo=after)
        if after != case.embargo:
            cases.close_clocks(tx, case.id, (DeadlineKind.TERMS,), doing.now, "decided")
        telling.note(doing, case, "embargo.refused", terms=one.number, states=[case.embargo, after], why=why)
        says = {"proposed": embargo.ends(one), "until_now": embargo.until_now(rules.in_force(everything))}
        telling.everybody(doing, case, STANDS, f"{STANDS}:{one.id}", lambda _: says)
        return cases.get(tx, case.id)
