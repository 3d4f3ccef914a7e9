"""Attachments onto the disk: names made safe, bytes intact, nothing overwritten, nothing outside the folder (S31)."""

import os
import re
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path, PurePath

from mailrouter import faults
from mailrouter.cli.show import visible
from mailrouter.flow.filing.look import File

LONGEST = 200  # bytes of a name, with room for a number: file systems take 255
_UNWANTED = re.compile(r"[/\\:\x00-\x1f\x7f-\x9f\s]+")
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,10}")
_DEVICE = re.compile(
    r"(?:con|prn|aux|nul|com\d|lpt\d|conin\$|conout\$)(?=\.|$)", re.IGNORECASE
)  # a folder may be shared


def save(files: Sequence[File], folder: Path) -> list[Path]:
    """All of them or none; returns where each lies. `Refused` when the folder cannot take them."""
    written: list[Path] = []
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for position, file in enumerate(files, 1):
            written.append(_create(folder, safe_name(file.name, position), file.content))
    except OSError as trouble:
        for path in written:
            path.unlink()
        raise faults.Refused(f"{folder}: cannot be written to ({trouble.strerror})") from None
    return written


def safe_name(name: str, position: int) -> str:
    """One name in a folder: no path, no hidden file, no option, no device, nothing invisible, short enough."""
    clean = _UNWANTED.sub("_", visible(name)).strip("._ ").replace("\\", "_")
    if not clean:
        return f"attachment-{position}"
    if clean.startswith("-") or _DEVICE.match(clean):
        clean = f"_{clean}"
    suffix = PurePath(clean).suffix
    kept = suffix if _SUFFIX.fullmatch(suffix) else ""
    return _cut(clean.removesuffix(kept), LONGEST - len(kept)) + kept


def _cut(text: str, most: int) -> str:
    return text.encode("utf-8", "replace")[:most].decode("utf-8", "ignore")


def _create(folder: Path, name: str, content: bytes) -> Path:
    """Under the first name that is free; O_EXCL follows no link and overwrites nothing."""
    for path in _candidates(folder, name):
        try:
            number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        except FileExistsError:
            continue
        _fill(path, number, content)
        return path
    raise AssertionError("the candidates never end")


def _fill(path: Path, number: int, content: bytes) -> None:
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
    except OSError:
        path.unlink()
        raise


def _candidates(folder: Path, name: str) -> Iterator[Path]:
    yield folder / name
    pure = PurePath(name)
    for number in count(2):
        yield folder / f"{pure.stem}-{number}{pure.suffix}"
