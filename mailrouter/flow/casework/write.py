"""A person's letters, conversations and remarks: what an analyst says, in the thread, in our name."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.case import actions as do
from mailrouter.case import lifecycle, plan
from mailrouter.case.events import MailArrived, Routed
from mailrouter.case.model import Case, Participant, Waiting
from mailrouter.case.standing import Assurance, Standing
from mailrouter.flow import act, leaking, letters
from mailrouter.flow.actor import Actor, case_held, note, taking_part
from mailrouter.mail.entity import Attachment
from mailrouter.store import cases, messages, queues
from mailrouter.tools import Tools

MOST_REFERENCES = 20


@dataclass(frozen=True, slots=True)
class Draft:
    """What an analyst wrote. `asks`: we wait for an answer to it."""

    text: str
    attachments: Sequence[Attachment] = ()
    confidential: bool = False
    only_encrypted: bool = False  # it repeats what came encrypted: never in clear, whatever they consent to
    asks: bool = True
    quoted: str = ""
    names_ok: bool = False  # a person saw what it tells of others, and means it


def write(tools: Tools, actor: Actor, vu: int, whom: Sequence[str], draft: Draft, seen: int | None = None) -> list[int]:
    """One mail to each, in each one's thread; returns the letters' ids.

    `seen`: the newest message there was when the writing began. What came after it still waits for a person.
    """
    tools.own_key()  # outside the transaction: it may have to be made
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        chosen = dict.fromkeys(taking_part(tx, case, name) for name in whom)
        _tells_nothing(tx, tools, case, chosen, draft)
        return [_send(tx, tools, actor, case, p, draft, _latest(tx, case, p), seen) for p in chosen]


def reply(tools: Tools, actor: Actor, message_id: int, draft: Draft) -> int:
    """Answer one mail of a participant, to their registered contact; returns the letter's id.

    It answers what they wrote before that mail, too; what they wrote after it still waits.
    """
    tools.own_key()
    with tools.db.write() as tx:
        answered, case_id, participant_id = _answerable(tx, message_id)
        case, whom = cases.lock(tx, [case_id])[case_id], cases.participant(tx, participant_id)
        _tells_nothing(tx, tools, case, [whom], draft)
        return _send(tx, tools, actor, case, whom, draft, answered, answered.id)


def telling(tx: Connection, tools: Tools, case: Case, whom: Iterable[Participant], draft: Draft) -> leaking.Preview:
    """What the draft would tell these of others. Of what it quotes only what never leaves: the rest they wrote us."""
    theirs = [one.organisation_id for one in whom]
    return leaking.preview(tx, tools, case.id, theirs, draft.text, draft.attachments, draft.quoted)


def _tells_nothing(tx: Connection, tools: Tools, case: Case, whom: Iterable[Participant], draft: Draft) -> None:
    """`Illegal` when it tells of others and nobody said that this is meant."""
    if not draft.names_ok and (said := telling(tx, tools, case, whom, draft).words):
        raise faults.Illegal(f"it would tell its recipient of others: {said}; {leaking.MEANT}")


def answerable(tools: Tools, message_id: int) -> messages.Message:
    """The message, if somebody's answer to it would have somewhere to go; `Illegal` says what is missing."""
    with tools.db.read() as tx:
        return _answerable(tx, message_id)[0]


def _answerable(tx: Connection, message_id: int) -> tuple[messages.Message, int, int]:
    answered = messages.get(tx, message_id)
    if answered.case_id is None or answered.participant_id is None:
        raise faults.Illegal(
            f"message {message_id} is not filed with a case and participant; `mailrouter message route` files it"
        )
    return answered, answered.case_id, answered.participant_id


def _send(
    tx: Connection, tools: Tools, actor: Actor, case: Case, participant: Participant, draft: Draft,
    answered: messages.Message | None, seen: int | None,
) -> int:  # fmt: skip
    order = letters.Order(
        "reply" if draft.quoted else "write",
        {"body": draft.text} | ({"quoted": draft.quoted} if draft.quoted else {}),
        asks=draft.asks,
        confidential=draft.confidential or draft.only_encrypted,
        only_encrypted=draft.only_encrypted,
        thread=_thread(tx, case, participant, answered),
        attachments=draft.attachments,
    )
    letter_id = letters.to_participant(tx, tools, case, participant, order, tools.now())
    assert letter_id is not None  # a person's letter has no step that could exist
    note(tx, tools, actor, "letter.queued", case, letter=letter_id, name=order.name, participant=participant.id)
    queues.done_for_participant(tx, participant.id, actor.name, tools.now(), seen)
    _turn(act.Doing(tx, tools, tools.now(), tools.now(), actor.name, case), participant, letter_id, draft)
    return letter_id


def _turn(doing: act.Doing, participant: Participant, letter_id: int, draft: Draft) -> None:
    """An asking letter makes it their turn; any other ends only ours."""
    contacted = lifecycle.follow(lifecycle.PROGRESS, ("contact",), participant.progress)[-1]
    if contacted != participant.progress:
        cases.change_participant(doing.tx, participant.id, progress=contacted)
    if draft.asks:
        act.asked(doing, participant, letter_id)
    elif participant.waiting_on is Waiting.US:
        act.nobodys_turn(doing, participant, "answered by us")


def thread(tx: Connection, case: Case, participant: Participant) -> letters.Thread:
    """The participant's own, as it stands now."""
    return _thread(tx, case, participant, _latest(tx, case, participant))


def _latest(tx: Connection, case: Case, participant: Participant) -> messages.Message | None:
    theirs = [m for m in messages.of_case(tx, case.id) if m.participant_id == participant.id and m.message_id]
    return theirs[-1] if theirs else None


def _thread(tx: Connection, case: Case, participant: Participant, answered: messages.Message | None) -> letters.Thread:
    """References: the conversation so far, oldest first (RFC 5322 section 3.6.4)."""
    if answered is None or not answered.message_id:
        return letters.Thread()
    so_far = [m for m in messages.of_case(tx, case.id) if m.participant_id == participant.id and m.id <= answered.id]
    ids = [f"<{m.message_id}>" for m in so_far if m.message_id][-MOST_REFERENCES:]
    return letters.Thread(f"<{answered.message_id}>", tuple(ids))


# ---- without a mail --------------------------------------------------------------------------------------------------


def log(tools: Tools, actor: Actor, vu: int, whom: str, by: str, at: datetime, text: str) -> int:
    """A conversation by telephone or otherwise: it counts as an answer. Returns its message id."""
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        participant = taking_part(tx, case, whom)
        spoken = messages.add(tx, _spoken(case, participant, actor, by, at, text))
        note(tx, tools, actor, "conversation", case, message=spoken, by=by, participant=participant.id)
        doing = act.Doing(tx, tools, tools.now(), tools.now(), actor.name, case)
        act.perform(doing, _counts_as_answer(tools, case, participant, spoken))
        return spoken


def _spoken(case: Case, participant: Participant, actor: Actor, by: str, at: datetime, text: str) -> dict[str, object]:
    return {
        "direction": "in", "case_id": case.id, "participant_id": participant.id, "place": "", "kind": by,
        "sender": participant.name, "subject": f"conversation ({by})", "received_at": at, "note": text,
        "standing": str(Standing.CLAIMED), "vouched_by": actor.name,
    }  # fmt: skip


def _counts_as_answer(tools: Tools, case: Case, participant: Participant, spoken: int) -> do.Actions:
    event = MailArrived(
        since=f"message:{spoken}", routed=Routed(case_id=case.id), kind="person", standing=Standing.CLAIMED,
        assurance=Assurance.UNSIGNED, counts=True, case=case, participant=participant,
    )  # fmt: skip
    orders = plan.after(event, tools.settings.policy, tools.now())
    return [order for order in orders if not isinstance(order, do.File)]  # nothing to lay anywhere: it was spoken


def remark(tools: Tools, actor: Actor, vu: int, text: str) -> int:
    """An internal remark on a case; it never leaves. Returns its message id."""
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        written = messages.add(
            tx,
            {"direction": "remark", "case_id": case.id, "kind": "remark", "sender": actor.name, "note": text,
             "received_at": tools.now(), "standing": "", "assurance": ""},
        )  # fmt: skip
        note(tx, tools, actor, "remark", case, message=written)
        return written
