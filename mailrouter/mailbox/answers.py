"""What an IMAP server's answers say, and how folders, strings and sets of UIDs are written to it. Pure.

Lines are as aioimaplib gives them: text without `* `, literals as bytearrays between the pieces of their line. What was
not asked for (a flag somebody else changed) may stand between what was; what cannot be read is left out.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

Line = bytes | bytearray

_FETCHED = re.compile(rb"\d+ FETCH \(", re.IGNORECASE)
_UID = re.compile(rb"[( ]UID (\d+)", re.IGNORECASE)
_SIZE = re.compile(rb"[( ]RFC822\.SIZE (\d+)", re.IGNORECASE)
_OTHERS_FLAGS = re.compile(rb"\* \d+ FETCH \((?:(?:UID|MODSEQ) \(?\d+\)? ?|FLAGS \([^()]*\) ?)+\)", re.IGNORECASE)
_QUOTED_BODY = re.compile(rb'[( ]BODY\[\] "((?:[^"\\\r\n]|\\.)*)"', re.IGNORECASE)
_NUMBERS = re.compile(rb"(?:SEARCH )?([\d ]*)")
_MESSAGES = re.compile(rb"[( ]MESSAGES (\d+)", re.IGNORECASE)
_EXISTS = re.compile(rb"(\d+) EXISTS", re.IGNORECASE)
_UIDVALIDITY = re.compile(rb"\[UIDVALIDITY (\d+)\]", re.IGNORECASE)
_MAY_STAY = re.compile(rb"\[PERMANENTFLAGS \(([^)]*)\)", re.IGNORECASE)
_READ_ONLY = re.compile(rb"\[READ-ONLY\]", re.IGNORECASE)
_OUTSIDE_ASCII = re.compile(r"[^ -~]+")


@dataclass(frozen=True, slots=True)
class Selected:
    """An open folder. The UIDs we know hold as long as `uidvalidity` is the same (RFC 9051 section 2.3.1.1)."""

    uidvalidity: int  # 0: the server names none, so that no UID means anything in the next session
    messages: int
    keywords: bool  # whether a flag of our own making stays
    writable: bool


def selected(lines: Sequence[Line], keyword: str) -> Selected:
    """The answer to SELECT. `keyword`: the flag we would like to set."""
    text = b"\r\n".join(bytes(line) for line in lines)
    stay = _MAY_STAY.search(text)
    flags = stay[1].lower().split() if stay else []
    return Selected(
        _number(_UIDVALIDITY, text),
        _number(_EXISTS, text),
        rb"\*" in flags or keyword.lower().encode() in flags,
        writable=not _READ_ONLY.search(text),
    )


def _number(pattern: re.Pattern[bytes], text: bytes) -> int:
    found = pattern.search(text)
    return int(found[1]) if found else 0


def found(lines: Sequence[Line]) -> list[int]:
    """The answer to UID SEARCH, ascending, each UID once; the last line is the server's word that it is done."""
    numbers: set[int] = set()
    for line in lines[:-1]:
        match = _NUMBERS.fullmatch(bytes(line))
        numbers.update(int(number) for number in match[1].split()) if match else None
    return sorted(numbers)


def counted(lines: Sequence[Line]) -> int | None:
    """The answer to STATUS (MESSAGES); None if it does not say."""
    match = _MESSAGES.search(b" ".join(bytes(line) for line in lines))
    return int(match[1]) if match else None


def sizes(lines: Sequence[Line]) -> dict[int, int]:
    """The answer to UID FETCH (UID RFC822.SIZE): bytes by UID."""
    told = {}
    for text, _ in _messages(lines):
        uid, size = _UID.search(text), _SIZE.search(text)
        if uid and size:
            told[int(uid[1])] = int(size[1])
    return told


def bodies(lines: Sequence[Line]) -> dict[int, bytes]:
    """The answer to UID FETCH (UID BODY.PEEK[]): mails by UID. NIL is a message that is gone."""
    told = {}
    for text, literal in _messages(lines):
        uid, quoted = _UID.search(text), _QUOTED_BODY.search(text)
        if uid and literal is not None and b"BODY[]" in text.upper():
            told[int(uid[1])] = bytes(literal)
        elif uid and quoted:
            told[int(uid[1])] = re.sub(rb"\\(.)", rb"\1", quoted[1])
    return told


def is_of_flags_only(line: bytes) -> bool:
    """Whether somebody else set a flag: said in between, whatever was asked (RFC 9051 section 7.5.2)."""
    return _OTHERS_FLAGS.fullmatch(line) is not None


def _messages(lines: Sequence[Line]) -> Iterator[tuple[bytes, bytearray | None]]:
    """One FETCH answer after another: its text, and its first literal."""
    pieces: list[bytes] = []
    literal: bytearray | None = None
    for line in lines:
        if isinstance(line, bytearray):
            literal = line if literal is None else literal
        elif _FETCHED.match(line):
            if pieces:
                yield b" ".join(pieces), literal
            pieces, literal = [line], None
        elif pieces:
            pieces.append(line)
    if pieces:
        yield b" ".join(pieces), literal


# ---- what we write ---------------------------------------------------------------------------------------------------


def quoted(text: str) -> str:
    """A string of IMAP. It holds no line end: the settings see to that, and aioimaplib refuses one."""
    return '"' + text.replace("\\", r"\\").replace('"', r"\"") + '"'


def folder(name: str) -> str:
    """A folder's name in modified UTF-7 (RFC 3501 section 5.1.3), quoted."""
    return quoted(_OUTSIDE_ASCII.sub(lambda part: f"&{_base64(part[0])}-", name.replace("&", "&-")))


def _base64(text: str) -> str:
    return b64encode(text.encode("utf-16-be")).decode("ascii").rstrip("=").replace("/", ",")


def uid_set(uids: Iterable[int]) -> str:
    """`1:3,7`: ranges keep a command line short, and name no UID that is not meant."""
    ranges: list[list[int]] = []
    for uid in sorted(uids):
        if ranges and uid == ranges[-1][1] + 1:
            ranges[-1][1] = uid
        else:
            ranges.append([uid, uid])
    return ",".join(str(a) if a == b else f"{a}:{b}" for a, b in ranges)
