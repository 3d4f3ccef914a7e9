"""Throw-away OpenPGP keys, made by a real gpg in a folder in /tmp, and what is signed or encrypted with them.

`keymaker` is one per test session and makes a key only when a test first asks for it. All keys are ed25519/cv25519
unless they are to be something worse, were created in 2020, and have no passphrase.
"""

import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

from mailrouter.pgp import PublicKey
from mailrouter.pgp.keyring import public_keys

BORN = "20200101T000000"  # gpg's --faked-system-time; with a `!` that clock stands still, however slow the machine is


@dataclass(frozen=True)
class Owner:
    """Somebody with a key."""

    name: str
    address: str
    fingerprint: str
    public: PublicKey


class Keymaker:
    """A GNUPGHOME full of keys of all sorts."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def gpg(self, *arguments: str, given: bytes = b"", check: bool = True) -> bytes:
        """Run gpg here; its standard output."""
        command = ["gpg", "--homedir", str(self.home), "--batch", "--quiet", "--pinentry-mode", "loopback",
                   "--passphrase", "", "--no-options", "--trust-model", "always", *arguments]  # fmt: skip
        done = subprocess.run(command, input=given, capture_output=True, timeout=60)
        assert done.returncode == 0 or not check, done.stderr.decode("utf-8", "replace")
        return done.stdout

    def make(
        self, name: str, address: str, *more: str, algorithm: str = "ed25519", usage: str = "default",
        expires: str = "never", born: str = BORN, encrypts: bool = True,
    ) -> Owner:  # fmt: skip
        """A key, with an encryption subkey unless it is not to have one."""
        at = ["--faked-system-time", f"{born}!"]
        user = f"{name} <{address}>"
        # --yes: a second key of the same name is another key, whichever test asked first.
        made = self.gpg(*at, *more, "--yes", "--status-fd", "1", "--quick-gen-key", user, algorithm, usage, expires)
        fingerprint = made.decode().split("KEY_CREATED P ")[1][:40]
        if encrypts:
            self.gpg(*at, "--quick-add-key", fingerprint, "cv25519", "encr", "never")
        return self.owner(name, address, fingerprint)

    def owner(self, name: str, address: str, fingerprint: str) -> Owner:
        """Somebody with the key as it now is."""
        return Owner(name, address, fingerprint, self.public(fingerprint))

    def public(self, fingerprint: str) -> PublicKey:
        """The public key as the database would hold it."""
        return public_keys(self.gpg("--export", fingerprint))[0]

    def armored(self, *fingerprints: str) -> bytes:
        """Public keys as people send them."""
        return self.gpg("--armor", "--export", *fingerprints)

    def secret(self, fingerprint: str) -> bytes:
        """A secret key file."""
        return self.gpg("--armor", "--export-secret-keys", fingerprint)

    def sign(
        self, data: bytes, *signers: Owner | str, more: tuple[str, ...] = (), mode: str = "--detach-sign"
    ) -> bytes:
        """Armored; by each of the signers (an owner's fingerprint, or a subkey's with `!`)."""
        users = [part for signer in signers for part in ("--local-user", _name(signer))]
        return self.gpg(*more, *users, "--armor", mode, given=data)

    def encrypt(
        self, data: bytes, *recipients: Owner, signer: Owner | None = None, more: tuple[str, ...] = ()
    ) -> bytes:
        """Armored."""
        users = [part for recipient in recipients for part in ("--recipient", recipient.fingerprint)]
        sign = ["--sign", "--local-user", signer.fingerprint] if signer else []
        return self.gpg(*more, *users, *sign, "--armor", "--encrypt", given=data)

    def revoke(self, owner: Owner) -> Owner:
        """With the revocation gpg wrote beside the key when it made it."""
        certificate = (self.home / "openpgp-revocs.d" / f"{owner.fingerprint}.rev").read_bytes()
        self.gpg("--import", given=certificate.replace(b":-----BEGIN", b"-----BEGIN"))
        return self.owner(owner.name, owner.address, owner.fingerprint)

    # ---- the people of the tests -------------------------------------------------------------------------------

    @cached_property
    def cert(self) -> Owner:
        """We."""
        return self.make("Our CERT", "cert@cert.example")

    @cached_property
    def vendor(self) -> Owner:
        """The one whose key is pinned."""
        return self.make("Vendor PSIRT", "psirt@vendor.example")

    @cached_property
    def alice(self) -> Owner:
        """One of us."""
        return self.make("Alice", "alice@cert.example")

    @cached_property
    def eve(self) -> Owner:
        """Somebody else with a good key."""
        return self.make("Eve", "eve@eve.example")

    @cached_property
    def expired(self) -> Owner:
        """Her key was good in January 2020 only."""
        return self.make("Expired", "old@vendor.example", expires="20200201T000000")

    @cached_property
    def revoked(self) -> Owner:
        """Signed with `--detach-sign` before; see Keymaker.revoke."""
        return self.revoke(self.make("Revoked", "gone@vendor.example"))

    @cached_property
    def rsa1024(self) -> Owner:
        """Too weak."""
        return self.make("Weak", "weak@vendor.example", algorithm="rsa1024", usage="sign", encrypts=False)

    @cached_property
    def subkeyed(self) -> tuple[Owner, str]:
        """A key that signs with a subkey, and the subkey's fingerprint."""
        owner = self.make("Sub", "sub@vendor.example")
        self.gpg("--faked-system-time", f"{BORN}!", "--quick-add-key", owner.fingerprint, "ed25519", "sign", "never")
        listed = self.gpg("--with-colons", "--list-keys", owner.fingerprint).decode().splitlines()
        subkey = [line.split(":")[9] for line in listed if line.startswith("fpr")][-1]
        return self.owner(owner.name, owner.address, owner.fingerprint), subkey


def locked_quickly(home: Path) -> None:
    """Let the agent of this home protect keys by a weak count, for a test's sake: the strong one takes seconds."""
    home.mkdir(mode=0o700, parents=True)
    (home / "gpg-agent.conf").write_text("s2k-count 65536\n")


def _name(signer: Owner | str) -> str:
    return signer if isinstance(signer, str) else signer.fingerprint


@pytest.fixture(scope="session")
def keymaker() -> Iterator[Keymaker]:
    """One GNUPGHOME for all tests of a session; short, so that the agent's socket fits."""
    with tempfile.TemporaryDirectory(prefix="mrk", dir="/tmp") as home:
        Path(home).chmod(0o700)
        yield Keymaker(Path(home))
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=False, timeout=30)
