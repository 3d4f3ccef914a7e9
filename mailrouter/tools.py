"""What every flow is handed, and how the real ones are made."""

import fcntl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mailrouter import clock, relay
from mailrouter.faults import Refused
from mailrouter.mail import texts
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


def make(settings: Settings, holder: Holder, db: Database | None = None) -> Tools:
    """The real ones for one process. Opens no connection and starts no program yet."""
    data, identity = settings.data_dir, settings.identity
    pgp = Pgp(
        identity.gnupg_home or data / "gnupg", data / "keyrings", _passphrase(identity.passphrase_file),
        key=identity.key, archive=identity.archive_key,
    )  # fmt: skip
    return Tools(
        db=db or Database(settings.database.url),
        pgp=pgp,
        own_key=OwnKey(pgp, settings),
        relay=relay.make(settings.relay.url, data, identity.address.rpartition("@")[2]),
        texts=texts.read(settings.letters_dir),
        now=clock.now,
        settings=settings,
        holder=holder,
    )


def _passphrase(file: Path | None) -> str | None:
    """The first line of the file, for every secret key of ours. `Refused` when there is none."""
    if file is None:
        return None
    try:
        line = file.read_text("utf-8").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as trouble:
        raise Refused(f"identity.passphrase_file = {str(file)!r}: it cannot be read as text") from trouble
    if not line:
        raise Refused(f"identity.passphrase_file = {str(file)!r}: its first line is empty")
    return line


@dataclass(frozen=True, slots=True)
class OwnKey:
    """The key our letters are signed with; without a configured one, the first who needs it makes one, under a lock."""

    pgp: Pgp
    settings: Settings

    def __call__(self) -> str:
        """Its fingerprint. `Refused` when the configured key is not there or cannot sign."""
        try:
            return self.pgp.signing_key().fingerprint
        except Refused:
            if self.settings.identity.key:
                raise
            return self._make()

    def _make(self) -> str:
        with key_turn(self.settings):
            if not self.pgp.own_keys():  # nobody else was first
                self.pgp.make_key(self.settings.identity.name, self.settings.identity.address)
            return self.pgp.signing_key().fingerprint


@contextmanager
def key_turn(settings: Settings) -> Iterator[None]:
    """Our keys are changed by one process at a time."""
    with (settings.data_dir / "key-turn").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield
