"""Where the measured databases lie: SQLite files, or a private PostgreSQL, both with every fsync.

`new` gives an empty one, `copy` one like another that nobody has open, `drop` throws one away. All are named by URL.
"""

import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Protocol

from tests.servers.postgres import Postgres


class Databases(Protocol):
    """One kind of database."""

    name: str

    def new(self) -> str: ...
    def copy(self, url: str) -> str: ...
    def drop(self, url: str) -> None: ...
    def close(self) -> None: ...


class Sqlite:
    """Files in a folder."""

    name = "sqlite"

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "sqlite"
        self._folder.mkdir()
        self._numbers = count(1)

    def new(self) -> str:
        """A file that is not there yet."""
        return f"sqlite:///{self._folder / f'{next(self._numbers)}.db'}"

    def copy(self, url: str) -> str:
        """Its last connection closed, a database is one file."""
        copied = self.new()
        shutil.copyfile(_path(url), _path(copied))
        return copied

    def drop(self, url: str) -> None:
        """With what SQLite and we keep beside it."""
        for path in self._folder.glob(f"{_path(url).name}*"):
            path.unlink()

    def close(self) -> None:
        """The folder's owner removes the files."""


class Postgresql:
    """A server of our own, with PostgreSQL's own defaults: fsync and synchronous_commit on."""

    name = "postgresql"

    def __init__(self, folder: Path) -> None:
        self._server = Postgres(str(folder))
        self._server.start()
        self._names: dict[str, str] = {}

    def new(self) -> str:
        """An empty database."""
        return self._named(self._server.create())

    def copy(self, url: str) -> str:
        """PostgreSQL copies files too."""
        return self._named(self._server.create(self._names[url]))

    def drop(self, url: str) -> None:
        """Whoever is still connected."""
        self._server.drop(self._names.pop(url))

    def close(self) -> None:
        """Stop the server and remove its files."""
        self._server.remove()

    def _named(self, name: str) -> str:
        url = self._server.url(name)
        self._names[url] = name
        return url


def _path(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


KINDS: dict[str, Callable[[Path], Databases]] = {"sqlite": Sqlite, "postgres": Postgresql}
