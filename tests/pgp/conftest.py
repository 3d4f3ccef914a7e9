"""Fixtures of the OpenPGP tests."""

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailrouter.mail.pgpmime import Opened
from mailrouter.pgp import Pgp, PublicKey
from tests.pgp.keys import Keymaker, Owner, keymaker
from tests.pgp.mails import Open

__all__ = ["keymaker"]


@pytest.fixture(scope="session")
def pgp(keymaker: Keymaker) -> Iterator[Pgp]:
    """Our own: a home that holds our secret key and nothing else."""
    with tempfile.TemporaryDirectory(prefix="mrp", dir="/tmp") as folder:
        made = Pgp(Path(folder) / "g", Path(folder) / "k")
        made._gpg().import_keys(keymaker.secret(keymaker.cert.fingerprint))
        yield made
        made.close()


@pytest.fixture
def opened(pgp: Pgp, keymaker: Keymaker) -> Open:
    """Open a mail that claims to be the vendor's; `registry` is who else is known to the house."""

    def open_it(
        raw: bytes, *known: Owner | PublicKey, registry: tuple[PublicKey, ...] = (), now: datetime | None = None
    ) -> Opened:
        keys = [_public(key) for key in known or (keymaker.vendor,)]

        def find(issuer: str) -> list[PublicKey]:
            return [key for key in registry if key.fingerprint.endswith(issuer)]

        return pgp.open(raw, keys, find, now or datetime.now(UTC))

    return open_it


def _public(key: Owner | PublicKey) -> PublicKey:
    return key.public if isinstance(key, Owner) else key
