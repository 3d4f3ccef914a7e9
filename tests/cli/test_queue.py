"""`mailrouter queue` and `mailrouter` alone: what waits, for whom, why."""

import pytest

from tests.cli.console import Console
from tests.flow.world import PSIRT, VENDOR, VU

KEYS = {"item", "kind", "message", "vu", "from", "subject", "received_at", "standing", "why"}  # CONTRACT.md
MORE = {"suggested_vu", "about_letter", "report"}


def test_list_knows_every_queue_and_its_readers(console: Console) -> None:
    world = console.world
    world.analyst("bob", "review")
    world.vendor_case()
    world.feed(world.mail("eve@eve.example"))
    found = {q["queue"]: q for q in console.json("queue", "list")}
    assert list(found) == ["triage", "review", "bounces", "quarantine", "operator", "alice", "bob"]
    assert (found["review"]["waiting"], found["review"]["readers"]) == (1, ["alice", "bob"])
    assert found["review"]["oldest_at"] == "2026-03-02T09:00:00Z"
    assert (found["bounces"]["waiting"], found["bounces"]["readers"], found["bounces"]["oldest_at"]) == (0, [], None)
    assert "alice, bob" in console.out("queue", "list")


def test_show_has_the_keys_of_the_contract(console: Console) -> None:
    world = console.world
    world.vendor_case()
    world.feed(world.mail(PSIRT), world.mail("eve@eve.example"), world.mail("rita@home.example", "a new flaw"))
    assert console.json("queue", "show", "alice") == [
        {"item": 1, "kind": "mail", "message": 2, "vu": f"VU#{VU}", "from": PSIRT, "subject": f"Re: VU#{VU}",
         "received_at": "2026-03-02T09:00:00Z", "standing": "claimed", "why": "answer",
         "suggested_vu": None, "about_letter": None, "report": None},
    ]  # fmt: skip
    review, triage = console.json("queue", "show", "review"), console.json("queue", "show", "triage")
    assert (review[0]["vu"], review[0]["standing"]) == (f"VU#{VU}", "stranger")
    assert (triage[0]["vu"], triage[0]["subject"]) == (None, "a new flaw")
    assert triage[0]["report"] == world.report().vrf
    assert set(review[0]) == set(triage[0]) == KEYS | MORE


def test_notices_wait_too(console: Console) -> None:
    world = console.world
    world.vendor_case()
    console.run("case", "write", str(VU), VENDOR, "--file", "-", "--confidential", given="x\n")
    world.deliver()
    notice = console.json("queue", "show", "alice")[0]
    assert (notice["kind"], notice["message"], notice["from"], notice["subject"]) == ("notice", None, VENDOR, "")
    assert "is held" in notice["why"]
    assert "notice" in console.out("queue", "show", "alice")


@pytest.mark.row("S37")
def test_people_read_it_on_100_columns_whatever_it_holds(console: Console) -> None:
    world = console.world
    world.feed(world.mail(f"{'x' * 60}@eve.example", "=?utf-8?q?=1B[2J=E2=80=AE?= " + "long " * 60))
    shown = console.out("queue", "show", "triage")
    assert max(map(len, shown.splitlines())) <= 100
    assert not {"\x1b", "\u202e"} & set(shown)
    assert console.out("queue", "show", "bounces") == "Nothing waits here.\n"


def test_done_is_nobodys_turn(console: Console) -> None:
    world = console.world
    world.vendor_case()
    world.feed(world.mail(PSIRT))
    assert world.turn() == "us"
    assert console.out("queue", "done", "1") == "item 1 is done\n"
    assert console.json("queue", "show", "alice") == []
    assert world.turn() == "nobody"
    assert console.refused("queue", "done", "1", status=1) == "item 1 was done before, by alice"


def test_a_queue_nobody_knows(console: Console) -> None:
    said = console.refused("queue", "show", "nowhere", status=1)
    assert said == "no queue 'nowhere'; there are triage, review, bounces, quarantine, operator, alice"


# ---- alone -----------------------------------------------------------------------------------------------------------


def test_alone_what_waits_for_me(console: Console) -> None:
    world = console.world
    world.analyst("bob", "bounces")
    world.vendor_case()
    world.feed(world.mail(PSIRT), world.mail("rita@home.example", "a new flaw"))
    console.run("case", "write", str(VU), VENDOR, "--file", "-", "--confidential", "--no-question", given="x\n")
    world.feed(world.mail(PSIRT))
    world.deliver()
    page = console.out()
    assert page.startswith("You are alice.\n")
    for part in ("triage", f"VU#{VU} Vendor, heard 2026-03-02 09:00", "Letters: 1 held"):
        assert part in page
    assert page.split("Next:\n")[1].splitlines() == [
        "  mailrouter queue show alice", f"  mailrouter case show VU#{VU}", "  mailrouter outbox list",
    ]  # fmt: skip


def test_alone_with_nothing_to_do(console: Console) -> None:
    page = console.out()
    assert "Nothing waits in your queues." in page
    assert len(page.split("Next:\n")[1].splitlines()) == 3


def test_alone_somebody_who_is_no_analyst(console: Console) -> None:
    world = console.world
    world.feed(world.mail("rita@home.example", "a new flaw"))
    page = console.as_login("root").out()
    assert "no analyst" in page
    assert "triage" in page
    assert "Reports that wait for a decision: 1" in page
    assert page.split("Next:\n")[1].startswith("  mailrouter analyst add NAME --email ADDRESS --login ")


def test_alone_reads_for_whom_i_stand_in(console: Console) -> None:
    world = console.world
    world.analyst("bob", "bounces")
    world.vendor_case()
    world.feed(world.mail(PSIRT))
    console.run("analyst", "away", "alice", "--until", "2026-04-01", "--cover", "bob")
    with world.look() as tx:
        from mailrouter.flow.actor import who

        console.actor = who(tx, "bob")
    assert "alice" in console.out().split("Next:")[0]
