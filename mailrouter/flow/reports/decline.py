"""A report is declined: its reporter is told why and what is left to them, its clock ends. One transaction.

Declining is no end: a report that was declined may be accepted later, and the reporter's mail about it is read in
triage as before.
"""

from dataclasses import dataclass, replace

from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.case import decline as rules
from mailrouter.case import vuid
from mailrouter.case.model import Report
from mailrouter.flow import letters, newreport
from mailrouter.flow.actor import Actor, note_report
from mailrouter.flow.reports import triage
from mailrouter.mail import compose
from mailrouter.mail.texts import block
from mailrouter.store import cases, reports
from mailrouter.tools import Tools

DECLINED = "report-declined"


@dataclass(frozen=True, slots=True)
class Declined:
    """What became of it; `letter_id` None: nobody was written to."""

    report: Report
    letter_id: int | None


def decline(tools: Tools, actor: Actor, vrf: str, reason: str, why: str = "", of: str = "", text: str = "") -> Declined:
    """Decline it for a reason of the table. `why` is for us and never leaves; `text` goes into the letter.

    `of`: the report or case that it repeats. `Illegal` when somebody decided before, or the table has no such move.
    """
    wanted = rules.named(reason)
    tools.own_key()  # outside the transaction: it may have to be made
    with tools.db.write() as tx:
        report = triage.undecided(tx, triage.held(tx, vrf))
        original = _original(tx, report, reason, of)
        states = rules.declined(report.rm, reason)
        reports.change(
            tx, report.id, rm=states[-1], decided_at=tools.now(), decided_by=actor.name, reason=reason, why=why,
            duplicate_of_id=original.id if original else None,
        )  # fmt: skip
        newreport.clock_ends(tx, report.id, actor.name, tools.now(), "declined")
        triage.dealt_with(tx, tools, actor, report)
        told_by = triage.owned(tx, actor, report)
        order = _order(wanted, text)
        letter_id = triage.to_reporter(tx, tools, told_by, order) if _is_told(report, wanted) else None
        told = {"states": [report.rm, *states], "reason": reason, "letter": letter_id}
        more = {"of": original.id} if original else {}
        note_report(tx, tools, actor, "report.declined", report, **told, **more, why=why)
        return Declined(reports.get(tx, report.id), letter_id)


def shown(
    tools: Tools, actor: Actor, vrf: str, reason: str, of: str = "", text: str = ""
) -> tuple[str, str, str] | None:
    """To whom it would go, subject and body, as `decline` would send it now; None when it would write to nobody.

    Changes nothing, and refuses what `decline` refuses.
    """
    wanted = rules.named(reason)
    tools.own_key()
    with tools.db.read() as tx:
        report = triage.undecided(tx, reports.by_vrf(tx, vrf))
        _original(tx, report, reason, of)
        rules.declined(report.rm, reason)
        if not _is_told(report, wanted):
            return None
        signed = replace(report, analyst_id=actor.analyst_id or report.analyst_id)
        filled = letters.for_reporter(tx, tools, signed, _order(wanted, text))
        return report.address, compose.subject(filled.subject, report.vrf), filled.body


def _is_told(report: Report, reason: rules.Reason) -> bool:
    """Not of spam, nor who has no address."""
    return bool(reason.because and report.address)


def _order(reason: rules.Reason, text: str) -> letters.Order:
    return letters.Order(DECLINED, words(reason) | {"body": block(text)})


def words(reason: rules.Reason) -> dict[str, str]:
    """What the letter says of a reason."""
    ways = dict(enumerate(reason.can, 1))
    return {"because": reason.because} | {f"way_{n}": ways.get(n, "") for n in range(1, rules.MOST_WAYS + 1)}


def _original(tx: Connection, report: Report, reason: str, of: str) -> Report | None:
    """The report that this one repeats; of a case, the one that led to it."""
    if not of:
        if reason == rules.WITH_ORIGINAL:
            raise faults.Refused(f"say of which report or case it is a {reason}: --of VRF or --of VU")
        return None
    found = _named(tx, of)
    if found is not None and found.id == report.id:
        raise faults.Refused(f"{report.vrf} cannot be a duplicate of itself")
    return found


def _named(tx: Connection, of: str) -> Report | None:
    """`Refused` for what is no number, `NotFound` for one that nobody has; None for a case that no report led to."""
    if vuid.find_vrf(of if "#" in of else f"VRF#{of}"):
        return reports.by_vrf(tx, vuid.parse_vrf_argument(of))
    return reports.that_led_to(tx, cases.by_vu(tx, vuid.parse_argument(of).number).id)
