"""The worst mails that may come (testbook/mail.md S08, S09, S12, S13, S20), each as the bytes that follow 354.

All are made in small pieces, so that whoever sends them need not hold them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

HEAD = b"From: <psirt@vendor.example>\r\nTo: <cert@cert.example>\r\nSubject: worst\r\n"
END = b"\r\n.\r\n"
PIECE = 1 << 20
MIB = 1 << 20
_STRUCTURED = (b"From", b"To", b"Cc", b"Reply-To", b"Content-Type", b"Content-Disposition", b"References", b"Date")
_SPECIALS = (b",", b".", b'"', b"\\", b"(", b";", b"=?")


@dataclass(frozen=True, slots=True)
class Worst:
    """One construction. The bounds are the testbook's: processor seconds, and MiB above what we held before."""

    row: str
    what: str
    pieces: Callable[[], Iterator[bytes]]  # DATA, its end included
    cpu_seconds: float = 1.0
    mib: float = 100.0


def _repeated(block: bytes, size: int) -> Iterator[bytes]:
    """`block` again and again, at most `size` bytes of it."""
    piece = block * max(1, PIECE // len(block))
    whole, rest = divmod(size // len(block), len(piece) // len(block))
    for _ in range(whole):
        yield piece
    yield block * rest


def _mail(head: bytes, block: bytes = b"", size: int = 0) -> Callable[[], Iterator[bytes]]:
    """Our usual header, `head`, and `size` bytes of `block`."""

    def pieces() -> Iterator[bytes]:
        yield HEAD + head
        yield from _repeated(block, size) if block else ()
        yield END

    return pieces


def _structured(special: bytes, size: int) -> Callable[[], Iterator[bytes]]:
    """One mail in which each structured header field holds `size` bytes of `special`, folded."""
    line = special * (64 // len(special)) + b"\r\n "
    value = line * (size // len(line)) + b"x\r\n"
    return _mail(b"".join(name + b": " + value for name in _STRUCTURED))


_MULTIPART = b'Content-Type: multipart/mixed; boundary="?"\r\n\r\n--?\r\n'
_RFC822 = b"Content-Type: message/rfc822\r\n\r\n"
_BASE64 = b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"


def _nested(kind: bytes, depth: int) -> Callable[[], Iterator[bytes]]:
    """Parts in parts, or mails in mails; `?` stands for the level."""

    def pieces() -> Iterator[bytes]:
        yield HEAD
        for level in range(depth):
            yield kind.replace(b"?", b"%d" % level)
        yield b"\r\nx" + END

    return pieces


def _flat(count: int, boundary: bytes = b"b") -> Callable[[], Iterator[bytes]]:
    """So many empty parts side by side."""
    head = b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
    block = b"--" + boundary + b"\r\n\r\n"
    return _mail(head, block, count * len(block))


_TWO_BYTES = 25 * MIB - 1000
WORST = (
    Worst("", "an ordinary mail of 4 KB", _mail(b"\r\n", b"We look into it.\r\n", 4096)),
    Worst("", "an ordinary mail of 24 MiB", _mail(b"\r\n", b"A" * 76 + b"\r\n", 24 * MIB), 5.0, 110),
    Worst("S08", "a line of 1 GB without an end", _mail(b"\r\n", b"x", 1 << 30), mib=32),
    Worst("S08", "a header line of 1 GB", _mail(b"X: ", b"x", 1 << 30), mib=32),
    Worst("S09", "25 MiB of empty lines", _mail(b"\r\n", b"\r\n", _TWO_BYTES), 5.0),
    Worst("S09", "25 MiB of dots alone", _mail(b"\r\n", b"..\r\n", _TWO_BYTES), 5.0),
    Worst("S12", "500,000 header fields", _mail(b"", b"X: y\r\n", 3_000_000)),
    Worst("S12", "one header field of 10 MB", _mail(b"X: ", b"y" * 997 + b"\r\n ", 10_000_000)),
    *(
        Worst("S12", f"{size} bytes of {special.decode()} in each structured field", _structured(special, size))
        for size in (2000, 65536)
        for special in _SPECIALS
    ),
    *(Worst("S13", f"{depth} multiparts in one another", _nested(_MULTIPART, depth)) for depth in (100, 1000, 5000)),
    *(Worst("S13", f"{depth} mails in one another", _nested(_RFC822, depth)) for depth in (100, 1000, 5000)),
    Worst("S13", "10,000 mails in one another, each said to be base64", _nested(_BASE64, 10_000)),
    Worst("S13", "1,000,000 parts", _flat(1_000_000), 5.0),
    Worst("S13", "boundaries that only begin like it", _flat(500_000, b"bb"), 5.0),
    Worst("S13", "a multipart without a boundary", _mail(b"Content-Type: multipart/mixed\r\n\r\n", b"--\r\n", 100_000)),
    Worst("S20", "1,000,000 digits in the subject", _mail(b"Subject: VU#", b"1" * 997 + b"\r\n ", 1_000_000)),
    Worst("S20", "64 KB of VU# in the subject", _mail(b"Subject: ", b"VU#VU #1" * 100 + b"\r\n ", 65_536)),
)
