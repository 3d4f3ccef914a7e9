"""The numbers of coordination, as CERT/CC practises them. Each may be set under `[policy]`, some for one case alone."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import time, timedelta
from typing import Any

from mailrouter.case.model import Case


@dataclass(frozen=True, slots=True)
class Policy:
    """All in days unless the name says hours, minutes, weeks, a time of day (UTC) or a CVSS score."""

    embargo_days: int = 45  # first contact attempt to planned publication (seeds 003)
    follow_up_days: int = 14  # "typically about two weeks of silence" (seeds 002)
    follow_ups: int = 2  # rungs of the ladder before the analyst is told
    letter_gap_days: int = 4  # never two automatic letters to one participant within this
    non_responsive_days: int = 14  # silent for so long: since its last sign of life, or since our first letter
    non_responsive_attempts: int = 2  # and written to so often meanwhile
    non_responsive_weeks: int = 6  # and, if it once answered and gave no date, so long after its last answer
    answer_days: int = 2  # a participant waits on us: the analyst is reminded
    acknowledge_hours: int = 24  # one acknowledgement or receipt per address within this; 0: none
    score_threshold: float = 4.0  # a report scored below it is recommended to be declined (seeds 000); 0: off
    decide_hours: int = 48  # a report came in: a decision is due (seeds 000: "within 24-48 hours"); a reminder at half
    draft_days: int = 10  # before publication: the draft is shown, and downstream vendors are alerted (seeds 003)
    reminder_days: int = 3  # before publication: who is silent is told that we publish
    terms_days: int = 7  # a proposed date that nobody decided about lapses
    close_days: int = 14  # a published case closes after so long without anything open
    approvals: int = 1
    digest_at: time = time(8)
    notify_minutes: int = 15

    @property
    def silence(self) -> timedelta:
        """How long a letter may stay unanswered before the next rung."""
        return timedelta(days=self.follow_up_days)

    @property
    def threshold(self) -> int:
        """The score's threshold in tenths, as scores are counted."""
        return round(self.score_threshold * 10)


OF_A_CASE = (  # what one case may have of its own: its clocks. The rest is the house's, or its people's
    "embargo_days",
    "follow_up_days",
    "follow_ups",
    "letter_gap_days",
    "non_responsive_days",
    "non_responsive_attempts",
    "non_responsive_weeks",
    "answer_days",
    "draft_days",
    "reminder_days",
    "terms_days",
    "close_days",
)


def own(case: Case) -> Mapping[str, int]:
    """The case's own numbers; a name that means nothing any more is left out."""
    kept = json.loads(case.policy) if case.policy else {}
    return {name: kept[name] for name in OF_A_CASE if name in kept}


def of_case(base: Policy, case: Case | None) -> Policy:
    """The numbers in force for one case: its own over the house's. Without a case, the house's."""
    if case is None or not case.policy:
        return base
    mine: Mapping[str, Any] = own(case)
    return replace(base, **mine)


def kept(numbers: Mapping[str, int]) -> str:
    """As the case keeps them: ASCII JSON; '' for none."""
    return json.dumps(dict(sorted(numbers.items()))) if numbers else ""
