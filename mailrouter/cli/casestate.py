"""`mailrouter case public`, `exploit`, `attacks`: what the world knows; `case vulnerability`: what a case is about."""

from datetime import datetime

import click

from mailrouter.case import casestate
from mailrouter.cli import given, shapes, show
from mailrouter.cli.frame import Here, as_json, examples, here
from mailrouter.flow.casework import coordinate, publicity
from mailrouter.store import cases, vulnerabilities

at_option = click.option("--at", type=given.INSTANT, help="Since when: 2026-12-01, or with time and zone; else now.")
why_option = click.option("--why", required=True, type=given.PROSE, help="How we know; it stands in the journal.")


def _mark(context: Here, vu: int, what: str, at: datetime | None, why: str, *, end_embargo: bool = False) -> None:
    changed = publicity.mark(context.tools, context.actor, vu, what, at or context.now, why, end_embargo=end_embargo)
    click.echo(f"VU#{vu}: {casestate.of_case(changed)}, embargo {changed.embargo.lower()}")


@click.command("public", epilog=examples("mailrouter case public VU#123456 --why 'a blog tells all of it'"))
@given.vu_argument
@at_option
@why_option
@here
def public(context: Here, vu: int, at: datetime | None, why: str) -> None:
    """The vulnerability is public: the embargo is over, every vendor is aware."""
    _mark(context, vu, "public", at, why)


@click.command("exploit", epilog=examples("mailrouter case exploit VU#123456 --at 2026-03-02 --why 'exploit-db'"))
@given.vu_argument
@at_option
@why_option
@here
def exploit(context: Here, vu: int, at: datetime | None, why: str) -> None:
    """An exploit is public, and so is the vulnerability: the embargo is over, every vendor is aware."""
    _mark(context, vu, "exploit", at, why)


@click.command(
    "attacks",
    epilog=examples(
        "mailrouter case attacks VU#123456 --why 'seen by two sensors'",
        "mailrouter case attacks 123456 --why 'the vendor says so' --end-embargo",
    ),
)
@given.vu_argument
@at_option
@why_option
@click.option("--end-embargo", is_flag=True, help="The embargo ends for it.")
@here
def attacks(context: Here, vu: int, at: datetime | None, why: str, end_embargo: bool) -> None:
    """Attacks were seen: the embargo should end, and you decide whether it does."""
    _mark(context, vu, "attacks", at, why, end_embargo=end_embargo)


@click.command(
    "vulnerability",
    epilog=examples(
        "mailrouter case vulnerability VU#123456 'Out-of-bounds read in the parser'",
        "mailrouter case vulnerability 123456 --list",
    ),
)
@given.vu_argument
@click.argument("title", type=given.LINE, required=False)
@click.option("--list", "listing", is_flag=True, help="Those there are.")
@as_json
@here
def vulnerability(context: Here, vu: int, title: str | None, listing: bool, json_: bool) -> None:
    """One more vulnerability of the case: VU#123456.2, .3, ...; without a title, those there are."""
    if title is not None and not listing:
        added = coordinate.add_vulnerability(context.tools, context.actor, vu, title)
        return click.echo(f"VU#{vu}.{added.number}")
    with context.db.read() as tx:
        found = vulnerabilities.of_case(tx, cases.by_vu(tx, vu).id)
    if json_:
        return show.show_json([shapes.vulnerability(vu, one) for one in found])
    rows = [(f"VU#{vu}.{one.number}", show.short(one.title, 60), one.cve, one.added_at) for one in found]
    return show.table(("", "title", "CVE", "added (UTC)"), rows, "None.")


COMMANDS = (public, exploit, attacks, vulnerability)
