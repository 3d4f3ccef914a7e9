"""Mail to load a door with: vendors' replies of about 4 KB, spread over a hundred cases, plain or PGP-signed.

Every mail has a Message-ID of its own, so each is a different mail; a signed one keeps its signature, because only
headers outside the signed part differ. Signing happens once, beforehand (`sign`): making a mail costs a join of bytes.
"""

import os
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

CASES = tuple(range(100100, 100200))
SENDER = "psirt@vendor.example"
BOUNDARY = "=_mailrouter_bench"
PARAGRAPH = (
    "We have looked into the report. The parser in question is part of the 4.2 branch and later;\r\n"
    "earlier releases do not contain it. A fix has been reviewed and is being tested with the usual\r\n"
    "set of customer configurations. We expect packages in the second half of the month.\r\n\r\n"
)
HEADERS = (
    "From: Vendor PSIRT <{sender}>\r\nTo: <{recipient}>\r\nSubject: Re: [VU#{case}] Your report\r\n"
    "Date: Mon, 06 Oct 2025 10:00:00 +0000\r\nMessage-ID: <{ident}@vendor.example>\r\nMIME-Version: 1.0\r\n"
)
PLAIN = "Content-Type: text/plain; charset=utf-8\r\n\r\n"
SIGNED = (
    'Content-Type: multipart/signed; micalg=pgp-sha256;\r\n protocol="application/pgp-signature";\r\n'
    f' boundary="{BOUNDARY}"\r\n\r\n'
)


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to send. `raw` has CRLF line ends and no dot-stuffing."""

    ident: str
    sender: str
    recipient: str
    raw: bytes

    @property
    def wire(self) -> bytes:
        """What follows 354: dots stuffed, and the end of data (RFC 5321 4.5.2)."""
        stuffed = self.raw.replace(b"\r\n.", b"\r\n..")
        return (b"." if stuffed.startswith(b".") else b"") + stuffed + b".\r\n"


def text(case: int, size: int = 4096 - 900) -> str:
    """A reply's text for one case, padded with prose to about `size` bytes; signed, it makes a mail of 4 KB."""
    opening = f"Thank you for VU#{case}.\r\n\r\n"
    return opening + PARAGRAPH * max(1, (size - len(opening)) // len(PARAGRAPH))


def replies(recipient: str, run: str, *, size: int = 4096, sender: str = SENDER) -> Iterator[Mail]:
    """Plain replies without end. `run` makes the Message-IDs of two runs different."""
    bodies = [(PLAIN + text(case, size - 400)).encode() for case in CASES]
    return _mails(bodies, recipient, run, sender)


def signed_replies(recipient: str, run: str, bodies: Sequence[bytes], *, sender: str = SENDER) -> Iterator[Mail]:
    """Signed replies without end, over bodies made by `sign`, one for each case."""
    return _mails(bodies, recipient, run, sender)


def _mails(bodies: Sequence[bytes], recipient: str, run: str, sender: str) -> Iterator[Mail]:
    for number, (case, body) in enumerate(cycle(zip(CASES, bodies, strict=True)), 1):
        yield about(case, body, recipient, f"{run}-{number}", sender=sender)


def about(case: int, body: bytes, recipient: str, ident: str, *, sender: str = SENDER) -> Mail:
    """One mail about one case; `body` begins with its own headers."""
    head = HEADERS.format(sender=sender, recipient=recipient, case=case, ident=ident)
    return Mail(ident, sender, recipient, head.encode() + body)


def make_key(home: Path, address: str) -> str:
    """A throw-away ed25519 key without a passphrase in `home`; its fingerprint. Raises CalledProcessError."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    _gpg(home, "--quick-gen-key", "--passphrase", "", f"Vendor PSIRT <{address}>", "ed25519", "sign", "never")
    listing = _gpg(home, "--with-colons", "--list-secret-keys", address).decode()
    return next(line.split(":")[9] for line in listing.splitlines() if line.startswith("fpr:"))


def statement(case: int, edition: int) -> str:
    """The same, between the lines that make it a Vendor Statement. Two editions are two statements."""
    return f"== VENDOR STATEMENT VU#{case} ==\r\nEdition {edition}.\r\n{text(case)}== END ==\r\n"


def sign(home: Path, fingerprint: str) -> list[bytes]:
    """PGP/MIME bodies of signed replies, one for each case; see `sign_all`."""
    return sign_all(home, fingerprint, [text(case) for case in CASES])


def sign_all(home: Path, fingerprint: str, texts: Sequence[str]) -> list[bytes]:
    """PGP/MIME bodies (RFC 3156) around these texts, each signed by gpg (5 ms). Raises CalledProcessError."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda text: _signed(home, fingerprint, PLAIN + text), texts))


def detached(body: bytes) -> tuple[bytes, bytes]:
    """What was signed, and its armored signature, out of a body made by `sign`."""
    _, part, signature, _ = body.split(b"--" + BOUNDARY.encode())
    return part.removeprefix(b"\r\n").removesuffix(b"\r\n"), signature.partition(b"\r\n\r\n")[2]


def public_key(home: Path, fingerprint: str) -> bytes:
    """The armored public key of `make_key`'s."""
    return _gpg(home, "--armor", "--export", fingerprint)


def _signed(home: Path, fingerprint: str, part: str) -> bytes:
    signature = _gpg(home, "--armor", "--local-user", fingerprint, "--detach-sign", given=part.encode()).decode()
    armour = signature.replace("\n", "\r\n")
    return (
        f"{SIGNED}--{BOUNDARY}\r\n{part}\r\n--{BOUNDARY}\r\n"
        f"Content-Type: application/pgp-signature; name=signature.asc\r\n\r\n{armour}\r\n--{BOUNDARY}--\r\n"
    ).encode()


def _gpg(home: Path, *arguments: str, given: bytes | None = None) -> bytes:
    command = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--pinentry-mode", "loopback", *arguments]
    return subprocess.run(command, input=given, capture_output=True, check=True, timeout=60).stdout
