"""`mailrouter case add-vendor`, `add-coordinator`, `add-reporter`, `remove-vendor`: who takes part in a case."""

import shlex

import click

from mailrouter.cli import given, show
from mailrouter.cli.frame import Here, examples, here
from mailrouter.flow.casework import coordinate, joining, leaving

anonymous_option = click.option("--anonymous", is_flag=True, help="No other participant may learn of it.")


@click.command(
    "add-vendor",
    epilog=examples(
        "mailrouter case add-vendor VU#123456 ACME --downstream", "mailrouter case add-vendor 123456 ACME --suspected"
    ),
)
@given.vu_argument
@click.argument("vendor", type=given.LINE)
@click.option("--downstream", is_flag=True, help="It ships what another vendor makes.")
@anonymous_option
@click.option("--suspected", is_flag=True, help="We believe that it ships it: not notified until named or confirmed.")
@here
def add_vendor(context: Here, vu: int, vendor: str, downstream: bool, anonymous: bool, suspected: bool) -> None:
    """A vendor takes part; nothing is sent yet.

    What else it is in the case it stays; a suspected vendor is confirmed; one that left comes back.
    """
    joined = coordinate.add_vendor(
        context.tools, context.actor, vu, vendor, downstream=downstream, anonymous=anonymous, suspected=suspected
    )
    name, quoted = show.cell(joined.name), show.cell(shlex.quote(joined.name))
    if joined.progress == "suspected":
        click.echo(f"{name} is suspected in VU#{vu}; `mailrouter case notify {vu} {quoted}` writes to it")
    elif joined.progress == "not contacted":
        click.echo(f"{name} takes part in VU#{vu}; `mailrouter case notify {vu}` writes to it")
    else:
        click.echo(f"{name} takes part in VU#{vu} as {', '.join(joined.roles)}; {joined.progress}")


@click.command("add-coordinator", epilog=examples("mailrouter case add-coordinator VU#123456 'National CERT'"))
@given.vu_argument
@click.argument("organisation", type=given.LINE)
@anonymous_option
@here
def add_coordinator(context: Here, vu: int, organisation: str, anonymous: bool) -> None:
    """Another coordinator takes part."""
    joined = joining.add(context.tools, context.actor, vu, organisation, "coordinator", anonymous=anonymous)
    click.echo(f"{show.cell(joined.name)} takes part in VU#{vu} as {', '.join(joined.roles)}")


@click.command(
    "add-reporter",
    epilog=examples(
        "mailrouter case add-reporter VU#123456 finder@home.example --anonymous",
        "mailrouter case add-reporter 123456 ACME",
    ),
)
@given.vu_argument
@click.argument("whom", type=given.WHOM, metavar="NAME|ADDRESS")
@anonymous_option
@here
def add_reporter(context: Here, vu: int, whom: str, anonymous: bool) -> None:
    """A reporter takes part: an organisation, or a person by their address.

    A vendor that is the reporter counts as aware, and as having answered.
    """
    joined = joining.add(context.tools, context.actor, vu, whom, "reporter", anonymous=anonymous)
    click.echo(f"{show.cell(joined.name)} takes part in VU#{vu} as {', '.join(joined.roles)}")


@click.command("remove-vendor", epilog=examples("mailrouter case remove-vendor VU#123456 ACME --why 'ships no libfoo'"))
@given.vu_argument
@click.argument("whom", type=given.LINE, metavar="VENDOR")
@click.option("--why", required=True, type=given.PROSE, help="The reason; it stands in the journal.")
@here
def remove_vendor(context: Here, vu: int, whom: str, why: str) -> None:
    """A participant takes part no more: nothing leaves to it, its mail goes to review; what it sent stays."""
    gone = leaving.remove(context.tools, context.actor, vu, whom, why)
    click.echo(f"{show.cell(gone.name)} takes part in VU#{vu} no more; `mailrouter case add-vendor` brings it back")


COMMANDS = (add_vendor, add_coordinator, add_reporter, remove_vendor)
