"""Mail that only looks like a machine's: a person reads it, no clock moves, and a good signature ends the doubt."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from mailrouter.mail import machines
from mailrouter.store.outbox import Letter
from tests.flow.test_bounces import SECOND
from tests.flow.world import OURS, PSIRT, VENDOR, VU, World

SUBJECTS = (
    f"Content filter bypass in AX-7 (VU#{VU}): affected versions",
    f"Out of Office Assistant XSS, VU#{VU}: fix ready",
    f"Virus in the update channel: VU#{VU} is being exploited",
    f"Re: [VU#{VU}] Request received, here is our analysis",
    f"Thank you for contacting us about VU#{VU}; we confirm it",
    f"We received your report VU#{VU} and can reproduce it",
)
IN_LISTS = (
    ("List-Id: <psirt.vendor.example>", "List-Unsubscribe: <mailto:x@groups.example>"),
    ("List-Unsubscribe: <https://crm.example/u>",),
)
NOTICES = ("Priority changed from High to Low by Automation.", "Status: Open -> Waiting", "The SLA was breached.")


def notification(world: World) -> Letter:
    [letter] = world.letters("notification")
    return letter


@pytest.mark.row("S21")
@pytest.mark.parametrize("subject", SUBJECTS)
def test_words_in_a_subject_hide_no_mail(world: World, subject: str) -> None:
    world.vendor_case()
    before = (world.participant(), world.deadlines())
    got = world.fed(world.mail(PSIRT, subject, "Versions before 2.1 are affected. Fix on Friday.\r\n"))
    [waits] = world.queue("alice")
    assert waits.item.why in ("answer", f"looks automatic: {machines.ONLY_SUBJECT}")
    assert got.place == "filed"
    assert got.kind == "person" or (world.participant(), world.deadlines()) == before


@pytest.mark.row("S21")
@pytest.mark.parametrize("headers", IN_LISTS)
def test_a_list_hides_no_mail_and_moves_no_clock(world: World, headers: tuple[str, ...]) -> None:
    world.vendor_case()
    before = (world.participant(), world.deadlines())
    got = world.fed(world.mail(PSIRT, f"VU#{VU}: our analysis", "Affected.\r\n", *headers))
    assert (got.kind, got.place, got.why) == ("list", "filed", f"looks automatic: {machines.THROUGH_LIST}")
    assert [item.item.why for item in world.queue("alice")] == [got.why]
    assert (world.participant(), world.deadlines()) == before


def test_a_header_of_a_machines_own_is_no_doubt(world: World) -> None:
    world.vendor_case()
    got = world.fed(world.mail(PSIRT, f"Automatic reply: VU#{VU}", "Away.\r\n", "Auto-Submitted: auto-replied"))
    assert (got.kind, got.why, world.queue("alice")) == ("auto-reply", "automatic: auto-reply", [])


@pytest.mark.parametrize("text", NOTICES)
def test_a_ticket_systems_notice_is_read_and_is_no_answer(world: World, text: str) -> None:
    world.vendor_case()
    ours, before = notification(world), (world.participant().waiting_on, world.deadlines())
    headers = "Auto-Submitted: auto-generated", "X-JIRA-FingerPrint: 1", f"In-Reply-To: {ours.message_id}"
    got = world.fed(world.mail(PSIRT, f"Re: [VU#{VU}] Vulnerability report", f"{text}\r\n", *headers))
    assert got.why == f"does not count as an answer: {machines.MAY_BE_TICKETS}"
    assert [item.item.why for item in world.queue("alice")] == [got.why]
    assert (world.participant().waiting_on, world.deadlines()) == before


@pytest.mark.parametrize("subject", [f"Content filter bypass: statement on VU#{VU}", f"Vendor statement VU#{VU}"])
@pytest.mark.parametrize("header", [b"", b"List-Id: <psirt.vendor.example>\r\n"])
def test_a_good_signature_is_no_robots(world: World, subject: str, header: bytes) -> None:
    world.vendor_case(key=True)
    made = world.signed(f"VU#{VU}\nWe are not affected.\n", subject)
    got = world.fed(replace(made, raw=header + made.raw))
    assert (got.kind, got.standing) == ("person", "signed")
    assert [kept.state for kept in world.statements()] == ["verified"]


@pytest.mark.row("S21")
@pytest.mark.parametrize("sender", [PSIRT, "boss@vendor.example"])
def test_what_comes_to_a_letters_bounce_address_is_read_and_is_no_answer(
    worlds: Callable[..., World], sender: str
) -> None:
    """Autoresponders answer to Return-Path, in any language, some without a mark; so may a person by mistake."""
    world = worlds(POLICY__ACKNOWLEDGE_HOURS="24")
    world.organisation(VENDOR, PSIRT, SECOND, domain="vendor.example")
    world.case(VENDOR)
    world.deliver()
    before = (world.participant().waiting_on, world.deadlines())
    back = notification(world).reverse_path
    assert back
    got = world.fed(world.mail(sender, f"Re: [VU#{VU}]", "Jsem na dovolene.\r\n", to=(back,)))
    assert (got.kind, got.place) == ("automatic", "filed")
    assert [item.item.message_id for item in world.queue("alice")] == [got.id]
    assert (world.participant().waiting_on, world.deadlines()) == before
    assert world.letters("acknowledgement") == []
    answer = world.fed(world.mail(PSIRT, f"Re: [VU#{VU}]", "Affected.\r\n", to=(back, OURS)))
    assert answer.kind == "automatic", "it came there: who answers by hand takes the Reply-To"


def test_a_copy_of_protected_headers_is_no_statement(world: World) -> None:
    world.vendor_case(key=True)
    entity = (
        'Content-Type: multipart/mixed; boundary="m"; protected-headers="v1"\r\n'
        f"Subject: Vendor statement VU#{VU}\r\nFrom: {PSIRT}\r\n\r\n"
        '--m\r\nContent-Type: text/plain; protected-headers="v1"\r\nContent-Disposition: inline\r\n\r\n'
        f"Subject: Vendor statement VU#{VU}\r\n\r\n"
        f"--m\r\nContent-Type: text/plain\r\n\r\nVU#{VU}: we are not affected.\r\n\r\n--m--\r\n"
    ).encode()
    world.feed(world.encrypted(entity, signer=world.keymaker.vendor))
    [kept] = world.statements()
    assert (kept.state, kept.verbatim) == ("verified", f"VU#{VU}: we are not affected.\r\n".encode())
