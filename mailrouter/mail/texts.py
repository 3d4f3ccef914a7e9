"""The letters' texts: reading them, checking them, filling them.

A text is a file NAME.txt: the line `Subject: …`, a blank line, then the body, with `$placeholders`. What this module
promises: a text that loads can be filled; a value is only ever data, whatever it holds; and no value can add a header,
a line where one line is meant, or a character that reorders what is read (testbook S32).

The body is made of paragraphs. `$body`, `$quoted`, `$items`, `$waiting`, `$due`, `$details`, `$answer_form` and
`$embargo_form` alone in one take text with lines of its own. A paragraph that begins with `$`, a space or `-` keeps its
lines, and a line whose placeholders are all empty is left out. Any other flows anew to 72 columns.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template
from textwrap import fill

from mailrouter.faults import Refused

WIDTH = 72
LONGEST_VALUE = 300  # characters a one-line value may have; longer ones are cut
LARGEST_FILE = 64 * 1024  # bytes

_BREAKS = "\n\v\f\x1c\x1d\x1e\x85\u2028\u2029"  # all that str.splitlines, a mail program or a terminal may break at
_BIDI_MARKS = "\u061c\u200e\u200f"
_BIDI_ORDERS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_UNSEEN = "\u200b\u2060\ufeff\u00ad"
_CONTROLS = "".join(map(chr, [*range(9), *range(0x0E, 0x1C), 0x1F, 0x7F, *range(0x80, 0x85), *range(0x86, 0xA0)]))
_SURROGATES = re.compile("[\ud800-\udfff]")
_ONE_LINE = str.maketrans(
    dict.fromkeys(_BREAKS + "\r\t\u00a0", " ") | dict.fromkeys(_CONTROLS + _BIDI_MARKS + _BIDI_ORDERS + _UNSEEN, "")
)
_BLOCK = str.maketrans(dict.fromkeys(_BREAKS, "\n") | dict.fromkeys(_CONTROLS + _BIDI_ORDERS + "\ufeff", ""))


def one_line(value: str, longest: int = LONGEST_VALUE) -> str:
    """The value as one line of visible characters, white space collapsed, cut at `longest` characters."""
    line = " ".join(_SURROGATES.sub("\ufffd", value).translate(_ONE_LINE).split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def block(value: str) -> str:
    """The value as lines ended by LF: no control but the tab, no bidi override, no blank line at either end.

    Marks that only say which way a letter runs (U+200E, U+200F, U+061C) stay: Hebrew and Arabic need them.
    """
    text = _SURROGATES.sub("\ufffd", value.replace("\r\n", "\n").replace("\r", "\n")).translate(_BLOCK)
    return "\n".join(line.rstrip(" \t") for line in text.split("\n")).strip("\n")


def listing(rows: Iterable[Sequence[str]], most: int = 200) -> str:
    """Rows for a notice, one a line, cells two spaces apart; beyond `most` only their number."""
    lines = ["  ".join(filter(None, map(one_line, row))) for row in rows]
    more = len(lines) - most
    return "\n".join([*lines[:most], f"… and {more} more"] if more > 0 else lines)


@dataclass(frozen=True, slots=True)
class Letter:
    """What the program knows of a letter: the values it gives, those the body must show, whether a robot sends it."""

    fields: frozenset[str]
    must: frozenset[str]
    automatic: bool


_OURS = ("organisation", "address", "phone", "fingerprint", "key_url", "policy_url")
_CASE = ("vu", "tlp", "vendor", "analyst", "planned", "publication", "when", "keep", "embargo_form")
_NOTICE = ("organisation", "analyst")


def _to_participant(*fields: str, must: str = "", automatic: bool = False) -> Letter:
    # without its VU# the answer to a letter cannot be routed
    return Letter(frozenset([*_OURS, *_CASE, *fields]), frozenset(["vu", *must.split()]), automatic)


def _notice(*fields: str, must: str = "") -> Letter:
    return Letter(frozenset([*_NOTICE, *fields]), frozenset(must.split()), automatic=True)


_DETAILS = ("details", "version", "files")
_TOLD = ("received", "sender", "proved", "becomes", "missing", "remedy", "sha256", "quoted")

_REPORT = ("vrf", "analyst", "received")


def _to_reporter(*fields: str, must: str = "", automatic: bool = False) -> Letter:
    """A letter about a report, before there is a case: without its VRF# the answer cannot be routed."""
    return Letter(frozenset([*_OURS, *_REPORT, *fields]), frozenset(["vrf", *must.split()]), automatic)


LETTERS: Mapping[str, Letter] = {
    "notification": _to_participant(
        "embargo_days", "details_later", "how_clear_text", "answer_form", *_DETAILS, must="details"
    ),
    "details": _to_participant("replaces", "answer_form", *_DETAILS, must="details"),
    "follow-up-1": _to_participant("asked", "asked_on", "heard", "perhaps", "answer_form", automatic=True),
    "follow-up-2": _to_participant("asked", "asked_on", "heard", "perhaps", "answer_form", automatic=True),
    "follow-up-other": _to_participant("asked", "asked_on", "heard", "perhaps", automatic=True),
    "embargo-proposed": _to_participant("asks", "proposed", "until_now", "shorter", "answer_by", must="proposed"),
    "embargo-changed": _to_participant("ends", "said", must="ends said"),
    "embargo-stands": _to_participant("proposed", "until_now", must="proposed until_now"),
    "embargo-ended": _to_participant("ends", "known", "next", must="ends next"),
    "draft": _to_participant("draft", "cves", "replaces", "items", "body", must="planned body"),
    "publication-reminder": _to_participant(must="planned", automatic=True),
    "downstream-alert": _to_participant(must="planned", automatic=True),
    "not-published": _to_participant(),
    "key-expires": _to_participant("their_key", "expires_on", must="their_key expires_on", automatic=True),
    "write": _to_participant("body", must="body"),
    "receipt": _to_participant(*_TOLD, must="proved becomes quoted remedy", automatic=True),
    "statement-held": _to_participant(*_TOLD, must="received missing remedy", automatic=True),
    "voucher": _to_participant("received", "sha256", "quoted", must="sha256 quoted"),
    "reply": _to_participant("body", "quoted", must="body"),
    "report-ask": _to_reporter("body", "quoted", must="body"),
    "report-accepted": _to_participant("embargo_days", "vrf", "received", "named", "credited", must="named credited"),
    "report-declined": _to_reporter("because", "body", "way_1", "way_2", "way_3", must="because way_1"),
    "relay": _to_participant("pseudonym", "wanted", "note", "files", "quoted", must="pseudonym quoted"),
    "cve-ask": _to_participant("items", must="items"),
    "cve-assigned": _to_participant("items", must="items"),
    "cve-record-ask": _to_participant("cve", "note", must="cve"),
    "cve-record-reminder": _to_participant("cve", "note", must="cve", automatic=True),
    "published": _to_participant("url", "revision", "published_on", "cves", "thanks", must="url"),
    "revised": _to_participant("url", "revision", "published_on", "cves", "changed", must="url changed"),
    "own-key-changed": _to_participant("old_fingerprint", must="fingerprint old_fingerprint"),
    # of a case, a sender or a mail it knows nothing: then it can say nothing of them (testbook S23, S24); its number is
    # random, and every mail that is acknowledged has one
    "acknowledgement": Letter(frozenset([*_OURS, "vrf"]) - {"fingerprint"}, frozenset(), automatic=True),
    "analyst-arrival": _notice("items", must="items"),
    "analyst-item": _notice("item", "items", "answer_to", must="items answer_to"),
    "analyst-items": _notice("item", "count", "items", must="items"),
    "analyst-refused": _notice("item", "number", "reason", "received", must="item reason"),
    "analyst-transcript": _notice("item", "number", "received", "items", "answer_to", must="items"),
    "analyst-digest": _notice("date", "waiting", "due", must="waiting due"),
    "analyst-away": _notice("away", "until", "items", must="away items"),
    "operator-alarm": _notice("node", "since", "alarm", "details", must="alarm"),
}


# What letters that ask the four questions end with: mail/answerform.py reads the five lines when they are filled in.
ANSWER_FORM = """\
You may answer in these lines too, as far as you can. "Affected" is one
of: yes, no, not a vulnerability, unknown. Dates are best written as
2026-12-31.

Affected:
Why not:
Fixed in:
Fix expected:
We need:"""

# What letters about the embargo end with: the one line is read likewise.
EMBARGO_FORM = """\
You may answer in this line. It is one of: accept, decline; or another
date, such as 2026-12-31.

Embargo:"""


@dataclass(frozen=True, slots=True)
class Filled:
    """A letter ready to be made a mail of. `body` has LF line ends and no blank line at either end."""

    subject: str  # the neutral phrase; the VU# comes before it (compose.subject)
    body: str
    automatic: bool


@dataclass(frozen=True, slots=True)
class Text:
    """One loaded and checked text."""

    name: str
    subject: str
    body: str

    @property
    def placeholders(self) -> frozenset[str]:
        """The names of the values it shows."""
        return frozenset(Template(f"{self.subject}\n{self.body}").get_identifiers())

    def fill(self, values: Mapping[str, str]) -> Filled:
        """The letter with these values.

        Raises KeyError naming a placeholder for which the caller gave none, except optional free text: that is empty.
        """
        optional = dict.fromkeys(_FREE_TEXT - LETTERS[self.name].must, "")
        whole = optional | dict(values)
        lines = _lines(whole)
        subject = Template(self.subject).substitute(lines)
        paragraphs = [_paragraph(part, whole, lines) for part in re.split(r"\n{2,}", self.body.strip("\n"))]
        return Filled(one_line(subject), "\n\n".join(filter(None, paragraphs)), LETTERS[self.name].automatic)


_FREE_TEXT = frozenset(  # values with lines of their own
    {"body", "quoted", "items", "waiting", "due", "details", "answer_form", "embargo_form"}
)
_FREE = re.compile(rf"\$\{{?({'|'.join(sorted(_FREE_TEXT))})\}}?")


def _lines(values: Mapping[str, str]) -> dict[str, str]:
    return {name: one_line(value) for name, value in values.items()}


def _paragraph(text: str, values: Mapping[str, str], on_one_line: Mapping[str, str]) -> str:
    if free := _FREE.fullmatch(text):
        return block(values[free[1]])
    lines = text.split("\n")
    if text[0] in "$ -":
        return "\n".join(filter(None, (_kept(line, on_one_line) for line in lines)))
    return _fill(" ".join(Template(line).substitute(on_one_line) for line in lines))


def _kept(line: str, values: Mapping[str, str]) -> str:
    template = Template(line)
    names = template.get_identifiers()
    if names and not any(values[name] for name in names):
        return ""
    lead = line[: len(line) - len(line.lstrip(" -"))]
    return _fill(template.substitute(values)[len(lead) :], lead)


def _fill(text: str, lead: str = "") -> str:
    """Wrapped to 72 columns behind `lead`; a word, an address or a URL is never broken."""
    hang = " " * len(lead)
    return fill(
        text, WIDTH, initial_indent=lead, subsequent_indent=hang, break_long_words=False, break_on_hyphens=False
    )


# -- reading ----------------------------------------------------------------------------------------------------------


def shipped() -> Traversable:
    """The folder of the texts that come with the program."""
    return files("mailrouter.mail").joinpath("letters")


def read(replacing: Path | None = None, own: Traversable | None = None) -> Mapping[str, Text]:
    """All texts by name, each from `replacing` (the setting `letters_dir`) if the file is there, else our own.

    Raises Refused, naming the file and what is wrong with it: also for a file that replaces nothing, most likely a
    misspelt name.
    """
    own = own or shipped()
    if replacing is None:
        return {name: _read(name, own.joinpath(f"{name}.txt")) for name in LETTERS}
    if not replacing.is_dir():
        raise Refused(f"letters_dir: {replacing} is not a folder")
    for stray in sorted(replacing.glob("*.txt")):
        if stray.stem not in LETTERS:
            raise Refused(f"letters_dir: {stray.name} replaces no letter; there are {', '.join(LETTERS)}")
    places = {name: replacing / f"{name}.txt" for name in LETTERS}
    return {
        name: _read(name, place if place.is_file() else own.joinpath(f"{name}.txt")) for name, place in places.items()
    }


def _read(name: str, place: Traversable) -> Text:
    with place.open("rb") as file:
        data = file.read(LARGEST_FILE + 1)
    try:
        text = data.decode("utf-8-sig") if len(data) <= LARGEST_FILE else ""
    except UnicodeDecodeError:
        raise Refused(f"{place}: is not UTF-8") from None
    if not text:
        raise Refused(f"{place}: is empty or larger than {LARGEST_FILE} bytes")
    return parse(name, text, str(place))


def parse(name: str, text: str, place: str) -> Text:
    """A text out of a file's content. Raises Refused, naming `place` and what is wrong."""
    header, _, body = block(text).partition("\n\n")
    if not header.startswith("Subject: ") or "\n" in header:
        raise Refused(f"{place}: must begin with one line 'Subject: …' and a blank line")
    loaded = Text(name, header.removeprefix("Subject: ").strip(), body)
    _check(loaded, place)
    return loaded


def _check(text: Text, place: str) -> None:
    letter = LETTERS[text.name]
    if not Template(f"{text.subject}\n{text.body}").is_valid():
        raise Refused(f"{place}: a '$' that begins no placeholder; write '$$' for the sign itself")
    if unknown := sorted(text.placeholders - letter.fields):
        raise Refused(f"{place}: unknown placeholder ${unknown[0]}; there are {', '.join(sorted(letter.fields))}")
    if missing := sorted(letter.must - frozenset(Template(text.body).get_identifiers())):
        raise Refused(f"{place}: the body must show ${missing[0]}")
    if "statement" in text.subject.lower():
        # DOMAIN.md: an answer whose subject says so is taken for a Vendor Statement, and answers repeat our subject
        raise Refused(f"{place}: the subject must not say 'statement'; every answer would be taken for one")
