"""`mailrouter note template|write|refresh|addendum`: a note's text, and what we say of a vendor."""

from collections.abc import Sequence
from pathlib import Path

import click

from mailrouter import faults
from mailrouter.case import notetext
from mailrouter.case.note import Sections
from mailrouter.cli import draft, given, show
from mailrouter.cli.frame import Here, examples, here
from mailrouter.flow.afterwards import revising
from mailrouter.flow.composing import writing
from mailrouter.store import cases, notes
from mailrouter.store.notes import Revision

why_option = click.option(
    "--why", type=given.LINE, help="What readers are told of this revision; it stands in its history."
)


@click.command("template", epilog=examples("mailrouter note template VU#123456 > note.md"))
@given.vu_argument
@here
def template(context: Here, vu: int) -> None:
    """A file to begin with: every section, filled with what the case knows."""
    with context.db.read() as tx:
        text = writing.template(tx, cases.by_vu(tx, vu))
    click.echo(text, nl=False)


@click.command(
    "write",
    epilog=examples(
        "mailrouter note write VU#123456 --file note.md",
        "mailrouter note write VU#123456 --file note.md --why 'Solution of ACME added'",
    ),
)
@given.vu_argument
@click.option("--file", type=given.FILE, help="Markdown, UTF-8; - is stdin. Without it: $EDITOR, with the newest.")
@why_option
@here
def write(context: Here, vu: int, file: Path | None, why: str | None) -> None:
    """The next draft: this text, with the facts of now. Nothing is published by it."""
    sections = notetext.parse(given.written(file)) if file else _edited(context, vu)
    _made(context, vu, writing.write(context.tools, context.actor, vu, sections, why or ""))


def _edited(context: Here, vu: int) -> Sections:
    """What a person writes; what cannot be taken they may mend, and it is not lost."""
    if not draft.terminal():
        raise faults.Refused("there is no terminal to write on: give the text with --file FILE (--file - reads stdin)")
    with context.db.read() as tx:
        case = cases.by_vu(tx, vu)
        newest = notes.newest(tx, case.id)
        text: str | None = newest.text if newest else writing.template(tx, case)
    while True:
        text = click.edit(text, extension=".md")
        if text is None or not text.strip():
            raise faults.Refused("nothing was written; there is no new draft")
        try:
            return notetext.parse(text)
        except faults.Refused as trouble:
            show.said(str(trouble))
            click.confirm("Write on?", default=True, abort=True, err=True)


@click.command("refresh", epilog=examples("mailrouter note refresh VU#123456"))
@given.vu_argument
@why_option
@here
def refresh(context: Here, vu: int, why: str | None) -> None:
    """The next draft: the same text, with the facts of now; says what changed."""
    made, changed = writing.refresh(context.tools, context.actor, vu, why or "")
    _made(context, vu, made)
    show.block("\n".join(changed))


def _made(context: Here, vu: int, made: Revision) -> None:
    click.echo(f"VU#{vu}: {made.name}, SHA-256 {made.sha256[:16]}")


@click.command(
    "addendum",
    epilog=examples(
        "mailrouter note addendum VU#123456 ACME --file acme.md --link https://acme.example/advisory",
        "mailrouter note addendum VU#123456 ACME",
    ),
)
@given.vu_argument
@click.argument("vendor", type=given.LINE)
@click.option("--file", type=given.FILE, help="Markdown, UTF-8; - is stdin. Without it there is no text any more.")
@click.option("--link", "links", multiple=True, type=given.LINE, help="An https address, of an advisory for instance.")
@here
def addendum(context: Here, vu: int, vendor: str, file: Path | None, links: Sequence[str]) -> None:
    """What the note says of a vendor besides its own statement: in place of what it said before."""
    text = given.written(file) if file else ""
    made = writing.addendum(context.tools, context.actor, vu, vendor, text, links)
    what = "has it" if made.text or made.links else f"adds nothing of ours about {show.cell(vendor)}"
    draft = revising.after(context.tools, context.actor, vu, "addendum")
    made_by = f"{draft.name} is proposed" if draft else f"`mailrouter note refresh {vu}` makes it"
    click.echo(f"VU#{vu}: the next draft {what}; {made_by}")


COMMANDS = (template, write, refresh, addendum)
