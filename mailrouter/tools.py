"""What every flow is handed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from mailrouter.mail.texts import Text
from mailrouter.pgp import Pgp
from mailrouter.relay import Relay
from mailrouter.settings import Settings
from mailrouter.store.engine import Database
from mailrouter.store.inbox import Holder


@dataclass(frozen=True, slots=True)
class Tools:
    """The world, as one value."""

    db: Database
    pgp: Pgp
    own_key: Callable[[], str]  # fingerprint of the key we sign with; made on first use if none is configured
    relay: Relay
    texts: Mapping[str, Text]
    now: Callable[[], datetime]
    settings: Settings
    holder: Holder
