"""`mailrouter cve`: CVE IDs and records: asked for, reserved, typed in, published, rejected."""

import json
from pathlib import Path

import click

from mailrouter import cve as service
from mailrouter import faults
from mailrouter.case.vuid import VuId
from mailrouter.cli import cveshape, given, show
from mailrouter.cli.frame import Here, as_json, examples, here
from mailrouter.flow.cves import asking, assigning, building, records, rejecting, reserving, working
from mailrouter.store import cases, vulnerabilities


@click.group()
def cve() -> None:
    """CVE IDs and records: asked for, reserved, published."""


# ---- looking ---------------------------------------------------------------------------------------------------------


@cve.command("list", epilog=examples("mailrouter cve list", "mailrouter cve list --json"))
@as_json
@here
def listing(context: Here, json_: bool) -> None:
    """Every CVE ID we know of, and what became of it; unused ones are marked."""
    with context.db.read() as tx:
        rows = cveshape.listed(tx)
    if json_:
        return show.show_json(rows)
    cells = [
        (r["cve"] or "", r["state"], "unused" if r["unused"] else r["vulnerability"], r["source"], r["reserved_at"])
        for r in rows
    ]
    return show.table(("CVE ID", "state", "for", "from", "reserved (UTC)"), cells, "No CVE ID.")


@cve.command("show", epilog=examples("mailrouter cve show VU#123456", "mailrouter cve show 123456 --json"))
@given.vu_argument
@as_json
@here
def one_case(context: Here, vu: int, json_: bool) -> None:
    """A case's vulnerabilities: their IDs, who can assign one, and what was asked of the CVE service."""
    with context.db.read() as tx:
        shape = cveshape.of_case(tx, cases.by_vu(tx, vu))
    return show.show_json(shape) if json_ else cveshape.show_case(shape)


@cve.command("check", epilog=examples("mailrouter cve check", "mailrouter cve check --json"))
@as_json
@here
def check(context: Here, json_: bool) -> None:
    """Whether the CVE service knows our account, and how many IDs are left of our quota."""
    found = service.Service(context.settings.cve).account()
    if json_:
        return show.show_json(found)
    return click.echo(f"{found.org}, {found.user}: {'active' if found.active else 'not active'}; {found.left} IDs left")


# ---- an ID -----------------------------------------------------------------------------------------------------------


@cve.command("ask", epilog=examples("mailrouter cve ask VU#123456", "mailrouter cve ask VU#123456.2 ACME"))
@given.vulnerability_argument
@click.argument("vendor", type=given.LINE, required=False)
@click.option("--again", is_flag=True, help="Though it was asked.")
@here
def ask(context: Here, one: VuId, vendor: str | None, again: bool) -> None:
    """Ask the vendor that is a CNA for its own ID."""
    asked, letter_id = asking.ask(
        context.tools, context.actor, one.number, one.vulnerability, vendor or "", again=again
    )
    click.echo(f"{one}: {show.cell(asked.name)} is asked; letter {letter_id} is queued")


@cve.command(
    "reserve",
    epilog=examples(
        "mailrouter cve reserve VU#123456", "mailrouter cve reserve VU#123456.2 --why 'ACME does not answer'"
    ),
)
@given.vulnerability_argument
@click.option("--why", type=given.PROSE, help="Why we do, though a vendor that is a CNA could.")
@here
def reserve(context: Here, one: VuId, why: str | None) -> None:
    """Reserve an ID at the CVE service; without .N for each vulnerability that has none."""
    reserving.order(context.tools, context.actor, one.number, one.vulnerability, why or "")
    working.work(context.tools)
    with context.db.read() as tx:
        known = vulnerabilities.of_case(tx, cases.by_vu(tx, one.number).id)
    for flaw in known:
        if one.vulnerability in (None, flaw.number):
            click.echo(f"VU#{one.number}.{flaw.number}: {flaw.cve or _ordered(context)}")


def _ordered(context: Here) -> str:
    """What follows when the service has not answered yet, or is not there."""
    if not context.settings.cve.url:
        return "ordered; no CVE account is configured (cve.url): it waits until there is one"
    return "ordered; the service has not given it yet: `mailrouter cve list` shows it"


@cve.command(
    "set",
    epilog=examples(
        "mailrouter cve set VU#123456 CVE-2026-12345 --by ACME", "mailrouter cve set VU#123456.2 CVE-2026-12346"
    ),
)
@given.vulnerability_argument
@click.argument("number", type=given.CVE, metavar="CVE")
@click.option("--by", type=given.LINE, help="The vendor that assigned it, and publishes its record.")
@click.option("--anyway", is_flag=True, help="Though another case has the same ID.")
@here
def set_(context: Here, one: VuId, number: str, by: str | None, anyway: bool) -> None:
    """Type in the ID that somebody else assigned."""
    flaw = assigning.type_in(
        context.tools, context.actor, one.number, one.vulnerability, number, by=by or "", anyway=anyway
    )
    click.echo(f"VU#{one.number}.{flaw.number}: {flaw.cve}")


@cve.command("reject", epilog=examples("mailrouter cve reject CVE-2026-12345 --why 'a duplicate of CVE-2026-12344'"))
@click.argument("number", type=given.CVE, metavar="CVE")
@click.option("--why", type=given.PROSE, required=True, help="The reason; it stands in the journal.")
@here
def reject(context: Here, number: str, why: str) -> None:
    """Give back an ID that we reserved; its vulnerability has none from then on."""
    rejecting.order(context.tools, context.actor, number, why)
    working.work(context.tools)
    with context.db.read() as tx:
        state = next(row["state"] for row in cveshape.listed(tx) if row["cve"] == number)
    click.echo(f"{number}: {'rejected' if state == 'rejected' else 'to be rejected as soon as the service answers'}")


@cve.command(
    "problem",
    epilog=examples(
        "mailrouter cve problem VU#123456 --cwe CWE-787 --cvss CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        "mailrouter cve problem VU#123456.2 --file paragraph.txt",
    ),
)
@given.vulnerability_argument
@click.option("--cwe", type=given.CWE, help="The kind of weakness; a record needs one.")
@click.option("--cvss", type=given.VECTOR, help="The score's vector, of any version.")
@click.option("--text", type=given.PROSE, help="One paragraph for the record; else the note's overview.")
@click.option("--file", type=given.FILE, help="The same from a file; - is stdin.")
@here
def problem(context: Here, one: VuId, cwe: str | None, cvss: str | None, text: str | None, file: Path | None) -> None:
    """What the record says of a vulnerability besides the note."""
    if text and file:
        raise faults.Refused("give --text or --file, not both")
    said = given.PROSE.read(given.written(file)) if file else text
    if (cwe, cvss, said) == (None, None, None):
        raise faults.Refused("nothing to do: give --cwe, --cvss, --text or --file")
    flaw = assigning.describe(
        context.tools, context.actor, one.number, one.vulnerability, assigning.Problem(cwe, cvss, said)
    )
    click.echo(f"VU#{one.number}.{flaw.number}: {', '.join(filter(None, (flaw.cwe, flaw.cvss))) or 'described'}")


# ---- its record ------------------------------------------------------------------------------------------------------


@cve.command(
    "record", epilog=examples("mailrouter cve record VU#123456", "mailrouter cve record VU#123456.2 --preview")
)
@given.vulnerability_argument
@click.option("--preview", is_flag=True, help="Of the newest draft, as it would be if it were published now.")
@here
def record(context: Here, one: VuId, preview: bool) -> None:
    """Build the record, check it against the schema, and print it; nothing is published."""
    found = building.built(context.tools, one.number, one.vulnerability, preview=preview)
    click.echo(json.dumps(found, indent=2))


@cve.command("publish", epilog=examples("mailrouter cve publish VU#123456"))
@given.vu_argument
@here
def publish(context: Here, vu: int) -> None:
    """Publish the case's records now; never before its note."""
    ordered = records.order_now(context.tools, context.actor, vu)
    working.work(context.tools)
    with context.db.read() as tx:
        known = vulnerabilities.of_case(tx, cases.by_vu(tx, vu).id)
    if not ordered:
        click.echo(f"VU#{vu}: nothing to publish")
    for flaw in known:
        if flaw.id in {order.vulnerability_id for order in ordered}:
            state = f"public since {show.when(flaw.record_at)} UTC" if flaw.record_at else _ordered(context)
            click.echo(f"VU#{vu}.{flaw.number}: {flaw.cve}: {state}")


@cve.command(
    "recorded",
    epilog=examples(
        "mailrouter cve recorded VU#123456.1", "mailrouter cve recorded VU#123456.1 --undo --why 'another record'"
    ),
)
@given.vulnerability_argument
@click.option("--undo", is_flag=True, help="You were mistaken.")
@click.option("--why", type=given.PROSE, help="Why you were; it stands in the journal.")
@here
def recorded(context: Here, one: VuId, undo: bool, why: str | None) -> None:
    """You saw that the record is public: it is reminded of no more. Only once the note is, or the vulnerability."""
    if undo != bool(why):
        raise faults.Refused("--undo needs --why, and --why goes with --undo")
    if undo:
        flaw = records.unrecorded(context.tools, context.actor, one.number, one.vulnerability, why or "")
        return click.echo(f"VU#{one.number}.{flaw.number}: the record of {flaw.cve} is not known to be public")
    flaw = records.recorded(context.tools, context.actor, one.number, one.vulnerability)
    return click.echo(f"VU#{one.number}.{flaw.number}: the record of {flaw.cve} is public")
