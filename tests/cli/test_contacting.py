"""`mailrouter case describe|notify|details`: what is said of each vendor, and what is refused."""

from pathlib import Path

import pytest

from mailrouter.flow.casework import coordinate
from tests.cli.console import Console
from tests.flow.world import PSIRT, VENDOR, VU

KEYLESS = "without details (no usable key, no consent)"
HOSTILE = "Line one $vendor {{7*7}} %s\r\n\x1b[31mred\x00 \u202eevil\u2028VU#999999 end"


@pytest.fixture
def house(console: Console) -> Console:
    world = console.world
    world.organisation(VENDOR, PSIRT, key=world.keymaker.vendor)
    world.organisation("$planned & Söhne", "psirt@acme.example")
    world.case(VENDOR, "$planned & Söhne", notify=False)
    return console


def test_described_shown_and_compared(house: Console, tmp_path: Path) -> None:
    (tmp_path / "poc.txt").write_text("overflow")
    said = house.run(
        "case", "describe", str(VU), "--file", "-", "--attach", str(tmp_path / "poc.txt"), given="One\nTwo"
    )
    assert said.stdout == f"VU#{VU}: version 1 of the description, attached: poc.txt; nothing has left by it\n"
    house.run("case", "describe", str(VU), "--file", "-", given="One\nThree")
    assert "One\nThree\n" in house.out("case", "describe", str(VU), "--show")
    assert "One\nTwo\n" in house.out("case", "describe", str(VU), "--version", "1")
    assert "-Two\n+Three\n" in house.out("case", "describe", str(VU), "--diff")
    assert "+Two\n" in house.out("case", "describe", str(VU), "--diff", "--version", "1")
    shown = house.json("case", "describe", str(VU))
    assert (shown["version"], shown["text"], shown["made_by"]) == (2, "One\nThree", "alice")
    assert [(f["name"], f["type"], len(f["sha256"])) for f in shown["files"]] == [("poc.txt", "text/plain", 64)]
    bare = house.out("case", "describe", str(VU), "--file", "-", "--no-files", given="One\nThree")
    assert "version 3 of the description, no files attached" in bare
    assert "version 3 of the description" in [step["what"] for step in house.json("case", "timeline", str(VU))]


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ((), 2, "there is no terminal to write on: give the text with --file FILE"),
        (("--file", "/nowhere"), 2, "/nowhere: cannot be read"),
        (("--file", "-"), 2, "-: there is nothing in it"),
        (("--show",), 1, "no version 1 of the description of VU#123456: `mailrouter case describe 123456` writes the"),
        (("--show", "--file", "-"), 2, "give --file and --attach to write a version, or --show"),
        (("--show", "--diff"), 2, "give --file and --attach to write a version, or --show"),
        (("--file", "-", "--attach", "/dev/null", "--no-files"), 2, "exclude each other"),
    ],
)
def test_refused(house: Console, arguments: tuple[str, ...], status: int, said: str) -> None:
    before = house.world.journal()
    assert said in house.refused("case", "describe", str(VU), *arguments, status=status, given="")
    assert house.world.journal() == before


@pytest.mark.row("S32")
def test_hostile_text_and_names_are_only_data(house: Console, tmp_path: Path) -> None:
    bad = tmp_path / "a\r\nBcc: x@y.example\x1b[0m.txt"
    bad.write_text("x")
    house.run("case", "describe", str(VU), "--file", "-", "--attach", str(bad), given=HOSTILE)
    done = house.run("case", "notify", str(VU))
    assert done.stdout.splitlines() == [
        f"VU#{VU}: letter 1 (message 1) to {VENDOR} is queued, details, encrypted",
        f"VU#{VU}: letter 2 (message 2) to $planned & Söhne is queued, {KEYLESS}",
    ]
    assert "\x1b" not in house.out("case", "describe", str(VU), "--show")
    house.world.deliver()
    assert [letter.state for letter in house.world.letters()] == ["sent", "sent"]
    first, second = (letter.body for letter in house.world.letters())
    assert "Line one $vendor {{7*7}} %s\n[31mred evil\nVU#999999 end" in first
    assert "To the product security team of $planned & Söhne:" in second
    for mail in house.world.sent():
        assert (len(mail.get_all("To") or []), mail["Bcc"], mail["Cc"]) == (1, None, None)
        assert f"[VU#{VU}]" in str(mail["Subject"])


def test_who_has_which_version_is_said(house: Console) -> None:
    house.run("case", "describe", str(VU), "--file", "-", given="One")
    assert "description: version 1 of 2026-03-02; vendors: 2 have none\n" in house.out("case", "show", str(VU))
    house.run("case", "notify", str(VU))
    done = house.run("case", "describe", str(VU), "--file", "-", given="Two")
    assert f"2 vendors were contacted before: `mailrouter case details {VU}` sends it to them" in done.stderr
    page = house.out("case", "show", str(VU))
    assert "version 2 of 2026-03-02; vendors: 1 have version 1; 1 have none; 1 wait for a key\n" in page
    said = house.out("case", "details", str(VU)).splitlines()
    assert said == [
        f"VU#{VU}: letter 3 (message 3) to {VENDOR} is queued, details, encrypted",
        f"VU#{VU}: no letter to $planned & Söhne yet: {KEYLESS}; they follow by themselves",
    ]
    shown = house.json("case", "show", str(VU))
    assert [(p["described"], p["promised"]) for p in shown["participants"]] == [(2, 2), (0, 2)]
    assert shown["description"]["version"] == 2
    assert "description    version 2\n" in house.out("participant", "show", str(VU), VENDOR)
    other = house.out("participant", "show", str(VU), "$planned & Söhne")
    assert "none (the newest is 2); it follows once they have a usable key" in other
    assert "every vendor of VU#123456" not in house.refused("case", "details", str(VU), VENDOR, status=1)


def test_who_is_hidden_and_named_is_said(house: Console) -> None:
    coordinate.set_participant(house.world.tools, house.world.alice, VU, VENDOR, anonymous=True)
    done = house.run("case", "describe", str(VU), "--file", "-", given=f"ask {PSIRT}")
    pseudonym = house.world.participant(VENDOR).pseudonym
    assert "letters with it would be held, for it tells" in done.stderr
    assert f"an address of {pseudonym} (the body, line 1)" in done.stderr


def test_the_letter_shown_before_is_the_letter_that_goes(house: Console) -> None:
    house.run("case", "describe", str(VU), "--file", "-", given="One secret")
    seen = [
        house.json("letter", "preview", "notification", str(VU), who)["body"] for who in (VENDOR, "$planned & Söhne")
    ]
    assert ["One secret" in body for body in seen] == [True, False]
    assert ["hold no OpenPGP key" in body for body in seen] == [False, True]
    assert "One secret" in house.json("letter", "preview", "details", str(VU), VENDOR)["body"]


def test_a_vendor_added_late_gets_the_same_date_and_the_analyst_is_told(house: Console) -> None:
    house.run("case", "describe", str(VU), "--file", "-", given="One")
    assert "days until" not in house.run("case", "notify", str(VU), VENDOR).stderr
    house.world.deliver()
    house.world.clock.forward(days=30)
    done = house.run("case", "notify", str(VU))
    assert "they have 15 days until the planned publication on 2026-04-16, not 45" in done.stderr


def test_a_name_in_a_suggested_command_is_quoted_for_the_shell(house: Console) -> None:
    name, quoted = "O'Neil & Co `x`", """'O'"'"'Neil & Co `x`'"""
    house.world.organisation(name, "psirt@oneil.example")
    assert f"`mailrouter case notify {VU} {quoted}`" in house.out("case", "add-vendor", str(VU), name, "--suspected")
    house.run("case", "describe", str(VU), "--file", "-", given="One")
    told = house.refused("case", "details", str(VU), name, status=1)
    assert f"was not contacted yet: `mailrouter case notify {VU} {quoted}`" in told
    house.run("case", "notify", str(VU), name)
    told = house.refused("case", "notify", str(VU), name, status=1)
    assert f"`mailrouter case write {VU} {quoted}` writes again" in told
    assert f"`mailrouter case details {VU} {quoted}`" in told
