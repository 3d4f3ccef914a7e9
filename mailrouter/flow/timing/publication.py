"""Our planned publication as a clock of the case: one open row, which goes along with the date."""

from datetime import datetime

from sqlalchemy import Connection

from mailrouter.case.model import Case, DeadlineKind
from mailrouter.store import cases


def plan(tx: Connection, case: Case, since: str, planned: datetime) -> None:
    """From now on this is our date; call with the case locked. `since`: the letter it is counted from."""
    cases.change(tx, case.id, planned_at=planned)
    cases.set_clock(tx, case.id, DeadlineKind.PUBLICATION, since, planned)


def goes_on(tx: Connection, case: Case) -> None:
    """A case is open again: its clock runs to the date there was, if there was one."""
    if case.planned_at is not None and case.first_contact_at is not None:
        cases.set_clock(tx, case.id, DeadlineKind.PUBLICATION, "reopened", case.planned_at)
