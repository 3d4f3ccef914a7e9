"""`participant move|fix|status|dispute`, `case public|exploit|attacks|vulnerability`, `case add-…`, `remove-vendor`."""

from dataclasses import replace
from datetime import datetime

import pytest

from tests.cli.console import Console
from tests.flow.world import PSIRT, VENDOR, VU

CASE = f"VU#{VU}"


@pytest.fixture
def desk(console: Console) -> Console:
    """Alice at a case with one vendor that was written to, and another in the registry."""
    console.world.vendor_case()
    console.world.organisation("Acme", "psirt@acme.example")
    return console


def of(desk: Console, name: str = VENDOR) -> dict[str, object]:
    """One of `case show --json`."""
    return next(p for p in desk.json("case", "show", CASE)["participants"] if p["name"] == name)


def test_where_a_vendor_stands_is_recorded_and_shown(desk: Console) -> None:
    assert desk.out("case", "vulnerability", CASE, "A second flaw") == f"{CASE}.2\n"
    assert [one["id"] for one in desk.json("case", "vulnerability", CASE, "--list")] == [f"{CASE}.1", f"{CASE}.2"]
    said = desk.out("participant", "status", CASE, VENDOR, "affected", "--vulnerability", "2", "--fixed-in", "2.4")
    assert said == f"{VENDOR}: Affected ({CASE}.2)\n"
    desk.run("participant", "fix", CASE, VENDOR, "ready", "--at", "2026-03-02")
    one = of(desk)
    assert (one["statuses"], one["status"]) == ({f"{CASE}.1": "Unknown", f"{CASE}.2": "Affected"}, "Affected")
    assert (one["rm"], one["fix_ready_at"], one["fix_deployed_at"]) == ("ACCEPTED", "2026-03-02T09:00:00Z", None)
    assert [(s["vulnerability"], s["fixed_in"]) for s in one["stated"]] == [(f"{CASE}.2", "2.4")]
    shown = desk.out("participant", "show", CASE, VENDOR)
    for words in ("ACCEPTED", "aware 2026-03-02, ready 2026-03-02", "Affected; fixed in 2.4"):
        assert words in shown
    assert "Affected" in desk.out("case", "show", CASE)


def test_moves_by_hand(desk: Console) -> None:
    assert "is VALID" in desk.out("participant", "move", CASE, VENDOR, "validate", "--why", "they said so")
    assert desk.out("participant", "dispute", CASE, VENDOR) == f"{CASE}: {VENDOR} disputes it (DEFERRED)\n"
    refused = desk.refused("participant", "move", CASE, VENDOR, "receive", status=1)
    assert refused.startswith(
        "'receive' is no move from DEFERRED; from there: accept, close; DEFERRED was set by alice"
    )


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("participant", "fix", CASE, VENDOR, "deployed"), 1, "'deployed' is no move from Vfd; from there: ready"),
        (("participant", "fix", CASE, VENDOR, "ready", "--at", "2026-03-04"), 2, "lies in the future"),
        (("participant", "fix", CASE, VENDOR, "ready", "--at", "2026-03-01T10:00"), 2, "has no zone"),
        (("participant", "fix", CASE, VENDOR, "ready", "--at", "2026-03-01"), 1, "aware only since 2026-03-02"),
        (("participant", "fix", CASE, VENDOR, "deployed", "--at", "2026-03-04"), 1, "from Vfd; from there: ready"),
        (("case", "attacks", CASE, "--why", "x", "--at", "1999-12-31"), 2, "outside the years 2000"),
        (("participant", "status", CASE, VENDOR, "affected", "--vulnerability", "7"), 1, "no vulnerability"),
        (("participant", "status", CASE, "Acme", "affected"), 1, "'Acme' takes no part in"),
        (("case", "public", CASE, "--why", "x", "--at", "2027-01-01"), 2, "lies in the future"),
        (("case", "add-coordinator", CASE, "Nobody"), 1, "no organisation is named 'Nobody'"),
        (("case", "add-reporter", CASE, "a@b@c"), 2, "is"),
        (("case", "remove-vendor", CASE, "Acme", "--why", "x"), 1, "takes no part"),
        (("case", "show", "VU#999999"), 1, "no case VU#999999"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    desk: Console, arguments: tuple[str, ...], status: int, said: str
) -> None:
    assert said in desk.refused(*arguments, status=status)


def test_a_fix_without_a_date_is_there_now_though_the_clock_runs_on(desk: Console) -> None:
    clock = desk.world.clock

    def ticking() -> datetime:
        return clock.forward(seconds=0.001)

    desk.world.tools = replace(desk.world.tools, now=ticking)
    desk.clock = ticking
    assert desk.out("participant", "fix", CASE, VENDOR, "ready") == f"{CASE}: {VENDOR} is VFd\n"
    assert desk.out("participant", "fix", CASE, VENDOR, "deployed") == f"{CASE}: {VENDOR} is VFD\n"
    assert "pxA" in desk.out("case", "attacks", CASE, "--why", "a sensor")
    assert "kept as message" in desk.out("case", "log", CASE, VENDOR, "they called", "--by", "phone")


@pytest.mark.parametrize("said", [("status", "affected"), ("status", "not-affected"), ("dispute",)])
def test_whose_answer_is_recorded_by_hand_is_reminded_no_more(desk: Console, said: tuple[str, ...]) -> None:
    desk.world.deliver()
    desk.world.day(3)
    verb, *word = said
    desk.run("participant", "status", CASE, VENDOR, "unknown")
    assert desk.world.turn() == "them"
    desk.run("participant", verb, CASE, VENDOR, *word)
    one = desk.world.participant()
    assert (one.progress, one.waiting_on, one.last_heard_at) == (
        "answered" if word else "disputed", "nobody", desk.world.clock(),
    )  # fmt: skip
    assert {d.outcome for d in desk.world.deadlines(everything=True)} == {"answered"}
    assert [d for d in desk.world.clocks() if d.participant_id and d.done_at is None] == []
    desk.world.day(60)
    desk.world.beat(everything=True)
    assert desk.world.follow_ups() == []
    assert desk.world.breaks() == []


def test_what_is_known_of_a_vendor_before_it_is_written_to_keeps_no_letter_from_it(desk: Console) -> None:
    desk.run("case", "add-vendor", CASE, "Acme")
    desk.run("participant", "status", CASE, "Acme", "affected")
    assert desk.world.participant("Acme").progress == "not contacted"


def test_what_the_world_knows(desk: Console) -> None:
    assert desk.out("case", "attacks", CASE, "--why", "a sensor", "--end-embargo") == f"{CASE}: pxA, embargo exited\n"
    assert (
        desk.out("case", "exploit", CASE, "--why", "a blog", "--at", "2026-03-01") == f"{CASE}: PXA, embargo exited\n"
    )
    shown = desk.json("case", "show", CASE)
    assert (shown["public_at"], shown["exploit_public_at"]) == ("2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z")
    assert "'public' is no move from PXA; from there: none" in desk.refused(
        "case", "public", CASE, "--why", "x", status=1
    )
    head = desk.out("case", "show", CASE).split("\n\n")[0]
    assert "public since 2026-03-01; exploit public since" in head.replace("\n", " ")
    assert max(map(len, head.splitlines())) <= 100


def test_an_embargo_that_has_ended_shows_on_which_day(desk: Console) -> None:
    desk.world.deliver()
    assert "embargo active until 2026-04-16" in desk.out("case", "show", CASE)
    desk.world.day(1)
    desk.run("case", "public", CASE, "--why", "a blog")
    assert "embargo exited on 2026-03-03" in desk.out("case", "show", CASE)


def test_coming_and_going(desk: Console) -> None:
    assert "is suspected in" in desk.out("case", "add-vendor", CASE, "Acme", "--suspected")
    assert "writes to it" in desk.out("case", "add-vendor", CASE, "Acme")
    assert "as vendor, reporter" in desk.out("case", "add-reporter", CASE, PSIRT)
    assert "as vendor, coordinator" in desk.out("case", "add-coordinator", CASE, "Acme")
    desk.run("case", "remove-vendor", CASE, VENDOR, "--why", "ships it no more")
    gone = of(desk)
    assert (gone["left_at"], gone["left_why"]) == ("2026-03-02T09:00:00Z", "ships it no more")
    assert "ships it no more" in desk.out("participant", "show", CASE, VENDOR)
    assert "left 2026-03-02" in desk.out("case", "show", CASE)
    assert "brings them back" in desk.refused("case", "write", CASE, VENDOR, "--file", "-", status=1, given="x")
    assert "as vendor, reporter; contacted" in desk.out("case", "add-vendor", CASE, VENDOR)


def test_one_case_goes_on_in_another(desk: Console) -> None:
    desk.run("case", "open", "The same again", "--vu", "654321")
    said = desk.out("case", "merge", CASE, "VU#654321", "--why", "the same flaw")
    assert said == f"{CASE} goes on in VU#654321; `mailrouter case show 654321` shows it\n"
    assert desk.json("case", "show", CASE)["merged_into"] == "VU#654321"
    assert "merged into VU#654321: it goes on there" in desk.out("case", "show", CASE)
    assert [one["vu"] for one in desk.json("case", "list")] == ["VU#654321"]
    assert [p["name"] for p in desk.json("case", "show", "654321")["participants"]] == [VENDOR]
    steps = [step["what"] for step in desk.json("case", "timeline", CASE)]
    assert "merged into VU#654321: the same flaw" in steps
    refused = desk.refused("case", "close", CASE, "--why", "x", status=1)
    assert refused.startswith(f"{CASE} was merged into VU#654321, by alice on 2026-03-02")
    assert "cannot be merged into itself" in desk.refused("case", "merge", "654321", "654321", "--why", "x", status=1)


def test_closing_says_what_is_open_and_reopening_who_wrote(desk: Console) -> None:
    desk.run("case", "public", CASE, "--why", "a blog")
    desk.world.feed(desk.world.mail(PSIRT))
    refused = desk.refused("case", "close", CASE, "--why", "x", status=1)
    still = "1 participant waiting on us, no note, and no decision not to publish"
    assert refused == f"in {CASE} there is still open: {still}; `--anyway` closes it"
    desk.run("case", "close", CASE, "--why", "published", "--anyway")
    desk.world.clock.forward(days=1)
    desk.world.with_trust(answers_from="signed")  # what counts would open it by itself
    desk.world.feed(desk.world.mail(PSIRT))
    said = desk.out("case", "reopen", CASE, "--why", "there is more")
    assert said == f"{CASE} is open\nMeanwhile {PSIRT} wrote: message 4, 2026-03-03 09:00\n"
    assert desk.json("case", "show", CASE)["participants"][0]["waiting_on"] == "nobody"
