"""Before publication: the draft, the alert and the reminder, as mails go and clocks run; on both databases."""

import re
from datetime import timedelta
from email import message_from_bytes

import pytest

from mailrouter.case.note import Sections
from mailrouter.faults import Illegal
from mailrouter.flow import publication
from mailrouter.flow.act.drafts import Showing
from mailrouter.flow.casework import closing, contacting, coordinate, leaving
from mailrouter.flow.composing import writing
from mailrouter.flow.drafts import alerting, sharing
from mailrouter.flow.drafts.sharing import Shared
from mailrouter.flow.notes import notpublishing
from mailrouter.flow.timing import casepolicy, remind
from mailrouter.store import cases, drafts, tables
from tests.flow.prepared import Shelf
from tests.flow.world import PSIRT, VENDOR, VU, World
from tests.servers.clock import START

SECTIONS = Sections("Overflow in everything", "It overflows.", "At length.", "Bad.", "Update.", "")
BELOW, BELOW_AT = "Bolt", "psirt@bolt.example"
MUTE, MUTE_AT = "Mute", "psirt@mute.example"  # no key, no consent, no answer
DAY = timedelta(days=1)
EVERY = ("draft", "alert", "reminder", "publication")


@pytest.fixture
def house(world: World, shelf: Shelf) -> World:
    """A vendor with a key, one that says nothing, and a downstream one that takes letters in clear."""
    return shelf.prepared(world, _written_to)


def _written_to(world: World) -> None:
    world.organisation(BELOW, BELOW_AT, domain="bolt.example")
    world.organisation(MUTE, MUTE_AT, domain="mute.example")
    world.vendor_case(key=True)
    coordinate.add_vendor(world.tools, world.alice, VU, MUTE)
    coordinate.add_vendor(world.tools, world.alice, VU, BELOW, downstream=True)
    contacting.notify(world.tools, world.alice, VU, without_details=True)
    contacting.decide_clear_text(world.tools, world.alice, VU, BELOW, allowed=True, why="they agreed")
    world.deliver()


def draft(world: World, **changes: str) -> None:
    writing.write(world.tools, world.alice, VU, Sections(**{**_as_dict(), **changes}), "more is known")  # type: ignore[arg-type]


def _as_dict() -> dict[str, object]:
    return {name: getattr(SECTIONS, name) for name in Sections.__slots__}


def share(world: World, *whom: str, now: bool = False, at_due: bool = False) -> Shared:
    return sharing.share(world.tools, world.alice, VU, whom, now=now, at_due=at_due)


def to(done: list[Showing] | tuple[Showing, ...]) -> dict[str, bool]:
    return {one.participant.name: one.letter_id is not None for one in done}


def before(world: World) -> list[tuple[str, str]]:
    """What a beat now does about what comes before publication."""
    return [(one.kind, one.does) for one in world.beat(everything=True) if one.kind in EVERY]


def shown(world: World, name: str) -> list[drafts.ShownDraft]:
    with world.look() as tx:
        return drafts.of_participant(tx, world.participant(name).id)


def rows(world: World) -> dict[str, int]:
    """The case's own open clocks: on which day each falls due."""
    still = [one for one in world.clocks() if one.participant_id is None and one.done_at is None]
    return {str(one.kind): (one.due_at - START).days for one in still if str(one.kind) in EVERY}


# ---- the clocks go along with the date -------------------------------------------------------------------------------


def test_all_are_set_with_our_date_and_go_along_with_it(house: World) -> None:
    assert rows(house) == {"draft": 31, "alert": 35, "reminder": 42, "publication": 45}
    casepolicy.change(house.tools, house.alice, VU, {"embargo_days": "52"})
    assert rows(house) == {"draft": 38, "alert": 42, "reminder": 49, "publication": 52}
    casepolicy.change(house.tools, house.alice, VU, {"draft_days": "14", "reminder_days": "2"})
    assert rows(house) == {"draft": 38, "alert": 38, "reminder": 50, "publication": 52}


def test_a_closed_case_has_none_and_an_opened_one_has_them_again(house: World) -> None:
    closing.close(house.tools, house.alice, VU, "over", end_embargo=True, anyway=True)
    assert rows(house) == {}
    closing.reopen(house.tools, house.alice, VU, "it goes on")
    assert rows(house) == {"draft": 31, "alert": 35, "reminder": 42, "publication": 45}


def test_rows_of_a_migration_that_are_due_at_once_do_no_harm(house: World) -> None:
    with house.writing() as tx:
        tx.execute(tables.deadlines.update().where(tables.deadlines.c.participant_id.is_(None)).values(
            due_at=house.clock(), since="migrated"
        ))  # fmt: skip
    assert before(house) == []
    assert rows(house) == {"draft": 31, "alert": 35, "reminder": 42, "publication": 45}


# ---- whom it names ---------------------------------------------------------------------------------------------------


def test_what_tells_of_who_is_not_to_be_named_is_shown_to_nobody(house: World) -> None:
    kim = house.organisation("Kim Possible", "kim@freemail.example")
    with house.writing() as tx:
        one = cases.add_participant(tx, 1, kim, "reporter")
    house.day(10)
    draft(house)
    assert share(house).kept_until is not None
    draft(house, acknowledgements="Thanks to Kim\\\nPossible.")
    with pytest.raises(Illegal, match=r"draft 2 tells of who is hidden: the name of Reporter .*; write it without"):
        share(house, now=True)
    house.day(35)
    house.beat(everything=True)
    assert house.letters("draft") == []
    [why] = [one for one in house.notices() if "tells of who is hidden" in one]
    assert "Kim" not in why
    assert "`mailrouter note share" in why
    with house.writing() as tx:
        cases.change_participant(tx, one.id, credit=True)
    assert to(share(house, VENDOR).done) == {VENDOR: True}
    house.deliver()
    assert [letter.state for letter in house.letters("draft")] == ["sent"]


def test_a_letter_names_only_whom_its_note_shows(house: World) -> None:
    """Who was shown when it was queued is only suspected when it leaves."""
    house.day(32)
    draft(house, description="As psirt@bolt.example says.")
    assert to(share(house, VENDOR).done) == {VENDOR: True}
    with house.writing() as tx:
        cases.change_participant(tx, house.participant(BELOW).id, progress="suspected")
    house.deliver()
    assert [letter.state for letter in house.letters("draft")] == ["held"]


def test_what_may_be_a_hidden_name_goes_by_an_analysts_word(house: World) -> None:
    coordinate.set_participant(house.tools, house.alice, VU, MUTE, anonymous=True)
    house.feed(house.mail(f"Jane Roe <{MUTE_AT}>", f"Re: VU#{VU}", "More.\r\n", reverse_path=MUTE_AT))
    house.day(32)
    draft(house, acknowledgements="Thanks to Jane Roe.")
    with pytest.raises(Illegal, match=r"may tell of who is hidden: the name of a person of Vendor .* --names-ok --why"):
        share(house, VENDOR)
    done = sharing.share(house.tools, house.alice, VU, (VENDOR,), names_ok="she is our analyst")
    assert to(done.done) == {VENDOR: True}
    [row] = [entry.data for entry in house.journal() if entry.kind == "draft.names-ok"]
    assert (row["draft"], row["why"]) == (1, "she is our analyst")


def test_a_draft_that_shows_who_left_since_is_made_anew_first(house: World) -> None:
    house.day(32)
    draft(house)
    leaving.remove(house.tools, house.alice, VU, MUTE, "the wrong vendor")
    with pytest.raises(Illegal, match=f"`mailrouter note refresh {VU}` first"):
        share(house)
    writing.refresh(house.tools, house.alice, VU)
    assert to(share(house).done) == {VENDOR: True, BELOW: True}


# ---- the draft -------------------------------------------------------------------------------------------------------


def test_shown_within_the_window_encrypted_or_by_consent_and_to_nobody_else(house: World) -> None:
    house.day(32)
    draft(house)
    done = share(house)
    assert (done.kept_until, to(done.done)) == (None, {VENDOR: True, MUTE: False, BELOW: True})
    [why] = [one for one in house.notices() if "was not shown" in one]
    assert MUTE in why
    assert BELOW not in why
    house.deliver()
    [clear] = [mail for mail in house.sent_to(BELOW_AT) if "Draft" in mail["Subject"]]
    [text, file] = [part for part in clear.walk() if part.get_content_type() == "text/plain"]
    words = text.get_payload(decode=True).decode()
    assert "Planned publication: 2026-04-16 09:00 UTC" in words
    assert "CVE IDs: none assigned yet" in words
    assert "It overflows." in words
    assert "TLP:AMBER" in words
    assert file.get_filename() == f"vu-{VU}-draft-1.1.txt"
    assert b"DRAFT, not published" in file.get_payload(decode=True)
    [name] = [one.message_id for one in house.letters("draft") if one.recipient == PSIRT]
    [sealed] = [mail for mail in house.sent_to(PSIRT) if mail["Message-ID"] == name]
    assert sealed.get_content_type() == "multipart/encrypted"
    assert b"overflows" not in sealed.as_bytes()
    cipher = sealed.get_payload()[1].get_payload(decode=True)
    inside = message_from_bytes(house.keymaker.gpg("--decrypt", given=cipher))
    assert any(b"It overflows." in (part.get_payload(decode=True) or b"") for part in inside.walk())


def test_earlier_it_is_kept_for_its_day_and_the_beat_shows_the_newest_once(house: World) -> None:
    house.day(10)
    draft(house)
    assert share(house).kept_until == START + 35 * DAY
    house.day(34.9)
    assert before(house) == []
    draft(house, overview="It overflows badly.")
    house.day(35)
    assert ("draft", "letter draft to 3") in [
        (one.kind, one.does) for one in remind.foretell(house.tools, house.clock())
    ]
    assert ("draft", "letter draft to 3") in before(house)
    assert before(house) == []
    assert remind.beat(house.node("n2"), house.clock()) == []
    assert [one.draft for one in shown(house, VENDOR)] == [2]
    assert len(house.letters("draft")) == 2


def test_now_is_now(house: World) -> None:
    house.day(3)
    draft(house)
    with pytest.raises(Illegal, match="--now for some"):
        share(house, VENDOR)
    assert to(share(house, VENDOR, now=True).done) == {VENDOR: True}
    house.day(33)
    assert share(house, at_due=True).kept_until == START + 35 * DAY
    house.day(36)
    with pytest.raises(Illegal, match="the sharing date of VU#123456 was 2026-04-06"):
        share(house, at_due=True)


def test_the_analyst_is_told_what_is_missing_two_weeks_ahead_on_the_day_and_a_week_ahead(house: World) -> None:
    said = []
    for number in (31, 33, 35, 37, 38, 40):
        house.day(number)
        said += [(number, does) for kind, does in before(house) if kind == "draft"]
    assert said == [(number, "notice to the analyst") for number in (31, 35, 38)]
    assert len([one for one in house.notices() if "note write" in one]) == 3


def test_what_was_shown_needs_no_notice_whoever_could_not_read_it_does(house: World) -> None:
    house.day(32)
    draft(house)
    share(house)
    house.day(35)
    assert [does for kind, does in before(house) if kind == "draft"] == ["notice to the analyst"]
    assert any(f"was not shown to {MUTE}:" in one for one in house.notices())
    contacting.decide_clear_text(house.tools, house.alice, VU, MUTE, allowed=True, why="they agreed")
    assert to(share(house).done) == {MUTE: True}
    house.day(38)
    assert [does for kind, does in before(house) if kind == "draft"] == ["nothing: shown"]


def test_a_vendor_added_on_day_40_is_shown_it_by_order_and_that_is_said(house: World) -> None:
    contacting.decide_clear_text(house.tools, house.alice, VU, MUTE, allowed=True, why="they agreed")
    house.day(35)
    draft(house)
    share(house)
    before(house)
    house.day(40)
    house.organisation("Late", "psirt@late.example", key=house.keymaker.alice)
    coordinate.add_vendor(house.tools, house.alice, VU, "Late")
    before(house)
    assert not any("Late" in one for one in house.notices())
    contacting.notify(house.tools, house.alice, VU, without_details=True)
    house.deliver()
    assert ("draft", "notice to the analyst") in before(house)
    assert any("was not shown to Late: `mailrouter note share 123456`" in one for one in house.notices())
    assert to(share(house).done) == {"Late": True}
    with pytest.raises(Illegal, match="was shown to everybody"):
        share(house)


def test_a_new_draft_goes_again_by_order_and_says_what_is_new(house: World) -> None:
    house.day(35)
    draft(house)
    share(house, BELOW)
    with pytest.raises(Illegal, match=r"Bolt was shown revision 1, draft 1"):
        share(house, BELOW)
    draft(house, overview="It overflows badly.")
    share(house, BELOW)
    [first, second] = house.letters("draft")
    assert "What is new" not in first.body
    assert "It replaces: revision 1, draft 1" in second.body
    assert "  -It overflows.\n  +It overflows badly.\n" in second.body


def test_who_is_hidden_is_in_no_draft(house: World) -> None:
    house.organisation("Zeta Industries", "psirt@zeta.example", domain="zeta.example")
    coordinate.add_vendor(house.tools, house.alice, VU, "Zeta Industries", anonymous=True)
    contacting.notify(house.tools, house.alice, VU, without_details=True)
    house.day(35)
    draft(house)
    share(house)
    house.deliver()
    letters = house.letters("draft")
    assert {one.state for one in letters} == {"sent"}
    assert not any("Zeta" in one.body for one in letters)
    assert all(VENDOR in one.body for one in letters)  # who is not hidden stands in it


def test_a_text_that_names_who_is_hidden_is_not_shown(house: World) -> None:
    house.organisation("Zeta Industries", "psirt@zeta.example", domain="zeta.example")
    coordinate.add_vendor(house.tools, house.alice, VU, "Zeta Industries", anonymous=True)
    house.day(35)
    draft(house, description="As Zeta Industries told us.")
    with pytest.raises(Illegal, match="tells of who is hidden: the name of Vendor"):
        share(house, BELOW)
    assert house.letters("draft") == []


def test_shown_to_nobody_without_a_draft_a_date_or_a_part_in_the_case(house: World) -> None:
    with pytest.raises(Illegal, match="has no draft of a note to show"):
        share(house)
    draft(house)
    coordinate.open_case(house.tools, house.alice, "Another", vu=222222)
    writing.write(house.tools, house.alice, 222222, SECTIONS)
    with pytest.raises(Illegal, match="no publication of VU#222222 is planned yet: --now"):
        sharing.share(house.tools, house.alice, 222222)
    house.organisation("New", "psirt@new.example")
    coordinate.add_vendor(house.tools, house.alice, VU, "New")
    with pytest.raises(Illegal, match="New was not contacted yet"):
        share(house, "New", now=True)
    notpublishing.decide(house.tools, house.alice, VU, "nothing to add")
    with pytest.raises(Illegal, match=r"there is no note: `mailrouter note not-publish .* --undo`"):
        share(house, now=True)


# ---- who has it ------------------------------------------------------------------------------------------------------


def answer(world: World, letter: int, body: str, sender: str = BELOW_AT) -> str:
    """A mail that answers a letter; the reason it waits for, '' when it waits for nobody."""
    answered = world.letters("draft")[letter].message_id
    mail = world.mail(sender, f"Re: VU#{VU} draft", body, f"In-Reply-To: {answered}")
    return waits(world, world.fed(mail).id)


def waits(world: World, message_id: int) -> str:
    return next((s.item.why for s in world.queue("alice") if s.item.message_id == message_id), "")


@pytest.mark.parametrize(
    ("body", "reason", "comments"),
    [
        ("Draft: seen\r\n", "", False),
        ("Hello,\r\n\r\nDraft: no comments\r\n\r\nBest regards,\r\nBob of Bolt\r\n", "", False),
        ("Draft: comments below\r\n\r\nThe title is wrong.\r\n", "comments on the draft", True),
        ("The title is wrong.\r\n", "comments on the draft", True),
        ("Draft: seen\r\n\r\nBut the date is too early.\r\n", "comments on the draft", True),
    ],
)
def test_an_answer_to_the_letter_acknowledges_it(house: World, body: str, reason: str, *, comments: bool) -> None:
    house.day(35)
    draft(house)
    share(house, BELOW)
    house.deliver()
    assert answer(house, 0, body) == reason
    [one] = shown(house, BELOW)
    assert one.acknowledged_at == house.clock()
    assert one.acknowledged_by.startswith("message:")
    assert (one.comment_id is not None) == comments
    bolt = house.participant(BELOW)
    assert (bolt.progress, bolt.waiting_on) == (("answered", "us") if comments else ("acknowledged", "them"))


def test_the_line_alone_means_the_only_draft(house: World) -> None:
    house.day(35)
    draft(house)
    share(house, BELOW)
    house.fed(house.mail(BELOW_AT, body=f"VU#{VU}\r\nDraft: comments below\r\n\r\nToo early.\r\n"))
    [one] = shown(house, BELOW)
    assert (one.acknowledged_at, one.comment_id is not None) == (None, True), "comments are read whoever wrote them"


def test_a_forged_line_acknowledges_nothing_and_a_person_sees_it(house: World) -> None:
    house.day(35)
    draft(house)
    share(house)
    house.deliver()
    found = house.fed(house.mail(PSIRT, body="Draft: seen\r\n"))
    assert waits(house, found.id).startswith("says that they have the draft, which anybody could have written")
    assert shown(house, VENDOR)[0].acknowledged_at is None
    found = house.fed(house.signed(f"VU#{VU}\nDraft: seen\n", f"Re: VU#{VU}"))
    assert (waits(house, found.id), shown(house, VENDOR)[0].acknowledged_at) == ("", house.clock())


def test_a_late_answer_acknowledges_the_draft_it_answers_and_no_newer_one(house: World) -> None:
    house.day(35)
    draft(house)
    share(house, BELOW)
    house.day(36)
    draft(house, overview="It overflows badly.")
    share(house, BELOW)
    house.deliver()
    answer(house, 0, "Draft: no comments\r\n")
    house.fed(house.mail(BELOW_AT, body="Draft: no comments\r\n"))  # of which, nobody can say
    first, second = shown(house, BELOW)
    assert (first.acknowledged_at is not None, second.acknowledged_at) == (True, None)


@pytest.mark.parametrize("sender", ["eve@elsewhere.example", MUTE_AT])
def test_nobody_acknowledges_for_another(house: World, sender: str) -> None:
    house.day(35)
    draft(house)
    share(house, BELOW)
    answer(house, 0, "Draft: seen\r\n", sender)
    assert shown(house, BELOW)[0].acknowledged_at is None


def test_an_analyst_who_knows_it_says_so(house: World) -> None:
    house.day(35)
    draft(house)
    with pytest.raises(Illegal, match="was shown no draft"):
        sharing.acknowledged(house.tools, house.alice, VU, BELOW, "on the telephone")
    share(house, BELOW)
    one = sharing.acknowledged(house.tools, house.alice, VU, BELOW, "on the telephone")
    assert one.acknowledged_by == "alice"
    with pytest.raises(Illegal, match="they acknowledged it on 2026-04-06"):
        sharing.acknowledged(house.tools, house.alice, VU, BELOW, "again")


# ---- the alert -------------------------------------------------------------------------------------------------------


def test_downstream_vendors_are_alerted_once_when_somebody_above_is_silent(house: World) -> None:
    house.feed(house.mail(PSIRT))
    for number in (14, 28, 35):
        house.day(number)
        did = before(house)
    assert ("alert", f"letter downstream-alert to {BELOW}") in did
    assert remind.beat(house.node("n2"), house.clock()) == []
    [letter] = house.letters("downstream-alert")
    assert (letter.recipient, letter.automatic) == (BELOW_AT, True)
    body = " ".join(letter.body.split())
    assert "2026-04-16 09:00 UTC" in body
    assert not re.search(rf"{MUTE}|{VENDOR}\b", body)  # it names nobody
    with pytest.raises(Illegal, match="they were alerted for 2026-04-16"):
        alerting.alert(house.tools, house.alice, VU)


def test_nobody_is_alerted_when_all_above_have_answered(house: World) -> None:
    house.feed(house.mail(PSIRT), house.mail(MUTE_AT))
    house.day(35)
    assert ("alert", "nothing: no downstream vendor below a silent one") in before(house)
    with pytest.raises(Illegal, match="there is no downstream vendor below one that is silent"):
        alerting.alert(house.tools, house.alice, VU)


def test_an_alert_by_order_comes_before_its_day_and_the_clock_finds_it_done(house: World) -> None:
    house.day(20)
    [(who, letter)] = alerting.alert(house.tools, house.alice, VU)
    assert (who.name, house.letters("downstream-alert")[0].id) == (BELOW, letter)
    with pytest.raises(Illegal, match="Mute is no downstream vendor"):
        alerting.alert(house.tools, house.alice, VU, [MUTE])
    house.day(35)
    assert ("alert", "nothing: nobody is to be written to") in before(house)


# ---- the reminder ----------------------------------------------------------------------------------------------------


def test_who_never_answered_is_reminded_once_and_wins_over_a_follow_up(house: World) -> None:
    house.with_policy(follow_up_days=20, non_responsive_days=60)
    house.feed(house.mail(PSIRT))
    for number in (14, 20, 28, 35, 40, 41, 42):
        house.day(number)
        house.beat()
        house.deliver()
    reminded = {one.recipient for one in house.letters("publication-reminder")}
    assert reminded == {MUTE_AT, BELOW_AT}
    assert not any("follow-up" in one.name and one.made_at > START + 38 * DAY for one in house.letters())
    assert remind.beat(house.node("n2"), house.clock()) == []
    [letter] = [one for one in house.letters("publication-reminder") if one.recipient == MUTE_AT]
    assert "2026-04-16 09:00 UTC" in letter.body
    assert letter.state == "sent"


def test_a_follow_up_too_near_the_date_leaves_no_reminder_and_the_analyst_is_told_once(house: World) -> None:
    """The date was put forward after the follow-up had left."""
    house.day(14)
    house.beat()
    house.deliver()
    casepolicy.change(house.tools, house.alice, VU, {"embargo_days": "17"})
    house.day(15)
    before(house)
    house.beat()
    assert house.letters("publication-reminder") == []
    told = [why.partition(":")[0] for why in house.notices() if "publication-reminder" in why]
    assert told == ["gets no publication-reminder before 2026-03-19"] * 3, "one for each"


def test_whoever_answers_before_it_left_is_not_reminded(house: World) -> None:
    house.day(42)
    before(house)
    house.feed(house.mail(MUTE_AT))
    assert [one.state for one in house.letters("publication-reminder") if one.recipient == MUTE_AT] == ["withdrawn"]


def test_letters_name_the_date_in_the_zone_in_which_it_was_agreed(house: World) -> None:
    with house.writing() as tx:
        tx.execute(tables.terms.update().values(zone="Europe/Berlin"))
    house.day(42)
    draft(house)
    share(house, VENDOR, now=True)
    before(house)
    said = "2026-04-16 09:00 UTC (11:00 Europe/Berlin)"
    for name in ("draft", "publication-reminder", "downstream-alert"):
        assert said in house.letters(name)[0].body
    assert house.letters("publication-reminder")[0].subject.endswith(f"publication on {said}")


def test_a_date_that_moves_after_the_reminder_is_reminded_of_anew(house: World) -> None:
    house.day(42)
    before(house)
    casepolicy.change(house.tools, house.alice, VU, {"embargo_days": "59"})
    assert rows(house)["reminder"] == 56
    house.day(56)
    before(house)
    to_mute = [one for one in house.letters("publication-reminder") if one.recipient == MUTE_AT]
    assert ["2026-04-30 09:00 UTC" in one.body for one in to_mute] == [False, True]


def test_a_date_that_moves_after_sharing_shows_nothing_again(house: World) -> None:
    contacting.decide_clear_text(house.tools, house.alice, VU, MUTE, allowed=True, why="they agreed")
    house.day(35)
    draft(house)
    share(house)
    before(house)
    casepolicy.change(house.tools, house.alice, VU, {"embargo_days": "59"})
    house.day(49)
    assert [does for kind, does in before(house) if kind == "draft"] == ["nothing: shown"]
    assert len(house.letters("draft")) == 3


def test_a_case_that_is_late_has_everything_due_at_once(world: World) -> None:
    world.vendor_case(key=True)
    with world.writing() as tx:
        case = cases.lock(tx, [1])[1]
        publication.plan(tx, case, "late", world.clock() + 2 * DAY, world.tools.settings.policy)
    assert dict(before(world)) == {
        "draft": "notice to the analyst", "alert": "nothing: no downstream vendor below a silent one",
        "reminder": f"letter publication-reminder to {VENDOR}",
    }  # fmt: skip
