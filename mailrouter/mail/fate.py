"""What a delivery report means for the address a letter went to: it is dead, another behind it is, or it was busy.

A list or an alias of a vendor's hands our letter on under our envelope sender, so that reports about one of its members
come to us too: the vendor's own address takes mail all the same.
"""

import re

from mailrouter.case.events import Fate
from mailrouter.mail import headers
from mailrouter.mail.automated import Automated, Kind
from mailrouter.mail.parse import Mail

_MOST_BLOCKS = 400
_TYPES = ("message/delivery-status", "message/global-delivery-status")
_STATUS = re.compile(r"\s*([245])\.[0-9]{1,3}\.[0-9]{1,3}(?![0-9.])")  # RFC 3463 section 2


def of_letter(mail: Mail, told: Automated, address: str) -> Fate | None:
    """What this report, which is known to be about a letter to `address`, says of it; None: it is no failure."""
    if told.kind is not Kind.BOUNCE:
        return None
    if told.failed_recipients and address.lower() not in {one.lower() for one in told.failed_recipients}:
        return Fate.BEHIND
    return Fate.TROUBLE if _only_temporary(mail) else Fate.NO_MAILBOX


def _only_temporary(mail: Mail) -> bool:
    """Given up, but after nothing worse than refusals for now (RFC 3463: class 4, such as 4.4.7, expired)."""
    classes = {status for part in mail.parts if part.content_type in _TYPES for status in _failed(part.content([]))}
    return classes == {"4"}


def _failed(report: bytes) -> list[str]:
    """The class of each status that comes with a failure (RFC 3464 sections 2.3.3 and 2.3.4)."""
    groups = [headers.split(group.strip()) for group in re.split(rb"\n[ \t]*\r?\n", report)[:_MOST_BLOCKS]]
    found = [_STATUS.match(fields.text("status")) for fields in groups if _is_failure(fields)]
    return [status[1] for status in found if status]


def _is_failure(fields: headers.Headers) -> bool:
    return fields.text("action").strip().lower().startswith("fail")
