"""Mails around what was signed or encrypted, and how to read what opening them gave."""

from collections.abc import Callable

from mailrouter.mail.pgpmime import Opened, Verdict

Open = Callable[..., Opened]  # the fixture `opened`

TEXT = b"VU#123456\nWe are not affected.\n- a dash\nFrom here on\n"
ENTITY = b"Content-Type: text/plain; charset=utf-8\r\n\r\nVU#123456: our product is not affected.\r\n-- \r\nPSIRT  \r\n"
HEAD = b"From: PSIRT <psirt@vendor.example>\r\nTo: cert@cert.example\r\nSubject: VU#123456\r\nMIME-Version: 1.0\r\n"


def nothing_proved(opened: Opened) -> bool:
    """It may be shown as invalid, never as signed by anybody, and no text of it as signed."""
    return opened.verdict not in {Verdict.GOOD, Verdict.NONE} and opened.content is None and opened.reason != ""


def signed(
    signature: bytes, entity: bytes = ENTITY, head: bytes = HEAD, preamble: bytes = b"", epilogue: bytes = b""
) -> bytes:
    """multipart/signed around an entity with CRLF."""
    kind = b'Content-Type: multipart/signed; micalg=pgp-sha512; protocol="application/pgp-signature"; boundary="=-b"'
    return (
        head + kind + b"\r\n\r\n" + preamble + b"--=-b\r\n" + entity
        + b"\r\n--=-b\r\nContent-Type: application/pgp-signature\r\n\r\n" + signature + b"\r\n--=-b--\r\n" + epilogue
    )  # fmt: skip


def encrypted(message: bytes, head: bytes = HEAD) -> bytes:
    """multipart/encrypted around an armored message."""
    return (
        head + b'Content-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary="=-e"\r\n\r\n'
        b"--=-e\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n--=-e\r\n"
        b"Content-Type: application/octet-stream\r\n\r\n" + message + b"\r\n--=-e--\r\n"
    )  # fmt: skip


def text(body: bytes, head: bytes = HEAD, more: bytes = b"Content-Type: text/plain; charset=utf-8\r\n") -> bytes:
    """One text part."""
    return head + more + b"\r\n" + body


def mixed(*parts: bytes, head: bytes = HEAD, kind: bytes = b"mixed") -> bytes:
    """A multipart of whole entities."""
    body = b"".join(b"--=-m\r\n" + part + b"\r\n" for part in parts)
    return head + b"Content-Type: multipart/" + kind + b'; boundary="=-m"\r\n\r\n' + body + b"--=-m--\r\n"
