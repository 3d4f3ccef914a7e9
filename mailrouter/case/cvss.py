"""CVSS scores: the one door to the library that computes them.

An analyst scores every report (DOMAIN.md, process 2); the score sets its place in the queue. CERT/CC's own pages want
version 2 with its environmental metrics (seeds 000); 3.0, 3.1 and 4.0 are taken too. Scores are counted in tenths, so
that nothing is ever compared as a float.
"""

import re
from dataclasses import dataclass
from typing import Any

from cvss import CVSS2, CVSS3, CVSS4
from cvss.exceptions import CVSSError

from mailrouter import faults

LONGEST = 400  # characters: the longest vector of all versions, every metric given, has 181
ALLOWED = (
    "a CVSS vector of version 2 (AV:N/AC:L/Au:N/C:P/I:P/A:P), 3.1 (CVSS:3.1/AV:N/…) or 4.0 (CVSS:4.0/AV:N/…),"
    " all its base metrics given"
)
WANTS_ENVIRONMENT = "version 2 without environmental metrics (CDP, TD, CR, IR, AR): a small user base is not seen"

_SHAPE = re.compile(r"(?:CVSS:(3\.[01]|4\.0)/)?[A-Za-z]{1,3}:[A-Za-z]{1,8}(?:/[A-Za-z]{1,3}:[A-Za-z]{1,8})*")
_ENVIRONMENT = re.compile(r"(?:CDP|TD|CR|IR|AR|M[A-Z]{1,3}):")  # metrics of the environment, in all versions
_UNSET = re.compile(r":(?:X|ND)$")
_BEYOND_BASE_4 = re.compile(r"(?:E|CR|IR|AR|M[A-Z]{1,3}):")  # in 4.0: what changes the base score
_MODIFIED = {  # of the environment, in 3.x and 4.0: name in JSON -> in a vector
    "modifiedAttackVector": "MAV", "modifiedAttackComplexity": "MAC", "modifiedAttackRequirement": "MAT",
    "modifiedPrivilegesRequired": "MPR", "modifiedUserInteraction": "MUI", "modifiedScope": "MS",
    "modifiedConfidentialityImpact": "MC", "modifiedIntegrityImpact": "MI", "modifiedAvailabilityImpact": "MA",
    "modifiedVulnerableSystemImpactConfidentiality": "MVC", "modifiedVulnerableSystemImpactIntegrity": "MVI",
    "modifiedVulnerableSystemImpactAvailability": "MVA", "modifiedSubsequentSystemImpactConfidentiality": "MSC",
    "modifiedSubsequentSystemImpactIntegrity": "MSI", "modifiedSubsequentSystemImpactAvailability": "MSA",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Score:
    """A vector as it was scored; scores in tenths, 0 to 100."""

    version: str  # 2 | 3.0 | 3.1 | 4.0
    vector: str  # as given, without blanks around
    base: int
    environmental: int | None  # None: the vector says nothing of the environment
    canonical: str = ""  # the same vector, its metrics in the order of its version's specification

    @property
    def tenths(self) -> int:
        """What counts for us: the environmental score where there is one (seeds 000)."""
        return self.base if self.environmental is None else self.environmental

    @property
    def lacks(self) -> str:
        """What the seeds want and the vector has not; '' nothing."""
        return WANTS_ENVIRONMENT if self.version == "2" and self.environmental is None else ""


def read(vector: str) -> Score:
    """The scores of a vector, whatever it holds. `Refused` says what is allowed, and repeats nothing of the vector."""
    text = vector.strip() if len(vector) <= LONGEST else ""
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        raise faults.Refused(f"this is no CVSS vector; give {ALLOWED}")
    try:
        return _scored(shape[1] or "2", text)
    except CVSSError as trouble:
        raise faults.Refused(f"this CVSS vector cannot be scored ({_short(trouble)}); give {ALLOWED}") from None


def version(vector: str) -> str:
    """2 | 3.0 | 3.1 | 4.0; '' for what is no vector."""
    try:
        return read(vector).version
    except faults.Refused:
        return ""


def document(vector: str) -> dict[str, Any]:
    """The vector and its scores as the JSON schema of its version has them (first.org/cvss); `Refused` as `read`.

    Groups of metrics of which none is given are left out. In 4.0 the one score is that of all that is given.
    """
    score = read(vector)
    kind = {"2": CVSS2, "4.0": CVSS4}.get(score.version, CVSS3)
    found: dict[str, Any] = kind(score.vector).as_json(minimal=True)
    found["version"] = "2.0" if score.version == "2" else score.version  # the library says "4"
    if "baseSeverity" in found:
        found["baseSeverity"] = found["baseSeverity"].upper()  # the library's 4.0 says "Low"
    given = {metric.partition(":")[0] for metric in score.vector.split("/") if not _UNSET.search(metric)}
    # The library gives a modified metric that is not defined the value of the base metric.
    return {name: value for name, value in found.items() if _MODIFIED.get(name, "") in ("", *given)}


def shown(tenths: int | None) -> str:
    """7.5; '' for no score."""
    return "" if tenths is None else f"{tenths // 10}.{tenths % 10}"


_SEVERITIES = ((90, "Critical"), (70, "High"), (40, "Medium"), (1, "Low"), (0, "None"))  # CVSS 3.1 section 5, 4.0 too


def severity(tenths: int) -> str:
    """The word for a score of version 3 or 4."""
    return next(word for least, word in _SEVERITIES if tenths >= least)


def _scored(version: str, text: str) -> Score:
    if version == "4.0":
        return _scored_4(text)
    read = (CVSS2 if version == "2" else CVSS3)(text)
    base, _, environmental = read.scores()
    told = _tenths(environmental) if _of_environment(text) else None
    return Score(version, text, _tenths(base), told, read.clean_vector())


def _scored_4(text: str) -> Score:
    """4.0 knows one score of all that is given; the base score is that of the base metrics alone."""
    read = CVSS4(text)
    whole = read.scores()[0]
    alone = "/".join(one for one in text.split("/") if not _BEYOND_BASE_4.match(one))
    told = _tenths(whole) if _of_environment(text) else None
    return Score("4.0", text, _tenths(CVSS4(alone).scores()[0]), told, read.clean_vector())


def _of_environment(text: str) -> bool:
    """Whether a metric of the environment is given, other than as not defined."""
    return any(_ENVIRONMENT.match(one) and not _UNSET.search(one) for one in text.split("/"))


def _tenths(score: float) -> int:
    return round(score * 10)


def _short(trouble: CVSSError) -> str:
    """The kind of fault, in the library's words; metric names at most."""
    return str(trouble).partition('"')[0].strip() or "malformed"
