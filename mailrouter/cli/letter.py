"""`mailrouter letter`: the texts of our letters, and how one would look for a participant."""

import click

from mailrouter.cli import given
from mailrouter.cli.frame import Here, as_json, examples, here, show_json, table
from mailrouter.cli.show import block, fields
from mailrouter.flow.preview import preview as previewed
from mailrouter.mail import texts


@click.group(epilog=examples("mailrouter letter list", "mailrouter letter preview follow-up-1 VU#123456 Acme"))
def letter() -> None:
    """The texts of letters. A file NAME.txt in `letters_dir` replaces one."""


@letter.command("list", epilog=examples("mailrouter letter list --json"))
@as_json
@here
def list_(here: Here, json_: bool) -> None:
    """Every text: its name, who sends it, where it comes from."""
    folder = here.settings.letters_dir
    rows = [
        {
            "name": name, "subject": text.subject, "automatic": texts.LETTERS[name].automatic,
            "file": str(folder / f"{name}.txt") if folder and (folder / f"{name}.txt").is_file() else None,
            "placeholders": sorted(texts.LETTERS[name].fields),
        }
        for name, text in texts.read(folder).items()
    ]  # fmt: skip
    if json_:
        show_json(rows)
        return
    headers = ("NAME", "SUBJECT", "BY ITSELF", "FROM")
    table(headers, ((r["name"], r["subject"], r["automatic"], r["file"] or "mailrouter") for r in rows), "no letters")


@letter.command(epilog=examples("mailrouter letter preview notification VU#123456 Acme"))
@click.argument("name", metavar="NAME")
@given.vu_argument
@click.argument("whom", metavar="WHOM")
@as_json
@here
def preview(here: Here, name: str, vu: int, whom: str, json_: bool) -> None:
    """A letter as it would be for one participant now. Changes nothing."""
    shown = previewed(here.tools, name, vu, whom)
    if json_:
        show_json(shown)
        return
    fields([("To", shown.to), ("Subject", shown.subject)])
    click.echo()
    block(shown.body)
