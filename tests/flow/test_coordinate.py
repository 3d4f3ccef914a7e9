"""A case as an analyst orders it: opening, vendors, first contact, letters, remarks, closing; and who did it."""

import pytest

from mailrouter.faults import Illegal, NotFound, Refused
from mailrouter.flow.actor import Actor, need_analyst, who
from mailrouter.flow.casework import closing, contacting, coordinate, write
from mailrouter.flow.casework.write import Draft
from mailrouter.flow.reports import accept
from mailrouter.mail.entity import Attachment
from mailrouter.store import cases, outbox
from tests.flow.world import PSIRT, VENDOR, VU, World

OTHER = 654321


@pytest.fixture
def house(world: World) -> World:
    """Two vendors in the registry, no case yet."""
    world.organisation(VENDOR, PSIRT)
    world.organisation("Acme", "psirt@acme.example")
    return world


# ---- opening --------------------------------------------------------------------------------------------------------


def test_a_case_gets_a_random_free_number_of_six_digits(house: World) -> None:
    numbers = {coordinate.open_case(house.tools, house.alice, "x").vu for _ in range(30)}
    assert len(numbers) == 30
    assert all(100_000 <= number <= 999_999 for number in numbers)


def test_a_given_number_is_taken_once(house: World) -> None:
    assert house.case().vu == VU
    with pytest.raises(Refused, match=f"VU#{VU} exists already"):
        house.case()


@pytest.mark.parametrize(
    ("by", "analyst", "owner"), [("alice", "", "alice"), ("root", "", ""), ("root", "alice", "alice")]
)
def test_whoever_opens_it_owns_it_unless_said_otherwise(house: World, by: str, analyst: str, owner: str) -> None:
    actor = house.alice if by == "alice" else Actor("unix:root")
    case = coordinate.open_case(house.tools, actor, "x", VU, analyst)
    assert case.analyst == owner
    assert [(e.kind, e.actor) for e in house.journal()] == [("case.opened", actor.name)]


def test_an_unknown_analyst_opens_nothing(house: World) -> None:
    with pytest.raises(NotFound, match="no analyst is named 'bob'"):
        coordinate.open_case(house.tools, house.alice, "x", VU, "bob")
    with pytest.raises(NotFound), house.look() as tx:
        cases.by_vu(tx, VU)


def test_a_vendor_takes_part_once(house: World) -> None:
    house.case()
    joined = coordinate.add_vendor(house.tools, house.alice, VU, "  vENDOR ", downstream=True, anonymous=True)
    assert (joined.role, joined.anonymous, joined.progress, joined.waiting_on) == (
        "downstream",
        True,
        "not contacted",
        "nobody",
    )
    with pytest.raises(Refused, match="is a participant of the case already"):
        coordinate.add_vendor(house.tools, house.alice, VU, VENDOR)
    with pytest.raises(NotFound, match="no organisation is named 'Nobody'"):
        coordinate.add_vendor(house.tools, house.alice, VU, "Nobody")


# ---- first contact --------------------------------------------------------------------------------------------------


def test_first_contact_makes_letter_deadline_and_embargo_at_once(house: World) -> None:
    house.case(VENDOR, "Acme")
    with house.look() as tx:
        case = cases.by_vu(tx, VU)
    assert (case.embargo, case.embargo_ends_at, case.planned_at) == ("ACTIVE", case.planned_at, case.embargo_ends_at)
    assert sorted(letter.recipient for letter in house.letters("notification")) == ["psirt@acme.example", PSIRT]
    for name in (VENDOR, "Acme"):
        who_is = house.participant(name)
        assert (who_is.progress, who_is.consent, who_is.waiting_on) == ("contacted", "INVITED", "them")
    assert {(d.kind, d.rung) for d in house.deadlines()} == {("follow-up", 1)}
    states = [e.data["states"] for e in house.journal() if e.kind == "embargo"]
    assert states == [["NONE", "PROPOSED", "ACTIVE"]]


def test_a_vendor_added_later_is_notified_under_the_same_embargo(house: World) -> None:
    house.case(VENDOR)
    house.clock.forward(days=3)
    coordinate.add_vendor(house.tools, house.alice, VU, "Acme")
    assert len(contacting.notify(house.tools, house.alice, VU, without_details=True)) == 1
    assert len([e for e in house.journal() if e.kind == "embargo"]) == 1


def test_nobody_is_notified_twice(house: World) -> None:
    house.case(VENDOR)
    with pytest.raises(Illegal, match=f"{VENDOR} was contacted before; `mailrouter case write {VU} {VENDOR}` writes"):
        contacting.notify(house.tools, house.alice, VU, [VENDOR], without_details=True)
    with pytest.raises(Illegal, match=f"every vendor of VU#{VU} was contacted before"):
        contacting.notify(house.tools, house.alice, VU, without_details=True)
    coordinate.add_vendor(house.tools, house.alice, VU, "Acme")
    assert len(contacting.notify(house.tools, house.alice, VU, ["Acme", "acme", "ACME"], without_details=True)) == 1


def test_only_vendors_are_notified(house: World) -> None:
    got = house.fed(house.mail("finder@home.example", "a finding"))
    accept.from_message(house.tools, house.alice, got.id, accept.Wanted("A finding", VU))
    with pytest.raises(Illegal, match=r"finder@home\.example is a reporter; only vendors are notified"):
        contacting.notify(house.tools, house.alice, VU, ["reporter"], without_details=True)
    with pytest.raises(Illegal, match="every vendor of"):
        contacting.notify(house.tools, house.alice, VU, without_details=True)
    assert house.letters("notification") == []


def test_a_name_that_takes_no_part_notifies_nobody(house: World) -> None:
    house.case(VENDOR, notify=False)
    with pytest.raises(NotFound, match=f"'Acme' takes no part in VU#{VU}; it has: {VENDOR}"):
        contacting.notify(house.tools, house.alice, VU, [VENDOR, "Acme"], without_details=True)
    assert (house.letters(), house.deadlines(), house.participant().progress) == ([], [], "not contacted")
    with house.look() as tx:
        assert cases.by_vu(tx, VU).embargo == "NONE"


# ---- closing --------------------------------------------------------------------------------------------------------


def test_a_case_is_not_closed_under_an_active_embargo_unless_that_ends_with_it(house: World) -> None:
    house.case(VENDOR)
    with pytest.raises(Illegal, match=f"the embargo of VU#{VU} is active; `--end-embargo` ends it with the case"):
        closing.close(house.tools, house.alice, VU, "done")
    closed = closing.close(house.tools, house.alice, VU, "done", end_embargo=True)
    assert (closed.state, closed.embargo, closed.closed_at) == ("closed", "EXITED", house.clock())
    assert (house.deadlines(), house.turn()) == ([], "nobody")
    with pytest.raises(Illegal, match="'close' is no move from closed; from there: reopen"):
        closing.close(house.tools, house.alice, VU, "again")


def test_a_closed_case_notifies_nobody_until_it_is_opened_again(house: World) -> None:
    house.case(VENDOR, notify=False)
    closing.close(house.tools, house.alice, VU, "a mistake")
    with pytest.raises(Illegal, match=f"VU#{VU} is closed; `mailrouter case reopen {VU} --why …` opens it again"):
        contacting.notify(house.tools, house.alice, VU, without_details=True)
    opened, _ = closing.reopen(house.tools, house.alice, VU, "not a mistake")
    assert (opened.state, opened.closed_at) == ("open", None)
    assert len(contacting.notify(house.tools, house.alice, VU, without_details=True)) == 1


def test_what_is_recorded_of_a_participant_is_used_in_letters(house: World) -> None:
    house.case(VENDOR)
    coordinate.set_participant(house.tools, house.alice, VU, VENDOR, their_ref="ACME-4411")
    write.write(house.tools, house.alice, VU, [VENDOR], Draft("Hello."))
    [letter] = house.letters("write")
    assert f"[VU#{VU}]" in letter.subject
    assert "[ACME-4411]" in letter.subject


# ---- letters, conversations, remarks --------------------------------------------------------------------------------


def test_one_mail_to_each_in_each_ones_thread(house: World) -> None:
    house.case(VENDOR, "Acme")
    house.feed(house.mail(PSIRT, message_id="theirs@vendor.example"))
    made = write.write(house.tools, house.alice, VU, [VENDOR, "Acme", "vendor"], Draft("To all."))
    assert len(made) == 2
    by_recipient = {letter.recipient: letter for letter in house.letters("write")}
    notified = {letter.recipient: letter.message_id for letter in house.letters("notification")}
    assert by_recipient[PSIRT].in_reply_to == "<theirs@vendor.example>"
    assert by_recipient[PSIRT].reference_ids.split() == [notified[PSIRT], "<theirs@vendor.example>"]
    assert by_recipient["psirt@acme.example"].in_reply_to == notified["psirt@acme.example"]


def test_a_letter_carries_attachments_byte_for_byte(house: World) -> None:
    house.case(VENDOR)
    write.write(house.tools, house.alice, VU, [VENDOR], Draft("See.", [Attachment("poc.bin", b"\0\xff\r\n.\n", "x/y")]))
    house.deliver()
    [mail] = [mail for mail in house.sent() if b"poc.bin" in mail.as_bytes()]
    [part] = [part for part in mail.walk() if part.get_filename() == "poc.bin"]
    assert part.get_payload(decode=True) == b"\0\xff\r\n.\n"


def test_a_reply_quotes_and_ends_the_waiting_in_the_queue(house: World) -> None:
    house.case(VENDOR)
    got = house.fed(house.mail(PSIRT, body="Which version?\r\n"))
    write.reply(house.tools, house.alice, got.id, Draft("1.2.", quoted="> Which version?"))
    [letter] = house.letters("reply")
    assert letter.body.index("1.2.") < letter.body.index("> Which version?")
    assert house.queue("alice") == []


def test_only_what_is_filed_as_a_participants_can_be_replied_to(house: World) -> None:
    house.case(VENDOR)
    got = house.fed(house.mail("eve@eve.example"))
    with pytest.raises(Illegal, match=f"message {got.id} is not filed with a case and participant"):
        write.reply(house.tools, house.alice, got.id, Draft("no"))
    with pytest.raises(NotFound, match="no message 999"):
        write.reply(house.tools, house.alice, 999, Draft("no"))
    assert house.letters("write", "reply") == []


def test_whom_to_write_to_must_take_part_or_nobody_is_written_to(house: World) -> None:
    house.case(VENDOR)
    with pytest.raises(NotFound):
        write.write(house.tools, house.alice, VU, [VENDOR, "Acme"], Draft("x"))
    assert house.letters("write") == []


def test_writing_to_somebody_not_contacted_is_contact(house: World) -> None:
    house.case(VENDOR, notify=False)
    write.write(house.tools, house.alice, VU, [VENDOR], Draft("Hello."))
    assert (house.participant().progress, house.turn()) == ("contacted", "them")


def test_a_remark_stays_inside(house: World) -> None:
    house.case(VENDOR)
    before = len(house.letters())
    written = write.remark(house.tools, house.alice, VU, "They seem worried.")
    [remark] = [m for m in house.messages() if m.id == written]
    assert (remark.direction, remark.note, remark.sender) == ("remark", "They seem worried.", "alice")
    assert (len(house.letters()), house.books().accepted) == (before, 0)
    assert "worried" not in str([e.data for e in house.journal()])


def test_a_conversation_is_shown_with_its_time_and_vouched_for(house: World) -> None:
    house.case(VENDOR)
    at = house.clock()
    house.clock.forward(hours=3)
    spoken = write.log(house.tools, house.alice, VU, VENDOR, "phone", at, "They confirm.")
    [call] = [m for m in house.messages() if m.id == spoken]
    assert (call.direction, call.kind, call.received_at, call.vouched_by, call.note) == (
        "in", "phone", at, "alice", "They confirm.",
    )  # fmt: skip
    assert house.turn() == "us"
    assert house.books().accepted == 0


# ---- who ------------------------------------------------------------------------------------------------------------


def test_a_login_is_its_analyst_or_itself(house: World) -> None:
    with house.look() as tx:
        assert who(tx, "alice") == house.alice
        assert who(tx, "root") == Actor("unix:root")
    need_analyst(house.alice, "approving")
    with pytest.raises(
        Illegal, match="approving needs an analyst; `mailrouter analyst add NAME --login root` makes you"
    ):
        need_analyst(Actor("unix:root"), "approving")


@pytest.mark.row("R26")
def test_the_same_step_is_one_letter(house: World) -> None:
    house.case(VENDOR)
    row = {"name": "x", "step": "11:follow-up:letter:1:1", "made_at": house.clock(), "message_id": "<x@y>"}
    with house.writing() as tx:
        first = outbox.queue(tx, row)
        assert first is not None
        assert outbox.queue(tx, row) is None


def test_everything_an_analyst_did_is_in_the_journal_and_no_word_of_a_mail(house: World) -> None:
    house.case(VENDOR)
    secret = "a very secret word"
    house.feed(house.mail(PSIRT, f"VU#{VU} {secret}", f"{secret}\r\n", message_id="hidden@vendor.example"))
    got = next(m for m in house.messages() if m.direction == "in")
    write.reply(house.tools, house.alice, got.id, Draft(secret, quoted=f"> {secret}"))
    write.log(house.tools, house.alice, VU, VENDOR, "call", house.clock(), secret)
    house.deliver()
    said = [(e.kind, e.actor, dict(e.data)) for e in house.journal()]
    for hidden in (secret, PSIRT, "hidden@vendor.example", "Subject"):
        assert hidden not in str(said)
    assert {"case.opened", "participant.added", "embargo", "letter.queued", "letter.sent", "mail.filed", "turn",
            "conversation"} <= {kind for kind, _, _ in said}  # fmt: skip
    assert house.breaks() == []
