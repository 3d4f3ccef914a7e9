"""Those outside: an organisation with its own gpg, what it sends, and what its mail program makes of our letters.

Owes nothing to the code under test: mails are built by the standard library, keys and signatures by the real gpg.
"""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import SMTP, default
from email.utils import format_datetime, make_msgid
from pathlib import Path

US = "cert@cert.example"


class Gnupg:
    """A GNUPGHOME and plain gpg in it."""

    def __init__(self, home: Path) -> None:
        home.mkdir(mode=0o700)
        self.home = home

    def run(self, *arguments: str | Path, given: bytes = b"", check: bool = True) -> subprocess.CompletedProcess[bytes]:
        """One gpg."""
        command = ["gpg", "--homedir", self.home, "--batch", "--no-tty", "--pinentry-mode", "loopback",
                   "--passphrase", "", "--trust-model", "always", *arguments]  # fmt: skip
        done = subprocess.run(command, input=given, capture_output=True, timeout=60)
        assert not check or done.returncode == 0, done.stderr.decode("utf-8", "replace")
        return done

    def knows(self, key: bytes | str) -> None:
        """Import a public key."""
        self.run("--import", given=key.encode() if isinstance(key, str) else key)

    def end(self) -> None:
        """Its agent goes."""
        subprocess.run(["gpgconf", "--homedir", self.home, "--kill", "all"], capture_output=True, timeout=30)


@dataclass(frozen=True)
class Read:
    """A letter as a mail program with OpenPGP shows it."""

    headers: Message
    subject: str  # the one that is protected
    text: str
    encrypted: bool
    signer: str  # the primary key's fingerprint of the one good signature, or ''
    inside: bytes = b""  # the entity that was signed or encrypted, all of it

    @property
    def files(self) -> dict[str, bytes]:
        """What is attached, by name."""
        parts = message_from_bytes(self.inside, policy=default).iter_attachments()
        return {str(one.get_filename()): one.get_payload(decode=True) for one in parts}  # type: ignore[misc]

    def __getitem__(self, name: str) -> str:
        return " ".join(str(self.headers[name] or "").split())


class Organisation:
    """A vendor, or anybody, with a key pair of their own."""

    def __init__(self, name: str, address: str, home: Path) -> None:
        self.name, self.address = name, address
        self.gpg = Gnupg(home)
        made = self.gpg.run("--status-fd", "1", "--quick-gen-key", f"{name} <{address}>", "future-default").stdout
        self.fingerprint = made.decode().split("KEY_CREATED B ")[1][:40]
        self.key = self.gpg.run("--armor", "--export", self.fingerprint).stdout

    # ---- writing -------------------------------------------------------------------------------------------------

    def plain(self, subject: str, text: str, **headers: str) -> bytes:
        """A mail as it goes over the wire. Header names: `In_Reply_To`."""
        mail = headed(headers.pop("From", self.address), subject, **headers)
        mail.set_content(text)
        return mail.as_bytes(policy=SMTP)

    def signed(self, subject: str, text: str, encoding: str = "7bit", **headers: str) -> bytes:
        """multipart/signed (RFC 3156 section 5); `encoding`: the text's transfer encoding."""
        inner = EmailMessage()
        inner.set_content(text, cte=encoding)
        part = inner.as_bytes(policy=SMTP)
        proof = self.gpg.run("--armor", "--digest-algo", "SHA512", "--detach-sign", given=part).stdout
        kind = b'multipart/signed; micalg=pgp-sha512; protocol="application/pgp-signature"; boundary="=_s"'
        return _multipart(
            headed(self.address, subject, **headers), kind, b"=_s", part,
            b"Content-Type: application/pgp-signature\r\n\r\n" + proof.replace(b"\n", b"\r\n"),
        )  # fmt: skip

    def clearsigned(self, subject: str, text: str) -> bytes:
        """A cleartext signature in a plain mail (RFC 9580 section 7)."""
        body = self.gpg.run("--digest-algo", "SHA512", "--clearsign", given=text.encode()).stdout
        head = headed(self.address, subject).as_bytes(policy=SMTP).rstrip(b"\r\n")
        kind = b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
        return head + b"\r\n" + kind + body.replace(b"\n", b"\r\n")

    def sealed(
        self, recipient: str, subject: str, text: str, files: Mapping[str, bytes] | None = None, **headers: str
    ) -> bytes:
        """Signed and encrypted; `...` outside, the subject inside (RFC 3156 section 6.2, RFC 9788)."""
        inner = EmailMessage()
        inner["Subject"] = subject
        inner.set_content(text)
        for name, content in (files or {}).items():
            inner.add_attachment(content, "application", "octet-stream", filename=name)
        inner.set_param("protected-headers", "v1")
        message = self.gpg.run(
            "--armor", "--encrypt", "--sign", "--recipient", recipient, given=inner.as_bytes(policy=SMTP)
        )
        kind = b'multipart/encrypted; protocol="application/pgp-encrypted"; boundary="=_e"'
        return _multipart(
            headed(self.address, "...", **headers), kind, b"=_e",
            b"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n",
            b"Content-Type: application/octet-stream\r\n\r\n" + message.stdout.replace(b"\n", b"\r\n"),
        )  # fmt: skip

    # ---- reading -------------------------------------------------------------------------------------------------

    def read(self, raw: bytes) -> Read:
        """Open a letter: decrypt, verify, show."""
        outer = message_from_bytes(raw)
        if outer.get_content_type() == "multipart/encrypted":
            done = self.gpg.run("--status-fd", "2", "--decrypt", given=outer.get_payload(1).get_payload(decode=True))
            return _shown(outer, done.stdout, done.stderr, encrypted=True)
        if outer.get_content_type() != "multipart/signed":  # the acknowledgement, which is the same for everybody
            return _shown(outer, raw, b"", encrypted=False)
        part, proof = _signed_parts(raw, outer)
        (self.gpg.home / "proof.asc").write_bytes(proof)
        done = self.gpg.run("--status-fd", "2", "--verify", self.gpg.home / "proof.asc", "-", given=part)
        return _shown(outer, part, done.stderr, encrypted=False)


def headed(sender: str, subject: str, **headers: str) -> EmailMessage:
    """A mail's head."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, headers.pop("To", US), subject
    mail["Date"], mail["Message-ID"] = format_datetime(datetime.now(UTC)), make_msgid(domain=sender.partition("@")[2])
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    return mail


def _multipart(head: EmailMessage, kind: bytes, limit: bytes, *parts: bytes) -> bytes:
    top = head.as_bytes(policy=SMTP).rstrip(b"\r\n")
    body = b"".join(b"--" + limit + b"\r\n" + part + b"\r\n" for part in parts)
    return top + b"\r\nMIME-Version: 1.0\r\nContent-Type: " + kind + b"\r\n\r\n" + body + b"--" + limit + b"--\r\n"


def _signed_parts(raw: bytes, outer: Message) -> tuple[bytes, bytes]:
    """The exact bytes that were signed, and the signature: raw, between the boundaries."""
    limit = b"--" + str(outer.get_boundary()).encode()
    body = raw.partition(b"\r\n\r\n")[2]
    signed = body.partition(limit + b"\r\n")[2].partition(b"\r\n" + limit + b"\r\n")[0]
    return signed, bytes(outer.get_payload(1).get_payload(decode=True))


def _shown(outer: Message, inside: bytes, status: bytes, *, encrypted: bool) -> Read:
    entity = message_from_bytes(inside, policy=default)
    body = entity.get_body(("plain",))
    assert body is not None
    good = re.findall(rb"(?m)^\[GNUPG:\] VALIDSIG .* ([0-9A-F]{40})$", status)
    signer = good[0].decode() if len(good) == 1 else ""
    return Read(
        outer, str(entity["Subject"] or outer["Subject"]), body.get_content().replace("\r\n", "\n"), encrypted, signer,
        inside,
    )  # fmt: skip
