"""Why an item waits, in words that anybody may read: what leaves to our own staff may have to leave in clear.

Promises: no organisation, address, key or command that names one. A notice says of which kind it is, by the key that it
is raised under once, and its own words only where that kind never names anybody. The words in full are added where a
letter is encrypted (noticetext.py), and stand in the queue.
"""

import re

from mailrouter.case import proposals
from mailrouter.store.queues import Item

ANY = "something needs you"

_IN_FULL = frozenset({  # nothing in these names anybody but us
    "follow-up", "answer", "wait", "secret-key", "alarm", "staff-came-back", "staff-not-reached", "restored",
    "restored-orders", "mailbox", "non-responsive", "publication", "close", "case-state", "decision", "report",
})  # fmt: skip
_KIND = {
    "clear-text": "about clear text",
    "key": "a key has expired",
    "key-offered": "a key was offered",
    "key-revoked": "a key was revoked",
    "key-disputed": "a key may be revoked",
    "we-need": "a participant needs something of us",
    "revision": "a new revision of a note is proposed",
    "voucher": "a text was vouched for by telephone: a second analyst reads it",
}
_LETTER = re.compile(r"letter \d+ (?:is held|failed|came back|has not left for 4 hours)\b")


def reason(item: Item) -> str:
    """Of a mail, why it waits; of a notice, its kind."""
    kind = (item.once or "").partition(":")[0]
    if item.kind == "mail":
        return item.why.partition(proposals.SAYS)[0]  # what they say stands in the queue
    if kind in _IN_FULL:
        return item.why
    if kind == "letter":
        said = _LETTER.match(item.why)
        return said[0] if said else "about a letter"
    return _KIND.get(kind, ANY)
