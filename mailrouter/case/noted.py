"""What letters say once readers have the note: where it is, how it may be passed on, what a new revision changes."""

from collections.abc import Sequence
from string import Template

from mailrouter.case.model import Case, Participant
from mailrouter.case.note import Edition

_PUBLISHED = "We published on $on: $url"
_REPORTED = "Thank you for your report, and for your patience with the coordination that it began."
_WORKED = "Thank you for working with us on it."
_NEUTRAL = "You take part in this case, and so we tell you."
SENTENCES = (_PUBLISHED, _REPORTED, _WORKED, _NEUTRAL)  # that letters may hold

SILENT = ("contacted", "undeliverable", "non-responsive")  # of these we have heard nothing, or nothing more


def address(notes_url: str, vu: int) -> str:
    """Where readers find the note: `https://notes.example/vuls/id/123456`."""
    return f"{notes_url.rstrip('/')}/vuls/id/{vu}"


def tlp(case: Case, *, confidential: bool) -> str:
    """AMBER before publication, CLEAR after; what somebody told us in confidence stays what it was."""
    return "TLP:CLEAR" if case.is_published and not confidential else "TLP:AMBER"


def words(case: Case, url: str) -> dict[str, str]:
    """What letters say of publication once it is done, in place of what was planned; nothing before."""
    if not case.is_published or case.published_at is None:
        return {}
    said = Template(_PUBLISHED).substitute(on=f"{case.published_at:%Y-%m-%d}", url=url)
    return {"planned": f"{case.published_at:%Y-%m-%d}", "publication": said, "when": said}


def thanks(one: Participant) -> str:
    """The reporter is thanked for the report, who worked with us for that; who was silent is told, and no more."""
    if one.is_reporter:
        return _REPORTED
    return _NEUTRAL if one.progress in SILENT else _WORKED


def cves(edition: Edition) -> str:
    """The note's CVE IDs, by number; '' when it has none."""
    return ", ".join(dict.fromkeys(one.cve for one in edition.note.vulnerabilities if one.cve))


def joined(parts: Sequence[str]) -> str:
    """Several causes as one line of the document's history, each once."""
    return "; ".join(dict.fromkeys(one.strip() for part in parts for one in part.split("; ") if one.strip()))
