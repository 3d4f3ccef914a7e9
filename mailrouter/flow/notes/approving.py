"""Approving a draft: another analyst than who wrote any of it and who made it says that exactly this is published."""

from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.case import approvalclock
from mailrouter.case.model import Case, DeadlineKind
from mailrouter.case.note import Vendor
from mailrouter.flow.actor import Actor, case_held, need_analyst, note
from mailrouter.flow.notes import finding
from mailrouter.store import cases, notes, queues
from mailrouter.store.notes import Approval, Revision
from mailrouter.tools import Tools


def approve(
    tools: Tools, actor: Actor, vu: int, number: int | None = None, draft: int | None = None, sha256: str = ""
) -> tuple[Revision, list[Approval]]:
    """Exactly the content they have read. `sha256`: how it begins, `Illegal` when the newest draft has another.

    A note that was published in an emergency is approved afterwards, and its clock ends.
    """
    need_analyst(actor, "approving")
    assert actor.analyst_id is not None
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        found = finding.one(tx, case, number, draft)
        _may(tx, actor, found, sha256.lower())
        _not_their_addendum(tx, actor, found)
        if not notes.approve(tx, found, actor.analyst_id, tools.now()):
            raise faults.Illegal(f"{actor.name} approved {found.name} of the note on VU#{vu} before")
        note(tx, tools, actor, "note.approved", case, revision=found.number, draft=found.draft, sha256=found.sha256)
        approvals = notes.approved(tx, found)
        if found.emergency and len(approvals) >= tools.settings.policy.approvals:
            _approved_afterwards(tx, tools, actor, case, found)
        return found, approvals


def _may(tx: Connection, actor: Actor, one: Revision, sha256: str) -> None:
    if not one.sha256.startswith(sha256):
        raise faults.Illegal(f"{one.name} has the SHA-256 {one.sha256[:16]}…; read it with `mailrouter note show`")
    if actor.name in (one.written_by, one.made_by):
        what = "wrote the text of" if actor.name == one.written_by else "made"
        raise faults.Illegal(f"{actor.name} {what} {one.name}: another analyst approves it")


def _not_their_addendum(tx: Connection, actor: Actor, one: Revision) -> None:
    """What we say of a vendor is text of ours, too: new in this revision, its author has it read by another. No person
    made what the program proposed, so there every addendum counts.
    """
    earlier = [before for before in notes.decided(tx, one.case_id) if before.number < one.number]
    known = earlier[-1].note.vendors if earlier and one.made_by != BY_ITSELF else ()
    read = {vendor.id: _said_of(vendor) for vendor in known}
    theirs = {cases.participant(tx, each.participant_id).organisation_id: each
              for each in notes.added(tx, one.case_id).values()}  # fmt: skip
    for vendor in one.note.vendors:
        said, now = _said_of(vendor), theirs.get(vendor.id)
        if said == NOTHING or said == read.get(vendor.id):
            continue
        if now is None or (one.decided_at is None and said != (now.text, now.links)):
            raise faults.Illegal(f"the addendum about {vendor.name} was changed since: `mailrouter note refresh`")
        if now.updated_by == actor.name:
            raise faults.Illegal(
                f"{actor.name} wrote the addendum about {vendor.name} in {one.name}: another analyst approves it"
            )


BY_ITSELF = "mailrouter"
NOTHING = ("", ())


def _said_of(vendor: Vendor) -> tuple[str, tuple[str, ...]]:
    return vendor.addendum, tuple(vendor.links)


def _approved_afterwards(tx: Connection, tools: Tools, actor: Actor, case: Case, one: Revision) -> None:
    cases.close_clocks(tx, case.id, (DeadlineKind.APPROVAL,), tools.now(), "approved")
    queues.done_below(tx, approvalclock.once(one.id), actor.name, tools.now())
    for left in notes.not_approved(tx, case.id, tools.settings.policy.approvals)[:1]:
        assert left.decided_at is not None
        due_at = left.decided_at + approvalclock.WITHIN
        cases.set_clock(tx, case.id, DeadlineKind.APPROVAL, approvalclock.since(left.id), due_at)


def take_back(tools: Tools, actor: Actor, vu: int) -> Revision:
    """An analyst approves the newest draft no more. `Illegal` once it was decided, or when they never did."""
    need_analyst(actor, "approving")
    assert actor.analyst_id is not None
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        found = finding.one(tx, case)
        if found.decided_at is not None:
            raise faults.Illegal(f"{found.name} of the note on VU#{vu} is published")
        if not notes.unapprove(tx, found.id, actor.analyst_id):
            raise faults.Illegal(f"{actor.name} did not approve {found.name} of the note on VU#{vu}")
        note(tx, tools, actor, "note.unapproved", case, revision=found.number, draft=found.draft, sha256=found.sha256)
        return found
