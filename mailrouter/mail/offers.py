"""The keys a mail brings along: in its Autocrypt header, attached, in its text. Finds them; says not whose they are.

A public key found here is a candidate at most, and used for nothing (testbook P57); a secret one makes the mail an
incident (P115). Mails without either cost one look at their bytes. What is too large to be a key is not looked at, and
of one mail no more than a few keys are taken. Never raises, whatever the bytes are.
"""

import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from mailrouter.mail import limits, parameters, words
from mailrouter.mail.mime import Part
from mailrouter.mail.parse import Mail

MOST = 4  # keys of one mail that are looked at
LARGEST = 400_000  # bytes of a part that could be a key: 256 kB, armored
LARGEST_TEXT = 1024 * 1024  # bytes of a text that is searched for blocks

AUTOCRYPT, ATTACHED, INLINE = "autocrypt", "attached", "inline"

_BEGIN, _END = b"-----BEGIN PGP PUBLIC KEY BLOCK-----", b"-----END PGP PUBLIC KEY BLOCK-----"
_KEY_FILES = (".asc", ".gpg", ".pgp", ".key", ".pub", ".rev", ".skr", ".sec")
# The first octet of a key: a packet of tag 6 (public) or 5 (secret), old format or new (RFC 9580 section 4.2).
_PUBLIC_OCTETS, _SECRET_OCTETS = frozenset(b"\x98\x99\x9a\x9b\xc6"), frozenset(b"\x94\x95\x96\x97\xc5")
# Quoted or not, and only with some of its content: who writes about such keys shows none.
_PRIVATE, _QUOTE = b"-----BEGIN PGP PRIVATE KEY BLOCK-----", rb"[>|: \t]{0,40}"
_SECRET = re.compile(
    _QUOTE + _PRIVATE + rb"[ \t]*\r?\n(?:[^\n]{0,200}\n){0,12}?" + _QUOTE + rb"[A-Za-z0-9+/=]{40,90}[ \t]*\r?$",
    re.MULTILINE,
)
_SHOWN_SECRET = re.compile(
    r"-----BEGIN PGP PRIVATE KEY BLOCK-----.*?(?:-----END PGP PRIVATE KEY BLOCK-----|\Z)", re.DOTALL
)


def _base64_marks(text: bytes) -> tuple[bytes, ...]:
    """How `text` looks in base64 at each of the three alignments, in lower case, without what its neighbours change."""
    return tuple(b64encode(bytes(shift) + text).rstrip(b"=")[3 if shift else 0 : -2].lower() for shift in range(3))


# What is worth looking for once a word is there, in lower case: one search each through a mail of 25 MB.
_MARKS = (
    (b"pgp", (b"pgp-keys", b"begin pgp p", b".pgp")),
    # A text in base64 has to be decoded first: its lines cut every mark in two.
    (b"base64", (b"text/", *_base64_marks(b"-----BEGIN PGP P"))),
    (b"name", tuple(suffix.encode() for suffix in _KEY_FILES if suffix not in (".asc", ".pgp"))),
)


@dataclass(frozen=True, slots=True, repr=False)
class Offer:
    """One key, or what looks like one, as it came: armored or binary."""

    source: str  # autocrypt | attached | inline
    data: bytes


@dataclass(frozen=True, slots=True)
class Found:
    """What one mail brings. `secret`: a secret key is in it."""

    offers: tuple[Offer, ...] = ()
    secret: bool = False


NOTHING = Found()


def possible(raw: bytes) -> bool:
    """Whether it is worth looking: False for nearly every mail that brings no key, True for every one that does."""
    lowered = raw.lower()
    if b"autocrypt:" in lowered[: limits.HEADER_BLOCK]:
        return True
    return any(word in lowered and any(mark in lowered for mark in marks) for word, marks in _MARKS)


def of_mail(mail: Mail, sender: str) -> Found:
    """The keys in a mail, or in a decrypted or signed entity. `sender`: the From address, which Autocrypt must name."""
    leaves = [part for part in mail.parts if not part.is_multipart and part.end - part.body_start <= 2 * LARGEST_TEXT]
    read = [(part, part.content([])) for part in leaves if _is_text(part) or _is_key_file(part)]
    own = ((part, content) for part, content in read if not part.in_attached_mail)
    offers = (*_autocrypt(mail, sender), *(offer for part, content in own for offer in _offered(part, content)))
    return Found(tuple(islice(offers, MOST)), any(_secret(part, content) for part, content in read))


def of_text(text: bytes) -> Found:
    """The keys in a text, such as what an encrypted block held."""
    return Found(tuple(islice(_blocks(text, INLINE), MOST)), _is_secret(text))


def redacted(text: str, instead: str) -> str:
    """A text for people, each secret key in it replaced."""
    return _SHOWN_SECRET.sub(lambda _: instead, text) if "PRIVATE KEY BLOCK" in text else text


# ---- parts ---------------------------------------------------------------------------------------------------------


def _is_text(part: Part) -> bool:
    return part.content_type.startswith("text/")


def _is_key_file(part: Part) -> bool:
    name = parameters.file_name(part.disposition[1], part.parameters, []) or ""
    return part.content_type == "application/pgp-keys" or name.lower().endswith(_KEY_FILES)


def _offered(part: Part, content: bytes) -> Iterator[Offer]:
    if not _is_key_file(part):
        yield from _blocks(content, ATTACHED if part.disposition[0] == "attachment" else INLINE)
    elif len(content) <= LARGEST and (_BEGIN in content or (content[:1] and content[0] in _PUBLIC_OCTETS)):
        yield Offer(ATTACHED, content)


def _secret(part: Part, content: bytes) -> bool:
    return _is_secret(content) or (_is_key_file(part) and content[:1] != b"" and content[0] in _SECRET_OCTETS)


def _is_secret(text: bytes) -> bool:
    return _PRIVATE in text and _SECRET.search(text[:LARGEST_TEXT]) is not None


def _blocks(text: bytes, source: str) -> Iterator[Offer]:
    """Every armored public key that begins and ends at the start of a line."""
    text, at = text[:LARGEST_TEXT], 0
    while (start := _line_of(text, _BEGIN, at)) >= 0:
        end = _line_of(text, _END, start)
        if end < 0:
            return
        at = end + len(_END)
        if at - start <= LARGEST:
            yield Offer(source, text[start:at] + b"\n")


def _line_of(text: bytes, line: bytes, at: int) -> int:
    """Where such a line begins, from `at` on; -1: nowhere."""
    if text.startswith(line, at) and (at == 0 or text[at - 1] == 0x0A):
        return at
    found = text.find(b"\n" + line, at)
    return found + 1 if found >= 0 else -1


# ---- Autocrypt -----------------------------------------------------------------------------------------------------


def _autocrypt(mail: Mail, sender: str) -> Iterator[Offer]:
    """The one valid header that names the From address (Autocrypt 1.1, section 2.1); two are none."""
    parsed = [_attributes(value) for value in mail.headers.raw("autocrypt")[:MOST]]
    valid = [found for found in parsed if found is not None and sender and found["addr"].lower() == sender.lower()]
    if len(valid) == 1:
        key = words.base64(valid[0]["keydata"].encode("ascii", "replace"), [])
        if key and len(key) <= LARGEST:
            yield Offer(AUTOCRYPT, key)


def _attributes(value: bytes) -> dict[str, str] | None:
    """Its attributes; None when one is missing, or one is there that must be understood and is not."""
    found: dict[str, str] = {}
    for piece in value.decode("ascii", "replace").split(";"):
        name, _, content = piece.partition("=")
        found[name.strip().lower()] = "".join(content.split())
    known = {"addr", "prefer-encrypt", "keydata", ""}
    critical = [name for name in found if not name.startswith("_") and name not in known]
    return found if not critical and found.get("addr") and found.get("keydata") else None
