"""The shapes OpenPGP takes in mail, and the type of what opening them gave. Finds parts; holds no key.

Signatures are verified over the raw slice between the boundaries (RFC 3156 section 5), never over a re-serialised part;
so this module reads raw bytes with a grammar of its own (`rawmime.py`), stricter than the readers people use: what
two readers could understand differently is never called signed (testbook P44, P46).
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from mailrouter.mail import rawmime
from mailrouter.mail.rawmime import Entity

MAX_DEPTH = 8  # multiparts inside multiparts we look into; deeper ones are left as they are
MAX_SEALS = 2  # finding a second one already decides: more than one is invalid
REMEMBERED = 32  # mails of which `sealed` remembers what it found; as many as are received together
REMEMBERED_SIZE = 65_536  # bytes; larger ones are not remembered
MAX_LINE = 998  # RFC 5322 section 2.1.1; gpg silently cuts longer cleartext lines (P86)


class Verdict(StrEnum):
    """What GnuPG proved about the signature, with the keys we gave it (CONTRACT.md)."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN_KEY = "unknown-key"
    EXPIRED_KEY = "expired-key"
    REVOKED_KEY = "revoked-key"
    EXPIRED_SIGNATURE = "expired-signature"
    UNSUPPORTED = "unsupported"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Opened:
    """A mail after decryption and verification.

    `content` is what is to be read instead of the raw mail: the decrypted or signed MIME entity, or the text that gpg
    said was signed; None when nothing was opened and the raw mail itself is to be read. With `decrypted` `partial` the
    mail also has plain parts of its own, which are to be shown apart (P105).
    """

    verdict: Verdict = Verdict.NONE
    reason: str = ""  # plain words for people, why it is not good or was not decrypted; '' when there is nothing to say
    covers: str = "none"  # all | part | none, of what is shown
    fingerprint: str = ""  # primary key, 40 upper-case hex digits, proved by VALIDSIG; '' otherwise
    certificate: str = ""  # SHA-256 of the very key, as it was given to gpg, that `fingerprint` was proved with
    gpg: str = ""  # the version of GnuPG that said so; '' when it was not asked, or nothing came of it
    issuer: str = ""  # key id or fingerprint the signature names; proves nothing
    signed_at: datetime | None = None  # UTC, as the signature says
    stale: bool = False  # signed more than 30 days before it was opened (P72)
    signature_id: str = ""  # gpg's SIG_ID, for replay detection
    form: str = "none"  # mime | cleartext | message | none: how it was signed
    signed_bytes: bytes = b""  # mime: the raw slice with CRLF; cleartext: the armored block; message: what it held
    signature: bytes = b""  # mime: the armored detached signature; else b''
    encrypted: bool = False
    decrypted: str = "none"  # ok | none | fail | partial
    content: bytes | None = None
    content_is_entity: bool = False  # True: headers, blank line, body; False: plain text
    charset: str = "utf-8"  # of `content` when it is plain text, as the mail said; may be any word
    protected_subject: str | None = None  # RFC 9788 and its older forms; None where there is none
    protected_headers: tuple[tuple[str, str], ...] = ()  # the header fields inside the protected part, in order


class Shape(StrEnum):
    """How a mail, or one part of it, uses OpenPGP."""

    SIGNED = "signed"  # multipart/signed: `data` with CRLF, and the armored `signature` over it
    ENCRYPTED = "encrypted"  # multipart/encrypted: `data` is an OpenPGP message that holds a MIME entity
    CLEARTEXT = "cleartext"  # text that is one armored cleartext-signed block: `data`; its armor alone: `signature`
    MESSAGE = "message"  # text that is one armored OpenPGP message, encrypted or signed: `data`
    INVALID = "invalid"  # meant as one of these, but not acceptable: `reason`


@dataclass(frozen=True, slots=True)
class Sealed:
    """What has to be opened. `whole`: it is all that the mail shows; otherwise something else is shown beside it."""

    shape: Shape
    whole: bool
    data: bytes = b""
    signature: bytes = b""
    charset: str = "utf-8"
    encrypted: bool = False
    reason: str = ""


_MARKS = (b"multipart/signed", b"multipart/encrypted", b"pgp")
# base64 of '-----BEGIN PGP ' at each of the three alignments, without the characters that neighbours change
_BASE64_MARKS = (b"LS0tLS1CRUdJTiBQR1", b"0tLS0tQkVHSU4gUEdQ", b"LS0tLUJFR0lOIFBHU")
_BEGIN = re.compile(rb"^-----BEGIN PGP (SIGNED MESSAGE|MESSAGE)-----[ \t]*\r?$", re.MULTILINE)
_SIGNATURE = re.compile(rb"^-----BEGIN PGP SIGNATURE-----[ \t]*\r?$", re.MULTILINE)
_END = {
    b"SIGNED MESSAGE": re.compile(rb"^-----END PGP SIGNATURE-----[ \t]*\r?(?:\n|\Z)", re.MULTILINE),
    b"MESSAGE": re.compile(rb"^-----END PGP MESSAGE-----[ \t]*\r?(?:\n|\Z)", re.MULTILINE),
}
_ARMOR = re.compile(rb".*\n((?:[^\r\n]*[^\s][^\r\n]*\r?\n)*)[ \t]*\r?\n")
# One of RFC 9580 section 9.5 a line: by another name, or in a list, some readers find no hash, and gpg finds its own.
_HASH = re.compile(rb"(?:Hash: (?:MD5|SHA1|RIPEMD160|SHA224|SHA256|SHA384|SHA512|SHA3-256|SHA3-512)[ \t]*\r?\n)*")
_CONTROL = re.compile(rb"[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f]|\r(?!\n)")
_LONG_LINE = re.compile(rb"[^\r\n]{%d}" % (MAX_LINE + 1))
_LOOSE_DASH = re.compile(rb"^-(?! )", re.MULTILINE)
# What mail programs write for readers without MIME; anything else before the first part could be meant to be read.
_PREAMBLE = re.compile(rb"\s*(?:This is an? [\w/ -]{0,40}(?:message|format)[\w/ .,()-]{0,60}\s*)?", re.ASCII)


def sealed(raw: bytes) -> Sealed | None:
    """What of this mail is signed or encrypted with OpenPGP; None when nothing is.

    `raw` is a whole mail or one MIME entity with its headers. Never raises, whatever the bytes are (P44, P46). Small
    mails just looked at are remembered: each is asked about two or three times on its way.
    """
    return _remembered(raw) if len(raw) <= REMEMBERED_SIZE else _sealed(raw)


@lru_cache(maxsize=REMEMBERED)
def _remembered(raw: bytes) -> Sealed | None:
    return _sealed(raw)


def _sealed(raw: bytes) -> Sealed | None:
    lowered = raw.lower()
    if not any(mark in lowered for mark in _MARKS) and not any(mark in raw for mark in _BASE64_MARKS):
        return None
    root = rawmime.parse(raw)
    whole = _seal(root, whole=True)
    if whole is not None:
        return whole
    found = list(itertools.islice(_inside(root, MAX_DEPTH), MAX_SEALS))
    if len(found) > 1:
        return _invalid("more than one signed or encrypted part", encrypted=any(seal.encrypted for seal in found))
    return found[0] if found else None


def sealed_text(text: bytes) -> Sealed | None:
    """The same for plain text without headers, such as what an encrypted block held."""
    return _block(text, whole=True, charset="utf-8")


def crlf(data: bytes) -> bytes:
    """`data` with every line ending made CRLF: the form a signature is made over (RFC 3156 section 5; P06)."""
    return data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _invalid(reason: str, *, whole: bool = False, encrypted: bool = False) -> Sealed:
    return Sealed(Shape.INVALID, whole, encrypted=encrypted, reason=reason)


def _inside(part: Entity, depth: int, *, attached: bool = False) -> Iterator[Sealed]:
    """Every seal below `part`, which is none itself.

    What a bounce returns is no part of the mail; what was encrypted in an attached mail was not sent to us (P106).
    """
    if depth == 0 or part.kind == "multipart/report":
        return
    children = part.parts().children
    if part.kind == "message/rfc822":
        attached, children = True, (rawmime.parse(part.decoded()),)
    if not attached:
        yield from _mixed_up(children)
    for child in children:
        seal = _seal(child, whole=False)
        if seal is None:
            yield from _inside(child, depth - 1, attached=attached)
        elif not (attached and seal.encrypted):
            yield seal


def _mixed_up(children: tuple[Entity, ...]) -> Iterator[Sealed]:
    """multipart/encrypted whose own type a gateway replaced: its two parts, as they were, among others."""
    for first, second in itertools.pairwise(children):
        if first.kind == "application/pgp-encrypted" and second.kind == "application/octet-stream":
            yield Sealed(Shape.ENCRYPTED, whole=False, data=second.decoded(), encrypted=True)


def _seal(part: Entity, *, whole: bool) -> Sealed | None:
    """The seal that `part` itself is, if it is one."""
    if part.malformed:
        claimed = part.claims(b"multipart/signed", b"multipart/encrypted") or _BEGIN.search(part.body) is not None
        encrypted = part.claims(b"multipart/encrypted")
        return _invalid(f"malformed MIME: {part.malformed}", whole=whole, encrypted=encrypted) if claimed else None
    if part.kind == "multipart/signed":
        return _signed(part, whole=whole)
    if part.kind == "multipart/encrypted":
        return _encrypted(part, whole=whole)
    if part.kind == "text/plain":
        return _block(part.decoded(), whole=whole, charset=part.parameters.get("charset", "utf-8"))
    return None


def _signed(part: Entity, *, whole: bool) -> Sealed | None:
    """RFC 3156 section 5: exactly two parts, the second an armored signature. S/MIME is not ours to judge: None."""
    protocol = part.parameters.get("protocol", "").lower()
    if protocol in {"application/pkcs7-signature", "application/x-pkcs7-signature"}:
        return None
    split = part.parts()
    if protocol != "application/pgp-signature":
        return _invalid("multipart/signed without the OpenPGP protocol", whole=whole)
    if len(split.children) != 2 or not split.closed:
        return _invalid("multipart/signed does not have exactly two parts", whole=whole)
    signature = split.children[1]
    if signature.malformed or signature.kind != "application/pgp-signature":
        return _invalid("multipart/signed without an OpenPGP signature", whole=whole)
    alone = _PREAMBLE.fullmatch(split.preamble) is not None and not split.epilogue.strip()
    return Sealed(Shape.SIGNED, whole and alone, crlf(split.children[0].raw), signature.decoded())


def _encrypted(part: Entity, *, whole: bool) -> Sealed:
    """RFC 3156 section 4: a version part, then the message."""
    split = part.parts()
    kinds = [child.kind for child in split.children]
    if kinds != ["application/pgp-encrypted", "application/octet-stream"]:
        return _invalid("multipart/encrypted without its two parts", whole=whole, encrypted=True)
    alone = _PREAMBLE.fullmatch(split.preamble) is not None and not split.epilogue.strip()
    return Sealed(Shape.ENCRYPTED, whole and alone, split.children[1].decoded(), encrypted=True)


def _block(text: bytes, *, whole: bool, charset: str) -> Sealed | None:
    """The one armored block of a text; text around it makes it a part; a second one makes both invalid (P28, P87)."""
    begins = list(itertools.islice(_BEGIN.finditer(text), MAX_SEALS))
    if not begins:
        return None
    encrypted = any(begin[1] == b"MESSAGE" for begin in begins)
    if len(begins) > 1:
        return _invalid("more than one OpenPGP block", whole=whole, encrypted=encrypted)
    start = begins[0].start()
    end = _END[begins[0][1]].search(text, start)
    if end is None:
        return _invalid("an OpenPGP block without its end", whole=whole, encrypted=encrypted)
    alone = not text[:start].strip() and not text[end.end() :].strip()
    block = text[start : end.end()]
    if encrypted:
        return Sealed(Shape.MESSAGE, whole and alone, block, charset=charset, encrypted=True)
    return _cleartext(block, whole=whole and alone, charset=charset)


def _cleartext(block: bytes, *, whole: bool, charset: str) -> Sealed:
    """Refuse what could be shown otherwise than it was signed (P82-P86, RFC 9580 section 7)."""
    armor, signature = _ARMOR.match(block), _SIGNATURE.search(block)
    if armor is None or signature is None or signature.start() < armor.end():
        return _invalid("a cleartext-signed block without its signature", whole=whole)
    rules = (
        ("an armor header that is not Hash", _HASH.fullmatch(armor[1]) is None),
        ("control characters in a signed text", _CONTROL.search(block) is not None),
        (f"a line of more than {MAX_LINE} bytes in a signed text", _LONG_LINE.search(block) is not None),
        ("an unescaped dash in a signed text", _LOOSE_DASH.search(block[armor.end() : signature.start()]) is not None),
    )
    trouble = next((reason for reason, broken in rules if broken), "")
    if trouble:
        return _invalid(trouble, whole=whole)
    return Sealed(Shape.CLEARTEXT, whole, block, block[signature.start() :], charset)


def protected_headers(payload: bytes) -> tuple[tuple[str, str], ...]:
    """The header fields protected inside a signed or decrypted entity, decoded, in order; () when it protects none.

    RFC 9788 section 2.1 (`hp=`), the drafts before it (`protected-headers="v1"`), and the oldest form, a first part of
    type text/rfc822-headers. Structural fields (Content-*, MIME-Version) are not among them.
    """
    root = rawmime.parse(payload)
    if "hp" in root.parameters or "protected-headers" in root.parameters:
        return rawmime.fields(root.head)
    children = root.parts().children
    if children and children[0].kind == "text/rfc822-headers" and "protected-headers" in children[0].parameters:
        return rawmime.fields(children[0].decoded())
    return ()


def protected_subject(headers: tuple[tuple[str, str], ...]) -> str | None:
    """The one Subject among protected header fields; None when there is none, or more than one."""
    subjects = [value for name, value in headers if name.lower() == "subject"]
    return subjects[0] if len(subjects) == 1 else None
