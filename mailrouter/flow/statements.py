"""Vendor Statements by an analyst's hand: take a mail as one, approve the exact text, withdraw it."""

from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.case.model import Case, Participant, Statement
from mailrouter.case.standing import Assurance
from mailrouter.flow import act, arrival, judge, receive
from mailrouter.flow.actor import Actor, case_held, need_analyst, note, taking_part
from mailrouter.store import cases, inbox, messages, statements
from mailrouter.tools import Tools

VENDORS = ("vendor", "downstream")


def take(tools: Tools, actor: Actor, message_id: int) -> Statement:
    """An analyst says that a mail is the vendor's statement on its case.

    A good signature by the vendor's pinned key makes it stand, whatever else was held against it (the analyst has read
    it). Without one it is held: only the vendor's signature or word can make it stand.
    """
    message = _filed(tools, message_id)
    read = receive.with_signature(tools, receive.read_mail(tools, _in_hand(tools, message)))
    with tools.db.write() as tx:
        assert message.case_id is not None
        assert message.participant_id is not None
        case = cases.lock(tx, [message.case_id])[message.case_id]
        participant = cases.participant(tx, message.participant_id)
        kept = statements.of_message(tx, message_id) or _keep(tx, case, participant, message, read)
        taken = _stand(tx, tools, actor, case, message, kept)
        note(tx, tools, actor, "statement.taken", case, statement=taken.id, state=taken.state, message=message_id)
        return taken


def _filed(tools: Tools, message_id: int) -> messages.Message:
    with tools.db.read() as tx:
        message = messages.get(tx, message_id)
        if message.mail_id is None or message.case_id is None or message.participant_id is None:
            raise faults.Illegal(
                f"message {message_id} is not filed as a participant's; "
                f"`mailrouter message route {message_id} VU --from VENDOR` files it"
            )
        if cases.participant(tx, message.participant_id).role not in VENDORS:
            raise faults.Illegal(f"message {message_id} is not from a vendor")
        return message


def _in_hand(tools: Tools, message: messages.Message) -> inbox.Item:
    assert message.mail_id is not None
    with tools.db.read() as tx:
        return inbox.again_in_hand(tx, message.mail_id)


def _keep(
    tx: Connection, case: Case, participant: Participant, message: messages.Message, read: judge.Read
) -> Statement:
    kept = act.statement_row(arrival.proof(read), case, participant, message.id, message.received_at)
    statements.keep(
        tx,
        kept | {"state": "held", "reason": "not meant as a statement by its sender", "bound": judge.bound(read, case)},
    )
    found = statements.of_message(tx, message.id)
    assert found is not None
    return found


def _stand(
    tx: Connection, tools: Tools, actor: Actor, case: Case, message: messages.Message, kept: Statement
) -> Statement:
    if kept.state != "held":
        raise faults.Illegal(f"the statement in message {message.id} is {kept.state} already")
    if not kept.verbatim.strip():
        raise faults.Illegal(f"message {message.id} holds no text of its sender's own")
    if message.assurance == Assurance.VERIFIED:
        act.supersede(tx, kept.participant_id)
        statements.change(tx, kept.id, state="verified", reason="")
        doing = act.Doing(tx, tools, tools.now(), tools.now(), actor.name, case)
        act.nobodys_turn(doing, cases.participant(tx, kept.participant_id), "statement")
    elif kept.reason.startswith("not meant"):
        statements.change(tx, kept.id, reason=_lacks(message))
    found = statements.of_message(tx, message.id)
    assert found is not None
    return found


def _lacks(message: messages.Message) -> str:
    if message.assurance == Assurance.UNSIGNED:
        return "it is not signed"
    return message.reason or f"its signature proves nothing here: {message.assurance}"


def approve(tools: Tools, actor: Actor, vu: int, vendor: str, sha256: str = "") -> Statement:
    """An analyst approves exactly this text for publication; with `sha256`, only if it is the text they have read."""
    need_analyst(actor, "approving")
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        found = _standing(tx, case, taking_part(tx, case, vendor))
        if not found.sha256.startswith(sha256.lower()):
            raise faults.Illegal(f"another text stands now, of SHA-256 {found.sha256}; read it with `statement show`")
        statements.approve(tx, found.id, actor.name, tools.now())
        note(tx, tools, actor, "statement.approved", case, statement=found.id, sha256=found.sha256)
        return _again(tx, found)


def _standing(tx: Connection, case: Case, participant: Participant) -> Statement:
    """The one that stands; says what is in the way when there is none."""
    found = statements.standing(tx, participant.id)
    if found is not None:
        return found
    held = [s for s in statements.of_participant(tx, participant.id) if s.state == "held"]
    if held:
        raise faults.Illegal(f"the statement of {participant.name} is held: {held[-1].reason}")
    raise faults.NotFound(f"no statement of {participant.name} on VU#{case.vu}")


def withdraw(tools: Tools, actor: Actor, vu: int, vendor: str, why: str) -> Statement:
    """The vendor takes it back, or we do: it stands no longer; what stood before does not come back by itself."""
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        participant = taking_part(tx, case, vendor)
        mine = [s for s in statements.of_participant(tx, participant.id) if s.stands or s.state == "held"]
        if not mine:
            raise faults.NotFound(f"no statement of {participant.name} on VU#{vu}")
        found = next((s for s in reversed(mine) if s.stands), mine[-1])
        statements.change(tx, found.id, state="withdrawn", reason=why)
        note(tx, tools, actor, "statement.withdrawn", case, statement=found.id, why=why)
        return _again(tx, found)


def _again(tx: Connection, kept: Statement) -> Statement:
    found = statements.of_message(tx, kept.message_id)
    assert found is not None
    return found
