"""The keys as `doctor` looks at them: ours, those that can read what we sent, those pinned to others."""

import shutil
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from mailrouter.pgp import KeyInfo
from mailrouter.store import contacts
from mailrouter.tools import Tools

State = Literal["good", "warning", "bad"]
Said = Iterable[tuple[State, str]]
MOST_NAMES = 3  # in one line
SOON = timedelta(days=30)  # a key that expires within is worth a word


def own_key(tools: Tools, now: datetime) -> Said:
    if shutil.which("gpg") is None:
        yield "bad", "gpg is not installed"
        return
    pgp, identity = tools.pgp, tools.settings.identity
    if not identity.key and not pgp.own_keys():
        yield "warning", "none yet: the first command that needs one makes it; set identity.key to your own"
        return
    key = pgp.chosen_key() or pgp.signing_key()
    if not identity.key:
        yield "warning", f"identity.key is not set; letters are signed with {key.fingerprint}"
    if key.expires is None or key.expires > now:
        pgp.tried()  # Refused, with the remedy: a key that is there may still not sign
    yield from _expiry(key, now)


def _expiry(key: KeyInfo, now: datetime) -> Said:
    if key.expires is None:
        yield "good", f"{key.fingerprint}, without expiry"
    elif key.expires <= now:
        ended = f"{key.fingerprint} expired {key.expires:%Y-%m-%d}"
        yield "bad", f"{ended}: no letter can be signed; `mailrouter key rotate` makes the next"
    elif key.expires - now < SOON:
        yield "warning", f"{key.fingerprint} expires {key.expires:%Y-%m-%d}: `mailrouter key rotate` makes the next"
    else:
        yield "good", f"{key.fingerprint} expires {key.expires:%Y-%m-%d}"


def archive_key(tools: Tools, now: datetime) -> Said:
    """Who can read what we send encrypted."""
    pgp = tools.pgp
    if not pgp.own_keys():
        return
    keys = pgp.archive_keys()
    for one in keys:
        key = pgp.import_public(one.data)
        if not key.can_encrypt or (key.expires is not None and key.expires <= now):
            yield "bad", f"{key.fingerprint} cannot be encrypted to (any more): encrypted letters are held"
        else:
            yield from _expiry(key, now)
    if not keys:
        yield "warning", "none: our key cannot be encrypted to, so nobody here can read what we sent encrypted"


def vendors_keys(tools: Tools, now: datetime) -> Said:
    with tools.db.read() as tx:
        names = {o.id: o.name for kind in ("organisation", "person") for o in contacts.everyone(tx, kind)}
        keys = contacts.keys_of(tx, names)
    ending = [(key.expires_at, key) for key in keys if key.expires_at and key.expires_at - now < SOON]
    for at, key in sorted(ending, key=lambda pair: pair[0]):
        verb = "expired" if at <= now else "expires"
        yield "warning", f"{names[key.organisation_id]}: {key.fingerprint} {verb} {at:%Y-%m-%d}"
    if not ending:
        yield "good", f"{len(keys)} pinned"
    alone = [key for key in keys if key.usable(now) and not key.channel]
    if alone:
        whose = ", ".join(sorted({names[key.organisation_id] for key in alone})[:MOST_NAMES])
        yield "warning", f"{len(alone)} pinned, but compared over no second channel: of {whose}"
