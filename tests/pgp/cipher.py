"""Encrypted packets gpg would never make: any content, with or without protection against alteration (RFC 9580).

The session key is one gpg made for a real recipient; the cipher is openssl's AES-256. For attacks in tests only.
"""

import re
import subprocess
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha1

from tests.pgp.forge import packet
from tests.pgp.keys import Keymaker, Owner

BLOCK = 16
_SESSION_KEY = re.compile(rb"^\[GNUPG:\] SESSION_KEY 9:([0-9A-F]{64})$", re.MULTILINE)
_PREFIX = bytes(range(BLOCK)) + bytes([BLOCK - 2, BLOCK - 1])  # sixteen 'random' octets, the last two again


@dataclass(frozen=True)
class Session:
    """A session key, and the packet that gives it to `recipient`."""

    keymaker: Keymaker
    recipient: Owner

    @cached_property
    def _made(self) -> tuple[bytes, bytes]:
        to = ("--recipient", self.recipient.fingerprint, "--cipher-algo", "AES256")
        message = self.keymaker.gpg(*to, "--encrypt", given=b"x")
        said = self.keymaker.gpg(
            "--status-fd", "1", "--show-session-key", "--yes", "--output", "/dev/null", "--decrypt", given=message
        )
        found = _SESSION_KEY.search(said)
        assert found, "gpg names the session key"
        return message[: 2 + message[1]], bytes.fromhex(found[1].decode())

    @property
    def pkesk(self) -> bytes:
        """The session key, encrypted to the recipient."""
        return self._made[0]

    def protected(self, plain: bytes) -> bytes:
        """Packet 18 around these packets, with its modification detection code."""
        covered = _PREFIX + plain + b"\xd3\x14"
        return packet(18, b"\x01" + self._cfb(bytes(BLOCK), covered + sha1(covered).digest()))

    def unprotected(self, plain: bytes) -> bytes:
        """Packet 9: nothing shows whether it was altered (P102). CFB begins anew after the prefix."""
        prefix = self._cfb(bytes(BLOCK), _PREFIX)
        return packet(9, prefix + self._cfb(prefix[2:], plain))

    def _cfb(self, iv: bytes, plain: bytes) -> bytes:
        command = ["openssl", "enc", "-aes-256-cfb", "-nosalt", "-K", self._made[1].hex(), "-iv", iv.hex()]
        return subprocess.run(command, input=plain, capture_output=True, check=True, timeout=60).stdout
