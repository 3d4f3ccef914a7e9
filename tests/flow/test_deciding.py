"""Deciding about reports: scored, asked about, accepted, declined; and what the reporter is told of it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from mailrouter.case import accept as promises
from mailrouter.case import decline as rules
from mailrouter.case import similar
from mailrouter.case.model import Report
from mailrouter.faults import Illegal, NotFound, Refused
from mailrouter.flow import newreport
from mailrouter.flow.actor import Actor
from mailrouter.flow.casework import contacting, coordinate
from mailrouter.flow.casework.write import Draft
from mailrouter.flow.filing import file
from mailrouter.flow.reports import accept, decline, desk, reported, triage
from mailrouter.flow.reports.accept import Wanted
from mailrouter.mail import reportform
from mailrouter.store import cases, journal, reports
from tests.case.test_similar import OTHER, REPORT
from tests.flow.world import PSIRT, VENDOR, VU, MakeWorld, World

JO = "jo@finder.example"
ASKED = "Which version did you test?\n"


def form(**answers: str) -> str:
    """The VRF form with these fields filled in, by the words that begin their line."""
    text = reportform.template()
    for name, answer in answers.items():
        line = next(one for one in text.split("\n") if one.casefold().startswith(name.replace("_", " ")))
        text = text.replace(line, f"{line} {answer}")
    return text.replace("\n", "\r\n")


def came(world: World, text: str = "x\r\n", subject: str = "Overflow in the AX-7", sender: str = JO) -> Report:
    """A mail of a reporter's, and the report it is."""
    got = world.fed(world.mail(sender, subject, text))
    assert got.report_id is not None
    return again(world, got.report_id)


def again(world: World, report_id: int) -> Report:
    with world.look() as tx:
        return reports.get(tx, report_id)


def number(world: World) -> Report:
    """One that was given to a mail which is no report."""
    review = world.fed(world.mail("lee@finder.example", "VU#999999"))
    with world.writing() as tx:
        return newreport.number(tx, review.received_at, review.sender, review.id, None)


def lines(world: World, *, everything: bool = False) -> list[desk.Line]:
    with world.look() as tx:
        return desk.lines(tx, world.tools.settings.policy, everything=everything)


def told(world: World, report: Report) -> list[str]:
    with world.look() as tx:
        return [entry.kind for entry in journal.entries(tx, journal.report_chain(report.id))]


def flat(body: str) -> str:
    return " ".join(body.split())


# ---- scoring, and the place in the queue ---------------------------------------------------------------------------


def test_the_desk_sorts_by_what_is_known_and_the_threshold_is_said(world: World) -> None:
    low, high, attacked, unscored = (came(world, subject=f"{name} flaw") for name in ("low", "high", "attacked", "new"))
    triage.score(world.tools, world.alice, low.vrf, "AV:L/AC:H/Au:M/C:P/I:N/A:N/CDP:L/TD:L")
    triage.score(world.tools, world.alice, high.vrf, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H")
    triage.score(world.tools, world.alice, attacked.vrf, exploited="yes")
    found = lines(world)
    assert [line.report.id for line in found] == [attacked.id, unscored.id, high.id, low.id]
    assert [line.low for line in found] == [False, False, False, True]
    assert found[3].advice.decline_as == "low-score"
    assert again(world, low.id).rm == "RECEIVED"  # never by itself
    world.with_policy(score_threshold=0)
    assert not any(line.low for line in lines(world))
    assert told(world, low)[-1] == "report.scored"
    assert world.breaks() == []


def test_answers_come_from_the_form_until_an_analyst_says_otherwise(world: World) -> None:
    report = came(world, form(public="no", vendor_contacted="yes, in May", other_vendors="Wibble"))
    known = {"public": "no", "supplier_contacted": "yes", "suppliers": "multiple"}
    assert triage.triage.answers(report) == known
    said = {"suppliers": "one", "credible": "yes", "engagement": "unresponsive", "utility": "efficient",
            "safety": "minimal"}  # fmt: skip
    triage.score(world.tools, world.alice, report.vrf, answers=said)
    [line] = lines(world)
    assert (line.advice.decision, line.advice.open) == ("Coordinate", ())
    with pytest.raises(Refused, match="credible is answered by no or yes"):
        triage.score(world.tools, world.alice, report.vrf, answers={"credible": "perhaps"})
    with pytest.raises(Refused, match="no CVSS vector"):
        triage.score(world.tools, world.alice, report.vrf, "high")
    with pytest.raises(NotFound, match="report list"):
        triage.score(world.tools, world.alice, "VRF#26-03-BBBBB", "high" and "AV:N/AC:L/Au:N/C:C/I:C/A:C")


def test_what_came_before_in_other_words_is_named_with_its_case(world: World) -> None:
    first = came(world, form(description=REPORT.replace("\n", " "), contact="Jo"), "Use after free in Frobnitz 4.2")
    mine = f"Dear CERT, this is what I sent to the vendor.\r\n{REPORT}"
    second = came(world, mine, "Frobnitz", "sam@other.example")
    came(world, OTHER, "Router", "kim@third.example")
    by_id = {line.report.id: line.likes for line in lines(world)}
    [like] = by_id[first.id]
    assert (like.vrf, like.by, like.vu) == (second.vrf, "words", None)
    assert like.percent > 80
    assert sum(bool(likes) for likes in by_id.values()) == 2
    accept.accept(world.tools, world.alice, first.vrf, Wanted(vu=VU))
    third = came(world, "short", "Frobnitz 4.2: use after free", "lee@fourth.example")
    by_id = {line.report.id: line.likes for line in lines(world)}
    assert [(like.vrf, like.vu) for like in by_id[second.id]] == [(first.vrf, VU)]
    assert [(like.by, like.vu) for like in by_id[third.id]] == [("title", VU)]


# ---- asking --------------------------------------------------------------------------------------------------------


def test_asking_stops_the_clock_until_they_answer(world: World) -> None:
    report = came(world)
    world.deliver()
    triage.ask(world.tools, world.alice, report.vrf, Draft(ASKED))
    [letter] = world.letters("report-ask")
    assert (letter.recipient, letter.subject) == (JO, f"[{report.vrf}] Questions about your report")
    assert ASKED.strip() in letter.body
    assert world.queue("triage") == []
    [line] = lines(world)
    assert (line.asked, line.due_at) == (True, world.clock() + timedelta(days=14))
    world.day(3)
    world.beat()
    assert world.notices() == []
    # a stranger who names the number is no answer; the reporter is
    world.feed(world.mail("eve@eve.example", f"Re: [{report.vrf}] me too"))
    assert lines(world)[0].asked
    answer = world.fed(world.mail(JO, f"Re: {letter.subject}", "2.1\r\n"))
    assert answer.report_id == report.id
    [line] = lines(world)
    assert (line.asked, line.due_at) == (False, world.clock() + timedelta(hours=24))
    assert [s.item.why for s in world.queue("triage")] == [f"about {report.vrf}"]
    world.day(5.1)
    world.beat()
    assert len([why for why in world.notices() if why.startswith(report.vrf)]) == 2
    assert told(world, report)[:3] == ["report.received", "mail.triage", "report.asked"]


def test_what_quotes_an_encrypted_report_never_leaves_in_clear(world: World) -> None:
    report = came(world)
    triage.ask(world.tools, world.alice, report.vrf, Draft("Which?", only_encrypted=True, quoted="> the secret"))
    world.deliver()
    [letter] = world.letters("report-ask")
    assert (letter.state, letter.confidential, letter.only_encrypted) == ("held", True, True)
    assert letter.body.endswith("> the secret")
    assert world.sent() == []


def test_who_does_not_answer_is_not_forgotten(world: World) -> None:
    report = came(world)
    triage.ask(world.tools, world.alice, report.vrf, Draft(ASKED))
    world.day(14.1)
    world.beat()
    [said] = world.notices()
    assert said.startswith(f"{report.vrf} was asked about, and nobody has answered")
    decline.decline(world.tools, world.alice, report.vrf, "no-evidence")
    assert world.notices() == []


# ---- declining -----------------------------------------------------------------------------------------------------


def test_a_decline_says_why_and_what_is_left(world: World) -> None:
    for number, reason in enumerate(sorted(set(rules.REASONS) - {"spam", "duplicate"})):
        report = came(world, sender=f"jo{number}@finder.example")
        done = decline.decline(world.tools, world.alice, report.vrf, reason, "my own words", text="Regards.")
        letter = world.letters("report-declined")[-1]
        assert (done.letter_id, letter.recipient) == (letter.id, report.address)
        body = flat(letter.body)
        for said in (rules.REASONS[reason].because, *rules.REASONS[reason].can, "The information stays yours", "alice"):
            assert flat(said) in body
        assert "my own words" not in body
        assert "Regards." in body
        after = again(world, report.id)
        assert (after.reason, after.why, after.decided_by) == (reason, "my own words", "alice")
        assert after.rm == rules.declined("RECEIVED", reason)[-1]
    assert world.letters("report-declined")[0].in_reply_to == f"<{world.everything()[0].message_id}>"
    assert world.queue("triage") == []
    assert lines(world) == []
    world.day(10)
    assert world.beat() == []
    assert world.notices() == []


def test_spam_is_answered_by_nothing_and_a_typed_report_without_address_by_nobody(world: World) -> None:
    report = came(world)
    assert decline.decline(world.tools, world.alice, report.vrf, "spam").letter_id is None
    assert again(world, report.id).rm == "CLOSED"
    typed = reported.add(world.tools, world.alice, "A flaw, told by telephone")
    assert decline.decline(world.tools, world.alice, typed.vrf, "no-evidence").letter_id is None
    assert world.letters("report-declined") == []
    with pytest.raises(Illegal, match=r"was declined \(spam\) by alice on 2026-03-02 09:00 UTC$"):
        accept.accept(world.tools, world.alice, report.vrf, Wanted())


def test_a_duplicate_says_of_what(world: World) -> None:
    first, second, third = (came(world, sender=f"{name}@finder.example") for name in ("jo", "sam", "kim"))
    with pytest.raises(Refused, match="--of VRF or --of VU"):
        decline.decline(world.tools, world.alice, second.vrf, "duplicate")
    with pytest.raises(Refused, match="a duplicate of itself"):
        decline.decline(world.tools, world.alice, second.vrf, "duplicate", of=second.vrf)
    accept.accept(world.tools, world.alice, first.vrf, Wanted(vu=VU))
    decline.decline(world.tools, world.alice, second.vrf, "duplicate", of=first.vrf.removeprefix("VRF#"))
    decline.decline(world.tools, world.alice, third.vrf, "duplicate", of=f"VU#{VU}")
    for report in (second, third):
        assert (again(world, report.id).rm, again(world, report.id).duplicate_of_id) == ("DEFERRED", first.id)
    assert all(str(VU) not in letter.body for letter in world.letters("report-declined"))
    fourth = came(world, sender="lee@finder.example")
    with pytest.raises(NotFound, match="no case VU#999999"):
        decline.decline(world.tools, world.alice, fourth.vrf, "duplicate", of="999999")


def test_a_declined_report_may_be_accepted_after_all(world: World) -> None:
    report = came(world)
    decline.decline(world.tools, world.alice, report.vrf, "no-evidence")
    with pytest.raises(Illegal, match=r"was declined \(no-evidence\) by alice on .*; `mailrouter report accept VRF#"):
        decline.decline(world.tools, world.alice, report.vrf, "duplicate", of=report.vrf)
    [letter] = world.letters("report-declined")
    more = world.fed(world.mail(JO, f"Re: {letter.subject}", "Here is the proof of concept.\r\n"))
    assert (more.place, more.report_id) == ("triage", report.id)
    assert [s.item.message_id for s in world.queue("triage")] == [more.id]
    accepted = accept.accept(world.tools, world.alice, report.vrf, Wanted(vu=VU))
    assert (accepted.report.rm, accepted.report.reason) == ("ACCEPTED", "")
    assert [m.place for m in world.messages() if m.direction == "in"] == ["filed", "filed"]
    assert world.queue("triage") == []


# ---- accepting -----------------------------------------------------------------------------------------------------


def test_accepted_it_is_a_case_with_its_reporter_hidden_and_told(world: World) -> None:
    report = came(world)
    second = world.fed(world.mail(JO, f"[{report.vrf}] and one more thing"))
    added = world.fed(world.mail("kim@freemail.example", "what Jo told you of"))
    reported.join(world.tools, world.alice, added.id, report.vrf)
    file.retry(world.tools, world.alice, added.id)
    world.feed()
    again_in = next(m for m in world.everything() if m.id == added.id)
    assert (again_in.place, again_in.report_id) == ("triage", report.id)  # an analyst's word stands
    world.feed(world.mail("eve@eve.example", report.vrf))
    done = accept.accept(world.tools, world.alice, report.vrf, Wanted(vu=VU))
    assert (done.case.vu, done.case.title, done.case.analyst) == (VU, "Overflow in the AX-7", "alice")
    assert (done.report.rm, done.report.case_id, done.report.decided_by) == ("ACCEPTED", done.case.id, "alice")
    reporter = world.participant(JO)
    assert (reporter.roles, reporter.anonymous, reporter.credit) == (("reporter",), True, False)
    assert (reporter.waiting_on, world.deadlines()) == ("nobody", [])
    assert [(m.direction, m.place) for m in world.messages()] == [
        ("in", "filed"), ("in", "filed"), ("in", "filed"), ("out", ""),
    ]  # fmt: skip
    theirs = {m.id: m.participant_id for m in world.messages() if m.direction == "in"}
    assert theirs == {report.message_id: reporter.id, second.id: reporter.id, added.id: None}
    # the reporter's mails wait with the case's analyst; a stranger's that only names the number lies in review
    assert [s.sender for s in world.queue("alice")] == [JO, JO]
    assert (world.queue("triage"), [s.sender for s in world.queue("review")]) == ([], ["eve@eve.example"])
    [letter] = world.letters("report-accepted")
    assert (letter.id, letter.recipient, letter.asks) == (done.letter_id, JO, False)
    assert letter.subject == f"[VU#{VU}] We coordinate your report"
    body = flat(letter.body)
    for said in (report.vrf, f"VU#{VU}", promises.UNNAMED, promises.CREDIT_ASKED, "45 days", "publish it yourself"):
        assert flat(said) in body
    assert "AX-7" not in body
    world.day(10)
    assert [one for one in world.beat() if one.kind == "decision"] == []
    assert told(world, report)[-1] == "report.accepted"
    assert "report.accepted" in [entry.kind for entry in world.journal()]
    assert world.books().filed == 3
    assert world.breaks() == []
    # from now on their mail is the case's, by either number
    assert world.fed(world.mail(JO, report.vrf)).case_id == done.case.id
    assert world.fed(world.mail(JO, f"VU#{VU}")).participant_id == reporter.id


PROMISED = [
    ("yes", "yes", promises.NAMED, promises.CREDITED),
    ("no", "no", promises.UNNAMED, promises.NOT_CREDITED),
    ("", "yes", promises.NAMED, promises.CREDIT_ASKED),
    ("yes", "", promises.UNNAMED, promises.CREDITED),
]


def test_both_are_no_until_they_say_yes(world: World) -> None:
    for number_, (credit, share, named, credited) in enumerate(PROMISED):
        sender = f"jo{number_}@finder.example"
        report = came(world, form(product_and_version="AX-7", credit_me=credit, share_my_name=share), sender=sender)
        done = accept.accept(world.tools, world.alice, report.vrf, Wanted())
        reporter = world.participant(sender, done.case.vu)
        assert (reporter.anonymous, reporter.credit) == (share != "yes", credit == "yes")
        body = flat(world.letters("report-accepted")[-1].body)
        assert flat(named) in body
        assert flat(credited) in body


def test_a_vendor_that_reports_may_be_both(world: World) -> None:
    world.organisation(VENDOR, PSIRT, domain="vendor.example")
    person = came(world)
    with pytest.raises(Refused, match="no vendor's; `mailrouter vendor add"):
        accept.accept(world.tools, world.alice, person.vrf, Wanted(vendor=True))
    assert again(world, person.id).rm == "RECEIVED"
    theirs = came(world, sender=PSIRT)
    accept.accept(world.tools, world.alice, theirs.vrf, Wanted(vu=VU, vendor=True, title="Ours", urgent=True))
    both = world.participant(VENDOR)
    assert set(both.roles) == {"vendor", "reporter"}
    assert both.is_vendor
    other = came(world, sender=PSIRT, subject="Another's")
    accept.accept(world.tools, world.alice, other.vrf, Wanted(vu=654321))
    assert world.participant(VENDOR, 654321).roles == ("reporter",)


PASSED = "Authentication-Results: mx.cert.example; dmarc=pass header.from=vendor.example"


@pytest.mark.parametrize("how", ["claimed", "claimed, and claims count", "authenticated", "an analyst's word"])
def test_a_vendor_knows_what_it_reported_only_if_it_surely_did(worlds: MakeWorld, how: str) -> None:
    sure = "claimed" not in how
    world = worlds(TRUST__AUTHSERV_ID="" if how.endswith("count") else "mx.cert.example")
    world.organisation(VENDOR, PSIRT, domain="vendor.example")
    proofs = [PASSED] if how == "authenticated" else []
    came_in = world.fed(world.mail(PSIRT, "Overflow in the AX-7", "Clear text: yes\r\n", *proofs))
    assert came_in.report_id is not None
    report = again(world, came_in.report_id)
    done = accept.accept(world.tools, world.alice, report.vrf, Wanted(vu=VU, vendor=how.startswith("an analyst")))
    assert done.unproved is not sure
    if not how.startswith("an analyst"):
        coordinate.add_vendor(world.tools, world.alice, VU, VENDOR)
    vendor = world.participant(VENDOR)
    assert set(vendor.roles) == {"vendor", "reporter"}
    assert (vendor.progress, vendor.rm) == (("answered", "ACCEPTED") if sure else ("not contacted", "START"))
    assert (vendor.aware_at is not None) is sure
    [filed] = [m for m in world.messages() if m.direction == "in"]
    assert (filed.place, filed.participant_id) == ("filed", vendor.id)
    if sure:
        with pytest.raises(Illegal, match="was contacted before"):
            contacting.notify(world.tools, world.alice, VU, without_details=True)
    else:
        assert vendor.clear_text_at is None
        [told] = contacting.notify(world.tools, world.alice, VU, without_details=True)
        assert told.letter_id is not None
        assert world.participant(VENDOR).progress == "contacted"


def test_typed_in_without_an_address_nobody_takes_part(world: World) -> None:
    report = reported.add(world.tools, world.alice, "A flaw, told by telephone")
    done = accept.accept(world.tools, world.alice, report.vrf, Wanted(vu=VU))
    assert done.letter_id is None
    with world.look() as tx:
        assert cases.participants_of(tx, [done.case.id]) == []
    with_address = reported.add(world.tools, world.alice, form(share_my_name="yes").replace("\r", ""), JO, "A flaw")
    accept.accept(world.tools, world.alice, with_address.vrf, Wanted(vu=654321))
    assert not world.participant(JO, 654321).anonymous


def test_a_case_from_a_mail_is_the_same_acceptance(world: World) -> None:
    report = came(world)
    assert report.message_id is not None
    done = accept.from_message(world.tools, world.alice, report.message_id, Wanted("A finding", VU))
    assert (done.report.id, done.report.rm, done.case.title) == (report.id, "ACCEPTED", "A finding")
    with pytest.raises(Illegal, match="is filed with a case already"):
        accept.from_message(world.tools, world.alice, report.message_id, Wanted("Again"))
    # one that nobody took for a report so far
    review = world.fed(world.mail("sam@finder.example", "VU#999999: look", form(share_my_name="yes")))
    assert review.place == "review"
    second = accept.from_message(world.tools, world.alice, review.id, Wanted("Another", 654321))
    assert second.report.rm == "ACCEPTED"
    assert not world.participant("sam@finder.example", 654321).anonymous
    assert [letter.recipient for letter in world.letters("report-accepted")] == [JO, "sam@finder.example"]
    assert world.breaks() == []


def test_what_somebody_decided_is_told_by_name(world: World) -> None:
    report = came(world)
    accept.accept(world.tools, world.alice, report.vrf, Wanted(vu=VU))
    said = rf"{report.vrf} was accepted as VU#{VU} by alice on .*; `mailrouter case show VU#{VU}`"
    for order in (
        lambda: accept.accept(world.tools, world.alice, report.vrf, Wanted()),
        lambda: decline.decline(world.tools, world.alice, report.vrf, "no-evidence"),
        lambda: triage.ask(world.tools, world.alice, report.vrf, Draft(ASKED)),
        lambda: triage.score(world.tools, world.alice, report.vrf, exploited="yes"),
    ):
        with pytest.raises(Illegal, match=said):
            order()
    other = came(world, sender="sam@finder.example")
    assert other.message_id is not None
    with pytest.raises(Illegal, match="is a number given to a mail, and no report"):
        decline.decline(world.tools, world.alice, number(world).vrf, "no-evidence")
    file.route(world.tools, world.alice, other.message_id, VU)
    with pytest.raises(Illegal, match=f"was filed with VU#{VU} by alice"):
        accept.accept(world.tools, world.alice, other.vrf, Wanted())


def test_one_accepts_while_another_declines(world: World) -> None:
    """Whoever is first, the report is accepted in the end: a decline may be taken back, an acceptance is told of."""
    ben = world.analyst("ben")
    alices, bens = world.node("n1", "2"), world.node("n2")
    for turn in range(3):
        report = came(world, sender=f"jo{turn}@finder.example")

        def declines(vrf: str = report.vrf) -> str:
            try:
                return decline.decline(bens, Actor(ben.name, ben.id), vrf, "low-score").report.rm
            except Illegal as trouble:
                return str(trouble)

        with ThreadPoolExecutor(2) as working:
            said = working.submit(declines)
            accepted = working.submit(accept.accept, alices, world.alice, report.vrf, Wanted()).result()
        assert said.result() == "DEFERRED" or f"was accepted as VU#{accepted.case.vu} by alice on " in said.result()
        after = again(world, report.id)
        assert (after.rm, after.decided_by, after.reason) == ("ACCEPTED", "alice", "")
    assert world.breaks() == []


def test_two_who_decline_or_two_who_accept_send_one_letter(world: World) -> None:
    ben = world.analyst("ben")
    crew = [(world.node("n1", "2"), world.alice), (world.node("n2"), Actor(ben.name, ben.id))]

    def tried(order, who: int) -> str:
        tools, actor = crew[who]
        try:
            order(tools, actor)
        except Illegal as trouble:
            return str(trouble)
        return actor.name

    first, second = came(world), came(world, sender="sam@finder.example")
    orders = {
        "report-accepted": lambda tools, actor: accept.accept(tools, actor, first.vrf, Wanted()),
        "report-declined": lambda tools, actor: decline.decline(tools, actor, second.vrf, "only-cve"),
    }
    for name, order in orders.items():
        with ThreadPoolExecutor(2) as working:
            said = list(working.map(lambda who, o=order: tried(o, who), (0, 1)))
        [winner] = {"alice", "ben"} & set(said)
        assert f" by {winner} on " in next(text for text in said if text != winner)
        assert len(world.letters(name)) == 1
    with world.look() as tx:
        assert len(cases.everything(tx)) == 1


def test_two_who_take_one_mail_for_a_report_one_wins_and_the_other_is_told_by_whom(world: World) -> None:
    ben = world.analyst("ben")
    crew = [(world.node("n1", "2"), world.alice), (world.node("n2"), Actor(ben.name, ben.id))]
    orders = {
        "accepted": lambda tools, actor, got: accept.from_message(tools, actor, got, Wanted()),
        "taken": reported.take,
    }
    world.vendor_case()
    for name, order in orders.items():
        got = world.fed(world.mail(f"{name}@finder.example", f"VU#{VU}", "another flaw in it\r\n"))

        def tried(who: int, order=order, got=got) -> str:
            tools, actor = crew[who]
            try:
                order(tools, actor, got.id)
            except Illegal as trouble:
                return str(trouble)
            return actor.name

        with ThreadPoolExecutor(2) as working:
            said = list(working.map(tried, (0, 1)))
        [winner] = {"alice", "ben"} & set(said)
        assert f"by {winner} on " in next(text for text in said if text != winner)
        assert len([one for one in world.reports() if one.message_id == got.id]) == 1
    assert world.breaks() == []


def test_the_letters_leave_signed_and_the_reporters_answer_comes_back(world: World) -> None:
    report = came(world)
    accept.accept(world.tools, world.alice, report.vrf, Wanted(vu=VU))
    world.deliver()
    [mail] = [m for m in world.sent_to(JO) if "We coordinate" in m["Subject"]]
    assert mail.get_content_type() == "multipart/signed"
    assert "Auto-Submitted" not in mail
    answer = world.fed(world.mail(JO, "thanks", "yes, name me\r\n", f"In-Reply-To: {mail['Message-ID']}"))
    assert (answer.case_id, world.turn(JO)) == (1, "us")


def test_a_mail_that_names_another_case_is_taken_up_all_the_same(world: World) -> None:
    world.vendor_case()
    got = world.fed(world.mail(JO, f"VU#{VU} and more", "another flaw in it\r\n"))
    assert (got.place, got.suggested_vu) == ("review", VU)
    with ThreadPoolExecutor(2) as working:
        fed = working.submit(world.feed, *(world.mail(PSIRT) for _ in range(5)))
        taken = working.submit(
            accept.from_message, world.node("n2"), world.alice, got.id, Wanted("Another flaw", 654321)
        ).result()
        fed.result()
    assert (taken.report.rm, [m.place for m in world.messages(654321) if m.mail_id]) == ("ACCEPTED", ["filed"])
    assert world.turn() == "us"
    assert world.books().filed == 6
    assert world.breaks() == []


def test_the_same_short_form_from_two_addresses_is_alike() -> None:
    """Who writes, and the form's own words, count for nothing."""
    said = {"description": "the login of Frobnitz stops at long names", "impact": "anybody stops it"}
    one, other, third = (
        newreport.facts(reportform.read(form(contact=who, **answers)), "")["sketch"]
        for who, answers in (("jo@a.example", said), ("lee@b.example", said), ("jo@a.example", {"public": "no"}))
    )
    assert similar.percent(one, other) == 100
    assert third is None
