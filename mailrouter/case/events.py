"""What happened to a case, as the plan must know it."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from mailrouter.case.answers import Said
from mailrouter.case.conditions import Signed
from mailrouter.case.model import Case, Deadline, Participant, Place, Report
from mailrouter.case.silence import Tried
from mailrouter.case.standing import Assurance, Standing
from mailrouter.case.vouching import Answer


@dataclass(frozen=True, slots=True)
class Routed:
    """Where the hints in a mail lead: to a case, or to a queue with the reason."""

    case_id: int | None = None
    place: Place = Place.TRIAGE  # when case_id is None
    why: str = ""
    claimed_vu: int | None = None  # a number the mail names, ours or not
    suggested_vu: int | None = None  # what an analyst may file it under with one command
    report: Report | None = None  # which it is about, as long as that has no case; in review: a mail's mere number


@dataclass(frozen=True, slots=True)
class Meant:
    """A mail that is meant as a Vendor Statement (subject or marker lines), and what else speaks against it."""

    empty: bool = False  # nothing of it is the vendor's own words
    quotes: bool = False  # lines between its markers look quoted, and are left out
    reason: str = ""  # what the signature lacks, in plain words


@dataclass(frozen=True, slots=True)
class ClearText:
    """A mail says whether what is confidential may come unencrypted."""

    allowed: bool
    sure: bool  # that they say so: else a person records it
    proved: bool = False  # by more than a name and an address of ours: details may follow by themselves


@dataclass(frozen=True, slots=True)
class DraftAnswer:
    """A mail says that its sender has this draft of the note."""

    revision_id: int
    answers: bool  # the very letter with it: nobody else has its Message-ID
    comments: bool  # and something besides: else nobody needs to read it


class Fate(StrEnum):
    """Why a letter did not arrive."""

    NO_MAILBOX = "no-mailbox"  # it is said that there is none of the address it went to
    BEHIND = "behind"  # another address does, to which that one hands on
    TROUBLE = "trouble"  # refused or given up for another reason, or for none that is said: the address may be good


@dataclass(frozen=True, slots=True)
class Returned:
    """A letter of ours that did not arrive: a report says so, or the relay itself."""

    letter_id: int
    case: Case
    participant: Participant
    address: str  # to which it went
    made_at: datetime
    automatic: bool
    fate: Fate
    proved: bool  # by our own bounce address, or said by the relay; otherwise anybody could say so
    others: bool  # another contact of theirs takes mail
    says: str  # how people are told: "letter 3 came back:"
    once: str  # they are told once
    known: bool = False  # and have been


@dataclass(frozen=True, slots=True)
class About:
    """The letter of ours that a machine's mail is about."""

    letter_id: int
    proved: bool  # it came to our own bounce address for the letter
    to_staff: bool = False  # a notice to one of us, of no case
    report_id: int | None = None  # a letter to who reported it, before there was a case
    returned: Returned | None = None  # what it says became of the letter


@dataclass(frozen=True, slots=True)
class Ordered:
    """A mail to the address an analyst was given for an item: it is theirs or has no effect, and is no answer."""

    item_id: int
    analyst_id: int | None  # whose address it is; None: it was given to nobody
    refused: str = ""  # why it has no effect
    robot: bool = False  # a machine wrote it: nobody is told


@dataclass(frozen=True, slots=True)
class MailArrived:
    """One mail, held against the case it names."""

    since: str  # mail:ID
    routed: Routed
    kind: str  # person | bounce | delay | auto-reply | list | ...
    standing: Standing
    assurance: Assurance
    counts: bool  # of sufficient standing (trust.answers_from), or vouched for by an analyst
    doubt: str = ""  # why its kind may be wrong; '' mostly
    case: Case | None = None
    participant: Participant | None = None
    signed: Signed = field(default_factory=Signed)
    meant: Meant | None = None
    signed_after_latest: bool = True  # than any statement that ever stood
    stranger_why: str = ""
    lacks: str = ""  # what its signature lacks to be verified, in plain words; '' when it is, or nothing is told
    captured: str = ""  # why its ciphertext makes it a stranger's; '' mostly
    suspicion: str = ""  # why a person must look at it whatever it names; '' mostly
    about: About | None = None
    clear_text: ClearText | None = None
    copy_of: int | None = None  # the message that this very mail became when it came by another road
    confirms: Answer | None = None  # it came to where a text is confirmed
    writer: str = ""  # the sender's address, if it is a registered contact of the participant's
    answerable: bool = False  # a machine may answer it: a person certainly wrote it, and it is looked at first
    speaks_again: str = ""  # the sender's address, when it was marked undeliverable
    order: Ordered | None = None  # it came to an analyst's address: nothing else about it counts
    from_us: bool = False  # its From says that one of us wrote it
    says: tuple[Said, ...] = ()  # what it answers, as data
    draft: DraftAnswer | None = None
    unaddressed: int | None = None  # the analyst who signed it, though it came to no address that they were given


@dataclass(frozen=True, slots=True)
class Drafted:
    """The newest draft of a case's note, and who has seen it."""

    revision_id: int
    name: str  # revision 1, draft 3
    shown: frozenset[int] = frozenset()  # participants who were shown this one,
    shown_some: frozenset[int] = frozenset()  # or any draft of its revision


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """A CVE ID whose record is not known to be public."""

    cve: str
    vendor: str = ""  # whose record it is; '' ours, or nobody's that we know
    vendor_id: int | None = None  # that vendor's participant


@dataclass(frozen=True, slots=True)
class CaseDue:
    """A deadline's instant has come that is the whole case's."""

    deadline: Deadline
    case: Case
    participants: tuple[Participant, ...] = ()  # who ever took part
    reachable: frozenset[int] = frozenset()  # those of them of whom a contact takes mail
    told: frozenset[int] = frozenset()  # those to whom the letter of this clock was made, for this planned date
    drafted: Drafted | None = None
    unrecorded: tuple[Unrecorded, ...] = ()
    still_open: tuple[str, ...] = ()  # of a published case: what somebody still has to do
    staff: tuple[str, ...] = ()  # the queues of all analysts, where the clock is theirs


@dataclass(frozen=True, slots=True)
class ReportDue:
    """A deadline's instant has come that is a report's."""

    deadline: Deadline
    report: Report


@dataclass(frozen=True, slots=True)
class FellDue:
    """A deadline's instant has come that is a participant's."""

    deadline: Deadline
    case: Case
    participant: Participant
    held: bool = False  # the letter that began the silence still lies here, until a person sees to it
    left_at: datetime | None = None  # when it left
    tried: Tried = field(default_factory=Tried)  # what we did to reach them
