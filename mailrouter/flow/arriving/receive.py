"""One accepted mail -> a recorded event and what follows from it.

parse -> open (decrypt, verify) -> automated? -> authenticate -> route -> plan -> act. GnuPG runs outside the
transaction; all that a batch of mails changes is one transaction; if that fails, each mail is tried alone, so that
one cannot hold up its neighbours. A mail that had its tries is parked: kept, shown, in nobody's way.
"""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

from sqlalchemy import Connection

from mailrouter import failpoint, logs
from mailrouter.case import actions as do
from mailrouter.case import plan, vuid
from mailrouter.case.conditions import Assurance
from mailrouter.case.model import Place
from mailrouter.faults import TryLater
from mailrouter.flow import act, analystmail
from mailrouter.flow.arriving import acknowledge, answered, arrival, judge, lookup, offered, offers, receipts
from mailrouter.flow.casework import taking
from mailrouter.mail import authenticate, automated, ownaddress, parse, pgpmime, route
from mailrouter.pgp import PublicKey
from mailrouter.store import cases, contacts, inbox, messages
from mailrouter.store.engine import is_away
from mailrouter.tools import Tools

BATCH = 32
ROUTER = "mailrouter"  # who acts, in the journal


# ---- the way of a batch --------------------------------------------------------------------------------------------


def work(tools: Tools, most: int = BATCH) -> int:
    """Claim some mails and receive them; returns how many were in hand (0: nothing waits)."""
    items = claim(tools, most)
    receive(tools, items)
    return len(items)


def claim(tools: Tools, most: int = BATCH) -> list[inbox.Item]:
    """Take some waiting mails in hand; the try is counted before anybody looks at them."""
    with tools.db.read() as tx:
        if not inbox.waits(tx, tools.now()):
            return []
    with tools.db.write() as tx:
        items = inbox.claim(tx, tools.holder, tools.now(), most)
    failpoint.reach("receive-after-claim")
    return items


def release(tools: Tools, items: Sequence[inbox.Item]) -> None:
    """Give back what is still in hand, uncounted: the database was away, or gpg needs its time for another."""
    with tools.db.write() as tx:
        inbox.release(tx, tools.holder, [item.mail_id for item in items])


def take_over(tools: Tools) -> None:
    """Free what a worker that died in our place had in hand."""
    with tools.db.write() as tx:
        inbox.end_life(tx, tools.holder)


def receive(tools: Tools, items: Sequence[inbox.Item]) -> None:
    """Park what had its tries; record the rest, mail without OpenPGP first, so that a gpg that hangs holds up none.

    Raises what the database raises while it is away: then `items` are still in hand, to be released when it is back.
    """
    plain: list[inbox.Item] = []
    sealed: list[inbox.Item] = []
    for item in items:
        if item.exhausted:
            _park(tools, item)
        else:
            (plain if pgpmime.sealed(item.envelope.raw) is None else sealed).append(item)
    _together(tools, plain)
    _together(tools, sealed)
    failpoint.reach("receive-after-commit")


def _together(tools: Tools, items: Sequence[inbox.Item]) -> None:
    """All of them in one transaction if it can be; else each alone, and those that fail are given back."""
    batch = _read_all(tools, items)
    failpoint.reach("receive-after-open")
    try:
        _record(tools, batch)
    except Exception as trouble:  # noqa: BLE001 - whatever it is, no mail may be lost or hold up another
        logs.failed("receive.batch", trouble)
        for read in batch:
            _record_alone(tools, read)


def _read_all(tools: Tools, items: Sequence[inbox.Item]) -> list[lookup.Read]:
    batch: list[lookup.Read] = []
    for number, item in enumerate(items, 1):
        try:
            batch.append(read_mail(tools, item))
        except TryLater as trouble:
            _give_back(tools, item, trouble)
            release(tools, items[number:])  # gpg may take its whole time limit for each of them too
            break
        except Exception as trouble:
            if is_away(trouble):
                raise
            _give_back(tools, item, trouble)
    return batch


def _record_alone(tools: Tools, read: lookup.Read) -> None:
    try:
        _record(tools, [read])
    except inbox.LeaseLost as trouble:
        logs.failed("receive.lease_lost", trouble, mail=read.item.mail_id)
    except Exception as trouble:
        if is_away(trouble):
            raise
        _give_back(tools, read.item, trouble)


def _give_back(tools: Tools, item: inbox.Item, trouble: Exception) -> None:
    """A fault of ours, or of the mail's: it stays accepted and is tried again later, or parked."""
    logs.failed("receive.mail", trouble, mail=item.mail_id, tries=item.tries)
    if item.tries >= inbox.TRIES:
        _park(tools, item, type(trouble).__name__)
        return
    with tools.db.write() as tx:
        inbox.defer(tx, item, tools.now(), type(trouble).__name__)


# ---- outside the transaction -----------------------------------------------------------------------------------------


def read_mail(tools: Tools, item: inbox.Item) -> lookup.Read:
    """Parse, decrypt, verify. `TryLater` when GnuPG could not do its work: never taken for 'unsigned'."""
    mail = parse.mail(item.envelope.raw)
    sender = authenticate.sender(mail)
    opened = open_mail(tools, item.envelope.raw, sender.address)
    identity = tools.settings.identity
    own = frozenset(address.lower() for address in (identity.address, *identity.also))
    robot = automated.classify(mail, item.envelope.sender, own)
    hints = _hints(tools, item, mail, opened, robot, sender.address)
    brought = offers.brought(tools, mail, opened, sender)
    form = answered.lines(mail, opened) if robot.kind == "person" or robot.doubt else ()
    read = lookup.Read(item, mail, opened, sender, robot, hints, brought, form)
    return with_signature(tools, read) if opened.form == "message" and read.meant else read


def with_signature(tools: Tools, read: lookup.Read) -> lookup.Read:
    """What was signed and encrypted in one step, and is to be kept: with the signed message, for others to verify."""
    if read.opened.form != "message" or read.opened.signature:
        return read
    signature = tools.pgp.unwrapped(read.item.envelope.raw)
    return replace(read, opened=replace(read.opened, signature=signature))


def _hints(
    tools: Tools, item: inbox.Item, mail: parse.Mail, opened: pgpmime.Opened, robot: automated.Automated, sender: str
) -> route.Hints:
    """Where it says it belongs: what it was sent to, what it answers or returns, what its subjects name."""
    identity = tools.settings.identity
    written_to = (*item.envelope.recipients, *(address.address for address in (*mail.to, *mail.cc)))
    ours = ownaddress.claims(written_to, (identity.address, *identity.also), identity.separator)
    answers = (*mail.in_reply_to, *robot.returned_ids)
    outer = "" if _signed_number(opened) else mail.subject  # anybody on the way could have written that one (P124)
    return route.hints(outer, opened.protected_subject, answers, mail.references, ours, sender)


def _signed_number(opened: pgpmime.Opened) -> bool:
    """Whether all of it is well signed, and its subject with it, and that names a case."""
    whole = opened.verdict is pgpmime.Verdict.GOOD and opened.covers == "all"
    return whole and bool(vuid.find(opened.protected_subject or ""))


def open_mail(tools: Tools, raw: bytes, address: str) -> pgpmime.Opened:
    """Decrypt and verify with the keys of the organisation the From claims; on another key, with its owner's."""
    if pgpmime.sealed(raw) is None:
        return pgpmime.Opened()
    with tools.db.read() as tx:
        known = _public(contacts.keys_claimed(tx, address)) or _analysts(tx, address)

    def find(issuer: str) -> list[PublicKey]:
        with tools.db.read() as tx:
            return _public(contacts.keys_named(tx, issuer)) + _analysts(tx, address)

    return tools.pgp.open(raw, known, find, tools.now())


def _analysts(tx: Connection, address: str) -> list[PublicKey]:
    return [PublicKey(*key) for key in analystmail.key_of(tx, address)]


def _public(keys: Sequence[contacts.PinnedKey]) -> list[PublicKey]:
    return [PublicKey(k.fingerprint, k.data) for k in keys]


# ---- inside the transaction ------------------------------------------------------------------------------------------


def _record(tools: Tools, batch: Sequence[lookup.Read]) -> None:
    if not batch:
        return
    telling = receipts.with_key(tools)
    with tools.db.write() as tx:
        known, later = lookup.look_up(tx, batch), act.Later()
        arrivals = {read.item.mail_id: _change(tx, tools, read, known, later) for read in batch}
        told = receipts.batch(tx, telling, later, tools.now())
        owed = [read for read in batch if read.item.mail_id not in told]
        acknowledge.batch(tx, tools, owed, arrivals, known, tools.now())
        later.write(tx)
        inbox.finish(tx, tools.holder, [read.item.mail_id for read in batch])
        failpoint.reach("receive-before-commit")
    _tell(tools, later.news)


def _tell(tools: Tools, news: Sequence[act.News]) -> None:
    """One person heard of it with the mail; what goes wrong with telling the others must not undo that."""
    try:
        offered.tell(tools, news, ROUTER)
    except Exception as trouble:  # noqa: BLE001 - the mails are recorded, and no longer in hand
        logs.failed("receive.tell", trouble)


def record(
    tx: Connection, tools: Tools, read: lookup.Read, known: lookup.Known, vouched: lookup.Vouched | None = None
) -> act.Arrived:
    """Judge, plan, act: what one mail changes, inside the caller's transaction.

    For mail that was received before: what its keys revoke was told everybody then.
    """
    later = act.Later()
    arrived = _change(tx, tools, read, known, later, vouched)
    later.write(tx)
    return arrived


def _change(
    tx: Connection, tools: Tools, read: lookup.Read, known: lookup.Known, later: act.Later,
    vouched: lookup.Vouched | None = None,
) -> act.Arrived:  # fmt: skip
    now = tools.now()
    event = judge.judge(tx, tools, read, known, vouched)
    arrived = arrival.arrived(read, event, known, vouched)
    doing = act.Doing(tx, tools, now, now, vouched.by if vouched else ROUTER, event.case, arrived, later)
    orders = plan.after(event, tools.settings.policy, now)
    act.carry_out(doing, orders)
    if arrived.began is not None:
        known.began(read, arrived.began)
    taking.by_itself(doing)
    if read.brought != offers.NOTHING:
        named = next((case for case in known.cases.values() if case.vu == event.routed.suggested_vu), None)
        offered.record(doing, event, read.brought, fresh=not read.opened.stale, named=named)
    if arrival.REUSED in arrived.row["flags"]:
        messages.flag_all(tx, arrived.row["message_id"], arrival.REUSED)  # the earlier ones too
    if event.participant is not None and (arrived.sure or any(isinstance(order, do.Turn) for order in orders)):
        fresh = cases.participant(tx, event.participant.id)  # the next mail of the batch sees whose turn it is now
        known.participants[fresh.case_id, fresh.organisation_id] = fresh
    return arrived


def _park(tools: Tools, item: inbox.Item, trouble: str = "") -> None:
    """Three tries were enough: keep it, show it, go on."""
    why = f"could not be read in {inbox.TRIES} tries" + (f" ({trouble})" if trouble else "")
    row: dict[str, object] = {
        "mail_id": item.mail_id, "received_at": item.envelope.received_at, "kind": "unread", "standing": "stranger",
        "assurance": str(Assurance.RETRY), "fingerprint": "", "participant_id": None,
    }  # fmt: skip
    try:
        _lay_aside(tools, item, row, why)
    except inbox.LeaseLost as lost:
        logs.failed("receive.lease_lost", lost, mail=item.mail_id)


def _lay_aside(tools: Tools, item: inbox.Item, row: dict[str, object], why: str) -> None:
    with tools.db.write() as tx:
        before = messages.of_mail(tx, item.mail_id)
        arrived = act.Arrived(item.mail_id, sha256(item.envelope.raw).hexdigest(), row, before=before)
        doing = act.Doing(tx, tools, tools.now(), tools.now(), ROUTER, None, arrived)
        act.perform(doing, [do.File(Place.QUARANTINE, "quarantine", why)])
        inbox.finish(tx, tools.holder, [item.mail_id])
