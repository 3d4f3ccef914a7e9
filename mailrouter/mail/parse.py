"""Bytes to a `Mail`. Lists what is wrong with a mail, never raises for any bytes.

Routing needs headers only, so they are read at once and everything of the body is read when it is first asked for.
The raw bytes stay the truth; nothing here writes a mail back.

Defects are short stable codes: `over-limit:<what>` (a person decides about the mail), `cut:<header>` (only that field
is long), and names such as `unknown-charset`, `bad-base64`, `no-from`, `many-from`, `bad-date`, `unclosed-multipart`.
"""

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from mailrouter.mail import addresses, body, headers, limits, mime, words
from mailrouter.mail.addresses import Address
from mailrouter.mail.body import Attachment, Body
from mailrouter.mail.headers import Headers
from mailrouter.mail.mime import Part
from mailrouter.mail.words import Defects

__all__ = ["Address", "Attachment", "Mail", "mail"]

_ONCE = ("from", "subject", "date", "message-id", "to", "cc", "reply-to", "sender", "in-reply-to", "references")


@dataclass(frozen=True, repr=False)
class Mail:
    """One mail, read. Text is clean Unicode in one line per header: no surrogate, NUL, line break or other control."""

    raw: bytes  # what came; looked at up to 25 MiB
    headers: Headers = field(compare=False)
    subject: str  # '' where there is none
    sender: tuple[Address, ...]  # of the topmost From header, lenient; decisions rest on authenticate.sender
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    message_id: str | None  # ids are without angle brackets
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]  # oldest first, the newest 100
    date: datetime | None  # UTC; None: missing or garbage, use the time of receipt
    header_defects: tuple[str, ...]
    to_show: bool = False  # a person reads it: text without a named character set is guessed at

    def __repr__(self) -> str:
        """Nothing of the mail: this may end in a log."""
        return f"<Mail of {len(self.raw)} bytes>"

    def values(self, name: str) -> tuple[str, ...]:
        """Every value of that header (any case), decoded, topmost first."""
        return self.headers.texts(name.lower())

    @cached_property
    def _walked(self) -> tuple[tuple[Part, ...], tuple[str, ...]]:
        defects: list[str] = []
        parts = mime.walk(self.raw[: limits.MESSAGE], self.headers, defects)
        if len(body.attached_parts(parts)) > limits.ATTACHMENTS:
            defects.append(limits.OVER + "attachments")
        return parts, tuple(defects)

    @property
    def parts(self) -> tuple[Part, ...]:
        """Every entity in document order, the mail itself first."""
        return self._walked[0]

    @cached_property
    def _body(self) -> Body:
        return body.read(self.parts, guess=self.to_show)

    @property
    def text(self) -> str:
        """All inline text, lines ending in LF; of HTML-only mail what a reader would see."""
        return self._body.text

    @property
    def html(self) -> str:
        """The HTML as it came, decoded and otherwise untouched. Never to be shown as HTML."""
        return self._body.html

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """Every leaf that is not shown as text."""
        return self._body.attachments

    def attachment_bytes(self, index: int) -> bytes:
        """The content of `attachments[index]`, its transfer encoding undone. IndexError for another index."""
        return self._body.attached[index].content([])

    @cached_property
    def beyond_limits(self) -> bool:
        """The mail is beyond a limit: a person decides about it (quarantine). Reads the structure, decodes no body."""
        return any(defect.startswith(limits.OVER) for defect in self.header_defects + self._walked[1])

    @cached_property
    def defects(self) -> tuple[str, ...]:
        """Everything found wrong, each code once. Reads and decodes the whole mail."""
        return tuple(dict.fromkeys(self.header_defects + self._walked[1] + self._body.defects))


def mail(raw: bytes, *, to_show: bool = False) -> Mail:
    """Read the headers of a mail (RFC 5322), whatever the bytes are; the body follows when it is asked for.

    `to_show`: for a person to read, which may take more memory (`guess`); what is decided never rests on it.
    """
    seen = raw if len(raw) <= limits.MESSAGE else raw[: limits.MESSAGE]
    top = headers.split(seen)
    defects = [limits.OVER + "message"] if seen is not raw else []
    defects += top.defects
    defects += [f"many-{name}" for name in _ONCE if len(top.raw(name)) > 1]
    if len(top.raw("received")) > limits.RECEIVED:
        defects.append(limits.OVER + "received")
    return Mail(
        raw=raw,
        headers=top,
        subject=words.header(top.first("subject") or b"", defects),
        sender=_addresses(top, "from", defects),
        to=_addresses(top, "to", defects),
        cc=_addresses(top, "cc", defects),
        message_id=_message_id(top, defects),
        in_reply_to=headers.ids(top.text("in-reply-to")),
        references=headers.ids(" ".join(top.texts("references")))[-limits.REFERENCES :],
        date=_date(top, defects),
        header_defects=tuple(dict.fromkeys(defects)),  # after the readers above, which add to it
        to_show=to_show,
    )


def _addresses(top: Headers, name: str, defects: Defects) -> tuple[Address, ...]:
    found: list[Address] = []
    for value in top.raw(name)[: 1 if name == "from" else None]:
        if len(value) > limits.ADDRESS_HEADER:
            defects.append(limits.CUT + name)
        found += addresses.parse(value[: limits.ADDRESS_HEADER], defects)
    if name == "from" and not found:
        defects.append("no-from")
    return tuple(found)


def _message_id(top: Headers, defects: Defects) -> str | None:
    found = headers.message_id(top.text("message-id"))
    if found is None:
        defects.append("no-message-id")
    return found


def _date(top: Headers, defects: Defects) -> datetime | None:
    value = top.text("date")
    found = headers.date(value)
    if found is None:
        defects.append("bad-date" if value else "no-date")
    return found
