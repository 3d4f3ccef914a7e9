"""Key files a person gives: each one usable public key, or refused in one line that names the file."""

from collections.abc import Sequence
from pathlib import Path

from mailrouter import faults
from mailrouter.cli.frame import Here
from mailrouter.cli.given import content
from mailrouter.pgp import KeyInfo


def keys_in(context: Here, files: Sequence[Path]) -> list[KeyInfo]:
    """The keys of all files, read before anything is changed. `Refused` for the first that cannot be taken."""
    return [key_in(context, file) for file in files]


def key_in(context: Here, file: Path) -> KeyInfo:
    """The one key of a file. `Refused` for a secret, missing, second, expired or revoked one, and names the file."""
    try:
        return context.tools.pgp.import_public(content(file))
    except faults.Refused as fault:
        raise faults.Refused(str(fault) if str(fault).startswith(str(file)) else f"{file}: {fault}") from None
