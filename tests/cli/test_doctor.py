"""`mailrouter doctor`: what must be well, and what it says when it is not."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, text, update

from mailrouter.flow import doctor
from mailrouter.store import machine, outbox, queues, server, tables
from mailrouter.store.engine import Database
from mailrouter.store.inbox import Holder
from tests.cli.console import Console
from tests.flow.world import PSIRT, VENDOR, World
from tests.servers import cveservice
from tests.servers.cveservice import KEY, ORG, USER, Trouble
from tests.servers.postgres import Postgres
from tests.servers.sink import Sink
from tests.servers.wait import free_port, until

NAMES = [name for name, _needs, _look in doctor.CHECKS if name != "cve"]  # there is no account here


def found(world: World) -> dict[str, list[tuple[str, str]]]:
    """What is said of each thing."""
    told: dict[str, list[tuple[str, str]]] = {}
    for finding in doctor.examine(world.tools.settings, world.clock()):
        told.setdefault(finding.name, []).append((finding.state, finding.says))
    return told


def under(world: World, section: str, **values: object) -> None:
    """The same house under other settings."""
    settings = world.tools.settings
    changed = replace(getattr(settings, section), **values)
    world.tools = replace(world.tools, settings=replace(settings, **{section: changed}))


def states(world: World, name: str) -> list[str]:
    return [state for state, _says in found(world)[name]]


def test_a_fresh_house(console: Console) -> None:
    console.world.clock.to(datetime.now(UTC))  # PostgreSQL has a clock of its own
    told = console.json("doctor")
    assert list(dict.fromkeys(check["name"] for check in told["checks"])) == NAMES
    assert told["good"] is True
    by_name = {check["name"]: check for check in reversed(told["checks"])}
    assert by_name["relay"]["says"].startswith("nobody receives this")
    assert by_name["own key"]["state"] == "warning"
    assert by_name["migrations"]["state"] == by_name["database"]["state"] == by_name["books"]["state"] == "good"
    lines = console.out("doctor").splitlines()
    assert len(lines) == len(told["checks"])


def test_the_cve_account_where_there_is_one(world: World) -> None:
    assert "cve" not in found(world)
    with cveservice.running() as service:
        under(world, "cve", url=service.url, org=ORG, user=USER, api_key=KEY)
        assert found(world)["cve"] == [("good", f"{USER} is active, 100 CVE IDs left")]
        service.next = [Trouble("401")]
        [(state, says)] = found(world)["cve"]
        assert (state, "does not know our account" in says) == ("warning", True)
        service.quota = 2
        assert states(world, "cve") == ["warning"]


def test_bad_is_status_1(console: Console) -> None:
    console.world.folder.chmod(0o755)
    assert "BAD" in console.run("doctor", status=1).stdout
    assert json.loads(console.run("doctor", "--json", status=1).stdout)["good"] is False


@pytest.mark.parametrize(("mode", "state"), [(0o700, "good"), (0o750, "bad"), (0o701, "bad")])
def test_data_dir(world: World, mode: int, state: str) -> None:
    world.folder.chmod(mode)
    assert states(world, "data_dir") == [state]


def test_an_empty_database_stops_only_what_needs_it(world: World, tmp_path: Path) -> None:
    under(world, "database", url=f"sqlite:///{tmp_path / 'empty.db'}")
    told = found(world)
    assert told["migrations"][0][0] == "bad"
    assert "mailrouter db upgrade" in told["migrations"][0][1]
    assert told["books"] == [("warning", "not looked at, because of migrations")]
    assert told["relay"][0][0] == "warning"


def test_a_database_that_is_away(world: World) -> None:
    under(world, "database", url=f"postgresql+psycopg://nobody:secret@127.0.0.1:{free_port()}/none")
    told = found(world)
    assert told["database"] == [("bad", "the database does not answer (OperationalError)")]
    assert "secret" not in str(told)


@pytest.mark.row("R13")
@pytest.mark.parametrize("setting", ["synchronous_commit", "fsync", "full_page_writes"])
def test_a_server_that_would_lose_mail(postgres_server: Postgres, setting: str) -> None:
    name = postgres_server.create()
    db = Database(postgres_server.url(name))
    try:
        with db.read() as tx:
            assert list(server.broken_promises(tx)) == []
        _alter(postgres_server, f"ALTER SYSTEM SET {setting} = off", setting, "off")
        with db.read() as tx:
            assert list(server.broken_promises(tx)) == [f"{setting} is off: an acknowledged mail may be lost"]
    finally:
        _alter(postgres_server, f"ALTER SYSTEM RESET {setting}", setting, "on")
        db.close()
        postgres_server.drop(name)


def _alter(postgres: Postgres, order: str, setting: str, wanted: str) -> None:
    """New connections see it once the server has read its configuration again."""
    with postgres._connect() as connection:
        connection.execute(order)
        connection.execute("SELECT pg_reload_conf()")

    def seen() -> bool:
        with postgres._connect() as fresh:
            row = fresh.execute(f"SHOW {setting}").fetchone()
            return row is not None and row[0] == wanted

    until(seen, f"{setting} to be {wanted}")


# ---- clock -----------------------------------------------------------------------------------------------------------


@pytest.mark.row("R16")
@pytest.mark.parametrize(("year", "state"), [(1970, "bad"), (2099, "good"), (2200, "bad")])
def test_a_year_that_is_sane(world: World, year: int, state: str) -> None:
    if not world.tools.db.is_sqlite and state == "good":
        state = "bad"  # the database's own clock differs from the test's
    world.clock.to(world.clock().replace(year=year))
    assert states(world, "clock")[0] == state


@pytest.mark.row("R16")
@pytest.mark.parametrize(("seconds", "state"), [(0, "good"), (-30, "warning"), (-3600, "bad")])
def test_a_clock_that_went_back(world: World, seconds: float, state: str) -> None:
    if not world.tools.db.is_sqlite:
        with world.look() as tx:
            world.clock.to(tx.execute(text("SELECT clock_timestamp()")).scalar_one())
    world.case()
    world.clock.forward(seconds=seconds)
    assert states(world, "clock") == [state]


# ---- keys ------------------------------------------------------------------------------------------------------------


def test_vendors_keys_that_end(world: World) -> None:
    world.organisation(VENDOR, PSIRT, key=world.keymaker.vendor)
    alone = ("warning", f"1 pinned, but compared over no second channel: of {VENDOR}")
    assert found(world)["vendors' keys"] == [("good", "1 pinned"), alone]
    with world.writing() as tx:
        tx.execute(update(tables.pinned_keys).values(channel="telephone"))
    assert found(world)["vendors' keys"] == [("good", "1 pinned")]
    for days, verb in ((20, "expires"), (-1, "expired")):
        with world.writing() as tx:
            tx.execute(update(tables.pinned_keys).values(expires_at=world.clock() + timedelta(days=days)))
        [(state, says)] = found(world)["vendors' keys"]
        assert state == "warning"
        assert says.startswith(f"{VENDOR}: {world.keymaker.vendor.fingerprint} {verb} ")


def test_a_configured_key_that_is_not_there(worlds: Callable[..., World]) -> None:
    world = worlds(IDENTITY__KEY="A" * 40)
    assert states(world, "own key") == ["bad"]


def test_a_configured_key(worlds: Callable[..., World], tmp_path: Path) -> None:
    world = worlds(IDENTITY__GNUPG_HOME=str(tmp_path / "g"))
    key = doctor.world.make(world.tools.settings, world.tools.holder).pgp.make_key("CERT", "cert@cert.example")
    told = found(world)["own key"]
    assert [state for state, _says in told] == ["warning", "good"]
    assert key.fingerprint in told[0][1]
    under(world, "identity", key=key.fingerprint)
    assert found(world)["own key"] == [("good", f"{key.fingerprint}, without expiry")]


# ---- mail out --------------------------------------------------------------------------------------------------------


def test_a_smarthost(world: World, smarthost: Sink) -> None:
    under(world, "relay", url=f"smtp://127.0.0.1:{smarthost.port}")
    assert found(world)["relay"] == [("good", "takes our mail")]
    under(world, "relay", url=f"smtp://127.0.0.1:{free_port()}")
    assert states(world, "relay") == ["bad"]


def test_the_outbox(world: World) -> None:
    world.organisation(VENDOR, PSIRT)
    world.case(VENDOR)
    assert found(world)["outbox"] == [("good", "1 queued")]
    world.clock.forward(hours=5)
    assert found(world)["outbox"][0] == ("warning", "a letter of 2026-03-02 09:00 UTC has not left")
    with world.writing() as tx:
        tx.execute(update(tables.letters).values(state="failed"))
        outbox.brake(tx, on=True)
    told = [says for _state, says in found(world)["outbox"]]
    assert told[0].startswith("paused")
    assert told[1].startswith("1 failed")


def test_mail_that_is_not_received(world: World) -> None:
    world.accept(world.mail(PSIRT))
    assert states(world, "books") == ["good"]
    world.clock.forward(hours=2)
    assert found(world)["books"][0][1].startswith("a mail of 2026-03-02 09:00 UTC is not received yet")


def test_books_that_do_not_balance(world: World) -> None:
    world.accept(world.mail(PSIRT))
    with world.writing() as tx:
        tx.execute(update(tables.tallies).values(accepted=7))
    assert states(world, "books") == ["bad"]


# ---- who is there ----------------------------------------------------------------------------------------------------


def test_the_last_beat_of_every_node(world: World) -> None:
    assert states(world, "beat") == ["warning"]
    with world.writing() as tx:
        machine.begin_life(tx, Holder("n1", "1"), world.clock())
        machine.begin_life(tx, Holder("n2", "1"), world.clock() - timedelta(minutes=30))
    assert [(state, says[:3]) for state, says in found(world)["beat"]] == [("good", "n1:"), ("bad", "n2:")]


def test_a_door_that_is_dead(world: World) -> None:
    with world.writing() as tx:
        machine.begin_life(tx, world.tools.holder, world.clock())
        machine.listens(tx, world.tools.holder, f"127.0.0.1:{free_port()}")
    assert states(world, "doors") == ["bad"]


def unread(world: World) -> dict[str, str]:
    """The queues nobody reads, and how bad that is."""
    return {says.split()[2].rstrip(":"): state for state, says in found(world)["readers"] if state != "good"}


def test_queues_without_a_reader(world: World) -> None:
    assert unread(world) == {"bounces": "warning", "quarantine": "warning"}
    with world.writing() as tx:
        queues.add_notice(tx, "quarantine", "a mail", world.clock(), once="x")
    assert unread(world) == {"bounces": "warning", "quarantine": "bad"}
    world.analyst("bob", "bounces,quarantine")
    assert found(world)["readers"] == [("good", "2 analysts")]


def test_an_analyst_away_reads_nothing(world: World) -> None:
    bob = world.analyst("bob", "bounces,quarantine")
    absent = {"away_until": world.clock() + timedelta(days=3)}
    with world.writing() as tx:
        tx.execute(update(tables.analysts).where(tables.analysts.c.name == "alice").values(absent))
    assert unread(world) == {"triage": "warning", "review": "warning", "alice": "warning"}
    with world.writing() as tx:
        tx.execute(update(tables.analysts).where(tables.analysts.c.name == "alice").values(cover_id=bob.id))
    assert unread(world) == {}
    world.clock.forward(days=4)  # she is back
    assert unread(world) == {}


def test_nobody_at_all(world: World) -> None:
    with world.writing() as tx:
        tx.execute(delete(tables.analysts))
    assert unread(world).keys() == {"triage", "review", "bounces", "quarantine"}


def test_an_operator(world: World) -> None:
    assert states(world, "operator") == ["warning"]
    under(world, "identity", operator="root@cert.example")
    assert found(world)["operator"] == [("good", "root@cert.example")]
