"""Copies of protected headers that a sender puts into the text for mail programs which know no better.

RFC 9788 section 5.2: in an encrypted mail a text part may begin with a copy of Subject and others and says so with
`hp-legacy-display="1"`; its forerunner put the copy into a part of its own. Whoever shows the protected headers shows
no copy. The mark counts in a payload that says it is one only: nobody hides the words of an ordinary mail with it.
"""

import re
from collections.abc import Sequence

from mailrouter.mail.mime import Part

_HTML_COPY = re.compile(
    r"""<div\b[^<>]{0,200}class=["']?header-protection-legacy-display\b[^<>]{0,200}>""", re.IGNORECASE
)
_DIV = re.compile(r"<(/?)div\b", re.IGNORECASE)
_HEADER_LINE = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}:|[ \t]")


def without_copy(source: str, part: Part, top: Part) -> str:
    """The text of a part without the headers repeated at its beginning (RFC 9788 sections 5.2.3 and 5.2.4)."""
    if part.parameters.get("hp-legacy-display") != "1" or top.parameters.get("hp") != "cipher":
        return source
    return _html(source) if part.content_type == "text/html" else _plain(source)


def is_header_copy(part: Part, top: Part) -> bool:
    """A part of its own with nothing but such a copy, first in its payload."""
    if part.parameters.get("protected-headers") != "v1" or part is top:
        return False
    first = part.depth == top.depth + 1 and part.content_type in ("text/plain", "text/rfc822-headers")
    return first and top.parameters.get("protected-headers") == "v1" and only_headers(part.content([]))


def only_headers(content: bytes) -> bool:
    """Whether a part's content is nothing but header lines."""
    return _only_headers(content[:8192].decode("utf-8", "replace").strip().splitlines())


def _only_headers(lines: Sequence[str]) -> bool:
    """A header, and others or folded lines after it."""
    return bool(lines) and not lines[0][:1].isspace() and all(map(_HEADER_LINE.match, lines))


def _plain(text: str) -> str:
    """Up to the first empty line; a text without one keeps all."""
    copy, found, rest = text.partition("\n\n")
    return rest if found and _only_headers(copy.split("\n")) else text


def _html(source: str) -> str:
    opening = _HTML_COPY.search(source)
    if opening is None:
        return source
    depth = 1
    for tag in _DIV.finditer(source, opening.end()):
        depth += -1 if tag[1] else 1
        if depth == 0:
            return source[: opening.start()] + source[source.find(">", tag.end()) + 1 :]
    return source
