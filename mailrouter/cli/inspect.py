"""`mailrouter inspect`: what the router makes of a mail, without a database."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from mailrouter import clock
from mailrouter.cli import given
from mailrouter.cli.frame import examples
from mailrouter.faults import Refused
from mailrouter.flow import inspection
from mailrouter.flow.inspection import Keys


@click.command(
    epilog=examples(
        "mailrouter inspect report.eml", "mailrouter inspect --key acme.asc --secret-key ours.asc inbox/*.eml | jq .vu"
    )
)
@click.argument("files", metavar="FILE…", nargs=-1, required=True)
@click.option("--key", "public", type=given.FILE, multiple=True, metavar="FILE", help="Known public keys.")
@click.option("--secret-key", "secret", type=given.FILE, multiple=True, metavar="FILE", help="Keys to decrypt with.")
@click.option("--passphrase-file", type=given.FILE, metavar="FILE", help="Holds the secret keys' passphrase.")
def inspect(files: Sequence[str], public: Sequence[Path], secret: Sequence[Path], passphrase_file: Path | None) -> None:
    """What the router makes of mails: one JSON document a line and file. Needs no database.

    A file named .txt or .html that does not begin as a mail does is taken for a bare body.
    """
    for file in files:
        inspection.readable(file)
    keys = Keys(_contents(public), _contents(secret), _passphrase(passphrase_file))
    with tempfile.TemporaryDirectory(prefix="mr-") as scratch:
        for found in inspection.inspect(files, keys, Path(scratch), clock.now()):
            click.echo(json.dumps(found))


def _contents(paths: Sequence[Path]) -> list[bytes]:
    return [given.content(path) for path in paths]


def _passphrase(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        return given.content(file).decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise Refused(f"{file}: is not UTF-8") from None
