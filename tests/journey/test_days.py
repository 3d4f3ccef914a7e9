"""Three documents are true: one case, as an analyst, a reporter and a vendor see it, played once.

docs/analysts.md is the script: every command in it is typed, every mail in it arrives, every answer is compared. The
letters in it, in docs/reporters.md and in docs/vendors.md are held against what their recipients read in that play.
`RECORD=1 pytest tests/journey/test_days.py` writes today's answers and letters into the documents instead.
"""

import json
import os
import re
import smtplib
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest
from sqlalchemy import text

from mailrouter.store.engine import Database
from tests.journey import transcript
from tests.journey.office import acting, login, wait_for_counts
from tests.journey.people import US, Organisation, Read, headed
from tests.journey.transcript import Arrives, Leaves, Typed
from tests.servers import warm
from tests.servers.daemon import Daemon

DOCS = Path(__file__).parents[2] / "docs"
SCRIPT, REPORTERS, VENDORS = "analysts.md", "reporters.md", "vendors.md"
ALL = (SCRIPT, REPORTERS, VENDORS)
CALLED = {"jo.finder@mail.example": "DVNH", "Acme": "BTSK", "Bolt": "JLVR", "Cord": "WHMP"}  # pseudonyms, there
_CALLED = "SELECT pseudonym FROM participants p JOIN organisations o ON o.id = p.organisation_id WHERE o.name = "
LEARNED = (
    ("SELECT vu FROM cases", transcript.NUMBER),
    ("SELECT substr(vrf, 5) FROM reports ORDER BY id", transcript.VRF),
    *((f"{_CALLED}'{name}'", called) for name, called in CALLED.items()),
)


def document(name: str) -> str:
    """One of them."""
    return (DOCS / name).read_text("utf-8")


class Day:
    """One play."""

    def __init__(self, node: Daemon, organisations: Callable[..., Organisation]) -> None:
        self.node = node
        self.people = {"acme": organisations("Acme"), "jo": organisations("Jo", "jo.finder@mail.example")}
        self.here = transcript.Here(datetime.now(UTC).date(), {"--login ana": f"--login {login()}"})
        self.here.words["/var/lib/mailrouter"] = str(node.data)
        self.mails = 0
        tools = node.folder / "bin"
        tools.mkdir()
        (tools / "mailrouter").write_text(
            f'#!/bin/sh\nexec {sys.executable} -S {warm.__file__} {warm.address()} "$@"\n'
        )
        (tools / "mailrouter").chmod(0o755)
        (tools / "sudo").write_text('#!/bin/sh\nshift 2\nexec "$@"\n')  # who it is for: see `acting`
        (tools / "sudo").chmod(0o755)
        self.here.keys = {name: one.fingerprint for name, one in self.people.items()}
        self.here.keys["ours"] = json.loads(node.run("key", "list", "--json").stdout)[0]["fingerprint"]
        self.begins = datetime.now(UTC)
        for name, one in self.people.items():
            (node.folder / f"{name}.asc").write_bytes(one.key)
            one.gpg.knows(node.run("key", "export").stdout)

        (note,) = re.findall(r"(?ms)^```markdown\n(.*?)^```$", document(SCRIPT))
        (node.folder / "note.md").write_text(note, "utf-8")

    # ---- the play ------------------------------------------------------------------------------------------------

    def play(self) -> Iterator[tuple[Typed, str]]:
        """Each command, and what it answers today."""
        for step in transcript.steps(document(SCRIPT)):
            if isinstance(step, Arrives):
                self._arrives(step)
            elif isinstance(step, Typed):
                yield step, self._answer(step.command)

    def _answer(self, command: str) -> str:
        self._settle()
        environ = {**self.node.environ, "PATH": f"{self.node.folder / 'bin'}:{os.environ['PATH']}"}
        with acting(self.node, "Ben") if command.startswith("sudo -u ben ") else nullcontext():
            done = subprocess.run(
                ["bash", "-c", self.here.say(command)], cwd=self.node.folder, env=environ, text=True, timeout=120,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
        assert "Traceback" not in done.stdout, done.stdout
        self._learn()
        self._time_passes()
        print(f"$ {command}", done.stdout, sep="\n")
        return self.here.write_down(done.stdout.rstrip())

    def _settle(self) -> None:
        """No letter is on its way."""
        wait_for_counts(self.node, {"SELECT count(*) FROM letters WHERE state = 'queued'": 0})

    def _time_passes(self) -> None:
        """The minutes since it began."""
        took = int((datetime.now(UTC) - self.begins).total_seconds() // 60) + 2
        self.here.times = frozenset(f"{self.begins + timedelta(minutes=n):%H:%M}" for n in range(took)) - {"00:00"}

    def _learn(self) -> None:
        """The numbers that were given, once they are."""
        db = Database(self.node.database_url)
        try:
            with db.read() as tx:
                for query, theirs in LEARNED:
                    for found in tx.execute(text(query)).scalars().all()[:1]:
                        self.here.words[theirs] = str(found).split()[-1]
        finally:
            db.close()

    def _arrives(self, step: Arrives) -> None:
        raw = self._as_sent({name: self.here.say(value) for name, value in step.headers.items()}, step.text)
        with smtplib.SMTP("127.0.0.1", self.node.smtp_port, timeout=60) as session:
            session.sendmail(step.headers["From"], [US], raw)
        self.mails += 1
        wait_for_counts(self.node, {"SELECT count(*) FROM messages WHERE mail_id IS NOT NULL": self.mails})
        self._learn()

    def _as_sent(self, headers: dict[str, str], body: str) -> bytes:
        sender, subject, body = headers.pop("From"), headers.pop("Subject"), self.here.say(body)
        if stands_in := headers.pop("Text", ""):
            body = self.here.say(_as_shown(stands_in, sender))
        if answered := headers.pop("Answers", ""):
            letter = self._letter(sender, answered)
            headers |= {"To": str(letter["Reply-To"]), "In-Reply-To": str(letter["Message-ID"])}
        if signer := headers.pop("Signed-By", ""):
            return self.people[signer].signed(subject, body, **headers)
        mail = headed(sender, subject, **headers)
        mail.set_content(body)
        return mail.as_bytes(policy=mail.policy.clone(linesep="\r\n"))

    def _letter(self, to: str, subject: str) -> Message:
        """The last one to them of this subject."""
        self._settle()
        theirs = [(mail, read.subject) for mail, read in self._sent() if mail["To"] == to]
        found = [mail for mail, shown in theirs if shown.startswith(subject)]  # inside stands the title as well
        assert found, f"no letter {subject!r} to {to}, but {[one for _, one in theirs]}"
        return found[-1]

    def _sent(self) -> list[tuple[Message, Read]]:
        """What has left so far, in its order, and what its recipient reads."""
        by_address = {one.address: one for one in self.people.values()}
        files = sorted((self.node.data / "outgoing" / "new").iterdir(), key=lambda file: file.stat().st_mtime_ns)
        raws = [file.read_bytes() for file in files]
        mails = [(message_from_bytes(raw), raw) for raw in raws]
        return [(mail, by_address.get(str(mail["To"]), self.people["acme"]).read(raw)) for mail, raw in mails]

    # ---- the letters ---------------------------------------------------------------------------------------------

    def letters(self) -> dict[tuple[str, str], list[str]]:
        """What each recipient read under each subject, in the order of leaving, as the transcript says it."""
        self._settle()
        self._time_passes()
        found = defaultdict(list)
        for mail, read in self._sent():
            found[str(mail["To"]), self.here.write_down(read.subject)].append(self.here.write_down(read.text))
        return found


def _as_shown(name: str, sender: str) -> str:
    """The text of their first mail in the document that shows it whole."""
    shown = (one for one in transcript.steps(document(name)) if isinstance(one, Arrives))
    return next(one.text for one in shown if one.headers["From"] == sender)


@pytest.fixture
def day(serve: Callable[..., Daemon], organisations: Callable[..., Organisation]) -> Day:
    """The daemon runs as it comes, but for its name; letters go to the maildir."""
    node = serve(
        IDENTITY__NAME="Example CERT", IDENTITY__PHONE="+1 555 0100", POLICY__DIGEST_AT="23:59",
        POLICY__ACKNOWLEDGE_HOURS="24", IDENTITY__NOTES_URL="https://notes.cert.example",
    )  # fmt: skip
    return Day(node, organisations)


def shown_letters(name: str) -> list[Leaves]:
    """Those a document shows."""
    return [one for one in transcript.steps(document(name)) if isinstance(one, Leaves)]


def as_sent(shown: Leaves, sent: dict[tuple[str, str], list[str]]) -> Leaves:
    """The letter that is shown: as it stands when it is true, else the first of that recipient and subject."""
    candidates = sent[shown.to, shown.subject]
    if true := [one for one in candidates if shown.shows(one)]:
        return shown if transcript.LEFT_OUT in shown.text else Leaves(shown.to, shown.subject, true[0])
    assert candidates, f"no letter {shown.subject!r} to {shown.to}; there are {sorted(sent)}"
    return Leaves(shown.to, shown.subject, candidates[0])


def test_the_days_are_as_written(day: Day) -> None:
    played = list(day.play())
    sent = day.letters()
    if os.environ.get("RECORD"):
        return record([answer for _, answer in played], sent)
    for typed, answer in played:
        assert (typed.command, transcript.shape(answer)) == (typed.command, transcript.shape(typed.answer))
    for name in ALL:
        for shown in shown_letters(name):
            true = as_sent(shown, sent)
            assert shown.shows(true.text), f"{name}: {shown.subject} to {shown.to} reads\n{true.text}"
    assert len(played) > 30
    return None


def record(answers: list[str], sent: dict[tuple[str, str], list[str]]) -> None:
    """Write down what was said and sent."""
    for name in ALL:
        letters = [as_sent(one, sent) for one in shown_letters(name)]
        made = transcript.written(document(name), answers if name == SCRIPT else [], letters)
        (DOCS / name).write_text(made, "utf-8")


def test_what_arrives_is_the_same_in_each() -> None:
    """A mail that a reporter's or a vendor's document shows is one that the script has arrive."""
    script = [one for one in transcript.steps(document(SCRIPT)) if isinstance(one, Arrives)]
    known = {(one.headers["From"], one.headers["Subject"]): one for one in script}
    for name in (REPORTERS, VENDORS):
        for one in transcript.steps(document(name)):
            if isinstance(one, Arrives):
                played = known[one.headers["From"], one.headers["Subject"]]
                assert played.headers.get("Text") == name or played.text == one.text


def test_a_key_has_one_fingerprint_in_all_of_them() -> None:
    """A reader who compares them is not to think that a letter was forged."""
    found = re.findall(r"\b[0-9A-F]{4}(?:\s[0-9A-F]{4}){9}\b", "\n".join(map(document, ALL)))
    assert {"".join(one.split()) for one in found} == set(transcript.KEYS.values())
    by_letters = re.findall(r"Key fingerprint: (.*)", "\n".join(map(document, ALL)))
    assert {one.replace(" ", "") for one in by_letters} == {transcript.KEYS["ours"]}


def test_they_cover_what_each_does() -> None:
    typed = [one.command for one in transcript.steps(document(SCRIPT)) if isinstance(one, Typed)]
    nouns = {" ".join(command.rpartition("mailrouter")[2].split()[:2]) for command in typed}
    assert {
        "", "report list", "report show", "report score", "report accept", "case describe", "case add-vendor",
        "case notify", "case show", "case relay", "proposal list", "proposal take", "queue show", "message show",
        "beat --at", "statement list", "statement show", "statement approve", "participant show", "message route",
        "case log", "case remark", "case timeline", "case close", "embargo accept", "embargo show", "cve set",
        "note write", "note share", "note shown", "note diff", "note approve", "note gate", "note publish", "note site",
    } <= nouns  # fmt: skip


def test_the_answers_fit_a_terminal() -> None:
    """100 columns, but for a SHA-256, or a sentence with a command or with reasons."""
    typed = (one for one in transcript.steps(document(SCRIPT)) if isinstance(one, Typed))
    lines = [line for one in typed for line in one.answer.splitlines()]
    told = ("SHA-256", "`mailrouter", "`--anyway`", "SSVC rule")
    assert [line for line in lines if len(line) > 100 and not any(word in line for word in told)] == []
