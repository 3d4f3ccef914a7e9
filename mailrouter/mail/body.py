"""What of a mail is its text, and what is an attachment.

All inline text parts count, not only the first. Of a multipart/alternative the plain version is the text.
Everything else is an attachment, inline images and attached mails too; a text with a file name is both. What a sender
repeats of the protected headers for old mail programs is neither (RFC 9788).
Never raises for any bytes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import md5

from mailrouter.mail import flowed, legacy, limits, markup, parameters, words
from mailrouter.mail.mime import Part
from mailrouter.mail.words import Defects

Decoder = Callable[[bytes, str | None, Defects], str]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part not shown as text. `index` counts from 0 in document order; content: `Mail.attachment_bytes(index)`."""

    index: int
    name: str | None  # safe to show, never a path; None where the sender gave none
    content_type: str
    size: int  # bytes, transfer encoding undone
    md5: str  # hex; a name for the content, not a proof


@dataclass(frozen=True, slots=True)
class Body:
    """The readable side of a mail."""

    text: str
    html: str
    attachments: tuple[Attachment, ...]
    attached: tuple[Part, ...]  # the parts behind `attachments`, in the same order
    defects: tuple[str, ...]


def read(parts: Sequence[Part], *, guess: bool = False) -> Body:
    """Sort the leaves of a walked mail into text, HTML and attachments; `guess` at unnamed character sets."""
    defects: list[str] = []
    shown = [part for part in _leaves(parts) if _is_shown(part) and not legacy.is_header_copy(part, parts[0])]
    attached = attached_parts(parts)[: limits.ATTACHMENTS]
    sources = _sources(shown, parts[0], words.guessed if guess else words.decode, defects)
    plain_groups = {part.siblings for part in shown if not _is_html(part) and sources[id(part)].strip()} - {-1}
    pieces = [
        markup.text(sources[id(part)]) if _is_html(part) else sources[id(part)]
        for part in shown
        if not (_is_html(part) and part.siblings in plain_groups)
    ]
    text = "\n".join(piece.rstrip("\n") for piece in pieces if piece.strip())
    html = "\n".join(sources[id(part)] for part in shown if _is_html(part))
    described = tuple(_attachment(index, part, defects) for index, part in enumerate(attached))
    return Body(text, html, described, tuple(attached), tuple(defects))


def attached_parts(parts: Sequence[Part]) -> list[Part]:
    """The parts that are attachments, however many; nothing is decoded."""
    leaves = (part for part in _leaves(parts) if not _is_shown(part) or _is_named(part))
    return [part for part in leaves if not legacy.is_header_copy(part, parts[0])]


def _leaves(parts: Sequence[Part]) -> list[Part]:
    return [part for part in parts if not part.is_multipart and not part.in_attached_mail]


def _is_html(part: Part) -> bool:
    return part.content_type in ("text/html", "application/xhtml+xml")


def _is_shown(part: Part) -> bool:
    kind, _given = part.disposition
    if kind == "attachment":
        return False
    if part.content_type.startswith("multipart/"):  # without a boundary: there is nothing but text to show
        return True
    return part.content_type in _SHOWN


_SHOWN = frozenset({"text/plain", "text/html", "application/xhtml+xml"})


def _is_named(part: Part) -> bool:
    """An inline text with a file name of its own: shown like any text, and offered as the file it is."""
    named = part.disposition[1].get("filename") or part.parameters.get("name")
    return part.depth > 0 and part.siblings == -1 and bool(named)


def _sources(shown: Sequence[Part], top: Part, decode: Decoder, defects: Defects) -> dict[int, str]:
    """The decoded text of each shown part, by its identity; plain text and HTML have a budget each."""
    left = {True: limits.TEXT, False: limits.TEXT}
    found: dict[int, str] = {}
    for part in shown:
        budget = left[_is_html(part)]
        content = part.content(defects)
        if len(content) > budget:
            defects.append(limits.CUT + "text")
        text = words.paragraphs(decode(content[:budget], part.parameters.get("charset"), defects))
        source = _unflowed(text, part)
        found[id(part)] = legacy.without_copy(source, part, top)
        left[_is_html(part)] = max(0, budget - len(content))
    return found


def _unflowed(text: str, part: Part) -> str:
    if part.content_type == "text/plain" and part.parameters.get("format", "").strip().lower() == "flowed":
        return flowed.joined(text, delsp=part.parameters.get("delsp", "").strip().lower() == "yes")
    return text


def _attachment(index: int, part: Part, defects: Defects) -> Attachment:
    content = part.content(defects)
    name = parameters.file_name(part.disposition[1], part.parameters, defects)
    return Attachment(index, name, part.content_type, len(content), md5(content, usedforsecurity=False).hexdigest())
