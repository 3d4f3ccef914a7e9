"""docs/analysts.md is true: every command in it is typed, every mail in it arrives, every answer is compared.

`RECORD=1 pytest tests/journey/test_analysts_day.py` writes today's answers into the document instead.
"""

import os
import re
import smtplib
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.journey import transcript
from tests.journey.office import login, wait_for_counts
from tests.journey.people import US, Organisation, headed
from tests.servers import warm
from tests.servers.daemon import Daemon

DOCUMENT = Path(__file__).parents[2] / "docs" / "analysts.md"


class Day:
    """One replay."""

    def __init__(self, node: Daemon, acme: Organisation) -> None:
        self.node, self.acme = node, acme
        self.here = transcript.Here(datetime.now(UTC).date(), {"--login ana": f"--login {login()}"})
        self.mails = 0
        tools = node.folder / "bin"
        tools.mkdir()
        (tools / "mailrouter").write_text(
            f'#!/bin/sh\nexec {sys.executable} -S {warm.__file__} {warm.address()} "$@"\n'
        )
        (tools / "mailrouter").chmod(0o755)
        (node.folder / "acme.asc").write_bytes(acme.key)

    def play(self, document: str) -> Iterator[tuple[transcript.Typed, str]]:
        """Each command, and what it answers today."""
        for step in transcript.steps(document):
            if isinstance(step, transcript.Arrives):
                self._arrives(step)
            else:
                yield step, self._answer(step.command)

    def _answer(self, command: str) -> str:
        wait_for_counts(self.node, {"SELECT count(*) FROM letters WHERE state = 'queued'": 0})
        environ = {**self.node.environ, "PATH": f"{self.node.folder / 'bin'}:{os.environ['PATH']}"}
        done = subprocess.run(
            ["bash", "-c", self.here.say(command)], cwd=self.node.folder, env=environ, text=True, timeout=120,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert "Traceback" not in done.stdout, done.stdout
        if opened := re.fullmatch(r"VU#(\d{6})", done.stdout.strip()):
            self.here.words[transcript.NUMBER] = opened[1]
        return done.stdout.rstrip()

    def _arrives(self, step: transcript.Arrives) -> None:
        raw = self._as_sent({name: self.here.say(value) for name, value in step.headers.items()}, step.text)
        with smtplib.SMTP("127.0.0.1", self.node.smtp_port, timeout=60) as session:
            session.sendmail(step.headers["From"], [US], raw)
        self.mails += 1
        wait_for_counts(self.node, {"SELECT count(*) FROM messages WHERE mail_id IS NOT NULL": self.mails})

    def _as_sent(self, headers: dict[str, str], text: str) -> bytes:
        sender, subject, body = headers.pop("From"), headers.pop("Subject"), self.here.say(text)
        if headers.pop("Signed-By", ""):
            return self.acme.signed(subject, body)
        mail = headed(sender, subject, **headers)
        mail.set_content(body)
        return mail.as_bytes(policy=mail.policy.clone(linesep="\r\n"))


@pytest.fixture
def day(serve: Callable[..., Daemon], organisations: Callable[[str], Organisation]) -> Day:
    """The daemon runs as it comes, but for its name; letters go to the maildir."""
    node = serve(
        IDENTITY__NAME="Example CERT", IDENTITY__PHONE="+1 555 0100", POLICY__DIGEST_AT="23:59",
        POLICY__ACKNOWLEDGE_HOURS="24",
    )  # fmt: skip
    return Day(node, organisations("Acme"))


def test_the_day_is_as_written(day: Day) -> None:
    document = DOCUMENT.read_text("utf-8")
    played = list(day.play(document))
    if os.environ.get("RECORD"):
        document = transcript.written(document, [day.here.write_down(answer) for _, answer in played])
        DOCUMENT.write_text(document, "utf-8")
    else:
        for typed, answer in played:
            assert (typed.command, transcript.shape(day.here.write_down(answer))) == (
                typed.command, transcript.shape(typed.answer),
            )  # fmt: skip
    assert len(played) > 30


def test_it_covers_a_whole_day() -> None:
    typed = [one.command for one in transcript.steps(DOCUMENT.read_text("utf-8")) if isinstance(one, transcript.Typed)]
    nouns = {" ".join(command.rpartition("mailrouter")[2].split()[:2]) for command in typed}
    assert {
        "", "queue show", "message show", "case open", "message reply", "case add-vendor", "case notify", "case show",
        "beat --at", "statement list", "statement show", "statement approve", "participant show", "message route",
        "case log", "case remark", "case close", "queue done",
    } <= nouns  # fmt: skip


def test_the_answers_fit_a_terminal() -> None:
    """100 columns, but for a SHA-256 or a command in a sentence."""
    typed = (one for one in transcript.steps(DOCUMENT.read_text("utf-8")) if isinstance(one, transcript.Typed))
    lines = [line for one in typed for line in one.answer.splitlines()]
    assert [line for line in lines if len(line) > 100 and "SHA-256" not in line and "`mailrouter" not in line] == []
