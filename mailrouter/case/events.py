"""What happened to a case, as the plan must know it."""

from dataclasses import dataclass

from mailrouter.case.model import Case, Deadline, Participant, Place, Statement
from mailrouter.case.standing import Assurance, Standing


@dataclass(frozen=True, slots=True)
class Routed:
    """Where the hints in a mail lead: to a case, or to a queue with the reason."""

    case_id: int | None = None
    place: Place = Place.TRIAGE  # when case_id is None
    why: str = ""
    claimed_vu: int | None = None  # a number the mail names, ours or not
    suggested_vu: int | None = None  # what an analyst may file it under with one command


@dataclass(frozen=True, slots=True)
class Meant:
    """A mail that is meant as a Vendor Statement (subject or marker lines), and how it proves itself."""

    bound: bool  # the signed bytes name the VU#
    stale: bool = False
    replay: bool = False
    reason: str = ""  # what the signature lacks, in plain words


@dataclass(frozen=True, slots=True)
class MailArrived:
    """One mail, held against the case it names."""

    since: str  # mail:ID
    routed: Routed
    kind: str  # person | bounce | delay | auto-reply | list | ...
    standing: Standing
    assurance: Assurance
    counts: bool  # of sufficient standing (trust.answers_from), or vouched for by an analyst
    case: Case | None = None
    participant: Participant | None = None
    meant: Meant | None = None
    latest: Statement | None = None  # the statement that stands so far
    signed_after_latest: bool = True
    stranger_why: str = ""


@dataclass(frozen=True, slots=True)
class FellDue:
    """A deadline's instant has come."""

    deadline: Deadline
    case: Case
    participant: Participant
