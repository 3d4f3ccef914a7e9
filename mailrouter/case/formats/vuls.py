"""A note in the shapes of CERT/CC's public API, so that what reads theirs reads ours.

Each function gives what one address answers, key by key as VINCE's serializers name it (github.com/CERTCC/VINCE,
`vincepub/serializers.py`; seen alive at kb.cert.org on 2026-08-19). What we do not know is null. Texts are Markdown and
vendors' words as they came; times are ISO 8601 in UTC.
"""

from datetime import datetime
from typing import Any

from mailrouter.case import cvss
from mailrouter.case.formats.wording import case, label, stamp
from mailrouter.case.note import IMPACT_UNKNOWN, Edition, Status, Vulnerability

Shape = dict[str, Any]

_UNKNOWN = (  # CERT/CC's own metrics and documents: nobody else has them
    "keywords", "workarounds", "sysaffected", "author", "certadvisory", "uscerttechnicalalert", "ipprotocol", "metric",
    "vulnote", "vrda_d1_directreport", "vrda_d1_population", "vrda_d1_impact", "cam_widelyknown", "cam_exploitation",
    "cam_internetinfrastructure", "cam_population", "cam_impact", "cam_easeofexploitation",
    "cam_attackeraccessrequired", "cam_scorecurrent", "cam_scorecurrentwidelyknown",
    "cam_scorecurrentwidelyknownexploited",
)  # fmt: skip
_METRICS = {  # of CVSS version 2, the only one this shape knows; "exploitablity" is how it is spelled there
    "cvss_accessvector": "AV", "cvss_accesscomplexity": "AC", "cvss_authentication": "Au",
    "cvss_confidentialityimpact": "C", "cvss_integrityimpact": "I", "cvss_availabilityimpact": "A",
    "cvss_exploitablity": "E", "cvss_remediationlevel": "RL", "cvss_reportconfidence": "RC",
    "cvss_collateraldamagepotential": "CDP", "cvss_targetdistribution": "TD", "cvss_securityrequirementscr": "CR",
    "cvss_securityrequirementsir": "IR", "cvss_securityrequirementsar": "AR",
}  # fmt: skip
_SCORES = (
    "cvss_basescore", "cvss_basevector", "cvss_temporalscore", "cvss_environmentalscore", "cvss_environmentalvector",
)  # fmt: skip
_BASE = ("AV", "AC", "Au", "C", "I", "A")
_ENVIRONMENT = ("CDP", "TD", "CR", "IR", "AR")


def note(edition: Edition) -> Shape:
    """`/vuls/api/<n>/`."""
    sections, vu = edition.note.sections, edition.note.vu
    return dict.fromkeys(_UNKNOWN) | _scored(edition.note.vulnerabilities) | {
        "vuid": case(vu),
        "idnumber": str(vu),
        "name": sections.title,
        "overview": sections.overview,
        "clean_desc": sections.description,
        "impact": sections.impact if sections.impact.strip() else IMPACT_UNKNOWN,
        "resolution": sections.solution,
        "thanks": sections.acknowledgements,
        "public": list(sections.references),
        "cveids": [one.cve for one in edition.note.vulnerabilities if one.cve],
        "datecreated": stamp(edition.first_published_at),
        "publicdate": stamp(edition.public_at),
        "datefirstpublished": stamp(edition.first_published_at),
        "dateupdated": stamp(edition.updated_at),
        "revision": edition.number,
    }  # fmt: skip


def vendors(edition: Edition) -> list[Shape]:
    """`/vuls/api/<n>/vendors/`."""
    return [
        {
            "note": str(edition.note.vu),
            "contact_date": _stamped(one.notified_at),
            "vendor": one.name,
            "references": "\n".join(one.links) or None,
            "statement": one.statement.text if one.statement else None,
            "dateupdated": _stamped(one.updated_at),
            "statement_date": _stamped(one.statement.made_at if one.statement else None),
            "addendum": one.addendum or None,
        }
        for one in edition.note.vendors
    ]


def vuls(edition: Edition) -> list[Shape]:
    """`/vuls/api/<n>/vuls/`; a vulnerability has no dates of its own, they are the note's."""
    return [
        {
            "note": str(edition.note.vu),
            "cve": one.cve.removeprefix("CVE-") or None,
            "description": one.text or one.title,
            "uid": label(edition.note.vu, one),
            "case_increment": one.number,
            "date_added": stamp(edition.first_published_at),
            "dateupdated": stamp(edition.updated_at),
        }
        for one in edition.note.vulnerabilities
    ]


def vendor_vuls(edition: Edition) -> list[Shape]:
    """`/vuls/api/<n>/vendors/vuls/`: what each vendor says of each vulnerability."""
    labels = {one.number: label(edition.note.vu, one) for one in edition.note.vulnerabilities}
    return [
        {
            "vul": labels[said.number],
            "vendor": one.name,
            "status": said.status,
            "date_added": _stamped(one.notified_at),
            "dateupdated": _stamped(one.updated_at),
            "references": None,
            "statement": _said(said),
        }
        for one in edition.note.vendors
        for said in one.statuses
        if said.number in labels
    ]


def _said(said: Status) -> str | None:
    return f"Fixed in: {said.fixed_in}" if said.fixed_in else None


def _stamped(at: datetime | None) -> str | None:
    return stamp(at) if at else None


def _scored(vulnerabilities: tuple[Vulnerability, ...]) -> Shape:
    """The note's score: that of the worst vulnerability that has one of version 2."""
    scores = [cvss.read(one.cvss) for one in vulnerabilities if cvss.version(one.cvss) == "2"]
    if not scores:
        return dict.fromkeys((*_METRICS, *_SCORES))
    vector = max(scores, key=lambda one: one.tenths).vector
    given, whole = dict(metric.split(":") for metric in vector.split("/")), cvss.document(vector)
    return {name: given.get(metric) for name, metric in _METRICS.items()} | {
        "cvss_basescore": str(whole["baseScore"]),
        "cvss_basevector": _part(given, _BASE),
        "cvss_temporalscore": _shown(whole.get("temporalScore")),
        "cvss_environmentalscore": _shown(whole.get("environmentalScore")),
        "cvss_environmentalvector": _part(given, _ENVIRONMENT),
    }


def _part(given: dict[str, str], metrics: tuple[str, ...]) -> str | None:
    return "/".join(f"{one}:{given[one]}" for one in metrics if one in given) or None


def _shown(score: float | None) -> str | None:
    return None if score is None else str(score)
