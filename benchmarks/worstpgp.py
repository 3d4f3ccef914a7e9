"""The worst OpenPGP that may come (testbook/pgp.md P108 to P111 and P116 to P118), each as the bytes that follow 354.

Bombs are encrypted to the measured daemon's own key: its GNUPGHOME gives a session key, the rest is put together here,
since no gpg makes such things. The bounds are the testbook's; processor seconds are those of the daemon and of its gpg.
"""

import base64
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.mails import CASES, SENDER
from benchmarks.worst import END, MIB, Worst
from mailrouter.pgp import PublicKey
from tests.pgp import mails
from tests.pgp.cases.decryption import bomb, encoded
from tests.pgp.cases.files import NOTE, file
from tests.pgp.cipher import Session
from tests.pgp.forge import FORGER, armor, packet, subpacket
from tests.pgp.keys import Keymaker, Owner

BOMB_SECONDS, BOMB_MIB = 3.0, 64.0
FLOOD_SECONDS, FLOOD_MIB = 5.0, 100.0
GARBAGE = 24 * MIB  # the largest mail that is taken has 25


def worst(home: Path, ours: PublicKey) -> Sequence[Worst]:
    """Each of them, for a daemon whose keys lie in `home` and whose public key is `ours`."""
    keymaker = Keymaker(home)
    session = Session(keymaker, Owner("Our CERT", "cert@cert.example", ours.fingerprint, ours))
    return (*_bombs(session), *_recipients(session), *_keys())


def _bombs(session: Session) -> Iterator[Worst]:
    for mib in (200, 1024):
        sealed = _encrypted(session.pkesk, session.protected(bomb(mib)))
        yield _worst("P110", f"a bomb of {mib} MiB, encrypted to us", sealed)
    yield _worst("P110", "a bomb of 200 MiB in a text", mails.text(armor("MESSAGE", bomb(200))))
    for how in ("base64", "quoted-printable"):
        yield _worst("P111", f"a bomb of 200 MiB in {how}", encoded(bomb(200), how))


def _recipients(session: Session) -> Iterator[Worst]:
    rest = session.protected(packet(11, b"b\0\0\0\0\0x"))
    password = packet(3, b"\x04\x09\x03\x0a" + bytes(8) + b"\xff")
    hidden = session.pkesk[:3] + bytes(8) + session.pkesk[11:-1] + bytes([session.pkesk[-1] ^ 1])
    for row, what, keys in (
        ("P108", "1,000 passwords", password * 1000 + session.pkesk),
        ("P109", "1,000 recipients", session.pkesk * 1000),
        ("P109", "99 hidden recipients, none of them us", hidden * 99),
    ):
        yield _worst(row, what, _encrypted(keys, rest), FLOOD_SECONDS, FLOOD_MIB)


def _keys() -> Iterator[Worst]:
    """Keys that came along, for a person to look at; and what looks like one."""
    plain = FORGER.public(b"PSIRT <psirt@vendor.example>").data
    signature = FORGER.signature(b"x", 0x10, subpacket(16, bytes(8)))
    for row, what, key in (
        ("P116", "a key of 14 MB with 100,000 foreign signatures", plain + signature * (14_000_000 // len(signature))),
        ("P117", "a key with 10,000 user ids", plain + b"".join(packet(13, b"x%d" % n) for n in range(10_000))),
        ("P117", "a key with a photograph of 10 MB", plain + packet(17, bytes(10_000_000))),
    ):
        sent = mails.mixed(NOTE, file("key.asc", armor("PUBLIC KEY BLOCK", key), "application/pgp-keys"))
        yield _worst(row, what, sent, FLOOD_SECONDS, FLOOD_MIB)
    for what, content in (
        ("armor of 24 MiB of garbage", base64.encodebytes(bytes(GARBAGE * 3 // 4 - MIB))),
        ("24 MiB of armor that never ends", b"A" * 64 + b"\n"),
        ("armor with a wrong checksum", base64.encodebytes(b"\xc3" * 1000) + b"=AAAA\n"),
    ):
        body = content * (GARBAGE // 65) if len(content) == 65 else content
        end = b"" if len(content) == 65 else b"-----END PGP MESSAGE-----\n"
        text = mails.text(b"-----BEGIN PGP MESSAGE-----\n\n" + body + end)
        yield _worst("P118", what, text, FLOOD_SECONDS, 2 * FLOOD_MIB)


def _encrypted(keys: bytes, rest: bytes) -> bytes:
    return mails.encrypted(armor("MESSAGE", keys + rest))


def _worst(row: str, what: str, raw: bytes, seconds: float = BOMB_SECONDS, mib: float = BOMB_MIB) -> Worst:
    """From the vendor on file, about a case there is: then its keys are looked at too."""
    about = raw.replace(b"psirt@vendor.example", SENDER.encode(), 1).replace(b"VU#123456", b"VU#%d" % CASES[0], 1)
    return Worst(row, what, _pieces(about), seconds, mib)


def _pieces(raw: bytes) -> Callable[[], Iterator[bytes]]:
    wire = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n").replace(b"\r\n.", b"\r\n..")

    def pieces() -> Iterator[bytes]:
        yield from (wire[at : at + MIB] for at in range(0, len(wire), MIB))
        yield END

    return pieces
