"""What became otherwise since a draft was made: whom and what it shows that it must not show any more.

Promises: held against the facts as a draft that is made now would have them.
"""

from dataclasses import dataclass

from sqlalchemy import Connection

from mailrouter.case.model import Case
from mailrouter.case.note import Note, Vendor
from mailrouter.flow.composing import facts
from mailrouter.tools import Tools


@dataclass(frozen=True, slots=True)
class Since:
    """Names are for analysts' eyes."""

    changed: bool  # a draft made now would not be the same
    gone: tuple[str, ...]  # vendors it shows who left, are hidden, or only suspected
    withdrawn: tuple[str, ...]  # vendors of whom it shows a statement that does not stand approved any more


def of(tx: Connection, tools: Tools, case: Case, drafted: Note) -> Since:
    """Of this draft, now."""
    fresh = facts.gather(tx, tools, case, drafted.sections)
    now = {vendor.id: vendor for vendor in fresh.vendors}
    return Since(
        changed=fresh != drafted,
        gone=tuple(one.name for one in drafted.vendors if one.id not in now),
        withdrawn=tuple(
            one.name for one in drafted.vendors
            if one.statement is not None and one.id in now and one.statement.sha256 != _stated(now[one.id])
        ),
    )  # fmt: skip


def _stated(one: Vendor) -> str:
    return one.statement.sha256 if one.statement is not None else ""
