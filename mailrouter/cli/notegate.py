"""`mailrouter note approve|gate|publish`: whether a note may be published, and that it is."""

from collections.abc import Sequence

import click

from mailrouter import faults
from mailrouter.case.gate import Check
from mailrouter.cli import given, noteshape, show
from mailrouter.cli.frame import Here, as_json, examples, here
from mailrouter.flow.notes import approving, gating
from mailrouter.store.notes import Revision


@click.command(
    "approve",
    epilog=examples("mailrouter note approve VU#123456", "mailrouter note approve VU#123456 --sha256 44bae50e12ab90cd"),
)
@given.vu_argument
@noteshape.which
@click.option("--sha256", type=given.DIGITS, help="Only what you have read: how its SHA-256 begins.")
@here
def approve(context: Here, vu: int, revision: int | None, draft: int | None, sha256: str | None) -> None:
    """Approve exactly the newest draft for publication, as another analyst than who wrote it."""
    done, approvals = approving.approve(context.tools, context.actor, vu, revision, draft, sha256 or "")
    wanted = context.settings.policy.approvals
    click.echo(f"{done.name} of the note on VU#{vu} approved, SHA-256 {done.sha256[:16]}; {len(approvals)} of {wanted}")


@click.command("withdraw-approval", epilog=examples("mailrouter note withdraw-approval VU#123456"))
@given.vu_argument
@here
def withdraw_approval(context: Here, vu: int) -> None:
    """Take back your approval of the newest draft."""
    done = approving.take_back(context.tools, context.actor, vu)
    click.echo(f"{done.name} of the note on VU#{vu}: your approval is taken back")


@click.command("gate", epilog=examples("mailrouter note gate VU#123456", "mailrouter note gate VU#123456 --json"))
@given.vu_argument
@noteshape.which
@as_json
@click.pass_context
def gate_(ctx: click.Context, vu: int, revision: int | None, draft: int | None, json_: bool) -> None:
    """What still stops its publication, and what to do about each; exit status 1 while anything does."""
    context: Here = ctx.obj
    found, checks = gating.look(context.tools, vu, revision, draft)
    if json_:
        show.show_json(shape(found, checks))
    else:
        click.echo(f"{found.name} of the note on VU#{vu}, SHA-256 {found.sha256[:16]}\n")
        show.table(("condition", "", "what is unmet"), map(_row, checks), "", last=WIDTH)
    ctx.exit(1 if any(one.unmet for one in checks) else 0)


WIDTH = 66


def _row(one: Check) -> tuple[object, ...]:
    hard = " (hard)" if one.condition.hard else ""
    return f"{one.name}{hard}", "UNMET" if one.unmet else "ok", one.unmet or one.condition.wants


def shape(revision: Revision, checks: Sequence[Check]) -> dict[str, object]:
    """`note gate`."""
    return {
        "revision": revision.number, "draft": revision.draft, "sha256": revision.sha256,
        "open": not any(one.unmet for one in checks),
        "conditions": [
            {"name": one.name, "hard": one.condition.hard, "wants": one.condition.wants, "met": not one.unmet,
             "unmet": one.unmet or None}
            for one in checks
        ],
    }  # fmt: skip


def overrides(names: Sequence[str], why: str | None) -> dict[str, str]:
    """Condition -> the one reason that is given for all of them."""
    if names and not why:
        raise faults.Refused("say --why it is overridden; it stands in the journal")
    return dict.fromkeys(names, why or "")


COMMANDS = (approve, withdraw_approval, gate_)
