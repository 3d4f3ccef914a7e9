"""A vulnerability of a note as a CVE record (CVE JSON 5.1): the part a CNA writes, and the whole document.

Valid for every note (the schema that cvelib brings along): a text that is too long is cut, an address that is none is
left out, and of what nobody knows nothing is said. Vendors are named as the note names them; who found it is in the
note's own words only. An overview is Markdown and stays so: a record knows no other form.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from mailrouter import faults
from mailrouter.case import cvss, cwe
from mailrouter.case.formats import paths
from mailrouter.case.formats.publisher import Publisher
from mailrouter.case.note import Edition, Status, Vendor, Vulnerability
from mailrouter.case.status import AFFECTED, NOT_AFFECTED, UNKNOWN

NOBODYS_ID = "00000000-0000-4000-9000-000000000000"  # of an organisation whose number is not known here

Json = dict[str, Any]

# cve-schema 5.1.1: maxLength of each
_TITLE, _TEXT, _VENDOR, _VERSION, _ADDRESS, _REFERENCES = 256, 4096, 512, 1024, 2048, 512
_STATUS = {AFFECTED: "affected", NOT_AFFECTED: "unaffected", UNKNOWN: "unknown"}
_NO_PRODUCT = "n/a"  # vendors state for all their products; the note names none
_VERSION_ALONE = re.compile(r"[vV]?[0-9]{1,9}(?:\.[0-9]{1,9}){0,6}(?:[-+._~]?[0-9A-Za-z]{1,20}){0,4}", re.ASCII)
_URI = re.compile(r"https?://[A-Za-z0-9](?:[A-Za-z0-9._~:/?#@!$&'()*+,;=-]|\[|\]|%[0-9A-Fa-f]{2})*", re.ASCII)


def container(edition: Edition, vulnerability: Vulnerability, publisher: Publisher) -> Json:
    """What a CNA writes; `providerMetadata`, which the schema wants too, is the service's."""
    note = edition.note
    record: Json = {
        "title": _cut(vulnerability.title, _TITLE) or _cut(note.sections.title, _TITLE) or f"VU#{note.vu}",
        "descriptions": [_said(vulnerability.text.strip() or note.sections.overview.strip() or f"See VU#{note.vu}.")],
        "affected": [*_affected(edition, vulnerability)],
        "references": _references(edition, vulnerability, publisher),
        "source": {"discovery": "UNKNOWN", "advisory": f"VU#{note.vu}"},
        "datePublic": _instant(edition.public_at),
    }
    if vulnerability.cwe:
        named = {"lang": "en", "type": "CWE", "cweId": vulnerability.cwe, "description": _weakness(vulnerability.cwe)}
        record["problemTypes"] = [{"descriptions": [named]}]
    if metric := _metric(vulnerability.cvss):
        record["metrics"] = [metric]
    if thanks := _cut(note.sections.acknowledgements, _TEXT):
        record["credits"] = [{"lang": "en", "value": thanks, "type": "other"}]
    return record


def record(
    edition: Edition, vulnerability: Vulnerability, publisher: Publisher, org: str = "", org_id: str = NOBODYS_ID
) -> Json:
    """The whole document, as the CVE List will have it: for our own site. `org`: our short name as a CNA."""
    named = {"assignerShortName": org} if 2 <= len(org) <= 32 else {}
    provider = {"orgId": org_id} | ({"shortName": org} if named else {})
    return {
        "dataType": "CVE_RECORD",
        "dataVersion": "5.1",
        "cveMetadata": {
            "cveId": vulnerability.cve, "assignerOrgId": org_id, "state": "PUBLISHED", **named,
            "datePublished": _instant(edition.first_published_at), "dateUpdated": _instant(edition.updated_at),
        },
        "containers": {"cna": {"providerMetadata": provider, **container(edition, vulnerability, publisher)}},
    }  # fmt: skip


def note_address(vu: int, publisher: Publisher) -> str:
    """Where readers find the note; '' while the site has no address."""
    return f"{publisher.url}/{paths.page(vu)}" if publisher.url else ""


# ---- its parts -------------------------------------------------------------------------------------------------------


def _cut(text: str, longest: int) -> str:
    """Without blanks around, ended by a sign that something follows where it is too long."""
    text = text.strip()
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def _weakness(number: str) -> str:
    """As the CVE List writes it: CWE-79 Improper Neutralization of …"""
    return f"{number} {cwe.name(number)}".rstrip()


def _said(text: str) -> Json:
    return {"lang": "en", "value": _cut(text, _TEXT)}


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def _affected(edition: Edition, vulnerability: Vulnerability) -> Iterator[Json]:
    """One entry for each vendor that is named; the schema wants one at least."""
    said = [(vendor, _status(vendor, vulnerability.number)) for vendor in edition.note.vendors]
    if not said:
        yield {"vendor": "n/a", "product": _NO_PRODUCT, "defaultStatus": "unknown"}
    for vendor, status in said:
        yield {"vendor": _cut(vendor.name, _VENDOR) or "n/a", "product": _NO_PRODUCT, **_versions(status)}


def _status(vendor: Vendor, number: int) -> Status:
    return next((one for one in vendor.statuses if one.number == number), Status(number, UNKNOWN, ""))


def _versions(said: Status) -> Json:
    """Before a plain version affected, from it on not; any other words stand as they are, beside what holds for all."""
    fixed = said.fixed_in.strip()
    if said.status != AFFECTED or not fixed:
        return {"defaultStatus": _STATUS[said.status]}
    if _VERSION_ALONE.fullmatch(fixed):
        before = {"version": "0", "status": "affected", "versionType": "custom", "lessThan": fixed}
        return {"defaultStatus": "unaffected", "versions": [before]}
    return {"defaultStatus": "affected", "versions": [{"version": _cut(fixed, _VERSION), "status": "unaffected"}]}


def _references(edition: Edition, vulnerability: Vulnerability, publisher: Publisher) -> list[Json]:
    """Ours first, the vendors' then, each address once; the CVE List's own where there is no other."""
    found = {note_address(edition.note.vu, publisher): ["third-party-advisory"]}
    for vendor in edition.note.vendors:
        found |= {link: ["vendor-advisory"] for link in vendor.links if link not in found}
    found |= {link: [] for link in edition.note.sections.references if link not in found}
    addresses = {url: tags for url, tags in found.items() if len(url) <= _ADDRESS and _URI.fullmatch(url)}
    addresses = addresses or {f"https://www.cve.org/CVERecord?id={vulnerability.cve}": []}
    return [{"url": url} | ({"tags": tags} if tags else {}) for url, tags in list(addresses.items())[:_REFERENCES]]


def _metric(vector: str) -> Json:
    """The score as each version of CVSS wants it; nothing for a vector that cannot be scored."""
    try:
        score = cvss.read(vector)
    except faults.Refused:
        return {}
    version = "2.0" if score.version == "2" else score.version
    told: Json = {"version": version, "vectorString": score.canonical, "baseScore": score.base / 10}
    if version != "2.0":
        told["baseSeverity"] = cvss.severity(score.base).upper()
    return {f"cvssV{version.replace('.', '_')}": told, "format": "CVSS"}
