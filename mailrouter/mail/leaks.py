"""What a text says of people it must not speak of: needles (whose they are, of which kind) and where they stand.

Promises: a needle is found whatever its case, width and invisible characters, across wrapped and quoted lines, with
`at` and `dot` written out, and under every disguise of disguises.py; a name only as a whole word. Many thousands of
needles cost a letter a few milliseconds: letters and digits alone are compared first, everything else of a needle only
where those stand. Found text is never repeated: a finding says of which kind, whose, where.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mailrouter.mail import disguises
from mailrouter.mail.disguises import Reading

OURS = 0  # as owner: what is ours may stand anywhere, and what stands within it


class Kind(StrEnum):
    """What of somebody it is, in words."""

    NAME = "the name"
    PERSON = "the name of a person"
    ADDRESS = "an address"
    DOMAIN = "a mail domain"
    KEY = "a key"
    MESSAGE_ID = "a Message-ID"
    REFERENCE = "the reference"
    TELEPHONE = "the telephone number"
    REPLY = "an address where we are answered"
    TITLE = "the title in the words"
    PSEUDONYM = "the pseudonym"
    CLOSED = "a file that cannot be looked into"  # nobody's


_WORDS = frozenset({Kind.NAME, Kind.PERSON, Kind.REFERENCE})


@dataclass(frozen=True, slots=True)
class Needle:
    """What must not be said. `hard`: to nobody but its owner; else a person may decide to say it."""

    kind: Kind
    owner: int
    text: str
    hard: bool = True


@dataclass(frozen=True, slots=True)
class Hit:
    """A needle in one reading."""

    needle: Needle
    start: int
    end: int
    line: int  # 0: lines mean nothing there


@dataclass(frozen=True, slots=True)
class Finding:
    """What would be said of whom, and where: `the body, line 3`."""

    kind: Kind
    owner: int
    where: str
    hard: bool


Scan = Sequence[Sequence[Hit]]  # by reading


# ---- how each kind is written ---------------------------------------------------------------------------------------

_BREAK = r"(?:-?[ \t]*\n[ \t>|]*)"  # a wrapped line, perhaps of a quotation
_HYPHENATED = r"(?:-[ \t]*\n[ \t>|]*)"
_OPEN, _CLOSE = r"\s*[\[({<]\s*", r"\s*[\])}>]\s*"
_AT = rf"(?:{_BREAK}?@{_BREAK}?|{_OPEN}(?:at|@){_CLOSE}|\s+at\s+)"
_DOT = rf"(?:{_BREAK}?\.{_BREAK}?|{_OPEN}(?:dot|\.){_CLOSE}|\s+dot\s+)"
_BETWEEN = r"[\W_]{0,20}"
_IN_DIGITS = r"[\s>:./()|-]{0,6}"
_ODD = re.compile(r"[\W_]+")

SHORTEST = 3  # letters of a name that is searched for without regard to case
_LITERAL = 5  # up to here what stands between its words must stand there too
_WRAPPED = 6  # from here a name may be broken anywhere at a line's end, without a hyphen


def compact(text: str) -> str:
    """Its letters and digits alone, folded."""
    return _ODD.sub("", disguises.fold(text))


def _keys(needle: Needle) -> set[str]:
    """What of it, letters and digits alone, stands in every text that says it."""
    match needle.kind:
        case Kind.ADDRESS | Kind.DOMAIN | Kind.REPLY:
            return {compact(one) for one in _spelt(needle.text)}
        case Kind.TELEPHONE:
            return {_last_digits(needle.text)}
    return {compact(needle.text)}


def _spelt(address: str) -> Iterator[str]:
    """With `@` and `.` written out or not; in the local part only together with the domain's."""
    local, at, domain = address.rpartition("@")
    for sign in {at, "at" if at else ""}:
        yield f"{local}{sign}{domain}"
        yield f"{local}{sign}{domain.replace('.', 'dot')}"
        yield f"{local.replace('.', 'dot')}{sign}{domain.replace('.', 'dot')}"


def _last_digits(number: str) -> str:
    return re.sub(r"[^0-9]", "", number)[-8:]  # without country or area, as people write it


def _pattern(needle: Needle) -> re.Pattern[str]:
    """It as it may stand in a folded text (short names: one that is not folded)."""
    match needle.kind:
        case Kind.ADDRESS | Kind.DOMAIN | Kind.REPLY:
            signs = {"@": _AT, ".": _DOT}
            return _bounded("".join(_joined(needle.text, rf"{_BREAK}?", signs)))
        case Kind.MESSAGE_ID:
            return _bounded("".join(_joined(needle.text, rf"{_BREAK}?", {})))
        case Kind.KEY:
            return _hex(disguises.fold(needle.text))
        case Kind.TELEPHONE:
            return re.compile(_IN_DIGITS.join(_last_digits(needle.text)) + "(?![0-9])")
    return _word(needle.text)


def _joined(text: str, gap: str, signs: Mapping[str, str]) -> Iterator[str]:
    """Each character, with `gap` between any two; signs bring their own."""
    before = ""
    for one in disguises.fold(text):
        if before and before not in signs and one not in signs:
            yield gap
        yield signs.get(one, re.escape(one))
        before = one


def _hex(digits: str) -> re.Pattern[str]:
    """In groups of any size. Whatever ends like a key's id names that key; eight digits alone must stand alone."""
    grouped = _IN_DIGITS.join(digits)
    return re.compile(grouped if len(digits) > 8 else rf"(?:(?<![0-9a-z])|(?<=0x)){grouped}(?![0-9a-z])")


def _word(name: str) -> re.Pattern[str]:
    if len(compact(name)) < SHORTEST:
        return _bounded(re.escape(" ".join(disguises.seen(name).split())), name)
    gap = rf"{_BREAK}?" if len(compact(name)) >= _WRAPPED else rf"{_HYPHENATED}?"
    pieces = re.split(r"([\W_]+)", disguises.fold(name).strip())
    literal = len(compact(name)) < _LITERAL
    parts = [
        ("".join(_joined(one, gap, {})) if place % 2 == 0 else _separator(one, literal=literal))
        for place, one in enumerate(pieces)
    ]
    return _bounded("".join(parts), name)


def _separator(odd: str, *, literal: bool) -> str:
    if not literal:
        return _BETWEEN
    signs = "".join(re.escape(one) + r"\s*" for one in odd if not one.isspace())
    return rf"\s*{signs}" if signs else r"[\s>|]+"


SPACELESS = 0x2E80  # from here on scripts put no blanks between words


def _bounded(inner: str, text: str = "") -> re.Pattern[str]:
    """No letter or digit before and behind it, but where its script does without blanks."""
    letters = _ODD.sub("", text)
    before = "" if letters and ord(letters[0]) >= SPACELESS else r"(?<![^\W_])"
    behind = "" if letters and ord(letters[-1]) >= SPACELESS else r"(?![^\W_])"
    return re.compile(f"{before}{inner}{behind}")


# ---- searching ------------------------------------------------------------------------------------------------------

_GRAM, _STEP = 6, 3  # of every text each third place is looked at: so a needle of 8 letters or more is never missed
_LONG = _GRAM + _STEP - 1
_CHUNK, _OVERLAP = 512 * 1024, 4096  # characters folded at once; how much of one is looked at with the next again
_FAR = 2**40  # so far apart that no place in one is ever taken for one in the next
LARGEST_RAW = 256 * 1024  # bytes of a file in which key ids are looked for as they stand in signatures


class Index:
    """Needles, ready to be looked for. Built once for many texts; nothing of it changes but what it remembers."""

    def __init__(self, needles: Iterable[Needle]) -> None:
        self.needles = tuple(dict.fromkeys(needles))
        self._long: dict[str, list[Needle]] = defaultdict(list)
        self._short: dict[str, list[Needle]] = defaultdict(list)
        self._exact: list[Needle] = []
        self._raw: dict[bytes, Needle] = {}
        self._grams: dict[str, set[str]] = defaultdict(set)
        self._patterns: dict[Needle, re.Pattern[str]] = {}
        for needle in self.needles:
            self._add(needle)
        self._own: dict[int, frozenset[tuple[Kind, str]]] = {}

    def _add(self, needle: Needle) -> None:
        for key in _keys(needle):
            if len(key) >= _LONG:
                self._long[key].append(needle)
                for start in range(_STEP):
                    self._grams[key[start : start + _GRAM]].add(key)
            elif len(key) >= SHORTEST:
                self._short[key].append(needle)
            elif needle.kind in _WORDS and key:
                self._exact.append(needle)
        if needle.kind is Kind.KEY and len(needle.text) >= 16:
            self._raw[bytes.fromhex(needle.text[-16:])] = needle

    def scan(self, readings: Iterable[Reading]) -> Scan:
        """Every needle in every reading, whoever it belongs to."""
        return [list(dict.fromkeys(self._in(one))) for one in readings]

    def _in(self, reading: Reading) -> Iterator[Hit]:
        for number, (line, chunk) in enumerate(_chunks(reading.text)):
            for needle, start, end, inner in self._in_text(chunk):
                counted = line - 1 + inner if reading.counted and reading.line else 0
                yield Hit(needle, number * _FAR + start, number * _FAR + end, reading.line + counted)
        if reading.raw and len(reading.raw) <= LARGEST_RAW:
            for octets, needle in self._raw.items():
                if octets in reading.raw:
                    yield Hit(needle, 0, 0, reading.line)

    def _in_text(self, text: str) -> Iterator[tuple[Needle, int, int, int]]:
        """Needle, start, end, and how many lines stand before it."""
        folded = disguises.fold(text)
        for needle in self._likely(_ODD.sub("", folded)):
            yield from self._where(needle, folded)
        plain = disguises.seen(text) if self._exact else ""
        for needle in self._exact:
            yield from self._where(needle, plain)

    def _likely(self, letters: str) -> list[Needle]:
        """The needles whose letters and digits stand there in a row."""
        grams = {letters[at : at + _GRAM] for at in range(0, len(letters), _STEP)}
        keys = {key for gram in grams & self._grams.keys() for key in self._grams[gram]}
        found = [needle for key in keys if key in letters for needle in self._long[key]]
        found += [needle for key, needles in self._short.items() if key in letters for needle in needles]
        return list(dict.fromkeys(found))

    def _where(self, needle: Needle, text: str) -> Iterator[tuple[Needle, int, int, int]]:
        pattern = self._patterns.get(needle) or self._patterns.setdefault(needle, _pattern(needle))
        counted = lines = 0
        for found in pattern.finditer(text):
            lines += text.count("\n", counted, found.start())
            counted = found.start()
            yield needle, counted, found.end(), lines

    def own(self, owner: int) -> frozenset[tuple[Kind, str]]:
        """What of somebody's is also theirs who share it."""
        if owner not in self._own:
            theirs = (n for n in self.needles if n.owner in (owner, OURS))
            self._own[owner] = frozenset((n.kind, compact(n.text)) for n in theirs)
        return self._own[owner]


def _chunks(text: str) -> Iterator[tuple[int, str]]:
    """Pieces of a long text that overlap, each with the number of its first line."""
    line = 1
    for start in range(0, max(len(text), 1), _CHUNK):
        yield line, text[start : start + _CHUNK + _OVERLAP]
        line += text.count("\n", start, start + _CHUNK)


# ---- what of it is a leak -------------------------------------------------------------------------------------------


def findings(
    index: Index, scan: Scan, recipient: int, where: str, harmless: Collection[Needle] = frozenset()
) -> list[Finding]:
    """What may not be said to this recipient, each kind, owner and line once, in the order of the lines.

    Not: what is their own or ours, whoever else's it is too; what stands within such; `harmless` needles.
    """
    found: dict[Finding, int] = {}
    known: set[Needle] = set(harmless)
    for hits in scan:
        told = [hit for hit in _telling(index, hits, recipient) if hit.needle not in known]
        for hit in told:
            place = f"{where}, line {hit.line}" if hit.line else where
            found.setdefault(Finding(hit.needle.kind, hit.needle.owner, place, hit.needle.hard), hit.line)
        known.update(hit.needle for hit in told)  # where it stands plainly says best where it stands
    return sorted(found, key=lambda one: found[one])


def _telling(index: Index, hits: Sequence[Hit], recipient: int) -> Iterator[Hit]:
    mine = index.own(recipient)
    safe = _apart((hit.start, hit.end) for hit in hits if hit.needle.owner in (recipient, OURS) and hit.end)
    theirs = {
        needle for needle in {hit.needle for hit in hits}
        if needle.owner not in (recipient, OURS) and (needle.kind, compact(needle.text)) not in mine
    }  # fmt: skip
    for hit in hits:
        if hit.needle in theirs and not _within(safe, hit):
            yield hit


def _apart(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """In their order, without those that stand within another: so starts and ends both rise."""
    kept: list[tuple[int, int]] = []
    for start, end in sorted(spans, key=lambda one: (one[0], -one[1])):
        if not kept or end > kept[-1][1]:
            kept.append((start, end))
    return kept


def _within(spans: Sequence[tuple[int, int]], hit: Hit) -> bool:
    """Whether one of them holds it: the last that begins no later also ends last."""
    at = bisect_right(spans, hit.start, key=lambda one: one[0])
    return at > 0 and hit.end <= spans[at - 1][1]
