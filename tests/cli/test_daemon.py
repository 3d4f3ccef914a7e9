"""The operator's commands as a black box: real processes, real servers, both databases."""

import smtplib
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import text

from mailrouter.mail.envelope import Envelope
from mailrouter.store import inbox
from mailrouter.store.engine import Database
from tests.servers.daemon import ADDRESS, Daemon
from tests.servers.postgres import Postgres
from tests.servers.wait import refuse_or_skip, until

MakeDaemon = Callable[..., Daemon]


def refused(node: Daemon, *arguments: str, status: int = 2, **environ: str) -> str:
    """The one line a command says when it does not do what it was told."""
    done = node.run(*arguments, status=status, **environ)
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.startswith("mailrouter: ")
    return line.removeprefix("mailrouter: ")


def send(node: Daemon, subject: str, body: str = "hello") -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "finder@lab.example", ADDRESS, subject
    mail["Message-ID"] = f"<{subject.replace(' ', '.')}@lab.example>"
    mail.set_content(body)
    with smtplib.SMTP("127.0.0.1", node.smtp_port, timeout=30) as smtp:
        smtp.send_message(mail)


# ---- serve -----------------------------------------------------------------------------------------------------------


def test_serve_without_a_schema_says_what_to_do(daemons: MakeDaemon, database_url: str) -> None:
    node = daemons(database_url)
    assert "run `mailrouter db upgrade`" in refused(node, "serve")
    node.run("db", "upgrade")
    node.start()
    assert node.terminate() == 0


@pytest.mark.parametrize(
    ("only", "said"),
    [
        ("smpt", "'smpt' is no part of the daemon; there are smtp, lmtp, imap, worker, ticker, web"),
        ("smtp,", "'' is no part of the daemon"),
        ("", "'' is no part of the daemon"),
        ("all", "'all' is no part of the daemon"),
    ],
)
def test_serve_with_a_wrong_part(daemons: MakeDaemon, only: str, said: str) -> None:
    assert said in refused(daemons(), "serve", "--only", only)


def test_serve_only_a_door(serve: MakeDaemon) -> None:
    node = serve("--only", "smtp")
    send(node, "one")
    assert node.json("books")["pending"] == 1
    assert node.terminate() == 0
    node.start("--only", "worker,ticker")
    until(lambda: node.json("books")["triage"] == 1, "the mail to be received")


def test_serve_where_another_listens(serve: MakeDaemon, daemons: MakeDaemon) -> None:
    first = serve()
    second = daemons(SMTP__LISTEN=f"127.0.0.1:{first.smtp_port}")
    second.run("db", "upgrade")
    assert "cannot listen" in refused(second, "serve")


@pytest.mark.row("R15")
def test_a_schema_of_a_newer_program(daemons: MakeDaemon, migrated_url: str) -> None:
    db = Database(migrated_url)
    with db.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    db.close()
    node = daemons(migrated_url)
    for command in (("serve",), ("db", "upgrade"), ("books",), ("backup", "file")):
        assert "9999" in refused(node, *command)
    assert "9999" in refused(node, "db", "check", status=1)
    assert "BAD" in node.run("doctor", status=1).stdout


# ---- db --------------------------------------------------------------------------------------------------------------


def test_db_upgrade_and_check(daemons: MakeDaemon, database_url: str) -> None:
    node = daemons(database_url)
    assert "schema is empty" in refused(node, "db", "check", status=1)
    assert node.run("db", "upgrade").stderr.startswith("the schema is 0")
    node.run("db", "upgrade")
    assert node.json("db", "check")["good"] is True


@pytest.mark.row("R15")
def test_a_database_that_is_away(daemons: MakeDaemon, postgres_server: Postgres) -> None:
    node = daemons("postgresql+psycopg://nobody:hunter2@/nothing?host=/nonexistent")
    for command in (("serve",), ("books",), ("db", "upgrade"), ("case", "list")):
        done = node.run(*command, status=None)
        assert done.returncode in (1, 2)
        assert len(done.stderr.splitlines()) == 1
        assert "hunter2" not in done.stderr


@pytest.mark.row("R15")
def test_a_data_dir_that_cannot_be(daemons: MakeDaemon, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = refused(daemons(DATA_DIR=str(tmp_path / "file" / "data")), "books")
    assert said.startswith("data_dir = ")


# ---- backup while it runs --------------------------------------------------------------------------------------------


@pytest.mark.row("R29")
def test_backup_under_load_and_restore_elsewhere(
    serve: MakeDaemon, daemons: MakeDaemon, database_url: str, tmp_path: Path
) -> None:
    node = serve(database_url=database_url)
    node.run("analyst", "add", "alice", "--email", "alice@cert.example", "--queues", "triage")
    node.run("key", "export")  # makes one, unless the daemon did
    file = tmp_path / "backup"
    for number in range(20):
        send(node, f"report {number}", body="x" * 2000)
        if number == 10:
            node.run("backup", str(file))
            accepted_before = number + 1
    fingerprint = node.json("key", "list")[0]["fingerprint"]
    other = daemons()
    done = other.run("restore", str(file))
    assert "our keys are back" in done.stderr
    told = other.json("books")
    assert told["balanced"]
    assert told["accepted"] >= accepted_before
    assert other.json("journal", "verify")["good"]
    assert other.json("key", "list")[0]["fingerprint"] == fingerprint
    assert (other.data / "gnupg").stat().st_mode & 0o777 == 0o700
    other.start()
    send(other, "after the restore")
    until(lambda: other.json("books")["pending"] == 0, "the rest to be received")
    assert other.json("books")["accepted"] == told["accepted"] + 1
    assert "not empty" in refused(other, "restore", str(file))


def test_backup_says_where_and_how_much(daemons: MakeDaemon, migrated_url: str, tmp_path: Path) -> None:
    node = daemons(migrated_url)
    file = tmp_path / "backup"
    done = node.run("backup", str(file))
    assert (done.stdout, done.stderr) == ("", f"{file}: 0 rows, {file.stat().st_size} bytes\n")
    assert file.stat().st_mode & 0o777 == 0o600
    (tmp_path / "text").write_text("no backup")
    assert "is not a backup" in refused(node, "backup", str(tmp_path / "text"))
    assert "is not a backup" in refused(node, "restore", str(tmp_path / "text"))


@pytest.mark.row("R08")
@pytest.mark.parametrize("size", ["40k", "400k"])
def test_backup_onto_a_full_disk(daemons: MakeDaemon, migrated_url: str, tmp_path: Path, size: str) -> None:
    """Too small for the schema; large enough for that, but not for the mails."""
    node = daemons(migrated_url)
    db = Database(migrated_url)
    with db.write() as tx:
        inbox.accept(tx, "n1", [Envelope("smtp", "", (ADDRESS,), bytes(1_000_000), datetime.now(UTC))])
    db.close()
    place = tmp_path / "small"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], check=False).returncode:
        refuse_or_skip("a small tmpfs can only be mounted by root")
    try:
        assert "the backup cannot be written" in refused(node, "backup", str(place / "file"))
        assert list(place.iterdir()) == []
    finally:
        subprocess.run(["umount", str(place)], check=True)


# ---- doctor, letters, logs -------------------------------------------------------------------------------------------


def test_doctor_of_a_running_house(serve: MakeDaemon, database_url: str) -> None:
    node = serve(database_url=database_url)
    node.run("analyst", "add", "alice", "--email", "a@cert.example", "--queues", "triage,review,bounces")
    checks = {check["name"]: check for check in node.json("doctor")["checks"]}
    assert (checks["beat"]["state"], checks["doors"]["state"], checks["clock"]["state"]) == ("good", "good", "good")
    node.kill()
    told = node.run("doctor", status=1).stdout
    assert "no greeting from" in told


def test_letters_dir_with_a_fault_names_the_file(daemons: MakeDaemon, sqlite_copy: str, tmp_path: Path) -> None:
    for name, words, said in (
        ("notification.txt", "Subject: x\n\n$nothing $vu\n", "unknown placeholder $nothing"),
        ("follow-up-1.txt", "no subject\n", "must begin with one line 'Subject: …'"),
        ("write.txt", "Subject: x\n\n$vu\n", "the body must show $body"),
        ("misspelt.txt", "Subject: x\n\n$vu\n", "replaces no letter"),
    ):
        folder = tmp_path / name.removesuffix(".txt")
        folder.mkdir()
        (folder / name).write_text(words)
        node = daemons(sqlite_copy, LETTERS_DIR=str(folder))
        for command in (("letter", "list"), ("serve",), ("doctor",)):
            line = refused(node, *command)
            assert name in line
            assert said in line


def test_a_wrong_setting_is_one_line_everywhere(daemons: MakeDaemon) -> None:
    node = daemons(SMTP__MAX_SIZE="huge")
    for command in ("serve", "doctor", "books", "beat"):
        assert refused(node, command).startswith("smtp.max_size = 'huge'")


def test_inspect_needs_none_of_it(daemons: MakeDaemon, tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(b"Subject: VU#123456\r\n\r\nhello\r\n")
    node = daemons("postgresql+psycopg://nobody@/nothing?host=/nonexistent", SMTP__MAX_SIZE="huge")
    assert '"vu": ["VU#123456"]' in node.run("inspect", str(tmp_path / "a.eml")).stdout
