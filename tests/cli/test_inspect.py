"""`mailrouter inspect`: any file, any number, no database, never a crash."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailrouter.cli import main
from mailrouter.flow import inspection
from mailrouter.flow.inspection import Keys
from mailrouter.mail.reading import Reading
from tests.pgp import mails as sealed_mails
from tests.pgp.keys import Keymaker
from tests.servers.clock import START

CONTRACT = {
    "id", "raw_sha256", "subject", "from", "to", "cc", "message_id", "in_reply_to", "references", "text", "html",
    "attachments", "defects", "kind", "is_bounce", "is_autoreply", "must_not_autoreply", "dsn_actions",
    "failed_recipients", "bounced_message_id", "thread", "pgp", "reply", "reply_quote", "vu",
}  # fmt: skip
PGP = {
    "verdict", "covers", "signer", "encrypted", "decryptable", "may_show_verified", "effective_subject",
    "decrypted_text", "must_flag_mixed", "signed_headers",
}  # fmt: skip
HEAD = b"From: Vendor PSIRT <psirt@vendor.example>\r\nTo: cert@cert.example\r\nSubject: VU#123456 hello\r\n"


def inspected(*arguments: str, status: int = 0) -> list[dict[str, Any]]:
    done = CliRunner().invoke(main, ["inspect", *arguments])
    assert done.exit_code == status, (done.output, done.exception)
    return [json.loads(line) for line in done.stdout.splitlines()]


def refused(*arguments: str) -> str:
    done = CliRunner().invoke(main, ["inspect", *arguments])
    assert (done.exit_code, done.stdout) == (2, "")
    [line] = done.stderr.splitlines()
    return line.removeprefix("mailrouter: ")


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    path = tmp_path / "plain.eml"
    path.write_bytes(HEAD + b"\r\nHello.\r\n")
    return path


def test_every_key(plain: Path) -> None:
    [found] = inspected(str(plain))
    assert found.keys() == CONTRACT
    assert found["pgp"].keys() == PGP
    assert found["reply"].keys() == {"visible", "hidden"}
    assert (found["id"], found["vu"], found["from"]) == (str(plain), ["VU#123456"], ["psirt@vendor.example"])
    assert (found["text"].strip(), found["pgp"]["verdict"]) == ("Hello.", "none")


def test_the_name_as_it_was_given(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(plain.parent)
    assert [found["id"] for found in inspected("plain.eml", "./plain.eml")] == ["plain.eml", "./plain.eml"]


def test_it_needs_no_settings_and_leaves_nothing(plain: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cwd"
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "mailrouter", "inspect", str(plain)],
        cwd=folder, capture_output=True, text=True, timeout=120, check=True,
        env={**os.environ, "TMPDIR": str(folder), "MAILROUTER_NONSENSE": "1"},
    )  # fmt: skip
    assert json.loads(done.stdout)["subject"] == "VU#123456 hello"
    assert done.stderr == ""
    assert list(folder.iterdir()) == []


def test_many_in_order(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.eml" for number in range(200)]
    for number, path in enumerate(paths):
        path.write_bytes(HEAD.replace(b"hello", b"%d" % number) + b"\r\n" + b"x" * (number * 37 % 5000) + b"\r\n")
    found = inspected(*map(str, paths))
    assert [one["subject"] for one in found] == [f"VU#123456 {number}" for number in range(200)]


# ---- what cannot be read ---------------------------------------------------------------------------------------------


def test_a_file_that_is_not_there(plain: Path, tmp_path: Path) -> None:
    missing = tmp_path / "missing.eml"
    assert refused(str(plain), str(missing)) == f"{missing}: cannot be read (No such file or directory)"
    assert refused(str(tmp_path)) == f"{tmp_path}: cannot be read (Is a directory)"


@pytest.mark.parametrize(
    ("option", "content", "said"),
    [
        ("--key", b"hello", "public key file 1 holds no public key"),
        ("--secret-key", b"hello", "secret key file 1 holds no secret key"),
        ("--passphrase-file", b"\xff\xfe", "is not UTF-8"),
    ],
)
def test_files_that_are_not_keys(plain: Path, tmp_path: Path, option: str, content: bytes, said: str) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    assert said in refused(option, str(path), str(plain))
    path.unlink()
    assert refused(option, str(path), str(plain)) == f"{path}: cannot be read (No such file or directory)"


def test_no_file_at_all() -> None:
    assert "FILE" in refused()


# ---- bare bodies -----------------------------------------------------------------------------------------------------

BODIES = [
    ("a.txt", b"Yes.\n\nOn Mon, Mar 2, 2026 at 9:00 AM, X <x@y.example> wrote:\n> No?\n", "Yes.", None),
    ("a.html", b'<p>Yes.</p><div class="gmail_quote">No?</div>', "Yes.", None),
    ("a.txt", b"One: is a word, no header\n", "One: is a word, no header", None),
    ("a.txt", b"Subject: a mail\n\nafter all\n", "after all", "a mail"),
    ("a.eml", b"Subject: a mail\n\nYes.\n", "Yes.", "a mail"),
    ("noname", b"Subject: a mail\n\nYes.\n", "Yes.", "a mail"),
]


@pytest.mark.parametrize(("name", "content", "visible", "subject"), BODIES)
def test_bare_bodies(tmp_path: Path, name: str, content: bytes, visible: str, subject: str | None) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    [found] = inspected(str(path))
    assert found["reply"]["visible"].strip() == visible
    assert found["subject"] == (subject or "")


# ---- OpenPGP ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def keys(keymaker: Keymaker, tmp_path: Path) -> list[str]:
    """Options: the vendor's public key, our secret one."""
    (tmp_path / "vendor.asc").write_bytes(keymaker.armored(keymaker.vendor.fingerprint))
    (tmp_path / "ours").write_bytes(keymaker.secret(keymaker.cert.fingerprint))
    return ["--key", str(tmp_path / "vendor.asc"), "--secret-key", str(tmp_path / "ours")]


ENTITY = b"Content-Type: text/plain; charset=utf-8\r\n\r\nNot affected.\r\n"


def test_signed_and_encrypted(keymaker: Keymaker, keys: list[str], tmp_path: Path) -> None:
    signature = keymaker.sign(ENTITY, keymaker.vendor)
    message = keymaker.encrypt(ENTITY, keymaker.cert, signer=keymaker.vendor)
    (tmp_path / "1.eml").write_bytes(sealed_mails.signed(signature, ENTITY, HEAD))
    (tmp_path / "2.eml").write_bytes(sealed_mails.encrypted(message, HEAD))
    signed, encrypted = inspected(*keys, str(tmp_path / "1.eml"), str(tmp_path / "2.eml"))
    for found in (signed, encrypted):
        told = found["pgp"]
        assert (told["verdict"], told["covers"], told["may_show_verified"]) == ("good", "all", True)
        assert told["signer"] == keymaker.vendor.fingerprint
    assert (signed["pgp"]["encrypted"], encrypted["pgp"]["encrypted"]) == (False, True)
    assert encrypted["pgp"]["decryptable"] is True
    assert encrypted["pgp"]["decrypted_text"].strip() == "Not affected."
    unknown, closed = inspected(str(tmp_path / "1.eml"), str(tmp_path / "2.eml"))
    assert unknown["pgp"]["verdict"] == "unknown-key"
    assert (closed["pgp"]["encrypted"], closed["pgp"]["decryptable"]) == (True, False)


@pytest.mark.row("P50")
def test_signed_by_another(keymaker: Keymaker, keys: list[str], tmp_path: Path) -> None:
    head = HEAD.replace(b"psirt@vendor", b"ceo@vendor")
    (tmp_path / "1.eml").write_bytes(sealed_mails.signed(keymaker.sign(ENTITY, keymaker.vendor), ENTITY, head))
    [found] = inspected(*keys, str(tmp_path / "1.eml"))
    assert (found["pgp"]["verdict"], found["pgp"]["may_show_verified"]) == ("good", False)


def test_many_encrypted_at_once(keymaker: Keymaker, keys: list[str], tmp_path: Path) -> None:
    """Two processes share one home and one agent."""
    message = keymaker.encrypt(ENTITY, keymaker.cert)
    paths = [tmp_path / f"{number}.eml" for number in range(40)]
    for path in paths:
        path.write_bytes(sealed_mails.encrypted(message, HEAD))
    assert {found["pgp"]["decryptable"] for found in inspected(*keys, *map(str, paths))} == {True}


# ---- never a crash ---------------------------------------------------------------------------------------------------


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(st.lists(st.binary(max_size=2000), min_size=1, max_size=40))
def test_any_bytes(contents: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number}.eml" for number in range(len(contents))]
        for path, content in zip(paths, contents, strict=True):
            path.write_bytes(content)
        found = inspected(*map(str, paths))
    assert [one["id"] for one in found] == [str(path) for path in paths]
    assert not [one for one in found if "error" in one]


class Hostile:
    """Reads as the real one does, but for files by these names; they do to it what a fault in a library would."""

    def __init__(self, real: inspection._Reader) -> None:
        self.real = real

    def __call__(self, path: str) -> Reading:
        match Path(path).name:
            case "killer.eml":
                os.kill(os.getpid(), signal.SIGKILL)
            case "spinner.eml":
                signal.setitimer(signal.ITIMER_VIRTUAL, 0.1)
                while True:
                    pass
        return self.real(path)


@pytest.mark.row("R19")
@pytest.mark.parametrize("place", [0, 20, 59])
@pytest.mark.parametrize("name", ["killer.eml", "spinner.eml"])
def test_one_that_kills_its_reader_costs_only_itself(
    plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, place: int
) -> None:
    real = inspection._all
    monkeypatch.setattr(inspection, "_all", lambda paths, read: real(paths, Hostile(read)))
    paths = [str(plain)] * 60
    paths[place] = str(tmp_path / name)
    found = read(paths, tmp_path)
    assert [one["id"] for one in found] == paths
    assert [number for number, one in enumerate(found) if "error" in one] == [place]
    assert str(found[place]["error"]).startswith("its reader died")


@pytest.mark.row("R19")
def test_two_that_kill_their_readers(plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = inspection._all
    monkeypatch.setattr(inspection, "_all", lambda paths, read: real(paths, Hostile(read)))
    paths = [str(plain), str(tmp_path / "killer.eml"), str(tmp_path / "killer.eml"), str(plain)] * 5
    assert [("error" in one) for one in read(paths, tmp_path)] == [False, True, True, False] * 5


def read(paths: Sequence[str], folder: Path) -> list[Reading]:
    scratch = folder / "scratch"
    scratch.mkdir()
    return list(inspection.inspect(paths, Keys(), scratch, START))


def test_a_fault_of_ours_is_told(plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("holds the mail's text")

    monkeypatch.setattr(inspection, "reading", broken)
    assert read([str(plain)], tmp_path) == [{"id": str(plain), "error": "RuntimeError"}]
