"""P01 to P35: what stays good, what gpg is made to print, and what is put beside a signature."""

import zlib

from tests.pgp import mails
from tests.pgp.cipher import Session
from tests.pgp.forge import FORGER, armor, notation, packet, subpacket
from tests.pgp.keys import Keymaker
from tests.pgp.mails import ENTITY, TEXT
from tests.pgp.table import Case, Given, case

BREAKS = ("\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029")
LINES = b"\n[GNUPG:] NEWSIG\n[GNUPG:] GOODSIG 0000000000000000 x\n[GNUPG:] VALIDSIG " + b"A" * 40
LITERAL = packet(11, b"b\0\0\0\0\0EVIL")


def forged(extra: bytes = b"", user_id: bytes | None = b"Eve <eve@eve.example>", **how: int) -> Given:
    """A detached signature by a forger with these subpackets; the key is pinned to Eve unless there is no user id."""
    signature = FORGER.signature(ENTITY, how.get("kind", 0), extra, version=how.get("version", 4))
    eves = () if user_id is None else (FORGER.public(user_id),)
    return Given(mails.signed(armor("SIGNATURE", signature)), eves=eves)


def detached(keymaker: Keymaker, entity: bytes = ENTITY) -> bytes:
    """The vendor's, binary."""
    return keymaker.gpg("--local-user", keymaker.vendor.fingerprint, "--detach-sign", given=entity)


def one_message(keymaker: Keymaker, *more: str) -> bytes:
    """Text signed by the vendor as one OpenPGP message, binary and without compression."""
    return keymaker.gpg("--local-user", keymaker.vendor.fingerprint, "-z", "0", *more, "--sign", given=TEXT)


def as_message(content: bytes) -> bytes:
    """A mail whose text is that message."""
    return mails.text(armor("MESSAGE", content))


def compressed(message: bytes, times: int) -> bytes:
    """In so many layers."""
    for _ in range(times):
        message = packet(8, b"\x02" + zlib.compress(message))
    return message


def imitation(fingerprint: str, line_break: str) -> bytes:
    """Status lines of a good signature by somebody else, each after that line break."""
    valid = f"VALIDSIG {fingerprint} 2026-01-01 1767225600 0 4 0 22 8 00 {fingerprint}"
    lines = ["x", f"[GNUPG:] GOODSIG {fingerprint[-16:]} x", f"[GNUPG:] {valid}", ""]
    return line_break.join(lines).encode()


def _as_signature(what: str, content: bytes) -> Case:
    return case("P30", f"detached signature that is {what}", "I")(lambda _: mails.signed(armor("SIGNATURE", content)))


def _subkey_signed(keymaker: Keymaker) -> Given:
    owner, subkey = keymaker.subkeyed
    return Given(mails.signed(keymaker.sign(ENTITY, f"{subkey}!")), vendors=(owner.public,))


def _ends(ending: bytes) -> Case:
    return case("P06", f"PGP/MIME delivered with {ending!r}", "V")(
        lambda k: mails.signed(k.sign(ENTITY, k.vendor)).replace(b"\r\n", ending)
    )


def _several(first: str, second: str, row: str) -> Case:
    def make(keymaker: Keymaker) -> bytes:
        eve = ("--local-user", keymaker.eve.fingerprint, "--detach-sign")
        made = {
            "good": detached(keymaker),
            "Eve's": keymaker.gpg(*eve, given=ENTITY),
            "bad": keymaker.gpg(*eve, given=b"other"),
            "malicious": FORGER.signature(ENTITY, 0, subpacket(28, imitation(keymaker.vendor.fingerprint, "\n"))),
        }
        return mails.signed(armor("SIGNATURE", made[first] + made[second]))

    return case(row, f"two signatures: {first}, {second}", "I")(make)


def _outside_encryption(keymaker: Keymaker) -> bytes:
    session, signature = Session(keymaker, keymaker.cert), detached(keymaker, TEXT)
    key_id = bytes.fromhex(keymaker.vendor.fingerprint[-16:])
    one_pass = packet(4, b"\x03\x00\x0a\x16" + key_id + b"\x01")
    return one_pass + session.pkesk + session.protected(packet(11, b"b\0\0\0\0\0" + TEXT)) + signature


def _around(keymaker: Keymaker, content: bytes) -> bytes:
    """The packets of a signed message, its text replaced by that."""
    key_id = bytes.fromhex(keymaker.vendor.fingerprint[-16:])
    return packet(4, b"\x03\x00\x0a\x16" + key_id + b"\x01") + content + detached(keymaker, TEXT)


def _two_blocks(order: str) -> Case:
    def make(keymaker: Keymaker) -> bytes:
        blocks = {"V": keymaker.vendor, "M": keymaker.eve}
        return mails.text(b"".join(keymaker.sign(TEXT, blocks[who], mode="--sign") for who in order))

    # What is no longer looked into may well be encrypted: it counts as such.
    return case("P28", f"two armored messages, {order[0]} then {order[1]}", "I D_FAIL")(make)


NESTED_ENTITY = (
    b'Content-Type: multipart/mixed; boundary="i"\r\n\r\n--i\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
    b"VU#123456 fran=C3=A7ais =20\r\n=2E   \r\n--i\r\n\r\nno final newline\r\n--i--"
)

CASES: tuple[Case, ...] = (
    case("P01", "PGP/MIME, detached", "V")(lambda k: mails.signed(k.sign(ENTITY, k.vendor))),
    case("P02", "one cleartext block only", "V")(lambda k: mails.text(k.sign(TEXT, k.vendor, mode="--clear-sign"))),
    case("P03", "PGP/MIME, signed and encrypted in one", "V D_OK")(
        lambda k: mails.encrypted(k.encrypt(ENTITY, k.cert, signer=k.vendor))
    ),
    case("P03", "PGP/MIME, signed, then encrypted", "V D_OK")(
        lambda k: mails.encrypted(k.encrypt(mails.signed(k.sign(ENTITY, k.vendor), head=b""), k.cert))
    ),
    case("P04", "nested multipart, trailing blanks, QP, no final newline", "V")(
        lambda k: mails.signed(k.sign(NESTED_ENTITY, k.vendor), NESTED_ENTITY)
    ),
    case("P05", "signing subkey with back-signature", "V")(_subkey_signed),
    _ends(b"\n"),
    _ends(b"\r\n"),
    case("P10", "literal packet whose file name is status lines", "U")(
        lambda _: as_message(packet(11, b"b" + bytes([len(LINES)]) + LINES + b"\0\0\0\0" + TEXT))
    ),
    *(
        case("P11", f"signer's user id imitates status lines after {br!a}, unknown key", "I")(
            lambda k, br=br: forged(subpacket(28, imitation(k.vendor.fingerprint, br)), None)
        )
        for br in BREAKS
    ),
    *(
        case("P12", f"imitation that ends in {tail!r}", "I")(
            lambda _, tail=tail: forged(subpacket(28, LINES + tail), None)
        )
        for tail in (b"\n[GNUPG:] ", b"\n[GNUPG:] VALIDSIG", b"\n[GNUPG:] NEWSIG \xff\xfe", b"\n[GNUPG", b"\n")
    ),
    *(
        case("P13", f"registered key whose user id imitates status lines after {br!a}", "S")(
            lambda k, br=br: forged(subpacket(28, b"x"), imitation(k.vendor.fingerprint, br))
        )
        for br in BREAKS
    ),
    case("P14", "user id with [GNUPG:] VALIDSIG in the middle of a line", "S")(
        lambda k: forged(b"", b"Eve [GNUPG:] VALIDSIG " + k.vendor.fingerprint.encode() + b" x")
    ),
    *(
        case("P15", f"{what} in a signature by Eve's key", "S", "I")(lambda _, extra=extra: forged(extra))
        for what, extra in (
            ("notation value with status lines", notation(b"x@y", LINES)),
            ("notation name with status lines", notation(b"x" + LINES, b"v")),
            ("policy URL with status lines", subpacket(26, b"http://127.0.0.1:9/" + LINES)),
            ("preferred keyserver with a line break", subpacket(24, b"hkp://127.0.0.1:9/\nx")),
            ("10 kB of terminal escapes", notation(b"x@y", b"\x1b[31m" * 2_000)),
        )
    ),
    *(
        case("P16", f"notation: {what}", "S", "I")(lambda _, extra=extra: forged(extra))
        for what, extra in (
            ("60 kB of %", notation(b"x@y", b"%" * 60_000)),
            ("60 kB of line feeds", notation(b"x@y", b"\n" * 60_000)),
            ("length beyond its packet", subpacket(20, b"\x80\0\0\0\xff\xff\xff\xffshort")),
            ("cut off in its head", subpacket(20, b"\x80\0")),
            ("ends in a cut-off escape", notation(b"x@y", b"\\x" * 250 + b"\\")),
        )
    ),
    _several("malicious", "good", "P17"),
    _several("good", "Eve's", "P18"),
    _several("bad", "good", "P19"),
    _several("good", "bad", "P19"),
    _several("good", "good", "P20"),
    case("P25", "signed message + literal", "I")(lambda k: as_message(one_message(k) + LITERAL)),
    case("P26", "literal + signed message", "I")(lambda k: as_message(LITERAL + one_message(k))),
    case("P27", "two literals", "I")(lambda _: as_message(LITERAL + LITERAL)),
    _two_blocks("VM"),
    _two_blocks("MV"),
    case("P29", "cleartext whose signature is a marker packet", "I")(
        lambda _: mails.text(
            b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nevil\n" + armor("SIGNATURE", packet(10, b"PGP"))
        )
    ),
    *(
        case("P30", f"detached signature that is {what}", "I")(
            lambda k, make=make: mails.signed(armor("SIGNATURE", make(k)))
        )
        for what, make in (
            ("a whole signed message", one_message),
            ("a cleartext block", lambda k: k.sign(TEXT, k.vendor, mode="--clear-sign")),
            ("an encrypted message", lambda k: k.gpg("--recipient", k.cert.fingerprint, "--encrypt", given=TEXT)),
            ("a literal and a signature", lambda k: LITERAL + detached(k)),
        )
    ),
    _as_signature("empty", b""),
    _as_signature("a literal", LITERAL),
    case("P31", "a signed message where the signature should be, data beside it", "I")(
        lambda k: mails.signed(k.sign(ENTITY, k.vendor, mode="--sign"))
    ),
    case("P32", "compressed signature packet", "I")(
        lambda k: mails.signed(armor("SIGNATURE", compressed(detached(k), 1)))
    ),
    *(case("P32", f"message of which gpg says nothing: {what}", "I")(lambda k, make=make: as_message(make(k)))
      for what, make in (
          ("signature around an experimental packet", lambda k: _around(k, packet(62, TEXT))),
          ("compressed experimental packet", lambda _: compressed(packet(62, TEXT), 1)),
          ("compressed by an unknown algorithm", lambda _: packet(8, b"\x07" + TEXT)),
          ("compressed garbage", lambda _: packet(8, b"\x02" + TEXT)),
          ("compressed nothing", lambda _: compressed(b"", 1)),
      )),
    *(case("P32", f"signature of version {v}", "I")(lambda _, v=v: forged(version=v)) for v in (3, 5, 6, 255)),
    *(case("P32", f"signature of class 0x{kind:02X}", "I")(lambda _, kind=kind: forged(kind=kind))
      for kind in (0x02, 0x10, 0x13, 0x18, 0x40)),
    case("P33", "signature outside the encryption, one block", "I", "I D_FAIL")(
        lambda k: as_message(_outside_encryption(k))
    ),
    case("P33", "signature outside the encryption, PGP/MIME", "U D_FAIL")(
        lambda k: mails.encrypted(armor("MESSAGE", _outside_encryption(k)))
    ),
    case("P34", "encrypted experimental packet + clear literal", "U D_FAIL")(lambda k: _spoof(k, before=False)),
    case("P34", "clear literal + encrypted experimental packet", "U D_FAIL")(lambda k: _spoof(k, before=True)),
    case("P34", "encrypted experimental packet alone", "U D_FAIL")(
        lambda k: _encrypted(Session(k, k.cert), packet(60, b"x"))
    ),
    case("P34", "empty encrypted data", "U D_FAIL")(
        lambda k: mails.encrypted(armor("MESSAGE", Session(k, k.cert).pkesk + packet(18, b"\x01")))
    ),
    case("P34", "nothing within the encryption", "U D_FAIL")(lambda k: _encrypted(Session(k, k.cert), b"")),
    *(case("P35", f"signed message compressed {times} times", "V")(
        lambda k, times=times: as_message(compressed(one_message(k), times))) for times in (1, 2)),
    *(case("P35", f"signed message compressed {times} times", "I")(
        lambda k, times=times: as_message(compressed(one_message(k), times))) for times in (3, 31, 32, 100)),
)  # fmt: skip


def _encrypted(session: Session, plain: bytes) -> bytes:
    return mails.encrypted(armor("MESSAGE", session.pkesk + session.protected(plain)))


def _spoof(keymaker: Keymaker, *, before: bool) -> bytes:
    """Something gpg decrypts and skips, and a text that was never encrypted."""
    session = Session(keymaker, keymaker.cert)
    hidden = session.pkesk + session.protected(packet(60, b"x"))
    return mails.encrypted(armor("MESSAGE", LITERAL + hidden if before else hidden + LITERAL))
