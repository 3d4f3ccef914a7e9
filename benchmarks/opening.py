"""How fast a signed mail is opened, by itself: found, its sender's keys fetched, verified, judged; against bare gpg.

`python -m benchmarks.opening`. Both sides run in the same round with two at once; between rounds the database gets
more vendors' keys (10, 1,000, 10,000): what opening costs must not depend on them. Exit status 0: speed is no test.
"""

import argparse
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from itertools import cycle, islice
from multiprocessing import get_context
from pathlib import Path
from statistics import median

from sqlalchemy import insert
from tabulate import tabulate

from benchmarks import floors, house, mails
from benchmarks.measure import timed
from mailrouter import clock
from mailrouter.flow.actor import Actor
from mailrouter.flow.arriving import receive
from mailrouter.flow.people import directory
from mailrouter.mail.pgpmime import Verdict
from mailrouter.store import migrate
from mailrouter.store.tables import contacts, key_names, organisations, pinned_keys
from mailrouter.tools import Tools
from tests.servers.daemon import ADDRESS

SIGNERS = 10
KEYS = (10, 1_000, 10_000)
WORKERS = 2
ROUNDS = 5
CERTIFICATE = 800  # bytes, about what an ed25519 key with an encryption subkey has

Signed = tuple[str, bytes]  # whose it is, and the mail


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the table."""
    given = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="mro", dir=given.dir) as folder:
        print(_table(_Bench(Path(folder), given.mails).run(given.rounds, KEYS)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.opening", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--mails", type=int, default=400, help="mails opened in one measurement (400)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"how often each is measured ({ROUNDS})")
    parser.add_argument("--dir", type=Path, default=Path("/var/tmp"), help="a folder on a real disk, its path short")
    return parser


class _Bench:
    """Ten vendors whose mail is opened, any number of others in the database."""

    def __init__(self, folder: Path, count: int) -> None:
        self._folder, self._count = folder, count
        self._url = f"sqlite:///{folder / 'bench.db'}"
        home = folder / "home"
        self._senders = [f"psirt{number}@vendor.example" for number in range(SIGNERS)]
        made = [mails.make_key(home, sender) for sender in self._senders]
        bodies = [mails.sign_all(home, key, [mails.text(case) for case in mails.CASES[:5]]) for key in made]
        self.mails: list[Signed] = [
            (sender, mails.about(mails.CASES[0], body, ADDRESS, f"{sender}-{number}", sender=sender).raw)
            for sender, signed in zip(self._senders, bodies, strict=True)
            for number, body in enumerate(signed)
        ]
        self._floor = floors.Gpg(folder / "floor", home, [body for signed in bodies for body in signed])
        self._prepare([mails.public_key(home, key) for key in made])
        self._others = 0

    def run(self, rounds: int, keys: Sequence[int]) -> dict[int, list[tuple[float, float]]]:
        """Number of keys -> (gpg's rate, ours) of each round, mails a second."""
        found: dict[int, list[tuple[float, float]]] = {}
        for number in keys:
            self._fill(number - SIGNERS)
            with self._workers() as pool:
                list(pool.map(_open, [self.mails] * WORKERS))  # connections, keyring files, and the disk's cache
                found[number] = [(self._bare(), self._opened(pool)) for _ in range(rounds)]
        return found

    def _bare(self) -> float:
        return timed(lambda: self._floor.verify(self._count, WORKERS), self._count).rate

    def _opened(self, pool: ProcessPoolExecutor) -> float:
        shares = [list(islice(cycle(self.mails), number, self._count, WORKERS)) for number in range(WORKERS)]
        return timed(lambda: list(pool.map(_open, shares)), self._count).rate

    def _workers(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            WORKERS, get_context("spawn"), initializer=_begin, initargs=(self._folder / "ours", self._url)
        )

    def _prepare(self, public_keys: Sequence[bytes]) -> None:
        def prepare(tools: Tools) -> None:
            migrate.upgrade(tools.db)
            for sender, key in zip(self._senders, public_keys, strict=True):
                directory.add_vendor(tools, Actor("bench"), sender, [sender], keys=[tools.pgp.import_public(key)])

        self._with_tools(prepare)

    def _fill(self, wanted: int) -> None:
        """Other vendors, up to so many, each with a contact and a pinned key that nothing is signed with."""
        numbers = range(self._others, wanted)
        self._others = max(self._others, wanted)
        if numbers:
            self._with_tools(lambda tools: _add_others(tools, numbers))

    def _with_tools(self, work: Callable[[Tools], None]) -> None:
        tools = house.open_tools(self._folder / "ours", self._url)
        try:
            work(tools)
        finally:
            tools.pgp.close()
            tools.db.close()


def _add_others(tools: Tools, numbers: range) -> None:
    first = 1_000_000  # above the ids of those that were added one by one
    with tools.db.write() as tx:
        for table, rows in _others(numbers, first):
            tx.execute(insert(table), rows)


def _others(numbers: range, first: int) -> Iterator[tuple[object, list[dict[str, object]]]]:
    now = clock.now() - timedelta(days=1)
    prints = {number: os.urandom(20).hex().upper() for number in numbers}
    yield organisations, [{"id": first + n, "name": f"Vendor {n}", "name_key": f"vendor {n}"} for n in numbers]
    yield contacts, [{"organisation_id": first + n, "address": f"psirt@v{n}.example", "rank": 1} for n in numbers]
    yield pinned_keys, [
        {"id": first + n, "organisation_id": first + n, "fingerprint": prints[n], "data": os.urandom(CERTIFICATE),
         "user_id": f"PSIRT <psirt@v{n}.example>", "can_encrypt": True, "pinned_at": now} for n in numbers
    ]  # fmt: skip
    yield key_names, [
        {"key_id": first + n, "name": name} for n in numbers for name in (prints[n], prints[n][-16:])
    ]  # fmt: skip


# ---- a worker process ----------------------------------------------------------------------------------------------

_held: dict[str, Tools] = {}


def _begin(folder: Path, url: str) -> None:
    _held["tools"] = house.open_tools(folder, url)


def _open(share: Sequence[Signed]) -> None:
    for sender, raw in share:
        opened = receive.open_mail(_held["tools"], raw, sender)
        if (opened.verdict, opened.covers) != (Verdict.GOOD, "all"):
            raise ValueError(f"a good signature was found {opened.verdict}")


def _table(found: dict[int, list[tuple[float, float]]]) -> str:
    fewest = median(ours / bare for bare, ours in found[min(found)])
    rows = []
    for keys, rounds in found.items():
        ratio = median(ours / bare for bare, ours in rounds)
        bare, ours = (median(rates) for rates in zip(*rounds, strict=True))
        rows.append((f"{keys:,}", f"{bare:.0f}", f"{ours:.0f}", f"{ratio:.2f}", f"{fewest / ratio:.2f}"))
    headers = ["vendors' keys", "gpg --verify x2, /s", "opened x2, /s", "ratio", "slower than with the fewest"]
    return tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True)


if __name__ == "__main__":
    main()
