"""A clock that is set while the daemon runs (testbook/faults.md R16): no storm of letters, none left out, no rest."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.faults.scene import Store, mails, notify_vendors, send
from tests.faults.timelapse import Clock
from tests.servers.daemon import Daemon
from tests.servers.wait import until

Daemons = Callable[..., Daemon]
STORED = "250 2.0.0 Stored"
VENDORS = 3


@pytest.fixture
def node(daemons: Daemons, sqlite_copy: str, clock: Clock) -> Daemon:
    """Not started, under a clock of its own; its vendors have not answered for thirteen days."""
    made = daemons(sqlite_copy, WORKER__PROCESSES="1")
    notify_vendors(made, VENDORS, datetime.now(UTC) - timedelta(days=13))
    made.environ |= clock.environ
    return made


@pytest.fixture
def clock(tmp_path: Path) -> Clock:  # instead of the clock of tests that run in one process
    """The daemon's."""
    return Clock(tmp_path)


def follow_ups(store: Store) -> dict[str, int]:
    """How many letters of each rung there are."""
    query = "SELECT name, count(*) AS n FROM letters WHERE name LIKE 'follow-up%' GROUP BY name"
    return {row.name: row.n for row in store.rows(query)}


def until_it_beats(store: Store) -> None:
    """Wait for the next beat to have ended."""
    before = store.one("SELECT beat_at FROM nodes")
    until(lambda: store.one("SELECT beat_at FROM nodes") != before, "a beat", seconds=60)


@pytest.mark.row("R16")
@pytest.mark.long  # libfaketime keeps gpg from starting now and then; what is due is played by `beat --at` each time
def test_ten_years_at_once_are_one_letter_for_each(node: Daemon, sqlite_copy: str, clock: Clock) -> None:
    """Fourteen days are over many times; still only the first rung is written, and the next one is due later."""
    store = Store(sqlite_copy)
    node.start("--only", "smtp,ticker,worker")
    assert follow_ups(store) == {}
    clock.set("+10y")
    until(lambda: follow_ups(store) == {"follow-up-1": VENDORS}, "the first rung")
    until_it_beats(store)
    assert follow_ups(store) == {"follow-up-1": VENDORS}
    [mail] = mails(1)
    assert send(node, mail.raw) == [STORED]
    store.drained()
    store.in_order()


@pytest.mark.row("R16")
@pytest.mark.long
@pytest.mark.parametrize("offset", ["-1h", "-10y"])
def test_a_clock_set_back_stops_no_beat(node: Daemon, sqlite_copy: str, clock: Clock, offset: str) -> None:
    """Nothing falls due, mail is received; and when the clock is right again, what is due is done once."""
    store = Store(sqlite_copy)
    node.start("--only", "smtp,ticker,worker")
    until_it_beats(store)
    clock.set(offset)
    for _ in range(2):
        until_it_beats(store)
    [mail] = mails(1)
    assert send(node, mail.raw) == [STORED]
    store.drained()
    assert follow_ups(store) == {}
    clock.set("+2d")
    until(lambda: follow_ups(store) == {"follow-up-1": VENDORS}, "the first rung", seconds=60)
    store.in_order()


@pytest.mark.row("R16")
@pytest.mark.long
def test_a_start_under_a_clock_far_back_and_one_far_ahead(node: Daemon, sqlite_copy: str, clock: Clock) -> None:
    """A machine that boots with a wrong clock, is set right, and boots ahead: each rung once, in its order."""
    store = Store(sqlite_copy)
    for offset, expected in (
        ("-10y", {}),
        ("+0", {}),
        ("+1y", {"follow-up-1": VENDORS}),
        ("+2y", {"follow-up-1": VENDORS, "follow-up-2": VENDORS}),
    ):
        clock.set(offset)
        node.start("--only", "ticker")
        # Two minutes: gpg's clock is set as well, and the beat after one it made fail is fifteen seconds later.
        until(lambda expected=expected: follow_ups(store) == expected, f"the letters at {offset}", seconds=120)
        assert node.terminate() == 0
        assert follow_ups(store) == expected
    store.in_order()
