"""`mailrouter analyst`: names, queues, absence."""

from pathlib import Path

import pytest

from mailrouter.store import certificates
from tests.cli.console import Console
from tests.flow.world import PSIRT, VU, World


def test_added_and_listed(console: Console, tmp_path: Path) -> None:
    path = tmp_path / "ben.asc"
    path.write_bytes(console.world.keymaker.armored(console.world.keymaker.eve.fingerprint))
    console.run(
        "analyst", "add", "Ben", "--email", "Ben@cert.example", "--login", "ben", "--queues", "review, bounces",
        "--key", str(path),
    )  # fmt: skip
    console.run("analyst", "add", "Cleo", "--email", "cleo@cert.example")
    console.run("analyst", "add", "Dora", "--email", "dora@cert.example")  # a second one without a login
    listed = {one.pop("name"): one for one in console.json("analyst", "list")}
    assert listed["Ben"] == {
        "email": "ben@cert.example", "login": "ben", "queues": ["review", "bounces"], "away_until": None, "cover": None,
        "waiting": 0, "fingerprint": console.world.keymaker.eve.fingerprint,
    }  # fmt: skip
    assert (listed["Cleo"]["login"], listed["Cleo"]["fingerprint"]) == (None, None)
    assert set(listed) == {"alice", "Ben", "Cleo", "Dora"}
    assert max(map(len, console.out("analyst", "list").splitlines())) <= 100


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("add", "Ben"), 2, "Missing option '--email'"),
        (("add", "alice", "--email", "b@cert.example"), 2, "an analyst of that name or login exists already"),
        (("add", "Ben", "--email", "b@cert.example", "--login", "alice"), 2, "an analyst of that name or login exists"),
        (("add", "Ben", "--email", "b@cert.example", "--queues", "triage,nonsense"), 2, "there is no queue 'nonsense'"),
        (("add", "triage", "--email", "b@cert.example"), 2, "an analyst cannot be called 'triage'"),
        (("add", "unix:root", "--email", "b@cert.example"), 2, "an analyst cannot be called 'unix:root'"),
        (("add", "MailRouter", "--email", "b@cert.example"), 2, "an analyst cannot be called 'MailRouter'"),
        (("add", "Ben", "--email", "b@cert.example", "--key", "/nowhere"), 2, "/nowhere: cannot be read"),
        (("set", "alice"), 2, "say what to change"),
        (("set", "Nobody", "--login", "x"), 1, "no analyst is named 'Nobody'"),
        (("away", "alice", "--until", "2026-12-01"), 2, "--until and --cover are needed, or --back"),
        (("away", "alice", "--cover", "bob"), 2, "--until and --cover are needed, or --back"),
        (("away", "alice", "--until", "2026-12-01", "--cover", "alice"), 2, "alice is away too"),
        (("away", "alice", "--until", "2026-12-01", "--cover", "Nobody"), 1, "no analyst is named 'Nobody'"),
        (("away", "alice", "--until", "2026-03-01", "--cover", "bob"), 2, "the date lies in the past"),
        (("away", "alice", "--until", "soon", "--cover", "bob"), 2, "'soon' is no date"),
        (("away", "alice", "--back"), 1, "alice is not away"),
        (("away", "alice", "--back", "--cover", "bob"), 2, "--back is given alone"),
    ],
)  # fmt: skip
def test_refused(console: Console, arguments: tuple[str, ...], status: int, said: str) -> None:
    console.world.analyst("bob")
    before = console.json("analyst", "list")
    assert said in console.refused("analyst", *arguments, status=status)
    assert console.json("analyst", "list") == before
    assert console.world.letters() == []


def test_changed(console: Console) -> None:
    console.world.analyst("bob")
    console.run("analyst", "set", "alice", "--email", "a@cert.example", "--queues", "quarantine", "--login", "al")
    alice = console.json("analyst", "list")[0]
    assert (alice["email"], alice["queues"], alice["login"]) == ("a@cert.example", ["quarantine"], "al")
    said = console.refused("analyst", "set", "alice", "--login", "bob", status=2)
    assert said == "the login bob is bob's"


def test_the_power_of_a_key_is_taken_away_and_shared_by_nobody(console: Console, tmp_path: Path) -> None:
    eve = console.world.keymaker.eve
    path = tmp_path / "key.asc"
    path.write_bytes(console.world.keymaker.armored(eve.fingerprint))
    console.world.analyst("bob")
    console.world.organisation("Acme", "psirt@acme.example")
    console.run("analyst", "set", "alice", "--key", str(path))
    with console.world.look() as tx:
        assert [one.digest for one in certificates.of_key(tx, eve.fingerprint)]
    assert "this key is alice's" in console.refused("analyst", "set", "bob", "--key", str(path), status=2)
    again = ("analyst", "add", "Cleo", "--email", "c@cert.example", "--key", str(path))
    assert "this key is alice's" in console.refused(*again, status=2)
    assert "this key is alice's, an analyst" in console.refused("vendor", "add-key", "Acme", str(path), status=2)
    assert "--key or --no-key" in console.refused("analyst", "set", "alice", "--no-key", "--key", str(path), status=2)
    console.run("analyst", "set", "alice", "--no-key")
    assert console.json("analyst", "list")[0]["fingerprint"] is None
    console.run("vendor", "add-key", "Acme", str(path))
    assert "pinned to Acme" in console.refused("analyst", "set", "bob", "--key", str(path), status=2)
    console.run("vendor", "retire-key", "Acme", eve.fingerprint, "--why", "left")
    console.run("analyst", "set", "bob", "--key", str(path))


def test_away_hands_over_what_waits(console: Console) -> None:
    world: World = console.world
    world.analyst("bob")
    world.vendor_case()
    world.feed(world.mail(PSIRT))
    said = console.out("analyst", "away", "alice", "--until", "2026-03-20", "--cover", "bob")
    assert said == "alice is away until 2026-03-20 00:00 UTC; bob stands in\n"
    letter = world.letters("analyst-away")[0]
    assert letter.recipient == "bob@cert.example"
    assert f"VU#{VU}" in letter.body
    assert "2026-03-20 bob" in console.out("analyst", "list")
    refused = console.refused("analyst", "away", "bob", "--until", "2026-03-20", "--cover", "alice", status=2)
    assert refused == "alice is away too: somebody who is there must stand in"
    console.run("analyst", "away", "alice", "--back")
    assert console.json("analyst", "list")[0]["away_until"] is None
