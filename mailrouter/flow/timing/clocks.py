"""A clock that runs goes along when what it is counted from becomes another."""

from mailrouter.case import silence
from mailrouter.case.model import DeadlineKind, Participant
from mailrouter.case.policy import of_case
from mailrouter.flow import act
from mailrouter.flow.timing import coming
from mailrouter.store import cases


def date_given(doing: act.Doing, participant: Participant) -> None:
    """They gave another date for their fix, or none any more: when they count as non-responsive depends on it."""
    assert doing.case is not None  # a participant's clock is a case's
    runs = [
        one for one in cases.deadlines_of(doing.tx, doing.case.id)
        if one.participant_id == participant.id and one.kind is DeadlineKind.NON_RESPONSIVE and one.done_at is None
    ]  # fmt: skip
    policy, fresh = of_case(doing.tools.settings.policy, doing.case), cases.participant(doing.tx, participant.id)
    for event in coming.of_participants(doing.tx, doing.case, [fresh], runs):
        due_at = max(silence.look_again(fresh, event.tried, policy, doing.at), doing.at)
        cases.postpone(doing.tx, event.deadline.id, due_at)
