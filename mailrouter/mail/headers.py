"""The header block of a mail or of a part: split, unfolded, counted; values stay bytes until somebody asks.

A line ends at LF, with or without CR before it; a lone CR is part of the value and starts no header (testbook S15).
Never raises for any bytes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_tz
from functools import cached_property

from mailrouter.mail import limits, words
from mailrouter.mail.words import Defects

_END = re.compile(rb"\n\r?\n")
_NAME = re.compile(rb"([!-9;-~]+)[ \t]*:")
_ID = re.compile(rf"<([^<>]{{1,{limits.MESSAGE_ID}}})>")


@dataclass(frozen=True, repr=False)
class Headers:
    """Fields in the order they came: lower-case names and raw values, line ends taken out."""

    fields: tuple[tuple[str, bytes], ...]
    body_start: int  # offset of the body in the bytes that were split
    defects: tuple[str, ...] = ()

    @cached_property
    def _by_name(self) -> dict[str, list[bytes]]:
        found: dict[str, list[bytes]] = {}
        for name, value in self.fields:
            found.setdefault(name, []).append(value)
        return found

    def raw(self, name: str) -> tuple[bytes, ...]:
        """Every value of that header, topmost first, as it came (unfolded)."""
        return tuple(self._by_name.get(name, ()))

    def first(self, name: str) -> bytes | None:
        """The topmost value of that header, or None where there is none."""
        values = self._by_name.get(name)
        return values[0] if values else None

    def text(self, name: str) -> str:
        """The topmost value decoded, in one line; '' where there is none. Its defects are of no interest."""
        value = self.first(name)
        return "" if value is None else words.header(value, [])

    def texts(self, name: str) -> tuple[str, ...]:
        """Every value of that header decoded, topmost first."""
        return tuple(words.header(value, []) for value in self._by_name.get(name, ()))


def split(raw: bytes, start: int = 0, end: int | None = None) -> Headers:
    """The header block that begins at `start`. Ends at the first empty line, or where a line is no header."""
    end = len(raw) if end is None else end
    defects: list[str] = []
    block, body_start = _block(raw, start, end, defects)
    fields: list[tuple[str, list[bytes]]] = []
    for offset, text in _lines(block):
        if text[:1] in (b" ", b"\t"):
            if fields:
                fields[-1][1].append(text)
            else:
                defects.append("first-line-is-folded")
        elif match := _NAME.match(text):
            if len(fields) == limits.HEADERS:
                defects.append(limits.OVER + "headers")
                break
            fields.append((match[1].decode("ascii").lower(), [text[match.end() :]]))
        elif offset == 0 and text.startswith((b"From ", b">From ")):
            defects.append("unix-from")
        else:
            defects.append("no-header-line")
            body_start = start + offset
            break
    return Headers(tuple((name, _unfold(name, parts, defects)) for name, parts in fields), body_start, tuple(defects))


def _block(raw: bytes, start: int, end: int, defects: Defects) -> tuple[bytes, int]:
    """The bytes of the block, at most the limit, and where the body starts."""
    if raw.startswith((b"\n", b"\r\n"), start, end):
        return b"", min(end, raw.index(b"\n", start) + 1)
    match = _END.search(raw, start, end)
    block_end, body_start = (match.start(), match.end()) if match else (end, end)
    if block_end - start > limits.HEADER_BLOCK:
        defects.append(limits.OVER + "header-block")
        block_end = start + limits.HEADER_BLOCK
    return raw[start:block_end], body_start


def _lines(block: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 0
    for text in block.split(b"\n") if block else ():
        yield offset, text.removesuffix(b"\r")
        offset += len(text) + 1


def _unfold(name: str, parts: list[bytes], defects: Defects) -> bytes:
    value = parts[0] if len(parts) == 1 else b"".join(parts)
    if len(value) > limits.HEADER:
        defects.append(limits.OVER + "header")
        value = value[: limits.HEADER]
    if b"\r" in value or b"\0" in value:
        defects.append(f"control-in:{name}" if name in _NAMED else "control-in-header")
    return value


_NAMED = frozenset({"from", "to", "cc", "subject", "reply-to", "sender", "message-id"})


def ids(value: str) -> tuple[str, ...]:
    """The message ids in a Message-ID, In-Reply-To or References value, without angle brackets."""
    return tuple(cleaned for found in _ID.findall(value) if (cleaned := "".join(found.split())))


def message_id(value: str) -> str | None:
    """One message id; a sender's id without angle brackets is taken as well. None if there is nothing usable."""
    found = ids(value)
    if found:
        return found[0]
    bare = value.strip(" <>")
    return bare if bare and len(bare) <= limits.MESSAGE_ID and " " not in bare else None


def date(value: str) -> datetime | None:
    """A Date header in UTC; None for garbage, year 99999, or an offset no clock on earth has (testbook S18)."""
    try:
        parsed = parsedate_tz(value[:100])
        if parsed is None:
            return None
        offset = parsed[9] or 0  # no zone given: UTC, as good a guess as any
        moment = datetime(*parsed[:6], tzinfo=UTC)
        return moment - timedelta(seconds=offset) if abs(offset) <= 86_400 else None
    except (ValueError, OverflowError, IndexError, TypeError):  # parsedate_tz trusts its input; each of these was seen
        return None
