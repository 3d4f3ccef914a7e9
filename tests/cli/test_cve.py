"""`mailrouter cve …`, as an analyst types it, against a service on a real socket."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from mailrouter.settings.model import Cve
from mailrouter.store import cases, notes
from tests.case.notes import NOTE
from tests.cli.console import Console
from tests.flow.world import VENDOR, VU
from tests.servers import cveservice
from tests.servers.clock import Clock
from tests.servers.cveservice import KEY, ORG, USER, CveService, Trouble

CASE, ONE = f"VU#{VU}", "CVE-2026-10001"


@pytest.fixture
def service(clock: Clock) -> Iterator[CveService]:
    with cveservice.running(clock) as started:
        yield started


@pytest.fixture
def desk(console: Console, service: CveService) -> Console:
    """Alice at a case with one vendor that was written to; the house has an account."""
    console.world.vendor_case()
    tools = console.world.tools
    account = Cve(service.url, ORG, USER, KEY)
    console.world.tools = replace(tools, settings=replace(tools.settings, cve=account))
    return console


def released(desk: Console) -> None:
    """The case's note is published, and names the ID."""
    with desk.world.writing() as tx:
        case = cases.by_vu(tx, VU)
        found = replace(NOTE.vulnerabilities[0], cve=ONE)
        made = notes.make(
            tx, case.id, replace(NOTE, vulnerabilities=(found,)), "text", desk.world.clock(),
            by="alice", written_by="alice", why="First published",
        )  # fmt: skip
        notes.decide(tx, made.id, "alice", desk.world.clock())
        notes.release(tx, made.id, desk.world.clock())


def test_an_id_from_order_to_record(desk: Console, service: CveService) -> None:
    assert desk.out("cve", "list") == "No CVE ID.\n"
    assert desk.out("cve", "reserve", CASE) == f"{CASE}.1: {ONE}\n"
    [row] = desk.json("cve", "list")
    assert row == {
        "cve": ONE, "state": "reserved", "source": "reserved", "vulnerability": f"{CASE}.1", "unused": False,
        "reserved_at": "2026-03-02T09:00:00Z", "record_at": None,
    }  # fmt: skip
    assert desk.out("cve", "problem", f"{CASE}.1", "--cwe", "79") == f"{CASE}.1: CWE-79\n"
    assert "never the first publication" in desk.refused("cve", "publish", CASE, status=1)
    released(desk)
    record = json.loads(desk.out("cve", "record", CASE))
    assert record["affected"][0]["vendor"] == "ACME"
    assert service.ids[ONE].record is None
    assert desk.out("cve", "publish", CASE).startswith(f"{CASE}.1: {ONE}: public since 2026-03-02")
    assert service.states() == {ONE: "PUBLISHED"}
    [shown] = desk.json("cve", "show", CASE)["vulnerabilities"]
    assert (shown["cve"], shown["cwe"], shown["record_at"]) == (ONE, "CWE-79", "2026-03-02T09:00:00Z")
    assert [(order["what"], order["state"]) for order in shown["orders"]] == [("reserve", "done"), ("record", "done")]
    assert "record: 2026-03-02 09:00" in desk.out("cve", "show", CASE)
    assert "known to be public" in desk.refused("cve", "recorded", CASE, status=1)
    assert "nothing to publish" in desk.out("cve", "publish", CASE)


def test_the_account(desk: Console, service: CveService) -> None:
    assert desk.out("cve", "check") == f"{ORG}, {USER}: active; 100 IDs left\n"
    assert desk.json("cve", "check") == {"org": ORG, "user": USER, "active": True, "left": 100}
    service.next = [Trouble("500")]
    assert "in trouble itself" in desk.refused("cve", "check", status=1)


def test_a_service_that_does_not_answer(desk: Console, service: CveService) -> None:
    service.next = [Trouble("close", done=True)]
    assert "the service has not given it yet" in desk.out("cve", "reserve", CASE)
    assert [(row["cve"], row["state"]) for row in desk.json("cve", "list")] == [(None, "wanted")]
    assert "tried 1 times: it cannot be reached" in desk.out("cve", "show", CASE)


def test_what_is_given_back(desk: Console, service: CveService) -> None:
    desk.run("cve", "reserve", CASE)
    desk.run("cve", "set", CASE, "CVE-2026-77777", "--by", VENDOR)
    assert "unused" in desk.out("cve", "list")
    assert desk.out("cve", "reject", ONE, "--why", "the vendor gave its own") == f"{ONE}: rejected\n"
    assert [(row["cve"], row["state"], row["unused"]) for row in desk.json("cve", "list")] == [
        (ONE, "rejected", False), ("CVE-2026-77777", "assigned", False),
    ]  # fmt: skip
    assert "is rejected; only a reserved one" in desk.refused("cve", "reject", ONE, "--why", "x", status=1)
    assert "its note is not published" in desk.refused("cve", "recorded", CASE, status=1)
    desk.run("case", "public", CASE, "--why", "a blog")
    assert desk.out("cve", "recorded", CASE) == f"{CASE}.1: the record of CVE-2026-77777 is public\n"
    assert "not known to be public" in desk.out("cve", "recorded", CASE, "--undo", "--why", "of another")
    assert "--undo needs --why" in desk.refused("cve", "recorded", CASE, "--undo", status=2)


def test_the_vendor_first(desk: Console) -> None:
    desk.run("vendor", "set", VENDOR, "--cna")
    assert f"{VENDOR} can assign" in desk.refused("cve", "reserve", CASE, status=1)
    assert f"{CASE}: {VENDOR} is asked; letter " in desk.out("cve", "ask", CASE)
    assert f"can assign: {VENDOR}" in desk.out("cve", "show", CASE)
    assert desk.out("cve", "reserve", f"{CASE}.1", "--why", "silent for two months") == f"{CASE}.1: {ONE}\n"
    assert desk.json("cve", "show", CASE)["vulnerabilities"][0]["why"] == "silent for two months"


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("cve", "set", CASE, "2026-1"), 2, "a CVE ID is written CVE-2026-12345"),
        (("cve", "set", "VU", "CVE-2026-12345"), 2, "a vulnerability is written VU#123456.1"),
        (("cve", "set", f"{CASE}.9", "CVE-2026-12345"), 1, "no vulnerability"),
        (("cve", "set", CASE, "CVE-2026-12345", "--by", "Nobody"), 1, "takes no part"),
        (("cve", "problem", CASE), 2, "nothing to do"),
        (("cve", "problem", CASE, "--cwe", "XSS"), 2, "a weakness is written CWE-79"),
        (("cve", "problem", CASE, "--cvss", "9.8"), 2, "this is no CVSS vector"),
        (("cve", "problem", CASE, "--text", "a", "--file", "-"), 2, "not both"),
        (("cve", "reject", ONE, "--why", "x"), 1, "none that the CVE service gave us"),
        (("cve", "record", CASE), 1, "has no published note"),
        (("cve", "record", CASE, "--preview"), 1, "has no draft: `mailrouter note write`"),
        (("cve", "recorded", CASE), 1, "it has no CVE ID"),
        (("cve", "ask", CASE), 1, "no vendor of this case is known to be a CNA"),
        (("cve", "show", "VU#999999"), 1, "no case VU#999999"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    desk: Console, arguments: tuple[str, ...], status: int, said: str
) -> None:
    assert said in desk.refused(*arguments, status=status)


def test_without_an_account(console: Console) -> None:
    console.world.vendor_case()
    assert "no CVE account is configured" in console.out("cve", "reserve", CASE)
    assert "no CVE account is configured" in console.refused("cve", "check", status=2)
