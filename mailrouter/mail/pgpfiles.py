"""OpenPGP that is neither PGP/MIME nor the text of a mail: files, and PGP/MIME that a mail server took apart.

For reading only: what is found here covers a part of its mail at most and is never worth more (testbook P43, condition
5). A file is not what a reader sees first, and what had to be put together again is not what its sender made.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

from mailrouter.mail import headers, parameters, pgptext
from mailrouter.mail.openpgp import Sealed, Shape
from mailrouter.mail.rawmime import Entity

_MESSAGES = (".asc", ".gpg", ".pgp")  # what such files are called
_SIGNATURES = (".sig", ".asc", ".sign")
_MESSAGE_KINDS = frozenset({"application/pgp", "application/pgp-encrypted"})
_SIGNATURE_KIND = "application/pgp-signature"
_VERSION = b"Version: 1"  # RFC 3156 section 4
_FILES = 20  # looked at in one multipart


# ---- put together again --------------------------------------------------------------------------------------------


def put_together(children: Sequence[Entity]) -> Iterator[Sealed]:
    """multipart/encrypted whose own type, or whose parts' types, were replaced: Exchange does, and gateways do."""
    for first, second in itertools.pairwise(children[:_FILES]):
        if _version(first) and _message(second):
            data = second.decoded()
            yield Sealed(Shape.ENCRYPTED, whole=False, data=data, encrypted=True, repaired=True)


def _version(part: Entity) -> bool:
    if part.kind == "application/pgp-encrypted":
        return True
    return part.kind in {"application/octet-stream", "text/plain"} and part.decoded().strip() == _VERSION


def _message(part: Entity) -> bool:
    if part.kind.startswith(("multipart/", "message/")):
        return False
    return part.kind == "application/octet-stream" or part.decoded().lstrip().startswith(b"-----BEGIN PGP MESSAGE-----")


# ---- files ---------------------------------------------------------------------------------------------------------


def files(children: Sequence[Entity]) -> Iterator[Sealed]:
    """Signatures beside what they sign, and files that are signed or encrypted, among the parts of one multipart."""
    leaves = [part for part in children[:_FILES] if not part.malformed and not part.kind.startswith("message/")]
    for number, part in enumerate(leaves):
        name = _name(part)
        if part.kind == _SIGNATURE_KIND or name.lower().endswith(_SIGNATURES):
            signature = part.decoded()
            if _is_signature(signature):
                yield from _signed(part, leaves[:number], leaves[number + 1 :], signature)
                continue
        if part.kind in _MESSAGE_KINDS or name.lower().endswith(_MESSAGES):
            yield from _whole_file(part.decoded(), name)


def _signed(part: Entity, before: list[Entity], behind: list[Entity], signature: bytes) -> Iterator[Sealed]:
    """What a signature is beside: the file of its name; else the part before it, as it was in multipart/signed."""
    stem = _name(part).rpartition(".")[0]
    others = (one for one in (*before, *behind) if stem in {_name(one), _name(one).rpartition(".")[0]})
    named = next(others, None) if stem else None
    if named is not None:
        content = named.decoded()
        lines = content.replace(b"\r\n", b"\n")  # a text travels with CRLF, and is signed as it lay on a disk
        yield Sealed(
            Shape.SIGNED, whole=False, data=content, signature=signature, file=_name(named),
            otherwise=() if lines == content else (lines,),
        )  # fmt: skip
    elif before and part.kind == _SIGNATURE_KIND:
        yield Sealed(
            Shape.SIGNED, whole=False, data=pgptext.crlf(before[-1].raw), signature=signature, repaired=True,
            otherwise=(before[-1].decoded(),),
        )  # fmt: skip


def _whole_file(content: bytes, name: str) -> Iterator[Sealed]:
    """A cleartext-signed text, or a message, armored or binary; a key is neither."""
    tag = _first_tag(content)
    if tag in {1, 3, 4, 8}:  # session keys, a one-pass signature, compressed data (RFC 9580 section 5)
        yield Sealed(Shape.MESSAGE, whole=False, data=content, encrypted=tag in {1, 3}, file=name)
    elif tag is None:
        found = pgptext.block(content, whole=False, charset="utf-8")
        if found is not None:
            yield replace(found, file=name)


def _is_signature(content: bytes) -> bool:
    return _first_tag(content) == 2 or content.lstrip().startswith(b"-----BEGIN PGP SIGNATURE-----")


def _first_tag(content: bytes) -> int | None:
    """Of the packet that binary content begins with (RFC 9580 section 4.2); None: it begins with none."""
    if content[:1] < b"\x80":
        return None
    return content[0] & 0x3F if content[0] & 0x40 else content[0] >> 2 & 0x0F


def _name(part: Entity) -> str:
    """Its file's name; '' when it has none."""
    disposition = parameters.parse(headers.split(part.head).text("content-disposition"), [])
    return disposition.get("filename") or part.parameters.get("name", "")
