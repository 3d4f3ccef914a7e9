"""What a letter to a vendor may carry (DOMAIN.md, The way of a case 3), and the words of one that carries no details.

Promises: details go to nobody who cannot be written to safely: encrypted to a pinned key, or in clear by recorded
consent. Everybody else gets a signed letter that says how to come by them.
"""

from collections.abc import Mapping
from enum import StrEnum


class Carries(StrEnum):
    """What one letter carries of the description."""

    ENCRYPTED = "details, encrypted"
    IN_CLEAR = "details, unencrypted as they agreed"
    NOT_YET = "without details (no usable key, no consent)"
    NOTHING = "without details, as ordered"


def carries(*, described: bool, key: bool, consent: bool) -> Carries:
    """`described`: there is something to be told; `key`: they have a usable one; `consent`: to clear text."""
    if not key and not consent:
        return Carries.NOT_YET
    if not described:
        return Carries.NOTHING
    return Carries.ENCRYPTED if key else Carries.IN_CLEAR


DETAILED = (Carries.ENCRYPTED, Carries.IN_CLEAR)

_NO_KEY = (
    "This first letter carries no details, since we hold no OpenPGP key of yours that we can encrypt to. Please answer"
    " it with your organisation's public key; we then send you the details, encrypted."
)
_CLEAR_TEXT = (
    "If you cannot use OpenPGP and agree to get the details unencrypted, answer this letter with the words"
    ' "Clear text: yes" alone on a line, without the quotation marks; "Clear text: no" takes that back at any'
    " time."
)
_LATER: Mapping[Carries, tuple[str, str]] = {
    Carries.ENCRYPTED: ("", ""),
    Carries.IN_CLEAR: ("", ""),
    Carries.NOTHING: ("This first letter carries no details. They follow in a letter of their own.", ""),
    Carries.NOT_YET: (_NO_KEY, _CLEAR_TEXT),
}
SENTENCES = tuple(sentence for pair in _LATER.values() for sentence in pair if sentence)


def words(what: Carries) -> dict[str, str]:
    """What the first letter says where details would stand; '' where they do."""
    later, clear = _LATER[what]
    return {"details_later": later, "how_clear_text": clear}
