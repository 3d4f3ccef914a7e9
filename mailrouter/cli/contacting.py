"""`mailrouter case describe|notify|details`: what vendors are told of a case, and who has been told."""

import difflib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from mailrouter import faults
from mailrouter.case.policy import of_case
from mailrouter.cli import given, shapes, show
from mailrouter.cli.frame import Here, as_json, examples, here
from mailrouter.flow.casework import contacting, describe
from mailrouter.flow.casework.contacting import Contacted
from mailrouter.store import cases, descriptions, files, messages, outbox
from mailrouter.store.descriptions import Description

HEAVY = 7 * 1024 * 1024  # bytes of files: as a mail a third more, and many servers take 10 MB
vendors_argument = click.argument("vendors", nargs=-1, type=given.LINE, metavar="[VENDOR]...")


# ---- the description -------------------------------------------------------------------------------------------------


@click.command(
    "describe",
    epilog=examples(
        "mailrouter case describe VU#123456 --file report.txt --attach poc.tar.gz",
        "mailrouter case describe VU#123456 --show --version 1",
        "mailrouter case describe VU#123456 --diff",
    ),
)
@given.vu_argument
@click.option("--file", type=given.FILE, help="The text, UTF-8; - is stdin. Without it: $EDITOR, with the newest.")
@click.option("--attach", multiple=True, type=given.FILE, help="A file that goes along; else those of before stay.")
@click.option("--no-files", is_flag=True, help="None goes along any more.")
@click.option("--show", "shown", is_flag=True, help="Only show it.")
@click.option("--diff", is_flag=True, help="Only show what the version before said otherwise.")
@click.option("--version", type=given.ID, help="With --show or --diff: this one instead of the newest.")
@as_json
@here
def describe_(
    context: Here, vu: int, file: Path | None, attach: Sequence[Path], no_files: bool, shown: bool, diff: bool,
    version: int | None, json_: bool,
) -> None:  # fmt: skip
    """Write what vendors are told: the next version. Nothing leaves by it."""
    if (shown or diff or json_ or version) and (file or attach or no_files or (shown and diff)):
        raise faults.Refused("give --file and --attach to write a version, or --show, --diff and --version to read one")
    if diff:
        return _show_diff(context, vu, version)
    if shown or json_ or version:
        return _show(context, vu, version, json_=json_)
    if attach and no_files:
        raise faults.Refused("--attach and --no-files exclude each other")
    return _write(context, vu, file, attach, no_files=no_files)


def _write(context: Here, vu: int, file: Path | None, attach: Sequence[Path], *, no_files: bool) -> None:
    attachments = given.attached(attach) if attach or no_files else None
    text = given.written(file) if file else _edited(context, vu)
    made = describe.describe(context.tools, context.actor, vu, text, attachments)
    click.echo(f"VU#{vu}: version {made.version} of the description, {_files(made)}; nothing has left by it")
    _hint(context, vu, made)


def _hint(context: Here, vu: int, made: Description) -> None:
    """What is better known before it leaves."""
    with context.db.read() as tx:
        hard, soft = describe.tells(tx, context.tools, made)
        size = sum(map(len, files.some(tx, (one["digest"] for one in made.attached)).values()))
        older = [p for p in cases.participants_of(tx, [made.case_id]) if contacting.lacks(p, made)]
    if hard:
        show.said(f"letters with it would be held, for it tells {hard}: write a version that does not")
    if soft:
        show.said(f"whoever gets it learns {soft}: look whether that is meant")
    if size > HEAVY:
        show.said("with these files its letters are larger than 10 MB: many mail servers refuse them")
    if older:
        show.said(f"{len(older)} vendors were contacted before: `mailrouter case details {vu}` sends it to them")


def _edited(context: Here, vu: int) -> str:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise faults.Refused("there is no terminal to write on: give the text with --file FILE (--file - reads stdin)")
    with context.db.read() as tx:
        newest = descriptions.newest(tx, cases.by_vu(tx, vu).id)
    written = click.edit(f"{newest.text}\n" if newest else "\n", extension=".txt")
    if written is None or not written.strip():
        raise faults.Refused("nothing was written; there is no new version")
    return written


def _files(one: Description) -> str:
    names = ", ".join(show.cell(file["name"]) for file in one.attached)
    return f"attached: {names}" if names else "no files attached"


def _show(context: Here, vu: int, version: int | None, *, json_: bool) -> None:
    with context.db.read() as tx:
        found = describe.version(tx, cases.by_vu(tx, vu), version)
    if json_:
        return show.show_json(shapes.description(found) | {"text": found.text})
    click.echo(
        f"VU#{vu}, version {found.version}, {show.when(found.made_at)} by {show.cell(found.made_by)}; {_files(found)}\n"
    )
    return show.block(found.text)


def _show_diff(context: Here, vu: int, version: int | None) -> None:
    with context.db.read() as tx:
        case = cases.by_vu(tx, vu)
        new = describe.version(tx, case, version)
        old = describe.version(tx, case, new.version - 1) if new.version > 1 else None
    before, now = (f"version {one.version}" if one else "nothing" for one in (old, new))
    show.block("\n".join(difflib.unified_diff(_lines(old), _lines(new), before, now, lineterm="")))


def _lines(one: Description | None) -> list[str]:
    return [*one.text.split("\n"), *(f"[{f['name']}, {f['digest'][:16]}]" for f in one.attached)] if one else []


# ---- who has been told -----------------------------------------------------------------------------------------------


@click.command("notify", epilog=examples("mailrouter case notify VU#123456", "mailrouter case notify VU#123456 ACME"))
@given.vu_argument
@vendors_argument
@click.option("--without-details", is_flag=True, help="They learn only that there is something.")
@here
def notify(context: Here, vu: int, vendors: Sequence[str], without_details: bool) -> None:
    """First contact: one letter to each vendor not contacted yet, or to those named.

    It carries the newest description where it can be encrypted, or where they agreed to clear text; to the others the
    details follow as soon as there is a key of theirs.
    """
    done = contacting.notify(context.tools, context.actor, vu, vendors, without_details=without_details)
    _say(context, vu, done)
    _say_time(context, vu)


def _say_time(context: Here, vu: int) -> None:
    """A vendor added late gets the same date, and less time than our policy gives."""
    with context.db.read() as tx:
        case = cases.by_vu(tx, vu)
    usual = of_case(context.settings.policy, case).embargo_days
    if case.planned_at is not None and (left := (case.planned_at.date() - context.now.date()).days) < usual:
        show.said(
            f"they have {max(left, 0)} days until the planned publication on {case.planned_at:%Y-%m-%d}, not {usual}"
        )


@click.command(
    "details", epilog=examples("mailrouter case details VU#123456", "mailrouter case details VU#123456 ACME")
)
@given.vu_argument
@vendors_argument
@here
def details(context: Here, vu: int, vendors: Sequence[str]) -> None:
    """Send the newest description to contacted vendors who have an older one, or none."""
    _say(context, vu, contacting.send_newest(context.tools, context.actor, vu, vendors))


def _say(context: Here, vu: int, done: Sequence[Contacted]) -> None:
    """What became of each, and whether anybody will get it."""
    with context.db.read() as tx:
        made = outbox.some(tx, (one.letter_id for one in done if one.letter_id is not None))
        numbers = messages.of_letters(tx, made)
    for one in done:
        letter = made.get(one.letter_id) if one.letter_id is not None else None
        click.echo(f"VU#{vu}: {_became(one, letter, numbers)}")
    if made and context.settings.relay.url.startswith("maildir:"):
        show.said("letters go to a local maildir (relay.url): nobody receives this")


def _became(one: Contacted, letter: outbox.Letter | None, numbers: Mapping[int, int]) -> str:
    name = show.cell(one.participant.name)
    if one.carries is None:
        return f"{name} reported it and is not asked: it counts as answered"
    if letter is None:
        return f"no letter to {name} yet: {one.carries}; they follow by themselves"
    state = f"held: {letter.why}" if letter.state == "held" else letter.state
    return f"{show.letter(letter.id, numbers.get(letter.id))} to {name} is {state}, {one.carries}"


COMMANDS = (describe_, notify, details)
