"""INSERT … ON CONFLICT: both databases have it, SQLAlchemy spells it once for each."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

_DIALECTS: Mapping[str, Any] = {"sqlite": sqlite, "postgresql": postgresql}


def into(tx: Connection, table: Table) -> Any:
    """An INSERT that knows `on_conflict_do_nothing`, `on_conflict_do_update` and `excluded`."""
    return _DIALECTS[tx.dialect.name].insert(table)


def built(table: Table, build: Callable[[Any], Any]) -> Mapping[str, Any]:
    """The same, made once for each database, for a way that many mails go: taken by `tx.dialect.name`."""
    return {name: build(dialect.insert(table)) for name, dialect in _DIALECTS.items()}
