"""What a letter would tell of others: searched for in everything that leaves, by what the database knows of them.

Promises: what is hard never leaves by itself, whoever wrote it; what is soft only a person lets go; what is said of it
names nobody but by pseudonym, and never repeats the text.
"""

from mailrouter.flow.leaking.letter import (
    MEANT,
    NOBODY,
    WRITTEN_ANEW,
    Carried,
    Preview,
    concerns,
    in_text,
    is_closed,
    of_letter,
    preview,
    title,
    unread,
    words,
)
from mailrouter.flow.leaking.ofnote import named as of_note
from mailrouter.flow.leaking.sought import (
    Known,
    known,
    remember,
    unread_of_case,
)

__all__ = [
    "MEANT",
    "NOBODY",
    "WRITTEN_ANEW",
    "Carried",
    "Known",
    "Preview",
    "concerns",
    "in_text",
    "is_closed",
    "known",
    "of_letter",
    "of_note",
    "preview",
    "remember",
    "title",
    "unread",
    "unread_of_case",
    "words",
]
