"""The shapes OpenPGP takes in mail. Finds parts; holds no key.

Signatures are verified over the raw slice between the boundaries (RFC 3156 section 5), never over a re-serialised part;
so this module reads raw bytes with a grammar of its own (`rawmime.py`), stricter than the readers people use: what
two readers could understand differently is never called signed (testbook P44, P46).
"""

import itertools
import re
from collections.abc import Iterator
from functools import lru_cache

from mailrouter.mail import pgpfiles, pgptext, rawmime
from mailrouter.mail.openpgp import Opened, Sealed, Shape, Verdict
from mailrouter.mail.pgptext import crlf
from mailrouter.mail.rawmime import Entity

__all__ = [
    "MAX_DEPTH", "Opened", "Sealed", "Shape", "Verdict", "crlf", "protected_headers", "protected_subject", "sealed",
    "sealed_text",
]  # fmt: skip

MAX_DEPTH = 8  # multiparts inside multiparts we look into; deeper ones are left as they are
MAX_SEALS = 2  # finding a second one already decides: more than one is invalid
REMEMBERED = 32  # mails of which `sealed` remembers what it found; as many as are received together
REMEMBERED_SIZE = 65_536  # bytes; larger ones are not remembered

_MARKS = (b"multipart/signed", b"multipart/encrypted", b"pgp", b".asc", b".gpg", b".sig")
# base64 of '-----BEGIN PGP ' at each of the three alignments, without the characters that neighbours change
_BASE64_MARKS = (b"LS0tLS1CRUdJTiBQR1", b"0tLS0tQkVHSU4gUEdQ", b"LS0tLUJFR0lOIFBHU")
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
    found = _first_two(_inside(root, MAX_DEPTH)) or _first_two(_files(root, MAX_DEPTH))
    if len(found) > 1:
        encrypted = any(seal.encrypted for seal in found)
        return pgptext.invalid("more than one signed or encrypted part", encrypted=encrypted)
    return found[0] if found else None


def _first_two(found: Iterator[Sealed]) -> list[Sealed]:
    return list(itertools.islice(found, MAX_SEALS))


def sealed_text(text: bytes) -> Sealed | None:
    """The same for plain text without headers, such as what an encrypted block held."""
    return pgptext.block(text, whole=True, charset="utf-8")


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
        yield from pgpfiles.put_together(children)
    for child in children:
        seal = _seal(child, whole=False)
        if seal is None:
            yield from _inside(child, depth - 1, attached=attached)
        elif not (attached and seal.encrypted):
            yield seal


def _files(part: Entity, depth: int) -> Iterator[Sealed]:
    """Signed and encrypted files below `part`, and a file that is all there is. Not those of an attached mail."""
    if depth == 0 or part.kind in {"multipart/report", "multipart/signed"}:  # signed: here only S/MIME is left
        return
    children = part.parts().children
    yield from pgpfiles.files(children or (part,))
    for child in children:
        if child.kind.startswith("multipart/"):
            yield from _files(child, depth - 1)


def _seal(part: Entity, *, whole: bool) -> Sealed | None:
    """The seal that `part` itself is, if it is one."""
    if part.malformed:
        encrypted = part.claims(b"multipart/encrypted")
        if part.claims(b"multipart/signed", b"multipart/encrypted") or pgptext.BEGIN.search(part.body):
            return pgptext.invalid(f"malformed MIME: {part.malformed}", whole=whole, encrypted=encrypted)
        return None
    if part.kind == "multipart/signed":
        return _signed(part, whole=whole)
    if part.kind == "multipart/encrypted":
        return _encrypted(part, whole=whole)
    if part.kind == "text/plain":
        return pgptext.block(part.decoded(), whole=whole, charset=part.parameters.get("charset", "utf-8"))
    return None


def _signed(part: Entity, *, whole: bool) -> Sealed | None:
    """RFC 3156 section 5: exactly two parts, the second an armored signature. S/MIME is not ours to judge: None."""
    protocol = part.parameters.get("protocol", "").lower()
    if protocol in {"application/pkcs7-signature", "application/x-pkcs7-signature"}:
        return None
    split = part.parts()
    if protocol != "application/pgp-signature":
        return pgptext.invalid("multipart/signed without the OpenPGP protocol", whole=whole)
    if len(split.children) != 2 or not split.closed:
        return pgptext.invalid("multipart/signed does not have exactly two parts", whole=whole)
    signature = split.children[1]
    if signature.malformed or signature.kind != "application/pgp-signature":
        return pgptext.invalid("multipart/signed without an OpenPGP signature", whole=whole)
    alone = _PREAMBLE.fullmatch(split.preamble) is not None and not split.epilogue.strip()
    return Sealed(Shape.SIGNED, whole and alone, crlf(split.children[0].raw), signature.decoded())


def _encrypted(part: Entity, *, whole: bool) -> Sealed:
    """RFC 3156 section 4: a version part, then the message."""
    split = part.parts()
    kinds = [child.kind for child in split.children]
    if kinds != ["application/pgp-encrypted", "application/octet-stream"]:
        again = next(pgpfiles.put_together(split.children), None)
        return again or pgptext.invalid("multipart/encrypted without its two parts", whole=whole, encrypted=True)
    alone = _PREAMBLE.fullmatch(split.preamble) is not None and not split.epilogue.strip()
    return Sealed(Shape.ENCRYPTED, whole and alone, split.children[1].decoded(), encrypted=True)


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
