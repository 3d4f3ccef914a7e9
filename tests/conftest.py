"""Fixtures for every test: real servers, both databases, a clock; and what a run says at its end.

`--rows` lists the testbook rows (R05, P17, ...) that have a test, with the tests of each. A test skipped because a
server is missing is counted loudly; in CI it fails.
"""

import os
from collections import defaultdict

import pytest
from hypothesis import HealthCheck, settings

from tests.servers.clock import clock
from tests.servers.daemon import daemons, serve
from tests.servers.databases import (
    database,
    database_url,
    migrated_url,
    postgres_stock,
    postgres_template,
    sqlite_copy,
    sqlite_template,
)  # fmt: skip
from tests.servers.dovecot import dovecot_server, dovecots
from tests.servers.judge import csaf_judge
from tests.servers.postfix import postfix
from tests.servers.postgres import postgres_server, postgres_url
from tests.servers.smarthost import certificate, smarthost, smarthosts
from tests.servers.wait import MISSING

__all__ = [
    "certificate", "clock", "csaf_judge", "daemons", "database", "database_url", "dovecot_server", "dovecots",
    "migrated_url", "postfix", "postgres_server", "postgres_stock", "postgres_template", "postgres_url", "serve",
    "smarthost", "smarthosts", "sqlite_copy", "sqlite_template",
]  # fmt: skip

# A shared machine is slow at times: no test is judged by its time.
settings.register_profile("quick", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fuzz", settings.get_profile("quick"), max_examples=5000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("MAILROUTER_")]:
        monkeypatch.delenv(name)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rows", action="store_true", help="list the testbook rows that have tests, and run nothing")


def pytest_collection_finish(session: pytest.Session) -> None:
    if not session.config.getoption("--rows"):
        return
    covered: dict[str, list[str]] = defaultdict(list)
    for item in session.items:
        for mark in item.iter_markers("row"):
            for row in mark.args:
                covered[row].append(item.nodeid)
    for row in sorted(covered, key=lambda row: (row[:1], int(row[1:]) if row[1:].isdigit() else 0, row)):
        print(f"{row:5} {len(covered[row]):4}  {covered[row][0]}")
    print(f"{len(covered)} rows have tests")
    session.items.clear()


def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.config.getoption("--rows"):
        session.exitstatus = pytest.ExitCode.OK  # listing is not "no tests ran"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = [report for report in terminalreporter.getreports("skipped") if MISSING in str(report.longrepr)]
    if skipped:
        terminalreporter.section(f"{len(skipped)} TESTS NOT RUN: A REAL SERVER IS MISSING (see .ci/servers)", red=True)
