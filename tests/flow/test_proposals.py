"""What vendors' answers say: proposals, what is taken at once, and what an analyst takes with one command."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from mailrouter import faults
from mailrouter.case.model import Participant, Waiting
from mailrouter.flow import act
from mailrouter.flow.casework import coordinate, leaving, merging, proposals, standings, write
from mailrouter.flow.casework.write import Draft
from mailrouter.flow.filing import file
from mailrouter.flow.telling import tell
from mailrouter.store import cases, vulnerabilities
from mailrouter.store import proposals as stored
from mailrouter.store.proposals import Proposal
from mailrouter.store.vulnerabilities import VendorStatus
from tests.flow.world import PSIRT, VENDOR, VU, World

quickly = pytest.mark.parametrize("migrated_url", ["sqlite"], indirect=True)  # where SQL makes no difference
FORM = "Affected:\nWhy not:\nFixed in:\nFix expected:\nWe need:\n"
ANSWER = f"VU#{VU}\n\nAffected: yes\nFixed in: 3.2.1\nFix expected: 2026-12-01\n"


def all_of(world: World) -> list[Proposal]:
    with world.look() as tx:
        return stored.listed(tx, everything=True)


def says(world: World) -> list[tuple[str, str, str, str]]:
    """What, value, outcome, by whom."""
    return [(one.what, one.value, one.outcome or "open", one.decided_by) for one in all_of(world)]


def status(world: World, name: str = VENDOR) -> list[VendorStatus]:
    with world.look() as tx:
        found = vulnerabilities.statuses(tx, [cases.by_vu(tx, VU).id])
    return [one for one in found if one.participant_id == world.participant(name).id]


def kinds(world: World) -> list[str]:
    return [row.kind for row in world.journal()]


# ---- an answer without a signature waits for a person ----------------------------------------------------------------


def test_an_unsigned_answer_is_a_proposal_until_an_analyst_takes_it(world: World) -> None:
    world.vendor_case()
    mail = world.fed(world.mail(PSIRT, f"Re: VU#{VU} [ACME-4411]", f"Hello,\r\n\r\n{ANSWER}We need: a PoC\r\n"))
    assert [(what, outcome) for what, _, outcome, _ in says(world)] == [
        ("affected", "open"), ("fixed-in", "open"), ("fix-expected", "open"), ("we-need", "open"),
        ("their-ref", "open"),
    ]  # fmt: skip
    [item] = world.queue("alice")
    told = "answer; says: Affected: yes; Fixed in: 3.2.1; Fix expected: 2026-12-01; We need: a PoC"
    assert (item.item.why, mail.why) == (told, "answer")
    before = world.participant()
    assert (status(world), before.rm, before.their_ref, before.fix_expected_at) == ([], "RECEIVED", "", None)

    taken = proposals.take_message(world.tools, world.alice, mail.id)
    assert {(one.outcome, one.decided_by) for one in taken} == {("taken", "alice")}
    now = world.participant()
    [recorded] = status(world)
    assert (recorded.status, recorded.fixed_in, recorded.updated_by) == ("Affected", "3.2.1", "alice")
    assert (now.rm, now.their_ref, now.fix_expected_at) == ("ACCEPTED", "ACME-4411", datetime(2026, 12, 1, tzinfo=UTC))
    assert now.fix_ready_at is None  # it is promised for later
    assert now.waiting_on is Waiting.US
    with pytest.raises(faults.NotFound, match="nothing that message"):
        proposals.take_message(world.tools, world.alice, mail.id)


@pytest.mark.row("A07")
def test_no_value_stands_in_the_journal_or_leaves_in_clear(world: World) -> None:
    world.vendor_case()
    mail = world.fed(world.mail(PSIRT, body="Affected: yes\r\nFixed in: secret-release-77\r\n"))
    proposals.refuse(world.tools, world.alice, [all_of(world)[1].id], "another product")
    proposals.take_message(world.tools, world.alice, mail.id)
    world.day(1)
    tell.everyone(world.tools, world.clock())
    assert "secret-release" not in repr([row.data for row in world.journal()])
    [refused] = [row for row in world.journal() if row.kind == "proposal.refused"]
    assert (refused.actor, refused.data["why"], refused.data["what"]) == ("alice", "another product", "fixed-in")
    assert all("secret-release" not in letter.body for letter in world.letters())
    assert any("answer" in letter.body for letter in world.letters("analyst-arrival"))
    assert world.breaks() == []


# ---- verified and bound: taken at once -------------------------------------------------------------------------------


@pytest.mark.row("A07")
def test_a_signed_answer_that_names_the_case_is_taken_at_once(world: World) -> None:
    world.vendor_case(key=True)
    mail = world.fed(world.signed(ANSWER + "Fix expected: no\n"))
    assert says(world) == [
        ("affected", "yes", "taken", "mailrouter"),
        ("fixed-in", "3.2.1", "taken", "mailrouter"),
        ("fix-expected", "2026-12-01", "taken", "mailrouter"),
    ]
    [recorded] = status(world)
    assert (recorded.status, recorded.fixed_in, recorded.updated_by) == ("Affected", "3.2.1", "mailrouter")
    now = world.participant()
    assert (now.rm, now.progress, now.waiting_on) == ("ACCEPTED", "answered", Waiting.US)
    order = kinds(world)
    assert order.index("mail.filed") < order.index("proposal.made") < order.index("participant.status")
    [taken] = [r for r in world.journal() if r.kind == "proposal.taken" and r.data["what"] == "affected"]
    assert (taken.actor, taken.data["message"]) == ("mailrouter", mail.id)
    assert taken.data["fingerprint"] == world.keymaker.vendor.fingerprint
    assert world.breaks() == []


@pytest.mark.row("A07")
def test_only_what_is_signed_within_is_taken_and_read(world: World) -> None:
    world.vendor_case(key=True)
    text = f"VU#{VU}\r\nAffected: no\r\nWhy not: never built\r\n"
    entity = f"Content-Type: text/plain; charset=utf-8\r\n\r\n{text}".encode()
    world.feed(world.encrypted(entity, f"VU#{VU}"))
    assert [(what, outcome) for what, _, outcome, _ in says(world)] == [("affected", "open"), ("why-not", "open")]
    world.feed(world.encrypted(entity, f"VU#{VU}", signer=world.keymaker.vendor))
    assert [outcome for _, _, outcome, _ in says(world)] == ["overtaken", "overtaken", "taken", "taken"]
    assert [(one.status, one.why) for one in status(world)] == [("Not Affected", "never built")]
    world.day(1)
    signed = world.signed(f"VU#{VU}\nNothing new.\n").raw
    added = signed.replace(b"\r\n\r\n", b"\r\n\r\nAffected: yes\r\n", 1)  # before the first part: signed by nobody
    world.feed(world.envelope(added))
    assert [one.status for one in status(world)] == ["Not Affected"]
    assert len(says(world)) == 4


@quickly
@pytest.mark.parametrize(
    ("text", "subject", "why"),
    [
        ("Affected: yes\n", f"VU#{VU}", "the signed text names no case"),
        (f"VU#{VU}\nAffected: yes, on Windows\n", f"VU#{VU}", "there is a but"),
        (f"VU#{VU}\n> Affected:\nyes\n", f"VU#{VU}", "it stands below a quoted line"),
        (f"VU#{VU}\nAffected: yes\n", f"VU#{VU} statement", "it is meant as a statement"),
        (f"VU#{VU}\nAffected (VU#{VU}.7): yes\n", f"VU#{VU}", "there is no such vulnerability"),
    ],
)
def test_what_is_less_than_certain_waits(world: World, text: str, subject: str, why: str) -> None:
    world.vendor_case(key=True)
    world.feed(world.signed(text, subject))
    assert [(outcome, by) for _, _, outcome, by in says(world)] == [("open", "")], why
    assert status(world) == []


def test_a_statement_stays_what_it_is(world: World) -> None:
    world.vendor_case(key=True)
    world.feed(world.signed(f"VU#{VU}\nAffected: yes\n", f"VU#{VU} statement"))
    world.feed(world.mail(PSIRT, f"VU#{VU} statement", "Affected: no\r\n"))
    [verified, held] = world.statements()
    assert (verified.state, held.state) == ("verified", "held")
    assert verified.verbatim == f"VU#{VU}\r\nAffected: yes\r\n".encode()
    assert [value for _, value, _, _ in says(world)] == ["yes"]  # of the unsigned one nothing is even proposed


def test_not_a_vulnerability_is_disputed_and_no_is_not_affected(world: World) -> None:
    world.vendor_case(key=True)
    world.feed(world.signed(f"VU#{VU}\nAffected: not a vulnerability\nWhy not: a feature\n"))
    now = world.participant()
    assert (now.progress, now.rm) == ("disputed", "INVALID")
    assert [(one.status, one.why) for one in status(world)] == [("Unknown", "a feature")]
    world.day(1)
    world.feed(world.signed(f"VU#{VU}\nAffected: no\nWhy not: never built\n"))
    assert [(one.status, one.why) for one in status(world)] == [("Not Affected", "never built")]
    assert {by for _, _, _, by in says(world)} == {"mailrouter"}
    world.day(2)
    world.feed(world.signed(f"VU#{VU}\nAffected: unknown\n"))
    assert [one.status for one in status(world)] == ["Unknown"]


def test_an_older_word_undoes_nothing(world: World) -> None:
    world.vendor_case(key=True)
    monday = world.signed(f"VU#{VU}\nAffected: no\n")
    world.day(1)
    world.feed(world.signed(f"VU#{VU}\nAffected: yes\n"))
    world.feed(replace(monday, received_at=world.clock()))
    assert says(world)[0][2:] == ("taken", "mailrouter")
    assert says(world)[1][2:] == ("open", "")
    assert [one.status for one in status(world)] == ["Affected"]
    world.feed(world.envelope(monday.raw))  # the same again says nothing at all
    assert len(all_of(world)) == 2


@quickly
def test_a_signature_makes_a_person_of_what_looks_automatic(world: World) -> None:
    world.vendor_case(key=True)
    subject = f"Thank you for contacting us about VU#{VU}; we confirm it"
    got = world.fed(world.signed(f"VU#{VU}\nAffected: yes\n", subject))
    assert (got.kind, says(world)) == ("person", [("affected", "yes", "taken", "mailrouter")])
    world.feed(world.mail(PSIRT, subject, "Affected: no\r\n"))
    assert len(all_of(world)) == 1


def test_a_reason_that_stands_below_a_quoted_line_is_not_taken_along(world: World) -> None:
    world.vendor_case(key=True)
    world.feed(world.signed(f"VU#{VU}\nAffected: no\n\n> Why not:\nnever built\n> Fixed in:\n"))
    assert says(world) == [("affected", "no", "taken", "mailrouter"), ("why-not", "never built", "open", "")]
    assert [(one.status, one.why) for one in status(world)] == [("Not Affected", "")]
    proposals.take(world.tools, world.alice, [all_of(world)[1].id])
    assert [(one.status, one.why) for one in status(world)] == [("Not Affected", "never built")]


def test_a_version_that_may_be_the_promised_one_waits_for_a_person(world: World) -> None:
    world.vendor_case(key=True)
    world.feed(world.signed(f"VU#{VU}\nFix expected: 2026-12-01\n"))
    world.day(1)
    world.feed(world.signed(f"VU#{VU}\nFixed in: 3.2.1\n"))
    assert [outcome for _, _, outcome, _ in says(world)] == ["taken", "open"]
    assert status(world) == []
    proposals.take(world.tools, world.alice, [all_of(world)[1].id])
    assert [one.fixed_in for one in status(world)] == ["3.2.1"]
    assert world.participant().fix_ready_at == world.clock()


# ---- several vulnerabilities, and the fix ----------------------------------------------------------------------------


def test_each_vulnerability_has_its_own_lines(world: World) -> None:
    case = world.vendor_case(key=True)
    with world.writing() as tx:
        vulnerabilities.add(tx, case.id, "The second", world.clock())
    world.feed(world.signed(f"VU#{VU}\nAffected (VU#{VU}.1): yes\nAffected (.2): no\nFixed in (.1): 3.2\n"))
    assert [(s.number, s.status, s.fixed_in) for s in status(world)] == [
        (1, "Affected", "3.2"),
        (2, "Not Affected", ""),
    ]
    assert world.participant().fix_ready_at is not None
    world.day(1)
    world.feed(world.signed(f"VU#{VU}\nAffected: yes\n"))
    assert [(s.number, s.status, s.fixed_in) for s in status(world)] == [(1, "Affected", "3.2"), (2, "Affected", "")]


# ---- once, and the newest --------------------------------------------------------------------------------------------


def test_a_mail_looked_at_again_makes_none_twice_and_a_newer_one_overtakes(world: World) -> None:
    world.vendor_case()
    first = world.fed(world.mail(PSIRT, body="Affected: yes\r\n"))
    file.route(world.tools, world.alice, first.id, VU)
    assert len(all_of(world)) == 1
    world.feed(world.mail(PSIRT, body="Affected: no\r\n"))
    assert says(world) == [("affected", "yes", "overtaken", ""), ("affected", "no", "open", "")]
    with pytest.raises(faults.Illegal, match="overtaken before, by something newer of theirs"):
        proposals.take(world.tools, world.alice, [all_of(world)[0].id])
    world.organisation("Other", "o@other.example")
    coordinate.add_vendor(world.tools, world.alice, VU, "Other")
    file.route(world.tools, world.alice, first.id + 1, VU, "Other")
    assert says(world)[1:] == [("affected", "no", "overtaken", ""), ("affected", "no", "open", "")]
    assert all_of(world)[2].participant == "Other"


def test_two_analysts_at_once(world: World) -> None:
    world.vendor_case()
    world.feed(world.mail(PSIRT, body="Affected: yes\r\n"))
    [one] = all_of(world)
    bob, gate = world.analyst("bob"), threading.Barrier(2)

    def decide(name: str, analyst_id: int | None) -> str:
        tools = world.node(f"of-{name}")
        gate.wait()
        try:
            proposals.take(tools, replace(world.alice, name=name, analyst_id=analyst_id), [one.id])
        except faults.Illegal as refused:
            return str(refused)
        return name

    with ThreadPoolExecutor(2) as pool:
        said = sorted(pool.map(decide, ("alice", "bob"), (world.alice.analyst_id, bob.id)), key=len)
    other = said[1]
    assert f"proposal {one.id} was taken before, by {said[0]}" in other
    assert kinds(world).count("proposal.taken") == 1


# ---- within our form -------------------------------------------------------------------------------------------------


@quickly
def test_a_line_filled_in_where_our_letter_is_quoted(world: World) -> None:
    world.vendor_case()
    [letter_id] = write.write(world.tools, world.alice, VU, [VENDOR], Draft(f"Please fill in:\n\n{FORM}"))
    world.deliver()
    [letter] = [one for one in world.letters() if one.id == letter_id]
    quoted = "On Monday, 2 Nov 2026 10:00, Our CERT <cert@cert.example> wrote:\r\n> Affected: yes\r\n> Fixed in:\r\n"
    world.feed(world.mail(PSIRT, f"Re: VU#{VU}", quoted))  # answers nothing of ours that we know
    assert says(world) == []
    world.feed(world.mail(PSIRT, f"Re: VU#{VU}", quoted, f"In-Reply-To: {letter.message_id}"))
    assert says(world) == [("affected", "yes", "open", "")]


@quickly
def test_html_alone_is_read_too(world: World) -> None:
    world.vendor_case()
    html = "<p>Affected: yes</p><blockquote type=cite><p>Fixed in: 1</p></blockquote>"
    world.feed(world.mail(PSIRT, f"Re: VU#{VU}", html, "MIME-Version: 1.0", "Content-Type: text/html"))
    assert says(world) == [("affected", "yes", "open", "")]


# ---- whose words count for nothing -----------------------------------------------------------------------------------


@pytest.mark.row("A07")
def test_strangers_machines_and_other_roles_propose_nothing(world: World) -> None:
    world.vendor_case()
    world.organisation("Rita", "rita@home.example")
    with world.writing() as tx:
        rita = cases.add_participant(tx, cases.by_vu(tx, VU).id, 2, "reporter")
    assert rita.name == "Rita"
    world.feed(
        world.mail("x@stranger.example", body="Affected: no\r\n"),
        world.mail(PSIRT, f"VU#{VU}", "Affected: no\r\n", "Auto-Submitted: auto-replied"),
        world.mail("rita@home.example", f"VU#{VU} [RITA-1234]", "Affected: no\r\n"),
        world.mail(PSIRT, body="We received this.\r\n"),
    )
    assert says(world) == []
    assert [item.item.why for item in world.queue("alice")] == ["answer", "answer"]


# ---- their reference -------------------------------------------------------------------------------------------------


def test_their_reference(world: World) -> None:
    world.vendor_case(key=True)
    signed = b'Content-Type: text/plain; protected-headers="v1"\r\nSubject: [ACME-1] VU#%d\r\n\r\nHello\r\n' % VU
    world.feed(world.signed("", "[ACME-666] anything", content=signed))
    assert (world.participant().their_ref, says(world)[0][2:]) == ("ACME-1", ("taken", "mailrouter"))
    for _ in range(2):
        world.feed(world.mail(PSIRT, f"[ACME-2] Re: VU#{VU}"))
    [_, two] = all_of(world)
    assert (two.value, two.outcome) == ("ACME-2", "")
    proposals.refuse(world.tools, world.alice, [two.id], "of another case")
    world.feed(world.mail(PSIRT, f"[ACME-2] Re: VU#{VU}"))
    assert len(all_of(world)) == 2  # what was refused is not asked again


def test_what_is_recorded_by_hand_waits_no_longer(world: World) -> None:
    world.vendor_case()
    world.feed(world.mail(PSIRT, f"[ACME-2] Re: VU#{VU}", ANSWER + "Why not: x\r\n"))
    coordinate.set_participant(world.tools, world.alice, VU, VENDOR, their_ref="ACME-3")

    def by_hand(doing: act.Doing, whose: Participant) -> None:
        standings.set_status(doing, whose, "Not Affected", number=1)
        standings.expect_fix(doing, whose, None)

    standings.ordered(world.tools, world.alice, VU, VENDOR, by_hand)
    left = {what: (outcome, by) for what, _, outcome, by in says(world)}
    assert left.pop("fixed-in") == ("open", "")
    assert left["their-ref"] == left["fix-expected"] == ("overtaken", "alice")
    assert left["affected"] == ("open", "")  # of the case as a whole; of .1 alone it was not said
    standings.ordered(world.tools, world.alice, VU, VENDOR, lambda d, p: standings.set_status(d, p, "Unknown"))
    assert {outcome for what, _, outcome, _ in says(world) if what in ("affected", "why-not")} == {"overtaken"}
    assert sum(len(row.data.get("overtakes", ())) for row in world.journal()) == 4


def test_who_left_says_nothing_more_and_what_was_said_goes_along_with_a_merged_case(world: World) -> None:
    world.vendor_case()
    other = world.case(VENDOR, vu=222222)
    world.feed(world.mail(PSIRT, "VU#222222", "Affected: no\r\nFixed in (.9): 7\r\n"))
    merging.merge(world.tools, world.alice, other.vu, VU, "the same flaw")
    first, lost = all_of(world)
    assert (first.vu, first.vulnerability, lost.vulnerability) == (VU, 2, 10)
    proposals.take(world.tools, world.alice, [first.id])
    assert [(one.number, one.status) for one in status(world)] == [(2, "Not Affected")]
    leaving.remove(world.tools, world.alice, VU, VENDOR, "sold")
    gone = world.journal()[-1]
    assert (all_of(world)[1].outcome, gone.data["overtakes"]) == ("overtaken", [lost.id])
    assert world.participant().rm == "CLOSED"
    with pytest.raises(faults.Illegal, match="was overtaken"):
        proposals.take(world.tools, world.alice, [lost.id])
    world.feed(world.mail(PSIRT, body="Affected: yes\r\n"))
    assert len(all_of(world)) == 2


# ---- what an analyst cannot take -------------------------------------------------------------------------------------


@quickly
@pytest.mark.parametrize(
    ("line", "refused"),
    [
        ("Affected: partially", "says none of: yes, no, not a vulnerability, unknown; read the mail"),
        ("Fix expected: soon", "names no one date"),
        ("Fix expected: 2026-03-02", "is over: `mailrouter participant fix VU#123456 Vendor ready` if it is there"),
        ("Why not: never built", "does not deny VU#123456.1 as recorded"),
        (f"Affected (VU#{VU}.9): yes", f"VU#{VU}.9, which there is not"),
    ],
)
def test_what_cannot_be_taken_says_what_to_do(world: World, line: str, refused: str) -> None:
    world.vendor_case()
    world.feed(world.mail(PSIRT, body=f"We need: time\r\n{line}\r\n"))
    with pytest.raises((faults.Illegal, faults.NotFound, faults.Refused), match=refused.replace(".", r"\.")):
        proposals.take(world.tools, world.alice, [one.id for one in all_of(world)])
    assert {outcome for _, _, outcome, _ in says(world)} == {"open"}  # all, or none


def test_what_they_need_is_told_when_the_mail_waits_no_longer(world: World) -> None:
    world.vendor_case()
    mail = world.fed(world.mail(PSIRT, body="We need: a PoC\r\n"))
    [item] = world.queue("alice")
    file.done(world.tools, world.alice, item.item.id)
    assert world.turn() == "nobody"
    proposals.take_message(world.tools, world.alice, mail.id)
    assert (world.turn(), world.notices()) == ("us", ["they need: a PoC"])
    assert [str(d.kind) for d in world.deadlines()] == ["answer"]


@quickly
def test_a_line_that_names_a_cve_id_is_about_the_vulnerability_that_has_it(world: World) -> None:
    world.vendor_case(key=True)
    second = coordinate.add_vulnerability(world.tools, world.alice, VU, "another")
    with world.writing() as tx:
        vulnerabilities.change(tx, second.id, cve="CVE-2026-1002")
    world.feed(world.signed(f"VU#{VU}\n\nAffected (CVE-2026-1002): no\n"))
    assert [(one.number, one.status) for one in status(world)] == [(2, "Not Affected")]
