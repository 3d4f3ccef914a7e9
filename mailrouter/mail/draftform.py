"""Does a mail say that its sender has the draft of a note? One line of its own: `Draft: seen`, `… no comments` or
`… comments below`; and does it say anything besides?

Only what the sender wrote now is read, as in cleartext.py. A greeting, the case's number alone in its line and what
follows a closing formula say nothing.
"""

import re
from dataclasses import dataclass

from mailrouter.mail import quote

_LINE = re.compile(
    r"^[ \t]*draft[ \t]*:[ \t]*(seen|no comments?|comments? below)[ \t]*\.?[ \t]*$", re.IGNORECASE | re.MULTILINE
)
_GREETING = re.compile(
    r"^[ \t]*(?:hi|hello|dear|hallo|good (?:morning|day|afternoon)|moin|guten tag)\b[^\n.!?:,]{0,60}[,.!]?[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_NUMBER = re.compile(r"^[ \t]*\[?vu[ \t]?#[ \t]?[0-9]{3,7}(?:\.[0-9]{1,4})?\]?[ \t]*$", re.IGNORECASE | re.MULTILINE)
_CLOSING = re.compile(
    r"^[ \t]*(?:(?:best|kind|warm|with)?\s?(?:best|kind|warm)?\s?regards|thanks|thank you|many thanks|sincerely|cheers"
    r"|yours|mit freundlichen gr\S+|viele gr\S+)[ \t,.!]*$.*",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Said:
    """What a mail says of a draft."""

    seen: bool  # the line says so
    comments: bool  # there is something to be read


def read(text: str) -> Said:
    """Of the text of a mail."""
    own = quote.split(text.replace("\r\n", "\n")).visible
    found = {match[1].casefold().rstrip("s") for match in _LINE.finditer(own)}
    rest = _CLOSING.sub("", _GREETING.sub("", _NUMBER.sub("", _LINE.sub("", own))))
    return Said(bool(found), bool(rest.strip()) or any("below" in word for word in found))
