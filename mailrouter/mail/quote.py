"""What of a reply is new, and what repeats or signs.

For showing a mail and for quoting it in an answer; nothing is decided by it. One pass over the lines with a bounded
look ahead, so that hostile text costs no more than its length.
"""
# ruff: noqa: RUF001  (full-width signs are what is looked for)

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mailrouter.mail import markup, quotewords

_LOOK_AHEAD = 4  # lines an attribution or a block of copied headers may span
_LONGEST = 500  # characters of a line looked at
_FOOTER = 12  # lines a list's or a program's footer may have


@dataclass(frozen=True, slots=True)
class Reply:
    """A text in two: what its sender wrote now, and the rest. Lines keep their order in both."""

    visible: str
    hidden: str


_QUOTED = re.compile(r"\s{0,3}(?:>|\|\s|＞)")
_SIGNATURE = re.compile(r"--\s?$|__\s?$")
_DATED_ADDRESS = re.compile(r"\s*\d{4}[/.-]\d{1,2}[/.-]\d{1,2}\s.{0,200}<[^<>\s]{3,320}>:?\s*$")
_ADDRESS_END = re.compile(r"<[^<>\s]{3,320}>\s*[:：]\s*$")
_BRACKETED = re.compile(r"[<(\u202a]\s?[^\s<>()]{1,255}@[^\s<>()]{1,255}[)>\u202c]")
_ANY_ADDRESS = re.compile(r"[^\s<>()]{1,255}@[^\s<>()]{1,255}")
_INVISIBLE = dict.fromkeys((0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)))
_DATE = 6  # digits a date and a time of day have at least


def split(text: str) -> Reply:
    """A plain text (lines ending in LF) in two."""
    visible: list[str] = []
    hidden: list[str] = []
    for line, new in told_apart(text):
        (visible if new else hidden).append(line)
    _move_device_line(visible, hidden)
    return Reply("\n".join(visible).strip("\n").rstrip(), "\n".join(hidden).strip("\n"))


def told_apart(text: str) -> list[tuple[str, bool]]:
    """Every line in its order, with whether it is new; a signature's is not."""
    lines = text.split("\n")
    apart: list[tuple[str, bool]] = []
    position, written, hides, gap = 0, False, False, True
    while position < len(lines):
        end = _hidden_until(lines, position, written=written)
        blank = not lines[position].strip()
        new = end == position and not (hides and blank and gap)  # the gap that a hidden stretch leaves is hidden too
        end = max(end, position + 1)
        apart.extend((line, new) for line in lines[position:end])
        written, gap = written or (new and not blank), blank if new else gap
        hides, position = hides or not new, end
    return apart


def split_html(source: str) -> Reply:
    """The same for a mail that is HTML only: what mail programs mark as quoted is the rest."""
    cut = markup.quoted_at(source)
    above = split(markup.text(source[:cut]))
    below = markup.text(source[cut:])
    return Reply(above.visible, "\n".join(part for part in (above.hidden, below) if part))


def _hidden_until(lines: Sequence[str], position: int, *, written: bool) -> int:
    """Where the hidden stretch that begins at this line ends; the position itself when the line is new text.

    `written`: new text stands above it.
    """
    line = lines[position][:_LONGEST]
    if not line.strip():
        return position
    if _QUOTED.match(line):
        return position + 1
    if quotewords.REPLY_ABOVE.match(line):
        return len(lines) if written else position + 1
    after = _attribution_end(lines, position)
    if after > position:
        if _quote_follows(lines, after):
            return after
        return len(lines) if written else position  # nothing new above it: rather shown than hidden
    if _SIGNATURE.match(line) or _divides(lines, position) or _copied_headers(lines, position):
        return len(lines)
    return position


def _divides(lines: Sequence[str], position: int) -> bool:
    """A line that says that another mail follows; a mere rule does so above copied headers, or near the end."""
    line = lines[position][:_LONGEST]
    if quotewords.DASHED.match(line):
        return True
    if not quotewords.DIVIDER.match(line):
        return False
    if line.strip(" -_"):
        return True
    following = next((n for n in range(position + 1, min(position + _LOOK_AHEAD, len(lines))) if lines[n].strip()), 0)
    return bool(following and _copied_headers(lines, following)) or len(lines) - position <= _FOOTER


def _attribution_end(lines: Sequence[str], position: int) -> int:
    """The line after "On ..., ... wrote:", which programs break over lines; the position itself if none starts."""
    first = lines[position][:_LONGEST].translate(_INVISIBLE)
    opens = bool(quotewords.OPENING.match(first))
    if _DATED_ADDRESS.match(first) or (opens and _ADDRESS_END.search(first) and _digits(first) >= _DATE):
        return position + 1
    if not opens and not (_starts_block(lines, position) and (any(map(str.isdigit, first)) or "@" in first)):
        return position
    joined = ""
    for end in range(position, min(position + _LOOK_AHEAD, len(lines))):
        line = lines[end][:_LONGEST].translate(_INVISIBLE).strip()
        joined += " " + line
        if not line or _QUOTED.match(line):
            break
        if line.endswith((":", "：")) and _attributes(joined, quoted=_quote_follows(lines, end + 1)):
            return end + 1
    return position


def _attributes(text: str, *, quoted: bool) -> bool:
    """It says who wrote and when: by a verb of writing and a date; or, in any language, by an address and a date."""
    if quotewords.WROTE.search(text):
        return any(map(str.isdigit, text))
    addressed = _BRACKETED.search(text) or (quoted and _ANY_ADDRESS.search(text))
    return bool(addressed) and _digits(_ANY_ADDRESS.sub("", text)) >= _DATE


def _digits(text: str) -> int:
    return sum(map(str.isdigit, text))


def _starts_block(lines: Sequence[str], position: int) -> bool:
    return position == 0 or not lines[position - 1].strip()


def _quote_follows(lines: Sequence[str], position: int) -> bool:
    """Quoted lines come next: then what stands below them may be new. Otherwise all the rest is the quoted mail."""
    for line in lines[position : position + _LOOK_AHEAD]:
        if line.strip():
            return bool(_QUOTED.match(line))
    return False


def _copied_headers(lines: Sequence[str], position: int) -> bool:
    """A block of From, Sent, To, Subject, as Outlook puts above what it quotes; some programs begin with Sent."""
    first = lines[position][:_LONGEST]
    if not (quotewords.FROM_LABEL.match(first) or quotewords.OTHER_LABEL.match(first)):
        return False
    following = [line for line in lines[position + 1 : position + 3 * _LOOK_AHEAD] if line.strip()][: _LOOK_AHEAD + 1]
    block = [first, *(line[:_LONGEST] for line in following)]
    named = any(map(quotewords.FROM_LABEL.match, block))
    return named and sum(bool(quotewords.OTHER_LABEL.match(line)) for line in block) > 1


def _move_device_line(visible: list[str], hidden: list[str]) -> None:
    """A last line such as "Sent from my phone" is a signature, too."""
    while visible and not visible[-1].strip():
        visible.pop()
    if len(visible) > 1 and quotewords.DEVICE.match(visible[-1][:_LONGEST]):
        hidden.insert(0, visible.pop())
