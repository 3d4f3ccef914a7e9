"""`mailrouter key`: our own OpenPGP keys."""

import sys
from pathlib import Path
from typing import Any

import click

from mailrouter import faults
from mailrouter.cli import given
from mailrouter.cli.frame import Here, as_json, examples, fingerprint, here, said, show_json, table
from mailrouter.flow import ownkeys
from mailrouter.pgp import KeyInfo


@click.group(epilog=examples("mailrouter key list", "mailrouter key export > ours.asc"))
def key() -> None:
    """Our own OpenPGP keys: what we sign with, and what is encrypted to us."""


@key.command(epilog=examples("mailrouter key make", "mailrouter key make --name 'Example CERT'"))
@click.option("--name", type=given.LINE, help="In the key's user id; else identity.name.")
@click.option("--email", type=given.ADDRESS, help="In the key's user id; else identity.address.")
@click.option("--force", is_flag=True, help="Make another beside the one there is.")
@here
def make(here: Here, name: str | None, email: str | None, force: bool) -> None:
    """Make a key (ed25519 and cv25519, without passphrase and expiry); prints its fingerprint."""
    made = ownkeys.make(here.tools, here.actor, name or "", email or "", another=force)
    click.echo(made.fingerprint)
    _say_which(here, made)


@key.command("import", epilog=examples("gpg --export-secret-keys cert@example.org > k", "mailrouter key import k"))
@click.argument("file", type=given.FILE)
@here
def import_(here: Here, file: Path) -> None:
    """Bring a secret key along, without passphrase; prints its fingerprint."""
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
        said(f"Set identity.key = \"{new.fingerprint}\" to make that sure; letters are signed with {signs} now.")


@key.command(epilog=examples("mailrouter key export > ours.asc"))
@click.argument("wanted", metavar="[FINGERPRINT]", type=given.FINGERPRINT, required=False)
@here
def export(here: Here, wanted: str | None) -> None:
    """Our public key, armored, for vendors and the web site; without a fingerprint, the one that signs our letters."""
    sys.stdout.buffer.write(here.tools.pgp.export(wanted or here.tools.own_key()))


@key.command("list", epilog=examples("mailrouter key list", "mailrouter key list --json"))
@as_json
@here
def list_(here: Here, json_: bool) -> None:
    """The keys we hold the secret of, oldest first."""
    keys = here.tools.pgp.own_keys()
    signs = here.tools.pgp.signing_key().fingerprint if keys else ""
    if json_:
        show_json([_row(one, signs) for one in keys])
        return
    rows = (
        (fingerprint(k.fingerprint), ", ".join(k.user_ids), k.created, k.expires, k.state, k.fingerprint == signs)
        for k in keys
    )
    table(("FINGERPRINT", "USER ID", "MADE", "EXPIRES", "STATE", "SIGNS"), rows, "no key yet: `mailrouter key make`")


def _row(one: KeyInfo, signs: str) -> dict[str, Any]:
    return {
        "fingerprint": one.fingerprint, "user_ids": one.user_ids, "created_at": one.created, "expires_at": one.expires,
        "state": one.state, "can_sign": one.can_sign, "can_encrypt": one.can_encrypt, "signs": one.fingerprint == signs,
    }  # fmt: skip
