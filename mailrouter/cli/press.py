"""`mailrouter note site` and `note press`: the published site, what it holds, and built again by hand."""

import click

from mailrouter.case.formats import paths
from mailrouter.case.note import Edition
from mailrouter.cli import show
from mailrouter.cli.frame import Here, as_json, examples, here
from mailrouter.cli.shapes import Shape
from mailrouter.flow import publishing
from mailrouter.flow.publishing import site
from mailrouter.flow.publishing.site import Built
from mailrouter.press import folder
from mailrouter.store import notes


@click.command("site", epilog=examples("mailrouter note site", "mailrouter note site --json"))
@as_json
@click.pass_context
@here
def site_(context: Here, shell: click.Context, json_: bool) -> None:
    """What readers have: which notes, which build, since when. Exit 1 when it must be built again."""
    built, behind = site.newest(context.tools), site.behind(context.tools, context.now)
    with context.db.read() as tx:
        rows = [_line(context, built, one) for one in notes.editions(tx)]
    if json_:
        show.show_json(_shape(context, built, behind) | {"notes": rows})
    else:
        show.fields(_shape(context, built, behind).items())
        table = [[one[name] for name in ("vu", "title", "revision", "online", "updated_at")] for one in rows]
        show.table(("VU#", "title", "revision", "online", "updated (UTC)"), table, "No note.")
    shell.exit(1 if behind else 0)


def _shape(context: Here, built: Built | None, behind: str) -> Shape:
    link = context.settings.press.folder
    current = folder.current(link)
    return {
        "folder": str(link),
        "address": context.settings.identity.notes_url or None,
        "build": current.name if current else None,
        "built_at": built.at if built else None,
        "key": built.key if built else None,
        "security_txt_until": built.expires if built else None,
        "behind": behind or None,
    }


def _line(context: Here, built: Built | None, one: Edition) -> Shape:
    vu, base = one.note.vu, context.settings.identity.notes_url.rstrip("/")
    return {
        "vu": show.number(vu),
        "title": one.note.sections.title,
        "revision": one.number,
        "online": built.notes.get(vu) if built else None,
        "published_at": one.first_published_at,
        "updated_at": one.updated_at,
        "url": f"{base}/{paths.page(vu)}" if base else None,
        "file": str(context.settings.press.folder / paths.page(vu) / "index.html"),
    }


@click.command("press", epilog=examples("mailrouter note press"))
@here
def press(context: Here) -> None:
    """Build the whole site again, and go on with what was decided and not finished."""
    done = publishing.press_again(context.tools, context.actor)
    click.echo(f"{done.folder.name}: {len(done.built.notes)} notes, {done.files} files, {done.signed} signed anew")


COMMANDS = (site_, press)
