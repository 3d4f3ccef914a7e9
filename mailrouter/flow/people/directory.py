"""Vendors and analysts: who they are, how they are reached, whose keys we believe. One verb, one transaction.

All or nothing: what an order names is stored together or not at all. Keys come as GnuPG read them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.flow import details, letters
from mailrouter.flow.actor import Actor, note
from mailrouter.flow.casework import contacting
from mailrouter.flow.telling import tell
from mailrouter.mail import texts
from mailrouter.pgp import KeyInfo
from mailrouter.store import analysts, candidates, cases, certificates, contacts, queues
from mailrouter.store.analysts import Analyst
from mailrouter.store.contacts import Organisation, PinnedKey
from mailrouter.tools import Tools

RESERVED = ("mailrouter", "unix:", "analyst:")  # what the journal and the queues call others


# ---- vendors -------------------------------------------------------------------------------------------------------


def add_vendor(
    tools: Tools, actor: Actor, name: str, addresses: Sequence[str], domains: Sequence[str] = (),
    keys: Sequence[KeyInfo] = (), *, cna: bool = False, telephone: str = "", channel: str = "",
) -> Organisation:  # fmt: skip
    """A new organisation. Letters go to the first address; all are recognised."""
    fresh = _renewals(tools, keys)
    with tools.db.write() as tx:
        added = contacts.add(tx, name, cna=cna, telephone=telephone)
        for address in addresses:
            contacts.add_contact(tx, added.id, address)
        for domain in domains:
            contacts.add_domain(tx, added.id, domain)
        pinned = _pin(tx, tools, actor, added, fresh, channel)
        note(tx, tools, actor, "vendor.added", organisation=added.id, contacts=len(addresses), keys=pinned, cna=cna)
        return added


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be different about an organisation; what is not given stays."""

    name: str = ""
    cna: bool | None = None
    add_domains: Sequence[str] = ()
    remove_domains: Sequence[str] = ()
    deliverable: Sequence[str] = ()  # contacts that take mail after all
    telephone: str = ""  # the number on file


def set_vendor(tools: Tools, actor: Actor, name: str, change: Change) -> Organisation:
    """Another name, another domain, a CNA or not."""
    with tools.db.write() as tx:
        vendor = contacts.named(tx, name)
        if change.name:
            contacts.rename(tx, vendor.id, change.name)
        if change.cna is not None:
            contacts.set_cna(tx, vendor.id, change.cna)
        if change.telephone:
            contacts.set_telephone(tx, vendor.id, change.telephone)
        for domain in change.remove_domains:
            contacts.remove_domain(tx, vendor.id, domain)
        for domain in change.add_domains:
            contacts.add_domain(tx, vendor.id, domain)
        for address in change.deliverable:
            _takes_mail(tx, vendor, address)
        note(tx, tools, actor, "vendor.changed", organisation=vendor.id, what=_given(change))
        return contacts.get(tx, vendor.id)


def _given(change: Change) -> list[str]:
    return [name for name in Change.__dataclass_fields__ if getattr(change, name) not in ("", None, ())]


def _takes_mail(tx: Connection, vendor: Organisation, address: str) -> None:
    if address.casefold() not in {contact.address for contact in contacts.contacts_of(tx, vendor.id)}:
        raise faults.NotFound(f"{address} is not a contact of {vendor.name}")
    contacts.mark(tx, vendor.id, address, undeliverable=False)
    cases.reachable_again(tx, vendor.id)


def add_contacts(tools: Tools, actor: Actor, name: str, addresses: Sequence[str]) -> Organisation:
    """Further addresses, tried after those there are; one of theirs given again takes mail again."""
    with tools.db.write() as tx:
        vendor = contacts.named(tx, name)
        for address in addresses:
            contacts.add_contact(tx, vendor.id, address)
        cases.reachable_again(tx, vendor.id)
        note(tx, tools, actor, "vendor.contacts-added", organisation=vendor.id, count=len(addresses))
        return vendor


def remove_contact(tools: Tools, actor: Actor, name: str, address: str) -> Organisation:
    """An address is theirs no more. `Refused` for their last one."""
    with tools.db.write() as tx:
        vendor = contacts.named(tx, name)
        contacts.remove_contact(tx, vendor.id, address)
        note(tx, tools, actor, "vendor.contact-removed", organisation=vendor.id)
        return vendor


def add_keys(tools: Tools, actor: Actor, name: str, keys: Sequence[KeyInfo], *, channel: str = "") -> Organisation:
    """Pin keys; a known fingerprint given again renews the key. `Refused` if one is another organisation's.

    `channel`: over which second channel their fingerprints were compared, in the analyst's words; '' if over none.
    A renewed key keeps what it said before: a copy from before it revoked a subkey does not make that good again
    (testbook P68). `TryLater` when it was changed while gpg looked at it.
    """
    fresh = _renewals(tools, keys)
    with tools.db.write() as tx:
        vendor = contacts.named(tx, name)
        owed = details.hold_owed(tx, vendor.id)  # cases before all else
        pinned = _pin(tx, tools, actor, vendor, fresh, channel)
        contacting.follow(tx, tools, actor, owed)
        told = {"organisation": vendor.id, "keys": pinned, "channel": channel}
        note(tx, tools, actor, "vendor.keys-pinned", **told)
        return vendor


def retire_key(tools: Tools, actor: Actor, name: str, fingerprint: str, why: str = "") -> Organisation:
    """The key proves nothing from now on; what it proved before stays."""
    with tools.db.write() as tx:
        vendor = contacts.named(tx, name)
        if fingerprint not in {key.fingerprint for key in contacts.keys_of(tx, [vendor.id])}:
            raise faults.NotFound(f"no key in use of {vendor.name} has that fingerprint")
        contacts.retire(tx, vendor.id, fingerprint, tools.now(), why)
        note(tx, tools, actor, "vendor.key-retired", organisation=vendor.id, fingerprint=fingerprint, why=why)
        return vendor


@dataclass(frozen=True, slots=True)
class _Renewal:
    """A key to be pinned; `pinned`: the form of it that we have, which `key` holds too."""

    key: KeyInfo
    pinned: PinnedKey | None


def _renewals(tools: Tools, keys: Iterable[KeyInfo]) -> list[_Renewal]:
    """Each together with what we have of it. `Refused` when it is of no use then. gpg looks: not in a transaction."""
    with tools.db.read() as tx:
        known = [(key, contacts.pinned(tx, key.fingerprint)) for key in keys]
    return [_Renewal(_together(tools, key, pinned), pinned) for key, pinned in known]


def _together(tools: Tools, key: KeyInfo, pinned: PinnedKey | None) -> KeyInfo:
    if pinned is None or pinned.data == key.data or pinned.revoked_at is not None:  # that one is refused in a moment
        return key
    return tools.pgp.together(pinned.data, key.data)


def _pin(
    tx: Connection, tools: Tools, actor: Actor, vendor: Organisation, renewals: Iterable[_Renewal], channel: str
) -> list[str]:
    """Under every name a signature may give its issuer by; returns the fingerprints."""
    pinned = []
    for renewal in renewals:
        key, now = renewal.key, contacts.pinned(tx, renewal.key.fingerprint, hold=True)
        if (now and now.data) != (renewal.pinned and renewal.pinned.data):
            raise faults.TryLater("the key was changed meanwhile; look at it again (`mailrouter vendor show`)")
        if ours := analysts.with_key(tx, key.fingerprint):
            raise faults.Refused(f"this key is {ours[0].name}'s, an analyst: `mailrouter analyst set --no-key` first")
        row = {
            "organisation_id": vendor.id, "fingerprint": key.fingerprint, "data": key.data, "user_id": key.label,
            "pinned_at": tools.now(), "pinned_by": actor.name, "channel": channel, **_reach(key, now, tools.now()),
        }  # fmt: skip
        contacts.pin(tx, row, [key.fingerprint, *key.subkeys, *key.key_ids])
        candidates.decide(tx, vendor.id, key.fingerprint, "pinned", actor.name, tools.now())
        pinned.append(key.fingerprint)
    return pinned


def _reach(key: KeyInfo, before: PinnedKey | None, now: datetime) -> dict[str, object]:
    """Whether and how long it can be encrypted to. That it once could stays on record: see `contacts.revoked`."""
    if key.can_encrypt or before is None or not before.can_encrypt:
        return {"can_encrypt": key.can_encrypt, "expires_at": key.expires}
    return {"can_encrypt": True, "expires_at": min(before.expires_at or now, now)}


# ---- analysts ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class About:
    """What is recorded of an analyst; None: not given."""

    address: str | None = None
    login: str | None = None
    queues: Sequence[str] | None = None  # besides their own
    key: KeyInfo | None = None
    no_key: bool = False  # no mail is theirs from now on


def add_analyst(tools: Tools, actor: Actor, name: str, about: About) -> Analyst:
    """A new analyst, with a queue of their name. `Refused` for a name that means something else already."""
    if name in queues.SHARED or name.casefold().startswith(RESERVED):
        raise faults.Refused(f"an analyst cannot be called {name!r}: the name means something else here")
    with tools.db.write() as tx:
        added = analysts.add(tx, {"name": name, **_columns(about)})
        _believe(tx, tools, added)
        note(tx, tools, actor, "analyst.added", analyst=added.id, login=added.login, queues=added.queues)
        return added


def set_analyst(tools: Tools, actor: Actor, name: str, about: About) -> Analyst:
    """What is given is different from now on."""
    with tools.db.write() as tx:
        analyst = analysts.named(tx, name)
        _login_is_free(tx, analyst, about.login)
        columns = _columns(about)
        analysts.change(tx, analyst.id, **columns)
        changed = analysts.get(tx, analyst.id)
        told: dict[str, object] = {"analyst": analyst.id, "what": sorted(columns)}
        if "key" in columns:
            _believe(tx, tools, changed)
            told["fingerprint"] = changed.fingerprint
        note(tx, tools, actor, "analyst.changed", **told)
        return changed


def _believe(tx: Connection, tools: Tools, analyst: Analyst) -> None:
    """Their key in this form is kept for ever: it may prove an order. `Refused` if it speaks for somebody else too."""
    if not analyst.key:
        return
    other = next((one for one in analysts.with_key(tx, analyst.fingerprint) if one.id != analyst.id), None)
    if other is not None:
        raise faults.Refused(f"this key is {other.name}'s; each analyst needs one of their own")
    pinned = contacts.pinned(tx, analyst.fingerprint)
    if pinned is not None and pinned.retired_at is None:
        raise faults.Refused(f"this key is pinned to {contacts.get(tx, pinned.organisation_id).name}")
    certificates.keep(tx, analyst.fingerprint, analyst.key, tools.now())


def _login_is_free(tx: Connection, analyst: Analyst, login: str | None) -> None:
    other = analysts.by_login(tx, login) if login else None
    if other is not None and other.id != analyst.id:
        raise faults.Refused(f"the login {login} is {other.name}'s")


def _columns(about: About) -> dict[str, object]:
    given: dict[str, object | None] = {"address": about.address, "login": about.login}
    if about.queues is not None:
        given["queues"] = ",".join(_known(about.queues))
    if about.key is not None:
        if not about.key.can_encrypt:
            raise faults.Refused("nothing can be encrypted to this key")
        given |= {"fingerprint": about.key.fingerprint, "key": about.key.data}
    none: dict[str, object] = {"fingerprint": "", "key": None} if about.no_key else {}
    return {name: value for name, value in given.items() if value is not None} | none


def _known(names: Sequence[str]) -> list[str]:
    unknown = next((name for name in names if name not in queues.SHARED), None)
    if unknown is not None:
        raise faults.Refused(f"there is no queue {unknown!r} to be given; there are {', '.join(queues.SHARED)}")
    return list(dict.fromkeys(names))


def away(tools: Tools, actor: Actor, name: str, until: datetime, cover: str) -> Analyst:
    """Somebody stands in until then, and is written to at once about what waits."""
    if until <= tools.now():
        raise faults.Refused("the date lies in the past")
    tools.own_key()  # outside the transaction: it may have to be made
    with tools.db.write() as tx:
        analyst, deputy = analysts.named(tx, name), analysts.named(tx, cover)
        if deputy.id == analyst.id or deputy.away(tools.now()):
            raise faults.Refused(f"{deputy.name} is away too: somebody who is there must stand in")
        analysts.change(tx, analyst.id, away_until=until, cover_id=deputy.id)
        _hand_over(tx, tools, analyst, deputy, until)
        note(tx, tools, actor, "analyst.away", analyst=analyst.id, until=until, cover=deputy.id)
        return analysts.get(tx, analyst.id)


def back(tools: Tools, actor: Actor, name: str) -> Analyst:
    """They are there again."""
    with tools.db.write() as tx:
        analyst = analysts.named(tx, name)
        if not analyst.away(tools.now()):
            raise faults.Illegal(f"{name} is not away")
        analysts.change(tx, analyst.id, away_until=None, cover_id=None)
        note(tx, tools, actor, "analyst.back", analyst=analyst.id)
        return analysts.get(tx, analyst.id)


def _hand_over(tx: Connection, tools: Tools, analyst: Analyst, deputy: Analyst, until: datetime) -> None:
    waiting = [shown for queue in analyst.reads for shown in queues.shown(tx, queue)]
    items = texts.listing(tell.line(tx, shown) for shown in waiting) or "nothing"
    values = {"analyst": deputy.name, "away": analyst.name, "until": letters.day(until), "items": items}
    letters.to_staff(tx, tools, deputy.address, letters.Order("analyst-away", values), tools.now())
