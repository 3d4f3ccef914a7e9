"""Bytes of a mail to clean Unicode: character sets, RFC 2047 encoded words, and what may not be in a line of text.

Only character sets of a list are decoded; any other is read as latin-1 and named as a defect (testbook S16, S17).
Nothing here raises for any bytes, and every result can be stored anywhere: no surrogate, no NUL.
"""

import binascii
import re
from collections.abc import MutableSequence

from mailrouter.mail import guess

Defects = MutableSequence[str]  # short, stable codes; a reader appends what it met

_ISO = {f"iso-8859-{n}": f"iso8859-{n}" for n in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)}
_WINDOWS = {f"windows-{n}": f"cp{n}" for n in (874, 1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257, 1258)}
_DOS = {name: name for name in ("cp437", "cp850", "cp852", "cp855", "cp858", "cp866", "cp932", "cp949", "cp950")}
# Superset decoders where mail programs say the smaller name and mean the larger one, as browsers do (WHATWG Encoding).
_CHARSETS = {
    **_ISO,
    **_WINDOWS,
    **{name.replace("windows-", "cp"): codec for name, codec in _WINDOWS.items()},
    **_DOS,
    "us-ascii": "ascii", "ascii": "ascii", "ansi_x3.4-1968": "ascii",
    "utf-8": "utf-8", "utf8": "utf-8", "unicode-1-1-utf-8": "utf-8",
    "utf-7": "utf-7", "unicode-1-1-utf-7": "utf-7", "unicode-2-0-utf-7": "utf-7", "x-unicode-2-0-utf-7": "utf-7",
    "utf-16": "utf-16", "utf-16le": "utf-16-le", "utf-16be": "utf-16-be",
    "iso-8859-1": "cp1252", "latin1": "cp1252", "latin-1": "cp1252", "iso8859-1": "cp1252",
    "iso-8859-9": "cp1254", "iso-8859-11": "cp874", "tis-620": "cp874", "iso-8859-8-i": "iso8859-8",
    "koi8-r": "koi8-r", "koi8-u": "koi8-u", "macintosh": "mac-roman",
    "big5": "big5hkscs", "big5-hkscs": "big5hkscs", "gb2312": "gb18030", "gbk": "gb18030", "gb18030": "gb18030",
    "euc-jp": "euc_jp", "shift_jis": "cp932", "shift-jis": "cp932", "windows-31j": "cp932",
    "iso-2022-jp": "iso2022_jp_2", "iso-2022-jp-2": "iso2022_jp_2", "iso-2022-kr": "iso2022_kr",
    "euc-kr": "cp949", "ks_c_5601-1987": "cp949",
}  # fmt: skip

# One encoded word. Blanks inside the encoded text are a sender's mistake that everybody reads through.
_WORD = re.compile(rb"=\?([^?\s]{1,75})\?([bBqQ])\?([^?]*)\?=")
_SPACE_CONTROLS = re.compile("[\t\n\x0b\x0c\r\x85\u2028\u2029]")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
_TEXT_CONTROLS = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_PIECES = 10_000  # padded pieces of base64 in a row; what comes after them is read as one
_NOT_BASE64 = bytes(set(range(256)) - set(_BASE64))


def decode(raw: bytes, charset: str | None, defects: Defects) -> str:
    """The bytes as text of that character set. Without one: ASCII, else UTF-8, else latin-1."""
    codec = "ascii" if charset is None else _CHARSETS.get(_named(charset))
    if codec == "ascii":
        return undeclared(raw, defects)
    if codec is None:
        defects.append("unknown-charset")
        return raw.decode("latin-1")
    if codec == "utf-7":  # a text like any other once decoded; named, since it hides what it says from simple tools
        defects.append("utf-7")
    try:
        return raw.decode(codec)
    except UnicodeError:  # wrong bytes for a known character set: show what can be read
        defects.append("bad-charset-bytes")
        return raw.decode(codec, "replace")


def undeclared(raw: bytes, defects: Defects) -> str:
    """Bytes nobody named a character set for: ASCII, else UTF-8, else latin-1 as Windows knows it.

    No guess here: headers are matched, and everybody must read them the same way.
    """
    if raw.isascii():
        return raw.decode("ascii")
    defects.append("undeclared-8bit")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def guessed(raw: bytes, charset: str | None, defects: Defects) -> str:
    """The bytes of a body as text: `decode`, but where nobody names a character set the script is guessed."""
    if charset is None or _CHARSETS.get(_named(charset)) == "ascii":
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError:
            if (codec := _CHARSETS.get((guess.charset(raw) or "").lower())) is not None:
                defects.append("undeclared-8bit")
                return raw.decode(codec, "replace")
    return decode(raw, charset, defects)


def _named(charset: str) -> str:
    return charset.strip(" \t'\"").partition("*")[0].lower()


def line(text: str, defects: Defects | None = None) -> str:
    """The text in one line: white space of any kind becomes a blank, other controls go (and are named as a defect)."""
    if text.isprintable():
        return text
    text = _SPACE_CONTROLS.sub(" ", text)
    cleaned = _CONTROLS.sub("", text)
    if defects is not None and cleaned != text:
        defects.append("control-character")
    return cleaned


def paragraphs(text: str) -> str:
    """A body as text: lines end in LF, controls nobody should print become U+FFFD."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _TEXT_CONTROLS.sub("\ufffd", text)


def header(raw: bytes, defects: Defects) -> str:
    """An unstructured header's value: unfolded, encoded words decoded, in one clean line."""
    if b"=?" not in raw:
        return line(undeclared(raw, defects), defects).strip()
    return line("".join(_pieces(raw, defects)), defects).strip()


def _pieces(raw: bytes, defects: Defects) -> list[str]:
    """Plain stretches and decoded words. White space between two encoded words is not shown (RFC 2047 section 6.2)."""
    pieces: list[str] = []
    charset, pending, end = "", b"", 0
    for match in _WORD.finditer(raw):
        between = raw[end : match.start()]
        name = match[1].decode("latin-1").lower()
        adjacent = end > 0 and not between.strip()
        if pending and not (adjacent and name == charset):
            pieces.append(decode(pending, charset, defects))
            pending = b""
        if not adjacent:
            pieces.append(undeclared(between, defects))
        # A character cut in two by neighbouring words is put together before decoding, against the letter of the RFC.
        charset, pending, end = name, pending + _word(match[2], match[3]), match.end()
    if pending:
        pieces.append(decode(pending, charset, defects))
    pieces.append(undeclared(raw[end:], defects))
    if "=?" in pieces[-1]:
        defects.append("bad-encoded-word")
    return pieces


def _word(encoding: bytes, text: bytes) -> bytes:
    if encoding in b"bB":
        return base64(text, [])
    return binascii.a2b_qp(text, header=True)


def base64(raw: bytes, defects: Defects) -> bytes:
    """Base64 decoded as far as it goes: foreign characters are passed over, a broken end is dropped."""
    body, _, rest = raw.partition(b"=")
    if rest.translate(None, b"=\r\n\t "):
        # Several padded pieces in a row: some programs encode line by line.
        return b"".join(_base64_piece(piece, defects) for piece in re.split(rb"=+", raw, maxsplit=_PIECES))
    return _base64_piece(body, defects)


def _base64_piece(raw: bytes, defects: Defects) -> bytes:
    letters = raw.translate(None, _NOT_BASE64)
    if raw.translate(None, _BASE64 + b"\r\n\t ") or len(letters) % 4 == 1:
        defects.append("bad-base64")
        letters = letters[: len(letters) - (len(letters) % 4 == 1)]
    return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))
