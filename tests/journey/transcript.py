"""A transcript in a document: what is typed, what is answered, which mails arrive and which letters leave.

Fenced blocks: `console` holds commands after `$ ` and their answers; `mail` is a mail that arrives, headers first;
`letter` is one of ours as its recipient reads it, To and Subject first, and a line of `…` alone stands for what is left
out. Dates count from the transcript's first day; VU# and VRF# are written as the transcript has them, and learned when
they are given. What differs from day to day (times, fingerprints, ids of letters) is compared by its shape.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

NUMBER = "174254"  # the case's, in the transcript
VRF = "26-03-KXMPT"  # the report's
FIRST_DAY = date(2026, 3, 2)
TIME = "09:30"  # at which everything is played
KEYS = {
    "ours": "7C1E5D2A90B34F68A1C70E3D5B9246F8E07D31AC",
    "acme": "2F96B08DC4E157A36D80F2951BE47CA35908D6E1",
    "jo": "B80473FE19DA62C5870E4FA91D36C25B7E90A84D",
}  # whose -> its fingerprint, in the transcript
_BLOCK = re.compile(r"(?ms)^```(console|mail|letter)\n(.*?)^```\n")
_DAY = re.compile(r"\b20\d\d-\d\d-\d\d(?!\d)")
_CUT = re.compile(r"VU#\d{1,5}…")  # a number at the end of a column
LEFT_OUT = "…"


@dataclass(frozen=True)
class Typed:
    """A command, and what the document says it answers."""

    command: str
    answer: str


@dataclass(frozen=True)
class Arrives:
    """A mail, as its sender's mail program showed it."""

    headers: dict[str, str]
    text: str


@dataclass(frozen=True)
class Leaves:
    """A letter of ours, as its recipient's mail program shows it."""

    to: str
    subject: str
    text: str

    def written(self) -> str:
        """As a block of a document."""
        return f"To: {self.to}\nSubject: {self.subject}\n\n{self.text.strip()}\n"

    def shows(self, sent: str) -> bool:
        """Is this the letter that was sent, but for what is left out?"""
        rest = shape(sent).split("\n")
        for part in re.split(rf"(?m)^{LEFT_OUT}$", self.text):
            wanted = shape(part).split("\n")
            at = next((n for n in range(len(rest)) if rest[n : n + len(wanted)] == wanted), None)
            if at is None:
                return False
            rest = rest[at + len(wanted) :]
        return not "".join(rest) or self.text.rstrip().endswith(LEFT_OUT)


Step = Typed | Arrives | Leaves


def steps(document: str) -> Iterator[Step]:
    """In their order."""
    for kind, content in _BLOCK.findall(document):
        if kind == "mail":
            yield _mail(content)
        elif kind == "letter":
            yield _letter(content)
        else:
            yield from (Typed(*_split(one)) for one in re.split(r"(?m)^\$ ", content)[1:])


def _split(one: str) -> tuple[str, str]:
    command, _, answer = one.partition("\n")
    return command, answer.strip("\n")


def _mail(content: str) -> Arrives:
    head, _, text = content.partition("\n\n")
    return Arrives(dict(line.split(": ", 1) for line in head.strip().splitlines()), text)


def _letter(content: str) -> Leaves:
    mail = _mail(content)
    return Leaves(mail.headers["To"], mail.headers["Subject"], mail.text)


@dataclass
class Here:
    """How the transcript's words are said today."""

    today: date
    words: dict[str, str] = field(default_factory=dict)  # of the transcript -> of this run
    keys: dict[str, str] = field(default_factory=dict)  # whose -> its fingerprint in this run
    times: frozenset[str] = frozenset()  # of day, those of this run

    def say(self, text: str) -> str:
        """The transcript's text, for this run."""
        for theirs, ours in self.words.items():
            text = text.replace(theirs, ours)
        return self._shifted(text, self.today - FIRST_DAY)

    def write_down(self, text: str) -> str:
        """This run's text, for the transcript."""
        for theirs, ours in self.words.items():
            text = text.replace(ours, theirs)
        for whose, fingerprint in self.keys.items():
            text = _as(text, fingerprint, KEYS[whose])
        for time in self.times:
            text = re.sub(rf"\b(20\d\d-\d\d-\d\d\s){time}\b", rf"\g<1>{TIME}", text)
        text = _CUT.sub(lambda found: f"VU#{NUMBER}"[: len(found[0]) - 1] + "…", text)
        text = text.replace(f"VRF#{self.today:%y-%m}-", f"VRF#{FIRST_DAY:%y-%m}-")
        return self._shifted(text, FIRST_DAY - self.today)

    @staticmethod
    def _shifted(text: str, by: timedelta) -> str:
        return _DAY.sub(lambda found: (date.fromisoformat(found[0]) + by).isoformat(), text)


def _as(text: str, fingerprint: str, other: str) -> str:
    """With the other one in its place, in the same groups, though a line ends within."""
    ours, theirs = (re.findall("....", one) for one in (fingerprint, other))
    into = "".join(f"{part}\\g<{n}>" for n, part in enumerate(theirs[:-1], 1)) + theirs[-1]
    return re.sub(r"(\s*)".join(ours), into, text)


SHAPES = (
    (re.compile(r"\b20\d\d-\d\d-\d\d(\s\d\d:\d\d)?"), "DATE"),
    (re.compile(r"\b[0-9a-f]{16}(?:[0-9a-f]{48})?\b"), "SHA256"),
    (re.compile(r"\bVRF#\d\d-\d\d-[A-Z]{5}\b"), "VRF"),
    (re.compile(r"\b(message-id +)\S+"), r"\1ID"),
    (re.compile(r"\+[a-z]+\d*\.[a-z0-9]{8,}@"), "+TOKEN@"),
    (re.compile(r"\bletter([ :])\d+"), r"letter\1N"),
    (re.compile(r"\b(letter N .*to .+ is) (queued|sent)"), r"\1 queued"),  # the daemon may be faster than the command
    (re.compile(r"-{3,}"), "---"),
    (re.compile(r" {2,}"), "  "),
    (re.compile(r" +$", re.MULTILINE), ""),
)


def shape(text: str) -> str:
    """Without what differs from run to run."""
    for pattern, stands_for in SHAPES:
        text = pattern.sub(stands_for, text)
    return text.strip("\n")


def written(document: str, answers: Sequence[str], letters: Sequence[Leaves]) -> str:
    """The document with these answers to its commands and these letters for its own, in their order."""
    answered, sent = iter(answers), iter(letters)

    def block(found: re.Match[str]) -> str:
        if found[1] == "mail":
            return found[0]
        if found[1] == "letter":
            return f"```letter\n{next(sent).written()}```\n"
        typed = [Typed(*_split(one)).command for one in re.split(r"(?m)^\$ ", found[2])[1:]]
        told = [f"$ {command}\n" + (f"{answer}\n" if (answer := next(answered)) else "") for command in typed]
        return "```console\n" + "\n".join(told) + "```\n"

    return _BLOCK.sub(block, document)
