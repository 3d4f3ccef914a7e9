"""`mailrouter beat`: foretold, and done, at any time."""

from datetime import timedelta

import pytest

from tests.cli.console import Console
from tests.flow.world import PSIRT, VENDOR, VU
from tests.servers.clock import START


@pytest.fixture
def silent(console: Console) -> Console:
    """A vendor was written to, and says nothing."""
    console.world.vendor_case()
    return console


def test_nothing_is_due_before_day_14(silent: Console) -> None:
    assert silent.json("beat", "--dry-run", "--at", "2026-03-16T08:59:59Z") == []
    assert silent.out("beat", "--dry-run") == "nothing is due\n"


@pytest.mark.parametrize("at", ["2026-03-16T09:00:00Z", "2026-03-16T10:00+01:00", "2026-03-17", "2027-03-17"])
def test_foretold_without_being_done(silent: Console, at: str) -> None:
    for _ in range(2):
        told, *_ = silent.json("beat", "--dry-run", "--at", at)
        assert (told["vu"], told["participant"], told["kind"], told["rung"]) == (f"VU#{VU}", VENDOR, "follow-up", 1)
        assert (told["due_at"], told["does"], told["writes"]) == ("2026-03-16T09:00:00Z", "letter follow-up-1", True)
    assert silent.world.follow_ups() == []
    assert f"VU#{VU}" in silent.out("beat", "--dry-run", "--at", at)


def test_done_once_with_both_times_in_the_journal(silent: Console) -> None:
    [told] = silent.json("beat", "--at", "2026-03-16T09:00Z")
    assert told["does"] == "letter follow-up-1"
    assert silent.json("beat", "--at", "2026-03-16T09:00Z") == []
    [letter] = silent.world.follow_ups()
    assert letter.made_at == START  # queued for the real now
    entry = next(e for e in silent.world.journal() if e.data.get("name") == "follow-up-1")
    assert (entry.at, entry.data["at"], entry.actor) == (START, "2026-03-16T09:00:00+00:00", "alice")
    silent.world.deliver()
    assert len(silent.world.sent_to(PSIRT)) == 2


def test_without_a_time_the_present_counts(silent: Console) -> None:
    assert silent.json("beat") == []
    silent.world.clock.forward(days=14)
    done = silent.run("beat")
    assert "letter follow-up-1" in done.stdout
    assert "done: 1 due at 2026-03-16 09:00 UTC" in done.stderr


def test_a_beat_tells_people_too(console: Console) -> None:
    console.world.feed(console.world.mail("finder@lab.example", "A report"))
    console.run("beat")
    assert [letter.recipient for letter in console.world.letters("analyst-arrival")] == ["alice@cert.example"]


def test_an_answer_before_it_is_due(silent: Console) -> None:
    silent.world.clock.forward(days=1)
    silent.world.feed(silent.world.mail(PSIRT))
    told = silent.json("beat", "--dry-run", "--at", (START + timedelta(days=15)).isoformat())
    assert [found["kind"] for found in told] == ["answer"]  # now we are late, and nobody is written to
    assert not any(found["writes"] for found in told)


@pytest.mark.parametrize("wrong", ["tomorrow", "2026-13-01", "2026-03-16T09:00", "0", ""])
def test_no_time(console: Console, wrong: str) -> None:
    assert "2026-12-01" in console.refused("beat", "--at", wrong, "--dry-run", status=2)


def test_clocks_of_cases_and_reports_are_foretold_and_played_too(silent: Console) -> None:
    silent.world.deliver()
    silent.world.feed(silent.world.mail("jo@finder.example", "A flaw in the AX-7", "It crashes.\r\n"))
    at = ("--at", "2026-05-01")
    foretold = {(row["kind"], row["does"]) for row in silent.json("beat", "--dry-run", *at)}
    assert foretold >= {("publication", "notice to the analyst"), ("follow-up", "letter follow-up-1")}
    [decision] = [row for row in silent.json("beat", "--dry-run", *at) if row["kind"] == "decision"][:1]
    assert (decision["vu"], decision["participant"].startswith("VRF#"), decision["does"]) == (
        None, True, "notice to triage",
    )  # fmt: skip
    assert {(row["kind"], row["does"]) for row in silent.json("beat", *at)} >= foretold
    assert silent.json("beat", "--dry-run", "--at", "2026-03-02") == []
