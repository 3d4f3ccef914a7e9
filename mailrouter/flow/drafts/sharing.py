"""The draft of the note is shown: now, or when its day comes; and who has it is recorded.

Promises: an analyst orders it; two weeks before the planned date or later it leaves at once, earlier it is kept for the
sharing date, unless it is to go now. Without names it goes to all who take part and have not seen this draft. What the
gate would refuse because of whom it names is shown to nobody.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.case import calendar
from mailrouter.case.calendar import Before
from mailrouter.case.model import Case, DeadlineKind, Participant
from mailrouter.case.policy import of_case
from mailrouter.flow import act
from mailrouter.flow.act.drafts import Showing, show, stops
from mailrouter.flow.actor import Actor, case_held, need_analyst, note, still_open, taking_part
from mailrouter.flow.leaking.ofnote import Rendered
from mailrouter.flow.notes import hidden
from mailrouter.store import cases, drafts, notes
from mailrouter.store.notes import Revision
from mailrouter.tools import Tools


@dataclass(frozen=True, slots=True)
class Shared:
    """What came of the order."""

    revision: Revision
    done: Sequence[Showing]  # empty when it is kept
    kept_until: datetime | None  # the sharing date, when it leaves


def share(
    tools: Tools, actor: Actor, vu: int, whom: Sequence[str] = (), *, now: bool = False, at_due: bool = False,
    names_ok: str = "",
) -> Shared:  # fmt: skip
    """`Illegal` when there is no draft, or nobody to show it to; with names when it would be kept; and when it tells of
    who is hidden. `names_ok`: why what only may be such a name is none.
    """
    need_analyst(actor, "sharing a draft")
    searched = _searched(tools, vu)
    with tools.db.write() as tx:
        case = still_open(case_held(tx, vu))
        revision = _newest(tx, case)
        doing = act.Doing(tx, tools, tools.now(), tools.now(), actor.name, case)
        _tells_nothing(doing, actor, revision, searched, names_ok)
        until = None if now else _kept_until(tools, case, at_due=at_due)
        if until is not None:
            return _keep(tx, tools, actor, case, revision, until, whom)
        done = show(doing, _chosen(tx, case, revision, whom), revision)
        doing.later.write(tx)
        return Shared(revision, done, None)


def _searched(tools: Tools, vu: int) -> Rendered:
    """The draft with all its files; outside the transaction: mails are opened, and our key may have to be made."""
    with tools.db.read() as tx:
        case = cases.by_vu(tx, vu)
        edition = notes.edition(tx, _newest(tx, case), tools.now())
    return hidden.render(tools, case.id, edition)


def _tells_nothing(doing: act.Doing, actor: Actor, revision: Revision, searched: Rendered, names_ok: str) -> None:
    assert doing.case is not None
    if searched.edition.note != revision.note:
        raise faults.TryLater(f"another draft of the note on VU#{doing.case.vu} was made just now")
    if why := stops(doing, revision, searched, names_ok=bool(names_ok)):
        raise faults.Illegal(why)
    if names_ok:
        told = {"revision": revision.number, "draft": revision.draft, "why": names_ok}
        note(doing.tx, doing.tools, actor, "draft.names-ok", doing.case, **told)


def _newest(tx: Connection, case: Case) -> Revision:
    if case.not_published_at is not None:
        why = f"it was decided on {case.not_published_at:%Y-%m-%d} that there is no note"
        raise faults.Illegal(f"{why}: `mailrouter note not-publish {case.vu} --undo` takes that back")
    newest = notes.newest(tx, case.id)
    if newest is None or newest.decided_at is not None:
        raise faults.Illegal(
            f"VU#{case.vu} has no draft of a note to show: `mailrouter note write {case.vu}` writes it"
        )
    return newest


def _kept_until(tools: Tools, case: Case, *, at_due: bool) -> datetime | None:
    """When it is to leave, if not now."""
    before = _before(tools, case)
    if at_due and tools.now() >= before.share_at:
        raise faults.Illegal(f"the sharing date of VU#{case.vu} was {before.share_at:%Y-%m-%d}: --now shows it now")
    early = tools.now() < before.planned_at - calendar.EARLIEST * calendar.A_DAY
    return before.share_at if early or at_due else None


def _before(tools: Tools, case: Case) -> Before:
    if case.planned_at is None:
        raise faults.Illegal(f"no publication of VU#{case.vu} is planned yet: --now shows the draft all the same")
    return calendar.before(case.planned_at, of_case(tools.settings.policy, case))


def _keep(
    tx: Connection, tools: Tools, actor: Actor, case: Case, revision: Revision, until: datetime, whom: Sequence[str]
) -> Shared:
    """The newest draft there is on that day goes to all: names are for now."""
    if whom:
        raise faults.Illegal(f"it would be kept until {until:%Y-%m-%d}, for all who take part then: --now for some")
    cases.change(tx, case.id, share_ordered_by=actor.name)
    cases.set_clock(tx, case.id, DeadlineKind.DRAFT, "ordered", until)
    note(tx, tools, actor, "draft.ordered", case, planned=until)
    return Shared(revision, (), until)


def _chosen(tx: Connection, case: Case, revision: Revision, whom: Sequence[str]) -> list[Participant]:
    had = {one.participant_id for one in drafts.of_case(tx, case.id) if one.revision_id == revision.id}
    if whom:
        chosen = list(dict.fromkeys(taking_part(tx, case, name) for name in whom))
        refused = next(filter(None, (_refusal(case, one, revision, one.id in had) for one in chosen)), None)
        if refused:
            raise faults.Illegal(refused)
        return chosen
    chosen = [p for p in cases.participants_of(tx, [case.id]) if calendar.sees_draft(p) and p.id not in had]
    if not chosen:
        raise faults.Illegal(f"{revision.name} of VU#{case.vu} was shown to everybody who takes part")
    return chosen


def _refusal(case: Case, one: Participant, revision: Revision, had: bool) -> str:  # noqa: FBT001 - one fact of several
    if had:
        return f"{one.name} was shown {revision.name}: `mailrouter note shown {case.vu}` says when"
    if not calendar.sees_draft(one):
        return f"{one.name} was not contacted yet: `mailrouter case notify {case.vu}` first"
    return ""


# ---- who has it ------------------------------------------------------------------------------------------------------


def acknowledged(tools: Tools, actor: Actor, vu: int, whom: str, why: str) -> drafts.ShownDraft:
    """An analyst knows that they have the draft they were shown last. `Illegal` if they were shown none."""
    need_analyst(actor, "recording that a draft was acknowledged")
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        participant = taking_part(tx, case, whom)
        shown = drafts.of_participant(tx, participant.id)
        if not shown:
            raise faults.Illegal(f"{participant.name} was shown no draft: `mailrouter note share {vu}`")
        if shown[-1].acknowledged_at is not None:
            raise faults.Illegal(f"they acknowledged it on {shown[-1].acknowledged_at:%Y-%m-%d}")
        drafts.seen(tx, shown[-1].revision_id, participant.id, tools.now(), actor.name)
        told = {"participant": participant.id, "revision": shown[-1].number, "draft": shown[-1].draft}
        note(tx, tools, actor, "draft.acknowledged", case, **told, why=why)
        return drafts.of_participant(tx, participant.id)[-1]
