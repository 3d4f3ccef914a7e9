"""`mailrouter journal`: what happened, and whether it stands as it was written."""

import json
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, delete, insert, select, update

from mailrouter.flow.casework import coordinate
from mailrouter.store import cases, journal, tables
from tests.cli.console import Console
from tests.flow.world import VU, World

ROWS = tables.journal


@pytest.fixture
def busy(console: Console) -> Console:
    """Two cases, in each of which a few things happened, and a few in no case."""
    world = console.world
    for vu in (VU, VU + 1):
        coordinate.open_case(world.tools, world.alice, "A flaw", vu=vu)
    with world.writing() as tx:
        for vu in (VU, VU + 1):
            chain = journal.case_chain(cases.by_vu(tx, vu).id)
            for number in range(4):
                journal.write(tx, chain, world.clock(), "tested", "alice", number=number, why="été")
        journal.write(tx, journal.node_chain("n1"), world.clock(), "tested", "alice")
    return console


def chain_of(world: World, vu: int = VU) -> str:
    with world.look() as tx:
        return journal.case_chain(cases.by_vu(tx, vu).id)


def test_as_written(busy: Console) -> None:
    assert "stands as it was written (11 rows)" in busy.run("journal", "verify").stderr
    assert busy.json("journal", "verify") == {"good": True, "rows": 11, "breaks": []}


def test_an_empty_journal_stands(console: Console) -> None:
    console.run("journal", "verify")


Tamper = Callable[[Connection, str], object]


def _at(seq: int, chain: str) -> object:
    return (ROWS.c.chain == chain) & (ROWS.c.seq == seq)


TAMPERED: dict[str, tuple[Tamper, int, str]] = {
    "a changed row": (
        lambda tx, chain: tx.execute(update(ROWS).where(_at(3, chain)).values(data='{"number":7}')),
        3, "the row is not what was written",
    ),
    "another actor": (
        lambda tx, chain: tx.execute(update(ROWS).where(_at(2, chain)).values(actor="mallory")),
        2, "the row is not what was written",
    ),
    "another kind": (
        lambda tx, chain: tx.execute(update(ROWS).where(_at(1, chain)).values(kind="nothing")),
        1, "the row is not what was written",
    ),
    "a changed hash": (
        lambda tx, chain: tx.execute(update(ROWS).where(_at(4, chain)).values(hash=b"\1" * 32)),
        4, "the row is not what was written",
    ),
    "a row gone from the middle": (
        lambda tx, chain: tx.execute(delete(ROWS).where(_at(3, chain))), 3, "a row is missing",
    ),
    "the first row gone": (lambda tx, chain: tx.execute(delete(ROWS).where(_at(1, chain))), 1, "a row is missing"),
    "the tail cut off": (
        lambda tx, chain: tx.execute(delete(ROWS).where(ROWS.c.chain == chain, ROWS.c.seq > 3)),
        4, "rows are missing at the end",
    ),
    "all gone": (
        lambda tx, chain: tx.execute(delete(ROWS).where(ROWS.c.chain == chain)), 1, "rows are missing at the end",
    ),
    "the tail cut off and counted": (
        lambda tx, chain: (
            tx.execute(delete(ROWS).where(_at(5, chain))),
            tx.execute(update(tables.chains).where(tables.chains.c.chain == chain).values(length=4)),
        ),
        5, "the head does not fit",
    ),
    "the head gone": (
        lambda tx, chain: tx.execute(delete(tables.chains).where(tables.chains.c.chain == chain)),
        1, "a chain without its head",
    ),
    "a row put in": (
        lambda tx, chain: tx.execute(
            insert(ROWS).from_select(
                ["chain", "seq", "at", "kind", "actor", "data", "hash"],
                select(ROWS.c.chain, ROWS.c.seq + 1, ROWS.c.at, ROWS.c.kind, ROWS.c.actor, ROWS.c.data, ROWS.c.hash)
                .where(_at(5, chain)),
            )
        ),
        6, "the row is not what was written",
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", TAMPERED)
def test_tampering_shows(busy: Console, how: str) -> None:
    tamper, seq, what = TAMPERED[how]
    chain = chain_of(busy.world)
    with busy.world.writing() as tx:
        tamper(tx, chain)
    done = busy.run("journal", "verify", status=1)
    assert done.stderr == f"{chain} row {seq}: {what}\n"
    assert done.stdout == ""


def test_tampering_in_json(busy: Console) -> None:
    chains = [chain_of(busy.world, vu) for vu in (VU, VU + 1)]
    with busy.world.writing() as tx:
        tx.execute(delete(ROWS).where(ROWS.c.seq == 2))
    told = json.loads(busy.run("journal", "verify", "--json", status=1).stdout)
    assert told["good"] is False
    assert [found["chain"] for found in told["breaks"]] == sorted(chains)


def test_show(busy: Console) -> None:
    entries = busy.json("journal", "show", f"VU#{VU}")
    assert [e["seq"] for e in entries] == [1, 2, 3, 4, 5]
    assert (entries[0]["kind"], entries[0]["actor"], entries[0]["data"]["vu"]) == ("case.opened", "alice", VU)
    assert entries[1]["at"] == "2026-03-02T09:00:00Z"
    assert "case.opened" in busy.out("journal", "show", str(VU))


@pytest.mark.parametrize(("vu", "status"), [("VU#999999", 1), ("nonsense", 2), ("VU#", 2)])
def test_show_of_no_case(busy: Console, vu: str, status: int) -> None:
    busy.refused("journal", "show", vu, status=status)
