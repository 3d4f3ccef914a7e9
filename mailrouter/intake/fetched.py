"""A mail out of a mailbox, with the envelope it lost on the way there, as far as its headers still tell. Pure.

The server that delivered it wrote the reverse-path into Return-Path and the recipient into one of the headers below
(RFC 5321 section 4.4 for the first; custom for the others). Both may as well have been written by the sender: neither
proves more than MAIL FROM and RCPT TO do, and a recipient counts only if it is an address of ours.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from mailrouter.faults import Refused
from mailrouter.intake import paths
from mailrouter.intake.paths import Recipients
from mailrouter.mail import addresses, headers
from mailrouter.mail.envelope import Envelope
from mailrouter.mail.headers import Headers

# Nearest to RCPT TO first; the last two are what the writer put there.
RECIPIENT_HEADERS = ("x-original-to", "envelope-to", "x-envelope-to", "delivered-to", "x-delivered-to", "to", "cc")
MOST_ADDRESSES = 50  # looked at, in all
_PATH = re.compile(rb"\s*(<[^<>\s]*>)\s*")


class Postmark:
    """Makes the envelopes of one mailbox. The same mail always gets the same one, so that it is known again."""

    def __init__(self, door: str, ours: Recipients, named: tuple[str, ...]) -> None:
        """`named`: our addresses as the settings name them, identity.address first."""
        self._door = door
        self._ours = ours
        self._identity = named[0]
        self._plain = {address.lower() for address in named}

    def envelope(self, raw: bytes, now: datetime) -> Envelope:
        """`now`: when it came through our door (UTC); when it came to the mailbox does not count."""
        found = headers.split(raw)
        return Envelope(self._door, _reverse_path(found), (self._recipient(found),), raw, now)

    def _recipient(self, found: Headers) -> str:
        """The first address of ours with more to it than a name (`cert+vu…`); else any of ours; else the identity."""
        ours = [address for address in _addresses(found) if self._is_ours(address)]
        telling = (a for a in ours if a.lower() not in self._plain and not a.lower().startswith("postmaster"))
        return next(telling, ours[0] if ours else self._identity)

    def _is_ours(self, address: str) -> bool:
        with suppress(Refused):
            return self._ours.has(paths.parse(f"<{address}>"))
        return False


def _addresses(found: Headers) -> Iterator[str]:
    left = MOST_ADDRESSES
    for name in RECIPIENT_HEADERS:
        for value in found.raw(name):
            for address in addresses.parse(value, [])[:left]:
                left -= 1
                yield address.address


def _reverse_path(found: Headers) -> str | None:
    """What the topmost Return-Path says, if it says it well."""
    path = _PATH.fullmatch(found.first("return-path") or b"")
    if not path:
        return None
    with suppress(Refused, UnicodeDecodeError):
        return paths.parse(path[1].decode()).mailbox
    return None
