"""P100 to P111: what must leave no plaintext, what is read apart, what would take all time and memory."""

import base64
import bz2
import io
import quopri
import zipfile
from functools import cache

from tests.pgp import mails
from tests.pgp.cipher import Session
from tests.pgp.forge import armor, packet
from tests.pgp.keys import Keymaker
from tests.pgp.mails import ENTITY
from tests.pgp.table import Case, Given, case

MIB = 1 << 20


def sealed(keymaker: Keymaker, *more: str) -> bytes:
    """A good encrypted message, binary and not compressed."""
    return keymaker.gpg("--recipient", keymaker.cert.fingerprint, "-z", "0", *more, "--encrypt", given=ENTITY)


def mail(message: bytes) -> bytes:
    """PGP/MIME around it."""
    return mails.encrypted(armor("MESSAGE", message))


def flipped(message: bytes, place: int) -> bytes:
    """One bit changed."""
    changed = bytearray(message)
    changed[place] ^= 1
    return bytes(changed)


def literal(content: bytes) -> bytes:
    """A literal packet."""
    return packet(11, b"b\0\0\0\0\0" + content)


@cache
def bomb(mib: int) -> bytes:
    """A few bytes that unpack to so many MiB; making them takes seconds."""
    squeezer = bz2.BZ2Compressor()
    size = mib * MIB
    head = b"\xcb\xff" + (size + 6).to_bytes(4, "big") + b"b\0\0\0\0\0"
    packed = [squeezer.compress(head), *(squeezer.compress(bytes(MIB)) for _ in range(mib)), squeezer.flush()]
    return packet(8, b"\x03" + b"".join(packed))


def encoded(message: bytes, how: str) -> bytes:
    """In one text with a transfer encoding."""
    block = armor("MESSAGE", message)
    body = base64.encodebytes(block) if how == "base64" else quopri.encodestring(block)
    more = b"Content-Type: text/plain\r\nContent-Transfer-Encoding: " + how.encode() + b"\r\n"
    return mails.text(body, more=more)


def _zip(_: Keymaker) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("statement.asc", bytes(40 * MIB))
    part = b"Content-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    return mails.mixed(b"\r\nVU#123456: see the OpenPGP archive", part + base64.encodebytes(held.getvalue()))


def _session(keymaker: Keymaker) -> Session:
    return Session(keymaker, keymaker.cert)


def _from_eve(keymaker: Keymaker) -> bytes:
    """Ciphertext of a vendor's mail, sent on by somebody else."""
    message = keymaker.encrypt(ENTITY, keymaker.cert, signer=keymaker.vendor)
    return mails.encrypted(message, head=mails.HEAD.replace(b"psirt@vendor.example", b"stranger@elsewhere.example"))


def _mixed(*order: str, kind: bytes = b"mixed", content: bytes = ENTITY) -> Case:
    parts = {
        "html": b'Content-Type: text/html\r\n\r\n<img src="http://127.0.0.1:9/',
        "end": b'Content-Type: text/html\r\n\r\n">',
        "css": b"Content-Type: text/html\r\n\r\n<style>#s{display:none}</style><div id=s>",
        "text": b"\r\nWhat do you say to this?",
    }

    def make(keymaker: Keymaker) -> bytes:
        part = mails.encrypted(keymaker.encrypt(content, keymaker.cert, signer=keymaker.vendor), head=b"")
        return mails.mixed(*(parts.get(name, part) for name in order), kind=kind)

    row = "P104" if "html" in order else "P105"
    return case(row, f"multipart/{kind.decode()}: {', '.join(order)}", "P D_PARTIAL")(make)


def _inline(ending: bytes) -> Case:
    def make(keymaker: Keymaker) -> bytes:
        block = keymaker.encrypt(ENTITY, keymaker.cert, signer=keymaker.vendor)
        return mails.text(b"What do you say to this?" + ending * 40 + block)

    return case("P105", f"one text: words, {ending!r}, block", "P D_PARTIAL")(make)


CASES: tuple[Case, ...] = (
    *(case("P100", f"bit flipped {-place} bytes before the end", "U D_FAIL")(
        lambda k, place=place: mail(flipped(sealed(k), place))) for place in (-1, -20, -30, -60)),
    case("P101", "modification code cut off", "U D_FAIL")(lambda k: mail(sealed(k)[:-22])),
    case("P101", "cut off, lengths put right", "U D_FAIL")(
        lambda k: mail(_session(k).pkesk + packet(18, _session(k).protected(literal(ENTITY))[6:-22]))
    ),
    case("P102", "packet 9, without modification code", "U D_FAIL")(
        lambda k: mail((s := _session(k)).pkesk + s.unprotected(literal(ENTITY)))
    ),
    case("P102", "packet 9 in one block", "U D_FAIL")(
        lambda k: mails.text(armor("MESSAGE", (s := _session(k)).pkesk + s.unprotected(literal(ENTITY))))
    ),
    case("P103", "packet 18 made packet 9", "U D_FAIL")(
        lambda k: mail((s := _session(k)).pkesk + packet(9, s.protected(literal(ENTITY))[7:]))
    ),
    _mixed("html", "encrypted", "end"),
    _mixed("html", "encrypted", "end", kind=b"related"),
    _mixed("text", "encrypted"),
    _mixed("encrypted", "text"),
    _mixed("text", "encrypted", kind=b"alternative"),
    _mixed("css", "encrypted"),
    case("P105", "two encrypted parts", "I D_FAIL")(
        lambda k: mails.mixed(*[mails.encrypted(k.encrypt(ENTITY, k.cert), head=b"")] * 2)
    ),
    _inline(b"\r\n"),
    _inline(b"\n"),
    case("P106", "another's ciphertext, sent by a stranger", "S D_OK")(_from_eve),
    case("P106", "another's ciphertext in a forwarded mail", "U")(
        lambda k: mails.mixed(b"\r\nlook", b"Content-Type: message/rfc822\r\n\r\n" + mail(sealed(k)))
    ),
    case("P107", "altered", "U D_FAIL")(lambda k: mail(flipped(sealed(k), -1))),
    case("P107", "to another's key", "U D_FAIL")(lambda k: mails.encrypted(k.encrypt(ENTITY, k.eve))),
    *(case("P107", f"session key altered at {place}", "U D_FAIL")(
        lambda k, place=place: mail(flipped(sealed(k), place)))
      for place in (20, 40, 60, 80)),
    case("P108", "by password only", "U D_FAIL")(
        lambda k: mail(k.gpg("--passphrase", "x", "--s2k-count", "1024", "--symmetric", given=ENTITY))
    ),
    case("P108", "1,000 password packets", "U D_FAIL")(
        lambda k: mail(packet(3, b"\x04\x09\x03\x0a" + bytes(8) + b"\xff") * 1000 + sealed(k))
    ),
    case("P108", "a password packet beside the key's", "U D_FAIL")(
        lambda k: mail(packet(3, b"\x04\x09\x03\x0a" + bytes(8) + b"\x60") + sealed(k))
    ),
    case("P109", "hidden recipient", "U D_OK")(lambda k: mail(sealed(k, "--throw-keyids"))),
    case("P109", "1,000 recipients", "U D_FAIL")(lambda k: mail(_session(k).pkesk * 1000 + packet(18, b"\x01x"))),
    case("P109", "99 hidden recipients before ours", "U D_OK")(
        lambda k: mail(_to_hidden_eve(k) * 99 + sealed(k))
    ),
    case("P109", "signed, 9 hidden recipients before ours, hidden too", "V D_OK")(
        lambda k: mail(_to_hidden_eve(k) * 9 + sealed(k, "--throw-keyids", "--sign", "-u", k.vendor.fingerprint))
    ),
    case("P109", "99 hidden recipients, none of them us", "U D_FAIL")(
        lambda k: mail(_to_hidden_eve(k) * 99 + packet(18, b"\x01" + bytes(100)))
    ),
    *(case("P110", f"bomb of {mib} MiB, encrypted", "U D_FAIL")(
        lambda k, mib=mib: mail((s := _session(k)).pkesk + s.protected(bomb(mib)))) for mib in (26, 200, 1024)),
    case("P110", "bomb of 200 MiB, one block", "I")(lambda _: mails.text(armor("MESSAGE", bomb(200)))),
    case("P111", "signed bomb", "I")(
        lambda k: mails.text(k.sign(bytes(30 * MIB), k.vendor, mode="--sign", more=("--compress-algo", "bzip2")))
    ),
    *(case("P111", f"bomb in {how}", "I")(lambda _, how=how: Given(encoded(bomb(200), how)))
      for how in ("base64", "quoted-printable")),
    case("P111", "zip of 40 MiB beside the text", "U")(_zip),
)  # fmt: skip


def _to_hidden_eve(keymaker: Keymaker) -> bytes:
    """A session-key packet for Eve, its recipient's id taken out."""
    message = keymaker.gpg("--recipient", keymaker.eve.fingerprint, "--encrypt", given=b"x")
    return message[:3] + bytes(8) + message[11 : 2 + message[1]]
