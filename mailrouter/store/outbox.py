"""Letters that leave. States: queued -> sent | held | failed | withdrawn; a lease says who has one in hand.

Promises: the same step makes one letter; Message-ID and time are fixed when the row is made and the sealed bytes
before the first try, so that every try sends the same mail.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, func, or_, select, update

from mailrouter import faults
from mailrouter.store import receipts, upsert
from mailrouter.store.inbox import Holder
from mailrouter.store.tables import cases, letters, switches

LEASE = timedelta(minutes=5)
OUR_KEY = "our key cannot be used now: see `mailrouter doctor`"  # why letters wait: no server said it


@dataclass(frozen=True, slots=True)
class Letter:
    """One row of `letters`."""

    id: int
    case_id: int | None
    participant_id: int | None
    analyst_id: int | None
    name: str
    step: str | None
    recipient: str
    subject: str
    body: str
    attachments: str
    in_reply_to: str
    reference_ids: str
    message_id: str
    made_at: datetime
    automatic: bool
    confidential: bool
    only_encrypted: bool
    signer: str
    asks: bool
    about_item_id: int | None
    state: str
    why: str
    signed: bool
    encrypted: bool
    sealed: bytes | None
    reverse_path: str | None
    attempts: int
    next_attempt_at: datetime | None
    sent_at: datetime | None
    node: str
    start_id: str
    leased_until: datetime | None
    reply: str
    report_id: int | None = None  # of a letter to a reporter, before there is a case
    despite: str = ""  # 'ANALYST: reason' when it may leave though the leak check found something


def queue(tx: Connection, row: dict[str, Any]) -> int | None:
    """Queue a letter; None if this step's letter exists already (another node was first)."""
    statement = upsert.into(tx, letters).on_conflict_do_nothing().returning(letters.c.id)
    return tx.execute(statement, row).scalar_one_or_none()


def step_made(tx: Connection, step: str) -> bool:
    """Whether this step's letter exists."""
    return tx.execute(select(letters.c.id).where(letters.c.step == step)).first() is not None


def of_step(tx: Connection, step: str) -> Letter | None:
    """The letter of this step, if it was made."""
    row = tx.execute(select(letters).where(letters.c.step == step)).first()
    return Letter(*row) if row else None


def steps_made(tx: Connection, steps: Sequence[str]) -> set[str]:
    """Which of these steps' letters exist."""
    return set(tx.execute(_MADE, {"steps": list(steps)}).scalars()) if steps else set()


_MADE = select(letters.c.step).where(letters.c.step.in_(bindparam("steps", expanding=True)))


def get(tx: Connection, letter_id: int) -> Letter:
    """By id; `NotFound` says so."""
    row = tx.execute(select(letters).where(letters.c.id == letter_id)).first()
    if row is None:
        raise faults.NotFound(f"no letter {letter_id}; `mailrouter outbox list` shows those there are")
    return Letter(*row)


def listed(tx: Connection, *, everything: bool = True) -> list[tuple[Letter, int | None]]:
    """All letters (or those not sent yet) with their VU#, oldest first."""
    wanted = (
        select(*_UNREAD, cases.c.vu).join(cases, cases.c.id == letters.c.case_id, isouter=True).order_by(letters.c.id)
    )
    if not everything:
        wanted = wanted.where(letters.c.state.not_in(("sent", "withdrawn")))
    return [(_unread(row), row.vu) for row in tx.execute(wanted)]


def _unread(row: Any) -> Letter:
    values = dict(row._mapping)
    values.pop("vu", None)
    return Letter(**values, sealed=None, body="", attachments="")


def some(tx: Connection, ids: Iterable[int]) -> dict[int, Letter]:
    """These letters, without their texts; those there are not are left out."""
    wanted = list(ids)
    return {row.id: _unread(row) for row in tx.execute(_SOME, {"ids": wanted})} if wanted else {}


_UNREAD = [c for c in letters.c if c.name not in ("sealed", "body", "attachments")]
_SOME = select(*_UNREAD).where(letters.c.id.in_(bindparam("ids", expanding=True)))


def copy_of(tx: Connection, letter_id: int) -> Letter | None:
    """The letter that went again to another contact, when this one came back."""
    row = tx.execute(select(letters).where(letters.c.step == again_step(letter_id))).first()
    return Letter(*row) if row else None


def first_of(tx: Connection, letter: Letter) -> int:
    """The letter in whose place this one went again; the letter itself when it is the first."""
    first = letter
    while first.step and first.step.startswith(_AGAIN):
        first = get(tx, int(first.step.removeprefix(_AGAIN)))
    return first.id


def withdraw_copy(tx: Connection, letter: Letter, why: str) -> None:
    """What was to go in place of this letter, after an earlier try of it, need not: this try succeeded.

    What has been made since this try began stays: the letter has come back already.
    """
    assert letter.leased_until is not None
    earlier = letters.c.made_at < letter.leased_until - LEASE
    waiting = (letters.c.step == again_step(letter.id)) & letters.c.state.in_(("queued", "held")) & earlier
    tx.execute(update(letters).where(waiting).values(state="withdrawn", why=why))


def again_step(letter_id: int) -> str:
    """The step of the letter that goes again to another contact: once, however often this one comes back."""
    return f"{_AGAIN}{letter_id}"


_AGAIN = "again:"


def attachments(letter: Letter) -> list[dict[str, str]]:
    """Name, type and digest of each: their bytes are in store/files.py."""
    return list(json.loads(letter.attachments)) if letter.attachments else []


# ---- sending: lease, freeze, record ----------------------------------------------------------------------------------


def waits(tx: Connection, now: datetime) -> bool:
    """Whether a letter is due: asked without the writer's lock, since mostly none is."""
    return not paused(tx) and tx.execute(_next(now)).first() is not None


def waiting_for_our_key(tx: Connection) -> int:
    """How many letters could not be signed when they were last tried."""
    wanted = select(func.count()).where(letters.c.state == "queued", letters.c.reply == OUR_KEY)
    return int(tx.execute(wanted).scalar_one())


def _next(now: datetime) -> Select[tuple[int]]:
    return (
        select(letters.c.id)
        .where(
            letters.c.state == "queued",
            or_(letters.c.next_attempt_at.is_(None), letters.c.next_attempt_at <= now),
            or_(letters.c.leased_until.is_(None), letters.c.leased_until < now),
        )
        .order_by(letters.c.next_attempt_at, letters.c.id)
        .limit(1)
    )


def lease(tx: Connection, holder: Holder, now: datetime) -> Letter | None:
    """Take the next letter that is due in hand, counting the attempt."""
    row = None if paused(tx) else tx.execute(_next(now).with_for_update(skip_locked=True)).first()
    if row is None:
        return None
    values = {
        "node": holder.node,
        "start_id": holder.start_id,
        "leased_until": now + LEASE,
        "attempts": letters.c.attempts + 1,
    }
    tx.execute(update(letters).where(letters.c.id == row.id).values(values))
    return get(tx, row.id)


def freeze(tx: Connection, letter: Letter, holder: Holder, now: datetime) -> bool:
    """Fix what every try sends, and from where; False if the lease is no longer ours (then nothing may be sent)."""
    fixed = ("sealed", "reverse_path", "signed", "encrypted")
    return _while_ours(tx, letter, holder, now, {name: getattr(letter, name) for name in fixed})


def record(tx: Connection, letter: Letter, holder: Holder, now: datetime, **outcome: Any) -> bool:
    """What became of a try; gives the lease back. One that was withdrawn while it left has left all the same."""
    states = ("queued", "withdrawn") if outcome.get("state") == "sent" else ("queued",)
    mine = and_(letters.c.id == letter.id, letters.c.start_id == holder.start_id, letters.c.state.in_(states))
    return tx.execute(update(letters).where(mine).values(leased_until=None, **outcome)).rowcount == 1


def still_ours(tx: Connection, letter: Letter, holder: Holder, now: datetime) -> bool:
    """Whether we still hold the lease and the letter is still to go (nobody held or withdrew it, the brake is off)."""
    wanted = select(letters.c.id).where(_ours(letter, holder, now))
    return tx.execute(wanted).first() is not None and not paused(tx)


def _while_ours(tx: Connection, letter: Letter, holder: Holder, now: datetime, values: dict[str, Any]) -> bool:
    return tx.execute(update(letters).where(_ours(letter, holder, now)).values(values)).rowcount == 1


def _ours(letter: Letter, holder: Holder, now: datetime) -> Any:
    return and_(
        letters.c.id == letter.id, letters.c.node == holder.node, letters.c.start_id == holder.start_id,
        letters.c.leased_until >= now, letters.c.state == "queued",
    )  # fmt: skip


def release(tx: Connection, holder: Holder) -> None:
    """Letters this life of the node has in hand are free again."""
    ours = and_(
        letters.c.node == holder.node, letters.c.start_id == holder.start_id, letters.c.leased_until.is_not(None)
    )
    tx.execute(update(letters).where(ours).values(leased_until=None))


def begin_life(tx: Connection, holder: Holder) -> None:
    """A node starts: letters its former life had in hand are free again."""
    former = and_(
        letters.c.node == holder.node, letters.c.start_id != holder.start_id, letters.c.leased_until.is_not(None)
    )
    tx.execute(update(letters).where(former).values(leased_until=None))


# ---- by hand ---------------------------------------------------------------------------------------------------------


def change(tx: Connection, letter_id: int, **values: Any) -> None:
    """Set columns of one letter; never its frozen bytes."""
    tx.execute(update(letters).where(letters.c.id == letter_id).values(values))


def by_hand(tx: Connection, letter_id: int, states: tuple[str, ...], now: datetime, **values: Any) -> bool:
    """Change a letter that is in one of these states and in nobody's hand; False, and no change, otherwise."""
    free = or_(letters.c.leased_until.is_(None), letters.c.leased_until < now)
    mine = and_(letters.c.id == letter_id, letters.c.state.in_(states), free)
    return tx.execute(update(letters).where(mine).values(leased_until=None, **values)).rowcount == 1


def withdraw(tx: Connection, letter_id: int, why: str) -> None:
    """A letter that has not left does not leave."""
    waiting = (letters.c.id == letter_id) & letters.c.state.in_(("queued", "held"))
    tx.execute(update(letters).where(waiting).values(state="withdrawn", why=why))


def withdraw_automatic(tx: Connection, participant_id: int, why: str) -> list[int]:
    """Automatic letters to a participant whose reason has gone do not leave, held ones neither; returns their ids."""
    return sorted(tx.execute(_WITHDRAW, {"participant": participant_id, "reason": why}).scalars())


_WITHDRAW = (
    update(letters)
    .where(
        letters.c.participant_id == bindparam("participant"),
        letters.c.automatic,
        letters.c.name.not_in(("key-expires", "downstream-alert")),  # their answer takes the reason of neither away
        letters.c.name.not_in(receipts.NAMES),  # what came has come, whatever comes next
        letters.c.state.in_(("queued", "held")),
    )
    .values(state="withdrawn", why=bindparam("reason"))
    .returning(letters.c.id)
)


def held(tx: Connection, case_id: int) -> int:
    """How many letters of a case wait for a person."""
    waiting = (letters.c.case_id == case_id) & (letters.c.state == "held")
    return int(tx.execute(select(func.count()).select_from(letters).where(waiting)).scalar_one())


def withdraw_to(tx: Connection, participant_id: int, why: str) -> list[int]:
    """No letter to this participant leaves, whoever ordered it; returns their ids."""
    waiting = (letters.c.participant_id == participant_id) & letters.c.state.in_(("queued", "held"))
    gone = update(letters).where(waiting).values(state="withdrawn", why=why).returning(letters.c.id)
    return sorted(tx.execute(gone).scalars())


def overtake(tx: Connection, participant_id: int, by: int) -> list[int]:
    """Automatic letters to a participant that have not left when a later one, `by`, is made leave no more: else both
    might leave in one minute, once the brake is off. Receipts answer, and are none of these. Returns their ids.
    """
    values = {"participant": participant_id, "later": by, "reason": f"letter {by} goes in its place"}
    return sorted(tx.execute(_OVERTAKE, values).scalars())


_OVERTAKE = (
    update(letters)
    .where(
        letters.c.participant_id == bindparam("participant"),
        letters.c.id != bindparam("later"),
        letters.c.automatic,
        letters.c.name.not_in(receipts.NAMES),
        letters.c.state.in_(("queued", "held")),
    )
    .values(state="withdrawn", why=bindparam("reason"))
    .returning(letters.c.id)
)


def waiting_for_a_key(tx: Connection, participant_id: int) -> list[int]:
    """Held confidential letters that consent to clear text would open, oldest first."""
    theirs = and_(
        letters.c.participant_id == participant_id, letters.c.state == "held", letters.c.confidential,
        letters.c.only_encrypted.is_(False), letters.c.sealed.is_(None), letters.c.recipient != "",
    )  # fmt: skip
    return list(tx.execute(select(letters.c.id).where(theirs).order_by(letters.c.id)).scalars())


def hold_everything(tx: Connection, why: str) -> int:
    """Hold every queued letter (after a restore)."""
    return tx.execute(update(letters).where(letters.c.state == "queued").values(state="held", why=why)).rowcount


def paused(tx: Connection) -> bool:
    """Whether the brake is on."""
    return tx.execute(select(switches.c.value).where(switches.c.name == "outbox")).scalar() == "paused"


def brake(tx: Connection, *, on: bool) -> None:
    """Stop or resume all outgoing letters."""
    statement = upsert.into(tx, switches).values(name="outbox", value="paused" if on else "")
    tx.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"value": statement.excluded.value}))


def coming(tx: Connection, until: datetime) -> list[tuple[Letter, int | None]]:
    """Automatic letters to participants, queued to go by `until`."""
    return [
        (le, vu)
        for le, vu in listed(tx, everything=False)
        if le.automatic
        and le.participant_id is not None
        and le.state == "queued"
        and (le.next_attempt_at or until) <= until
    ]


def last_to(tx: Connection, participant_id: int) -> Letter | None:
    """The newest letter to a participant."""
    wanted = select(letters).where(letters.c.participant_id == participant_id).order_by(letters.c.id.desc()).limit(1)
    row = tx.execute(wanted).first()
    return Letter(*row) if row else None


@dataclass(frozen=True, slots=True)
class Asked:
    """A letter that asks a participant something: enough of it to count how often they were tried."""

    id: int
    participant_id: int
    recipient: str
    state: str
    sent_at: datetime | None
    again: int | None  # the letter in whose place it goes to another contact


def asking(tx: Connection, participant_ids: Sequence[int]) -> list[Asked]:
    """Every letter that asks one of these participants something, oldest first."""
    return [_asked(row) for row in tx.execute(_ASKING, {"ids": list(participant_ids)})] if participant_ids else []


def _asked(row: Any) -> Asked:
    values: list[Any] = list(row)
    step = values.pop()
    values.append(int(step.removeprefix(_AGAIN)) if (step or "").startswith(_AGAIN) else None)
    return Asked(*values)


_ASKING = (
    select(
        letters.c.id, letters.c.participant_id, letters.c.recipient, letters.c.state, letters.c.sent_at, letters.c.step
    )
    .where(letters.c.participant_id.in_(bindparam("ids", expanding=True)), letters.c.asks)
    .order_by(letters.c.id)
)


def oldest_unsent(tx: Connection) -> datetime | None:
    """When the longest-queued letter was made."""
    found: datetime | None = tx.execute(
        select(func.min(letters.c.made_at)).where(letters.c.state == "queued")
    ).scalar_one()
    return found
