"""Is a mail meant as a Vendor Statement, and what exactly is its text? (DOMAIN.md, Vendor Statement; seeds 004)

Meant: the subject we route by says "statement", or the text holds the marker lines. Quoted text is never part of a
statement and never binds it to a case.
"""

import re
from collections.abc import Callable, Iterator
from itertools import islice

from mailrouter.case import vuid
from mailrouter.mail import headers, legacy, limits, rawmime
from mailrouter.mail.rawmime import Entity

_WORD = re.compile(r"\bstatement\b", re.IGNORECASE)
_BEGIN = re.compile(
    rb"^[ \t]*==[ \t]*VENDOR STATEMENT(?:[ \t]+VU#([0-9]{3,7}))?[ \t]*==[ \t]*\r?\n", re.IGNORECASE | re.MULTILINE
)
_END = re.compile(rb"^[ \t]*==[ \t]*END[ \t]*==[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_QUOTED = re.compile(rb"^[ \t]*>.*(?:\r?\n|$)", re.MULTILINE)
_MAY_BE_MARKED = (b"VENDOR STATEMENT", b"BASE64", b"QUOTED-PRINTABLE")  # the lines, or an encoding that hides them


def meant(subject: str, raw: bytes, text: Callable[[], bytes]) -> bool:
    """Whether the sender means this mail as a statement. `text` is asked for only if `raw` may hold the markers."""
    return bool(_WORD.search(subject)) or (_may_be_marked(raw) and _marked(text()) is not None)


def _may_be_marked(raw: bytes) -> bool:
    words = raw.upper()  # a pattern that ignores case takes ten times as long, in every mail's transaction
    return any(word in words for word in _MAY_BE_MARKED)


def verbatim(text: bytes) -> bytes:
    """The statement's own text: between the marker lines if there are any, else all of it; without what is quoted."""
    marked = _marked(text)
    return _QUOTED.sub(b"", text if marked is None else marked)


def holds_quotes(text: bytes) -> bool:
    """Whether lines between the markers look quoted: `verbatim` leaves them out, and the sender may have meant them."""
    marked = _marked(text)
    return marked is not None and _QUOTED.search(marked) is not None


def binds(text: bytes, protected_subject: str, vu: int) -> bool:
    """Whether signed text, outside quotes, or the signed subject names this case and no other."""
    own_words = _QUOTED.sub(b"", text).decode("utf-8", "replace")
    named = {v.number for v in (*vuid.find(own_words), *vuid.find(protected_subject))}
    return named == {vu}


def _marked(text: bytes) -> bytes | None:
    begin = _BEGIN.search(text)
    if begin is None:
        return None
    end = _END.search(text, begin.end())
    return text[begin.end() : end.start()] if end else None


def text_of(entity: bytes) -> bytes:
    """The first inline text/plain part of a MIME entity, its transfer encoding undone and nothing else; b'' if none.

    Read strictly, as signatures are: what two readers could take differently has no text that could be a statement. A
    forwarded mail inside is somebody else's words: not looked into.
    """
    part = _text_part(entity)
    return part.decoded() if part else b""


def charset_of(entity: bytes) -> str:
    """What this part says its characters are; '' when it says nothing. May be any word."""
    part = _text_part(entity)
    return part.parameters.get("charset", "") if part else ""


def _text_part(entity: bytes) -> Entity | None:
    top = rawmime.parse(entity)
    parts = islice(_leaves(top, limits.DEPTH), limits.PARTS)
    return next((p for p in parts if p.kind == "text/plain" and not _attached(p) and not _header_copy(p, top)), None)


def _leaves(entity: Entity, depth: int) -> Iterator[Entity]:
    """Depth first, as they are read."""
    if not entity.kind.startswith("multipart/"):
        yield entity
    elif depth:
        for child in entity.parts().children:
            yield from _leaves(child, depth - 1)


def _header_copy(part: Entity, top: Entity) -> bool:
    """The old way of protecting headers repeats them in a part of its own, before the text (mail/legacy.py)."""
    marked = part.parameters.get("protected-headers") == top.parameters.get("protected-headers") == "v1"
    return marked and part is not top and legacy.only_headers(part.decoded())


def _attached(part: Entity) -> bool:
    return headers.split(part.head).text("content-disposition").lower().startswith("attachment")
