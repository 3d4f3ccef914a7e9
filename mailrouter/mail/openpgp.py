"""The words and types of OpenPGP in mail: what is found sealed, and what opening it gave. Holds no key and no rule."""

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
    said was signed; None when nothing was opened and the raw mail itself is to be read. With `decrypted` `partial` the
    mail also has plain parts of its own, which are to be shown apart (P105).
    """

    verdict: Verdict = Verdict.NONE
    reason: str = ""  # plain words for people, why it is not good or was not decrypted; '' when there is nothing to say
    covers: str = "none"  # all | part | none, of what is shown
    fingerprint: str = ""  # primary key, 40 upper-case hex digits, proved by VALIDSIG; '' otherwise
    certificate: str = ""  # SHA-256 of the very key, as it was given to gpg, that `fingerprint` was proved with
    gpg: str = ""  # the version of GnuPG that said so; '' when it was not asked, or nothing came of it
    issuer: str = ""  # key id or fingerprint the signature names; proves nothing
    signed_at: datetime | None = None  # UTC, as the signature says
    stale: bool = False  # signed more than 30 days before it was opened (P72)
    signature_id: str = ""  # gpg's SIG_ID; one signing may have two (store/messages.py, Signing)
    signed_digest: str = ""  # SHA-256 of what is well signed, the same in every form it can be given; '' otherwise
    form: str = "none"  # mime | cleartext | message | none: how it was signed
    signed_bytes: bytes = b""  # mime: the raw slice with CRLF; cleartext: the armored block; message: what it held
    signature: bytes = b""  # mime: the armored detached signature; message: itself without encryption, once asked for
    encrypted: bool = False
    decrypted: str = "none"  # ok | none | fail | partial
    file: str = ""  # the name of the file, among others, that was signed or encrypted; '' when it is the mail's own
    repaired: bool = False  # a mail server on its way changed its form; it is read, and never verified
    ciphertext: str = ""  # SHA-256 of what was decrypted, without its session keys, to know it again (P106)
    content: bytes | None = None
    content_is_entity: bool = False  # True: headers, blank line, body; False: plain text
    charset: str = "utf-8"  # of `content` when it is plain text, as the mail said; may be any word
    protected_subject: str | None = None  # RFC 9788 and its older forms; None where there is none
    protected_headers: tuple[tuple[str, str], ...] = ()  # the header fields inside the protected part, in order


class Shape(StrEnum):
    """How a mail, or one part of it, uses OpenPGP."""

    SIGNED = "signed"  # multipart/signed: `data` with CRLF, and the armored `signature` over it
    ENCRYPTED = "encrypted"  # multipart/encrypted: `data` is an OpenPGP message that holds a MIME entity
    CLEARTEXT = "cleartext"  # text that is one armored cleartext-signed block: `data`; its armor alone: `signature`
    MESSAGE = "message"  # text that is one armored OpenPGP message, encrypted or signed: `data`
    INVALID = "invalid"  # meant as one of these, but not acceptable: `reason`


@dataclass(frozen=True, slots=True)
class Sealed:
    """What has to be opened. `whole`: it is all that the mail shows; otherwise something else is shown beside it."""

    shape: Shape
    whole: bool
    data: bytes = b""
    signature: bytes = b""
    charset: str = "utf-8"
    encrypted: bool = False
    reason: str = ""
    file: str = ""  # the name of the file among others that it is, or signs; '' when it is the mail's own
    otherwise: tuple[bytes, ...] = ()  # other forms of `data` that may have been signed, when it is not that one
    repaired: bool = False  # a mail server took it apart; put together for reading
