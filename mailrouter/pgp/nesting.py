"""How often a message is compressed within itself, seen from outside before gpg is asked (testbook P35).

gpg unpacks up to 31 layers, each of which may be a thousand times as large as the one around it. Nobody's program makes
more than one. Only the beginning of each layer is unpacked; what is encrypted cannot be seen from here, and there gpg's
own limits, of layers, output and memory, have to do. Pure, and bounded in time; raises nothing.
"""

import bz2
import zlib

from mailrouter.pgp import packets

MAX_LAYERS = 2
_LOOK = 1 << 20  # bytes of each layer; bzip2 gives nothing before a block of 900 kB is complete
_BEFORE_THE_TEXT = frozenset({packets.SIGNATURE, packets.ONE_PASS, packets.MARKER})
_ZIP, _ZLIB, _BZIP2 = b"\x01", b"\x02", b"\x03"  # RFC 9580 section 9.4


def too_deep(message: bytes) -> bool:
    """Whether there are more than MAX_LAYERS of compression."""
    layer, depth = message, 0
    while depth <= MAX_LAYERS:
        packed = _compressed(layer)
        if packed is None:
            return False
        layer, depth = _unpacked(packed), depth + 1
    return True


def _compressed(layer: bytes) -> bytes | None:
    """The body of the compressed packet that this layer begins with, signatures before it passed over; None: none."""
    at = 0
    try:
        while True:
            tag, body, at = packets.beginning(layer, at)
            if tag == packets.COMPRESSED:
                return body
            if tag not in _BEFORE_THE_TEXT:
                return None
    except packets.Malformed:
        return None


def _unpacked(packed: bytes) -> bytes:
    """The beginning of what is in there; b'' when that cannot be read."""
    algorithm, rest = packed[:1], packed[1:]
    try:
        if algorithm == _BZIP2:
            return bz2.BZ2Decompressor().decompress(rest, _LOOK)
        if algorithm in {_ZIP, _ZLIB}:
            return zlib.decompressobj(-15 if algorithm == _ZIP else 15).decompress(rest, _LOOK)
    except (OSError, zlib.error):
        pass
    return b""
