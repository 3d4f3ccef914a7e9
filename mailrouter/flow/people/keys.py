"""What an analyst decides about a vendor's keys beside pinning them from a file: take, refuse, record a revocation.

One verb, one transaction; gpg looks at a key before it begins. A candidate is used for nothing until it is taken, and
taking it asks gpg anew: it may have expired while it waited.
"""

import shlex

from mailrouter import faults
from mailrouter.flow.act import Doing
from mailrouter.flow.actor import Actor, note
from mailrouter.flow.arriving import offered as offered_keys
from mailrouter.flow.people import directory
from mailrouter.pgp import KeyInfo, imports, revocations
from mailrouter.store import candidates, contacts
from mailrouter.store.contacts import Organisation
from mailrouter.tools import Tools


def take(tools: Tools, actor: Actor, name: str, fingerprint: str, *, channel: str = "") -> KeyInfo:
    """Pin a candidate. `NotFound` if there is none of that fingerprint, `Refused` if it is of no use (any more)."""
    with tools.db.read() as tx:
        offered = candidates.waiting(tx, contacts.named(tx, name).id, fingerprint)
    key = tools.pgp.import_public(offered.data)
    directory.add_keys(tools, actor, name, [key], channel=channel)
    return key


def refuse(tools: Tools, actor: Actor, name: str, fingerprint: str) -> Organisation:
    """Decide against a candidate: it is not shown again unless a signed mail brings it. `NotFound` if it is none."""
    with tools.db.write() as tx:
        vendor = contacts.named(tx, name)
        candidates.waiting(tx, vendor.id, fingerprint)
        candidates.decide(tx, vendor.id, fingerprint, "refused", actor.name, tools.now())
        note(tx, tools, actor, "vendor.key-refused", organisation=vendor.id, fingerprint=fingerprint)
        return vendor


def revoke(tools: Tools, actor: Actor, name: str, data: bytes) -> contacts.PinnedKey:
    """Record that a key in use revoked itself: `data` is its revocation certificate, or a revoked copy of it.

    `NotFound` if it is about no key of theirs in use, `Refused` if the key itself does not say so: who believes another
    than the key retires it (testbook P119).
    """
    offered, pinned = _about(tools, name, data)
    fresh = tools.pgp.revoked(pinned.data, offered)
    if fresh is None:
        retire = f"mailrouter vendor retire-key {shlex.quote(name)} {pinned.fingerprint} --why …"
        raise faults.Refused(f"the key itself says nothing of a revocation in this file; to use it no more: {retire}")
    with tools.db.write() as tx:
        doing = Doing(tx, tools, tools.now(), tools.now(), actor.name)
        if not offered_keys.apply(doing, pinned, fresh, "from a file"):
            raise faults.Illegal("the key was changed meanwhile; look at it again (`mailrouter vendor show`)")
        doing.later.write(tx)
    offered_keys.tell(tools, doing.later.news, actor.name)
    return pinned


def _about(tools: Tools, name: str, data: bytes) -> tuple[bytes, contacts.PinnedKey]:
    """What says it, and the key in use that it is about."""
    alone = imports.revocation_in(data)
    copies = imports.certificates_in(data)
    names = revocations.issuers(alone) if alone else {copy.fingerprint for copy in copies[:1]}
    with tools.db.read() as tx:
        vendor = contacts.named(tx, name)
        theirs = {key.fingerprint: key for key in contacts.keys_of(tx, [vendor.id])}
        named = [key.fingerprint for issuer in sorted(names) for key in contacts.keys_named(tx, issuer)]
    found = next((theirs[one] for one in named if one in theirs), None)
    if found is None:
        raise faults.NotFound(f"this file is about no key in use of {vendor.name}")
    return alone or copies[0].data, found
