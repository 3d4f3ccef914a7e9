"""P40 to P58 and P80 to P93: parts of mails, senders, the cleartext framework, texts that belong elsewhere."""

import base64

from tests.pgp import mails
from tests.pgp.cipher import Session
from tests.pgp.forge import FORGER, armor, subpacket
from tests.pgp.keys import Keymaker
from tests.pgp.mails import ENTITY, TEXT
from tests.pgp.table import Case, Given, case

HTML = b"Content-Type: text/html\r\n\r\n<p>EVIL"
HIDING = b'Content-Type: text/html\r\n\r\n<p>EVIL</p><div style="display:none"><plaintext>'
START = b"\r\n\r\n--=-b\r\n"  # from the header of PGP/MIME to the signed part
TYPE = b'Content-Type: multipart/signed; micalg=pgp-sha512; protocol="application/pgp-signature"'


def whole(keymaker: Keymaker, head: bytes = b"") -> bytes:
    """A good PGP/MIME entity."""
    return mails.signed(keymaker.sign(ENTITY, keymaker.vendor), head=head)


def block(keymaker: Keymaker, text: bytes = TEXT) -> bytes:
    """A good cleartext block."""
    return keymaker.sign(text, keymaker.vendor, mode="--clear-sign", more=("--digest-algo", "SHA512"))


def changed(row: str, what: str, old: bytes, new: bytes, *outcomes: str) -> Case:
    """PGP/MIME that was good, one place changed."""

    def make(keymaker: Keymaker) -> bytes:
        raw = whole(keymaker, mails.HEAD)
        assert old in raw
        return raw.replace(old, new, 1)

    return case(row, what, *outcomes)(make)


def cut(row: str, what: str, old: bytes, new: bytes, *outcomes: str) -> Case:
    """Cleartext that was good, one place changed."""

    def make(keymaker: Keymaker) -> bytes:
        good = block(keymaker)
        assert old in good
        return mails.text(good.replace(old, new, 1))

    return case(row, what, *outcomes)(make)


def from_(row: str, what: str, field: bytes, *outcomes: str, signer: str = "eve") -> Case:
    """Signed well, by Eve unless said otherwise, with that From."""
    return case(row, what, *outcomes)(
        lambda k: mails.signed(k.sign(ENTITY, getattr(k, signer)), head=field + b"\r\nSubject: VU#123456\r\n")
    )


def _in_base64(text: bytes) -> bytes:
    more = b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n"
    return mails.text(base64.encodebytes(text), more=more)


def _forwarded_in_secret(keymaker: Keymaker) -> bytes:
    """What the vendor signed for Eve, encrypted anew to us."""
    text = b"Dear Eve, we are affected.\n"
    message = keymaker.gpg("--local-user", keymaker.vendor.fingerprint, "-z", "0", "--sign", given=text)
    session = Session(keymaker, keymaker.cert)
    return mails.text(armor("MESSAGE", session.pkesk + session.protected(message)))


def _same_key_id(keymaker: Keymaker, *, pinned: bool) -> Given:
    """The id of the vendor's key in a forger's signature: what a collision looks like from outside."""
    signature = FORGER.signature(ENTITY, unhashed=subpacket(16, bytes.fromhex(keymaker.vendor.fingerprint[-16:])))
    forger = (FORGER.public(b"PSIRT <psirt@vendor.example>"),) if pinned else ()
    return Given(mails.signed(armor("SIGNATURE", signature)), eves=forger)


COMPOSED = (
    case("P40", "M1 text part + PGP/MIME part", "P")(lambda k: mails.mixed(b"\r\nEVIL", whole(k))),
    case("P40", "M1 text part + signed inline part", "P")(lambda k: mails.mixed(b"\r\nEVIL", b"\r\n" + block(k))),
    case("P40", "M1 signed block in one text", "P")(lambda k: mails.text(b"EVIL\r\n" + block(k))),
    case("P41", "M2 HTML that hides all after it + signed part", "P")(lambda k: mails.mixed(HIDING, whole(k))),
    case("P42", "M3 multipart/related, cid: to the signed part", "P")(
        lambda k: mails.mixed(
            b'Content-Type: text/html\r\n\r\nEVIL<img src="cid:s">', b"Content-ID: <s>\r\n" + whole(k), kind=b"related"
        )
    ),
    case("P43", "M4 signed part as attachment", "P")(
        lambda k: mails.mixed(b"\r\nEVIL", b"Content-Disposition: attachment; filename=s.eml\r\n" + whole(k))
    ),
    changed("P44", "three parts", START, START + b"\r\nfirst\r\n--=-b\r\n", "I"),
    changed("P44", "without protocol", b' protocol="application/pgp-signature";', b"", "I"),
    changed("P44", "wrong protocol", b'protocol="application/pgp-signature"', b'protocol="x/y"', "I"),
    changed("P44", "boundary given twice", b'boundary="=-b"', b'boundary="=-b"; boundary="=-c"', "I"),
    changed("P44", "text after the last boundary", b"--=-b--\r\n", b"--=-b--\r\nEVIL", "P"),
    changed("P44", "text before the first boundary", START, b"\r\n\r\nEVIL\r\n--=-b\r\n", "P"),
    changed("P44", "not closed", b"--=-b--", b"", "I"),
    case("P44", "multipart/signed in a forwarded mail", "P")(
        lambda k: mails.mixed(b"\r\nEVIL", b"Content-Type: message/rfc822\r\n\r\n" + whole(k, mails.HEAD))
    ),
    case("P45", "alternative: signed text + unsigned HTML", "P")(
        lambda k: mails.mixed(b"\r\n" + block(k), HTML, kind=b"alternative")
    ),
    changed("P46", "two Content-Types", b"Content-Type: m", b"Content-Type: text/plain\r\nContent-Type: m", "I"),
    changed("P46", "boundary in pieces", b'boundary="=-b"', b'boundary*0="=-"; boundary*1="b"', "I"),
    changed("P46", "base64 on the multipart", b"MIME-V", b"Content-Transfer-Encoding: base64\r\nMIME-V", "I"),
    case("P47", "message/partial with a signed part", "U")(
        lambda k: mails.HEAD + b'Content-Type: message/partial; id="x"; number=1; total=2\r\n\r\n' + whole(k)
    ),
    case("P47", "message/external-body naming a signed part", "U")(
        lambda k: mails.HEAD + b'Content-Type: message/external-body; access-type=URL; URL="http://127.0.0.1:9/"\r\n\r\n'
        + whole(k)
    ),
)  # fmt: skip

SENDERS = (
    from_("P50", "I1 From the vendor, signed by Eve", b"From: psirt@vendor.example", "S"),
    from_("P51", "I2 the vendor's address as display name", b'From: "psirt@vendor.example" <eve@eve.example>', "S"),
    from_("P51", "I2 the same, padded", b'From: "psirt@vendor.example' + b" " * 60 + b'" <eve@eve.example>', "S"),
    from_("P51", "I2 the same, unquoted", b"From: psirt@vendor.example <eve@eve.example>", "S"),
    from_("P52", "From empty", b"From:", "S"),
    from_("P52", "From missing", b"X-From: psirt@vendor.example", "S"),
    from_("P52", "From a name only", b"From: Vendor PSIRT", "S"),
    from_("P53", "two From, vendor first", b"From: psirt@vendor.example\r\nFrom: eve@eve.example", "S"),
    from_("P53", "two From, vendor last", b"From: eve@eve.example\r\nFrom: psirt@vendor.example", "S"),
    from_("P53", "two mailboxes", b"From: psirt@vendor.example, eve@eve.example", "S"),
    from_("P53", "Sender is the vendor", b"From: eve@eve.example\r\nSender: psirt@vendor.example", "S"),
    from_("P53", "two From, signed by the vendor", b"From: psirt@vendor.example\r\nFrom: eve@eve.example", "S",
          signer="vendor"),
    from_("P54", "upper case", b"From: PSIRT@VENDOR.EXAMPLE", "V", signer="vendor"),
    *(from_("P54", what, b"From: " + field, "S", signer="vendor") for what, field in (
        ("group", b"PSIRT: psirt@vendor.example;"),
        ("comment", b"psirt@vendor.example (PSIRT)"),
        ("obsolete route", b"<@a.example:psirt@vendor.example>"),
        ("NUL", b"psirt\0@vendor.example"),
        ("trailing dot", b"psirt@vendor.example."),
        ("homograph", "psirt@vend\u043er.example".encode()),
        ("IDN form of another", b"psirt@xn--vendr-jye.example"),
        ("+tag", b"psirt+x@vendor.example"),
    )),
    case("P55", "the vendor's address in another's user id, not pinned", "I")(
        lambda _: mails.signed(armor("SIGNATURE", FORGER.signature(ENTITY)))
    ),
    case("P55", "the vendor's address in the user id of Eve's pinned key", "S")(
        lambda _: Given(
            mails.signed(armor("SIGNATURE", FORGER.signature(ENTITY))),
            eves=(FORGER.public(b"PSIRT <psirt@vendor.example>"),),
        )
    ),
    case("P58", "the vendor's key id, by an unknown key", "I")(lambda k: _same_key_id(k, pinned=False)),
    case("P58", "the vendor's key id, by Eve's key", "S", "I")(lambda k: _same_key_id(k, pinned=True)),
)  # fmt: skip

CLEARTEXT = (
    case("P80", "text before the block", "P")(lambda k: mails.text(b"EVIL\r\n" + block(k))),
    case("P80", "text after the block", "P")(lambda k: mails.text(block(k) + b"EVIL\r\n")),
    cut("P81", "blanks and tabs added at a line's end", b"not affected.", b"not affected. \t ", "V"),
    *(cut("P82", f"{byte!r} inserted", b"affected", b"aff" + byte + b"ected", "I")
      for byte in (b"\0", b"\x0b", b"\x0c", b"\r")),
    *(cut("P83", f"armor header {line!r}", b"Hash: SHA512\n", b"Hash: SHA512\n" + line + b"\n", "I")
      for line in (b"Comment: EVIL", b"EVIL without colon", b"Charset: utf-7")),
    cut("P83", "a hash nobody knows", b"Hash: SHA512\n", b"Hash: SHA51\n", "I"),
    cut("P83", "two hashes in a list", b"Hash: SHA512\n", b"Hash: SHA256, SHA512\n", "I"),
    cut("P83", "two hashes, a line each", b"Hash: SHA512\n", b"Hash: SHA256\nHash: SHA512\n", "V"),
    cut("P83", "a vertical tab in the signature's armor", b"\n=", b"\x0b\n=", "I"),
    cut("P83", "the checksum on the last line of the signature", b"\n=", b"=", "I"),
    cut("P83", "Hash: SHA512, EVIL text", b"Hash: SHA512\n", b"Hash: SHA512, EVIL text\n", "I"),
    cut("P84", "NotDashEscaped", b"Hash: SHA512\n", b"Hash: SHA512\nNotDashEscaped: You need GnuPG\n", "I"),
    *(cut("P85", f"{byte!r} at the end of a line", b"not affected.\n", b"not affected." + byte + b"\n", "I")
      for byte in (b"\x0c", b" \x0c", b"\x0c ", b"\x0b", b"\x1c", b"\x1b", b"\x08", b"\x7f")),
    cut("P86", "20,000 blanks + EVIL after a line", b"affected.\n", b"affected." + b" " * 20_000 + b"EVIL\n", "I"),
    cut("P86", "1,000 blanks after a line", b"affected.\n", b"affected." + b" " * 1_000 + b"\n", "I"),
    *(case("P86", f"{size} bytes in a line, LF within base64", word)(
        lambda k, size=size: _in_base64(block(k, b"VU#123456\n" + b"x" * size)))
      for size, word in ((998, "V"), (999, "I"))),
    case("P87", "two blocks, the second altered", "I")(
        lambda k: mails.text(block(k) + block(k).replace(b"not affected", b"affected"))
    ),
    case("P88", "BEGIN inside the block", "I")(
        lambda k: mails.text(block(k).replace(b"VU#123456\n", b"-----BEGIN PGP SIGNED MESSAGE-----\n\nVU#123456\n"))
    ),
    case("P89", "quoted block", "U")(lambda k: mails.text(b"> " + block(k).replace(b"\n", b"\n> "))),
    case("P89", "quoted block above an unsigned answer", "U")(
        lambda k: mails.text(b"We agree.\r\n>" + block(k).replace(b"\n", b"\r\n>"))
    ),
)  # fmt: skip

BINDING = (
    case("P90", "genuine statement on another case, our number in the Subject", "V+UNBOUND")(
        lambda k: mails.text(block(k, b"VU#654321: we are affected.\n"))
    ),
    case("P90", "statement that names two cases", "V+UNBOUND")(
        lambda k: mails.text(block(k, b"VU#123456 and VU#654321: we are affected.\n"))
    ),
    case("P93", "signed to somebody else, encrypted anew to us", "V+UNBOUND D_OK")(_forwarded_in_secret),
)  # fmt: skip

CASES: tuple[Case, ...] = (*COMPOSED, *SENDERS, *CLEARTEXT, *BINDING)
