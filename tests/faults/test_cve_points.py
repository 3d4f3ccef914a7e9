"""Death while a CVE ID is reserved (testbook/faults.md R03): one ID for one vulnerability, none lost, none doubled.

The service is a real one on this machine, and keeps what it gave. A reservation that was asked for by a process that
died is found again by listing.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from mailrouter.flow.casework import coordinate
from mailrouter.flow.cves import reserving, working
from tests.faults.scene import ANALYST, Store, dice, tools_of
from tests.faults.test_points import DIED, points
from tests.servers import cveservice
from tests.servers.cveservice import KEY, ORG, USER, CveService, Trouble
from tests.servers.daemon import Daemon
from tests.servers.wait import until

Daemons = Callable[..., Daemon]
VU = 123456


@pytest.fixture
def service() -> Iterator[CveService]:
    with cveservice.running() as started:
        yield started


def a_node(daemons: Daemons, url: str, service: CveService) -> Daemon:
    return daemons(url, CVE__URL=service.url, CVE__ORG=ORG, CVE__USER=USER, CVE__API_KEY=KEY)


def in_order(store: Store, service: CveService) -> None:
    """Each vulnerability has an ID of its own, and both sides know of the same ones."""
    assert sorted(row.cve for row in store.rows("SELECT cve FROM vulnerabilities")) == sorted(service.ids)
    assert sorted(row.cve for row in store.rows("SELECT cve FROM cve_ids")) == sorted(service.ids)
    assert store.one("SELECT count(*) FROM cve_orders WHERE state = 'wanted'") == 0
    store.in_order()


def by_command(node: Daemon, vu: int, point: str) -> int:
    """`mailrouter cve reserve` with the point armed; its exit status."""
    done = subprocess.run(
        [sys.executable, "-m", "mailrouter", "cve", "reserve", str(vu)], cwd=node.folder, capture_output=True,
        env={**node.environ, "MAILROUTER_FAILPOINT": point}, timeout=60,
    )  # fmt: skip
    return done.returncode


def at_once(store: Store) -> None:
    """The next try is now, and not in a minute."""
    store.change("UPDATE cve_orders SET not_before = NULL, trouble = ''")


@pytest.mark.row("R03")
def test_a_command_dies_at_any_point_and_another_process_goes_on(
    migrated_url: str, daemons: Daemons, service: CveService
) -> None:
    node, store = a_node(daemons, migrated_url, service), Store(migrated_url)
    for number, point in enumerate(points("cve")):
        with tools_of(node) as tools:
            coordinate.open_case(tools, ANALYST, "A case", VU + number)
            assert by_command(node, VU + number, point) == DIED
            assert store.one("SELECT count(*) FROM cve_orders WHERE state = 'wanted'") == 1
            at_once(store)
            assert working.work(tools) == 1
    in_order(store, service)


@pytest.mark.row("R03")
def test_the_daemon_dies_at_every_point_one_after_the_other(
    migrated_url: str, daemons: Daemons, service: CveService
) -> None:
    """The service fails meanwhile, too: what it reserved then is taken in the end, and no other."""
    node, store = a_node(daemons, migrated_url, service), Store(migrated_url)
    with tools_of(node) as tools:
        coordinate.open_case(tools, ANALYST, "A case", VU)
        reserving.order(tools, ANALYST, VU, None)
    service.next = [Trouble("close", done=True, of="POST")]
    for point in ("cve-after-try", "cve-before-commit", "cve-after-answer", "cve-before-commit"):
        at_once(store)
        node.start("--only", "ticker", environ={"MAILROUTER_FAILPOINT": point}, ready=False)
        if point == "cve-before-commit" and not service.ids:
            until(lambda: bool(service.ids), "the lost answer")
            until(lambda: store.one("SELECT trouble FROM cve_orders") != "", "its trouble")
            node.kill()
            continue
        assert node.wait() == DIED
    at_once(store)
    node.start("--only", "ticker")
    until(lambda: store.one("SELECT cve FROM vulnerabilities") != "", "the ID")
    in_order(store, service)
    assert service.requests("POST") == 1


@pytest.mark.long
@pytest.mark.row("R03")
def test_many_deaths(migrated_url: str, daemons: Daemons, service: CveService) -> None:
    """Cases one after the other, each with deaths and failures of the service in any order."""
    node, store, chance = a_node(daemons, migrated_url, service), Store(migrated_url), dice()
    cases = int(os.environ.get("FAULT_CASES", "20"))
    with tools_of(node) as tools:
        for number in range(cases):
            vu = 200000 + number
            coordinate.open_case(tools, ANALYST, "A case", vu)
            reserving.order(tools, ANALYST, vu, None)
    wanted = "SELECT count(*) FROM cve_orders WHERE state = 'wanted'"
    untried = f"{wanted} AND not_before IS NULL"
    unanswered = f"{wanted} AND (not_before IS NULL OR trouble = '')"
    while store.one(wanted):
        kinds = ("close", "500", "garbage", "429")
        service.next = [Trouble(chance.choice(kinds), done=chance.random() < 0.7) for _ in range(chance.randrange(3))]
        at_once(store)
        point = chance.choice([*points("cve"), "none"])
        node.start("--only", "ticker", environ={"MAILROUTER_FAILPOINT": point}, ready=False)
        begun = untried if chance.random() < 0.3 else unanswered
        until(lambda begun=begun: not node.running or not store.one(begun), "its death, or a try of each")  # type: ignore[misc]
        node.kill()  # perhaps while the last one is asked for
    in_order(store, service)
    assert len(service.ids) == cases
