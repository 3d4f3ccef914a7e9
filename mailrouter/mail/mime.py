"""The parts of a mail, as slices of its raw bytes (RFC 2046 section 5.1).

A mail is walked without recursion and never beyond the limits. Outer boundaries are cut first, so that nothing inside
a part can end, extend or hide the parts around it. What signed bytes are can be told from `Part.start` and `Part.end`.
Never raises for any bytes.
"""

import binascii
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from mailrouter.mail import headers, limits, parameters, words
from mailrouter.mail.headers import Headers
from mailrouter.mail.words import Defects


@dataclass(frozen=True, repr=False)
class Part:
    """One entity: its header, and where it and its body lie in the raw mail."""

    raw: bytes
    headers: Headers
    start: int  # of the entity, header included
    body_start: int
    end: int
    depth: int
    content_type: str  # lower case
    parameters: dict[str, str]
    within: tuple[str, ...]  # content types of the entities around it, outermost first
    siblings: int  # which alternative group it belongs to: the offset of the nearest multipart/alternative, or -1

    @property
    def entity(self) -> bytes:
        """Header and body exactly as they came."""
        return self.raw[self.start : self.end]

    @property
    def is_multipart(self) -> bool:
        """A multipart that really has a boundary; anything else is read as a leaf."""
        return self.content_type.startswith("multipart/") and bool(self.parameters.get("boundary"))

    @property
    def returned(self) -> bool:
        """It lies in what a report gives back."""
        return "multipart/report" in self.within

    @property
    def in_attached_mail(self) -> bool:
        """It lies inside a message/rfc822 part: of another mail, not of this one."""
        return "message/rfc822" in self.within or "message/global" in self.within

    @cached_property
    def disposition(self) -> tuple[str, dict[str, str]]:
        """Content-Disposition in lower case ('' where there is none) and its parameters."""
        text = words.undeclared(self.headers.first("content-disposition") or b"", [])
        return text.partition(";")[0].strip().lower(), parameters.parse(text, [])

    def content(self, defects: Defects) -> bytes:
        """The body with its transfer encoding undone, as far as that goes."""
        encoding = self.headers.text("content-transfer-encoding").strip(" \"'").partition(";")[0].lower()
        body = self.raw[self.body_start : self.end]
        match encoding:
            case "base64":
                return words.base64(body, defects)
            case "quoted-printable":
                return binascii.a2b_qp(body)
            case "" | "7bit" | "8bit" | "binary":
                return body
        defects.append("unknown-transfer-encoding")
        return body


def walk(raw: bytes, top: Headers, defects: Defects) -> tuple[Part, ...]:
    """Every entity in document order, containers included, attached mails walked as well; at most the limits."""
    found: list[Part] = []
    waiting = [_part(raw, top, 0, len(raw), None, defects)]
    while waiting:
        part = waiting.pop()
        if len(found) == limits.PARTS:
            defects.append(limits.OVER + "parts")
            break
        found.append(part)
        children = _children(part, defects)
        if children and part.depth == limits.DEPTH:
            defects.append(limits.OVER + "depth")
            continue
        waiting.extend(reversed(children))
    return tuple(found)


def _children(part: Part, defects: Defects) -> list[Part]:
    if part.is_multipart:
        slices = list(_slices(part, defects))
    elif part.content_type in ("message/rfc822", "message/global") and part.body_start < part.end:
        slices = [(part.body_start, part.end)]
    else:
        return []
    return [_part(part.raw, headers.split(part.raw, start, end), start, end, part, defects) for start, end in slices]


def _part(raw: bytes, top: Headers, start: int, end: int, parent: Part | None, defects: Defects) -> Part:
    default = "message/rfc822" if parent and parent.content_type == "multipart/digest" else "text/plain"
    if len(top.raw("content-type")) > 1:
        defects.append("many-content-type")
    content_type, given = parameters.content_type(top.first("content-type"), default, defects)
    if parent is not None:
        defects.extend(defect for defect in top.defects if defect.startswith(limits.OVER))
    within = (*parent.within, parent.content_type) if parent else ()
    group = -1 if parent is None else parent.siblings
    if parent is not None and parent.content_type == "multipart/alternative":
        group = parent.start
    depth = parent.depth + 1 if parent else 0
    return Part(raw, top, start, top.body_start, end, depth, content_type, given, within, group)


def _slices(part: Part, defects: Defects) -> Iterator[tuple[int, int]]:
    """Where the parts of a multipart lie. The line end before a delimiter belongs to the delimiter."""
    boundary = part.parameters["boundary"].rstrip()
    if len(boundary) > limits.BOUNDARY:
        defects.append(limits.OVER + "boundary")
    opened, count = -1, 0
    for line_start, line_end, closing in _delimiters(part, boundary):
        if opened >= 0:
            yield opened, max(opened, _before_line_end(part.raw, line_start))
        opened, count = (-1 if closing else line_end), count + 1
        if closing:
            return
        if count > limits.PARTS:
            return
    if opened >= 0:
        yield opened, part.end
    defects.append("unclosed-multipart" if count else "multipart-without-parts")


def _delimiters(part: Part, boundary: str) -> Iterator[tuple[int, int, bool]]:
    """Each delimiter line: where it starts, where the next line starts, whether it closes the multipart."""
    mark = re.escape(boundary.encode("utf-8", "surrogateescape"))
    line = re.compile(rb"\n--" + mark + rb"(--)?[ \t]*(?=\r?(?:\n|\Z))")  # a literal start keeps the search in C
    for match in line.finditer(part.raw, max(0, part.body_start - 1), part.end):
        newline = part.raw.find(b"\n", match.end(), part.end)
        yield match.start() + 1, part.end if newline < 0 else newline + 1, match[1] is not None


def _before_line_end(raw: bytes, position: int) -> int:
    if raw[position - 1 : position] == b"\n":
        position -= 1
    return position - 1 if raw[position - 1 : position] == b"\r" else position


ELSEWHERE = ("message/partial", "message/external-body")


def elsewhere(parts: Sequence[Part]) -> str:
    """The type of a part whose content is in other mails or on another machine (RFC 2046 section 5.2); '' when none is.

    Not of what is attached or given back: that is another mail's.
    """
    own = (part for part in parts if not part.in_attached_mail and not part.returned)
    return next((part.content_type for part in own if part.content_type in ELSEWHERE), "")
