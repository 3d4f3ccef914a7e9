"""The table of all orders, who carries out each, and what gives further orders: consent, a letter that asks.

Promises: every order has one function, and orders are carried out in their order.
"""

from collections.abc import Callable
from typing import Any

from mailrouter import faults
from mailrouter.case import actions as do
from mailrouter.case import followup
from mailrouter.case.model import Case, DeadlineKind, Participant, Waiting
from mailrouter.case.policy import of_case
from mailrouter.flow import cleartext, details
from mailrouter.flow.act import dates, drafts, life, mails, said, turns, written
from mailrouter.flow.act.doing import Doing, write
from mailrouter.store import cases


def perform(doing: Doing, plan: do.Actions) -> None:
    """Carry out the orders, in their order."""
    carry_out(doing, plan)
    doing.later.write(doing.tx)


def carry_out(doing: Doing, plan: do.Actions) -> None:
    """The same, but for what the caller will write later, for several plans together."""
    for action in plan:
        _ORDERS[type(action)](doing, action)


def asked(doing: Doing, participant: Participant, letter_id: int) -> None:
    """A letter that asks something was made: their turn, and the clock of silence starts if it does not run yet."""
    perform(doing, asking(doing, participant, letter_id))


def asking(doing: Doing, participant: Participant, letter_id: int) -> do.Actions:
    """The same as orders, for who makes several letters in one transaction.

    Where nobody is followed up any more, such a letter only ends our turn: no clock waits for its answer.
    """
    if doing.case is not None and not doing.case.is_open:
        ours = participant.waiting_on is Waiting.US
        return _nobodys(participant, "answered by us") if ours else []
    runs = cases.clock_runs(doing.tx, participant.id, DeadlineKind.FOLLOW_UP)
    policy = of_case(doing.tools.settings.policy, doing.case)
    return followup.opens(participant, f"letter:{letter_id}", policy, doing.at, clock_runs=runs)


def nobodys_turn(doing: Doing, participant: Participant, outcome: str) -> None:
    """Nothing is open between us and them."""
    perform(doing, _nobodys(participant, outcome))


def _nobodys(participant: Participant, outcome: str) -> do.Actions:
    return [do.Close(participant, do.ALL_CLOCKS, outcome), do.Turn(participant, Waiting.NOBODY, None)]


def _clear_text(doing: Doing, action: do.ClearText) -> None:
    assert doing.mail is not None
    assert doing.case is not None
    participant, message_id = action.participant, doing.mail.message_id
    by = f"message:{message_id}" if action.allowed else ""
    cleartext.record(doing.tx, participant, by, doing.now, allowed=action.allowed)
    told = {"participant": participant.id, "allowed": action.allowed, "message": message_id}
    write(doing, doing.case, "participant.clear-text", **told)
    if action.allowed:
        if action.proved:
            _details_follow(doing, doing.case, participant.id)
        else:
            cleartext.tell_of_promised(doing.tx, doing.case, participant, message_id, doing.now)
        cleartext.tell_of_held(doing.tx, doing.case, participant, message_id, doing.now)


def _details_follow(doing: Doing, case: Case, participant_id: int) -> None:
    """They may have in clear what they were promised. Without our key no letter is made: the notice says what to do."""
    try:
        letter_id = details.follow(doing.tx, doing.tools, case, participant_id, doing.now)
    except (faults.Refused, faults.TryLater) as trouble:
        why = f"details were promised and could not be written ({trouble}): `mailrouter case details {case.vu}`"
        carry_out(doing, [do.Notice(case.queue, why, f"details:{participant_id}", None)])
        return
    if letter_id is not None:
        told = {"letter": letter_id, "name": details.LETTER, "participant": participant_id}
        write(doing, case, "letter.queued", **told)
        carry_out(doing, asking(doing, cases.participant(doing.tx, participant_id), letter_id))


_ORDERS: dict[type, Callable[[Doing, Any], None]] = {
    do.Reopen: life.reopen,
    do.CloseCase: life.close,
    do.Undeliverable: written.undeliverable,
    do.Reachable: written.reachable,
    do.SendAgain: written.send_again,
    do.File: mails.file,
    do.Heard: turns.heard,
    do.Progress: turns.progress,
    do.Informed: turns.informed,
    do.Turn: turns.turn,
    do.Close: turns.close_clocks,
    do.Set: turns.set_clock,
    do.KeepStatement: said.keep_statement,
    do.Propose: said.propose,
    do.Vouch: said.vouch,
    do.KeepOrder: mails.keep_order,
    do.TellRefused: written.tell_refused,
    do.ClearText: _clear_text,
    do.Receipt: written.receipt,
    do.Write: written.automatic_letter,
    do.Notice: written.notice,
    do.Finish: turns.finish_clock,
    do.Postpone: turns.postpone_clock,
    do.EndEmbargo: dates.end_embargo,
    do.LapseTerms: dates.lapse_terms,
    do.Again: turns.again,
    do.ShowDraft: drafts.show_draft,
    do.DraftSeen: drafts.draft_seen,
}
