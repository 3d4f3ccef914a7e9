"""Acknowledge what came in: one neutral letter per sender and period, the same for everybody.

Promises: nothing of a case, of the mail or of what we know of its sender goes into the letter or decides about it, but
for a random number, which every mail that is acknowledged is given, whether it is a report or not (testbook S23); at
most one letter to an address within `policy.acknowledge_hours`, and 20 an hour in all, however many nodes receive.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from mailrouter.case import acknowledgement
from mailrouter.case.model import Report
from mailrouter.flow import analystmail, letters, newreport
from mailrouter.flow.act import Arrived
from mailrouter.flow.arriving import weigh
from mailrouter.flow.arriving.lookup import Known, Read
from mailrouter.mail import authenticate
from mailrouter.store import acknowledgements, messages, reports
from mailrouter.tools import Tools

HOUR = timedelta(hours=1)


def batch(
    tx: Connection, tools: Tools, reads: Sequence[Read], arrivals: Mapping[int, Arrived], known: Known, now: datetime
) -> None:
    """Queue the letters that these mails are owed; a mail that was looked at before is owed none. `arrivals`: what each
    mail became.

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
            _queue(tx, tools, owed[address], arrivals[owed[address].item.mail_id], known, period, now)


def _may(tools: Tools, read: Read, known: Known) -> bool:
    """Whether its sender may have one at all."""
    if analystmail.asked(read.hints, known.ours.orders):
        return False  # only analysts are given such addresses; they are told otherwise
    trust = tools.settings.trust.authserv_id
    facts = acknowledgement.Facts(
        reverse_path=read.item.envelope.sender,
        sender=read.sender.address,
        machine=read.automated.must_not_autoreply or read.kind != "person" or known.ours.only_bounces(read.hints),
        internal=weigh.internal(tools, read.sender.address, known),
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


def _queue(
    tx: Connection, tools: Tools, read: Read, arrived: Arrived, known: Known, period: timedelta, now: datetime
) -> None:
    """The step names the period by its number: a second node's letter would be the same step (UNIQUE)."""
    report = _numbered(tx, arrived, read, known)
    step = f"{int(now.timestamp() // period.total_seconds())}:{read.sender.address}"
    send(tx, tools, report, read.sender.address, step, now, read.mail.message_id or "")


def _numbered(tx: Connection, arrived: Arrived, read: Read, known: Known) -> Report:
    """The number its sender was given before and names, whatever we made of it since; else the one of the report it is;
    else one of its own. So nobody sees by an answer whether their mail is a report, or has led to a case.
    """
    report = weigh.given_before(read, known)
    if report is None and arrived.report_id is not None:
        return reports.get(tx, arrived.report_id)
    if report is None:
        received_at, case_id = read.item.envelope.received_at, arrived.row["case_id"]
        report = newreport.number(tx, received_at, read.sender.address, arrived.message_id, case_id)
    if arrived.report_id is None and report.rm == "START":
        messages.replace(tx, arrived.message_id, {"report_id": report.id})
    return report


def send(
    tx: Connection, tools: Tools, report: Report, address: str, step: str, now: datetime, message_id: str = ""
) -> int | None:
    """Queue the letter; None if this step's exists. `message_id`: of what it answers, without angle brackets."""
    order = letters.Order(
        name=acknowledgements.NAME,
        values={},
        step=f"{acknowledgements.NAME}:{step}",
        thread=letters.Thread(f"<{message_id}>" if message_id else ""),
        recipient=address,
    )
    return letters.to_anybody(tx, tools, report, order, now)
