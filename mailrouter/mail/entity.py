"""The MIME entities of our letters (RFC 2045-2047, 2231): parts and multiparts as bytes that no relay needs to change.

What this module promises: 7 bits, CRLF line ends, lines of at most 76 characters in a body, nothing at a line's start
or end that software on the way is known to rewrite. So a signature made over an entity still holds when it arrives
(RFC 3156 section 3).
"""

import re
from base64 import encodebytes
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from quopri import encodestring

from mailrouter.mail.texts import one_line

_LONGEST_FILENAME = 100


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes along. `media_type` is what it is declared as; anything odd becomes a plain stream of bytes."""

    name: str
    content: bytes
    media_type: str = "application/octet-stream"


def head(lines: Sequence[str]) -> bytes:
    """Header lines, folded but without line ends, as bytes."""
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8")


def text(body: str, fields: Sequence[str] = (), parameter: str = "") -> bytes:
    """A text/plain part of `body` (LF line ends), ending in one CRLF; `fields` stand before its MIME headers."""
    encoding, content = _transfer(body)
    mime = [f"Content-Type: text/plain; charset=utf-8{parameter}", f"Content-Transfer-Encoding: {encoding}"]
    return head([*fields, *mime]) + b"\r\n" + content


# 8 bits; blanks at a line's end; `From ` (mailbox files), dots (SMTP) and dashes (boundaries) at its start; long lines
_CHANGEABLE = re.compile(r"[^\t\n -~]|[ \t]$|^From |^\.|^--|^[^\n]{77}", re.MULTILINE)
_AT_START = re.compile(rb"From |\.|--")


def _transfer(body: str) -> tuple[str, bytes]:
    """Transfer encoding and encoded body: quoted-printable as soon as something on the way might change a line."""
    if not _CHANGEABLE.search(body):
        return "7bit", body.encode("ascii").replace(b"\n", b"\r\n") + b"\r\n"
    lines = encodestring(body.encode("utf-8"), quotetabs=False).split(b"\n")
    return "quoted-printable", b"\r\n".join(map(_disguised, lines)) + b"\r\n"


def _disguised(line: bytes) -> bytes:
    """The encoded line with its first character as an octet if it would be rewritten; never over 76 characters."""
    if not _AT_START.match(line):
        return line
    octet = b"=%02X" % line[0]
    return octet + line[1:] if len(line) <= 74 else octet + b"=\r\n" + _disguised(line[1:])


_MEDIA_TYPE = re.compile(r"(?:application|audio|font|image|model|text|video)/[A-Za-z0-9][A-Za-z0-9.+-]{0,80}")


def file(attachment: Attachment) -> bytes:
    """A part that carries a file, in base64 whatever it is."""
    declared = _MEDIA_TYPE.fullmatch(attachment.media_type)
    fields = [
        f"Content-Type: {declared[0] if declared else 'application/octet-stream'}",
        "Content-Transfer-Encoding: base64",
        f"Content-Disposition: attachment;\r\n {_filename(attachment.name)}",
    ]
    return head(fields) + b"\r\n" + (encodebytes(attachment.content).replace(b"\n", b"\r\n") or b"\r\n")


def _filename(name: str) -> str:
    """The parameter: the last piece of the path, no control character, no hidden file; RFC 2231 unless plain ASCII."""
    clean = one_line(re.split(r"[/\\]", name)[-1], _LONGEST_FILENAME).strip(". ") or "attachment"
    if re.fullmatch(r"[A-Za-z0-9._ ()+-]+", clean):
        return f'filename="{clean}"'
    octets = [chr(o) if re.match(rb"[A-Za-z0-9._-]", bytes([o])) else f"%{o:02X}" for o in clean.encode("utf-8")]
    pieces = ["".join(octets[start : start + 20]) for start in range(0, len(octets), 20)]
    pieces[0] = "utf-8''" + pieces[0]
    return ";\r\n ".join(f"filename*{number}*={piece}" for number, piece in enumerate(pieces))


def boundary(seed: str, role: str, parts: Sequence[bytes]) -> str:
    """A boundary made of `seed` that occurs in none of the parts."""
    count = 0
    while True:
        digest = sha256(f"{seed}\n{role}\n{count}".encode("utf-8", "surrogateescape")).hexdigest()
        limit = f"=_{digest[:40]}"  # "=_" is never part of quoted-printable or base64 text (RFC 2045 section 6.7)
        if not any(limit.encode("ascii") in part for part in parts):
            return limit
        count += 1


def multipart(limit: str, parts: Sequence[bytes]) -> bytes:
    """The body of a multipart. The CRLF before a boundary belongs to the boundary (RFC 2046 section 5.1.1)."""
    line = b"--" + limit.encode("ascii")
    return b"".join(line + b"\r\n" + part + b"\r\n" for part in parts) + line + b"--\r\n"


def mixed(parts: Sequence[bytes], seed: str, fields: Sequence[str] = (), parameter: str = "") -> bytes:
    """A multipart/mixed entity of these parts."""
    limit = boundary(seed, "mixed", parts)
    kind = f'Content-Type: multipart/mixed;\r\n boundary="{limit}"{parameter}'
    return head([*fields, kind]) + b"\r\n" + multipart(limit, parts)
