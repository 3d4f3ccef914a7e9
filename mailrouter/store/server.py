"""The database server itself: what it promises of a commit, and what time it has."""

from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import Connection, func, select, text

from mailrouter.store.tables import journal

# A commit that returned must be on the disk: 250 is a promise. (PostgreSQL's documentation, "Reliability".)
_MUST_BE_ON = ("fsync", "synchronous_commit", "full_page_writes")


def version(tx: Connection) -> str:
    """`SQLite 3.40.1` or `PostgreSQL 15.4`."""
    if tx.dialect.name == "sqlite":
        return f"SQLite {tx.execute(select(func.sqlite_version())).scalar_one()}"
    return f"PostgreSQL {_shown(tx, 'server_version')}"


def broken_promises(tx: Connection) -> Iterator[str]:
    """What of its setup would lose mail that we acknowledged. (SQLite is set up by us, see engine.py.)"""
    if tx.dialect.name == "sqlite":
        return
    for name in _MUST_BE_ON:
        if _shown(tx, name) == "off":
            yield f"{name} is off: an acknowledged mail may be lost"
    if tx.execute(text("SELECT pg_is_in_recovery()")).scalar_one():
        yield "it is a read-only standby"


def loses_on_failover(tx: Connection) -> bool:
    """A standby follows, but commits do not wait for it: after a failover acknowledged mail may be missing (R13)."""
    if tx.dialect.name == "sqlite" or _shown(tx, "synchronous_standby_names"):
        return False
    return bool(tx.execute(text("SELECT count(*) FROM pg_stat_replication")).scalar_one())


def seconds_ahead(tx: Connection, now: datetime) -> float:
    """How far the server's clock is ahead of ours (`now`, UTC); on SQLite, how far the newest journal row is."""
    theirs: datetime | None = (
        tx.execute(select(journal.c.at).order_by(journal.c.id.desc()).limit(1)).scalar()
        if tx.dialect.name == "sqlite"
        else tx.execute(text("SELECT clock_timestamp()")).scalar_one()
    )
    return (theirs.astimezone(UTC) - now).total_seconds() if theirs else 0.0


def _shown(tx: Connection, name: str) -> str:
    return str(tx.execute(select(func.current_setting(name))).scalar_one())
