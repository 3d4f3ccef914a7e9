"""A site of many notes: how long it takes to build, and to build again after one note has a new revision.

`make press`, or `python -m benchmarks.press --notes 1000 --vendors 5`. SQLite, real gpg, every file signed and synced.
Speed is no test: the exit status is 0.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tabulate import tabulate

from mailrouter import clock, settings
from mailrouter.flow.publishing import site
from mailrouter.store import cases, migrate, notes
from mailrouter.store.inbox import Holder
from mailrouter.tools import Tools, make
from tests.case.notes import NOTE, crowded

HEADERS = ("what", "s", "files", "kept", "signed", "MiB at most")
FIRST = 100_000  # the first VU number


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="benchmarks.press", description=__doc__)
    parser.add_argument("--notes", type=int, default=1000)
    parser.add_argument("--vendors", type=int, default=5)
    parser.add_argument("--dir", type=Path, help="where the site is built; else the temporary folder")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="mrp", dir=given.dir) as folder:
        rows = measured(Path(folder), given.notes, given.vendors)
    print(tabulate(rows, headers=HEADERS, tablefmt="github", floatfmt=".1f"))


def measured(folder: Path, number: int, vendors: int) -> list[tuple[object, ...]]:
    """One row for each build."""
    tools = _house(folder)
    try:
        _open(tools, range(FIRST, FIRST + number))
        _decide(tools, range(FIRST, FIRST + number), vendors)
        rows = [_built(tools, f"{number} notes, {vendors} vendors each"), _built(tools, "again, nothing changed")]
        _decide(tools, [FIRST], vendors)
        return [*rows, _built(tools, "again, one new revision")]
    finally:
        tools.pgp.close()
        tools.db.close()


def _house(folder: Path) -> Tools:
    read = settings.load(None, {"MAILROUTER_DATA_DIR": str(folder / "data"), "MAILROUTER_NODE": "bench"})
    settings.ensure_data_dir(read)
    tools = make(read, Holder("bench", "1"))
    migrate.upgrade(tools.db)
    tools.own_key()
    return tools


def _open(tools: Tools, numbers: Sequence[int]) -> None:
    with tools.db.write() as tx:
        for vu in numbers:
            cases.open_case(tx, "A flaw", clock.now(), vu=vu)


def _decide(tools: Tools, numbers: Sequence[int], vendors: int) -> None:
    """One more revision of each."""
    many = crowded(vendors).note
    with tools.db.write() as tx:
        for vu in numbers:
            flaws = tuple(replace(one, cve=f"CVE-2026-{vu}{one.number}") for one in many.vulnerabilities)
            note = replace(NOTE, vu=vu, vendors=many.vendors, vulnerabilities=flaws)
            case_id = cases.by_vu(tx, vu).id
            made = notes.make(tx, case_id, note, "", clock.now(), by="bench", written_by="bench", why="Why not")
            notes.decide(tx, made.id, "bench", clock.now())


def _built(tools: Tools, what: str) -> tuple[object, ...]:
    began = time.perf_counter()
    done = site.press(tools)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return what, time.perf_counter() - began, done.files, done.kept, done.signed, most


if __name__ == "__main__":
    main()
