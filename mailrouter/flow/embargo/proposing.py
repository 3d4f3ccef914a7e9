"""A date is proposed: by us, or by a participant who asked for it, in a mail or otherwise.

Promises: everybody who was contacted is asked, one mail each; whoever asked has accepted its own date and nobody else
any; a second proposal is a counter, and the earlier of the two stands until one is agreed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from mailrouter import faults
from mailrouter.case import casestate, embargo
from mailrouter.case import terms as rules
from mailrouter.case.model import Case, DeadlineKind, Participant
from mailrouter.case.policy import of_case
from mailrouter.case.terms import Consent, Terms
from mailrouter.flow import act, letters
from mailrouter.flow.actor import Actor, case_held, still_open, taking_part
from mailrouter.flow.embargo import telling
from mailrouter.store import cases, terms
from mailrouter.tools import Tools

LETTER = "embargo-proposed"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A date as somebody gave it, and why."""

    given: rules.Given
    zone: str  # a name of the tz database; '' none was named
    why: str
    later: bool = False  # it must lie after what is agreed


def propose(tools: Tools, actor: Actor, vu: int, wanted: Wanted, by: str = "") -> Terms:
    """Ours, or asked for by the participant named `by`. `Illegal` when no embargo can be, or the date stands already;
    `Refused` for a date that is over, or is to extend and does not.
    """
    tools.own_key()  # letters name it; outside the transaction, it may have to be made
    with tools.db.write() as tx:
        case = still_open(case_held(tx, vu))
        asker = taking_part(tx, case, by) if by else None
        doing = act.Doing(tx, tools, tools.now(), tools.now(), actor.name, case)
        return proposed(doing, case, wanted, asker)


def proposed(
    doing: act.Doing, case: Case, wanted: Wanted, asker: Participant | None, message_id: int | None = None
) -> Terms:
    """The same in the caller's transaction, with the case locked."""
    everything = terms.of_case(doing.tx, case.id)
    ends_at = rules.still_to_come(rules.resolved(wanted.given, wanted.zone, case), doing.now)
    _may_propose(case, ends_at, everything, later=wanted.later)
    after = rules.proposed(case.embargo)
    row = {
        "ends_at": ends_at, "zone": wanted.zone or "UTC", "participant_id": asker.id if asker else None,
        "message_id": message_id, "proposed_at": doing.now, "proposed_by": doing.actor, "why": wanted.why,
    }  # fmt: skip
    made = terms.propose(doing.tx, case.id, row)
    everyone = cases.participants_of(doing.tx, [case.id])
    terms.invite(doing.tx, made.id, [one.id for one in everyone if rules.reached(one)], doing.now)
    if asker is not None:
        by = f"message:{message_id}" if message_id else doing.actor
        terms.answer(doing.tx, Consent(made.id, asker.id, rules.ACCEPTED, doing.now, by))
    cases.change(doing.tx, case.id, embargo=after)
    _clock(doing, case, made)
    about = {"terms": made.number, "ends_at": ends_at, "asked_by": asker.id if asker else None, "message": message_id}
    telling.note(doing, case, "embargo.proposed", states=[case.embargo, after], **about, why=wanted.why)
    _tell(doing, case, made, asker)
    return made


def _may_propose(case: Case, ends_at: datetime, everything: list[Terms], *, later: bool) -> None:
    if not casestate.may_begin_embargo(case) and case.embargo not in ("ACTIVE", "REVISE"):
        raise faults.Illegal(f"VU#{case.vu} is {casestate.of_case(case)}: no embargo can begin once the world knows")
    if case.embargo == "EXITED":
        raise faults.Illegal(f"the embargo of VU#{case.vu} has ended, and no other begins")
    agreed = rules.in_force(everything)
    same = next((one for one in everything if one.ends_at == ends_at and (one.is_open or one is agreed)), None)
    if same is not None:
        raise faults.Illegal(f"this very date is {same.state} already, as number {same.number}")
    if later and (agreed is None or ends_at <= agreed.ends_at):
        until = embargo.ends(agreed) if agreed else "no date"
        raise faults.Refused(f"that extends nothing: {until} is agreed; `mailrouter embargo propose` takes any date")


def _clock(doing: act.Doing, case: Case, made: Terms) -> None:
    """A counter-proposal begins it anew."""
    days = of_case(doing.tools.settings.policy, case).terms_days
    due_at = doing.now + timedelta(days=days)
    cases.set_clock(doing.tx, case.id, DeadlineKind.TERMS, f"terms:{made.id}", due_at)


def _tell(doing: act.Doing, case: Case, made: Terms, asker: Participant | None) -> None:
    everything = terms.of_case(doing.tx, case.id)
    first = rules.stands(everything) or made
    asked = embargo.Asked(case.vu, made, rules.in_force(everything), first, asker)
    days = timedelta(days=of_case(doing.tools.settings.policy, case).terms_days)
    until = {"answer_by": letters.minute(doing.now + days)}
    step = f"{LETTER}:{made.id}"
    telling.everybody(doing, case, LETTER, step, lambda one: embargo.proposal(asked, one) | until)
