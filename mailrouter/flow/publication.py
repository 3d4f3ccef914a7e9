"""Our planned publication and what comes before it as clocks of the case: one open row of each kind, which goes along
with the date.
"""

from datetime import datetime

from sqlalchemy import Connection

from mailrouter.case import calendar
from mailrouter.case.model import Case, DeadlineKind
from mailrouter.case.policy import Policy, of_case
from mailrouter.store import cases


def plan(tx: Connection, case: Case, since: str, planned: datetime, policy: Policy) -> None:
    """From now on this is our date; call with the case locked. `since`: the letter it is counted from; `policy`: the
    house's, the case's own numbers go before it.
    """
    cases.change(tx, case.id, planned_at=planned)
    before = calendar.before(planned, of_case(policy, case))
    for kind, due_at in (
        (DeadlineKind.DRAFT, before.write_at),
        (DeadlineKind.ALERT, before.share_at),
        (DeadlineKind.REMINDER, before.remind_at),
        (DeadlineKind.PUBLICATION, planned),
    ):
        cases.set_clock(tx, case.id, kind, since, due_at)


def goes_on(tx: Connection, case: Case, policy: Policy, since: str = "reopened") -> None:
    """A case is open again, or has other numbers: its clocks run to the date there was, if there was one."""
    if case.planned_at is not None and case.first_contact_at is not None:
        plan(tx, case, since, case.planned_at, policy)


def joined(tx: Connection, case: Case, participant_id: int, now: datetime) -> None:
    """Somebody was written to for the first time: whether they have seen the draft is looked at again."""
    if not calendar.over(case) and cases.clock_is_over(tx, case.id, DeadlineKind.DRAFT):
        cases.set_clock(tx, case.id, DeadlineKind.DRAFT, f"joined:{participant_id}", now)
