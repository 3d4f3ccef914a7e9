"""Public keys, and the keyring files gpg reads them from.

gpg takes a plain row of binary certificates for a keyring of the old format, so making one starts no process. A file is
named by the hash of what is in it: it never becomes stale, and two processes may share the folder.
"""

import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from mailrouter.faults import TryLater
from mailrouter.pgp import packets


@dataclass(frozen=True, slots=True, repr=False)
class PublicKey:
    """One certificate: the primary key's fingerprint (40 upper-case hex digits) and the binary key, minimal."""

    fingerprint: str
    data: bytes


def public_keys(data: bytes) -> tuple[PublicKey, ...]:
    """Every public key in a key file, armored or binary, as it is, unchecked.

    Raises packets.Malformed when it holds anything else.
    """
    binary = packets.dearmor(data, b"PUBLIC KEY BLOCK")
    return tuple(PublicKey(packets.keys_of(key)[0].fingerprint, key) for key in packets.certificates(binary))


def user_ids(key: PublicKey) -> tuple[str, ...]:
    """Its user ids as they stand there, unchecked: words of whoever made the key."""
    found = (packet.body for packet in packets.packets(key.data) if packet.tag == packets.USER_ID)
    return tuple(body.decode("utf-8", "replace") for body in found)


@dataclass(frozen=True, slots=True)
class Keyrings:
    """The folder of keyring files. Safe to empty at any time while no gpg runs."""

    folder: Path

    def file(self, keys: Iterable[PublicKey]) -> str:
        """The path of a keyring with exactly these keys, made if it is not there. Raises TryLater if it cannot be."""
        content = b"".join(sorted({key.data for key in keys}))
        path = self.folder / f"{sha256(content).hexdigest()}.gpg"
        try:
            # The size too: gpg itself creates a keyring it does not find, empty.
            if not path.is_file() or path.stat().st_size != len(content):
                self._write(path, content)
        except OSError as trouble:  # without it every signer would be unknown
            raise TryLater("a file of public keys cannot be written") from trouble
        return str(path)

    def _write(self, path: Path, content: bytes) -> None:
        number, name = tempfile.mkstemp(dir=self.folder)
        with os.fdopen(number, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # a name with zeros behind it, after a crash, would be believed for ever
        Path(name).replace(path)


def find(keys: Sequence[PublicKey], fingerprint: str) -> packets.KeyMaterial | None:
    """The primary key or subkey of that fingerprint, from among these certificates."""
    materials = (material for key in keys for material in packets.keys_of(key.data))
    return next((material for material in materials if material.fingerprint == fingerprint), None)
