"""OpenPGP packets gpg would never make: ed25519 signatures with whatever a forger likes inside (RFC 9580, RFC 8032).

Slow and not constant-time: for attacks in tests only.
"""

import base64
from dataclasses import dataclass
from hashlib import sha1, sha256, sha512

from mailrouter.pgp import PublicKey

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
Point = tuple[int, int, int, int]


def _add(a: Point, b: Point) -> Point:
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    g, h = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = f - e, h - g, h + g, f + e
    return e * f % P, g * h % P, f * g % P, e * h % P


def _multiply(scalar: int, point: Point) -> Point:
    result: Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = _add(result, point)
        point, scalar = _add(point, point), scalar >> 1
    return result


def _base() -> Point:
    y = 4 * pow(5, -1, P) % P
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    x = x if x % 2 == 0 else P - x
    return x, y, 1, x * y % P


BASE = _base()


def _compress(point: Point) -> bytes:
    inverse = pow(point[2], -1, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def packet(tag: int, body: bytes) -> bytes:
    """New format, five-octet length."""
    return bytes([0xC0 | tag, 0xFF]) + len(body).to_bytes(4, "big") + body


def subpacket(kind: int, content: bytes) -> bytes:
    """One signature subpacket; add 0x80 to `kind` to make it critical."""
    return b"\xff" + (len(content) + 1).to_bytes(4, "big") + bytes([kind]) + content


CERTIFY, SIGN, ENCRYPT = 1, 2, 12
KEY_FLAGS = 27


def flags(use: int) -> bytes:
    """What a key may be used for."""
    return subpacket(KEY_FLAGS, bytes([use]))


def framed(key_body: bytes) -> bytes:
    """A key as it is hashed into signatures over it."""
    return b"\x99" + len(key_body).to_bytes(2, "big") + key_body


def notation(name: bytes, value: bytes) -> bytes:
    """A human-readable notation."""
    return subpacket(20, b"\x80\0\0\0" + len(name).to_bytes(2, "big") + len(value).to_bytes(2, "big") + name + value)


def armor(kind: str, data: bytes) -> bytes:
    """Armored, without a checksum."""
    return (
        f"-----BEGIN PGP {kind}-----\n\n".encode() + base64.encodebytes(data) + f"-----END PGP {kind}-----\n".encode()
    )


def _mpi(number: bytes) -> bytes:
    value = int.from_bytes(number, "big")
    return value.bit_length().to_bytes(2, "big") + value.to_bytes((value.bit_length() + 7) // 8, "big")


@dataclass(frozen=True)
class Forger:
    """One forged key pair, from a seed; `created` in seconds since 1970."""

    seed: bytes
    created: int = 1577836800

    @property
    def _scalar(self) -> int:
        half = bytearray(sha512(self.seed).digest()[:32])
        half[0] &= 248
        half[31] = half[31] & 127 | 64
        return int.from_bytes(half, "little")

    @property
    def _public(self) -> bytes:
        return _compress(_multiply(self._scalar, BASE))

    def _ed25519(self, message: bytes) -> tuple[bytes, bytes]:
        prefix = sha512(self.seed).digest()[32:]
        r = int.from_bytes(sha512(prefix + message).digest(), "little") % L
        point = _compress(_multiply(r, BASE))
        k = int.from_bytes(sha512(point + self._public + message).digest(), "little") % L
        return point, ((r + k * self._scalar) % L).to_bytes(32, "little")

    @property
    def key_body(self) -> bytes:
        """Version 4, EdDSA, the curve's object identifier, the point."""
        curve = bytes.fromhex("092B06010401DA470F01")
        return b"\x04" + self.created.to_bytes(4, "big") + b"\x16" + curve + _mpi(b"\x40" + self._public)

    @property
    def fingerprint(self) -> str:
        """40 upper-case hex digits."""
        return sha1(b"\x99" + len(self.key_body).to_bytes(2, "big") + self.key_body).hexdigest().upper()

    def certificate(self, user_id: bytes, *more: bytes) -> bytes:
        """Public key, user id, self-signature that lets it sign."""
        hashed = (b"" if any(one[5] == KEY_FLAGS for one in more) else flags(CERTIFY | SIGN)) + b"".join(more)
        signed = framed(self.key_body) + b"\xb4" + len(user_id).to_bytes(4, "big") + user_id
        return packet(6, self.key_body) + packet(13, user_id) + self.signature(signed, 0x13, hashed)

    def public(self, user_id: bytes, *more: bytes) -> PublicKey:
        """The certificate as the database would hold it."""
        return PublicKey(self.fingerprint, self.certificate(user_id, *more))

    def subkey(self, body: bytes, use: bytes, *more: bytes) -> bytes:
        """A subkey packet and the signature that binds it; `use`: its flags; `more`: a back-signature, perhaps."""
        signed = framed(self.key_body) + framed(body)
        return packet(14, body) + self.signature(signed, 0x18, use + b"".join(more))

    def back_signature(self, primary: bytes) -> bytes:
        """The subpacket by which this subkey agrees to belong to that primary key."""
        signature = self.signature(framed(primary) + framed(self.key_body), 0x19)
        return subpacket(32, signature[6:])

    def signature(
        self, signed: bytes, kind: int = 0, more: bytes = b"", *, at: int = 0, version: int = 4,
        unhashed: bytes | None = None, timed: bool = True,
    ) -> bytes:  # fmt: skip
        """A signature packet with these hashed subpackets beside time and issuer; `at` in seconds since 1970.

        `unhashed`: instead of the issuer's key id; then the hashed part does not name the issuer either. Not `timed`:
        the hashed part does not name the time.
        """
        fingerprint = bytes.fromhex(self.fingerprint)
        time = subpacket(2, (at or self.created + 60).to_bytes(4, "big")) if timed else b""
        issuer = subpacket(33, b"\x04" + fingerprint) if unhashed is None else b""
        hashed = time + issuer + more
        head = bytes([version, kind, 22, 8]) + len(hashed).to_bytes(2, "big") + hashed
        digest = sha256(signed + head + b"\x04\xff" + len(head).to_bytes(4, "big")).digest()
        r, s = self._ed25519(digest)
        beside = subpacket(16, fingerprint[-8:]) if unhashed is None else unhashed
        body = head + len(beside).to_bytes(2, "big") + beside + digest[:2] + _mpi(r) + _mpi(s)
        return packet(2, body)


FORGER = Forger(b"forger")
