"""`mailrouter participant`: one of them, and whom we wait on."""

import json

import pytest

from mailrouter.flow.casework import write
from mailrouter.flow.casework.write import Draft
from tests.cli.console import Console
from tests.flow.world import PSIRT, VENDOR, VU


def test_shown(console: Console) -> None:
    world = console.world
    world.vendor_case(key=True)
    world.feed(world.mail(PSIRT))
    shown = console.json("participant", "show", str(VU), "vendor")
    assert (shown["name"], shown["role"], shown["waiting_on"], shown["progress"]) == (
        VENDOR,
        "vendor",
        "us",
        "answered",
    )
    assert shown["last_heard_at"] == "2026-03-02T09:00:00Z"
    assert [m["id"] for m in shown["messages"]] == [1, 2]
    page = console.out("participant", "show", str(VU), VENDOR)
    assert "OUR TURN since 2026-03-02 09:00 (mail, message 2)\n" in page
    assert "letters to it  encrypted" in page
    assert max(map(len, page.splitlines())) <= 100


@pytest.mark.row("S19")
def test_a_conversation_is_read_in_order(console: Console) -> None:
    """New text apart from what is quoted; a loop of references and a parent nobody has seen change nothing (S19)."""
    world = console.world
    world.vendor_case()
    world.feed(
        world.mail(
            PSIRT, f"Re: VU#{VU}", "Is it exploited?\r\n\r\nOn 5 May 2026, CERT wrote:\r\n> The details.\r\n",
            "References: <ghost@x.example> <two@vendor.example>", message_id="one@vendor.example",
        )
    )  # fmt: skip
    world.day(1)
    world.feed(
        world.mail(
            PSIRT, f"Re: VU#{VU}", "We are affected.\r\n", "References: <one@vendor.example>",
            "In-Reply-To: <two@vendor.example>", message_id="two@vendor.example",
        )
    )  # fmt: skip
    said = console.out("participant", "show", str(VU), VENDOR, "--text")
    asked, told = said.index("  Is it exploited?\n"), said.index("  We are affected.\n")
    assert said.index("we wrote to psirt@vendor.example, message 1:") < asked < told
    assert "The details." not in said
    assert "  [2 lines quoted or signed: mailrouter message show 2 --text]\n" in said
    document = json.loads(console.out("participant", "show", str(VU), VENDOR, "--text", "--json"))
    assert [m["new"] for m in document["messages"][1:]] == ["Is it exploited?", "We are affected."]
    assert "The details." in document["messages"][1]["text"]


def test_waited_for_until_a_date(console: Console) -> None:
    world = console.world
    world.vendor_case()
    said = console.out("participant", "wait", str(VU), VENDOR, "--until", "2026-04-01")
    assert said == f"VU#{VU}: nobody's turn with Vendor until 2026-04-01 00:00 UTC\n"
    assert "Vendor: nobody's turn, until 2026-04-01 00:00" in console.out("case", "timeline", str(VU))
    shown = console.json("participant", "show", str(VU), VENDOR)
    assert (shown["waiting_on"], shown["wait_until"], shown["next_follow_up_at"]) == (
        "nobody", "2026-04-01T00:00:00Z", None,
    )  # fmt: skip
    world.day(29)
    world.beat()
    assert world.follow_ups() == []
    world.day(30)
    world.beat()
    assert [i["kind"] for i in console.json("queue", "show", "alice")] == ["notice"]


def test_waited_for_for_good(console: Console) -> None:
    console.world.vendor_case()
    assert console.out("participant", "wait", str(VU), VENDOR).endswith("until somebody writes\n")
    assert console.world.deadlines() == []


def test_their_reference_stands_in_our_subjects(console: Console) -> None:
    world = console.world
    world.vendor_case()
    console.run("participant", "set", str(VU), VENDOR, "--their-ref", "ACME-4411", "--anonymous")
    shown = console.json("participant", "show", str(VU), VENDOR)
    assert (shown["their_ref"], shown["anonymous"]) == ("ACME-4411", True)
    console.run("case", "write", str(VU), VENDOR, "--file", "-", given="x\n")
    assert world.letters("write")[0].subject.startswith(f"[VU#{VU}] [ACME-4411] ")


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("show", "Nobody"), 1, "'Nobody' takes no part in VU#123456; it has: Vendor"),
        (("wait", "Nobody"), 1, "'Nobody' takes no part"),
        (("wait", VENDOR, "--until", "2026-03-01"), 2, "--until lies in the past"),
        (("wait", VENDOR, "--until", "2026-04-01T10:00"), 2, "has no zone"),
        (("set", VENDOR), 2, "say what to record"),
        (("set", VENDOR, "--their-ref", "VU#999999"), 2, "cannot stand in a subject: it reads like a number of ours"),
        (("set", VENDOR, "--their-ref", "VU-999999"), 2, "cannot stand in a subject: it reads like a number of ours"),
        (("set", VENDOR, "--their-ref", "statement-7"), 2, "cannot stand in a subject: it says 'statement'"),
        (("set", VENDOR, "--their-ref", "our case"), 2, "cannot stand in a subject: it may have 40 letters, digits"),
        (("set", VENDOR, "--their-ref", "x" * 41), 2, "cannot stand in a subject: it may have 40 letters, digits"),
        (("set", "Nobody", "--anonymous"), 1, "'Nobody' takes no part"),
    ],
)
def test_refused(console: Console, arguments: tuple[str, ...], status: int, said: str) -> None:
    console.world.vendor_case()
    before = console.world.journal()
    verb, *rest = arguments
    assert said in console.refused("participant", verb, str(VU), *rest, status=status)
    assert console.world.journal() == before


def test_consent_to_clear_text(console: Console) -> None:
    console.world.vendor_case()
    command = ("participant", "set", str(VU), VENDOR, "--clear-text")
    assert "go together" in console.refused(*command, "yes", status=2)
    assert "go together" in console.refused("participant", "set", str(VU), VENDOR, "--why", "x", status=2)
    console.world.deliver()
    [held] = write.write(console.world.tools, console.world.alice, VU, [VENDOR], Draft("x", confidential=True))
    console.world.deliver()
    told = console.run(*command, "yes", "--why", "on the telephone")
    assert told.stdout == f"VU#{VU}: {VENDOR} consents to clear text from now on\n"
    assert f"held: letter {held}; `mailrouter outbox release {held}`" in told.stderr
    shown = console.json("participant", "show", str(VU), VENDOR)
    assert (shown["clear_text_at"] is not None, shown["clear_text_by"]) == (True, "alice")
    assert "they consent to clear text since" in console.out("participant", "show", str(VU), VENDOR)
    assert "does not consent" in console.out(*command, "no", "--why", "they changed their mind")
    assert console.json("participant", "show", str(VU), VENDOR)["clear_text_at"] is None
    assert "needs an analyst" in console.as_login("root").refused(*command, "yes", "--why", "x", status=1)
