"""Organisations: contacts, mail domains and pinned keys. One address, one domain, one key is one organisation's."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from mailrouter import faults
from mailrouter.store import certificates
from mailrouter.store.tables import cases, contacts, domains, key_names, organisations, participants, pinned_keys


@dataclass(frozen=True, slots=True)
class Organisation:
    """A vendor, coordinator or reporter; a person is an organisation of one contact."""

    id: int
    name: str
    kind: str  # organisation | person
    cna: bool
    telephone: str = ""  # the number on file, to hear from them whether something is theirs


@dataclass(frozen=True, slots=True)
class Contact:
    """An organisation's mail address."""

    id: int
    organisation_id: int
    address: str
    rank: int
    undeliverable: bool


@dataclass(frozen=True, slots=True)
class PinnedKey:
    """A public key an analyst pinned to an organisation."""

    id: int
    organisation_id: int
    fingerprint: str
    data: bytes
    user_id: str
    can_encrypt: bool
    expires_at: datetime | None
    pinned_at: datetime
    pinned_by: str
    channel: str  # the second channel over which its fingerprint was compared
    retired_at: datetime | None
    retired_why: str
    revoked_at: datetime | None  # `data` holds the revocation, so that gpg says so of every signature

    def state(self, now: datetime) -> str:
        """In one word: valid | retired | revoked | expired."""
        expired = self.expires_at is not None and self.expires_at <= now
        words = (("retired", self.retired_at), ("revoked", self.revoked_at), ("expired", expired))
        return next((word for word, holds in words if holds), "valid")

    def usable(self, now: datetime) -> bool:
        """Whether a letter may be encrypted to it."""
        return self.can_encrypt and self.state(now) == "valid"


@dataclass(frozen=True, slots=True)
class Speaker:
    """Whose an address is, by contact and by mail domain."""

    organisation_id: int | None
    domain_organisation_id: int | None
    undeliverable: bool = False  # the contact is marked so


# ---- organisations -----------------------------------------------------------------------------------------------


def add(
    tx: Connection, name: str, *, kind: str = "organisation", cna: bool = False, telephone: str = ""
) -> Organisation:
    """A new organisation; `Refused` if the name is taken."""
    if find(tx, name) is not None:
        raise faults.Refused(f"an organisation named {name!r} exists already")
    row = {"name": name, "name_key": _key(name), "kind": kind, "cna": cna, "telephone": telephone}
    return get(tx, tx.execute(insert(organisations).returning(organisations.c.id), row).scalar_one())


def find(tx: Connection, name: str) -> Organisation | None:
    """By name, without regard to case and spacing."""
    row = tx.execute(select(organisations).where(organisations.c.name_key == _key(name))).first()
    return _organisation(row) if row else None


def named(tx: Connection, name: str) -> Organisation:
    """By name; `NotFound` says so."""
    found = find(tx, name)
    if found is None:
        raise faults.NotFound(f"no organisation is named {name!r}; `mailrouter vendor list` shows those there are")
    return found


def get(tx: Connection, organisation_id: int) -> Organisation:
    """By id."""
    return _organisation(tx.execute(select(organisations).where(organisations.c.id == organisation_id)).one())


def everyone(tx: Connection, kind: str = "organisation") -> list[Organisation]:
    """All of one kind, by name."""
    rows = tx.execute(select(organisations).where(organisations.c.kind == kind).order_by(organisations.c.name_key))
    return [_organisation(row) for row in rows]


def set_cna(tx: Connection, organisation_id: int, cna: bool) -> None:  # noqa: FBT001 - the value to be set
    """Whether it is a CVE Numbering Authority."""
    tx.execute(update(organisations).where(organisations.c.id == organisation_id).values(cna=cna))


def set_telephone(tx: Connection, organisation_id: int, number: str) -> None:
    """The number on file; '' for none."""
    tx.execute(update(organisations).where(organisations.c.id == organisation_id).values(telephone=number))


def rename(tx: Connection, organisation_id: int, name: str) -> None:
    """Another name; `Refused` if it is taken by another organisation."""
    other = find(tx, name)
    if other is not None and other.id != organisation_id:
        raise faults.Refused(f"an organisation named {name!r} exists already")
    tx.execute(
        update(organisations).where(organisations.c.id == organisation_id).values(name=name, name_key=_key(name))
    )


def _key(name: str) -> str:
    return " ".join(name.casefold().split())


def _organisation(row: Any) -> Organisation:
    return Organisation(row.id, row.name, row.kind, row.cna, row.telephone)


# ---- contacts and domains ------------------------------------------------------------------------------------------


def add_contact(tx: Connection, organisation_id: int, address: str) -> None:
    """The next contact of an organisation; `Refused` if the address is another's. Its own again takes mail again."""
    address = address.casefold()
    taken = tx.execute(select(contacts.c.organisation_id).where(contacts.c.address == address)).scalar()
    if taken == organisation_id:
        mark(tx, organisation_id, address, undeliverable=False)
        return
    if taken is not None:
        raise faults.Refused(f"{address} is already a contact of {get(tx, taken).name}")
    last = tx.execute(select(func.max(contacts.c.rank)).where(contacts.c.organisation_id == organisation_id)).scalar()
    tx.execute(insert(contacts).values(organisation_id=organisation_id, address=address, rank=(last or 0) + 1))


def remove_contact(tx: Connection, organisation_id: int, address: str) -> None:
    """Forget an address; `NotFound` if it is not theirs, `Refused` if it is their last."""
    theirs = contacts_of(tx, organisation_id)
    if address.casefold() not in {c.address for c in theirs}:
        raise faults.NotFound(f"{address} is not a contact of {get(tx, organisation_id).name}")
    if len(theirs) == 1:
        raise faults.Refused("an organisation needs one contact; add the new one first")
    tx.execute(delete(contacts).where(contacts.c.address == address.casefold()))


def contacts_of(tx: Connection, organisation_id: int) -> list[Contact]:
    """In the order letters try them."""
    rows = tx.execute(select(contacts).where(contacts.c.organisation_id == organisation_id).order_by(contacts.c.rank))
    return [Contact(*row) for row in rows]


def mark(tx: Connection, organisation_id: int, address: str, *, undeliverable: bool) -> bool:
    """Whether letters may go to a contact; False, and no change, if it was so already or the address is not theirs."""
    theirs = (contacts.c.organisation_id == organisation_id) & (contacts.c.address == address.casefold())
    changed = update(contacts).where(theirs, contacts.c.undeliverable != undeliverable)
    return tx.execute(changed.values(undeliverable=undeliverable)).rowcount == 1


def address_for(tx: Connection, organisation_id: int) -> str | None:
    """Where letters to it go: the first contact that takes mail."""
    return next(iter(reachable(tx, organisation_id)), None)


def reachable(tx: Connection, organisation_id: int) -> list[str]:
    """Its contacts that take mail, as far as we know; letters go to the first."""
    return [c.address for c in contacts_of(tx, organisation_id) if not c.undeliverable]


def reachable_of(tx: Connection, organisation_ids: Sequence[int]) -> Mapping[int, Sequence[str]]:
    """The same of several organisations."""
    found: dict[int, list[str]] = {one: [] for one in organisation_ids}
    if found:
        for row in tx.execute(_REACHABLE, {"ids": list(found)}):
            found[row.organisation_id].append(row.address)
    return found


_REACHABLE = (
    select(contacts.c.organisation_id, contacts.c.address)
    .where(contacts.c.organisation_id.in_(bindparam("ids", expanding=True)), contacts.c.undeliverable.is_(False))
    .order_by(contacts.c.rank, contacts.c.id)
)


def add_domain(tx: Connection, organisation_id: int, domain: str) -> None:
    """A mail domain whose addresses speak for it; `Refused` if it is another's."""
    domain = domain.casefold()
    taken = tx.execute(select(domains.c.organisation_id).where(domains.c.domain == domain)).scalar()
    if taken is not None and taken != organisation_id:
        raise faults.Refused(f"{domain} is already a mail domain of {get(tx, taken).name}")
    if taken is None:
        tx.execute(insert(domains).values(organisation_id=organisation_id, domain=domain))


def remove_domain(tx: Connection, organisation_id: int, domain: str) -> None:
    """Its addresses speak for it no more; `NotFound` if it is not theirs."""
    mine = (domains.c.organisation_id == organisation_id) & (domains.c.domain == domain.casefold())
    if not tx.execute(delete(domains).where(mine)).rowcount:
        raise faults.NotFound(f"{domain} is not a mail domain of {get(tx, organisation_id).name}")


def domains_of(tx: Connection, organisation_id: int) -> list[str]:
    """Its mail domains, sorted."""
    found = select(domains.c.domain).where(domains.c.organisation_id == organisation_id).order_by(domains.c.domain)
    return list(tx.execute(found).scalars())


def speakers(tx: Connection, addresses: Iterable[str]) -> dict[str, Speaker]:
    """Whose each (casefolded) address is; those nobody knows are left out."""
    wanted = {a for a in addresses if a}
    if not wanted:
        return {}
    by_address = {r.address: r for r in tx.execute(_BY_ADDRESS, {"addresses": list(wanted)})}
    named_domains = {a: a.rpartition("@")[2] for a in wanted}
    by_domain = {
        r.domain: r.organisation_id for r in tx.execute(_BY_DOMAIN, {"domains": list(set(named_domains.values()))})
    }
    found = {a: _speaker(by_address.get(a), by_domain.get(named_domains[a])) for a in wanted}
    return {a: s for a, s in found.items() if s != Speaker(None, None)}


def _speaker(contact: Any, by_domain: int | None) -> Speaker:
    return Speaker(contact.organisation_id, by_domain, contact.undeliverable) if contact else Speaker(None, by_domain)


_BY_ADDRESS = select(contacts.c.address, contacts.c.organisation_id, contacts.c.undeliverable).where(
    contacts.c.address.in_(bindparam("addresses", expanding=True))
)
_BY_DOMAIN = select(domains.c.domain, domains.c.organisation_id).where(
    domains.c.domain.in_(bindparam("domains", expanding=True))
)


def participants_addresses(tx: Connection) -> frozenset[str]:
    """The contacts of every organisation that takes part in a case: doors give them ten times the rate."""
    return frozenset(tx.execute(_PARTICIPANTS).scalars())


_PARTICIPANTS = select(contacts.c.address).where(contacts.c.organisation_id.in_(select(participants.c.organisation_id)))


# ---- pinned keys -----------------------------------------------------------------------------------------------------


def pin(tx: Connection, key: dict[str, Any], names: Sequence[str]) -> None:
    """Pin a key (a row's values), or renew it when its fingerprint is known; `Refused` if it is another's.

    This form of it is kept for ever: it may prove something from now on. What the known form says beside it is lost:
    flow/people/directory.py merges them first.
    """
    known = tx.execute(select(pinned_keys).where(pinned_keys.c.fingerprint == key["fingerprint"])).first()
    if known is None:
        key_id = tx.execute(insert(pinned_keys).returning(pinned_keys.c.id), key).scalar_one()
    elif known.organisation_id != key["organisation_id"]:
        raise faults.Refused(f"this key is already pinned to {get(tx, known.organisation_id).name}")
    elif known.revoked_at is not None:
        raise faults.Refused("this key was revoked by itself, and no older copy of it makes it good again")
    else:
        key_id = known.id
        anew = {**key, "retired_at": None, "retired_why": ""}
        tx.execute(update(pinned_keys).where(pinned_keys.c.id == key_id).values(anew))
        tx.execute(delete(key_names).where(key_names.c.key_id == key_id))
    certificates.keep(tx, key["fingerprint"], key["data"], key["pinned_at"])
    tx.execute(insert(key_names), [{"key_id": key_id, "name": name} for name in sorted(set(names))])


def retire(tx: Connection, organisation_id: int, fingerprint: str, now: datetime, why: str = "") -> None:
    """The key proves nothing from now on; what it proved before stays. `NotFound` if it is not pinned to them."""
    mine = (pinned_keys.c.organisation_id == organisation_id) & (pinned_keys.c.fingerprint == fingerprint)
    if not tx.execute(update(pinned_keys).where(mine).values(retired_at=now, retired_why=why)).rowcount:
        raise faults.NotFound(f"that key is not pinned to {get(tx, organisation_id).name}")


def revoked(tx: Connection, key: PinnedKey, data: bytes, now: datetime, *, whole: bool, worn_out: bool) -> bool:
    """The key revoked itself (`whole`), or subkeys of it; False if it was changed or retired meanwhile.

    `data`: the key with its revocation. `worn_out`: nothing can be encrypted to it any more, though it still signs.
    That it once could encrypt stays on record: to who had such a key, nobody's letter leaves in clear by itself.
    """
    same = (pinned_keys.c.id == key.id) & (pinned_keys.c.data == key.data) & pinned_keys.c.retired_at.is_(None)
    values = {"data": data} | ({"revoked_at": now} if whole else {"expires_at": now} if worn_out else {})
    if not tx.execute(update(pinned_keys).where(same).values(values)).rowcount:
        return False
    certificates.keep(tx, key.fingerprint, data, now)
    return True


def keys_of(tx: Connection, organisation_ids: Iterable[int], *, retired: bool = False) -> list[PinnedKey]:
    """The keys in use (or all) of these organisations."""
    found = tx.execute(_KEYS, {"organisations": list(organisation_ids)})
    return [key for key in (PinnedKey(*row) for row in found) if retired or key.retired_at is None]


_KEYS = (
    select(pinned_keys)
    .where(pinned_keys.c.organisation_id.in_(bindparam("organisations", expanding=True)))
    .order_by(pinned_keys.c.id)
)


def keys_claimed(tx: Connection, address: str) -> list[PinnedKey]:
    """The keys in use of whoever a (casefolded) address speaks for, by contact or by mail domain: one query a mail."""
    named = {"address": address, "domain": address.rpartition("@")[2]}
    return [PinnedKey(*row) for row in tx.execute(_CLAIMED, named)]


_CLAIMED = (
    select(pinned_keys)
    .where(
        pinned_keys.c.retired_at.is_(None),
        pinned_keys.c.organisation_id.in_(
            select(contacts.c.organisation_id)
            .where(contacts.c.address == bindparam("address"))
            .union_all(select(domains.c.organisation_id).where(domains.c.domain == bindparam("domain")))
        ),
    )
    .order_by(pinned_keys.c.id)
)


def pinned(tx: Connection, fingerprint: str, *, hold: bool = False) -> PinnedKey | None:
    """By the full fingerprint of its primary key, whoever's it is, retired or not; `hold`: locked from now on."""
    wanted = select(pinned_keys).where(pinned_keys.c.fingerprint == fingerprint)
    row = tx.execute(wanted.with_for_update() if hold else wanted).first()
    return PinnedKey(*row) if row else None


@dataclass(frozen=True, slots=True)
class Ending:
    """A key in use that has an end, of an organisation that takes part in an open case."""

    organisation_id: int
    fingerprint: str
    ends: datetime


def ending(tx: Connection, before: datetime) -> list[Ending]:
    """Those that end until `before`, or have ended; the next one first. No key is read for it."""
    return [Ending(*row) for row in tx.execute(_ENDING, {"before": before})]


_ENDING = (
    select(pinned_keys.c.organisation_id, pinned_keys.c.fingerprint, pinned_keys.c.expires_at)
    .where(
        pinned_keys.c.retired_at.is_(None),
        pinned_keys.c.revoked_at.is_(None),
        pinned_keys.c.expires_at <= bindparam("before"),
        pinned_keys.c.organisation_id.in_(
            select(participants.c.organisation_id).join(cases).where(cases.c.state == "open")
        ),
    )
    .order_by(pinned_keys.c.expires_at, pinned_keys.c.id)
)


def keys_named(tx: Connection, issuer: str) -> list[PinnedKey]:
    """The keys a signature may mean by this fingerprint or key id."""
    return [PinnedKey(*row) for row in tx.execute(_NAMED, {"names": [issuer, issuer[-16:]]})]


_NAMED = select(pinned_keys).where(
    pinned_keys.c.id.in_(select(key_names.c.key_id).where(key_names.c.name.in_(bindparam("names", expanding=True)))),
    pinned_keys.c.retired_at.is_(None),
)
