"""Revocations set into the keys they are about, and what gpg then says of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.faults import Refused
from mailrouter.pgp import Pgp, imports, packets, revocations
from tests.pgp.forge import FORGER, packet
from tests.pgp.keys import Keymaker

Three = tuple[bytes, bytes, bytes]


@pytest.fixture(scope="module")
def ended(keymaker: Keymaker) -> Three:
    """A key, binary: as it was, as it is revoked, and the certificate that revokes it."""
    owner = keymaker.make("Ended", "ended@vendor.example")
    written = (keymaker.home / "openpgp-revocs.d" / f"{owner.fingerprint}.rev").read_bytes()
    certificate = imports.revocation_in(written.replace(b":-----B", b"-----B"))
    return owner.public.data, keymaker.revoke(owner).public.data, certificate


def test_a_certificate_names_the_key_it_revokes(ended: Three) -> None:
    key = packets.keys_of(ended[0])[0]
    assert revocations.alone(ended[2])
    assert revocations.issuers(ended[2]) == {key.fingerprint, key.fingerprint[-16:]}
    assert not any(revocations.alone(other) for other in (ended[0], ended[1], b""))


@pytest.mark.row("P119")
@pytest.mark.parametrize("form", [1, 2], ids=["a revoked copy", "a certificate"])
def test_by_the_key_itself(pgp: Pgp, ended: Three, form: int) -> None:
    together = revocations.within(ended[0], ended[form])
    assert len(together) == len(ended[0]) + len(ended[2])
    assert revocations.within(together, ended[form]) == together  # known by now
    found = pgp.revoked(ended[0], ended[form])
    assert found is not None
    assert (found.state, found.can_encrypt) == ("revoked", False)


@pytest.mark.row("P119")
@pytest.mark.parametrize("whose", ["another key's", "a forged one"])
def test_by_anybody_else(pgp: Pgp, keymaker: Keymaker, ended: Three, whose: str) -> None:
    forged = FORGER.signature(b"\x99" + b"\0\0", 0x20)
    theirs = ended[2] if whose == "another key's" else forged
    assert revocations.within(keymaker.vendor.public.data, theirs) != keymaker.vendor.public.data
    assert pgp.revoked(keymaker.vendor.public.data, theirs) is None


def test_a_subkeys_end_is_the_keys(pgp: Pgp, keymaker: Keymaker) -> None:
    """Letters are encrypted to the subkey: what counts is whichever ends first."""
    owner = keymaker.make("Sub ends", "sub@ends.example", encrypts=False)
    keymaker.gpg("--quick-add-key", owner.fingerprint, "cv25519", "encr", "20980101T000000")
    first = pgp.import_public(keymaker.armored(owner.fingerprint))
    assert (first.expires and first.expires.year, first.can_encrypt) == (2098, True)
    keymaker.gpg("--quick-add-key", owner.fingerprint, "cv25519", "encr", "never")
    second = pgp.renewed(first.data, keymaker.public(owner.fingerprint).data)
    assert second is not None
    assert (second.expires, len(second.subkeys)) == (None, 2)


def test_nothing_new_is_no_renewal(pgp: Pgp, keymaker: Keymaker) -> None:
    whole = pgp.import_public(keymaker.armored(keymaker.vendor.fingerprint)).data
    assert pgp.renewed(whole, whole) is None
    minimal = keymaker.gpg("--export-options", "export-minimal", "--export", keymaker.vendor.fingerprint)
    assert pgp.renewed(whole, minimal) is None


@pytest.mark.row("P116")
@pytest.mark.row("P117")
def test_a_key_with_too_much_of_its_own_is_refused(pgp: Pgp, keymaker: Keymaker) -> None:
    signature = next(p for p in packets.packets(keymaker.eve.public.data) if p.tag == packets.SIGNATURE).body
    many = b"".join(packet(packets.SIGNATURE, signature[:-4] + n.to_bytes(4, "big")) for n in range(900))
    with pytest.raises(Refused, match="more than 64 kB of its own"):
        pgp.import_public(keymaker.eve.public.data + many)


PIECES = st.lists(st.tuples(st.sampled_from([2, 6, 13, 14, 17]), st.binary(max_size=40)), max_size=6)


@given(PIECES, st.binary(max_size=9))
def test_whatever_the_packets_hold(pieces: list[tuple[int, bytes]], rest: bytes) -> None:
    data = b"".join(packet(tag, body) for tag, body in pieces) + rest
    for ask in (revocations.alone, revocations.issuers, lambda one: revocations.within(one, one)):
        try:
            ask(data)
        except packets.Malformed:
            assert rest  # whole packets are never malformed here
    assert imports.certificates_in(data) is not None
    assert imports.revocation_in(data) is not None
