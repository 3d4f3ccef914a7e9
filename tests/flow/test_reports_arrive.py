"""Reports as they come in: by mail or typed in, numbered at once, with a clock that waits for our decision."""

import re
from datetime import timedelta

import pytest
from sqlalchemy.event import listen

from mailrouter import faults
from mailrouter.case.model import Report
from mailrouter.flow.arriving import receive
from mailrouter.flow.filing import file
from mailrouter.flow.reports import accept, reported
from mailrouter.mail import reportform
from mailrouter.store import journal, reports, tables
from tests.flow.world import PSIRT, VU, MakeWorld, World

JO = "jo@finder.example"
FORM = (
    reportform.template()
    .replace("Product and version:", "Product and version: AX-7 2.1")
    .replace("Public (yes or no):", "Public (yes or no): no")
    .replace("Exploited (yes or no):", "Exploited (yes or no): yes, we saw it")
    .replace("Credit me in the note (yes or no):", "Credit me in the note (yes or no): yes")
)
GRAMMAR = re.compile(r"VRF#26-03-[BCDFGHJKLMNPQRSTVWXYZ]{5}")


def chain(world: World, report: Report) -> list[str]:
    """What happened to a report."""
    with world.look() as tx:
        return [entry.kind for entry in journal.entries(tx, journal.report_chain(report.id))]


def test_a_persons_mail_without_a_number_is_a_report(world: World) -> None:
    came = world.fed(world.mail(JO, "Overflow in the AX-7", FORM.replace("\n", "\r\n")))
    report = world.report()
    assert GRAMMAR.fullmatch(report.vrf)
    assert (report.rm, report.source, report.title, report.address, report.message_id, report.case_id) == (
        "RECEIVED", "mail", "Overflow in the AX-7", JO, came.id, None,
    )  # fmt: skip
    assert (report.public, report.exploited, report.credit, report.share_name) == ("no", "yes", True, False)
    assert (came.place, came.report_id, came.why) == ("triage", report.id, f"new report {report.vrf}")
    [waits] = world.queue("triage")
    assert (waits.item.kind, waits.item.report_id, waits.item.why) == ("mail", report.id, came.why)
    assert chain(world, report) == ["report.received", "mail.triage"]
    assert world.breaks() == []
    assert world.books().triage == 1
    read = reported.read(world.tools, report)
    assert read.filled.fields["product"] == "AX-7 2.1"


def test_triage_is_reminded_at_half_of_the_time_and_at_its_end(world: World) -> None:
    world.feed(world.mail(JO, "Overflow"))
    report = world.report()
    with world.look() as tx:
        due = [(d.rung, d.due_at - report.received_at) for d in reports.deadlines_of(tx, report.id)]
    assert due == [(1, timedelta(hours=24)), (2, timedelta(hours=48))]
    world.day(0.9)
    assert world.beat() == []
    for day, told in ((1.1, 1), (1.2, 1), (2.1, 2), (3, 2)):
        world.day(day)
        world.beat()
        reminded = [s for s in world.queue("triage") if s.item.kind == "notice"]
        assert [(s.item.report_id, report.vrf in s.item.why) for s in reminded] == [(report.id, True)] * told
    assert world.letters() == []


NONE = {
    "a machine": {"sender": JO, "headers": ("Auto-Submitted: auto-generated",)},
    "a list": {"sender": JO, "headers": ("List-Id: <l.example>",)},
    "a malformed From": {"sender": f"{JO}, eve@evil.example"},
    "one of us, unproved": {"sender": "alice@cert.example"},
    "a case": {"sender": PSIRT, "subject": f"VU#{VU}"},
    "no case here": {"sender": JO, "subject": "VU#999999"},
    "beyond a limit": {"sender": JO, "body": "x" * 10, "headers": ("Content-Type: message/external-body",)},
}


@pytest.mark.parametrize("name", NONE)
def test_what_is_no_report(world: World, name: str) -> None:
    world.vendor_case()
    given = {"subject": "Hello", "body": "x\r\n", "headers": (), **NONE[name]}
    came = world.fed(world.mail(given["sender"], given["subject"], given["body"], *given["headers"]))
    assert (world.reports(), came.report_id) == ([], None)


def test_our_own_staff_reports_nothing_even_when_proved(world: World) -> None:
    world.with_trust(authserv_id="mx.cert.example")
    proved = "Authentication-Results: mx.cert.example; dmarc=pass header.from=cert.example"
    came = world.fed(world.mail("alice@cert.example", "lunch", "x\r\n", proved))
    assert (came.place, came.report_id, world.reports()) == ("triage", None, [])


def test_one_report_however_often_the_mail_is_looked_at(world: World) -> None:
    first = world.fed(world.mail(JO, "Overflow"))
    world.feed(world.mail(JO, "Overflow", message_id="copy@x.example"))
    file.retry(world.tools, world.alice, first.id)
    while receive.work(world.tools):
        pass
    [one, other] = world.reports()
    assert (one.message_id, one.rm, other.vrf != one.vrf) == (first.id, "RECEIVED", True)
    assert [s.item.report_id for s in world.queue("triage")] == [other.id, one.id]
    assert chain(world, one) == ["report.received", "mail.triage", "mail.triage"]
    assert world.books().triage == 2


def test_what_goes_on_from_it_in_the_same_batch_is_about_it(world: World) -> None:
    more = world.mail(JO, "and", "x\r\n", "In-Reply-To: <first@finder.example>")
    world.feed(world.mail(JO, "Overflow", message_id="first@finder.example"), more)
    assert [m.report_id for m in world.everything()] == [world.report().id] * 2


def test_filing_its_mail_with_a_case_ends_it(world: World) -> None:
    world.vendor_case()
    by_participant, by_hand = world.fed(world.mail(PSIRT, "hello")), world.fed(world.mail(JO, "more of the same"))
    for one in (by_participant, by_hand):
        file.route(world.tools, world.alice, one.id, VU)
    world.day(3)
    world.beat()
    for report in world.reports():
        assert (report.rm, report.case_id, report.decided_by) == ("CLOSED", world.messages()[0].case_id, "alice")
        assert chain(world, report)[-1] == "report.closed"
    assert world.queue("triage") == []
    assert world.letters("acknowledgement") == []
    assert world.breaks() == []


def test_a_report_that_an_analyst_types_in(world: World) -> None:
    world.with_policy(acknowledge_hours=24)
    made = reported.add(world.tools, world.alice, FORM, JO)
    assert (made.rm, made.source, made.title, made.address, made.exploited) == (
        "RECEIVED",
        "file",
        "AX-7 2.1",
        JO,
        "yes",
    )
    assert reported.read(world.tools, made).filled.credit
    [waits] = world.queue("triage")
    assert (waits.item.kind, waits.item.report_id, waits.item.why) == ("notice", made.id, f"new report {made.vrf}")
    [told] = world.letters("acknowledgement")
    assert (told.recipient, told.report_id) == (JO, made.id)
    assert made.vrf in told.subject
    assert made.vrf in told.body
    nobody = reported.add(world.tools, world.alice, "it crashes\n", title="A crash")
    assert (nobody.title, nobody.address, len(world.letters())) == ("A crash", "", 1)
    assert chain(world, made) == ["report.received"]


def test_a_mail_that_lies_in_review_may_be_taken_for_one(worlds: MakeWorld) -> None:
    """Under the number that it was given with its acknowledgement, or under a new one."""
    world = worlds(POLICY__ACKNOWLEDGE_HOURS="24")
    numbered = world.fed(world.mail(JO, "VU#999999 is not all", "Public: yes\r\n"))
    unnumbered = world.fed(world.mail(JO, "VU#999999 again"))
    number = world.report()
    assert (number.rm, number.message_id, number.address, number.title) == ("START", numbered.id, JO, "")
    taken = [reported.take(world.tools, world.alice, one.id) for one in (numbered, unnumbered)]
    assert [r.rm for r in taken] == ["RECEIVED", "RECEIVED"]
    assert (taken[0].id, taken[0].public, taken[0].title) == (number.id, "yes", "VU#999999 is not all")
    assert [(s.item.report_id, s.item.kind) for s in world.queue("triage")] == [(r.id, "mail") for r in taken]
    assert world.queue("review") == []
    assert (world.books().triage, world.books().review) == (2, 0)
    with pytest.raises(faults.Illegal, match=f"belongs to {taken[0].vrf} already"):
        reported.take(world.tools, world.alice, numbered.id)
    assert world.breaks() == []


def test_an_encrypted_report_is_read_before_it_is_judged(world: World) -> None:
    inner = "Content-Type: text/plain; charset=utf-8\r\n\r\n" + FORM.replace("\n", "\r\n")
    came = world.fed(world.encrypted(inner.encode(), "...", sender=JO))
    report = world.report()
    assert (report.exploited, report.credit, came.decrypted) == ("yes", True, "ok")
    assert reported.read(world.tools, report).filled.fields["product"] == "AX-7 2.1"
    with world.look() as tx:
        assert "AX-7" not in repr(tx.execute(tables.reports.select()).all())


# ---- what comes next about a report ----------------------------------------------------------------------------------


def test_its_reporters_later_mail_joins_it_by_number_or_thread(worlds: MakeWorld) -> None:
    world = worlds(POLICY__ACKNOWLEDGE_HOURS="24")
    world.feed(world.mail(JO, "Overflow", message_id="first@finder.example"))
    report = world.report()
    [ack] = world.letters("acknowledgement")
    later = [
        world.mail("Jo <JO@finder.example>", f"Re: [{report.vrf.lower()}] more"),
        world.mail(JO, "more", "x\r\n", f"In-Reply-To: {ack.message_id}"),
        world.mail(JO, "more", "x\r\n", "References: <other@x.example> <first@finder.example>"),
        world.mail("jo.doe@finder.example", "from my other address", "x\r\n", f"In-Reply-To: {ack.message_id}"),
    ]
    for mail in later:
        came = world.fed(mail)
        assert (came.place, came.report_id, came.why) == ("triage", report.id, f"about {report.vrf}")
        assert (came.standing, came.case_id) == ("claimed", None)
    assert [s.item.report_id for s in world.queue("triage")] == [report.id] * 5
    assert chain(world, report) == ["report.received", *["mail.triage"] * 5]
    assert len(world.reports()) == 1
    assert world.books().triage == 5


def test_a_number_routes_and_never_authorises(worlds: MakeWorld) -> None:
    world = worlds(POLICY__ACKNOWLEDGE_HOURS="0")
    world.feed(world.mail(JO, "Overflow", message_id="first@finder.example"))
    world.feed(world.mail("ann@other.example", "Another", message_id="second@other.example"))
    report, other = world.reports()
    world.vendor_case()
    eve = "eve@evil.example"
    refused = {
        world.mail(eve, f"Re: [{report.vrf}]"): "is not from who reported it",
        world.mail("eve@finder.example", f"Re: [{report.vrf}]"): "is not from who reported it",
        world.mail(f"{JO}, {eve}", f"Re: [{report.vrf}]", reverse_path=JO): "From is malformed",
        world.mail(JO, "VRF#26-03-BCDFG"): "names VRF#26-03-BCDFG, which is no report here",
        world.mail(JO, f"{report.vrf} {other.vrf}"): f"is about several reports: {report.vrf}, {other.vrf}",
        world.mail(JO, f"{report.vrf} VU#{VU}"): f"is about {report.vrf}, which has no case, and about a case",
    }
    for mail, why in refused.items():
        came = world.fed(mail)
        assert (came.place, came.report_id, why in came.why) == ("review", None, True), came.why
        assert came.standing == "stranger"
    thread = world.fed(world.mail(eve, "hello", "x\r\n", "In-Reply-To: <first@finder.example>"))
    assert (thread.place, thread.report_id not in (None, report.id)) == ("triage", True), "a report of Eve's own"
    assert [kind for kind in chain(world, report) if kind != "mail.triage"] == ["report.received"]


def test_what_our_own_mail_server_proves_counts_for_more(world: World) -> None:
    world.with_trust(authserv_id="mx.cert.example")
    world.feed(world.mail(JO, "Overflow"))
    proved = "Authentication-Results: mx.cert.example; dmarc=pass header.from=finder.example"
    came = world.fed(world.mail(JO, world.report().vrf, "x\r\n", proved))
    assert (came.place, came.standing, came.report_id) == ("triage", "authenticated", world.report().id)


def test_of_machines_nobody_hears(world: World) -> None:
    world.feed(world.mail(JO, "Overflow"))
    [waits] = world.queue("triage")
    away = world.fed(world.mail(JO, f"Re: [{world.report().vrf}]", "away\r\n", "Auto-Submitted: auto-replied"))
    assert (away.place, away.report_id) == ("triage", world.report().id)
    assert [s.item.id for s in world.queue("triage")] == [waits.item.id]


@pytest.mark.parametrize("rm", ["INVALID", "DEFERRED", "CLOSED", "VALID"])
def test_decided_or_not_a_person_sees_it_while_there_is_no_case(world: World, rm: str) -> None:
    world.feed(world.mail(JO, "Overflow"))
    with world.writing() as tx:
        reports.change(tx, world.report().id, rm=rm)
    came = world.fed(world.mail(JO, world.report().vrf))
    assert (came.place, came.report_id, len(world.queue("triage"))) == ("triage", world.report().id, 2)


def test_once_there_is_a_case_it_routes_as_the_cases_number_does(worlds: MakeWorld) -> None:
    world = worlds(POLICY__ACKNOWLEDGE_HOURS="24")
    first = world.fed(world.mail(JO, "Overflow", message_id="first@finder.example"))
    taken_up = accept.from_message(world.tools, world.alice, first.id, accept.Wanted("A flaw", vu=VU))
    case, report = taken_up.case, world.report()
    assert (report.rm, report.case_id) == ("ACCEPTED", case.id)
    [ack] = world.letters("acknowledgement")
    by_number, by_thread = world.mail(JO, report.vrf), world.mail(JO, "so?", "x\r\n", f"References: {ack.message_id}")
    for mail in (by_number, by_thread):
        came = world.fed(mail)
        assert (came.place, came.case_id, came.standing) == ("filed", case.id, "claimed")
    strange = world.fed(world.mail("eve@evil.example", report.vrf))
    assert (strange.place, strange.why, strange.suggested_vu) == ("review", "a stranger names the case", VU)
    other = world.case(vu=222222)
    torn = world.fed(world.mail(JO, f"{report.vrf} VU#{other.vu}"))
    assert (torn.place, "another" in torn.why) == ("review", True)


def test_an_answer_to_the_acknowledgement_of_a_mail_that_is_filed(worlds: MakeWorld) -> None:
    """Its number leads to the case, for those who take part in it."""
    world = worlds(POLICY__ACKNOWLEDGE_HOURS="24")
    world.vendor_case()
    world.feed(world.mail(PSIRT))
    number = world.report()
    assert (number.rm, number.case_id) == ("START", world.messages()[0].case_id)
    came = world.fed(world.mail(PSIRT, f"Re: [{number.vrf}] Your mail has reached us"))
    assert (came.place, came.case_id) == ("filed", number.case_id)
    lost = world.fed(world.mail("eve@evil.example", "VU#999999"))
    eves = world.reports()[1]
    assert lost.report_id == eves.id
    again = world.fed(world.mail("eve@evil.example", f"Re: [{eves.vrf}]"))
    assert (again.place, again.why) == ("review", f"goes on from a mail that is no report: {eves.vrf}")


def test_what_a_machine_answers_to_the_acknowledgement_of_a_mail_in_review_lies_with_that_mail(
    worlds: MakeWorld,
) -> None:
    world = worlds(POLICY__ACKNOWLEDGE_HOURS="24")
    world.case()
    lost = world.fed(world.mail(JO, "VU#999999"))
    number = world.report()
    [waits] = world.queue("review")
    away = world.fed(world.mail(JO, f"Re: [{number.vrf}]", "away\r\n", "Auto-Submitted: auto-replied"))
    assert (away.place, away.report_id) == ("review", lost.report_id)
    assert away.why == f"about {number.vrf}, automatic: auto-reply"
    assert [one.item.id for one in world.queue("review")] == [waits.item.id]
    strange = "eve@evil.example"
    anybodys = world.fed(world.mail(strange, f"Re: [{number.vrf}]", "away\r\n", "Auto-Submitted: auto-replied"))
    assert (anybodys.place, anybodys.report_id, len(world.queue("review"))) == ("review", None, 2)
    assert world.breaks() == []


def test_mail_that_names_no_report_asks_for_none(world: World) -> None:
    world.vendor_case()
    asked: list[str] = []
    for db in {world.tools.db}:
        listen(db.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    world.feed(*(world.mail(PSIRT) for _ in range(5)), world.mail(JO, "VU#999999"))
    assert not [sql for sql in asked if "reports" in sql]
