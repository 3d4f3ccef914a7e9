"""`mailrouter note approve|gate|publish`: whether a note may be published, and that it is."""

from collections.abc import Sequence

import click

from mailrouter import faults
from mailrouter.case import gate, ssvcpublish
from mailrouter.case.formats import paths
from mailrouter.case.gate import Check
from mailrouter.cli import given, noteshape, show
from mailrouter.cli.frame import Here, as_json, examples, here
from mailrouter.flow import publishing
from mailrouter.flow.notes import approving, finding, gating, notpublishing, recommending
from mailrouter.flow.notes.recommending import Recommended
from mailrouter.store import cases
from mailrouter.store.notes import Revision

FORGET = "as-the-case-says"


def _answer(question: str) -> click.Choice[str]:
    return click.Choice([*ssvcpublish.QUESTIONS[question], FORGET])


@click.command(
    "approve",
    epilog=examples(
        "mailrouter note approve VU#123456 --draft 3", "mailrouter note approve VU#123456 --sha256 44bae50e12ab"
    ),
)
@given.vu_argument
@noteshape.which
@click.option("--sha256", type=given.DIGITS, help="Only what you have read: how its SHA-256 begins.")
@here
def approve(context: Here, vu: int, revision: int | None, draft: int | None, sha256: str | None) -> None:
    """Approve exactly the draft you have read, as another analyst than who wrote it: name it, or its SHA-256."""
    if draft is None and not sha256:
        raise faults.Refused(_which(context, vu, revision))
    done, approvals = approving.approve(context.tools, context.actor, vu, revision, draft, sha256 or "")
    wanted = context.settings.policy.approvals
    click.echo(f"{done.name} of the note on VU#{vu} approved, SHA-256 {done.sha256[:16]}; {len(approvals)} of {wanted}")


def _which(context: Here, vu: int, revision: int | None) -> str:
    with context.db.read() as tx:
        newest = finding.one(tx, cases.by_vu(tx, vu), revision)
    return (
        f"say which draft you have read, with --draft or --sha256: the newest is {newest.name}, SHA-256"
        f" {newest.sha256[:16]}; `mailrouter note show {vu}` shows it as its readers get it"
    )


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
    with context.db.read() as tx:
        ssvc = recommending.of(tx, cases.by_vu(tx, vu))
    if json_:
        show.show_json(shape(found, checks) | {"recommended": recommended(ssvc)})
    else:
        click.echo(f"{found.name} of the note on VU#{vu}, SHA-256 {found.sha256[:16]}\n")
        show.table(("condition", "", "what is unmet"), map(_row, checks), "", last=WIDTH)
        click.echo(f"\nSSVC recommends: {ssvc.words}")
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


@click.command(
    "publish",
    epilog=examples(
        "mailrouter note publish VU#123456",
        "mailrouter note publish VU#123456 --override date --override draft-shown --why 'an exploit is public'",
        "mailrouter note publish VU#123456 --emergency --why 'it is used in attacks, and nobody else is awake'",
    ),
)
@given.vu_argument
@click.option("--override", "names", multiple=True, type=given.LINE, metavar="CONDITION",
              help="Publish though this is unmet: " + ", ".join(gate.OVERRIDABLE) + ".")  # fmt: skip
@click.option("--emergency", is_flag=True, help="Before it is approved; the others are told, and approve within a day.")
@click.option("--why", type=given.PROSE, help="The reason for both; it stands in the journal.")
@here
def publish(context: Here, vu: int, names: Sequence[str], emergency: bool, why: str | None) -> None:
    """Publish the newest draft: the gate, the site, then the letters. Broken off, the same command goes on."""
    if (names or emergency) and not why:
        raise faults.Refused("say --why; it stands in the journal")
    reasons = dict.fromkeys(names, why or "")
    done = publishing.publish(
        context.tools, context.actor, vu, overrides=reasons, emergency=(why or "") if emergency else ""
    )
    base = context.settings.identity.notes_url.rstrip("/")
    where = f"{base}/{paths.page(vu)}" if base else context.settings.press.folder / paths.page(vu)
    click.echo(f"VU#{vu}: {done.name} is published: {where}")
    if done.emergency:
        show.said("it is not approved yet: the other analysts are told, and have a day")


# ---- whether there is to be a note ----------------------------------------------------------------------------------


@click.command(
    "recommend",
    epilog=examples(
        "mailrouter note recommend VU#123456", "mailrouter note recommend VU#123456 --value-added ampliative --json"
    ),
)
@given.vu_argument
@click.option("--value-added", type=_answer("value_added"), help="What a note would add to what is public.")
@click.option("--exploitation", type=_answer("exploitation"), help="Else as the case says.")
@click.option("--supplier", type=_answer("supplier"), help="Is it involved? Else as the case says.")
@as_json
@here
def recommend(context: Here, /, vu: int, json_: bool, **given_: str | None) -> None:
    """What SSVC (Coordinator Publish) recommends; an answer that is given is kept, and goes before the case's."""
    answers = {question: "" if said == FORGET else said for question, said in given_.items() if said is not None}
    if answers:
        found = recommending.answer(context.tools, context.actor, vu, answers)
    else:
        with context.db.read() as tx:
            found = recommending.of(tx, cases.by_vu(tx, vu))
    if json_:
        return show.show_json(recommended(found))
    click.echo(f"VU#{vu}: {found.words}")
    rows = [(q.replace("_", " "), found.known.get(q, "?"), _whose(found, q)) for q in ssvcpublish.QUESTIONS]
    return show.table(("question", "answer", ""), rows, "")


def _whose(found: Recommended, question: str) -> str:
    if question in found.answered:
        return "an analyst's"
    return "as the case says" if question in found.derived else "--" + question.replace("_", "-")


def recommended(found: Recommended) -> dict[str, object]:
    """`note recommend`, and a part of `note gate`."""
    return {
        "decision": str(found.decisions[0]) if len(found.decisions) == 1 else None,
        "answered": dict(found.answered), "derived": dict(found.derived), "reasons": list(found.reasons),
    }  # fmt: skip


@click.command(
    "not-publish",
    epilog=examples(
        "mailrouter note not-publish VU#123456 --why 'the vendor published, and there is nothing to add'",
        "mailrouter note not-publish VU#123456 --undo --why 'a second vendor is affected'",
    ),
)
@given.vu_argument
@click.option("--why", required=True, type=given.PROSE, help="The reason; it stands in the journal and is told nobody.")
@click.option("--undo", is_flag=True, help="There may be a note after all.")
@here
def not_publish(context: Here, vu: int, why: str, undo: bool) -> None:
    """Decide that there is no note: everybody who was contacted is told so, and of nothing else."""
    if undo:
        case = notpublishing.undo(context.tools, context.actor, vu, why)
        planned = f"; publication is planned {show.when(case.planned_at)}" if case.planned_at else ""
        return click.echo(f"VU#{vu}: there may be a note{planned}")
    made = notpublishing.decide(context.tools, context.actor, vu, why)
    return click.echo(f"VU#{vu}: there is no note; letters to participants: {len(made)}")


COMMANDS = (approve, withdraw_approval, gate_, publish, recommend, not_publish)
