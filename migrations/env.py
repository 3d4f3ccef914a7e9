"""How Alembic meets our tables: on the connection the program hands it, or for developers on the configured database.

The program (`mailrouter db upgrade`) passes its own open write transaction as `config.attributes["connection"]`; the
whole upgrade is then one transaction, and two nodes that upgrade at once do it one after the other.
"""

import os

from alembic import context
from sqlalchemy import Connection, text

from mailrouter import settings
from mailrouter.faults import Refused
from mailrouter.store.engine import Database
from mailrouter.store.tables import metadata

UPGRADE_LOCK = 7_226_245  # any number of ours; held until the transaction ends


def migrate(connection: Connection) -> None:
    """Run what `alembic` was asked for inside this connection's transaction."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": UPGRADE_LOCK})
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=connection.dialect.name == "sqlite",  # SQLite alters a table by copying it
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def run() -> None:
    """Use the caller's connection, else open the configured database."""
    if context.is_offline_mode():
        raise Refused("migrations run on a database; --sql is not supported")
    given = context.config.attributes.get("connection")
    if given is not None:
        migrate(given)
        return
    chosen = settings.load(None, os.environ)
    settings.ensure_data_dir(chosen)
    with Database(chosen.database.url).write() as connection:
        migrate(connection)


run()
