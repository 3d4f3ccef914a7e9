"""OpenPGP packets, read only as far as needed to refuse before gpg is asked (RFC 9580 sections 4 to 6).

gpg answers some malformed input with silence, and silence must stay the mark of a gpg that is broken (fault R18). So
what goes to gpg is first seen to be what it claims: binary, the right kind of packets, nothing beside them. Pure, and
linear in time; every function raises `Malformed` and nothing else.
"""

import binascii
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha1

MAX_PACKETS = 10_000
CRC_LIMIT = 1_048_576  # bytes; a checksum in Python is slow, and only short armor (keys, signatures) needs it

PKESK, SIGNATURE, SKESK, ONE_PASS, SECRET_KEY, PUBLIC_KEY, SECRET_SUBKEY, COMPRESSED = range(1, 9)
MARKER, LITERAL, USER_ID, PUBLIC_SUBKEY, SEIPD, OCB = 10, 11, 13, 14, 18, 20
MAX_RECIPIENTS = 100
MAX_HIDDEN = 20  # recipients without a name that are tried; each costs a gpg process (P109)
_HASHES = frozenset(bytes([number]) for number in (1, 2, 3, 8, 9, 10, 11))  # those gpg knows; it judges the weak ones
_NOBODY = "0" * 16  # the key id of a hidden recipient (RFC 9580 section 5.1)
RSA = frozenset({1, 3})
STRONG_CURVES = frozenset({19, 22})  # ECDSA and EdDSA
WEAK_RSA_BITS = 2048  # fewer are weak (testbook P74)

_BEGIN = re.compile(rb"^-----BEGIN PGP ([A-Z ]{1,40})-----[ \t]*\r?\n", re.MULTILINE)
_CHECKSUM = re.compile(rb"\n=[A-Za-z0-9+/]{4}\s*\Z")
_BLANK = re.compile(rb"^[ \t]{0,80}\r?\n", re.MULTILINE)


class Malformed(ValueError):
    """These bytes are not the OpenPGP object they were said to be."""


class Unsupported(Malformed):
    """Well-formed as far as it can be told, but of a version or kind that is not used here."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet. `body` of a packet with partial lengths is put together."""

    tag: int
    body: bytes
    raw: bytes


@dataclass(frozen=True, slots=True)
class KeyMaterial:
    """What a public key or subkey packet says of itself."""

    fingerprint: str  # version 4: 40 upper-case hex digits
    algorithm: int
    bits: int  # of RSA and DSA; 0 for the others, whose curve is their strength
    created: datetime

    @property
    def weak(self) -> bool:
        """Too weak to sign for anybody: RSA under 2048 bits, DSA, ElGamal (P74)."""
        return self.algorithm in {16, 17, 20} or (self.algorithm in RSA and self.bits < WEAK_RSA_BITS)


def dearmor(data: bytes, *kinds: bytes, ours: bool = False) -> bytes:
    """The binary content of every armored block of these kinds, one after the other; binary data stays as it is.

    `ours`: our own gpg made it a moment ago, and its checksum is not looked at.
    """
    if data[:1] >= b"\x80":
        return data
    found, at = [], 0
    while begin := _BEGIN.search(data, at):
        end = data.find(b"\n-----END PGP " + begin[1] + b"-----", begin.end() - 1)
        if end < 0:
            raise Malformed("armor without its end")
        if begin[1] in kinds:
            found.append(_content(data[begin.end() : end + 1], checked=not ours))
        at = end + 1
    if not found:
        raise Malformed("there is no armored block of that kind")
    return b"".join(found)


def _content(armored: bytes, *, checked: bool) -> bytes:
    """Armor headers, a blank line, base64, perhaps a line with `=` and a checksum; nothing else, or readers differ."""
    blank = _BLANK.search(armored)
    if blank is None:
        raise Malformed("armor without a blank line")
    *lines, last = [line.strip(b" \t\r") for line in armored[blank.end() :].rstrip(b" \t\r\n").split(b"\n")]
    checksum = last[1:] if last[:1] == b"=" and len(last) == 5 else b""
    encoded = lines if checksum else [*lines, last]
    try:
        content = binascii.a2b_base64(b"".join(encoded), strict_mode=True)
        claimed = binascii.a2b_base64(checksum, strict_mode=True)
    except binascii.Error as trouble:
        raise Malformed("broken base64") from trouble
    if checked and claimed and len(content) <= CRC_LIMIT and _crc24(content) != claimed:
        raise Malformed("wrong armor checksum")
    return content


def armored(content: bytes, kind: bytes) -> bytes:
    """`content` as text that any OpenPGP program reads; `kind` is the word in its frame, such as MESSAGE.

    With the checksum that RFC 9580 section 6.1 tells to leave out, for gpg before 2.4 misreads blocks without one.
    """
    encoded = binascii.b2a_base64(content, newline=False)
    lines = [encoded[at : at + 64] for at in range(0, len(encoded), 64)]
    checksum = b"=" + binascii.b2a_base64(_crc24(content), newline=False)
    begin, end = b"-----BEGIN PGP " + kind + b"-----", b"-----END PGP " + kind + b"-----"
    return b"\n".join([begin, b"", *lines, checksum, end, b""])


def with_checksum(armored: bytes) -> bytes:
    """An armored signature as it is, but with a checksum if it has none.

    RFC 9580 section 6.1 tells programs to leave it out; gpg before 2.4 then misreads the end of a third of all blocks.
    Raises Malformed.
    """
    end = armored.find(b"-----END PGP SIGNATURE-----")
    if armored[:1] >= b"\x80" or _CHECKSUM.search(armored, 0, end):
        return armored
    content = dearmor(armored, b"SIGNATURE")
    if len(content) > CRC_LIMIT:
        return armored
    line_end = b"\r\n" if b"\r\n" in armored else b"\n"
    return armored[:end] + b"=" + binascii.b2a_base64(_crc24(content), newline=False) + line_end + armored[end:]


def _crc24(data: bytes) -> bytes:
    """RFC 9580 section 6.1.1."""
    crc, table = 0xB704CE, _crc_table()
    for byte in data:
        crc = ((crc << 8) & 0xFFFFFF) ^ table[(crc >> 16) ^ byte]
    return crc.to_bytes(3, "big")


@lru_cache(maxsize=1)
def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte << 16
        for _ in range(8):
            crc = (crc << 1) ^ (0x1864CFB if crc & 0x800000 else 0)
        table.append(crc)
    return tuple(table)


def packets(data: bytes) -> Iterator[Packet]:
    """The packets at the top level, in order."""
    at = 0
    for _ in range(MAX_PACKETS):
        if at == len(data):
            return
        start = at
        tag, body, at = _packet(data, at)
        yield Packet(tag, body, data[start:at])
    raise Malformed("too many packets")


def _packet(data: bytes, at: int) -> tuple[int, bytes, int]:
    header = data[at]
    if header & 0xC0 == 0xC0:
        return _new_format(data, header & 0x3F, at + 1)
    if header & 0x80:
        return _old_format(data, header >> 2 & 0x0F, header & 3, at + 1)
    raise Malformed("not a packet")


def beginning(data: bytes, at: int) -> tuple[int, bytes, int]:
    """The tag of the packet at this place, as much of its body as is there, and where the next one would begin."""
    header = _exactly(data, at, 1)[0]
    if header & 0x80 and not header & 0x40:
        octets = 1 << (header & 3)
        start = at + 1 + (octets if octets < 8 else 0)
        end = start + int.from_bytes(data[at + 1 : start], "big") if octets < 8 else len(data)
        return header >> 2 & 0x0F, data[start:end], end
    if not header & 0x80:
        raise Malformed("not a packet")
    pieces, at, partial = [], at + 1, True
    while partial and at < len(data):
        length, at, partial = _new_length(data, at)
        pieces.append(data[at : at + length])
        at += length
    return header & 0x3F, b"".join(pieces), at


def _old_format(data: bytes, tag: int, length_type: int, at: int) -> tuple[int, bytes, int]:
    if length_type == 3:  # indeterminate: to the end
        return tag, data[at:], len(data)
    octets = 1 << length_type
    length = int.from_bytes(_exactly(data, at, octets), "big")
    return tag, _exactly(data, at + octets, length), at + octets + length


def _new_format(data: bytes, tag: int, at: int) -> tuple[int, bytes, int]:
    pieces = []
    while True:
        length, at, partial = _new_length(data, at)
        pieces.append(_exactly(data, at, length))
        at += length
        if not partial:
            return tag, b"".join(pieces), at


def _new_length(data: bytes, at: int) -> tuple[int, int, bool]:
    first = _exactly(data, at, 1)[0]
    if first < 192:
        return first, at + 1, False
    if first < 224:
        return ((first - 192) << 8) + _exactly(data, at + 1, 1)[0] + 192, at + 2, False
    if first < 255:
        return 1 << (first & 0x1F), at + 1, True
    return int.from_bytes(_exactly(data, at + 1, 4), "big"), at + 5, False


def _exactly(data: bytes, at: int, length: int) -> bytes:
    piece = data[at : at + length]
    if len(piece) != length:
        raise Malformed("cut off")
    return piece


def certificates(data: bytes) -> list[bytes]:
    """Cut a sequence of public keys into one certificate each, each starting at its primary key packet."""
    found: list[list[bytes]] = []
    for packet in packets(data):
        if packet.tag == PUBLIC_KEY:
            found.append([])
        if not found:
            raise Malformed("does not begin with a public key")
        found[-1].append(packet.raw)
    return [b"".join(pieces) for pieces in found]


@lru_cache(maxsize=1024)
def keys_of(certificate: bytes) -> tuple[KeyMaterial, ...]:
    """The primary key, then the subkeys, of one certificate."""
    return tuple(_material(p.body) for p in packets(certificate) if p.tag in {PUBLIC_KEY, PUBLIC_SUBKEY})


def _material(body: bytes) -> KeyMaterial:
    if _exactly(body, 0, 1) != b"\x04":
        raise Unsupported("a key of a version that is not used here")
    created = int.from_bytes(_exactly(body, 1, 4), "big")
    algorithm = _exactly(body, 5, 1)[0]
    bits = int.from_bytes(_exactly(body, 6, 2), "big") if algorithm in {1, 2, 3, 16, 17, 20} else 0
    digest = sha1(b"\x99" + len(body).to_bytes(2, "big") + body, usedforsecurity=False)
    return KeyMaterial(digest.hexdigest().upper(), algorithm, bits, datetime.fromtimestamp(created, UTC))


def signatures_only(data: bytes) -> None:
    """Refuse anything but version 4 signatures of documents: what a detached signature has to be (P29, P30, P32)."""
    found = list(packets(data))
    if not found or any(packet.tag != SIGNATURE for packet in found):
        raise Malformed("not a signature")
    if any(packet.body[:2] not in {b"\x04\x00", b"\x04\x01"} for packet in found):
        raise Unsupported("a signature of a version or kind that is not accepted")
    if any(packet.body[3:4] not in _HASHES for packet in found):  # gpg says nothing at all to others, SHA-3 among them
        raise Unsupported("the signature's hash algorithm is not supported")


def is_encrypted(message: bytes) -> bool:
    """Whether a message is encrypted to public keys, and to nothing else (testbook condition 8, P34, P108).

    False: it is signed or plain, for gpg to tell. Raises Malformed for any other mixture of packets.
    """
    found = list(packets(message))
    tags = [packet.tag for packet in found]
    if tags and tags[0] in {SIGNATURE, ONE_PASS, COMPRESSED, LITERAL}:
        return False
    if SKESK in tags:
        raise Malformed("encrypted with a password, not to our key")
    if len(tags) < 2 or tags[-1] not in {SEIPD, OCB} or tags[:-1] != [PKESK] * (len(tags) - 1):
        raise Malformed("not an encrypted message that can be read")
    if any(packet.body[:1] != b"\x03" for packet in found[:-1]) or found[-1].body[:1] != b"\x01":
        raise Unsupported("encrypted in a newer form of OpenPGP than GnuPG can read")
    if len(tags) > MAX_RECIPIENTS + 1:
        raise Malformed(f"encrypted to more than {MAX_RECIPIENTS} keys")
    return True


def without_session_keys(message: bytes) -> bytes:
    """The encrypted data alone: the same for whoever it is sent to by adding, dropping or moving session keys."""
    return b"".join(packet.body for packet in packets(message) if packet.tag != PKESK)


def recipients(message: bytes) -> list[str]:
    """The key ids a message is encrypted to, 16 upper-case hex digits each, in order."""
    return [_recipient(packet) for packet in packets(message) if packet.tag == PKESK]


def _recipient(packet: Packet) -> str:
    return packet.body[1:9].hex().upper()


def for_us(message: bytes, ours: Collection[str]) -> tuple[bytes, ...]:
    """The encrypted message as it is to be tried, in order, with these key ids of ours.

    Only with the session keys that name us; if none does, with each hidden recipient's alone: gpg counts a hidden
    recipient that is not us as an error, and a message decrypted with errors has to be refused.
    """
    *session_keys, data = packets(message)
    named = [packet.raw for packet in session_keys if _recipient(packet) in ours]
    if named:
        return (b"".join(named) + data.raw,)
    hidden = [packet.raw + data.raw for packet in session_keys if _recipient(packet) == _NOBODY]
    return tuple(hidden[:MAX_HIDDEN]) or (message,)
