"""Address lists of real mail, read leniently and in linear time (RFC 5322 section 3.4 and what senders make of it).

For showing and for looking up. What a decision about the sender rests on is `authenticate.sender`, which is strict.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mailrouter.mail import words
from mailrouter.mail.words import Defects

_TOKEN = re.compile(
    r'(?P<quoted>"(?:[^"\\]|\\.)*(?:"|\\?\Z))'
    r"|(?P<angle><[^<>]*>?)"
    r"|(?P<mark>[,;:])"
    r"|(?P<comment>\()"
    r'|(?P<word>[^\s",;:<(]+)'
    r"|(?P<blank>\s+)",
    re.DOTALL,
)
_PARENTHESIS = re.compile(r"\\.|[()]", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox: the display name decoded, the address as it was written. Either is '' where there is none."""

    name: str
    address: str


def parse(raw: bytes, defects: Defects) -> tuple[Address, ...]:
    """The mailboxes of one From, To, Cc header; group names are dropped, their members kept."""
    text = words.undeclared(raw, defects)
    found = (_mailbox(tokens, defects) for tokens in _split(text))
    return tuple(address for address in found if address is not None)


def _split(text: str) -> Iterator[list[tuple[str, str]]]:
    """The tokens of one mailbox after another."""
    current: list[tuple[str, str]] = []
    for kind, value in _tokens(text):
        if kind != "mark":
            current.append((kind, value))
        elif value != ":":
            yield current
            current = []
        elif not any("@" in word or kind == "angle" for kind, word in current):
            current = []  # it was the name of a group
        else:
            current.append(("word", value))
    yield current


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    position = 0
    while position < len(text) and (match := _TOKEN.match(text, position)):
        kind, value, position = str(match.lastgroup), match[0], match.end()
        if kind == "comment":
            end = _comment_end(text, position)
            value, position = text[position : end - 1], end
        yield kind, value


def _comment_end(text: str, position: int) -> int:
    depth = 1
    for match in _PARENTHESIS.finditer(text, position):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if depth == 0:
            return match.end()
    return len(text) + 1  # never closed: the rest is comment


def _mailbox(tokens: list[tuple[str, str]], defects: Defects) -> Address | None:
    angles = [value for kind, value in tokens if kind == "angle" and value.strip("<> ")]
    comments = [value for kind, value in tokens if kind == "comment"]
    if angles:
        address = "".join(angles[-1].strip("<> \t").split())
        if address.startswith("@"):  # RFC 5322 section 4.4: a source route
            address = address.rpartition(":")[2]
        name = _phrase(tokens)
    else:
        parts = [value for kind, value in tokens if kind in ("quoted", "word")]
        address = "".join(parts)
        name = ""
        if "@" not in address and len(parts) != 1:  # words, and no address among them
            address, name = "", _phrase(tokens)
    if not address and not name:
        return None
    return Address(_decoded(name or " ".join(comments), defects), words.line(address, defects))


def _phrase(tokens: list[tuple[str, str]]) -> str:
    wanted = ((kind, value) for kind, value in tokens if kind in ("quoted", "word", "blank"))
    return "".join(_unquoted(value) if kind == "quoted" else value for kind, value in wanted).strip()


def _unquoted(value: str) -> str:
    return _ESCAPE.sub(r"\1", value[1:].removesuffix('"'))


def _decoded(name: str, defects: Defects) -> str:
    """Encoded words stand inside quotes in much real mail; they are decoded there as well."""
    return words.header(name.encode("utf-8", "replace"), defects) if "=?" in name else words.line(name, defects).strip()
