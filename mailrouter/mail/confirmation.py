"""Does an answer confirm that a text is its sender's own? (DOMAIN.md, process 6: a vendor without PGP)

Our letter returns the text, and asks for one line: the words "I confirm" and the first 8 digits, or more, of the
text's SHA-256. What is quoted never counts, however a mail program quotes; our letter holds no such line itself, and
the text it returns stands behind bars (`| `), so that nothing of it can come back as one either. Other words may stand
around the line; a line that confirms something else takes the first one's worth away.
"""

import re
from dataclasses import dataclass

from mailrouter.mail import quote

FEWEST_DIGITS = 8  # of the SHA-256: enough to say which text is meant; that it is theirs, the token and sender show
BAR = "| "
_DIGITS = f"([0-9a-f]{{{FEWEST_DIGITS},64}})"
_LINE = re.compile(rf"i confirm(?: this(?: text)?)?:?(?: {_DIGITS})?\.?|confirmed:? {_DIGITS}\.?")
_LONGEST = 200  # characters of a line looked at


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What an answer says of a text."""

    confirms: bool
    why_not: str = ""  # in plain words; '' when it confirms


def read(text: str, sha256: str) -> Confirmation:
    """Whether the new words of an answer (lines ending in LF) confirm the text of this SHA-256 (64 hex digits)."""
    lines = [_plain(line) for line in quote.split(text).visible.split("\n")]
    found = [match for line in lines if (match := _LINE.fullmatch(line))]
    if not found:
        return Confirmation(confirms=False, why_not="no line confirms the text")
    named = [match[1] or match[2] for match in found if match[1] or match[2]]
    if any(not sha256.startswith(digits) for digits in named):
        return Confirmation(confirms=False, why_not="it confirms another text than the one we asked about")
    if not named:
        return Confirmation(confirms=False, why_not="its line does not say which text")
    return Confirmation(confirms=True)


def _plain(line: str) -> str:
    """Without the marks programs and people put around words; case and spacing do not matter."""
    return " ".join(line[:_LONGEST].casefold().split()).strip("*_\"'“”„«» ").removesuffix("!")


def barred(text: str) -> str:
    """A text behind bars, line by line: whole and readable, and no line of it is anybody's own words again."""
    return "\n".join((BAR + line).rstrip() for line in text.replace("\r\n", "\n").rstrip("\n").split("\n"))
