"""The secret our own addresses are proved with: made once, by whoever needs it first, and shared by every node.

It is in backups, and restored with them: addresses in letters that left long ago stay good. It is never shown.
"""

import secrets as random

from sqlalchemy import Connection, select

from mailrouter.store import upsert
from mailrouter.store.tables import secrets

OWN_ADDRESSES = "own-addresses"
OCTETS = 32  # as long as the digest it is used with (RFC 2104 section 3)


def known(tx: Connection) -> bytes | None:
    """The secret, if it was ever needed."""
    found = tx.execute(_WANTED).scalar()
    return bytes(found) if found is not None else None


_WANTED = select(secrets.c.value).where(secrets.c.name == OWN_ADDRESSES)


def made(tx: Connection) -> bytes:
    """The secret, made now if there is none. Two who make it at once get the same."""
    found = known(tx)
    if found is None:
        row = {"name": OWN_ADDRESSES, "value": random.token_bytes(OCTETS)}
        tx.execute(upsert.into(tx, secrets).values(row).on_conflict_do_nothing(index_elements=["name"]))
        found = known(tx)
    assert found is not None
    return found
