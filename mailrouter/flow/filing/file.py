"""Filing by hand: what the router would not decide alone, an analyst does with one command."""

from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.case.model import Case, Participant, Place, Waiting
from mailrouter.flow import act, details
from mailrouter.flow.actor import Actor, case_held, done_by, note, taking_part
from mailrouter.flow.arriving import lookup, receive
from mailrouter.store import cases, contacts, inbox, messages, outbox, proposals, queues, statements
from mailrouter.tools import Tools


def route(
    tools: Tools, actor: Actor, message_id: int, vu: int | None = None, whose: str = "", *, add_contact: bool = False
) -> messages.Message:
    """File a mail with a case; without `vu`, with the one that is suggested.

    `whose`: I vouch that it is this participant's; `add_contact`: its address is theirs.
    """
    with tools.db.read() as tx:
        seen = messages.get(tx, message_id)
    opened = read(tools, message_id)
    with tools.db.write() as tx:
        inbox.take_out(tx, opened.item.mail_id)  # it may be on its way again, after a retry
        case = _all_held(tx, vu or _suggested(seen), seen.case_id, opened)
        former = messages.lock(tx, [message_id])[message_id]
        _as_seen(tx, seen, former)
        participant = taking_part(tx, case, whose) if whose else None
        if participant and add_contact:
            contacts.add_contact(tx, participant.organisation_id, good_address(opened))
        filed = file_as(tx, tools, actor, opened, case, participant)
        _taken_from(tx, tools, actor, former, filed)
        return filed


def _as_seen(tx: Connection, seen: messages.Message, now: messages.Message) -> None:
    """`Illegal` when somebody filed it while it was read: its analyst did not know."""
    if now.case_id in (None, seen.case_id):
        return
    case = cases.get(tx, now.case_id)
    by = done_by(tx, case, "mail.filed", message=now.id)
    raise faults.Illegal(
        f"message {now.id} was filed with VU#{case.vu} meanwhile{by}; `mailrouter message show {now.id}`"
    )


def _suggested(message: messages.Message) -> int:
    if message.suggested_vu is None:
        raise faults.Illegal(f"nothing is suggested for message {message.id}; say which VU# it belongs to")
    return message.suggested_vu


def _all_held(tx: Connection, vu: int, former_id: int | None, opened: lookup.Read) -> Case:
    """The case it goes to, held together with the one it lay in and those it names, in the order all verbs hold cases:
    before the message.
    """
    wanted = cases.by_vu(tx, vu).id
    lookup.look_up(tx, [opened], also={wanted, former_id or wanted})
    return case_held(tx, vu)


def _taken_from(tx: Connection, tools: Tools, actor: Actor, former: messages.Message, filed: messages.Message) -> None:
    """What the mail began while it counted as another's ends: their turn with us, and a statement of theirs."""
    if former.case_id is None or former.participant_id is None or former.participant_id == filed.participant_id:
        return
    case = cases.get(tx, former.case_id)
    kept = statements.of_message(tx, former.id)
    if kept is not None and kept.participant_id == former.participant_id:
        statements.change(tx, kept.id, state="withdrawn", reason="the mail was filed elsewhere")
        note(tx, tools, actor, "statement.withdrawn", case, statement=kept.id)
    if over := proposals.taken_elsewhere(tx, former.id, former.participant_id, tools.now()):
        note(tx, tools, actor, "proposal.overtaken", case, message=former.id, proposals=over)
    note(tx, tools, actor, "mail.taken", case, message=former.id)
    _nothing_waits(act.Doing(tx, tools, tools.now(), tools.now(), actor.name, case), former.participant_id)


def file_as(
    tx: Connection, tools: Tools, actor: Actor, read: lookup.Read, case: Case, participant: Participant | None
) -> messages.Message:
    """File an opened mail with a case that is held: as this participant's, if an analyst says so."""
    vouched = lookup.Vouched(actor.name, case.id, participant.id if participant else None)
    known = lookup.look_up(tx, [read], vouched)
    filed = receive.record(tx, tools, read, known, vouched)
    message = messages.get(tx, filed.message_id)
    if message.place != Place.FILED:
        _without_participant(tx, tools, actor, case, message)
    return messages.get(tx, filed.message_id)


def _without_participant(tx: Connection, tools: Tools, actor: Actor, case: Case, message: messages.Message) -> None:
    """Filed with the case because an analyst says so, though its sender takes no part in it: nobody's turn changes."""
    changed = {"place": str(Place.FILED), "case_id": case.id, "why": "filed by hand", "suggested_vu": None}
    messages.replace(tx, message.id, changed)
    queues.done_for_message(tx, message.id, actor.name, tools.now())
    note(tx, tools, actor, "mail.filed", case, message=message.id, by_hand=True)
    doing = act.Doing(tx, tools, tools.now(), tools.now(), actor.name, case)
    act.report_filed(doing, message, case)
    doing.later.write(tx)


def good_address(read: lookup.Read) -> str:
    """Whose address it is; `Illegal` when its From does not say."""
    if read.sender.malformed:
        raise faults.Illegal("the mail's From is malformed; whose address it is cannot be said")
    return read.sender.address


def read(tools: Tools, message_id: int) -> lookup.Read:
    """A mail opened again, outside of any transaction. `Illegal` for what is none."""
    return receive.read_mail(tools, _item(tools, message_id))


def _item(tools: Tools, message_id: int) -> inbox.Item:
    with tools.db.read() as tx:
        message = messages.get(tx, message_id)
        if message.mail_id is None:
            raise faults.Illegal(f"message {message_id} is not a mail that came in")
        return inbox.again_in_hand(tx, message.mail_id)


def retry(tools: Tools, actor: Actor, message_id: int) -> None:
    """Process a mail again, from its raw bytes, with all its tries."""
    with tools.db.write() as tx:
        message = messages.get(tx, message_id)
        if message.mail_id is None:
            raise faults.Illegal(f"message {message_id} is not a mail that came in")
        if message.place == Place.FILED:
            raise faults.Illegal(
                f"message {message_id} is filed already; `mailrouter message route` files it elsewhere"
            )
        if not inbox.again(tx, message.mail_id):
            raise faults.Illegal(f"message {message_id} is being processed again already")
        note(tx, tools, actor, "mail.retried", None, message=message_id)


def done(tools: Tools, actor: Actor, item_id: int) -> queues.Item:
    """Dealt with. Was it the last of a participant who waits on us, it is nobody's turn any more."""
    with tools.db.write() as tx:
        item = queues.get(tx, item_id)
        if item.done_at is not None:
            raise faults.Illegal(f"item {item_id} was done before, by {item.done_by}")
        case = cases.lock(tx, [item.case_id])[item.case_id] if item.case_id else None
        queues.done(tx, item_id, actor.name, tools.now())
        note(tx, tools, actor, "item.done", case, item=item_id, message=item.message_id)
        if case is not None and item.message_id is not None:
            whose = messages.get(tx, item.message_id).participant_id
            _nothing_waits(act.Doing(tx, tools, tools.now(), tools.now(), actor.name, case), whose)
        return item


def _nothing_waits(doing: act.Doing, participant_id: int | None) -> None:
    if participant_id is None or queues.waiting_from(doing.tx, participant_id):
        return
    participant = cases.participant(doing.tx, participant_id)
    if participant.waiting_on is not Waiting.US:
        return
    last = outbox.last_to(doing.tx, participant_id)
    if last is not None and last.name == details.LETTER and _after_their_mail(doing.tx, participant, last):
        act.asked(doing, participant, last.id)  # the details followed their mail, and ask what is not answered yet
    else:
        act.nobodys_turn(doing, participant, "dealt with")


def _after_their_mail(tx: Connection, participant: Participant, letter: outbox.Letter) -> bool:
    return participant.last_heard_at is not None and letter.made_at >= participant.last_heard_at
