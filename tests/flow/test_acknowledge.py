"""Acknowledgements: the same for everybody, to the one who certainly wrote, seldom, and of nothing."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email import message_from_bytes

import pytest

from mailrouter.case.model import Waiting
from mailrouter.flow.arriving import receive
from mailrouter.flow.casework import closing, coordinate
from mailrouter.flow.filing import file
from mailrouter.flow.reports import accept
from mailrouter.flow.sending import deliver
from mailrouter.mail.envelope import Envelope
from mailrouter.store import reports
from mailrouter.store.outbox import Letter
from mailrouter.tools import Tools
from tests.flow.world import DAY, OURS, PSIRT, VENDOR, VU, MakeWorld, World
from tests.servers.sink import Delivered, Sink

JO = "jo@finder.example"
VARYING = re.compile(rb"^(?:Date|Message-ID|In-Reply-To|To): .*\r\n(?:[ \t].*\r\n)*", re.MULTILINE)
NUMBER = re.compile(rb"VRF#26-03-[BCDFGHJKLMNPQRSTVWXYZ]{5}")
ECHOED = "An oversized manifest overwrites the stack of the AX-7.\r\n"


@pytest.fixture
def house(worlds: MakeWorld, smarthost: Sink) -> World:
    """A house that acknowledges as it comes, once in 24 hours, through a real smarthost."""
    return worlds(RELAY__URL=f"smtp://127.0.0.1:{smarthost.port}", POLICY__ACKNOWLEDGE_HOURS="24")


def acks(world: World) -> list[Letter]:
    return world.letters("acknowledgement")


def told(world: World) -> list[str]:
    """Who was acknowledged, in their order."""
    return [letter.recipient for letter in acks(world)]


def to(smarthost: Sink, address: str) -> list[Delivered]:
    return [one for one in smarthost.taken if address.encode() in one.rcpt[0]]


# ---- what it is -----------------------------------------------------------------------------------------------------


@pytest.mark.row("S24")
def test_a_report_is_acknowledged_once_by_a_mail_that_says_nothing_of_it(house: World, smarthost: Sink) -> None:
    others = ("Cc: boss@finder.example", "Reply-To: elsewhere@finder.example", "Mail-Followup-To: x@finder.example",
              "Disposition-Notification-To: x@finder.example", "Return-Receipt-To: x@finder.example",
              "X-Confirm-Reading-To: x@finder.example", "Errors-To: x@finder.example")  # fmt: skip
    house.feed(house.mail(JO, "overflow in the AX-7 updater", ECHOED, *others, message_id="m1@finder.example"))
    house.deliver()
    [taken] = smarthost.taken
    assert taken.mail.startswith(b"FROM:<>"), "RFC 3834 section 3.3, and no answer to the answer"
    assert [rcpt.startswith(b"TO:<jo@finder.example>") for rcpt in taken.rcpt] == [True]
    mail = message_from_bytes(taken.data)
    assert {name: mail[name] for name in ("To", "Auto-Submitted", "In-Reply-To", "Subject", "Reply-To", "Cc")} == {
        "To": JO, "Auto-Submitted": "auto-replied", "In-Reply-To": "<m1@finder.example>",
        "Subject": f"[{house.report().vrf}] Your mail has reached us", "Reply-To": None, "Cc": None,
    }  # fmt: skip
    assert set(NUMBER.findall(taken.data)) == {house.report().vrf.encode()}
    assert mail["From"].endswith(f"<{OURS}>")
    assert mail.get_content_type() == "text/plain"
    for said in (b"overflow", b"AX-7", b"stack", b"boss", b"elsewhere", b"VU#", b"x@finder"):
        assert said not in taken.data
    [letter] = acks(house)
    assert (letter.state, letter.signed, letter.encrypted, letter.case_id, letter.participant_id, letter.asks) == (
        "sent", False, False, None, None, False,
    )  # fmt: skip


@pytest.mark.row("S23")
@pytest.mark.row("S26")
@pytest.mark.row("S27")
def test_it_is_the_same_bytes_whatever_there_is_and_whoever_writes(house: World, smarthost: Sink) -> None:
    house.vendor_case(key=True)  # its embargo is ACTIVE
    house.organisation("Other", "psirt@other.example")
    house.case("Other", vu=222222)
    house.case(vu=333333)  # nobody takes part in it
    house.case(vu=444444)
    closing.close(house.tools, house.alice, 444444, "a duplicate")
    mails = [
        house.mail("a@one.example", f"VU#{VU}: what is it?"),  # a stranger, an embargoed case
        house.mail("b@two.example", "VU#999999: what is it?"),  # no such case
        house.mail("c@three.example", "VU#333333"),
        house.mail("d@four.example", "VU#444444: closed"),
        house.mail("e@five.example", f"VU#{VU} VU#999999"),
        house.mail("f@six.example", "a report"),
        house.mail("Jo Doe <g@seven.example>", "", "", reverse_path="g@seven.example"),
        house.mail("h@eight.example", f"VU#{VU}", ECHOED * 2000, message_id="x" * 60 + "@a.long.one.example"),
        house.mail(PSIRT, f"Re: [VU#{VU}]"),  # a participant, whose key we hold
        house.mail("psirt@other.example", f"VU#{VU}: what does the other say?"),  # of another case
    ]
    house.feed(*mails)
    house.deliver()
    sent = [one for one in smarthost.taken if b"\r\nAuto-Submitted: auto-replied\r\n" in one.data]
    assert len({one.rcpt for one in sent}) == len(mails) == len(sent)
    assert all(one.mail.startswith(b"FROM:<> ") for one in sent)
    numbers = [NUMBER.findall(one.data) for one in sent]
    assert all(len(found) == 2 and len(set(found)) == 1 for found in numbers), "in the subject, and in one line"
    assert len({found[0] for found in numbers}) == len(sent)
    assert len({NUMBER.sub(b"-", VARYING.sub(b"", one.data)) for one in sent}) == 1


@pytest.mark.row("S23")
def test_who_answers_it_has_the_same_number_again_whatever_became_of_theirs(house: World) -> None:
    """Whether it was taken for a report, taken up, declined, filed, or nothing at all."""
    house.vendor_case()
    first = {
        "lost@a.example": "VU#999999",
        "strange@a.example": f"VU#{VU}",
        PSIRT: f"VU#{VU}",
        "waiting@a.example": "a flaw",
        "declined@a.example": "a flaw",
        "accepted@a.example": "a flaw",
        "filed@a.example": "a flaw",
    }
    house.feed(*(house.mail(sender, subject) for sender, subject in first.items()))
    numbers = {report.address: report for report in house.reports()}
    given = {letter.recipient: letter for letter in acks(house)}
    with house.writing() as tx:
        reports.change(tx, numbers["declined@a.example"].id, rm="INVALID")
    accept.accept(house.tools, house.alice, numbers["accepted@a.example"].vrf, accept.Wanted("A flaw"))
    file.route(house.tools, house.alice, numbers["filed@a.example"].message_id or 0, VU)
    house.clock.to(house.clock() + 2 * DAY)
    for sender in first:
        house.feed(house.mail(sender, f"Re: {given[sender].subject}"))
    again = {letter.recipient: letter for letter in acks(house)[len(first) :]}
    assert {sender: letter.subject for sender, letter in again.items()} == {
        sender: letter.subject for sender, letter in given.items()
    }
    assert {report.address for report in house.reports()} == set(first)
    house.clock.to(house.clock() + 2 * DAY)
    house.feed(house.mail("eve@evil.example", f"Re: {given[PSIRT].subject}"))
    assert acks(house)[-1].subject not in {letter.subject for letter in again.values()}, "theirs alone"


@pytest.mark.row("S24")
def test_nothing_of_it_is_in_any_case(house: World) -> None:
    house.vendor_case()
    before = (house.participant().last_automatic_at, len(house.messages()), len(house.deadlines()))
    house.feed(house.mail(PSIRT))
    assert told(house) == [PSIRT]
    assert house.turn() == Waiting.US, "an acknowledgement is no answer of ours"
    assert house.participant().last_automatic_at == before[0]
    assert [m.direction for m in house.messages()] == ["out", "in"]
    house.deliver()
    assert [(m.direction, m.case_id is None) for m in house.everything()] == [
        ("out", False), ("in", False), ("out", True),
    ]  # fmt: skip
    assert not any("acknowledgement" in str(entry.data) for entry in house.journal())
    assert house.breaks() == []


def test_its_text_may_be_replaced(worlds: MakeWorld, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("letters")
    (folder / "acknowledgement.txt").write_text("Subject: Danke\n\n$organisation hat Ihre Mail.\n")
    world = worlds(POLICY__ACKNOWLEDGE_HOURS="24", LETTERS_DIR=str(folder))
    world.feed(world.mail(JO, "a report"))
    [letter] = acks(world)
    assert (letter.subject, letter.body) == (f"[{world.report().vrf}] Danke", "Our CERT hat Ihre Mail.")


@pytest.mark.parametrize("given", ["", "Message-ID: x y z\r\n", f"Message-ID: <{'x' * 900}@a.example>\r\n"])
def test_a_message_id_that_is_none_is_not_repeated(house: World, smarthost: Sink, given: str) -> None:
    house.feed(house.envelope(f"From: {JO}\r\nSubject: a\r\n{given}\r\nb\r\n".encode(), JO))
    house.deliver()
    [taken] = smarthost.taken
    assert b"In-Reply-To" not in taken.data


# ---- to whom not ----------------------------------------------------------------------------------------------------

ROBOTS: dict[str, tuple[str, ...]] = {
    "auto-submitted": ("Auto-Submitted: auto-replied",),
    "auto-generated": ("Auto-Submitted: auto-generated (ticket)",),
    "bulk": ("Precedence: bulk",),
    "junk": ("Precedence: junk",),
    "precedence list": ("Precedence: list",),
    "list-id": ("List-Id: <l.example>",),
    "list-post": ("List-Post: <mailto:l@l.example>",),
    "list-unsubscribe": ("List-Unsubscribe: <mailto:l@l.example>",),
    "x-loop": (f"X-Loop: {OURS}",),
    "suppressed": ("X-Auto-Response-Suppress: All",),
    "received over fifty": tuple(f"Received: from h{n}.example; Mon, 2 Mar 2026 09:00:00 +0000" for n in range(51)),
}


@pytest.mark.row("S21")
@pytest.mark.parametrize("name", ROBOTS)
def test_no_machine_is_acknowledged(house: World, name: str) -> None:
    house.feed(house.mail(JO, "a report", "x\r\n", *ROBOTS[name]))
    assert told(house) == []


FORGED = {
    "null sender": {"sender": JO, "reverse_path": ""},
    "another envelope": {"sender": "victim@third.example", "reverse_path": "eve@evil.example"},
    "another address there": {"sender": JO, "reverse_path": "bounces+jo@finder.example"},
    "a name that is an address": {"sender": '"victim@third.example" <eve@evil.example>', "reverse_path": "v@x.example"},
    "two addresses": {"sender": f"{JO}, victim@third.example", "reverse_path": JO},
    "a group": {"sender": f"victims: {JO};", "reverse_path": JO},
    "an address before the address": {"sender": f"victim@third.example <{JO}>", "reverse_path": JO},
    "ourselves": {"sender": OURS, "reverse_path": OURS},
    "ourselves, extended": {"sender": "cert+x@cert.example", "reverse_path": "cert+x@cert.example"},
    "our domain": {"sender": "anybody@cert.example", "reverse_path": "anybody@cert.example"},
    "an analyst": {"sender": "Alice <alice@cert.example>", "reverse_path": "alice@cert.example"},
    "an analyst elsewhere": {"sender": "Bob@Home.example", "reverse_path": "bob@home.example"},
}


@pytest.mark.row("S22")
@pytest.mark.row("S25")
@pytest.mark.parametrize("name", FORGED)
def test_nobody_hears_of_a_mail_that_is_not_certainly_his(house: World, name: str) -> None:
    with house.writing() as tx:
        coordinate.analysts.add(tx, {"name": "bob", "address": "Bob@home.example", "login": "bob", "queues": ""})
    house.feed(house.mail(subject=f"VU#{VU}", **FORGED[name]))
    assert told(house) == []
    assert house.reports() == [], "no number for a mail that is not acknowledged"


@pytest.mark.row("S22")
def test_two_froms_are_answered_to_neither(house: World) -> None:
    raw = f"From: {JO}\r\nFrom: victim@third.example\r\nSubject: x\r\n\r\nx\r\n".encode()
    house.feed(house.envelope(raw, JO))
    assert told(house) == []


def test_a_mail_from_a_mailbox_whose_reverse_path_nobody_knows_is_not(house: World) -> None:
    raw = f"From: {JO}\r\nTo: {OURS}\r\nSubject: a report\r\nMessage-ID: <1@finder.example>\r\n\r\nx\r\n".encode()
    house.feed(Envelope("imap:reports", None, (OURS,), raw, house.clock()))
    assert told(house) == []


RESULTS = {
    "dmarc=pass header.from=finder.example": [JO],
    "spf=pass smtp.mailfrom=finder.example": [JO],
    "dmarc=fail header.from=finder.example": [],
    "spf=pass smtp.mailfrom=evil.example; dmarc=none header.from=finder.example": [],
    "none": [],
}


@pytest.mark.row("S22")
@pytest.mark.parametrize("found", RESULTS)
def test_where_our_mail_server_checks_it_must_have_found_the_sender_proved(house: World, found: str) -> None:
    house.with_trust(authserv_id="mx.cert.example")
    house.feed(house.mail(JO, "a report", "x\r\n", f"Authentication-Results: mx.cert.example; {found}"))
    house.feed(
        house.mail("mallory@finder.example", "another", "x\r\n", f"Authentication-Results: mx.evil.example; {found}")
    )
    assert told(house) == RESULTS[found]


def test_what_is_looked_at_again_was_acknowledged_or_was_not(house: World) -> None:
    first = house.fed(house.mail("x@y.example", "one", reverse_path=""))
    house.clock.to(house.clock() + 2 * DAY)
    file.retry(house.tools, house.alice, first.id)
    second = house.fed(house.mail(JO, "two"))
    house.clock.to(house.clock() + 2 * DAY)
    file.retry(house.tools, house.alice, second.id)
    while receive.work(house.tools):
        pass
    accept.from_message(house.tools, house.alice, second.id, accept.Wanted("A flaw"))
    assert told(house) == [JO]


# ---- how often ------------------------------------------------------------------------------------------------------


@pytest.mark.row("S21")
def test_once_in_a_period_that_begins_with_the_last_one(house: World) -> None:
    start = house.clock()
    for hours in (0, 1, 23.9, 24, 30, 47.9, 48.1, 72, 72.2):
        house.clock.to(start + timedelta(hours=hours))
        house.feed(house.mail(JO, f"mail at {hours}"), house.mail("Jo@FINDER.example", f"and at {hours}"))
    made = [letter.made_at - start for letter in acks(house)]
    assert made == [timedelta(hours=hours) for hours in (0, 24, 48.1, 72.2)]


@pytest.mark.row("S21")
def test_twenty_an_hour_in_all_then_again(house: World) -> None:
    start = house.clock()
    house.feed(*(house.mail(f"{n}@a.example", "x") for n in range(70)))
    assert told(house) == [f"{n}@a.example" for n in range(20)]
    assert [report.rm for report in house.reports()] == ["RECEIVED"] * 70, "whoever is not told is heard all the same"
    house.clock.to(start + timedelta(minutes=59))
    house.feed(house.mail("late@a.example", "x"))
    assert len(told(house)) == 20
    house.clock.to(start + timedelta(minutes=61))
    house.feed(house.mail("later@a.example", "x"), house.mail("69@a.example", "x"))
    assert told(house)[20:] == ["later@a.example", "69@a.example"]


@pytest.mark.row("S21")
def test_what_a_leaping_clock_dated_ahead_silences_nobody(house: World) -> None:
    """Ten years ahead, and back: the hour's room and the sender's period are what they were."""
    start = house.clock()
    house.clock.to(start + timedelta(days=3650))
    house.feed(house.mail(JO, "from the future"), *(house.mail(f"{n}@a.example", "x") for n in range(25)))
    house.clock.to(start + timedelta(hours=1))
    house.feed(house.mail("new@a.example", "x"), house.mail(JO, "from today"))
    assert told(house)[20:] == ["new@a.example", JO]
    house.feed(house.mail(JO, "and again"))
    assert told(house)[22:] == []


@pytest.mark.row("S21")
def test_two_machines_that_answer_each_other_and_do_not_say_so(house: World, smarthost: Sink) -> None:
    """Theirs answers every mail at once, without any of the headers that machines should set."""
    answered = 0
    house.feed(house.mail(JO, "a report"))
    for _ in range(20):
        house.deliver()
        fresh, answered = smarthost.taken[answered:], len(smarthost.taken)
        for one in fresh:
            subject = "Re: " + message_from_bytes(one.data)["Subject"]
            house.clock.to(house.clock() + timedelta(minutes=1))
            house.feed(house.mail(JO, subject, "We have opened a ticket.\r\n"))
    assert told(house) == [JO]


def test_zero_hours_is_never(house: World) -> None:
    house.with_policy(acknowledge_hours=0)
    house.feed(house.mail(JO, "a report"))
    assert told(house) == []


def test_another_period(house: World) -> None:
    house.with_policy(acknowledge_hours=2)
    house.feed(house.mail(JO, "one"))
    house.clock.to(house.clock() + timedelta(hours=2))
    house.feed(house.mail(JO, "two"))
    assert told(house) == [JO, JO]


@pytest.mark.row("S21")
def test_two_nodes_send_one(house: World) -> None:
    """Both have mails of the same sender in hand at once, twenty-five senders in all; four workers on two nodes."""
    house.accept(*(house.mail(f"{n % 25}@a.example", f"mail {n}") for n in range(100)))
    crew = [house.node(node, life) for node in ("n1", "n2") for life in ("a", "b")]

    def run(tools: Tools) -> None:
        while receive.work(tools, most=5):
            pass

    with ThreadPoolExecutor(len(crew)) as working:
        list(working.map(run, crew))
    assert len(told(house)) == 20 == len(set(told(house)))
    assert house.books().filed + house.books().triage == 100


# ---- and nobody hears of them ---------------------------------------------------------------------------------------


def test_one_that_cannot_be_delivered_fills_no_queue(house: World, smarthost: Sink) -> None:
    smarthost.replies["RCPT"] = "550 5.1.1 no such user"
    house.feed(house.mail(JO, "a report"))
    house.deliver()
    assert [(letter.state, letter.why) for letter in acks(house)] == [("failed", "refused by the relay (550 5.1.1)")]
    assert house.notices() == []
    assert house.queue("operator") == []


def test_one_that_waits_for_hours_fills_none_either(house: World, smarthost: Sink) -> None:
    smarthost.replies["connect"] = "421 later"
    house.feed(house.mail(JO, "a report"))
    house.deliver()
    house.clock.to(house.clock() + timedelta(hours=5))
    deliver.work(house.tools)
    assert [letter.state for letter in acks(house)] == ["queued"]
    assert house.queue("operator") == []


def test_the_brake_holds_them_too(house: World, smarthost: Sink) -> None:
    with house.writing() as tx:
        deliver.outbox.brake(tx, on=True)
    house.feed(house.mail(JO, "a report"))
    house.deliver()
    assert smarthost.taken == []
    assert [letter.state for letter in acks(house)] == ["queued"]


# ---- one of us, from outside (S25) ----------------------------------------------------------------------------------

DOUBT = "it says it is from one of us, and nothing proves it"


@pytest.mark.row("S25")
@pytest.mark.parametrize("sender", ["alice@cert.example", OURS, "Director <boss@cert.example>"])
@pytest.mark.parametrize(
    ("subject", "suggested", "more"), [("please publish", None, ""), (f"VU#{VU}: close it", VU, ""),
                                       ("VU#999999", None, "; names VU#999999, which is no case here")],
)  # fmt: skip
def test_a_forged_internal_sender_is_in_review_with_the_reason(
    house: World, sender: str, subject: str, suggested: int | None, more: str
) -> None:
    house.vendor_case()
    before = house.participant()
    got = house.fed(house.mail(sender, subject, reverse_path="alice@cert.example"))
    assert (got.place, got.why) == ("review", DOUBT + more)
    assert (got.case_id, got.participant_id, got.standing, got.suggested_vu) == (None, None, "stranger", suggested)
    assert house.participant() == before
    assert told(house) == []


@pytest.mark.row("S25")
def test_one_of_us_who_takes_part_is_believed_on_proof_alone(house: World) -> None:
    """A constituency's own team may be a vendor: its mail comes through our border, which says so."""
    house.organisation(VENDOR, "psirt@cert.example", key=house.keymaker.vendor)
    house.case(VENDOR)
    assert house.fed(house.mail("psirt@cert.example")).why == DOUBT
    signed = house.fed(house.signed(f"VU#{VU} it is ours\n", sender="psirt@cert.example"))
    assert (signed.place, signed.standing) == ("filed", "signed")
    house.with_trust(authserv_id="mx.cert.example")
    results = "Authentication-Results: mx.cert.example; dmarc=pass header.from=cert.example"
    proved = house.fed(house.mail("psirt@cert.example", f"VU#{VU} again", "x\r\n", results))
    assert (proved.place, proved.standing) == ("filed", "authenticated")
    assert told(house) == [], "and is one of us all the same"


@pytest.mark.row("S25")
@pytest.mark.row("P53")
@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (f"From: {PSIRT}\r\nFrom: eve@evil.example\r\n", "several-from"),
        (f"From: {PSIRT}, eve@evil.example\r\n", "several-mailboxes"),
        (f"From: vendors: {PSIRT};\r\n", "group"),
        (f"From: {PSIRT} <eve@evil.example>\r\n", "at-in-phrase"),
        ("", "no-from"),
    ],
)
@pytest.mark.parametrize("subject", [f"VU#{VU}: statement", "a report"])
def test_a_from_that_is_not_one_is_in_review_with_or_without_a_case(
    house: World, lines: str, reason: str, subject: str
) -> None:
    house.vendor_case()
    got = house.fed(house.envelope(f"{lines}Subject: {subject}\r\n\r\nx\r\n".encode(), PSIRT))
    assert (got.place, got.why) == ("review", f"the From is malformed: {reason}")
    assert (got.case_id, got.participant_id, got.standing) == (None, None, "stranger")
    assert (told(house), house.turn()) == ([], "them")
