"""`mailrouter participant move|fix|status|dispute`: where a participant stands."""

from datetime import datetime

import click

from mailrouter import faults
from mailrouter.case import casestate, lifecycle
from mailrouter.case.model import Participant
from mailrouter.cli import given, show
from mailrouter.cli.frame import Here, examples, here
from mailrouter.flow import act
from mailrouter.flow.casework import standings

whom_argument = click.argument("whom", type=given.LINE)
STATUS = {"affected": "Affected", "not-affected": "Not Affected", "unknown": "Unknown"}


@click.command(
    "move",
    epilog=examples(
        "mailrouter participant move VU#123456 ACME validate",
        "mailrouter participant move 123456 ACME defer --why 'a duplicate of their own finding'",
    ),
)
@given.vu_argument
@whom_argument
@click.argument("verb", type=click.Choice(list(lifecycle.REPORT)))
@click.option("--why", type=given.PROSE, help="The reason; it stands in the journal.")
@here
def move(context: Here, vu: int, whom: str, verb: str, why: str | None) -> None:
    """How they deal with the report (RM): one move of its table (docs/moves.md)."""
    more = {"why": why} if why else {}
    moved = standings.ordered(
        context.tools, context.actor, vu, whom, lambda doing, one: standings.move_rm(doing, one, verb, **more)
    )
    click.echo(f"VU#{vu}: {show.cell(moved.name)} is {moved.rm}")


@click.command(
    "fix",
    epilog=examples(
        "mailrouter participant fix VU#123456 ACME ready",
        "mailrouter participant fix VU#123456 ACME expected --at 2026-12-01",
        "mailrouter participant fix 123456 ACME deployed --at 2026-12-01",
    ),
)
@given.vu_argument
@whom_argument
@click.argument("what", type=click.Choice(["expected", "ready", "deployed"]))
@click.option("--at", type=given.INSTANT, help="Since when, or for when: 2026-12-01, or with time and zone; else now.")
@here
def fix(context: Here, vu: int, whom: str, what: str, at: datetime | None) -> None:
    """Their fix is ready, or deployed; or they expect it on a date."""
    if what == "expected":
        return _expected(context, vu, whom, at)
    fixed = standings.ordered(
        context.tools, context.actor, vu, whom,
        lambda doing, one: standings.fix(doing, one, what, at),
    )  # fmt: skip
    return click.echo(f"VU#{vu}: {show.cell(fixed.name)} is {casestate.of_vendor(fixed)}")


def _expected(context: Here, vu: int, whom: str, at: datetime | None) -> None:
    if at is None or at <= context.now:
        raise faults.Refused("say for which day they expect it, one that is to come: --at 2026-12-01")
    one = standings.ordered(
        context.tools, context.actor, vu, whom, lambda doing, whose: standings.expect_fix(doing, whose, at)
    )
    click.echo(f"VU#{vu}: {show.cell(one.name)} expects its fix on {at:%Y-%m-%d}")


@click.command(
    "status",
    epilog=examples(
        "mailrouter participant status VU#123456 ACME affected --fixed-in '2.4.1'",
        "mailrouter participant status 123456 ACME not-affected --vulnerability 2 --why 'does not ship the parser'",
    ),
)
@given.vu_argument
@whom_argument
@click.argument("status", type=click.Choice(list(STATUS)))
@click.option(
    "--vulnerability", "number", type=click.IntRange(1, 9999), help="Its number (2 for VU#123456.2); else all."
)
@click.option("--why", type=given.PROSE, help="Why not.")
@click.option("--fixed-in", type=given.LINE, help="The version that holds the fix.")
@here
def status(
    context: Here, vu: int, whom: str, status: str, number: int | None, why: str | None, fixed_in: str | None
) -> None:
    """What they say of one vulnerability of the case, or of all."""
    stated: list[int] = []

    def verb(doing: act.Doing, one: Participant) -> None:
        said = standings.set_status(doing, one, STATUS[status], number=number, why=why or "", fixed_in=fixed_in or "")
        stated.extend(said)

    of = standings.ordered(context.tools, context.actor, vu, whom, verb)
    named = ", ".join(f"VU#{vu}.{one}" for one in stated)
    click.echo(f"{show.cell(of.name)}: {STATUS[status]} ({named})")


@click.command("dispute", epilog=examples("mailrouter participant dispute VU#123456 ACME --why 'works as intended'"))
@given.vu_argument
@whom_argument
@click.option("--why", type=given.PROSE, help="The reason; it stands in the journal.")
@here
def dispute(context: Here, vu: int, whom: str, why: str | None) -> None:
    """They say that it is no vulnerability."""
    more = {"why": why} if why else {}
    disputed = standings.ordered(
        context.tools, context.actor, vu, whom, lambda doing, one: standings.dispute(doing, one, **more)
    )
    click.echo(f"VU#{vu}: {show.cell(disputed.name)} disputes it ({disputed.rm})")


COMMANDS = (move, fix, status, dispute)
