"""Fixtures of the fault tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailrouter.pgp import Pgp
from tests.faults.scene import Signer
from tests.servers.postgres import Postgres


@pytest.fixture
def postgres_migrated(postgres_server: Postgres, postgres_template: str) -> Iterator[str]:
    """A PostgreSQL database with our tables; the server is up again afterwards, whatever the test did to it."""
    name = postgres_server.create(postgres_template)
    yield postgres_server.url(name)
    if not postgres_server.up():
        postgres_server.start()
    postgres_server.drop(name)


@pytest.fixture(scope="session")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Signer]:
    """The loads' sender with a key."""
    made = Signer(tmp_path_factory.mktemp("signer"))
    yield made
    made.remove()


@pytest.fixture(autouse=True)
def _no_agents_left(tmp_path: Path) -> Iterator[None]:
    """A daemon that is killed leaves its gpg agent behind."""
    yield
    for home in tmp_path.glob("node*/data/gnupg"):
        Pgp(home, home.parent / "keyrings").close()
