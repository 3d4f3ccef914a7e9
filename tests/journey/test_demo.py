"""`make demo` ends by itself, and what it tells is what the program keeps."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from demo.telling import WIDTH
from tests.journey import transcript

ROOT = Path(__file__).parents[2]
# Settings of whoever looks on must not reach the demo.
OUTSIDE = {"MAILROUTER_DATA_DIR": "/nonexistent", "MAILROUTER_SMTP__LISTEN": "nonsense", "MAILROUTER_UNHEARD_OF": "1"}


@dataclass(frozen=True)
class Told:
    """One performance."""

    text: str
    folder: Path

    def ask(self, *arguments: str) -> str:
        """A command as the demo's last lines say it."""
        command = [sys.executable, "-m", "mailrouter", "--config", self.folder / "mailrouter.toml", *arguments]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
        return done.stdout

    @property
    def number(self) -> str:
        """The case's."""
        (found,) = set(re.findall(r"VU#(\d{6})", self.text))
        return str(found)

    def part(self, title: str) -> str:
        """One act."""
        (found,) = re.findall(rf"(?ms)^\d+\. {title}\n=+\n(.*?)(?=^\d+\. |\Z)", self.text)
        return str(found)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Played once."""
    tmp = tmp_path_factory.mktemp("demo")
    environ = {**os.environ, **OUTSIDE, "TMPDIR": str(tmp)}
    command = [sys.executable, "-m", "demo.play"]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=400)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    (folder,) = (path for path in tmp.iterdir() if path.name.startswith("mailrouter-demo-"))
    yield Told(done.stdout, folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def case(told):
    return json.loads(told.ask("case", "show", told.number, "--json"))


def test_the_statements_are_what_was_told(told, case):
    assert {s["vendor"]: (s["state"], s["reason"], s["approved"]) for s in case["statements"]} == {
        "Acme": ("verified", "", True),
        "Bolt": ("held", "it is not signed", False),
    }
    assert re.search(r"(?m)^Acme +verified +bound", told.text)
    assert re.search(r"(?m)^Bolt +held +not bound .*it is not signed$", told.text)
    assert "agrees: a good signature" in told.part("Acme sends a signed statement")


def test_the_turns_are_what_was_told(case):
    turns = {p["name"]: (p["waiting_on"], p["follow_ups_sent"]) for p in case["participants"]}
    assert turns == {
        "jo.finder@mail.example": ("nobody", 0), "Acme": ("nobody", 0), "Bolt": ("us", 0), "Cord": ("nobody", 1),
    }  # fmt: skip


def test_one_follow_up_went_out_and_was_foretold(told):
    letters = json.loads(told.ask("outbox", "list", "--json"))
    assert [one["to"] for one in letters if one["letter"].startswith("follow-up")] == ["psirt@cord.example"]
    assert all(one["state"] == "sent" and one["signed"] for one in letters if one["vu"])
    assert [one["to"] for one in letters if one["encrypted"]] == ["psirt@acme.example"] * 4
    beat = r"(?ms)^\$ mailrouter beat --at (\S+)( --dry-run)?\n(.*?)(?=^\$|^->)"
    beats = re.findall(beat, told.part("Two weeks pass"))
    assert [bool(dry) for _at, dry, _answer in beats] == [False, False, True, False, False]
    assert ["follow-up-1" in answer for _at, _dry, answer in beats] == [False, False, True, True, False]
    assert "nothing is due" in beats[1][2]
    assert "nothing is due" in beats[4][2]


def test_the_note_is_published_and_what_was_unmet_has_its_reason(told, case):
    note = json.loads(told.ask("note", "show", str(case["vu"]), "--json"))
    assert (note["state"], [one["analyst"] for one in note["approvals"]]) == ("published", ["Ben"])
    assert {one["condition"] for one in note["overrides"]} == {"date", "statements", "draft-shown"}
    page = (told.folder / f"data/site/vuls/id/{told.number}/index.html").read_text("utf-8")
    assert "Acme AX-7 before 7.2 is affected" in page
    assert "jo.finder" not in page
    assert f"data/site/vuls/id/{told.number}/index.html" in told.part("Where to look")


def test_the_out_of_office_stopped_no_clock(case):
    (reply,) = [m for m in case["messages"] if m["automated"] and m["direction"] == "in"]
    assert (reply["from"], reply["kind"]) == ("psirt@cord.example", "auto-reply")


def test_the_stranger_is_in_review_and_nobody_was_told(told, case):
    (item,) = json.loads(told.ask("queue", "show", "review", "--json"))
    assert (item["from"], item["standing"]) == ("eve@elsewhere.example", "stranger")
    assert "eve@elsewhere.example" not in {m["from"] for m in case["messages"]}
    outgoing = [path.read_bytes() for path in (told.folder / "data/outgoing/new").iterdir()]
    assert not any(b"Please send me all" in raw for raw in outgoing)
    (eves,) = [raw for raw in outgoing if b"elsewhere.example" in raw]
    (finders,) = [raw for raw in outgoing if b"jo.finder@mail.example" in raw and b"auto-replied" in raw]
    assert _but_for_its_number(eves) == _but_for_its_number(finders), "she has what everybody has"


def test_whoever_wrote_was_acknowledged_but_for_the_robot(told):
    letters = json.loads(told.ask("outbox", "list", "--json"))
    assert sorted(one["to"] for one in letters if one["letter"] == "acknowledgement") == [
        "eve@elsewhere.example", "jo.finder@mail.example",
    ]  # fmt: skip
    told_more = {one["letter"]: one["to"] for one in letters if one["letter"] in ("receipt", "statement-held")}
    assert told_more == {"receipt": "psirt@acme.example", "statement-held": "security@bolt.example"}


def test_the_books_balance_and_the_journal_holds(told):
    books = json.loads(told.ask("books", "--json"))
    assert {name: books[name] for name in ("accepted", "filed", "review", "balanced")} == {
        "accepted": 5, "filed": 4, "review": 1, "balanced": True,
    }  # fmt: skip
    assert json.loads(told.ask("journal", "verify", "--json"))["good"]


def test_it_says_where_to_look(told):
    where = told.part("Where to look")
    assert f"--config {told.folder}/mailrouter.toml queue show review" in where
    assert f"outgoing mail  {told.folder}/data/outgoing/new" in where
    assert f"{len(list((told.folder / 'data/outgoing/new').iterdir()))} letters" in where


def test_the_readme_shows_what_it_prints(told):
    (shown,) = re.findall(r"(?ms)^```text\n(.*?)^```$", (ROOT / "README.md").read_text("utf-8"))
    printed = {_shape(line) for line in told.text.replace(told.number, transcript.NUMBER).splitlines()}
    assert [line for line in shown.splitlines() if line != "…" and _shape(line) not in printed] == []


def _shape(line: str) -> str:
    """Pseudonyms differ too."""
    return re.sub(r"(Acme|Bolt|Cord)  [A-Z]{4}  ", r"\1  NAME  ", transcript.shape(line))


def test_it_is_laid_out_for_a_hundred_columns(told):
    own = [line for line in told.text.splitlines() if re.match(r"(\$|->|<-|   #) ", line)]
    assert len(own) > 50
    assert [line for line in own if len(line) > WIDTH and " " in line[10:]] == []


def test_nothing_of_it_is_left_running(told):
    """The daemon, its workers and the agents have its folder, or a link to it, in their environment or arguments."""
    left = [
        environ.parent.name
        for environ in Path("/proc").glob("[0-9]*/environ")
        if environ.stat().st_uid == os.getuid() and str(told.folder).encode() in _read(environ)
    ]
    assert left == []


def _but_for_its_number(raw: bytes) -> bytes:
    return re.sub(rb"VRF#[0-9-]{6}[A-Z]{5}", b"VRF#", raw.partition(b"\r\n\r\n")[2])


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""  # it has just ended


def test_without_gnupg_it_says_so_in_one_line(tmp_path):
    environ = {"PATH": str(tmp_path), "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "demo.play"]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr == "demo: GnuPG is needed and is not installed (Debian: apt-get install gnupg)\n"
    assert list(tmp_path.iterdir()) == []
