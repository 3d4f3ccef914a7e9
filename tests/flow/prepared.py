"""A house that many tests begin with is built once of each kind of database, and laid down again for the others.

What is laid down: every row, the letters that have left, the clock, the numbers of mails; not settings, nor keys.
"""

import shutil
from collections.abc import Callable
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import func, select, text

from mailrouter.store.tables import metadata
from tests.flow.world import World


class _House(NamedTuple):
    rows: dict[str, list[dict[str, Any]]]
    files: Path
    time: datetime
    mails: int  # the number of the next one


class Shelf:
    """The houses of one worker, by who built them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._houses: dict[tuple[Callable[[World], object], bool], _House] = {}

    def prepared(self, world: World, build: Callable[[World], object]) -> World:
        """The world, as `build` leaves it; `build` is called for the first of its kind of database only."""
        key = build, world.tools.db.is_sqlite
        if key in self._houses:
            _lay_down(world, self._houses[key])
        else:
            build(world)
            self._houses[key] = self._taken(world, self._folder / str(len(self._houses)))
        return world

    def _taken(self, world: World, files: Path) -> _House:
        shutil.copytree(world.folder, files)
        with world.look() as tx:
            rows = {
                table.name: [dict(row) for row in tx.execute(select(table)).mappings()]
                for table in metadata.sorted_tables
            }
        return _House(rows, files, world.clock(), next(world._numbers))


def _lay_down(world: World, house: _House) -> None:
    on_sqlite = world.tools.db.is_sqlite
    with world.writing() as tx:
        tx.execute(
            text("PRAGMA defer_foreign_keys=ON" if on_sqlite else "SET LOCAL session_replication_role = replica")
        )
        for table in reversed(metadata.sorted_tables):
            tx.execute(table.delete())
        for table in metadata.sorted_tables:
            if rows := house.rows[table.name]:
                tx.execute(table.insert(), rows)
                if not on_sqlite and "id" in table.columns:  # its numbers go on after these; SQLite's do so anyway
                    sequence = func.pg_get_serial_sequence(table.name, "id")
                    tx.execute(select(func.setval(sequence, max(row["id"] for row in rows))))
    shutil.copytree(house.files, world.folder, dirs_exist_ok=True)
    world.clock.to(house.time)
    world._numbers = count(house.mails)


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """One for each worker."""
    return Shelf(tmp_path_factory.mktemp("shelf"))
