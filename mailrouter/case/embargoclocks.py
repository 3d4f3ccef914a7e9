"""The clocks of an embargo: the agreed date, and a proposed one that nobody decided about.

The end of an embargo permits publication and never commands it (DOMAIN.md): a person is told, and publishes.
"""

from datetime import datetime

from mailrouter.case import terms
from mailrouter.case.actions import Actions, EndEmbargo, Finish, LapseTerms, Notice, Postpone
from mailrouter.case.events import CaseDue
from mailrouter.case.policy import Policy

IN_FORCE = ("ACTIVE", "REVISE")
UNDECIDED = ("PROPOSED", "REVISE")


def ended(event: CaseDue, _policy: Policy, at: datetime) -> Actions:
    """The agreed date has come, unless it has moved."""
    case, deadline = event.case, event.deadline
    if case.embargo not in IN_FORCE or case.embargo_ends_at is None:
        return [Finish(deadline.id, "no embargo is in force")]
    if at < case.embargo_ends_at:
        return [Postpone(deadline.id, case.embargo_ends_at)]
    why = "the embargo has ended on the agreed date: publication is permitted, and yours to order"
    once = f"embargo:{case.id}:{deadline.since}:{deadline.rung}"
    return [Finish(deadline.id, "ended"), EndEmbargo("the agreed date has come"), Notice(case.queue, why, once)]


def lapsed(event: CaseDue, policy: Policy, _at: datetime) -> Actions:
    """Nobody decided in `terms_days`: what was agreed stays."""
    case, deadline = event.case, event.deadline
    if case.embargo not in UNDECIDED:
        return [Finish(deadline.id, "decided")]
    why = f"nobody decided in {policy.terms_days} days"
    stays = "the agreed date stays" if terms.undecided(case.embargo, still_open=False) == "ACTIVE" else "none is agreed"
    told = f"a proposed embargo date lapsed, {why}: {stays} (`mailrouter embargo show VU#{case.vu}`)"
    once = f"terms:{case.id}:{deadline.since}:{deadline.rung}"
    return [Finish(deadline.id, "lapsed"), LapseTerms(why), Notice(case.queue, told, once)]
