"""What the plan makes of mail that is a report, or about one, and of the clock that waits for our decision."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mailrouter.case import plan
from mailrouter.case.actions import File, Finish, Notice
from mailrouter.case.events import About, MailArrived, ReportDue, Routed
from mailrouter.case.model import Deadline, DeadlineKind, Place, Report
from mailrouter.case.policy import Policy
from tests.case.people import NOW, arrived

VRF = "VRF#26-03-BCDFG"
REPORT = Report(
    7, VRF, "RECEIVED", "mail", "", "jo@finder.example", 1, None, "", "", "", False, False, None, "", None, "", None,
    NOW, None, "", "", "", None,
)  # fmt: skip
NO_CASE = {"case": None, "participant": None}
TRIAGE = Routed(place=Place.TRIAGE, why="no VU# in the subject")
ABOUT = Routed(place=Place.TRIAGE, why=f"about {VRF}", report=REPORT)


def filed(event: MailArrived) -> File:
    first = plan.after(event, Policy(), NOW)[0]
    assert isinstance(first, File)
    return first


@pytest.mark.parametrize(
    ("event", "begins"),
    [
        (arrived(**NO_CASE, routed=TRIAGE), True),
        (arrived(**NO_CASE, routed=TRIAGE, kind="auto-reply"), False),
        (arrived(**NO_CASE, routed=TRIAGE, kind="list"), False),
        (arrived(**NO_CASE, routed=TRIAGE, kind="bounce"), False),
        (arrived(**NO_CASE, routed=TRIAGE, doubt="it looks like one"), False),
        (arrived(**NO_CASE, routed=TRIAGE, from_us=True), False),
        (arrived(**NO_CASE, routed=TRIAGE, suspicion="no From"), False),
        (arrived(**NO_CASE, routed=TRIAGE, copy_of=3), False),
        (arrived(**NO_CASE, routed=Routed(place=Place.REVIEW, why="names VU#999999")), False),
        (arrived(**NO_CASE, routed=Routed(place=Place.QUARANTINE, why="beyond a limit")), False),
        (arrived(**NO_CASE, routed=ABOUT), False),
        (arrived(), False),
    ],
)
def test_which_mail_begins_a_report(event: MailArrived, begins: bool) -> None:
    assert filed(event).begins is begins


@pytest.mark.parametrize(
    ("event", "queue", "why"),
    [
        (arrived(**NO_CASE, routed=ABOUT), "triage", f"about {VRF}"),
        (arrived(**NO_CASE, routed=ABOUT, kind="auto-reply"), None, f"about {VRF}, automatic: auto-reply"),
        (arrived(**NO_CASE, routed=ABOUT, kind="auto-reply", doubt="a person may have"), "triage",
         f"about {VRF}, looks automatic: a person may have"),
    ],
)  # fmt: skip
def test_mail_about_a_report_waits_in_triage_unless_a_machine_wrote_it(
    event: MailArrived, queue: str | None, why: str
) -> None:
    assert filed(event) == File(Place.TRIAGE, queue, why, report=REPORT)


def test_a_suspicious_from_joins_nothing() -> None:
    order = filed(arrived(**NO_CASE, routed=ABOUT, suspicion="no From"))
    assert (order.place, order.report) == (Place.REVIEW, None)


def test_triage_hears_that_a_letter_to_a_reporter_came_back_if_that_is_proved() -> None:
    for proved in (True, False):
        event = arrived(**NO_CASE, routed=TRIAGE, kind="bounce", about=About(3, proved, report_id=7))
        notices = [order for order in plan.after(event, Policy(), NOW) if isinstance(order, Notice)]
        assert [(n.queue, n.once, n.report_id) for n in notices] == [("triage", "letter:3:returned", 7)] * proved


@pytest.mark.parametrize("rung", [1, 2])
@pytest.mark.parametrize(
    ("rm", "told"),
    [("RECEIVED", True), ("VALID", True), ("START", True), ("INVALID", False), ("ACCEPTED", False),
     ("DEFERRED", False), ("CLOSED", False)],
)  # fmt: skip
def test_triage_is_reminded_until_it_is_decided(rm: str, told: bool, rung: int) -> None:
    due = Deadline(5, None, None, DeadlineKind.DECISION, "report:7", rung, NOW + timedelta(days=1), report_id=7)
    orders = plan.after(ReportDue(due, replace(REPORT, rm=rm)), Policy(), NOW)
    assert [type(order) for order in orders] == ([Finish, Notice] if told else [Finish])
    if told:
        notice = orders[1]
        assert isinstance(notice, Notice)
        assert (notice.queue, notice.report_id, VRF in notice.why, str(rung) in notice.once) == (
            "triage",
            7,
            True,
            True,
        )
