"""`mailrouter note site` and `note press`: what readers have."""

import errno
import os
from pathlib import Path

import pytest

from mailrouter.press import folder
from tests.cli.console import Console
from tests.flow.test_publishing import decided
from tests.flow.world import VU


def test_site_says_what_readers_have(console: Console) -> None:
    console.world.vendor_case()
    console.world.with_identity(notes_url="https://notes.example")
    none = console.json("note", "site")
    assert (none["notes"], none["build"], none["behind"]) == ([], None, None)
    decided(console.world)
    behind = console.run("note", "site", status=1).stdout
    assert "there is no site yet" in behind
    assert "1 notes" in console.out("note", "press")
    told = console.json("note", "site")
    assert (told["build"], told["behind"], told["address"]) == ("site.1", None, "https://notes.example")
    [line] = told["notes"]
    assert (line["vu"], line["revision"], line["online"]) == (f"VU#{VU}", 1, 1)
    assert line["url"] == f"https://notes.example/vuls/id/{VU}"
    assert "A flaw in many parsers" in console.out("note", "site")


def test_press_finishes_what_was_decided_and_is_journalled(console: Console) -> None:
    console.world.vendor_case()
    decided(console.world)
    console.run("note", "press")
    assert console.json("case", "show", str(VU))["state"] == "published"
    assert console.out("note", "press").startswith("site.2: 1 notes")


def test_a_place_that_is_taken_is_one_line(console: Console) -> None:
    console.world.vendor_case()
    console.world.tools.settings.press.folder.mkdir()
    assert "press.folder" in console.refused("note", "press", status=2)


@pytest.mark.parametrize(("number", "said"), [(errno.ENOSPC, "No space left on device"), (errno.EACCES, "Permission")])
def test_a_machine_without_room_is_one_line_and_the_decision_stands(
    console: Console, monkeypatch: pytest.MonkeyPatch, number: int, said: str
) -> None:
    console.world.vendor_case()
    decided(console.world)

    def fails(_place: Path, _content: bytes) -> None:
        raise OSError(number, os.strerror(number), "/secret/place")

    with monkeypatch.context() as broken:
        broken.setattr(folder, "_write", fails)
        told = console.refused("note", "press", status=1)
        assert "/secret" not in told
        assert told.startswith("revision 1 is decided; the site could not be built in press.folder")
        assert said in told
        assert "the daemon goes on" in told
        assert console.refused("note", "publish", str(VU), status=1) == told
    assert console.json("case", "show", str(VU))["state"] != "published"
    assert "revision 1 is published" in console.out("note", "publish", str(VU))
