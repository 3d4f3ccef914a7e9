"""A report as large as they come, through the real door: 20 MB with 50 attachments, and the form filled in."""

import base64
import hashlib
from pathlib import Path
from random import Random

from mailrouter.mail import reportform
from tests.journey.office import Office
from tests.journey.people import US

JO = "jo@finder.example"
FILES, SIZE = 50, 295_000  # bytes of each: in base64, and with all of them, 20 MB


def content(number: int) -> bytes:
    return Random(number).randbytes(SIZE)


def large() -> bytes:
    """Text first, then the files."""
    text = reportform.template().replace("Product and version:", "Product and version: AX-7").replace("\n", "\r\n")
    parts = [f"Content-Type: text/plain\r\n\r\n{text}".encode()]
    for number in range(FILES):
        head = (
            "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n"
            f'Content-Disposition: attachment; filename="poc{number:02}.bin"\r\n\r\n'
        )
        parts.append(head.encode() + base64.encodebytes(content(number)).replace(b"\n", b"\r\n"))
    head = (
        f"From: Jo <{JO}>\r\nTo: {US}\r\nSubject: Overflow in the AX-7\r\nMessage-ID: <large@finder.example>\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="part"\r\n\r\n'
    )
    return head.encode() + b"".join(b"--part\r\n" + part + b"\r\n" for part in parts) + b"--part--\r\n"


def test_a_report_of_20_megabytes_with_50_attachments(small_office: Office, tmp_path: Path) -> None:
    office, raw = small_office, large()
    assert 20_000_000 < len(raw) < 21_000_000
    office.mail(JO, raw)
    (waits,) = office.queue("triage")
    vrf = waits["report"]
    assert waits["why"].startswith(f"new report {vrf}")
    (listed,) = office.node.json("report", "list")
    assert (listed["vrf"], listed["title"]) == (vrf, "Overflow in the AX-7")
    assert "AX-7" in office.node.run("report", "show", vrf).stdout
    shown = office.node.json("message", "show", str(waits["message"]))
    assert [f["size"] for f in shown["attachments"]] == [SIZE] * FILES
    assert hashlib.sha256(office.raw(waits["message"])).digest() == hashlib.sha256(raw).digest()
    office.node.run("message", "save", str(waits["message"]), str(tmp_path / "files"))
    saved = sorted((tmp_path / "files").iterdir())
    assert [path.read_bytes() == content(number) for number, path in enumerate(saved)] == [True] * FILES
    assert office.node.json("books")["balanced"]
