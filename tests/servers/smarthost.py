"""Smarthosts for tests: running sinks, and a certificate for those that speak TLS."""

import ssl
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers.sink import Sink
from tests.servers.wait import program


@dataclass(frozen=True)
class Certificate:
    """Self-signed, for localhost and 127.0.0.1; PEM files."""

    cert: Path
    key: Path

    def server(self) -> ssl.SSLContext:
        """What a server speaks with it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.cert, self.key)
        return context

    def client(self) -> ssl.SSLContext:
        """What a client that trusts it alone speaks."""
        return ssl.create_default_context(cafile=self.cert)


def make_certificate(folder: Path, name: str = "localhost") -> Certificate:
    """A fresh one, good for two days."""
    made = Certificate(folder / f"{name}.cert.pem", folder / f"{name}.key.pem")
    subprocess.run(
        [program("openssl", "openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name},IP:127.0.0.1",
         "-keyout", made.key, "-out", made.cert],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    return made


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate for localhost and 127.0.0.1."""
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def smarthosts() -> Iterator[Callable[..., Sink]]:
    """`smarthosts(**options of Sink)` starts one more; all are stopped after the test."""
    started: list[Sink] = []

    def start(**options: object) -> Sink:
        started.append(Sink(**options))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture
def smarthost(smarthosts: Callable[..., Sink]) -> Sink:
    """A running smarthost that takes everything and keeps the exact bytes."""
    return smarthosts()
