"""SSVC, Coordinator Triage 1.0.0: whether a coordinator takes a report up (DOMAIN.md, SSVC).

Seven questions, 192 possible sets of answers, four rules. What comes out is a recommendation: an analyst decides.
`docs/ssvc.md` holds every row, drawn from here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import product

from mailrouter import faults


class Decision(StrEnum):
    """What a coordinator does with a report."""

    DECLINE = "Decline"
    TRACK = "Track"
    COORDINATE = "Coordinate"


# question -> the answers there are, from the one that speaks for us least to the one that speaks for us most
QUESTIONS: Mapping[str, tuple[str, ...]] = {
    "public": ("yes", "no"),
    "supplier_contacted": ("no", "yes"),
    "credible": ("no", "yes"),
    "suppliers": ("one", "multiple"),
    "engagement": ("active", "unresponsive"),
    "utility": ("laborious", "efficient", "super-effective"),
    "safety": ("minimal", "significant"),
}


@dataclass(frozen=True, slots=True)
class Answers:
    """One answer to each question."""

    public: str  # is it public already
    supplier_contacted: str  # did the reporter try
    credible: str  # is the report
    suppliers: str  # how many
    engagement: str  # of the supplier
    utility: str  # of an exploit to who attacks
    safety: str  # impact on the safety of the public

    @property
    def significant(self) -> bool:
        """Whether people may come to harm."""
        return self.safety == "significant"

    @property
    def at_least_efficient(self) -> bool:
        """Whether attacking is worth it."""
        return self.utility != "laborious"


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What the table says, and which rule and answers it rests on."""

    decision: Decision
    rule: int  # 1 to 4, as DOMAIN.md counts them
    reasons: tuple[str, ...]


def checked(given: Mapping[str, str]) -> dict[str, str]:
    """These answers, in the order of the questions. `Refused` names an unknown question or answer."""
    for question, answer in given.items():
        allowed = QUESTIONS.get(question)
        if allowed is None:
            raise faults.Refused(f"no such question: {question}; there are {', '.join(QUESTIONS)}")
        if answer not in allowed:
            raise faults.Refused(f"{question} is answered by {' or '.join(allowed)}, not by {answer!r}")
    return {question: given[question] for question in QUESTIONS if question in given}


def missing(known: Mapping[str, str]) -> list[str]:
    """The questions that nobody has answered yet."""
    return [question for question in QUESTIONS if question not in known]


def possible(known: Mapping[str, str]) -> list[Decision]:
    """What may still come out, whatever the open questions are answered: one decision when they change nothing."""
    return list(_possible(tuple(checked(known).items())))


@cache
def _possible(known: tuple[tuple[str, str], ...]) -> tuple[Decision, ...]:
    found = {recommend(answers).decision for answers in every(dict(known))}
    return tuple(decision for decision in Decision if decision in found)


def every(known: Mapping[str, str] | None = None) -> Iterator[Answers]:
    """All sets of answers that agree with what is known: 192 when nothing is."""
    fixed = checked(known or {})
    columns = [(fixed[question],) if question in fixed else answers for question, answers in QUESTIONS.items()]
    return (Answers(*row) for row in product(*columns))


def recommend(answers: Answers) -> Recommendation:
    """What the table recommends for these answers, with its reasons in words."""
    multiple, super_effective = answers.suppliers == "multiple", answers.utility == "super-effective"
    if multiple and super_effective and answers.significant:
        return _found(Decision.COORDINATE, 1, MULTIPLE, SUPER_EFFECTIVE, SIGNIFICANT)
    if answers.public == "yes" or answers.supplier_contacted == "no":
        return _found(Decision.DECLINE, 2, *_out_of_our_hands(answers))
    return _credible(answers) if answers.credible == "yes" else _not_credible(answers)


MULTIPLE, ONE = "several suppliers are affected", "one supplier is affected"
UNRESPONSIVE, ACTIVE = "the supplier does not respond", "the supplier is active"
SIGNIFICANT, MINIMAL = "the public's safety is at stake", "the public's safety is hardly touched"
CREDIBLE, NOT_CREDIBLE = "the report is credible", "the report is not credible so far"
SUPER_EFFECTIVE, EFFICIENT = "an exploit is super-effective", "an exploit is efficient"
LABORIOUS = "an exploit is laborious"
_UTILITY = {"laborious": LABORIOUS, "efficient": EFFICIENT, "super-effective": SUPER_EFFECTIVE}


def _out_of_our_hands(answers: Answers) -> list[str]:
    why = ["it is public already"] if answers.public == "yes" else []
    return why + (["the supplier was not contacted yet"] if answers.supplier_contacted == "no" else [])


def _credible(answers: Answers) -> Recommendation:
    """Rule 3: who is affected and how they behave decide first."""
    multiple, unresponsive = answers.suppliers == "multiple", answers.engagement == "unresponsive"
    if multiple and unresponsive:
        return _found(Decision.COORDINATE, 3, CREDIBLE, MULTIPLE, UNRESPONSIVE)
    if unresponsive:
        idle = answers.utility == "laborious" and not answers.significant
        return _weighed(Decision.TRACK if idle else Decision.COORDINATE, 3, answers, CREDIBLE, ONE, UNRESPONSIVE)
    if multiple and answers.utility == "super-effective":
        return _found(Decision.COORDINATE, 3, CREDIBLE, MULTIPLE, ACTIVE, SUPER_EFFECTIVE)
    tracked = answers.significant and (multiple or answers.at_least_efficient)
    whose = MULTIPLE if multiple else ONE
    return _weighed(Decision.TRACK if tracked else Decision.DECLINE, 3, answers, CREDIBLE, whose, ACTIVE)


def _not_credible(answers: Answers) -> Recommendation:
    """Rule 4: at most worth watching."""
    if answers.suppliers == "multiple":
        tracked = answers.significant or answers.utility == "super-effective"
        return _weighed(Decision.TRACK if tracked else Decision.DECLINE, 4, answers, NOT_CREDIBLE, MULTIPLE)
    tracked = answers.significant and answers.at_least_efficient
    return _weighed(Decision.TRACK if tracked else Decision.DECLINE, 4, answers, NOT_CREDIBLE, ONE)


def _weighed(decision: Decision, rule: int, answers: Answers, *reasons: str) -> Recommendation:
    safety = SIGNIFICANT if answers.significant else MINIMAL
    return _found(decision, rule, *reasons, _UTILITY[answers.utility], safety)


def _found(decision: Decision, rule: int, *reasons: str) -> Recommendation:
    return Recommendation(decision, rule, reasons)
