"""A mail to an address that an analyst was given for an item: whose address it is, and whether the mail is theirs.

Promises: without a good signature over the whole mail by exactly that analyst's key it has no effect; it never counts
as a participant's; the analyst hears why at their registered address, at most once an hour for each item, and whoever
wrote it hears nothing. What an analyst signed and sent elsewhere has no effect either; they are told in the same way.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from mailrouter.case import orders as rules
from mailrouter.case.actions import TellRefused
from mailrouter.case.events import Ordered
from mailrouter.case.standing import Assurance
from mailrouter.flow import letters, signing
from mailrouter.mail.authenticate import Sender
from mailrouter.mail.automated import Automated
from mailrouter.mail.ownaddress import Claim, Order
from mailrouter.mail.pgpmime import Opened, Verdict
from mailrouter.mail.route import Hints
from mailrouter.store import analysts, cases, messages, orders, queues
from mailrouter.store.analysts import Analyst
from mailrouter.store.inbox import Item
from mailrouter.tools import Tools

HOUR, STALE = timedelta(hours=1), timedelta(days=30)
REFUSED = "analyst-refused"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address stands for."""

    item_id: int
    case_id: int | None
    analyst: Analyst | None  # to whom it was given; None: to nobody


def proved(tx: Connection, claims: Collection[Claim], secret: bytes) -> dict[Claim, Asked]:
    """The order addresses among these that were given to somebody; one question to the database if there are none."""
    named = [claim for claim in claims if isinstance(claim, Order)]
    if not named:
        return {}
    known, staff = orders.items(tx, {claim.item for claim in named}), analysts.everyone(tx)
    holders = {claim: next((a for a in staff if claim.proved(secret, a.id)), None) for claim in named}
    return {
        claim: Asked(claim.item, known[claim.item], holder)
        for claim, holder in holders.items()
        if holder is not None and claim.item in known
    }


def asked(hints: Hints, known: dict[Claim, Asked]) -> Asked | None:
    """The item and analyst a mail's address stands for; None when it came to no such address, proved or not."""
    named = [claim for claim in hints.claims if isinstance(claim, Order)]
    found = next((known[claim] for claim in named if claim in known), None)
    return found or (Asked(named[0].item, None, None) if named else None)


def key_of(tx: Connection, address: str) -> list[tuple[str, bytes]]:
    """(fingerprint, key) of each analyst who is registered with this (case-folded) address."""
    if not address or address not in analysts.among(tx, [address]):
        return []
    return [(a.fingerprint, a.key) for a in analysts.everyone(tx) if a.key and a.address.lower() == address]


# ---- is it theirs? ---------------------------------------------------------------------------------------------------


def judged(
    tx: Connection, asked: Asked, item: Item, sender: Sender, opened: Opened, told: Automated, hints: Hints
) -> Ordered:
    """Whether this mail is the analyst's; mails about one item are judged one after the other."""
    orders.hold_item(tx, asked.item_id)
    before = messages.signed_before(tx, signing.of(opened), item.mail_id)
    refused = rules.refusal(_facts(asked, item.envelope.received_at, sender, opened, hints, before))
    machine = told.kind != "person"
    if machine and not told.doubt and asked.analyst is not None:
        refused = ""  # nobody needs to look at an analyst's out-of-office notice
    analyst_id = asked.analyst.id if asked.analyst else None
    return Ordered(asked.item_id, analyst_id, refused, robot=machine and (bool(refused) or not told.doubt))


def signer(tx: Connection, item: Item, sender: Sender, opened: Opened) -> int | None:
    """The analyst whose good signature over the whole mail this is, from their registered address, and no older one."""
    whole = opened.verdict is Verdict.GOOD and opened.covers == "all" and not sender.malformed
    if not whole or messages.signed_before(tx, signing.of(opened), item.mail_id) is not None:
        return None
    theirs = (a for a in analysts.everyone(tx) if a.key and _theirs(a, opened))
    return next((a.id for a in theirs if a.address.lower() == sender.address), None)


def _facts(
    asked: Asked, received_at: datetime, sender: Sender, opened: Opened, hints: Hints, before: int | None
) -> rules.Facts:
    analyst = asked.analyst
    return rules.Facts(
        alone=len(hints.claims) == 1,
        given=analyst is not None,
        has_key=analyst is not None and bool(analyst.key),
        sender=analyst is not None and not sender.malformed and sender.address == analyst.address.lower(),
        verdict=str(opened.verdict),
        reason=opened.reason,
        fingerprint=_theirs(analyst, opened),
        whole=opened.covers == "all" and opened.decrypted in ("ok", "none"),
        stale=opened.signed_at is None or opened.signed_at < received_at - STALE,
        before=before,
    )


def _theirs(analyst: Analyst | None, opened: Opened) -> bool:
    return analyst is not None and bool(opened.fingerprint) and opened.fingerprint == analyst.fingerprint


def assurance(asked: Asked, opened: Opened) -> Assurance:
    """What the signature is worth: the words of a participant's mail, held against the analyst's key."""
    if opened.verdict is Verdict.NONE:
        return Assurance.UNSIGNED
    if opened.verdict is not Verdict.GOOD:
        return Assurance.INVALID
    if not _theirs(asked.analyst, opened):
        return Assurance.OTHER_SIGNER
    return Assurance.VERIFIED if opened.covers == "all" else Assurance.PARTIAL


# ---- that it had no effect -------------------------------------------------------------------------------------------


def tell_refused(tx: Connection, tools: Tools, order: TellRefused, now: datetime) -> int | None:
    """A letter to the analyst's registered address; None if they had one within the hour about this item."""
    turn = int(now.timestamp() // HOUR.total_seconds())
    this, last = (f"{REFUSED}:{order.analyst_id}:{order.item_id}:{hour}" for hour in (turn, turn - 1))
    if orders.told_lately(tx, [this, last], now - HOUR):
        return None
    analyst = analysts.get(tx, order.analyst_id)
    values = {"analyst": analyst.name, "reason": order.why, "received": f"{now:%Y-%m-%d %H:%M} UTC"}
    told = letters.Order(REFUSED, values | _named(tx, order.item_id), step=this)
    return letters.to_analyst(tx, tools, analyst, told, now, about_item_id=order.item_id)


def _named(tx: Connection, item_id: int | None) -> dict[str, str]:
    """The item and its case, for the line that says what the mail was about; empty where it was about none."""
    if item_id is None:
        return {"item": "", "number": ""}
    return {"item": str(item_id), "number": number(tx, queues.get(tx, item_id))}


def number(tx: Connection, item: queues.Item) -> str:
    """`VU#123456`, or that there is none."""
    return f"VU#{cases.get(tx, item.case_id).vu}" if item.case_id is not None else "no number"
