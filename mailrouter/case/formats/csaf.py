"""A note as a CSAF 2.0 document (docs.oasis-open.org/csaf/csaf/v2.0): valid, with its mandatory tests, for any note.

We are a coordinator: what vendors say is theirs, and who never answered has an involvement but no product status. Such
a note, or one without vulnerabilities, cannot have the profile of a security advisory, and has the base profile. Ids
are made from the case's and the organisations' numbers, so that they stay through all revisions.
"""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from mailrouter.case.formats import csafflaws, lines, paths, wording
from mailrouter.case.formats.publisher import Publisher
from mailrouter.case.note import IMPACT_UNKNOWN, Edition, Note, Revised, Vendor

Json = dict[str, Any]

_ADVISORY, _BASE = "csaf_security_advisory", "csaf_base"
_DISTRIBUTION = {  # 2.0 knows TLP 1.0 only, whose WHITE is today's CLEAR
    "text": "TLP:CLEAR. This document may be shared without restriction.",
    "tlp": {"label": "WHITE", "url": "https://www.first.org/tlp/"},
}
_URI_CHARACTERS = "%-._~:/?#@!$&'()*+,;="
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_URI = re.compile(r"https?://[^/?#:@\s]+(?::[0-9]{1,5})?(?:[/?][^#\s]*)?(?:#[^#\s]*)?")


def document(edition: Edition, publisher: Publisher) -> Json:
    """The whole document, its keys sorted (6.2.13)."""
    flaws = csafflaws.of(edition, publisher.called)
    told = {"vulnerabilities": flaws} if flaws else {}
    tree = csafflaws.tree(edition.note.vendors, flaws)
    whole = {"document": _document(edition, publisher, _profile(flaws))} | tree | told
    found: Json = json.loads(json.dumps(whole, sort_keys=True))
    return found


def uri(address: str) -> str:
    """The address with all that a URI cannot hold percent-encoded; '' for what is none even so."""
    encoded = _STRAY_PERCENT.sub("%25", quote(address.strip(), safe=_URI_CHARACTERS))
    return encoded if _URI.fullmatch(encoded) else ""


def _profile(flaws: list[Json]) -> str:
    """An advisory says of each vulnerability which products have it (6.1.27.4 to 6.1.27.6, 6.1.27.11)."""
    return _ADVISORY if flaws and all("product_status" in one for one in flaws) else _BASE


def _document(edition: Edition, publisher: Publisher, profile: str) -> Json:
    note = edition.note
    thanks = [{"summary": note.sections.acknowledgements}] if note.sections.acknowledgements.strip() else []
    references = list(_references(edition, publisher))
    return {
        "category": profile,
        "csaf_version": "2.0",
        "distribution": _DISTRIBUTION,
        "lang": "en",
        "title": note.sections.title.strip() or wording.case(note.vu),
        "publisher": _publisher(publisher),
        "notes": csafflaws.unique(_notes(note)),
        "tracking": _tracking(edition),
    } | {name: found for name, found in (("acknowledgments", thanks), ("references", references)) if found}


def _publisher(publisher: Publisher) -> Json:
    ways = (publisher.address, publisher.phone, publisher.policy_url)
    return {
        "category": "coordinator",
        "name": publisher.called,
        "namespace": uri(publisher.url) or uri(f"https://{publisher.domain}"),
        "contact_details": ", ".join(filter(None, ways)),
    }


def _tracking(edition: Edition) -> Json:
    return {
        "id": wording.case(edition.note.vu),
        "status": "final",
        "version": str(edition.number),
        "initial_release_date": wording.stamp(edition.first_published_at),
        "current_release_date": wording.stamp(edition.updated_at),
        "revision_history": [_revision(one) for one in edition.history],
        "generator": {"engine": {"name": "mailrouter"}},
    }


def _revision(one: Revised) -> Json:
    said = one.why.strip() or ("First published" if one.number == 1 else "Revised")
    return {"number": str(one.number), "date": wording.stamp(one.at), "summary": said}


def _references(edition: Edition, publisher: Publisher) -> Iterator[Json]:
    """Ourselves first, under the canonical address; then the note's; then the vendors'."""
    vu, sections = edition.note.vu, edition.note.sections
    ours = (("CSAF document", paths.csaf(edition)), ("Vulnerability Note", paths.page(vu))) if publisher.url else ()
    yield from (_reference("self", name, f"{publisher.url}/{path}") for name, path in ours)
    theirs = [(one, one) for one in sections.references]
    theirs += [(vendor.name, one) for vendor in edition.note.vendors for one in vendor.links]
    yield from (_reference("external", name, address) for name, address in theirs if uri(address))


def _reference(category: str, summary: str, address: str) -> Json:
    return {"category": category, "summary": summary.strip() or address, "url": uri(address)}


# ---- what it says in words -------------------------------------------------------------------------------------------


def _notes(note: Note) -> Iterator[Json]:
    sections = note.sections
    wanted = (
        ("summary", "Overview", sections.overview),
        ("description", "Description", sections.description),
        ("general", "Impact", sections.impact if sections.impact.strip() else IMPACT_UNKNOWN),
        ("general", "Solution", sections.solution),
    )
    yield from (_note(*one) for one in wanted if one[2].strip())
    for vendor in note.vendors:
        yield from _vendor(vendor)


def _vendor(one: Vendor) -> Iterator[Json]:
    """Its own words, and apart from them what proves them and what we add."""
    name = lines.one(one.name)
    if one.statement and one.statement.text.strip():
        yield _note("other", f"Vendor Statement: {name}", one.statement.text)
        proof = f"{wording.proved(one.statement)} {wording.digest(one.statement)}"
        yield _note("other", f"What proves the Vendor Statement: {name}", proof)
    if one.addendum.strip():
        yield _note("other", f"Addendum, not the vendor's words: {name}", one.addendum)


def _note(category: str, title: str, text: str) -> Json:
    return {"category": category, "title": title, "text": text}
