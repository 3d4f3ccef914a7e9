"""What was said with one participant, in order: of each mail the new text, what it quotes only counted."""

from collections.abc import Iterator, Sequence

import click

from mailrouter.cli import show
from mailrouter.flow.filing import look
from mailrouter.flow.filing.look import Look
from mailrouter.store.messages import Message
from mailrouter.tools import Tools


def read(tools: Tools, messages: Sequence[Message]) -> Iterator[Look]:
    """Each of them opened, oldest first. Their own References decide nothing: a loop or a ghost parent is harmless."""
    for message in sorted(messages, key=lambda one: (one.received_at, one.id)):
        yield look.at(tools, message.id)


def tell(seen: Look) -> None:
    """One message for people."""
    one = seen.message
    who = f"{one.sender} wrote" if one.direction == "in" else f"we wrote to {one.recipient.partition(',')[0]}"
    click.echo(
        f"\n{show.when(one.received_at)}  {show.short(who, 60)}, message {one.id}: {show.short(one.subject, 100)}"
    )
    if seen.trouble:
        show.said(f"message {one.id}: {seen.trouble}")
    show.block(_indented(seen.new) or "  (no new text)")
    if hidden := _lines(seen.text) - _lines(seen.new):
        click.echo(f"  [{hidden} lines quoted or signed: mailrouter message show {one.id} --text]")
    for file in seen.files:
        click.echo(f"  [attachment {show.cell(file.name) or '(no name)'}, {len(file.content)} bytes]")


def _indented(text: str) -> str:
    return "\n".join(f"  {line}".rstrip() for line in text.split("\n")) if text else ""


def _lines(text: str) -> int:
    return sum(bool(line.strip()) for line in text.split("\n"))
