"""A case with hundreds of vendors, looked at: what its commands and a beat cost, against a case with one vendor.

`make looking`, or `python -m benchmarks.looking --vendors 300`. Every vendor was written to, the letters have left, and
every other one has answered. Each command is a process of its own, as anybody starts it. Speed is no test: the exit
status is 0.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median

from tabulate import tabulate

from benchmarks import databases, house
from mailrouter import clock
from mailrouter.flow.actor import Actor
from mailrouter.flow.arriving import receive
from mailrouter.flow.casework import contacting, coordinate
from mailrouter.flow.people import directory
from mailrouter.flow.sending import deliver
from mailrouter.mail.envelope import Envelope
from mailrouter.store import inbox, migrate
from mailrouter.tools import Tools
from tests.servers.daemon import ADDRESS, Daemon

MANY, ONE = 300300, 100100
ACTOR = Actor("bench")
ROUNDS = 3
LOOKS = (("case", "show"), ("case", "show", "--all"), ("case", "show", "--json"), ("case", "timeline"))
HEADERS = ("database", "what", "s", "ratio to one vendor", "MiB", "lines")


@dataclass(frozen=True, slots=True)
class Ran:
    """One process: seconds, bytes of memory at most, lines it printed."""

    seconds: float
    memory: int
    lines: int


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the table."""
    given = _parser().parse_args(arguments)
    rows = []
    with tempfile.TemporaryDirectory(prefix="mrl", dir=given.dir) as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as another user
        for kind in [given.only] if given.only else list(databases.KINDS):
            rows += _measured(Path(folder), kind, given.vendors)
    print(tabulate(rows, headers=HEADERS, tablefmt="github", disable_numparse=True))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make looking LOOKING='...'", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--vendors", type=int, default=300, help="vendors in the case (300)")
    parser.add_argument("--only", choices=list(databases.KINDS), help="one database")
    parser.add_argument("--dir", type=Path, default=Path("/var/tmp"), help="a folder on a real disk, its path short")
    return parser


def _measured(folder: Path, kind: str, vendors: int) -> list[tuple[object, ...]]:
    place = folder / kind
    place.mkdir(mode=0o755)
    made = databases.KINDS[kind](place)
    url = made.new()
    try:
        _prepare(place / "ours", url, vendors)
        environ = Daemon(place / "ours", url, house.UNLIMITED).environ
        return [(made.name, *row) for row in _rows(environ)]
    finally:
        made.close()


def _prepare(folder: Path, url: str, vendors: int) -> None:
    tools = house.open_tools(folder, url)
    try:
        migrate.upgrade(tools.db)
        for vu, count in ((MANY, vendors), (ONE, 1)):
            _case(tools, vu, count)
    finally:
        tools.pgp.close()
        tools.db.close()


def _case(tools: Tools, vu: int, vendors: int) -> None:
    coordinate.open_case(tools, ACTOR, "A flaw in everything", vu)
    for number in range(vendors):
        name = f"Vendor {vu}-{number}"
        directory.add_vendor(tools, ACTOR, name, [_address(vu, number)])
        coordinate.add_vendor(tools, ACTOR, vu, name)
    contacting.notify(tools, ACTOR, vu, without_details=True)
    while deliver.work(tools):
        pass
    answers = [_answer(vu, number) for number in range(0, vendors, 2)]
    with tools.db.write() as tx:
        inbox.accept(tx, tools.holder.node, answers)
    while receive.work(tools):
        pass


def _address(vu: int, number: int) -> str:
    return f"psirt@v{vu}-{number}.example"


def _answer(vu: int, number: int) -> Envelope:
    sender = _address(vu, number)
    head = f"From: {sender}\r\nTo: {ADDRESS}\r\nSubject: Re: VU#{vu}\r\nMessage-ID: <{vu}.{number}@bench.example>\r\n"
    return Envelope("smtp", sender, (ADDRESS,), f"{head}\r\nWe look into it.\r\n".encode(), clock.now())


# ---- looking ---------------------------------------------------------------------------------------------------------


def _rows(environ: dict[str, str]) -> list[tuple[object, ...]]:
    rows = []
    for noun, verb, *options in LOOKS:
        many, one = (_typical(environ, noun, verb, str(vu), *options) for vu in (MANY, ONE))
        rows.append(_row(" ".join((noun, verb, *options)), many, one))
    rows.append(_row("case list", _typical(environ, "case", "list"), None))
    later = (clock.now() + timedelta(days=15)).isoformat()
    rows.append(_row("beat --dry-run, 15 days on", _typical(environ, "beat", "--dry-run", "--at", later), None))
    rows.append(_row("beat, 15 days on", _run(environ, "beat", "--at", later), None))
    return rows


def _row(what: str, many: Ran, one: Ran | None) -> tuple[object, ...]:
    ratio = f"{many.seconds / one.seconds:.2f}" if one else ""
    return what, f"{many.seconds:.2f}", ratio, f"{many.memory / 2**20:.0f}", many.lines


def _typical(environ: dict[str, str], *arguments: str) -> Ran:
    ran = [_run(environ, *arguments) for _ in range(ROUNDS)]
    return Ran(median(one.seconds for one in ran), max(one.memory for one in ran), ran[0].lines)


def _run(environ: dict[str, str], *arguments: str) -> Ran:
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "mailrouter", *arguments], env=environ, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None  # asked for
        printed = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(arguments)} ended with {process.returncode}")
    return Ran(time.perf_counter() - began, used.ru_maxrss * 1024, printed.count(b"\n"))


if __name__ == "__main__":
    main()
