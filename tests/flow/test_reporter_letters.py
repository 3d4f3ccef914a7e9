"""Letters to who reported something, before there is a case: sealed as all are, known again, missed when they fail."""

import pytest

from mailrouter import faults
from mailrouter.flow import letters
from mailrouter.flow.reports import reported, triage
from mailrouter.store import journal
from mailrouter.store.messages import Message
from mailrouter.store.outbox import Letter
from tests.flow.world import MakeWorld, World
from tests.mail.reports import report as delivery_report
from tests.servers.sink import Sink

JO = "jo@finder.example"
QUESTION = "Does it crash on Linux, too?"


@pytest.fixture
def asked(world: World) -> World:
    """A report, and a question of Alice's about it."""
    world.feed(world.mail(JO, "Overflow", message_id="first@finder.example"))
    triage.ask(world.tools, world.alice, world.report().vrf, triage.Draft(QUESTION))
    return world


def letter(world: World) -> Letter:
    [found] = world.letters("report-ask")
    return found


def test_it_is_signed_names_the_number_and_goes_to_the_reporter_alone(asked: World) -> None:
    asked.deliver()
    [mail] = asked.sent_to(JO)
    assert (letter(asked).state, letter(asked).signed, letter(asked).encrypted) == ("sent", True, False)
    assert mail["Subject"].startswith(f"[{asked.report().vrf}] ")
    assert mail["Auto-Submitted"] is None
    [shown] = [m for m in asked.everything() if m.direction == "out"]
    assert (shown.report_id, shown.case_id, shown.letter_id) == (asked.report().id, None, letter(asked).id)
    with asked.look() as tx:
        kinds = [entry.kind for entry in journal.entries(tx, journal.report_chain(asked.report().id))]
    assert kinds[-1] == "letter.sent"


def test_its_answer_joins_the_report(asked: World) -> None:
    asked.deliver()
    came = asked.fed(asked.mail(JO, "yes", "yes\r\n", f"In-Reply-To: {letter(asked).message_id}"))
    assert (came.place, came.report_id) == ("triage", asked.report().id)


def test_to_an_organisation_with_a_key_it_is_encrypted_and_outside_it_names_the_number_only(asked: World) -> None:
    asked.organisation("Finders", JO, key=asked.keymaker.vendor)
    asked.deliver()
    [mail] = asked.sent_to(JO)
    assert letter(asked).encrypted
    assert QUESTION.encode() not in mail.as_bytes()
    assert mail["Subject"].startswith(f"[{asked.report().vrf}] ")
    assert "Overflow" not in mail["Subject"]


def test_what_is_confidential_waits_for_a_key(asked: World) -> None:
    order = letters.Order("report-ask", {"body": "the secret", "quoted": ""}, confidential=True)
    with asked.writing() as tx:
        letter_id = letters.to_reporter(tx, asked.tools, asked.report(), order, asked.clock())
    asked.deliver()
    [held] = [one for one in asked.letters() if one.id == letter_id]
    assert (held.state, "vendor add" in held.why, f"outbox release {letter_id}" in held.why) == ("held", True, True)
    told = [s for s in asked.queue("triage") if s.item.kind == "notice"]
    assert [(s.item.report_id, f"letter {letter_id} is held" in s.item.why) for s in told] == [
        (asked.report().id, True)
    ]
    assert asked.queue("operator") == []


def test_nobody_can_be_written_to_without_an_address(world: World) -> None:
    made = reported.add(world.tools, world.alice, "it crashes\n")
    order = letters.Order("report-ask", {"body": "?", "quoted": ""})
    with pytest.raises(faults.Illegal, match="came without an address"), world.writing() as tx:
        letters.to_reporter(tx, world.tools, made, order, world.clock())


def came_back(world: World, to: str, number: int) -> Message:
    sent = letter(world)
    raw = delivery_report(to, sent.recipient, letter=sent.sealed or b"", number=number)
    return world.fed(world.envelope(raw, "", (to,)))


def test_triage_hears_that_it_came_back_once_and_only_when_that_is_proved(asked: World) -> None:
    asked.deliver()
    waiting = len(asked.queue("triage"))
    forged = came_back(asked, "cert@cert.example", 1)
    assert (forged.place, forged.about_letter_id) == ("bounces", letter(asked).id)
    assert len(asked.queue("triage")) == waiting
    for number in (2, 3):
        bounce = came_back(asked, letter(asked).reverse_path or "", number)
        assert (bounce.place, bounce.about_evidence) == ("bounces", "token")
    told = [s for s in asked.queue("triage") if s.item.kind == "notice"]
    assert [(s.item.report_id, s.item.why.startswith(f"letter {letter(asked).id} came back")) for s in told] == [
        (asked.report().id, True)
    ]
    assert asked.queue("operator") == []


def test_triage_hears_that_it_was_refused(worlds: MakeWorld, smarthost: Sink) -> None:
    world = worlds(RELAY__URL=f"smtp://127.0.0.1:{smarthost.port}")
    smarthost.replies["RCPT"] = "550 5.1.1 no such user"
    world.feed(world.mail(JO, "Overflow"))
    triage.ask(world.tools, world.alice, world.report().vrf, triage.Draft(QUESTION))
    world.deliver()
    [told] = [s for s in world.queue("triage") if s.item.kind == "notice"]
    assert "failed: refused by the relay" in told.item.why
    assert (told.item.report_id, world.queue("operator")) == (world.report().id, [])
