"""The program as a black box: real mail in, real commands, exact bytes out, one line when the answer is no."""

import smtplib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pgp.keys import Keymaker
from tests.servers.daemon import Daemon
from tests.servers.wait import until

PSIRT = "psirt@vendor.example"


def send(node: Daemon, sender: str, raw: bytes) -> None:
    with smtplib.SMTP("127.0.0.1", node.smtp_port) as client:
        client.sendmail(sender, ["cert@cert.example"], raw)


def shell(node: Daemon, command: str) -> subprocess.CompletedProcess[bytes]:
    """One command as a shell runs it; bytes."""
    full = f"{sys.executable} -m mailrouter {command}"
    return subprocess.run(full, shell=True, capture_output=True, env=node.environ, cwd=node.folder, timeout=120)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_case_from_a_report_to_an_answer(
    kind: str, request: pytest.FixtureRequest, serve: Callable[..., Daemon], keymaker: Keymaker, tmp_path: Path
) -> None:
    url = request.getfixturevalue("postgres_url") if kind == "postgresql" else ""
    node = serve(database_url=url)
    key = tmp_path / "vendor.asc"
    key.write_bytes(keymaker.armored(keymaker.vendor.fingerprint))
    node.run("vendor", "add", "Vendor", "--email", PSIRT, "--key", str(key))
    report = (
        b"From: Rita <rita@home.example>\r\nSubject: a flaw\r\nMessage-ID: <r@home.example>\r\n\r\nIt is so. \xff\r\n"
    )
    send(node, "rita@home.example", report)
    item = until(lambda: node.json("queue", "show", "triage"), "the report to be in triage")[0]
    vu = node.run("case", "open", "A flaw", "--from", str(item["message"])).stdout.strip()
    node.run("case", "add-vendor", vu, "Vendor")
    node.run("case", "notify", vu, "--without-details")
    answer = f"From: {PSIRT}\r\nSubject: Re: [{vu}]\r\nMessage-ID: <a@vendor.example>\r\n\r\nWe look.\r\n".encode()
    send(node, PSIRT, answer)
    until(lambda: len(node.json("case", "show", vu)["messages"]) == 4, "the answer to be filed")
    shown = node.json("case", "show", vu)
    assert {p["name"]: p["waiting_on"] for p in shown["participants"]} == {
        "rita@home.example": "nobody",
        "Vendor": "us",
    }
    came = {m["from"]: m["id"] for m in shown["messages"] if m["direction"] == "in"}
    for sender, raw in (("rita@home.example", report), (PSIRT, answer)):
        assert shell(node, f"message show {came[sender]} --raw").stdout == raw
    node.run("message", "reply", str(came[PSIRT]), "--file", "-", stdin="Thank you.\n")
    assert node.json("case", "show", vu)["participants"][1]["waiting_on"] == "them"
    assert node.json("books")["balanced"] is True
    assert node.run().stdout.startswith("You are ")


NO = [
    (("case", "show", "VU#999999"), 1),
    (("vendor", "show", "Nobody"), 1),
    (("message", "show", "1"), 1),
    (("vendor", "add", "V", "--email", "nonsense"), 2),
    (("vendor", "add", "V", "--email", "v@v.example", "--key", "/nowhere"), 2),
    (("case", "write", "123456", "V"), 1),
    (("--config", "/nowhere.toml", "case", "list"), 2),
    (("--bogus",), 2),
    (("bogus",), 2),
]


def test_one_line_and_a_status(daemons: Callable[..., Daemon]) -> None:
    node = daemons()
    node.run("db", "upgrade")
    for arguments, status in NO:
        done = node.run(*arguments, status=status)
        assert done.stdout == "", arguments
        assert done.stderr.startswith("mailrouter: "), arguments
        assert done.stderr.count("\n") == 1, arguments


@pytest.mark.parametrize("locale", ["C", "POSIX", "en_US.ISO-8859-1"])
def test_any_locale_will_do(daemons: Callable[..., Daemon], locale: str) -> None:
    node = daemons()
    node.run("db", "upgrade")
    node.run("vendor", "add", "Bücher 日本", "--email", "v@v.example", LC_ALL=locale)
    assert "B" in node.run("vendor", "list", LC_ALL=locale, PYTHONIOENCODING="utf-8").stdout
    assert node.json("vendor", "list")[0]["name"] == "Bücher 日本"


def test_a_reader_that_leaves_early_is_no_trouble(daemons: Callable[..., Daemon]) -> None:
    node = daemons()
    node.run("db", "upgrade")
    node.run("vendor", "add", "V", "--email", "v@v.example")
    assert shell(node, "vendor list --json | true").stderr == b""
