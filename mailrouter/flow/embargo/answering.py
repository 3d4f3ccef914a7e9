"""Which date an answer in a mail is about: the one whose letter it answers.

Promises: a mail without such a letter is about the only date that is open, and by itself only if the letter about that
had left before; nobody agrees to a date that they cannot have seen.
"""

import shlex
from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.case import terms as rules
from mailrouter.case.model import Case, Participant
from mailrouter.case.terms import Terms
from mailrouter.flow.embargo import proposing
from mailrouter.mail import parse
from mailrouter.store import inbox, messages, outbox, terms
from mailrouter.store.messages import Message
from mailrouter.store.outbox import Letter
from mailrouter.store.proposals import Proposal

CHANGED = "embargo-changed"  # the letter that says what was agreed
ABOUT_ONE = (proposing.LETTER, CHANGED)  # letters whose step ends in the id of their date


def about(
    tx: Connection, case: Case, participant: Participant, said: Proposal, signed_at: datetime | None
) -> Terms:  # fmt: skip
    """The date that this answer is to. `signed_at`: of a mail that is taken by itself; None when a person takes it.

    `Illegal` when nobody can tell, with what to do instead.
    """
    everything, mail = terms.of_case(tx, case.id), messages.get(tx, said.message_id)
    letter = _answered(tx, mail)
    answered = _date_of(letter, everything)
    if answered is not None:
        return answered
    if signed_at is None:
        return _known_then(everything, mail, said)
    one = _only(everything, said)
    if not _had_left(tx, one, participant, signed_at) or (letter is not None and letter.made_at < one.proposed_at):
        raise _nobody_can_tell(said)
    return one


def _answered(tx: Connection, mail: Message) -> Letter | None:
    """The letter of ours that it answers itself; one that came back and went again is the first one's."""
    if mail.mail_id is None:
        return None
    read = parse.mail(inbox.raw(tx, mail.mail_id))
    named = (*read.in_reply_to, *reversed(read.references))[:1]
    ours = (one.letter_id for one in messages.referred(tx, named) if one.direction == "out")
    letter_id = next((one for one in ours if one is not None), None)
    return outbox.get(tx, outbox.first_of(tx, outbox.get(tx, letter_id))) if letter_id is not None else None


def _date_of(letter: Letter | None, everything: Sequence[Terms]) -> Terms | None:
    if letter is None or letter.name not in ABOUT_ONE or not letter.step:
        return None
    return next((one for one in everything if letter.step.endswith(f":{letter.name}:{one.id}")), None)


def _known_then(everything: Sequence[Terms], mail: Message, said: Proposal) -> Terms:
    """The newest that there was when the mail came: a person takes it, and sees which."""
    one = rules.asked_about([one for one in everything if one.proposed_at <= mail.received_at])
    if one is None:
        raise _nobody_can_tell(said)
    return one


def _only(everything: Sequence[Terms], said: Proposal) -> Terms:
    still = [one for one in everything if one.is_open]
    one = rules.asked_about(everything)
    if one is None or len(still) > 1:
        raise _nobody_can_tell(said)
    return one


def _had_left(tx: Connection, one: Terms, participant: Participant, at: datetime) -> bool:
    """Whether they can have read of it by then; what our policy says, and what was agreed before they came, stands in
    their first letter.
    """
    letter = outbox.of_step(tx, f"{participant.id}:{proposing.LETTER}:{one.id}")
    if letter is None:
        return not one.is_open and _before(participant.first_contact_at, at)
    while letter is not None and not _before(letter.sent_at, at):
        letter = outbox.copy_of(tx, letter.id)
    return letter is not None


def _before(when: datetime | None, at: datetime) -> bool:
    return when is not None and when.replace(microsecond=0) <= at.astimezone(UTC)


def _nobody_can_tell(said: Proposal) -> faults.Illegal:
    return faults.Illegal(
        f"which date proposal {said.id} is about nobody can tell: read message {said.message_id}, then give the number:"
        f" `mailrouter embargo record VU#{said.vu} {shlex.quote(said.participant)} ANSWER NUMBER --why …`"
    )
