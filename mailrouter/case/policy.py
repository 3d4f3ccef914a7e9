"""The numbers of coordination, as CERT/CC practises them. Each may be set under `[policy]`."""

from dataclasses import dataclass
from datetime import time, timedelta


@dataclass(frozen=True, slots=True)
class Policy:
    """All in days unless the name says hours, minutes, a time of day (UTC) or a CVSS score."""

    embargo_days: int = 45  # first contact attempt to planned publication (seeds 003)
    follow_up_days: int = 14  # "typically about two weeks of silence" (seeds 002)
    follow_ups: int = 2  # rungs of the ladder before the analyst is told
    letter_gap_days: int = 4  # never two automatic letters to one participant within this
    answer_days: int = 2  # a participant waits on us: the analyst is reminded
    acknowledge_hours: int = 24  # one acknowledgement or receipt per address within this; 0: none
    score_threshold: float = 4.0  # a report scored below it is recommended to be declined (seeds 000); 0: off
    draft_days: int = 10
    reminder_days: int = 3
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
