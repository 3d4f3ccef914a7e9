"""What of a public key is its owner's, by what the packets say of themselves. Proves nothing, and asks no gpg.

Anybody can add a signature of theirs to a key, and key servers hand out copies full of them. gpg drops those when it
imports a key of a contact (`self-sigs-only`), so they are no news. Pure; raises `packets.Malformed` and nothing else.
"""

from mailrouter.pgp import packets, revocations


def adds_nothing(offered: bytes, known: bytes) -> bool:
    """Whether all that may be the owner's of the one copy stands in the other: an Autocrypt header is a part of a key.

    A revocation by somebody else counts as news: a person weighs it (testbook P119).
    """
    there = {packet.raw for packet in packets.packets(known)}
    primary = packets.keys_of(known)[0].fingerprint
    names = {primary, primary[-16:]}
    return all(packet.raw in there or _anothers(packet, names) for packet in packets.packets(offered))


def _anothers(packet: packets.Packet, names: set[str]) -> bool:
    """Whether this is a signature that names others as its issuer, and none of these, and revokes no key."""
    if packet.tag != packets.SIGNATURE or revocations.type_of(packet) in revocations.OF_KEYS:
        return False
    issuers = set(revocations.issuers_of(packet))
    return bool(issuers) and not issuers & names
