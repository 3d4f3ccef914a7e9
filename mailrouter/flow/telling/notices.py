"""Notices that an analyst can answer from their mail program, as rows.

Promises: whoever has a key on file is given an address of their own for each item; who has none is told VU#, place and
reason, as ever. No text of a mail stands in these rows (noticetext.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from mailrouter.flow import letters
from mailrouter.mail import texts
from mailrouter.mail.ownaddress import Mint
from mailrouter.store.analysts import Analyst
from mailrouter.tools import Tools

ARRIVAL, ITEM, ITEMS = "analyst-arrival", "analyst-item", "analyst-items"
TRANSCRIPT = "analyst-transcript"


@dataclass(frozen=True, slots=True)
class Told:
    """One item as a notice lists it."""

    item_id: int
    cells: Sequence[str]


MOST = 10  # letters to one analyst in a beat


def arrival(tx: Connection, tools: Tools, mint: Mint, reader: Analyst, fresh: Sequence[Told], now: datetime) -> None:
    """What is new: to whoever can answer, a letter about each item; beyond `MOST` letters, the last one lists the rest.

    To anybody else, one list.
    """
    addresses = {one.item_id: mint.order(one.item_id, reader.id) for one in fresh} if reader.key else {}
    if not all(addresses.values()) or not addresses:
        _queue(tx, tools, reader, fresh, letters.Order(ARRIVAL, {"items": _listing(fresh, {})}), now)
        return
    alone = len(fresh) if len(fresh) <= MOST else MOST - 1
    for one in fresh[:alone]:
        values = {"items": _listing([one], {}), "answer_to": addresses[one.item_id]}
        _queue(tx, tools, reader, [one], letters.Order(ITEM, values), now)
    if rest := fresh[alone:]:
        values = {"items": _listing(rest, addresses), "count": str(len(rest))}
        _queue(tx, tools, reader, rest, letters.Order(ITEMS, values), now)


def _listing(told: Sequence[Told], addresses: Mapping[int, str]) -> str:
    return texts.listing([*one.cells, addresses.get(one.item_id, "")] for one in told)


def _queue(
    tx: Connection, tools: Tools, reader: Analyst, told: Sequence[Told], order: letters.Order, now: datetime
) -> None:
    values = {**order.values, "analyst": reader.name, "item": str(told[0].item_id)}
    step = f"arrival:{reader.id}:{max(one.item_id for one in told)}"
    about = told[0].item_id if order.name == ITEM else None
    letters.to_analyst(tx, tools, reader, replace(order, values=values, step=step), now, about_item_id=about)
