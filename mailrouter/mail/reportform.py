"""The VRF form: a text that reporters fill in by mail, and what they wrote into it (seeds 000, 001).

Promises: nothing a reporter wrote is lost: what stands in no field is the free text, and a mail without any field is a
report as well. Fields may come in any order and case, quoted, wrapped, more than once or not at all; lines may end in
CRLF. Reading takes time linear in the text. What is read is the reporter's word and proves nothing; whether they may be
named is no, both times, until they say yes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_LONGEST_NAME = 80  # characters of a line in which a field's name is looked for
_QUOTED = re.compile(r"(?:[ \t]{0,3}>)*[ \t]*")
_BESIDE = re.compile(r"\s*\(yes or no(?:, and when)?\)\s*$")  # what the form says beside a name
_UNTICKED = re.compile(r"\s*\[\s*\]")
_CLAUSE = re.compile(r"[,;.]")
_WORD = re.compile(r"[^\W\d_]+")
_ENDS = re.compile(r"\r\n?|[\n\v\f\x1c-\x1e\x85\u2028\u2029]")
_YES = frozenset({"yes", "y", "true"})
_NO = frozenset({"no", "n", "none", "not", "false"})

FIELDS: Mapping[str, tuple[str, ...]] = {  # by its name here: as the form calls it, then as others do
    "contact": ("contact", "your name", "name and contact"),
    "product": ("product and version", "product", "affected product", "software", "version"),
    "description": ("description", "vulnerability", "vulnerability description"),
    "impact": ("impact and attack scenario", "impact", "attack scenario"),
    "discovered": ("how discovered", "how was it discovered", "how did you find it", "discovery"),
    "poc": ("proof of concept", "proof-of-concept", "poc", "exploit"),
    "patch": ("suggested patch", "patch", "suggested fix"),
    "public": ("public", "public?", "is it public", "is it public?"),
    "exploited": ("exploited", "exploited?", "is it exploited", "is it exploited?"),
    "vendor_contacted": ("vendor contacted", "vendor contacted?", "vendor contacted and when"),
    "why_us": ("why us", "why us?"),
    "other_vendors": ("other vendors", "other affected vendors"),
    "dates": ("dates", "important dates"),
    "plans": ("disclosure plans", "disclosure plan"),
    "credit": ("credit me in the note", "credit me", "credit"),
    "share_name": ("share my name with vendors", "share my name", "share name"),
}
_CONSENTS = ("credit", "share_name")
_NAMES = {name: field for field, names in FIELDS.items() for name in names}


@dataclass(frozen=True, slots=True)
class Filled:
    """What a reporter wrote: by field, and all else. Lines end in LF."""

    fields: Mapping[str, str]  # those of `FIELDS` that say something
    free: str
    answers: Mapping[str, str]  # of those that were answered by yes or no; the consents by one of them only

    @property
    def public(self) -> str:
        """`yes`, `no`, or '' when they do not say, or say both."""
        return self.answers.get("public", "")

    @property
    def exploited(self) -> str:
        """As `public`."""
        return self.answers.get("exploited", "")

    @property
    def credit(self) -> bool:
        """Whether the note may name them: they said so, and nothing else."""
        return self.answers.get("credit") == "yes"

    @property
    def share_name(self) -> bool:
        """Whether vendors may learn who reported it: asked apart from `credit`."""
        return self.answers.get("share_name") == "yes"

    @property
    def heading(self) -> str:
        """One line to know it by, when nobody gave it a title: the product, else where it begins; '' for nothing."""
        begins = (self.fields.get("product"), self.free, self.fields.get("description"))
        return next((line for text in begins if text for line in text.split("\n") if line.strip()), "").strip()


@cache
def template() -> str:
    """The empty form, as it is given to reporters."""
    return files("mailrouter.mail").joinpath("forms/report.txt").read_text("utf-8")


def read(text: str) -> Filled:
    """What somebody wrote, in the form or without it."""
    free: list[str] = []
    found: dict[str, list[list[str]]] = {}  # a field may come again
    lines, mark = free, ""
    for line in _ENDS.split(text):
        quoted = _QUOTED.match(line)
        plain = line[quoted.end() :] if quoted else line
        field, rest = _field(plain)
        if field:
            lines, mark = [rest], line[: len(line) - len(plain)]
            found.setdefault(field, []).append(lines)
        elif len(plain) > _LONGEST_NAME or _squeezed(plain) not in _ours():
            lines.append(line.removeprefix(mark) if plain else "")
    blocks = {field: "\n".join(filter(None, map(_block, some))) for field, some in found.items()}
    answers = {field: _agreed([_said(field, lines) for lines in some]) for field, some in found.items()}
    return Filled(
        {field: block for field, block in blocks.items() if block},
        _block(free),
        {field: answer for field, answer in answers.items() if answer},
    )


def _field(line: str) -> tuple[str, str]:
    """Which field begins here, and what stands behind its colon; '' and '' when none does."""
    head = line[:_LONGEST_NAME].replace("\uff1a", ":")  # the full-width colon
    at = head.find(":")
    field = _NAMES.get(_BESIDE.sub("", _squeezed(head[:at])).strip("*_ "), "") if at > 0 else ""
    return (field, line[at + 1 :].strip("* ")) if field else ("", "")


@cache
def _ours() -> frozenset[str]:
    """The form's own lines: repeated, they say nothing."""
    return frozenset(_squeezed(line) for line in template().split("\n") if line.strip())


def _squeezed(line: str) -> str:
    return " ".join(line.casefold().split())


def _block(lines: list[str]) -> str:
    return "\n".join(line.rstrip() for line in lines).strip("\n")


# ---- yes or no -------------------------------------------------------------------------------------------------------


def _agreed(answers: list[str]) -> str:
    """What a field says that may have come several times; '' when it contradicts itself."""
    given = {answer for answer in answers if answer}
    return given.pop() if len(given) == 1 else ""


def _said(field: str, lines: list[str]) -> str:
    """By the word the answer begins with; '' when its first line begins with neither, or both, or ticks nothing.

    What follows a comma or a full stop only explains ("yes, in May; no answer"), but in a consent: one that holds both
    words is none.
    """
    first = next((line for line in lines if line.strip()), "")[:_LONGEST_NAME].casefold()
    if field not in _CONSENTS:
        first = _CLAUSE.split(first, maxsplit=1)[0]
    words = [word for word in _WORD.findall(first) if word != "x"]  # [x] yes
    if _UNTICKED.match(first) or not words or ("yes" in words and "no" in words):
        return ""
    return "yes" if words[0] in _YES else "no" if words[0] in _NO else ""
