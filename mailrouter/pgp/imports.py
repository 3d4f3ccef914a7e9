"""A key somebody gave us: looked at in a home of its own, refused in plain words, or returned small and clean.

What a stranger's key file can do to a GNUPGHOME it is imported into (a secret key, 150,000 foreign signatures, a second
key) it does to a folder that is thrown away (testbook/pgp.md, P115 to P118).
"""

import re
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mailrouter.faults import Refused
from mailrouter.mail import texts
from mailrouter.pgp import packets, revocations
from mailrouter.pgp.agent import Agent
from mailrouter.pgp.keyring import PublicKey
from mailrouter.pgp.wrapper import Gnupg

MAX_KEY_FILE = 262_144  # bytes
LONGEST_USER_ID = 200  # characters that are shown
FINGERPRINT = re.compile(r"[0-9A-F]{40}")
MAX_KEY = 65_536  # bytes that are left without what others signed: every mail of theirs is verified with it


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """One public key as gpg reads it. User ids are a stranger's words: escape them where they are shown."""

    fingerprint: str  # of the primary key: 40 upper-case hex digits
    user_ids: tuple[str, ...]
    created: datetime  # UTC
    expires: datetime | None  # UTC, of the key or of the last subkey to encrypt to; None: never
    subkeys: tuple[str, ...]  # fingerprints
    can_encrypt: bool
    can_sign: bool
    data: bytes  # binary, self-signatures only
    state: str = "valid"  # valid | expired | revoked | unusable

    @property
    def key_ids(self) -> tuple[str, ...]:
        """Ids of the primary key and the subkeys, 16 hex digits each: what a signature may name as its issuer."""
        return tuple(fingerprint[-16:] for fingerprint in (self.fingerprint, *self.subkeys))

    @property
    def label(self) -> str:
        """Its first user id as one line in which nothing works on a terminal or a database (testbook P15)."""
        return texts.one_line(self.user_ids[0], LONGEST_USER_ID) if self.user_ids else ""

    @property
    def public(self) -> PublicKey:
        """As the runner wants it."""
        return PublicKey(self.fingerprint, self.data)


_STATES = {"e": "expired", "r": "revoked", "d": "unusable", "i": "unusable", "n": "unusable"}


def described(listed: Any, data: bytes) -> KeyInfo:
    """One entry of python-gnupg's key list, with its binary key."""
    return KeyInfo(
        fingerprint=listed["fingerprint"],
        user_ids=tuple(listed["uids"]),
        created=_instant(listed["date"]),
        expires=_end(listed),
        subkeys=tuple(subkey[2] for subkey in listed["subkeys"]),
        # Capital letters: what the key as a whole can do now, without expired and revoked subkeys.
        can_encrypt="E" in listed["cap"],
        can_sign="S" in listed["cap"],
        data=data,
        state=_STATES.get(listed["trust"], "valid"),
    )


def _end(listed: Any) -> datetime | None:
    """When nothing can be encrypted to it any more: its own end, or that of the last subkey made for it."""
    if "e" in listed["cap"]:  # small letters: what the primary key does itself
        return _instant(listed["expires"]) if listed["expires"] else None
    subkeys = [listed["subkey_info"][subkey[0]] for subkey in listed["subkeys"]]
    ends = [one["expires"] for one in subkeys if "e" in one["cap"] and one["trust"] not in _STATES]
    last = max(ends, key=int) if ends and all(ends) else ""
    known = [_instant(end) for end in (listed["expires"], last) if end]
    return min(known, default=None)


def _instant(seconds: str) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)


def import_public(data: bytes, limit: float, program: str) -> KeyInfo:
    """The one usable public key in `data`, armored or binary.

    Raises Refused, with one line that says why: too large, no key, a secret key, several, expired, revoked, too weak,
    or of no use. Raises TryLater when gpg fails.
    """
    return _usable(_read(limit, program, _one_certificate(data)))


def certificates_in(data: bytes) -> tuple[PublicKey, ...]:
    """The public keys in what somebody sent along, as they are, and unchecked; () for what is none, or too large.

    One secret packet among them, and none is taken: that is an incident, not a key.
    """
    try:
        return tuple(PublicKey(packets.keys_of(one)[0].fingerprint, one) for one in packets.certificates(_public(data)))
    except (packets.Malformed, Refused):
        return ()


def revocation_in(data: bytes) -> bytes:
    """The revocation certificate in what somebody sent, binary; b'' when it is none."""
    try:
        binary = _public(data)
        return binary if revocations.alone(binary) else b""
    except (packets.Malformed, Refused):
        return b""


def renewed(pinned: bytes, offered: bytes, limit: float, program: str) -> KeyInfo | None:
    """The pinned key with what its owner newly says in `offered`, another copy of it: user ids, expiry, subkeys.

    None when nothing new in it is signed by the key itself. Raises Refused when it is of no use then, TryLater when gpg
    fails.
    """
    key = _read(limit, program, pinned, offered)
    return None if _same(key.data, pinned) else _usable(key)


def together(pinned: bytes, offered: bytes, limit: float, program: str) -> KeyInfo:
    """The pinned key with all that another copy of it says: what the pinned one knows of revocations is never lost.

    Raises Refused when it is of no use (any more), TryLater when gpg fails.
    """
    return _usable(_read(limit, program, pinned, offered))


def revoked(pinned: bytes, offered: bytes, limit: float, program: str) -> KeyInfo | None:
    """The pinned key with the revocations in `offered` that the key made itself, of itself or of its subkeys.

    None when it made none of them, whoever else did (testbook P119). Raises Malformed, and TryLater when gpg fails.
    """
    together = revocations.within(pinned, offered)
    if together == pinned:
        return None
    key = _read(limit, program, together)
    subkeys_too = key.state != "revoked" and not _same(key.data, pinned)
    return key if key.state == "revoked" or (subkeys_too and _revokes_subkeys(key.data, pinned)) else None


def _revokes_subkeys(fresh: bytes, pinned: bytes) -> bool:
    known = {packet.raw for packet in packets.packets(pinned)}
    added = (packet for packet in packets.packets(fresh) if packet.raw not in known)
    return any(packet.tag == packets.SIGNATURE and packet.body[1:2] == b"\x28" for packet in added)


def _same(fresh: bytes, pinned: bytes) -> bool:
    """Whether nothing stands in the one that does not stand in the other already."""
    return {p.raw for p in packets.packets(fresh)} <= {p.raw for p in packets.packets(pinned)}


def _read(limit: float, program: str, *certificates: bytes) -> KeyInfo:
    """One key, out of one copy or several, as gpg reads it in a home that is thrown away. `limit`: of it all."""
    with tempfile.TemporaryDirectory(prefix="mr-") as home:
        gpg = Gnupg(home, None, limit, program, total=limit)
        for certificate in certificates:
            gpg.import_keys(certificate, extra_args=["--import-options", "self-sigs-only"])
        listed = gpg.list_keys()
        clean = gpg.exported(())
        Agent(home, limit).stop()
    if len(listed) != 1 or not clean:
        raise Refused("the key has no valid user id of its own, or is of a kind GnuPG does not know")
    if len(clean) > MAX_KEY:
        raise Refused(f"the key has more than {MAX_KEY // 1024} kB of its own; a minimal copy is wanted")
    return described(listed[0], clean)


def _public(data: bytes) -> bytes:
    """Binary, and nothing secret in it. Raises Refused and Malformed."""
    if len(data) > MAX_KEY_FILE:
        raise Refused(f"the key file is larger than {MAX_KEY_FILE // 1024} kB")
    binary = packets.dearmor(data, b"PUBLIC KEY BLOCK", b"PRIVATE KEY BLOCK")
    if {packet.tag for packet in packets.packets(binary)} & {packets.SECRET_KEY, packets.SECRET_SUBKEY}:
        raise Refused("this is a secret key; only the public key may be given")
    return binary


def _one_certificate(data: bytes) -> bytes:
    try:
        found = packets.certificates(_public(data))
    except packets.Malformed as trouble:
        raise Refused("there is no OpenPGP public key in this file, or it is damaged") from trouble
    if len(found) != 1:
        raise Refused(f"there are {len(found)} keys in this file; exactly one is wanted")
    return found[0]


def one_secret(data: bytes) -> bytes:
    """The one secret key in a file, binary. Raises Refused, with one line that says why not."""
    if len(data) > MAX_KEY_FILE:
        raise Refused(f"the key file is larger than {MAX_KEY_FILE // 1024} kB")
    try:
        binary = packets.dearmor(data, b"PRIVATE KEY BLOCK", b"PUBLIC KEY BLOCK")
        tags = [packet.tag for packet in packets.packets(binary)]
    except packets.Malformed as trouble:
        raise Refused("there is no OpenPGP secret key in this file, or it is damaged") from trouble
    if packets.PUBLIC_KEY in tags:
        raise Refused("this is a public key; our own needs its secret part (gpg --export-secret-keys)")
    if tags.count(packets.SECRET_KEY) != 1:
        raise Refused(f"there are {tags.count(packets.SECRET_KEY)} secret keys in this file; exactly one is wanted")
    return binary


def _usable(key: KeyInfo) -> KeyInfo:
    if key.state == "expired":
        raise Refused(f"the key {key.fingerprint} has expired")
    if key.state == "revoked":
        raise Refused(f"the key {key.fingerprint} was revoked (of a pinned one: `mailrouter vendor revoke-key`)")
    if key.state != "valid" or not (key.can_sign or key.can_encrypt):
        raise Refused(f"the key {key.fingerprint} can neither sign nor encrypt")
    if packets.keys_of(key.data)[0].weak:
        raise Refused(f"the key {key.fingerprint} is too weak: DSA, or RSA with less than 2048 bits")
    return key
