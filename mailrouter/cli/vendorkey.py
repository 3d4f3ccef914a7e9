"""`mailrouter vendor …-key`: a vendor's keys: pinned, offered by mail, retired, revoked.

A fingerprint is always shown whole, and only a whole one names a key (testbook P58). User ids are a stranger's words.
"""

import shlex
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import click

from mailrouter import faults
from mailrouter.cli import given, shapes, show
from mailrouter.cli.frame import Here, examples, here
from mailrouter.cli.keyfile import keys_in
from mailrouter.flow.people import directory, keys
from mailrouter.pgp import KeyInfo
from mailrouter.store.candidates import Candidate
from mailrouter.store.contacts import PinnedKey
from mailrouter.store.views import Vendor

FINGERPRINT = "0123456789ABCDEF0123456789ABCDEF01234567"
UNCOMPARED = "compared over no second channel: compare by telephone or paper, and say so with add-key --channel"
name_argument = click.argument("name", type=given.LINE)
fingerprint_argument = click.argument("fingerprint", type=given.FINGERPRINT)
SOURCES = {"autocrypt": "in its Autocrypt header", "attached": "attached", "inline": "in its text"}


# ---- looking -------------------------------------------------------------------------------------------------------


def pinned(found: Sequence[PinnedKey], now: datetime) -> Iterator[tuple[str, str]]:
    """The lines of `vendor show` about pinned keys."""
    for key in found:
        yield "key", f"{show.fingerprint(key.fingerprint)} ({', '.join(_state(key, now))})"
        yield "", key.user_id
        yield "", _pinned_by(key)


def _state(key: PinnedKey, now: datetime) -> Iterator[str]:
    if key.retired_at:
        yield f"retired {show.when(key.retired_at)}" + (f": {key.retired_why}" if key.retired_why else "")
    if key.revoked_at:
        yield f"revoked by itself, known since {show.when(key.revoked_at)}"
    elif not key.can_encrypt:
        yield "cannot encrypt"
    yield _expiry(key.expires_at, now)


def _expiry(expires: datetime | None, now: datetime) -> str:
    if expires is None:
        return "does not expire"
    return f"{'expired' if expires <= now else 'expires'} {expires:%Y-%m-%d}"


def _pinned_by(key: PinnedKey) -> str:
    by = f" by {key.pinned_by}" if key.pinned_by else ""
    channel = f"compared over: {key.channel}" if key.channel else "compared over no second channel"
    return f"pinned {show.when(key.pinned_at)}{by}, {channel}"


def show_candidates(found: Vendor, offered: Sequence[Candidate]) -> None:
    """What mails brought along, used for nothing until it is pinned."""
    for one in offered:
        what = "renews a pinned key" if shapes.renews(one, found.keys) else "new"
        proved = ", in a mail signed by a pinned key" if one.proved else ", unproved: compare it by telephone"
        pin = f"mailrouter vendor add-key {shlex.quote(found.organisation.name)} --candidate {one.fingerprint}"
        where = f"message {one.message_id}, {SOURCES.get(one.source, one.source)}"
        show.fields(
            (("candidate", show.fingerprint(one.fingerprint)), ("", one.user_id), ("", f"{what}, {where}{proved}"))
        )
        click.echo(f"           {show.visible(pin)}")


# ---- changing ------------------------------------------------------------------------------------------------------


@click.command(
    "add-key",
    epilog=examples(
        'mailrouter vendor add-key ACME acme-2027.asc --channel "telephone, number on file"',
        f"mailrouter vendor add-key ACME --candidate {FINGERPRINT}",
    ),
)
@name_argument
@click.argument("files", nargs=-1, type=given.FILE, metavar="[FILE...]")
@click.option("--candidate", type=given.FINGERPRINT, help="Pin this key, which came with a mail.")
@click.option("--channel", type=given.LINE, help="Over what else the fingerprint was compared.")
@here
def add_key(context: Here, name: str, files: Sequence[Path], candidate: str | None, channel: str | None) -> None:
    """Pin public keys, from files or from what mails brought; a known key given again is renewed."""
    if bool(files) == bool(candidate):
        raise faults.Refused("give the key's FILE, or --candidate FINGERPRINT (`mailrouter vendor show`)")
    if candidate:
        fresh = [keys.take(context.tools, context.actor, name, candidate, channel=channel or "")]
    else:
        fresh = keys_in(context, files)
        directory.add_keys(context.tools, context.actor, name, fresh, channel=channel or "")
    for key in fresh:
        _show_pinned(context, name, key, channel)


def _show_pinned(context: Here, name: str, key: KeyInfo, channel: str | None) -> None:
    click.echo(f"{show.cell(name)}: {show.fingerprint(key.fingerprint)} pinned")
    for user_id in key.user_ids:
        click.echo(f"  {show.short(user_id, 96)}")
    click.echo(f"  {_expiry(key.expires, context.now)}")
    if not channel:
        show.said(UNCOMPARED)


@click.command("refuse-key", epilog=examples(f"mailrouter vendor refuse-key ACME {FINGERPRINT}"))
@name_argument
@fingerprint_argument
@here
def refuse_key(context: Here, name: str, fingerprint: str) -> None:
    """Decide against a key that a mail brought along."""
    changed = keys.refuse(context.tools, context.actor, name, fingerprint)
    click.echo(f"{show.cell(changed.name)}: {show.fingerprint(fingerprint)} refused")


@click.command("retire-key", epilog=examples(f'mailrouter vendor retire-key ACME {FINGERPRINT} --why "replaced"'))
@name_argument
@fingerprint_argument
@click.option("--why", required=True, type=given.LINE, help="The reason, for the journal.")
@here
def retire_key(context: Here, name: str, fingerprint: str, why: str) -> None:
    """The key proves nothing from now on; what it proved before stays."""
    changed = directory.retire_key(context.tools, context.actor, name, fingerprint, why)
    click.echo(f"{show.cell(changed.name)}: {show.fingerprint(fingerprint)} retired")


@click.command("revoke-key", epilog=examples("mailrouter vendor revoke-key ACME acme-revoked.asc"))
@name_argument
@click.argument("file", type=given.FILE)
@here
def revoke_key(context: Here, name: str, file: Path) -> None:
    """Record that a pinned key revoked itself: FILE is its revocation certificate, or a revoked copy of it."""
    key = keys.revoke(context.tools, context.actor, name, given.content(file))
    click.echo(f"{show.cell(name)}: {show.fingerprint(key.fingerprint)} revoked; nothing is encrypted to it any more")


COMMANDS = (add_key, refuse_key, retire_key, revoke_key)
