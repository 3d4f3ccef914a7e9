"""Many vendors in one case: how long the first letters take until they are frozen and queued, and what they cost.

`make crowd`, or `python -m benchmarks.crowd --vendors 300`. One analyst's `case notify` with a description and a file;
then the deliverer seals and hands over one letter after another to a maildir. Four in five vendors have a pinned key of
their own. Exit status 0: speed is no test.
"""

import argparse
import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import event, func, select, text
from tabulate import tabulate

from benchmarks import databases, house
from mailrouter.flow.actor import Actor
from mailrouter.flow.casework import contacting, coordinate, describe
from mailrouter.flow.people import directory
from mailrouter.flow.sending import deliver
from mailrouter.mail.entity import Attachment
from mailrouter.pgp.keyring import public_keys
from mailrouter.store import migrate, tables
from mailrouter.tools import Tools

VU = 300300
ACTOR = Actor("bench")
KEYLESS = 5  # each fifth has no key
TEXT = "A longer name overwrites the return address on the stack of the updater.\n" * 60  # 4 KB
KEY = """%no-protection
Key-Type: eddsa
Key-Curve: ed25519
Subkey-Type: ecdh
Subkey-Curve: cv25519
Name-Real: Vendor {n}
Name-Email: psirt@v{n}.example
Expire-Date: 0
%commit
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """One crowd on one database."""

    name: str
    vendors: int
    queued: float  # seconds of `case notify`
    statements: int  # SQL, within them
    sealed: float  # seconds until the last letter is handed over
    busy: float  # processor seconds of all of it, ours and gpg's
    rows: int  # of letters, messages, deadlines, journal
    grown: int  # bytes of database, per letter
    peak: int  # bytes of memory, of this one process

    def row(self) -> tuple[object, ...]:
        """As the table shows it."""
        rate = self.vendors / self.sealed
        return (
            self.name, self.vendors, f"{self.queued:.1f}", f"{self.statements / self.vendors:.1f}",
            f"{self.sealed:.1f}", f"{rate:.0f}", f"{self.busy:.1f}", f"{self.rows / self.vendors:.1f}",
            f"{self.grown / 1024:.0f}", f"{self.peak / 2**20:.0f}",
        )  # fmt: skip


HEADERS = [
    "database", "vendors", "queued, s", "SQL each", "sealed and sent, s", "/s", "CPU s", "rows each", "KiB each",
    "MiB of memory",
]  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the table."""
    given = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="mrc", dir=given.dir) as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as another user
        keys = made_keys(Path(folder) / "theirs", given.vendors)
        kinds = [given.only] if given.only else list(databases.KINDS)
        found = [_measured(Path(folder), kind, keys, given.file * 1024) for kind in kinds]
    print(tabulate([one.row() for one in found], headers=HEADERS, tablefmt="github", disable_numparse=True))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make crowd CROWD='...'", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--vendors", type=int, default=300, help="vendors in the case (300)")
    parser.add_argument("--file", type=int, default=64, help="KiB of the file that goes along (64)")
    parser.add_argument("--only", choices=list(databases.KINDS), help="one database")
    parser.add_argument("--dir", type=Path, default=Path("/var/tmp"), help="a folder on a real disk, its path short")
    return parser


def made_keys(home: Path, count: int) -> list[bytes]:
    """As many public keys, each with a subkey to encrypt to; a millisecond each, so that gpg's start is shared."""
    home.mkdir(mode=0o700, parents=True)
    gpg = ["gpg", "--batch", "--no-autostart", "--homedir", str(home)]
    wanted = "".join(KEY.format(n=n) for n in range(count)).encode()
    subprocess.run([*gpg[:2], *gpg[3:], "--full-generate-key"], input=wanted, check=True, capture_output=True)
    exported = subprocess.run([*gpg, "--export"], check=True, capture_output=True).stdout
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=True)
    return [key.data for key in public_keys(exported)]


def _measured(folder: Path, kind: str, keys: Sequence[bytes], size: int) -> Measured:
    place = folder / kind
    place.mkdir(mode=0o755)
    made = databases.KINDS[kind](place)
    url = made.new()
    tools = house.open_tools(place / "ours", url)
    try:
        prepare(tools, keys, Attachment("poc.bin", os.urandom(size), "application/octet-stream"))
        return measure(tools, made.name, len(keys))
    finally:
        tools.pgp.close()
        tools.db.close()
        made.close()


def prepare(tools: Tools, keys: Sequence[bytes], file: Attachment) -> None:
    """A case with a description, and a vendor for each key; each fifth has none."""
    migrate.upgrade(tools.db)
    coordinate.open_case(tools, ACTOR, "A flaw in everything", VU)
    for number, data in enumerate(keys):
        name, pinned = f"Vendor {number}", [] if number % KEYLESS == 0 else [tools.pgp.import_public(data)]
        directory.add_vendor(tools, ACTOR, name, [f"psirt@v{number}.example"], keys=pinned)
        coordinate.add_vendor(tools, ACTOR, VU, name)
    describe.describe(tools, ACTOR, VU, TEXT, [file])


def measure(tools: Tools, name: str, vendors: int) -> Measured:
    """Notify all of them, deliver all letters."""
    said: list[str] = []
    event.listen(tools.db.engine, "before_cursor_execute", lambda *given: said.append(given[2]))
    tools.own_key()
    before, began, busy = _size(tools), time.perf_counter(), _busy()
    contacting.notify(tools, ACTOR, VU)
    queued, statements = time.perf_counter() - began, len(said)
    rows = _rows(tools)
    began = time.perf_counter()
    while deliver.work(tools):
        pass
    sealed = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return Measured(
        name, vendors, queued, statements, sealed, _busy() - busy, rows, (_size(tools) - before) // vendors, peak
    )


def _busy() -> float:
    """Of this process and of those it has waited for; gpg-agent, which signs, is not among them."""
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _rows(tools: Tools) -> int:
    with tools.db.read() as tx:
        grown = (tables.letters, tables.messages, tables.deadlines, tables.journal, tables.files)
        return sum(tx.execute(select(func.count()).select_from(table)).scalar_one() for table in grown)


def _size(tools: Tools) -> int:
    with tools.db.read() as tx:
        if tx.dialect.name == "sqlite":
            pages = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
            return int(tx.execute(text(pages)).scalar_one())
        return int(tx.execute(text("SELECT pg_database_size(current_database())")).scalar_one())


if __name__ == "__main__":
    main()
