"""Organisations: one address, one domain, one key is one organisation's; and whose a signature may be."""

from datetime import UTC, datetime, timedelta

import pytest

from mailrouter.faults import NotFound, Refused
from mailrouter.store import cases, contacts
from mailrouter.store.contacts import Speaker
from mailrouter.store.engine import Database

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
PRIMARY, SUBKEY = "A" * 40, "B" * 40


@pytest.fixture
def two(database: Database) -> Database:
    """Acme (1), with a domain and two contacts; Bolt (2), with one contact in Acme's domain."""
    with database.write() as tx:
        for name in ("Acme Corp", "Bolt"):
            contacts.add(tx, name)
        contacts.add_domain(tx, 1, "Acme.example")
        for address in ("PSIRT@acme.example", "cto@acme.example"):
            contacts.add_contact(tx, 1, address)
        contacts.add_contact(tx, 2, "bolt@acme.example")
    return database


def test_names_are_one_whatever_their_case_and_spacing(two: Database) -> None:
    with two.write() as tx:
        assert contacts.named(tx, "  aCME   corp ").id == 1
        with pytest.raises(Refused, match="an organisation named 'ACME CORP' exists already"):
            contacts.add(tx, "ACME CORP")
        with pytest.raises(NotFound, match="no organisation is named 'X'; `mailrouter vendor list` shows"):
            contacts.named(tx, "X")


def test_whose_an_address_is(two: Database) -> None:
    asked = ["psirt@acme.example", "bolt@acme.example", "new@acme.example", "x@sub.acme.example", "", "@"]
    with two.read() as tx:
        assert contacts.speakers(tx, asked) == {
            "psirt@acme.example": Speaker(1, 1),
            "bolt@acme.example": Speaker(2, 1),
            "new@acme.example": Speaker(None, 1),
        }


@pytest.mark.row("S30")
def test_whose_rate_is_a_participants(two: Database) -> None:
    with two.write() as tx:
        assert contacts.participants_addresses(tx) == frozenset(), "to be on file is not to take part"
        cases.add_participant(tx, cases.open_case(tx, "A flaw", NOW).id, 1, "vendor")
        assert contacts.participants_addresses(tx) == {"psirt@acme.example", "cto@acme.example"}


def test_one_address_and_one_domain_are_one_organisations(two: Database) -> None:
    with two.write() as tx:
        with pytest.raises(Refused, match=r"psirt@acme\.example is already a contact of Acme Corp"):
            contacts.add_contact(tx, 2, "Psirt@Acme.example")
        with pytest.raises(Refused, match=r"acme\.example is already a mail domain of Acme Corp"):
            contacts.add_domain(tx, 2, "ACME.example")
        contacts.add_contact(tx, 1, "PSIRT@ACME.example")  # its own again: no change
        assert [c.address for c in contacts.contacts_of(tx, 1)] == ["psirt@acme.example", "cto@acme.example"]


def test_letters_go_to_the_first_contact_that_takes_mail(two: Database) -> None:
    with two.write() as tx:
        assert contacts.address_for(tx, 1) == "psirt@acme.example"
        tx.execute(contacts.contacts.update().where(contacts.contacts.c.rank == 1).values(undeliverable=True))
        assert (contacts.address_for(tx, 1), contacts.address_for(tx, 2)) == ("cto@acme.example", None)


def test_the_last_contact_stays(two: Database) -> None:
    with two.write() as tx:
        contacts.remove_contact(tx, 1, "CTO@acme.example")
        with pytest.raises(Refused, match="needs one contact; add the new one first"):
            contacts.remove_contact(tx, 1, "psirt@acme.example")
        with pytest.raises(NotFound, match="is not a contact of Acme Corp"):
            contacts.remove_contact(tx, 1, "bolt@acme.example")


# ---- pinned keys ----------------------------------------------------------------------------------------------------


def pin(two: Database, organisation: int, data: bytes = b"key", **more: object) -> None:
    row = {"organisation_id": organisation, "fingerprint": PRIMARY, "data": data, "can_encrypt": True, "pinned_at": NOW}
    with two.write() as tx:
        contacts.pin(tx, row | more, [PRIMARY, PRIMARY[-16:], SUBKEY, SUBKEY[-16:]])


@pytest.mark.row("P58")
def test_a_key_is_found_by_any_of_its_names_and_is_one_organisations(two: Database) -> None:
    pin(two, 1)
    with two.read() as tx:
        for name in (PRIMARY, SUBKEY, SUBKEY[-16:], "0" * 24 + SUBKEY[-16:]):
            assert [key.fingerprint for key in contacts.keys_named(tx, name)] == [PRIMARY]
        assert contacts.keys_named(tx, "C" * 40) == []
        assert contacts.keys_named(tx, "") == []
    with pytest.raises(Refused, match="this key is already pinned to Acme Corp"):
        pin(two, 2)


def test_the_keys_an_address_claims_to_sign_with(two: Database) -> None:
    pin(two, 1)
    with two.write() as tx:
        for claimed in ("psirt@acme.example", "new@acme.example", "bolt@acme.example"):
            assert [key.fingerprint for key in contacts.keys_claimed(tx, claimed)] == [PRIMARY], claimed
        for nobodys in ("x@sub.acme.example", "x@bolt.example", "", "@"):
            assert contacts.keys_claimed(tx, nobodys) == [], nobodys
        contacts.retire(tx, 1, PRIMARY, NOW)
        assert contacts.keys_claimed(tx, "psirt@acme.example") == []


def test_a_known_fingerprint_renews_the_key_even_a_retired_one(two: Database) -> None:
    pin(two, 1)
    with two.write() as tx:
        contacts.retire(tx, 1, PRIMARY, NOW)
        assert contacts.keys_named(tx, PRIMARY) == []
        assert [key.retired_at for key in contacts.keys_of(tx, [1], retired=True)] == [NOW]
        with pytest.raises(NotFound, match="that key is not pinned to Bolt"):
            contacts.retire(tx, 2, PRIMARY, NOW)
    pin(two, 1, b"newer")
    with two.read() as tx:
        [key] = contacts.keys_of(tx, [1])
    assert (key.data, key.retired_at) == (b"newer", None)


@pytest.mark.parametrize(
    ("change", "usable"),
    [
        ({}, True),
        ({"can_encrypt": False}, False),
        ({"expires_at": NOW}, False),
        ({"expires_at": NOW + timedelta(1)}, True),
    ],
)
def test_letters_are_encrypted_to_usable_keys_only(two: Database, change: dict[str, object], usable: bool) -> None:
    pin(two, 1, **change)
    with two.read() as tx:
        [key] = contacts.keys_of(tx, [1])
    assert key.usable(NOW) is usable
