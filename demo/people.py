"""Those who write to the coordinator: throw-away keys of their own, and mail handed in by real SMTP."""

import smtplib
import subprocess
import tempfile
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from pathlib import Path

from demo.stage import ADDRESS, PATIENCE, Trouble, end_agents
from mailrouter import clock


@dataclass(frozen=True)
class Person:
    """Somebody with an address, and perhaps a key."""

    address: str
    name: str = ""
    home: Path | None = None  # GnuPG's, with their secret key


class People:
    """Makes them and speaks for them. `port`: where the daemon takes mail."""

    def __init__(self) -> None:
        self.port = 0
        # Short, whatever TMPDIR says: gpg's agent has its socket in there.
        self._homes = tempfile.TemporaryDirectory(prefix="mrd-", dir="/tmp")

    def with_key(self, name: str, address: str) -> Person:
        """An organisation with a fresh OpenPGP key that signs and decrypts."""
        home = Path(self._homes.name, name)
        home.mkdir(mode=0o700)
        gpg(home, "--passphrase", "", "--quick-gen-key", f"{name} <{address}>", "future-default", "default", "never")
        return Person(address, name, home)

    def reader(self) -> Path:
        """Anybody's GnuPG home, with no key in it."""
        home = Path(self._homes.name, "reader")
        home.mkdir(mode=0o700)
        return home

    def leave(self) -> None:
        """The keys go; so do their agents."""
        for home in Path(self._homes.name).iterdir():
            end_agents(home)
        self._homes.cleanup()

    # ---- mail ----------------------------------------------------------------------------------------------------

    def send(self, sender: Person, subject: str, text: str, automatic: str = "", answers: str = "") -> None:
        """A plain mail. `automatic`: RFC 3834's Auto-Submitted; `answers`: a Message-ID."""
        mail = _headed(sender, subject)
        for name, value in (("Auto-Submitted", automatic), ("In-Reply-To", answers), ("References", answers)):
            if value:
                mail[name] = value
        mail.set_content(text)
        self._hand_in(sender, mail.as_bytes(policy=SMTP))

    def send_signed(self, sender: Person, subject: str, text: str) -> None:
        """The same, signed by the sender's key: multipart/signed as RFC 3156 section 5 has it."""
        assert sender.home is not None
        inner = EmailMessage()
        inner.set_content(text)
        part = inner.as_bytes(policy=SMTP)
        proof = gpg(sender.home, "--armor", "--digest-algo", "SHA512", "--detach-sign", given=part)
        self._hand_in(sender, _multipart_signed(_headed(sender, subject), part, proof))

    def _hand_in(self, sender: Person, raw: bytes) -> None:
        try:
            with smtplib.SMTP("127.0.0.1", self.port, timeout=PATIENCE) as session:
                session.sendmail(sender.address, [ADDRESS], raw)
        except (smtplib.SMTPException, OSError) as trouble:
            raise Trouble(f"the daemon did not take a mail: {trouble}") from None


def _headed(sender: Person, subject: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender.address, ADDRESS, subject
    mail["Date"], mail["Message-ID"] = format_datetime(clock.now()), make_msgid(domain="demo.example")
    return mail


def _multipart_signed(headed: EmailMessage, part: bytes, proof: bytes) -> bytes:
    """The part's bytes stay exactly those that were signed; the CRLF before a boundary is the boundary's."""
    lines = (
        headed.as_bytes(policy=SMTP).rstrip(b"\r\n"),
        b"MIME-Version: 1.0",
        b'Content-Type: multipart/signed; micalg=pgp-sha512; boundary="=_signed";',
        b' protocol="application/pgp-signature"',
        b"",
        b"--=_signed",
        part,
        b"--=_signed",
        b"Content-Type: application/pgp-signature",
        b"",
        proof.replace(b"\n", b"\r\n"),
        b"--=_signed--",
        b"",
    )
    return b"\r\n".join(lines)


def gpg(home: Path, *arguments: str | Path, given: bytes = b"") -> bytes:
    """Plain gpg, as anybody would run it; its stdout. `Trouble` with its last line when it says no."""
    command = ["gpg", "--homedir", home, "--batch", "--quiet", "--no-tty", *arguments]
    try:
        done = subprocess.run(command, input=given, capture_output=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        raise Trouble(f"gpg {arguments[0]}: no answer in {PATIENCE:.0f} s") from None
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").splitlines()
        raise Trouble(f"gpg {arguments[0]}: {lines[-1] if lines else f'exit {done.returncode}'}")
    return done.stdout
