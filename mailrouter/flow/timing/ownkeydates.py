"""When the key that signs our letters ends: the operator is told 60, 30 and 7 days before, and when it is over, once
each.

Looks only. Keys that are kept to read old mail may end: that takes nothing away.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from mailrouter.case import keyclock
from mailrouter.store import queues
from mailrouter.tools import Tools

NEXT = "`mailrouter key rotate` makes the next one, tells participants, and says what else is to be done"


@dataclass(frozen=True, slots=True)
class Ending:
    """What the operator is told. `step`: once; `over`: by a notice alone, since no letter can be signed any more."""

    name: str
    details: str
    step: str
    over: bool = False


def due(tools: Tools, now: datetime) -> list[Ending]:
    """What is to be told now and has not been: one thing, or nothing."""
    key = tools.pgp.chosen_key()
    rung = None if key is None or key.expires is None else keyclock.rung_due(key.expires, now, timedelta(0))
    if key is None or key.expires is None or rung is None:
        return []
    step = keyclock.step(key.fingerprint, key.expires, rung)
    with tools.db.read() as tx:
        if queues.raised(tx, step):
            return []
    until = f"{key.expires:%Y-%m-%d %H:%M} UTC"
    if rung == keyclock.ENDED:
        lies = f"{key.fingerprint} was good until {until}: letters are not signed and stay here; {NEXT}"
        return [Ending("our key has expired", lies, step, over=True)]
    days = -((now - key.expires) // timedelta(days=1))
    signs = f"{key.fingerprint} signs our letters until {until}; {NEXT}"
    return [Ending(f"our key expires in {days} day{'s' if days != 1 else ''}", signs, step)]
