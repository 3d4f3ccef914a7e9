"""What the world knows: the vulnerability is public, an exploit is, attacks are seen; and what follows.

The embargo ends with what is public, and every vendor is aware of it. An analyst hears what is to be done now; letters
to all participants are theirs to order.
"""

from datetime import datetime

from mailrouter import faults
from mailrouter.case import casestate
from mailrouter.case.casestate import Follows
from mailrouter.case.model import Case
from mailrouter.flow import act
from mailrouter.flow.actor import Actor, case_held, done_by, note
from mailrouter.flow.casework import standings
from mailrouter.store import cases, queues
from mailrouter.tools import Tools

TOLD = {
    "public": "the vulnerability is public: the embargo is over; tell all participants",
    "exploit": "an exploit is public: the embargo is over; tell all participants",
    "attacks": "attacks were seen: the embargo should end; tell all participants",
}


def mark(tools: Tools, actor: Actor, vu: int, what: str, at: datetime, why: str, *, end_embargo: bool = False) -> Case:
    """It is `public`, an `exploit` is, or there are `attacks`, since `at`. `Illegal` when that is known already.

    `end_embargo`: attacks should end it, and this analyst decides that they do.
    """
    if at > tools.now():
        raise faults.Refused("--at lies in the future: record it once it has happened")
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        try:
            follows = casestate.sets(case, what, at)
        except faults.Illegal as refused:
            by = done_by(tx, case, "case.state").lstrip(",")
            raise faults.Illegal(f"{refused}{f'; {casestate.of_case(case)} was set{by}' if by else ''}") from None
        if end_embargo:
            follows = casestate.with_embargo_ended(case, follows)
        doing = act.Doing(tx, tools, tools.now(), tools.now(), actor.name, case)
        note(tx, tools, actor, "case.state", case, what=what, since=at, why=why)
        carry_out(doing, case, follows, at, why)
        queues.add_notice(tx, case.queue, TOLD[what], doing.now, once=f"case-state:{case.id}:{what}", case_id=case.id)
        return cases.get(tx, case.id)


def carry_out(doing: act.Doing, case: Case, follows: Follows, at: datetime, why: str) -> None:
    """Set the bits and do what they bring about."""
    cases.change(doing.tx, case.id, **follows.columns)
    if len(follows.embargo) > 1:
        end_embargo(doing, case, follows.embargo, why)
    if follows.makes_aware:
        for one in cases.participants_of(doing.tx, [case.id]):
            if one.is_vendor and one.takes_part and one.aware_at is None:
                standings.fix(doing, one, "aware", at)


def end_embargo(doing: act.Doing, case: Case, states: list[str], why: str) -> None:
    """It is over, from now on."""
    cases.change(doing.tx, case.id, embargo=states[-1], embargo_ends_at=doing.now)
    standings.write(doing, "embargo", states=states, why=why)
