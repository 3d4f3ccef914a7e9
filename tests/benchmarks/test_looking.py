"""`benchmarks.looking` runs: its figures are for people, and stand in docs/performance.md."""

from pathlib import Path

import pytest

from benchmarks import looking


@pytest.mark.long
def test_every_command_is_measured(tmp_path_factory: pytest.TempPathFactory) -> None:
    rows = looking._measured(Path(tmp_path_factory.mktemp("l", numbered=True)), "sqlite", 3)
    assert [row[1] for row in rows] == [
        "case show", "case show --all", "case show --json", "case timeline", "case list", "beat --dry-run, 15 days on",
        "beat, 15 days on",
    ]  # fmt: skip
