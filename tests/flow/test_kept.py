"""What a signature proved is written once, at receipt; what becomes of the key later rewrites nothing."""

from datetime import timedelta
from hashlib import sha256

from mailrouter.flow import directory
from mailrouter.store import certificates
from mailrouter.store.messages import Message
from tests.flow.world import DAY, VENDOR, VU, World


def held_on_file(world: World, found: Message) -> bool:
    """Whether the key it names is kept, and is the one that proved it."""
    with world.look() as tx:
        kept = certificates.get(tx, found.certificate)
    return kept is not None and (kept.fingerprint, sha256(kept.data).hexdigest()) == (
        found.fingerprint, found.certificate,
    )  # fmt: skip


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
