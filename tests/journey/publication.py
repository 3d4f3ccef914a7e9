"""The five vendors' case played on: from their answers to revision 2 of the note (issue 6, Show 1).

A date that half of them decline, CVE IDs of a CNA and of the service, statements signed, held and vouched for, a draft
that is shared, acknowledged and commented on, the gate, publication, a late statement, and the end by itself. The
reporter and Boltonics are anonymous all along: `nobody_hidden_is_published` searches what readers are given.
"""

import html
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.journey.office import Office
from tests.journey.people import Gnupg, Organisation
from tests.journey.play import VU, Case, Known
from tests.journey.site import Site
from tests.servers.cveservice import CveService
from tests.servers.wait import until

NOTES = "https://notes.cert.example"
NOTE = """\
# Stack overflow in the AX-7 update service

## Overview

The update service of the AX-7 family overwrites its stack when it reads an oversized manifest.

## Description

The service listens on TCP port 4410. It copies the *manifest* without comparing its length:

```
memcpy(buffer, manifest, length);
```

## Impact

Whoever reaches the port runs code as root.

## Solution

Update to version 3.1, or close port 4410.

## Acknowledgements

Thanks to the reporter, who wishes to remain anonymous.

## References

- https://acme.example/advisories/7
"""
ACMES = "Acme AX-7 before 7.2 is affected. Version 7.2 corrects this.\n"
ECHOES = "Echo does not ship the update service & is <not> affected.\n"
DUNES = "Dune DX before 3.1 is affected. Update to 3.1.\n"
DUNES_CVE = "CVE-2026-44110"


def statement(text: str) -> str:
    """As vendors send it."""
    return f"== VENDOR STATEMENT VU#{VU} ==\n{text}== END ==\n\nRegards\n"


class Publication(Case):
    """What comes after the answers. Each act is a method; its first line is what `-s` prints."""

    def __init__(self, office: Office, organisations: Callable[..., Organisation], service: CveService) -> None:
        super().__init__(office, organisations)
        self.service = service
        self.fjord = Known(organisations("Fjord"))
        self.fjord.who.gpg.knows(office.key)
        self.everybody.append(self.fjord)
        self.site = Site(Path(office.node.data, "site"))

    def play_on(self, reader: Gnupg) -> None:
        """From the answers to the end."""
        self.reader = reader
        for act in (
            self.there_is_a_second_analyst,
            self.statements_come,
            self.another_date_is_agreed_and_a_third_is_not,
            self.cve_ids_are_assigned,
            self.the_note_is_written,
            self.the_draft_is_shared,
            self.they_look_at_it,
            self.the_silent_are_told_once_more,
            self.another_analyst_approves,
            self.the_gate_is_closed,
            self.it_is_published,
            self.the_record_follows,
            self.all_are_told,
            self.a_late_statement_makes_revision_2,
            self.it_closes_by_itself,
            self.a_mail_opens_it_again,
        ):
            print("==", (act.__doc__ or "").splitlines()[0])
            act()

    # ---- hands ---------------------------------------------------------------------------------------------------

    def now(self, *arguments: str, **more: Any) -> str:
        """A command of Ana's; what it says, which `-s` shows."""
        done = self.run(*arguments, **more)
        print(f"$ mailrouter {' '.join(arguments)}\n{done.stdout}{done.stderr}", end="")
        return str(done.stdout + done.stderr)

    def told(self, who: Known, subject: str, number: int = 1) -> Any:
        """The letter of that subject they have as the first, second, ...; waited for."""

        def found() -> list[Any]:
            read = map(who.who.read, [raw for raw in self.taken(who) if b"multipart/" in raw])
            return [one for one in read if subject in one.subject]

        until(lambda: len(found()) >= number, f"letter {number} to {who.who.name}: {subject}", seconds=30)
        return found()[number - 1]

    # ---- the acts ------------------------------------------------------------------------------------------------

    def there_is_a_second_analyst(self) -> None:
        """Ben, who is to approve."""
        self.run("analyst", "add", "Ben", "--email", "ben@cert.example", "--login", "nobody-logs-in-as-ben")

    def statements_come(self) -> None:
        """Acme's is signed and stands; Echo's is not, is held, and then vouched for by mail."""
        self.sends(self.acme, self.answer(self.acme, statement(ACMES), f"VU#{VU} statement"))
        self.sends(self.echo, self.echo.who.plain(f"Statement on VU#{VU}", ECHOES))
        assert "a signature" in self.told(self.echo, "cannot be published yet").text
        assert self.states() == {"Acme": "verified", "Echo": "held"}
        self.run("statement", "approve", str(VU), "Echo", status=1)
        self.now("statement", "vouch", str(VU), "Echo", "--by", "mail")
        letter = self.told(self.echo, "confirm a text")
        (digits,) = re.findall(r"(?m)^ +([0-9a-f]{64})$", letter.text)
        self.sends(self.echo, self.echo.who.plain(
            f"Re: {letter['Subject']}", f"I confirm {digits[:16]}\n", To=letter["Reply-To"],
        ))  # fmt: skip
        assert self.states() == {"Acme": "verified", "Echo": "vouched"}
        for name in ("Acme", "Echo"):
            self.now("statement", "approve", str(VU), name)
        self.acme.signs = True

    def states(self) -> dict[str, str]:
        """Of each vendor's newest statement."""
        return {one["vendor"]: one["state"] for one in self.office.case(VU)["statements"]}

    def another_date_is_agreed_and_a_third_is_not(self) -> None:
        """Acme asks for a month more, which is agreed; then for more, and half decline: the agreed date stays."""
        later, latest = (f"{self.planned + timedelta(days=days):%Y-%m-%d}" for days in (30, 90))
        self.asks_for(later)
        for one in (self.rita, self.bolt, self.dune):
            self.answers(one, "accept")
        self.taken_for(self.echo, "accept")
        self.now("embargo", "accept", str(VU))
        assert self.ends()[:10] == later
        for one in (self.rita, self.acme, self.bolt, self.echo):
            assert later in self.told(one, "The date of the publication").text
        self.asks_for(latest, 2)
        self.answers(self.rita, "accept", 2)
        for one in (self.bolt, self.dune):
            self.answers(one, "decline", 2)
        self.run("embargo", "accept", str(VU), status=1)
        asked = self.office.node.json("embargo", "show", str(VU))["embargo"]["terms"][-1]
        assert asked["answers"] == {
            self.rita.who.address: "accepted", "Acme": "accepted", "Boltonics": "declined", "Cord": "invited",
            "Dune": "declined", "Echo": "invited",
        }, "silence is no consent"  # fmt: skip
        self.now("embargo", "refuse", str(VU), str(asked["number"]), "--why", "half of them decline")
        assert self.ends()[:10] == later
        self.now("embargo", "show", str(VU))

    def ends(self) -> str:
        """The agreed date."""
        return str(self.office.case(VU)["embargo"]["ends_at"])

    def asks_for(self, day: str, number: int = 1) -> None:
        """Acme does, signed; the others are asked, and Cord says nothing."""
        self.sends(self.acme, self.answer(self.acme, f"Embargo: {day}\n\nThe field update needs the time.\n"))
        self.take_what_is_proposed()
        for one in (self.rita, self.bolt, self.dune, self.echo, self.cord):
            letter = self.told(one, "A date for the publication", number)
            assert day in letter.text
            assert letter.encrypted or one is self.echo

    def answers(self, who: Known, word: str, number: int = 1) -> None:
        """Signed, so it counts at once."""
        letter = self.told(who, "A date for the publication", number)
        self.sends(who, who.who.signed(f"Re: {letter.subject}", f"VU#{VU}\n\nEmbargo: {word}\n", To=letter["Reply-To"]))

    def taken_for(self, who: Known, word: str) -> None:
        """Not signed: an analyst takes it."""
        letter = self.told(who, "A date for the publication")
        self.sends(who, who.who.plain(f"Re: {letter.subject}", f"Embargo: {word}\n", To=letter["Reply-To"]))
        self.take_what_is_proposed()

    def cve_ids_are_assigned(self) -> None:
        """Dune is a CNA, and assigns the first; the second is reserved from the service."""
        self.run("vendor", "set", "Dune", "--cna")
        self.now("cve", "ask", f"VU#{VU}.1", "Dune")
        letter = self.told(self.dune, "A CVE ID for this vulnerability")
        answer = f"VU#{VU}\n\nCVE: {DUNES_CVE}\n"
        self.sends(self.dune, self.dune.who.signed(f"Re: {letter.subject}", answer, To=letter["Reply-To"]))
        self.take_what_is_proposed()
        assert self.ids() == [DUNES_CVE]
        self.run("case", "vulnerability", str(VU), "The updater's log holds passwords")
        self.now("cve", "reserve", f"VU#{VU}.2", "--why", "found by us")
        until(lambda: len(self.ids()) == 2, "the second ID", seconds=30)
        assert self.ids()[0] == DUNES_CVE
        assert self.service.states() == {self.ids()[1]: "RESERVED"}
        for one in (self.rita, self.acme, self.bolt):
            assert self.ids()[1] in self.told(one, "The CVE ID", 2).text
        self.run("cve", "problem", f"VU#{VU}.2", "--cwe", "CWE-532", "--text", "The updater logs passwords.")
        self.now("cve", "show", str(VU))

    def ids(self) -> list[str]:
        """The case's CVE IDs, by number."""
        found = self.office.node.json("cve", "show", str(VU))["vulnerabilities"]
        return [one["cve"] for one in found if one["cve"]]

    def take_what_is_proposed(self) -> None:
        """Ana takes it, whatever it is."""
        if proposed := self.office.node.json("proposal", "list", str(VU)):
            self.now("proposal", "take", *(str(one["id"]) for one in proposed))

    def the_note_is_written(self) -> None:
        """From the template, by Ana; what is wrong in it is refused by its line."""
        template = self.run("note", "template", str(VU)).stdout
        assert [line for line in NOTE.splitlines() if line.startswith("## ") and line not in template] == []
        self.run("note", "write", str(VU), "--file", "-", stdin=NOTE.replace("*manifest*", "<b>it</b>"), status=2)
        self.now("note", "write", str(VU), "--file", "-", stdin=NOTE)
        self.now("note", "show", str(VU))

    def the_draft_is_shared(self) -> None:
        """On its day, ten days ahead, to everybody, one encrypted mail each; those downstream are alerted."""
        self.office.vendor(self.fjord.who)
        self.run("case", "add-vendor", str(VU), "Fjord", "--downstream")
        self.run("case", "notify", str(VU), "Fjord")
        self.told(self.fjord, "Vulnerability report")
        self.sends(self.fjord, self.answer(self.fjord, "We take what Cord ships, and look into it.\n"))
        self.now("note", "share", str(VU))
        self.planned = datetime.fromisoformat(self.office.case(VU)["publication"]["planned_at"])
        self.on(self.planned - timedelta(days=9))
        for one in self.everybody:
            draft = self.told(one, "Draft for your review")
            assert "overwrites its stack" in draft.text
            assert draft.encrypted or one is self.echo
        assert self.told(self.fjord, "Alert: publication").encrypted

    def on(self, day: datetime) -> None:
        """The clock is there."""
        self.now("beat", "--at", f"{day:%Y-%m-%dT%H:%MZ}")

    def they_look_at_it(self) -> None:
        """Acme has seen it; Dune comments, and Ana writes the next draft."""
        for one, said in ((self.acme, "Draft: seen\n"), (self.dune, "Draft: comments below\n\nIt is version 3.1.1.\n")):
            letter = self.told(one, "Draft for your review")
            raw = one.who.signed(f"Re: {letter.subject}", f"VU#{VU}\n\n{said}", To=letter["Reply-To"])
            comment = self.sends(one, raw)
        shown = {one["participant"]: one for one in self.office.node.json("note", "shown", str(VU))}
        assert shown["Acme"]["acknowledged_at"]
        assert (shown["Acme"]["comments"], shown["Dune"]["comments"]) == (None, comment)
        assert not shown["Cord"]["acknowledged_at"]
        self.now("note", "shown", str(VU))
        self.now("note", "write", str(VU), "--file", "-", stdin=NOTE.replace("3.1,", "3.1.1,"))
        assert "3.1.1" in self.now("note", "diff", str(VU))
        for item in self.office.queue("Ana"):
            if item["message"] == comment:
                self.run("queue", "done", str(item["item"]))

    def the_silent_are_told_once_more(self) -> None:
        """Cord, three days ahead: the note will say that it was asked."""
        self.on(self.planned - timedelta(days=2))
        assert "have not received a statement" in " ".join(self.told(self.cord, "Reminder: publication").text.split())
        assert not [one for one in map(self.acme.who.read, self.signed_to(self.acme)) if "Reminder:" in one.subject]

    def signed_to(self, who: Known) -> list[bytes]:
        """All we wrote to them but acknowledgements."""
        return [raw for raw in self.taken(who) if b"multipart/" in raw]

    def another_analyst_approves(self) -> None:
        """Not Ana, who wrote it; Ben, exactly what he has read."""
        sha256 = self.office.node.json("note", "show", str(VU))["sha256"]
        self.run("note", "approve", str(VU), "--sha256", sha256[:16], status=1)
        print(self.office.as_ben("note", "approve", str(VU), "--sha256", sha256[:16]))

    def the_gate_is_closed(self) -> None:
        """One condition stops it, by its name: the day has not come."""
        found = self.office.node.json("note", "gate", str(VU), status=1)
        assert [one["name"] for one in found["conditions"] if not one["met"]] == ["date"]
        print(self.run("note", "gate", str(VU), status=1).stdout)
        assert "date" in self.run("note", "publish", str(VU), status=1).stderr

    def it_is_published(self) -> None:
        """On the day: here an override says so, since only the daemon's own clock is told another time."""
        self.now("note", "publish", str(VU), "--override", "date", "--why", "the play's clock stands before the day")
        page = self.site.page(VU)
        for text in (ACMES.strip(), "3.1.1", DUNES_CVE, self.ids()[1], "We have not received a statement"):
            assert text in page, text
        for name in ("Acme", "Cord", "Dune", "Echo", "Fjord"):
            assert name in page
        assert html.escape(ECHOES.strip(), quote=False) in self.site.text(f"vuls/id/{VU}/index.html")
        self.site.parses()
        assert self.site.verifies(self.reader, self.office.fingerprint) > 10

    def the_record_follows(self) -> None:
        """That of the ID we reserved, and only after the note; Dune is asked for its own."""
        until(lambda: self.service.states() == {self.ids()[1]: "PUBLISHED"}, "the record", seconds=30)
        assert self.told(self.dune, "please publish your CVE record")

    def all_are_told(self) -> None:
        """In the clear words of TLP: where it is, and thanks."""
        for one in self.everybody:
            letter = self.told(one, "Published")
            assert f"{NOTES}/vuls/id/{VU}" in letter.text
            assert "TLP:CLEAR" in letter.text
        case = self.office.case(VU)
        assert (case["state"], case["embargo"]["state"]) == ("published", "EXITED")

    def a_late_statement_makes_revision_2(self) -> None:
        """Dune's, signed: a draft is proposed, Ana approves the text, Ben the revision, and all are told again."""
        self.sends(self.dune, self.answer(self.dune, statement(DUNES), f"VU#{VU} statement"))
        self.now("statement", "approve", str(VU), "Dune")
        self.dune.signs = True
        (proposed,) = [one for one in self.office.node.json("note", "list") if one["vu"] == f"VU#{VU}"]
        assert (proposed["revision"], proposed["state"]) == (2, "draft")
        assert DUNES.strip() in self.now("note", "diff", str(VU))
        print(self.office.as_ben("note", "approve", str(VU), "--draft", str(proposed["draft"])))
        self.now("note", "publish", str(VU))
        assert DUNES.strip() in self.site.page(VU)
        for one in (self.rita, self.bolt, self.cord, self.dune):
            assert "Revision: 2" in self.told(one, "A new revision is published").text
        self.site.parses()
        self.site.verifies(self.reader, self.office.fingerprint)

    def it_closes_by_itself(self) -> None:
        """Nothing is open any more."""
        for item in self.office.queue("Ana"):
            self.run("queue", "done", str(item["item"]))
        self.run("cve", "recorded", f"VU#{VU}.1")
        for days in (15, 40):
            self.on(datetime.now(UTC) + timedelta(days=days))
        assert self.office.case(VU)["state"] == "closed"

    def a_mail_opens_it_again(self) -> None:
        """Echo has something to say after all."""
        self.sends(self.echo, self.echo.who.plain(f"Re: VU#{VU}", "We do ship it, in EX-2.\n"))
        assert self.office.case(VU)["state"] == "published"

    def nobody_hidden_is_published(self) -> None:
        """No file of the site names the reporter or Boltonics."""
        assert self.site.names(self.rita.secrets() | self.bolt.secrets()) == []
        others = {secret for one in self.everybody for secret in one.secrets()}
        assert self.site.names(others) == []
