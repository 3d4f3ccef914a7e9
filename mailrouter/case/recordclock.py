"""After publication: the CVE records are to be public within 24 hours, and are looked at again after 72 (DOMAIN.md,
process 9). The analyst hears which are not; a vendor that is a CNA is reminded of its own.
"""

from datetime import datetime, timedelta

from mailrouter.case.actions import Actions, Again, Finish, Notice, Write
from mailrouter.case.events import CaseDue
from mailrouter.case.policy import Policy

FIRST_DUE, LAST_DUE = timedelta(hours=24), timedelta(hours=72)  # after publication
REMINDER = "cve-record-reminder"  # letter


def due(event: CaseDue, _policy: Policy, at: datetime) -> Actions:
    """What this clock asks for, however late it is looked at."""
    case, deadline, missing = event.case, event.deadline, event.unrecorded
    if case.published_at is None:
        return [Finish(deadline.id, "not published")]
    if not missing:
        return [Finish(deadline.id, "public")]
    named = ", ".join(f"{one.cve} ({one.vendor})" if one.vendor else one.cve for one in missing)
    hours = int((at - case.published_at) / timedelta(hours=1))
    why = f"published {hours} hours ago, and no CVE record is public for {named}: `mailrouter cve show {case.vu}`"
    once = f"record:{case.id}:{deadline.since}:{deadline.rung}"
    orders: Actions = [Finish(deadline.id, "analyst told"), Notice(case.queue, why, once)]
    reminded = {one.vendor_id for one in missing}
    orders += [
        Write(vendor, REMINDER, deadline.since, deadline.rung) for vendor in event.participants
        if vendor.id in reminded and vendor.takes_part
    ]  # fmt: skip
    last = case.published_at + LAST_DUE
    return [*orders, Again(deadline, last)] if at < last else orders
