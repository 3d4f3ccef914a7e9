"""Vendor Statements by an analyst's hand: take a mail as one, approve the exact text, withdraw it."""

import shlex
from dataclasses import replace

from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.case import receipt
from mailrouter.case.model import Case, Participant, Statement
from mailrouter.case.receipt import Lack
from mailrouter.case.standing import Assurance
from mailrouter.flow import act
from mailrouter.flow.actor import Actor, case_held, ever_taking_part, need_analyst, note
from mailrouter.flow.afterwards import revising
from mailrouter.flow.arriving import arrival, lookup, receive, weigh
from mailrouter.mail.pgpmime import Opened, Verdict
from mailrouter.pgp import PublicKey
from mailrouter.store import cases, certificates, inbox, messages, statements, vouchers
from mailrouter.tools import Tools


def take(tools: Tools, actor: Actor, message_id: int) -> Statement:
    """An analyst says that a mail is the vendor's statement on its case.

    A signature by the vendor's pinned key that was good when it came makes it stand, though it was stale or does not
    name the case (the analyst has read it). Without one it is held: only the vendor's signature or word can make it
    stand. `Illegal` for what was signed before a later statement, or is no new word of theirs.
    """
    message = _filed(tools, message_id)
    read = receive.with_signature(tools, _as_it_came(tools, message))
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
        if cases.participant(tx, message.participant_id).is_vendor is False:
            raise faults.Illegal(f"message {message_id} is not from a vendor")
        return message


def _as_it_came(tools: Tools, message: messages.Message) -> lookup.Read:
    """Opened with the key as it was then, if with the keys there are now it does not prove the same."""
    assert message.mail_id is not None
    with tools.db.read() as tx:
        item = inbox.again_in_hand(tx, message.mail_id)
        then = certificates.get(tx, message.certificate)
    read = receive.read_mail(tools, item)
    if then is None or message.assurance != Assurance.VERIFIED or _proves_the_same(read.opened, message):
        return read
    key = PublicKey(then.fingerprint, then.data)
    return replace(read, opened=tools.pgp.open(item.envelope.raw, [key], lambda _: (), tools.now()))


def _proves_the_same(opened: Opened, message: messages.Message) -> bool:
    proved = opened.verdict is Verdict.GOOD and opened.covers == "all"
    return proved and (opened.fingerprint, opened.signed_at) == (message.fingerprint, message.signed_at)


def _keep(
    tx: Connection, case: Case, participant: Participant, message: messages.Message, read: lookup.Read
) -> Statement:
    if message.assurance == Assurance.VERIFIED and not _proves_the_same(read.opened, message):
        raise faults.Illegal(
            f"the signature of message {message.id} was good when it came, and cannot be shown to be good any more"
            f" ({read.opened.reason or 'its key is not known'}); ask {participant.name} to sign the text anew"
        )
    kept = act.statement_row(arrival.proof(read), case, participant, message.id, message.received_at)
    statements.keep(
        tx,
        kept | {"state": "held", "reason": "not meant as a statement by its sender", "bound": weigh.bound(read, case)},
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
        if lack := _no_newer_word(tx, message, kept):
            why = receipt.reason(lack)
            raise faults.Illegal(f"message {message.id} cannot stand: {why}; ask {kept.vendor} to sign it anew")
        act.supersede(tx, kept.participant_id)
        statements.change(tx, kept.id, state="verified", reason="")
        doing = act.Doing(tx, tools, tools.now(), tools.now(), actor.name, case)
        act.nobodys_turn(doing, cases.participant(tx, kept.participant_id), "statement")
    elif kept.reason.startswith("not meant"):
        statements.change(tx, kept.id, reason=_lacks(message))
    found = statements.of_message(tx, message.id)
    assert found is not None
    return found


def _no_newer_word(tx: Connection, message: messages.Message, kept: Statement) -> Lack | None:
    """What no analyst's reading helps: anybody could have sent this again."""
    flag = next((flag for flag in (Lack.REPEATED, Lack.REPLAY) if flag in message.flags.split()), None)
    last = statements.last_made(tx, kept.participant_id, but=message.id)
    return flag or (Lack.OLDER if last is not None and kept.made_at < last else None)


def _lacks(message: messages.Message) -> str:
    if message.assurance == Assurance.UNSIGNED:
        return "it is not signed"
    return message.reason or f"its signature proves nothing here: {message.assurance}"


def approve(tools: Tools, actor: Actor, vu: int, vendor: str, sha256: str = "") -> Statement:
    """An analyst approves exactly this text for publication; with `sha256`, only if it is the text they have read."""
    need_analyst(actor, "approving")
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        found = _standing(tx, case, ever_taking_part(tx, case, vendor))
        if not found.sha256.startswith(sha256.lower()):
            raise faults.Illegal(f"another text stands now, of SHA-256 {found.sha256}; read it with `statement show`")
        statements.approve(tx, found.id, actor.name, tools.now())
        note(tx, tools, actor, "statement.approved", case, statement=found.id, sha256=found.sha256)
        revising.look(tx, tools, case, f"statement:{found.id}", actor.name)
        return _again(tx, found)


def _standing(tx: Connection, case: Case, participant: Participant) -> Statement:
    """The one that stands; says what is in the way when there is none."""
    found = statements.standing(tx, participant.id)
    if found is not None:
        return found
    held = [s for s in statements.of_participant(tx, participant.id) if s.state == "held"]
    if held:
        remedy = _remedy(tx, case, participant, held[-1])
        raise faults.Illegal(f"the statement of {participant.name} is held: {held[-1].reason}{remedy}")
    raise faults.NotFound(f"no statement of {participant.name} on VU#{case.vu}")


def _remedy(tx: Connection, case: Case, participant: Participant, held: Statement) -> str:
    """The command that may make a held one stand; '' when there is no text that could."""
    if not held.verbatim.strip():
        return ""
    message = messages.get(tx, held.message_id)
    if message.assurance == Assurance.VERIFIED:
        old = _no_newer_word(tx, message, held)
        take = f"if it is about this case: `mailrouter statement take {message.id}`"
        return f"; ask {participant.name} to sign it anew" if old else f"; {take}"
    whose = f"VU#{case.vu} {shlex.quote(participant.name)}"
    called = vouchers.of_statements(tx, [held.id]).get(held.id, ())
    if any(one.how == "telephone" and one.done_at is None for one in called):
        return f": `mailrouter statement agree {whose} --sha256 {held.sha256[:12]}`"
    return f"; `mailrouter statement vouch {whose} --by mail` asks them whether it is theirs"


def withdraw(tools: Tools, actor: Actor, vu: int, vendor: str, why: str) -> Statement:
    """The vendor takes it back, or we do: it stands no longer; what stood before does not come back by itself."""
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        participant = ever_taking_part(tx, case, vendor)
        mine = [s for s in statements.of_participant(tx, participant.id) if s.stands or s.state == "held"]
        if not mine:
            raise faults.NotFound(f"no statement of {participant.name} on VU#{vu}")
        found = next((s for s in reversed(mine) if s.stands), mine[-1])
        statements.change(tx, found.id, state="withdrawn", reason=why)
        note(tx, tools, actor, "statement.withdrawn", case, statement=found.id, why=why)
        revising.look(tx, tools, case, f"statement:{found.id}", actor.name)
        return _again(tx, found)


def _again(tx: Connection, kept: Statement) -> Statement:
    found = statements.of_message(tx, kept.message_id)
    assert found is not None
    return found
