"""`mailrouter key`: our own OpenPGP keys."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from mailrouter import faults
from mailrouter.cli import given, publicfile
from mailrouter.cli.frame import Here, as_json, examples, fingerprint, here, said, show_json, table
from mailrouter.flow.people import ownkeys
from mailrouter.pgp import KeyInfo


@click.group(epilog=examples("mailrouter key list", "mailrouter key export > ours.asc"))
def key() -> None:
    """Our own OpenPGP keys: what we sign with, and what is encrypted to us."""


@key.command(epilog=examples("mailrouter key make", "mailrouter key make --name 'Example CERT' --expires 3y"))
@click.option("--name", type=given.LINE, help="In the key's user id; else identity.name.")
@click.option("--email", type=given.ADDRESS, help="In the key's user id; else identity.address.")
@click.option("--expires", type=given.LINE, help="Such as 2y, 18m, 90d or 2028-12-31; else never.")
@click.option("--force", is_flag=True, help="Make another beside the one there is.")
@here
def make(here: Here, name: str | None, email: str | None, expires: str | None, force: bool) -> None:
    """Make a key (ed25519 and cv25519), with the passphrase of identity.passphrase_file; prints its fingerprint."""
    made = ownkeys.make(here.tools, here.actor, name or "", email or "", expires=expires or "", another=force)
    click.echo(made.fingerprint)
    _say_which(here, made)


@key.command("import", epilog=examples("gpg --export-secret-keys cert@example.org > k", "mailrouter key import k"))
@click.argument("file", type=given.FILE)
@here
def import_(here: Here, file: Path) -> None:
    """Bring a secret key along; if it has a passphrase, that of identity.passphrase_file. Prints its fingerprint."""
    data = given.content(file)
    try:
        brought = ownkeys.bring(here.tools, here.actor, data)
    except faults.Refused as fault:
        raise faults.Refused(f"{file}: {fault}") from None
    click.echo(brought.fingerprint)
    _say_which(here, brought)


def _say_which(here: Here, new: KeyInfo) -> None:
    signs = here.tools.pgp.signing_key().fingerprint
    if signs == new.fingerprint:
        said("Letters are signed with it from now on; vendors need its public part: `mailrouter key export`.")
    if here.settings.identity.key != new.fingerprint:
        said(f'Set identity.key = "{new.fingerprint}" to make that sure; letters are signed with {signs} now.')


@key.command(
    epilog=examples(
        "mailrouter key rotate --expires 1y --why 'the old one expires in May'",
        "mailrouter key import new.asc && mailrouter key rotate --to FINGERPRINT",
    )
)
@click.option("--to", type=given.FINGERPRINT, help="A key of ours that is here already, such as an imported one.")
@click.option("--expires", type=given.LINE, help=f"Of a new key, or never; else {ownkeys.LIFETIME}.")
@click.option("--why", type=given.LINE, help="For the journal.")
@here
def rotate(here: Here, to: str | None, expires: str | None, why: str | None) -> None:
    """Let another key sign from now on: made or given, signed with the old one; participants are told in a letter."""
    if to and expires:
        raise faults.Refused("--expires is about a new key: not with --to")
    until = "" if expires == "never" else expires or ownkeys.LIFETIME
    done = ownkeys.rotate(here.tools, here.actor, to=to or "", expires=until, why=why or "")
    click.echo(done.new.fingerprint)
    for line in _about(done, here.settings.identity.key):
        said(line)


def _about(done: ownkeys.Rotated, fixed: str) -> Iterator[str]:
    new = done.new.fingerprint
    if done.old is None:
        yield "No key before it can sign: nothing vouches for the new one. Tell people its fingerprint another way."
    else:
        yield f"It is signed with {done.old.fingerprint}, which is kept to read what is encrypted to it."
    if done.signs:
        yield f"Letters are signed with it from now on; {len(done.told)} letters say so."
        yield "Publish it: `mailrouter key publish DIR`."
        if fixed != new:
            yield f'Set identity.key = "{new}" to make that sure.'
    else:
        yield (
            f'Letters are still signed with the other one: set identity.key = "{new}" on every node, restart, then'
            f" run `mailrouter key rotate --to {new}` to tell participants."
        )


@key.command(epilog=examples("mailrouter key export > ours.asc"))
@click.argument("wanted", metavar="[FINGERPRINT]", type=given.FINGERPRINT, required=False)
@here
def export(here: Here, wanted: str | None) -> None:
    """Our public key, armored, for vendors and the web site; without a fingerprint, the one that signs our letters."""
    sys.stdout.buffer.write(here.tools.pgp.export(wanted or here.tools.own_key()))


@key.command(epilog=examples("mailrouter key publish /var/www/cert.example.org"))
@click.argument("folder", metavar="DIR", type=given.FOLDER)
@click.argument("wanted", metavar="[FINGERPRINT]", type=given.FINGERPRINT, required=False)
@here
def publish(here: Here, folder: Path, wanted: str | None) -> None:
    """Write what a web site needs, below DIR: `.well-known/openpgpkey` (both layouts) and the armored key."""
    here.tools.own_key()
    for path, content in sorted(ownkeys.published(here.tools, wanted or "").items()):
        publicfile.write(folder / path, content)
        click.echo(folder / path)


@key.command("list", epilog=examples("mailrouter key list", "mailrouter key list --json"))
@as_json
@here
def list_(here: Here, json_: bool) -> None:
    """The keys we hold the secret of, oldest first."""
    keys = here.tools.pgp.own_keys()
    signs = _signing(here)
    if json_:
        show_json([_row(one, signs) for one in keys])
        return
    rows = (
        (fingerprint(k.fingerprint), ", ".join(k.user_ids), k.created, k.expires, k.state, _role(k, signs))
        for k in keys
    )
    table(("FINGERPRINT", "USER ID", "MADE", "EXPIRES", "STATE", "USE"), rows, "no key yet: `mailrouter key make`")


def _signing(here: Here) -> str:
    """The fingerprint of the key that signs; '' when none can."""
    try:
        return here.tools.pgp.signing_key().fingerprint
    except faults.Refused:
        return ""


def _role(one: KeyInfo, signs: str) -> str:
    return "signs" if one.fingerprint == signs else "kept to read old mail"


def _row(one: KeyInfo, signs: str) -> dict[str, Any]:
    return {
        "fingerprint": one.fingerprint, "user_ids": one.user_ids, "created_at": one.created, "expires_at": one.expires,
        "state": one.state, "can_sign": one.can_sign, "can_encrypt": one.can_encrypt, "signs": one.fingerprint == signs,
        "use": _role(one, signs),
    }  # fmt: skip
