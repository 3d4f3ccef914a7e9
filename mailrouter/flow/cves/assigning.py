"""A vulnerability has a CVE ID from now on: the vendor's, one we reserved, or one that was typed in.

Promises: everything in the caller's transaction, with the case locked. Whoever takes part and was written to is told
once of each change. What we reserved and do not use is nobody's, and is rejected (rejecting.py).
"""

from dataclasses import dataclass

from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.case import cveid
from mailrouter.case.answers import What
from mailrouter.case.model import Case, Participant
from mailrouter.case.status import NOT_AFFECTED
from mailrouter.flow import act
from mailrouter.flow.act.doing import write
from mailrouter.flow.actor import Actor, case_held, taking_part
from mailrouter.flow.afterwards import revising
from mailrouter.flow.cves import telling
from mailrouter.store import cases, contacts, cves, proposals, vulnerabilities
from mailrouter.store.vulnerabilities import Vulnerability
from mailrouter.tools import Tools

VENDOR, RESERVED, TYPED_IN = "vendor", "reserved", "typed in"


@dataclass(frozen=True, slots=True)
class Source:
    """Where an ID comes from."""

    kind: str  # vendor | reserved | typed in
    vendor_id: int | None = None  # the organisation whose record it is
    told: tuple[tuple[str, object], ...] = ()  # what else the journal says of it


def chosen(doing: act.Doing, number: int | None) -> list[Vulnerability]:
    """The one of that number, or all of the case; `NotFound` names those there are."""
    assert doing.case is not None
    known = vulnerabilities.of_case(doing.tx, doing.case.id)
    found = [one for one in known if number in (None, one.number)]
    if not found:
        there = ", ".join(f"VU#{doing.case.vu}.{one.number}" for one in known)
        raise faults.NotFound(f"no vulnerability VU#{doing.case.vu}.{number}; there are: {there}")
    return found


def the_one(doing: act.Doing, number: int | None) -> Vulnerability:
    """The one of that number, or the only one; `Refused` when it is not said which of several."""
    found = chosen(doing, number)
    if len(found) > 1:
        assert doing.case is not None
        names = ", ".join(f"VU#{doing.case.vu}.{one.number}" for one in found)
        raise faults.Refused(f"say which: {names}")
    return found[0]


def assigners(tx: Connection, case: Case, one: Vulnerability) -> list[Participant]:
    """The vendors of the case that are CNAs, and do not say that this is none of theirs (DOMAIN.md, process 9)."""
    said = {s.participant_id: s.status for s in vulnerabilities.statuses(tx, [case.id]) if s.number == one.number}
    return [
        vendor
        for vendor in cases.participants_of(tx, [case.id])
        if vendor.is_vendor and vendor.takes_part and said.get(vendor.id) != NOT_AFFECTED
        and contacts.get(tx, vendor.organisation_id).cna
    ]  # fmt: skip


def type_in(
    tools: Tools, actor: Actor, vu: int, number: int | None, cve: str, *, by: str = "", anyway: bool = False
) -> Vulnerability:
    """An analyst says which ID it has; `by`: the vendor that assigned it. `Illegal` when another case has it."""
    tools.own_key()
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        doing = act.Doing(tx, tools, tools.now(), tools.now(), actor.name, case)
        vendor = taking_part(tx, case, by) if by else None
        one = the_one(doing, number)
        if not anyway:
            _nobody_elses(doing, one, cve)
        evidence = (("by_mail", dict(actor.by_mail)),) if actor.by_mail else ()
        assign(doing, one, cve, _source(doing, cve, vendor, evidence))
        for participant in cases.participants_of(tx, [case.id]):
            proposals.settle(tx, participant.id, [What.CVE], actor.name, doing.now, (0, one.number))
        doing.later.write(tx)
        revising.look(tx, tools, case, f"vulnerability:{one.id}", actor.name)
        return vulnerabilities.get(tx, one.id)


def _source(
    doing: act.Doing, cve: str, vendor: Participant | None, told: tuple[tuple[str, object], ...]
) -> Source:  # fmt: skip
    """What we reserved is ours, whoever names it: its record is for us to write."""
    if cves.ours(doing.tx, cveid.read(cve)) is not None:
        return Source(RESERVED, None, told)
    return Source(VENDOR, vendor.organisation_id, told) if vendor else Source(TYPED_IN, None, told)


def _nobody_elses(doing: act.Doing, one: Vulnerability, cve: str) -> None:
    for other in vulnerabilities.with_cve(doing.tx, cve):
        if other.id != one.id:
            where = cases.get(doing.tx, other.case_id)
            raise faults.Illegal(f"VU#{where.vu}.{other.number} has {cve} already; `--anyway` gives it to both")


def assign(doing: act.Doing, one: Vulnerability, cve: str, source: Source) -> None:
    """From now on it has this ID; who has to know is told. `Illegal` when it has it, or its record is public."""
    cve = cveid.read(cve)
    if one.cve == cve:
        raise faults.Illegal(f"it has {cve} already")
    if one.record_at is not None:
        raise faults.Illegal(f"the record of {one.cve} is public; that ID stays")
    known = cves.lock_id(doing.tx, cve)
    if known is not None and known.state == "rejected":
        raise faults.Illegal(f"{cve} was rejected: it cannot be used any more")
    _leave(doing, one)
    if known is not None:
        _use(doing, known, one)
    vulnerabilities.change(
        doing.tx, one.id, cve=cve, cve_source=source.kind, cve_vendor_id=source.vendor_id, record_at=None
    )
    told = {"vulnerability": one.number, "cve": cve, "was": one.cve, "source": source.kind}
    write(doing, doing.case, "cve.assigned", **told, vendor=source.vendor_id, **dict(source.told))
    _no_longer_wanted(doing, one, cve)
    telling.assigned(doing, was=one.cve)
    revising.look(doing.tx, doing.tools, case_of(doing), f"vulnerability:{one.id}", doing.actor)


def _leave(doing: act.Doing, one: Vulnerability) -> None:
    """An ID we reserved for it is nobody's now."""
    before = cves.ours(doing.tx, one.cve) if one.cve else None
    if before is not None and before.vulnerability_id == one.id:
        cves.change_id(doing.tx, before.cve, doing.now, vulnerability_id=None)
        write(doing, doing.case, "cve.unused", cve=before.cve, vulnerability=one.number)


def _use(doing: act.Doing, known: cves.CveId, one: Vulnerability) -> None:
    """One of ours that nobody used is used after all; that it was to be rejected is off, unless it was tried."""
    if known.vulnerability_id not in (None, one.id):
        return  # two cases with one ID: it stays with the first
    for order in cves.rejecting(doing.tx, known.cve):
        if order.tried_at is not None:
            raise faults.Illegal(f"{known.cve} is being rejected; reserve another one")
        cves.finish(doing.tx, order.id, doing.now, state=cves.GIVEN_UP)
    cves.change_id(doing.tx, known.cve, doing.now, vulnerability_id=one.id)


def _no_longer_wanted(doing: act.Doing, one: Vulnerability, cve: str) -> None:
    """Orders about another ID, or for one, end: but one that was tried may have been carried out, and goes on."""
    for order in cves.of_vulnerabilities(doing.tx, [one.id], wanted=True):
        about_another = order.what in (cves.RECORD, cves.LOOK) and order.cve != cve
        if about_another or (order.what == cves.RESERVE and order.tried_at is None):
            cves.finish(doing.tx, order.id, doing.now, state=cves.GIVEN_UP)


def as_said(doing: act.Doing, vendor: Participant, number: int, cve: str, proposal: int, *, by_itself: bool) -> None:
    """As a vendor's mail says. By itself only what a CNA says of a vulnerability of its own that has no ID yet;
    `Illegal` for all else then, and always for an ID that another case has.
    """
    one = the_one(doing, number or None)
    _nobody_elses(doing, one, cve)
    if by_itself and (one.cve or vendor.id not in [able.id for able in assigners(doing.tx, case_of(doing), one)]):
        raise faults.Illegal(f"{vendor.name} is not known to assign it: a person decides")
    if by_itself and cves.ours(doing.tx, cveid.read(cve)) is not None:
        raise faults.Illegal(f"{cve} is one that we reserved: a person decides")
    assign(doing, one, cve, _source(doing, cve, vendor, (("proposal", proposal),)))


@dataclass(frozen=True, slots=True)
class Problem:
    """What a record says of a vulnerability besides the note; None: as it was."""

    cwe: str | None = None
    cvss: str | None = None
    text: str | None = None


def describe(tools: Tools, actor: Actor, vu: int, number: int | None, problem: Problem) -> Vulnerability:
    """What kind of weakness it is, how grave, in which words."""
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        doing = act.Doing(tx, tools, tools.now(), tools.now(), actor.name, case)
        one = the_one(doing, number)
        columns = {
            name: value
            for name, value in (("cwe", problem.cwe), ("cvss", problem.cvss), ("text", problem.text))
            if value is not None
        }
        vulnerabilities.change(tx, one.id, **columns)
        told = {name: value for name, value in columns.items() if name != "text"}
        write(doing, case, "cve.problem", vulnerability=one.number, changed=sorted(columns), **told)
        doing.later.write(tx)
        return vulnerabilities.get(tx, one.id)


def case_of(doing: act.Doing) -> Case:
    """The case all this is about."""
    assert doing.case is not None
    return doing.case
