"""What the router makes of mails that lie in files: no database, and many at once.

Promises: one reading a file, in the order given; a mail is read in a worker process under the limits of the daemon's
workers, so that one that spins, swells or crashes its reader costs only itself.
"""

import os
import re
import resource
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path

from mailrouter.faults import Fault, Refused
from mailrouter.mail import addresses, parse
from mailrouter.mail.reading import Reading, reading
from mailrouter.pgp import Pgp, keyring

CPU_SECONDS = 10.0  # for one mail, without gpg's (testbook/faults.md R19)
MEMORY_BYTES = 512 * 1024 * 1024  # for one worker process, beside what it is forked with
CHUNK = 16  # mails given to a worker at a time

# Files with these names are bare bodies, unless they begin as a mail does.
BODIES = {".txt": b"text/plain", ".html": b"text/html", ".htm": b"text/html"}
_BEGINS_A_MAIL = re.compile(
    rb"(?:From |(?:Received|Return-Path|Delivered-To|From|To|Cc|Subject|Date|Message-ID|Reply-To|Sender|In-Reply-To|"
    rb"References|MIME-Version|Content-[A-Za-z-]+|Authentication-Results|ARC-[A-Za-z-]+|DKIM-Signature|List-[A-Za-z-]+|"
    rb"X-[A-Za-z0-9-]+)[ \t]*:)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Keys:
    """Key files' contents: known public keys, and secret keys to decrypt with."""

    public: Sequence[bytes] = ()
    secret: Sequence[bytes] = ()
    passphrase: str | None = None


def inspect(paths: Sequence[str], keys: Keys, scratch: Path, now: datetime) -> Iterator[Reading]:
    """A reading of each file; `scratch` is an empty folder for gpg. Raises Refused, first of all, for a key file."""
    pgp = Pgp.for_inspection(scratch, keys.public, keys.secret, keys.passphrase)
    try:
        yield from _all(paths, _Reader(pgp, _names(pgp, keys), now))
    finally:
        pgp.close()


def _all(paths: Sequence[str], read: "_Reader") -> Iterator[Reading]:
    """Two at a time; when a worker dies, one at a time until it is known whose fault it was."""
    done, alone = 0, False
    while done < len(paths):
        try:
            for found in _pooled(paths[done:], read, alone=alone):
                yield found
                done += 1
        except BrokenProcessPool:
            if alone:
                yield {"id": paths[done], "error": "its reader died: out of time, out of memory, or crashed"}
                done += 1
            alone = not alone


def _pooled(paths: Sequence[str], read: Callable[[str], Reading], *, alone: bool) -> Iterator[Reading]:
    workers = 1 if alone else min(len(os.sched_getaffinity(0)), -(-len(paths) // CHUNK))
    with ProcessPoolExecutor(workers, get_context("fork"), _limits) as pool:
        yield from pool.map(read, paths, chunksize=1 if alone else CHUNK)


def _limits() -> None:
    held = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()  # by whoever forked us
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]  # left as it is: gpg is given limits of its own
    resource.setrlimit(resource.RLIMIT_AS, (held + MEMORY_BYTES, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


@dataclass(frozen=True, slots=True)
class _Reader:
    pgp: Pgp
    names: dict[str, frozenset[str]]  # of the keys we know, by fingerprint: the addresses in their user ids
    now: datetime

    def __call__(self, path: str) -> Reading:
        """One file; what goes wrong in us is said under `error`."""
        signal.setitimer(signal.ITIMER_VIRTUAL, CPU_SECONDS)  # its signal ends the process
        try:
            return {"id": path, **self._read(Path(path))}
        except Exception as trouble:  # noqa: BLE001 - it is told, and the other mails are read
            return {"id": path, "error": str(trouble) if isinstance(trouble, Fault) else type(trouble).__name__}
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)

    def _read(self, path: Path) -> Reading:
        raw = path.read_bytes()
        mail = parse.mail(as_mail(path, raw), to_show=True)
        opened = self.pgp.open(mail.raw, (), lambda _issuer: (), self.now)
        found = reading(mail, opened, self.names.get(opened.fingerprint, frozenset()))
        return found | {"raw_sha256": sha256(raw).hexdigest()}


def as_mail(path: Path, raw: bytes) -> bytes:
    """The file as a mail: a bare body, known by its name, gets the one header it needs."""
    kind = BODIES.get(path.suffix.lower())
    if kind is None or _BEGINS_A_MAIL.match(raw):
        return raw
    return b"Content-Type: " + kind + b"; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + raw


def _names(pgp: Pgp, keys: Keys) -> dict[str, frozenset[str]]:
    """The secret keys are imported here, before there are several processes that would all do it."""
    given = [key for data in keys.public for key in keyring.public_keys(data)]
    own = [key.public for key in pgp.own_keys()] if keys.secret else []
    return {key.fingerprint: _addresses(keyring.user_ids(key)) for key in (*given, *own)}


def _addresses(user_ids: Sequence[str]) -> frozenset[str]:
    found = (address for user_id in user_ids for address in addresses.parse(user_id.encode("utf-8", "replace"), []))
    return frozenset(address.address.lower() for address in found if address.address)


def readable(path: str) -> None:
    """Refused, naming it, unless the file can be read."""
    try:
        with Path(path).open("rb") as file:
            file.read(1)
    except OSError as trouble:
        raise Refused(f"{path}: cannot be read ({trouble.strerror})") from None
    except ValueError:  # a NUL in it
        raise Refused("a file's name holds a NUL") from None
