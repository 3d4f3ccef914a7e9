"""How the demo tells its story on 100 columns: acts, mails that come and letters that go, orders and what they answer.

Promises: nothing here knows anything; whatever is told was given by somebody who asked the program.
"""

# ruff: noqa: T201 - printing is what this module is for

import shlex
import sys
import textwrap

WIDTH = 100


def headline(text: str) -> None:
    """What this is."""
    print(textwrap.fill(text, WIDTH))


def act(number: int, title: str) -> None:
    """A new act begins."""
    heading = f"{number}. {title}"
    print(f"\n{heading}\n{'=' * len(heading)}")


def came(sender: str, subject: str, what: str) -> None:
    """Somebody wrote."""
    print(f"\n<- {sender}: {subject}")
    _wrapped(what, "   # ")


def went(recipient: str, what: str) -> None:
    """A letter left."""
    _wrapped(f"-> {recipient}: {what}", "", "   ")


def noted(what: str) -> None:
    """What the program made of it, as was read back."""
    _wrapped(what, "   # ")


def ordered(*words: str) -> None:
    """Somebody types a command."""
    print()
    _wrapped(f"$ {shlex.join(words)}", "", "      ")


def answered(text: str) -> None:
    """What the command says, as it is."""
    print(text.rstrip("\n"))


def complained(why: str) -> None:
    """Why the demo stops, on stderr."""
    print(f"demo: {why}", file=sys.stderr)


def _wrapped(text: str, first: str, others: str | None = None) -> None:
    hang = first if others is None else others
    print(
        textwrap.fill(
            text, WIDTH, initial_indent=first, subsequent_indent=hang, break_long_words=False, break_on_hyphens=False
        )
    )
