"""SIGKILL while notes are published (testbook/faults.md R03): readers have one whole site, nobody is told twice."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from mailrouter import clock
from mailrouter.flow.casework import contacting, coordinate
from mailrouter.store import cases, contacts, notes
from tests.case.notes import NOTE
from tests.faults.readers import Reader, mark
from tests.faults.scene import ANALYST, Store, dice, tools_of
from tests.servers.daemon import Daemon
from tests.servers.wait import until

VUS, VENDORS = (174254, 283363), ("Acme", "Bolt")
LONGEST = 0.5  # seconds that a build lives at most
long = pytest.mark.long


def two_cases(node: Daemon) -> None:
    """Each with two vendors that were written to."""
    with tools_of(node) as tools:
        for vendor in VENDORS:
            with tools.db.write() as tx:
                contacts.add_contact(tx, contacts.add(tx, vendor).id, f"psirt@{vendor.lower()}.example")
        for vu in VUS:
            coordinate.open_case(tools, ANALYST, "A case", vu)
            for vendor in VENDORS:
                coordinate.add_vendor(tools, ANALYST, vu, vendor)
            contacting.notify(tools, ANALYST, vu, without_details=True)


def decide(node: Daemon, number: int) -> None:
    """The next revision of both notes, in one transaction: a reader has both of them, or none."""
    with tools_of(node) as tools, tools.db.write() as tx:
        for vu in VUS:
            case, note = cases.by_vu(tx, vu), replace(NOTE, vu=vu)
            note = replace(note, sections=replace(note.sections, overview=mark(number)))
            made = notes.make(tx, case.id, note, "", clock.now(), by="ana", written_by="ana", why="Another round")
            notes.decide(tx, made.id, "ana", clock.now())


def builds(node: Daemon) -> set[tuple[str, int]]:
    """The site's folders, and when something came to be in them: it changes as soon as one is being built."""
    found = set()
    for one in node.data.glob("site.*"):
        with suppress(FileNotFoundError):
            found.add((one.name, one.stat().st_ctime_ns))
    return found


def in_between(store: Store) -> int:
    """Decided, and not released."""
    waiting = "SELECT count(*) FROM revisions WHERE decided_at IS NOT NULL AND released_at IS NULL"
    return int(store.one(waiting))


@pytest.mark.row("R03")
@pytest.mark.parametrize("kills", [2, pytest.param(100, marks=long)])
def test_killed_while_it_publishes(migrated_url: str, daemons: Callable[..., Daemon], kills: int) -> None:
    chance = dice()
    node, store = daemons(migrated_url, WORKER__PROCESSES="1"), Store(migrated_url)
    two_cases(node)
    with Reader(Path(node.data, "site")) as reader:
        for number in range(kills):
            decide(node, number)
            there = builds(node)
            node.start("--only", "worker", ready=False)
            until(lambda there=there: builds(node) != there, "a build to begin")
            time.sleep(LONGEST * chance.random() ** 3)
            node.kill()
        node.start("--only", "worker")
        until(lambda: in_between(store) == 0, "all to be released", seconds=120)
        until(lambda: {one.state for one in store.letters()} == {"sent"}, "the letters to leave")
    rounds = reader.whole()
    assert rounds == sorted(rounds)
    assert rounds[-1] == kills - 1
    told_once(store, kills)
    assert len([one for one in node.data.iterdir() if one.name.startswith("site.")]) <= 2


def told_once(store: Store, revisions: int) -> None:
    """Each revision is released once, and each vendor has one letter about each."""
    released = store.rows("SELECT chain, data FROM journal WHERE kind = 'note.released'")
    assert len(set(released)) == len(released) == revisions * len(VUS)
    letters = [one.name for one in store.letters() if one.name in ("published", "revised")]
    assert letters.count("published") == len(VUS) * len(VENDORS)
    assert letters.count("revised") == (revisions - 1) * len(VUS) * len(VENDORS)
    store.in_order()
