"""What we know of a sender: the words, their order, and who judges. What a signature is worth stands in `conditions`.

A VU# routes; it never authorises: without standing a mail changes nothing.
"""

from enum import IntEnum

from mailrouter.case.conditions import Assurance, Evidence, assurance, sender_organisation, takes_part

__all__ = ["Assurance", "Evidence", "Standing", "assurance", "parse", "sender_organisation", "standing", "suspicion"]


class Standing(IntEnum):
    """In rising order; compared against `trust.answers_from`."""

    STRANGER = 0
    CLAIMED = 1
    AUTHENTICATED = 2
    SIGNED = 3

    def __str__(self) -> str:
        return self.name.lower()


def standing(evidence: Evidence) -> Standing:
    """How much we may believe that the mail comes from the organisation its From speaks for.

    In a case, whoever takes no part in it is a stranger to it, however well known elsewhere (testbook S27). That a
    mail says it is from us is no claim to be believed: without proof its sender is a stranger (S25).
    """
    if sender_organisation(evidence) is None or not takes_part(evidence):
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
