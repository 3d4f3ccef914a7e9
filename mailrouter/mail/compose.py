"""A letter -> the bytes of a mail (RFC 5322, 2045-2047, 3156, 9788).

What this module promises: whatever the names, subjects and bodies hold, the result is one mail with exactly the headers
meant here and exactly one recipient; CRLF line ends, 7 bits (but for an address that needs RFC 6532), short lines; and
the entity that is signed survives every relay untouched, since nothing in it is a relay's to change. The same arguments
always give the same bytes: time, Message-ID and the seed of the boundaries are the caller's.
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import Header
from email.utils import format_datetime

from mailrouter.case import vuid
from mailrouter.mail import entity as mime
from mailrouter.mail.entity import Attachment
from mailrouter.mail.texts import block, one_line

AUTOMATIC = "auto-generated"  # RFC 3834 section 5: follow-ups and notices
ANSWERED = "auto-replied"  # acknowledgements; they go out with the null sender
_AUTO_SUBMITTED = frozenset({"", AUTOMATIC, ANSWERED})

_LONGEST_NAME = 100
_LONGEST_SUBJECT = 160
_MOST_REFERENCES = 20  # the first and the newest; RFC 5322 sets no limit, header sizes do


@dataclass(frozen=True, slots=True)
class Headers:
    """What stands outside of the letter. All text may be hostile, except that both addresses must be addresses."""

    sender_name: str
    sender: str  # the identity address
    to: str  # the one recipient
    subject: str  # made by `subject`
    date: datetime  # aware
    message_id: str  # with its angle brackets
    in_reply_to: str = ""
    references: tuple[str, ...] = ()  # oldest first; ids that are none are left out
    auto_submitted: str = ""  # '' for a letter that a person orders
    reply_to: str = ""  # '' : answers come to `sender`
    autocrypt: bytes = b""  # our public key, binary, for programs that learn keys from mail; b'' : none


# -- addresses, subjects, quotes --------------------------------------------------------------------------------------

_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u00a1-\u1fff\u2030-\u205f\u2070-\ud7ff\uf900-\ufefe\U00010000-\U0001fbff-]"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_LOCAL = re.compile(rf"{_ATEXT}+(?:\.{_ATEXT}+)*")
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*|\[(?:[0-9]{{1,3}}(?:\.[0-9]{{1,3}}){{3}}|IPv6:[0-9A-Fa-f:.]{{2,45}})\]")


def wire_address(address: str) -> str:
    """The address as it goes over the wire: the domain in ASCII (IDNA), the local part as it is.

    Taken: a dot-atom before the `@` (RFC 5321 section 4.1.2, with RFC 6531's letters), a host name or an address
    literal behind it. Raises ValueError, which does not repeat the address, for anything else.
    """
    local, at, domain = address.rpartition("@")
    try:
        ascii_domain = domain if domain.isascii() else domain.encode("idna").decode("ascii")
    except UnicodeError:
        ascii_domain = ""
    wire = f"{local}@{ascii_domain}"
    if not at or not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(ascii_domain):
        raise ValueError("not one mail address")
    if len(local.encode()) > 64 or len(wire.encode()) > 254:  # RFC 5321 section 4.5.3.1
        raise ValueError("mail address too long")
    return wire


def envelope_sender(ours: str, auto_submitted: str) -> str:
    """The reverse-path: bounces of our letters come back to us; an acknowledgement's must not (RFC 3834)."""
    return "" if auto_submitted == ANSWERED else ours


_THEIR_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/#:-]{0,39}")
_NEUTRAL = "Vulnerability coordination"


def subject(phrase: str, vu: str = "", their_ref: str = "") -> str:
    """`[VU#123456] [ACME-4411] phrase`. `vu` is `VU#123456` or ''.

    Answers repeat our subject and are routed by it: a phrase or a reference of theirs that holds a number, or the word
    that makes an answer a Vendor Statement, is not used.
    """
    words = one_line(phrase, _LONGEST_SUBJECT)
    shown = _NEUTRAL if _misleads(words) or not words else words
    taken = their_ref and not unfit(their_ref)
    return " ".join([*(f"[{tag}]" for tag in (vu, their_ref if taken else "") if tag), shown])


def unfit(their_ref: str) -> str:
    """Why this reference of theirs cannot stand in our subjects to them; '' when it can."""
    if not _THEIR_REF.fullmatch(their_ref):
        return "it may have 40 letters, digits and . _ / # : - and begins with a letter or a digit"
    if vuid.find(their_ref) or vuid.find_vrf(their_ref) or vuid.hints_only(their_ref):
        return "it reads like a number of ours, and answers that repeat it would be routed by that"
    if "statement" in their_ref.casefold():
        return "it says 'statement', and answers that repeat it would be taken for Vendor Statements"
    return ""


def with_title(subject: str, title: str) -> str:
    """A subject that nobody reads on its way: the case's title behind it, unless that would mislead answers."""
    words = one_line(title, _LONGEST_SUBJECT)
    return f"{subject}: {words}" if words and not _misleads(words) else subject


def _misleads(words: str) -> bool:
    return bool(vuid.find(words) or vuid.find_vrf(words)) or "statement" in words.casefold()


def quote(text: str, who: str, when: datetime, most: int = 200) -> str:
    """The text as a reply quotes it, the first `most` lines of it; '' for nothing."""
    lines = block(text).split("\n") if block(text) else []
    quoted = [f">{line}" if line.startswith(">") else f"> {line}".rstrip() for line in lines[:most]]
    if len(lines) > most:
        quoted.append(f"> [… {len(lines) - most} more lines]")
    head = f"On {when.astimezone(UTC):%Y-%m-%d %H:%M} UTC, {one_line(who, _LONGEST_NAME)} wrote:"
    return "\n".join([head, "", *quoted]) if quoted else ""


# -- the inner entity -------------------------------------------------------------------------------------------------


def entity(
    text: str,
    attachments: Sequence[Attachment] = (),
    seed: str = "",
    *,
    protect: Headers | None = None,
    outer: Headers | None = None,
) -> bytes:
    """The MIME entity of a letter, ready to be signed or encrypted as it is.

    `protect`: headers repeated inside, under the signature (RFC 9788 `hp="clear"`). With `outer` too, the entity is to
    be encrypted: `protect` is what the reader is shown, `outer` what stands outside in clear (`hp="cipher"`).
    `seed`: random text of which the boundary is made; needed only with attachments.
    """
    shown, parameter = _protection(protect, outer)
    body = block(text)
    if not attachments:
        return mime.text(body, shown, parameter)
    return mime.mixed([mime.text(body), *map(mime.file, attachments)], seed, shown, parameter)


# Thunderbird takes the subject from inside only with this mark, of the draft before RFC 9788.
_OLDER_READERS = ';\r\n protected-headers="v1"'


def _protection(protect: Headers | None, outer: Headers | None) -> tuple[list[str], str]:
    if protect is None:
        return [], ""
    if outer is None:
        return _fields(protect), f'; hp="clear"{_OLDER_READERS}'
    return [*_fields(protect), *(f"HP-Outer: {line}" for line in _fields(outer))], f'; hp="cipher"{_OLDER_READERS}'


# -- the whole mail ---------------------------------------------------------------------------------------------------


def message(headers: Headers, text: str, attachments: Sequence[Attachment] = (), seed: str = "") -> bytes:
    """A mail that is neither signed nor encrypted."""
    return plain(headers, entity(text, attachments, seed))


def plain(headers: Headers, inner: bytes) -> bytes:
    """The entity as it is, under the headers."""
    return mime.head([*_fields(headers), *_autocrypt(headers), "MIME-Version: 1.0"]) + inner


_ARMOR = re.compile(r"-----BEGIN PGP (SIGNATURE|MESSAGE)-----\n(?:[ -~]*\n)+-----END PGP \1-----\n")


def signed(headers: Headers, inner: bytes, signature: str, micalg: str, seed: str) -> bytes:
    """multipart/signed (RFC 3156 section 5). `signature`: detached and armored, made over exactly the bytes `inner`.

    `micalg`: `pgp-sha512` and the like, from the hash that gpg says it used. Raises ValueError for what is none.
    """
    if not re.fullmatch(r"pgp-[a-z0-9]+", micalg):
        raise ValueError("not a micalg of RFC 3156")
    fields = [
        'Content-Type: application/pgp-signature; name="signature.asc"',
        "Content-Description: OpenPGP digital signature",
    ]
    proof = mime.head(fields) + b"\r\n" + _armor(signature, "SIGNATURE")
    kind = f'signed;\r\n micalg={micalg};\r\n protocol="application/pgp-signature"'
    return _secured(headers, kind, [inner, proof], seed)


def _secured(headers: Headers, kind: str, parts: Sequence[bytes], seed: str) -> bytes:
    limit = mime.boundary(seed, "secured", parts)
    content_type = f'Content-Type: multipart/{kind};\r\n boundary="{limit}"'
    fields = [*_fields(headers), *_autocrypt(headers), "MIME-Version: 1.0", content_type]
    return mime.head(fields) + b"\r\n" + mime.multipart(limit, parts)


def encrypted(headers: Headers, ciphertext: str, seed: str) -> bytes:
    """multipart/encrypted (RFC 3156 section 4); `ciphertext` may be signed inside as well (section 6.2)."""
    version = mime.head(["Content-Type: application/pgp-encrypted"]) + b"\r\nVersion: 1\r\n"
    fields = [
        'Content-Type: application/octet-stream; name="encrypted.asc"',
        'Content-Disposition: inline; filename="encrypted.asc"',
    ]
    content = mime.head(fields) + b"\r\n" + _armor(ciphertext, "MESSAGE")
    return _secured(headers, 'encrypted;\r\n protocol="application/pgp-encrypted"', [version, content], seed)


def _armor(text: str, kind: str) -> bytes:
    lines = text.replace("\r\n", "\n").strip("\n") + "\n"
    found = _ARMOR.fullmatch(lines)
    if not found or found[1] != kind:
        raise ValueError(f"not an armored PGP {kind}")
    return lines.replace("\n", "\r\n").encode("ascii")


# -- headers ----------------------------------------------------------------------------------------------------------

_ID = re.compile(r"<[!-;=?-~]{1,250}>")  # RFC 5322 section 3.6.4, loosely: what others wrote is repeated as it is


def _fields(headers: Headers) -> list[str]:
    """The header lines, folded, without line ends. Raises ValueError for an address, id or date that is none."""
    if headers.auto_submitted not in _AUTO_SUBMITTED:
        raise ValueError("no such Auto-Submitted")
    if not _ID.fullmatch(headers.message_id) or headers.date.tzinfo is None:
        raise ValueError("a Message-ID in angle brackets and an aware date are needed")
    fields = {
        "From": _mailbox(headers.sender_name, wire_address(headers.sender)),
        "Reply-To": wire_address(headers.reply_to) if headers.reply_to else "",
        "To": wire_address(headers.to),
        "Subject": _unstructured("Subject", one_line(headers.subject)),
        "Date": format_datetime(headers.date.astimezone(UTC)),
        "Message-ID": headers.message_id,
        "In-Reply-To": headers.in_reply_to if _ID.fullmatch(headers.in_reply_to) else "",
        "References": "\r\n ".join(_thread(headers)),
        "Auto-Submitted": headers.auto_submitted,
        # RFC 3834's header is not enough for Exchange; bounces are still wanted
        "X-Auto-Response-Suppress": "OOF, AutoReply" if headers.auto_submitted else "",
    }
    return [f"{name}: {value}" for name, value in fields.items() if value]


LARGEST_AUTOCRYPT = 10 * 1024  # bytes of the whole field (Autocrypt level 1, "The Autocrypt Header")
_BASE64_LINE = 72


def _autocrypt(headers: Headers) -> list[str]:
    """The field, folded; none for a key that makes it too large. Outside only: readers look for it nowhere else.

    `prefer-encrypt=mutual`: a program whose user prefers encryption too then encrypts answers by itself.
    """
    data = base64.b64encode(headers.autocrypt).decode("ascii")
    lines = [data[at : at + _BASE64_LINE] for at in range(0, len(data), _BASE64_LINE)]
    start = f"Autocrypt: addr={wire_address(headers.sender)};\r\n prefer-encrypt=mutual; keydata="
    field = "\r\n ".join([start, *lines])
    return [field] if lines and len(field) <= LARGEST_AUTOCRYPT else []


def _thread(headers: Headers) -> list[str]:
    ids = [one for one in headers.references if _ID.fullmatch(one)]
    return ids if len(ids) <= _MOST_REFERENCES else [ids[0], *ids[1 - _MOST_REFERENCES :]]


def _mailbox(name: str, address: str) -> str:
    clean = one_line(name, _LONGEST_NAME)
    if not clean:
        return address
    if clean.isascii() and "=?" not in clean:
        escaped = clean.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"\r\n <{address}>'
    return f"{_encoded('From', clean)}\r\n <{address}>"


_TAGS = re.compile(r"(?:\[[!-Z^-~]{1,50}\] )*")


def _unstructured(name: str, value: str) -> str:
    """Plain ASCII stays readable, folded at blanks; the rest becomes encoded words, but for the tags in front."""
    if value.isascii() and "=?" not in value:
        return Header(value, "us-ascii", maxlinelen=76, header_name=name).encode(linesep="\r\n")
    tags = _TAGS.match(value)
    front = tags[0] if tags and "=?" not in tags[0] else ""
    return front + _encoded(name + front, value[len(front) :])


def _encoded(name: str, value: str) -> str:
    """RFC 2047 section 2: words of at most 75 characters, on lines of at most 76."""
    return Header(value, "utf-8", maxlinelen=75, header_name=name).encode(linesep="\r\n")
