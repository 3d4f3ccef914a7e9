"""Fixtures of the journeys: offices that run, and organisations with keys."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.journey.office import Office
from tests.journey.people import Gnupg, Organisation
from tests.servers.daemon import Daemon
from tests.servers.sink import Sink


@pytest.fixture(scope="session")
def organisations() -> Iterator[Callable[..., Organisation]]:
    """`organisations("Acme")`: the one of that name, psirt@acme.example; its key is made once a session."""
    with tempfile.TemporaryDirectory(prefix="mrj-", dir="/tmp") as homes:  # short: gpg's agent has a socket there
        made: dict[str, Organisation] = {}

        def find(name: str, address: str = "") -> Organisation:
            if name not in made:
                made[name] = Organisation(name, address or f"psirt@{name.lower()}.example", Path(homes, name))
            return made[name]

        yield find
        for one in made.values():
            one.gpg.end()


@pytest.fixture
def reader() -> Iterator[Gnupg]:
    """Anybody with gpg, in an empty home of their own."""
    with tempfile.TemporaryDirectory(prefix="mrj-", dir="/tmp") as folder:  # an agent that ends takes its sockets along
        made = Gnupg(Path(folder) / "g")
        yield made
        made.end()


@pytest.fixture
def acme(organisations: Callable[[str], Organisation]) -> Organisation:
    """A vendor."""
    return organisations("Acme")


@pytest.fixture
def bolt(organisations: Callable[[str], Organisation]) -> Organisation:
    """Another."""
    return organisations("Bolt")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database. The flows' own tests are over both kinds each time; whole journeys are so at length only."""
    sqlite = f"sqlite:///{tmp_path / 'mailrouter.db'}"
    return sqlite if request.param == "sqlite" else str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def office(serve: Callable[..., Daemon], smarthost: Sink, database_url: str) -> Office:
    """A running one, on each database."""
    return Office(serve(database_url=database_url, **settings(smarthost)), smarthost)


@pytest.fixture
def small_office(serve: Callable[..., Daemon], smarthost: Sink) -> Office:
    """A running one on SQLite."""
    return Office(serve(**settings(smarthost)), smarthost)


def settings(sink: Sink) -> dict[str, str]:
    """Letters go to the sink; people are told at once."""
    return {
        "RELAY__URL": f"smtp://127.0.0.1:{sink.port}", "IDENTITY__NAME": "Example CERT",
        "IDENTITY__PHONE": "+1 555 0100", "POLICY__NOTIFY_MINUTES": "0",
    }  # fmt: skip
