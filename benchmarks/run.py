"""`make bench`: how fast we are, against floors measured in the same run. Speed is no test: the exit status is 0.

`docs/performance.md` says how to read what comes out.
"""

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import databases, results
from benchmarks.rounds import Bench, Extent

FULL = Extent()
QUICK = Extent(messages=150, rounds=1, stored=300, sessions=(1, 8))
IN_MEMORY = ("tmpfs", "ramfs")
FSYNCS = 100


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the table or the document. Exits with 2 for a folder in memory."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if _filesystem(given.dir) in IN_MEMORY:
        parser.error(f"{given.dir} is in memory, where an fsync costs nothing; --dir names a folder on a disk")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # leave nothing running behind
    with tempfile.TemporaryDirectory(prefix="mrb", dir=given.dir) as folder:
        Path(folder).chmod(0o755)  # PostgreSQL and Postfix run as other users
        machine = _machine(Path(folder))
        bench = Bench(_extent(given), Path(folder), _Progress())
        bench.run()
    if given.json:
        print(json.dumps({"machine": machine} | results.document(bench.results), indent=1))
    else:
        print(", ".join(f"{name} {value}" for name, value in machine.items()), results.table(bench.results), sep="\n\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench BENCH='...'", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one round of few mails: says that it runs, not how fast")
    parser.add_argument("--only", choices=list(databases.KINDS), help="one database")
    parser.add_argument("--messages", type=_number, help=f"plain mails in one measurement ({FULL.messages})")
    parser.add_argument("--rounds", type=_number, help=f"how often each is measured ({FULL.rounds})")
    parser.add_argument("--stored", type=_number, help=f"messages in the full database ({FULL.stored}); 0: leave out")
    parser.add_argument("--dir", type=Path, default=Path("/var/tmp"), help="a folder on a real disk, its path short")
    parser.add_argument("--json", action="store_true", help="one document instead of the table")
    return parser


def _number(text: str) -> int:
    value = int(text)
    if value < 0:
        raise ValueError
    return value


def _extent(given: argparse.Namespace) -> Extent:
    base = QUICK if given.quick else FULL
    return Extent(
        messages=given.messages or base.messages,
        rounds=given.rounds or base.rounds,
        stored=base.stored if given.stored is None else given.stored,
        sessions=base.sessions,
        kinds=[given.only] if given.only else base.kinds,
    )


class _Progress:
    """One line on a terminal, written over and over; nothing elsewhere."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def __call__(self, what: str) -> None:
        if sys.stderr.isatty():
            minutes, seconds = divmod(int(time.monotonic() - self._began), 60)
            sys.stderr.write(f"\r\x1b[K{minutes}:{seconds:02} {what}")
            sys.stderr.flush()


# ---- the machine ---------------------------------------------------------------------------------------------------


def _machine(folder: Path) -> dict[str, Any]:
    """What the figures depend on besides us."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 2),
        "Linux": platform.release(),
        "Python": platform.python_version(),
        "file system": _filesystem(folder),
        "fsync ms": round(_fsync_ms(folder / "fsync"), 2),
    }


def _filesystem(folder: Path) -> str:
    command = ["stat", "--file-system", "--format=%T", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()


def _fsync_ms(path: Path) -> float:
    """The median time of appending 4 KB and forcing it to the disk."""
    times = []
    with path.open("wb", buffering=0) as file:
        for _ in range(FSYNCS):
            began = time.perf_counter()
            file.write(bytes(4096))
            os.fsync(file.fileno())
            times.append(time.perf_counter() - began)
    return median(times) * 1000


if __name__ == "__main__":
    main()
