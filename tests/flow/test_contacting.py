"""Who is told what of a case, when, and how it leaves (DOMAIN.md, The way of a case 3)."""

import os
import random
import resource
from contextlib import suppress
from dataclasses import replace
from email.message import Message

import pytest

from mailrouter import worker
from mailrouter.case.contacting import Carries
from mailrouter.faults import Illegal, NotFound, Refused
from mailrouter.flow.casework import contacting, coordinate, describe, merging
from mailrouter.flow.casework.contacting import Contacted
from mailrouter.flow.filing import file
from mailrouter.flow.people import directory
from mailrouter.mail.entity import Attachment
from mailrouter.mail.envelope import Envelope
from mailrouter.store import cases
from mailrouter.store.descriptions import Description
from tests.flow.world import PSIRT, VENDOR, VU, World

SECRET = "An oversized manifest overwrites the stack."
POC = Attachment("poc.txt", b"overflow" * 10, "text/plain")


@pytest.fixture
def house(world: World) -> World:
    """A vendor with a pinned key, one without, one who will agree to clear text."""
    world.organisation(VENDOR, PSIRT, domain="vendor.example", key=world.keymaker.vendor)
    world.organisation("Acme", "psirt@acme.example", domain="acme.example")
    world.organisation("Bolt", "psirt@bolt.example", domain="bolt.example")
    world.case(VENDOR, "Acme", "Bolt", notify=False)
    return world


def described(house: World, text: str = SECRET, *files_: Attachment) -> Description:
    return describe.describe(house.tools, house.alice, VU, text, files_ or None)


def notify(house: World, *names: str, **more: bool) -> dict[str, Contacted]:
    return {d.participant.name: d for d in contacting.notify(house.tools, house.alice, VU, names, **more)}


def has(house: World, name: str) -> tuple[int, int]:
    one = house.participant(name)
    return one.described, one.promised


def named(house: World, recipient: str, name: str = "details") -> list[str]:
    return [letter.body for letter in house.letters(name) if letter.recipient == recipient]


# ---- the description -------------------------------------------------------------------------------------------------


def test_versions_are_kept_as_they_were_written(house: World) -> None:
    assert described(house, f"\n{SECRET}\r\n\x00\u202e", POC).text == SECRET
    second = described(house, f"{SECRET} Version 7 is not affected.")
    assert (second.version, second.attached[0]["name"]) == (2, "poc.txt")  # the files stay
    third = describe.describe(house.tools, house.alice, VU, second.text, [])
    with house.look() as tx:
        case = cases.by_vu(tx, VU)
        assert describe.version(tx, case, 1).text == SECRET
        assert describe.version(tx, case) == third
        with pytest.raises(NotFound, match=rf"no version 4 of the description of VU#{VU}: it has 1 to 3"):
            describe.version(tx, case, 4)
    rows = [e.data for e in house.journal() if e.kind == "case.described"]
    assert [(row["version"], len(row["sha256"]), len(row["files"])) for row in rows] == [
        (1, 64, 1),
        (2, 64, 1),
        (3, 64, 0),
    ]
    assert SECRET not in str(house.journal())


def test_what_is_no_description_is_refused(house: World) -> None:
    many, large = [POC] * (describe.MOST_FILES + 1), [Attachment("big", bytes(describe.LARGEST_FILES + 1))]
    for text, given, why in (
        (" \x00\n\u2028", [], "there is nothing in the description"),
        ("x" * (describe.LARGEST_TEXT + 1), [], "may have 256 KiB; send more as --attach"),
        ("x", many, "may have 50 files"),
        ("x", large, "may have 20 MiB together"),
    ):
        with pytest.raises(Refused, match=why):
            describe.describe(house.tools, house.alice, VU, text, given)
    described(house)
    with pytest.raises(Illegal, match="version 1 of VU#123456 says exactly this already"):
        described(house, f"{SECRET}\n")


def test_what_it_would_tell_of_others_is_said(house: World) -> None:
    coordinate.set_participant(house.tools, house.alice, VU, "Acme", anonymous=True)
    acme = house.participant("Acme").pseudonym
    bolt = house.participant("Bolt").pseudonym
    for text, content, hard, soft in (
        (SECRET, b"", "", ""),
        ("as in ACME's fork", b"", f"the name of {acme} (the body, line 1)", ""),
        ("see there", b"psirt@acme.example", f"an address of {acme} (attachment 1, line 1)", ""),
        ("as in Bolt", b"", "", f"the name of {bolt} (the body, line 1)"),
    ):
        made = described(house, text, Attachment("notes.txt", content, "text/plain"))
        with house.look() as tx:
            told = describe.tells(tx, house.tools, made)
        assert [(bool(said), wanted in said) for said, wanted in zip(told, (hard, soft), strict=True)] == [
            (bool(hard), True), (bool(soft), True),
        ], told  # fmt: skip


# ---- the first letter ------------------------------------------------------------------------------------------------


def test_without_a_description_nobody_is_notified_unless_ordered(house: World) -> None:
    with pytest.raises(Illegal, match=rf"VU#{VU} has no description yet: `mailrouter case describe {VU} --file FILE`"):
        notify(house)
    assert (house.letters(), house.participant().progress) == ([], "not contacted")
    done = notify(house, without_details=True)
    assert [d.carries for d in done.values()] == [Carries.NOTHING, Carries.NOT_YET, Carries.NOT_YET]
    described(house)
    house.pin("Acme", house.keymaker.eve)
    assert (has(house, VENDOR), has(house, "Acme")) == ((0, 0), (0, 0))  # nobody ordered that they get details


def test_details_go_at_once_only_to_who_can_have_them_safely(house: World) -> None:
    contacting.decide_clear_text(house.tools, house.alice, VU, "Bolt", allowed=True, why="told us by telephone")
    described(house, SECRET, POC)
    done = notify(house)
    assert {name: d.carries for name, d in done.items()} == {
        VENDOR: Carries.ENCRYPTED, "Acme": Carries.NOT_YET, "Bolt": Carries.IN_CLEAR,
    }  # fmt: skip
    assert [has(house, name) for name in (VENDOR, "Acme", "Bolt")] == [(1, 1), (0, 1), (1, 1)]
    house.deliver()
    assert {letter.state for letter in house.letters()} == {"sent"}
    [to_vendor], [to_acme], [to_bolt] = (house.sent_to(a) for a in (PSIRT, "psirt@acme.example", "psirt@bolt.example"))
    assert to_vendor.get_content_type() == "multipart/encrypted"
    assert SECRET.encode() not in to_vendor.as_bytes()
    opened = house.keymaker.gpg("--decrypt", given=to_vendor.get_payload()[1].get_payload(decode=True))
    assert SECRET.encode() in opened
    assert SECRET in (text := str(to_bolt))
    assert "Affected:\n" in text.replace("\r\n", "\n")
    plain = " ".join(str(to_acme).replace("=\n", "").split())
    assert SECRET not in plain
    assert "Please answer it with your organisation's public key" in plain
    with house.look() as tx:
        assert len(tx.exec_driver_sql("SELECT digest FROM files").all()) == 1


def test_details_follow_once_there_is_a_key_once_each(house: World) -> None:
    described(house, SECRET, POC)
    notify(house, "Acme")
    house.deliver()
    house.day(1)
    key = house.tools.pgp.import_public(house.keymaker.armored(house.keymaker.eve.fingerprint))
    directory.add_keys(house.tools, house.alice, "Acme", [key])
    directory.add_keys(house.tools, house.alice, "Acme", [key])
    [letter] = house.letters("details")
    [first] = house.letters("notification")
    assert (letter.in_reply_to, letter.confidential, letter.automatic) == (first.message_id, True, False)
    assert SECRET in letter.body
    assert "It replaces" not in letter.body
    assert (has(house, "Acme"), house.turn("Acme")) == ((1, 1), "them")
    assert house.participant("Acme").last_automatic_at is None
    house.deliver()
    assert house.letters("details")[0].state == "sent"
    assert house.letters("details")[0].encrypted
    queued = [e.data["name"] for e in house.journal() if e.kind == "letter.queued"]
    assert queued == ["notification", "details"]


def agrees(house: World, first: Message) -> Envelope:
    """To the address that this letter asked for, and the transport says that it is theirs."""
    house.with_trust(authserv_id="mx.cert.example")
    passed = "Authentication-Results: mx.cert.example; dmarc=pass header.from=bolt.example"
    given = (str(first["Reply-To"]),)
    return house.mail("psirt@bolt.example", f"Re: VU#{VU}", "Clear text: yes\r\n", passed, to=given)


def test_of_a_consent_that_nothing_proves_the_analyst_sends_the_details(house: World) -> None:
    described(house)
    notify(house, "Bolt")
    house.deliver()
    [first] = house.sent_to("psirt@bolt.example")
    house.with_trust(authserv_id="", answers_from="claimed")  # no evidence of the transport is to be had
    forged = house.mail("psirt@bolt.example", f"Re: VU#{VU}", "Clear text: yes\r\n", to=(str(first["Reply-To"]),))
    house.feed(forged, forged)
    assert house.participant("Bolt").clear_text_at == house.clock()
    assert named(house, "psirt@bolt.example") == []
    [told] = [why for why in house.notices() if "nothing proves that they wrote it: no details were sent" in why]
    assert told.endswith(f"`mailrouter case details VU#{VU} Bolt`")
    assert house.turn("Bolt") == "us"
    [sent] = contacting.send_newest(house.tools, house.alice, VU, ["Bolt"])
    assert sent.carries is Carries.IN_CLEAR
    assert house.turn("Bolt") == "them"
    for shown in house.queue("alice"):
        file.done(house.tools, house.alice, shown.item.id)
    assert house.turn("Bolt") == "them"
    house.day(17)
    house.beat()
    assert [letter.recipient for letter in house.follow_ups()] == ["psirt@bolt.example"]


def test_details_follow_the_consent_that_comes_by_mail(house: World) -> None:
    described(house)
    notify(house, "Bolt")
    house.deliver()
    [first] = house.sent_to("psirt@bolt.example")
    house.day(2)
    answer = agrees(house, first)
    house.feed(answer, answer)
    [body] = named(house, "psirt@bolt.example")
    assert SECRET in body
    assert house.turn("Bolt") == "them"  # the details ask
    [item] = [shown.item.id for shown in house.queue("alice") if shown.item.kind == "mail"]
    file.done(house.tools, house.alice, item)
    assert house.turn("Bolt") == "them"
    house.deliver()
    assert SECRET in str(house.sent_to("psirt@bolt.example")[-1]) or len(house.sent_to("psirt@bolt.example")) == 2
    house.day(17)
    house.beat()
    assert [letter.recipient for letter in house.follow_ups()] == ["psirt@bolt.example"]
    assert "Fix expected:" in house.follow_ups()[0].body


def test_details_follow_the_consent_that_an_analyst_records(house: World) -> None:
    described(house)
    notify(house, "Bolt")
    contacting.decide_clear_text(house.tools, house.alice, VU, "Bolt", allowed=True, why="by telephone")
    contacting.decide_clear_text(house.tools, house.alice, VU, "Bolt", allowed=True, why="again")
    assert len(named(house, "psirt@bolt.example")) == 1


def test_a_consent_that_comes_while_our_key_cannot_be_used_is_not_lost(house: World) -> None:
    described(house)
    notify(house, "Bolt")
    house.deliver()
    [first] = house.sent_to("psirt@bolt.example")

    def none() -> str:
        raise Refused("there is no key of ours that can sign")

    house.tools, whole = replace(house.tools, own_key=none), house.tools
    house.feed(agrees(house, first))
    assert house.participant("Bolt").clear_text_at == house.clock()
    assert any(f"could not be written (there is no key of ours that can sign): `mailrouter case details {VU}`" in why
               for why in house.notices())  # fmt: skip
    house.tools = whole
    assert contacting.send_newest(house.tools, house.alice, VU)[0].carries is Carries.IN_CLEAR


# ---- later versions --------------------------------------------------------------------------------------------------


def test_a_newer_version_goes_to_those_who_have_an_older_one(house: World) -> None:
    described(house)
    with pytest.raises(Illegal, match="Vendor was not contacted yet: `mailrouter case notify"):
        contacting.send_newest(house.tools, house.alice, VU, [VENDOR])
    notify(house, VENDOR, "Acme")
    with pytest.raises(Illegal, match="Vendor has version 1, the newest"):
        contacting.send_newest(house.tools, house.alice, VU, [VENDOR])
    described(house, "Version 7 is affected too.")
    done = contacting.send_newest(house.tools, house.alice, VU)
    assert [(d.participant.name, d.carries, d.letter_id is None) for d in done] == [
        (VENDOR, Carries.ENCRYPTED, False), ("Acme", Carries.NOT_YET, True),
    ]  # fmt: skip
    [letter] = house.letters("details")
    assert "It replaces version: 1" in letter.body
    assert "Version of our description: 2" in letter.body
    house.pin("Acme", house.keymaker.eve)
    assert contacting.send_newest(house.tools, house.alice, VU, ["Acme"])[0].carries is Carries.ENCRYPTED
    with pytest.raises(Illegal, match=r"every vendor of VU#123456 that was contacted has version 2"):
        contacting.send_newest(house.tools, house.alice, VU)
    notify(house, "Bolt")  # late: the newest
    assert [has(house, name) for name in (VENDOR, "Acme", "Bolt")] == [(2, 2), (2, 2), (0, 2)]


def test_after_a_merge_the_other_case_has_versions_of_its_own(house: World) -> None:
    described(house)
    notify(house, VENDOR)
    described(house, "Version 7 is affected too.")
    contacting.send_newest(house.tools, house.alice, VU)
    house.case(vu=654321)
    for text in ("Of the other case.", "More of the other case."):
        describe.describe(house.tools, house.alice, 654321, text)
    merging.merge(house.tools, house.alice, VU, 654321, "the same flaw")
    assert house.participant(vu=654321).described == 0
    [done] = contacting.send_newest(house.tools, house.alice, 654321)
    assert done.carries is Carries.ENCRYPTED
    assert "More of the other case." in house.letters("details")[-1].body


# ---- who reported it -------------------------------------------------------------------------------------------------


def test_a_vendor_that_reported_it_is_not_asked_what_it_told_us(house: World) -> None:
    with house.writing() as tx:
        cases.change_participant(tx, house.participant("Acme").id, roles="vendor reporter", rm="ACCEPTED")
    described(house)
    done = notify(house)
    assert (done["Acme"].carries, done["Acme"].letter_id) == (None, None)
    known = house.participant("Acme")
    assert (known.progress, known.aware_at, known.consent) == ("answered", house.clock(), "INVITED")
    assert sorted(letter.recipient for letter in house.letters()) == ["psirt@bolt.example", PSIRT]
    assert [e.data["participant"] for e in house.journal() if e.kind == "participant.knows"] == [known.id]


# ---- their reference -------------------------------------------------------------------------------------------------


def test_their_reference_goes_from_their_first_answer_into_our_next_letters(house: World) -> None:
    """Outside too, for their own programs; recorded from a signed answer, and with the title only inside."""
    described(house)
    notify(house, VENDOR)
    house.deliver()
    head = f'Content-Type: text/plain; protected-headers="v1"\r\nSubject: [VEND-4411] Re: VU#{VU}\r\n\r\n'
    house.feed(house.signed("", content=f"{head}We look into it.\r\n".encode()))
    assert house.participant().their_ref == "VEND-4411"
    described(house, "Version 7 is affected too.")
    contacting.send_newest(house.tools, house.alice, VU)
    house.deliver()
    subjects = {str(mail["Subject"]) for mail in house.sent_to(PSIRT)}
    assert f"[VU#{VU}] [VEND-4411] Vulnerability coordination" in subjects
    assert not any("A flaw in everything" in subject for subject in subjects)


# ---- a crowd ---------------------------------------------------------------------------------------------------------


def test_a_crowd_gets_one_mail_each_and_one_copy_of_the_file(house: World) -> None:
    crowd = [f"Crowd {number}" for number in range(30)]
    for number, name in enumerate(crowd):
        house.organisation(name, f"psirt@c{number}.example", f"second@c{number}.example")
        coordinate.add_vendor(house.tools, house.alice, VU, name)
        if number % 2:
            with house.writing() as tx:
                cases.change_participant(
                    tx, house.participant(name).id, clear_text_at=house.clock(), clear_text_by="alice"
                )
    described(house, SECRET, POC)
    done = notify(house)
    assert len({one.letter_id for one in done.values()}) == 33
    house.deliver()
    mails = house.sent()
    assert len({mail["Message-ID"] for mail in mails}) == len(mails) == 33
    assert sorted(str(mail["To"]) for mail in mails) == sorted(
        [PSIRT, "psirt@acme.example", "psirt@bolt.example", *(f"psirt@c{number}.example" for number in range(30))]
    )
    assert all(mail["Cc"] is None for mail in mails)
    assert sum(SECRET in mail.as_string() for mail in mails) == 15
    with house.look() as tx:
        assert len(tx.exec_driver_sql("SELECT digest FROM files").all()) == 1
        assert len({d.participant_id for d in cases.deadlines_of(tx, cases.by_vu(tx, VU).id) if d.participant_id}) == 33
    assert [e.data["name"] for e in house.journal() if e.kind == "letter.queued"] == ["notification"] * 33
    assert house.breaks() == []


@pytest.mark.long
def test_the_largest_files_leave_encrypted_within_the_memory_of_a_deliverer(house: World) -> None:
    noise = random.Random(7).randbytes(describe.LARGEST_FILES)
    described(house, SECRET, *(Attachment(f"{at}.bin", noise[at::50], "application/octet-stream") for at in range(50)))
    notify(house, VENDOR)
    child = os.fork()
    if not child:
        with suppress(BaseException):
            resource.setrlimit(resource.RLIMIT_AS, (worker.MEMORY_BYTES[worker.Task.DELIVER], resource.RLIM_INFINITY))
            house.tools.db.engine.dispose(close=False)
            house.deliver()
        os._exit(0)
    os.waitpid(child, 0)
    [letter] = house.letters("notification")
    assert (letter.state, letter.encrypted) == ("sent", True)


@pytest.mark.parametrize("by_name", [True, False])
def test_a_mail_in_its_name_keeps_no_vendor_from_being_told(house: World, by_name: bool) -> None:
    """Without a trusted authserv-id it is believed as far as its From goes, and anybody may have written that."""
    house.feed(house.mail("psirt@acme.example", body="We know.\r\n"))
    assert house.participant("Acme").progress == "answered"
    described(house)
    done = notify(house, *(["Acme"] if by_name else []))
    assert done["Acme"].letter_id is not None
    assert (house.participant("Acme").progress, house.turn("Acme")) == ("contacted", "them")
    with pytest.raises(Illegal, match="Acme was contacted before"):
        notify(house, "Acme")
