"""Files of one participant on their way to another: as they may leave, without what they say of who made them.

Promises: a text passes as it is (who is named in it, the search for leaks finds), a picture as its pixels alone;
anything else is passed on only where a person says of it by name that it may leave as it is. A file name that tells
of anybody is replaced.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import PurePath

from sqlalchemy import Connection

from mailrouter import faults, pictures
from mailrouter.flow import leaking
from mailrouter.flow.filing import look
from mailrouter.mail import disguises, patches
from mailrouter.mail.entity import Attachment
from mailrouter.tools import Tools

OPAQUE = (
    "{}: what it says of who made it cannot be taken out of such a file; send it as text or as a picture, or say"
    " --as-it-is {!r} --why …"
)
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}")


@dataclass(frozen=True, slots=True)
class Carried:
    """One file as it came and as it leaves."""

    number: int  # among the files of its mail, from 1
    came: look.File
    file: Attachment
    as_it_is: bool = False  # somebody says that it may leave so

    def row(self) -> dict[str, str]:
        """As it is kept (store/relays.py)."""
        digests = {"digest": sha256(self.came.content).hexdigest(), "left": sha256(self.file.content).hexdigest()}
        return {"name": self.came.name, "left_as": self.file.name, **digests}


def chosen(files: Sequence[look.File], names: Sequence[str]) -> list[tuple[int, look.File]]:
    """Those that are named, by name or by number (`2`). `NotFound` says which there are."""
    found = {number: file for name in names for number, file in [_one(files, name)]}
    return sorted(found.items())


def _one(files: Sequence[look.File], name: str) -> tuple[int, look.File]:
    numbered = list(enumerate(files, 1))
    named = [pair for pair in numbered if name in (pair[1].name, str(pair[0]))]
    if len(named) == 1:
        return named[0]
    there = ", ".join(f"{number} {file.name or '(no name)'}" for number, file in numbered) or "none"
    if named:
        raise faults.Refused(f"{len(named)} attachments are called {name!r}; name it by its number: {there}")
    raise faults.NotFound(f"no attachment {name!r}; there are: {there}")


def ready(files: Sequence[tuple[int, look.File]], as_it_is: Collection[str], *, strip_patches: bool) -> list[Carried]:
    """As they may leave, under the names they have. `Refused` for one that nothing can be taken out of."""
    return [_carried(number, file, as_it_is, strip_patches=strip_patches) for number, file in files]


def _carried(number: int, came: look.File, as_it_is: Collection[str], *, strip_patches: bool) -> Carried:
    name = came.name or f"attachment-{number}"
    if {came.name, str(number)} & set(as_it_is):
        return Carried(number, came, Attachment(name, came.content, "application/octet-stream"), as_it_is=True)
    if pictures.is_picture(came.content):
        return Carried(number, came, Attachment(name, pictures.bare(came.content), came.media_type))
    text = disguises.text_of(came.content)
    if text is None or "\0" in text or leaking.is_closed(came.content):
        raise faults.Refused(OPAQUE.format(name, name))
    content = patches.stripped(text).encode() if strip_patches else came.content
    return Carried(number, came, Attachment(name, content, "text/plain"))


def renamed(
    tx: Connection, tools: Tools, case_id: int, recipients: Collection[int], files: Sequence[Carried]
) -> list[Carried]:
    """Under a neutral name, where the name tells any of these organisations of another."""
    return [
        Carried(one.number, one.came, _neutral(one), one.as_it_is)
        if leaking.preview(tx, tools, case_id, recipients, one.file.name, ()).found
        else one
        for one in files
    ]


def _neutral(one: Carried) -> Attachment:
    suffix = PurePath(one.file.name).suffix
    kept = suffix.lower() if _SUFFIX.fullmatch(suffix) else ""
    return Attachment(f"attachment-{one.number}{kept}", one.file.content, one.file.media_type)
