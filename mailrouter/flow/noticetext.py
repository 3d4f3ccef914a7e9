"""The text of the mail that a notice is about, added where the notice is encrypted to the analyst's own key.

Promises: it stands in no row, and in no letter that leaves in clear: it is read again from the raw mail each time. It
is quoted, at most 200 lines of it: nothing in it can look like a line of ours.
"""

from mailrouter.flow import look
from mailrouter.flow.notices import ITEM
from mailrouter.mail import compose, texts
from mailrouter.store import queues
from mailrouter.store.outbox import Letter
from mailrouter.tools import Tools

MOST_LINES = 200
MOST_CHARACTERS = 40_000


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
