"""What a vendor's mail program gets from us: signed, encrypted where it can be, in the thread, to one reader."""

from typing import Any

import pytest

from tests.journey.office import Office
from tests.journey.people import Organisation, Read
from tests.servers.wait import until

ANSWER = "Thank you.\nCould you send us a crash log?\n"


@pytest.mark.row("P50")
def test_a_conversation_with_a_vendor_who_has_a_key(office: Office, acme: Organisation) -> None:
    office.vendor(acme)
    vu = office.open(acme)
    office.node.run("case", "notify", str(vu), "--without-details")
    (first,) = office.letters_to(acme, 1)
    assert (first.encrypted, first.signer, first["To"]) == (True, office.fingerprint, acme.address)
    assert first.subject == f"[VU#{vu}] Vulnerability report, please read: Overflow in the updater"
    assert "Overflow in the updater" not in str(first.headers)

    theirs = acme.sealed(office.fingerprint, f"Re: {first.subject}", "It is real. A fix comes in May.\n")
    office.mail(acme.address, theirs)
    mail = office.message(vu, f"Re: {first.subject}")
    assert (mail["encrypted"], mail["assurance"], mail["standing"]) == (True, "verified", "signed")
    assert office.raw(mail["id"]) == theirs
    assert [item["message"] for item in office.queue("Ana")] == [mail["id"]]

    office.node.run("message", "reply", str(mail["id"]), "--file", "-", stdin=ANSWER)
    reply = office.letters_to(acme, 2)[1]
    assert (reply.encrypted, reply.signer) == (True, office.fingerprint)
    assert ANSWER in reply.text
    assert reply["In-Reply-To"] == f"<{mail['message_id']}>"
    assert reply["References"].split() == [first["Message-ID"], f"<{mail['message_id']}>"]
    assert office.queue("Ana") == []
    (whose,) = office.case(vu)["participants"]
    assert whose["waiting_on"] == "them"


def test_a_vendor_without_a_key_gets_signed_letters(small_office: Office, bolt: Organisation) -> None:
    office = small_office
    office.vendor(bolt, pinned=False)
    vu = office.open(bolt)
    office.node.run("case", "notify", str(vu), "--without-details")
    (first,) = office.letters_to(bolt, 1)
    assert (first.encrypted, first.signer) == (False, office.fingerprint)

    raw = bolt.plain(f"Re: {first.subject}", "We look into it.\n", In_Reply_To=first["Message-ID"])
    office.mail(bolt.address, raw)
    mail = office.message(vu, f"Re: {first.subject}")
    assert office.raw(mail["id"]) == raw
    assert (mail["standing"], mail["assurance"]) == ("claimed", "unsigned")

    office.node.run("message", "reply", str(mail["id"]), "--file", "-", "--confidential", stdin=ANSWER)
    held = until(lambda: _held(office), "the confidential letter to be held")
    assert held["why"].startswith("confidential, and the recipient has no usable key")
    assert held["id"] in {item_letter(item) for item in office.queue("Ana")}

    office.node.run("message", "reply", str(mail["id"]), "--file", "-", stdin=ANSWER)
    reply = office.letters_to(bolt, 2)[1]
    assert (reply.encrypted, reply.signer) == (False, office.fingerprint)
    assert reply["In-Reply-To"] == f"<{mail['message_id']}>"
    assert ANSWER in reply.text


def _held(office: Office) -> Any:
    return next((one for one in office.node.json("outbox", "list") if one["state"] == "held"), None)


def item_letter(item: dict[str, str]) -> int | None:
    """The letter a notice speaks of."""
    words = item["why"].split()
    return int(words[1]) if words[0] == "letter" else None


def test_what_left_is_what_is_shown(small_office: Office, acme: Organisation, bolt: Organisation) -> None:
    """`message show --raw` of a letter of ours is what the smarthost got; each has one reader."""
    office = small_office
    office.vendor(acme)
    office.vendor(bolt, pinned=False)
    vu = office.open(acme, bolt)
    office.node.run("case", "notify", str(vu), "--without-details")
    read: list[Read] = [*office.letters_to(acme, 1), *office.letters_to(bolt, 1)]
    assert len({one["Message-ID"] for one in read}) == 2
    case = until(lambda: _all_sent(office, vu), "the letters to be recorded as sent")
    shown = {office.raw(m["id"]) for m in case["messages"] if m["direction"] == "out"}
    taken = [one for one in office.sink.taken if b"ana@" not in one.rcpt[0]]
    assert {one.data for one in taken} == shown
    assert [len(one.rcpt) for one in taken] == [1, 1]
    for one, other in ((acme, bolt), (bolt, acme)):
        (mine,) = [t.data for t in taken if one.address.encode() in t.rcpt[0]]
        assert other.address.encode() not in mine
        assert other.name not in one.read(mine).text


def _all_sent(office: Office, vu: int) -> Any:
    case = office.case(vu)
    states = [m["letter"]["state"] for m in case["messages"] if m["direction"] == "out"]
    return case if set(states) == {"sent"} else None
