"""What vendors are told of a case: written by an analyst, kept version by version, never changed.

Nothing leaves by it: `case notify` and `case details` send the newest version.
"""

from collections.abc import Sequence
from hashlib import sha256

from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.case.model import Case
from mailrouter.flow import leaking, letters
from mailrouter.flow.actor import Actor, case_held, note
from mailrouter.mail.entity import Attachment
from mailrouter.mail.texts import block
from mailrouter.store import descriptions, files
from mailrouter.store.descriptions import Description
from mailrouter.tools import Tools

LARGEST_TEXT = 256 * 1024  # bytes: every letter holds it
LARGEST_FILES = 20 * 1024 * 1024  # bytes together, as with any letter
MOST_FILES = 50


def describe(
    tools: Tools, actor: Actor, vu: int, text: str, attachments: Sequence[Attachment] | None = None
) -> Description:
    """The next version. `attachments` None: the files of the version before stay.

    `Refused` for an empty one or one that is too large, `Illegal` when it says what the newest version says.
    """
    kept = block(text)  # as letters show it: no control, nothing that reorders what is read
    _fits(kept, attachments or ())
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        before = descriptions.newest(tx, case.id)
        named = before.files if attachments is None and before else letters.kept(tx, attachments or (), tools.now())
        if before and (before.text, before.files) == (kept, named):
            raise faults.Illegal(f"version {before.version} of VU#{vu} says exactly this already")
        row = {
            "case_id": case.id, "version": before.version + 1 if before else 1, "text": kept, "files": named,
            "made_at": tools.now(), "made_by": actor.name,
        }  # fmt: skip
        made = descriptions.add(tx, row)
        _journal(tx, tools, actor, case, made)
        return made


def _fits(text: str, attachments: Sequence[Attachment]) -> None:
    if not text.strip():
        raise faults.Refused("there is nothing in the description")
    if len(text.encode()) > LARGEST_TEXT:
        raise faults.Refused(f"a description may have {LARGEST_TEXT // 1024} KiB; send more as --attach")
    if len(attachments) > MOST_FILES:
        raise faults.Refused(f"a description may have {MOST_FILES} files; put them into an archive")
    if sum(len(one.content) for one in attachments) > LARGEST_FILES:
        raise faults.Refused(f"the files of a description may have {LARGEST_FILES // 2**20} MiB together")


def _journal(tx: Connection, tools: Tools, actor: Actor, case: Case, made: Description) -> None:
    digests = [one["digest"] for one in made.attached]
    told = {"version": made.version, "sha256": sha256(made.text.encode()).hexdigest(), "files": digests}
    note(tx, tools, actor, "case.described", case, **told)


# ---- looking ---------------------------------------------------------------------------------------------------------


def version(tx: Connection, case: Case, number: int | None = None) -> Description:
    """One version, or the newest; `NotFound` says which there are."""
    there = descriptions.versions(tx, case.id)
    found = next((one for one in there if number in (None, one.version)), None)
    if found is None:
        has = f"it has 1 to {there[0].version}" if there else f"`mailrouter case describe {case.vu}` writes the first"
        raise faults.NotFound(f"no version {number or 1} of the description of VU#{case.vu}: {has}")
    return found


def tells(tx: Connection, tools: Tools, made: Description) -> tuple[str, str]:
    """What it would tell a vendor of the others: what holds every letter, and what a person should look at; '' nothing.

    A hint while it is being written: each letter is searched again before it leaves.
    """
    contents = files.some(tx, (one["digest"] for one in made.attached))
    carried = [Attachment(one["name"], contents[one["digest"]], one["type"]) for one in made.attached]
    found = leaking.preview(tx, tools, made.case_id, [leaking.NOBODY], made.text, carried)
    hard, soft = ([one for one in found.found if one.hard is wanted] for wanted in (True, False))
    return leaking.words(hard, found.called), leaking.words(soft, found.called)
