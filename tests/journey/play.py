"""A case from its reporter's first mail to the last vendor's answer, as a play (issue 5, Show 1 and 2).

Real daemon, SMTP in and out, real gpg; the clock is moved by `beat --at`. The reporter is anonymous. Of the vendors
Acme answers signed, Boltonics is anonymous towards the others, Cord is silent, Dune answers from another address of its
domain, Echo has no PGP. `nobody_learns_of_another` searches every letter for what its recipient must not learn.
publication.py plays on from there.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from mailrouter.store.engine import Database
from tests.journey.leaks import assert_no_leak
from tests.journey.office import Office
from tests.journey.people import Organisation, Read
from tests.servers.wait import until

VU = 174254
VECTOR = "AV:N/AC:L/Au:N/C:C/I:C/A:C/E:POC/RL:U/RC:C/CDP:MH/TD:H/CR:M/IR:M/AR:M"
REPORT = """\
Vulnerability report (VRF)

Contact: Rita Quillinger, quiet@throwaway-mail.example
Product and version: AX-7, firmware 7.1
Description: an oversized manifest overwrites the stack of the updater.
Impact and attack scenario: whoever reaches the port runs code as root.
How discovered: fuzzing
Proof of concept: a script, on request
Public (yes or no): no
Exploited (yes or no): no
Vendor contacted (yes or no, and when): yes, in January
Why us: five vendors ship it
Credit me in the note (yes or no): no
Share my name with vendors (yes or no): no
"""
DESCRIPTION = "An oversized manifest overwrites the stack of the update service (TCP port 4410).\n"
POC = b"print('A' * 70000)\n"
FORM = "Affected: {affected}\nWhy not: {why}\nFixed in: {fixed}\nFix expected: {expected}\nWe need: {need}\n"


def form(affected: str = "", why: str = "", fixed: str = "", expected: str = "", need: str = "") -> str:
    """The answer form, filled in."""
    return FORM.format(affected=affected, why=why, fixed=fixed, expected=expected, need=need)


@dataclass
class Known:
    """Whoever takes part, and what they are known by. Names are long: what is encrypted holds any few letters."""

    who: Organisation
    anonymous: bool = False
    names: tuple[str, ...] = ()  # of persons
    message_ids: set[str] = field(default_factory=set)  # of their mails, and of ours to them
    signs: bool = False  # a statement of theirs is in the note, and so is the key that signs it

    def secrets(self) -> set[str]:
        """What no other participant may find."""
        more = {self.who.name, self.who.address.partition("@")[2], *self.names} if self.anonymous else set()
        told = {self.who.fingerprint, self.who.fingerprint[-16:]} if self.signs else set()
        return {self.who.address, *key_ids(self.who), *self.message_ids, *more} - told


def key_ids(of: Organisation) -> list[str]:
    """Fingerprint and long ids of their primary key and its subkeys."""
    listed = of.gpg.run("--with-colons", "--list-keys", of.fingerprint).stdout.decode()
    return [of.fingerprint, *(line.split(":")[4] for line in listed.splitlines() if line.startswith(("pub", "sub")))]


class Case:
    """The play. Each act is a method, told in order by `play`."""

    def __init__(self, office: Office, organisations: Callable[..., Organisation]) -> None:
        self.office, self.run, self.start = office, office.node.run, datetime.now(UTC)
        self.acme, self.cord, self.dune, self.echo = (
            Known(organisations(name)) for name in ("Acme", "Cord", "Dune", "Echo")
        )
        self.bolt = Known(organisations("Boltonics", "psirt@boltonics-group.example"), anonymous=True)
        self.rita = Known(
            organisations("Mothwing", "quiet@throwaway-mail.example"),
            anonymous=True,
            names=("Rita Quillinger", "Quillinger"),
        )
        self.everybody = [self.rita, self.acme, self.bolt, self.cord, self.dune, self.echo]
        for one in self.everybody:
            one.who.gpg.knows(office.key)

    def play(self) -> None:
        """From the first mail to the last answer."""
        self.a_report_comes()
        self.it_is_accepted()
        self.vendors_are_written_to()
        self.echo_consents_to_clear_text()
        self.acme_answers_signed()
        self.a_question_goes_to_the_reporter_and_back()
        self.bolt_answers_and_is_named_to_nobody()
        self.dune_answers_from_another_address()
        self.cord_is_silent()
        self.echo_answers_last()

    # ---- hands ---------------------------------------------------------------------------------------------------

    def sends(self, who: Known, raw: bytes) -> int:
        """Their mail arrives; its message's id."""
        head = raw.partition(b"\r\n\r\n")[0].decode()
        (mail_id,) = re.findall(r"(?im)^message-id: <([^>]+)>", head)
        who.message_ids.add(mail_id)
        self.office.mail(who.who.address, raw)
        return int(self.rows("SELECT id FROM messages WHERE message_id = :mail_id", mail_id=mail_id)[0][0])

    def letters(self, who: Known, count: int) -> list[Read]:
        """All we wrote to them, once it is so many; answers of our robots to their mail are not counted."""

        def theirs() -> list[Read]:
            read = map(who.who.read, self.taken(who))
            return [one for one in read if one["Auto-Submitted"] != "auto-replied"]

        until(lambda: len(theirs()) >= count, f"{count} letters to {who.who.name}", seconds=20)
        found = theirs()
        assert len(found) == count, [one.subject for one in found]
        return found

    def taken(self, who: Known) -> list[bytes]:
        """What the smarthost was handed for them."""
        return [one.data for one in list(self.office.sink.taken) if who.who.address.encode() in one.rcpt[0]]

    def rows(self, query: str, **values: object) -> list[Any]:
        """What a SELECT gives."""
        db = Database(self.office.node.database_url)
        try:
            with db.read() as tx:
                return list(tx.execute(text(query), values))
        finally:
            db.close()

    def beat(self, days: float) -> list[Any]:
        """The clock is so many days on."""
        at = f"{self.start + timedelta(days=days, minutes=30):%Y-%m-%dT%H:%MZ}"
        return list(self.office.node.json("beat", "--at", at))

    def part(self, who: Known) -> Any:
        """How they stand in the case."""
        name = who.who.address if who is self.rita else who.who.name
        (found,) = [one for one in self.office.case(VU)["participants"] if one["name"] == name]
        return found

    def answer(self, who: Known, body: str, subject: str = "") -> bytes:
        """A signed mail of theirs."""
        return who.who.signed(subject or f"Re: [VU#{VU}] Vulnerability report, please read", f"VU#{VU}\n\n{body}")

    # ---- the acts ------------------------------------------------------------------------------------------------

    def a_report_comes(self) -> None:
        """The form by mail; at once its number comes back, and nothing of what was written."""
        self.sends(self.rita, self.rita.who.sealed(self.office.fingerprint, "Overflow in the updater", REPORT))
        (told,) = until(lambda: self.taken(self.rita), "the acknowledgement")
        acknowledged = self.rita.who.read(told)
        (self.vrf,) = re.findall(r"VRF#\d\d-\d\d-[A-Z]{5}", acknowledged.subject)
        assert not re.search("(?i)overflow|manifest|AX-7|Rita", acknowledged.text)
        (waiting,) = self.office.queue("triage")
        assert self.vrf in waiting["why"]

    def it_is_accepted(self) -> None:
        """Scored, recommended, accepted."""
        self.run("report", "score", self.vrf, "--cvss", VECTOR, "--credible", "yes", "--suppliers", "multiple",
                 "--engagement", "unresponsive", "--utility", "efficient", "--safety", "significant")  # fmt: skip
        (report,) = self.office.node.json("report", "list")
        assert report["ssvc"]["decision"] == "Coordinate"
        self.run("report", "accept", self.vrf, "--vu", str(VU), "--title", "Stack overflow in the AX-7 updater")
        letter = self.letters(self.rita, 1)[0]
        assert f"VU#{VU}" in letter.subject
        assert letter.signer == self.office.fingerprint
        assert self.office.node.json("report", "list") == []
        file = self.office.node.folder / "reporter.asc"
        file.write_bytes(self.rita.who.key)
        self.run("vendor", "add-key", self.rita.who.address, str(file), "--channel", "in the report")

    def vendors_are_written_to(self) -> None:
        """One letter each: with the details, encrypted, where a key is pinned; else without them."""
        folder = self.office.node.folder
        for one in (self.acme, self.bolt, self.cord, self.dune):
            self.office.vendor(one.who)
        self.office.vendor(self.echo.who, pinned=False)
        self.run("vendor", "set", "Dune", "--domain", "dune.example")
        for one in (self.acme, self.bolt, self.cord, self.dune, self.echo):
            more = ["--anonymous"] if one.anonymous else []
            self.run("case", "add-vendor", str(VU), one.who.name, *more)
        (folder / "poc.py").write_bytes(POC)
        self.run("case", "describe", str(VU), "--file", "-", "--attach", "poc.py", stdin=DESCRIPTION)
        self.run("case", "notify", str(VU))
        for one in (self.acme, self.bolt, self.cord, self.dune):
            (letter,) = self.letters(one, 1)
            assert letter.encrypted
            assert DESCRIPTION.strip() in letter.text.replace("\n", " ")
            assert letter.files == {"poc.py": POC}
        (letter,) = self.letters(self.echo, 1)
        assert (letter.encrypted, letter.files, letter.signer) == (False, {}, self.office.fingerprint)
        assert "manifest" not in letter.text
        self.planned = datetime.fromisoformat(self.office.case(VU)["publication"]["planned_at"])
        assert timedelta(days=45) <= self.planned - self.start < timedelta(days=50)

    def echo_consents_to_clear_text(self) -> None:
        """To the address that they were given in clear: nothing proves it, so the analyst sends the details."""
        (first,) = self.letters(self.echo, 1)
        self.sends(self.echo, self.echo.who.plain(f"Re: {first.subject}", "Clear text: yes\n", To=first["Reply-To"]))
        self.run("case", "details", str(VU), self.echo.who.name)
        details = self.letters(self.echo, 2)[1]
        assert "manifest" in details.text
        assert details.files == {"poc.py": POC}

    def acme_answers_signed(self) -> None:
        """The form in a mail that is signed and names the case: applied by itself."""
        said = form(affected="yes", expected="2099-02-01", need="the firmware's build number")
        self.asked = self.sends(self.acme, self.answer(self.acme, said + "\nWhich build did the reporter test?\n"))
        standing = self.part(self.acme)
        assert standing["statuses"] == {f"VU#{VU}.1": "Affected"}
        assert standing["waiting_on"] == "us"
        assert self.office.node.json("proposal", "list", str(VU)) == []

    def a_question_goes_to_the_reporter_and_back(self) -> None:
        """Passed on under pseudonyms, both ways, encrypted."""
        count = len(self.office.sink.taken)
        self.run("case", "relay", str(self.asked), "reporter", "--consent", "asked for in the mail", "--yes")
        until(lambda: len(self.office.sink.taken) > count, "the question to leave")
        question = self.letters(self.rita, 2)[1]
        assert question.encrypted
        assert "Which build did the reporter test?" in question.text
        body = "Build 4410. The script is attached.\n\nRita Quillinger\n"
        told = self.sends(self.rita, self.rita.who.sealed(
            self.office.fingerprint, f"Re: {question.subject}", body, {"poc.py": POC}, To=question["Reply-To"],
        ))  # fmt: skip
        more = ("--file", "-", "--attach", "poc.py", "--consent", "agreed", "--yes")
        self.run("case", "relay", str(told), "Acme", *more, stdin="Build 4410. The script is attached.\n")
        answer = self.letters(self.acme, 2)[1]
        assert answer.encrypted
        assert "Build 4410." in answer.text
        assert answer.files == {"poc.py": POC}

    def bolt_answers_and_is_named_to_nobody(self) -> None:
        """Signed: not affected, and why."""
        self.sends(self.bolt, self.answer(self.bolt, form(affected="no", why="our parser is another one")))
        assert self.part(self.bolt)["statuses"] == {f"VU#{VU}.1": "Not Affected"}

    def dune_answers_from_another_address(self) -> None:
        """Unsigned, and from nobody we know, at the address that Dune was given: proposals, for a person to take."""
        (first,) = self.letters(self.dune, 1)
        raw = self.dune.who.plain(
            f"[DUNE-77] Re: [VU#{VU}] Vulnerability coordination", form(affected="yes", fixed="3.1"),
            From="h.sand@dune.example", To=first["Reply-To"],
        )  # fmt: skip
        self.sends(self.dune, raw)
        assert self.part(self.dune)["statuses"] == {f"VU#{VU}.1": "Unknown"}
        proposed = self.office.node.json("proposal", "list", str(VU))
        assert {(one["what"], one["value"]) for one in proposed} == {
            ("affected", "yes"), ("fixed-in", "3.1"), ("their-ref", "DUNE-77"),
        }  # fmt: skip
        self.run("proposal", "take", *(str(one["id"]) for one in proposed))
        assert self.part(self.dune)["statuses"] == {f"VU#{VU}.1": "Affected"}
        assert self.part(self.dune)["their_ref"] == "DUNE-77"

    def cord_is_silent(self) -> None:
        """Two weeks, two follow-ups, then non-responsive."""
        assert "Cord" not in {one["participant"] for one in self.beat(13)}
        for days, rung in ((14, 1), (28, 2)):
            self.beat(days)
            letter = self.letters(self.cord, 1 + rung)[rung]
            assert letter["Auto-Submitted"] == "auto-generated"
        self.beat(43)
        assert self.part(self.cord)["progress"] == "non-responsive"

    def echo_answers_last(self) -> None:
        """In clear, as they can: an analyst takes it."""
        first = self.echo.who.read(next(raw for raw in self.taken(self.echo) if b"multipart/" in raw))
        self.sends(self.echo, self.echo.who.plain(
            f"Re: {first.subject}", form(affected="no", why="we do not ship the updater"), To=first["Reply-To"],
        ))  # fmt: skip
        proposed = self.office.node.json("proposal", "list", str(VU))
        self.run("proposal", "take", *(str(one["id"]) for one in proposed))
        assert self.part(self.echo)["statuses"] == {f"VU#{VU}.1": "Not Affected"}


def nobody_learns_of_another(played: Case) -> None:
    """Show 2: every byte that left, under every layer its recipient can take off."""
    for letter_to, message_id in played.rows("SELECT recipient, message_id FROM letters"):
        for one in played.everybody:
            if one.who.address == letter_to:
                one.message_ids.add(message_id)
    sent = {one.who.name: played.taken(one) for one in played.everybody}
    secrets = {one.who.name: one.secrets() for one in played.everybody}
    by_name = {one.who.name: one.who for one in played.everybody}
    assert_no_leak(sent, secrets, lambda name, armored: by_name[name].gpg.run("--decrypt", given=armored).stdout)
    assert sum(map(len, sent.values())) > 15
