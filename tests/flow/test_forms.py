"""The forms a mail takes, as far as they decide where it goes and what an analyst sees of it."""

import pytest

from mailrouter.flow.filing import look
from tests.flow.world import PSIRT, VENDOR, VU, World
from tests.pgp import mails
from tests.pgp.cases.files import NOTE, file

OTHER = 234567
HP = b'Content-Type: text/plain; charset=utf-8; hp="clear"\r\n'


@pytest.mark.row("P47")
@pytest.mark.parametrize(
    "kind",
    [
        'message/partial; id="x"; number=1; total=2',
        'message/external-body; access-type=URL; URL="http://127.0.0.1:9/statement"',
    ],
)
@pytest.mark.parametrize("nested", [False, True])
def test_a_mail_that_lies_elsewhere_in_part_is_quarantined_and_nothing_is_fetched(
    world: World, kind: str, nested: bool
) -> None:
    world.vendor_case(key=True)
    part = f"Content-Type: {kind}\r\n\r\nContent-Type: text/plain\r\n\r\nVU#{VU}\r\n"
    if nested:
        part = f"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nsee there\r\n--b\r\n{part}--b--\r\n"
    header, _, body = part.partition("\r\n\r\n")
    got = world.fed(world.mail(PSIRT, f"VU#{VU}: statement", body, header))
    assert (got.place, got.case_id, got.suggested_vu) == ("quarantine", None, VU)
    assert got.why == f"{kind.partition(';')[0]}: a part of it lies elsewhere, and is not fetched"
    assert [item.item.message_id for item in world.queue("quarantine")] == [got.id]
    assert (world.turn(), world.statements()) == ("them", [])


@pytest.mark.row("P47")
def test_what_is_elsewhere_in_a_forwarded_mail_is_that_mails_affair(world: World) -> None:
    world.vendor_case()
    forwarded = "From: x@y.example\r\nContent-Type: message/external-body; access-type=URL\r\n\r\n\r\n"
    got = world.fed(world.mail(PSIRT, f"VU#{VU}", forwarded, "Content-Type: message/rfc822"))
    assert got.place == "filed"


@pytest.mark.row("P124")
def test_a_signed_subject_decides_the_case_and_both_are_shown(world: World) -> None:
    world.vendor_case(key=True)
    world.case(VENDOR, vu=OTHER)
    entity = HP + b"Subject: VU#%d: we answer\r\n\r\nWe look into it.\r\n" % VU
    got = world.fed(world.signed("", f"VU#{OTHER}: something else", content=entity))
    assert (got.place, got.assurance, got.flags) == ("filed", "verified", "")
    assert got.participant_id == world.participant(vu=VU).id
    seen = look.at(world.tools, got.id)
    assert (seen.message.subject, seen.outer_subject) == (f"VU#{VU}: we answer", f"VU#{OTHER}: something else")
    assert (world.turn(vu=VU), world.turn(vu=OTHER)) == ("us", "them")


@pytest.mark.row("P124")
def test_a_subject_that_nobody_signed_well_conflicts_with_the_outer_one(world: World) -> None:
    world.vendor_case(key=True)
    world.case(VENDOR, vu=OTHER)
    entity = HP + b"Subject: VU#%d\r\n\r\nWe look into it.\r\n" % VU
    signed = world.signed("", f"VU#{OTHER}", content=entity)
    broken = world.fed(world.envelope(signed.raw.replace(b"We look", b"I look")))
    assert (broken.subject, broken.assurance) == (f"VU#{OTHER}", "invalid"), "a broken signature protects nothing"
    encrypted = world.fed(world.encrypted(entity, f"VU#{OTHER}"))
    assert (encrypted.place, encrypted.case_id) == ("review", None)


def test_the_same_subject_twice_is_shown_once(world: World) -> None:
    world.vendor_case(key=True)
    entity = HP + b"Subject: VU#%d\r\n\r\nWe look into it.\r\n" % VU
    got = world.fed(world.signed("", f"VU#{VU}", content=entity))
    assert look.at(world.tools, got.id).outer_subject == ""


@pytest.mark.row("P105")
def test_an_encrypted_file_is_offered_as_it_was_before(world: World) -> None:
    world.vendor_case(key=True)
    content = b"PK\x03\x04\0 a proof of concept"
    keymaker = world.keymaker
    sealed = keymaker.encrypt(content, keymaker.cert, signer=keymaker.vendor, more=world._faked(None))
    got = world.fed(world.envelope(mails.mixed(NOTE, file("poc.zip.gpg", sealed))))
    assert (got.place, got.encrypted, got.decrypted, got.assurance) == ("filed", True, "partial", "partial")
    seen = look.at(world.tools, got.id)
    assert [(one.name, one.content) for one in seen.files] == [("poc.zip.gpg", sealed), ("poc.zip", content)]
    assert seen.text.strip() == "[not encrypted]\nSee the file, please."


@pytest.mark.row("P43")
def test_an_encrypted_text_file_is_shown_too(world: World) -> None:
    world.vendor_case(key=True)
    sealed = world.keymaker.encrypt(b"We are not affected.\n", world.keymaker.cert)
    got = world.fed(world.envelope(mails.mixed(NOTE, file("statement.asc", sealed))))
    seen = look.at(world.tools, got.id)
    assert "[the encrypted part]\nWe are not affected." in seen.text
    assert [one.name for one in seen.files] == ["statement.asc", "statement"]


def test_what_a_mail_server_took_apart_is_read_flagged_and_never_verified(world: World) -> None:
    world.vendor_case(key=True)
    entity = HP + b"Subject: VU#%d: statement\r\n\r\nVU#%d: we are not affected.\r\n" % (VU, VU)
    made = world.encrypted(entity, signer=world.keymaker.vendor)
    raw = made.raw.replace(b'multipart/encrypted; protocol="application/pgp-encrypted"', b"multipart/mixed")
    got = world.fed(world.envelope(raw))
    assert (got.place, got.verdict, got.assurance, got.flags) == ("filed", "good", "partial", "repaired")
    assert "we are not affected" in look.at(world.tools, got.id).text
    assert [one.state for one in world.statements()] == ["held"]
