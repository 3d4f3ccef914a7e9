"""What an answer says in the lines of the forms that our letters hold, read as data (DOMAIN.md, process 4 and 7).

Five labels, one for each question: `Affected:`, `Why not:`, `Fixed in:`, `Fix expected:`, `We need:`; `Embargo:` for
the date of publication; `CVE:` for the ID they assigned; `Public:`,
`Exploit:`, `Attacks:` for what the world knows, in no letter of ours. Of several
vulnerabilities each line says which: `Affected (VU#123456.2): yes`. People answer above our letter, below it, or within
the form that their program quotes; so every line carries where it stood. What stands in a quotation may be what
somebody said before: whether it is an answer depends on what our letter said there (`asked`), and is the caller's
decision. Nothing here decides what a line is worth. Time is linear in the text, whatever it holds.
"""
# ruff: noqa: RUF001  (the signs that programs and people put around words are what is looked for)

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from mailrouter.case import cveid, vuid
from mailrouter.case.answers import KNOWN, LABELS, OFFERED, Said, Source, What, consent, is_plain, word
from mailrouter.mail import publicwords, quote
from mailrouter.mail.texts import one_line

LONGEST = 500  # characters of a value
LOOKED_AT = 100_000  # characters of a text
MOST = 40  # lines of the form in one mail that are read
Lines = Sequence[tuple[str, bool]]  # each line, and whether it is new


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the mail without a quotation mark, and whether it is new. What is quoted twice is left out."""

    text: str
    new: bool


@dataclass(frozen=True, slots=True)
class _Found:
    said: Said  # its value may be empty
    begins: int
    ends: int  # the first line that is no part of it


_QUOTE_MARK = re.compile(r"\s{0,3}[>＞]\s?")
_LABEL = re.compile(
    r"\s{0,8}(?:[-*•·–+]\s{1,4}|\(?[0-9a-e][.)]\s{1,4})?[*_]{0,3}\s?"
    r"(affected|why\s{1,3}not|fixed\s{1,3}in|fix\s{1,3}expected|we\s{1,3}need|embargo|public|exploit|attacks|cve)\s?[*_]{0,3}\s{0,3}"
    r"(?:\(([^()]{0,40})\)|\[([^\[\]]{0,40})\])?\s{0,3}[*_]{0,3}\s{0,3}[:：]",
    re.IGNORECASE,
)
_BY_LABEL = {label.casefold(): what for what, label in LABELS.items()}
_SPACES = dict.fromkeys((0xA0, 0x2007, 0x202F, 0x3000, 0x09), " ")
_LONGEST_LINE = 1000  # characters looked at
_WRAPS_FROM = 55  # characters a line has that a program may have broken
_MOST_LINES = 12  # of one value
_FREE = frozenset({What.WHY_NOT, What.WE_NEED}) | KNOWN  # sentences: they go on to the next blank line
_CLOSING = re.compile(
    r"\s*(?:(?:best|kind|warm|with)?\s?(?:best|kind|warm)?\s?regards|thanks|thank you|many thanks|sincerely|cheers|best"
    r"|br|yours|greetings|mit freundlichen|viele gr|mfg|cordialement|saludos)\b|\s*(?:--|__)",
    re.IGNORECASE,
)


def read(text: str, vu: int) -> tuple[Said, ...]:
    """The filled-in lines of a mail's text (lines ending in LF), in their order; those of another case are left out.

    What the sender wrote now goes before what is quoted: a line filled in in both is read once. Lines that contradict
    each other are one, with both values.
    """
    return read_lines(apart(text), vu)


def read_lines(lines: Lines, vu: int, cves: Mapping[str, int] = MappingProxyType({})) -> tuple[Said, ...]:
    """The same of lines that are known apart. `cves`: CVE ID -> number, of the case's vulnerabilities."""
    return _read(lines, vu, cves) if lines else ()


def apart(text: str) -> Lines:
    """Each line of a text, with whether it is new; none when no line can be one of the form."""
    seen = text[:LOOKED_AT]
    return quote.told_apart(seen) if _may_hold(seen) else ()


def in_two(new: str, quoted: str) -> Lines:
    """The same of a mail whose new and quoted text are known apart (HTML)."""
    above, below = new[:LOOKED_AT], quoted[:LOOKED_AT]
    if not (_may_hold(above) or _may_hold(below)):
        return ()
    return [*((line, True) for line in above.split("\n")), *((line, False) for line in below.split("\n"))]


def _may_hold(text: str) -> bool:
    """Cheap, since it is asked of every person's mail: a pattern that ignores case takes ten times as long."""
    words = " ".join(text.lower().split())
    return any(label in words for label in _BY_LABEL) or publicwords.may_hold(words)


def asked(letter: str, vu: int) -> frozenset[What]:
    """Which lines a letter of ours leaves empty: where one of these is quoted and filled in, that is an answer."""
    lines = [_Line(_plain(line), new=True) for line in letter[:LOOKED_AT].split("\n") if not _QUOTE_MARK.match(line)]
    found = list(_found(lines, vu))
    filled = {one.said.what for one in found if one.said.value}
    return frozenset(one.said.what for one in found) - filled


def _read(apart: Lines, vu: int, cves: Mapping[str, int]) -> tuple[Said, ...]:
    lines = list(_lines(apart))
    found = list(_found(lines, vu, cves))
    own = [one.said for one in found if lines[one.begins].new and one.said.value]
    below = list(_below(lines, [one for one in found if not lines[one.begins].new]))
    quoted = _once([one.said for one in found if not lines[one.begins].new])
    said: dict[tuple[What, int], Said] = {}
    for one in (*_joined(own), *_joined(below), *(one for one in quoted if one.value)):
        said.setdefault((one.what, one.vulnerability), one)
    return tuple(said.values())


def _lines(apart: Lines) -> Iterator[_Line]:
    for text, new in apart:
        line = _plain(text)
        if new:
            yield _Line(line, new=True)
            continue
        inside = line[mark.end() :] if (mark := _QUOTE_MARK.match(line)) else line
        if not _QUOTE_MARK.match(inside):
            yield _Line(inside, new=False)


def _plain(line: str) -> str:
    return line[:_LONGEST_LINE].translate(_SPACES).rstrip()


# ---- line by line ----------------------------------------------------------------------------------------------------


def _found(lines: Sequence[_Line], vu: int, cves: Mapping[str, int] = MappingProxyType({})) -> Iterator[_Found]:
    """Every line of the form, filled in or not."""
    position, count = 0, 0
    while position < len(lines) and count < MOST:
        label = _LABEL.match(lines[position].text)
        if label is None:
            position += 1
            continue
        what, count = _BY_LABEL[" ".join(label[1].casefold().split())], count + 1
        end = _value_ends(lines, position, what, label.end())
        value = " ".join([lines[position].text[label.end() :], *(line.text for line in lines[position + 1 : end])])
        vulnerability, remark = _which(label[2] or label[3] or "", vu, cves)
        if vulnerability is not None:
            yield _Found(Said(what, _value(f"{remark}{value}", what), vulnerability), position, end)
        position = end


def _value_ends(lines: Sequence[_Line], position: int, what: What, begins: int) -> int:
    """A sentence goes on to a blank line; anything else only where a program has broken a long line, or indented it."""
    first = lines[position]
    if what in KNOWN and _is_whole(first.text[begins:], what):
        return position + 1
    empty = not first.text[begins:].strip(" *_")
    end = position + 1
    while end < len(lines) and end - position < _MOST_LINES and lines[end].new == first.new:
        text = lines[end].text
        if not text.strip() or _LABEL.match(text) or _CLOSING.match(text):
            break
        indented = text.startswith(" ") and not first.text.startswith(" ")
        answers = empty and _answers(what, text)
        goes_on = not empty and (what in _FREE or len(lines[end - 1].text) >= _WRAPS_FROM)
        if not (indented or answers or goes_on):
            break
        empty = False
        end += 1
    return end


def _is_whole(text: str, what: What) -> bool:
    """Whether a line about what the world knows says yes or no, and what follows is another line of a report's form."""
    return bool(text.strip(" *_")) and (is_plain(text) or not _value(text, what))


def _answers(what: What, text: str) -> bool:
    """Whether a line alone is the word that is asked for."""
    return (what is What.AFFECTED and word(text) != "") or (what is What.EMBARGO and consent(text) != "")


def _which(qualifier: str, vu: int, cves: Mapping[str, int]) -> tuple[int | None, str]:
    """Which vulnerability a line is about, and what else stands there; None: it is about another case."""
    named = qualifier.strip(" *_")
    if not named or named.casefold() == _REPORT_FORMS:
        return 0, ""
    if found := vuid.find(named):
        one = found[0]
        return (one.vulnerability or 0 if one.number == vu else None), ""
    known = [cves[one] for one in cveid.find(named) if one in cves]
    if len(known) == 1:
        return known[0], ""
    number = re.fullmatch(r"\.?([1-9][0-9]{0,3})", named)
    return (int(number[1]), "") if number else (0, f"({named}) ")


_REPORT_FORMS = "yes or no"  # behind the label, in the form for reports
_OFFERED = re.compile(r"\s*(?:[|/,\[\]()]|\bor\b)\s*")
_MARKS = " *_.\u2026`\"'“”„-–—?"
_NOTHING = frozenset({"", "n/a", "na", "none", "nothing", "tbd", "tba", "n.a"})
_NOT_YET = frozenset({"no", "not yet", "unknown", "not known", "yes"})
_BY_A_WORD = frozenset({What.AFFECTED, What.EMBARGO}) | KNOWN  # "yes" says something there
_DENIES = ("no", "unknown")


def _value(text: str, what: What) -> str:
    """'' for what only says that nothing is said, and for the words that the form itself offers."""
    line = one_line(text, LONGEST).strip(" *_")
    bare = line.casefold().strip(_MARKS)
    if bare in _NOTHING or (what not in _BY_A_WORD and bare in _NOT_YET):
        return ""
    if what in KNOWN and (word(line) in _DENIES or bare in _NOT_YET - {"yes"}):
        return ""
    if what is What.CVE:
        found = cveid.find(line)
        return found[0] if len(found) == 1 else ""
    parts = [part for part in _OFFERED.split(bare) if part]
    return "" if len(parts) > 1 and all(part in OFFERED for part in parts) and _offers(line) else line


def _offers(line: str) -> bool:
    return "|" in line or line.casefold().count("/") > 1 or line.startswith(("(", "["))


# ---- what is quoted --------------------------------------------------------------------------------------------------


def _below(lines: Sequence[_Line], quoted: Sequence[_Found]) -> Iterator[Said]:
    """Answers under the quoted questions. Text under the last line of a form is one only if another was answered so."""
    found = [(one, _paragraph(lines, one.ends)) for one in quoted if not one.said.value]
    answers = [(one, *more) for one, more in found if more[0]]
    for one, text, end in answers:
        quoted_again = any(not line.new for line in lines[end : end + 3])
        clear = _answers(one.said.what, text)
        if (quoted_again or len(answers) > 1 or clear) and (value := _value(text, one.said.what)):
            yield Said(one.said.what, value, one.said.vulnerability, Source.BELOW)


def _paragraph(lines: Sequence[_Line], begins: int) -> tuple[str, int]:
    """The new text that follows, up to a blank line, and where it ends."""
    start = begins
    while start < min(begins + 3, len(lines)) and not lines[start].text.strip():
        start += 1
    end = start
    while end < min(start + _MOST_LINES, len(lines)) and lines[end].new and lines[end].text.strip():
        if _LABEL.match(lines[end].text) or _CLOSING.match(lines[end].text):
            break
        end += 1
    return " ".join(line.text for line in lines[start:end]), end


def _once(found: Sequence[Said]) -> list[Said]:
    """Of what is quoted, only lines that stand there once: of two, nobody can say which was filled in now."""
    keys = [(one.what, one.vulnerability) for one in found]
    seen = {key: keys.count(key) for key in set(keys)}
    return [
        Said(one.what, one.value, one.vulnerability, Source.QUOTED)
        for one, key in zip(found, keys, strict=True)
        if seen[key] == 1
    ]


def _joined(found: Sequence[Said]) -> list[Said]:
    values: dict[tuple[What, int], list[Said]] = {}
    for one in found:
        values.setdefault((one.what, one.vulnerability), []).append(one)
    return [
        Said(what, one_line(" / ".join(dict.fromkeys(one.value for one in same)), LONGEST), number, same[0].source)
        for (what, number), same in values.items()
    ]
