"""Text of others, as lines that may stand among ours.

Promised: a line never holds a character that moves a cursor, starts another line or turns the order of what is read;
such a one is shown as `<U+202E>`. A fenced text stays within its fence in a terminal of 80 columns, and loses nothing:
its lines without the marks, joined, are the text.
"""

import re
import textwrap
import unicodedata
from collections.abc import Iterator

WIDTH = 72  # columns
FENCE, GOES_ON = "| ", "|> "  # before a line of theirs; before what did not fit on the line above

_BREAK = re.compile(r"\r\n|[\n\v\f\r\x1c-\x1e\x85\u2028\u2029]")  # all that a reader or str.splitlines may break at
_UNSAFE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]"
)
_TAB_CELLS = 8  # at most
_LIST_MARK = re.compile(r"\s*(?:[-*+]|\d{1,9}[.)])?\s+|")


def split(text: str) -> list[str]:
    """Its lines, whatever they are broken by, each as it may be shown; blank lines at either end are left out."""
    return [shown(line) for line in _BREAK.split(text.strip("\r\n"))]


def shown(line: str) -> str:
    """The line with nothing in it that cannot be seen and yet acts."""
    return _UNSAFE.sub(lambda found: f"<U+{ord(found[0]):04X}>", line)


def one(text: str) -> str:
    """All of it on one line, white space collapsed."""
    return shown(" ".join(text.split()))


def fenced(text: str) -> str:
    """Somebody else's text, verbatim; every line begins with a mark of ours."""
    return "\n".join(marked for line in split(text) for marked in _fenced(line))


def filled(text: str, indent: str = "") -> str:
    """Our own Markdown: a line that is too long is broken at blanks; code is left alone."""
    found, code = [], False
    for line in split(text):
        code ^= line.lstrip().startswith(("```", "~~~"))
        whole = code or line.startswith(("    ", "\t")) or len(line) + len(indent) <= WIDTH
        found += [indent + line] if whole else _broken(line, indent)
    return "\n".join(line.rstrip() for line in found)


def _fenced(line: str) -> Iterator[str]:
    """The line in pieces that fit, each with its mark; a piece ends behind a blank where there is one."""
    mark, start = FENCE, 0
    while start < len(line) or mark is FENCE:
        end = _fitting(line, start)
        yield mark + line[start:end] if line else mark.rstrip()
        mark, start = GOES_ON, end


def _fitting(line: str, start: int) -> int:
    """Where a piece that begins at `start` ends."""
    used, blank = 0, 0
    for place in range(start, len(line)):
        used += _cells(line[place])
        if used > WIDTH - len(GOES_ON):
            return blank or max(place, start + 1)
        if line[place] == " ":
            blank = place + 1
    return len(line)


def _cells(letter: str) -> int:
    """Columns it may take, at most."""
    if letter == "\t":
        return _TAB_CELLS
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def _broken(line: str, indent: str) -> list[str]:
    """In as many lines as it needs; under a list's item they stay under its text."""
    mark = _LIST_MARK.match(line)
    under = indent + " " * (mark.end() if mark else 0)
    return textwrap.wrap(
        line, WIDTH, initial_indent=indent, subsequent_indent=under, break_long_words=False, break_on_hyphens=False,
        expand_tabs=False, replace_whitespace=False,
    )  # fmt: skip
