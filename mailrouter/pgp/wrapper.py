"""python-gnupg, with the time limit it does not know and without what it would print into a log.

Used for what concerns our own keys and outgoing letters. What strangers sent never passes through here: python-gnupg
reads status lines from the stream that also carries gpg's log, and its `valid` is true for expired and revoked keys.
"""

import io
import logging
import math
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from threading import Timer
from typing import Any

import gnupg

from mailrouter.faults import CannotSign, TryLater

# Its debug lines hold user ids and the beginning of every text, its warnings nothing we do not check ourselves.
logging.getLogger("gnupg").setLevel(logging.CRITICAL)

OPTIONS = (
    "--no-options", "--no-auto-key-retrieve", "--disable-dirmngr", "--no-auto-key-locate", "--trust-model", "always",
    "--no-emit-version", "--no-comments", "--no-encrypt-to", "--no-auto-check-trustdb",
)  # fmt: skip


class Gnupg(gnupg.GPG):  # type: ignore[misc]  # python-gnupg ships no types
    """One GNUPGHOME. Every call ends within `limit` seconds or raises TryLater; all together within `total`."""

    def __init__(
        self, home: str, passphrase: str | None, limit: float, program: str = "gpg", total: float = math.inf
    ) -> None:
        self._limit = limit
        self._ends_at = time.monotonic() + total
        self._passphrase = passphrase
        self._alarms: dict[int, Timer] = {}  # by process id
        # Without a passphrase gpg must not open a window to ask for one; with one, python-gnupg adds loopback itself.
        options = [*OPTIONS, *(("--pinentry-mode", "error") if passphrase is None else ())]
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
        try:
            super().__init__(gpgbinary=program, gnupghome=home, options=options, env=environment)
        except (OSError, ValueError) as trouble:
            raise TryLater("gpg cannot be started") from trouble
        self.encoding = "utf-8"  # names in keys are; the default is latin-1

    # These two hooks are python-gnupg's own seams, not public names: it offers no other way to a time limit.

    def _open_subprocess(self, args: list[str], passphrase: bool = False) -> subprocess.Popen[bytes]:  # noqa: FBT001, FBT002 - its signature
        limit = min(self._limit, self._ends_at - time.monotonic())
        if limit <= 0:
            raise TryLater("gpg had no time left for this key")
        try:
            process = subprocess.Popen(
                self.make_args(args, passphrase),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.env,
                start_new_session=True,  # theirs has none, and a child left alive would keep the pipes open for ever
            )  # fmt: skip
        except OSError as trouble:
            raise TryLater("gpg cannot be started") from trouble
        alarm = self._alarms[process.pid] = Timer(limit, os.killpg, (process.pid, signal.SIGKILL))
        alarm.daemon = True
        alarm.start()
        return process

    def _collect_output(self, process: Any, result: Any, writer: Any = None, stdin: Any = None) -> int:
        try:
            code: int = super()._collect_output(process, result, writer, stdin)
        finally:
            self._alarms.pop(process.pid).cancel()
        if code < 0:
            raise TryLater(f"gpg was killed, or took longer than {self._limit:g} seconds")
        return code

    # ---- what we use of it -------------------------------------------------------------------------------------

    def make(self, name: str, address: str, expires: str = "0") -> str:
        """A new key of ours, ed25519 to sign and cv25519 to encrypt; its fingerprint. `expires`: in gpg's words."""
        secret = {"passphrase": self._passphrase} if self._passphrase else {"no_protection": True}
        recipe = self.gen_key_input(
            key_type="EDDSA", key_curve="ed25519", key_usage="sign", subkey_type="ECDH", subkey_curve="cv25519",
            subkey_usage="encrypt", name_real=name, name_email=address, expire_date=expires, **secret,
        )  # fmt: skip
        made = self.gen_key(recipe)
        if not made.fingerprint:
            raise TryLater("gpg could not make a key")
        return str(made.fingerprint)

    def sign_apart(self, data: bytes, fingerprint: str, digest: str) -> bytes:
        """An armored detached signature. Raises CannotSign when gpg ends without one."""
        # Not its keyid=: that becomes --default-key, and gpg signs with another key when that one cannot be used.
        arguments = ["--local-user", fingerprint, "--digest-algo", digest]
        signed = self.sign(data, detach=True, passphrase=self._passphrase, extra_args=arguments)
        if signed.returncode != 0 or not signed.data:
            raise CannotSign("gpg could not sign with our key")
        return bytes(signed.data)

    def sign_around(self, data: bytes, fingerprint: str, digest: str) -> bytes:
        """The text, cleartext-signed. Raises CannotSign when gpg ends without it."""
        arguments = ["--local-user", fingerprint, "--digest-algo", digest]
        signed = self.sign(data, clearsign=True, passphrase=self._passphrase, extra_args=arguments)
        if signed.returncode != 0 or not signed.data:
            raise CannotSign("gpg could not sign with our key")
        return bytes(signed.data)

    def encrypt_to(self, data: bytes, recipients: Sequence[str], keyring: str, signer: str, digest: str) -> Any:
        """gpg's result: `data` encrypted to exactly these fingerprints of `keyring`, and signed unless signer is ''."""
        arguments = ["--no-default-keyring", "--keyring", keyring, "--digest-algo", digest]
        if signer:
            arguments += ["--local-user", signer]
        return self.encrypt(
            data, list(recipients), sign=bool(signer), passphrase=self._passphrase, extra_args=arguments,
        )  # fmt: skip

    def certify(self, fingerprint: str, signer: str) -> None:
        """Let one key of ours vouch for another: whoever believes the one may then believe the other."""
        done = self.result_map["sign"](self)
        arguments = ["--local-user", signer, "--yes", "--quick-sign-key", fingerprint]
        nothing = io.BytesIO()
        self._handle_io(arguments, nothing, done, passphrase=self._passphrase, binary=True)
        if done.returncode != 0:
            raise TryLater("gpg could not sign the new key with the old one")

    def exported(
        self, fingerprints: Sequence[str], options: str = "", filters: Sequence[str] = (), *, armor: bool = False
    ) -> bytes:
        """These public keys. `options` and `filters`: of gpg's --export-options and --export-filter.

        Without options everything: a minimal export drops expired subkeys, and then old mail could not be decrypted,
        and a signature by one would be by an unknown key.
        """
        arguments = ["--export", *(("--armor",) if armor else ()), *(("--export-options", options) if options else ())]
        for one in filters:
            arguments += ["--export-filter", one]
        done = self.result_map["export"](self)
        process = self._open_subprocess([*arguments, *fingerprints])
        self._collect_output(process, done, stdin=process.stdin)
        if done.returncode != 0:
            raise TryLater("gpg could not export a key")
        return bytes(done.data)
