"""A statement's life by real mail, step by step: what `case show`, `queue show` and the outbox say after each.

`pytest -s tests/journey/test_statement_life.py` prints the steps as a table.
"""

import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from click.testing import CliRunner
from tabulate import tabulate

from mailrouter.cli import main
from tests.journey.conftest import settings
from tests.journey.office import Office
from tests.journey.people import US, Gnupg, Organisation, Read
from tests.servers.daemon import Daemon
from tests.servers.sink import Sink
from tests.servers.wait import program, until

AFFECTED = "Affected. Version 7.2 corrects this.\n"


@dataclass
class Life:
    """A running office with one case, and what was seen of it after each step."""

    office: Office
    sink: Sink
    vu: int = 0
    rows: list[tuple[str, str, str, str]] = field(default_factory=list)
    _items: set[int] = field(default_factory=set)
    _letters: set[int] = field(default_factory=set)
    _statements: list[str] = field(default_factory=list)

    def ask(self, *arguments: str) -> Any:
        """A command that only looks, in this process: starting one for each would cost half a minute."""
        environ = {name: value for name, value in self.office.node.environ.items() if name.startswith("MAILROUTER_")}
        done = CliRunner().invoke(main, [*arguments, "--json"], env=environ, prog_name="mailrouter")
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    def order(self, *arguments: str) -> str:
        """A command of Ana's."""
        return self.office.node.run(*arguments).stdout

    def step(self, what: str, case: list[str], queue: list[str], outbox: list[str]) -> None:
        """After `what`: the statements there are, what is new in Ana's queue, the letters that are new."""
        statements = [self._statement(one) for one in self.ask("case", "show", str(self.vu))["statements"]]
        items = [item for item in self.ask("queue", "show", "Ana") if item["item"] not in self._items]
        self._items |= {item["item"] for item in items}
        letters = [one for one in self.ask("outbox", "list") if one["id"] not in self._letters]
        letters = [one for one in letters if not one["letter"].startswith("analyst-")]
        self._letters |= {one["id"] for one in letters}
        seen = (statements, [item["why"] for item in items], [f"{one['letter']} to {one['to']}" for one in letters])
        changed = [line for line in statements if line not in self._statements]
        self._statements = statements
        self.rows.append((what, *("\n".join(column) for column in (changed, *seen[1:]))))
        assert seen == (case, queue, outbox), what

    @staticmethod
    def _statement(one: Any) -> str:
        why = f": {one['reason']}" if one["reason"] else ""
        marks = ("" if one["bound"] else ", unbound") + (", approved" if one["approved"] else "")
        return f"{one['vendor']} {one['state']}{marks}{why}"

    def read(self, of: Organisation, subject: str, number: int = 1) -> Read:
        """The letter of that subject that has reached them as the first, second, ..., as their program shows it."""

        def theirs() -> list[bytes]:
            taken = [one.data for one in list(self.sink.taken) if of.address.encode() in one.rcpt[0]]
            return [data for data in taken if b"multipart/" in data]  # acknowledgements are not signed

        def found() -> list[Read]:
            return [letter for letter in map(of.read, theirs()) if subject in letter.subject]

        until(lambda: len(found()) >= number, f"letter {number} to {of.name}: {subject}", seconds=60)
        return found()[number - 1]


@pytest.fixture
def life(serve: Callable[..., Daemon], smarthost: Sink) -> Life:
    """An office that answers as it comes."""
    node = serve(**settings(smarthost), POLICY__ACKNOWLEDGE_HOURS="24")
    return Life(Office(node, smarthost), smarthost)


@pytest.mark.row("P90")
@pytest.mark.row("P91")
@pytest.mark.row("P94")
def test_a_statements_life(
    life: Life, acme: Organisation, bolt: Organisation, organisations: Callable[[str], Organisation], reader: Gnupg
) -> None:
    cord = organisations("Cord")
    office, vu = life.office, 0
    for one, pinned in ((acme, True), (bolt, True), (cord, False)):
        office.vendor(one, pinned=pinned)
    vu = life.vu = office.open(acme, bolt, cord)
    life.order("case", "notify", str(vu), "--without-details")
    first = life.read(acme, f"VU#{vu}")
    assert (first.signer, first.encrypted) == (office.fingerprint, True)
    asked = [f"notification to {one.address}" for one in (acme, bolt, cord)]
    life.step("our letters leave", [], [], asked)

    # an answer that is signed, and does not name the case in what is signed
    older = acme.signed(f"VU#{vu} statement", f"VU#{vu}: {AFFECTED}")  # kept for later
    office.mail(acme.address, acme.signed(f"Re: [VU#{vu}]", "We are not affected.\n"))
    life.step("Acme answers, signed", [], ["answer"], [f"receipt to {acme.address}"])
    receipt = life.read(acme, "Your mail is filed")
    assert (receipt.signer, receipt.encrypted, receipt["Auto-Submitted"]) == (office.fingerprint, True, "auto-replied")
    assert "Its signature is good" in receipt.text

    message = office.message(vu, f"Re: [VU#{vu}]")
    assert (message["assurance"], message["flags"]) == ("verified", ["unbound"])
    life.order("statement", "take", str(message["id"]))
    life.step("Ana takes it as their statement", ["Acme verified, unbound"], [], [])
    sha256 = life.ask("statement", "show", str(vu), "Acme")["sha256"]
    life.order("statement", "approve", str(vu), "Acme", "--sha256", sha256[:16])
    life.step("Ana approves that text", ["Acme verified, unbound, approved"], [], [])

    newer = acme.signed(f"VU#{vu} statement", f"VU#{vu}: {AFFECTED}From 7.2 on: not.\n")
    office.mail(acme.address, newer)
    stands = ["Acme superseded, unbound, approved", "Acme verified"]
    life.step("Acme sends a newer one", stands, ["statement"], [f"receipt to {acme.address}"])
    receipt = life.read(acme, "Your mail is filed", 2)
    assert f"| VU#{vu}: {AFFECTED}| From 7.2 on: not." in receipt.text
    assert "Exactly this would be published:" in " ".join(receipt.text.split())

    office.mail(acme.address, older)
    stands.append("Acme held: it was signed before the statement that stands")
    life.step("an older one comes", stands, ["statement"], [f"statement-held to {acme.address}"])
    assert "a newer signature" in life.read(acme, "cannot be published yet").text

    office.mail(acme.address, re.sub(rb"(?m)^Message-ID: <", b"Message-ID: <again.", newer))
    stands.append("Acme held: the same signed text came before")
    life.step("the newer one is replayed", stands, ["statement"], [])  # they were told of a held one today

    office.mail(bolt.address, bolt.signed(f"VU#{vu} statement", f"VU#{vu}: Bolt is not affected.\n"))
    stands.append("Bolt verified")
    life.step("Bolt sends its own", stands, ["statement"], [f"receipt to {bolt.address}"])

    forged = bolt.signed(f"VU#{vu} statement", f"VU#{vu}: all is well.\n")
    office.mail(acme.address, forged.replace(bolt.address.encode(), acme.address.encode()))
    other = "it is signed by a key that is not pinned to its sender's organisation"
    stands.append(f"Acme held: {other}")
    life.step("Bolt signs in Acme's name", stands, ["statement"], [])  # Acme was told of a held one today

    vouched_for(life, cord, stands)
    verified_by_anybody(life, reader, acme)
    print("\n" + tabulate(life.rows, headers=("step", "case show", "queue show Ana", "outbox"), tablefmt="grid"))


def vouched_for(life: Life, cord: Organisation, stands: list[str]) -> None:
    """A vendor without PGP: unsigned, asked, confirmed."""
    office, vu = life.office, life.vu
    office.mail(cord.address, cord.plain(f"Statement on VU#{vu}", "Cord is not affected.\n"))
    held = [*stands, "Cord held, unbound: it is not signed"]
    life.step("Cord sends one unsigned", held, ["statement"], [f"statement-held to {cord.address}"])

    life.order("statement", "vouch", str(vu), "Cord", "--by", "mail")
    life.step("Ana asks Cord to confirm it", held, [], [f"voucher to {cord.address}"])
    letter = life.read(cord, "confirm a text")
    digits = re.search(r"(?m)^ +([0-9a-f]{64})$", letter.text)
    assert digits is not None
    assert "| Cord is not affected." in letter.text
    address = letter["Reply-To"]
    assert re.fullmatch(r"cert\+s\d+\.[a-z2-7]{16}@cert\.example", address)

    answer = cord.plain(f"Re: {letter['Subject']}", f"I confirm {digits[1][:16]}\n\n> What you wrote.\n")
    life.office.mail(cord.address, answer.replace(f"To: {US}".encode(), f"To: {address}".encode()))
    stands.append("Cord vouched, unbound")
    life.step("Cord confirms", stands, ["confirms the text we asked about"], [f"receipt to {cord.address}"])


def verified_by_anybody(life: Life, reader: Gnupg, acme: Organisation) -> None:
    """The export, by plain gpg in an empty home, and by sq."""
    folder = life.office.node.folder / "proof"
    life.order("statement", "export", str(life.vu), str(folder))
    manifest = json.loads((folder / "manifest.json").read_text())
    told = {one["vendor"]: one for one in manifest["statements"]}
    assert {name: one["state"] for name, one in told.items()} == {
        "Acme": "verified", "Bolt": "verified", "Cord": "vouched",
    }  # fmt: skip
    signature = told["Acme"]["signature"]
    assert (signature["fingerprint"], signature["when_it_came"]["verdict"]) == (acme.fingerprint, "good")
    reader.run("--import", folder / signature["key"])
    files = [folder / name for name in signature["files"]]
    done = reader.run("--status-fd", "1", "--verify", *files)
    assert re.search(rf"VALIDSIG .*{acme.fingerprint}", done.stdout.decode())
    refused = reader.run("--verify", *(folder / name for name in told["Bolt"]["signature"]["files"]), check=False)
    assert refused.returncode != 0, "with Acme's key alone"
    sq = [program("sq", "sq"), "verify", "--signer-cert", folder / signature["key"], "--detached", *files]
    assert subprocess.run(sq, capture_output=True, timeout=60, check=False).returncode == 0
    assert told["Cord"]["vouched"]["how"] == "mail"
    assert (folder / told["Cord"]["text"]).read_bytes() == b"Cord is not affected.\r\n"
