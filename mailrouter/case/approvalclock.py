"""After a publication in an emergency: it is approved within a day; else every analyst hears of it, day by day."""

from datetime import datetime, timedelta

from mailrouter.case.actions import Actions, Again, Finish, Notice
from mailrouter.case.events import CaseDue
from mailrouter.case.policy import Policy

WITHIN = timedelta(hours=24)  # after the decision
DAILY = timedelta(days=1)


def since(revision_id: int) -> str:
    """What began it, as its clock's row says it."""
    return f"revision:{revision_id}"


def once(revision_id: int | str) -> str:
    """How the keys of all notices begin that ask for this approval; who approves is done with them."""
    return f"approval:{revision_id}:"


def due(event: CaseDue, _policy: Policy, at: datetime) -> Actions:
    """Who approves closes this clock: while it runs, nobody has."""
    deadline, vu = event.deadline, event.case.vu
    why = (
        f"VU#{vu} was published in an emergency and is not approved yet: read it (`mailrouter note show {vu}`), then "
        f"`mailrouter note approve {vu} --sha256 …`, as it begins there"
    )
    begins = once(deadline.since.partition(":")[2])
    told = [Notice(queue, why, f"{begins}{queue}:{deadline.rung}") for queue in event.staff]
    return [Finish(deadline.id, "analysts told"), *told, Again(deadline, at + DAILY)]
