"""The embargo begins: our published policy is its first proposal, and contacting vendors under it makes it active.

Promises: whoever is contacted, and whoever joins later, is invited to what is in force and to what is proposed; what
they answered before stands.
"""

from datetime import datetime

from mailrouter.case import casestate, embargo
from mailrouter.case import terms as rules
from mailrouter.case.model import Case, Participant
from mailrouter.case.policy import of_case
from mailrouter.case.terms import Terms
from mailrouter.flow import act, publication
from mailrouter.flow.act import dates
from mailrouter.flow.embargo import telling
from mailrouter.store import cases, terms


def begin(doing: act.Doing, case: Case) -> Case:
    """Vendors are about to be written to. Nothing once the world knows, or when it has begun before."""
    if case.embargo not in ("NONE", "PROPOSED") or not casestate.may_begin_embargo(case):
        return case
    ends_at = embargo.planned_publication(doing.now, of_case(doing.tools.settings.policy, case))
    states = rules.begun(case.embargo)
    agreed = _policy(doing, case, ends_at)
    cases.change(doing.tx, case.id, embargo=states[-1], planned_at=ends_at)
    dates.set_end(doing.tx, case, f"terms:{agreed.id}", ends_at)
    telling.note(doing, case, "embargo", states=states, ends_at=ends_at, terms=agreed.number)
    invite(doing, [one for one in cases.participants_of(doing.tx, [case.id]) if rules.reached(one)])
    return cases.get(doing.tx, case.id)


def _policy(doing: act.Doing, case: Case, ends_at: datetime) -> Terms:
    decided = {"state": rules.AGREED, "decided_at": doing.now, "decided_by": rules.POLICY}
    row = {"ends_at": ends_at, "proposed_at": doing.now, "proposed_by": rules.POLICY, **decided}
    return terms.propose(doing.tx, case.id, row)


def invite(doing: act.Doing, those: list[Participant]) -> None:
    """They are asked to agree, to what is in force and to what is proposed; what they answered stands."""
    assert doing.case is not None
    case = cases.get(doing.tx, doing.case.id)
    if not those or case.embargo not in rules.ALIVE:
        return
    for one in terms.of_case(doing.tx, case.id):
        if one.state in (rules.PROPOSED, rules.AGREED):
            terms.invite(doing.tx, one.id, [each.id for each in those], doing.now)
    changed = [{"participant": one.id, "consent": rules.consent_again(one.consent)} for one in those]
    cases.change_participants(doing.tx, changed)


def first_contact(doing: act.Doing, since: str, planned: datetime) -> None:
    """The first letter to a vendor left: our plan counts from now, and the end that our policy gives goes along. A date
    that was negotiated stays, and so does an end that somebody has agreed to.
    """
    case = doing.case
    assert case is not None
    everything = terms.of_case(doing.tx, case.id)
    agreed = rules.in_force(everything)
    kept = case.planned_at if rules.negotiated(everything) else None
    publication.plan(doing.tx, case, since, kept or planned, doing.tools.settings.policy)
    if kept is None and agreed is not None and not agreed.who(rules.ACCEPTED) and case.embargo in rules.ALIVE:
        terms.change(doing.tx, agreed.id, ends_at=planned)
        dates.set_end(doing.tx, case, since, planned)
