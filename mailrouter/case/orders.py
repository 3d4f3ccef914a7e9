"""Orders by mail: who may give them, how they are written, and what of a mail is an order and what is text.

Promises: what is not certainly an order is none, and what may be a misspelt one is never taken for text: the whole mail
is refused then, in words that say what to write instead. Orders stand first, one a line; after a blank line follows the
text that is to be sent on. Nothing is decided here by who wrote: that is `refusal`.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from mailrouter.case.actions import Actions, File, KeepOrder, TellRefused
from mailrouter.case.events import MailArrived, Ordered
from mailrouter.case.model import Place

# ---- whose orders we take --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a mail that came to an analyst's own address for an item."""

    alone: bool  # it was sent to no other address of ours that stands for something
    given: bool  # the address was given to an analyst who is one still
    has_key: bool  # whose key is on file
    sender: bool  # From is one well-formed mailbox, and exactly the analyst's registered address
    verdict: str  # of the signature: CONTRACT.md
    reason: str  # why it is not good
    fingerprint: bool  # it was made by the key on file
    whole: bool  # and covers all that the mail shows
    stale: bool  # more than 30 days before the mail came
    before: int | None  # the message that brought the same signature first


_Refusal = tuple[Callable[[Facts], bool], str]

_REFUSALS: tuple[_Refusal, ...] = (  # first match
    (lambda mail: not mail.given, "the address was given to nobody"),
    (lambda mail: not mail.alone, "it was sent to several addresses of ours at once"),
    (lambda mail: not mail.has_key, "there is no key of yours on file"),
    (lambda mail: not mail.sender, "its From is not exactly your registered address"),
    (lambda mail: mail.verdict == "none", "it is not signed, or could not be opened"),
    (lambda mail: mail.verdict == "unknown-key", "it is signed by another key than yours"),
    (lambda mail: mail.verdict != "good", "its signature is not good"),
    (lambda mail: not mail.fingerprint, "it is signed by another key than yours"),
    (lambda mail: not mail.whole, "the signature covers only a part of it"),
    (lambda mail: mail.stale, "it was signed more than 30 days before it came"),
    (lambda mail: mail.before is not None, "the same signed mail came before; it is not done again"),
)


def refusal(mail: Facts) -> str:
    """Why a mail to an order address has no effect, in words for the analyst; '' when it is theirs."""
    why = next((words for holds, words in _REFUSALS if holds(mail)), "")
    detailed = why == "its signature is not good" and mail.reason
    return f"{why}: {mail.reason}" if detailed else why


def filed(event: MailArrived, order: Ordered) -> Actions:
    """Where such a mail lies: with its item's case, or in review when it has no effect. It turns nobody's turn."""
    about, in_case = f"about item {order.item_id}", event.case is not None
    if order.refused or order.analyst_id is None:
        review = File(Place.REVIEW, "review", f"an order by mail {about}, without effect: {order.refused}")
        if order.robot or order.analyst_id is None:
            return [review]
        return [review, TellRefused(order.analyst_id, order.item_id, order.refused)]
    if order.robot:
        return [File(Place.FILED, None, f"automatic: {event.kind}, {about}", in_case)]
    file = File(Place.FILED, None, f"an order by mail {about}", in_case)
    return [file, KeepOrder(order.analyst_id, order.item_id)]


def unaddressed(event: MailArrived) -> Actions:
    """An analyst wrote to where nothing is ordered, such as the From of a notice: they are told where to write."""
    return [] if event.unaddressed is None else [TellRefused(event.unaddressed, None, NO_ADDRESS)]


NO_ADDRESS = "it came to none of the addresses you were given: please answer the notice of the item itself"


class Tie(StrEnum):
    """What the signed words say of the item whose address the mail came to.

    The signature does not cover the envelope: whoever carries a mail could take it to another item's address.
    """

    THIS = "this"
    SILENT = "silent"  # they name none, or several
    OTHER = "other"


def tie(item: int, said: int | None, named: Collection[int]) -> Tie:
    """`said`: the order `item NUMBER`; `named`: the items of the order addresses and of our subject among the words."""
    if said is not None:
        return Tie.THIS if said == item else Tie.OTHER
    if set(named) == {item}:
        return Tie.THIS
    return Tie.SILENT if item in named or not named else Tie.OTHER


# ---- how they are written --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Word:
    """One kind of order: its word, how its argument looks, and what it does."""

    word: str
    argument: str  # as `help` shows it
    pattern: re.Pattern[str]
    meaning: str
    wants: str  # how it is written, told to whoever wrote it otherwise

    @property
    def acts(self) -> bool:
        """Whether it changes anything by itself."""
        return self.word not in ("item", "send", "help")


def _word(word: str, argument: str, pattern: str, meaning: str, wants: str = "stands alone on its line") -> Word:
    return Word(word, argument, re.compile(pattern, re.IGNORECASE | re.ASCII), meaning, wants)


_LETTER = "stands alone on its line, or with the number of one letter"
WORDS = (
    _word("done", "", "", "the item is dealt with; text sent on with it asks nothing"),
    _word("assign", "NAME", r"\S.{0,99}", "the case goes to this analyst", "wants an analyst's name"),
    _word(
        "wait", "DATE", r"\d{4}-\d{2}-\d{2}", "it is nobody's turn with them until that day (UTC), as 2026-12-01",
        "wants a date, such as 2026-12-01",
    ),
    _word("hold", "[LETTER]", r"(?:\d{1,9})?", "the letter, or all that are queued to them, do not leave", _LETTER),
    _word("release", "[LETTER]", r"(?:\d{1,9})?", "the held letter, or all that are held to them, leave", _LETTER),
    _word(
        "approve", "SHA256", r"[0-9a-f]{64}", "exactly this text of their statement is approved",
        "wants the whole SHA-256 of the text: 64 digits, 0-9 and a-f, as the notice shows it",
    ),
    _word(
        "take", "", "", "all that their mail says in the lines of our form is taken as said: status, fix, date",
    ),
    _word(
        "item", "NUMBER", r"\d{1,18}", "says which item the mail is about, where nothing else in it does",
        "wants the number of an item, such as 12",
    ),
    _word("send", "", "", "what follows the blank line is text, whatever it looks like"),
    _word("help", "", "", "answers with this list"),
)  # fmt: skip
_BY_WORD = {one.word: one for one in WORDS}

MOST_ORDERS = 20
LONGEST_TEXT = 100_000  # characters
_LONGEST_LINE = 200  # of an order, in characters
_SHORT = 3  # words a line has that may be a misspelt order


@dataclass(frozen=True, slots=True)
class Order:
    """One order as it was given."""

    word: str
    argument: str = ""

    def __str__(self) -> str:
        return f"{self.word} {self.argument}".strip()


@dataclass(frozen=True, slots=True)
class Written:
    """What a mail says: orders, in their order, and the text to be sent on; or why nothing of it is done."""

    orders: tuple[Order, ...] = ()
    text: str = ""
    refused: str = ""

    @property
    def item(self) -> int | None:
        """The item it says it is about."""
        return next((int(order.argument) for order in self.orders if order.word == "item"), None)

    @property
    def asks(self) -> bool:
        """Whether the text waits for an answer: not if the same mail ends the matter or puts it off."""
        return not any(order.word in ("done", "wait") for order in self.orders)


def read(text: str) -> Written:
    """The analyst's own words (lines ending in LF, without what is quoted and without the signature block)."""
    lines = text.strip().split("\n") if text.strip() else []
    if not lines:
        return Written(refused="there are no words of your own in it")
    if len(text) > LONGEST_TEXT:
        return Written(refused=f"it has more than {LONGEST_TEXT} characters")
    head, body = _parted(lines)
    if not _order(head[0]):
        return _only_text(lines)
    orders = [_order(line) for line in head]
    if None in orders:
        number = orders.index(None)
        return Written(refused=_no_order(number + 1, head[number]))
    return _both(tuple(order for order in orders if order), body)


def _parted(lines: list[str]) -> tuple[list[str], list[str]]:
    """At the first blank line."""
    blank = next((number for number, line in enumerate(lines) if not line.strip()), len(lines))
    return lines[:blank], lines[blank:]


def _only_text(lines: list[str]) -> Written:
    if doubt := _doubtful(lines):
        return Written(refused=doubt)
    return Written(text="\n".join(lines))


def _both(orders: tuple[Order, ...], body: list[str]) -> Written:
    text = "\n".join(body).strip("\n")
    named = {order.argument for order in orders if order.word == "item"}
    surely = any(order.word == "send" for order in orders)
    reasons = (
        (len(orders) > MOST_ORDERS, f"it has more than {MOST_ORDERS} orders"),
        (len(named) > 1, "it names several items"),
        (surely and not text.strip(), "nothing follows `send`"),
        (bool(text.strip()) and not surely, _doubtful(text.split("\n"))),
    )
    refused = next((why for holds, why in reasons if holds and why), "")
    return Written(refused=refused) if refused else Written(orders, text)


def _no_order(number: int, line: str) -> str:
    if wrong := _written_wrong(line):
        return f"line {number}: {wrong}"
    return f"line {number} is no order: orders stand first, one a line; the text follows after a blank line"


def _written_wrong(line: str) -> str:
    """How the order that this line begins with is written; '' when it begins with none."""
    known = _BY_WORD.get((line.split() or [""])[0].lower())
    return f"`{known.word}` {known.wants}" if known else ""


def _doubtful(lines: list[str]) -> str:
    """Why this may be no text but orders, misspelt or in the wrong place; '' when it is text."""
    if near := _nearly(lines[0]):
        wrong = _written_wrong(lines[0]) or f"its first words are nearly the order `{near}`"
        return f"{wrong}; if it is text, write `send` and a blank line above"
    if below := next((order for order in map(_order, lines) if order), None):
        return f"the order `{below.word}` stands below other text; if it is text, write `send` and a blank line above"
    return ""


def _order(line: str) -> Order | None:
    """The order this line is, to the letter; None if it is anything else."""
    word, _, argument = " ".join(line.split()).partition(" ")
    known = _BY_WORD.get(word.lower()) if word.isascii() else None
    if known is None or len(line) > _LONGEST_LINE or not known.pattern.fullmatch(argument):
        return None
    return Order(known.word, argument)


def _nearly(line: str) -> str:
    """The order that somebody may have meant by this line; '' if none.

    A line that begins with the word of an order that acts, and is none, is always doubtful; another only if it is
    short, and its first word is a slip of the finger away from an order's, or begins like it.
    """
    bare = ["".join(filter(str.isalnum, _plain(word))) for word in line.split()[: _SHORT + 1]]
    first = next((word for word in bare if word), "")
    if first in _BY_WORD and _BY_WORD[first].acts:
        return first
    return next(_alike(first), "") if len(bare) <= _SHORT else ""


def _plain(word: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", word.casefold()) if unicodedata.category(c)[0] not in "CM")


def _alike(word: str) -> Iterator[str]:
    for known in _BY_WORD:
        if word.startswith(known) or _distance(word, known) <= (1 if len(known) < 5 else 2):
            yield known


def _distance(one: str, other: str) -> int:
    """How many letters are wrong, missing, too many or swapped with their neighbour; 99 when clearly many."""
    if abs(len(one) - len(other)) > 2:
        return 99
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        earlier, before, row = before, row, [i]
        for j, b in enumerate(other, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (a != b)))
            if i > 1 and j > 1 and (a, one[i - 2]) == (other[j - 2], b):
                row[j] = min(row[j], earlier[j - 2] + 1)
    return row[-1]


def help_lines() -> list[str]:
    """The orders there are, one a line."""
    return [f"{f'{one.word} {one.argument}'.strip()}: {one.meaning}" for one in WORDS]
