"""A report's place in the queue, and what its answers and score recommend. An analyst decides, always.

The order is DOMAIN.md's, process 2: what is exploited comes first, then what is public, then by CVSS score
(environmental where there is one), then by age. What nobody has scored counts as the worst there may be: somebody has
to look.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from mailrouter.case import cvss, ssvc
from mailrouter.case.model import Report

UNDECIDED = ("RECEIVED", "VALID")
_WORST = 101  # tenths, above every score
SAYS_NONE = frozenset({"no", "none", "unknown", "n/a", "-"})


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do with a report, as far as can be told: `Decline`, `Track`, `Coordinate`, or '' while it is open."""

    decision: str
    reasons: tuple[str, ...]
    decline_as: str = ""  # the reason that would be given
    open: tuple[str, ...] = ()  # SSVC questions whose answer may still change it


def undecided(report: Report) -> bool:
    """Whether a decision about it is still due."""
    return report.rm in UNDECIDED


def place(report: Report) -> tuple[object, ...]:
    """Sorts what comes first first; a decided report comes after all that are not."""
    score = _WORST if report.score is None else report.score
    urgent = (report.exploited != "yes", report.public != "yes")
    return (not undecided(report), *urgent, -score, report.received_at, report.id)


def below(report: Report, threshold: int) -> bool:
    """Whether its score is below the threshold, in tenths; 0 switches that off."""
    return report.score is not None and report.score < threshold


def answers(report: Report) -> dict[str, str]:
    """The SSVC answers that are known of it, by question."""
    return ssvc.checked(json.loads(report.ssvc)) if report.ssvc else {}


def kept(known: Mapping[str, str]) -> str:
    """The same as the row keeps them."""
    return json.dumps(ssvc.checked(known)) if known else ""


def told(public: str, vendor_contacted: str, other_vendors: str) -> dict[str, str]:
    """What a reporter's form answers of SSVC: their word, until an analyst says otherwise."""
    several = other_vendors.strip().casefold().rstrip(".") not in SAYS_NONE | {""}
    said = {"public": public, "supplier_contacted": vendor_contacted, "suppliers": "multiple" if several else ""}
    return {question: answer for question, answer in said.items() if answer}


def advice(report: Report, threshold: int) -> Advice:
    """What is recommended: a low score first, since the seeds decline by it whatever else holds; else SSVC."""
    known = answers(report)
    possible, missing = ssvc.possible(known), ssvc.missing(known)
    if below(report, threshold):
        score = f"its score, {cvss.shown(report.score)}, is below the threshold, {cvss.shown(threshold)}"
        return Advice(str(ssvc.Decision.DECLINE), (score,), "low-score")
    if not missing:
        found = ssvc.recommend(ssvc.Answers(**known))
        return Advice(str(found.decision), (f"SSVC rule {found.rule}", *found.reasons), _reason(found, known))
    if len(possible) == 1:
        return Advice(str(possible[0]), ("SSVC, whatever the open questions are answered",), open=tuple(missing))
    return Advice("", (), open=tuple(missing))


def _reason(found: ssvc.Recommendation, known: Mapping[str, str]) -> str:
    """The reason for a decline that the answers themselves name; '' when they name none."""
    if found.decision is not ssvc.Decision.DECLINE:
        return ""
    if known["supplier_contacted"] == "no":
        return "vendor-not-contacted"
    if known["credible"] == "no":
        return "no-evidence"
    return "vendor-cooperating" if known["engagement"] == "active" and known["public"] == "no" else "limited-resources"
