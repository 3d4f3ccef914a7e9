"""`mailrouter vendor`: organisations, their contacts, mail domains and pinned keys."""

from collections.abc import Sequence
from pathlib import Path

import click

from mailrouter import faults
from mailrouter.cli import given, shapes, show, vendorkey
from mailrouter.cli.frame import Here, as_json, examples, here
from mailrouter.cli.keyfile import keys_in
from mailrouter.flow.people import directory
from mailrouter.store import candidates, contacts, views

name_argument = click.argument("name", type=given.LINE)


@click.group()
def vendor() -> None:
    """Organisations: contacts, mail domains, pinned keys."""


@vendor.command(
    "add", epilog=examples("mailrouter vendor add 'ACME Inc.' --email psirt@acme.example --key acme.asc --cna")
)
@name_argument
@click.option("--email", "emails", multiple=True, required=True, type=given.ADDRESS, help="Letters go to the first.")
@click.option("--domain", "domains", multiple=True, type=given.DOMAIN, help="Mail from there speaks for the vendor.")
@click.option("--key", "files", multiple=True, type=given.FILE, help="A public key to pin.")
@click.option("--cna", is_flag=True, help="It is a CVE Numbering Authority.")
@click.option("--channel", type=given.LINE, help="How the keys' fingerprints were compared.")
@click.option("--phone", type=given.TELEPHONE, help="The number to call when a text must be confirmed.")
@here
def add(
    context: Here, name: str, emails: Sequence[str], domains: Sequence[str], files: Sequence[Path], cna: bool,
    channel: str | None, phone: str | None,
) -> None:  # fmt: skip
    """Add an organisation, all of it or nothing."""
    keys = keys_in(context, files)
    more = {"telephone": phone or "", "channel": channel or ""}
    added = directory.add_vendor(context.tools, context.actor, name, emails, domains, keys, cna=cna, **more)
    click.echo(f"{show.cell(added.name)} added, {len(emails)} contact(s), {len(keys)} key(s)")
    if keys and not channel:
        show.said(vendorkey.UNCOMPARED)


@vendor.command("list", epilog=examples("mailrouter vendor list", "mailrouter vendor list --json"))
@as_json
@here
def listing(context: Here, json_: bool) -> None:
    """All organisations."""
    with context.db.read() as tx:
        found = views.vendors(tx, contacts.everyone(tx))
    if json_:
        return show.show_json([shapes.vendor(one, context.now) for one in found])
    rows = [
        (
            show.short(one.organisation.name, 30),
            show.short(one.contacts[0].address if one.contacts else "", 36),
            len(one.contacts),
            sum(key.usable(context.now) for key in one.keys),
            one.organisation.cna,
        )
        for one in found
    ]
    return show.table(("vendor", "letters go to", "contacts", "usable keys", "CNA"), rows, "No vendor yet.")


@vendor.command("show", epilog=examples("mailrouter vendor show ACME", "mailrouter vendor show ACME --json"))
@name_argument
@as_json
@here
def one(context: Here, name: str, json_: bool) -> None:
    """One organisation."""
    with context.db.read() as tx:
        found = views.vendor(tx, contacts.named(tx, name))
        offered = candidates.of(tx, found.organisation.id)
        takes_part = views.cases_with(tx, found.organisation.id)
    in_cases = [{"vu": show.number(vu), "state": state, "role": role} for vu, state, role in takes_part]
    if json_:
        keys = {"candidates": [shapes.candidate(one, found.keys) for one in offered]}
        return show.show_json({**shapes.vendor(found, context.now), **keys, "cases": in_cases})
    click.echo(show.cell(found.organisation.name) + (" (CNA)" if found.organisation.cna else ""))
    about = [("domains", ", ".join(found.domains)), ("telephone", found.organisation.telephone)]
    show.fields([*about, *_contacts(found), *vendorkey.pinned(found.keys, context.now)])
    vendorkey.show_candidates(found, offered)
    show.fields(("case", f"{c['vu']} {c['state']}, as {c['role']}") for c in in_cases)
    return None


def _contacts(found: views.Vendor) -> list[tuple[str, str]]:
    return [("contact", c.address + (" (undeliverable)" if c.undeliverable else "")) for c in found.contacts]


@vendor.command(
    "set",
    epilog=examples(
        "mailrouter vendor set ACME --name 'ACME Group' --domain acme.example --cna",
        "mailrouter vendor set ACME --deliverable psirt@acme.example",
    ),
)
@name_argument
@click.option("--name", "new_name", type=given.LINE, help="Another name.")
@click.option("--cna/--no-cna", default=None, help="It is a CVE Numbering Authority, or not.")
@click.option("--domain", "added", multiple=True, type=given.DOMAIN, help="Another mail domain of theirs.")
@click.option("--remove-domain", "removed", multiple=True, type=given.DOMAIN, help="One that is not theirs.")
@click.option("--deliverable", multiple=True, type=given.ADDRESS, help="A contact that takes mail after all.")
@click.option("--phone", type=given.TELEPHONE, help="The number to call when a text must be confirmed.")
@here
def change(
    context: Here, name: str, new_name: str | None, cna: bool | None, added: Sequence[str], removed: Sequence[str],
    deliverable: Sequence[str], phone: str | None,
) -> None:  # fmt: skip
    """Change name, domains, CNA, telephone; or say that a contact which was marked undeliverable takes mail again."""
    wanted = directory.Change(new_name or "", cna, tuple(added), tuple(removed), tuple(deliverable), phone or "")
    if wanted == directory.Change():
        options = "--name, --cna, --no-cna, --domain, --remove-domain, --deliverable or --phone"
        raise faults.Refused(f"say what to change: {options}")
    changed = directory.set_vendor(context.tools, context.actor, name, wanted)
    click.echo(f"{show.cell(changed.name)} changed")


@vendor.command("add-contact", epilog=examples("mailrouter vendor add-contact ACME security@acme.example"))
@name_argument
@click.argument("addresses", nargs=-1, required=True, type=given.ADDRESS, metavar="ADDRESS...")
@here
def add_contact(context: Here, name: str, addresses: Sequence[str]) -> None:
    """Add mail addresses; letters try them after those there are."""
    changed = directory.add_contacts(context.tools, context.actor, name, addresses)
    click.echo(f"{show.cell(changed.name)}: {len(addresses)} contact(s) added")


@vendor.command("remove-contact", epilog=examples("mailrouter vendor remove-contact ACME old@acme.example"))
@name_argument
@click.argument("address", type=given.ADDRESS)
@here
def remove_contact(context: Here, name: str, address: str) -> None:
    """Forget a mail address; never the last one."""
    changed = directory.remove_contact(context.tools, context.actor, name, address)
    click.echo(f"{show.cell(changed.name)}: contact removed")


for command in vendorkey.COMMANDS:
    vendor.add_command(command)
