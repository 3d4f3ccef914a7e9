"""Offered keys that gpg was asked about in vain, so that it is not asked again for every mail that brings them.

A table of fixed size, whatever strangers send: each has one place, by its digest, and takes it from who had it. That
gpg is asked once more is all that being forgotten does; after a week everything is, for gpg may have learned.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from mailrouter.store import upsert
from mailrouter.store.tables import vain_offers

PLACES = 4096
REMEMBERED = timedelta(days=7)


def known(tx: Connection, digest: str, now: datetime) -> bool:
    """Whether this was looked at within the week. `digest`: SHA-256, hex."""
    wanted = select(vain_offers.c.looked_at).where(
        vain_offers.c.place == _place(digest), vain_offers.c.digest == digest
    )
    looked_at = tx.execute(wanted).scalar()
    return looked_at is not None and looked_at > now - REMEMBERED


def remember(tx: Connection, looked: Mapping[str, datetime]) -> None:
    """These were looked at then; in one order, so that no two transactions wait for each other."""
    rows = {_place(digest): {"digest": digest, "looked_at": at} for digest, at in looked.items()}
    if rows:
        added = upsert.into(tx, vain_offers).values([{"place": place, **rows[place]} for place in sorted(rows)])
        anew = {name: added.excluded[name] for name in ("digest", "looked_at")}
        tx.execute(added.on_conflict_do_update(index_elements=["place"], set_=anew))


def _place(digest: str) -> int:
    return int(digest[:8], 16) % PLACES
