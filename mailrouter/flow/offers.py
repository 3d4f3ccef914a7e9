"""The keys that come with a mail, looked at before the transaction: what of them is worth recording.

gpg has a few seconds for each, and is asked only about what is not known yet: the same Autocrypt header a thousand
times starts no process after the first. A key that gpg cannot take, or that keeps it busy, is passed over; its mail
goes its way. What becomes of the others is told in `offered.py`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256

from sqlalchemy import Connection

from mailrouter import logs
from mailrouter.faults import Refused, TryLater
from mailrouter.mail import authenticate, offers, parse, pgpmime
from mailrouter.pgp import KeyInfo, imports, packets, revocations
from mailrouter.store import candidates, contacts
from mailrouter.store.candidates import Candidate
from mailrouter.store.contacts import PinnedKey
from mailrouter.tools import Tools

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
    """What a mail brings along. `secret`: a secret key is in it."""

    keys: tuple[Key, ...] = ()
    secret: bool = False


NOTHING = Brought()


# ---- outside the transaction -----------------------------------------------------------------------------------------


def brought(tools: Tools, mail: parse.Mail, opened: pgpmime.Opened, sender: authenticate.Sender) -> Brought:
    """What is worth recording of the keys in this mail. gpg's troubles with them are never the mail's."""
    inside = opened.content or b""
    if not offers.possible(mail.raw) and not (inside and offers.possible(inside)):
        return NOTHING
    outer, inner = offers.of_mail(mail, sender.address), _inner(opened, sender.address)
    found = [(offer, False) for offer in outer.offers] + [(offer, True) for offer in inner.offers]
    keys = _look(tools, found, "" if sender.malformed else sender.address) if found else []
    return Brought(tuple(keys), outer.secret or inner.secret)


def _inner(opened: pgpmime.Opened, sender: str) -> offers.Found:
    if opened.content is None:
        return offers.NOTHING
    if opened.content_is_entity:
        return offers.of_mail(parse.mail(opened.content), sender)
    return offers.of_text(opened.content)


@dataclass(frozen=True, slots=True)
class _Known:
    """What the database knows that an offer is held against."""

    organisation_id: int | None  # of the From address
    candidates: dict[str, Candidate]  # decided ones too
    full: bool = True


def _look(tools: Tools, found: Sequence[tuple[offers.Offer, bool]], sender: str) -> list[Key]:
    """Each key once; signed if one of its copies is."""
    copies: dict[bytes, tuple[offers.Offer, bool]] = {}
    for offer, signed in sorted(found, key=lambda one: not one[1]):
        copies.setdefault(sha256(offer.data).digest(), (offer, signed))
    with tools.db.read() as tx:
        known = _known(tx, sender)
    looked: list[Key] = []
    for offer, signed in list(copies.values())[: offers.MOST]:
        try:
            looked += _of_offer(tools, known, offer, signed=signed)
        except (Refused, packets.Malformed) as useless:
            logs.failed("offers.key", useless)
        except TryLater as trouble:
            logs.failed("offers.key", trouble)
            break  # one key that keeps gpg busy is enough for one mail
    return looked


def _known(tx: Connection, sender: str) -> _Known:
    speaker = contacts.speakers(tx, [sender]).get(sender, contacts.Speaker(None, None))
    mine = speaker.organisation_id or speaker.domain_organisation_id
    if mine is None:
        return _Known(None, {})
    ever = candidates.ever(tx, mine)
    full = candidates.count(tx, mine) >= candidates.MOST
    return _Known(mine, {one.fingerprint: one for one in ever}, full)


def _of_offer(tools: Tools, known: _Known, offer: offers.Offer, *, signed: bool) -> Iterator[Key]:
    """A revocation certificate, or a few keys in one file."""
    alone = imports.revocation_in(offer.data)
    if alone:
        with tools.db.read() as tx:
            named = {key.id: key for name in revocations.issuers(alone) for key in contacts.keys_named(tx, name)}
        for key in named.values():
            yield from _revocation(tools, key, alone, offer.source)
    for copy in imports.certificates_in(offer.data)[: offers.MOST]:
        with tools.db.read() as tx:
            pinned = contacts.pinned(tx, copy.fingerprint)
        one = replace(offer, data=copy.data)
        if pinned is not None:
            yield from _of_pinned(tools, known, pinned, one, signed=signed)
        else:
            yield from _of_another(tools, known, copy.fingerprint, one, signed=signed)


def _of_another(tools: Tools, known: _Known, fingerprint: str, offer: offers.Offer, *, signed: bool) -> Iterator[Key]:
    """A copy of a key that is nobody's yet."""
    before = known.candidates.get(fingerprint)
    proves = signed and not (before and before.proved)
    if known.organisation_id is None or (known.full and before is None and not signed):
        return
    if before is not None and _adds_nothing(offer.data, before.data) and not proves:
        return
    info = tools.pgp.try_candidate(offer.data)
    yield Key(Kind.NEW, known.organisation_id, offer.source, info, signed=signed)


def _of_pinned(tools: Tools, known: _Known, pinned: PinnedKey, offer: offers.Offer, *, signed: bool) -> Iterator[Key]:
    """A copy of a key in use: as it is known, revoked, or with something new of its owner's."""
    if pinned.retired_at is not None or pinned.revoked_at is not None or _adds_nothing(offer.data, pinned.data):
        return
    if revocations.within(pinned.data, offer.data) != pinned.data:
        yield from _revocation(tools, pinned, offer.data, offer.source)
        return
    before = known.candidates.get(pinned.fingerprint)
    if pinned.organisation_id != known.organisation_id or (before and _adds_nothing(offer.data, before.data)):
        return
    fresh = tools.pgp.renewed(pinned.data, offer.data)
    if fresh is not None:
        yield Key(Kind.RENEWAL, pinned.organisation_id, offer.source, fresh, pinned, signed)


def _revocation(tools: Tools, pinned: PinnedKey, offered: bytes, source: str) -> Iterator[Key]:
    """By the key itself it counts, whoever carries it; by anybody else a person must weigh it (testbook P119)."""
    if pinned.revoked_at is not None or revocations.within(pinned.data, offered) == pinned.data:
        return
    fresh = tools.pgp.revoked(pinned.data, offered)
    kind = Kind.DISPUTED if fresh is None else Kind.REVOKED
    yield Key(kind, pinned.organisation_id, source, fresh, pinned, digest=sha256(offered).hexdigest())


def _adds_nothing(offered: bytes, known: bytes) -> bool:
    """Whether every packet of the one stands in the other: an Autocrypt header is a part of the whole key."""
    return {p.raw for p in packets.packets(offered)} <= {p.raw for p in packets.packets(known)}
