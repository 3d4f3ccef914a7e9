"""`note share`, `note shown`, `note acknowledged`, `case alert`, and what else tells of them."""

import pytest

from mailrouter.case.note import Sections
from mailrouter.flow.casework import coordinate
from mailrouter.flow.composing import writing
from tests.cli.console import Console
from tests.flow.world import PSIRT, VENDOR, VU

SECTIONS = Sections("Overflow in everything", "It overflows.", "At length.", "Bad.", "Update.", "")


@pytest.fixture
def office(console: Console) -> Console:
    """A vendor with a key, a downstream one without; a draft is written, on the tenth day."""
    world = console.world
    world.organisation("Bolt", "psirt@bolt.example")
    world.vendor_case(key=True)
    coordinate.add_vendor(world.tools, world.alice, VU, "Bolt", downstream=True)
    console.run("case", "notify", str(VU), "--without-details")
    world.deliver()
    world.day(10)
    writing.write(world.tools, world.alice, VU, SECTIONS)
    return console


def test_kept_shown_acknowledged_and_told_everywhere(office: Console) -> None:
    world = office.world
    assert office.out("note", "share", str(VU)) == f"VU#{VU}: the newest draft is shown on 2026-04-06 09:00 UTC\n"
    told = office.json("case", "timeline", str(VU))
    assert [(step["kind"], step["what"]) for step in told if step["kind"] == "draft.ordered"] == [
        ("draft.ordered", "the draft is to be shown on 2026-04-06 09:00")
    ]
    assert ("the draft of the note", "letter draft to 2") in [(step["what"], step["does"]) for step in told]
    page = office.out("case", "show", str(VU))
    for line in ("the draft of the note: 2", "alert to downstream vendors: Bolt", "reminder to silent vendors: 2"):
        assert line in page
    world.day(35)
    foretold = office.json("beat", "--dry-run")
    assert ("draft", "letter draft to 2") in [(one["kind"], one["does"]) for one in foretold]
    office.run("beat")
    office.run("note", "acknowledged", str(VU), VENDOR, "--why", "said so on the telephone")
    [bolt, vendor] = sorted(office.json("note", "shown", str(VU)), key=lambda one: one["participant"])
    assert bolt == {
        "participant": "Bolt", "revision": None, "draft": None, "letter": None, "shown_at": None,
        "acknowledged_at": None, "acknowledged_by": None, "comments": None,
    }  # fmt: skip
    assert (vendor["revision"], vendor["draft"], vendor["acknowledged_by"]) == (1, 1, "alice")
    lines = office.out("note", "shown", str(VU)).splitlines()
    assert [line.split()[:2] for line in lines[2:]] == [[VENDOR, "1.1"], ["Bolt", "none"]]
    everyone = {one["name"]: one for one in office.json("case", "show", str(VU))["participants"]}
    assert everyone[VENDOR]["draft_shown"] == {"revision": 1, "draft": 1, "shown_at": "2026-04-06T09:00:00Z"}
    assert everyone[VENDOR]["draft_acknowledged_at"] == "2026-04-06T09:00:00Z"
    assert everyone["Bolt"]["draft_shown"] is None
    told = [step["what"] for step in office.json("case", "timeline", str(VU))]
    assert f"{VENDOR} shown revision 1, draft 1" in told
    assert f"{VENDOR} has seen revision 1, draft 1" in told


def test_at_once_by_name_and_who_cannot_read_it_is_said(office: Console) -> None:
    assert "--now for some" in office.refused("note", "share", str(VU), VENDOR, status=1)
    done = office.run("note", "share", str(VU), "--now")
    assert done.stdout.splitlines() == [
        f"VU#{VU}: letter 3 (message 3) shows revision 1, draft 1 to {VENDOR}",
        f"VU#{VU}: no letter to Bolt: no usable key, and no consent to clear text",
    ]
    assert office.refused("note", "share", str(VU), "--now", "--at-due", status=2)
    assert "needs an analyst" in office.as_login("root").refused("note", "share", str(VU), "--now", status=1)


def test_an_alert_by_command(office: Console) -> None:
    world = office.world
    assert office.out("case", "alert", str(VU)) == f"VU#{VU}: letter 3 (message 3) alerts Bolt\n"
    assert "they were alerted for 2026-04-16" in office.refused("case", "alert", str(VU), status=1)
    world.feed(world.mail(PSIRT))
    assert "no downstream vendor below one that is silent" in office.refused("case", "alert", str(VU), status=1)


def test_a_number_beyond_its_bounds_is_said(office: Console) -> None:
    done = office.run("case", "policy", str(VU), "draft_days=20")
    assert "draft_days 20 counts as 14: a draft is shown 14 to 7 days ahead" in done.stderr
