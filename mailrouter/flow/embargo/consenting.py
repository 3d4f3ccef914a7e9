"""What a participant answers to a date: in a mail that proves itself, or as an analyst recorded it.

Promises: an answer is that participant's own, to one date that is proposed or agreed; by itself only what was written
after that date was proposed to them, and nothing that a person recorded since is undone.
"""

from datetime import UTC, date, datetime

from mailrouter import faults
from mailrouter.case import answers
from mailrouter.case import terms as rules
from mailrouter.case.model import Case, Participant
from mailrouter.case.terms import Consent, Terms
from mailrouter.flow import act
from mailrouter.flow.actor import Actor, case_held, need_analyst, taking_part
from mailrouter.flow.embargo import answering, proposing, telling
from mailrouter.store import cases, terms
from mailrouter.store.proposals import Proposal
from mailrouter.tools import Tools


def record(tools: Tools, actor: Actor, vu: int, whom: str, answer: str, why: str, number: int | None = None) -> Terms:
    """What they told an analyst, of the date `number`, else of the newest that is proposed, else of what is agreed."""
    need_analyst(actor, "recording a consent")
    with tools.db.write() as tx:
        case = rules.need_some(case_held(tx, vu))
        participant = taking_part(tx, case, whom)
        doing = act.Doing(tx, tools, tools.now(), tools.now(), actor.name, case)
        one = terms.numbered(tx, case, number) if number is not None else _asked_about(doing, case)
        answered(doing, case, one, participant, answer, actor.name, why=why)
        return terms.numbered(tx, case, one.number)


def _asked_about(doing: act.Doing, case: Case) -> Terms:
    one = rules.asked_about(terms.of_case(doing.tx, case.id))
    if one is None:
        raise faults.NotFound(f"VU#{case.vu} has no date that anybody could answer to")
    return one


def answered(
    doing: act.Doing, case: Case, one: Terms, participant: Participant, answer: str, by: str, **told: object
) -> None:
    """Keep it; of what is agreed it is their consent from now on. `Illegal` for a date that is neither."""
    if one.state not in (rules.PROPOSED, rules.AGREED):
        raise faults.Illegal(f"date {one.number} of VU#{case.vu} is {one.state}: nobody can answer to it any more")
    terms.answer(doing.tx, Consent(one.id, participant.id, answer, doing.now, by))
    consent = cases.participant(doing.tx, participant.id).consent
    after = rules.consent_after(consent, answer) if one.state == rules.AGREED else consent
    if after != consent:
        cases.change_participant(doing.tx, participant.id, consent=after)
    row = {"participant": participant.id, "terms": one.number, "answer": answer, "states": [consent, after]}
    telling.note(doing, case, "embargo.answer", **row, by=by, **told)


def align(doing: act.Doing, case: Case) -> None:
    """Everybody's consent is their answer to what is in force; who gave none is invited."""
    agreed = rules.in_force(terms.of_case(doing.tx, case.id))
    assert agreed is not None  # called when one was agreed
    reached = [one for one in cases.participants_of(doing.tx, [case.id]) if rules.reached(one)]
    terms.invite(doing.tx, agreed.id, [one.id for one in reached], doing.now)
    after = [(one.id, rules.consent_after(one.consent, agreed.answer_of(one.id))) for one in reached]
    cases.change_participants(doing.tx, [{"participant": one, "consent": consent} for one, consent in after])


# ---- what mails say --------------------------------------------------------------------------------------------------


def taken(doing: act.Doing, participant: Participant, said: Proposal, signed_at: datetime | None) -> None:
    """An analyst takes it as said, or the mail is sure: consent, its refusal, or another date that they ask for.

    `signed_at`: of a mail that is taken by itself; None when a person takes it.
    """
    case = cases.get(doing.tx, said.case_id)
    answer = answers.consent(said.value)
    if not answer:
        wanted = proposing.Wanted(_day(said), "", f"message {said.message_id}")
        proposing.proposed(doing, case, wanted, participant, said.message_id)
        return
    one = answering.about(doing.tx, rules.need_some(case), participant, said, signed_at)
    if signed_at is not None:
        _not_overtaken(one, participant, signed_at)
    answered(doing, case, one, participant, answer, f"message:{said.message_id}", proposal=said.id)


def _day(said: Proposal) -> date:
    expected = answers.expected(said.value)
    if expected is None:
        raise faults.Illegal(
            f"proposal {said.id} is neither consent nor one date; read message {said.message_id}, then"
            f" `mailrouter embargo record VU#{said.vu}` or `mailrouter embargo propose VU#{said.vu} --by …`"
        )
    return expected.day


def _not_overtaken(one: Terms, participant: Participant, signed_at: datetime) -> None:
    """`Illegal` for a mail that was signed before what it would answer was proposed, or something newer recorded."""
    before = one.answers.get(participant.id)
    recorded = before is not None and before.answer != rules.INVITED and before.at > signed_at
    if signed_at.astimezone(UTC) < one.proposed_at.replace(microsecond=0) or recorded:
        raise faults.Illegal("it was signed before: a person decides what it is about")
