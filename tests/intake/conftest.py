"""Fixtures of the doors' tests."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.intake.house import House, Table


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Table]:
    """An empty store."""
    made = Table(tmp_path / "mails.db")
    yield made
    made.close()


@pytest.fixture
def houses(table: Table) -> Iterator[Callable[..., House]]:
    """`houses(**options)` opens doors; all are closed after the test."""
    opened: list[House] = []

    def start(**options: object) -> House:
        opened.append(House(table, **options))  # type: ignore[arg-type]  # each test knows its options
        return opened[-1]

    yield start
    for one in opened:
        one.close()


@pytest.fixture
def house(houses: Callable[..., House]) -> House:
    """Doors with the defaults, without rates."""
    return houses()
