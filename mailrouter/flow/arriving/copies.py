"""Is a mail one that is here already, come by another road: mailbox and SMTP, a list and its member?

The bytes differ by what the roads added, so the door took both. Somebody who knows a Message-ID could use it to hide
another's mail behind one of their own; so a copy must be the same words by the same sender, and lie where the first
lies, which is believed no less (testbook/faults.md, Dedupe rule).
"""

import re
from collections.abc import Set
from dataclasses import dataclass

from sqlalchemy import Connection

from mailrouter.case.standing import Standing
from mailrouter.case.standing import parse as parse_standing
from mailrouter.mail.parse import Mail
from mailrouter.store import inbox, messages
from mailrouter.store.messages import Message

MOST = 5  # looked at; whoever sends more of one Message-ID only makes us tell a person again
WAITING = ("triage", "review")
_HEAD_END = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True, slots=True)
class Lies:
    """Where a mail goes, and how far it is believed. Without a case it waits for a person."""

    case_id: int | None
    participant_id: int | None
    standing: Standing


def of(tx: Connection, item: inbox.Item, mail: Mail, earlier: Set[int], lies: Lies) -> int | None:
    """The message that this mail is a copy of; None if it is none. `earlier`: other mails with its Message-ID."""
    for one in messages.of_mails(tx, sorted(earlier)[:MOST]).values() if earlier else ():
        if _same_place(one, mail, lies) and _body(inbox.raw(tx, one.mail_id or 0)) == _body(item.envelope.raw):
            return one.id
    return None


def _same_place(one: Message, mail: Mail, lies: Lies) -> bool:
    same = (one.case_id, one.participant_id) == (lies.case_id, lies.participant_id)
    seen = one.place == "filed" if lies.case_id else one.place in WAITING
    senders = {address.address.lower() for address in mail.sender}
    return same and seen and senders == {one.sender} and parse_standing(one.standing) >= lies.standing


def _body(raw: bytes) -> bytes:
    """What no road changes: all behind the header."""
    end = _HEAD_END.search(raw)
    return raw[end.end() :] if end else b""
