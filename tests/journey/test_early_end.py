"""An exploit is public at three in the morning, and one analyst is awake (issue 6, Show 1, the second run)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.journey.conftest import settings
from tests.journey.office import Office
from tests.journey.people import Gnupg, Organisation
from tests.journey.site import Site
from tests.servers.daemon import Daemon
from tests.servers.sink import Sink
from tests.servers.wait import until

NOTES = "https://notes.cert.example"
NOTE = """\
# Overflow in the updater

## Overview

An oversized manifest overwrites the stack of the updater.

## Description

The updater listens on TCP port 4410.

## Impact

## Solution

No solution is known yet. Close port 4410.

## Acknowledgements

## References
"""
WHY = "an exploit is public, and nobody else is awake"
SEEN = "Good morning,\n\na working exploit was published on a forum tonight: it takes over any updater.\n"


@pytest.fixture
def office(serve: Callable[..., Daemon], smarthost: Sink, database_url: str) -> Office:
    """A running one with a site, on each database."""
    return Office(serve(database_url=database_url, **settings(smarthost), IDENTITY__NOTES_URL=NOTES), smarthost)


def test_an_exploit_at_three_in_the_morning(
    office: Office, organisations: Callable[..., Organisation], reader: Gnupg
) -> None:
    acme, dune, bolt = organisations("Acme"), organisations("Dune"), organisations("Bolt")
    node = office.node
    node.run("analyst", "add", "Ben", "--email", "ben@cert.example", "--login", "ben-is-asleep")
    for one in (acme, dune, bolt):
        office.vendor(one)
    vu = office.open(acme, dune, title="Overflow in the updater")
    node.run("case", "add-vendor", str(vu), "Bolt", "--anonymous")
    node.run("case", "notify", str(vu), "--without-details")
    everybody = (acme, dune, bolt)
    for one in everybody:
        office.letters_to(one, 1)
    assert office.case(vu)["embargo"]["state"] == "ACTIVE"

    # 03:00: Dune writes, in words of its own and unsigned; it is a proposal at once, and changes nothing
    office.mail(dune.address, dune.plain(f"Re: VU#{vu}", SEEN))
    (proposed,) = node.json("proposal", "list", str(vu))
    assert (proposed["what"], proposed["participant"]) == ("exploit", "Dune")
    assert office.case(vu)["embargo"]["state"] == "ACTIVE"

    # 03:10: Ana has looked at the forum; all three are told in that minute, encrypted
    print(node.run("proposal", "take", str(proposed["id"])).stdout)
    case = office.case(vu)
    assert (case["embargo"]["state"], bool(case["exploit_public_at"]), bool(case["public_at"])) == (
        "EXITED",
        True,
        True,
    )
    for one in everybody:
        letter = office.letters_to(one, 2)[1]
        assert "the embargo has ended" in letter.subject
        assert letter.encrypted
        assert "exploit" in letter.text

    # 03:30: nobody else is awake: the gate names what is missing, and an emergency is published
    node.run("note", "write", str(vu), "--file", "-", stdin=NOTE)
    found = node.json("note", "gate", str(vu), status=1)["conditions"]
    unmet = [one["name"] for one in found if not one["met"]]
    assert "date" not in unmet, "it is public"
    refused = node.run("note", "publish", str(vu), status=1).stderr
    assert [name for name in unmet if name not in refused] == []
    despite = [word for name in unmet if name != "approvals" for word in ("--override", name)]
    print(node.run("note", "publish", str(vu), "--emergency", *despite, "--why", WHY).stdout)
    site = Site(node.data / "site")
    assert "No solution is known yet" in site.page(vu)
    assert site.names(["Bolt"]) == []
    site.parses()
    assert site.verifies(reader, office.fingerprint) > 5
    for one in everybody:
        assert "Published" in office.letters_to(one, 3)[2].subject

    # it is to be approved within a day: Ana is reminded, Ben comes at nine
    awaits(office, vu)


def awaits(office: Office, vu: int) -> None:
    """The approval that is owed, and given; never by who published."""
    node = office.node
    (owed,) = [one for one in office.case(vu)["deadlines"] if one["kind"] == "approval"]
    due = datetime.fromisoformat(owed["due_at"]) - datetime.now(UTC)
    assert timedelta(hours=23) < due <= timedelta(hours=24)
    sha256 = node.json("note", "show", str(vu))["sha256"]
    node.run("note", "approve", str(vu), "--sha256", sha256[:16], status=1)  # Ana wrote it
    print(office.as_ben("note", "approve", str(vu), "--sha256", sha256[:16]))
    (done,) = [one for one in office.case(vu)["deadlines"] if one["kind"] == "approval"]
    assert done["done_at"]
    (shown,) = node.json("note", "list")
    assert shown["emergency"] == WHY
    assert [one["analyst"] for one in shown["approvals"]] == ["Ben"]
    print(node.run("journal", "show", str(vu)).stdout)
    until(lambda: node.json("journal", "verify")["good"], "the journal to stand")
