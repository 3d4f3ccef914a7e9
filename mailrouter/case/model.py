"""The things a coordinator talks about, as they stand at one moment. Words as in DOMAIN.md; nothing here changes."""

from collections.abc import Iterable
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
    NON_RESPONSIVE = "non-responsive"  # they have been silent for so long that they count as gone
    PUBLICATION = "publication"  # of a case: our planned date
    DRAFT = "draft"  # of a case: the draft of the note is to be shown
    ALERT = "alert"  # of a case: downstream vendors are to be alerted, if somebody above them is silent
    REMINDER = "reminder"  # of a case: who is silent is told that we publish
    EMBARGO = "embargo"  # of a case: the date that was agreed
    TERMS = "terms"  # of a case: a date that was proposed, and nobody decided
    RECORD = "record"  # of a case: its CVE records are to be public
    APPROVAL = "approval"  # of a case: a note that was published in an emergency is to be approved
    CLOSE = "close"  # of a case: is anything still open
    DECISION = "decision"  # of a report: take it up or not


GOES_ON = ("open", "published")  # states of a case in which mail counts and is answered


@dataclass(frozen=True, slots=True)
class Case:
    """One coordination."""

    id: int
    vu: int
    title: str
    state: str  # open | published | closed | merged
    analyst_id: int | None
    analyst: str
    urgent: bool
    opened_at: datetime
    closed_at: datetime | None
    embargo: str
    embargo_ends_at: datetime | None
    first_contact_at: datetime | None
    planned_at: datetime | None
    policy: str = ""  # ASCII JSON: this case's own numbers, see policy.of_case
    merged_into_id: int | None = None  # the case that goes on in its place
    public_at: datetime | None = None  # CS: since when the vulnerability is public,
    exploit_public_at: datetime | None = None  # an exploit is,
    attacks_at: datetime | None = None  # attacks were seen
    published_at: datetime | None = None  # the first revision of its note was decided
    not_published_at: datetime | None = None  # it was decided that there will be no note
    share_ordered_by: str = ""  # who ordered that the newest draft is shown when its date comes; '' nobody

    @property
    def is_open(self) -> bool:
        """Whether we work towards publication: everybody is asked, and whoever is silent is followed up."""
        return self.state == "open"

    @property
    def goes_on(self) -> bool:
        """Whether mail in it counts, and is answered: it is open, or published and not closed yet."""
        return self.state in GOES_ON

    @property
    def is_published(self) -> bool:
        """Whether readers have its note: decided it is a moment earlier."""
        return self.published_at is not None and not self.is_open

    @property
    def queue(self) -> str:
        """Where its participants' mail waits for a person."""
        return f"analyst:{self.analyst_id}" if self.analyst_id else "triage"


ROLES = ("vendor", "downstream", "reporter", "coordinator")  # in the order in which they lead
VENDOR_ROLES = frozenset({"vendor", "downstream"})


@dataclass(frozen=True, slots=True)
class Participant:
    """One organisation (or person) in one case."""

    id: int
    case_id: int
    organisation_id: int
    name: str
    roles: tuple[str, ...]  # reporter | vendor | downstream | coordinator; the first one leads
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
    pseudonym: str = ""  # how the others of this case are told of them
    rm: str = "START"  # report management (Vultron)
    aware_at: datetime | None = None  # CS of this vendor, each set once: it knows,
    fix_ready_at: datetime | None = None  # has a fix,
    fix_deployed_at: datetime | None = None  # has deployed it
    fix_expected_at: datetime | None = None  # the date they gave us
    first_contact_at: datetime | None = None  # when the first letter to them left
    described: int = 0  # the version of the description they were sent; 0: none
    promised: int = 0  # the version they are to have: above `described`, it follows once they can read it
    credit: bool = False  # the note may name them
    left_at: datetime | None = None  # they take part no more
    left_why: str = ""

    @property
    def role(self) -> str:
        """The one that leads."""
        return self.roles[0]

    @property
    def is_vendor(self) -> bool:
        """Whether it is asked, answers and states as a vendor, whatever else it is."""
        return not VENDOR_ROLES.isdisjoint(self.roles)

    @property
    def is_reporter(self) -> bool:
        """Whether it brought the report."""
        return "reporter" in self.roles

    @property
    def takes_part(self) -> bool:
        """Whether anything is sent to it, and its mail is a participant's."""
        return self.left_at is None


@dataclass(frozen=True, slots=True)
class Deadline:
    """Something that falls due, once: of a participant, of a case (`participant_id` None), or of a report."""

    id: int
    case_id: int | None
    participant_id: int | None
    kind: DeadlineKind
    since: str
    rung: int
    due_at: datetime
    done_at: datetime | None = None
    outcome: str = ""
    report_id: int | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What somebody wants us to coordinate: a vulnerability report (VRF)."""

    id: int
    vrf: str  # VRF#26-11-BCDFG
    rm: str  # START: a number was given, nobody calls it a report; RECEIVED, VALID, INVALID, ACCEPTED, DEFERRED, CLOSED
    source: str  # mail | file
    title: str
    address: str  # where its reporter is written to; '' none is known
    message_id: int | None  # the mail that brought it
    case_id: int | None  # once accepted, or once its mail was filed there
    text: str  # of one that was typed in
    public: str  # yes | no | '' (nobody said)
    exploited: str
    credit: bool  # the note may name them
    share_name: bool  # vendors may learn who reported
    sketch: bytes | None
    cvss: str
    score: int | None  # tenths
    ssvc: str  # ASCII JSON
    analyst_id: int | None
    received_at: datetime
    decided_at: datetime | None
    decided_by: str
    reason: str
    why: str
    duplicate_of_id: int | None


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


def waiting(everything: Iterable[Statement]) -> list[Statement]:
    """The held ones that wait for somebody: not those from before their vendor's standing one, which sent it again."""
    known = list(everything)
    standing = {one.participant_id: one.received_at for one in known if one.stands}
    return [
        one
        for one in known
        if one.state == "held" and one.received_at >= standing.get(one.participant_id, one.received_at)
    ]


def made_at(state: str, fingerprint: str, signed_at: datetime | None, received_at: datetime) -> datetime:
    """When a statement was made: when it was signed, if a key proves that; else, or by their word, when it came."""
    proved = signed_at if fingerprint and state != "vouched" else None
    return proved or received_at
