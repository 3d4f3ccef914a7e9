"""What a notice says only where it is encrypted to the analyst's own key: reasons in full, and the text of the mail.

Promises: it stands in no letter that leaves in clear, and a mail's text in no row: it is read again from the raw mail
each time. It is quoted, at most 200 lines of it: nothing in it can look like a line of ours. A Vendor Statement is
shown exactly, or not at all: the order that approves it stands only where all of it was read.
"""

import re
import shlex

from mailrouter.case.model import Statement
from mailrouter.flow.filing import look
from mailrouter.flow.telling import neutral
from mailrouter.flow.telling.notices import ITEM
from mailrouter.mail import compose, confirmation, texts
from mailrouter.store import cases, proposals, queues, statements
from mailrouter.store.outbox import Letter
from mailrouter.tools import Tools

LISTING = frozenset({ITEM, "analyst-items", "analyst-arrival", "analyst-digest", "analyst-away"})
MOST_LINES = 200
TAKE = "\n\nTo take what it says in the lines of our form as said, begin your answer with this line:\n\ntake"
MOST_CHARACTERS = 40_000


def in_full(tools: Tools, letter: Letter) -> str:
    """The body of a letter that is to be encrypted: all of the reasons, and the mail's text if it is about one mail."""
    if letter.name not in LISTING:
        return letter.body
    body = _reasons(tools, letter)
    if letter.name != ITEM or letter.about_item_id is None:
        return body
    with tools.db.read() as tx:
        item = queues.get(tx, letter.about_item_id)
        kept = statements.of_message(tx, item.message_id) if item.message_id is not None else None
        vu = cases.get(tx, kept.case_id).vu if kept else 0
        said = any(one.is_open for one in proposals.of_messages(tx, [item.message_id or 0]))
    if item.message_id is None:
        return body
    mail = f"{body}\n\n{_quoted(look.at(tools, item.message_id))}{TAKE if said else ''}"
    return f"{mail}\n\n{_statement(kept, vu)}" if kept else mail


def _reasons(tools: Tools, letter: Letter) -> str:
    """With the whole reason of each item that the row tells in fewer words."""
    with tools.db.read() as tx:
        listed = [queues.get(tx, int(number)) for number in _LISTED.findall(letter.body)]
    longer = [[f"item {item.id}", item.why] for item in listed if item.why != neutral.reason(item)]
    return f"{letter.body}\n\nIn full:\n\n{texts.listing(longer)}" if longer else letter.body


_LISTED = re.compile(r"^item (\d+)  ", re.MULTILINE)  # as tell.line begins; no word of a mail begins a line


def _statement(kept: Statement, vu: int) -> str:
    """What it is worth, its text behind bars, and what to write to have exactly this text published."""
    head = [f"  Statement of: {texts.one_line(kept.vendor)}", f"  State: {kept.state}"]
    if kept.reason:
        head.append(f"  Why: {texts.one_line(kept.reason)}")
    head.append(f"  SHA-256 of its text: {kept.sha256}")
    text = _exactly(kept.verbatim)
    if not text:
        command = f"mailrouter statement show VU#{vu} {shlex.quote(kept.vendor)} --message {kept.message_id}"
        return "\n".join(head) + f"\n\nNot all of its text can be shown here. To read it: `{texts.one_line(command)}`"
    return "\n".join(head) + f"\n\nThis is its text:\n\n{text}\n\n{_approval(kept)}"


def _approval(kept: Statement) -> str:
    if kept.approved_at is not None:
        return f"It was approved on {kept.approved_at:%Y-%m-%d}."
    order = f"approve {kept.sha256}"
    if kept.stands:
        return f"To approve exactly this text, begin your answer with this line:\n\n{order}"
    if kept.state == "held":
        return f"It cannot be approved while it is held. When it stands, this line approves it:\n\n{order}"
    return f"It cannot be approved: it is {kept.state}."


def _exactly(verbatim: bytes) -> str:
    """The text behind bars; '' when it is too long, or a character of it would not be shown."""
    text = verbatim.decode("utf-8", "replace").replace("\r\n", "\n")
    shown = confirmation.barred(text)
    if "\ufffd" in text or len(text) > MOST_CHARACTERS or shown.count("\n") >= MOST_LINES:
        return ""
    return shown if texts.block(shown) == shown else ""


def _quoted(seen: look.Look) -> str:
    """The mail as data, below what we know of it."""
    known = ", ".join(word for word in (seen.message.standing, seen.message.assurance) if word)
    head = [f"  Subject: {texts.one_line(seen.message.subject)}", f"  What we know of its sender: {known}"]
    if seen.trouble:
        head.append(f"  Not opened: {texts.one_line(seen.trouble)}")
    if seen.files:
        head.append(f"  Files: {len(seen.files)}, to be had with `mailrouter message save {seen.message.id} DIR`")
    text = (seen.new or seen.text)[:MOST_CHARACTERS]
    quoted = compose.quote(text, seen.message.sender or "somebody", seen.message.received_at, MOST_LINES)
    return "\n".join(head) + f"\n\n{quoted or '[no text]'}"
