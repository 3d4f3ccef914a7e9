"""Every command of the contract is there, says what it does and shows an example."""

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from mailrouter.cli import main

# CONTRACT.md, "Commands", and the commands that came with what was built
COMMANDS = """
serve doctor
db upgrade | db check | backup | restore
vendor add | vendor list | vendor show | vendor set | vendor add-contact | vendor remove-contact | vendor add-key
vendor refuse-key | vendor retire-key | vendor revoke-key
analyst add | analyst list | analyst set | analyst away
report list | report show | report form | report add | report take | report ask | report score | report accept
report decline
case open | case list | case show | case timeline | case assign | case close | case reopen | case add-vendor
case title | case notify | case write | case remark | case log | case add-coordinator | case add-reporter
case remove-vendor | case merge | case public | case exploit | case attacks | case vulnerability
case alert | case describe | case details | case policy | case relay
message reply | message show | message save | message route | message retry
participant show | participant wait | participant set | participant move | participant fix | participant status
participant dispute
proposal list | proposal show | proposal take | proposal refuse
queue list | queue show | queue done
statement list | statement show | statement take | statement approve | statement withdraw | statement vouch
statement agree | statement export
outbox list | outbox show | outbox retry | outbox hold | outbox release | outbox pause | outbox resume
letter list | letter preview
beat | inspect | books
journal verify | journal show | search
embargo list | embargo show | embargo propose | embargo record | embargo accept | embargo refuse | embargo extend
embargo end
cve list | cve show | cve check | cve ask | cve reserve | cve set | cve reject | cve problem | cve record
cve publish | cve recorded
note list | note show | note template | note write | note refresh | note diff | note preview | note addendum
note share | note shown | note acknowledged | note gate | note approve | note withdraw-approval | note recommend
note not-publish | note publish | note press | note site
key make | key import | key export | key list | key publish | key rotate
""".replace("serve doctor", "serve | doctor")
NAMES = [" ".join(name.split()) for line in COMMANDS.strip().splitlines() for name in line.split("|")]
SHOWS = {
    "list", "show", "shown", "books", "doctor", "beat", "search", "verify", "check", "preview", "timeline", "gate",
    "site",
}  # fmt: skip


def every_command() -> Iterator[str]:
    """As the program has them."""
    context = click.Context(main)
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        if isinstance(command, click.Group):
            yield from (f"{name} {below}" for below in command.list_commands(context))
        else:
            yield name


THERE = list(every_command())


def test_none_is_missing_and_none_came_unnoticed() -> None:
    assert sorted(NAMES) == sorted(THERE)


@pytest.mark.parametrize("name", THERE)
def test_help_with_an_example(name: str) -> None:
    done = CliRunner().invoke(main, [*name.split(), "--help"], prog_name="mailrouter")
    assert (done.exit_code, done.stderr) == (0, "")
    assert f"Usage: mailrouter {name}" in done.stdout
    assert "Example" in done.stdout
    assert f"mailrouter {name.split()[0]}" in done.stdout.partition("Example")[2]


@pytest.mark.parametrize("name", [name for name in THERE if name.split()[-1] in SHOWS])
def test_what_shows_has_json(name: str) -> None:
    assert "--json" in CliRunner().invoke(main, [*name.split(), "--help"]).stdout


@pytest.mark.parametrize("name", ["nothing", "case nothing", "outbox nothing", "key nothing"])
def test_no_such_command(name: str) -> None:
    done = CliRunner().invoke(main, name.split(), prog_name="mailrouter")
    assert (done.exit_code, done.stdout) == (2, "")
    [line] = done.stderr.splitlines()
    assert line.startswith("mailrouter: No such command 'nothing'")
