"""What letters and descriptions carry, once however many carry it: 300 letters with one attachment hold it once."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection, bindparam, select

from mailrouter.store import upsert
from mailrouter.store.tables import files


def keep(tx: Connection, contents: Sequence[bytes], now: datetime) -> list[str]:
    """The digests of these contents, in their order; what is there already stays as it is.

    Written in the order of the digests, so that no two who keep the same files wait for each other.
    """
    digests = [sha256(content).hexdigest() for content in contents]
    missing = set(digests) - set(tx.execute(_KNOWN, {"wanted": digests}).scalars()) if digests else set()
    new = {d: {"digest": d, "data": c, "kept_at": now} for d, c in zip(digests, contents, strict=True) if d in missing}
    if new:
        tx.execute(upsert.into(tx, files).on_conflict_do_nothing(), [new[digest] for digest in sorted(new)])
    return digests


_KNOWN = select(files.c.digest).where(files.c.digest.in_(bindparam("wanted", expanding=True)))


def some(tx: Connection, digests: Iterable[str]) -> dict[str, bytes]:
    """Digest -> content, of these that there are."""
    wanted = list(set(digests))
    return {row.digest: row.data for row in tx.execute(_SOME, {"wanted": wanted})} if wanted else {}


_SOME = select(files.c.digest, files.c.data).where(files.c.digest.in_(bindparam("wanted", expanding=True)))
