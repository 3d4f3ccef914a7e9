"""Words for whoever waits for a key: which one is missing or worn out, and the one command that mends it."""

import shlex
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from mailrouter.store import candidates, contacts
from mailrouter.store.contacts import PinnedKey


def words(tx: Connection, organisation_id: int, now: datetime) -> str:
    """Why nothing can be encrypted to them, and the command that mends it; '' when there is a usable key."""
    known = contacts.keys_of(tx, [organisation_id], retired=True)
    if any(key.usable(now) for key in known):
        return ""
    name = contacts.get(tx, organisation_id).name
    came = candidates.count(tx, organisation_id)
    pin = f"`mailrouter vendor add-key {shlex.quote(name)} FILE` pins one"
    look = f"; {came} came by mail: `mailrouter vendor show {shlex.quote(name)}`" if came else ""
    return f"{_worn(known, name, now)}: {pin}{look}"


def _worn(known: Sequence[PinnedKey], name: str, now: datetime) -> str:
    """What became of the key that was pinned last."""
    if not known:
        return f"no key of {name} is pinned"
    last = max(known, key=lambda key: (key.retired_at is None, key.pinned_at))
    ended = f"expired on {last.expires_at:%Y-%m-%d}" if last.expires_at else ""
    became = {"expired": ended, "revoked": "revoked itself", "retired": "is retired"}
    return f"the key {last.fingerprint} of {name} {became.get(last.state(now), 'cannot be encrypted to')}"
