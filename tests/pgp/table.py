"""Table P of the testbook as cases: a mail, what is made of it, what is required. `python -m tests.pgp` prints it.

Each mail goes the way a real one goes: its From read strictly, the keys of the organisation it names given to the
engine, another signer's key found by the issuer, the result held against a case of VU#123456 in which the vendor takes
part. What needs a database (replay, deduplication, approval) is in tests/flow and tests/cli.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from mailrouter.case.standing import Assurance, Evidence, assurance
from mailrouter.faults import TryLater
from mailrouter.mail import authenticate, parse, statement
from mailrouter.mail.pgpmime import Opened, Verdict
from mailrouter.pgp import Pgp, PublicKey
from mailrouter.pgp.packets import keys_of
from tests.pgp.keys import Keymaker

VU = 123456
WRONG = "!!"
VENDOR, EVE = 1, 2  # organisations; the vendor takes part in the case, Eve has a key pinned and does not
ADDRESSES = {"psirt@vendor.example": VENDOR, "eve@eve.example": EVE}
LETTERS = {
    Assurance.VERIFIED: "V",
    Assurance.OTHER_SIGNER: "S",
    Assurance.PARTIAL: "P",
    Assurance.UNSIGNED: "U",
    Assurance.INVALID: "I",
}


@dataclass(frozen=True)
class Given:
    """A mail, and the keys pinned; without any the vendor's own and Eve's."""

    raw: bytes
    vendors: tuple[PublicKey, ...] | None = None
    eves: tuple[PublicKey, ...] | None = None
    now: datetime | None = None


@dataclass(frozen=True)
class Case:
    """One mail of one row. `outcomes`: the words of which one must come out, as `outcome` spells them."""

    row: str
    mail: str
    outcomes: tuple[str, ...]
    make: Callable[[Keymaker], Given]

    def __str__(self) -> str:
        return f"{self.row} {self.mail}"


@dataclass(frozen=True)
class Outcome:
    """What was made of a mail: the word for it, and what was proved."""

    word: str
    opened: Opened
    fingerprint: str = ""


def case(row: str, mail: str, *outcomes: str) -> Callable[[Callable[[Keymaker], Given | bytes]], Case]:
    """Makes a case of a function that makes its mail."""

    def wrap(make: Callable[[Keymaker], Given | bytes]) -> Case:
        def given(keymaker: Keymaker) -> Given:
            made = make(keymaker)
            return made if isinstance(made, Given) else Given(made)

        return Case(row, mail, outcomes, given)

    return wrap


def judge(pgp: Pgp, keymaker: Keymaker, given: Given) -> Outcome:
    """Open it as the house does, and say what it is worth for the case."""
    sender = authenticate.sender(parse.mail(given.raw))
    pinned = {VENDOR: given.vendors, EVE: given.eves}
    owned = {
        VENDOR: (keymaker.vendor.public,) if pinned[VENDOR] is None else pinned[VENDOR],
        EVE: (keymaker.eve.public,) if pinned[EVE] is None else pinned[EVE],
    }
    speaks_for = ADDRESSES.get(sender.address)
    known = owned[speaks_for] if speaks_for else ()
    everybody = [key for keys in owned.values() for key in keys]

    def find(issuer: str) -> list[PublicKey]:
        return [key for key in everybody if any(k.fingerprint.endswith(issuer) for k in keys_of(key.data))]

    try:
        opened = pgp.open(given.raw, known, find, given.now or datetime.now(UTC))
    except TryLater:
        return Outcome("E", Opened())
    signer = {key.fingerprint: owner for owner, keys in owned.items() for key in keys}.get(opened.fingerprint)
    evidence = Evidence(
        well_formed=not sender.malformed, organisation_id=speaks_for, verdict=str(opened.verdict),
        covers=opened.covers, signer_organisation_id=signer if opened.verdict is Verdict.GOOD else None,
        in_case=True, participant_organisation_id=VENDOR,
    )  # fmt: skip
    return Outcome(_word(assurance(evidence), opened), opened, opened.fingerprint)


def _word(worth: Assurance, opened: Opened) -> str:
    flags = ""
    if worth is Assurance.VERIFIED:
        flags += "" if _bound(opened) else "+UNBOUND"
        flags += "+STALE" if opened.stale else ""
    decryption = {"ok": " D_OK", "partial": " D_PARTIAL", "fail": " D_FAIL", "none": ""}[opened.decrypted]
    return LETTERS[worth] + flags + decryption


def _bound(opened: Opened) -> bool:
    content = opened.content or b""
    words = statement.text_of(content) if opened.content_is_entity else content
    return statement.binds(words, opened.protected_subject or "", VU)


def rows(cases: Iterable[Case], pgp: Pgp, keymaker: Keymaker) -> list[tuple[str, str, str, str]]:
    """id, mail, verdict, required; a verdict that is not as required has a mark before it."""
    found = []
    for one in cases:
        got = judge(pgp, keymaker, one.make(keymaker)).word
        found.append((one.row, one.mail, got if got in one.outcomes else f"{WRONG} {got}", " or ".join(one.outcomes)))
    return found
