"""Writing on a terminal: `$EDITOR` under what is answered, a preview, a question. A real pseudo-terminal."""

import os
import pty
import select
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailrouter.flow.casework import coordinate, describe
from mailrouter.pgp import Pgp
from mailrouter.store import reports
from tests.flow.world import OURS, PSIRT, VU, World
from tests.servers.daemon import ROOT

MAIL = (
    f"From: {PSIRT}\r\nTo: cert@cert.example\r\nSubject: VU#123456\r\nMessage-ID: <theirs@vendor.example>\r\n\r\n"
    "Which version is affected?\r\n\r\nOn Monday, 2 March 2026 at 09:00 CERT wrote:\r\n> old words\r\n"
)

Editing = Callable[..., tuple[int, str]]


@pytest.fixture
def house(world: World) -> World:
    """A case with the vendor's mail in it."""
    world.vendor_case()
    world.feed(world.envelope(MAIL.encode()))
    return world


@pytest.fixture
def editing(house: World, house_pgp: Pgp, tmp_path: Path) -> Editing:
    """`editing(script, answers, *arguments)`: the command at a terminal; the editor runs `script` on the file `$1`."""

    def run(script: str, answers: str, *arguments: str) -> tuple[int, str]:
        editor = tmp_path / "editor"
        editor.write_text(f'#!/bin/sh\ncp "$1" {tmp_path}/before\n{script}\n')
        editor.chmod(0o700)
        settings = house.tools.settings
        environ = {
            "EDITOR": str(editor), "VISUAL": str(editor), "PYTHONPATH": str(ROOT), "MAILROUTER_NODE": settings.node,
            "MAILROUTER_DATA_DIR": str(settings.data_dir), "MAILROUTER_DATABASE__URL": settings.database.url,
            "MAILROUTER_IDENTITY__ADDRESS": OURS, "MAILROUTER_IDENTITY__GNUPG_HOME": str(house_pgp._home),
        }  # fmt: skip
        ours, theirs = pty.openpty()
        os.write(ours, answers.encode())
        process = subprocess.Popen(
            [sys.executable, "-m", "mailrouter", *arguments], stdin=theirs, stdout=theirs, stderr=theirs,
            cwd=tmp_path, env=os.environ | environ, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        said = _everything(ours)
        return process.wait(timeout=60), said

    return run


def _everything(terminal: int) -> str:
    """What the program says, until it ends."""
    said = b""
    while select.select([terminal], [], [], 60)[0]:
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # Linux: the other end is closed
            break
        said += piece
    os.close(terminal)
    return said.decode("utf-8", "replace")


def names(house: World) -> list[str]:
    return [letter.name for letter in house.letters()]


def test_an_answer_above_the_quoted_mail(house: World, editing: Editing, tmp_path: Path) -> None:
    above = 'printf "Version 1.2.\\n" | cat - "$1" > "$1.new" && mv "$1.new" "$1"'
    status, said = editing(above, "y\n", "message", "reply", "2")
    assert status == 0, said
    before = (tmp_path / "before").read_text()
    assert "psirt@vendor.example wrote:" in before
    assert "> Which version is affected?" in before
    assert "old words" not in before
    assert "To: Vendor" in said
    assert "Version 1.2." in said
    assert "Send it? [y/N]" in said
    assert names(house) == ["notification", "reply"]
    text = house.letters()[-1].body
    assert (
        text.index("Version 1.2.") < text.index("Please keep the number") < text.index("> Which version is affected?")
    )


def test_an_answer_within_the_quoted_mail(house: World, editing: Editing) -> None:
    status, said = editing('printf "  1.2\\n" >> "$1"', "", "message", "reply", "2", "--yes")
    assert status == 0, said
    assert "Send it?" not in said
    assert names(house) == ["notification", "write"]
    text = house.letters()[-1].body
    assert text.index("> Which version is affected?") < text.index("1.2")


def test_questions_to_a_reporter_above_the_quoted_report(house: World, editing: Editing, tmp_path: Path) -> None:
    house.feed(house.mail("jo@finder.example", "Overflow", "It crashes.\r\n"))
    above = 'printf "Which version?\n" | cat - "$1" > "$1.new" && mv "$1.new" "$1"'
    status, said = editing(above, "y\n", "report", "ask", house.report().vrf)
    assert status == 0, said
    assert "> It crashes." in (tmp_path / "before").read_text()
    assert "To: jo@finder.example" in said
    assert names(house) == ["notification", "report-ask"]
    assert house.letters()[-1].body.rstrip().endswith("> It crashes.")


@pytest.mark.parametrize(
    ("script", "answers", "said", "status"),
    [
        ("true", "y\n", "nothing was written", 2),
        (': > "$1"', "y\n", "nothing was written", 2),
        ("touch -d 2030-01-01 \"$1\"", "y\n", "nothing was written above the quoted mail", 2),
        ('printf "text\\n" > "$1"', "n\n", "Aborted!", 1),
        ("exit 3", "y\n", "Editing failed", 1),
    ],
)  # fmt: skip
def test_nothing_is_sent(house: World, editing: Editing, script: str, answers: str, said: str, status: int) -> None:
    done, heard = editing(script, answers, "message", "reply", "2")
    assert said in heard
    assert "Traceback" not in heard
    assert done == status
    assert names(house) == ["notification"]


@pytest.mark.parametrize("arguments", [("message", "reply", "3"), ("case", "write", str(VU), "Vendor")])
def test_words_out_of_an_encrypted_mail_never_leave_in_clear(
    house: World, editing: Editing, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    house.feed(house.encrypted(b"Content-Type: text/plain\r\n\r\nthe secret is 42\r\n", f"VU#{VU}"))
    status, said = editing('printf "Really?\n" >> "$1"', "y\n", *arguments)
    assert status == 0, said
    assert "the letter is confidential" in said
    assert "> the secret is 42" in (tmp_path / "before").read_text()
    assert house.letters()[-1].confidential
    house.clock.to(datetime.now(UTC) + timedelta(hours=1))  # the program wrote at the real time
    house.deliver()
    assert house.letters()[-1].state == "held"  # the vendor has no key
    assert not any(b"secret is 42" in mail.as_bytes() for mail in house.sent())


def test_a_letter_to_one_shows_what_they_wrote_last(house: World, editing: Editing, tmp_path: Path) -> None:
    status, said = editing('printf "A question.\\n" > "$1"', "y\n", "case", "write", "123456", "Vendor")
    assert status == 0, said
    assert "> Which version is affected?" in (tmp_path / "before").read_text()
    assert names(house) == ["notification", "write"]


def test_a_description_begins_with_the_version_before(house: World, editing: Editing, tmp_path: Path) -> None:
    describe.describe(house.tools, house.alice, VU, "It crashes.")
    status, said = editing('printf "From version 1.2 on.\n" >> "$1"', "", "case", "describe", str(VU))
    assert status == 0, said
    assert (tmp_path / "before").read_text() == "It crashes.\n"
    assert "version 2 of the description" in said
    status, said = editing(": nothing", "", "case", "describe", str(VU))
    assert status == 2, said
    assert "nothing was written; there is no new version" in said


@pytest.mark.row("A02")
@pytest.mark.parametrize(("answers", "status", "letters"), [("y\nn\n", 1, 0), ("y\ny\n", 0, 1)])
def test_what_it_would_tell_of_others_is_shown_and_asked_about(
    house: World, editing: Editing, answers: str, status: int, letters: int
) -> None:
    house.organisation("Bolt", "security@bolt.example")
    coordinate.add_vendor(house.tools, house.alice, VU, "Bolt")
    before = len(house.letters("write"))
    code, said = editing("echo 'Bolt has fixed it.' > \"$1\"", answers, "case", "write", f"VU#{VU}", "Vendor")
    assert code == status
    assert f"the name of {house.participant('Bolt').pseudonym} (the body, line 1)" in said
    assert "Is that meant?" in said
    assert len(house.letters("write")) == before + letters


@pytest.mark.row("A02")
def test_a_relay_is_shown_under_its_pseudonym_before_it_is_queued(house: World, editing: Editing) -> None:
    house.organisation("Bolt", "security@bolt.example")
    coordinate.add_vendor(house.tools, house.alice, VU, "Bolt")
    theirs = str(house.messages()[-1].id)
    command = ("case", "relay", theirs, "Bolt", "--consent", "by telephone")
    code, said = editing("true", "n\n", *command)
    assert (code, house.letters("relay")) == (1, [])
    assert f"Under the name: {house.participant('Vendor').pseudonym}" in said
    assert "Which version is affected?" in said
    assert "old words" not in said
    assert editing("true", "y\n", *command)[0] == 0
    assert len(house.letters("relay")) == 1


def test_a_decline_is_shown_as_it_would_be_sent_and_asked_about(house: World, editing: Editing) -> None:
    got = house.fed(house.mail("jo@finder.example", "Overflow in the AX-7", "It stops.\r\n"))
    with house.look() as tx:
        vrf = reports.get(tx, got.report_id).vrf
    command = ("report", "decline", vrf, "--reason", "no-evidence")
    code, said = editing("true", "n\n", *command)
    assert (code, house.letters("report-declined")) == (1, [])
    assert editing("true", "y\n", *command)[0] == 0
    [letter] = house.letters("report-declined")
    shown = said.replace("\r\n", "\n")
    assert f"To: {letter.recipient}\nSubject: {letter.subject}\n" in shown
    assert letter.body.strip() in shown
