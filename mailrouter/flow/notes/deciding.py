"""The decision to publish: the gate is passed, or overridden by name, and the newest draft becomes the revision.

Step 1 of three: one transaction with the case locked. What it decides nobody takes back; whoever finds it decided goes
on with the site and the letters (flow/publishing).
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.case import approvalclock, gate, lifecycle
from mailrouter.case.gate import Check
from mailrouter.case.model import Case, DeadlineKind
from mailrouter.flow.actor import Actor, case_held, need_analyst, note
from mailrouter.flow.notes import gating
from mailrouter.store import analysts, cases, notes, queues
from mailrouter.store.notes import Override, Revision
from mailrouter.tools import Tools

BEFORE = (DeadlineKind.PUBLICATION, DeadlineKind.DRAFT, DeadlineKind.ALERT, DeadlineKind.REMINDER)


def decide(tools: Tools, actor: Actor, vu: int, *, overrides: Mapping[str, str], emergency: str = "") -> Revision:
    """The newest draft is published from now on. `overrides`: condition -> why; `emergency`: why it cannot wait for its
    approval, which is then due within a day.

    `Illegal` names every condition that is unmet and not overridden; `Refused` for `approvals` among the overrides
    while another analyst is present: without approval it is an emergency.
    """
    need_analyst(actor, "publishing")
    overridden = gate.overrides(overrides)
    if emergency and "approvals" in overridden:
        raise faults.Refused("approvals: an emergency needs no such override: it is approved afterwards")
    prepared = gating.prepare(tools, vu)
    with tools.db.write() as tx:
        case = _may_be_published(case_held(tx, vu))
        one = _still_newest(tx, case, prepared)
        if not emergency:
            _others_approve(tx, tools, actor, overridden)
        checks = gating.checks(tx, tools, case, prepared)
        unmet = {check.name for check in checks if check.unmet}
        by_name = dict(overridden) | ({"approvals": emergency} if emergency else {})
        if stops := gate.stopping(checks, by_name):
            raise faults.Illegal(_stopped(one, stops))
        hastened = emergency if "approvals" in unmet and emergency else ""
        _override(tx, tools, actor, case, one, {name: why for name, why in overridden.items() if name in unmet})
        _decided(tx, tools, actor, case, one, hastened)
        return notes.get(tx, one.id)


def _may_be_published(case: Case) -> Case:
    """Of a case that rests, only a revision of what is published."""
    if case.published_at is None and "publish" not in lifecycle.legal(lifecycle.CASE, case.state):
        raise faults.Illegal(f"VU#{case.vu} is {case.state}; `mailrouter case reopen {case.vu} --why …` opens it again")
    return case


def _still_newest(tx: Connection, case: Case, prepared: gating.Prepared) -> Revision:
    newest = notes.newest(tx, case.id)
    if newest is None or newest.id != prepared.revision.id:
        raise faults.TryLater(f"another draft of the note on VU#{case.vu} was made just now: read it first")
    if newest.decided_at is not None:
        raise faults.Illegal(
            f"{newest.name} of the note on VU#{case.vu} is published; `mailrouter note write` or `note refresh` makes"
            " the first draft of the next"
        )
    return newest


def _others_approve(tx: Connection, tools: Tools, actor: Actor, overridden: Mapping[str, str]) -> None:
    """Nobody publishes what nobody else read without the others hearing of it, while there is any other."""
    others = [one for one in analysts.everyone(tx) if one.id != actor.analyst_id and not one.away(tools.now())]
    if "approvals" in overridden and tools.settings.policy.approvals and others:
        raise faults.Refused("approvals: use --emergency --why: the others are told at once, and approve within a day")


def _stopped(one: Revision, stops: Sequence[Check]) -> str:
    told = "; ".join(f"{check.name}: {check.unmet}" for check in stops)
    hard = [check.name for check in stops if check.condition.hard]
    how = f"; {', '.join(hard)} cannot be overridden" if hard else "; `--override CONDITION --why …` publishes despite"
    return f"{one.name} is not published. {told}{how}"


def _override(
    tx: Connection, tools: Tools, actor: Actor, case: Case, one: Revision, unmet: Mapping[str, str]
) -> None:  # fmt: skip
    for name, why in unmet.items():
        notes.override(tx, Override(one.id, name, why, actor.name, tools.now()))
        note(tx, tools, actor, "note.override", case, revision=one.number, condition=name, why=why)


def _decided(tx: Connection, tools: Tools, actor: Actor, case: Case, one: Revision, emergency: str) -> None:
    now, needed = tools.now(), tools.settings.policy.approvals
    waiting = notes.not_approved(tx, case.id, needed)
    notes.decide(tx, one.id, actor.name, now, emergency)
    if case.published_at is None:
        cases.change(tx, case.id, published_at=now)
        cases.close_clocks(tx, case.id, BEFORE, now, "published")
    approvals = [approval.analyst for approval in notes.approved(tx, one)]
    note(tx, tools, actor, "note.decided", case, revision=one.number, draft=one.draft, sha256=one.sha256,
         approved_by=approvals, emergency=emergency)  # fmt: skip
    if waiting and not notes.not_approved(tx, case.id, needed):
        cases.close_clocks(tx, case.id, (DeadlineKind.APPROVAL,), now, "a later revision was approved")
        for earlier in waiting:
            queues.done_below(tx, approvalclock.once(earlier.id), actor.name, now)
    if emergency:
        if not waiting:  # else its clock goes on, and then comes to this one
            cases.set_clock(tx, case.id, DeadlineKind.APPROVAL, approvalclock.since(one.id), now + approvalclock.WITHIN)
        _tell_all(tx, tools, actor, case, one)


def _tell_all(tx: Connection, tools: Tools, actor: Actor, case: Case, one: Revision) -> None:
    """At once: whoever reads it first approves, or corrects it."""
    why = (
        f"revision {one.number} of VU#{case.vu} was published in an emergency, before it was approved: read it, then "
        f"`mailrouter note approve VU#{case.vu} --revision {one.number} --draft {one.draft} --sha256 {one.sha256[:16]}`"
    )
    for analyst in analysts.everyone(tx):
        if analyst.id != actor.analyst_id:
            once = f"{approvalclock.once(one.id)}{analyst.queue}"
            queues.add_notice(tx, analyst.queue, why, tools.now(), once=once, case_id=case.id)
