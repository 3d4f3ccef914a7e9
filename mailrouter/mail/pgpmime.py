"""The shapes OpenPGP takes in mail, and the type of what opening them gave. Finds parts; holds no key.

Signatures are verified over the raw slice between the boundaries (RFC 3156 section 5), never over a re-serialised part.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Verdict(StrEnum):
    """What GnuPG proved about the signature, with the keys we gave it (CONTRACT.md)."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN_KEY = "unknown-key"
    EXPIRED_KEY = "expired-key"
    REVOKED_KEY = "revoked-key"
    EXPIRED_SIGNATURE = "expired-signature"
    UNSUPPORTED = "unsupported"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Opened:
    """A mail after decryption and verification.

    `content` is what is to be read instead of the raw mail: the decrypted or signed MIME entity, or the text that gpg
    said was signed; None when nothing was opened and the raw mail itself is to be read.
    """

    verdict: Verdict = Verdict.NONE
    reason: str = ""  # plain words for people; '' when good or none
    covers: str = "none"  # all | part | none, of what is shown
    fingerprint: str = ""  # primary key, 40 upper-case hex digits, proved by VALIDSIG; '' otherwise
    issuer: str = ""  # key id or fingerprint the signature names; proves nothing
    signed_at: datetime | None = None
    signature_id: str = ""  # gpg's SIG_ID, for replay detection
    form: str = "none"  # mime | cleartext | message | none: how it was signed
    signed_bytes: bytes = b""  # mime: the raw slice with CRLF; cleartext: the armored block; message: the decrypted content
    signature: bytes = b""  # mime: the armored detached signature; else b''
    encrypted: bool = False
    decrypted: str = "none"  # ok | none | fail | partial
    content: bytes | None = None
    content_is_entity: bool = False  # True: headers, blank line, body; False: plain text
    protected_subject: str | None = None  # RFC 9788 and its older forms; None where there is none
