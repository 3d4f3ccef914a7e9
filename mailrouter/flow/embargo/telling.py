"""Letters about the embargo: to everybody who takes part and was contacted, one mail each.

Promises: a person ordered what they tell, so they count as no automatic letter and no rule holds them back; the same
step is one letter; they begin no turn, since a date that nobody answers has a clock of its own.
"""

from collections.abc import Callable, Mapping

from mailrouter.case.model import Case, Participant
from mailrouter.case.terms import reached
from mailrouter.flow import act, letters
from mailrouter.store import cases, journal

Says = Callable[[Participant], Mapping[str, str]]


def everybody(doing: act.Doing, case: Case, name: str, step: str, says: Says) -> list[int]:
    """Queue the letter `name` to each of them; ids of those that were not written before."""
    told = [one for one in cases.participants_of(doing.tx, [case.id]) if reached(one)]
    written = ((one, _write(doing, case, one, letters.Order(name, says(one), step=f"{one.id}:{step}"))) for one in told)
    return [letter_id for _, letter_id in written if letter_id is not None]


def _write(doing: act.Doing, case: Case, one: Participant, order: letters.Order) -> int | None:
    letter_id = letters.to_participant(doing.tx, doing.tools, case, one, order, doing.now)
    if letter_id is not None:
        told = {"letter": letter_id, "name": order.name, "participant": one.id}
        note(doing, case, "letter.queued", **told)
    return letter_id


def note(doing: act.Doing, case: Case, kind: str, /, **data: object) -> None:
    """One row in the case's journal, in its place among the others."""
    journal.write(doing.tx, journal.case_chain(case.id), doing.now, kind, doing.actor, **data)
