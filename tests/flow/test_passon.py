"""What one participant wrote, passed on: under its pseudonym, encrypted, with consent, and nothing else of it."""

import io
from collections.abc import Callable
from dataclasses import replace
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import pytest
from PIL import Image

from mailrouter import faults
from mailrouter.flow.casework import closing, contacting, coordinate
from mailrouter.flow.filing import passon
from mailrouter.flow.filing.passon import Wanted
from mailrouter.store import cases, outbox, relays
from mailrouter.store.outbox import Letter
from tests.flow.world import PSIRT, VENDOR, VU, World
from tests.journey.leaks import assert_no_leak

BOLT = "Bolt"
AGREED = "agreed on the telephone"
PATCH = (
    b"From 1234567890abcdef Mon Sep 17\nFrom: Jane Roe <jane@vendor.example>\nSubject: fix\n\n---\n"
    b"diff --git a/x b/x\n+y\n"
)


def picture(kind: str = "PNG") -> bytes:
    """One that says who took it, in every place that we know of."""
    made, exif = io.BytesIO(), Image.Exif()
    exif[0x013B], exif[0x9286] = "Jane Roe", "psirt@vendor.example"
    image = Image.new("RGB", (8, 6), "red")
    if kind == "GIF":
        image.save(made, kind, comment=b"Jane Roe")
    elif kind == "JPEG":
        image.save(made, kind, exif=exif, comment=b"Jane Roe")
    else:
        image.save(made, kind, exif=exif)
    return made.getvalue() + b"Jane Roe after the end"


def entity(text: str, *files: tuple[str, bytes]) -> bytes:
    """What is encrypted: a text and its files."""
    made = EmailMessage()
    made.set_content(text)
    for name, content in files:
        made.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return made.as_bytes(policy=SMTP)


@pytest.fixture
def house(world: World) -> World:
    """An anonymous vendor with a key, another with one; both were written to."""
    world.organisation(VENDOR, PSIRT, domain="vendor.example", key=world.keymaker.vendor)
    world.organisation(BOLT, "security@bolt.example", domain="bolt.example", key=world.keymaker.eve)
    world.case(BOLT, notify=False)
    coordinate.add_vendor(world.tools, world.alice, VU, VENDOR, anonymous=True)
    contacting.notify(world.tools, world.alice, VU, without_details=True)
    world.deliver()
    return world


def question(house: World, text: str = "Does it need a login?", *files: tuple[str, bytes]) -> int:
    """A mail of the anonymous vendor's; its message id."""
    sealed = house.encrypted(entity(f"{text}\n", *files), f"VU#{VU}", signer=house.keymaker.vendor)
    return house.fed(sealed).id


def passed(house: World, message: int, **wanted: Any) -> Letter:
    """Passed on to Bolt, and tried once."""
    asked = {"consent": AGREED, "only_text": not wanted.get("attach")} | wanted
    [letter_id] = passon.relay(house.tools, house.alice, message, [BOLT], Wanted(**asked))
    house.deliver()
    with house.look() as tx:
        return outbox.get(tx, letter_id)


@pytest.mark.row("A02", "A03")
def test_a_question_is_passed_on_under_a_pseudonym_and_makes_it_their_turn(house: World) -> None:
    message = question(house, "Does it need a login?\n\nOn Monday, Our CERT wrote:\n> please look")
    called = house.participant(VENDOR).pseudonym
    sent = passed(house, message, note="Our own guess is yes.")
    assert (sent.state, sent.encrypted, sent.only_encrypted, sent.asks) == ("sent", True, True, True)
    assert f"  From: {called}" in sent.body
    assert "| Does it need a login?" in sent.body
    assert "please look" not in sent.body
    assert {passon.ASKS, "Our own guess is yes."} <= {" ".join(p.split()) for p in sent.body.split("\n\n")}
    assert house.turn(BOLT) == "them"
    mails = {BOLT: [mail.as_bytes() for mail in house.sent_to("security@bolt.example")]}
    secrets = {BOLT: ["bolt"], VENDOR: [PSIRT, "vendor.example", house.keymaker.vendor.fingerprint]}
    assert_no_leak(mails, secrets, lambda _whose, armored: house.keymaker.gpg("--decrypt", given=armored))
    with house.look() as tx:
        [kept] = relays.of_message(tx, message)
    assert (kept.letter_id, kept.participant_id, kept.consent) == (sent.id, house.participant(BOLT).id, AGREED)
    [row] = [one for one in house.journal() if one.kind == "relayed"]
    assert (row.data["message"], row.data["letter"], row.data["consent"][:7]) == (message, sent.id, "sha256:")
    assert AGREED not in str(row.data)


def test_what_was_passed_on_waits_for_nobody_and_its_sender_still_does(house: World) -> None:
    message = question(house)
    assert [shown.item.message_id for shown in house.queue("alice") if shown.item.kind == "mail"] == [message]
    passed(house, message)
    assert [shown for shown in house.queue("alice") if shown.item.kind == "mail"] == []
    assert house.turn(VENDOR) == "us"


def test_what_is_for_information_asks_nothing(house: World) -> None:
    sent = passed(house, question(house), asks=False)
    assert (sent.asks, passon.INFORMS in " ".join(sent.body.split())) == (False, True)


@pytest.mark.row("A08")
def test_without_their_consent_nothing_is_passed_on(house: World) -> None:
    message, other = question(house), question(house, "We agree: pass it on.")
    with pytest.raises(faults.Illegal, match=f"message reply {message}"):
        passed(house, message, consent="")
    bolts = house.fed(house.mail("security@bolt.example")).id
    with pytest.raises(faults.Illegal, match="no consent of theirs"):
        passed(house, message, consent="", consent_message=bolts)
    assert passed(house, message, consent="", consent_message=other).state == "sent"
    with house.look() as tx:
        assert relays.of_message(tx, message)[0].consent == f"message:{other}"


def _left(house: World) -> None:
    with house.writing() as tx:
        cases.change_participant(tx, house.participant(BOLT).id, left_at=house.clock(), left_why="sold it")


def _closed(house: World) -> None:
    closing.close(house.tools, house.alice, VU, "done", end_embargo=True, anyway=True)


def _once(house: World) -> None:
    passed(house, next(m.id for m in house.messages() if m.direction == "in"))


@pytest.mark.row("A08")
@pytest.mark.parametrize(
    ("before", "whom", "said"),
    [(lambda _house: None, VENDOR, "wrote it"), (_left, BOLT, " no more"), (_closed, BOLT, "reopen"),
     (_once, BOLT, "--again")],
)  # fmt: skip
def test_to_whom_nothing_is_passed_on(house: World, before: Callable[[World], None], whom: str, said: str) -> None:
    message = question(house)
    before(house)
    with pytest.raises((faults.Illegal, faults.NotFound), match=said):
        passon.relay(house.tools, house.alice, message, [whom], Wanted(consent=AGREED))


def test_a_letter_of_ours_and_a_strangers_mail_are_not_passed_on(house: World) -> None:
    ours = next(m for m in house.messages() if m.direction == "out")
    strange = house.fed(house.mail("who@else.example"))
    for message in (ours, strange):
        with pytest.raises(faults.Illegal):
            passed(house, message.id)


# ---- what it says of who made it ------------------------------------------------------------------------------------


@pytest.mark.row("A09", "S31")
def test_files_leave_without_what_they_say_of_who_made_them(house: World) -> None:
    files = [("poc.py", b"print('login')\n"), ("vendor.example.png", picture()), ("a.jpg", picture("JPEG")),
             ("b.gif", picture("GIF")), ("fix.patch", PATCH), ("notes.zip", b"PK\x03\x04Jane Roe")]  # fmt: skip
    message = question(house, "See the files.", *files)
    with pytest.raises(faults.Refused, match="--only-text"):
        passed(house, message, only_text=False)
    with pytest.raises(faults.Refused, match=r"--as-it-is 'notes\.zip' --why"):
        passed(house, message, attach=["notes.zip"])
    with pytest.raises(faults.NotFound, match=r"1 poc\.py, 2 vendor\.example\.png"):
        passed(house, message, attach=["other"])
    with pytest.raises(faults.Illegal, match=r"a mail domain of Vendor .* \(attachment 2, line 2\)"):
        passed(house, message, attach=["poc.py", "5"])
    sent = passed(house, message, attach=["poc.py", "2", "a.jpg", "b.gif", "5"], strip_patches=True)
    assert sent.state == "sent"
    left = {one["name"]: one["digest"] for one in outbox.attachments(sent)}
    assert list(left) == ["poc.py", "attachment-2.png", "a.jpg", "b.gif", "fix.patch"]
    [mail] = [m for m in house.sent_to("security@bolt.example") if m["Message-ID"] == sent.message_id]
    opened = house.keymaker.gpg("--decrypt", given=mail.get_payload(1).get_payload(decode=True))  # type: ignore[union-attr]
    secrets = {BOLT: [], VENDOR: ["Jane Roe", PSIRT, "Jane", "2026:"]}
    assert_no_leak({BOLT: [opened]}, secrets, lambda _whose, armored: armored)
    with house.look() as tx:
        [kept] = relays.of_message(tx, message)
    assert [one["name"] for one in kept.carried][1] == "vendor.example.png"


@pytest.mark.row("S31")
def test_what_cannot_be_taken_apart_leaves_only_as_somebody_means_it(house: World) -> None:
    message = question(house, "See the file.", ("notes.zip", b"PK\x03\x04...."))
    with pytest.raises(faults.Refused, match="--why go together"):
        passed(house, message, attach=["notes.zip"], as_it_is=["notes.zip"])
    wanted = {"attach": ["notes.zip"], "as_it_is": ["notes.zip"], "why": "I looked into it"}
    assert passed(house, message, **wanted).state == "sent"
    [row] = [one for one in house.journal() if one.kind == "relayed"]
    assert (row.data["why"], row.data["as_it_is"]) == ("I looked into it", row.data["files"])


@pytest.mark.row("A02")
def test_a_signature_block_with_a_name_is_held_back_until_it_is_edited(house: World) -> None:
    message = question(house, "Does it need a login? Regards, psirt@vendor.example")
    with pytest.raises(faults.Illegal, match=r"an address of Vendor \w+ \(the body, line 2\)"):
        passed(house, message)
    assert passed(house, message, names_ok=True).state == "held"  # a person meant it; an analyst must let it go
    assert passed(house, message, text="Does it need a login?", again=True).state == "sent"


def test_a_relay_to_somebody_without_a_key_is_held(house: World) -> None:
    house.organisation("Nut", "psirt@nut.example")
    coordinate.add_vendor(house.tools, house.alice, VU, "Nut")
    [letter_id] = passon.relay(house.tools, house.alice, question(house), ["Nut"], Wanted(consent=AGREED))
    house.deliver()
    with house.look() as tx:
        assert outbox.get(tx, letter_id).state == "held"


def test_several_get_one_mail_each_or_none_does(house: World) -> None:
    house.organisation("Nut", "psirt@nut.example", key=house.keymaker.alice)
    coordinate.add_vendor(house.tools, house.alice, VU, "Nut")
    message = question(house)
    called = house.participant("Nut").pseudonym
    made = passon.relay(house.tools, house.alice, message, [BOLT, called], Wanted(consent=AGREED))
    assert len(made) == 2
    once = replace(Wanted(consent=AGREED), again=True)
    with pytest.raises(faults.Illegal):
        passon.relay(house.tools, house.alice, message, ["Nut", VENDOR], once)
    with house.look() as tx:
        assert len(relays.of_message(tx, message)) == 2
