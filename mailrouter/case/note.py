"""The Vulnerability Note as data: what an analyst approves, and what readers are given.

A `Note` is everything that is shown, frozen when a draft is made: sections, vulnerabilities, vendors with their
statements. Its canonical JSON has one SHA-256, and that is what is approved: a fact that changes later changes nothing
of it, and needs a new draft. Who is hidden is not in it at all. An `Edition` is a note with what only its publication
decides: number and dates.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from hashlib import sha256
from typing import Any

NO_STATEMENT = "We have not received a statement from the vendor."
IMPACT_UNKNOWN = "The complete impact of this vulnerability is not yet known."


@dataclass(frozen=True, slots=True)
class Sections:
    """What analysts write: Markdown, without raw HTML and without pictures."""

    title: str  # one line, plain
    overview: str
    description: str
    impact: str
    solution: str
    acknowledgements: str
    references: tuple[str, ...] = ()  # https addresses


@dataclass(frozen=True, slots=True)
class Vulnerability:
    """One of the case's: VU#123456.1."""

    number: int
    title: str
    cve: str  # CVE-2026-12345; '' none
    cve_source: str  # vendor | reserved | typed in; '' none
    assigner: str  # the CNA vendor whose record it is; '' ours, or none
    cwe: str  # CWE-79; '' unknown
    cvss: str  # vector; '' not scored
    text: str  # one paragraph, plain


@dataclass(frozen=True, slots=True)
class Statement:
    """A vendor's own text, to be shown verbatim, and what proves that it is theirs."""

    text: str
    made_at: datetime
    proof: str  # signed | mail | telephone: a good signature; vouched by an answer; vouched in a call
    proved_at: datetime  # signed: as made_at; else when it was confirmed
    fingerprint: str  # of the key; '' unless signed
    sha256: str  # of the bytes as they were signed or confirmed


@dataclass(frozen=True, slots=True)
class Status:
    """What one vendor says of one vulnerability."""

    number: int
    status: str  # Affected | Not Affected | Unknown; why so is no statement of theirs, and not published
    fixed_in: str


@dataclass(frozen=True, slots=True)
class Vendor:
    """One vendor that is named."""

    id: int  # the organisation's: products keep it through all revisions
    name: str
    progress: str  # what happened: lifecycle.PROGRESS
    status: str  # over all vulnerabilities: Affected > Not Affected > Unknown
    statuses: tuple[Status, ...]  # one for each vulnerability, by number
    notified_at: datetime | None
    updated_at: datetime | None
    statement: Statement | None
    addendum: str  # ours, Markdown
    links: tuple[str, ...]  # https addresses


@dataclass(frozen=True, slots=True)
class Note:
    """All that is shown, but for what its publication decides."""

    vu: int
    sections: Sections
    vulnerabilities: tuple[Vulnerability, ...]
    vendors: tuple[Vendor, ...]  # by name, casefolded
    public_at: datetime | None  # Date Public, when it was so before the note; None: with the note


@dataclass(frozen=True, slots=True)
class Revised:
    """One line of the document's history."""

    number: int
    at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Edition:
    """A note as it is published: revision `history[-1].number`, dated `history[-1].at`."""

    note: Note
    history: tuple[Revised, ...]  # from revision 1 to this one; never empty

    @property
    def number(self) -> int:
        """Document Revision."""
        return self.history[-1].number

    @property
    def first_published_at(self) -> datetime:
        """Date First Published."""
        return self.history[0].at

    @property
    def updated_at(self) -> datetime:
        """Date Last Updated."""
        return self.history[-1].at

    @property
    def public_at(self) -> datetime:
        """Date Public."""
        return min(self.note.public_at or self.first_published_at, self.first_published_at)


# ---- as it is kept ---------------------------------------------------------------------------------------------------


def to_json(note: Note) -> str:
    """Canonical ASCII JSON: the same note is the same text; times are ISO 8601 UTC."""
    return json.dumps(asdict(note), sort_keys=True, separators=(",", ":"), default=_instant)


def digest(content: str) -> str:
    """SHA-256 of a note's canonical JSON, 64 hexadecimal digits: what is approved."""
    return sha256(content.encode("ascii")).hexdigest()


def _instant(value: object) -> str:
    assert isinstance(value, datetime)
    return value.isoformat()


def from_json(content: str) -> Note:
    """The note that `to_json` wrote."""
    raw = json.loads(content)
    return Note(
        vu=raw["vu"],
        sections=Sections(**(raw["sections"] | {"references": tuple(raw["sections"]["references"])})),
        vulnerabilities=tuple(Vulnerability(**one) for one in raw["vulnerabilities"]),
        vendors=tuple(_vendor(one) for one in raw["vendors"]),
        public_at=_when(raw["public_at"]),
    )


def _vendor(raw: Mapping[str, Any]) -> Vendor:
    said = raw["statement"]
    return Vendor(
        **_timed(Vendor, raw) | {
            "statuses": tuple(Status(**one) for one in raw["statuses"]),
            "statement": Statement(**_timed(Statement, said)) if said else None,
            "links": tuple(raw["links"]),
        }
    )  # fmt: skip


def _timed(kind: Any, raw: Mapping[str, Any]) -> dict[str, Any]:
    times = {one.name for one in fields(kind) if one.name.endswith("_at")}
    return {name: _when(value) if name in times else value for name, value in raw.items()}


def _when(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None
