"""Somebody takes part no more: nothing is sent to them, their mail is a stranger's; what they sent stays."""

from mailrouter.case.model import Participant
from mailrouter.flow import act
from mailrouter.flow.actor import LEFT, Actor, case_held, note, taking_part
from mailrouter.store import cases, outbox
from mailrouter.tools import Tools

WHY = "they take part in the case no more"


def remove(tools: Tools, actor: Actor, vu: int, whom: str, why: str) -> Participant:
    """An analyst's order: clocks end, letters that have not left stay here. `case add-vendor` brings them back.

    A letter that is being sent in this moment is looked at once more before it is handed over (testbook A05, A06).
    """
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        participant = taking_part(tx, case, whom)
        act.nobodys_turn(act.Doing(tx, tools, tools.now(), tools.now(), actor.name, case), participant, WHY)
        withdrawn = outbox.withdraw_to(tx, participant.id, WHY)
        cases.change_participant(tx, participant.id, left_at=tools.now(), left_why=why)
        note(tx, tools, actor, LEFT, case, participant=participant.id, why=why, letters=withdrawn)
        return cases.participant(tx, participant.id)
