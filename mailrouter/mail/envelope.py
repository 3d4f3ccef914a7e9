"""One mail at our door: who handed it in, for whom, and its untouched bytes."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a door accepted. `raw` is exactly what came over the wire (SMTP dot-stuffing undone)."""

    door: str  # smtp | lmtp | imap:NAME
    sender: str | None  # RFC 5321 reverse-path without angle brackets; '' is the null sender; None: it is not known
    recipients: tuple[str, ...]
    raw: bytes
    received_at: datetime  # UTC

    @property
    def dedupe(self) -> bytes:
        """SHA-256 over the sorted recipients and the raw bytes: the same mail handed in again has the same key."""
        digest = sha256()
        for recipient in sorted({r.lower() for r in self.recipients}):
            digest.update(recipient.encode("utf-8", "surrogateescape") + b"\n")
        digest.update(b"\n" + self.raw)
        return digest.digest()
