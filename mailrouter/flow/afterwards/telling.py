"""Who takes part is told that the note is published, and of every revision: where it is, and how it is corrected.

Promises: one letter for each participant and revision, however often it is asked for; nobody who was never written to
learns of the case by it; nothing in it is confidential.
"""

from mailrouter.case import lifecycle, noted
from mailrouter.case.model import Case, Participant
from mailrouter.case.note import Edition
from mailrouter.flow import act, letters
from mailrouter.flow.afterwards import resting
from mailrouter.flow.letters import Order
from mailrouter.store import cases, journal

FIRST, LATER = "published", "revised"
UNTOLD = (*lifecycle.PROGRESS["contact"], cases.UNDELIVERABLE)  # never written to, or never reached


def published(doing: act.Doing, case: Case, edition: Edition) -> None:
    """Called when a revision is released, in its transaction, the case already published: what waited for it rests,
    and everybody is told.
    """
    fresh = cases.get(doing.tx, case.id)
    resting.rest(doing, fresh)
    for one in cases.participants_of(doing.tx, [fresh.id]):
        if one.takes_part and (one.is_reporter or one.progress not in UNTOLD):
            _tell(doing, fresh, one, edition)


def _tell(doing: act.Doing, case: Case, one: Participant, edition: Edition) -> None:
    name = FIRST if edition.number == 1 else LATER
    order = Order(name, _values(doing, case, one, edition), step=f"{one.id}:published:{edition.number}")
    letter_id = letters.to_participant(doing.tx, doing.tools, case, one, order, doing.now)
    if letter_id is not None:
        told = {"letter": letter_id, "name": name, "participant": one.id, "revision": edition.number}
        journal.write(doing.tx, journal.case_chain(case.id), doing.now, "letter.queued", doing.actor, **told)


def _values(doing: act.Doing, case: Case, one: Participant, edition: Edition) -> dict[str, str]:
    return {
        "url": noted.address(doing.tools.settings.identity.notes_url, case.vu), "revision": str(edition.number),
        "published_on": letters.minute(edition.updated_at), "cves": noted.cves(edition), "thanks": noted.thanks(one),
        "changed": edition.history[-1].why,
    }  # fmt: skip
