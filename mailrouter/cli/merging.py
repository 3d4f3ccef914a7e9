"""`mailrouter case merge`: one case goes on in another."""

import click

from mailrouter.cli import given
from mailrouter.cli.frame import Here, examples, here
from mailrouter.flow.casework import merging


@click.command("merge", epilog=examples("mailrouter case merge VU#123456 VU#654321 --why 'the same flaw, twice'"))
@given.vu_argument
@click.argument("into", type=given.VU, metavar="INTO")
@click.option("--why", required=True, type=given.PROSE, help="The reason; it stands in both journals.")
@here
def merge(context: Here, vu: int, into: int, why: str) -> None:
    """VU goes on in INTO: participants, mails, letters, statements and clocks; its number leads there."""
    goes_on = merging.merge(context.tools, context.actor, vu, into, why)
    click.echo(f"VU#{vu} goes on in VU#{goes_on.vu}; `mailrouter case show {goes_on.vu}` shows it")


COMMANDS = (merge,)
