"""What became of one handover, in words that hold nothing of the mail and nothing the other side wrote."""

import re
from dataclasses import dataclass
from typing import Literal

SETTING_UP = frozenset({"connect", "tls", "ehlo", "starttls", "auth", "noop"})
_AUTH_CODES = frozenset({530, 534, 535, 538})  # RFC 4954 section 6: the login is wrong or missing, wherever it is said
_ENHANCED = re.compile(rb"[245]\.[0-9]{1,3}\.[0-9]{1,3}(?![0-9.])")
State = Literal["sent", "temporary", "permanent"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one handover, in words that hold nothing of the mail and nothing the other side wrote."""

    state: State
    reply: str = ""  # "550 5.1.1": SMTP code and enhanced code (RFC 3463); or our own words: "timed out"
    at: str = ""  # the step it ended at: connect tls ehlo starttls auth noop mail rcpt data maildir check
    ours: bool = False  # our settings are refused, not this mail: every other letter will meet the same

    @property
    def meets_all(self) -> bool:
        """It failed before this mail was named: every other letter would meet the same now."""
        return self.at in SETTING_UP

    def __str__(self) -> str:
        """One plain phrase for people: `535 5.7.8 at auth (our relay settings are refused)`."""
        words = f"{self.reply} at {self.at}" if self.at else self.reply
        return f"{words} (our relay settings are refused)" if self.ours else words


def judge(at: str, code: int, text: bytes) -> Outcome:
    """Read one reply by its numbers alone (RFC 5321 section 4.2.1)."""
    if not 200 <= code < 600:
        return Outcome("temporary", "unreadable answer", at)
    enhanced = _ENHANCED.match(text)
    reply = f"{code} {enhanced[0].decode('ascii')}" if enhanced else str(code)
    if code < 300:
        return Outcome("sent", reply, at)
    ours = code >= 500 and (at in SETTING_UP or code in _AUTH_CODES)
    return Outcome("permanent" if code >= 500 and not ours else "temporary", reply, at, ours)
