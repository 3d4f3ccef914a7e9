"""Notices that an analyst can answer from their mail program.

Promises: whoever has a key on file is given an address of their own for each item. The text of the mail an item is
about stands in no row and in no letter that leaves in clear: it is read again, and added, only where the letter is
encrypted to the analyst's own key. Who has no key is told VU#, place and reason, as ever.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from mailrouter.flow import letters, look
from mailrouter.mail import compose, texts
from mailrouter.mail.ownaddress import Mint
from mailrouter.store import queues
from mailrouter.store.analysts import Analyst
from mailrouter.store.outbox import Letter
from mailrouter.tools import Tools

ARRIVAL, ITEM, ITEMS = "analyst-arrival", "analyst-item", "analyst-items"
TRANSCRIPT = "analyst-transcript"
MOST_LINES = 200
MOST_CHARACTERS = 40_000


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


def in_full(tools: Tools, letter: Letter) -> str:
    """The body of a letter that is to be encrypted: with the mail's text, if it is a notice about one."""
    if letter.name != ITEM or letter.about_item_id is None:
        return letter.body
    with tools.db.read() as tx:
        item = queues.get(tx, letter.about_item_id)
    if item.message_id is None:
        return letter.body
    return f"{letter.body}\n\n{_quoted(look.at(tools, item.message_id))}"


def _quoted(seen: look.Look) -> str:
    """The mail as data: nothing in it can look like a line of ours."""
    known = ", ".join(word for word in (seen.message.standing, seen.message.assurance) if word)
    head = [f"  Subject: {texts.one_line(seen.message.subject)}", f"  What we know of its sender: {known}"]
    if seen.trouble:
        head.append(f"  Not opened: {texts.one_line(seen.trouble)}")
    if seen.files:
        head.append(f"  Files: {len(seen.files)}, to be had with `mailrouter message save {seen.message.id} DIR`")
    text = (seen.new or seen.text)[:MOST_CHARACTERS]
    quoted = compose.quote(text, seen.message.sender or "somebody", seen.message.received_at, MOST_LINES)
    return "\n".join(head) + f"\n\n{quoted or '[no text]'}"
