"""Fixtures of the fault tests."""

from collections.abc import Iterator

import pytest

from tests.servers.postgres import Postgres


@pytest.fixture
def postgres_migrated(postgres_server: Postgres, postgres_template: str) -> Iterator[str]:
    """A PostgreSQL database with our tables; the server is up again afterwards, whatever the test did to it."""
    name = postgres_server.create(postgres_template)
    yield postgres_server.url(name)
    if not postgres_server.up():
        postgres_server.start()
    postgres_server.drop(name)
