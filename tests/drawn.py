"""The pages of `docs/` that are drawn from code: `python -m tests.drawn` (`make tables`) writes them anew.

Each is one function that gives the whole page; `tests/test_drawn.py` fails when a page is not as its code has it.
"""

import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple
from pathlib import Path

from mailrouter.case import lifecycle, ssvc, ssvcpublish
from mailrouter.case.lifecycle import Table

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
        + "\nBelow: Coordinator Publish 1.0.0, every row.\n"
        + "\nSeven questions are asked about a report (`mailrouter report score`); the table recommends, an"
        "\nanalyst decides. The first rule that fits:\n\n"
        + RULES
        + "\n"
        + table(headers, rows)
        + "\n# SSVC, Coordinator Publish 1.0.0: every row\n\n"
        + PUBLISH
        + "\n"
        + _publish()
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


PUBLISH = """\
Three questions are asked about a note (`mailrouter note recommend`): is the supplier involved, is it exploited, what
would a note add to what is public? The table (`mailrouter/case/ssvcpublish.py`) recommends, an analyst decides.

1. A note would be the first that is public (precedence): publish.
2. It would amplify what is public (ampliative): publish if it is used in attacks, or if the supplier does not respond
   and a proof of concept is public.
3. It would add little (limited): publish only if the supplier does not respond and it is used in attacks.
"""


def _publish() -> str:
    rows = [
        (number, *astuple(answers), found.decision, found.rule)
        for number, answers in enumerate(ssvcpublish.every(), 1)
        if (found := ssvcpublish.recommend(answers))
    ]
    return table(("", *(question.replace("_", " ") for question in ssvcpublish.QUESTIONS), "decision", "rule"), rows)


def _recommended(answers: ssvc.Answers) -> tuple[str, int]:
    found = ssvc.recommend(answers)
    return str(found.decision), found.rule


# ---- docs/moves.md ---------------------------------------------------------------------------------------------------

READING = (
    "A row is a state, a column a move, a cell the state after it; an empty cell is a move that is refused by name.\n"
)
TITLES = {
    "RM": "Report management: reports, participants", "EM": "Embargo: cases", "consent": "Consent: participants",
    "vendor": "Case state: a vendor", "public": "Case state: a case", "case": "Case",
    "terms": "Dates that are proposed for publication", "progress": "What happened: participants",
}  # fmt: skip
ABOUT = {
    "RM": """
        Of a report, and of each participant's dealing with what it was told. What happens moves it as far as this table
        allows: the first letter that left, or their first mail, is `receive`; Affected is `receive`, `validate`,
        `accept`; a dispute or Not Affected is `receive`, `invalidate`, and `defer` when it was valid before; closing
        the case is `close`. Whoever reported it has accepted it. By hand: `mailrouter participant move`.""",
    "EM": """
        One active embargo at most; none begins once the vulnerability is public, an exploit is, or attacks were seen.
        A case is not closed while its embargo is active.""",
    "consent": "What a participant has agreed to of the embargo.",
    "vendor": """
        Three bits, each set once, in this order: aware, fix ready, fix deployed. One that is set is written large.
        Aware is who was sent the first letter, who wrote, who reported it, and everybody once it is public.""",
    "public": """
        Three bits, each set once: public, exploit public, attacks seen. A public exploit makes the vulnerability
        public. Either ends the embargo; attacks should, and an analyst decides.""",
    "terms": """
        Of the terms that are agreed, the newest are the embargo's. What nobody decides about lapses; what was agreed is
        replaced by what is agreed after it.""",
    "case": "A merged case goes on in another: nothing leads out of it.",
    "progress": """
        Beside the vendor status, so that silence is not shown as "Unknown". A mail of somebody who disputes does not
        end the dispute; that they are affected does.""",
}


def moves_page() -> str:
    """Every table of moves."""
    parts = ["# Moves\n\n" + NOTE.format(source="mailrouter/case/lifecycle.py") + READING]
    for name, one in lifecycle.TABLES.items():
        about = textwrap.fill(" ".join(ABOUT[name].split()), 120)
        parts.append(f"\n## {TITLES[name]}\n\n{about}\n\n{_drawn(one)}\n```\n{_diagram(one)}```\n")
    return "".join(parts)


def _drawn(one: Table) -> str:
    rows = ([state, *(moves.get(state, "") for moves in one.values())] for state in lifecycle.states(one))
    return table(("from", *one), rows)


def _diagram(one: Table) -> str:
    """One line a state: where it leads."""
    width = max(map(len, lifecycle.states(one)))
    lines = []
    for state in lifecycle.states(one):
        leads = dict.fromkeys(moves[state] for moves in one.values() if state in moves)
        lines.append(f"{state:{width}} -> {', '.join(leads) or '(the end)'}\n")
    return "".join(lines)


# ---- all of them -----------------------------------------------------------------------------------------------------

PAGES: Mapping[str, Callable[[], str]] = {"ssvc.md": ssvc_page, "moves.md": moves_page}


def main() -> None:
    """Write every page."""
    for name, draw in PAGES.items():
        (DOCS / name).write_text(draw(), "utf-8")


if __name__ == "__main__":
    main()
