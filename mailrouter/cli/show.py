"""How answers are shown: tables and lines for people, one JSON document for programs.

Promises: answers go to stdout, messages for people to stderr; nothing that came in a mail reaches a terminal with its
control, ANSI or bidi characters working (testbook C15, S37); JSON is ASCII, its times are ISO 8601 UTC.
"""

import dataclasses
import json
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from itertools import chain, zip_longest

import click

# Controls but for tab and line feed, marks that reorder or join, characters nobody sees, lone surrogates.
_HOSTILE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def visible(text: str) -> str:
    """One safe line or block: what a terminal would obey, and what nobody would see, as escapes."""
    return _HOSTILE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def show_json(value: object) -> None:
    """One document on stdout. ASCII, so that no terminal and no locale can spoil it."""
    click.echo(json.dumps(plain(value), indent=2))


def plain(value: object) -> object:
    """Dataclasses, instants and enumerations as JSON knows them."""
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case Enum():
            return str(value)
        case bytes():
            return value.hex()
        case Mapping():
            return {str(key): plain(one) for key, one in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(one) for one in value]
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    return value


REASON = 18  # characters of a line of a reason, the last column of a table: it wraps and is never cut


def table(headers: Sequence[str], rows: Iterable[Sequence[object]], empty: str, *, last: int | None = None) -> None:
    """A table for people; `empty` is said when there is nothing. The last column wraps at `last` characters."""
    shown = [[cell(value) for value in row] for row in rows]
    click.echo("\n".join(_lines(headers, shown, last)) if shown else empty)


def _lines(headers: Sequence[str], rows: Sequence[Sequence[str]], last: int | None) -> Iterable[str]:
    """Columns two spaces apart under a rule; a cell of several lines makes a row of as many."""
    cells = [[_wrapped(value, None if n < len(headers) - 1 else last) for n, value in enumerate(row)] for row in rows]
    columns = zip(*cells, strict=True)
    widths = [max(len(s) for s in [h, *chain(*c)]) for h, c in zip(headers, columns, strict=True)]
    rule = ["-" * width for width in widths]
    for line in [headers, rule, *(line for row in cells for line in zip_longest(*row, fillvalue=""))]:
        yield "  ".join(f"{value:{width}}" for value, width in zip(line, widths, strict=True)).rstrip()


def _wrapped(value: str, width: int | None) -> list[str]:
    lines = value.splitlines() or [""]
    return [part for line in lines for part in (textwrap.wrap(line, width) if width else [line]) or [""]]


def fields(rows: Iterable[tuple[str, object]]) -> None:
    """Name and value, one a line; what is empty is left out."""
    shown = [(name, cell(value)) for name, value in rows]
    width = max((len(name) for name, value in shown if value), default=0)
    for name, value in shown:
        if value:
            click.echo(f"{name:{width}}  {value}")


def letter(letter_id: int, message_id: int | None) -> str:
    """A letter by both its numbers: `outbox` counts letters, a case's page counts messages of all kinds."""
    return f"letter {letter_id}" + (f" (message {message_id})" if message_id is not None else "")


def cell(value: object) -> str:
    """A value as people read it, on one line."""
    match value:
        case None:
            return ""
        case datetime():
            return when(value)
        case bool():
            return "yes" if value else ""
    return " ".join(visible(str(value)).split())


def short(text: str, width: int) -> str:
    """Cut to `width` characters, visibly."""
    line = cell(text)
    return line if len(line) <= width else line[: width - 1].rstrip() + "…"


def block(text: str) -> None:
    """A text of several lines, as it is but for what a terminal would obey; mail's line ends, CRLF, are line ends."""
    click.echo(visible(text.replace("\r\n", "\n")))


def when(instant: datetime | None) -> str:
    """A time for people, to the minute, UTC."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M}" if instant else ""


def fingerprint(digits: str) -> str:
    """In groups of four."""
    return " ".join(digits[i : i + 4] for i in range(0, len(digits), 4))


def number(vu: int | None) -> str | None:
    """`VU#123456`, as everywhere; None where there is no number."""
    return None if vu is None else f"VU#{vu}"


def said(text: str) -> None:
    """A message for people, on stderr."""
    click.echo(visible(text), err=True)
