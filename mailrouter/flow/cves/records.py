"""CVE records: published after the note and never before it, within 24 hours; the same again changes nothing.

What is to be published is frozen with its order. A revision of the note orders the record anew, and what the service
has already is put in its place. Of a record that a vendor writes itself we ask it, and look whether it is there.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from mailrouter import cve, faults
from mailrouter.case import recordclock
from mailrouter.case.formats import cverecord
from mailrouter.case.model import Case, DeadlineKind
from mailrouter.case.note import Edition
from mailrouter.case.note import Vulnerability as Shown
from mailrouter.flow import act, publisher, recordletters
from mailrouter.flow.act.doing import write
from mailrouter.flow.actor import Actor, case_held
from mailrouter.flow.cves import assigning
from mailrouter.store import cases, cves, notes, vulnerabilities
from mailrouter.store.cves import Order
from mailrouter.store.vulnerabilities import Vulnerability
from mailrouter.tools import Tools

# ---- what is wanted --------------------------------------------------------------------------------------------------


def wanted(doing: act.Doing, case: Case, edition: Edition) -> None:
    """Called where a revision is released: each record of ours is ordered, each CNA vendor is asked for its own."""
    known = {one.number: one for one in vulnerabilities.of_case(doing.tx, case.id)}
    about = [(known[shown.number], shown) for shown in edition.note.vulnerabilities if shown.number in known]
    for one, shown in about:
        if shown.cve and shown.cve == one.cve:
            _want(doing, case, edition, one, shown)
    if any(one.cve and one.record_at is None for one, _ in about):
        since = f"revision:{edition.number}"
        cases.set_clock(doing.tx, case.id, DeadlineKind.RECORD, since, doing.now + recordclock.FIRST_DUE)


def _want(doing: act.Doing, case: Case, edition: Edition, one: Vulnerability, shown: Shown) -> None:
    mine = cves.ours(doing.tx, one.cve)
    if mine is not None and mine.vulnerability_id == one.id:
        frozen = _as_kept(cverecord.container(edition, shown, publisher.of(doing.tools)))
        _order_record(doing, case, one, frozen)
    elif one.record_at is None:
        cves.want(doing.tx, one.id, cves.LOOK, doing.now, by=doing.actor, cve=one.cve)
        _ask_the_vendor(doing, case, one)


def _order_record(doing: act.Doing, case: Case, one: Vulnerability, frozen: str) -> None:
    """Anew, unless it says what was published last; one that still waits is overtaken."""
    before = cves.last_done(doing.tx, one.id, cves.RECORD)
    waiting = cves.open_order(doing.tx, one.id, cves.RECORD)
    if waiting is not None:
        cves.finish(doing.tx, waiting.id, doing.now, state=cves.GIVEN_UP)
    elif before is not None and (before.cve, before.record) == (one.cve, frozen):
        return
    made = cves.want(doing.tx, one.id, cves.RECORD, doing.now, by=doing.actor, cve=one.cve, record=frozen)
    write(doing, case, "cve.record-wanted", order=made, cve=one.cve, vulnerability=one.number)


def _ask_the_vendor(doing: act.Doing, case: Case, one: Vulnerability) -> None:
    for vendor in cases.participants_of(doing.tx, [case.id]):
        if one.cve_vendor_id == vendor.organisation_id and vendor.takes_part:
            letter_id = recordletters.ask(doing.tx, doing.tools, case, vendor, doing.now)
            if letter_id is not None:
                write(doing, case, "letter.queued", letter=letter_id, name=recordletters.ASK, participant=vendor.id)


def _as_kept(container: Mapping[str, Any]) -> str:
    """Canonical ASCII JSON: the same record is the same text."""
    return json.dumps(container, sort_keys=True, separators=(",", ":"))


# ---- one try ---------------------------------------------------------------------------------------------------------


def ask(_tools: Tools, service: cve.Service, order: Order) -> None:
    """Afterwards the service has this record, whatever it had before. `faults.Refused` for one that is not valid."""
    container = json.loads(order.record)
    cve.check(container)
    there = service.record(order.cve)
    if there is None:
        service.publish(order.cve, container)
    elif any(there.get(name) != value for name, value in container.items()):
        service.update(order.cve, container)


def record(doing: act.Doing, order: Order, _answer: None) -> None:
    """It is public."""
    cves.finish(doing.tx, order.id, doing.now)
    cves.change_id(doing.tx, order.cve, doing.now, state="published")
    _public(doing, vulnerabilities.get(doing.tx, order.vulnerability_id), order.cve, order=order.id)


def look(_tools: Tools, service: cve.Service, order: Order) -> bool:
    """Whether a record that is not ours is public."""
    return service.record(order.cve) is not None


def seen(doing: act.Doing, order: Order, there: bool) -> None:  # noqa: FBT001 - what looking answered
    """It is public; or it is looked for again in an hour."""
    if not there:
        cves.change(doing.tx, order.id, not_before=doing.now + timedelta(hours=1))
        return
    cves.finish(doing.tx, order.id, doing.now)
    _public(doing, vulnerabilities.get(doing.tx, order.vulnerability_id), order.cve, order=order.id)


def _public(doing: act.Doing, one: Vulnerability, number: str, **told: Any) -> None:
    if one.cve != number or one.record_at is not None:
        write(doing, doing.case, "cve.record", cve=number, vulnerability=one.number, **told)
        return
    vulnerabilities.change(doing.tx, one.id, record_at=doing.now)
    write(doing, doing.case, "cve.record", cve=number, vulnerability=one.number, **told)
    case = assigning.case_of(doing)
    if not recordletters.unrecorded(doing.tx, case):
        cases.close_clocks(doing.tx, case.id, [DeadlineKind.RECORD], doing.now, "public")


# ---- commands --------------------------------------------------------------------------------------------------------


def order_now(tools: Tools, actor: Actor, vu: int) -> list[Order]:
    """The records of the last revision that readers have, ordered (again). `Illegal` before there is one."""
    tools.own_key()
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        doing = act.Doing(tx, tools, tools.now(), tools.now(), actor.name, case)
        released = [one for one in notes.decided(tx, case.id) if one.released_at is not None]
        if not released:
            raise faults.Illegal(f"the note of VU#{vu} is not published; a CVE record is never the first publication")
        wanted(doing, case, notes.edition(tx, released[-1]))
        ids = [one.id for one in vulnerabilities.of_case(tx, case.id)]
        open_orders = [one for one in cves.of_vulnerabilities(tx, ids, wanted=True) if one.what == cves.RECORD]
        for one in open_orders:
            cves.change(tx, one.id, not_before=None)
        doing.later.write(tx)
        return open_orders


def recorded(tools: Tools, actor: Actor, vu: int, number: int | None) -> Vulnerability:
    """An analyst saw that the record is public. `Illegal` without an ID, or when it is known; and while the world knows
    nothing of it: the ID could be mended no more.
    """
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        doing = act.Doing(tx, tools, tools.now(), tools.now(), actor.name, case)
        one = assigning.the_one(doing, number)
        if not one.cve or one.record_at is not None:
            why = f"the record of {one.cve} is known to be public" if one.cve else "it has no CVE ID"
            raise faults.Illegal(f"VU#{vu}.{one.number}: {why}")
        if case.published_at is None and case.public_at is None:
            why = f"its note is not published; is the vulnerability public, `mailrouter case public {vu}` says so first"
            raise faults.Illegal(f"VU#{vu}.{one.number}: {why}")
        for order in cves.of_vulnerabilities(tx, [one.id], wanted=True):
            if order.what == cves.LOOK:
                cves.finish(tx, order.id, doing.now, state=cves.GIVEN_UP)
        _public(doing, one, one.cve, seen_by=actor.name)
        doing.later.write(tx)
        return vulnerabilities.get(tx, one.id)


def unrecorded(tools: Tools, actor: Actor, vu: int, number: int | None, why: str) -> Vulnerability:
    """It was a mistake: nobody knows that it is public. `Illegal` when nobody said so, or the CVE service did.

    After publication it is looked for, and reminded of, again.
    """
    tools.own_key()
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        doing = act.Doing(tx, tools, tools.now(), tools.now(), actor.name, case)
        one = assigning.the_one(doing, number)
        done = [cves.last_done(tx, one.id, what) for what in (cves.RECORD, cves.LOOK)]
        if one.record_at is None or any(order is not None and order.cve == one.cve for order in done):
            what = f"the CVE service has the record of {one.cve}" if one.record_at else "nobody said that it is public"
            raise faults.Illegal(f"VU#{vu}.{one.number}: {what}")
        vulnerabilities.change(tx, one.id, record_at=None)
        write(doing, case, "cve.record-undone", cve=one.cve, vulnerability=one.number, why=why)
        released = [revision for revision in notes.decided(tx, case.id) if revision.released_at is not None]
        if released:
            wanted(doing, case, notes.edition(tx, released[-1]))
        doing.later.write(tx)
        return vulnerabilities.get(tx, one.id)
