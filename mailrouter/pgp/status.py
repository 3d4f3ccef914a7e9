"""gpg's status lines read into a verdict: a grammar, three tables, and the few lines that read them. Pure.

Nothing is good unless everything gpg said was expected: an unknown keyword, a line that does not fit its grammar, or an
order that is in no table makes a signature invalid (testbook/pgp.md, conditions 1, 2 and 8). Lines that are no status
lines at all come from a broken gpg, not from a mail: `Garbage`, to be tried again (fault R18).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from mailrouter.mail.pgpmime import Verdict

PREFIX = b"[GNUPG:] "


class Garbage(Exception):
    """What gpg printed is not status lines: nothing is known."""


class Surprise(Exception):
    """A status line that is in no grammar: never a verdict (P12)."""


@dataclass(frozen=True, slots=True)
class Line:
    """One status line that fits its grammar."""

    keyword: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """What the status lines prove about one signature."""

    verdict: Verdict
    reason: str = ""
    fingerprint: str = ""  # of the primary key, only when the signature is cryptographically valid
    key: str = ""  # fingerprint of the key or subkey that signed; likewise
    issuer: str = ""  # what the signature claims: fingerprint, else key id
    signed_at: datetime | None = None
    signature_id: str = ""
    algorithm: int = 0


NO_SIGNATURE = Judged(Verdict.NONE)

# ---- the grammar -------------------------------------------------------------------------------------------

_ID, _FPR, _TEXT = rb"([0-9A-F]{16})", rb"([0-9A-F]{40})", rb"[^\x00-\x1f\x7f]*"
_ANYTHING = re.compile(rb"(?: " + _TEXT + rb")?")
_NUMBERS = re.compile(rb"(?: [0-9]+){0,4}")
_NOTHING = re.compile(rb"")
_USER = re.compile(rb" " + _ID + rb" " + _TEXT)

GRAMMAR = {
    # one signature
    b"NEWSIG": _ANYTHING,
    b"GOODSIG": _USER,
    b"BADSIG": _USER,
    b"EXPSIG": _USER,
    b"EXPKEYSIG": _USER,
    b"REVKEYSIG": _USER,
    b"ERRSIG": re.compile(rb" " + _ID + rb" [0-9]+ [0-9]+ [0-9A-Fa-f]{2} [0-9]+ ([0-9]+)(?: (?:" + _FPR + rb"|-))?"),
    # fingerprint, date, time, expiry, version 4, reserved, algorithm, hash, class, primary fingerprint
    b"VALIDSIG": re.compile(
        rb" "
        + _FPR
        + rb" [0-9]{4}-[0-9]{2}-[0-9]{2} ([0-9]{1,10}) [0-9]{1,10} 4 0 ([0-9]+) ([0-9]+) ([0-9A-F]{2}) "
        + _FPR
    ),
    b"NO_PUBKEY": re.compile(rb" " + _ID),
    b"SIG_ID": re.compile(rb" ([A-Za-z0-9+/]{1,40}) [0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{1,10}"),
    # decryption
    b"ENC_TO": re.compile(rb" " + _ID + rb" [0-9]+ [0-9]+"),
    b"NO_SECKEY": re.compile(rb" " + _ID),
    b"DECRYPTION_KEY": re.compile(rb" " + _FPR + rb" " + _FPR + rb" [a-z-]"),
    b"BEGIN_DECRYPTION": _NOTHING,
    b"DECRYPTION_INFO": re.compile(rb" ([0-9]+) [0-9]+(?: ([0-9]+))?"),
    b"PLAINTEXT": re.compile(rb" [0-9A-F]{2} [0-9]+ " + _TEXT),
    b"DECRYPTION_OKAY": _NOTHING,
    b"DECRYPTION_FAILED": _NOTHING,
    b"GOODMDC": _NOTHING,
    b"END_DECRYPTION": _NOTHING,
    # failures
    b"NODATA": _NUMBERS,
    b"UNEXPECTED": _NUMBERS,
    b"BADARMOR": _NOTHING,
    b"BADMDC": _NOTHING,
    b"KEYREVOKED": _NOTHING,
    b"DECRYPTION_COMPLIANCE_MODE": _NUMBERS,
    b"VERIFICATION_COMPLIANCE_MODE": _NUMBERS,
    b"ERROR": re.compile(rb" ([a-z_.]+)(?: ([0-9]+))?" + _ANYTHING.pattern),
    b"FAILURE": re.compile(rb" [a-z_-]+ [0-9]+"),
    b"BAD_PASSPHRASE": re.compile(rb" " + _ID),
    b"MISSING_PASSPHRASE": _NOTHING,
    # said beside, and of no weight
    b"KEY_CONSIDERED": re.compile(rb" " + _FPR + rb" [0-9]+"),
    b"KEYEXPIRED": _NUMBERS,
    b"PLAINTEXT_LENGTH": _NUMBERS,
    b"PROGRESS": _ANYTHING,
    b"CARDCTRL": _NUMBERS,
    b"INQUIRE_MAXLEN": _NUMBERS,
    b"NEED_PASSPHRASE": _ANYTHING,
    b"USERID_HINT": _ANYTHING,
    b"NOTATION_NAME": _ANYTHING,
    b"NOTATION_FLAGS": _NUMBERS,
    b"NOTATION_DATA": _ANYTHING,
    b"POLICY_URL": _ANYTHING,
}

WEIGHTLESS = frozenset({
    "SIG_ID", "KEY_CONSIDERED", "KEYEXPIRED", "PLAINTEXT_LENGTH", "PROGRESS", "CARDCTRL", "INQUIRE_MAXLEN",
    "NEED_PASSPHRASE", "USERID_HINT", "NOTATION_NAME", "NOTATION_FLAGS", "NOTATION_DATA", "POLICY_URL",
    "DECRYPTION_COMPLIANCE_MODE", "VERIFICATION_COMPLIANCE_MODE",
})  # fmt: skip


def read(status: bytes) -> tuple[Line, ...]:
    """Split on LF only, so that no other line break of Unicode makes a line (P11). Raises Garbage or Surprise."""
    if not status.endswith(b"\n"):
        raise Garbage("no status lines, or the last one is cut off")
    return tuple(_line(raw) for raw in status[:-1].split(b"\n"))


def _line(raw: bytes) -> Line:
    if not raw.startswith(PREFIX):
        raise Garbage("not a status line")
    keyword, space, rest = raw[len(PREFIX) :].partition(b" ")
    grammar = GRAMMAR.get(keyword)
    match = grammar.fullmatch(space + rest) if grammar else None
    if match is None:
        raise Surprise("a status line we do not know")
    return Line(keyword.decode("ascii"), tuple((group or b"").decode("ascii") for group in match.groups()))


# ---- one signature -----------------------------------------------------------------------------------------

SHA2 = frozenset({8, 9, 10})
DOCUMENT = frozenset({"00", "01"})  # signature classes: binary, text

# What gpg says of exactly one signature, in order -> what it means.
SIGNATURES: dict[tuple[str, ...], tuple[Verdict, str]] = {
    ("NEWSIG", "GOODSIG", "VALIDSIG"): (Verdict.GOOD, ""),
    ("NEWSIG", "EXPKEYSIG", "VALIDSIG"): (Verdict.EXPIRED_KEY, "the key has expired"),
    ("NEWSIG", "REVKEYSIG", "VALIDSIG"): (Verdict.REVOKED_KEY, "the key was revoked"),
    ("NEWSIG", "KEYREVOKED", "REVKEYSIG", "VALIDSIG"): (Verdict.REVOKED_KEY, "the key was revoked"),
    ("NEWSIG", "EXPSIG", "VALIDSIG"): (Verdict.EXPIRED_SIGNATURE, "the signature has expired"),
    ("NEWSIG", "BADSIG"): (Verdict.BAD, "the signature does not match the text"),
    ("NEWSIG", "ERRSIG", "NO_PUBKEY"): (Verdict.UNKNOWN_KEY, "the signature is by a key that is not known here"),
    ("NEWSIG", "ERRSIG"): (Verdict.BAD, "gpg does not accept the signature"),
}
# ERRSIG's error code (libgpg-error), where it says more.
ERRORS = {
    4: (Verdict.UNSUPPORTED, "the signature's key algorithm is not supported"),
    5: (Verdict.UNSUPPORTED, "the signature's hash algorithm is too weak or not supported"),
    6: (Verdict.UNSUPPORTED, "the key is too weak"),
    9: (Verdict.UNKNOWN_KEY, "the signature is by a key that is not known here"),
    39: (Verdict.BAD, "the signature is older than its key"),
    84: (Verdict.UNSUPPORTED, "the signature's algorithm is not supported"),
}


def signature(lines: Sequence[Line], code: int) -> Judged:
    """The verdict on one signature from every line gpg said about it; `code` is gpg's exit status."""
    said = tuple(line.keyword for line in lines if line.keyword not in WEIGHTLESS)
    if said[-1:] == ("FAILURE",) and code != 0:
        said = said[:-1]
    if said.count("NEWSIG") > 1:
        return Judged(Verdict.BAD, _several(lines))
    found = {line.keyword: line.fields for line in lines}
    verdict, reason = SIGNATURES.get(said, (Verdict.BAD, "gpg found no signature it could check"))
    if "ERRSIG" in said and verdict in {Verdict.BAD, Verdict.UNKNOWN_KEY}:
        verdict, reason = ERRORS.get(int(found["ERRSIG"][1]), (verdict, reason))
    if verdict is Verdict.GOOD and code != 0:
        verdict, reason = Verdict.BAD, "gpg reported an error beside the signature"
    if "VALIDSIG" in said and said in SIGNATURES:
        return _proved(verdict, reason, found)
    return Judged(verdict, reason, issuer=_issuer(found))


def _several(lines: Sequence[Line]) -> str:
    """P17-P20: never one of several, but both are named."""
    keys = sorted({line.fields[-1] for line in lines if line.keyword == "VALIDSIG"})
    return "more than one signature" + (f", valid ones by {' and '.join(keys)}" if keys else "")


def _proved(verdict: Verdict, reason: str, found: dict[str, tuple[str, ...]]) -> Judged:
    key, seconds, algorithm, digest, kind, primary = found["VALIDSIG"]
    if verdict is Verdict.GOOD and (int(digest) not in SHA2 or kind not in DOCUMENT):
        verdict, reason = Verdict.UNSUPPORTED, "the signature's hash algorithm is too weak or not supported"
    return Judged(
        verdict, reason, primary, key, key, datetime.fromtimestamp(int(seconds), UTC),
        found.get("SIG_ID", ("",))[0], int(algorithm),
    )  # fmt: skip


def _issuer(found: dict[str, tuple[str, ...]]) -> str:
    if "ERRSIG" in found:
        return found["ERRSIG"][2] or found["ERRSIG"][0]
    return found["BADSIG"][0] if "BADSIG" in found else ""


# ---- a message ---------------------------------------------------------------------------------------------

# Error codes of `ERROR pkdecrypt_failed` that are ours (agent, passphrase), not the message's.
_OUR_TROUBLE = frozenset({11, 31, 62, 77, 78, 80, 81, 85, 86, 99, 177, 198, 257})
_SYSTEM_ERROR = 0x8000  # memory, files


def our_trouble(lines: Sequence[Line]) -> bool:
    """Whether gpg failed for a reason that lies with us: a dead agent, a wrong passphrase, no memory."""
    return any(
        line.keyword in {"BAD_PASSPHRASE", "MISSING_PASSPHRASE"}
        or (line.keyword == "ERROR" and line.fields[1] != "" and _is_ours(int(line.fields[1]) & 0xFFFF))
        for line in lines
    )


def _is_ours(code: int) -> bool:
    return code in _OUR_TROUBLE or code & _SYSTEM_ERROR != 0


_BEFORE = frozenset({"ENC_TO", "NO_SECKEY", "DECRYPTION_KEY"})
_OPENING = ("BEGIN_DECRYPTION", "DECRYPTION_INFO", "PLAINTEXT")
_CLOSING = ("DECRYPTION_OKAY", "GOODMDC", "END_DECRYPTION")


def decrypted(lines: Sequence[Line], code: int) -> tuple[Line, ...] | None:
    """The lines about signatures inside, when a message was decrypted whole and unaltered; else None (condition 8)."""
    weighty = [line for line in lines if line.keyword not in WEIGHTLESS]
    said = [line.keyword for line in weighty]
    start = next((at for at, keyword in enumerate(said) if keyword not in _BEFORE), len(said))
    last = len(said) - 1 if said[-1:] == ["FAILURE"] else len(said)
    end = last - len(_CLOSING)
    if start == 0 or tuple(said[start : start + 3]) != _OPENING or tuple(said[end:last]) != _CLOSING:
        return None
    within = weighty[start + 3 : end]
    mdc, aead = weighty[start + 1].fields
    if end < start + 3 or (int(mdc) == 0 and int(aead or 0) == 0):
        return None
    return _about_signatures(within, lines, code)


def unwrapped(lines: Sequence[Line], code: int) -> bool:
    """Whether the encryption of a message was taken off whole and unaltered, and what is within left as it is."""
    said = [line.keyword for line in lines if line.keyword not in WEIGHTLESS and line.keyword not in _BEFORE]
    info = next((line.fields for line in lines if line.keyword == "DECRYPTION_INFO"), ("0", ""))
    return code == 0 and tuple(said) == (*_OPENING[:2], *_CLOSING) and (int(info[0]) != 0 or int(info[1] or 0) != 0)


def plain(lines: Sequence[Line], code: int) -> tuple[Line, ...] | None:
    """The lines about signatures of a message that is not encrypted and holds exactly one text; else None (P27)."""
    weighty = [line for line in lines if line.keyword not in WEIGHTLESS]
    if not weighty or weighty[0].keyword != "PLAINTEXT":
        return None
    return _about_signatures(weighty[1:-1] if weighty[-1].keyword == "FAILURE" else weighty[1:], lines, code)


_SIGNATURE_WORDS = frozenset(word for said in SIGNATURES for word in said)
_NOT_ZERO = frozenset({"BADSIG", "ERRSIG", "EXPSIG"})  # the signatures that make gpg end with 1 or 2


def _about_signatures(within: Sequence[Line], lines: Sequence[Line], code: int) -> tuple[Line, ...] | None:
    said = {line.keyword for line in within}
    # Beyond --max-output gpg cuts the text off and says so by its exit status alone (P110).
    if not said <= _SIGNATURE_WORDS or (code != 0 and not said & _NOT_ZERO):
        return None
    return (*within, *(line for line in lines if line.keyword == "SIG_ID"))
