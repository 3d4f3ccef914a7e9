"""What somebody still has to do in a case: said before it is closed, and looked at before it closes by itself."""

from collections.abc import Iterator

from sqlalchemy import Connection

from mailrouter.case import model
from mailrouter.case.model import Case, DeadlineKind, Waiting
from mailrouter.store import cases, cves, notes, outbox, proposals, statements, vulnerabilities


def still_open(tx: Connection, case: Case) -> list[str]:
    """All of it, counted, in words; [] when nothing is."""
    everyone = cases.participants_of(tx, [case.id])
    records, orders = _cves(tx, case)
    counted = (
        (outbox.held(tx, case.id), "letter", "held"),
        (sum(one.waiting_on is Waiting.US for one in everyone), "participant", "waiting on us"),
        (len(model.waiting(statements.of_case(tx, case.id))), "statement", "held"),
        (len(proposals.listed(tx, case.id)), "proposal", "undecided"),
        (_unapproved(tx, case), "statement", "not approved"),
        (records, "CVE record", "not public"),
        (orders, "CVE order", "open"),
    )
    found = [f"{number} {what}{'' if number == 1 else 's'} {how}" for number, what, how in counted if number]
    return [*found, *_note(tx, case), *_approval(tx, case)]


def _unapproved(tx: Connection, case: Case) -> int:
    """Of a published case: they came too late to be looked at with the rest."""
    standing = [one for one in statements.of_case(tx, case.id) if one.stands and one.approved_at is None]
    return len(standing) if case.is_published else 0


def _note(tx: Connection, case: Case) -> Iterator[str]:
    newest = notes.newest(tx, case.id)
    if newest is not None and newest.decided_at is not None and newest.released_at is None:
        yield f"{newest.name} not published as yet"
    if case.published_at is not None and newest is not None and newest.decided_at is None:
        yield f"{newest.name} undecided"
    if case.first_contact_at is not None and case.published_at is None and case.not_published_at is None:
        yield "no note, and no decision not to publish"


def _cves(tx: Connection, case: Case) -> tuple[int, int]:
    """Of a published case: records that nobody knows to be public, and what the CVE service is still to do."""
    if not case.is_published:
        return 0, 0
    known = vulnerabilities.of_case(tx, case.id)
    wanted = cves.of_vulnerabilities(tx, [one.id for one in known], wanted=True)
    return sum(bool(one.cve) and one.record_at is None for one in known), len(wanted)


def _approval(tx: Connection, case: Case) -> Iterator[str]:
    """What was published in an emergency is approved afterwards: its clock ends with that."""
    open_ = {one.kind for one in cases.deadlines_of(tx, case.id) if one.done_at is None}
    if DeadlineKind.APPROVAL in open_:
        yield "the approval of what was published in an emergency"
