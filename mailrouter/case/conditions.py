"""What a signature must fulfil to be worth "verified" for a case, and what each lack costs: one table for each.

The numbers are those of the conditions for V in testbook/pgp.md. Conditions 1, 2 and 8, the strength of key and hash
(3), and a time of signing in the future or before its key (4) are proved by GnuPG or not: here they are one fact, the
verdict (pgp/status.py, pgp/opening.py). The rest needs to know whose key it is, who takes part, and what came before. A
signature is held against this once, in the transaction that files its mail; what comes later changes nothing (P78).
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar


class Assurance(StrEnum):
    """What the signature is worth for this case."""

    VERIFIED = "verified"
    OTHER_SIGNER = "other-signer"
    PARTIAL = "partial"
    UNSIGNED = "unsigned"
    INVALID = "invalid"
    RETRY = "retry"  # GnuPG could not do its work, again and again: nothing is known


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one mail's sender, before it is held against a case."""

    well_formed: bool  # exactly one From, one mailbox, strict grammar
    organisation_id: int | None = None  # whose contact the From address is
    domain_organisation_id: int | None = None  # whose mail domain it is in
    transport_pass: bool = False  # our own MTA's aligned Authentication-Results
    internal: bool = False  # From is one of us, as anybody outside can write
    answers_us: bool = False  # names a Message-ID we sent in this case
    verdict: str = "none"
    covers: str = "none"
    signer_organisation_id: int | None = None  # whose pinned key made the one good signature
    in_case: bool = False  # a case is named: standing and assurance are those in this case
    participant_organisation_id: int | None = None  # for whom, of the case's participants, the mail would count


@dataclass(frozen=True, slots=True)
class Signed:
    """What a good signature says of a mail, beyond who made it."""

    bound: bool = False  # the signed bytes name the VU#
    stale: bool = False
    replay: bool = False  # the same signing came before, in another case
    repeated: bool = False  # it came before in this case, by another mail of theirs

    @property
    def came_before(self) -> bool:
        """Whether it is no new word of theirs: anybody who has the mail can send it again."""
        return self.replay or self.repeated

    @property
    def flags(self) -> tuple[str, ...]:
        """What keeps it from changing anything by itself, as `case show` says it."""
        return tuple(row.costs for row in FLAGS if row.lacks(self))


def sender_organisation(evidence: Evidence) -> int | None:
    """The organisation the From address speaks for; nobody if From is malformed."""
    if not evidence.well_formed:
        return None
    return evidence.organisation_id or evidence.domain_organisation_id


def takes_part(evidence: Evidence) -> bool:
    """Whether the sender is the participant the mail would count for; without a case there is none to be."""
    return not evidence.in_case or sender_organisation(evidence) == evidence.participant_organisation_id


# ---- the table ----------------------------------------------------------------------------------------------------

Facts = TypeVar("Facts")
Cost = TypeVar("Cost", bound=str)


@dataclass(frozen=True, slots=True)
class Condition(Generic[Facts, Cost]):
    """One row: what must hold, when it does not, what that costs, and what people are told."""

    number: str  # in testbook/pgp.md, Verdicts
    wants: str
    lacks: Callable[[Facts], bool]
    costs: Cost
    reason: str


# The first that is lacking decides.
WORTH: tuple[Condition[Evidence, Assurance], ...] = (
    Condition(
        "2", "there is a signature",
        lambda e: e.verdict == "none",
        Assurance.UNSIGNED, "it is not signed",
    ),
    Condition(
        "1, 2, 3, 4, 8", "GnuPG finds exactly one signature good, by a strong key, and nothing else to say",
        lambda e: e.verdict != "good",
        Assurance.INVALID, "its signature is not valid",
    ),
    Condition(
        "3", "the key that made it is pinned to somebody",
        lambda e: e.signer_organisation_id is None,
        Assurance.INVALID, "its key is not pinned",
    ),
    Condition(
        "6", "the one mailbox in From belongs to the organisation whose key it is",
        lambda e: e.signer_organisation_id != sender_organisation(e),
        Assurance.OTHER_SIGNER, "it is signed by a key that is not pinned to its sender's organisation",
    ),
    Condition(
        "3", "that organisation is the participant the mail would count for",
        lambda e: not takes_part(e),
        Assurance.OTHER_SIGNER, "it is signed by a key that is not pinned to its sender's organisation",
    ),
    Condition(
        "5", "all that is shown is signed",
        lambda e: e.covers != "all",
        Assurance.PARTIAL, "its signature covers only a part of it",
    ),
)  # fmt: skip

# Each that is lacking is a flag; with any of them a verified mail changes nothing by itself.
FLAGS: tuple[Condition[Signed, str], ...] = (
    Condition(
        "7", "its signature has not been seen in this case",
        lambda s: s.repeated,
        "repeated", "the same signed text came before",
    ),
    Condition(
        "7", "its signature has not been seen in another case",
        lambda s: s.replay,
        "replay", "the same signature came before, in another case",
    ),
    Condition(
        "4", "it was signed at most 30 days before it came",
        lambda s: s.stale,
        "stale", "it was signed more than 30 days before it came",
    ),
    Condition(
        "7", "the signed text, or the signed subject, names the VU#",
        lambda s: not s.bound,
        "unbound", "its signature is good, but the signed text does not name the VU#",
    ),
)  # fmt: skip


def lacking(evidence: Evidence) -> Condition[Evidence, Assurance] | None:
    """The first condition that does not hold; None: the mail is verified."""
    return next((row for row in WORTH if row.lacks(evidence)), None)


def assurance(evidence: Evidence) -> Assurance:
    """The signature's worth."""
    lack = lacking(evidence)
    return Assurance.VERIFIED if lack is None else lack.costs


def reason(worth: Assurance) -> str:
    """What a mail of this worth lacks, in the plainest words; '' when it lacks nothing."""
    return next((row.reason for row in WORTH if row.costs is worth), "")
