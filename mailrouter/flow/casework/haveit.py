"""A vendor says no more than that it has our letter: we know that it is there, and still wait for the four answers.

Promises: the clocks of silence begin anew, since the letter is as unanswered as before; what waited of its mail is
dealt with. Works inside the caller's transaction, with the case locked.
"""

from mailrouter.case import actions as do
from mailrouter.case import followup
from mailrouter.case.model import DeadlineKind, Participant, Waiting
from mailrouter.case.policy import of_case
from mailrouter.flow import act
from mailrouter.flow.actor import Actor, case_held, taking_part
from mailrouter.flow.casework import standings
from mailrouter.store import cases, outbox, queues
from mailrouter.tools import Tools

OURS = (DeadlineKind.ANSWER, DeadlineKind.WAIT)


def order(tools: Tools, actor: Actor, vu: int, whom: str) -> Participant:
    """An analyst says so, in a transaction of its own; the participant as it then stands."""
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        participant = taking_part(tx, case, whom)
        acknowledged(act.Doing(tx, tools, tools.now(), tools.now(), actor.name, case), participant)
        return cases.participant(tx, participant.id)


def acknowledged(doing: act.Doing, participant: Participant) -> None:
    """`Illegal` if they had said so before, or have disputed it: then it says who recorded that."""
    fresh = cases.participant(doing.tx, participant.id)
    standings.progress(doing, fresh, "acknowledge")
    heard = fresh.last_heard_at if fresh.waiting_on is Waiting.US else doing.now
    cases.change_participant(doing.tx, fresh.id, last_heard_at=heard)
    if fresh.waiting_on is Waiting.US:
        _their_turn_again(doing, fresh)


def _their_turn_again(doing: act.Doing, participant: Participant) -> None:
    queues.done_for_participant(doing.tx, participant.id, doing.actor, doing.now)
    asked = outbox.asking(doing.tx, [participant.id])
    if not asked or doing.case is None or not doing.case.is_open:  # nobody is asked any more
        return act.nobodys_turn(doing, participant, "acknowledged")
    policy = of_case(doing.tools.settings.policy, doing.case)
    since = f"letter:{asked[-1].id}/{participant.since}"  # the same letter, and a silence of its own
    clocks = followup.asks_again(participant, since, policy, doing.at)
    return act.perform(doing, [do.Close(participant, OURS, "acknowledged"), *clocks])
