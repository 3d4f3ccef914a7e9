"""One CVE ID for one vulnerability, out of the service's stock: asked for once, whatever happens on the way.

The service cannot be told "the same as before": each request that reaches it may reserve another ID. So the order is
committed first, and each try before it is made. A try that is not the first looks among the IDs that were reserved
since: one that we know nothing of is what an earlier try was given, since the account is this program's own. An ID that
comes too late for its order is nobody's, and is rejected.

Not promised: an ID that the service reserves only after a later try listed them (its work done a minute late or more)
is not found, unless another order looks back as far; it stays reserved, and only the service's own list shows it.
"""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Connection

from mailrouter import cve, failpoint, faults
from mailrouter.case.model import Case
from mailrouter.flow import act
from mailrouter.flow.act.doing import write
from mailrouter.flow.actor import Actor, case_held
from mailrouter.flow.cves import assigning
from mailrouter.flow.cves.assigning import RESERVED, Source
from mailrouter.store import cves, vulnerabilities
from mailrouter.store.cves import Order
from mailrouter.store.vulnerabilities import Vulnerability
from mailrouter.tools import Tools

SKEW = timedelta(hours=1)  # by which the service's clock may be behind ours

# ---- the order -------------------------------------------------------------------------------------------------------


def order(tools: Tools, actor: Actor, vu: int, number: int | None, why: str = "") -> list[Vulnerability]:
    """An ID is wanted for this vulnerability, or for each of the case that has none; nothing is asked yet.

    `Illegal` while a vendor that is a CNA may assign it, unless `why` says why we do.
    """
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        doing = act.Doing(tx, tools, tools.now(), tools.now(), actor.name, case)
        wanting = [one for one in assigning.chosen(doing, number) if not one.cve]
        if not wanting:
            raise faults.Illegal(f"VU#{vu} has its CVE ID{'' if number else 's'} already: `mailrouter cve show {vu}`")
        if not why:
            _nobody_else_assigns(tx, case, wanting)
        for one in wanting:
            _want(doing, one, why)
        doing.later.write(tx)
    failpoint.reach("cve-after-order")
    return wanting


def _want(doing: act.Doing, one: Vulnerability, why: str) -> None:
    made = cves.want(doing.tx, one.id, cves.RESERVE, doing.now, by=doing.actor, why=why)
    if made is None:
        raise faults.Illegal(
            f"an ID for .{one.number} is asked for already: `mailrouter cve list` shows how far that is"
        )
    if why:
        vulnerabilities.change(doing.tx, one.id, cve_why=why)
    write(doing, doing.case, "cve.wanted", order=made, vulnerability=one.number, why=why)


def _nobody_else_assigns(tx: Connection, case: Case, wanting: Sequence[Vulnerability]) -> None:
    for one in wanting:
        named = [vendor.name for vendor in assigning.assigners(tx, case, one)]
        if named:
            raise faults.Illegal(
                f"{', '.join(named)} can assign a CVE ID for VU#{case.vu}.{one.number} itself: `mailrouter cve ask"
                f" {case.vu}` asks; if it will not, or is silent, say so with --why"
            )


# ---- one try ---------------------------------------------------------------------------------------------------------


def ask(tools: Tools, service: cve.Service, wanted: Order) -> cve.Known:
    """The ID that an earlier try was given, or else a new one. `wanted`: as it was before this try."""
    if wanted.tried_at is not None:
        found = service.reserved_since(wanted.tried_at - SKEW)
        with tools.db.read() as tx:
            lost = cves.unknown(tx, [one.cve for one in found])
        if lost:
            return next(one for one in found if one.cve == lost[0])
    return service.reserve(tools.now().year)


def record(doing: act.Doing, wanted: Order, known: cve.Known) -> None:
    """It is the vulnerability's; or nobody's, when that has another one meanwhile, or its case will have no note."""
    one = vulnerabilities.get(doing.tx, wanted.vulnerability_id)
    if not cves.finish(doing.tx, wanted.id, doing.now, cve=known.cve):
        return  # another node did it, or nobody wants it any more: `sweep` finds what is nobody's
    cves.keep(doing.tx, known.cve, known.reserved_at, doing.now, order_id=wanted.id, vulnerability_id=None)
    told = {"order": wanted.id, "cve": known.cve, "vulnerability": one.number, "tries": wanted.tries + 1}
    write(doing, doing.case, "cve.reserved", **told)
    case = assigning.case_of(doing)
    if one.cve or not case.goes_on or case.not_published_at is not None:
        write(doing, doing.case, "cve.unused", cve=known.cve, vulnerability=one.number)
    else:
        assigning.assign(doing, one, known.cve, Source(RESERVED))
