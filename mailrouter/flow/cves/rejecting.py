"""CVE IDs that we reserved and do not use are given back: an ID that is never rejected stays reserved for ever.

Promises: only what is reserved and nobody's is rejected, and nothing that readers see in a note; what the service has
rejected before is so, whoever asked.
"""

from sqlalchemy import Connection

from mailrouter import cve, faults
from mailrouter.flow import act
from mailrouter.flow.act.doing import write
from mailrouter.flow.actor import Actor, need_analyst
from mailrouter.store import cases, cves, notes, vulnerabilities
from mailrouter.store.cves import CveId, Order
from mailrouter.tools import Tools


def order(tools: Tools, actor: Actor, number: str, why: str) -> None:
    """An analyst gives up an ID that we reserved; its vulnerability has none from then on. `Illegal` once published,
    and while it stands in a note that is.
    """
    need_analyst(actor, "rejecting a CVE ID")
    with tools.db.write() as tx:
        known = _reserved(tx, number)
        doing = _doing(tx, tools, actor.name, known)
        if cves.lock_id(tx, number) != known:
            raise faults.Illegal(
                f"{number} was changed meanwhile: look at it with `mailrouter cve list`, and say it again"
            )
        _in_no_note(tx, number)
        _free(doing, known)
        _want(doing, known, why)
        doing.later.write(tx)


def _reserved(tx: Connection, number: str) -> CveId:
    known = cves.ours(tx, number)
    if known is None:
        raise faults.NotFound(f"{number} is none that the CVE service gave us: `mailrouter cve list` shows those")
    if known.state != "reserved":
        raise faults.Illegal(f"{number} is {known.state}; only a reserved one can be rejected")
    return known


def _in_no_note(tx: Connection, number: str) -> None:
    for shown in notes.naming(tx, number):
        vu = shown.note.vu
        raise faults.Illegal(
            f"{number} stands in the note on VU#{vu} ({shown.name}): give the vulnerability its other ID (`mailrouter"
            f" cve set`) and publish a revision without {number} first; then it is rejected by itself"
        )


def _doing(tx: Connection, tools: Tools, actor: str, known: CveId) -> act.Doing:
    """With the case locked that asked for the ID."""
    one = vulnerabilities.get(tx, _asked_for(tx, known))
    case = cases.lock(tx, [one.case_id])[one.case_id]
    return act.Doing(tx, tools, tools.now(), tools.now(), actor, case)


def _asked_for(tx: Connection, known: CveId) -> int:
    assert known.order_id is not None  # every ID came by an order
    return known.vulnerability_id or cves.get(tx, known.order_id).vulnerability_id


def _free(doing: act.Doing, known: CveId) -> None:
    """It is nobody's."""
    if known.vulnerability_id is None:
        return
    one = vulnerabilities.get(doing.tx, known.vulnerability_id)
    if one.cve == known.cve:
        vulnerabilities.change(doing.tx, one.id, cve="", cve_source="", cve_vendor_id=None)
    for open_order in cves.of_vulnerabilities(doing.tx, [one.id], wanted=True):
        if open_order.what == cves.RECORD:
            cves.finish(doing.tx, open_order.id, doing.now, state=cves.GIVEN_UP)
    cves.change_id(doing.tx, known.cve, doing.now, vulnerability_id=None)
    write(doing, doing.case, "cve.unused", cve=known.cve, vulnerability=one.number)


def _want(doing: act.Doing, known: CveId, why: str) -> None:
    """Once for each ID; while another one of the same vulnerability is being rejected, this one waits for `sweep`."""
    if cves.rejecting(doing.tx, known.cve):
        return
    asked_for = _asked_for(doing.tx, known)
    made = cves.want(doing.tx, asked_for, cves.REJECT, doing.now, by=doing.actor, cve=known.cve, why=why)
    if made is not None:
        write(doing, doing.case, "cve.reject", order=made, cve=known.cve, why=why)


UNUSED, NO_NOTE = "nobody uses it", "the case is not to be published"


def sweep(tools: Tools, actor: str) -> None:
    """Whatever is reserved and unused by now is to be rejected, and what belongs to a case without a note."""
    with tools.db.read() as tx:
        found = [(one.cve, UNUSED) for one in cves.unused(tx) if not cves.rejecting(tx, one.cve)]
        found += [(one.cve, NO_NOTE) for one in cves.of_unpublished(tx)]
    for number, why in found:
        give_back(tools, actor, number, why)


def give_back(tools: Tools, actor: str, number: str, why: str) -> None:
    """It is to be rejected; nothing when it was taken into use since it was found, or while readers see it."""
    with tools.db.write() as tx:
        known = cves.ours(tx, number)
        assert known is not None
        doing = _doing(tx, tools, actor, known)
        now = cves.lock_id(tx, number)
        assert now is not None
        if now.state != "reserved" or _in_use(doing, known, now) or notes.naming(tx, number):
            return
        _free(doing, now)
        _want(doing, now, why)
        doing.later.write(tx)


def _in_use(doing: act.Doing, known: CveId, now: CveId) -> bool:
    """`known`: as it was when its case was chosen to be locked."""
    assert doing.case is not None
    without_note = now.vulnerability_id == known.vulnerability_id and doing.case.not_published_at is not None
    return now.vulnerability_id is not None and not without_note


# ---- one try ---------------------------------------------------------------------------------------------------------


def ask(tools: Tools, service: cve.Service, wanted: Order) -> str:
    """The state in which it is afterwards: rejected; published, by somebody else; reserved, for it is used."""
    with tools.db.read() as tx:
        known = cves.ours(tx, wanted.cve)
        if known is None or known.vulnerability_id is not None or notes.naming(tx, wanted.cve):
            return "reserved"
    state = service.show(wanted.cve).state
    if state == "reserved":
        service.reject(wanted.cve)
        return "rejected"
    return state


def record(doing: act.Doing, wanted: Order, state: str) -> None:
    """It is so; an ID that is used stays, and the order is given up."""
    if state == "reserved":
        cves.finish(doing.tx, wanted.id, doing.now, state=cves.GIVEN_UP)
        return
    cves.finish(doing.tx, wanted.id, doing.now)
    cves.change_id(doing.tx, wanted.cve, doing.now, state=state)
    write(doing, doing.case, "cve.rejected", order=wanted.id, cve=wanted.cve, state=state)
