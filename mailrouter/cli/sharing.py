"""`mailrouter note share|shown|acknowledged`, `mailrouter case alert`: what is told before a note, who has it."""

from collections.abc import Sequence

import click

from mailrouter import faults
from mailrouter.case import calendar
from mailrouter.case.model import Participant
from mailrouter.cli import given, show
from mailrouter.cli.frame import Here, as_json, examples, here
from mailrouter.cli.shapes import Shape
from mailrouter.flow.drafts import alerting, sharing
from mailrouter.store import cases, drafts, messages
from mailrouter.store.drafts import ShownDraft

whom_argument = click.argument("whom", nargs=-1, type=given.LINE, metavar="[WHOM]...")


@click.command(
    "share",
    epilog=examples(
        "mailrouter note share VU#123456", "mailrouter note share VU#123456 ACME Bolt --now",
        "mailrouter note share VU#123456 --at-due",
    ),
)  # fmt: skip
@given.vu_argument
@whom_argument
@click.option("--now", "at_once", is_flag=True, help="Though publication is more than two weeks ahead.")
@click.option("--at-due", is_flag=True, help="On the sharing date, though it might go now.")
@click.option("--names-ok", is_flag=True, help="What may be a hidden name in it is none: I read it.")
@click.option("--why", type=given.PROSE, help="Why it is none; it stands in the journal.")
@here
def share(
    context: Here, vu: int, whom: Sequence[str], at_once: bool, at_due: bool, names_ok: bool, why: str | None
) -> None:
    """Show the newest draft to who takes part and has not seen it, or to those named: encrypted, one mail each.

    More than two weeks before the planned publication it is kept, and the draft that is the newest then leaves on the
    sharing date.
    """
    if at_once and at_due:
        raise faults.Refused("--now and --at-due exclude each other")
    if names_ok != bool(why):
        raise faults.Refused("--names-ok and --why go together")
    done = sharing.share(context.tools, context.actor, vu, whom, now=at_once, at_due=at_due, names_ok=why or "")
    if done.kept_until is not None:
        return click.echo(f"VU#{vu}: the newest draft is shown on {show.when(done.kept_until)} UTC")
    with context.db.read() as tx:
        numbers = messages.of_letters(tx, [one.letter_id for one in done.done if one.letter_id is not None])
    for one in done.done:
        name = show.cell(one.participant.name)
        if one.letter_id is None:
            click.echo(f"VU#{vu}: no letter to {name}: no usable key, and no consent to clear text")
        else:
            letter = show.letter(one.letter_id, numbers.get(one.letter_id))
            click.echo(f"VU#{vu}: {letter} shows {done.revision.name} to {name}")
    if context.settings.relay.url.startswith("maildir:"):
        show.said("letters go to a local maildir (relay.url): nobody receives this")
    return None


@click.command("shown", epilog=examples("mailrouter note shown VU#123456", "mailrouter note shown VU#123456 --json"))
@given.vu_argument
@as_json
@here
def shown(context: Here, vu: int, json_: bool) -> None:
    """Who was shown which draft, who has it, whose comments came; and who was shown none."""
    with context.db.read() as tx:
        case = cases.by_vu(tx, vu)
        everyone = {one.id: one for one in cases.participants_of(tx, [case.id])}
        found = drafts.of_case(tx, case.id)
    seen = {one.participant_id for one in found}
    without = [one for one in everyone.values() if calendar.sees_draft(one) and one.id not in seen]
    rows = [*(_shape(everyone[one.participant_id], one) for one in found), *(_shape(one, None) for one in without)]
    if json_:
        return show.show_json(rows)
    headers = ("participant", "draft", "shown (UTC)", "acknowledged", "by", "comments")
    return show.table(headers, (_row(one) for one in rows), "Nobody takes part yet.")


def _shape(whose: Participant, one: ShownDraft | None) -> Shape:
    """A participant and a draft it was shown; None: it was shown none."""
    if one is None:
        return {"participant": whose.name, **dict.fromkeys(_OF_A_DRAFT)}
    values = (
        one.number, one.draft, one.letter_id, one.shown_at, one.acknowledged_at, one.acknowledged_by or None,
        one.comment_id,
    )  # fmt: skip
    return {"participant": whose.name, **dict(zip(_OF_A_DRAFT, values, strict=True))}


_OF_A_DRAFT = ("revision", "draft", "letter", "shown_at", "acknowledged_at", "acknowledged_by", "comments")


def _row(one: Shape) -> tuple[object, ...]:
    which = f"{one['revision']}.{one['draft']}" if one["revision"] else "none"
    comments = f"message {one['comments']}" if one["comments"] else ""
    by = show.short(str(one["acknowledged_by"] or ""), 14)
    return show.short(str(one["participant"]), 24), which, one["shown_at"], one["acknowledged_at"], by, comments


@click.command(
    "acknowledged", epilog=examples("mailrouter note acknowledged VU#123456 ACME --why 'said so on the telephone'")
)
@given.vu_argument
@click.argument("whom", type=given.LINE)
@click.option("--why", required=True, type=given.PROSE, help="How you know; it stands in the journal.")
@here
def acknowledged(context: Here, vu: int, whom: str, why: str) -> None:
    """They have the draft they were shown last, as you know without a mail of theirs."""
    one = sharing.acknowledged(context.tools, context.actor, vu, whom, why)
    click.echo(f"VU#{vu}: {show.cell(whom)} has draft {one.draft} of revision {one.number}")


@click.command(
    "alert", epilog=examples("mailrouter case alert VU#123456", "mailrouter case alert VU#123456 'Downstream Ltd'")
)
@given.vu_argument
@whom_argument
@here
def alert(context: Here, vu: int, whom: Sequence[str]) -> None:
    """Tell downstream vendors that somebody above them has not answered: all that were contacted, or those named."""
    made = alerting.alert(context.tools, context.actor, vu, whom)
    with context.db.read() as tx:
        numbers = messages.of_letters(tx, [letter_id for _, letter_id in made])
    for one, letter_id in made:
        click.echo(f"VU#{vu}: {show.letter(letter_id, numbers.get(letter_id))} alerts {show.cell(one.name)}")


COMMANDS = (share, shown, acknowledged)
