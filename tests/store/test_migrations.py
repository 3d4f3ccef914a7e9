"""The migrations give exactly the tables the program works with, on both databases."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.event import listen

from mailrouter.store import certificates, migrate, receipts
from mailrouter.store.engine import Database
from mailrouter.store.tables import metadata


def schema(db: Database) -> dict[str, object]:
    """Everything there is to a table that the database itself will say."""
    look = inspect(db.engine)
    return {
        name: {
            "columns": sorted(  # the program names every column: which stands first on the disk is nothing to it
                (c["name"], str(c["type"]), c["nullable"], str(c["default"])) for c in look.get_columns(name)
            ),
            "primary": look.get_pk_constraint(name)["constrained_columns"],
            "foreign": sorted((k["constrained_columns"], k["referred_table"]) for k in look.get_foreign_keys(name)),
            "unique": sorted(u["column_names"] for u in look.get_unique_constraints(name)),
            "indexes": sorted(
                (i["name"] or "", i["column_names"], i["unique"]) for i in look.get_indexes(name)
            ),
        }
        for name in look.get_table_names()
        if name != "alembic_version"
    }  # fmt: skip


def test_migrations_make_what_the_tables_say(database: Database) -> None:
    with database.read() as tx:
        context = MigrationContext.configure(tx, opts={"compare_type": True, "compare_server_default": False})
        assert compare_metadata(context, metadata) == []


def test_migrated_and_made_at_once_are_the_same_to_the_letter(database: Database, database_url: str) -> None:
    if database.is_sqlite != database_url.startswith("sqlite"):
        return  # each pair of fixtures comes in four combinations; two say something
    made = Database(database_url)
    try:
        metadata.create_all(made.engine)
        assert schema(database) == schema(made)
    finally:
        made.close()


def test_partial_indexes_are_used_for_what_they_are_for(database: Database) -> None:
    """What waits is found without reading what is done: on SQLite the plan says so by name."""
    if not database.is_sqlite:
        return  # PostgreSQL reads an empty table whole, whatever indexes it has
    plans = {
        "ix_letters_due": "SELECT id FROM letters WHERE state = 'queued' AND next_attempt_at <= '2026'",
        "ix_letters_acknowledged": "SELECT id FROM letters WHERE name = 'acknowledgement' AND made_at > '2026'",
        "ix_letters_told": "SELECT id FROM letters WHERE name IN ('receipt', 'statement-held') AND made_at > '2026'",
        "ix_deadlines_open": "SELECT id FROM deadlines WHERE done_at IS NULL AND due_at <= '2026'",
        "ix_queue_items_open": "SELECT id FROM queue_items WHERE done_at IS NULL AND queue = 'review' ORDER BY id",
        "ix_messages_ciphertext": "SELECT id FROM messages WHERE ciphertext = 'x' AND ciphertext <> ''",
        "ix_messages_signed_digest": "SELECT id FROM messages WHERE signed_digest = 'x' AND signed_digest <> ''",
        "ix_messages_signature_id": "SELECT id FROM messages WHERE signature_id = 'x' AND signature_id <> ''",
    }
    with database.read() as tx:
        for index, query in plans.items():
            explained = " ".join(str(row) for row in tx.execute(text(f"EXPLAIN QUERY PLAN {query}")))
            assert index in explained, explained


@pytest.mark.parametrize("migrated_url", ["sqlite"], indirect=True)
def test_who_was_told_lately_is_not_looked_for_in_all_that_was_ever_written(database: Database) -> None:
    asked: list[tuple[str, Any]] = []
    now = datetime(2026, 3, 2, tzinfo=UTC)
    listen(database.engine, "before_cursor_execute", lambda *event: asked.append((event[2], event[3])))
    with database.read() as tx:
        receipts.lately(tx, [1, 2], now, now)
        statement, given = asked[-1]
        plan = " ".join(str(row) for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given))
    assert "ix_letters_told" in plan


def test_keys_pinned_before_are_kept_in_the_form_they_have(database_url: str) -> None:
    """Revision 0002: a message may name the key that proves it from now on, whenever that was pinned."""
    db = Database(database_url)
    try:
        config = Config()
        config.set_main_option("script_location", str(migrate.scripts()))
        with db.write() as tx:
            config.attributes["connection"] = tx
            command.upgrade(config, "0001")
            zone = "" if db.is_sqlite else "+00"
            pinned = {"f": "A" * 40, "data": b"the key", "at": f"2026-03-02 09:00:00.000000{zone}"}
            tx.execute(text("INSERT INTO organisations (name, name_key) VALUES ('Acme', 'acme')"))
            tx.execute(text(
                "INSERT INTO pinned_keys (organisation_id, fingerprint, data, pinned_at) VALUES (1, :f, :data, :at)"
            ), pinned)  # fmt: skip
        migrate.upgrade(db)
        with db.read() as tx:
            kept = certificates.get(tx, sha256(b"the key").hexdigest())
        assert kept is not None
        assert (kept.fingerprint, kept.kept_at) == ("A" * 40, datetime(2026, 3, 2, 9, tzinfo=UTC))
    finally:
        db.close()
