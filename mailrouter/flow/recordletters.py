"""Letters to a vendor that is a CNA about its CVE record: please publish it now; it is not there yet."""

from datetime import datetime

from sqlalchemy import Connection

from mailrouter.case import recordclock
from mailrouter.case.actions import Write
from mailrouter.case.formats import cverecord
from mailrouter.case.model import Case, Participant
from mailrouter.flow import letters, publisher
from mailrouter.store import vulnerabilities
from mailrouter.tools import Tools

ASK = "cve-record-ask"
AUTOMATIC = (recordclock.REMINDER,)


def ask(tx: Connection, tools: Tools, case: Case, vendor: Participant, now: datetime) -> int | None:
    """Once for the same IDs; None if that letter exists."""
    return _letter(tx, tools, case, vendor, ASK, "", now)


def automatic(tx: Connection, tools: Tools, case: Case, action: Write, now: datetime) -> int | None:
    """The reminder; None if this rung's letter exists."""
    return _letter(tx, tools, case, action.participant, action.letter, f":{action.since}:{action.rung}", now)


def _letter(
    tx: Connection, tools: Tools, case: Case, vendor: Participant, name: str, step: str, now: datetime
) -> int | None:
    cves = [one.cve for one in unrecorded(tx, case) if one.cve_vendor_id == vendor.organisation_id]
    values = {"cve": ", ".join(cves), "note": cverecord.note_address(case.vu, publisher.of(tools))}
    key = f"{vendor.id}:{name}:{','.join(cves)}{step}"
    return letters.to_participant(tx, tools, case, vendor, letters.Order(name, values, step=key), now)


def unrecorded(tx: Connection, case: Case) -> list[vulnerabilities.Vulnerability]:
    """Those with an ID whose record is not known to be public."""
    return [one for one in vulnerabilities.of_case(tx, case.id) if one.cve and one.record_at is None]
