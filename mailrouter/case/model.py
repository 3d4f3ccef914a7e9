"""The things a coordinator talks about, as they stand at one moment. Words as in DOMAIN.md; nothing here changes."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Waiting(StrEnum):
    """Whose turn it is."""

    THEM = "them"  # a letter of ours asks something and is unanswered
    US = "us"  # their mail is not dealt with
    NOBODY = "nobody"


class Place(StrEnum):
    """Where a mail lies; the books count each mail in exactly one."""

    FILED = "filed"
    REVIEW = "review"
    TRIAGE = "triage"
    BOUNCES = "bounces"
    QUARANTINE = "quarantine"


class DeadlineKind(StrEnum):
    """What falls due."""

    FOLLOW_UP = "follow-up"  # they are silent
    ANSWER = "answer"  # we are
    WAIT = "wait"  # an analyst said: not before this date


@dataclass(frozen=True, slots=True)
class Case:
    """One coordination."""

    id: int
    vu: int
    title: str
    state: str  # open | closed | published
    analyst_id: int | None
    analyst: str
    urgent: bool
    opened_at: datetime
    closed_at: datetime | None
    embargo: str
    embargo_ends_at: datetime | None
    first_contact_at: datetime | None
    planned_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether clocks run."""
        return self.state == "open"

    @property
    def queue(self) -> str:
        """Where its participants' mail waits for a person."""
        return f"analyst:{self.analyst_id}" if self.analyst_id else "triage"


@dataclass(frozen=True, slots=True)
class Participant:
    """One organisation (or person) in one case."""

    id: int
    case_id: int
    organisation_id: int
    name: str
    role: str  # reporter | vendor | downstream | coordinator
    progress: str
    consent: str
    waiting_on: Waiting
    since: str | None  # the letter:ID or message:ID that began this turn
    wait_until: datetime | None
    last_heard_at: datetime | None
    last_automatic_at: datetime | None
    follow_ups_sent: int
    their_ref: str
    anonymous: bool
    clear_text_at: datetime | None = None  # since when confidential letters may leave in clear: they consented
    clear_text_by: str = ""  # who says so: an analyst's name, or message:ID


@dataclass(frozen=True, slots=True)
class Deadline:
    """Something that falls due, once."""

    id: int
    case_id: int
    participant_id: int
    kind: DeadlineKind
    since: str
    rung: int
    due_at: datetime
    done_at: datetime | None = None
    outcome: str = ""


STANDING_STATES = ("verified", "vouched")


@dataclass(frozen=True, slots=True)
class Statement:
    """A vendor's own text, with what proves it."""

    id: int
    case_id: int
    participant_id: int
    vendor: str
    message_id: int
    state: str  # verified | vouched | held | superseded | withdrawn
    reason: str
    bound: bool
    received_at: datetime
    signed_at: datetime | None
    fingerprint: str
    signature_id: str
    sha256: str
    verbatim: bytes
    form: str
    signed_bytes: bytes
    signature: bytes
    approved_at: datetime | None
    approved_by: str

    @property
    def stands(self) -> bool:
        """Whether this is the vendor's word as it would be published."""
        return self.state in STANDING_STATES

    @property
    def made_at(self) -> datetime:
        """See `made_at`."""
        return made_at(self.state, self.fingerprint, self.signed_at, self.received_at)


def made_at(state: str, fingerprint: str, signed_at: datetime | None, received_at: datetime) -> datetime:
    """When a statement was made: when it was signed, if a key proves that; else, or by their word, when it came."""
    proved = signed_at if fingerprint and state != "vouched" else None
    return proved or received_at
