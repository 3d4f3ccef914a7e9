"""Acknowledge what came in: one neutral letter per sender and period, the same for everybody.

Promises: nothing of a case, of the mail or of what we know of its sender goes into the letter or decides about it; at
most one letter to an address within `policy.acknowledge_hours`, and 20 an hour in all, however many nodes receive.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from mailrouter.case import acknowledgement
from mailrouter.flow import analystmail, letters
from mailrouter.flow.judge import Known, Read, internal
from mailrouter.mail import authenticate
from mailrouter.store import acknowledgements
from mailrouter.tools import Tools

HOUR = timedelta(hours=1)


def batch(tx: Connection, tools: Tools, reads: Sequence[Read], known: Known, now: datetime) -> None:
    """Queue the letters that these mails are owed; a mail that was looked at before is owed none.

    Two queries a batch at most, until somebody is owed a letter: then the turn is taken and the same is asked again.
    """
    period = timedelta(hours=tools.settings.policy.acknowledge_hours)
    owed: dict[str, Read] = {}  # each sender's first mail
    for read in reads if period else ():
        if _may(tools, read, known):
            owed.setdefault(read.sender.address, read)
    if _next(tx, owed, period, now):
        acknowledgements.take_turn(tx)
        for address in _next(tx, owed, period, now):
            _queue(tx, tools, owed[address], period, now)


def _may(tools: Tools, read: Read, known: Known) -> bool:
    """Whether its sender may have one at all."""
    if analystmail.asked(read.hints, known.ours.orders):
        return False  # only analysts are given such addresses; they are told otherwise
    trust = tools.settings.trust.authserv_id
    facts = acknowledgement.Facts(
        reverse_path=read.item.envelope.sender,
        sender=read.sender.address,
        machine=read.automated.must_not_autoreply or read.kind != "person" or known.ours.only_bounces(read.hints),
        internal=internal(tools, read.sender.address, known),
        readable=not read.mail.beyond_limits,
        proved=authenticate.transport_pass(read.mail, trust, read.sender.address) if trust else None,
    )
    return read.item.mail_id not in known.before and not acknowledgement.refusal(facts)


def _next(tx: Connection, owed: dict[str, Read], period: timedelta, now: datetime) -> list[str]:
    """Who has had none in this period, as many as the hour has room for, in the order they wrote."""
    if not owed:
        return []
    lately = acknowledgements.among(tx, owed, now - period, now)
    waiting = [address for address in owed if address not in lately]
    room = acknowledgement.PER_HOUR - acknowledgements.count(tx, now - HOUR, now) if waiting else 0
    return waiting[: max(0, room)]


def _queue(tx: Connection, tools: Tools, read: Read, period: timedelta, now: datetime) -> None:
    """The step names the period by its number: a second node's letter would be the same step (UNIQUE)."""
    number = int(now.timestamp() // period.total_seconds())
    order = letters.Order(
        name=acknowledgements.NAME,
        values={},
        step=f"{acknowledgements.NAME}:{number}:{read.sender.address}",
        thread=letters.Thread(f"<{read.mail.message_id}>" if read.mail.message_id else ""),
        recipient=read.sender.address,
    )
    letters.to_anybody(tx, tools, order, now)
