"""People are told: arrivals in the queues they read, a daily digest, and the operator when the machine is in trouble.

A notice names VU#, place and reason, in words that anybody may read (neutral.py); what else there is to say is added
where it is encrypted (noticetext.py). Each is made once, whichever node makes it. That a
letter to one of us did not arrive is told with the next arrival of another kind, and in the digest, but makes no letter
of its own: to a dead address, that would be the next one that does not arrive.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from mailrouter.flow import letters, ownaddresses
from mailrouter.flow.actor import day_of
from mailrouter.flow.telling import neutral, notices
from mailrouter.flow.timing import keydates, ownkeydates, remind, watch
from mailrouter.mail import texts
from mailrouter.mail.ownaddress import Mint
from mailrouter.store import analysts, outbox, queues
from mailrouter.tools import Tools

FORESEEN = timedelta(hours=24)


def everyone(tools: Tools, now: datetime) -> None:
    """What a beat tells people."""
    key_ended(tools, now)
    tools.own_key()
    arrivals(tools, now)
    digests(tools, now)
    alarms(tools, now)


# ---- arrivals ------------------------------------------------------------------------------------------------------


def arrivals(tools: Tools, now: datetime) -> None:
    """Each reader hears of what is new in their queues, at most once in `notify_minutes`."""
    mint = ownaddresses.mint(tools)
    with tools.db.write() as tx:
        staff = analysts.held(tx)  # another node's beat sees what this one told, or waits for it
        for reader in staff:
            if not reader.away(now) and _may_write(tools, reader, now):
                _arrivals(tx, tools, mint, reader, reads(reader, staff, now), now)


def _may_write(tools: Tools, reader: analysts.Analyst, now: datetime) -> bool:
    gap = timedelta(minutes=tools.settings.policy.notify_minutes)
    return reader.told_at is None or now - reader.told_at >= gap


def reads(reader: analysts.Analyst, staff: Iterable[analysts.Analyst], now: datetime) -> list[str]:
    """Their own queues, and those of whoever they cover for."""
    covered = [q for a in staff if a.cover_id == reader.id and a.away(now) for q in a.reads]
    return list(dict.fromkeys([*reader.reads, *covered]))


def _arrivals(
    tx: Connection, tools: Tools, mint: Mint, reader: analysts.Analyst, reads: Sequence[str], now: datetime
) -> None:
    fresh = queues.untold(tx, reader.id, reads)
    if all((s.item.once or "").startswith(queues.STAFF) for s in fresh):
        return
    notices.arrival(tx, tools, mint, reader, [notices.Told(s.item.id, line(tx, s)) for s in fresh], now)
    queues.told(tx, reader.id, [s.item.id for s in fresh], now)
    analysts.change(tx, reader.id, told_at=now)


def line(tx: Connection, shown: queues.Shown) -> list[str]:
    """An item as every letter to staff lists it: it may leave in clear."""
    number = f"VU#{shown.vu}" if shown.vu else shown.vrf or "no number"
    return [f"item {shown.item.id}", number, shown_queue(tx, shown.item.queue), neutral.reason(shown.item)]


def shown_queue(tx: Connection, queue: str) -> str:
    """A queue's name as people say it: an analyst's is theirs."""
    kind, _, number = queue.partition(":")
    return analysts.get(tx, int(number)).name if number else kind


# ---- digest --------------------------------------------------------------------------------------------------------


def digests(tools: Tools, now: datetime) -> None:
    """Once a day after `digest_at`: what waits, and every automatic letter due in the next 24 hours."""
    if now.time() < tools.settings.policy.digest_at:
        return
    with tools.db.read() as tx:
        staff = analysts.everyone(tx)
        without = [a for a in staff if not a.away(now) and not outbox.step_made(tx, _step(a, now))]
    if not without:
        return
    coming = [*remind.foretell(tools, now + FORESEEN), *keydates.foretell(tools, now + FORESEEN)]
    with tools.db.write() as tx:
        for reader in without:
            _digest(tx, tools, reader, reads(reader, staff, now), coming, now)


def _step(reader: analysts.Analyst, now: datetime) -> str:
    return f"digest:{reader.id}:{day_of(now)}"


def _digest(
    tx: Connection, tools: Tools, reader: analysts.Analyst, reads: Sequence[str], coming: Sequence[remind.Foretold],
    now: datetime,
) -> None:  # fmt: skip
    waiting = [s for queue in reads for s in queues.shown(tx, queue)]
    leaving = [[f"VU#{f.vu}", f.does, f"due {f.due_at:%Y-%m-%d %H:%M}"] for f in coming if f.writes]
    leaving += [[f"VU#{vu}" if vu else "", le.name, "queued"] for le, vu in outbox.coming(tx, now + FORESEEN)]
    values = {
        "analyst": reader.name, "date": day_of(now),
        "waiting": texts.listing(line(tx, s) for s in waiting) or "nothing",
        "due": texts.listing(leaving) or "nothing",
    }  # fmt: skip
    order = letters.Order("analyst-digest", values, step=_step(reader, now))
    letters.to_staff(tx, tools, reader.address, order, now)


# ---- alarms --------------------------------------------------------------------------------------------------------


def alarms(tools: Tools, now: datetime, seen: Sequence[watch.Trouble] = ()) -> None:
    """Tell the operator what is wrong with the machine, once a day for each trouble; and when our key ends. `seen`: by
    the caller, beside what everybody can see.
    """
    troubles = [*watch.troubles(tools, now), *seen]
    wrong = [(one.name, one.details, f"alarm:{one.name}:{day_of(now)}") for one in troubles]
    wrong += [(one.name, one.details, one.step) for one in ownkeydates.due(tools, now) if not one.over]
    if wrong:
        tools.own_key()
        with tools.db.write() as tx:
            for name, details, once in wrong:
                alarm(tx, tools, name, details, once, now)


def key_ended(tools: Tools, now: datetime) -> None:
    """Our key is over: a notice, since no letter can be signed."""
    for ending in ownkeydates.due(tools, now):
        if ending.over:
            with tools.db.write() as tx:
                queues.add_notice(tx, "operator", f"{ending.name}: {ending.details}", now, once=ending.step)


def alarm(tx: Connection, tools: Tools, name: str, details: str, once: str, now: datetime) -> None:
    """One trouble, once: a notice in the operator's queue, and a letter if there is an address."""
    if not queues.add_notice(tx, "operator", f"{name}: {details}", now, once=once):
        return
    address = tools.settings.identity.operator
    if address:
        values = {
            "node": tools.settings.node, "since": f"{now:%Y-%m-%d %H:%M} UTC", "alarm": name, "details": details,
            "analyst": "operator",
        }  # fmt: skip
        letters.to_staff(tx, tools, address, letters.Order("operator-alarm", values, step=once), now)
