"""`mailrouter note`: the Vulnerability Note of a case, from its first draft to its publication."""

from pathlib import Path

import click

from mailrouter.case import notediff
from mailrouter.case.formats import paths, text, vuls
from mailrouter.cli import given, notegate, noteshape, notewriting, press, sharing, show
from mailrouter.cli.frame import Here, as_json, examples, here
from mailrouter.flow import publisher
from mailrouter.flow.notes import finding, gating, recommending
from mailrouter.press import pages, site
from mailrouter.store import cases, notes


@click.group()
def note() -> None:
    """Vulnerability Notes: written, approved, published, revised."""


# ---- looking ---------------------------------------------------------------------------------------------------------


@note.command("list", epilog=examples("mailrouter note list", "mailrouter note list --json"))
@as_json
@here
def listing(context: Here, json_: bool) -> None:
    """Every case that has a note: how far it is."""
    with context.db.read() as tx:
        found = notes.newest_of_each(tx)
        of = cases.some(tx, [one.case_id for one in found])
        rows = [noteshape.line(of[one.case_id], one, notes.approved(tx, one)) for one in found]
    if json_:
        return show.show_json(rows)
    headers = ("VU#", "title", "revision", "state", "made (UTC)", "approved by")
    return show.table(headers, [noteshape.row(one) for one in rows], "No note.")


@note.command(
    "show",
    epilog=examples("mailrouter note show VU#123456", "mailrouter note show VU#123456 --revision 1 --draft 3 --json"),
)
@given.vu_argument
@noteshape.which
@as_json
@here
def one(context: Here, vu: int, revision: int | None, draft: int | None, json_: bool) -> None:
    """The newest draft, or one of those before: who approved it, what stops it, and all of it as readers get it."""
    with context.db.read() as tx:
        case = cases.by_vu(tx, vu)
        found = finding.one(tx, case, revision, draft)
        shown = noteshape.shape(case, found, notes.approved(tx, found), notes.overridden(tx, found.id))
        shown |= {"recommended": recommending.of(tx, case).words}
        as_read = text.of(notes.edition(tx, found) if found.decided_at else found.note, publisher.of(context.tools),
                          draft="" if found.decided_at else found.name)  # fmt: skip
    if found.decided_at is None:
        _, checks = gating.look(context.tools, vu, found.number, found.draft)
        shown |= {"unmet": [check.name for check in checks if check.unmet]}
    return show.show_json(shown) if json_ else noteshape.show_note(case, found, shown, as_read)


@note.command(
    "diff",
    epilog=examples(
        "mailrouter note diff VU#123456", "mailrouter note diff VU#123456 1", "mailrouter note diff VU#123456 1.2 1.4"
    ),
)
@given.vu_argument
@click.argument("before", required=False, type=given.DRAFT, metavar="[REVISION[.DRAFT]]")
@click.argument("after", required=False, type=given.DRAFT, metavar="[REVISION[.DRAFT]]")
@here
def diff(context: Here, vu: int, before: tuple[int, int | None] | None, after: tuple[int, int | None] | None) -> None:
    """What changed, in the text and in the facts: between two drafts; alone, in the newest."""
    with context.db.read() as tx:
        case = cases.by_vu(tx, vu)
        new = finding.one(tx, case, *(after or (None, None)))
        old = finding.one(tx, case, *before) if before else finding.one_before(tx, new)
    names = (old.name if old else "nothing", new.name)
    parts = [
        notediff.text(old.text if old else "", new.text, names),
        notediff.facts(old.note if old else None, new.note, names),
    ]
    show.block("\n\n".join(filter(None, parts)) or f"{names[1]} says what {names[0]} says")


@note.command(
    "preview",
    epilog=examples("mailrouter note preview VU#123456", "mailrouter note preview VU#123456 --into preview/"),
)
@given.vu_argument
@noteshape.which
@click.option("--into", "folder", type=given.FOLDER, metavar="DIR", help="Its page, and every other file, into here.")
@as_json
@here
def preview(
    context: Here, vu: int, revision: int | None, draft: int | None, folder: Path | None, json_: bool
) -> None:  # fmt: skip
    """A draft as its readers would have it: as text, as JSON, or all its files. Nobody else is shown it by this."""
    ours = publisher.of(context.tools)
    with context.db.read() as tx:
        found = finding.one(tx, cases.by_vu(tx, vu), revision, draft)
        edition = notes.edition(tx, found, context.now)
    unpublished = "" if found.released_at else found.name
    if json_:
        return show.show_json(vuls.note(edition))
    if folder is None:
        return show.block(text.of(found.note if unpublished else edition, ours, draft=unpublished))
    files = {**site.of_edition(edition, ours, draft=unpublished), "style.css": pages.style()}
    noteshape.write(folder, files)
    return click.echo(show.visible(str(folder / paths.page(vu) / "index.html")))


for command in (*notewriting.COMMANDS, *notegate.COMMANDS, *sharing.COMMANDS, *press.COMMANDS):
    note.add_command(command)
