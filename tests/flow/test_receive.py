"""What becomes of one mail: where it lies, what it changed, who is told; and of one that cannot be read."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError

from mailrouter.faults import TryLater
from mailrouter.flow.arriving import receive
from mailrouter.flow.casework import closing, coordinate, write
from mailrouter.flow.casework.write import Draft
from mailrouter.mail.envelope import Envelope
from mailrouter.mail.pgpmime import Opened
from mailrouter.pgp import Pgp
from mailrouter.store import inbox, messages
from mailrouter.store.inbox import Holder
from mailrouter.store.messages import Message
from tests.flow.world import OURS, PSIRT, VENDOR, VU, World

EVE = "eve@eve.example"
OTHER = 654321


def place(message: Message) -> tuple[str, str]:
    return message.place, message.why


# ---- an ordinary answer ---------------------------------------------------------------------------------------------


def test_an_answer_is_filed_with_its_case_and_turns_the_turn(world: World) -> None:
    world.vendor_case()
    assert world.turn() == "them"
    got = world.fed(world.mail(PSIRT))
    assert (got.place, got.standing, got.assurance, got.kind) == ("filed", "claimed", "unsigned", "person")
    assert world.participant().last_heard_at == world.clock()
    assert (world.turn(), world.participant().since) == ("us", f"mail:{got.mail_id}")
    assert [(d.kind, d.rung) for d in world.deadlines()] == [("answer", 1)]
    assert [(shown.item.why, shown.vu) for shown in world.queue("alice")] == [("answer", VU)]
    assert (world.books().accepted, world.books().filed) == (1, 1)


def test_each_kind_of_place_is_counted_once_whatever_was_done(world: World) -> None:
    world.vendor_case()
    world.feed(
        world.mail(PSIRT),
        world.mail(EVE),
        world.mail(EVE, "no number"),
        world.mail("MAILER-DAEMON@mx.example", "Undelivered Mail Returned to Sender", "user unknown", reverse_path=""),
    )
    world.accept(world.mail(PSIRT, body="one more\r\n"))
    line = world.books()
    assert (line.filed, line.review, line.triage, line.bounces, line.pending, line.accepted) == (1, 1, 1, 1, 1, 5)


def test_participants_mail_of_a_case_without_an_analyst_waits_in_triage(world: World) -> None:
    world.organisation(VENDOR, PSIRT)
    world.alice = replace(world.alice, analyst_id=None)
    world.case(VENDOR)
    world.feed(world.mail(PSIRT))
    assert [(s.sender, s.vu) for s in world.queue("triage")] == [(PSIRT, VU)]


def test_a_batch_knows_what_its_own_earlier_mails_changed(world: World) -> None:
    world.vendor_case()
    world.feed(world.mail(PSIRT), world.mail(PSIRT, body="and another thing\r\n"))
    first, second = [m for m in world.messages() if m.direction == "in"]
    assert world.participant().since == f"mail:{first.mail_id}"
    assert (first.place, second.place) == ("filed", "filed")
    assert len(world.deadlines()) == 1


def test_a_closed_cases_mail_goes_to_its_owner_and_opens_it_if_it_counts(world: World) -> None:
    world.vendor_case()
    with world.writing() as tx:
        coordinate.cases.change(tx, 1, embargo="EXITED")
    closing.close(world.tools, world.alice, VU, "published by the vendor", anyway=True)
    world.with_trust(answers_from="signed")
    got = world.fed(world.mail(PSIRT))
    assert place(got) == ("filed", "the case is closed")
    assert [s.item.why for s in world.queue("alice")] == ["the case is closed"]
    assert (world.turn(), world.deadlines()) == ("nobody", [])
    world.with_trust(answers_from="claimed")
    world.feed(world.mail(PSIRT), world.mail(PSIRT))
    assert [s.item.why for s in world.queue("alice")][1:] == [
        "answer; the case was closed, and goes on (its sender: claimed)"
    ] * 2
    assert (world.turn(), [d.kind for d in world.deadlines()], world.participant().rm) == ("us", ["answer"], "RECEIVED")
    assert [e.data["why"] for e in world.journal() if e.kind == "case.reopened"] == ["a participant wrote"]


# ---- who does not count ---------------------------------------------------------------------------------------------


@pytest.mark.row("S26")
def test_a_stranger_with_the_right_number_is_review_and_nothing_else(world: World) -> None:
    case = world.vendor_case()
    before = (world.participant(), world.deadlines(), len(world.messages()), len(world.letters()))
    got = world.fed(world.mail(EVE))
    assert place(got) == ("review", "a stranger names the case")
    assert (got.case_id, got.participant_id, got.claimed_vu, got.suggested_vu) == (None, None, VU, VU)
    assert (got.standing, got.assurance) == ("stranger", "unsigned")
    assert (world.participant(), world.deadlines(), len(world.messages()), len(world.letters())) == before
    assert [(s.vu, s.sender) for s in world.queue("review")] == [(VU, EVE)]
    assert world.queue("alice") == []
    assert not any(entry.kind.startswith("mail.") for entry in world.journal())
    assert case.vu == VU


@pytest.mark.row("S27")
@pytest.mark.parametrize("signed", [False, True])
def test_a_participant_of_one_case_is_a_stranger_to_another(world: World, signed: bool) -> None:
    world.vendor_case(key=True)
    world.organisation("Other", "psirt@other.example")
    world.case("Other", vu=OTHER)
    before = world.participant("Other", OTHER)
    subject = f"VU#{OTHER} statement"
    got = world.fed(world.signed(f"VU#{OTHER}\n", subject) if signed else world.mail(PSIRT, subject))
    assert place(got) == ("review", "its sender is no participant of the case")
    assert (got.standing, got.assurance) == ("stranger", "other-signer" if signed else "unsigned")
    assert (got.case_id, got.claimed_vu) == (None, OTHER)
    assert world.participant("Other", OTHER) == before
    assert world.statements(OTHER) == []
    assert [s.vu for s in world.queue("review")] == [OTHER]
    assert world.queue("alice") == []


@pytest.mark.row("S28")
def test_a_participant_by_from_alone_is_filed_as_what_it_is(world: World) -> None:
    world.vendor_case(key=True)
    got = world.fed(world.mail(PSIRT, f"VU#{VU} statement", "We are not affected.\r\n"))
    assert (got.place, got.standing, got.assurance) == ("filed", "claimed", "unsigned")
    assert [(s.state, s.reason) for s in world.statements()] == [("held", "it is not signed")]


@pytest.mark.parametrize(
    ("trust", "turn", "why"),
    [("claimed", "us", "answer"), ("authenticated", "them", "claimed: does not count as an answer")],
)
def test_trust_says_what_counts_as_an_answer(world: World, trust: str, turn: str, why: str) -> None:
    world.vendor_case()
    world.with_trust(answers_from=trust)
    got = world.fed(world.mail(PSIRT))
    assert (place(got), world.turn()) == (("filed", why), turn)
    assert (world.participant().last_heard_at is None) == (turn == "them")


@pytest.mark.parametrize(("result", "standing"), [("pass", "authenticated"), ("fail", "claimed")])
def test_our_own_servers_finding_authenticates(world: World, result: str, standing: str) -> None:
    world.vendor_case()
    world.with_trust(authserv_id="mx.cert.example", answers_from="authenticated")
    line = f"Authentication-Results: mx.cert.example; dmarc={result} header.from=vendor.example"
    raw = world.mail(PSIRT).raw
    got = world.fed(world.envelope(line.encode() + b"\r\n" + raw))
    assert (got.standing, world.turn()) == (standing, "us" if result == "pass" else "them")


def test_a_colleague_in_the_mail_domain_counts_when_answering_us(world: World) -> None:
    world.vendor_case()
    [letter] = world.letters("notification")
    alone = world.fed(world.mail("colleague@vendor.example"))
    assert place(alone) == (
        "review", "from a participant's mail domain, but from no registered address, and it answers no letter of ours"
    )  # fmt: skip
    answering = world.fed(
        world.mail("colleague@vendor.example", "Re: your letter", "hi\r\n", f"In-Reply-To: {letter.message_id}")
    )
    assert (answering.place, answering.standing) == ("filed", "claimed")
    assert world.turn() == "us"


@pytest.mark.row("S19")
def test_answering_us_lets_no_stranger_in(world: World) -> None:
    world.vendor_case()
    [letter] = world.letters("notification")
    got = world.fed(world.mail(EVE, "Re: your letter", "hi\r\n", f"References: {letter.message_id}"))
    assert (got.place, got.case_id, got.suggested_vu) == ("review", None, VU)


NOWHERE = [
    ("VU#999999 hello", "review", "names VU#999999, which is no case here", 999999),
    (f"VU#{VU} VU#999999", "review", "names VU#999999, which is no case here", VU),
    (f"VU-{VU}", "review", "seems to name a VU#, but not in its form", VU),
    ("VRF#26-03-BCDFG", "review", "names VRF#26-03-BCDFG, which is no report here", None),
]


def test_numbers_that_lead_nowhere(world: World) -> None:
    world.vendor_case()
    for subject, where, why, claimed in NOWHERE:
        got = world.fed(world.mail(PSIRT, subject))
        assert (place(got), got.claimed_vu) == ((where, why), claimed)
    assert place(world.fed(world.mail(PSIRT, "a new flaw"))) == ("triage", f"new report {world.report().vrf}")
    assert world.turn() == "them"


# ---- machines -------------------------------------------------------------------------------------------------------

MACHINES: dict[str, dict[str, Any]] = {
    "auto-reply": {"headers": ("Auto-Submitted: auto-replied",)},
    "automatic": {"reverse_path": ""},
}


@pytest.mark.row("S21")
@pytest.mark.parametrize("kind", MACHINES)
def test_mail_of_machines_is_filed_changes_no_turn_and_bothers_nobody(world: World, kind: str) -> None:
    world.vendor_case()
    before = (world.participant(), world.deadlines(), len(world.letters()))
    given = MACHINES[kind]
    made = world.mail(
        PSIRT, f"VU#{VU} statement", "x\r\n", *given.get("headers", ()), reverse_path=given.get("reverse_path")
    )
    got = world.fed(made)
    assert (got.kind, place(got)) == (kind, ("filed", f"automatic: {kind}"))
    assert (world.participant(), world.deadlines(), len(world.letters())) == before
    assert (world.queue("alice"), world.statements()) == ([], [])


@pytest.mark.row("S06")
def test_a_bounce_waits_with_the_bounces(world: World) -> None:
    world.vendor_case()
    got = world.fed(world.mail("MAILER-DAEMON@mx.example", "Undelivered Mail Returned to Sender", reverse_path=""))
    assert got.place in ("bounces", "triage")
    report = (
        b"From: MAILER-DAEMON@vendor.example\r\nTo: " + OURS.encode() + b"\r\nSubject: Undelivered: VU#%d\r\n" % VU
        + b'Content-Type: multipart/report; report-type=delivery-status; boundary="r"\r\n\r\n--r\r\n\r\nsorry\r\n'
        b"--r\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        b"Final-Recipient: rfc822; psirt@vendor.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--r--\r\n"
    )  # fmt: skip
    got = world.fed(world.envelope(report, ""))
    assert (got.kind, place(got)) == ("bounce", ("bounces", "a bounce report"))
    assert (got.case_id, got.suggested_vu) == (None, VU)  # no registered address, and it answers no letter of ours
    assert world.turn() == "them"
    assert world.queue("bounces")


# ---- the same mail, and the same name -------------------------------------------------------------------------------


def test_the_same_bytes_are_one_mail(world: World) -> None:
    world.vendor_case()
    one = world.mail(PSIRT)
    world.feed(one)
    world.feed(one, one)
    assert (world.books().accepted, len([m for m in world.messages() if m.direction == "in"])) == (1, 1)


@pytest.mark.parametrize("together", [True, False])
def test_the_same_message_id_with_other_bytes_keeps_and_flags_both(world: World, together: bool) -> None:
    world.vendor_case()
    pair = [world.mail(PSIRT, body=f"{n}\r\n", message_id="same@vendor.example") for n in (1, 2)]
    for batch in [pair] if together else [[one] for one in pair]:
        world.feed(*batch)
    got = [m for m in world.messages() if m.direction == "in"]
    assert [m.flags for m in got] == ["message-id-reused", "message-id-reused"]
    assert [m.place for m in got] == ["filed", "filed"]


def test_whoever_takes_a_vendors_message_id_first_suppresses_nothing(world: World) -> None:
    world.vendor_case()
    eve = world.fed(world.mail(EVE, message_id="next@vendor.example"))
    got = world.fed(world.mail(PSIRT, message_id="next@vendor.example"))
    assert (got.place, got.flags, world.turn()) == ("filed", "message-id-reused", "us")
    assert eve.place == "review"


def by_another_road(made: Envelope) -> Envelope:
    """The same mail as a mailbox or a list hands it on."""
    return replace(made, raw=b"Received: from list.example by mx.cert.example\r\n" + made.raw)


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("stranger", [True, False])
def test_a_copy_by_another_road_is_kept_and_tells_nobody_again(world: World, together: bool, stranger: bool) -> None:
    world.vendor_case()
    one = world.mail(EVE, "A new flaw") if stranger else world.mail(PSIRT)
    pair = [one, by_another_road(one)]
    for batch in [pair] if together else [[each] for each in pair]:
        world.feed(*batch)
    with world.look() as tx:
        known = messages.of_mails(tx, [1, 2])
    first, second = known[1], known[2]
    assert (first.flags, second.flags, second.place) == ("", "copy", first.place)
    assert second.why == f"a copy of message {first.id}, by another road"
    assert [item.item.message_id for item in world.queue("triage" if stranger else "alice")] == [first.id]
    assert world.books().balanced


def test_no_copy_hides_a_mail_that_is_believed_more_or_says_something_else(world: World) -> None:
    """Eve knows a Message-ID, or even the words: what is behind hers is shown all the same."""
    world.vendor_case()
    real = world.mail(PSIRT)
    world.feed(replace(real, raw=real.raw.replace(PSIRT.encode(), EVE.encode(), 1), sender=EVE))
    got = world.fed(real)
    assert (got.place, got.flags, world.turn()) == ("filed", "message-id-reused", "us")
    assert [item.item.message_id for item in world.queue("alice")] == [got.id]


# ---- sealed mail ----------------------------------------------------------------------------------------------------


def test_encrypted_mail_is_routed_by_the_subject_inside(world: World) -> None:
    world.vendor_case(key=True)
    inner = (
        b'Content-Type: text/plain; charset=utf-8; protected-headers="v1"\r\nSubject: VU#%d our answer\r\n\r\nhello\r\n'
        % VU
    )
    got = world.fed(world.encrypted(inner, signer=world.keymaker.vendor))
    assert (got.place, got.standing, got.assurance) == ("filed", "signed", "verified")
    assert (got.subject, got.encrypted, got.decrypted) == (f"VU#{VU} our answer", True, "ok")
    assert world.turn() == "us"


def test_inner_and_outer_numbers_that_differ_go_to_review(world: World) -> None:
    world.vendor_case(key=True)
    world.case(VENDOR, vu=OTHER)
    inner = b'Content-Type: text/plain; protected-headers="v1"\r\nSubject: VU#%d\r\n\r\nhello\r\n' % VU
    got = world.fed(world.encrypted(inner, subject=f"VU#{OTHER}"))
    assert (got.place, got.case_id, got.suggested_vu) == ("review", None, VU)


def test_what_cannot_be_decrypted_is_filed_raw_and_says_so(world: World) -> None:
    world.vendor_case(key=True)
    to_eve = world.keymaker.encrypt(b"Content-Type: text/plain\r\n\r\nsecret\r\n", world.keymaker.eve)
    envelope = world.encrypted(b"", subject=f"VU#{VU}")
    head = envelope.raw.partition(b"-----BEGIN PGP MESSAGE-----")[0]
    got = world.fed(world.envelope(head + to_eve + b"\r\n--=-e--\r\n"))
    assert (got.place, got.encrypted, got.decrypted) == ("filed", True, "fail")
    assert "not-decrypted" in got.flags.split()


def test_flags_say_what_a_good_signature_lacks(world: World) -> None:
    world.vendor_case(key=True)
    plain = world.fed(world.signed(f"About VU#{VU}: we are looking.\n"))
    assert (plain.assurance, plain.flags) == ("verified", "")
    unbound = world.fed(world.signed("We are looking.\n"))
    assert (unbound.assurance, unbound.flags) == ("verified", "unbound")


@pytest.mark.row("P50")
def test_eves_good_signature_on_the_vendors_name_is_another_signers(world: World) -> None:
    world.vendor_case(key=True)
    world.organisation("Eve & Co", EVE, key=world.keymaker.eve)
    got = world.fed(world.signed(f"VU#{VU}: not affected\n", f"VU#{VU} statement", signer=world.keymaker.eve))
    assert (got.place, got.standing, got.assurance) == ("filed", "claimed", "other-signer")
    assert got.fingerprint == world.keymaker.eve.fingerprint
    assert [s.state for s in world.statements()] == ["held"]


@pytest.mark.row("P50")
def test_a_signature_by_a_key_nobody_pinned_is_invalid(world: World) -> None:
    world.vendor_case(key=True)
    got = world.fed(world.signed(f"VU#{VU}\n", signer=world.keymaker.eve))
    assert (got.standing, got.assurance, got.verdict) == ("claimed", "invalid", "unknown-key")


FROMS = [
    f'"{PSIRT}" <{EVE}>',
    f'"Vendor PSIRT {PSIRT}                              " <{EVE}>',
]
MALFORMED = [
    f"{PSIRT} <{EVE}>",
    "",
    "Vendor PSIRT",
    "<>",
    f"{PSIRT}\r\nFrom: {EVE}",
    f"{EVE}\r\nFrom: {PSIRT}",
    f"{PSIRT}, {EVE}",
    f"Vendor: {PSIRT};",
    f"Vendor <{PSIRT}> ({EVE})",
]


@pytest.mark.row("P51")
def test_a_display_name_that_looks_like_the_vendors_proves_nothing(world: World) -> None:
    world.vendor_case(key=True)
    world.organisation("Eve & Co", EVE, key=world.keymaker.eve)
    for sender in FROMS:
        got = world.fed(world.signed(f"VU#{VU}\n", f"VU#{VU} statement", signer=world.keymaker.eve, sender=sender))
        assert (got.place, got.standing, got.assurance, got.sender) == ("review", "stranger", "other-signer", EVE)
    assert (world.turn(), world.statements()) == ("them", [])


@pytest.mark.row("P51")
@pytest.mark.row("P52")
@pytest.mark.row("P53")
@pytest.mark.parametrize("signer", ["vendor", "eve"])
def test_a_malformed_from_is_nobody_whoever_signed(world: World, signer: str) -> None:
    world.vendor_case(key=True)
    world.organisation("Eve & Co", EVE, key=world.keymaker.eve)
    by = getattr(world.keymaker, signer)
    for sender in MALFORMED:
        got = world.fed(world.signed(f"VU#{VU}\n", f"VU#{VU} statement", signer=by, sender=sender))
        assert (got.place, got.standing, got.assurance) == ("review", "stranger", "other-signer"), sender
        assert "malformed-from" in got.flags.split()
        assert got.why.startswith("the From is malformed: ")
    assert (world.turn(), world.statements()) == ("them", [])


@pytest.mark.row("P53")
def test_sender_and_reply_to_are_never_used(world: World) -> None:
    world.vendor_case()
    got = world.fed(world.mail(EVE, f"VU#{VU}", "x\r\n", f"Sender: {PSIRT}", f"Reply-To: {PSIRT}"))
    assert (got.place, got.sender) == ("review", EVE)


# ---- what cannot be read --------------------------------------------------------------------------------------------


class Stubborn(Pgp):
    """GnuPG that hangs, is killed, or answers with garbage: TryLater (or worse) for every sealed mail."""

    def __init__(self, real: Pgp, trouble: Callable[[], Exception]) -> None:
        self.__dict__.update(real.__dict__)
        self.trouble = trouble

    def open(self, *_: Any, **__: Any) -> Opened:
        raise self.trouble()


def broken(world: World, trouble: Callable[[], Exception] = lambda: TryLater("gpg was killed")) -> None:
    world.tools = replace(world.tools, pgp=Stubborn(world.tools.pgp, trouble))


@pytest.mark.row("R17")
@pytest.mark.row("R18")
@pytest.mark.parametrize("trouble", [lambda: TryLater("gpg was killed"), lambda: RuntimeError("a fault of ours")])
def test_a_mail_that_cannot_be_read_is_tried_three_times_and_parked(
    world: World, trouble: Callable[[], Exception]
) -> None:
    world.vendor_case(key=True)
    pgp = world.tools.pgp
    broken(world, trouble)
    world.feed(world.mail(PSIRT), world.signed(f"VU#{VU}\n", f"VU#{VU} statement"), world.mail(EVE))
    line = world.books()
    assert (line.filed, line.review, line.pending) == (1, 1, 1)  # its neighbours are not held up
    for minutes in (1, 10):
        assert receive.work(world.tools) == 0  # not before its pause is over
        world.clock.forward(minutes=minutes, seconds=1)
        world.feed()
        world.books()
    assert (world.books().pending, world.books().quarantined) == (0, 1)
    [parked] = [m for m in world.everything() if m.place == "quarantine"]
    assert (parked.kind, parked.assurance, parked.standing) == ("unread", "retry", "stranger")
    assert parked.why.startswith("could not be read in 3 tries (")
    assert world.statements() == []
    assert [s.item.why for s in world.queue("quarantine")] == [parked.why]
    assert not any(m.verdict != "none" for m in world.everything())

    world.tools = replace(world.tools, pgp=pgp)
    receive_again(world, parked.id)


def receive_again(world: World, message_id: int) -> None:
    """`message retry`, once gpg is well: it becomes what it would have been, and the books balance at every step."""
    from mailrouter.flow.filing import file

    file.retry(world.tools, world.alice, message_id)
    assert (world.books().pending, world.books().quarantined) == (1, 0)
    world.feed()
    assert (world.books().pending, world.books().filed) == (0, 2)
    [kept] = world.statements()
    assert (kept.state, kept.message_id) == ("verified", message_id)
    assert world.queue("quarantine") == []


def test_a_mail_that_killed_its_reader_is_read_alone_and_parked_unread(world: World) -> None:
    world.vendor_case()
    world.accept(*(world.mail(PSIRT, body=f"{n}\r\n") for n in range(3)))
    hands = []
    for _ in range(10):  # each life of the worker claims, and dies
        with world.writing() as tx:
            items = inbox.claim(tx, world.tools.holder, world.clock(), 32)
        hands.append([(item.mail_id, item.tries, item.exhausted) for item in items])
        world.clock.forward(minutes=6)
    assert hands[0] == [(1, 1, False), (2, 1, False), (3, 1, False)]
    assert hands[1:4] == [[(1, 2, False)], [(1, 3, False)], [(1, 4, True)]]
    world.feed()
    assert [m.place for m in world.everything() if m.mail_id == 1] == ["quarantine"]
    assert (world.books().filed, world.books().quarantined) == (2, 1)


def test_another_nodes_lease_is_left_alone_until_it_runs_out(world: World) -> None:
    world.vendor_case()
    world.accept(world.mail(PSIRT))
    other = world.node("n2")
    assert len(receive.claim(other)) == 1
    assert receive.work(world.tools) == 0
    world.clock.forward(minutes=5, seconds=1)
    assert receive.work(world.tools) == 1
    assert world.books().filed == 1


def test_a_reader_who_comes_back_late_changes_nothing(world: World) -> None:
    world.vendor_case()
    world.accept(world.mail(PSIRT))
    late = world.node("n2")
    items = receive.claim(late)
    world.clock.forward(minutes=6)
    world.feed()
    before = (world.everything(), world.journal(), world.deadlines(everything=True))
    receive.receive(late, items)
    assert (world.everything(), world.journal(), world.deadlines(everything=True)) == before
    world.books()


def test_a_reader_who_comes_back_late_parks_nothing(world: World) -> None:
    world.vendor_case()
    world.accept(world.mail(PSIRT))
    late = world.node("n2")
    [item] = receive.claim(late)
    world.clock.forward(minutes=6)
    world.feed()
    receive.receive(late, [replace(item, tries=inbox.TRIES + 1)])
    assert [m.place for m in world.messages() if m.direction == "in"] == ["filed"]


def test_a_node_that_starts_again_frees_what_it_had_in_hand(world: World) -> None:
    world.vendor_case()
    world.accept(world.mail(PSIRT))
    receive.claim(world.tools)
    with world.writing() as tx:
        inbox.begin_life(tx, Holder("n2", "9"))
    assert receive.work(world.node("n1", "2")) == 0
    with world.writing() as tx:
        inbox.begin_life(tx, Holder("n1", "2"))
    assert receive.work(world.node("n1", "2")) == 1


# ---- anything at all ------------------------------------------------------------------------------------------------

NASTY = [
    b"",
    b"\x00",
    b"\r\n\r\n",
    b"Subject: VU#123456\x00\xff\xed\xa0\x80\r\nFrom: \xf0\x28\x8c\x28@vendor.example\r\n\r\n",
    b"From: psirt@vendor.example\r\nSubject: =?utf-8?q?VU=23123456=00=ED=A0=80=0D=0ABcc:_v@evil?=\r\n\r\n\x00\xff",
    b"From: psirt@vendor.example\r\nSubject: VU#123456\r\nMessage-ID: <" + b"x" * 5_000 + b"@[bad\r\n\r\n",
    b"From: psirt@vendor.example\r\nSubject: VU#123456\r\nMessage-ID: <>\r\nReferences: <<< <a@b> \x00\r\n\r\n",
    b"From: psirt@vendor.example\r\nSubject: VU#123456' OR 1=1--\r\nIn-Reply-To: <%'; DROP TABLE mails;--@x>\r\n\r\n",
    b"From: psirt@vendor.example\r\nSubject: VU#123456\r\nContent-Type: text/plain; charset=rot13\r\n\r\nstatement",
    b"From: psirt@vendor.example\r\nSubject: x\rBcc: v@evil\r\n\r\n",
    b"From: psirt@vendor.example\r\nSubject: VU#123456\r\nDate: Mon, 99 Foo 99999 99:99:99 +9999\r\n\r\n",
]


@pytest.mark.row("S14")
@pytest.mark.row("S15")
@pytest.mark.row("S17")
@pytest.mark.row("S36")
def test_nothing_a_mail_holds_stops_it_from_being_stored_and_shown(world: World) -> None:
    world.vendor_case()
    world.feed(*(world.envelope(raw) for raw in NASTY))
    line = world.books()
    assert (line.accepted, line.pending, line.quarantined) == (len(NASTY), 0, 0)
    with world.look() as tx:
        stored = [inbox.raw(tx, m.mail_id) for m in world.everything() if m.mail_id]
    assert stored == NASTY
    assert world.breaks() == []


@pytest.mark.row("S14")
@pytest.mark.row("S17")
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    subject=st.binary(max_size=60), sender=st.sampled_from([PSIRT.encode(), b"\xff@x", b""]) | st.binary(max_size=40),
    body=st.binary(max_size=200),
)  # fmt: skip
def test_no_bytes_are_too_much_for_the_way_of_a_mail(world: World, subject: bytes, sender: bytes, body: bytes) -> None:
    raw = b"From: " + sender + b"\r\nSubject: VU#123456 " + subject + b"\r\n\r\n" + body
    world.feed(world.envelope(raw))
    line = world.books()
    assert (line.pending, line.quarantined) == (0, 0)


@pytest.mark.row("S14")
def test_what_is_beyond_a_limit_is_kept_shown_and_routed_by_hand(world: World) -> None:
    world.vendor_case()
    huge = b"From: psirt@vendor.example\r\nSubject: VU#123456\r\n" + b"X-Flood: y\r\n" * 2000 + b"\r\nhello\r\n"
    got = world.fed(world.envelope(huge))
    assert (got.place, got.claimed_vu, got.suggested_vu) == ("quarantine", VU, VU)
    assert got.why.startswith("beyond a limit: over-limit:")
    assert world.turn() == "them"
    assert world.books().quarantined == 1


# ---- letters of ours keep the thread --------------------------------------------------------------------------------


def test_our_reply_answers_what_they_wrote(world: World) -> None:
    world.vendor_case()
    got = world.fed(world.mail(PSIRT, message_id="question@vendor.example"))
    letter = write.reply(world.tools, world.alice, got.id, Draft("Thank you."))
    [made] = [one for one in world.letters() if one.id == letter]
    assert made.in_reply_to == "<question@vendor.example>"
    assert made.reference_ids.split()[-1] == "<question@vendor.example>"
    assert world.queue("alice") == []
    assert world.turn() == "them"


@pytest.mark.row("R12")
def test_a_database_that_goes_away_under_a_look_at_a_mail_is_no_try_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.accept(world.mail(PSIRT))
    items = receive.claim(world.tools)

    def away(*_: object) -> None:
        raise OperationalError("SELECT", {}, Exception("connection refused"))

    with monkeypatch.context() as broken:
        broken.setattr(receive, "read_mail", away)
        with pytest.raises(OperationalError):
            receive.receive(world.tools, items)
    receive.release(world.tools, items)
    [again] = receive.claim(world.tools)
    assert again.tries == 1
