"""What a person types, checked and read before anything is done: numbers, dates, lines, files, mail addresses.

Everything refused here is wrong use (exit status 2), in one line that says what is allowed.
"""

import mimetypes
import re
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import click

from mailrouter import faults
from mailrouter.case import cveid, cvss, vuid
from mailrouter.mail.compose import wire_address
from mailrouter.mail.entity import Attachment

LONGEST_LINE = 300
YEARS = range(2000, 3000)
LARGEST_TEXT = 1024 * 1024  # bytes of a letter's text
LARGEST_FILES = 20 * 1024 * 1024  # bytes of all that goes along with one letter
# What reorders text is refused too: a reader would see another line than what was typed.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_CONTROLS_OF_PROSE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class _Typed(click.ParamType[Any], ABC):
    """Reads one value; a ValueError says why not."""

    @abstractmethod
    def read(self, value: str) -> Any:
        """The value a command works with."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Called by click."""
        if not isinstance(value, str):
            return value
        try:
            return self.read(value)
        except ValueError as trouble:
            self.fail(str(trouble), param, ctx)


class _Vulnerability(_Typed):
    name = "VU[.N]"

    def read(self, value: str) -> vuid.VuId:
        """A case's number, and perhaps that of one vulnerability in it."""
        try:
            return vuid.parse_argument(value)
        except faults.Refused:
            raise ValueError(
                "a vulnerability is written VU#123456.1, or VU#123456 where the case has only one"
            ) from None


class _Parsed(_Typed):
    """What a rule of another room reads; its refusal is what is said."""

    def __init__(self, name: str, rule: Callable[[str], Any]) -> None:
        self.name, self._rule = name, rule

    def read(self, value: str) -> Any:
        """The value, canonical."""
        try:
            return self._rule(value)
        except faults.Refused as trouble:
            raise ValueError(str(trouble)) from None


class _Line(_Typed):
    name = "text"

    def read(self, value: str) -> str:
        """Spaces collapsed."""
        line = " ".join(value.split())
        if not line or len(line) > LONGEST_LINE or _CONTROLS.search(line):
            raise ValueError(f"one line of text is wanted, without control characters, up to {LONGEST_LINE} characters")
        return line


class _Prose(_Typed):
    name = "text"

    def read(self, value: str) -> str:
        """As it is, without blank lines around."""
        text = value.replace("\r\n", "\n").strip("\n")
        if not text.strip() or _CONTROLS_OF_PROSE.search(text):
            raise ValueError("a text is wanted, in UTF-8 and without control characters")
        return text


class _Instant(_Typed):
    name = "time"

    def read(self, value: str) -> datetime:
        """UTC. A bare date is its midnight; a time of day needs its zone. No year to which days could not be added."""
        wanted = "write 2026-12-01 (UTC midnight) or, with a zone, 2026-12-01T09:30+01:00"
        try:
            instant = _instant(value)
        except (ValueError, OverflowError):
            raise ValueError(f"{value!r} is no date; {wanted}") from None
        if instant.tzinfo is None:
            raise ValueError(f"{value!r} has no zone; {wanted}")
        if instant.year not in YEARS:
            raise ValueError(f"{value!r} lies outside the years {YEARS[0]} to {YEARS[-1]}")
        return instant


def _instant(value: str) -> datetime:
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        return datetime.combine(date.fromisoformat(value), time(), UTC)
    instant = datetime.fromisoformat(value)
    return instant if instant.tzinfo is None else instant.astimezone(UTC)


class _DayOrInstant(_Typed):
    name = "date"

    def read(self, value: str) -> date:
        """A day alone stays one; a time of day may be without its zone, which is named apart."""
        try:
            read = date.fromisoformat(value) if len(value) == len("2026-12-31") else datetime.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{value!r} is no date; write 2026-12-31 or 2026-12-31T14:00+01:00") from None
        if read.year not in YEARS:
            raise ValueError(f"{value!r} lies outside the years {YEARS[0]} to {YEARS[-1]}")
        return read


def still_to_come(instant: datetime | None, now: datetime, option: str) -> None:
    """`Refused` for a date that is over, where only one to come makes sense."""
    if instant is not None and instant <= now:
        raise faults.Refused(f"{option} lies in the past: give a date that is still to come")


def over(instant: datetime | None, now: datetime, option: str, what: str) -> None:
    """`Refused` for a date that is still to come, of something that happened."""
    if instant is not None and instant > now:
        raise faults.Refused(f"{option} lies in the future: {what}")


class _KeyAndValue(_Typed):
    name = "KEY=VALUE"

    def read(self, value: str) -> tuple[str, str]:
        """Both; an empty value takes the key back."""
        key, equals, number = value.partition("=")
        if not equals or not key.strip():
            raise ValueError(f"{value!r} is not KEY=VALUE, such as follow_up_days=7 (follow_up_days= takes it back)")
        return key.strip(), number.strip()


class _Address(_Typed):
    name = "address"

    def read(self, value: str) -> str:
        """As it goes over the wire, in lower case."""
        try:
            return wire_address(value.strip()).casefold()
        except ValueError as trouble:
            raise ValueError(f"{value!r} is {trouble}") from None


class _Whom(_Typed):
    name = "name or address"

    def read(self, value: str) -> str:
        """A name, as a line; what holds an @ is an address."""
        return str((ADDRESS if "@" in value else LINE).read(value))


class _Domain(_Typed):
    name = "domain"

    def read(self, value: str) -> str:
        """In ASCII and lower case; a top-level domain alone is nobody's."""
        try:
            domain = wire_address(f"x@{value.strip()}").partition("@")[2].casefold()
        except ValueError:
            domain = ""
        if "." not in domain or domain.startswith("["):
            raise ValueError(f"{value!r} is not a mail domain, such as acme.example")
        return domain


class _Digits(_Typed):
    name = "hex"

    def read(self, value: str) -> str:
        """How a SHA-256 begins, in lower case."""
        digits = value.strip().lower()
        if not re.fullmatch(r"[0-9a-f]{8,64}", digits):
            raise ValueError("8 to 64 hexadecimal digits are wanted, as in `mailrouter note show` or `statement show`")
        return digits


class _Draft(_Typed):
    name = "revision"

    def read(self, value: str) -> tuple[int, int | None]:
        """A revision's number, and a draft's, if one is named."""
        found = re.fullmatch(r"([1-9][0-9]{0,5})(?:\.([1-9][0-9]{0,5}))?", value.strip())
        if not found:
            raise ValueError(f"{value!r} is no revision, such as 2, or 2.3 for its third draft")
        return int(found[1]), int(found[2]) if found[2] else None


class _Telephone(_Typed):
    name = "number"

    def read(self, value: str) -> str:
        """With its country, as it is written: +49 30 1234-56."""
        number = " ".join(value.split())
        if not re.fullmatch(r"\+[0-9][0-9 ()./-]{4,40}(?: ?(?:x|ext\.?) ?[0-9]{1,6})?", number):
            raise ValueError("a telephone number is written with its country, as +49 30 123456 or +1 555 0100 x12")
        return number


class _Fingerprint(_Typed):
    name = "fingerprint"

    def read(self, value: str) -> str:
        """40 upper-case hexadecimal digits."""
        digits = "".join(value.split()).upper().removeprefix("0X")
        if not re.fullmatch(r"[0-9A-F]{40}", digits):
            raise ValueError("a key is named by its fingerprint, 40 hexadecimal digits (`mailrouter vendor show`)")
        return digits


class _VuOrVrf(_Typed):
    name = "VU|VRF"

    def read(self, value: str) -> Any:
        """A case's number, or a report's in its canonical form."""
        try:
            return VRF.read(value)
        except ValueError:
            return VU.read(value)


VRF, VU_OR_VRF = _Parsed("VRF", vuid.parse_vrf_argument), _VuOrVrf()
VU = _Parsed("VU", lambda value: vuid.parse_argument(value).number)
LINE, PROSE, INSTANT = _Line(), _Prose(), _Instant()
DAY_OR_INSTANT = _DayOrInstant()
ADDRESS, DOMAIN, FINGERPRINT, TELEPHONE = _Address(), _Domain(), _Fingerprint(), _Telephone()
DIGITS, WHOM = _Digits(), _Whom()
NUMBER, DRAFT = _KeyAndValue(), _Draft()
VULNERABILITY, CVE, CWE = _Vulnerability(), _Parsed("CVE", cveid.read), _Parsed("CWE", cveid.read_cwe)
VECTOR = _Parsed("vector", lambda value: cvss.read(value).vector)
ID = click.IntRange(1, 2**63 - 1)
FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=True)  # opened by `content`, whose faults are ours

vu_argument = click.argument("vu", type=VU, metavar="VU")
vulnerability_argument = click.argument("one", type=VULNERABILITY, metavar="VU[.N]")
vrf_argument = click.argument("vrf", type=VRF, metavar="VRF")


def content(path: Path) -> bytes:
    """A file's bytes. `Refused` when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as trouble:
        raise faults.Refused(f"{path}: cannot be read ({trouble.strerror})") from None


def written(file: Path) -> str:
    """The text of a letter from a file, or from stdin for `-`. `Refused` unless it is text, and some."""
    raw = sys.stdin.buffer.read(LARGEST_TEXT + 1) if str(file) == "-" else content(file)
    if len(raw) > LARGEST_TEXT:
        raise faults.Refused(f"{file}: a letter's text may have {LARGEST_TEXT // 1024} KiB; send more as --attach")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise faults.Refused(f"{file}: is not UTF-8 text") from None
    if not text.strip():
        raise faults.Refused(f"{file}: there is nothing in it")
    return text


def attached(paths: Sequence[Path]) -> list[Attachment]:
    """The files that go along. `Refused` for one that cannot be read, or when they are too large together."""
    files = [Attachment(path.name, content(path), _media_type(path)) for path in paths]
    if sum(len(file.content) for file in files) > LARGEST_FILES:
        raise faults.Refused(f"the attachments are larger than {LARGEST_FILES // 2**20} MiB together")
    return files


def _media_type(path: Path) -> str:
    kind, encoding = mimetypes.guess_type(path.name)
    return kind if kind and not encoding else "application/octet-stream"
