"""What the world knows: the vulnerability is public, an exploit is, attacks are seen; and what follows.

The embargo ends with what is public, all participants are told at once, and every vendor is aware of it. The case's
analyst hears what is to be done now.
"""

from datetime import datetime

from mailrouter import faults
from mailrouter.case import casestate, terms
from mailrouter.case.casestate import Follows
from mailrouter.case.model import Case
from mailrouter.flow import act
from mailrouter.flow.actor import Actor, case_held, done_by, evidence
from mailrouter.flow.casework import standings
from mailrouter.flow.embargo import ending
from mailrouter.store import cases, queues
from mailrouter.tools import Tools

TOLD = {
    "public": "the vulnerability is public: publish the note",
    "exploit": "an exploit is public: publish the note",
    "attacks": "attacks were seen",
}
ENDED = "; the embargo ended, and all participants were told"
SHOULD_END = "; the embargo should end: `mailrouter embargo end VU#{0} --why …`"


def mark(tools: Tools, actor: Actor, vu: int, what: str, at: datetime, why: str, *, end_embargo: bool = False) -> Case:
    """It is `public`, an `exploit` is, or there are `attacks`, since `at`. `Illegal` when that is known already.

    `end_embargo`: attacks should end it, and this analyst decides that they do.
    """
    if at > tools.now():
        raise faults.Refused("--at lies in the future: record it once it has happened")
    tools.own_key()  # letters name it; outside the transaction, it may have to be made
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        doing = act.Doing(tx, tools, tools.now(), tools.now(), actor.name, case)
        return marked(doing, case, what, at, why, end_embargo=end_embargo, **evidence(actor))


def marked(
    doing: act.Doing, case: Case, what: str, at: datetime, why: str, *, end_embargo: bool = False, **proof: object
) -> Case:
    """The same, in the caller's transaction with the case locked."""
    try:
        follows = casestate.sets(case, what, at)
    except faults.Illegal as refused:
        by = done_by(doing.tx, case, "case.state").lstrip(",")
        raise faults.Illegal(f"{refused}{f'; {casestate.of_case(case)} was set{by}' if by else ''}") from None
    if end_embargo:
        follows = casestate.with_embargo_ended(case, follows)
    standings.write(doing, "case.state", what=what, since=at, why=why, **proof)
    carry_out(doing, case, follows, at, why)
    alive = case.embargo in terms.ALIVE
    after = ENDED if len(follows.embargo) > 1 else SHOULD_END.format(case.vu) if alive else ""
    once = f"case-state:{case.id}:{what}"
    queues.add_notice(doing.tx, case.queue, f"{TOLD[what]}{after}", doing.now, once=once, case_id=case.id)
    return cases.get(doing.tx, case.id)


def carry_out(doing: act.Doing, case: Case, follows: Follows, at: datetime, why: str) -> None:
    """Set the bits and do what they bring about."""
    cases.change(doing.tx, case.id, **follows.columns)
    if len(follows.embargo) > 1:
        ending.end(doing, case, why)
    if follows.makes_aware:
        for one in cases.participants_of(doing.tx, [case.id]):
            if one.is_vendor and one.takes_part and one.aware_at is None:
                standings.fix(doing, one, "aware", at)
