"""`mailrouter proposal`: what mails say, shown, taken and refused."""

import re

import pytest

from tests.cli.console import Console
from tests.flow.world import PSIRT, VU, World

BODY = "Affected: yes\r\nFixed in: 3.2.1\r\nFix expected: December 2026\r\n"
pytestmark = pytest.mark.parametrize("migrated_url", ["sqlite"], indirect=True)  # flow/ is tested on both
NUMBER = f"VU#{VU}"


@pytest.fixture
def case(console: Console) -> World:
    console.world.vendor_case()
    console.world.feed(console.world.mail(PSIRT, body=BODY))
    return console.world


def test_shown_taken_and_refused(console: Console, case: World) -> None:
    first, fix, date = console.json("proposal", "list")
    assert first == {
        "id": 1, "vu": NUMBER, "participant": "Vendor", "message": 2, "what": "affected", "value": "yes",
        "vulnerability": None, "date": None, "made_at": first["made_at"], "outcome": "open", "decided_at": None,
        "decided_by": None,
    }  # fmt: skip
    assert (fix["what"], date["value"], date["date"]) == ("fixed-in", "December 2026", "2026-12-31")
    for noun in (("case", "show", NUMBER), ("participant", "show", NUMBER, "Vendor"), ("message", "show", "2")):
        assert [one["id"] for one in console.json(*noun)["proposals"]] == [1, 2, 3]
        shown = console.out(*noun)
        assert re.search(r"^ *1 +Vendor +2 +Affected: yes$", shown, re.MULTILINE)
        assert "Take: mailrouter proposal take ID…, or --message 2\n" in shown
    [item] = console.json("queue", "show", "alice")
    assert "\nTo be taken as said, or refused: 3 (mailrouter proposal list)\n" in console.out()
    waiting = console.out("queue", "show", "alice")
    assert "message 2 says: Affected: yes; Fixed in: 3.2.1; Fix expected: December 2026\n" in waiting
    assert "  mailrouter proposal take --message 2\n" in waiting
    assert item["why"] == "answer; says: Affected: yes; Fixed in: 3.2.1; Fix expected: December 2026"
    assert "read as      2026-12-31, not for certain\n" in console.out("proposal", "show", "3")
    assert "claimed, unsigned" in console.out("proposal", "show", "3")

    assert console.out("proposal", "take", "1", "2") == (
        f"{NUMBER}: taken: Vendor says Affected: yes\n{NUMBER}: taken: Vendor says Fixed in: 3.2.1\n"
    )
    assert console.out("proposal", "refuse", "3", "--why", "another product").startswith(f"{NUMBER}: refused: ")
    assert console.out("proposal", "list", NUMBER) == "Nothing is proposed.\n"
    assert [one["outcome"] for one in console.json("proposal", "list", NUMBER, "--all")] == [
        "taken",
        "taken",
        "refused",
    ]
    assert "taken by alice" in console.out("proposal", "show", "1")
    assert "They say" not in console.out("case", "show", NUMBER)
    assert "To be taken" not in console.out()
    told = console.out("case", "timeline", NUMBER)
    assert "Vendor: affected taken as said, proposal 1" in told
    assert "Vendor: fix-expected refused, proposal 3: another" in told


def test_a_date_recorded_by_hand(console: Console, case: World) -> None:
    said = console.refused("participant", "fix", NUMBER, "Vendor", "expected", status=2)
    assert said == "say for which day they expect it, one that is to come: --at 2026-12-01"
    said = console.out("participant", "fix", NUMBER, "Vendor", "expected", "--at", "2026-12-01")
    assert said == f"{NUMBER}: Vendor expects its fix on 2026-12-01\n"
    assert [one["what"] for one in console.json("proposal", "list", NUMBER)] == ["affected", "fixed-in"]


def test_all_that_one_mail_says(console: Console, case: World) -> None:
    assert console.out("proposal", "take", "--message", "2").count("taken") == 3
    said = console.refused("proposal", "take", "--message", "2", status=1)
    assert said == "nothing that message 2 says is open"
    said = console.refused("proposal", "take", "1", status=1)
    assert said == "proposal 1 was taken before, by alice; `mailrouter proposal list` shows the open ones"


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("take",), 2, "say which: one ID or several, or --message"),
        (("take", "1", "--message", "2"), 2, "say which: one ID or several, or --message"),
        (("take", "7"), 1, "no proposal 7; `mailrouter proposal list` shows those that are open"),
        (("take", "--message", "9"), 1, "no message 9"),
        (("refuse", "--why", "x"), 2, "say which: one ID or several"),
        (("show", "7"), 1, "no proposal 7; `mailrouter proposal list` shows those that are open"),
        (("list", "VU#999999"), 1, "no case VU#999999"),
    ],
)
def test_refused_in_one_line(console: Console, case: World, arguments: tuple[str, ...], status: int, said: str) -> None:
    assert console.refused("proposal", *arguments, status=status) == said


def test_what_they_write_does_not_move_the_terminal(console: Console, case: World) -> None:
    case.feed(case.mail(PSIRT, body="We need: a\u001b[2Jb \u202ec\r\n"))
    for shown in (
        console.out("proposal", "list"),
        console.out("case", "show", NUMBER),
        console.out("queue", "show", "alice"),
    ):
        assert "\u001b" not in shown
        assert "\u202e" not in shown
