"""Attachments onto the disk: testbook S31."""
# ruff: noqa: E501  (a row of a table is read whole)

import os
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.cli import attachments
from mailrouter.faults import Refused
from mailrouter.flow.filing.look import File
from mailrouter.mail import parse


def files(*names: str) -> list[File]:
    return [File(name, "text/plain", f"{number} of {name!r}".encode()) for number, name in enumerate(names)]


@pytest.mark.row("S31")
@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "etc_passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("a\x00b.txt", "a_u0000b.txt"),
        ("CON", "_CON"),
        ("con.txt", "_con.txt"),
        ("Lpt1.pdf", "_Lpt1.pdf"),
        ("console.log", "console.log"),
        ("-rf", "_-rf"),
        (".bashrc", "bashrc"),
        ("...", "attachment-7"),
        ("", "attachment-7"),
        ("a b\nc.txt", "a_b_c.txt"),
        ("C:evil.exe", "C_evil.exe"),
        ("\u202egnp.exe", "u202egnp.exe"),
        ("x" * 5000 + ".txt", "x" * 196 + ".txt"),
        ("ä" * 5000, "ä" * 100),
    ],
    ids=lambda value: value[:20],
)
def test_names(name, safe):
    assert attachments.safe_name(name, 7) == safe


@pytest.mark.row("S31")
@given(st.text(max_size=300))
def test_any_name_is_one_short_name_in_the_folder(name):
    safe = attachments.safe_name(name, 1)
    assert Path("/folder", safe).parent == Path("/folder")
    assert safe not in (".", "..")
    assert "\x00" not in safe
    assert len(os.fsencode(safe)) <= attachments.LONGEST + 2


@pytest.mark.row("S31")
def test_a_hundred_of_the_same_name(tmp_path):
    wanted = files(*["poc.py"] * 100)
    written = attachments.save(wanted, tmp_path / "in")
    assert len(set(written)) == 100
    assert [path.read_bytes() for path in written] == [file.content for file in wanted]
    assert {path.stat().st_mode & 0o777 for path in written} == {0o600}


@pytest.mark.row("S31")
def test_nothing_is_overwritten_and_no_link_followed(tmp_path):
    folder, outside = tmp_path / "in", tmp_path / "outside"
    folder.mkdir()
    (folder / "poc.py").write_bytes(b"mine")
    (folder / "dead.py").symlink_to(outside)
    (folder / "live.py").symlink_to(folder / "poc.py")
    written = attachments.save(files("poc.py", "dead.py", "live.py"), folder)
    assert [path.name for path in written] == ["poc-2.py", "dead-2.py", "live-2.py"]
    assert (folder / "poc.py").read_bytes() == b"mine"
    assert not outside.exists()


def test_all_or_none(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Refused, match="cannot be written to"):
        attachments.save(files("a"), tmp_path / "file")


@pytest.mark.row("S31")
@pytest.mark.row("S34")
@pytest.mark.parametrize(
    "kind",
    [
        "application/ms-tnef; name=winmail.dat", "text/calendar; method=REQUEST; name=invite.ics", "text/html; name=a.hta",
        "application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m", "application/zip; name=bomb.zip",
        "image/svg+xml; name=x.svg", "application/x-ms-shortcut; name=x.lnk", "application/x-iso9660-image; name=x.iso",
        "application/pdf; name=a.pdf\r\nContent-Type: text/html; name=b.html", "message/disposition-notification; name=r",
    ],
)  # fmt: skip
def test_whatever_it_is_it_is_kept_as_it_came_and_shown_as_an_attachment(kind, tmp_path):
    content = bytes(range(256)) * 8
    raw = (
        b"From: ann@vendor.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nsee attached\r\n--b\r\n"
        b"Content-Type: " + kind.encode() + b"\r\nContent-Disposition: attachment\r\n\r\n" + content + b"\r\n--b--\r\n"
    )
    mail = parse.mail(raw)
    assert (mail.text, len(mail.attachments)) == ("see attached", 1)
    found = mail.attachments[0]
    written = attachments.save([File(found.name or "", found.content_type, mail.attachment_bytes(0))], tmp_path)
    assert sha256(written[0].read_bytes()).digest() == sha256(content).digest()
