"""The folder that readers are given: built anew beside the old one, and put in its place at once.

Promises: what readers find is one whole build, never a mixture; a build that was broken off leaves a folder that the
next one removes; the build before is kept, for whoever is reading it; two builds on one machine wait for each other.
`press.folder` is a symbolic link to the newest build: `site` -> `site.7`, with `site.6` beside it. A folder without our
mark, whatever its name, is never removed.
"""

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from mailrouter import failpoint
from mailrouter.faults import Refused

NO_LINK = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP)  # a file system's ways to refuse another name
MARK = ".mailrouter"  # the first file of every build: by it we know what is ours to remove
FILE_MODE, FOLDER_MODE = 0o644, 0o755  # a web server is another user


class Build:
    """One build under way in `folder`; `before` is the one that readers have now, None when they have none."""

    def __init__(self, folder: Path, before: Path | None) -> None:
        self.folder, self.before = folder, before
        self.kept = self.written = 0  # files
        self._folders = {folder}
        _begin(folder)

    def was(self, path: str) -> bytes | None:
        """What the build before has at `path`; None: nothing."""
        return read(self.before, path) if self.before else None

    def __contains__(self, path: str) -> bool:
        """Whether it has such a file already."""
        return (self.folder / path).exists()

    def put(self, path: str, content: bytes) -> bool:
        """This file, durably; False when the build before had just this, which then is the same file on the disk
        where the file system allows that.
        """
        place = self.folder / _checked(path)
        self._make_folders(place.parent)
        if self.before and self.was(path) == content:
            if not _linked(self.before / path, place):
                _write(place, content)
            self.kept += 1
            return False
        _write(place, content)
        self.written += 1
        failpoint.reach("press-while-building")
        return True

    def _make_folders(self, folder: Path) -> None:
        if folder not in self._folders:
            self._make_folders(folder.parent)
            _make(folder)
            self._folders.add(folder)

    def sync(self) -> None:
        """The names of all files are durable too."""
        for folder in self._folders:
            _sync(folder)


@contextmanager
def building(link: Path) -> Iterator[Build]:
    """A build that takes the place of what `link` leads to once the block ends well, and never if it does not.

    `Refused` when `link` is something that we did not make.
    """
    link.parent.mkdir(parents=True, exist_ok=True)
    with _turn(link):
        newest = current(link)
        _remove_all_but(link, {newest, _before(link, newest)} - {None})
        build = Build(_next(link), newest)
        try:
            yield build
        except BaseException:
            shutil.rmtree(build.folder)
            raise
        build.sync()
        failpoint.reach("press-before-link")
        _replace(link, build.folder)
        failpoint.reach("press-after-link")
        _remove_all_but(link, {build.folder, newest} - {None})


def current(link: Path) -> Path | None:
    """The build that readers have; None: no build yet. `Refused` when something else has its name."""
    if not link.is_symlink():
        if link.exists():
            raise Refused(
                f"press.folder = {str(link)!r}: there is something there that is no site of ours; move it away"
            )
        return None
    folder = link.parent / link.readlink()
    if _number(link, folder) == 0:
        raise Refused(
            f"press.folder = {str(link)!r}: a link to {str(folder)!r}, which is no site of ours; move it away"
        )
    return folder if folder.is_dir() else None


def read(folder: Path, path: str) -> bytes | None:
    """A file of a build; None: there is none."""
    try:
        return (folder / path).read_bytes()
    except FileNotFoundError:
        return None


# ---- within ----------------------------------------------------------------------------------------------------------


@contextmanager
def _turn(link: Path) -> Iterator[None]:
    with (link.parent / f".{link.name}-turn").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield


def _next(link: Path) -> Path:
    """Past whatever is there, ours or not."""
    number = 1 + max((_number(link, one) for one in link.parent.iterdir()), default=0)
    return link.parent / f"{link.name}.{number}"


def _number(link: Path, folder: Path) -> int:
    """Which build a folder would be by its name: 1, 2, ...; 0: none of this site's."""
    name, _, number = folder.name.rpartition(".")
    whole = number.isascii() and number.isdecimal() and number == str(int(number))
    return int(number) if whole and name == link.name and folder.parent == link.parent else 0


def _all(link: Path) -> list[Path]:
    """Every build that we made and that still lies here."""
    return [
        one for one in link.parent.iterdir() if _number(link, one) and not one.is_symlink() and (one / MARK).is_file()
    ]


def _before(link: Path, newest: Path | None) -> Path | None:
    """The build before the newest."""
    older = [one for one in _all(link) if newest and _number(link, one) < _number(link, newest)]
    return max(older, key=lambda one: _number(link, one), default=None)


def _remove_all_but(link: Path, kept: set[Path | None]) -> None:
    for folder in set(_all(link)) - kept:
        shutil.rmtree(folder)


def _replace(link: Path, folder: Path) -> None:
    """One rename: whoever opens a path through the link is in the old build or in the new one."""
    fresh = link.parent / f".{link.name}-link"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(folder.name)
    _sync(link.parent)
    fresh.replace(link)
    _sync(link.parent)


def _linked(old: Path, place: Path) -> bool:
    """Whether the file has another name now; False: it cannot have one here."""
    try:
        os.link(old, place)
    except OSError as refused:
        if refused.errno not in NO_LINK:
            raise
        return False
    return True


def _write(place: Path, content: bytes) -> None:
    with place.open("xb") as file:
        os.fchmod(file.fileno(), FILE_MODE)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _begin(folder: Path) -> None:
    """Never one without our mark, which nobody would remove."""
    _make(folder)
    try:
        _write(folder / MARK, b"")
    except OSError:
        shutil.rmtree(folder)
        raise


def _make(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(FOLDER_MODE)  # whatever the umask


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _checked(path: str) -> str:
    """A path within the site; anything else is a fault of ours."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\0" in path:
        raise ValueError("a file of the site lies within it")
    return path
