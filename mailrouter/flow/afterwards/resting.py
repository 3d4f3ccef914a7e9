"""What ends when readers have the note: nobody is asked any more, and no date is waited for.

Promises: who waits on us waits on, and their clock runs; whatever else waited, waits no longer. Safe to do twice.
"""

from mailrouter.case import actions as do
from mailrouter.case.model import Case, DeadlineKind, Waiting
from mailrouter.flow import act
from mailrouter.store import cases

OVER = "published"
UNTIL_THEN = (
    DeadlineKind.PUBLICATION, DeadlineKind.DRAFT, DeadlineKind.ALERT, DeadlineKind.REMINDER, DeadlineKind.EMBARGO,
    DeadlineKind.TERMS,
)  # fmt: skip


def rest(doing: act.Doing, case: Case) -> None:
    """The clocks of silence stop, automatic letters that have not left stay here; the case comes to its end."""
    cases.close_clocks(doing.tx, case.id, UNTIL_THEN, doing.now, OVER)
    for one in cases.participants_of(doing.tx, [case.id]):
        if one.waiting_on is Waiting.THEM:
            act.nobodys_turn(doing, one, OVER)
        elif one.takes_part:
            act.perform(doing, [do.Close(one, do.CLOCKS_OF_SILENCE, OVER)])
    act.comes_to_its_end(doing, case, OVER)
