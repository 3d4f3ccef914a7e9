"""The stage of the demo: a folder, a daemon on free ports, throw-away keys, real SMTP. Everything shown comes from the program.

The folder stays, so that whoever watched can go on asking; the daemon ends with the demo.
"""

import getpass
import json
import os
import signal
import smtplib
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from email.utils import make_msgid
from pathlib import Path
from typing import Any, TypeVar

ADDRESS = "cert@cert.example"
PATIENCE = 30.0
Answer = TypeVar("Answer")


class Stage:
    """A daemon and everybody who writes to it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="mailrouter-demo-"))
        self.port = _free_port()
        self.settings = {
            "MAILROUTER_DATA_DIR": str(self.folder),
            "MAILROUTER_IDENTITY__ADDRESS": ADDRESS,
            "MAILROUTER_IDENTITY__NAME": "Example CERT",
            "MAILROUTER_IDENTITY__PHONE": "+1 555 0100",
            "MAILROUTER_SMTP__LISTEN": f"127.0.0.1:{self.port}",
            "MAILROUTER_LMTP__LISTEN": "",
            "MAILROUTER_LOG__FORMAT": "json",
        }
        self.login = getpass.getuser()
        self._daemon: subprocess.Popen[bytes] | None = None
        self._homes = tempfile.TemporaryDirectory(prefix="mrd-", dir="/tmp")  # short: gpg's agent has a socket in it

    # ---- the program ---------------------------------------------------------------------------------------------

    @property
    def environ(self) -> Mapping[str, str]:
        """Only the demo's own settings reach the program."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("MAILROUTER_")}
        return inherited | self.settings

    def run(self, *arguments: str) -> str:
        """A command of the program; its stdout. Raises CalledProcessError."""
        command = [sys.executable, "-m", "mailrouter", *arguments]
        done = subprocess.run(command, env=self.environ, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"mailrouter {' '.join(arguments)}: exit {done.returncode}\n{done.stderr}")
        return done.stdout

    def ask(self, *arguments: str) -> Any:
        """A command's `--json` answer."""
        return json.loads(self.run(*arguments, "--json"))

    def open(self) -> None:
        """Migrate, start the daemon, wait until it says that its doors are open."""
        self.run("db", "upgrade")
        with (self.folder / "daemon.log").open("wb") as log:
            self._daemon = subprocess.Popen(
                [sys.executable, "-m", "mailrouter", "serve"], env=self.environ, stdout=log, stderr=log, start_new_session=True
            )
        self.wait("the daemon to be ready", lambda: '"ready"' in (self.folder / "daemon.log").read_text())

    def close(self) -> None:
        """Stop the daemon in order; the keys' agents too."""
        if self._daemon:
            self._daemon.send_signal(signal.SIGTERM)
            self._daemon.wait(60)
        for home in (*Path(self._homes.name).iterdir(), self.folder / "gnupg"):
            subprocess.run(["gpgconf", "--homedir", home, "--kill", "gpg-agent"], check=False, capture_output=True)
        self._homes.cleanup()

    def wait(self, what: str, found: Callable[[], Answer]) -> Answer:
        """Ask until the answer is something."""
        end = time.monotonic() + PATIENCE
        while not (answer := found()):
            if time.monotonic() > end or (self._daemon and self._daemon.poll() is not None):
                sys.exit(f"waited in vain for {what}; the daemon's log is {self.folder / 'daemon.log'}")
            time.sleep(0.1)
        return answer

    # ---- everybody else ------------------------------------------------------------------------------------------

    def key(self, name: str, address: str) -> Path:
        """A throw-away key; the file with its public part, as a vendor would hand it over."""
        home = Path(self._homes.name, name)
        home.mkdir(mode=0o700)
        _gpg(home, "--passphrase", "", "--quick-gen-key", f"{name} <{address}>", "ed25519", "sign", "never")
        public = self.folder / f"{name}.asc"
        public.write_bytes(_gpg(home, "--armor", "--export", address))
        return public

    def mail(self, sender: str, subject: str, text: str, **headers: str) -> str:
        """Hand a mail in by SMTP; its Message-ID."""
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = sender, ADDRESS, subject
        mail["Message-ID"] = make_msgid(domain="demo.example")
        for name, value in headers.items():
            mail[name.replace("_", "-")] = value
        mail.set_content(text)
        self.hand_in(sender, mail.as_bytes())
        return str(mail["Message-ID"]).strip("<>")

    def signed(self, name: str, sender: str, subject: str, text: str) -> str:
        """The same, signed by that vendor's key (PGP/MIME)."""
        ident = make_msgid(domain="demo.example")
        part = f"Content-Type: text/plain; charset=utf-8\r\n\r\n{text}".replace("\r\n", "\n").replace("\n", "\r\n")
        signature = _gpg(Path(self._homes.name, name), "--armor", "--detach-sign", given=part.encode()).decode()
        self.hand_in(sender, _multipart_signed(sender, subject, ident, part, signature).encode())
        return ident.strip("<>")

    def hand_in(self, sender: str, raw: bytes) -> None:
        """One SMTP session."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=PATIENCE) as session:
            session.sendmail(sender, [ADDRESS], raw)


def _multipart_signed(sender: str, subject: str, ident: str, part: str, signature: str) -> str:
    limit = "=_demo_signed"
    lines = (
        f"From: {sender}", f"To: {ADDRESS}", f"Subject: {subject}", f"Message-ID: {ident}", "MIME-Version: 1.0",
        "Content-Type: multipart/signed; micalg=pgp-sha512;", ' protocol="application/pgp-signature";', f' boundary="{limit}"',
        "", f"--{limit}", part, f"--{limit}", "Content-Type: application/pgp-signature", "", signature, f"--{limit}--", "",
    )  # fmt: skip
    return "\r\n".join(lines)


def _gpg(home: Path, *arguments: str, given: bytes = b"") -> bytes:
    command = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--digest-algo", "SHA512", *arguments]
    return subprocess.run(command, input=given, capture_output=True, check=True).stdout


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
