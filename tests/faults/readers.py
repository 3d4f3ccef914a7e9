"""Readers of the published site, while it is replaced: a thread that opens it again and again and reads all of it.

Each reading begins at the link, as a web server's request does, and then stays in the folder it led to. Every note of a
round bears its mark, so that a reading with two marks is a mixture; one that misses a file is a trouble.
"""

import os
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PAUSE = 0.02  # seconds between two readings
MARK = re.compile(rb"round-(\d+)-of-the-test")


def mark(number: int) -> str:
    """What every note of a round says."""
    return f"round-{number}-of-the-test"


@dataclass(frozen=True)
class Seen:
    """One reading: the rounds whose marks it met, and how many files there were."""

    rounds: frozenset[int]
    files: int


def reading(site: Path) -> Seen | None:
    """One reading; None while there is no site yet. `FileNotFoundError` when what was listed could not be opened."""
    try:
        top = os.open(site, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return None
    try:
        contents = list(_contents(top))
    finally:
        os.close(top)
    return Seen(frozenset(int(one) for content in contents for one in MARK.findall(content)), len(contents))


def _contents(top: int) -> Iterator[bytes]:
    for _, _, names, at in os.fwalk(".", dir_fd=top):
        for name in names:
            with open(name, "rb", opener=lambda path, flags, at=at: os.open(path, flags, dir_fd=at)) as file:
                yield file.read()


class Reader(threading.Thread):
    """Reads until the block ends; `found`: what it met, each change once, in order."""

    def __init__(self, site: Path) -> None:
        super().__init__(daemon=True)
        self.site = site
        self.found: list[Seen | None] = []
        self.troubles: list[str] = []
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(PAUSE):
            try:
                one = reading(self.site)
            except FileNotFoundError as trouble:
                self.troubles.append(str(trouble))
                continue
            if not self.found or self.found[-1] != one:
                self.found.append(one)

    def __enter__(self) -> "Reader":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join(timeout=60)

    def whole(self) -> list[int]:
        """The rounds it met, in order; fails when any reading was a mixture, or missed something."""
        assert self.troubles == []
        met = [one for one in self.found if one is not None]
        assert [one for one in met if len(one.rounds) != 1] == []
        assert len({one.files for one in met}) <= 1, "each round has as many files as the others"
        return [number for one in met for number in one.rounds]
