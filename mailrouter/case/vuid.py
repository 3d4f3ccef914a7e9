"""VU# and VRF# numbers: out of text, and back into a subject.

One grammar for the whole house (DOMAIN.md, "Subjects and numbers"). It is applied to text that is already decoded
(RFC 2047) and unfolded; here it is folded to compatibility forms and freed of characters nobody sees. Every function
takes time linear in the text, whatever the text holds.

A number routes; it never authorises.
"""

import re
import unicodedata
from dataclasses import dataclass

from mailrouter.faults import Refused

_PIECE = 64  # characters normalised at a time

_VU = re.compile(r"(?<![0-9A-Za-z])[Vv][Uu]\s{0,2}#\s{0,2}([1-9][0-9]{2,6})(?:\.([1-9][0-9]{0,3}))?(?![0-9])")
VRF_LETTERS = "BCDFGHJKLMNPQRSTVWXYZ"  # five of them end a report's number: no word can come of it
_VRF_NUMBER = rf"([0-9]{{2}}-(?:0[1-9]|1[0-2])-[{VRF_LETTERS}]{{5}})"
_VRF = re.compile(rf"(?<![0-9A-Z])VRF\s{{0,2}}#\s{{0,2}}{_VRF_NUMBER}(?![0-9A-Z])", re.IGNORECASE)
# What people write when they mean a number: no '#', another sign for it, or a stray word between.
_FORGIVING = re.compile(
    r"(?<![0-9A-Za-z])[Vv][Uu](?:\s{0,2}[-_:.=/\u2010-\u2015\u2116]?\s{0,2}|\s{0,2}[Nn][Oo]\.?\s{0,2})([1-9][0-9]{4,6})(?![0-9])"
)
_VRF_ARGUMENT = re.compile(rf"(?:VRF ?#)?{_VRF_NUMBER}", re.IGNORECASE | re.ASCII)
_ARGUMENT = re.compile(r"(?:VU ?#)?([1-9][0-9]{2,6})(?:\.([1-9][0-9]{0,3}))?", re.IGNORECASE | re.ASCII)

# White space that is also a control character separates; it must not glue two numbers together.
_BLANK_CONTROLS = re.compile(r"[\t\n\v\f\r\x85]")
# Controls, bidi marks and everything Unicode calls default-ignorable: nothing of it can be seen between two digits.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# Arabic ligatures become up to 18 characters each and none of them is in the grammar: not worth folding.
_LIGATURES = re.compile("[\ufb50-\ufdff]")


@dataclass(frozen=True, slots=True, order=True)
class VuId:
    """A case's number, or that of one vulnerability in it: VU#123456, VU#123456.1."""

    number: int
    vulnerability: int | None = None

    def __str__(self) -> str:
        return f"VU#{self.number}" if self.vulnerability is None else f"VU#{self.number}.{self.vulnerability}"

    @property
    def case(self) -> "VuId":
        """The case it belongs to: without the vulnerability's number."""
        return VuId(self.number)


def find(text: str) -> tuple[VuId, ...]:
    """Every different VU# in the text, in order of first appearance, by the exact grammar (testbook S20)."""
    return _unique(_VU, _fold(text))


def find_vrf(text: str) -> tuple[str, ...]:
    """Every different report number in the text, canonical (`VRF#25-01-BCDFG`), in order of first appearance."""
    return tuple(dict.fromkeys("VRF#" + found.upper() for found in _VRF.findall(_fold(text))))


def hints_only(text: str) -> tuple[VuId, ...]:
    """Numbers somebody may have meant (`VU-123456`, `VU 123456`) and that `find` does not give.

    A suggestion for a person. Nothing is routed by it unless another hint agrees.
    """
    folded = _fold(text)
    exact = {found.case for found in _unique(_VU, folded)}
    meant = dict.fromkeys(VuId(int(number)) for number in _FORGIVING.findall(folded))
    return tuple(vu for vu in meant if vu not in exact)


def parse_argument(text: str) -> VuId:
    """The VU# a person typed: `VU#123456` or `123456`. Raises `Refused` for anything else."""
    match = _ARGUMENT.fullmatch(text.strip())
    if match is None:
        raise Refused("a VU# is written VU#123456 or 123456")
    return _vu(match[1], match[2])


def parse_vrf_argument(text: str) -> str:
    """The VRF# a person typed: `VRF#26-11-BCDFG` or `26-11-BCDFG`, canonical. Raises `Refused` for anything else."""
    match = _VRF_ARGUMENT.fullmatch(text.strip())
    if match is None:
        raise Refused("a VRF# is written VRF#26-11-BCDFG or 26-11-BCDFG")
    return "VRF#" + match[1].upper()


def subject(vu: VuId, text: str) -> str:
    """The text as an outgoing subject: `[VU#n] ` in front, once, and no line break or control character in it."""
    line = _UNSEEN.sub("", _BLANK_CONTROLS.sub(" ", text)).replace("\u2028", " ").replace("\u2029", " ")
    tag = re.compile(rf"\s*\[\s*VU\s?#\s?{vu.number}\s*\]\s*", re.IGNORECASE)
    rest = " ".join(tag.sub(" ", line).split())
    return f"[{vu.case}] {rest}".rstrip()


def _unique(pattern: re.Pattern[str], folded: str) -> tuple[VuId, ...]:
    return tuple(_vu(number, vulnerability) for number, vulnerability in dict.fromkeys(pattern.findall(folded)))


def _vu(number: str, vulnerability: str | None) -> VuId:
    return VuId(int(number), int(vulnerability) if vulnerability else None)


def _fold(text: str) -> str:
    """NFKC without what cannot be seen.

    In short pieces: sorting a long run of combining marks costs NFKC quadratic time. No character of the grammar
    composes with another, so where a piece ends changes nothing of what the grammar finds.
    """
    text = _BLANK_CONTROLS.sub(" ", text)
    if not text.isascii():
        text = _LIGATURES.sub("\ufffd", text)
        pieces = (text[start : start + _PIECE] for start in range(0, len(text), _PIECE))
        text = "".join(unicodedata.normalize("NFKC", piece) for piece in pieces)
    return _UNSEEN.sub("", text)
