"""Revocations that somebody carries to us: found among packets, set into the key they are about. Proves nothing.

Whether a revocation is the key's own is for gpg to say, of the key with it in its place (RFC 9580 section 5.2.1). Pure;
raises `packets.Malformed` and nothing else.
"""

from collections import defaultdict
from collections.abc import Iterator

from mailrouter.pgp import packets

OF_KEY, OF_SUBKEY = OF_KEYS = 0x20, 0x28  # signature types
_ISSUER, _ISSUER_FINGERPRINT = 16, 33  # subpacket types
_KEYS = (packets.PUBLIC_KEY, packets.PUBLIC_SUBKEY)


def alone(data: bytes) -> bool:
    """Whether this is a revocation certificate: revocations of a key, without the key."""
    found = list(packets.packets(data))
    return bool(found) and all(packet.tag == packets.SIGNATURE and type_of(packet) == OF_KEY for packet in found)


def issuers(data: bytes) -> set[str]:
    """The fingerprints (40 digits) and key ids (16) that the signatures in a revocation certificate name as theirs."""
    return {name for packet in packets.packets(data) if packet.tag == packets.SIGNATURE for name in issuers_of(packet)}


def within(certificate: bytes, offered: bytes) -> bytes:
    """`certificate` with what `offered`, a copy of it or a revocation certificate, says of revocation beside that.

    The same bytes when it says nothing new.
    """
    fresh = _by_key(certificate, offered)
    pieces = []
    for packet in packets.packets(certificate):
        pieces.append(packet.raw)
        if packet.tag in _KEYS:
            pieces += fresh.get(packet.body, [])
    return b"".join(pieces)


def _by_key(certificate: bytes, offered: bytes) -> dict[bytes, list[bytes]]:
    """The new revocations by the body of the key or subkey they follow; those that follow none are the primary's."""
    known = {packet.raw for packet in packets.packets(certificate)}
    primary = next((p.body for p in packets.packets(certificate) if p.tag == packets.PUBLIC_KEY), b"")
    fresh: dict[bytes, list[bytes]] = defaultdict(list)
    about, kind = primary, OF_KEY
    for packet in packets.packets(offered):
        if packet.tag in _KEYS:
            about, kind = packet.body, OF_KEY if packet.tag == packets.PUBLIC_KEY else OF_SUBKEY
        elif packet.tag == packets.SIGNATURE and type_of(packet) == kind and packet.raw not in known:
            fresh[about].append(packet.raw)
    return fresh


def type_of(packet: packets.Packet) -> int:
    """The signature's type; -1 for a version before 4, which no key of ours makes."""
    return packet.body[1] if len(packet.body) > 1 and packet.body[0] >= 4 else -1


def issuers_of(packet: packets.Packet) -> Iterator[str]:
    """Whom a signature of version 4 names as its issuer: hints, for the second list of subpackets is not signed."""
    body = packet.body
    if body[:1] != b"\x04":
        return
    hashed = int.from_bytes(body[4:6], "big")
    start = 6 + hashed
    unhashed = int.from_bytes(body[start : start + 2], "big")
    for area in (body[6:start], body[start + 2 : start + 2 + unhashed]):
        for kind, content in _subpackets(area):
            if kind == _ISSUER and len(content) == 8:
                yield content.hex().upper()
            elif kind == _ISSUER_FINGERPRINT and len(content) == 21:
                yield content[1:].hex().upper()


def _subpackets(area: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and content of each, as far as they can be read (RFC 9580 section 5.2.3.7)."""
    at = 0
    while at < len(area):
        octets, size = _length(area[at : at + 5])
        at += octets
        if size == 0 or at + size > len(area):
            return
        yield area[at] & 0x7F, area[at + 1 : at + size]
        at += size


def _length(start: bytes) -> tuple[int, int]:
    """How many octets say the length, and the length."""
    if start[0] < 192:
        return 1, start[0]
    if start[0] < 255:
        return 2, (start[0] - 192 << 8) + int.from_bytes(start[1:2], "big") + 192
    return 5, int.from_bytes(start[1:5], "big")
