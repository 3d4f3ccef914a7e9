"""The whole bench in its quick form, on both databases, so that it cannot rot; and what it refuses."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import run
from benchmarks.databases import KINDS
from mailrouter.store import migrate
from mailrouter.store.engine import Database


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short, for the servers' sockets, and open to the users they run as."""
    with tempfile.TemporaryDirectory(prefix="mrb", dir="/var/tmp") as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.long)])
def test_a_run(kind: str, folder: Path, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest) -> None:
    if kind == "postgres":
        request.getfixturevalue("postgres_server")  # skips, or fails, for want of one
    run.main(["--quick", "--only", kind, "--messages", "40", "--stored", "64", "--dir", str(folder), "--json"])
    told = json.loads(capsys.readouterr().out)
    assert told["machine"]["fsync ms"] > 0
    rows = {(row["what"], row["mail"], row["sessions"]): row for row in told["rows"]}
    for what, mail, sessions in [
        *((what, "plain", n) for n in (1, 8) for what in ("aiosmtpd", "accepted", "filed")),
        *(("filed", f"signed {mail}", n) for n in (1, 8) for mail in ("answer", "statement")),
        *((what, mail, 8) for mail in ("plain", "signed statement") for what in ("filed, fresh", "filed, 64 stored")),
    ]:
        row = rows[what, mail, sessions]
        assert row["rate"] > 0
        assert 0 < row["p50_ms"] <= row["p95_ms"]
        assert row["cpu_ms"] > 0
        assert row["peak_mib"] > 5
        assert (row["ratio"] is None) == (what in ("aiosmtpd", "filed, fresh"))
    assert {row["sessions"] for row in told["rows"] if row["what"] == "gpg --verify"} == {1, 2}
    assert {target["target"] for target in told["targets"]} >= {"memory, MiB", "p50 of accepting, ms"}
    assert list(folder.iterdir()) == [], "everything is cleaned up"


def test_memory_is_no_disk(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        run.main(["--dir", "/dev/shm"])
    assert refused.value.code == 2
    assert "/dev/shm is in memory, where an fsync costs nothing" in capsys.readouterr().err


@pytest.mark.parametrize("kind", KINDS)
def test_a_database_is_copied_and_dropped(kind: str, folder: Path, request: pytest.FixtureRequest) -> None:
    if kind == "postgres":
        request.getfixturevalue("postgres_server")
    lies = KINDS[kind](folder)
    try:
        url = lies.new()
        made = Database(url)
        migrate.upgrade(made)
        made.close()
        copied = lies.copy(url)
        opened = Database(copied)
        migrate.check(opened)
        opened.close()
        lies.drop(copied)
        lies.drop(url)
    finally:
        lies.close()
