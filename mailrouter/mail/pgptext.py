"""The one armored block of a text: a cleartext-signed text, or an OpenPGP message; refused where readers could differ.

Pure, linear in time, never raises.
"""

import itertools
import re

from mailrouter.mail.openpgp import Sealed, Shape

MAX_BLOCKS = 2  # finding a second one already decides: more than one is invalid
MAX_LINE = 998  # RFC 5322 section 2.1.1; gpg silently cuts longer cleartext lines (P86)

BEGIN = re.compile(rb"^-----BEGIN PGP (SIGNED MESSAGE|MESSAGE)-----[ \t]*\r?$", re.MULTILINE)
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


def crlf(data: bytes) -> bytes:
    """`data` with every line ending made CRLF: the form a signature is made over (RFC 3156 section 5; P06)."""
    return data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def invalid(reason: str, *, whole: bool = False, encrypted: bool = False) -> Sealed:
    """Meant as signed or encrypted, and not acceptable."""
    return Sealed(Shape.INVALID, whole, encrypted=encrypted, reason=reason)


def block(text: bytes, *, whole: bool, charset: str) -> Sealed | None:
    """The one armored block of a text; text around it makes it a part; a second one makes both invalid (P28, P87)."""
    begins = list(itertools.islice(BEGIN.finditer(text), MAX_BLOCKS))
    if not begins:
        return None
    encrypted = any(begin[1] == b"MESSAGE" for begin in begins)
    if len(begins) > 1:
        return invalid("more than one OpenPGP block", whole=whole, encrypted=encrypted)
    start = begins[0].start()
    end = _END[begins[0][1]].search(text, start)
    if end is None:
        return invalid("an OpenPGP block without its end", whole=whole, encrypted=encrypted)
    alone = not text[:start].strip() and not text[end.end() :].strip()
    block = text[start : end.end()]
    if encrypted:
        return Sealed(Shape.MESSAGE, whole and alone, block, charset=charset, encrypted=True)
    return _cleartext(block, whole=whole and alone, charset=charset)


def _cleartext(block: bytes, *, whole: bool, charset: str) -> Sealed:
    """Refuse what could be shown otherwise than it was signed (P82-P86, RFC 9580 section 7)."""
    armor, signature = _ARMOR.match(block), _SIGNATURE.search(block)
    if armor is None or signature is None or signature.start() < armor.end():
        return invalid("a cleartext-signed block without its signature", whole=whole)
    rules = (
        ("an armor header that is not Hash", _HASH.fullmatch(armor[1]) is None),
        ("control characters in a signed text", _CONTROL.search(block) is not None),
        (f"a line of more than {MAX_LINE} bytes in a signed text", _LONG_LINE.search(block) is not None),
        ("an unescaped dash in a signed text", _LOOSE_DASH.search(block[armor.end() : signature.start()]) is not None),
    )
    trouble = next((reason for reason, broken in rules if broken), "")
    if trouble:
        return invalid(trouble, whole=whole)
    return Sealed(Shape.CLEARTEXT, whole, block, block[signature.start() :], charset)
