"""What participants answer, as data: the four questions' lines, their own reference, and what a value means.

A fact that was read out of a mail is a proposal (proposals.py), whoever wrote it. Nothing here says what it is
worth.
"""
# ruff: noqa: RUF001  (the signs that people put around words are what is looked for)

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class What(StrEnum):
    """One kind of line; the value is how it is stored."""

    AFFECTED = "affected"
    WHY_NOT = "why-not"
    FIXED_IN = "fixed-in"
    FIX_EXPECTED = "fix-expected"
    WE_NEED = "we-need"
    EMBARGO = "embargo"  # accept, decline, or another date
    PUBLIC = "public"  # the world knows of it,
    EXPLOIT = "exploit"  # has an exploit,
    ATTACKS = "attacks"  # or is attacked: in a line of its own, or in their own words
    CVE = "cve"  # the ID that they assigned: in a line of its own, or the only one they name
    THEIR_REF = "their-ref"  # no line of the form: read out of the subject


LABELS = {
    What.AFFECTED: "Affected",
    What.WHY_NOT: "Why not",
    What.FIXED_IN: "Fixed in",
    What.FIX_EXPECTED: "Fix expected",
    What.WE_NEED: "We need",
    What.EMBARGO: "Embargo",
    What.PUBLIC: "Public",
    What.EXPLOIT: "Exploit",
    What.ATTACKS: "Attacks",
    What.CVE: "CVE",
}
KNOWN = frozenset({What.PUBLIC, What.EXPLOIT, What.ATTACKS})  # what the world knows, and ends an embargo

WORDS = ("yes", "no", "not a vulnerability", "unknown")  # that the form offers behind `Affected:`
OFFERED = frozenset({*WORDS, "accept", "decline"})  # that our forms offer anywhere


class Source(StrEnum):
    """Where in the mail it stands."""

    OWN = "own"  # in what the sender wrote now
    BELOW = "below"  # in what the sender wrote now, under an empty line of the form that is quoted
    QUOTED = "quoted"  # in what is quoted: filled in there, or said before
    OUTSIDE = "outside"  # in a subject that is not signed with the rest, or in no line of a form


@dataclass(frozen=True, slots=True)
class Said:
    """One filled-in line."""

    what: What
    value: str  # one line, never empty
    vulnerability: int = 0  # .1, .2, ...; 0: the case as a whole
    source: Source = Source.OWN


# ---- what a value means ----------------------------------------------------------------------------------------------

_SPACES = dict.fromkeys((0xA0, 0x2007, 0x202F, 0x3000, 0x09), " ")
_WORD = re.compile(r"(not a vulnerability|unknown|yes|no)[*_]{0,3}(?:\s*[,;:.!(]|\s+[-–—]|\s*$)", re.IGNORECASE)


def word(value: str) -> str:
    """The word of the form that a value behind `Affected:` begins with; '' if none."""
    found = _WORD.match(" ".join(value.translate(_SPACES).split()).lstrip(" *_\"'“„[("))
    return found[1].casefold() if found else ""


def is_plain(value: str) -> bool:
    """Whether the value is that word alone, without a but."""
    return value.casefold().strip(" *_.!\"'“”„[]()") in WORDS


_CONSENT = {
    "accepted": ["accept", "accepted", "agree", "agreed", "yes", "ok", "okay"],
    "declined": ["decline", "declined", "reject", "rejected", "refuse", "refused", "disagree", "no"],
}
_ANSWERS = {word: answer for answer, words in _CONSENT.items() for word in words}


def consent(value: str) -> str:
    """What a value behind `Embargo:` answers, when it is that word alone: accepted | declined; '' for all else."""
    return _ANSWERS.get(value.casefold().strip(" *_.!\"'“”„[]()"), "")


@dataclass(frozen=True, slots=True)
class Expected:
    """When a fix is promised: a day; `sure` that it is exactly this one."""

    day: date
    sure: bool


_MONTHS = {
    name: number
    for number, names in enumerate(
        ("january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul", "august aug",
         "september sept sep", "october oct", "november nov", "december dec"), 1,
    )
    for name in names.split()
}  # fmt: skip
_MONTH = "|".join(_MONTHS)
_ISO = re.compile(r"(?<![0-9])(20[0-9]{2})([-/.])([0-9]{1,2})\2([0-9]{1,2})(?![0-9])")
_DAY_MONTH = re.compile(
    rf"(?<![0-9])([0-9]{{1,2}})(?:st|nd|rd|th)?\.?\s(?:of\s)?({_MONTH})\.?,?\s(20[0-9]{{2}})(?![0-9])", re.IGNORECASE
)
_MONTH_DAY = re.compile(rf"\b({_MONTH})\.?\s([0-9]{{1,2}})(?:st|nd|rd|th)?,?\s(20[0-9]{{2}})(?![0-9])", re.IGNORECASE)
_MONTH_ONLY = re.compile(rf"(?<![0-9]\s)\b({_MONTH})\.?,?\s(20[0-9]{{2}})(?![0-9])", re.IGNORECASE)
_MONTH_ISO = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")
_EXACTLY = re.compile(r"(?:(?:by|on|until)\s)?", re.IGNORECASE)


def expected(value: str) -> Expected | None:
    """The one date that a value names; of a month alone its last day. None where there is none, or several."""
    text = " ".join(value.translate(_SPACES).split())
    found = [*_days(text)]
    if not found:
        return _month(text)
    if len({day for day, _, _ in found}) > 1:
        return None
    day, begins, ends = found[0]
    return Expected(day, sure=bool(_EXACTLY.fullmatch(text[:begins])) and not text[ends:].strip(" ."))


def _days(text: str) -> Iterator[tuple[date, int, int]]:
    for match in _ISO.finditer(text):
        yield from _day(match, match[1], int(match[3]), match[4])
    for match in _DAY_MONTH.finditer(text):
        yield from _day(match, match[3], _MONTHS[match[2].casefold()], match[1])
    for match in _MONTH_DAY.finditer(text):
        yield from _day(match, match[3], _MONTHS[match[1].casefold()], match[2])


def _day(match: re.Match[str], year: str, month: int, day: str) -> Iterator[tuple[date, int, int]]:
    if 1 <= month <= 12 and 1 <= int(day) <= monthrange(int(year), month)[1]:
        yield date(int(year), month, int(day)), match.start(), match.end()


def _month(text: str) -> Expected | None:
    named = {(int(year), _MONTHS[name.casefold()]) for name, year in _MONTH_ONLY.findall(text)}
    if iso := _MONTH_ISO.fullmatch(text):
        named.add((int(iso[1]), int(iso[2])))
    if len(named) != 1:
        return None
    year, month = named.pop()
    return Expected(date(year, month, monthrange(year, month)[1]), sure=False)


def line(what: str, value: str, vulnerability: int, vu: int | None = None) -> str:
    """As people read it: `Affected (VU#123456.2): yes`."""
    label = LABELS.get(What(what), "Their reference")
    number = f"VU#{vu}.{vulnerability}" if vu else f".{vulnerability}"
    return f"{label} ({number}): {value}" if vulnerability else f"{label}: {value}"
