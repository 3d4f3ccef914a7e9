"""Keys that end, on real keys with an end and a clock that is moved to it."""

from datetime import UTC, datetime, timedelta

import pytest

from mailrouter import ticker
from mailrouter.flow.people import directory
from mailrouter.flow.sending import lacking
from mailrouter.flow.timing import keydates
from mailrouter.store import contacts, tables
from mailrouter.store.outbox import Letter
from tests.flow.world import DAY, PSIRT, VENDOR, VU, World
from tests.pgp.keys import Keymaker, Owner

ENDS = datetime(2098, 6, 2, tzinfo=UTC)  # gpg itself knows no clock of ours: it must not be there yet


@pytest.fixture(scope="module")
def mortal(keymaker: Keymaker) -> Owner:
    """A key with an end."""
    return keymaker.make("Vendor 2098", PSIRT, expires=f"{ENDS:%Y%m%dT%H%M%S}")


@pytest.fixture
def house(world: World, mortal: Owner) -> World:
    """A vendor with that key, in a case, written to."""
    world.organisation(VENDOR, PSIRT, domain="vendor.example", key=mortal)
    world.case(VENDOR)
    world.deliver()
    return world


def letters(world: World) -> list[Letter]:
    return world.letters(keydates.LETTER)


def beat_at(world: World, days_left: float) -> list[str]:
    """One beat so long before the end; what it did."""
    world.clock.to(ENDS - days_left * DAY)
    return [told.does for told in keydates.beat(world.tools, world.clock())]


def test_three_letters_and_a_notice_each_once(house: World, mortal: Owner) -> None:
    told = {left: beat_at(house, left) + beat_at(house, left) for left in (61, 60, 45, 30, 8, 7, 1, 0, -30)}
    letter = ["letter key-expires"]
    notice = ["notice to the analyst"]
    assert told == {61: [], 60: letter, 45: [], 30: letter, 8: [], 7: letter, 1: [], 0: notice, -30: []}
    assert [(one.recipient, one.automatic) for one in letters(house)] == [(PSIRT, True)] * 3
    assert "2098-06-02" in letters(house)[0].body
    assert " ".join(mortal.fingerprint[i : i + 4] for i in range(0, 40, 4)) in letters(house)[0].body
    why = next(why for why in house.notices() if "expired" in why)
    assert f"the key {mortal.fingerprint} of {VENDOR} expired on 2098-06-02" in why
    assert f"mailrouter vendor add-key {VENDOR} FILE" in why
    assert house.turn() == "them"  # nothing about turns
    assert house.breaks() == []


def test_the_letter_is_encrypted_to_the_key_while_it_can_be(house: World) -> None:
    beat_at(house, 30)
    house.deliver()
    sent = letters(house)[0]
    assert (sent.state, sent.signed, sent.encrypted) == ("sent", True, True)


@pytest.mark.parametrize("why", ["renewed", "another", "retired", "closed", "untold", "no case"])
def test_who_is_not_written_to(world: World, mortal: Owner, keymaker: Keymaker, why: str) -> None:
    world.organisation(VENDOR, PSIRT, domain="vendor.example", key=mortal)
    if why != "no case":
        world.case(VENDOR, notify=why != "untold")
    with world.writing() as tx:
        if why == "renewed":
            tx.execute(tables.pinned_keys.update().values(expires_at=ENDS + 365 * DAY))
        if why == "closed":
            tx.execute(tables.cases.update().values(state="closed"))
    if why == "another":
        world.pin(VENDOR, keymaker.vendor)
    if why == "retired":
        directory.retire_key(world.tools, world.alice, VENDOR, mortal.fingerprint, "replaced")
    assert beat_at(world, 30) == []
    assert letters(world) == []


def test_it_keeps_the_gap_to_other_automatic_letters(house: World) -> None:
    house.clock.to(ENDS - 31 * DAY)
    house.beat()
    assert len(house.follow_ups()) == 1  # they were silent for years
    assert beat_at(house, 30) == beat_at(house, 28) == []
    assert keydates.foretell(house.tools, house.clock()) == []
    assert beat_at(house, 27) == ["letter key-expires"]
    assert house.participant().last_automatic_at == house.clock()
    assert house.breaks() == []


def test_other_automatic_letters_keep_the_gap_to_it(house: World) -> None:
    house.clock.to(ENDS - 31 * DAY)
    house.beat()
    assert beat_at(house, 18) == ["letter key-expires"]
    made = []
    for left in (17, 15, 14):
        house.clock.to(ENDS - left * DAY)
        house.beat()
        made.append(len(house.follow_ups()))
    assert made == [1, 1, 2]  # the second was due seventeen days before the end


def test_an_answer_does_not_withdraw_the_letter(house: World) -> None:
    beat_at(house, 60)
    house.feed(house.mail(PSIRT, f"VU#{VU}"))
    assert [one.state for one in letters(house)] == ["queued"]


def test_foretold_without_doing_it(house: World) -> None:
    at = ENDS - 60 * DAY
    told = keydates.foretell(house.tools, at)
    assert [(one.vu, one.participant, one.kind, one.rung, one.due_at, one.writes) for one in told] == [
        (VU, VENDOR, "key", 60, at, True)
    ]
    assert letters(house) == []
    assert [one.writes for one in keydates.foretell(house.tools, ENDS + DAY)] == [False]


def test_two_cases_one_letter_two_notices(house: World) -> None:
    house.case(VENDOR, vu=654321)
    assert len(beat_at(house, 60)) == 1
    assert house.letters(keydates.LETTER)[0].subject.startswith("[VU#654321]")
    assert beat_at(house, -1) == ["notice to the analyst"] * 2


def test_the_tickers_beat_does_it_too(house: World) -> None:
    made = []
    for left in (59, 54):  # they were silent for long: the first day they are asked for an answer
        house.clock.to(ENDS - timedelta(days=left))
        ticker.beat(house.tools)
        made.append(len(letters(house)))
    assert made == [0, 1]


def test_words_for_whoever_waits_for_a_key(house: World, mortal: Owner) -> None:
    with house.look() as tx:
        vendor = contacts.named(tx, VENDOR).id
        assert lacking.words(tx, vendor, house.clock()) == ""
        said = lacking.words(tx, vendor, ENDS)
    assert said.startswith(f"the key {mortal.fingerprint} of {VENDOR} expired on 2098-06-02: `mailrouter vendor add")
    directory.retire_key(house.tools, house.alice, VENDOR, mortal.fingerprint, "replaced")
    house.organisation("Bare & Co", "bare@bare.example")
    with house.look() as tx:
        assert "is retired" in lacking.words(tx, vendor, house.clock())
        bare = lacking.words(tx, contacts.named(tx, "Bare & Co").id, house.clock())
    assert bare == "no key of Bare & Co is pinned: `mailrouter vendor add-key 'Bare & Co' FILE` pins one"
