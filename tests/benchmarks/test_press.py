"""`benchmarks.press` runs: its figures are for people, and stand in docs/performance.md."""

import tempfile
from pathlib import Path

from benchmarks import press


def test_each_build_is_measured() -> None:
    with tempfile.TemporaryDirectory(prefix="mrp", dir="/tmp") as folder:  # gpg's agent wants a short path
        first, again, one = press.measured(Path(folder), 2, 2)
    assert (first[3], again[4]) == (0, 0), "nothing to keep; nothing to sign"
    assert again[2] == first[2]
    assert 0 < one[4] < first[4]
