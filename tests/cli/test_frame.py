"""Every command: help with an example, faults in one line, no traceback."""

import os
import pwd
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from mailrouter.cli import COMMANDS, frame, main
from mailrouter.store.engine import Database
from tests.cli.console import Console
from tests.servers.daemon import Daemon

CASE_WORK = ("vendor", "analyst", "case", "participant", "queue", "message", "statement")


def leaves(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from leaves(inner, (*path, name))
    else:
        yield path, command


def every() -> list[tuple[str, ...]]:
    root = click.Context(main)
    return [path for name in CASE_WORK for path, _ in leaves(main.get_command(root, name), (name,))]


def test_the_commands_of_the_contract_are_there() -> None:
    assert {" ".join(path) for path in every()} >= {
        "vendor add", "vendor list", "vendor show", "vendor set", "vendor add-contact", "vendor remove-contact",
        "vendor add-key", "vendor retire-key", "analyst add", "analyst list", "analyst away", "case open", "case list",
        "case show", "case timeline", "case assign", "case close", "case reopen", "case add-vendor", "case notify",
        "case write", "case remark", "case log", "participant show", "participant wait", "participant set",
        "queue list", "queue show", "queue done", "message show", "message save", "message route", "message retry",
        "message reply",
        "statement list", "statement show", "statement take", "statement approve", "statement withdraw",
    }  # fmt: skip


@pytest.mark.parametrize("path", every(), ids=" ".join)
def test_help_has_an_example_and_opens_nothing(path: tuple[str, ...], tmp_path: Path) -> None:
    shown = CliRunner(env={"MAILROUTER_DATA_DIR": str(tmp_path / "data")}).invoke(main, [*path, "--help"])
    assert shown.exit_code == 0
    assert f"  mailrouter {' '.join(path)}" in shown.stdout
    assert max(map(len, shown.stdout.splitlines())) <= 120
    assert not (tmp_path / "data").exists()


def test_every_command_of_the_table_exists() -> None:
    root = click.Context(main)
    for name in COMMANDS:
        command = main.get_command(root, name)
        assert command is not None
        assert command.name == name


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--bogus",), "No such option"),
        (("bogus",), "No such command 'bogus'"),
        (("case", "bogus"), "No such command 'bogus'"),
        (("case", "show"), "Missing argument 'VU'"),
        (("case", "show", "VU#1"), "a VU# is written VU#123456 or 123456"),
        (("case", "show", "123456", "extra"), "unexpected extra argument"),
        (("statement", "vouch", "123456", "ACME"), "Missing option '--by'. Choose from: mail, telephone ("),
        (("message", "show", "first"), "'first' is not a valid integer range"),
        (("message", "show", "0"), "0 is not in the range"),
        (("message", "show", "9" * 30), "is not in the range"),
    ],
)
def test_wrong_use_is_one_line(console: Console, arguments: tuple[str, ...], said: str) -> None:
    assert said in console.refused(*arguments, status=2)


@pytest.mark.parametrize(
    "arguments",
    [
        ("case", "show", "VU#999999"),
        ("case", "timeline", "999999"),
        ("case", "close", "999999", "--why", "x"),
        ("case", "notify", "999999"),
        ("case", "remark", "999999", "x"),
        ("participant", "show", "999999", "ACME"),
        ("statement", "list", "999999"),
        ("statement", "show", "999999", "ACME", "--verbatim"),
        ("message", "show", "4711"),
        ("message", "show", "4711", "--raw"),
        ("message", "save", "4711", "folder"),
        ("message", "route", "4711", "999999"),
        ("message", "retry", "4711"),
        ("message", "reply", "4711", "--file", "-"),
        ("statement", "take", "4711"),
        ("queue", "done", "4711"),
        ("queue", "show", "nowhere"),
        ("vendor", "show", "Nobody"),
    ],
    ids=" ".join,
)
def test_what_is_not_there_is_one_line_and_exit_1(console: Console, arguments: tuple[str, ...]) -> None:
    console.refused(*arguments, status=1, given="text\n")
    assert console.world.everything() == []


def test_a_database_that_is_away_is_one_line(console: Console) -> None:
    away = Database("postgresql+psycopg://nobody@/nothing?host=/nowhere")
    console.world.tools.db.close()
    object.__setattr__(console.world.tools, "db", away)
    assert console.refused("case", "list", status=1).startswith("the database does not do its work")


def test_an_unmigrated_database_is_refused_in_one_line(daemons: type[Daemon]) -> None:
    done = daemons().run("case", "list", status=2)
    assert done.stderr.count("\n") == 1
    assert "run `mailrouter db upgrade`" in done.stderr


def test_a_bad_setting_is_refused_in_one_line(daemons: type[Daemon]) -> None:
    done = daemons(POLICY__FOLLOW_UP_DAYS="soon").run("case", "list", status=2)
    assert done.stderr.count("\n") == 1
    assert "policy.follow_up_days = 'soon'" in done.stderr


def test_who_acts_is_whose_process_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody-else")
    assert frame.login() == pwd.getpwuid(os.getuid()).pw_name


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_123)
    assert frame.login() == "4000000123"
