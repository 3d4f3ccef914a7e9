"""A note as plain text, 72 columns wide: the signed copy, the preview, the draft that participants are sent.

Vendors' words stand verbatim behind a fence (`lines.fenced`), with what proves them under it; what we say of a vendor
stands outside the fence, apart from them. Of many vendors the silent ones are a list.
"""

from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap

from mailrouter.case import cwe
from mailrouter.case.formats import lines, wording
from mailrouter.case.formats.paths import csaf, json, page
from mailrouter.case.formats.publisher import Publisher
from mailrouter.case.note import IMPACT_UNKNOWN, NO_STATEMENT, Edition, Note, Vendor, Vulnerability
from mailrouter.case.status import STATUSES

DRAFT = "DRAFT, not published. TLP:AMBER"
CLEAR = "TLP:CLEAR"
_FENCED = f'The vendor\'s own words, verbatim: each line begins with "{lines.FENCE.strip()}"; "{lines.GOES_ON.strip()}"'
_FENCED += " goes on with the line above."


def of(shown: Edition | Note, publisher: Publisher, *, draft: str = "") -> str:
    """The note as text that ends with a newline; `draft` says which draft it is ("revision 1, draft 3").

    A `Note` was never published, and its first line says that it is a draft; so does an edition's with `draft`.
    """
    edition = shown if isinstance(shown, Edition) else None
    note = edition.note if edition else shown
    assert isinstance(note, Note)
    banner = ". ".join(filter(None, (DRAFT, lines.one(draft)))) if draft or not edition else CLEAR
    parts = [banner, *_sections(note), *_vendors(note), *_vulnerabilities(note), *_references(note)]
    parts += [*_history(edition, publisher)] if edition else []
    return "\n\n".join([*parts, _imprint(publisher)]) + "\n"


# ---- what analysts wrote ---------------------------------------------------------------------------------------------


def _sections(note: Note) -> Iterator[str]:
    yield _headed(f"{wording.case(note.vu)}: {note.sections.title}", "=")
    wanted = (
        ("Overview", note.sections.overview),
        ("Description", note.sections.description),
        ("Impact", note.sections.impact.strip() or IMPACT_UNKNOWN),
        ("Solution", note.sections.solution),
        ("Acknowledgements", note.sections.acknowledgements),
    )
    for heading, text in wanted:
        if text.strip():
            yield _headed(heading)
            yield lines.filled(text)


def _references(note: Note) -> Iterator[str]:
    if note.sections.references:
        yield _headed("References")
        yield _listed(note.sections.references)


# ---- vendors ---------------------------------------------------------------------------------------------------------


def _vendors(note: Note) -> Iterator[str]:
    if not note.vendors:
        return
    yield _headed("Vendor Information")
    yield _paragraph(_counted(note.vendors))
    if any(one.statement for one in note.vendors):
        yield _paragraph(_FENCED)
    for one in note.vendors:
        if _has_more(one):
            yield "\n\n".join(_vendor(note, one))
    quiet = [one for one in note.vendors if not _has_more(one)]
    if quiet:
        yield "We have not received a statement from these vendors:"
        yield from _quiet(quiet)


def _counted(vendors: Sequence[Vendor]) -> str:
    """3 vendors: 1 Affected, 2 Unknown."""
    counts = {status: sum(one.status == status for one in vendors) for status in STATUSES}
    named = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    return f"{len(vendors)} vendor{'s' * (len(vendors) > 1)}: {named}."


def _has_more(one: Vendor) -> bool:
    """Whether there is more to say of it than one line holds."""
    return bool(one.statement or one.addendum.strip() or one.links or any(said.fixed_in for said in one.statuses))


def _vendor(note: Note, one: Vendor) -> Iterator[str]:
    yield _headed(f"{lines.one(one.name)}: {one.status}", "-")
    yield "\n".join([_dates(one), *_statuses(note, one)])
    if one.statement:
        yield lines.fenced(one.statement.text)
        yield _paragraph(f"{wording.proved(one.statement)} {wording.digest(one.statement)}")
    else:
        yield NO_STATEMENT
    if one.addendum.strip():
        yield "Addendum, not the vendor's words:"
        yield lines.filled(one.addendum, "  ")
    if one.links:
        yield _listed(one.links)


def _dates(one: Vendor) -> str:
    spoke = one.statement.made_at if one.statement else None
    known = (("Notified", one.notified_at), ("Statement Date", spoke), ("Updated", one.updated_at))
    dates = [f"{name}: {wording.day(at)}" for name, at in known if at]
    return "\n".join([f"What happened: {wording.happened(one)}", *(["   ".join(dates)] if dates else [])])


def _statuses(note: Note, one: Vendor) -> Iterator[str]:
    """What it says of each vulnerability."""
    labels = {flaw.number: wording.label(note.vu, flaw) for flaw in note.vulnerabilities}
    for said in one.statuses:
        words = [f"{labels.get(said.number, said.number)}: {said.status}"]
        words += [f"fixed in {lines.one(said.fixed_in)}"] if said.fixed_in.strip() else []
        yield _paragraph("; ".join(words), "    ")


def _quiet(vendors: Iterable[Vendor]) -> Iterator[str]:
    """By status, a line each."""
    for status in STATUSES:
        rows = [f"  - {lines.one(one.name)}: {wording.happened(one)}" for one in vendors if one.status == status]
        if rows:
            yield "\n".join([f"{status}:", *(_paragraph(row, "    ") for row in rows)])


# ---- vulnerabilities -------------------------------------------------------------------------------------------------


def _vulnerabilities(note: Note) -> Iterator[str]:
    if note.vulnerabilities:
        yield _headed("Vulnerabilities")
    for one in note.vulnerabilities:
        yield "\n".join(_vulnerability(note.vu, one))


def _vulnerability(vu: int, one: Vulnerability) -> Iterator[str]:
    yield _paragraph(f"{wording.label(vu, one)}: {lines.one(one.title)}", "  ")
    facts = (
        ("Weakness", f"{one.cwe} {cwe.name(one.cwe)}".strip()),
        ("CVSS", one.cvss),
        ("CVE record by", one.assigner),
    )
    for name, value in facts:
        if value:
            yield _paragraph(f"  {name}: {lines.one(value)}", "    ")
    if one.text.strip():
        yield lines.filled(one.text, "  ")


# ---- the document ----------------------------------------------------------------------------------------------------


def _history(edition: Edition, publisher: Publisher) -> Iterator[str]:
    vu = edition.note.vu
    yield _headed("Other Information")
    facts = [
        ("CVE IDs", ", ".join(one.cve for one in edition.note.vulnerabilities if one.cve) or "none"),
        ("Date Public", wording.day(edition.public_at)),
        ("Date First Published", wording.day(edition.first_published_at)),
        ("Date Last Updated", wording.moment(edition.updated_at)),
        ("Document Revision", str(edition.number)),
    ]
    yield "\n".join(_paragraph(f"{name}: {value}", "    ") for name, value in facts)
    rows = [f"  {one.number}  {wording.day(one.at)}  {lines.one(one.why)}".rstrip() for one in edition.history]
    yield "\n".join(["Revisions:", *(_paragraph(row, " " * 17) for row in rows)])
    if publisher.url:
        yield _listed(f"{publisher.url}/{path}" for path in (page(vu), json(vu), csaf(edition)))


def _imprint(publisher: Publisher) -> str:
    """Who says all this, and how to reach us."""
    facts = (
        "-" * lines.WIDTH,
        publisher.name,
        publisher.address,
        publisher.phone,
        publisher.policy_url,
        publisher.key_url,
    )
    return "\n".join([*filter(None, facts), f"Key: {wording.key(publisher.fingerprint)}"])


# ---- on paper --------------------------------------------------------------------------------------------------------


def _headed(title: str, line: str = "-") -> str:
    words = _paragraph(lines.one(title))
    return words + "\n" + line * min(lines.WIDTH, max(map(len, words.split("\n"))))


def _paragraph(words: str, under: str = "") -> str:
    """Filled to the width; an address stays whole."""
    first = words[: len(words) - len(words.lstrip())]
    return "\n".join(
        wrap(
            words.strip(), lines.WIDTH, initial_indent=first, subsequent_indent=under, break_long_words=False,
            break_on_hyphens=False,
        )
    )  # fmt: skip


def _listed(addresses: Iterable[str]) -> str:
    return "\n".join(f"  {lines.one(one)}" for one in addresses)
