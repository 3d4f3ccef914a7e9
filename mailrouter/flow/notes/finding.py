"""Which draft of a note is meant."""

from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.case.model import Case
from mailrouter.store import notes
from mailrouter.store.notes import Revision


def one(tx: Connection, case: Case, number: int | None = None, draft: int | None = None) -> Revision:
    """The newest, or the one that is named: of a decided revision the published draft; `NotFound` says which there
    are.
    """
    every = notes.of_case(tx, case.id)
    if not every:
        raise faults.NotFound(f"VU#{case.vu} has no note; `mailrouter note write VU#{case.vu}` writes its first draft")
    number = number or every[0].number
    mine = [one for one in every if one.number == number]
    fitting = [one for one in mine if draft in (None, one.draft)]
    if not fitting:
        raise faults.NotFound(f"no {_named(number, draft)} of the note on VU#{case.vu}; it has {_there(every)}")
    published = [one for one in fitting if one.decided_at is not None]
    return (published or fitting)[0]


def one_before(tx: Connection, one: Revision) -> Revision | None:
    """The draft before it; of a revision's first, what was published last."""
    earlier = [each for each in notes.of_case(tx, one.case_id) if each.id < one.id]
    same = [each for each in earlier if each.number == one.number]
    return next(iter(same or [each for each in earlier if each.decided_at is not None]), None)


def _named(number: int, draft: int | None) -> str:
    return f"revision {number}" + (f", draft {draft}" if draft else "")


def _there(every: list[Revision]) -> str:
    return "; ".join(_named(one.number, one.draft) for one in reversed(every[:6]))
