"""The local maildir: for a first look and for tests, and it says that nobody receives it."""

import errno
import os
import tempfile
from email.parser import BytesHeaderParser
from hashlib import sha256
from pathlib import Path

from mailrouter.relay.outcome import Outcome


class Maildir:
    """Puts each letter into a maildir, durably: for a first look and for tests, and it says that nobody receives it.

    The file is named by the hash of the Message-ID, so that a letter handed over twice is one file.
    """

    nobody_receives = True

    def __init__(self, path: Path) -> None:
        self.path = path

    def send(self, raw: bytes, sender: str, recipient: str) -> Outcome:
        """Write to tmp/, sync, rename into new/, sync. Trouble with the disk is temporary."""
        try:
            self._make()
            self._write(raw, name(raw))
        except OSError as error:
            return Outcome("temporary", errno.errorcode.get(error.errno or 0, "error"), "maildir")
        return Outcome("sent", "stored", "maildir")

    def probe(self) -> str:
        """The folders can be made and written to."""
        try:
            self._make()
        except OSError as error:
            return f"{errno.errorcode.get(error.errno or 0, 'error')} at maildir"
        writable = all(os.access(self.path / part, os.W_OK | os.X_OK) for part in ("tmp", "new"))
        return "" if writable else "EACCES at maildir"

    def _make(self) -> None:
        for part in ("tmp", "new", "cur"):
            (self.path / part).mkdir(mode=0o700, parents=True, exist_ok=True)

    def _write(self, raw: bytes, final: str) -> None:
        descriptor, temporary = tempfile.mkstemp(dir=self.path / "tmp", prefix=f"{final}.")
        try:
            with open(descriptor, "wb") as file:  # noqa: PTH123 - mkstemp gives a descriptor, not a path
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).rename(self.path / "new" / final)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise
        _sync(self.path / "new")


def name(raw: bytes) -> str:
    """The file a letter lies in: from its Message-ID, or from all of it where it has none."""
    message_id = BytesHeaderParser().parsebytes(raw)["message-id"]
    return sha256(str(message_id).strip().encode("utf-8", "surrogateescape") if message_id else raw).hexdigest()[:40]


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
