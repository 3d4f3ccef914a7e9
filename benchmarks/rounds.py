"""What is measured, in which order: rounds of short measurements, each of ours right after its floor.

The machine is shared and noisy, and whatever disturbs a round disturbs both. Every round has databases of its own, so
that none measures what the one before has left.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path

from benchmarks import databases, floors, house, mails, measure
from benchmarks.databases import Databases
from benchmarks.house import House
from benchmarks.mails import Mail
from benchmarks.measure import Figure, Load
from benchmarks.results import Key, Results
from tests.servers.daemon import ADDRESS

PLAIN, ANSWER, STATEMENT = "plain", "signed answer", "signed statement"
SIGNED_SHARE = 5  # gpg takes some five times as long as all the rest: so many fewer signed mails
WARM_UP = 64  # mails before a daemon is measured that has just started and has its caches to fill


@dataclass(frozen=True, slots=True)
class Extent:
    """How much: plain mails in a measurement, rounds, mails in the full database (0: none), sessions at once."""

    messages: int = 3000
    rounds: int = 5
    stored: int = 50_000
    sessions: Sequence[int] = (1, 8, 32)
    kinds: Sequence[str] = tuple(databases.KINDS)


@dataclass(frozen=True, slots=True)
class Stage:
    """What runs during one round; `border` is Postfix's port, 0 without one."""

    database: str
    floor: tuple[int, int]  # port, process id
    border: int
    door: House
    whole: House


class Bench:
    """One run; `results` grows. `tell` is told what is being done."""

    def __init__(self, extent: Extent, folder: Path, tell: Callable[[str], None]) -> None:
        self.results = Results()
        self._extent, self._folder, self._tell = extent, folder, tell
        self._numbers = count(1)
        home = folder / "vendor"
        fingerprint = mails.make_key(home, mails.SENDER)
        self._public = mails.public_key(home, fingerprint)
        self._answers = mails.sign(home, fingerprint)
        self._statements = Statements(home, fingerprint)
        self._gpg = floors.Gpg(folder / "signed", home, self._answers)

    def run(self) -> None:
        """Everything, database by database."""
        for kind in self._extent.kinds:
            lies = databases.KINDS[kind](self._folder)
            try:
                self._on(lies)
            finally:
                lies.close()

    def _on(self, lies: Databases) -> None:
        self._tell(f"{lies.name}: {len(mails.CASES)} cases are opened")
        template = lies.new()
        house.prepare(self._new_folder(), template, self._public)
        for number in range(self._extent.rounds):
            with self._stage(lies, template) as stage:
                for sessions in self._extent.sessions:
                    self._tell(f"{lies.name}: round {number + 1} of {self._extent.rounds}, {sessions} sessions")
                    self._plain(stage, sessions)
                    self._signed(stage, sessions)
        if self._extent.stored:
            self._when_full(lies, template)

    # ---- a round ---------------------------------------------------------------------------------------------------

    @contextmanager
    def _stage(self, lies: Databases, template: str) -> Iterator[Stage]:
        with ExitStack() as held:
            yield Stage(
                lies.name,
                held.enter_context(floors.aiosmtpd(self._new_folder())),
                held.enter_context(floors.postfix(self._folder)) if floors.has_postfix() else 0,
                held.enter_context(self._house(lies, template, "--only", "smtp")),
                held.enter_context(self._house(lies, template)),
            )

    def _plain(self, stage: Stage, sessions: int) -> None:
        floor = Key("", "aiosmtpd", PLAIN, sessions)
        accepted, filed = (Key(stage.database, what, PLAIN, sessions) for what in ("accepted", "filed"))
        self.results.add(floor, measure.accepted(*stage.floor, self._load(floor)))
        self.results.add(accepted, self._accepted(stage.door, accepted), floor)
        self.results.add(floor, measure.accepted(*stage.floor, self._load(floor)))
        self.results.add(filed, self._filed(stage.whole, filed), floor)
        if stage.border:
            border = Key("", "postfix", PLAIN, sessions)
            self.results.add(border, measure.accepted(stage.border, None, self._load(border)))

    def _signed(self, stage: Stage, sessions: int) -> None:
        floor, accepted = Key("", "aiosmtpd", ANSWER, sessions), Key(stage.database, "accepted", ANSWER, sessions)
        self.results.add(floor, measure.accepted(*stage.floor, self._load(floor)))
        self.results.add(accepted, self._accepted(stage.door, accepted), floor)
        self._bare_gpg(1)
        for kind in (ANSWER, STATEMENT):
            filed = Key(stage.database, "filed", kind, sessions)
            self.results.add(filed, self._filed(stage.whole, filed), self._bare_gpg(2))

    # ---- a database that holds much already --------------------------------------------------------------------------

    def _when_full(self, lies: Databases, template: str) -> None:
        full, stored = lies.copy(template), self._extent.stored
        for number in house.fill(self._new_folder(), full, islice(self._replies(PLAIN), stored)):
            self._tell(f"{lies.name}: {number} of {stored} messages stored")
        for number in range(self._extent.rounds):
            self._tell(f"{lies.name}: {stored} messages stored, round {number + 1} of {self._extent.rounds}")
            with self._house(lies, template) as fresh, house.running(self._new_folder(), full) as filled:
                self._warm(filled)
                for kind in (PLAIN, STATEMENT):
                    self._full_against_fresh(lies.name, kind, fresh, filled)

    def _full_against_fresh(self, database: str, kind: str, fresh: House, filled: House) -> None:
        sessions = max(self._extent.sessions)
        before = Key(database, "filed, fresh", kind, sessions)
        after = Key(database, f"filed, {self._extent.stored} stored", kind, sessions)
        self.results.add(before, self._filed(fresh, before))
        self.results.add(after, self._filed(filled, after), before)

    # ---- one measurement -------------------------------------------------------------------------------------------

    def _accepted(self, door: House, key: Key) -> Figure:
        """The door is the one whose mails nobody receives."""
        return measure.accepted(door.port, door.pid, self._load(key))

    def _filed(self, whole: House, key: Key) -> Figure:
        """Raises RuntimeError unless every mail is filed, and every signed one verified: else this measured nothing."""
        load, (filed, verified) = self._load(key, whole.url), whole.proved()
        figure = measure.filed(whole, load)
        wanted = (filed + load.count, verified + (load.count if key.mail != PLAIN else 0))
        if whole.proved() != wanted:
            raise RuntimeError(f"filed and verified: {whole.proved()}, not {wanted}")
        return figure

    def _bare_gpg(self, processes: int) -> Key:
        key = Key("", "gpg --verify", ANSWER, processes)
        amount = self._amount(ANSWER, processes)
        self.results.add(key, measure.timed(lambda: self._gpg.verify(amount, processes), amount))
        return key

    def _load(self, key: Key, url: str = "") -> Load:
        # A signed mail costs the doors no more than a plain one.
        amount = self._amount(key.mail if key.what.startswith("filed") else PLAIN, key.sessions)
        if key.mail == STATEMENT:
            return Load(self._statements.unsent(url, amount, self._run()), amount, key.sessions)
        return Load(self._replies(key.mail), amount, key.sessions)

    def _replies(self, kind: str) -> Iterator[Mail]:
        """Mails that nobody sent before, without end."""
        if kind == PLAIN:
            return mails.replies(ADDRESS, self._run())
        return mails.signed_replies(ADDRESS, self._run(), self._answers)

    def _run(self) -> str:
        return f"run{next(self._numbers)}"

    def _amount(self, kind: str, sessions: int) -> int:
        """A third of the mails for one session, which takes three times as long."""
        return max(1, self._extent.messages // (1 if kind == PLAIN else SIGNED_SHARE) // (3 if sessions == 1 else 1))

    # ---- what runs ---------------------------------------------------------------------------------------------------

    @contextmanager
    def _house(self, lies: Databases, template: str, *arguments: str) -> Iterator[House]:
        """A warm daemon on a database of its own."""
        url = lies.copy(template)
        try:
            with house.running(self._new_folder(), url, *arguments) as running:
                if not arguments:
                    self._warm(running)
                yield running
        finally:
            lies.drop(url)

    def _warm(self, running: House) -> None:
        Load(self._replies(PLAIN), WARM_UP, 1).run(running.port)
        running.wait_received(measure.LIMIT_SECONDS)

    def _new_folder(self) -> Path:
        return self._folder / str(next(self._numbers))


class Statements:
    """Statements that a database has not seen: one whose signature came before is held, and would cost less.

    They are signed when they are first asked for, and sent again to the next database.
    """

    def __init__(self, home: Path, fingerprint: str) -> None:
        self._home, self._fingerprint = home, fingerprint
        self._bodies: list[bytes] = []
        self._sent: Counter[str] = Counter()  # by the database's URL

    def unsent(self, url: str, amount: int, run: str) -> Iterator[Mail]:
        """So many, signed by the time this returns."""
        first = self._sent[url]
        self._sent[url] = end = first + amount
        missing = [mails.statement(_case(number), number) for number in range(len(self._bodies), end)]
        self._bodies += mails.sign_all(self._home, self._fingerprint, missing)
        return (mails.about(_case(n), self._bodies[n], ADDRESS, f"{run}-{n}") for n in range(first, end))


def _case(number: int) -> int:
    return mails.CASES[number % len(mails.CASES)]
