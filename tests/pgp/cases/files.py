"""P43, P44 and P105 as files and as what mail servers make of PGP/MIME: read, and worth a part at most."""

from tests.pgp import mails
from tests.pgp.keys import Keymaker
from tests.pgp.mails import ENTITY, TEXT
from tests.pgp.table import Case, case

NOTE = b"\r\nSee the file, please."


def file(name: str, content: bytes, kind: str = "application/octet-stream") -> bytes:
    """A file that came along, as it is."""
    head = f'Content-Type: {kind}; name="{name}"\r\nContent-Disposition: attachment; filename="{name}"\r\n'
    return f"{head}Content-Transfer-Encoding: binary\r\n\r\n".encode() + content


def binary(keymaker: Keymaker, *more: str) -> bytes:
    """By the vendor, without armor."""
    return keymaker.gpg("--local-user", keymaker.vendor.fingerprint, *more, given=TEXT)


def sealed(keymaker: Keymaker, *more: str) -> bytes:
    """Signed by the vendor and encrypted to us, without armor."""
    return binary(keymaker, *more, "--recipient", keymaker.cert.fingerprint, "--sign", "--encrypt")


def mangled(raw: bytes, *changes: tuple[bytes, bytes]) -> bytes:
    """With every change made."""
    for old, new in changes:
        assert old in raw
        raw = raw.replace(old, new, 1)
    return raw


def _signed_entity(keymaker: Keymaker) -> bytes:
    return mails.signed(keymaker.sign(ENTITY, keymaker.vendor))


def _encrypted_entity(keymaker: Keymaker) -> bytes:
    return mails.encrypted(keymaker.encrypt(ENTITY, keymaker.cert, signer=keymaker.vendor))


TYPE = b'multipart/signed; micalg=pgp-sha512; protocol="application/pgp-signature"'
SECRET = b'multipart/encrypted; protocol="application/pgp-encrypted"'

CASES: tuple[Case, ...] = (
    case("P43", "a cleartext-signed statement.asc", "P")(
        lambda k: mails.mixed(NOTE, file("statement.asc", k.sign(TEXT, k.vendor, mode="--clear-sign")))
    ),
    case("P43", "a signed statement.gpg, binary", "P")(
        lambda k: mails.mixed(NOTE, file("statement.gpg", binary(k, "--sign")))
    ),
    case("P43", "a signed statement.asc, armored, by Eve", "S")(
        lambda k: mails.mixed(NOTE, file("statement.asc", k.sign(TEXT, k.eve, mode="--sign")))
    ),
    case("P43", "a file and its .sig, binary", "P")(
        lambda k: mails.mixed(NOTE, file("fix.zip", TEXT), file("fix.zip.sig", binary(k, "--detach-sign")))
    ),
    case("P43", "a file behind its .asc", "P")(
        lambda k: mails.mixed(file("fix.zip.asc", k.sign(TEXT, k.vendor)), file("fix.zip", TEXT))
    ),
    case("P43", "a text file that came with CRLF, and its signature", "P")(
        lambda k: mails.mixed(
            file("fix.txt", TEXT.replace(b"\n", b"\r\n"), "text/x-diff"),
            file("fix.txt.asc", k.sign(TEXT, k.vendor), "application/pgp-signature"),
        )
    ),
    case("P43", "a file changed after it was signed", "I")(
        lambda k: mails.mixed(NOTE, file("fix.zip", TEXT + b"EVIL"), file("fix.zip.sig", binary(k, "--detach-sign")))
    ),
    case("P43", "two signed files", "I")(
        lambda k: mails.mixed(
            *(file(f"{n}.asc", k.sign(TEXT, k.vendor, mode="--clear-sign")) for n in ("one", "two"))
        )
    ),
    case("P43", "a public key as .asc is no signature", "U")(
        lambda k: mails.mixed(NOTE, file("key.asc", k.armored(k.vendor.fingerprint)))
    ),
    case("P43", "a mail that is one signed file", "P")(
        lambda k: mails.HEAD + file("statement.asc", k.sign(TEXT, k.vendor, mode="--clear-sign"))
    ),
    case("P44", "multipart/signed made multipart/mixed", "P")(
        lambda k: mangled(_signed_entity(k), (TYPE, b"multipart/mixed"))
    ),
    case("P44", "multipart/signed made multipart/mixed, its text changed", "I")(
        lambda k: mangled(_signed_entity(k), (TYPE, b"multipart/mixed"), (b"affected", b"infected"))
    ),
    case("P105", "an encrypted file beside a text", "P D_PARTIAL")(
        lambda k: mails.mixed(NOTE, file("poc.pgp", sealed(k)))
    ),
    case("P105", "a file of a forwarded PGP/MIME mail", "P D_PARTIAL")(
        lambda k: mails.mixed(NOTE, file("encrypted.asc", k.encrypt(ENTITY, k.cert, signer=k.vendor)))
    ),
    case("P105", "two encrypted files", "I D_FAIL")(
        lambda k: mails.mixed(NOTE, *(file(f"{n}.pgp", sealed(k)) for n in "ab"))
    ),
    case("P105", "multipart/encrypted made multipart/mixed", "P D_PARTIAL")(
        lambda k: mangled(_encrypted_entity(k), (SECRET, b"multipart/mixed"))
    ),
    case("P105", "the same, an empty text before it", "P D_PARTIAL")(
        lambda k: mangled(
            _encrypted_entity(k), (SECRET, b"multipart/mixed"), (b"--=-e\r\n", b"--=-e\r\n\r\n\r\n--=-e\r\n")
        )
    ),
    case("P105", "multipart/encrypted whose parts' types were replaced", "P D_PARTIAL")(
        lambda k: mangled(
            _encrypted_entity(k), (b"Type: application/pgp-encrypted", b"Type: application/octet-stream"),
            (b"Type: application/octet-stream\r\n\r\n-----", b"Type: text/plain\r\n\r\n-----"),
        )
    ),
    case("P105", "multipart/encrypted that lost its version part", "U D_FAIL", "I D_FAIL")(
        lambda k: mangled(_encrypted_entity(k), (b"Type: application/pgp-encrypted", b"Type: text/html"))
    ),
)  # fmt: skip
