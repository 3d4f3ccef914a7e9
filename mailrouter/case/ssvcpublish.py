"""SSVC, Coordinator Publish 1.0.0: whether a coordinator publishes a note of its own (DOMAIN.md, SSVC).

Three questions, 27 possible sets of answers, three rules. What comes out is a recommendation: an analyst decides.
`docs/ssvc.md` holds every row, drawn from here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from mailrouter import faults
from mailrouter.case.model import Case, Participant


class Decision(StrEnum):
    """What a coordinator does with what it knows."""

    PUBLISH = "Publish"
    DO_NOT_PUBLISH = "Do not publish"


# question -> the answers there are, as SSVC names them; the last one speaks for a note most
FIX_READY, COOPERATIVE, UNRESPONSIVE = "fix-ready", "cooperative", "uncooperative-unresponsive"
NONE, POC, ACTIVE = "none", "public-poc", "active"
LIMITED, AMPLIATIVE, PRECEDENCE = "limited", "ampliative", "precedence"
QUESTIONS: Mapping[str, tuple[str, ...]] = {
    "supplier": (FIX_READY, COOPERATIVE, UNRESPONSIVE),  # Supplier Involvement
    "exploitation": (NONE, POC, ACTIVE),  # Exploitation
    "value_added": (LIMITED, AMPLIATIVE, PRECEDENCE),  # Public Value Added
}
SAID = {
    FIX_READY: "the supplier has a fix",
    COOPERATIVE: "the supplier works with us",
    UNRESPONSIVE: "the supplier does not respond, or does not cooperate",
    NONE: "nothing is known of an exploit",
    POC: "a proof of concept is public",
    ACTIVE: "it is used in attacks",
    LIMITED: "a note would add little to what is public",
    AMPLIATIVE: "a note would amplify what is public",
    PRECEDENCE: "a note would be the first that is public",
}


@dataclass(frozen=True, slots=True)
class Answers:
    """One answer to each question."""

    supplier: str
    exploitation: str
    value_added: str


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What the table says, and which rule and answers it rests on."""

    decision: Decision
    rule: int  # 1 to 3
    reasons: tuple[str, ...]


def recommend(answers: Answers) -> Recommendation:
    """What the table recommends for these answers, with its reasons in words."""
    unresponsive, active = answers.supplier == UNRESPONSIVE, answers.exploitation == ACTIVE
    poc = answers.exploitation == POC
    match answers.value_added:
        case "precedence":
            return _found(1, answers, publish=True)
        case "ampliative":
            return _found(2, answers, publish=active or (unresponsive and poc))
    return _found(3, answers, publish=unresponsive and active)


def _found(rule: int, answers: Answers, *, publish: bool) -> Recommendation:
    reasons = [SAID[answers.value_added]]
    reasons += [SAID[answers.exploitation], SAID[answers.supplier]] if rule > 1 else []
    return Recommendation(Decision.PUBLISH if publish else Decision.DO_NOT_PUBLISH, rule, tuple(reasons))


def every(known: Mapping[str, str] | None = None) -> Iterator[Answers]:
    """All sets of answers that agree with what is known: 27 when nothing is."""
    fixed = checked(known or {})
    return (Answers(*row) for row in product(*([fixed[q]] if q in fixed else some for q, some in QUESTIONS.items())))


def possible(known: Mapping[str, str]) -> list[Decision]:
    """What may still come out, whatever the open questions are answered: one decision when they change nothing."""
    found = {recommend(answers).decision for answers in every(known)}
    return [decision for decision in Decision if decision in found]


def checked(given: Mapping[str, str]) -> dict[str, str]:
    """These answers, in the order of the questions. `Refused` names an unknown question or answer."""
    for question, answer in given.items():
        if answer not in QUESTIONS.get(question, ()):
            allowed = " or ".join(QUESTIONS.get(question, ())) or f"nothing; there are {', '.join(QUESTIONS)}"
            raise faults.Refused(f"{question} is answered by {allowed}, not by {answer!r}")
    return {question: given[question] for question in QUESTIONS if question in given}


# ---- what the case says already --------------------------------------------------------------------------------------

GONE = frozenset({"non-responsive", "undeliverable"})  # progress


def derived(case: Case, everyone: Sequence[Participant]) -> dict[str, str]:
    """The answers that follow from the case as it stands; what a note would add an analyst must judge."""
    vendors = [one for one in everyone if one.is_vendor and one.takes_part and one.progress != "suspected"]
    return ({"supplier": _supplier(vendors)} if vendors else {}) | {"exploitation": _exploitation(case)}


def _supplier(vendors: Sequence[Participant]) -> str:
    if all(one.fix_ready_at is not None for one in vendors):
        return FIX_READY
    return UNRESPONSIVE if all(one.progress in GONE for one in vendors) else COOPERATIVE


def _exploitation(case: Case) -> str:
    if case.attacks_at is not None:
        return ACTIVE
    return POC if case.exploit_public_at is not None else NONE
