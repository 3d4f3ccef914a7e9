"""Notices that an analyst can answer from their mail program, as rows.

Promises: whoever has a key on file is given an address of their own for each item; who has none is told VU#, place and
reason, as ever. No text of a mail stands in these rows (noticetext.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
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


def arrival(
    tx: Connection, tools: Tools, mint: Mint, reader: Analyst, fresh: Sequence[Told], now: datetime
) -> int | None:
    """What is new, in one letter; about one item, it can be answered as it is."""
    addresses = [mint.order(one.item_id, reader.id) if reader.key else "" for one in fresh]
    step = f"arrival:{reader.id}:{max(one.item_id for one in fresh)}"
    values = {"analyst": reader.name, "item": str(fresh[0].item_id), "count": str(len(fresh))}
    rows = [list(one.cells) for one in fresh]
    if not all(addresses):
        order = letters.Order(ARRIVAL, values | {"items": texts.listing(rows)}, step=step)
    elif len(fresh) == 1:
        order = letters.Order(ITEM, values | {"items": texts.listing(rows), "answer_to": addresses[0]}, step=step)
    else:
        listed = [[*row, address] for row, address in zip(rows, addresses, strict=True)]
        order = letters.Order(ITEMS, values | {"items": texts.listing(listed)}, step=step)
    about = fresh[0].item_id if order.name == ITEM else None
    return letters.to_analyst(tx, tools, reader, order, now, about_item_id=about)
