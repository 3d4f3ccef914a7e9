"""Somebody takes part no more: nothing is sent to them, their mail is a stranger's; what they sent stays."""

from mailrouter.case import lifecycle
from mailrouter.case.answers import What
from mailrouter.case.model import Participant
from mailrouter.flow import act
from mailrouter.flow.actor import LEFT, Actor, case_held, note, taking_part
from mailrouter.flow.casework import standings
from mailrouter.store import cases, outbox, proposals
from mailrouter.tools import Tools

WHY = "they take part in the case no more"


def remove(tools: Tools, actor: Actor, vu: int, whom: str, why: str) -> Participant:
    """An analyst's order: clocks end, letters that have not left stay here, what they said waits for nobody.

    `case add-vendor` brings them back. A letter that is being sent in this moment is looked at once more before it is
    handed over (testbook A05, A06).
    """
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        participant = taking_part(tx, case, whom)
        doing = act.Doing(tx, tools, tools.now(), tools.now(), actor.name, case)
        act.nobodys_turn(doing, participant, WHY)
        standings.follow_rm(doing, participant, lifecycle.DONE_WITH)
        over = proposals.settle(tx, participant.id, What, actor.name, tools.now())
        withdrawn = outbox.withdraw_to(tx, participant.id, WHY)
        cases.change_participant(tx, participant.id, left_at=tools.now(), left_why=why)
        note(tx, tools, actor, LEFT, case, participant=participant.id, why=why, letters=withdrawn, overtakes=over)
        return cases.participant(tx, participant.id)
