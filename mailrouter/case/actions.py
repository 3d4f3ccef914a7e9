"""What to do about it. Plain orders; flow/act/ carries them out, in the order given, in one transaction."""

from dataclasses import dataclass
from datetime import datetime

from mailrouter.case.answers import Said
from mailrouter.case.conditions import Assurance
from mailrouter.case.model import Deadline, DeadlineKind, Participant, Place, Report, Waiting
from mailrouter.case.receipt import Kind, Lack


@dataclass(frozen=True, slots=True)
class File:
    """Lay the mail where it belongs; `queue` None: nobody needs to look."""

    place: Place
    queue: str | None
    why: str
    in_case: bool = False
    suggested_vu: int | None = None
    report: Report | None = None  # which it is about
    begins: bool = False  # it is a new report
    says: str = ""  # what the queue tells besides `why`: words of theirs, that leave in no letter in clear


@dataclass(frozen=True, slots=True)
class Heard:
    """The participant gave a sign of life that counts."""

    participant: Participant
    progress: str


@dataclass(frozen=True, slots=True)
class Progress:
    """What happened with the participant, when it is no sign of life."""

    participant: Participant
    progress: str


@dataclass(frozen=True, slots=True)
class Informed:
    """The participant knows of the report: they wrote."""

    participant: Participant


@dataclass(frozen=True, slots=True)
class Turn:
    """From now on it is this one's turn."""

    participant: Participant
    waiting_on: Waiting
    since: str | None


@dataclass(frozen=True, slots=True)
class Close:
    """What these clocks waited for has come or gone; automatic letters not yet sent stay here."""

    participant: Participant
    kinds: tuple[DeadlineKind, ...]
    outcome: str


@dataclass(frozen=True, slots=True)
class Set:
    """A clock: this falls due once."""

    participant: Participant
    kind: DeadlineKind
    since: str
    rung: int
    due_at: datetime


@dataclass(frozen=True, slots=True)
class KeepStatement:
    """Keep the mail as a Vendor Statement; one that stands supersedes the one before."""

    participant: Participant
    state: str  # verified | held
    reason: str
    bound: bool


@dataclass(frozen=True, slots=True)
class Propose:
    """What the mail says, for an analyst to take as said; `sure`: those of them that are taken at once."""

    participant: Participant
    said: tuple[Said, ...]
    sure: frozenset[Said] = frozenset()


@dataclass(frozen=True, slots=True)
class Vouch:
    """The vendor's own word makes a held text its statement; it supersedes the one before."""

    participant: Participant
    statement_id: int
    voucher_id: int
    how: str  # mail | telephone
    agreed_by: str = ""  # telephone: the second analyst


@dataclass(frozen=True, slots=True)
class KeepOrder:
    """An analyst's mail about an item is theirs: what it orders is to be carried out, once."""

    analyst_id: int
    item_id: int


@dataclass(frozen=True, slots=True)
class TellRefused:
    """A mail of an analyst's had no effect: they are told, once an hour for each item."""

    analyst_id: int
    item_id: int | None  # None: it came to no address that they were given for one
    why: str


@dataclass(frozen=True, slots=True)
class ClearText:
    """The participant consents to clear text, or does so no longer."""

    participant: Participant
    allowed: bool
    proved: bool  # else what they were promised leaves by a person's word only


@dataclass(frozen=True, slots=True)
class Receipt:
    """Tell what we made of the mail. Whether the letter is made depends on what they were told lately."""

    participant: Participant
    kind: Kind
    assurance: Assurance
    lack: Lack | None = None
    writer: str = ""  # the registered contact who certainly wrote: is told; '' : the organisation's first contact
    claimed: str = ""  # the registered contact that its From names, proved or not


@dataclass(frozen=True, slots=True)
class Write:
    """An automatic letter to a participant."""

    participant: Participant
    letter: str
    since: str
    rung: int


@dataclass(frozen=True, slots=True)
class Notice:
    """Tell a person: raised once per `once`."""

    queue: str
    why: str
    once: str
    participant: Participant | None = None
    report_id: int | None = None


@dataclass(frozen=True, slots=True)
class Finish:
    """The deadline that fell due is dealt with."""

    deadline_id: int
    outcome: str


@dataclass(frozen=True, slots=True)
class Postpone:
    """The deadline that fell due must wait."""

    deadline_id: int
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Again:
    """The case's clock of this kind, which is done, falls due once more."""

    deadline: Deadline
    due_at: datetime


@dataclass(frozen=True, slots=True)
class ShowDraft:
    """A draft of the note is shown to these, one letter each; the analyst hears to whom it cannot go."""

    participants: tuple[Participant, ...]
    revision_id: int


@dataclass(frozen=True, slots=True)
class DraftSeen:
    """They have that draft, if that is `sure`; `comments`: the mail says something of it."""

    participant: Participant
    revision_id: int
    comments: bool
    sure: bool


@dataclass(frozen=True, slots=True)
class Undeliverable:
    """The address a letter went to takes no mail: letters go to the next contact, as long as there is one."""

    participant: Participant
    letter_id: int
    address: str
    last: bool  # nobody else is known there


@dataclass(frozen=True, slots=True)
class Reachable:
    """The address takes mail after all."""

    participant: Participant
    address: str


@dataclass(frozen=True, slots=True)
class SendAgain:
    """The same letter to the contact there is now; held while there is none."""

    participant: Participant
    letter_id: int


@dataclass(frozen=True, slots=True)
class EndEmbargo:
    """The case's embargo is over."""

    why: str


@dataclass(frozen=True, slots=True)
class Reopen:
    """The case goes on: a participant wrote in one that was closed."""

    why: str


@dataclass(frozen=True, slots=True)
class LapseTerms:
    """What was proposed for its embargo, and nobody decided, is open no more."""

    why: str


@dataclass(frozen=True, slots=True)
class CloseCase:
    """Nothing is open in a case whose note is published."""

    why: str


Action = (
    Reopen
    | CloseCase
    | Undeliverable
    | Reachable
    | SendAgain
    | File
    | Heard
    | Progress
    | Informed
    | Turn
    | Close
    | Set
    | KeepStatement
    | Propose
    | Vouch
    | KeepOrder
    | TellRefused
    | ClearText
    | Receipt
    | Write
    | Notice
    | Finish
    | Postpone
    | EndEmbargo
    | LapseTerms
    | Again
    | ShowDraft
    | DraftSeen
)
Actions = list[Action]
CLOCKS_OF_SILENCE = (DeadlineKind.FOLLOW_UP, DeadlineKind.WAIT, DeadlineKind.NON_RESPONSIVE)
ALL_CLOCKS = tuple(DeadlineKind)
