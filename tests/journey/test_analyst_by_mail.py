"""An analyst's day in a mail program (issue 4, Show 4): a notice, a signed answer sent on, orders and their transcript;
and the same unsigned, forged, replayed, by another analyst and to another item's address.

Real daemon, real SMTP, real gpg: what Ana reads is decrypted in her own home, what Acme reads in Acme's.
"""

import smtplib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.journey.office import ANA, Office, wait_for_counts
from tests.journey.people import US, Organisation, Read
from tests.servers.wait import until

BOB = "bob@cert.example"
ANSWER = "Thank you.\nCould you send us a crash log?\n"
BLOCK = f"\n-- \nAna Lane, +1 555 0199\n{ANA}\n"


class Analyst(Organisation):
    """One of us, with a mail program of their own."""

    def joins(self, office: Office) -> None:
        """Their key is on file; they know ours."""
        file = office.node.folder / f"{self.name}.asc"
        file.write_bytes(self.key)
        order = ["set", "Ana"] if self.name == "Ana" else ["add", self.name, "--email", self.address]
        office.node.run("analyst", *order, "--key", str(file))
        self.gpg.knows(office.key)

    def answers(self, notice: Read, text: str) -> bytes:
        """The text above the whole notice, quoted, as mail programs do; signed by their key."""
        quoted = "".join(f"> {line}\n" for line in notice.text.splitlines())
        words = f"{text}{BLOCK}\nOn Monday, 2 March 2026 at 09:00, {notice['From']} wrote:\n{quoted}"
        return self.to(notice["Reply-To"], self.signed(f"Re: {notice.subject}", words))

    @staticmethod
    def to(address: str, raw: bytes) -> bytes:
        """The same mail to another address; what is signed stays as it is."""
        head, blank, rest = raw.partition(b"\r\n\r\n")
        lines = [f"To: {address}".encode() if one.startswith(b"To: ") else one for one in head.split(b"\r\n")]
        return b"\r\n".join(lines) + blank + rest


@pytest.fixture(scope="module")
def staff() -> Iterator[Callable[[str, str], Analyst]]:
    """`staff("Ana", ANA)`; each key is made once."""
    with tempfile.TemporaryDirectory(prefix="mrj-", dir="/tmp") as homes:
        made: dict[str, Analyst] = {}

        def find(name: str, address: str) -> Analyst:
            if name not in made:
                made[name] = Analyst(name, address, Path(homes, name))
            return made[name]

        yield find
        for one in made.values():
            one.gpg.end()


def hand_in(office: Office, sender: str, to: str, raw: bytes) -> None:
    """By SMTP; until it is received, and whatever it orders is done."""
    with smtplib.SMTP("127.0.0.1", office.node.smtp_port, timeout=60) as session:
        session.sendmail(sender, [to], raw)
    office.received()
    wait_for_counts(office.node, {"SELECT count(*) FROM orders WHERE done_at IS NULL": 0})


def told(office: Office, of: Analyst, subject: str, count: int) -> Read:
    """The last of so many letters to this analyst of that subject, opened in their own home."""

    def theirs() -> list[bytes]:
        mine = [one.data for one in list(office.sink.taken) if of.address.encode() in one.rcpt[0]]
        return [raw for raw in mine if subject.encode() in raw.partition(b"\r\nDate:")[0]]

    until(lambda: len(theirs()) >= count, f"{count} of {subject!r}", seconds=60)
    found = theirs()
    assert len(found) == count
    return of.read(found[-1])


def asked(office: Office, acme: Organisation, vu: int, text: str) -> None:
    """Acme writes, encrypted; Ana is told."""
    office.mail(acme.address, acme.sealed(office.fingerprint, f"Re: [VU#{vu}] Vulnerability report", text))
    office.node.run("beat")


def test_an_analysts_day_in_a_mail_program(
    small_office: Office, acme: Organisation, organisations: Callable[[str], Organisation],
    staff: Callable[[str, str], Analyst],
) -> None:  # fmt: skip
    office = small_office
    ana, bob, eve = staff("Ana", ANA), staff("Bob", BOB), organisations("Eve")
    ana.joins(office)
    bob.joins(office)
    office.vendor(acme)
    vu = office.open(acme)
    office.node.run("case", "notify", str(vu), "--without-details")
    office.letters_to(acme, 1)

    # a notice, with the text, which only Ana can read
    asked(office, acme, vu, "It is real. Which firmware did the reporter test?\n")
    notice = told(office, ana, "waits for you", 1)
    assert (notice.encrypted, notice.signer) == (True, office.fingerprint)
    assert "> It is real. Which firmware did the reporter test?" in notice.text
    assert notice["Reply-To"].startswith("cert+q")
    assert not any(b"It is real" in one.data for one in office.sink.taken)

    # her signed answer is our letter
    reply = ana.answers(notice, ANSWER)
    hand_in(office, ANA, notice["Reply-To"], reply)
    letter = office.letters_to(acme, 2)[1]
    assert (letter.encrypted, letter.signer, letter["From"]) == (True, office.fingerprint, f'"Example CERT" <{US}>')
    assert ANSWER in letter.text
    assert letter["In-Reply-To"] == f"<{office.message(vu, f'Re: [VU#{vu}] Vulnerability report')['message_id']}>"
    hers = reply.partition(b"Message-ID: ")[2].partition(b"\r\n")[0].decode()
    for never in (ANA, "Ana Lane", "555 0199", "cert+q", "waits for you", "It is real", hers):
        assert never not in letter.text
        assert never not in str(letter.headers)
    (whose,) = office.case(vu)["participants"]
    assert (whose["waiting_on"], office.queue("Ana")) == ("them", [])
    transcript = told(office, ana, "what became of your mail", 1)
    assert (transcript.encrypted, transcript.signer) == (True, office.fingerprint)
    assert "your text: sent on as letter" in transcript.text

    # orders, and what became of each
    asked(office, acme, vu, "Which version was it?\n")
    second = told(office, ana, "waits for you", 2)
    hand_in(office, ANA, second["Reply-To"], ana.answers(second, "wait 2099-12-01\nassign Bob\ndone\nhold\n"))
    lines = told(office, ana, "what became", 2).text.splitlines()
    assert "hold: not done: no letter to them is queued" in lines
    assert "wait 2099-12-01: nobody's turn until 2099-12-01 00:00 UTC" in lines
    assert f"assign Bob: VU#{vu} is Bob's" in lines
    assert any(one.startswith("done: item") for one in lines)
    case = office.case(vu)
    assert (case["analyst"], case["participants"][0]["waiting_on"], office.queue("Bob")) == ("Bob", "nobody", [])
    actors = {(one["kind"], one["actor"]) for one in office.node.json("journal", "show", str(vu))}
    assert {("participant.wait", "Ana"), ("case.assigned", "Ana"), ("item.done", "Ana")} <= actors

    # the same once more, and by others: nothing
    asked(office, acme, vu, "Are you there?\n")
    third = told(office, bob, "waits for you", 1)
    before = office.case(vu)
    theirs = bob.answers(third, "assign Ana\n\nAll is well.\n")
    good_to, old_to = third["Reply-To"], notice["Reply-To"]
    forged = eve.signed("Re: item", "assign Ana\n\nAll is well.\n").replace(eve.address.encode(), BOB.encode())
    attempts = [
        (BOB, good_to, bob.to(good_to, bob.plain("Re: item", "assign Ana\n\nAll is well.\n"))),
        (BOB, good_to, bob.to(good_to, forged)),
        (ANA, old_to, ana.to(old_to, reply.replace(b"Message-ID: <", b"Message-ID: <again."))),
        (ANA, good_to, ana.answers(third, "assign Ana\n\nAll is well.\n")),
        (BOB, old_to, bob.to(old_to, theirs)),
        (BOB, good_to.replace("q", "q1", 1), bob.to(good_to.replace("q", "q1", 1), theirs)),
    ]
    for sender, to, raw in attempts:
        hand_in(office, sender, to, raw)
    assert office.case(vu) == before
    assert [item["message"] for item in office.queue("Bob")] == [before["messages"][-1]["id"]]
    reasons = [item["why"].partition("without effect: ")[2] for item in office.queue("review")]
    assert reasons == [
        "it is not signed, or could not be opened", "it is signed by another key than yours",
        "the same signed mail came before; it is not done again", "its From is not exactly your registered address",
        "its From is not exactly your registered address", "the address was given to nobody",
    ]  # fmt: skip
    refused = [told(office, bob, "had no effect", 1), told(office, ana, "had no effect", 1)]  # once an hour for an item
    assert "Why: it is not signed, or could not be opened" in refused[0].text
    assert "Why: the same signed mail came before; it is not done again" in refused[1].text

    # Bob's own, which was not his to send elsewhere, still works where it belongs
    hand_in(office, BOB, good_to, bob.answers(third, "done\n\nYes, we are.\n"))
    assert "Yes, we are." in office.letters_to(acme, 3)[2].text
    assert office.node.json("books")["balanced"]
    office.node.run("journal", "verify")
