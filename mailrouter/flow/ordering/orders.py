"""An analyst's orders by mail, carried out: each by the verb a command would call, and the text sent on as our letter.

Promises: all that one mail orders, the letter it sends on and the transcript of it are one transaction, and happen
once, whatever is killed in between. An order that is refused leaves nothing behind, and ends the rest. What leaves
holds nothing of the analyst's: not their address, headers, signature or Message-ID, and nothing of what they quoted.
"""

import re
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import Connection

from mailrouter import failpoint, faults, logs
from mailrouter.case import orders as rules
from mailrouter.case.orders import Order, Tie
from mailrouter.flow import analystmail, letters, ownaddresses
from mailrouter.flow.actor import Actor, note
from mailrouter.flow.arriving import receive
from mailrouter.flow.casework import write
from mailrouter.flow.filing import look
from mailrouter.flow.ordering import orderverbs
from mailrouter.flow.ordering.orderverbs import About
from mailrouter.flow.sending import sealing
from mailrouter.flow.telling.notices import TRANSCRIPT
from mailrouter.mail import ownaddress, texts
from mailrouter.mail.ownaddress import Claim
from mailrouter.mail.parse import Mail
from mailrouter.mail.pgpmime import Opened, Verdict
from mailrouter.store import analysts, cases, inbox, messages, orders, outbox, queues, secret
from mailrouter.store.engine import is_away
from mailrouter.store.messages import Message
from mailrouter.tools import Tools

AGAIN_AFTER = timedelta(seconds=30)
KEYS = "application/pgp-keys"  # mail programs attach their owner's: not meant to be sent on


# ---- one after the other ---------------------------------------------------------------------------------------------


def work(tools: Tools) -> bool:
    """Carry out the next mail with orders; False when none waits.

    Raises what the database raises while it is away: the order is then still open, and done later.
    """
    with tools.db.read() as tx:
        if not orders.waits(tx, tools.now()):
            return False
    with tools.db.write() as tx:
        order = orders.claim(tx, tools.now())
    if order is None:
        return False
    if order.tries > orders.TRIES:  # whoever tried it last did not live to say so
        _give_up(tools, order)
    else:
        _try(tools, order)
    return True


def _try(tools: Tools, order: orders.Order) -> None:
    try:
        _carry_out(tools, order)
    except Exception as trouble:
        if is_away(trouble):
            raise
        logs.failed("orders.trouble", trouble, message=order.message_id, tries=order.tries)
        if order.tries >= orders.TRIES:
            _give_up(tools, order)
            return
        with tools.db.write() as tx:
            orders.put_off(tx, order.message_id, tools.now() + order.tries * AGAIN_AFTER)


def _give_up(tools: Tools, order: orders.Order) -> None:
    """A fault of ours, or of the mail's: the analyst is told that nothing was done."""
    tools.own_key()
    with tools.db.write() as tx:
        about = _about(tx, order)
        if orders.still_open(tx, order.message_id):
            _close(tx, tools, about, Done(["nothing was done: a fault of ours; please order it again"], failed="fault"))


def _about(tx: Connection, order: orders.Order) -> About:
    """With its case held; where its mail was filed since counts."""
    item = queues.get(tx, order.item_id)
    mail = messages.get(tx, item.message_id) if item.message_id is not None else None
    case_id = mail.case_id if mail is not None else item.case_id
    held = cases.lock(tx, {one for one in (case_id, item.case_id) if one is not None})
    participant_id = mail.participant_id if mail is not None else item.participant_id
    return About(
        order=order,
        message=messages.get(tx, order.message_id),
        analyst=analysts.get(tx, order.analyst_id),
        item=item,
        case=held.get(case_id) if case_id is not None else None,
        participant=cases.participant(tx, participant_id) if participant_id is not None else None,
        theirs=mail or _latest(tx, case_id, participant_id),
    )


def _latest(tx: Connection, case_id: int | None, participant_id: int | None) -> Message | None:
    if case_id is None or participant_id is None:
        return None
    theirs = [m for m in messages.of_case(tx, case_id) if m.participant_id == participant_id and m.direction == "in"]
    return next((m for m in reversed(theirs) if m.mail_id is not None), None)


# ---- what was signed -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, repr=False)
class Words:
    """The signed words: what is the analyst's own of them, and what they name."""

    written: rules.Written
    named: frozenset[Claim]  # order addresses anywhere in them, quoted or not
    item: int | None  # what the signed subject names
    files: int  # attachments that somebody may have meant to be sent on


_SUBJECT = re.compile(r"\bitem (\d{1,18})\b", re.IGNORECASE)
_ADDRESS = re.compile(r"[A-Za-z0-9.+=_-]{1,64}@[A-Za-z0-9.-]{1,255}")


def _words(tools: Tools, message: Message) -> Words:
    """Read again from the raw mail, and only if it is proved as it was when it came. GnuPG runs here."""
    assert message.mail_id is not None
    with tools.db.read() as tx:
        raw = inbox.raw(tx, message.mail_id)
    opened = receive.open_mail(tools, raw, message.sender)
    if not _as_it_was(opened, message) or opened.content is None:
        return Words(rules.Written(refused="your key on file is another than when it came"), frozenset(), None, 0)
    inside = look.inside(opened, opened.content)
    text = look.readable("", inside)
    subject = _SUBJECT.search(opened.protected_subject or "")
    return Words(
        written=rules.read(text.new),
        named=frozenset(_claims(tools, text.text)),
        item=int(subject[1]) if subject else None,
        files=_files(inside) if isinstance(inside, Mail) else 0,
    )


def _as_it_was(opened: Opened, message: Message) -> bool:
    proved = opened.verdict is Verdict.GOOD and opened.covers == "all"
    return proved and (opened.fingerprint, opened.signature_id) == (message.fingerprint, message.signature_id)


def _claims(tools: Tools, text: str) -> tuple[Claim, ...]:
    identity = tools.settings.identity
    found = (match[0] for match in _ADDRESS.finditer(text))
    return ownaddress.claims(found, (identity.address, *identity.also), identity.separator)


def _files(mail: Mail) -> int:
    return sum(one.content_type != KEYS for one in mail.attachments)


# ---- carried out -----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Done:
    """What became of one mail: a line for each order."""

    lines: list[str]
    orders: tuple[str, ...] = ()  # the words of those that were carried out
    failed: str = ""  # the word of the one that was not
    letter: int | None = None  # what was sent on


def _carry_out(tools: Tools, order: orders.Order) -> None:
    with tools.db.read() as tx:
        message = messages.get(tx, order.message_id)
    words = _words(tools, message)
    tools.own_key()  # outside the transaction: it may have to be made
    failpoint.reach("order-after-open")
    with tools.db.write() as tx:
        about = _about(tx, order)
        if orders.still_open(tx, order.message_id):
            _close(tx, tools, about, _all(replace(tools, db=tools.db.within(tx)), tx, about, words))
            failpoint.reach("order-before-commit")


def _close(tx: Connection, tools: Tools, about: About, done: Done) -> None:
    """The transcript, the journal's row, and the mark that it is done."""
    now = tools.now()
    item = about.item
    values = {
        "analyst": about.analyst.name, "item": str(item.id), "number": analystmail.number(tx, item),
        "received": f"{about.order.received_at:%Y-%m-%d %H:%M} UTC",
        "items": texts.listing([one] for one in done.lines),
        "answer_to": ownaddresses.minted(tx, tools).order(item.id, about.analyst.id),
    }  # fmt: skip
    thread = letters.Thread(f"<{about.message.message_id}>" if about.message.message_id else "")
    transcript = letters.Order(
        TRANSCRIPT, values, confidential=True, step=f"transcript:{about.message.id}", thread=thread
    )
    letters.to_analyst(tx, tools, about.analyst, transcript, now, about_item_id=item.id)
    told = {"item": item.id, "orders": list(done.orders), "failed": done.failed, "letter": done.letter}
    note(tx, tools, _actor(about), "orders.done", about.case, message=about.message.id, **told)
    orders.done(tx, about.message.id, now)


def _actor(about: About) -> Actor:
    evidence = {"message": about.message.id, "fingerprint": about.message.fingerprint}
    return Actor(about.analyst.name, about.analyst.id, by_mail=evidence)


def _all(tools: Tools, tx: Connection, about: About, words: Words) -> Done:
    """Order by order, then the text; the first that is refused ends it. `tools` join the transaction `tx`."""
    tie = _tie(tx, about, words)
    if words.written.refused or tie is Tie.OTHER:
        why = words.written.refused or "its words are about another item than the address it came to"
        return Done([f"nothing was done: {why}"], failed="mail")
    done = Done([])
    for order in words.written.orders:
        _one(tools, about, order, tie, done)
    if words.written.text:
        _text(tools, about, words, tie, done)
    return done


def _tie(tx: Connection, about: About, words: Words) -> Tie:
    known = secret.known(tx) or b""
    named = {
        claim.item
        for claim in words.named
        if isinstance(claim, ownaddress.Order) and claim.proved(known, about.analyst.id)
    }
    return rules.tie(about.item.id, words.written.item, named | ({words.item} if words.item is not None else set()))


def _one(tools: Tools, about: About, order: Order, tie: Tie, done: Done) -> None:
    if done.failed:
        done.lines.append(f"{order}: not done, since `{done.failed}` was not")
        return
    try:
        if tie is not Tie.THIS and order.word in ("release", "take"):  # another item's would be another's word
            raise faults.Illegal(UNTIED.format(item=about.item.id))
        with tools.db.write():  # what it did before it was refused is undone
            said = orderverbs.DOES[order.word](tools, _actor(about), about, order.argument)
    except faults.Fault as refused:
        done.failed = order.word
        done.lines.append(f"{order}: not done: {refused}")
    else:
        done.orders += (order.word,)
        done.lines.extend([said] if order.word in orderverbs.QUIET else [f"{order}: {said}"])
        done.lines.extend(rules.help_lines() if order.word == "help" else [])


def _text(tools: Tools, about: About, words: Words, tie: Tie, done: Done) -> None:
    if done.failed:
        done.lines.append(f"your text: not sent on, since `{done.failed}` was not done")
        return
    try:
        done.letter = _send(tools, about, words, tie)
    except faults.Fault as refused:
        done.failed = "text"
        done.lines.append(f"your text: not sent on: {refused}")
    else:
        done.lines.append(f"your text: sent on as letter {done.letter}{_held(tools, about, done.letter)}")


UNTIED = (
    "your signed words do not say which item they are about: leave the line with the address in what you quote, or"
    " begin with the line `item {item}` and a blank line"
)
ENCRYPTED = "; your own mail came encrypted: write unencrypted what may be read in clear"


def _send(tools: Tools, about: About, words: Words, tie: Tie) -> int:
    """As our letter, in the thread; confidential when it, or what it answers, came encrypted. It cannot be taken back:
    so the signed words must say which item they are about, and hold nothing that is not meant for others.
    """
    text = words.written.text
    reasons = (
        (tie is not Tie.THIS, UNTIED.format(item=about.item.id)),
        (words.files > 0, "files cannot be sent on; `mailrouter message reply --attach` sends them"),
        (about.analyst.address.casefold() in text.casefold(), "it holds your own mail address"),
        (_claims_any(tools, text), "it holds an address that only you were given: is the notice quoted in it?"),
    )
    why = next((why for holds, why in reasons if holds), "")
    if why:
        raise faults.Illegal(why)
    repeats = about.theirs is not None and about.theirs.encrypted
    draft = write.Draft(text, confidential=about.message.encrypted, only_encrypted=repeats, asks=words.written.asks)
    vu, whom = about.vu, about.whom
    if about.item.message_id is not None:
        return write.reply(tools, _actor(about), about.item.message_id, draft)
    return write.write(tools, _actor(about), vu, [whom.name], draft)[0]


def _held(tools: Tools, about: About, letter_id: int) -> str:
    """That it cannot leave as things stand; the notice of it names the commands."""
    with tools.db.read() as tx:
        held = sealing.look_up(tx, tools, outbox.get(tx, letter_id)).held
    return f"; held: {held.partition(':')[0]}{ENCRYPTED if about.message.encrypted else ''}" if held else ""


def _claims_any(tools: Tools, text: str) -> bool:
    return any(isinstance(claim, ownaddress.Order) for claim in _claims(tools, text))
