"""The keys that come with a mail, looked at before the transaction: what of them is worth recording.

gpg has a few seconds for all of a mail's, and is asked only about what is not known yet: the same Autocrypt header a
thousand times starts no process after the first. A key that gpg cannot take, or that keeps it busy, is passed over;
its mail goes its way. What becomes of the others is told in `offered.py`.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from hashlib import sha256

from mailrouter import logs
from mailrouter.faults import Refused, TryLater
from mailrouter.mail import authenticate, offers, parse, pgpmime
from mailrouter.pgp import KeyInfo, imports, owned, packets, revocations
from mailrouter.store import candidates, contacts, vain
from mailrouter.store.candidates import Candidate
from mailrouter.store.contacts import PinnedKey
from mailrouter.tools import Tools

SECONDS = 5.0  # for gpg, with all the keys of one mail (testbook P117)
EXPOSED = "private key exposed: an OpenPGP secret key is in this mail"


class Kind(StrEnum):
    """What a key that came along is to us."""

    NEW = "new"
    RENEWAL = "renewal"  # of a pinned key: a new user id, another expiry, another subkey
    REVOKED = "revoked"  # a pinned key, or a subkey of it, by itself
    DISPUTED = "disputed"  # somebody else says that a pinned key is revoked


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """One key that came along, as gpg reads it."""

    kind: Kind
    organisation_id: int  # whose it is, or would be
    source: str
    info: KeyInfo | None = None  # as it would be from now on; None when nothing is to change
    pinned: PinnedKey | None = None
    signed: bool = False  # it stands in what the mail's signature covers
    digest: str = ""  # SHA-256 of what was offered


@dataclass(frozen=True, slots=True)
class Brought:
    """What a mail brings along. `secret`: a secret key is in it. `vain`: what came to nothing; see store/vain.py."""

    keys: tuple[Key, ...] = ()
    secret: bool = False
    vain: tuple[str, ...] = ()


NOTHING = Brought()


# ---- outside the transaction -----------------------------------------------------------------------------------------


def brought(tools: Tools, mail: parse.Mail, opened: pgpmime.Opened, sender: authenticate.Sender) -> Brought:
    """What is worth recording of the keys in this mail. gpg's troubles with them are never the mail's."""
    inside = opened.content or b""
    if not offers.possible(mail.raw) and not (inside and offers.possible(inside)):
        return NOTHING
    outer, inner = offers.of_mail(mail, sender.address), _inner(opened, sender.address)
    found = [(offer, False) for offer in outer.offers] + [(offer, True) for offer in inner.offers]
    secret = outer.secret or inner.secret
    if not found:
        return Brought(secret=secret)
    look = _begun(tools, "" if sender.malformed else sender.address)
    return Brought(tuple(_look(look, found)), secret, tuple(look.vain))


def _inner(opened: pgpmime.Opened, sender: str) -> offers.Found:
    if opened.content is None:
        return offers.NOTHING
    if opened.content_is_entity:
        return offers.of_mail(parse.mail(opened.content), sender)
    return offers.of_text(opened.content)


@dataclass(frozen=True, slots=True)
class _Look:
    """What an offer is held against, and how long all the keys of one mail may take together."""

    tools: Tools
    organisation_id: int | None  # of the From address
    candidates: dict[str, Candidate]  # decided ones too
    full: bool
    ends_at: float  # of the monotonic clock
    vain: list[str] = field(default_factory=list)  # what came to nothing

    def seconds(self) -> float:
        """What is left."""
        return max(0.0, self.ends_at - time.monotonic())


def _look(look: _Look, found: Sequence[tuple[offers.Offer, bool]]) -> list[Key]:
    """Each key once; signed if one of its copies is."""
    copies: dict[bytes, tuple[offers.Offer, bool]] = {}
    for offer, signed in sorted(found, key=lambda one: not one[1]):
        copies.setdefault(sha256(offer.data).digest(), (offer, signed))
    looked: list[Key] = []
    for offer, signed in list(copies.values())[: offers.MOST]:
        try:
            looked += _of_offer(look, offer, signed=signed)
        except (Refused, packets.Malformed) as useless:
            logs.failed("offers.key", useless)
        except TryLater as trouble:
            logs.failed("offers.key", trouble)
            break  # one key that keeps gpg busy is enough for one mail
    return looked


def _begun(tools: Tools, sender: str) -> _Look:
    ends_at = time.monotonic() + SECONDS
    with tools.db.read() as tx:
        speaker = contacts.speakers(tx, [sender]).get(sender, contacts.Speaker(None, None))
        mine = speaker.organisation_id or speaker.domain_organisation_id
        if mine is None:
            return _Look(tools, None, {}, full=True, ends_at=ends_at)
        ever = {one.fingerprint: one for one in candidates.ever(tx, mine)}
        full = candidates.count(tx, mine) >= candidates.MOST
    return _Look(tools, mine, ever, full, ends_at)


def _of_offer(look: _Look, offer: offers.Offer, *, signed: bool) -> Iterator[Key]:
    """A revocation certificate, or a few keys in one file."""
    alone = imports.revocation_in(offer.data)
    if alone:
        with look.tools.db.read() as tx:
            named = {key.id: key for name in revocations.issuers(alone) for key in contacts.keys_named(tx, name)}
        for key in named.values():
            yield from _revocation(look, key, alone, offer.source)
    for copy in imports.certificates_in(offer.data)[: offers.MOST]:
        with look.tools.db.read() as tx:
            pinned = contacts.pinned(tx, copy.fingerprint)
        one = replace(offer, data=copy.data)
        if pinned is not None:
            yield from _of_pinned(look, pinned, one, signed=signed)
        else:
            yield from _of_another(look, copy.fingerprint, one, signed=signed)


def _of_another(look: _Look, fingerprint: str, offer: offers.Offer, *, signed: bool) -> Iterator[Key]:
    """A copy of a key that is nobody's yet."""
    before = look.candidates.get(fingerprint)
    proves = signed and not (before and before.proved)
    if look.organisation_id is None or (look.full and before is None and not signed):
        return
    if before is not None and owned.adds_nothing(offer.data, before.data) and not proves:
        return
    info = _ask(look, b"", offer.data, lambda: look.tools.pgp.try_candidate(offer.data, look.seconds()))
    if info is not None:
        yield Key(Kind.NEW, look.organisation_id, offer.source, info, signed=signed)


def _of_pinned(look: _Look, pinned: PinnedKey, offer: offers.Offer, *, signed: bool) -> Iterator[Key]:
    """A copy of a key in use: as it is known, revoked, or with something new of its owner's."""
    if pinned.retired_at or pinned.revoked_at or owned.adds_nothing(offer.data, pinned.data):
        return
    if revocations.within(pinned.data, offer.data) != pinned.data:
        yield from _revocation(look, pinned, offer.data, offer.source)
        return
    before = look.candidates.get(pinned.fingerprint)
    if pinned.organisation_id != look.organisation_id or (look.full and before is None and not signed):
        return
    if before is not None and owned.adds_nothing(offer.data, before.data):
        return
    renewed = look.tools.pgp.renewed
    fresh = _ask(look, pinned.data, offer.data, lambda: renewed(pinned.data, offer.data, look.seconds()))
    if fresh is not None:
        yield Key(Kind.RENEWAL, pinned.organisation_id, offer.source, fresh, pinned, signed)


def _revocation(look: _Look, pinned: PinnedKey, offered: bytes, source: str) -> Iterator[Key]:
    """By the key itself it counts, whoever carries it; by anybody else a person must weigh it (testbook P119)."""
    if pinned.revoked_at is not None or revocations.within(pinned.data, offered) == pinned.data:
        return
    if _in_vain(look, _mark(pinned.data, offered)):
        return
    revoked = look.tools.pgp.revoked
    fresh = _ask(look, pinned.data, offered, lambda: revoked(pinned.data, offered, look.seconds()))
    kind = Kind.DISPUTED if fresh is None else Kind.REVOKED
    yield Key(kind, pinned.organisation_id, source, fresh, pinned, digest=sha256(offered).hexdigest())


# ---- asking gpg once -------------------------------------------------------------------------------------------------


def _ask(look: _Look, pinned: bytes, offered: bytes, ask: Callable[[], KeyInfo | None]) -> KeyInfo | None:
    """What gpg makes of it. None and Refused are remembered; that gpg had no time (TryLater) is not."""
    mark = _mark(pinned, offered)
    if _in_vain(look, mark):
        return None
    try:
        info = ask()
    except (Refused, packets.Malformed):
        look.vain.append(mark)
        raise
    if info is None:
        look.vain.append(mark)
    return info


def _mark(pinned: bytes, offered: bytes) -> str:
    """Both copies: what is nothing to a key as it is may be something to it as it will be."""
    return sha256(sha256(pinned).digest() + sha256(offered).digest()).hexdigest()


def _in_vain(look: _Look, mark: str) -> bool:
    with look.tools.db.read() as tx:
        return vain.known(tx, mark, look.tools.now())
