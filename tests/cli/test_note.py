"""`mailrouter note`: from a template to a published revision, as an analyst types it."""

import json
from pathlib import Path

import pytest

from mailrouter.cli import draft
from mailrouter.flow.actor import Actor
from mailrouter.store import notes
from tests.cli.console import Console
from tests.flow.world import VENDOR, VU, World

TEXT = "# Overflow\n\n## Overview\n\nIt overflows.\n\n## Description\n\nAt length.\n\n"
TEXT += "## Impact\n\n## Solution\n\nUpdate.\n\n## Acknowledgements\n\nThanks to Jo.\n\n## References\n\nhttps://vendor.example/a\n"
NUMBER = str(VU)


@pytest.fixture
def case(world: World) -> World:
    world.vendor_case()
    return world


def written(console: Console, text: str = TEXT, *more: str) -> str:
    return console.out("note", "write", NUMBER, "--file", "-", *more, given=text)


def test_from_the_template_to_a_draft(console: Console, case: World) -> None:
    assert console.json("note", "list") == []
    assert console.out("note", "list") == "No note.\n"
    said = console.refused("note", "show", NUMBER, status=1)
    assert said == f"VU#{VU} has no note; `mailrouter note write VU#{VU}` writes its first draft"
    template = console.out("note", "template", NUMBER)
    assert template.startswith("# A flaw in everything\n\n## Overview\n")
    assert written(console, template).startswith(f"VU#{VU}: revision 1, draft 1, SHA-256 ")
    assert written(console).startswith(f"VU#{VU}: revision 1, draft 2, SHA-256 ")
    shown = console.json("note", "show", NUMBER)
    assert (shown["revision"], shown["draft"], shown["state"], shown["made_by"]) == (1, 2, "draft", "alice")
    assert (shown["approvals"], shown["why"], shown["title"]) == ([], "First published", "Overflow")
    assert [one["name"] for one in shown["note"]["vendors"]] == [VENDOR]
    assert console.json("note", "show", NUMBER, "--draft", "1")["title"] == "A flaw in everything"
    assert [one["draft"] for one in console.json("note", "list")] == [2]
    assert "Solution\n--------\n\nUpdate." in console.out("note", "show", NUMBER)
    assert "1, draft 2" in console.out("note", "list")
    said = console.refused("note", "show", NUMBER, "--draft", "7", status=1)
    assert said == (
        f"no revision 1, draft 7 of the note on VU#{VU}; it has revision 1, draft 1; revision 1, draft 2"
    )  # fmt: skip


def test_what_is_wrong_with_a_file_is_said_with_its_line(console: Console, case: World) -> None:
    said = console.refused("note", "write", NUMBER, "--file", "-", status=2, given=TEXT.replace("It", "<b>It</b>"))
    assert said.startswith("line 5: raw HTML is not taken")
    said = console.refused("note", "write", NUMBER, status=2)
    assert said.startswith("there is no terminal to write on")


def test_in_the_editor_nothing_that_was_written_is_lost(
    console: Console, case: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    edits = [TEXT.replace("It", "<b>It</b>"), TEXT]
    began: list[str] = []

    def edit(text: str, extension: str) -> str:
        began.append(text)
        return edits[len(began) - 1]

    monkeypatch.setattr(draft, "terminal", lambda: True)
    monkeypatch.setattr("click.edit", edit)
    done = console.run("note", "write", NUMBER, given="y\n")
    assert "line 5: raw HTML" in done.stderr
    assert began[1] == edits[0]
    assert console.json("note", "show", NUMBER)["draft"] == 1


def test_refresh_and_diff(console: Console, case: World) -> None:
    written(console)
    assert "+It overflows." in console.out("note", "diff", NUMBER)
    said = console.refused("note", "refresh", NUMBER, status=1)
    assert said == f"nothing changed since revision 1, draft 1 of the note on VU#{VU}"
    said = console.out(
        "note", "addendum", NUMBER, VENDOR, "--file", "-", "--link", "https://v.example/1", given="Seen."
    )
    assert said == f"VU#{VU}: the next draft has it; `mailrouter note refresh {VU}` makes it\n"
    assert f"+ {VENDOR}: addendum | Seen." in console.out("note", "refresh", NUMBER)
    console.out("note", "addendum", NUMBER, VENDOR)
    assert f"- {VENDOR}: addendum | Seen." in console.out("note", "refresh", NUMBER)
    written(console, TEXT.replace("Update.", "None."))
    changed = console.out("note", "diff", NUMBER, "1.1", "1.4")
    assert "-Update." in changed
    assert "+None." in changed
    assert f"+{VENDOR}: link https://v.example/1" in console.out("note", "diff", NUMBER, "1.1", "1.2")
    assert "no revision, such as 2" in console.refused("note", "diff", NUMBER, "one", status=2)
    assert (
        console.out("note", "diff", NUMBER, "1.4", "1.4").strip()
        == "revision 1, draft 4 says what revision 1, draft 4 says"
    )


def test_a_later_revision(console: Console, case: World) -> None:
    written(console)
    with case.writing() as tx:
        notes.decide(tx, 1, "alice", case.clock(), "attacks were seen")
        notes.release(tx, 1, case.clock())
    assert (console.json("note", "list")[0]["state"], "published" in console.out("note", "list")) == ("published", True)
    shown = console.out("note", "show", NUMBER)
    assert "attacks were seen" in shown
    said = console.refused("note", "write", NUMBER, "--file", "-", status=2, given=TEXT.replace("Update.", "None."))
    assert said == f"VU#{VU} is published: say --why there is another revision; its readers see it"
    assert "revision 2, draft 1" in written(console, TEXT.replace("Update.", "None."), "--why", "No update after all")
    assert "-Update." in console.out("note", "diff", NUMBER)


def test_the_gate_and_approving(console: Console, case: World) -> None:
    written(console)
    said = json.loads(console.out("note", "gate", NUMBER, "--json", status=1))
    conditions = {one["name"]: one for one in said["conditions"]}
    assert (said["open"], said["revision"], said["draft"]) == (False, 1, 1)
    assert conditions["approvals"]["unmet"].startswith("0 of 1 other analysts approved revision 1, draft 1")
    assert (conditions["hidden"]["met"], conditions["hidden"]["hard"]) == (True, True)
    shown = console.out("note", "gate", NUMBER, status=1)
    assert "UNMET" in shown
    assert max(map(len, shown.splitlines())) <= 100
    said = console.refused("note", "approve", NUMBER, "--draft", "1", status=1)
    assert said == "alice wrote the text of revision 1, draft 1: another analyst approves it"
    console.actor = Actor("ben", case.analyst("ben").id)
    sha256 = console.json("note", "show", NUMBER)["sha256"]
    said = console.refused("note", "approve", NUMBER, status=2)
    assert said.startswith("say which draft you have read, with --draft or --sha256: the newest is revision 1, draft 1")
    assert f"SHA-256 {sha256[:16]}; `mailrouter note show {VU}`" in said
    assert "DRAFT, not published. TLP:AMBER. revision 1, draft 1" in console.out("note", "show", NUMBER)
    said = console.out("note", "approve", NUMBER, "--sha256", sha256[:16])
    assert said == f"revision 1, draft 1 of the note on VU#{VU} approved, SHA-256 {sha256[:16]}; 1 of 1\n"
    shown = console.json("note", "show", NUMBER)
    assert (shown["approvals"][0]["analyst"], shown["unmet"]) == ("ben", ["date", "cve", "draft-shown"])
    assert shown["recommended"].startswith("open until")
    assert "`mailrouter note gate` says what to do" in console.out("note", "show", NUMBER)
    assert "ben" in console.out("note", "list")
    console.out("note", "withdraw-approval", NUMBER)
    assert console.json("note", "show", NUMBER)["approvals"] == []


def test_recommended_and_not_published(console: Console, case: World) -> None:
    said = console.json("note", "recommend", NUMBER)
    assert (said["decision"], said["derived"]) == (None, {"supplier": "cooperative", "exploitation": "none"})
    said = console.out("note", "recommend", NUMBER, "--value-added", "precedence")
    assert said.startswith(f"VU#{VU}: Publish (a note would be the first that is public)\n")
    assert "as the case says" in said
    assert console.json("note", "recommend", NUMBER)["decision"] == "Publish"
    assert console.json("note", "recommend", NUMBER, "--value-added", "as-the-case-says")["decision"] is None
    written(console)
    assert "SSVC recommends: open until" in console.out("note", "gate", NUMBER, status=1)
    said = console.out("note", "not-publish", NUMBER, "--why", "nothing to add")
    assert said == f"VU#{VU}: there is no note; letters to participants: 1\n"
    assert "not-decided" in console.out("note", "gate", NUMBER, status=1)
    assert "there may be a note; publication is planned" in console.out(
        "note", "not-publish", NUMBER, "--undo", "--why", "after all"
    )


def test_previewed_and_published(console: Console, case: World, tmp_path: Path) -> None:
    written(console)
    shown = console.out("note", "preview", NUMBER)
    assert shown.startswith("DRAFT, not published. TLP:AMBER. revision 1, draft 1")
    assert console.json("note", "preview", NUMBER)["vuid"] == f"VU#{VU}"
    (tmp_path / "preview").mkdir(mode=0o755)
    page = console.out("note", "preview", NUMBER, "--into", str(tmp_path / "preview")).strip()
    assert (tmp_path / "preview").stat().st_mode & 0o777 == 0o700
    html = Path(page).read_text()
    assert "It overflows." in html
    assert '<p class="draft">DRAFT, not published. TLP:AMBER. revision 1, draft 1</p>' in html
    assert '<meta name="robots" content="noindex">' in html
    assert "TLP:CLEAR" not in html
    assert Path(page).with_name("note.txt").read_text().startswith("DRAFT, not published. TLP:AMBER. revision 1, draft")
    assert (tmp_path / "preview/style.css").stat().st_size
    said = console.refused("note", "preview", NUMBER, "--into", str(tmp_path / "preview"), status=2)
    assert said.endswith("there is something in it; name another folder")
    said = console.refused("note", "publish", NUMBER, status=1)
    assert said.startswith("revision 1, draft 1 is not published. date: ")
    assert console.refused("note", "publish", NUMBER, "--override", "date", status=2).startswith("say --why")
    said = console.refused("note", "publish", NUMBER, "--override", "hidden", "--why", "x", status=2)
    assert said == "hidden cannot be overridden by anybody"
    despite = [word for name in ("date", "cve", "draft-shown") for word in ("--override", name)]
    done = console.run("note", "publish", NUMBER, *despite, "--emergency", "--why", "attacks")
    assert done.stdout.startswith(f"VU#{VU}: revision 1 is published: ")
    assert "not approved yet" in done.stderr
    shown = console.json("note", "show", NUMBER)
    assert (shown["state"], shown["emergency"], shown["unmet"]) == ("published", "attacks", None)
    assert [one["condition"] for one in shown["overrides"]] == ["cve", "date", "draft-shown"]
    page = case.tools.settings.press.folder / f"vuls/id/{VU}/index.html"
    assert "It overflows." in page.read_text()
    console.actor = Actor("ben", case.analyst("ben").id)
    sha256 = console.json("note", "show", NUMBER)["sha256"]
    assert "revision 1 of the note" in console.out("note", "approve", NUMBER, "--sha256", sha256[:16])
    assert "TLP:CLEAR" in console.out("note", "show", NUMBER)
