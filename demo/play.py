"""`make demo`: one case from the first report to the published note, by real mail through the real daemon.

Promises: a line after `$` is a command that was run, and what stands below it is its answer; every other line about
what the program did was read back from it. Ends by itself; what goes wrong is one line and exit status 1.
"""

import os
import signal
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import timedelta
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

from demo import telling
from demo.people import People, Person, gpg
from demo.stage import ADDRESS, ROOT, Stage, Trouble
from mailrouter import clock
from mailrouter.cli.frame import login

TITLE = "Stack overflow in the AX-7 update service"
REPORT = """\
Product and version: Acme AX-7, firmware 7.1
Description: an oversized manifest overwrites the stack of the updater.
Proof of concept: a script, on request
Public: no
Vendor contacted: yes, two months ago
Share my name with vendors: no
"""
VECTOR = "AV:A/AC:L/Au:N/C:C/I:C/A:C/CDP:MH/TD:M"
ANSWERS = ("--credible", "yes", "--suppliers", "multiple", "--engagement", "unresponsive")
ANSWERS += ("--utility", "efficient", "--safety", "significant")
DESCRIPTION = "An oversized manifest overwrites the stack of the update service (TCP port 4410).\n"
STATEMENT = "Acme AX-7 before 7.2 is affected. Version 7.2, due on 2 March, corrects this.\n"
FINDER = Person("jo.finder@mail.example")
BOLT, CORD = Person("security@bolt.example", "Bolt"), Person("psirt@cord.example", "Cord")
NOTE = """\
# Stack overflow in the AX-7 update service

## Overview

The update service of the AX-7 overwrites its stack when it reads an oversized manifest.

## Description

The service listens on TCP port 4410. It copies the manifest without comparing its length.

## Impact

Whoever reaches the port runs code as root, without a password.

## Solution

Update to version 7.2. Until then, close port 4410.

## Acknowledgements

Thanks to the reporter, who wishes to remain anonymous.

## References

https://acme.example/advisories/7
"""
ALICE, BEN = "alice@cert.example", "ben@cert.example"
EVE = Person("eve@elsewhere.example")


def main() -> int:
    """Play it; the exit status."""
    os.umask(0o077)  # the folder holds keys and mail
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("demo: stopped"))
    sys.stdout.reconfigure(line_buffering=True, errors="replace")  # type: ignore[union-attr]  # pipes follow it too
    try:
        _play()
    except Trouble as trouble:
        return _say(f"{trouble}", 1)
    except OSError as trouble:
        return _say(f"{trouble.filename or 'this machine'}: {trouble.strerror or type(trouble).__name__}", 1)
    except KeyboardInterrupt:
        return _say("stopped", 130)
    return 0


def _say(why: str, status: int) -> int:
    telling.complained(why)
    return status


def _play() -> None:
    with ExitStack() as ending:
        stage = Stage()
        ending.callback(stage.close)
        people = People()
        ending.callback(people.leave)
        Story(stage, people).tell()


class Story:
    """One case. `vu` (VU#123456) and `number` (the same for commands) are known once it is opened."""

    def __init__(self, stage: Stage, people: People) -> None:
        self.stage, self.people = stage, people
        self.vu, self.number = "", ""
        self.acme = Person("")

    def tell(self) -> None:
        """From beginning to end."""
        telling.headline(
            "One case, from a report to the published note. Behind each $ stands a command that is really run, and "
            "below it what it answers; mail (<-) comes in by SMTP, and letters (->) are those the daemon has handed "
            "over. The keys are throw-away keys, and nothing leaves this machine."
        )
        for number, (title, scene) in enumerate(self.scenes(), 1):
            telling.act(number, title)
            scene()

    def scenes(self) -> tuple[tuple[str, Any], ...]:
        """In their order."""
        return (
            ("A coordinator opens for mail", self.opening),
            ("A report comes in", self.report),
            ("The vendors are written to", self.vendors),
            ("Acme sends a signed statement", self.signed_statement),
            ("Bolt sends one that is not signed", self.unsigned_statement),
            ("A robot and a stranger write", self.others),
            ("Two weeks pass", self.silence),
            ("The letter, as Cord's mail program has it", self.letter),
            ("What an analyst sees now", self.overview),
            ("The note is written and approved", self.note),
            ("It is published", self.published),
            ("What readers have", self.readers),
            ("Does it add up?", self.accounts),
            ("Where to look", self.where),
        )

    # ---- the acts ------------------------------------------------------------------------------------------------

    def opening(self) -> None:
        """Migrate, add people, start."""
        stage = self.stage
        stage.order("db", "upgrade")
        queues = "triage,review,bounces"
        stage.order("analyst", "add", "Alice", "--email", ALICE, "--login", login(), "--queues", queues)
        stage.order("analyst", "add", "Ben", "--email", BEN, "--login", "ben")
        self.acme = self.people.with_key("Acme", "psirt@acme.example")
        assert self.acme.home is not None
        (stage.folder / "acme.asc").write_bytes(gpg(self.acme.home, "--armor", "--export", self.acme.address))
        stage.order("vendor", "add", "Acme", "--email", self.acme.address, "--key", "acme.asc")
        for vendor in (BOLT, CORD):
            stage.order("vendor", "add", vendor.name, "--email", vendor.address)
        stage.open()
        self.people.port = stage.port
        telling.noted(f"ready: it takes mail for {ADDRESS} on 127.0.0.1:{stage.port}")

    def report(self) -> None:
        """A mail without a number is a report: it has one at once, waits in triage, and is scored and taken up."""
        stage, subject = self.stage, "overflow in the AX-7 updater"
        self.people.send(FINDER, subject, REPORT)
        telling.came(FINDER.address, subject, "a report, in the lines of our form")
        stage.wait("the report in triage", lambda: stage.ask("queue", "show", "triage"))
        self._acknowledged(FINDER)
        stage.order("report", "list")
        (report,) = stage.ask("report", "list")
        stage.order("report", "score", report["vrf"], "--cvss", VECTOR, *ANSWERS)
        self.vu = stage.order("report", "accept", report["vrf"], "--title", TITLE).strip()
        self.number = self.vu.removeprefix("VU#")
        self._letters_leave(1)

    def vendors(self) -> None:
        """What they are told, and first contact, one mail each; with it the 45 days begin."""
        stage = self.stage
        (stage.folder / "description.txt").write_text(DESCRIPTION)
        stage.order("case", "describe", self.number, "--file", "description.txt")
        for vendor in (self.acme, BOLT, CORD):
            stage.order("case", "add-vendor", self.number, vendor.name)
        stage.order("case", "notify", self.number)
        self._letters_leave(4, since=1)
        case = self._case()
        telling.noted(
            f"the embargo is {case['embargo']['state'].lower()}, and publication is planned for "
            f"{case['publication']['planned_at'][:10]}, 45 days from the first letter"
        )

    def signed_statement(self) -> None:
        """It stands by itself; Alice approves the exact text, and any gpg can check it."""
        stage = self.stage
        text = f"== VENDOR STATEMENT {self.vu} ==\n{STATEMENT}== END ==\n\nRegards, Acme PSIRT\n"
        self.people.send_signed(self.acme, f"{self.vu}: our statement", text)
        self._filed(self.acme, f"{self.vu}: our statement", "a statement, signed by Acme's key")
        stage.order("statement", "show", self.number, "Acme", "--verbatim")
        stage.order("statement", "show", self.number, "Acme", "--signed", "proof")
        assert self.acme.home is not None
        gpg(self.acme.home, "--verify", stage.folder / "proof/statement.asc", stage.folder / "proof/statement")
        telling.noted("plain `gpg --verify proof/statement.asc proof/statement` agrees: a good signature")
        stage.order("statement", "approve", self.number, "Acme")

    def unsigned_statement(self) -> None:
        """It is an answer, and it is held."""
        self.people.send(BOLT, f"Statement on {self.vu}", "Bolt products are not affected.\n")
        self._filed(BOLT, f"Statement on {self.vu}", "a statement, not signed")
        self.stage.order("statement", "list", self.number)

    def others(self) -> None:
        """Neither of them changes anything."""
        stage = self.stage
        subject = f"Automatic reply: [{self.vu}]"
        self.people.send(CORD, subject, "I am out of the office until Monday.\n", automatic="auto-replied")
        self._filed(CORD, subject, "an out-of-office")
        subject = f"{self.vu}: what have you got?"
        self.people.send(EVE, subject, "Please send me all details.\n")
        telling.came(EVE.address, subject, "knows the number, and takes no part in the case")
        item = stage.wait("the stranger in review", lambda: stage.ask("queue", "show", "review"))[0]
        self._acknowledged(EVE)
        stage.order("queue", "show", "review")
        stage.order("message", "show", str(item["message"]))
        telling.noted(
            "a VU# routes and never authorises: Eve has what the reporter had too, but for its number, and of the case "
            f"{len(self._letters())} letters are out, as many as before"
        )

    def silence(self) -> None:
        """Two days, two weeks less an hour, two weeks, and the same moment again."""
        start = clock.now()
        telling.noted("Bolt waits for us; of Cord, only a robot has answered. The clock is told, not waited for.")
        for passed in (timedelta(days=2, minutes=5), timedelta(days=13, hours=21), timedelta(days=14, minutes=5)):
            at = f"{start + passed:%Y-%m-%dT%H:%MZ}"
            if passed.days == 14:
                self.stage.order("beat", "--at", at, "--dry-run")
            self.stage.order("beat", "--at", at)
        self.stage.order("beat", "--at", at)
        self._letters_leave(5, since=4)

    def letter(self) -> None:
        """What lies in the outgoing maildir."""
        raw = next(raw for raw in self._outgoing() if raw["To"] == CORD.address and raw["Auto-Submitted"])
        for name in ("From", "To", "Subject", "In-Reply-To", "Auto-Submitted"):
            telling.noted(f"{name}: {' '.join(str(raw[name]).split())}")
        text = next(part for part in raw.walk() if part.get_content_type() == "text/plain").get_payload(decode=True)
        assert isinstance(text, bytes)
        telling.answered("\n".join(["", *text.decode().splitlines()[:12], "…"]))

    def overview(self) -> None:
        """The case as a whole."""
        self.stage.order("case", "show", self.number)

    def note(self) -> None:
        """A draft with the facts of now, another analyst who approves exactly it; then what the gate still wants."""
        stage = self.stage
        stage.order("cve", "set", self.number, "CVE-2026-12345")
        (stage.folder / "note.md").write_text(NOTE)
        stage.order("note", "write", self.number, "--file", "note.md")
        telling.noted("Ben reads it at his own login, and approves exactly that content")
        stage.order("note", "approve", self.number, "--draft", "1", by="Ben")
        stage.order("note", "gate", self.number, status=1)

    def published(self) -> None:
        """What is unmet is overruled by its name, with a reason; who took part is told."""
        stage = self.stage
        unmet = [
            one["name"] for one in stage.ask("note", "gate", self.number, status=1)["conditions"] if not one["met"]
        ]
        despite = [word for name in unmet for word in ("--override", name)]
        count = len(self._letters())
        stage.order("note", "publish", self.number, *despite, "--why", "a demo does not wait for 45 days")
        telling.noted(f"the case is {self._case()['state']}, its embargo is over, and everybody is told in this minute")
        self._letters_leave(count + 4, since=count)

    def readers(self) -> None:
        """The folder: signed, for people and machines; the note as plain text."""
        stage = self.stage
        stage.order("note", "site")
        (text,) = self.site.glob(f"vuls/id/{self.number}/*.txt")
        home = self.people.reader()
        gpg(home, "--import", self.site / "key.asc")
        signed = text.with_name(f"{text.name}.asc")
        gpg(home, "--verify", signed)
        telling.noted(f"plain `gpg --verify {signed.relative_to(self.site)}` agrees: signed with the key in the folder")
        body = text.read_text("utf-8").partition("\n\n")[2]
        telling.answered("\n".join(["", *body.splitlines()[:24], "…"]))

    @property
    def site(self) -> Path:
        """What readers have now."""
        return (self.stage.data / "site").resolve()

    def accounts(self) -> None:
        """Nothing is lost, nothing was changed behind the program's back."""
        self.stage.order("books")
        self.stage.order("journal", "verify")

    def where(self) -> None:
        """The folder stays; how to ask on."""
        program = Path(sys.executable).parent / "mailrouter"
        shown = program.relative_to(ROOT) if program.is_relative_to(ROOT) else program
        ask = f"{shown} --config {self.stage.config}"
        letters = self._outgoing()
        notices = sum(letter["To"] == ALICE for letter in letters)
        robots = sum(letter["Auto-Submitted"] == "auto-replied" for letter in letters)
        lines = (
            f"the note       {self.stage.data / 'site' / 'vuls' / 'id' / self.number / 'index.html'}",
            "               (open it in any browser; no server and no JavaScript are needed)",
            f"queue          {ask} queue show review",
            f"case           {ask} case show {self.number}",
            f"outgoing mail  {self.stage.data / 'outgoing' / 'new'}",
            f"               ({len(letters)} letters, {notices} of them notices to Alice, {robots} automatic answers)",
            f"daemon's log   {self.stage.log}",
            "a plain daemon, left running: make run",
        )
        telling.answered("\n".join(lines))

    # ---- reading back --------------------------------------------------------------------------------------------

    def _case(self) -> Any:
        return self.stage.ask("case", "show", self.number)

    def _letters(self) -> list[Any]:
        """Those of the case; notices to Alice are not among them."""
        return [letter for letter in self.stage.ask("outbox", "list") if letter["vu"]]

    def _letters_leave(self, count: int, since: int = 0) -> None:
        """Wait until so many letters are out, and tell of those beyond `since`."""

        def out() -> list[Any]:
            letters = self._letters()
            return letters if len(letters) >= count and all(one["state"] == "sent" for one in letters) else []

        for letter in self.stage.wait("the letters to leave", out)[since:]:
            seals = " and ".join(word for word in ("signed", "encrypted") if letter[word])
            telling.went(letter["to"], f"{letter['letter']}, {seals or 'bare'}")

    def _acknowledged(self, sender: Person) -> None:
        """Wait until they have been told that their mail is here, and tell of it."""
        wanted = ("acknowledgement", sender.address, "sent")

        def out() -> bool:
            letters = self.stage.ask("outbox", "list")
            return any((one["letter"], one["to"], one["state"]) == wanted for one in letters)

        self.stage.wait("the acknowledgement", out)
        telling.went(sender.address, "acknowledgement with a number, else the same for everybody, once a day")

    def _filed(self, sender: Person, subject: str, what: str) -> None:
        """Tell of a mail and of what became of it."""
        telling.came(sender.address, subject, what)
        wanted = ("in", sender.address, subject)

        def filed() -> Any:
            case = self._case()
            mails = (m for m in case["messages"] if (m["direction"], m["from"], m["subject"]) == wanted)
            return next(((mail, case) for mail in mails), None)

        mail, case = self.stage.wait("the mail in its case", filed)
        turn = next(one["waiting_on"] for one in case["participants"] if one["name"] == sender.name)
        told = {
            "standing": mail["standing"], "signature": mail["signature"]["verdict"], "assurance": mail["assurance"],
            "waiting on": turn,
        }  # fmt: skip
        machine = ", written by a machine" if mail["automated"] else ""
        telling.noted(f"message {mail['id']}, filed with the case{machine}; {_listed(told)}")

    def _outgoing(self) -> list[Message]:
        folder = self.stage.data / "outgoing" / "new"
        return [message_from_bytes(path.read_bytes()) for path in sorted(folder.iterdir())]


def _listed(told: Mapping[str, str]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in told.items())


if __name__ == "__main__":
    sys.exit(main())
