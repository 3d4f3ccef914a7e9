"""Step 3 of publication: readers have the revision, so everybody may be told. One transaction, done once.

Promises: the case is published, the vulnerability public and the embargo over, in the same commit as the letters that
say so; called again, it does nothing.
"""

from mailrouter import failpoint
from mailrouter.case import casestate, lifecycle
from mailrouter.case.model import Case
from mailrouter.flow import act
from mailrouter.flow.afterwards import telling
from mailrouter.flow.casework import publicity, standings
from mailrouter.flow.cves import records
from mailrouter.flow.embargo import ending
from mailrouter.store import cases, notes
from mailrouter.store.notes import Revision
from mailrouter.tools import Tools


def release(tools: Tools, revision_id: int) -> bool:
    """False when it was released already. The site with this revision must be in its place."""
    tools.own_key()  # letters name it; outside the transaction, it may have to be made
    with tools.db.write() as tx:
        revision = notes.get(tx, revision_id)
        case = cases.lock(tx, [revision.case_id])[revision.case_id]
        if not notes.release(tx, revision_id, tools.now()):
            return False
        doing = act.Doing(tx, tools, tools.now(), tools.now(), revision.decided_by, case)
        _now_published(doing, case)
        _now_public(doing, case, revision)
        edition = notes.edition(tx, revision)
        records.wanted(doing, case, edition)
        telling.published(doing, case, edition)
        standings.write(doing, "note.released", revision=revision.number, sha256=revision.sha256)
        doing.later.write(tx)
        failpoint.reach("publish-before-release")
    return True


def _now_published(doing: act.Doing, case: Case) -> None:
    """Revisions after the first find it published."""
    if "publish" in lifecycle.legal(lifecycle.CASE, case.state):
        cases.change(doing.tx, case.id, state=lifecycle.move(lifecycle.CASE, "publish", case.state))


def _now_public(doing: act.Doing, case: Case, revision: Revision) -> None:
    """The bit is set, every vendor is aware, the embargo is over: of that no letter, the one about the note says so."""
    assert revision.decided_at is not None  # or nobody would release it
    why = f"revision {revision.number} of the note"
    ending.end(doing, case, why, tell=False)
    if case.public_at is None:
        since = min(revision.decided_at, doing.now)  # another node's clock may be ahead of ours
        follows = casestate.sets(cases.get(doing.tx, case.id), "public", since)
        standings.write(doing, "case.state", what="public", since=since, why=why)
        publicity.carry_out(doing, case, follows, since, why)
