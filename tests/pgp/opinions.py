"""Second opinions on what we call well signed: gpgv, which is gpg's verifier alone, and sq, another implementation."""

import subprocess
from pathlib import Path
from typing import NamedTuple

from mailrouter.mail.pgpmime import Opened
from mailrouter.pgp import PublicKey
from tests.servers.wait import program

PROGRAMS = ("gpgv", "sq")
LIMIT = 60.0  # seconds


class Opinion(NamedTuple):
    """What one program says of a signature that we found good."""

    program: str
    agrees: bool
    words: str


def needed() -> None:
    """Skip, counted loudly, without one of them; in CI that is a failure."""
    for name in PROGRAMS:
        program(name, name)


def opinions(opened: Opened, key: PublicKey, folder: Path) -> list[Opinion]:
    """Of each program, over the bytes that are kept as proof and with the signer's key alone.

    A signature inside an encrypted message has no bytes of its own that could be shown to anybody: nobody is asked.
    """
    ring, signed, signature = folder / "key.pgp", folder / "signed", folder / "signed.asc"
    ring.write_bytes(key.data)
    signed.write_bytes(opened.signed_bytes)
    if opened.form == "mime":
        signature.write_bytes(opened.signature)
        gpgv, sq = [str(signature), str(signed)], ["--detached", str(signature), str(signed)]
    elif opened.form == "cleartext":
        gpgv = sq = [str(signed)]
    else:
        return []
    return [
        _ask("gpgv", "--keyring", str(ring), *gpgv),
        _ask("sq", "verify", "--signer-cert", str(ring), *sq),
    ]


def _ask(name: str, *arguments: str) -> Opinion:
    done = subprocess.run([name, *arguments], capture_output=True, check=False, timeout=LIMIT)
    return Opinion(name, done.returncode == 0, done.stderr.decode("utf-8", "replace"))
