"""What was measured, held against what was hoped for: medians over the rounds, a table for people, JSON for scripts.

A ratio is taken within a round, against the floor that was measured just before: what else the machine did weighs on
both. The targets are those of the first release's plan; missing one is told and is no failure.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from tabulate import tabulate

from benchmarks.measure import Figure


@dataclass(frozen=True, slots=True)
class Key:
    """What was measured. A floor has no database; `sessions` of gpg are its processes."""

    database: str
    what: str  # aiosmtpd | postfix | gpg --verify | accepted | filed | filed, fresh | filed, N stored
    mail: str  # plain | signed answer | signed statement
    sessions: int


@dataclass(slots=True)
class Row:
    """All rounds of one measurement."""

    key: Key
    figures: list[Figure] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)
    against: str = ""

    def median(self, name: str) -> float:
        """Of one figure over the rounds; NaN if it was not measured."""
        return median(float(getattr(figure, name)) for figure in self.figures)

    @property
    def ratio(self) -> float:
        """Of its rate to the floor's, the median of the rounds'; NaN for a floor."""
        return median(self.ratios) if self.ratios else math.nan


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Bounds of one column of the rows it applies to."""

    name: str
    column: str  # of Row: ratio, or a Figure's
    applies: Callable[[Key], bool]
    at_least: float = -math.inf
    at_most: float = math.inf

    def reached(self, value: float) -> bool:
        """Whether the value keeps the bounds."""
        return self.at_least <= value <= self.at_most

    @property
    def wanted(self) -> str:
        """For people."""
        return f"≥ {self.at_least:g}" if self.at_least > 0 else f"≤ {self.at_most:g}"


def _is(what: str, mail: str, sessions: int, database: str = "") -> Callable[[Key], bool]:
    return lambda k: (k.what, k.mail, k.sessions) == (what, mail, sessions) and database in ("", k.database)


def _is_signed(key: Key) -> bool:
    return key.what == "filed" and key.mail.startswith("signed") and key.sessions == 32


TARGETS = (
    Target(name="accepted, of aiosmtpd", column="ratio", applies=_is("accepted", "plain", 32), at_least=0.8),
    Target(name="filed, of aiosmtpd", column="ratio", applies=_is("filed", "plain", 32, "sqlite"), at_least=0.5),
    Target(name="filed, of aiosmtpd", column="ratio", applies=_is("filed", "plain", 32, "postgresql"), at_least=0.4),
    Target(name="signed filed, of two gpg --verify at once", column="ratio", applies=_is_signed, at_least=0.6),
    Target(name="filed when full, of when fresh", column="ratio", applies=lambda k: "stored" in k.what, at_least=0.9),
    Target(name="p50 of accepting, ms", column="p50_ms", applies=_is("accepted", "plain", 1), at_most=5),
    Target(name="memory, MiB", column="peak_mib", applies=lambda k: k.what == "filed", at_most=150),
)


class Results:
    """Grows round by round, in the order of the first."""

    def __init__(self) -> None:
        self._rows: dict[Key, Row] = {}

    def add(self, key: Key, figure: Figure, floor: Key | None = None) -> None:
        """One measurement, to be held against the last of `floor`."""
        row = self._rows.setdefault(key, Row(key))
        row.figures.append(figure)
        if floor is not None:
            row.against = floor.what if floor.what.startswith("filed") else f"{floor.what} x{floor.sessions}"
            row.ratios.append(figure.rate / self._rows[floor].figures[-1].rate)

    def rows(self) -> list[Row]:
        """The floors first, then database by database."""
        return sorted(self._rows.values(), key=lambda row: (row.key.database != "", -len(row.key.database)))

    def judged(self) -> Iterator[tuple[Target, str, float]]:
        """Each target, on what, and the value it is held against: the worst of the rows it applies to."""
        for target in TARGETS:
            mine = [row for row in self.rows() if target.applies(row.key)]
            for database in dict.fromkeys(row.key.database for row in mine):
                values = [_value(row, target.column) for row in mine if row.key.database == database]
                yield target, database, (min if target.at_least > 0 else max)(values)


def _value(row: Row, column: str) -> float:
    if column == "peak_mib":
        return max(figure.peak_mib for figure in row.figures)
    return row.ratio if column == "ratio" else row.median(column)


# ---- for people ----------------------------------------------------------------------------------------------------


def table(results: Results) -> str:
    """The figures, and under them the targets."""
    heads = ("", "measured", "mail", "sessions", "/s", "ratio", "of", "wanted", "p50 ms", "p95 ms", "CPU ms", "MiB")
    figures = tabulate([_line(row) for row in results.rows()], heads, disable_numparse=True, colalign=_ALIGN)
    judged = [
        (database, target.name, target.wanted, f"{value:.2f}", _verdict(target, value))
        for target, database, value in results.judged()
    ]
    return f"{figures}\n\n{tabulate(judged, ('', 'target', 'wanted', 'measured', ''), disable_numparse=True)}"


_ALIGN = ("left", "left", "left", "right", "right", "right", "left", "left", "right", "right", "right", "right")


def _line(row: Row) -> Sequence[str]:
    key = row.key
    return (
        key.database, key.what, key.mail, str(key.sessions), _shown(row.median("rate"), 0), _shown(row.ratio, 2),
        row.against, _wanted(row), _shown(row.median("p50_ms"), 1), _shown(row.median("p95_ms"), 1),
        _shown(row.median("cpu_ms"), 2), _shown(_value(row, "peak_mib"), 0),
    )  # fmt: skip


def _wanted(row: Row) -> str:
    mine = [target for target in TARGETS if target.column == "ratio" and target.applies(row.key)]
    return ", ".join(f"{target.wanted} {_verdict(target, row.ratio)}" for target in mine)


def _verdict(target: Target, value: float) -> str:
    return "reached" if target.reached(value) else "NOT reached"


def _shown(value: float, places: int) -> str:
    return "" if math.isnan(value) else f"{value:.{places}f}"


# ---- for scripts ---------------------------------------------------------------------------------------------------


def document(results: Results) -> dict[str, Any]:
    """Every round of every row, and the targets. What was not measured is null."""
    return {
        "rows": [_row(row) for row in results.rows()],
        "targets": [
            {"target": target.name, "database": database, "at_least": _bound(target.at_least),
             "at_most": _bound(target.at_most), "measured": value, "reached": target.reached(value)}
            for target, database, value in results.judged()
        ],
    }  # fmt: skip


def _bound(value: float) -> float | None:
    return None if math.isinf(value) else value


def _row(row: Row) -> dict[str, Any]:
    names = ("rate", "p50_ms", "p95_ms", "cpu_ms")
    medians = {name: row.median(name) for name in names} | {"ratio": row.ratio, "peak_mib": _value(row, "peak_mib")}
    rounds = [_without_nan(asdict(figure)) for figure in row.figures]
    return asdict(row.key) | _without_nan(medians) | {"against": row.against, "ratios": row.ratios, "rounds": rounds}


def _without_nan(values: dict[str, float]) -> dict[str, float | None]:
    return {name: None if math.isnan(value) else value for name, value in values.items()}
