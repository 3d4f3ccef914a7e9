"""What an analyst decides about a vendor's keys beside pinning them from a file: take, refuse, record a revocation.

One verb, one transaction; gpg looks at a key before it begins. A candidate is used for nothing until it is taken, and
taking it asks gpg anew: it may have expired while it waited.
"""

from mailrouter import faults
from mailrouter.flow import directory
from mailrouter.flow.actor import Actor, note
from mailrouter.pgp import KeyInfo
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


def in_use(tools: Tools, name: str, fingerprint: str) -> contacts.PinnedKey:
    """A key pinned to them that is not retired; `NotFound` if it is none."""
    with tools.db.read() as tx:
        vendor = contacts.named(tx, name)
        found = contacts.pinned(tx, fingerprint)
    if found is None or found.organisation_id != vendor.id or found.retired_at is not None:
        raise faults.NotFound(f"no key in use of {vendor.name} has that fingerprint")
    return found
