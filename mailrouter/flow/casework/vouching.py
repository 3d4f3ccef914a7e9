"""A statement without PGP: the vendor's own word makes it stand, by mail or by telephone (DOMAIN.md, process 6).

By mail the registered contact is given the exact text and an address of its own to confirm it at; what they answer is
taken by flow/arriving/receive.py. By telephone one analyst says whom they called, and a second one agrees.
"""

import re
import shlex
from dataclasses import dataclass

from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.case import actions as do
from mailrouter.case import vouching
from mailrouter.case.conditions import Assurance
from mailrouter.case.model import Case, Participant, Statement
from mailrouter.flow import act, letters, ownaddresses
from mailrouter.flow.actor import Actor, case_held, need_analyst, note, taking_part
from mailrouter.mail import confirmation
from mailrouter.mail.entity import Attachment
from mailrouter.store import contacts, messages, outbox, queues, statements, vouchers
from mailrouter.tools import Tools


@dataclass(frozen=True, slots=True)
class Call:
    """A conversation by telephone about a text."""

    number: str  # '' : the one on file
    spoke_with: str
    why: str = ""  # why another number than the one on file


@dataclass(frozen=True, slots=True)
class Asked:
    """What was put to the vendor."""

    voucher_id: int
    statement: Statement
    letter_id: int | None = None
    unproved: bool = False  # it came encrypted, and nothing proves that whoever sent it could read it


# ---- by mail -------------------------------------------------------------------------------------------------------


def by_mail(
    tools: Tools, actor: Actor, vu: int, vendor: str, message_id: int | None = None, *, again: bool = False
) -> Asked:
    """Ask the registered contact to confirm the exact text; the letter waits for an answer as others do.

    What came encrypted is confidential: the letter leaves encrypted or not at all. Where only a part came encrypted,
    nothing of it is sent back (testbook P105): `Illegal`.
    """
    need_analyst(actor, "vouching")
    tools.own_key()  # outside the transaction: it may have to be made
    if not ownaddresses.mint(tools).vouch(1):
        raise faults.Illegal(
            "there is no address to confirm it at: identity.separator is empty or identity.address too long; "
            "vouch --by telephone"
        )
    with tools.db.write() as tx:
        case, participant, text = _held(tx, vu, vendor, message_id)
        came_in = _readable(messages.get(tx, text.message_id))
        _not_twice(tx, text, again=again)
        voucher_id = vouchers.add(tx, _row(tools, actor, text) | {"how": "mail"})
        letter_id = _ask(tx, tools, case, participant, text, came_in)
        vouchers.change(tx, voucher_id, letter_id=letter_id)
        note(tx, tools, actor, "statement.asked", case, statement=text.id, voucher=voucher_id, letter=letter_id,
             sha256=text.sha256)  # fmt: skip
        queues.done_for_message(tx, text.message_id, actor.name, tools.now())
        act.asked(act.Doing(tx, tools, tools.now(), tools.now(), actor.name, case), participant, letter_id)
        return Asked(voucher_id, text, letter_id, unproved=_unproved(came_in))


def _not_twice(tx: Connection, text: Statement, *, again: bool) -> None:
    """One address at a time confirms a text: asking again ends what was asked before (`Answer.replaced`)."""
    known = vouchers.of_statements(tx, [text.id]).get(text.id, ())
    out = [one for one in known if one.how == "mail" and one.participant_id == text.participant_id]
    if out and not again:
        last = out[-1]
        when = f"{last.asked_at:%Y-%m-%d} by {last.asked_by}"
        raise faults.Illegal(f"asked on {when}; letter {last.letter_id}; --again asks once more")
    for one in out:
        if one.letter_id is not None:
            outbox.withdraw(tx, one.letter_id, "they are asked again")


def _unproved(came_in: messages.Message) -> bool:
    """Anybody can send a ciphertext of somebody else's, captured on its way (testbook P106)."""
    return came_in.encrypted and came_in.assurance != Assurance.VERIFIED


def _readable(came_in: messages.Message) -> messages.Message:
    if came_in.decrypted == "partial":
        raise faults.Illegal(
            f"only a part of message {came_in.id} came encrypted, which may be somebody else's: nothing of it is sent "
            "back; have them send it again, or vouch --by telephone"
        )
    return came_in


def _ask(
    tx: Connection, tools: Tools, case: Case, participant: Participant, text: Statement, came_in: messages.Message
) -> int:
    answered = f"<{came_in.message_id}>" if came_in.message_id else ""
    order = letters.Order(
        name=vouchers.LETTER,
        values={
            "sha256": text.sha256,
            "received": letters.day(text.received_at),
            "quoted": confirmation.barred(text.verbatim.decode("utf-8", "replace")),
        },
        asks=True,
        confidential=came_in.encrypted,
        only_encrypted=came_in.encrypted,
        thread=letters.Thread(answered, (answered,) if answered else ()),
        attachments=[Attachment(f"VU{case.vu}.txt", text.verbatim, "application/octet-stream")],
    )
    letter_id = letters.to_participant(tx, tools, case, participant, order, tools.now())
    assert letter_id is not None  # it has no step that could exist
    return letter_id


def _row(tools: Tools, actor: Actor, text: Statement) -> dict[str, object]:
    return {
        "statement_id": text.id, "participant_id": text.participant_id, "sha256": text.sha256,
        "asked_at": tools.now(), "asked_by": actor.name,
    }  # fmt: skip


def _held(tx: Connection, vu: int, vendor: str, message_id: int | None) -> tuple[Case, Participant, Statement]:
    """The text to be vouched for: the newest that is held, or the one that came in this message."""
    case = case_held(tx, vu)
    participant = taking_part(tx, case, vendor)
    theirs = statements.of_participant(tx, participant.id)
    if message_id is not None:
        theirs = [text for text in theirs if text.message_id == message_id]
        if not theirs:
            raise faults.NotFound(
                f"message {message_id} is not kept as a statement of {participant.name}; "
                f"`mailrouter statement take {message_id}` takes it as one"
            )
    held = [text for text in theirs if text.state == "held"]
    if not held:
        states = ", ".join(dict.fromkeys(text.state for text in theirs)) or "there is none"
        raise faults.Illegal(f"no statement of {participant.name} is held on VU#{vu} ({states}): nothing to vouch for")
    text = held[-1]
    if not text.verbatim.strip():
        raise faults.Illegal(f"the statement in message {text.message_id} holds no text to vouch for")
    if vouching.newer_stands(text, statements.standing(tx, participant.id)):
        raise faults.Illegal(f"a newer statement of {participant.name} stands than that in message {text.message_id}")
    return case, participant, text


# ---- by telephone --------------------------------------------------------------------------------------------------


def by_telephone(tools: Tools, actor: Actor, vu: int, vendor: str, call: Call, message_id: int | None = None) -> Asked:
    """An analyst called them and read the text out; it is held until a second analyst agrees.

    The number is the one on file; another one needs a reason, which stands in the journal.
    """
    need_analyst(actor, "vouching")
    with tools.db.write() as tx:
        case, participant, text = _held(tx, vu, vendor, message_id)
        number = _number(contacts.get(tx, participant.organisation_id), call)
        spoken = {"how": "telephone", "telephone": number, "why": call.why, "spoke_with": call.spoke_with}
        voucher_id = vouchers.add(tx, _row(tools, actor, text) | spoken)
        statements.change(tx, text.id, reason=f"vouched for by telephone by {actor.name}; a second analyst must agree")
        note(tx, tools, actor, "statement.called", case, statement=text.id, voucher=voucher_id, sha256=text.sha256,
             on_file=not call.why, why=call.why)  # fmt: skip
        _ask_a_second(tx, case, participant, voucher_id, text, tools)
        return Asked(voucher_id, text)


def _number(organisation: contacts.Organisation, call: Call) -> str:
    on_file = organisation.telephone
    if call.number and not _same(call.number, on_file) and not call.why:
        raise faults.Refused(f"that number is not on file of {organisation.name}; say --why it is theirs all the same")
    if not call.number and not on_file:
        raise faults.Illegal(
            f"no number of {organisation.name} is on file;"
            f" `mailrouter vendor set {shlex.quote(organisation.name)} --phone N`, or give --number and --why"
        )
    return call.number or on_file


def _same(one: str, other: str) -> bool:
    return re.sub(r"\D", "", one) == re.sub(r"\D", "", other) != ""


def _ask_a_second(
    tx: Connection, case: Case, participant: Participant, voucher_id: int, text: Statement, tools: Tools
) -> None:
    why = (
        f"statement {text.id} was vouched for by telephone: a second analyst reads it and says "
        f"`mailrouter statement agree VU#{case.vu} {shlex.quote(participant.name)} --sha256 {text.sha256[:12]}`"
    )
    about = {"case_id": case.id, "participant_id": participant.id}
    queues.add_notice(tx, "review", why, tools.now(), once=_once(voucher_id), **about)


def _once(voucher_id: int) -> str:
    return f"voucher:{voucher_id}:agree"


def agree(tools: Tools, actor: Actor, vu: int, vendor: str, sha256: str) -> Statement:
    """The second analyst agrees to exactly the text they have read: it stands, vouched. `Illegal` for the first one."""
    need_analyst(actor, "agreeing")
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        participant = taking_part(tx, case, vendor)
        voucher, text = _to_agree_to(tx, participant, sha256.lower())
        if vouching.may_not_agree(voucher.asked_by, actor.name):
            raise faults.Illegal(f"{actor.name} made the call: a second analyst must agree")
        if vouching.newer_stands(text, statements.standing(tx, participant.id)):
            raise faults.Illegal(f"a newer statement of {participant.name} stands")
        _make_it_stand(tx, tools, actor, case, participant, voucher)
        return statements.get(tx, text.id)


def _to_agree_to(tx: Connection, participant: Participant, sha256: str) -> tuple[vouchers.Voucher, Statement]:
    held = {text.id: text for text in statements.of_participant(tx, participant.id) if text.state == "held"}
    waiting = [
        (voucher, held[voucher.statement_id])
        for several in vouchers.of_statements(tx, held).values()
        for voucher in several
        if voucher.how == "telephone" and voucher.done_at is None and voucher.participant_id == participant.id
    ]
    if not waiting:
        raise faults.NotFound(f"nobody vouched by telephone for a held statement of {participant.name}")
    fitting = [one for one in waiting if one[0].sha256 == one[1].sha256 and one[1].sha256.startswith(sha256)]
    if not fitting:
        raise faults.Illegal(
            f"the text that was vouched for has SHA-256 {waiting[-1][0].sha256}; read it with `statement show`"
        )
    return max(fitting, key=lambda one: one[0].id)


def _make_it_stand(
    tx: Connection, tools: Tools, actor: Actor, case: Case, participant: Participant, voucher: vouchers.Voucher
) -> None:
    doing = act.Doing(tx, tools, tools.now(), tools.now(), actor.name, case)
    orders: do.Actions = [do.Vouch(participant, voucher.statement_id, voucher.id, "telephone", agreed_by=actor.name)]
    act.perform(doing, orders)
    if case.goes_on:
        act.nobodys_turn(doing, participant, "statement")
    queues.done_once(tx, _once(voucher.id), actor.name, tools.now())
