"""Where a participant stands: report management, what happened, its fix, and what it says of each vulnerability.

Each verb works inside the caller's transaction, with the case locked, and writes one row of the journal for what it
changed. An analyst orders them; a mail that is proved may too. What the journal holds are states and numbers: a
vendor's own words stay in their row.
"""

import shlex
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from mailrouter import faults
from mailrouter.case import actions as do
from mailrouter.case import casestate, lifecycle
from mailrouter.case.answers import What
from mailrouter.case.lifecycle import Table
from mailrouter.case.model import Case, Participant, Waiting
from mailrouter.case.status import AFFECTED, STATUSES, UNKNOWN
from mailrouter.flow import act
from mailrouter.flow.actor import Actor, case_held, done_by, taking_part
from mailrouter.flow.afterwards import revising
from mailrouter.flow.timing import clocks
from mailrouter.store import cases, journal, proposals, vulnerabilities
from mailrouter.store.vulnerabilities import Vulnerability
from mailrouter.tools import Tools


def ordered(
    tools: Tools, actor: Actor, vu: int, whom: str, verb: Callable[[act.Doing, Participant], object]
) -> Participant:
    """An analyst orders one of these verbs, in a transaction of its own; the participant as it then stands."""
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        participant = taking_part(tx, case, whom)
        doing = act.Doing(tx, tools, tools.now(), tools.now(), actor.name, case)
        verb(doing, participant)
        doing.later.write(tx)
        revising.look(tx, tools, case, f"participant:{participant.id}", actor.name)
        return cases.participant(tx, participant.id)


def move_rm(doing: act.Doing, participant: Participant, verb: str, **told: Any) -> None:
    """One move of report management; `Illegal` if the table does not allow it."""
    fresh = _fresh(doing, participant)
    after = _moved(doing, fresh, lifecycle.REPORT, verb, fresh.rm, "participant.rm")
    _set_rm(doing, fresh, [fresh.rm, after], **told)


def follow_rm(doing: act.Doing, participant: Participant, verbs: tuple[str, ...]) -> None:
    """What happened moves report management as far as its table allows (`lifecycle.AFFECTED` and the like)."""
    fresh = _fresh(doing, participant)
    _set_rm(doing, fresh, lifecycle.follow(lifecycle.REPORT, verbs, fresh.rm))


def _set_rm(doing: act.Doing, participant: Participant, way: list[str], **told: Any) -> None:
    if len(way) > 1:
        cases.change_participant(doing.tx, participant.id, rm=way[-1])
        write(doing, "participant.rm", participant=participant.id, states=way, **told)


def progress(doing: act.Doing, participant: Participant, verb: str, **told: Any) -> None:
    """One move of what happened with them; `Illegal` if the table does not allow it."""
    fresh = _fresh(doing, participant)
    after = _moved(doing, fresh, lifecycle.PROGRESS, verb, fresh.progress, "participant.progress")
    cases.change_participant(doing.tx, participant.id, progress=after)
    write(doing, "participant.progress", participant=participant.id, progress=after, was=fresh.progress, **told)


def informed(doing: act.Doing, participant: Participant, at: datetime) -> None:
    """They know: the first letter to them left, or they wrote first. Once; later calls change nothing.

    A letter without details counts: it names the case and asks for the way the details may come, and DOMAIN.md lets the
    clock run from the first contact attempt.
    """
    columns = casestate.informed(_fresh(doing, participant), at)
    if columns:
        cases.change_participant(doing.tx, participant.id, **columns)
        write(doing, "participant.informed", participant=participant.id, **columns)


def fix(doing: act.Doing, participant: Participant, what: str, at: datetime | None, **told: Any) -> None:
    """Their fix is `ready` or `deployed` since `at`, else now. `Illegal` twice, out of order, or for no vendor."""
    fresh, since = _vendor(doing, participant), at or doing.now
    _moved(doing, fresh, lifecycle.VENDOR, what, casestate.of_vendor(fresh), "participant.fix")
    if since > doing.now:
        raise faults.Refused("the date lies in the future: record it once the fix is there")
    columns = casestate.fix(fresh, what, since)
    cases.change_participant(doing.tx, fresh.id, **columns)
    write(doing, "participant.fix", participant=fresh.id, what=what, since=columns[casestate.FIX[what]], **told)


def expect_fix(doing: act.Doing, participant: Participant, at: datetime | None, **told: Any) -> None:
    """The date they gave us for their fix; None: they no longer give one. `Refused` for a date that is over.

    Such a date would count as broken, and the vendor as non-responsive, from the moment it is recorded.
    """
    fresh = _vendor(doing, participant)
    if at is not None and at <= doing.now:
        fix = f"`mailrouter participant fix VU#{_case(doing).vu} {shlex.quote(fresh.name)}"
        raise faults.Refused(
            f"{fresh.name} expected its fix on {at:%Y-%m-%d}, which is over: {fix} ready` if it is there; else ask for"
            f" another date, and {fix} expected --at DATE`"
        )
    cases.change_participant(doing.tx, fresh.id, fix_expected_at=at)
    told = _by_hand(doing, fresh, told, What.FIX_EXPECTED)
    clocks.date_given(doing, fresh)
    write(doing, "participant.fix-expected", participant=fresh.id, until=at, **told)


def set_status(
    doing: act.Doing, participant: Participant, status: str, *, number: int | None = None, why: str = "",
    fixed_in: str = "", **told: Any,
) -> list[int]:  # fmt: skip
    """What a vendor says of one vulnerability (`number`: .1, .2, ...), or of all; returns their numbers.

    Affected means that they accept the report, and dispute it no more; Not Affected that it is none of theirs.
    `Illegal` for who is no vendor, `NotFound` for a number the case has not.
    """
    if status not in STATUSES:
        raise faults.Refused(f"{status!r} is no vendor status; there are: {', '.join(STATUSES)}")
    fresh, case = _vendor(doing, participant), _case(doing)
    chosen = _vulnerabilities(doing, case, number)
    row = {"status": status, "why": why, "fixed_in": fixed_in, "updated_at": doing.now, "updated_by": doing.actor}
    for one in chosen:
        vulnerabilities.state(doing.tx, fresh.id, one, row)
    numbers = [one.number for one in chosen]
    told = _by_hand(doing, fresh, told, What.AFFECTED, What.WHY_NOT, numbers=() if number is None else numbers)
    write(doing, "participant.status", participant=fresh.id, status=status, vulnerabilities=numbers, **told)
    if status != UNKNOWN:
        _answered_so(doing, fresh, status)
    return numbers


def _answered_so(doing: act.Doing, participant: Participant, status: str) -> None:
    informed(doing, participant, doing.now)
    follow_rm(doing, participant, lifecycle.AFFECTED if status == AFFECTED else lifecycle.NOT_THEIRS)
    if status == AFFECTED and participant.progress == "disputed":
        progress(doing, participant, "settle")
    _heard(doing, participant)


def _heard(doing: act.Doing, participant: Participant) -> None:
    """What they say ends their silence, whoever records it; what waits for us goes on waiting.

    Whom nobody has written to stays to be written to, whatever we know of them.
    """
    fresh = _fresh(doing, participant)
    if fresh.progress in ("contacted", "acknowledged", "undeliverable", "non-responsive"):
        progress(doing, fresh, "answer")
    if fresh.waiting_on is Waiting.THEM:
        cases.change_participant(doing.tx, fresh.id, last_heard_at=doing.now)
        over = do.Close(fresh, do.CLOCKS_OF_SILENCE, "answered")
        act.carry_out(doing, [over, do.Turn(fresh, Waiting.NOBODY, None)])


def _vulnerabilities(doing: act.Doing, case: Case, number: int | None) -> list[Vulnerability]:
    known = vulnerabilities.of_case(doing.tx, case.id)
    chosen = [one for one in known if number in (None, one.number)]
    if not chosen:
        there = ", ".join(f"VU#{case.vu}.{one.number}" for one in known)
        raise faults.NotFound(f"no vulnerability VU#{case.vu}.{number}; there are: {there}")
    return chosen


def dispute(doing: act.Doing, participant: Participant, **told: Any) -> None:
    """They say it is no vulnerability. `Illegal` when they dispute it already, or are no vendor."""
    fresh = _vendor(doing, participant)
    informed(doing, fresh, doing.now)
    progress(doing, fresh, "dispute", **_by_hand(doing, fresh, told, What.AFFECTED))
    follow_rm(doing, fresh, lifecycle.NOT_THEIRS)
    _heard(doing, fresh)


def _by_hand(
    doing: act.Doing, participant: Participant, told: dict[str, Any], *what: What, numbers: Sequence[int] = ()
) -> dict[str, Any]:
    """Where an analyst records it by hand, what mails say of the same waits no longer; what the journal is told."""
    if "proposal" in told:
        return told
    over = proposals.settle(doing.tx, participant.id, what, doing.actor, doing.now, numbers)
    return told | ({"overtakes": over} if over else {})


# ---- what these share ------------------------------------------------------------------------------------------------


def _fresh(doing: act.Doing, participant: Participant) -> Participant:
    """As they stand after what this transaction did already."""
    return cases.participant(doing.tx, participant.id)


def _moved(doing: act.Doing, participant: Participant, table: Table, verb: str, state: str, kind: str) -> str:
    """The state after the move; whoever comes second hears who was first."""
    try:
        return lifecycle.move(table, verb, state)
    except faults.Illegal as refused:
        by = done_by(doing.tx, _case(doing), kind, participant=participant.id).lstrip(",")
        raise faults.Illegal(f"{refused}{f'; {state} was set{by}' if by else ''}") from None


def _vendor(doing: act.Doing, participant: Participant) -> Participant:
    if not participant.is_vendor:
        raise faults.Illegal(f"{participant.name} is a {participant.role}; only vendors have a status and a fix")
    return _fresh(doing, participant)


def _case(doing: act.Doing) -> Case:
    assert doing.case is not None  # a participant is one of a case
    return doing.case


def write(doing: act.Doing, kind: str, /, **data: Any) -> None:
    """One row in the case's journal, in its place among the others."""
    journal.write(doing.tx, journal.case_chain(_case(doing).id), doing.now, kind, doing.actor, **data)
