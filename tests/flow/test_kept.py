"""What a signature proved is written once, at receipt; what becomes of the key later rewrites nothing."""

from datetime import timedelta
from hashlib import sha256

import pytest

from mailrouter.flow.arriving import lookup, receive
from mailrouter.flow.filing import file
from mailrouter.flow.people import directory
from mailrouter.mail.pgpmime import Verdict
from mailrouter.store import certificates, inbox, journal
from mailrouter.store.journal import Entry
from mailrouter.store.messages import Message
from tests.flow.world import DAY, VENDOR, VU, World


def held_on_file(world: World, found: Message) -> bool:
    """Whether the key it names is kept, and is the one that proved it."""
    with world.look() as tx:
        kept = certificates.get(tx, found.certificate)
    return kept is not None and (kept.fingerprint, sha256(kept.data).hexdigest()) == (
        found.fingerprint, found.certificate,
    )  # fmt: skip


def journal_of(world: World) -> list[Entry]:
    """Every chain's entries about mails, oldest first."""
    with world.look() as tx:
        chains = (journal.node_chain("n1"), journal.case_chain(1))
        return sorted((entry for chain in chains for entry in journal.entries(tx, chain)), key=lambda entry: entry.id)


def test_a_renewed_and_retired_key_leaves_what_it_proved_as_it_was(world: World) -> None:
    owner = world.keymaker.make("Renewed", "renewed@vendor.example")
    world.vendor_case()
    world.pin(VENDOR, owner)
    first = world.fed(world.signed(f"VU#{VU}: we are not affected.\n", f"VU#{VU}: statement", signer=owner))
    assert (first.assurance, bool(first.gpg), held_on_file(world, first)) == ("verified", True, True)

    world.clock.to(world.clock() + DAY)
    world.keymaker.gpg("--quick-set-expire", owner.fingerprint, "20y")
    world.pin(VENDOR, owner)
    second = world.fed(world.signed(f"VU#{VU}: we are affected.\n", f"VU#{VU}: statement", signer=owner))
    assert (second.fingerprint, second.assurance, held_on_file(world, second)) == (first.fingerprint, "verified", True)
    assert second.certificate != first.certificate, "the same key, in another form"

    directory.retire_key(world.tools, world.alice, VENDOR, owner.fingerprint)
    world.clock.to(world.clock() + timedelta(hours=1))
    third = world.fed(world.signed(f"VU#{VU}: affected indeed.\n", f"VU#{VU}: statement", signer=owner))
    assert (third.assurance, third.certificate) == ("invalid", "")
    kept = {m.id: (m.assurance, m.certificate) for m in world.messages()}
    assert kept[first.id] == ("verified", first.certificate)
    assert kept[second.id] == ("verified", second.certificate)
    with world.look() as tx:
        forms = [one.digest for one in certificates.of_key(tx, owner.fingerprint)]
    assert forms == [first.certificate, second.certificate]


def test_what_nothing_is_known_of_names_no_key(world: World) -> None:
    world.vendor_case(key=True)
    plain = world.fed(world.mail("psirt@vendor.example"))
    stranger = world.fed(world.signed("x", signer=world.keymaker.eve))
    assert (plain.certificate, plain.gpg) == ("", "")
    assert (stranger.verdict, stranger.certificate, bool(stranger.gpg)) == ("unknown-key", "", True)


@pytest.mark.row("P78")
def test_a_key_retired_between_opening_and_filing_proves_nothing_and_it_is_decided_once(world: World) -> None:
    """The decision is one transaction's, with the pins as they are then; the journal keeps it."""
    world.vendor_case(key=True)
    world.accept(world.signed(f"VU#{VU}: we are not affected.\n", f"VU#{VU}: statement"))
    items = receive.claim(world.tools, 1)
    opened = receive.read_mail(world.tools, items[0])
    assert opened.opened.verdict is Verdict.GOOD
    directory.retire_key(world.tools, world.alice, VENDOR, world.keymaker.vendor.fingerprint, "lost")
    with world.writing() as tx:
        receive.record(tx, world.tools, opened, lookup.look_up(tx, [opened]))
        inbox.finish(tx, world.tools.holder, [items[0].mail_id])
    found = world.everything()[-1]
    assert (found.verdict, found.assurance, found.reason) == ("good", "invalid", "its key is not pinned")
    assert [one.state for one in world.statements()] == ["held"]
    told = [entry.data for entry in world.journal() if entry.kind == "mail.filed"][-1]
    assert (told["assurance"], told["certificate"], told["gpg"]) == ("invalid", found.certificate, found.gpg)


@pytest.mark.row("P78")
def test_judged_again_after_the_key_was_retired_both_decisions_stand_in_the_journal(world: World) -> None:
    world.vendor_case(key=True)
    first = world.fed(world.signed(f"VU#{VU}: we look into it.\n", f"VU#{VU} and VU#999999"))
    assert (first.place, first.assurance) == ("review", "verified")
    directory.retire_key(world.tools, world.alice, VENDOR, world.keymaker.vendor.fingerprint, "lost")
    file.route(world.tools, world.alice, first.id, VU)
    told = [entry.data["assurance"] for entry in journal_of(world) if entry.kind.startswith("mail.")]
    assert told == ["verified", "invalid"]
