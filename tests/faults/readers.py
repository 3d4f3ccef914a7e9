"""Readers of the published site, while it is replaced: a thread that opens it again and again and reads all of it.

Each reading begins at the link, as a web server's request does, and then stays in the folder it led to. What it found
is one digest over every name and every byte; a reading that misses a file is a trouble, and no digest.
"""

import os
import threading
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path


def reading(site: Path) -> str:
    """One reading; '' while there is no site yet. `FileNotFoundError` when what was listed could not be opened."""
    try:
        top = os.open(site, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return ""
    seen = sha256()
    try:
        for name, content in sorted(_files(top)):
            seen.update(name.encode() + b"\0" + sha256(content).digest())
    finally:
        os.close(top)
    return seen.hexdigest()


def _files(top: int) -> Iterator[tuple[str, bytes]]:
    for folder, _, names, at in os.fwalk(".", dir_fd=top):
        for name in names:
            with open(name, "rb", opener=lambda path, flags, at=at: os.open(path, flags, dir_fd=at)) as file:
                yield f"{folder}/{name}", file.read()


class Reader(threading.Thread):
    """Reads until the block ends; `found`: the different sites it met, in their order, '' for none."""

    def __init__(self, site: Path) -> None:
        super().__init__(daemon=True)
        self.site = site
        self.found: list[str] = []
        self.troubles: list[str] = []
        self.count = 0
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.is_set():
            try:
                one = reading(self.site)
            except FileNotFoundError as trouble:
                self.troubles.append(str(trouble))
                continue
            self.count += 1
            if not self.found or self.found[-1] != one:
                self.found.append(one)

    def __enter__(self) -> "Reader":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join(timeout=60)
