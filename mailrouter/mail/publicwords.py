"""What people write, in words of their own, when the world knows: it is public, an exploit is, attacks are seen.

A small table of phrases, looked for in the lines that the sender wrote now and never in what is quoted. What is found
is a proposal for a person and no more: a phrase that is denied, asked or put off is left out, and it may be wrong all
the same. Time is linear in the text, whatever it holds.
"""

import re
from collections.abc import Iterator, Sequence

from mailrouter.case.answers import Said, What
from mailrouter.mail.texts import one_line

LONGEST = 300  # characters of what is shown of a sentence
LOOKED_AT = 2_000  # lines
_WINDOW = 40  # characters before a phrase in which it may be denied

_HINTS = (  # cheap, since it is asked of every person's mail: without one of these no phrase is there
    "publi", "proof", "poc", "0-day", "0day", "zero-day", "zero day", "wild", "exploit", "attack", "leak", "disclos",
    "blog",
)  # fmt: skip
_CODE = r"(?:exploits?(?:\scode)?|proofs?[\s-]of[\s-]concept|poc)"
_DAY = r"(?:0|zero)[\s-]?day"
_PHRASES = {
    What.ATTACKS: (
        r"exploit(?:ed|ation)\s(?:\w+\s){0,2}?in\sthe\swild",
        r"(?:active|mass)(?:ly)?\s(?:being\s)?(?:exploit(?:ed|ation)|attack(?:ed|s))",
        r"(?:see|seen|seeing|observe|observed|observing|detect|detected)\s(?:\w+\s){0,3}?attacks",
        r"attacks\s(?:were|have\sbeen|are\sbeing|are)\s(?:\w+\s)?(?:seen|observed|detected|ongoing|underway)",
        r"under\s(?:active\s)?attack",
    ),
    What.EXPLOIT: (
        rf"{_CODE}\s(?:\w+\s){{0,2}}?(?:is|was|were|been|are|got)\s(?:\w+\s){{0,2}}?(?:public|published|posted|leaked)",
        rf"{_CODE}\s(?:\w+\s){{0,2}}?publicly",
        rf"(?:published|posted|leaked|public)\s(?:an?\s|the\s)?(?:\w+\s)?{_CODE}",
        rf"{_DAY}\s{_CODE}",
    ),
    What.PUBLIC: (
        r"publicly\s(?:disclosed|known|available|documented)",
        r"(?:was|were|has\sbeen|have\sbeen|is|are|got)\s(?:now\s|already\s)?(?:made\spublic|disclosed\spublicly|leaked)",
        r"(?:is|are|went|became|gone|go\w*)\s(?:now\s|already\s)?public\b(?!\s(?:key|keys|company|sector|holiday))",
        rf"{_DAY}\b",
        r"(?:blog\spost|tweet|article|advisory|talk)\s(?:\w+\s){0,3}?(?:discloses|reveals|describes|published|has\sall)",
    ),
}  # fmt: skip
_ANY = {
    what: re.compile("|".join(f"(?:{one})" for one in phrases), re.IGNORECASE) for what, phrases in _PHRASES.items()
}
_DENIED = re.compile(
    r"\b(?:no|not|never|without|unless|if|when|whether|until|before|once|may|might|could|would|will|should|any"
    r"|\w+n['\u2019]t)\b",
    re.IGNORECASE,
)
_SENTENCES = re.compile(r"(?<=[.!?])\s")


def may_hold(text: str) -> bool:
    """Whether it is worth looking at."""
    small = text.lower()
    return any(hint in small for hint in _HINTS)


def read(lines: Sequence[tuple[str, bool]]) -> tuple[Said, ...]:
    """What the new lines say, each kind once, with the sentence that says it; the form's own lines are not read."""
    found: dict[What, Said] = {}
    for sentence in _sentences(lines):
        if sentence.endswith("?"):
            continue
        for what, phrases in _ANY.items():
            if what not in found and _says(sentence, phrases):
                found[what] = Said(what, one_line(sentence, LONGEST))
    return tuple(found[what] for what in (What.PUBLIC, What.EXPLOIT, What.ATTACKS) if what in found)


def _says(sentence: str, phrases: re.Pattern[str]) -> bool:
    hits = (one.start() for one in phrases.finditer(sentence))
    return any(_DENIED.search(sentence[max(0, at - _WINDOW) : at]) is None for at in hits)


def _sentences(lines: Sequence[tuple[str, bool]]) -> Iterator[str]:
    """The new text, sentence by sentence; a blank or quoted line ends one."""
    paragraph: list[str] = []
    for text, new in [*lines[:LOOKED_AT], ("", True)]:
        if new and text.strip():
            paragraph.append(text.strip())
            continue
        yield from (one for one in _SENTENCES.split(" ".join(" ".join(paragraph).split())) if one)
        paragraph = []
