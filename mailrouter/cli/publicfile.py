"""Files for everybody, such as a web site's: whole or not at all, and readable by whoever serves them."""

import os
import tempfile
from pathlib import Path

from mailrouter import faults


def write(path: Path, content: bytes) -> None:
    """Make or replace a file, mode 0644, in folders of mode 0755. `Refused` when that cannot be."""
    try:
        missing = [folder for folder in (path.parent, *path.parent.parents) if not folder.exists()]
        for folder in reversed(missing):
            folder.mkdir(mode=0o755)
            folder.chmod(0o755)
        _write(path, content)
    except OSError as trouble:
        raise faults.Refused(f"{path}: cannot be written ({trouble.strerror})") from None


def _write(path: Path, content: bytes) -> None:
    number, name = tempfile.mkstemp(dir=path.parent, prefix=".")
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), 0o644)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
