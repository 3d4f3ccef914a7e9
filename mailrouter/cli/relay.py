"""`mailrouter case relay`: what one participant wrote, passed on to others under its pseudonym."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from mailrouter import faults
from mailrouter.cli import draft, given, show
from mailrouter.cli.frame import Here, examples, here
from mailrouter.flow.filing import passon
from mailrouter.flow.filing.passon import Parcel
from mailrouter.flow.sending import lacking
from mailrouter.store import cases, messages, outbox


def options(command: Any) -> Any:
    """What is passed on, and how its sender agreed."""
    for option in reversed(
        (
            click.option("--consent", type=given.PROSE, help="How its sender agreed."),
            click.option("--consent-message", type=given.ID, metavar="ID", help="Their mail that says so."),
            click.option("--only-text", is_flag=True, help="Without its attachments."),
            click.option("--attach", multiple=True, metavar="NAME", help="An attachment of it, by name or number."),
            click.option("--file", type=given.FILE, help="This text instead of the mail's own; - is stdin."),
            click.option("--quotes", is_flag=True, help="What the mail itself quotes, too."),
            click.option("--note", type=given.LINE, help="A line of yours to them."),
            click.option("--no-question", is_flag=True, help="For their information: it asks for no answer."),
            click.option("--strip-patch-headers", is_flag=True, help="Take out of patches who made them, and when."),
            click.option("--as-it-is", multiple=True, metavar="NAME", help="This file may leave as it came."),
            click.option("--why", type=given.LINE, help="Why it may."),
            click.option("--again", is_flag=True, help="Though it was passed on to them before."),
            click.option("--yes", is_flag=True, help="Do not ask before it is queued."),
            draft.names_ok,
        )
    ):
        command = option(command)
    return command


def wanted(given_: dict[str, Any]) -> passon.Wanted:
    """The options as the flow takes them. `Refused` for those that exclude each other."""
    if given_["consent"] and given_["consent_message"]:
        raise faults.Refused("give one of --consent and --consent-message")
    if given_["only_text"] and given_["attach"]:
        raise faults.Refused("give one of --only-text and --attach")
    file: Path | None = given_["file"]
    return passon.Wanted(
        attach=given_["attach"], only_text=given_["only_text"], quotes=given_["quotes"],
        text=given.written(file) if file else "", note=given_["note"] or "", asks=not given_["no_question"],
        consent=given_["consent"] or "", consent_message=given_["consent_message"], as_it_is=given_["as_it_is"],
        why=given_["why"] or "", strip_patches=given_["strip_patch_headers"], again=given_["again"],
        names_ok=given_["names_ok"],
    )  # fmt: skip


@click.command(
    "relay",
    epilog=examples(
        "mailrouter case relay 12 reporter --only-text --consent-message 14",
        "mailrouter case relay 12 'Vendor KTRV' Bolt --attach poc.py --consent 'agreed on the telephone' --yes",
    ),
)
@click.argument("message_id", metavar="MESSAGE", type=given.ID)
@click.argument("whom", nargs=-1, required=True, type=given.LINE)
@options
@here
def relay(context: Here, /, message_id: int, whom: Sequence[str], **options: Any) -> None:
    """Pass on what a participant wrote, to others of its case: encrypted, and under its pseudonym."""
    asked, yes = wanted(options), bool(options["yes"])
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if not yes and not terminal:
        raise faults.Refused("there is no terminal to ask on: --yes passes it on without asking")
    if not yes:
        parcel = passon.packed(context.tools, message_id, whom, asked)
        _preview(parcel, asked)
        asked = replace(asked, names_ok=asked.names_ok or draft.meant(parcel.tells))
        click.confirm("Pass it on?", abort=True, err=True)
    for letter_id in passon.relay(context.tools, context.actor, message_id, whom, asked):
        _say(context, letter_id)
    if context.settings.relay.url.startswith("maildir:"):
        show.said("letters go to a local maildir (relay.url): nobody receives this")


def _say(context: Here, letter_id: int) -> None:
    """And at once, when it will be held for want of a key."""
    with context.db.read() as tx:
        letter = outbox.get(tx, letter_id)
        assert letter.case_id is not None  # it is a participant's
        assert letter.participant_id is not None
        vu, to = cases.get(tx, letter.case_id).vu, cases.participant(tx, letter.participant_id)
        said = messages.of_letters(tx, [letter_id])
        lacks = lacking.words(tx, to.organisation_id, context.now)
    state = f"held: {letter.why}" if letter.state == "held" else letter.state
    if letter.state == "queued" and lacks:
        state += f" and will be held until there is a usable key: {lacks}"
    click.echo(f"VU#{vu}: {show.letter(letter_id, said.get(letter_id))} to {show.cell(to.name)} is {state}")


def _preview(parcel: Parcel, asked: passon.Wanted) -> None:
    to = ", ".join(f"{one.name} ({one.pseudonym})" for one in parcel.recipients)
    show.said(f"{draft.RULER}\nTo: {to}\nUnder the name: {parcel.sender.pseudonym}")
    for one in parcel.files:
        as_it_is = ", AS IT IS" if one.as_it_is else ""
        show.said(f"Attached: {one.file.name}, {len(one.file.content)} bytes{as_it_is}")
    show.said(f"{passon.ASKS if asked.asks else passon.INFORMS}\n{asked.note}\n\n{parcel.text.strip()}\n{draft.RULER}")
