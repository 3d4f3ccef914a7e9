"""A person's letter: its text from a file, or written in `$EDITOR` under what it answers, previewed and asked about.

With `--file` the text is taken as it is and nothing is asked. Without it a terminal is needed, at both ends. Text out
of an encrypted mail makes a letter confidential: it never leaves in clear.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from mailrouter import faults
from mailrouter.cli import given, show
from mailrouter.flow import leaking
from mailrouter.flow.casework.write import Draft
from mailrouter.flow.filing import look
from mailrouter.mail import compose

RULER = "-" * 72


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the options of `case write` and `message reply` say."""

    file: Path | None
    attach: Sequence[Path]
    confidential: bool
    no_question: bool
    yes: bool
    names_ok: bool = False


names_ok = click.option("--names-ok", is_flag=True, help="It may tell them of other participants: I read it.")


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a letter."""
    for option in reversed(
        (
            click.option("--file", type=given.FILE, help="The text, UTF-8; - is stdin. Without it: $EDITOR."),
            click.option("--attach", multiple=True, type=given.FILE, help="A file that goes along."),
            click.option("--confidential", is_flag=True, help="Never in clear: held when there is no usable key."),
            click.option("--no-question", is_flag=True, help="It asks for no answer: no follow-ups."),
            click.option("--yes", is_flag=True, help="Do not ask before it is queued."),
            names_ok,
        )
    ):
        command = option(command)
    return command


def letter(wanted: Wanted, to: str, quoted: str = "", *, secret: bool = False) -> Draft:
    """The letter. `quoted`: what it answers, as a reply quotes it; `secret`: that came encrypted.

    `Refused` without a text; `click.Abort` when the person says no.
    """
    attachments = given.attached(wanted.attach)
    if wanted.file is not None:
        text, kept = given.written(wanted.file), ""
    else:
        text, kept = _edited(quoted)
        if secret and not wanted.confidential:
            show.said("the mail came encrypted: the letter is confidential, and never leaves in clear")
        _preview(text, kept, [a.name for a in attachments], to, yes=wanted.yes)
    repeats = secret and wanted.file is None
    return Draft(text, attachments, wanted.confidential, repeats, not wanted.no_question, kept, wanted.names_ok)


def meant(tells: leaking.Preview) -> bool:
    """Whether what somebody wrote may tell of others: nobody is asked where there is no terminal, and the answer is
    no. `click.Abort` when the person says no.
    """
    if not tells.found or not terminal():
        return False
    show.said(f"It would tell its recipient of others: {tells.words}.")
    if any(one.hard for one in tells.found):
        show.said("A letter that says so is held; `mailrouter outbox release ID --despite-leak --why …` lets it go.")
    return click.confirm("Is that meant?", abort=True, err=True)


def quoted(answered: look.Look) -> tuple[str, bool]:
    """A mail as a reply quotes it, and whether it came encrypted."""
    one = answered.message
    readable = not answered.trouble and one.decrypted != "partial"  # beside plain parts it may be a trap (P105)
    text = answered.new if readable else ""
    return compose.quote(text, one.sender, one.received_at), one.encrypted


def terminal() -> bool:
    """Is there a person to ask?"""
    return sys.stdin.isatty() and sys.stdout.isatty()


def _edited(quoted: str) -> tuple[str, str]:
    """Text and what it still quotes below; a quote the person has cut or answered within is part of the text."""
    if not terminal():
        raise faults.Refused("there is no terminal to write on: give the text with --file FILE (--file - reads stdin)")
    written = click.edit(f"\n\n{quoted}\n" if quoted else "\n", extension=".txt")
    if written is None or not written.strip():
        raise faults.Refused("nothing was written; nothing is sent")
    text = written.replace("\r\n", "\n").rstrip()
    if not quoted or not text.endswith(quoted.rstrip()):
        return text, ""
    above = text.removesuffix(quoted.rstrip()).rstrip()
    if not above.strip():
        raise faults.Refused("nothing was written above the quoted mail; nothing is sent")
    return above, quoted


def _preview(text: str, quoted: str, attachments: Sequence[str], to: str, *, yes: bool) -> None:
    show.said(f"{RULER}\nTo: {to}")
    if attachments:
        show.said(f"Attached: {', '.join(attachments)}")
    show.said(f"\n{text.strip()}\n" + (f"\n{quoted}\n" if quoted else "") + RULER)
    if not yes:
        click.confirm("Send it?", abort=True, err=True)
