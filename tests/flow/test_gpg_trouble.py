"""What gpg needs is missing: its mail is deferred, then parked, never taken for unsigned; and read once it is back."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mailrouter.flow.arriving import receive
from mailrouter.flow.filing import file
from mailrouter.pgp import Pgp
from tests.flow.world import VU, World


def no_keyrings(home: Path) -> None:
    """The folder of public keys is no folder."""
    (home / "k").rename(home / "k-away")
    (home / "k").write_bytes(b"")


def mended(home: Path) -> None:
    (home / "k").unlink()
    (home / "k-away").rename(home / "k")


@pytest.fixture
def own(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The house with a GnuPG of its own, which a test may break."""
    home = tmp_path_factory.mktemp("own")
    pgp = Pgp(home / "g", home / "k")
    pgp._gpg().import_keys(world.keymaker.secret(world.keymaker.cert.fingerprint))
    world.tools = replace(world.tools, pgp=pgp)
    yield home
    pgp.close()


def until_parked(world: World) -> None:
    """All its tries, with their pauses; nothing is said of it before the last."""
    for minutes in (0, 1, 10):
        world.clock.forward(minutes=minutes, seconds=1)
        assert [m.verdict for m in world.everything() if m.direction == "in"] == []
        receive.work(world.tools)


@pytest.mark.row("R18")
@pytest.mark.parametrize("sealed", ["signed", "encrypted"])
def test_a_home_that_cannot_be_written(world: World, own: Path, sealed: str) -> None:
    world.vendor_case(key=True)
    text = b"Content-Type: text/plain\r\n\r\nVU#%d: we look into it.\r\n" % VU
    vendor = world.keymaker.vendor
    made = world.signed("", content=text) if sealed == "signed" else world.encrypted(text, f"VU#{VU}", signer=vendor)
    no_keyrings(own)
    world.accept(made)
    until_parked(world)
    [parked] = [m for m in world.everything() if m.direction == "in"]
    assert (parked.place, parked.assurance, parked.why) == (
        "quarantine", "retry", "could not be read in 3 tries (TryLater)",
    )  # fmt: skip
    assert (world.turn(), world.books().quarantined) == ("them", 1)
    mended(own)
    file.retry(world.tools, world.alice, parked.id)
    world.feed()
    again = next(m for m in world.everything() if m.id == parked.id)
    assert (again.place, again.assurance, world.turn()) == ("filed", "verified", "us")


@pytest.mark.row("R18")
def test_an_agent_that_cannot_be_had(world: World, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Encrypted mail waits; what is only signed goes on meanwhile."""
    world.vendor_case(key=True)
    agent = world.tools.pgp._agent
    agent.stop()
    with monkeypatch.context() as patched:
        patched.setattr(agent, "program", str(own / "no-gpgconf"))
        text = b"Content-Type: text/plain\r\n\r\nVU#%d: a secret.\r\n" % VU
        world.feed(world.encrypted(text, f"VU#{VU}"), world.signed(f"VU#{VU}: no secret.\n"))
        assert [(m.place, m.assurance) for m in world.everything() if m.direction == "in"] == [("filed", "verified")]
        assert world.books().pending == 1
    world.clock.forward(minutes=2)
    world.feed()
    assert [m.decrypted for m in world.everything() if m.direction == "in"] == ["none", "ok"]
