"""What a receipt says: what a signature proved, what becomes of the mail, what is missing and what helps. As tables.

A registered sender of whom we know enough is told what we made of their mail; a statement that is held raises a letter
to the registered contact, whoever sent it. Nothing here says why something could not be decrypted (testbook P107), and
nothing that came encrypted is repeated in clear (P105, P123): whoever fills the letter leaves the text out then.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mailrouter.case import conditions
from mailrouter.case.conditions import Assurance

LONGEST_NAME = 60  # characters of an organisation's name, where a sentence names it


class Lack(StrEnum):
    """What keeps a statement from standing: a signature's worth, a flag on a good one, or the text itself."""

    UNSIGNED = "unsigned"
    INVALID = "invalid"
    OTHER_SIGNER = "other-signer"
    PARTIAL = "partial"
    RETRY = "retry"
    REPLAY = "replay"
    STALE = "stale"
    UNBOUND = "unbound"
    EMPTY = "empty"
    REPEATED = "repeated"
    OLDER = "older"
    QUOTES = "quotes"


OF_WORTH = (Lack.UNSIGNED, Lack.INVALID, Lack.OTHER_SIGNER, Lack.PARTIAL, Lack.RETRY)
_OF_THE_TEXT: Mapping[str, str] = {
    Lack.EMPTY: "it holds no text of its own",
    Lack.OLDER: "it was signed before the statement that stands",
    Lack.QUOTES: "it holds quoted lines",
    Lack.RETRY: "its signature could not be checked",
}


def reason(lack: Lack) -> str:
    """In plain words; those of the conditions where it is one of them."""
    if lack in _OF_THE_TEXT:
        return _OF_THE_TEXT[lack]
    flag = next((row.reason for row in conditions.FLAGS if row.costs == lack), "")
    return flag or conditions.reason(Assurance(lack))


class Kind(StrEnum):
    """What a receipt is about."""

    ANSWER = "answer"  # a mail like any other
    STANDS = "stands"  # a statement that stands
    CONFIRMED = "confirmed"  # a text they vouch for, which stands by that
    HELD = "held"  # a statement that does not stand


@dataclass(frozen=True, slots=True)
class Facts:
    """One mail as it was judged, and what is known of whoever is written to."""

    kind: Kind
    vu: int
    vendor: str
    assurance: Assurance
    verdict: str  # of the signature: good, bad, expired-key, ...
    lack: Lack | None = None
    fingerprint: str = ""  # of the key that signed, as people read it; '' when it was not proved
    signed_at: datetime | None = None
    expired_at: datetime | None = None  # when that key did
    has_key: bool = False  # we hold a key of theirs
    unreadable: bool = False  # it was encrypted, and could not be opened
    repeated: bool = False  # the letter repeats the text


@dataclass(frozen=True, slots=True)
class Words:
    """The paragraphs a letter is filled with; '' where there is nothing to say."""

    proved: str
    becomes: str
    missing: str
    remedy: str


def words(facts: Facts) -> Words:
    """What the letter says of this mail; what is missing is said once, and then not again as what was proved."""
    known = _known(facts)
    return Words(
        proved=_proved(facts).format_map(known),
        becomes=_becomes(facts).format_map(known),
        missing=_missing(facts).format_map(known),
        remedy=_remedy(facts).format_map(known),
    )


def _known(facts: Facts) -> Mapping[str, str]:
    return {
        "vu": f"VU#{facts.vu}",
        "vendor": _cut(facts.vendor),
        "key": f"key {facts.fingerprint}" if facts.fingerprint else "key",
        "signed": _when(facts.signed_at),
        "expired": f"on {_when(facts.expired_at)}" if facts.expired_at else "meanwhile",
    }


def _cut(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 3].rstrip() + "..."


def _when(instant: datetime | None) -> str:
    return f"{instant:%Y-%m-%d}" if instant else ""


# ---- what its signature proved --------------------------------------------------------------------------------------

UNREADABLE = "We could read nothing in your mail."
_PROVED: Mapping[Assurance, str] = {
    Assurance.VERIFIED: "Its signature is good: made on {signed} with the {key}, which we hold as yours.",
    Assurance.PARTIAL: "It has a good signature of yours, which covers only a part of it.",
    Assurance.OTHER_SIGNER: "It is signed, but not with a key that we hold as {vendor}'s.",
    Assurance.UNSIGNED: "It is not signed.",
    Assurance.RETRY: "We could not check its signature yet.",
}
_NOT_GOOD: Mapping[str, str] = {
    "expired-key": "Its signature proves nothing, since the {key} expired {expired}.",
    "revoked-key": "Its signature proves nothing, since the {key} is revoked.",
    "expired-signature": "Its signature proves nothing any more: the signature itself had an end, which has passed.",
    "unknown-key": "It is signed with a key that we do not hold.",
    "good": "It is signed with a key that we do not hold as yours.",
    "unsupported": "Its signature proves nothing: it is of a kind, or by a key, that is too weak or not known to us.",
    "bad": "Its signature is not good: what came is not, or not exactly, what was signed.",
}


def _proved(facts: Facts) -> str:
    if facts.unreadable:
        return UNREADABLE
    if facts.assurance is not Assurance.VERIFIED and facts.kind in (Kind.HELD, Kind.CONFIRMED):
        return ""  # what is missing says it, or their word stands in its place
    if facts.assurance is Assurance.INVALID:
        return _NOT_GOOD.get(facts.verdict, _NOT_GOOD["bad"])
    return _PROVED[facts.assurance]


# ---- what becomes of it ----------------------------------------------------------------------------------------------

_BECOMES: Mapping[Kind, str] = {
    Kind.ANSWER: "",
    Kind.STANDS: "It stands as the text of {vendor} on {vu}. An analyst approves it before it is published.",
    Kind.CONFIRMED: "By this mail the text we asked about stands as that of {vendor} on {vu}. An analyst approves it "
    "before it is published.",
    Kind.HELD: "Until then we publish nothing of it.",
}
_REPEATED = {Kind.STANDS: " Exactly this would be published:", Kind.HELD: " This is the text:"}


def _becomes(facts: Facts) -> str:
    return _BECOMES[facts.kind] + (_REPEATED.get(facts.kind, "") if facts.repeated else "")


# ---- what is missing -------------------------------------------------------------------------------------------------

MISSING: Mapping[Lack, str] = {  # what the vendor can add, as one thing
    Lack.UNSIGNED: "a signature",
    Lack.OTHER_SIGNER: "a signature by a key that we have of {vendor}",
    Lack.PARTIAL: "a signature over the whole mail",
    Lack.RETRY: "our own check of the signature",
    Lack.EMPTY: "the text itself",
    Lack.REPLAY: "a signature made for {vu}, since this one came before, with another case",
    Lack.REPEATED: "a new signature, since this one came before",
    Lack.STALE: "a new signature, since this one is more than 30 days old",
    Lack.UNBOUND: "the number {vu} in the text that you sign",
    Lack.OLDER: "a newer signature, since the text that stands now was signed later",
    Lack.QUOTES: "our reading of it, since lines of it begin with > as quoted ones do, and we left them out",
}
NOT_VALID: Mapping[str, str] = {
    "expired-key": "a signature by a key that has not expired",
    "revoked-key": "a signature by a key that is not revoked",
    "expired-signature": "a signature that has not expired",
    "unknown-key": "a signature by a key that we have of you",
    "good": "a signature by a key that we have of you",
    "unsupported": "a signature of a kind that we can accept",
    "bad": "a signature that fits what we received",
}


def _missing(facts: Facts) -> str:
    if facts.lack is None or facts.unreadable:
        return ""
    invalid = NOT_VALID.get(facts.verdict, NOT_VALID["bad"])
    return f"What is missing: {invalid if facts.lack is Lack.INVALID else MISSING[facts.lack]}."


# ---- what helps ------------------------------------------------------------------------------------------------------

AGAIN = "Please send it again; if you encrypt it, encrypt it to our key that is named below."
REMEDIES: Mapping[Lack, str] = {
    Lack.UNSIGNED: "Please send it again, signed with the key of {vendor} that we hold.",
    Lack.OTHER_SIGNER: "Please sign it with the key of {vendor} that we hold; or send us the key you signed with, and "
    "we compare its fingerprint with you.",
    Lack.PARTIAL: "Please sign the whole mail (PGP/MIME), and send it so that no list or gateway adds anything to it.",
    Lack.RETRY: "You need to do nothing: we check it again.",
    Lack.EMPTY: "Please write the text into the mail, as plain text. We do not take what you quote.",
    Lack.REPLAY: "Please sign a text for {vu} which names {vu}. If you did not send this mail, please tell us.",
    Lack.REPEATED: "If you want to say it again, please sign it again and send it. If you did not send this mail "
    "again, please tell us.",
    Lack.STALE: "If it is still what you want to say, please sign it again today, and send it.",
    Lack.UNBOUND: "Please send it again with the line {vu} in the text that you sign.",
    Lack.OLDER: "If it is to replace the text that stands now, please sign it again and send it. If you did not send "
    "this mail, please tell us.",
    Lack.QUOTES: "If these lines belong to the text, please write them without the > and send it again, signed.",
}
WITHOUT_A_KEY = (
    "Please send us your OpenPGP key, and the text signed with it; or tell us that you have none, and we ask you to "
    "confirm the text by mail or telephone."
)
_NOT_VALID: Mapping[str, str] = {
    "expired-key": "Your {key} expired {expired}: send us the key with its new end, or a new one, and the text "
    "signed again.",
    "revoked-key": "Your {key} is revoked: send us your new key, and the text signed with it.",
    "expired-signature": "Please sign it again, without an end for the signature.",
    "unknown-key": "Please send us the key you signed with; we compare its fingerprint with you before we use it.",
    "good": "Please send us the key you signed with; we compare its fingerprint with you before we use it.",
    "unsupported": "Please sign it again with SHA-256 or SHA-512 and a key of today: RSA of 2048 bits, Ed25519.",
    "bad": "Please send it again as plain text signed as PGP/MIME, one signature, and nothing changed on its way.",
}


def _remedy(facts: Facts) -> str:
    if facts.unreadable:
        return AGAIN
    if facts.lack is None:
        return ""
    if facts.lack is Lack.INVALID:
        return _NOT_VALID.get(facts.verdict, _NOT_VALID["bad"])
    return WITHOUT_A_KEY if facts.lack is Lack.UNSIGNED and not facts.has_key else REMEDIES[facts.lack]
