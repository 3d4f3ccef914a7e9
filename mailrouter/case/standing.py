"""What we know of a sender, and what a signature is worth for a case: the words, their order, and who judges.

A VU# routes; it never authorises: without standing a mail changes nothing.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Standing(IntEnum):
    """In rising order; compared against `trust.answers_from`."""

    STRANGER = 0
    CLAIMED = 1
    AUTHENTICATED = 2
    SIGNED = 3

    def __str__(self) -> str:
        return self.name.lower()


class Assurance(StrEnum):
    """What the signature is worth for this case (testbook/pgp.md, Verdicts)."""

    VERIFIED = "verified"
    OTHER_SIGNER = "other-signer"
    PARTIAL = "partial"
    UNSIGNED = "unsigned"
    INVALID = "invalid"


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


def sender_organisation(evidence: Evidence) -> int | None:
    """The organisation the From address speaks for; nobody if From is malformed."""
    if not evidence.well_formed:
        return None
    return evidence.organisation_id or evidence.domain_organisation_id


def _takes_part(evidence: Evidence) -> bool:
    """Whether the sender is the participant the mail would count for; without a case there is none to be."""
    return not evidence.in_case or sender_organisation(evidence) == evidence.participant_organisation_id


def assurance(evidence: Evidence) -> Assurance:
    """The signature's worth (testbook/pgp.md, Verdicts, conditions 3, 5 and 6)."""
    if evidence.verdict == "none":
        return Assurance.UNSIGNED
    if evidence.verdict != "good":
        return Assurance.INVALID
    if evidence.signer_organisation_id is None:
        return Assurance.INVALID  # a key we were not given
    if evidence.signer_organisation_id != sender_organisation(evidence) or not _takes_part(evidence):
        return Assurance.OTHER_SIGNER
    return Assurance.VERIFIED if evidence.covers == "all" else Assurance.PARTIAL


def standing(evidence: Evidence) -> Standing:
    """How much we may believe that the mail comes from the organisation its From speaks for.

    In a case, whoever takes no part in it is a stranger to it, however well known elsewhere (testbook S27). That a
    mail says it is from us is no claim to be believed: without proof its sender is a stranger (S25).
    """
    if sender_organisation(evidence) is None or not _takes_part(evidence):
        return Standing.STRANGER
    if assurance(evidence) is Assurance.VERIFIED:
        return Standing.SIGNED
    if evidence.transport_pass:
        return Standing.AUTHENTICATED
    if evidence.internal:
        return Standing.STRANGER
    if evidence.organisation_id is not None or evidence.answers_us:
        return Standing.CLAIMED
    return Standing.STRANGER


def suspicion(evidence: Evidence, malformed: str) -> str:
    """Why a person must look at a mail wherever it would go, in plain words; '' when nothing is wrong with its From.

    `malformed`: what is wrong with From in one word, '' when it is well formed (testbook S25).
    """
    if malformed:
        return f"the From is malformed: {malformed}"
    proved = evidence.transport_pass or assurance(evidence) is Assurance.VERIFIED
    return "it says it is from one of us, and nothing proves it" if evidence.internal and not proved else ""


def parse(word: str) -> Standing:
    """The standing a word names; `KeyError` for any other word."""
    return {str(s): s for s in Standing}[word]
