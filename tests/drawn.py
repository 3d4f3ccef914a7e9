"""The pages of `docs/` that are drawn from code: `python -m tests.drawn` (`make tables`) writes them anew.

Each is one function that gives the whole page; `tests/test_drawn.py` fails when a page is not as its code has it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple
from pathlib import Path

from mailrouter.case import ssvc

DOCS = Path(__file__).parents[1] / "docs"
NOTE = "Drawn from code by `make tables`: edit `{source}`, not this page.\n"


def table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table, its columns lined up."""
    cells = [list(headers), *[[str(cell) for cell in row] for row in rows]]
    widths = [max(len(row[at]) for row in cells) for at in range(len(headers))]
    cells.insert(1, ["-" * width for width in widths])
    lines = (" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells)
    return "".join(f"| {line} |\n" for line in lines)


def ssvc_page() -> str:
    """Coordinator Triage, every row."""
    rows = [(number, *astuple(answers), *_recommended(answers)) for number, answers in enumerate(ssvc.every(), 1)]
    headers = ("", *(question.replace("_", " ") for question in ssvc.QUESTIONS), "decision", "rule")
    return (
        "# SSVC, Coordinator Triage 1.0.0: every row\n\n"
        + NOTE.format(source="mailrouter/case/ssvc.py")
        + "\nSeven questions are asked about a report; the table recommends, an analyst decides. The first"
        "\nrule that fits:\n\n" + RULES + "\n" + table(headers, rows)
    )


RULES = """\
1. Several suppliers, a super-effective exploit and significant safety impact: Coordinate.
2. Else public already, or the supplier not contacted: Decline.
3. Credible. Several suppliers, unresponsive: Coordinate. One, unresponsive: Track if the exploit is laborious and the
   safety impact minimal, else Coordinate. Several, active: Coordinate if super-effective, else Track if significant,
   else Decline. One, active: Track if significant and at least efficient, else Decline.
4. Not credible. Several suppliers: Track if significant or super-effective, else Decline. One: Track if significant and
   at least efficient, else Decline.
"""


def _recommended(answers: ssvc.Answers) -> tuple[str, int]:
    found = ssvc.recommend(answers)
    return str(found.decision), found.rule


PAGES: Mapping[str, Callable[[], str]] = {"ssvc.md": ssvc_page}


def main() -> None:
    """Write every page."""
    for name, draw in PAGES.items():
        (DOCS / name).write_text(draw(), "utf-8")


if __name__ == "__main__":
    main()
