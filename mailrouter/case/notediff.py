"""What changed from one draft of a note to another, as people read it: its text, and its facts line by line."""

from collections.abc import Iterator
from datetime import datetime
from difflib import unified_diff

from mailrouter.case.note import Note, Statement, Vendor, Vulnerability


def text(before: str, after: str, names: tuple[str, str]) -> str:
    """A unified diff of two files of a note; '' when they are the same."""
    return "\n".join(unified_diff(before.split("\n"), after.split("\n"), *names, lineterm=""))


def facts(before: Note | None, after: Note, names: tuple[str, str]) -> str:
    """The same of what is known besides the text: vulnerabilities, vendors, dates."""
    old = list(_facts(before)) if before else []
    return "\n".join(unified_diff(old, list(_facts(after)), *names, lineterm="", n=1))


def changed(before: Note, after: Note) -> list[str]:
    """The lines that are not in the one before, or no more in this: `+ …` and `- …`."""
    lines = list(unified_diff(list(_facts(before)), list(_facts(after)), lineterm="", n=0))[2:]  # without its head
    return [f"{line[0]} {line[1:]}" for line in lines if line[0] in "+-"]


def _facts(note: Note) -> Iterator[str]:
    if note.public_at:
        yield f"public since {_when(note.public_at)}"
    for one in note.vulnerabilities:
        yield from _vulnerability(note, one)
    for vendor in note.vendors:
        yield from _vendor(note, vendor)


def _vulnerability(note: Note, one: Vulnerability) -> Iterator[str]:
    name = f"VU#{note.vu}.{one.number}"
    yield f"{name}: {one.title}"
    assigner = f" by {one.assigner}" if one.assigner else ""
    yield f"{name}: CVE {one.cve or 'none'}{f', {one.cve_source}' if one.cve_source else ''}{assigner}"
    yield from (f"{name}: {what} {said}" for what, said in (("CWE", one.cwe), ("CVSS", one.cvss)) if said)
    yield from (f"{name}: | {line}" for line in one.text.split("\n") if one.text)


def _vendor(note: Note, one: Vendor) -> Iterator[str]:
    dates = (("notified", one.notified_at), ("updated", one.updated_at))
    told = ", ".join(f"{what} {_when(at)}" for what, at in dates if at)
    yield f"{one.name}: {one.status}, {one.progress}{f', {told}' if told else ''}"
    for said in one.statuses:
        more = f"; fixed in {said.fixed_in}" if said.fixed_in else ""
        yield f"{one.name}: VU#{note.vu}.{said.number} {said.status}{more}"
    yield from _statement(one.name, one.statement)
    yield from (f"{one.name}: addendum | {line}" for line in one.addendum.split("\n") if one.addendum)
    yield from (f"{one.name}: link {link}" for link in one.links)


def _statement(name: str, one: Statement | None) -> Iterator[str]:
    if one is None:
        yield f"{name}: no statement"
        return
    proof = (
        f"signed by {one.fingerprint}" if one.proof == "signed" else f"vouched by {one.proof} {_when(one.proved_at)}"
    )
    yield f"{name}: statement of {_when(one.made_at)}, {proof}, SHA-256 {one.sha256[:16]}"
    yield from (f"{name}: statement | {line}" for line in one.text.split("\n"))


def _when(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
