"""Does a mail say that what is confidential may come unencrypted? One line of its own: `Clear text: yes` or `… no`.

Only what the sender wrote now is read: a quoted line, marked as such or below what says that another mail follows,
never counts. Our letters name the line in quotation marks, so that a program which quotes without any mark does not
repeat it.
"""

import re

from mailrouter.mail import quote

_LINE = re.compile(r"^[ \t]*clear[ -]?text[ \t]*:[ \t]*(yes|no)[ \t]*\.?[ \t]*$", re.IGNORECASE | re.MULTILINE)
_RAW_LINE = re.compile(rb"^[ \t]*CLEAR[ -]?TEXT[ \t]*:", re.MULTILINE)


def may_say(raw: bytes) -> bool:
    """Whether the text of a mail is worth looking into; cheap, and True when in doubt: base64 hides the words."""
    words = raw.upper()
    return b"BASE64" in words or (b"CLEAR" in words and _RAW_LINE.search(words) is not None)


def said(text: str) -> bool | None:
    """True: they consent; False: they do not, or no longer; None: nothing is said, or both."""
    own_words = quote.split(text.replace("\r\n", "\n")).visible
    answers = {found[1].casefold() == "yes" for found in _LINE.finditer(own_words)}
    return answers.pop() if len(answers) == 1 else None
