"""Who is told which CVE IDs a case has: its reporter, and the vendors that were written to. Nobody else is named.

An ID says nothing of what is wrong; the letter is TLP:AMBER and leaves as any letter that is not confidential does.
"""

from collections.abc import Sequence

from mailrouter.case.lifecycle import PROGRESS
from mailrouter.case.model import Participant
from mailrouter.flow import act, letters
from mailrouter.flow.act.doing import write
from mailrouter.store import cases, vulnerabilities

LETTER = "cve-assigned"
UNTOLD = frozenset(PROGRESS["contact"])  # progress of who was never written to


def assigned(doing: act.Doing, was: str) -> None:
    """One letter to each, once for each change of the case's IDs. `was`: the ID that was replaced; '' none."""
    case = doing.case
    assert case is not None
    _tell(doing, cases.participants_of(doing.tx, [case.id]), was)


def contacted(doing: act.Doing, whom: Sequence[Participant]) -> None:
    """Who is written to only now learns the IDs that the case has already."""
    _tell(doing, whom, "")


def _tell(doing: act.Doing, whom: Sequence[Participant], was: str) -> None:
    case = doing.case
    assert case is not None
    known = vulnerabilities.of_case(doing.tx, case.id)
    items = "\n".join(f"  VU#{case.vu}.{one.number}: {one.cve}" for one in known if one.cve)
    step = f"{was}>{','.join(f'{one.number}={one.cve}' for one in known)}"
    for one in filter(hears, whom if items else ()):
        order = letters.Order(LETTER, {"items": items}, step=f"{one.id}:{LETTER}:{step}")
        letter_id = letters.to_participant(doing.tx, doing.tools, case, one, order, doing.now)
        if letter_id is not None:
            write(doing, case, "letter.queued", letter=letter_id, name=LETTER, participant=one.id)


def hears(one: Participant) -> bool:
    """Reporters, and vendors that know of the case."""
    return one.takes_part and (one.is_reporter or (one.is_vendor and one.progress not in UNTOLD))
