"""The vulnerabilities of a CSAF 2.0 document, and the products that they name.

Of a vendor we know its name and, at best, what a fix is called: its products stand as one, "unspecified", and each fix
as a version of its own. A product's id is made from the organisation's number, a fix's also from its words.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Any

from mailrouter.case import cvss, cwe
from mailrouter.case.formats import lines, wording
from mailrouter.case.note import Edition, Status, Vendor, Vulnerability
from mailrouter.case.status import AFFECTED, NOT_AFFECTED, UNKNOWN
from mailrouter.case.vuid import VuId

Json = dict[str, Any]

_CVE = re.compile(r"CVE-[0-9]{4}-[0-9]{4,}")
_INVOLVED = {  # progress -> involvement; "open" says no more than that they know of it
    "suspected": "not_contacted",
    "not contacted": "not_contacted",
    "contacted": "contact_attempted",
    "undeliverable": "contact_attempted",
    "acknowledged": "open",
    "answered": "open",
    "disputed": "disputed",
    "non-responsive": "contact_attempted",
}
_ANSWERED = ("answered", "disputed")
# In the name of a product_version these would make it a range (6.1.31); such a fix is called a patch level.
_RANGE = re.compile(r"[<>]|after|all|before|earlier|later|prior|versions", re.IGNORECASE)

# Not given: calculators of version 3.0 round these apart (6.1.9), and the vector says the same.
_DERIVED = re.compile(r"(?:temporal|environmental)(?:Score|Severity)")


def of(edition: Edition, publisher: str) -> list[Json]:
    """Each vulnerability of the note; a CVE ID is given once (6.1.23)."""
    found: list[Json] = []
    for one in edition.note.vulnerabilities:
        taken = {flaw.get("cve") for flaw in found}
        found.append(_flaw(edition, one, publisher, new=one.cve not in taken))
    return found


def tree(vendors: Sequence[Vendor], flaws: Sequence[Json]) -> Json:
    """`product_tree` with every product that a vulnerability names and no other; nothing when there is none."""
    named = {key for flaw in flaws for keys in flaw.get("product_status", {}).values() for key in keys}
    branches = [_branch(one, named) for one in vendors if product(one) in named]
    return {"product_tree": {"branches": branches}} if branches else {}


def unique(rows: Iterable[Json]) -> list[Json]:
    """Those that were not there before: no list of CSAF has an item twice."""
    return list({json.dumps(one, sort_keys=True): one for one in rows}.values())


def product(vendor: Vendor, fixed_in: str = "") -> str:
    """The id of a vendor's products, or of the one that is fixed."""
    words = " ".join(fixed_in.split())
    return f"CSAFPID-{vendor.id}" + (f"-{sha256(words.encode()).hexdigest()[:12]}" if words else "")


# ---- products --------------------------------------------------------------------------------------------------------


def _branch(vendor: Vendor, named: set[str]) -> Json:
    name = lines.one(vendor.name)
    fixes = {product(vendor, one.fixed_in): lines.one(one.fixed_in) for one in vendor.statuses if one.fixed_in.strip()}
    versions = [_version(name, key, words) for key, words in fixes.items() if key in named]
    unspecified = _leaf("product_name", f"{name} products (unspecified)", product(vendor))
    fixed = {"category": "product_name", "name": f"{name} products", "branches": versions}
    return {"category": "vendor", "name": name, "branches": [unspecified, *([fixed] if versions else [])]}


def _version(vendor: str, key: str, words: str) -> Json:
    category = "patch_level" if _RANGE.search(words) else "product_version"
    return _leaf(category, words, key, f"{vendor} products, fixed in {words}")


def _leaf(category: str, name: str, key: str, full: str = "") -> Json:
    return {"category": category, "name": name, "product": {"product_id": key, "name": full or name}}


# ---- one vulnerability -----------------------------------------------------------------------------------------------


def _flaw(edition: Edition, one: Vulnerability, publisher: str, *, new: bool) -> Json:
    vendors = [(vendor, _status(vendor, one.number)) for vendor in edition.note.vendors]
    affected = [product(vendor) for vendor, said in vendors if said.status == AFFECTED]
    named = one.cve if new and _CVE.fullmatch(one.cve) else ""
    ids = [{"system_name": publisher, "text": str(VuId(edition.note.vu, one.number))}]
    ids += [{"system_name": "CVE", "text": one.cve}] if one.cve and not named else []
    parts = {
        "cve": named,
        "cwe": {"id": one.cwe, "name": cwe.name(one.cwe)} if cwe.name(one.cwe) else {},
        "title": one.title.strip(),
        "ids": ids,
        "notes": unique(_notes(edition.note.vu, one, scored=bool(affected))),
        "release_date": wording.stamp(edition.public_at),
        "product_status": _product_status(vendors),
        "involvements": _involvements(vendors),
        "scores": _scores(one.cvss, affected),
        "remediations": [_remediation(vendor, said) for vendor, said in vendors if said.status == AFFECTED],
        "threats": [_threat(vendor) for vendor, said in vendors if said.status == NOT_AFFECTED],
    }
    return {name: value for name, value in parts.items() if value}


def _status(vendor: Vendor, number: int) -> Status:
    return next((one for one in vendor.statuses if one.number == number), Status(number, UNKNOWN, ""))


def _notes(vu: int, one: Vulnerability, *, scored: bool) -> Iterator[Json]:
    described = one.text.strip() or one.title.strip() or wording.label(vu, one)
    yield {"category": "description", "title": "Description", "text": described}
    facts = (
        ("CVSS", one.cvss if not (scored and _scores(one.cvss, [""])) else ""),  # what 2.0 has no place for
        ("Weakness", one.cwe if not cwe.name(one.cwe) else ""),
        ("CVE ID assigned by", one.assigner.strip()),
    )
    yield from ({"category": "other", "title": title, "text": text} for title, text in facts if text)


def _scores(vector: str, products: list[str]) -> list[Json]:
    """A score belongs to products; 4.0 has no place in CSAF 2.0."""
    place = {"2": "cvss_v2", "3.0": "cvss_v3", "3.1": "cvss_v3"}.get(cvss.version(vector))
    if not (place and products):
        return []
    given = {name: value for name, value in cvss.document(vector).items() if not _DERIVED.fullmatch(name)}
    return [{"products": products, place: given}]


def _product_status(vendors: Sequence[tuple[Vendor, Status]]) -> Json:
    """Nothing of who never answered: silence is no investigation."""
    found: dict[str, list[str]] = {}
    for vendor, said in vendors:
        for name, key in _places(vendor, said):
            found.setdefault(name, []).append(key)
    return found


def _places(vendor: Vendor, said: Status) -> Iterator[tuple[str, str]]:
    if said.status == AFFECTED:
        yield "known_affected", product(vendor)
        if said.fixed_in.strip():
            yield "fixed", product(vendor, said.fixed_in)
    elif said.status == NOT_AFFECTED:
        yield "known_not_affected", product(vendor)
    elif vendor.progress in _ANSWERED or vendor.statement:
        yield "under_investigation", product(vendor)


def _involvements(vendors: Sequence[tuple[Vendor, Status]]) -> list[Json]:
    """One for each vendor, whom the summary names; an instant stands at one only (6.1.24)."""
    found: list[Json] = []
    taken: set[str] = set()
    for vendor, said in vendors:
        at = vendor.updated_at or vendor.notified_at
        date = wording.stamp(at) if at else ""
        dated = {"date": date} if date and date not in taken else {}
        found.append({"party": "vendor", "status": _involved(vendor, said), "summary": _summary(vendor, said)} | dated)
        taken.add(date)
    return unique(found)


def _involved(vendor: Vendor, said: Status) -> str:
    """Completed: they said that they have it not, or in what it is fixed."""
    done = said.status == NOT_AFFECTED or (said.status == AFFECTED and said.fixed_in.strip())
    return "completed" if done and vendor.progress == "answered" else _INVOLVED[vendor.progress]


def _summary(vendor: Vendor, said: Status) -> str:
    return f"{lines.one(vendor.name)}: {said.status}; {wording.happened(vendor)}."


def _remediation(vendor: Vendor, said: Status) -> Json:
    fix = lines.one(said.fixed_in)
    told = ("vendor_fix", f"Fixed in {fix}.") if fix else ("none_available", "We know of no fix from this vendor.")
    return {"category": told[0], "details": told[1], "product_ids": [product(vendor)]}


def _threat(vendor: Vendor) -> Json:
    """CSAF wants words beside a product that is not affected."""
    return {"category": "impact", "details": "Not affected.", "product_ids": [product(vendor)]}
