"""`mailrouter letter`: the texts, and how one would be for a participant."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import select

from mailrouter.mail import texts
from mailrouter.pgp import Pgp
from mailrouter.store import tables
from mailrouter.tools import OwnKey
from tests.cli.console import Console
from tests.flow.world import PSIRT, VENDOR, VU, World


def test_list(console: Console) -> None:
    rows = {row["name"]: row for row in console.json("letter", "list")}
    assert rows.keys() == texts.LETTERS.keys()
    assert rows["follow-up-1"]["automatic"]
    assert not rows["notification"]["automatic"]
    assert {row["file"] for row in rows.values()} == {None}
    assert "follow-up-2" in console.out("letter", "list")


def rows_of(world: World) -> dict[str, int]:
    with world.look() as tx:
        return {name: len(tx.execute(select(table)).all()) for name, table in tables.metadata.tables.items()}


@pytest.mark.parametrize("name", texts.LETTERS)
def test_every_letter_can_be_seen_and_nothing_changes(console: Console, name: str) -> None:
    world = console.world
    world.vendor_case()
    before = rows_of(world)
    shown = console.json("letter", "preview", name, f"VU#{VU}", VENDOR)
    assert shown["name"] == name
    assert "$" not in shown["subject"] + shown["body"]
    assert not [field for field in texts.LETTERS[name].fields if f"[{field}]" in shown["body"] + shown["subject"]]
    assert rows_of(world) == before


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("receipt", "It stands as the text of Vendor on VU#123456."),
        ("statement-held", "What is missing: a signature."),
        ("voucher", "| VU#123456: our product is not affected."),
        ("analyst-transcript", "done: item 12 is done"),
        ("analyst-refused", "Why: it came to none of the addresses you were given"),
    ],
)
def test_what_only_the_occasion_could_say_is_an_example_that_hangs_together(
    console: Console, name: str, says: str
) -> None:
    console.world.vendor_case()
    body = console.json("letter", "preview", name, f"VU#{VU}", VENDOR)["body"]
    assert says in body
    if "| VU#" in body:
        assert sha256(f"VU#{VU}: our product is not affected.\n".encode()).hexdigest() in body


def test_filled_with_the_case(console: Console) -> None:
    console.world.vendor_case()
    console.world.clock.forward(days=20)
    shown = console.json("letter", "preview", "follow-up-1", str(VU), VENDOR)
    assert shown["to"] == PSIRT
    assert shown["subject"] == f"[VU#{VU}] Reminder of our letter of 2026-03-02"
    assert "We have not heard" in shown["body"]
    assert "alice" in console.out("letter", "preview", "notification", str(VU), VENDOR)


def test_it_is_what_will_be_sent(console: Console) -> None:
    world = console.world
    world.organisation(VENDOR, PSIRT)
    world.case(VENDOR, notify=False)
    before = console.json("letter", "preview", "notification", str(VU), VENDOR)
    console.run("case", "notify", str(VU), "--without-details")
    [letter] = world.letters("notification")
    planned = "a date not yet set"  # the embargo begins with the letter itself
    made, shown = (text.split("\n\n") for text in (letter.body, before["body"]))
    same = [part for part in made if part in shown]
    differ = {" ".join(part.split()) for part in set(made) ^ set(shown)}
    assert same
    assert all("2026-" in line or planned in line for line in differ)
    assert (letter.subject, letter.recipient) == (before["subject"], before["to"])


def test_no_key_is_made_for_a_look(console: Console, tmp_path: Path) -> None:
    world = console.world
    world.vendor_case()
    pgp = Pgp(tmp_path / "g", tmp_path / "k")
    world.tools = replace(world.tools, pgp=pgp, own_key=OwnKey(pgp, world.tools.settings))
    assert "---- ----" in console.out("letter", "preview", "notification", str(VU), VENDOR)
    assert pgp.own_keys() == ()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nothing", str(VU), VENDOR), "no letter is named 'nothing'; `mailrouter letter list` shows"),
        (("notification", "999999", VENDOR), "no case VU#999999"),
        (("notification", str(VU), "Nobody"), "'Nobody' takes no part"),
    ],
)
def test_what_is_not_there(console: Console, arguments: tuple[str, ...], said: str) -> None:
    console.world.vendor_case()
    assert console.refused("letter", "preview", *arguments, status=1).startswith(said)


# ---- letters_dir -----------------------------------------------------------------------------------------------------


@pytest.fixture
def own_letters(worlds: Callable[..., World], tmp_path: Path) -> Callable[[str, str], Console]:
    """A console whose letters_dir holds one file."""

    def make(name: str, text: str) -> Console:
        folder = tmp_path / "letters"
        folder.mkdir()
        (folder / name).write_text(text)
        return Console(worlds(LETTERS_DIR=str(folder)))

    return make


def test_a_text_is_replaced(own_letters: Callable[[str, str], Console]) -> None:
    console = own_letters("notification.txt", "Subject: Grüße\n\n$vu: bitte lesen, $vendor.\n\n$details\n")
    console.world.vendor_case()
    assert "VU#123456: bitte lesen, Vendor." in console.out("letter", "preview", "notification", str(VU), VENDOR)
    row = next(row for row in console.json("letter", "list") if row["name"] == "notification")
    assert row["file"].endswith("letters/notification.txt")


@pytest.mark.parametrize("name", ["notification", "details"])
def test_a_letter_to_vendors_is_shown_for_no_reporter(console: Console, name: str) -> None:
    console.world.vendor_case()
    console.run("case", "add-reporter", str(VU), "jo@home.example")
    refused = console.refused("letter", "preview", name, str(VU), "reporter", status=1)
    assert refused == f"{name} is a letter to vendors; jo@home.example is a reporter"


@pytest.mark.parametrize("name", ["notification", "details", "follow-up-1", "follow-up-2"])
def test_once_it_is_public_no_letter_speaks_of_our_plan(console: Console, name: str) -> None:
    console.world.vendor_case()
    console.run("case", "public", str(VU), "--why", "a blog")
    body = " ".join(console.json("letter", "preview", name, str(VU), VENDOR)["body"].split())
    assert "The vulnerability has been public since 2026-03-02 09:00 UTC. The embargo has ended." in body
    assert "lan to publish" not in body
    assert "Planned publication" not in body
