"""A CVE record as it would be published, checked, and given to nobody."""

from typing import Any

from mailrouter import cve, faults
from mailrouter.case.formats import cverecord
from mailrouter.case.note import Edition
from mailrouter.flow import publisher
from mailrouter.store import cases, notes
from mailrouter.tools import Tools


def built(tools: Tools, vu: int, number: int | None, *, preview: bool = False) -> dict[str, Any]:
    """The CNA container of the last published revision; `preview`: of the newest draft. `NotFound` without one,
    `Refused` when the schema does not allow it, or when it is not said which of several.
    """
    tools.own_key()
    edition = _edition(tools, vu, preview=preview)
    found = [one for one in edition.note.vulnerabilities if number in (None, one.number)]
    if len(found) != 1:
        there = ", ".join(f"VU#{vu}.{one.number}" for one in edition.note.vulnerabilities)
        raise faults.Refused(f"say which: {there}") if found else faults.NotFound(f"the note has: {there or 'none'}")
    container = cverecord.container(edition, found[0], publisher.of(tools))
    cve.check(container)
    return container


def _edition(tools: Tools, vu: int, *, preview: bool) -> Edition:
    with tools.db.read() as tx:
        case = cases.by_vu(tx, vu)
        revision = notes.newest(tx, case.id) if preview else next(iter(reversed(notes.decided(tx, case.id))), None)
        if revision is None:
            what = (
                "draft: `mailrouter note write` writes one"
                if preview
                else "published note: --preview shows its draft's"
            )
            raise faults.NotFound(f"VU#{vu} has no {what}")
        return notes.edition(tx, revision, tools.now())
