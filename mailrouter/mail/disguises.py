"""Every way in which a text may say something: as it stands, and with what hides words undone.

Promises: `fold` makes one of all that looks the same to a reader (case, width, invisible characters), and never takes a
line end away, so that lines can still be counted; `readings` gives the text as it is and, where there is anything to
undo, with entities, percent signs, quoted-printable, encoded words, tags, accents, hex and base64 undone; `of_bytes`
gives what a file may say. Nothing here raises, whatever it is given.
"""

import base64
import binascii
import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from quopri import decodestring
from urllib.parse import unquote_to_bytes

# Controls but for tab and line feed; what joins, separates or reorders without being seen; tags; variation selectors.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
_LINE_ENDS = re.compile("\r\n?|[\u2028\u2029\x85]")
LARGEST_CLEVER = 2 * 1024 * 1024  # characters of a text, or bytes of a file, beyond which only the plain readings are


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a text. `line`: which line of the original its first line is; 0: lines mean nothing in it."""

    text: str
    line: int = 1
    counted: bool = True  # whether its lines are those of the original, from there on
    raw: bytes = b""  # where it was bytes: key ids stand in signatures as they are


def lines(text: str) -> str:
    """With LF alone as line end."""
    return _LINE_ENDS.sub("\n", text)


def seen(text: str) -> str:
    """Without what nobody sees, compatibility forms made one (NFKC); upper and lower case as they are."""
    if text.isascii():
        return _UNSEEN.sub("", text)
    return _UNSEEN.sub("", unicodedata.normalize("NFKC", _UNSEEN.sub("", text)))


def fold(text: str) -> str:
    """The same, and without regard to case. Upper case first: the dotless i of Turkish has one, and is then any i."""
    plain = seen(text)
    if plain.isascii():
        return plain.lower()
    return unicodedata.normalize("NFKC", plain.upper().casefold()).replace("i\u0307", "i")


# ---- texts ----------------------------------------------------------------------------------------------------------

_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_PERCENT = re.compile(r"(?:%[0-9a-fA-F]{2})+")
_QUOTED = re.compile(r"(?:=[0-9A-Fa-f]{2})+|=[ \t]*\n")
_WORD = re.compile(r"=\?([^?\s]{1,40})\?([bBqQ])\?([^?\s]{0,500})\?=(?:\s+(?==\?))?")
_TAG = re.compile(r"</?[A-Za-z][^<>]*+>")  # however long: each `<` is looked at once
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})")
_ACCENTS = re.compile("[\u0300-\u036f]")
_HEX = re.compile(r"(?<![0-9a-zA-Z])(?:[0-9a-fA-F]{2}){6,}(?![0-9a-zA-Z])")
_BESIDE = re.compile(
    r"[A-Za-z0-9+_-]{12,}={0,2}"
)  # base64 in a line, of either alphabet, without `/`: a path has those
_BESIDE_WITH_SLASH = re.compile(r"[A-Za-z0-9+/]{12,}={0,2}")
_LINE64 = r"[A-Za-z0-9+/]{16,}+={0,2}+[ \t]*+(?:\n|$)"
# From where a run begins only, and never back into it: a megabyte of what is nearly base64 is looked at once.
_BASE64 = re.compile(rf"(?<![A-Za-z0-9+/]){_LINE64}(?:[> \t]*+{_LINE64})*+")


def readings(text: str) -> Iterator[Reading]:
    """The text, and what it says with its disguises undone; those there are none of are left out."""
    plain = lines(text)
    yield Reading(plain)
    if len(plain) > LARGEST_CLEVER:
        return
    known = {plain}
    escapes = _escapes(plain)
    for undone in (
        escapes, _tags(escapes), _quoted_printable(plain), _words(plain), without_accents(plain),
        _beside(plain, _BESIDE), _beside(plain, _BESIDE_WITH_SLASH),
    ):  # fmt: skip
        if undone not in known:
            known.add(undone)
            yield Reading(undone)
    yield from _base64(plain)


def _escapes(text: str) -> str:
    """Percent signs and entities; what hides them twice is undone twice."""
    for _ in range(2):
        text = _PERCENT.sub(lambda m: _bytes(unquote_to_bytes(m[0])), text) if "%" in text else text
        text = _ENTITY.sub(lambda m: _one_line(html.unescape(m[0])), text) if "&" in text else text
    return _ESCAPE.sub(lambda m: _one_line(chr(int(m[1] or m[2], 16))), text) if "\\" in text else text


def without_accents(text: str) -> str:
    """Each letter with a mark as the letter alone, as people type it who lack the key."""
    return text if text.isascii() else _ACCENTS.sub("", unicodedata.normalize("NFD", text))


def _beside(text: str, base64_: re.Pattern[str]) -> str:
    """What hex and base64 say that stand beside other words of a line; what is no text in them stays as it is."""
    text = _HEX.sub(lambda m: _readable(bytes.fromhex(m[0])) or m[0], text)
    return base64_.sub(lambda m: _readable(_decode64(m[0].translate(_URL_SAFE))) or m[0], text)


_URL_SAFE = str.maketrans("-_", "+/", "=")


def _readable(data: bytes) -> str:
    """'' for what is no text."""
    try:
        text = _one_line(data.decode("utf-8"))
    except UnicodeDecodeError:
        return ""
    return text if text.isprintable() else ""


def _tags(text: str) -> str:
    """Without markup, as far as that goes without changing the number of lines."""
    return _TAG.sub(lambda m: "\n" * m[0].count("\n"), text) if "<" in text and ">" in text else text


def _quoted_printable(text: str) -> str:
    """Soft line breaks are taken away: lines after one are counted short, but for what the plain text says too."""
    return _QUOTED.sub(_octets, text) if "=" in text else text


def _octets(found: re.Match[str]) -> str:
    return "" if found[0].endswith("\n") else _bytes(decodestring(found[0].encode("ascii")))


def _words(text: str) -> str:
    return _WORD.sub(_encoded_word, text) if "=?" in text else text


def _encoded_word(found: re.Match[str]) -> str:
    """RFC 2047 section 2, whichever charset it claims: the letters of ours are UTF-8, and most others' are."""
    try:
        data = _decode64(found[3]) if found[2] in "bB" else decodestring(found[3].encode("ascii"), header=True)
        return _one_line(data.decode(found[1].partition("*")[0], "replace"))
    except (LookupError, ValueError):
        return found[0]


def _base64(text: str) -> Iterator[Reading]:
    """What long lines of base64 say: a mail within, an armored key with its names."""
    for found in _BASE64.finditer(text):
        data = _decode64(re.sub(r"[>\s]", "", found[0]))
        if len(data) >= 12:
            line = text.count("\n", 0, found.start()) + 1
            yield from (Reading(one.text, line, counted=False, raw=one.raw) for one in of_bytes(data))


def _decode64(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return b""


def _bytes(data: bytes) -> str:
    try:
        return _one_line(data.decode("utf-8"))
    except UnicodeDecodeError:
        return _one_line(data.decode("latin-1"))


def _one_line(text: str) -> str:
    return lines(text).replace("\n", " ")


# ---- files ----------------------------------------------------------------------------------------------------------


def text_of(content: bytes) -> str | None:
    """The text a file is: UTF-8, or UTF-16 that says so; None for anything else."""
    try:
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):
            return content.decode("utf-16")
        return None if b"\0" in content else content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None


def of_bytes(content: bytes) -> Iterator[Reading]:
    """What a file may say. Text: all its readings, line by line. Anything else: its bytes, and as UTF-16."""
    text = text_of(content)
    if text is not None:
        yield from readings(text)
        yield Reading("", 0, raw=content)
        return
    yield Reading(lines(content.decode("latin-1")), 0, raw=content)
    if not content.isascii():
        yield Reading(lines(content.decode("utf-8", "ignore")), 0)
    if b"\0" in content:
        yield Reading(lines(content.replace(b"\0", b"").decode("latin-1")), 0)  # ASCII in UTF-16, of either order
        if len(content) <= LARGEST_CLEVER:
            for start, order in ((0, "le"), (1, "le"), (0, "be"), (1, "be")):
                yield Reading(lines(content[start:].decode(f"utf-16-{order}", "ignore")), 0)
