"""Finding the OpenPGP shapes in raw mail: strictly, and for any bytes at all."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.mail import pgpmime
from mailrouter.mail.pgpmime import Shape, crlf, sealed
from tests.pgp import mails

SIGNATURE = b"-----BEGIN PGP SIGNATURE-----\r\n\r\nAAAA\r\n-----END PGP SIGNATURE-----\r\n"
MESSAGE = b"-----BEGIN PGP MESSAGE-----\r\n\r\nAAAA\r\n-----END PGP MESSAGE-----\r\n"
KEY = b"-----BEGIN PGP PUBLIC KEY BLOCK-----\r\n\r\nAAAA\r\n-----END PGP PUBLIC KEY BLOCK-----\r\n"


def cleartext(body: bytes = b"hello\r\n", armor: bytes = b"Hash: SHA256\r\n") -> bytes:
    return b"-----BEGIN PGP SIGNED MESSAGE-----\r\n" + armor + b"\r\n" + body + SIGNATURE


def shape(raw: bytes) -> tuple[str, bool] | None:
    """The shape found, and whether it is all of the mail."""
    seal = sealed(raw)
    return None if seal is None else (str(seal.shape), seal.whole)


SIGNED = mails.signed(SIGNATURE)
START = b"\r\n\r\n--=-b\r\n"  # from the header to the signed part
ENCRYPTED = mails.encrypted(MESSAGE)


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (SIGNED, ("signed", True)),
        (SIGNED.replace(b"\r\n", b"\n"), ("signed", True)),
        (ENCRYPTED, ("encrypted", True)),
        (mails.text(cleartext()), ("cleartext", True)),
        (mails.text(b"\r\n \t\r\n" + cleartext() + b"\r\n\r\n"), ("cleartext", True)),
        (mails.text(MESSAGE), ("message", True)),
        (mails.text(cleartext(), more=b""), ("cleartext", True)),
        (mails.text(cleartext(), more=b"Content-Type: TEXT/Plain\r\n"), ("cleartext", True)),
        (mails.text(b"hello\r\n" + cleartext()), ("cleartext", False)),
        (mails.text(cleartext() + b"-- \r\nPSIRT\r\n"), ("cleartext", False)),
        (mails.text(cleartext() + KEY), ("cleartext", False)),
        (mails.text(KEY), None),
        (mails.text(b"> " + cleartext().replace(b"\r\n", b"\r\n> ")), None),
        (mails.text(b"About PGP and multipart/signed mail.\r\n"), None),
        (mails.text(cleartext(), more=b"Content-Type: text/html\r\n"), None),
        (mails.mixed(b"\r\nx", SIGNED), ("signed", False)),
        (mails.mixed(ENCRYPTED), ("encrypted", False)),
        (mails.mixed(b"\r\n" + cleartext(), b"Content-Type: text/html\r\n\r\n<p>"), ("cleartext", False)),
        (b"", None),
        (b"\r\n\r\n", None),
    ],
)
def test_the_shapes(raw: bytes, found: tuple[str, bool] | None) -> None:
    assert shape(raw) == found


@pytest.mark.row("P44")
@pytest.mark.parametrize(
    ("change", "found"),
    [
        ((b'protocol="application/pgp-signature"; ', b""), ("invalid", True)),
        ((b'protocol="application/pgp-signature"', b'protocol="x/y"'), ("invalid", True)),
        ((b'protocol="application/pgp-signature"', b'protocol="application/pkcs7-signature"'), None),
        ((b"Content-Type: application/pgp-signature", b"Content-Type: text/plain"), ("invalid", True)),
        ((b"--=-b--", b""), ("invalid", True)),
        ((b"--=-b--", b"--=-b\r\n\r\nthird\r\n--=-b--"), ("invalid", True)),
        ((START, b"\r\n\r\n--=-b\r\n\r\nfirst\r\n--=-b\r\n"), ("invalid", True)),
        ((b"--=-b--\r\n", b"--=-b--\r\nEVIL"), ("signed", False)),
        ((b"--=-b--\r\n", b"--=-b--\r\n \r\n"), ("signed", True)),
        ((START, b"\r\n\r\nEVIL\r\n--=-b\r\n"), ("signed", False)),
        ((START, b"\r\n\r\nThis is an OpenPGP/MIME signed message (RFC 4880 and 3156)\r\n--=-b\r\n"), ("signed", True)),
        ((START, b"\r\n\r\nThis is a multi-part message in MIME format.\r\n--=-b\r\n"), ("signed", True)),
    ],
)  # fmt: skip
def test_what_multipart_signed_may_be(change: tuple[bytes, bytes], found: tuple[str, bool] | None) -> None:
    assert change[0] in SIGNED
    assert shape(SIGNED.replace(change[0], change[1], 1)) == found


@pytest.mark.row("P44")
def test_a_signed_part_may_hold_another_one() -> None:
    assert shape(mails.signed(SIGNATURE, SIGNED.replace(b"=-b", b"=-c"))) == ("signed", True)


@pytest.mark.row("P44")
@pytest.mark.parametrize("other", [SIGNED, mails.text(cleartext()), ENCRYPTED])
def test_two_seals_in_one_mail_are_invalid(other: bytes) -> None:
    assert shape(mails.mixed(SIGNED, other)) == ("invalid", False)


@pytest.mark.row("P46")
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            (b"Content-Type: multipart", b"Content-Type: text/plain\r\nContent-Type: multipart"),
            "two Content-Type fields",
        ),
        ((b'boundary="=-b"', b'boundary*0="=-"; boundary*1="b"'), "given twice or in pieces"),
        ((b'boundary="=-b"', b'boundary="=-b"; boundary="=-c"'), "given twice or in pieces"),
        ((b'; boundary="=-b"', b""), "without a plain boundary"),
        ((b'boundary="=-b"', b'boundary="=-b'), "cannot be read"),
        ((b"Subject:", b"Content-Transfer-Encoding: base64\r\nSubject:"), "an encoded multipart"),
        (
            (b"Subject:", b"Content-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: 8bit\r\nSubject:"),
            "two Content-Tr",
        ),
        ((b"Subject:", b"X: a\rContent-Type: text/html\r\nSubject:"), "a bare CR in the headers"),
    ],
)
def test_what_two_readers_could_read_differently(change: tuple[bytes, bytes], reason: str) -> None:
    seal = sealed(SIGNED.replace(change[0], change[1], 1))
    assert seal is not None
    assert (seal.shape, reason in seal.reason) == (Shape.INVALID, True)


@pytest.mark.row("P28")
@pytest.mark.row("P87")
@pytest.mark.row("P88")
@pytest.mark.parametrize(
    "body", [cleartext() * 2, MESSAGE * 2, cleartext() + MESSAGE, cleartext(MESSAGE), MESSAGE + cleartext()]
)
def test_more_than_one_block_is_invalid(body: bytes) -> None:
    assert shape(mails.text(body)) == ("invalid", True)


@pytest.mark.row("P82")
@pytest.mark.row("P83")
@pytest.mark.row("P84")
@pytest.mark.row("P85")
@pytest.mark.row("P86")
@pytest.mark.parametrize(
    "block",
    [
        cleartext(b"a\x00b\r\n"), cleartext(b"a\x0bb\r\n"), cleartext(b"a\x0c\r\n"), cleartext(b"a\rb\r\n"),
        cleartext(b"a\x1b[31mb\r\n"), cleartext(armor=b"Comment: x\r\n"), cleartext(armor=b"Hash: SHA512, EVIL x\r\n"),
        cleartext(armor=b"Hash: SHA256, SHA512\r\n"), cleartext(armor=b"Hash: SHA25\r\n"),
        cleartext(armor=b"Hash SHA512\r\n"), cleartext(armor=b"NotDashEscaped: x\r\n"), cleartext(b"-evil\r\n"),
        cleartext(b"--\r\n"), cleartext(b"x" + b" " * 20_000 + b"EVIL\r\n"), cleartext(b"x" * 999 + b"\r\n"),
        cleartext().replace(b"-----BEGIN PGP SIGNATURE-----", b""), cleartext().replace(b"-----END", b"----END"),
        b"-----BEGIN PGP SIGNED MESSAGE-----\r\n" + SIGNATURE,
    ],
)  # fmt: skip
def test_cleartext_that_could_be_shown_otherwise(block: bytes) -> None:
    assert shape(mails.text(block)) == ("invalid", True)


@pytest.mark.parametrize(
    "block",
    [
        cleartext(b""), cleartext(armor=b""), cleartext(armor=b"Hash: SHA256\r\nHash: SHA512\r\n"),
        cleartext(b"- -----BEGIN x\r\n"), cleartext(b"x" * 998 + b"\r\n"), cleartext(b"\t tabs and \xc3\xbc\r\n\r\n"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("ending", [b"\r\n", b"\n"])
def test_cleartext_as_it_should_be(block: bytes, ending: bytes) -> None:
    block = block.replace(b"\r\n", ending)
    seal = sealed(mails.text(block))
    assert seal is not None
    assert (seal.shape, seal.data, seal.signature) == (Shape.CLEARTEXT, block, SIGNATURE.replace(b"\r\n", ending))


@pytest.mark.parametrize("before", [b"", b"\n", b"\n\n", b" \n\n"])
def test_base64_hides_no_block_from_the_quick_look(before: bytes) -> None:
    body = base64.encodebytes(before + cleartext())
    assert b"PGP" not in body
    assert shape(mails.text(body, more=b"Content-Transfer-Encoding: base64\r\n")) == ("cleartext", True)


def test_a_returned_letter_and_a_forwarded_secret_are_not_ours_to_open() -> None:
    attached = b"Content-Type: message/rfc822\r\n\r\n"
    assert shape(mails.mixed(b"\r\nfailed", attached + SIGNED, kind=b"report")) is None
    assert shape(mails.mixed(b"\r\nlook", attached + ENCRYPTED)) is None
    assert shape(mails.mixed(b"\r\nlook", attached + mails.mixed(ENCRYPTED).replace(b"=-m", b"=-n"))) is None
    assert shape(mails.mixed(b"\r\nlook", attached + SIGNED)) == ("signed", False)


def test_a_gateways_mixed_up_encrypted_mail() -> None:
    parts = (
        b"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1",
        b"Content-Type: application/octet-stream\r\n\r\n" + MESSAGE,
    )
    seal = sealed(mails.mixed(b"\r\n", *parts))
    assert seal is not None
    assert (seal.shape, seal.whole, seal.data, seal.encrypted) == (Shape.ENCRYPTED, False, MESSAGE, True)


@pytest.mark.parametrize("depth", [3, 8, 9, 60, 2000])
def test_nesting_has_a_bottom(depth: int) -> None:
    raw = SIGNED
    for number in range(depth):
        edge = b"=-%d" % number
        head = b'Content-Type: multipart/mixed; boundary="' + edge + b'"\r\n\r\n'
        raw = head + b"--" + edge + b"\r\n" + raw + b"\r\n--" + edge + b"--\r\n"
        if len(raw) > 300_000:
            break
    assert shape(raw) == (("signed", False) if depth <= pgpmime.MAX_DEPTH else None)


def test_deep_nesting_around_many_lines_takes_no_longer() -> None:
    heads = (b'Content-Type: multipart/mixed; boundary="=-%d"\r\n\r\n--=-%d\r\n' % (n, n) for n in range(20))
    assert sealed(b"X: pgp\r\n" + b"".join(heads) + b"x\r\n" * 1_000_000) is None


HOSTILE = [
    b"multipart/signed; boundary=" + b" " * 200_000, b"multipart/signed" + b"; a=b" * 40_000,
    b"multipart/signed" + b";" * 9999, b"multipart/" + b"s" * 200_000,
    b"multipart/signed;" + b'"' * 99_999, b"multipart/signed; a=" + b"\\" * 99_999,
]  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE, ids=len)
def test_no_header_takes_long(value: bytes) -> None:
    sealed(b"Content-Type: " + value + b"\r\n\r\n" + cleartext())


@pytest.mark.parametrize(
    "body",
    [
        b" \r\n" * 200_000,
        b"-----BEGIN PGP SIGNATURE-----\r\n" * 50_000,
        b"-----END PGP MESSAGE----\r\n" * 50_000,
        b"-" * 500_000,
    ],
)
def test_no_body_takes_long(body: bytes) -> None:
    sealed(mails.text(b"-----BEGIN PGP SIGNED MESSAGE-----\r\n\r\n" + body))
    sealed(mails.text(MESSAGE[:30] + body))
    sealed(SIGNED.replace(b"\r\n\r\n--=-b", b"\r\n\r\n" + body + b"--=-b", 1))


PIECES = [
    *SIGNED.split(b"\r\n"), *ENCRYPTED.split(b"\r\n"), *cleartext().split(b"\r\n"), *MESSAGE.split(b"\r\n"),
    b"Content-Type: message/rfc822", b"Content-Type: multipart/mixed; boundary==-b", b"\r", b"\0", b"", b"",
    b"\xff\xfe", b"Content-Transfer-Encoding: base64", b"Content-Transfer-Encoding: quoted-printable",
    b'Content-Type: text/plain; charset="\xff"; hp=clear',
]  # fmt: skip


@given(
    st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=20)), max_size=40), st.sampled_from([b"\r\n", b"\n"])
)
def test_no_bytes_raise(pieces: list[bytes], ending: bytes) -> None:
    raw = ending.join(pieces)
    seal = sealed(raw)
    assert seal is None or seal.shape in Shape
    pgpmime.protected_subject(pgpmime.protected_headers(raw))


@given(st.lists(st.sampled_from([b"\r\n", b"\n", b"\r", b"x", b" ", b"\r\r\n"])))
def test_line_endings_become_crlf_and_nothing_else_changes(pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    assert crlf(crlf(data)) == crlf(data)
    assert crlf(data).replace(b"\r\n", b"\n") == data.replace(b"\r\n", b"\n")


@pytest.mark.parametrize(
    ("head", "subject"),
    [
        (b'Content-Type: text/plain; hp="clear"\r\nSubject: VU#1\r\n', "VU#1"),
        (b"Content-Type: text/plain; hp=cipher\r\nSubject: =?utf-8?b?VlUjMQ==?=\r\n", "VU#1"),
        (b'Content-Type: text/plain; protected-headers="v1"\r\nSubject: VU#1\r\n  folded\r\n', "VU#1  folded"),
        (b'Content-Type: text/plain; hp="clear"\r\nSubject: VU#1\r\nSubject: VU#2\r\n', None),
        (b'Content-Type: text/plain; hp="clear"\r\n', None),
        (b"Content-Type: text/plain\r\nSubject: VU#1\r\n", None),
        (b"Subject: VU#1\r\n", None),
    ],
)
def test_protected_subjects(head: bytes, subject: str | None) -> None:
    assert pgpmime.protected_subject(pgpmime.protected_headers(head + b"\r\nbody")) == subject
