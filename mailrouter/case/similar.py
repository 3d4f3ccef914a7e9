"""Reports that say the same: near-duplicates, found by their words.

A sketch of fixed size stands for a report's text: of all runs of three words, hashed once each, the smallest hash of
each of 128 classes (min-wise hashing with one permutation; Broder 1997; Li, Owen and Zhang 2012). Two sketches tell
which part of their texts is common. Too few runs tell nothing of a part: of a short text every class is drawn from all
its words at once, so that it is like another of exactly the same words, and like nothing else. Promises: linear in the
text, the same for the same words on every machine, for ever; what is found is a suggestion, an analyst decides.
"""

import re
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b, shake_256
from operator import eq

RUN = 3  # words that are looked at together
LONGEST = 64 * 1024  # characters of a text that count; what comes after is most often a log or a listing
FEWEST = 24  # different runs below which a text is like none but its equal
FEWEST_TO_EQUAL = 6  # different words below which it says too little even for that
LIKELY = 50  # percent in common from which one is named

_CLASSES = 128
_NONE = 0  # a class without a run
_WORD = re.compile(r"\w+")
BYTES = 2 * _CLASSES


@dataclass(frozen=True, slots=True)
class Like:
    """A report, and how much of it another has."""

    report_id: int
    percent: int


def sketch(texts: Iterable[str]) -> bytes | None:
    """256 bytes for the words of these texts, in their order; None when there are too few to be told from others."""
    pieces = list(_words(texts))
    runs = {" ".join(run) for words in pieces for run in _runs(words)}
    if len(runs) >= FEWEST:
        return _smallest(runs)
    words = [word for piece in pieces for word in piece]
    return _of_all(words) if len(set(words)) >= FEWEST_TO_EQUAL else None


def _words(texts: Iterable[str]) -> Iterator[list[str]]:
    """Of each text, as far as they count."""
    left = LONGEST
    for text in texts:
        yield _WORD.findall(text[:left].casefold())
        left -= min(left, len(text))


def _runs(words: list[str]) -> Iterator[tuple[str, ...]]:
    return zip(*(words[at:] for at in range(RUN)), strict=False)


def _of_all(words: Iterable[str]) -> bytes:
    """Every class full, and none as another text has it, but by a chance that leaves them far from `LIKELY`."""
    drawn = shake_256(" ".join(words).encode("utf-8", "surrogatepass")).digest(BYTES)
    pairs = (drawn[at : at + 2] for at in range(0, BYTES, 2))
    return b"".join(_mark(int.from_bytes(pair, "big")).to_bytes(2, "big") for pair in pairs)


def _smallest(runs: Iterable[str]) -> bytes:
    """Of each class the smallest hash; of that, as much as tells it from others."""
    least: dict[int, int] = {}
    for run in runs:
        hashed = int.from_bytes(blake2b(run.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
        place, rest = hashed % _CLASSES, hashed // _CLASSES
        if rest < least.get(place, 1 << 64):
            least[place] = rest
    return b"".join((_mark(least[place]) if place in least else _NONE).to_bytes(2, "big") for place in range(_CLASSES))


def _mark(least: int) -> int:
    return least % 0xFFFF + 1


def percent(one: bytes, other: bytes) -> int:
    """How much two texts have in common, 0 to 100, by their sketches; a few points off at most times."""
    mine, theirs = array("H", one), array("H", other)
    both_empty = sum(not (a or b) for a, b in zip(mine, theirs, strict=True))
    same = sum(map(eq, mine, theirs)) - both_empty
    return round(100 * same / (_CLASSES - both_empty)) if both_empty < _CLASSES else 0


def likely(wanted: Mapping[int, bytes], others: Iterable[tuple[int, bytes]]) -> dict[int, list[Like]]:
    """For each report of `wanted` those of `others` that are likely the same, the likeliest first; never itself.

    Only pairs with something in common are compared, so that ten thousand others are looked through in a second.
    """
    marked: dict[tuple[int, int], list[int]] = {}
    for report_id, own in wanted.items():
        for mark in _marks(own):
            marked.setdefault(mark, []).append(report_id)
    found: dict[int, list[Like]] = {}
    for other_id, other in others:
        touched = {report_id for mark in _marks(other) for report_id in marked.get(mark, ())}
        for report_id in touched - {other_id}:
            if (common := percent(wanted[report_id], other)) >= LIKELY:
                found.setdefault(report_id, []).append(Like(other_id, common))
    return {one: sorted(likes, key=lambda like: (-like.percent, like.report_id)) for one, likes in found.items()}


def _marks(of: bytes) -> Iterator[tuple[int, int]]:
    return ((place, mark) for place, mark in enumerate(array("H", of)) if mark != _NONE)


# ---- titles ----------------------------------------------------------------------------------------------------------

FEWEST_WORDS = 3  # that two titles must have in common
_IDLE = frozenset(
    {"a", "an", "and", "by", "for", "from", "in", "into", "is", "of", "on", "or", "the", "through", "to", "via", "with",
     "vulnerability", "vulnerabilities", "issue", "bug"}
)  # fmt: skip


def titles(one: str, other: str) -> int:
    """How much two titles have in common, 0 to 100; 0 unless three words that say something are."""
    return alike(saying(one), saying(other))


def alike(mine: frozenset[str], theirs: frozenset[str]) -> int:
    """The same of their words, for many titles."""
    common = len(mine & theirs)
    return round(100 * common / len(mine | theirs)) if common >= FEWEST_WORDS else 0


def saying(title: str) -> frozenset[str]:
    """The words of a title that say something."""
    return frozenset(_WORD.findall(title[:1000].casefold())) - _IDLE
