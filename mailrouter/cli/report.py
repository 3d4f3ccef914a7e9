"""`mailrouter report`: what somebody wants us to coordinate, from its arrival to our decision."""

from pathlib import Path

import click

from mailrouter.cli import given, triage
from mailrouter.cli.frame import Here, examples, here
from mailrouter.flow.reports import reported
from mailrouter.mail import reportform


@click.group()
def report() -> None:
    """Vulnerability reports (VRF) that wait for a decision, and those that were decided."""


# ---- how they come -----------------------------------------------------------------------------------------------


@report.command("form", epilog=examples("mailrouter report form > report.txt"))
def form() -> None:
    """Print the empty form, for a reporter to fill in and send to us."""
    click.echo(reportform.template(), nl=False)


@report.command(
    "add",
    epilog=examples(
        "mailrouter report add --file report.txt --from jo@finder.example",
        "mailrouter report add --file - --title 'Overflow in the AX-7 updater' < notes.txt",
    ),
)
@click.option("--file", required=True, type=given.FILE, help="The form, filled in, or any text; - is stdin.")
@click.option("--from", "address", type=given.ADDRESS, help="Where its reporter is written to: they get its number.")
@click.option("--title", type=given.LINE, help="Else its product, or the line it begins with.")
@here
def add(context: Here, file: Path, address: str | None, title: str | None) -> None:
    """Type in a report that did not come by mail. Prints its VRF#."""
    made = reported.add(context.tools, context.actor, given.written(file), address or "", title or "")
    click.echo(made.vrf)


@report.command("take", epilog=examples("mailrouter report take 12"))
@click.argument("message_id", metavar="MESSAGE", type=given.ID)
@here
def take(context: Here, message_id: int) -> None:
    """A mail that lies elsewhere is a report after all: it waits in triage. Prints its VRF#."""
    click.echo(reported.take(context.tools, context.actor, message_id).vrf)


for decides in triage.COMMANDS:
    report.add_command(decides)
