"""Every form of a key that was ever believed, by the SHA-256 of its bytes.

A message names the one its signature was proved with. A key that is renewed, retired or forgotten later rewrites
nothing: what it was when it proved something can still be shown, exported, and verified with by others.
"""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection, bindparam, select

from mailrouter.store import upsert
from mailrouter.store.tables import certificates


@dataclass(frozen=True, slots=True, repr=False)
class Certificate:
    """One form of a public key."""

    digest: str  # SHA-256 of `data`, 64 hex digits
    fingerprint: str  # of the primary key
    data: bytes  # binary, as gpg was given it
    kept_at: datetime  # when it was first believed


def keep(tx: Connection, fingerprint: str, data: bytes, now: datetime) -> str:
    """Keep a key in the form it has now, once; returns its digest."""
    digest = sha256(data).hexdigest()
    row = {"digest": digest, "fingerprint": fingerprint, "data": data, "kept_at": now}
    tx.execute(upsert.into(tx, certificates).values(row).on_conflict_do_nothing(index_elements=["digest"]))
    return digest


def get(tx: Connection, digest: str) -> Certificate | None:
    """The form with this digest; None for '' and for what was never pinned, such as a key of our own."""
    row = tx.execute(_GET, {"digest": digest}).first()
    return Certificate(*row) if row else None


_GET = select(certificates).where(certificates.c.digest == bindparam("digest"))


def of_key(tx: Connection, fingerprint: str) -> list[Certificate]:
    """Every form a key has had, oldest first."""
    wanted = select(certificates).where(certificates.c.fingerprint == fingerprint)
    rows = tx.execute(wanted.order_by(certificates.c.kept_at, certificates.c.digest))
    return [Certificate(*row) for row in rows]
