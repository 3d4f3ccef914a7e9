"""What a new revision would change for readers, in the words of its published history.

Only what readers would look for is a change: that a participant was heard again, or a date of ours moved, is none.
Whoever is in the note no more is not named: they may want to be hidden.
"""

from collections.abc import Iterable, Iterator

from mailrouter.case.note import Note, Statement, Status, Vendor, Vulnerability
from mailrouter.case.status import UNKNOWN

HIDDEN = "Vendor information updated"


def changes(before: Note, after: Note) -> list[str]:
    """Each once, vulnerabilities first; [] when readers would see nothing new."""
    return list(dict.fromkeys([*_vulnerabilities(before, after), *_vendors(before, after), *_dates(before, after)]))


def without(why: str, before: Iterable[Note], now: Note) -> str:
    """A line of the history that names nobody who was in the note once and is in it no more."""
    gone = {one.name for note in before for one in note.vendors} - {one.name for one in now.vendors}
    parts = [HIDDEN if any(name in part for name in gone) else part for part in why.split("; ")]
    return "; ".join(dict.fromkeys(parts))


def _vulnerabilities(before: Note, after: Note) -> Iterator[str]:
    known = {one.number: one for one in before.vulnerabilities}
    for one in after.vulnerabilities:
        name = f"VU#{after.vu}.{one.number}"
        was = known.get(one.number)
        yield from _vulnerability(name, was, one) if was else [f"{name} added"]


def _vulnerability(name: str, was: Vulnerability, now: Vulnerability) -> Iterator[str]:
    if was.cve != now.cve:
        yield f"{now.cve or was.cve} {'added' if not was.cve else 'removed' if not now.cve else 'replaces ' + was.cve}"
    for what, old, new in (("CWE", was.cwe, now.cwe), ("CVSS score", was.cvss, now.cvss)):
        if old != new:
            yield f"{what} of {name} {_verb(old, new)}"
    if (was.title, was.text) != (now.title, now.text):
        yield f"Description of {name} updated"


def _vendors(before: Note, after: Note) -> Iterator[str]:
    known = {one.id: one for one in before.vendors}
    for one in after.vendors:
        was = known.pop(one.id, None)
        yield from _vendor(was, one) if was else [f"{one.name} added"]
    if known:
        yield HIDDEN


def _vendor(was: Vendor, now: Vendor) -> Iterator[str]:
    if _text(was.statement) != _text(now.statement):
        yield f"Statement of {now.name} {_verb(was.statement, now.statement)}"
    if _said(was) != _said(now):
        yield f"Status of {now.name} updated"
    if (was.addendum, was.links) != (now.addendum, now.links):
        yield f"Addendum on {now.name} {_verb(was.addendum or was.links, now.addendum or now.links)}"


def _said(one: Vendor) -> list[Status]:
    """What they say of anything: of what nobody asked them yet, they say nothing."""
    return [said for said in one.statuses if (said.status, said.fixed_in) != (UNKNOWN, "")]


def _text(one: Statement | None) -> tuple[str, str] | None:
    return (one.sha256, one.proof) if one else None


def _verb(old: object, new: object) -> str:
    return "removed" if not new else "updated" if old else "added"


def _dates(before: Note, after: Note) -> Iterator[str]:
    if before.public_at is not None and before.public_at != after.public_at:  # None: public with the note
        yield "Date Public corrected"
