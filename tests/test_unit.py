"""The systemd unit lets through what the program does: a daemon at work, and its gpg, under strace (testbook H02)."""

import re
import smtplib
import subprocess
from pathlib import Path

import pytest

from tests.servers.wait import program, until

UNIT = Path(__file__).parents[1] / "config" / "mailrouter.service"
STARTING = {"execve", "brk", "arch_prctl", "exit", "exit_group", "rt_sigreturn"}  # never filtered, or before the filter
AS_ROOT = {"fchown"}  # SQLite calls it only when the tests run as root; the unit never does
MAIL = b"From: someone@vendor.example\r\nTo: cert@cert.example\r\nSubject: VU#123456\r\n\r\nhello\r\n"


def members(analyze: Path, group: str) -> set[str]:
    """The calls of one of systemd's groups, its groups within included."""
    listed = subprocess.run([analyze, "syscall-filter", group], capture_output=True, text=True, check=True, timeout=60)
    found: set[str] = set()
    for line in listed.stdout.splitlines()[1:]:
        name = line.strip()
        if name.startswith("@"):
            found |= members(analyze, name)
        elif name and not name.startswith("#"):
            found.add(name)
    return found


def allowed(analyze: Path) -> set[str]:
    """The unit's SystemCallFilter lines, in order."""
    calls: set[str] = set()
    for line in re.findall(r"(?m)^SystemCallFilter=(.*)$", UNIT.read_text("utf-8")):
        named = line.removeprefix("~").split()
        listed = set().union(*(members(analyze, name) if name.startswith("@") else {name} for name in named))
        calls = calls - listed if line.startswith("~") else calls | listed
    return calls


def made(summary: Path) -> set[str]:
    """The calls in strace's summary."""
    rows = [line.split() for line in summary.read_text("utf-8").splitlines()]
    return {row[-1] for row in rows if len(row) >= 5 and re.fullmatch(r"[\d.]+", row[0]) and row[-1] != "total"}


@pytest.mark.row("H02")
def test_the_unit_allows_every_call(daemons, tmp_path):
    analyze, strace = program("systemd-analyze", "systemd"), program("strace", "strace")
    summary = tmp_path / "calls"
    node = daemons()
    node.run("db", "upgrade")
    node.start(wrapper=(str(strace), "-DD", "-f", "-qq", "-c", "-o", str(summary)))
    with smtplib.SMTP("127.0.0.1", node.smtp_port, timeout=30) as client:
        client.sendmail("someone@vendor.example", ["cert@cert.example"], MAIL)
    until(lambda: node.json("books", status=None)["pending"] == 0, "the mail to be filed")
    assert node.terminate() == 0
    node.end_gpg()  # strace follows it too, and writes its summary when the last of them has ended
    calls = until(lambda: made(summary), "strace to write its summary")
    assert {"accept4", "fdatasync"} & calls
    assert calls - allowed(analyze) - STARTING - AS_ROOT == set()
