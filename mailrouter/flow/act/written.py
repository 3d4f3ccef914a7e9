"""Orders about what is written to somebody: letters by themselves, receipts, notices; and what came of their address.

Promises: a later step withdraws the letter it overtakes; what a notice says is said once.
"""

from mailrouter import failpoint
from mailrouter.case import actions as do
from mailrouter.case import lifecycle
from mailrouter.flow import analystmail, beforehand, letters, recordletters
from mailrouter.flow.act.doing import Doing, Due, write
from mailrouter.store import cases, contacts, outbox, queues


def automatic_letter(doing: Doing, action: do.Write) -> None:
    """A step of the ladder, or what is said before a publication, unless it was written before."""
    assert doing.case is not None
    failpoint.reach("remind-between-row-and-letter")
    make = _MADE_BY.get(action.letter, letters.follow_up)
    letter_id = make(doing.tx, doing.tools, doing.case, action, doing.now)
    if letter_id is None:
        return
    for overtaken in outbox.overtake(doing.tx, action.participant.id, letter_id):
        write(doing, doing.case, "letter.withdrawn", letter=overtaken, outcome="a later step")
    sent = action.participant.follow_ups_sent + (make is letters.follow_up)
    cases.change_participant(doing.tx, action.participant.id, last_automatic_at=doing.at, follow_ups_sent=sent)
    write(
        doing,
        doing.case,
        "letter.queued",
        letter=letter_id,
        name=action.letter,
        participant=action.participant.id,
        at=doing.at,
    )


_MADE_BY = {
    **dict.fromkeys(beforehand.AUTOMATIC, beforehand.automatic),
    **dict.fromkeys(recordletters.AUTOMATIC, recordletters.automatic),
}  # all others are steps of the ladder


def send_again(doing: Doing, action: do.SendAgain) -> None:
    """To the next address."""
    assert doing.case is not None
    letter_id = letters.again(doing.tx, doing.tools, action.participant, action.letter_id, doing.now)
    if letter_id is not None:
        told = {"letter": letter_id, "was": action.letter_id, "participant": action.participant.id}
        write(doing, doing.case, "letter.again", **told)


def receipt(doing: Doing, action: do.Receipt) -> None:
    """They may be owed one: decided when all mails of the batch are in."""
    assert doing.case is not None
    assert doing.mail is not None
    doing.later.receipts.append(Due(action, doing.case, doing.mail))


def notice(doing: Doing, action: do.Notice) -> None:
    """To our own staff, once for its key."""
    about = {"case_id": doing.case.id if doing.case else None}
    about["participant_id"] = action.participant.id if action.participant else None
    about["report_id"] = action.report_id
    if queues.add_notice(doing.tx, action.queue, action.why, doing.now, once=action.once, **about):
        write(doing, doing.case, "notice", queue=action.queue, once=action.once, at=doing.at)


def tell_refused(doing: Doing, action: do.TellRefused) -> None:
    """An analyst's answer that was not carried out."""
    assert doing.mail is not None
    letter_id = analystmail.tell_refused(doing.tx, doing.tools, action, doing.now)
    told = {"message": doing.mail.message_id, "item": action.item_id, "analyst": action.analyst_id}
    write(doing, None, "order.refused", **told, letter=letter_id)


def undeliverable(doing: Doing, action: do.Undeliverable) -> None:
    """Nothing gets there; with the last of their addresses the participant is marked too."""
    participant = action.participant
    if contacts.mark(doing.tx, participant.organisation_id, action.address, undeliverable=True):
        told = {"participant": participant.id, "organisation": participant.organisation_id, "letter": action.letter_id}
        write(doing, doing.case, "contact.undeliverable", **told)
    if action.last and participant.progress in lifecycle.PROGRESS["fail"]:
        cases.change_participant(doing.tx, participant.id, progress=cases.UNDELIVERABLE)


def reachable(doing: Doing, action: do.Reachable) -> None:
    """What was marked so is no longer."""
    organisation_id = action.participant.organisation_id
    if contacts.mark(doing.tx, organisation_id, action.address, undeliverable=False):
        cases.reachable_again(doing.tx, organisation_id)
        told = {"participant": action.participant.id, "organisation": organisation_id}
        write(doing, doing.case, "contact.reachable", **told)
