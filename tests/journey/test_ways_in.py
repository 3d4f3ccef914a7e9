"""The same mail by each way in is the same mail: smtplib, swaks, and a real Postfix that hands over by LMTP."""

import re
import smtplib
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.journey.office import Office
from tests.journey.people import US, Organisation
from tests.servers.postfix import Postfix
from tests.servers.wait import program, until

OPERATORS = Path(__file__).parents[2] / "docs" / "operators.md"


def documented(lmtp_port: int) -> str:
    """main.cf as the document has it, for this port."""
    (lines,) = re.findall(r"(?ms)^```ini\n(.*?)^```$", OPERATORS.read_text("utf-8"))
    assert lines.count(":8024") == 1
    return lines.replace(":8024", f":{lmtp_port}")


def test_smtplib(small_office: Office, acme: Organisation) -> None:
    office = small_office
    office.vendor(acme)
    vu = office.open(acme)
    raw = office.mail(acme.address, acme.signed(f"Re: [VU#{vu}] your letter", "We look into it. Größe: 3\n", "8bit"))
    mail = office.message(vu, f"Re: [VU#{vu}] your letter")
    assert office.raw(mail["id"]) == raw
    (item,) = office.queue("Ana")
    assert (item["message"], item["vu"], item["why"], item["standing"]) == (mail["id"], f"VU#{vu}", "answer", "signed")
    assert "We look into it" in office.node.run("message", "show", str(mail["id"]), "--text").stdout


def test_swaks(small_office: Office, acme: Organisation, tmp_path: Path) -> None:
    office = small_office
    office.vendor(acme)
    vu = office.open(acme)
    raw = acme.plain(f"VU#{vu}", "By swaks.\n.dots\n..more\n")
    (tmp_path / "mail").write_bytes(raw)
    done = subprocess.run(
        [program("swaks", "swaks"), "--server", f"127.0.0.1:{office.node.smtp_port}", "--to", US,
         "--from", acme.address, "--helo", "mail.acme.example", "--data", f"@{tmp_path / 'mail'}"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    office.received()
    kept = office.raw(office.message(vu, f"VU#{vu}")["id"])
    assert kept in (raw, raw + b"\r\n")  # some versions of swaks add a line end of their own


def test_postfix_in_front(office: Office, acme: Organisation, postfix: Callable[..., Postfix]) -> None:
    """As docs/operators.md sets it up. Its own lines stand before what was sent, unchanged."""
    office.vendor(acme)
    vu = office.open(acme)
    border = postfix("error:only what the document says", documented(office.node.lmtp_port))
    text = f"VU#{vu}\nAcme is affected.\nFrom 7.2 on it is not.\n.\n..\n"
    statement = acme.signed(f"VU#{vu} statement", text)
    office.mail(acme.address, statement, port=border.port)
    mail = office.message(vu, f"VU#{vu} statement")
    kept = office.raw(mail["id"])
    assert kept.endswith(statement)
    assert b"Received:" in kept.removesuffix(statement)
    assert (mail["standing"], mail["assurance"]) == ("signed", "verified")
    assert office.bytes("statement", "show", str(vu), "Acme", "--verbatim") == text.encode().replace(b"\n", b"\r\n")
    assert {door["door"] for door in office.node.json("books")["doors"]} == {"lmtp"}


def test_postfix_waits_while_we_are_away(
    small_office: Office, acme: Organisation, postfix: Callable[..., Postfix]
) -> None:
    office = small_office
    office.vendor(acme)
    vu = office.open(acme)
    border = postfix(f"lmtp:inet:127.0.0.1:{office.node.lmtp_port}")
    office.node.terminate()
    raw = acme.plain(f"VU#{vu}", "Are you there?\n")
    with smtplib.SMTP("127.0.0.1", border.port, timeout=60) as session:
        session.sendmail(acme.address, [US], raw)
    until(lambda: "Connection refused" in border.log(), "Postfix to find us away", seconds=60)
    assert border.waiting() == 1
    office.node.start()
    border.flush()
    office.received()
    until(lambda: border.waiting() == 0, "Postfix's queue to be empty", seconds=60)
    assert office.raw(office.message(vu, f"VU#{vu}")["id"]).endswith(raw)
