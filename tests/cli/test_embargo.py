"""`embargo propose|accept|refuse|record|extend|end|show|list`, and what `case show` tells of it."""

import pytest

from tests.cli.console import Console
from tests.flow.world import PSIRT, VENDOR, VU

CASE = f"VU#{VU}"
WHY = ("--why", "they need time")


@pytest.fixture
def desk(console: Console) -> Console:
    """Alice at a case with one vendor that was written to."""
    console.world.vendor_case()
    return console


def test_a_date_from_its_proposal_to_its_end(desk: Console) -> None:
    said = desk.out("embargo", "propose", CASE, "2026-06-01T11:00", "--zone", "Europe/Berlin", "--by", VENDOR, *WHY)
    assert said == (
        f"{CASE}: proposed as number 2: 2026-06-01 09:00 UTC (11:00 Europe/Berlin); who was contacted is asked\n"
    )
    assert "date 2 is proposed: 2026-06-01 09:00 UTC" in desk.out("case", "show", CASE)
    assert desk.out("embargo", "record", CASE, VENDOR, "accepted", "2", *WHY) == (
        f"{CASE}: {VENDOR} accepted number 2: 2026-06-01 09:00 UTC (11:00 Europe/Berlin)\n"
    )
    assert "ends 2026-06-01 09:00 UTC" in desk.out("embargo", "accept", CASE)
    shown = desk.json("case", "show", CASE)["embargo"]
    assert (shown["state"], shown["ends_at"], shown["zone"], shown["agreed"], shown["stands"]) == (
        "ACTIVE", "2026-06-01T09:00:00Z", "Europe/Berlin", 2, None,
    )  # fmt: skip
    assert [(one["number"], one["state"], one["asked_by"], one["answers"]) for one in shown["terms"]] == [
        (1, "replaced", None, {VENDOR: "invited"}), (2, "agreed", VENDOR, {VENDOR: "accepted"}),
    ]  # fmt: skip
    assert "embargo date 2: 1 accepted" in desk.out("case", "show", CASE)
    letter = desk.world.letters("embargo-changed")[0]
    assert "2026-06-01 09:00 UTC (11:00 Europe/Berlin)" in " ".join(letter.body.split())
    assert "proposed as number 3" in desk.out("embargo", "extend", CASE, "2026-07-01", *WHY)
    assert desk.out("embargo", "refuse", CASE, "3", *WHY) == f"{CASE}: number 3 is refused; embargo active\n"
    assert desk.out("embargo", "end", CASE, *WHY) == f"{CASE}: embargo exited; all participants are told\n"
    assert desk.json("embargo", "list") == []


def test_what_there_is_is_shown(desk: Console) -> None:
    desk.run("embargo", "record", CASE, VENDOR, "accepted", *WHY)
    desk.run("embargo", "propose", CASE, "2026-06-01", *WHY)
    [row] = desk.json("embargo", "list")
    assert (row["vu"], row["bound"], row["embargo"]["state"], row["embargo"]["stands"]) == (
        CASE, [VENDOR], "REVISE", 2,
    )  # fmt: skip
    listed = desk.out("embargo", "list")
    for words in (CASE, "revise", "2026-04-16 09:00", VENDOR, "2: 2026-06-01 09:00"):
        assert words in listed
    shown = desk.out("embargo", "show", CASE)
    for words in ("bound by it", VENDOR, "the shorter stands: 2026-06-01 09:00 UTC, number 2", "accepted", "invited"):
        assert words in shown
    assert desk.json("embargo", "show", CASE) == row


def test_no_embargo_is_shown_as_none(console: Console) -> None:
    assert console.out("embargo", "list") == "No case has an embargo.\n"
    console.world.case()
    assert "No date was ever proposed." in console.out("embargo", "show", CASE)


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("propose", CASE, "2026-06-01T11:00", *WHY), 2, "needs its zone"),
        (("propose", CASE, "2026-06-01", "--zone", "Mars", *WHY), 2, "is no time zone"),
        (("propose", CASE, "2026-03-01", *WHY), 2, " UTC, which lies in the past"),
        (("propose", CASE, "2026-06-01", "--zone", "", *WHY), 2, "name a time zone"),
        (("propose", CASE, "soon", *WHY), 2, "is no date"),
        (("propose", CASE, "1999-01-01", *WHY), 2, "outside the years"),
        (("propose", CASE, "2026-06-01"), 2, "Missing option '--why'"),
        (("propose", CASE, "2026-06-01", "--by", "Nobody", *WHY), 1, "takes no part"),
        (("extend", CASE, "2026-03-20", *WHY), 2, "that extends nothing"),
        (("accept", CASE), 1, "no date is proposed"),
        (("accept", CASE, "9"), 1, "has no proposed date 9"),
        (("refuse", CASE, "1", *WHY), 1, "is agreed by mailrouter: it was decided before"),
        (("record", CASE, VENDOR, "maybe", *WHY), 2, "'maybe' is not one of"),
        (("record", CASE, VENDOR, "accepted", "9", *WHY), 1, "has no proposed date 9"),
    ],
)
@pytest.mark.parametrize("migrated_url", ["sqlite"], indirect=True)
def test_what_cannot_be_is_one_line(desk: Console, arguments: tuple[str, ...], status: int, said: str) -> None:
    assert said in desk.refused("embargo", *arguments, status=status)


def test_an_extension_that_was_declined_names_who_declined(desk: Console) -> None:
    desk.run("embargo", "extend", CASE, "2026-07-01", *WHY)
    desk.run("embargo", "record", CASE, VENDOR, "declined", *WHY)
    assert desk.refused("embargo", "accept", CASE, status=1).startswith(f"{VENDOR} declined this extension")
    desk.run("embargo", "accept", CASE, "--despite-declines", *WHY)


def test_a_login_that_is_no_analysts_decides_nothing(desk: Console) -> None:
    desk.run("embargo", "propose", CASE, "2026-06-01", *WHY)
    assert "needs an analyst" in desk.as_login("eve").refused("embargo", "accept", CASE, status=1)


@pytest.mark.row("S37")
def test_a_hostile_answer_reaches_no_terminal(desk: Console) -> None:
    desk.world.feed(desk.world.mail(PSIRT, body="Embargo: \x1b[31m2026-06-01\r\n"))
    for words in (desk.out("proposal", "list"), desk.out("embargo", "show", CASE), desk.out("queue", "list")):
        assert "\x1b" not in words
